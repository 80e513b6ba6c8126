"""The functions at the head of an emitted module: which a text calls, with all that they call in turn."""

from __future__ import annotations

import re
from collections.abc import Mapping

from symdl.compilation.targets import compensated, elementary

#: By dtype and name, in an order in which they can be defined.
SOURCES = {dtype: elementary.SOURCES[dtype] | compensated.SOURCES[dtype] for dtype in elementary.SOURCES}
NAMES = tuple(SOURCES["float64"])


def _direct(text: str) -> set[str]:
    return set(re.findall(rf"(?<![\w.])({'|'.join(NAMES)})\(", text))


def used(text: str, sources: Mapping[str, str] = SOURCES["float64"]) -> list[str]:
    """The names of the functions that a text calls, those first that others call.

    Args:
        text: source.
        sources: of these functions, by name.

    >>> used("h = tanh(s)")
    ['exp_core', 'exp', 'tanh']
    >>> used("y = math.log(x) + wide_exp(x)")
    []
    """
    found: set[str] = set()
    new = _direct(text)
    while new:
        found |= new
        new = set().union(*(_direct(sources[n].split("\n", 1)[1]) for n in new)) - found
    return [n for n in NAMES if n in found]
