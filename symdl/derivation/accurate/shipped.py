"""What was found for the functions of the library, as a file of the package: nobody waits for a search that was made.

The file says what it was made with: the sources of the search and the version of SymPy. With others it counts for
nothing, and every form is searched for anew. It is written by `python -m derivations.forms`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import sympy

#: The file: what it was made with, and what was found, by the hash of what was asked (see `written.request`).
FILE = Path(__file__).with_name("shipped.json")
_CORE = ("accurate.py", "functions.py")
#: Of the folder of the search: what looks up and keeps what was found.
_KEEPING = ("kept.py", "shipped.py")


class Shipped:
    """The forms that come with the package; nothing can be put there.

    >>> Shipped().get("no such question") is None
    True
    """

    def get(self, key: str) -> str | None:
        """What was found, as text for `written.read`; None where nothing is known."""
        return _entries(FILE).get(key)

    def put(self, key: str, text: str) -> None:
        """Nothing: what is found is for whoever asks."""


@cache
def _entries(file: Path) -> Mapping[str, str]:
    data = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return data["found"] if data.get("made_with") == made_with() else {}


@cache
def made_with() -> str:
    """A hash of what a search depends on beside what it is asked: its sources, and how SymPy writes expressions."""
    here = Path(__file__).resolve().parent
    search = [source for source in sorted(here.glob("*.py")) if source.name not in _KEEPING]
    digest = hashlib.sha256(sympy.__version__.encode())
    for source in (*search, *(here.parents[1] / "core" / name for name in _CORE)):
        digest.update(source.name.encode() + b"\0" + source.read_text(encoding="utf-8").encode() + b"\0")
    return digest.hexdigest()


def text_of(found: Mapping[str, str]) -> str:
    """The contents of a file that holds what was found with the sources as they are."""
    return json.dumps({"made_with": made_with(), "found": dict(sorted(found.items()))}, indent=1) + "\n"
