"""Forms that keep digits are found once for a function, not once for a program: what was found stays in the cache.

Those of the library's functions come with the package.
"""

from __future__ import annotations

from symdl.compilation import cache
from symdl.derivation.accurate.shipped import Shipped

#: The file of an entry that holds what was found.
FOUND = "form.json"


class Searches:
    """The entries of the code cache with what was found for functions (see `derivation.accurate.kept`)."""

    def get(self, key: str) -> str | None:
        """What was found."""
        if (text := Shipped().get(key)) is not None:
            return text
        entry = cache.find(_key(key), FOUND)
        return None if entry is None else entry.source

    def put(self, key: str, text: str) -> None:
        """Keep what was found."""
        with cache.building(text, FOUND) as folder:
            cache.publish(folder, _key(key), {}, FOUND)


def _key(request: str) -> str:
    return cache.key_of({"form": request})
