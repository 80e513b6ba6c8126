"""Search for the forms of the library's functions and write them down: `python -m derivations.forms`.

What is written comes with the package (see `symdl.derivation.accurate.shipped`), and has to be written anew whenever
the search has changed: a test says so. It takes about a quarter of a minute.
"""

from __future__ import annotations

import symdl as sd
from symdl.core.files import write_text_atomic
from symdl.derivation.accurate import shipped
from symdl.derivation.accurate.calls import with_forms, with_twins
from symdl.derivation.accurate.kept import Shelf, kept_on


class Found(dict[str, str]):
    """What was searched for, by the hash of what was asked."""

    def put(self, key: str, text: str) -> None:
        self[key] = text


def asked_of(shelf: Shelf) -> None:
    """Ask for the forms of every function in the library, and of its slope."""
    with kept_on(shelf):
        for entry in sd.definitions():
            with_forms(with_twins(sd.definition(entry.name)))


def main() -> None:
    """Write the file."""
    found = Found()
    asked_of(found)
    write_text_atomic(shipped.FILE, shipped.text_of(found))
    print(f"{len(found)} forms: {shipped.FILE.name}")


if __name__ == "__main__":
    main()
