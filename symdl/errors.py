"""Errors that a user can act on.

Every error says four things: *what* is wrong, *where*, *why* that is a problem, and the *remedy*.
The command line prints them on one line and exits with 2.

>>> print(ShapeError("extents differ", where="equation s[n]", why="w has 3, x has 4", remedy="use one index"))
extents differ; in equation s[n]: w has 3, x has 4. Remedy: use one index.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: So many names are read before a likely one is told alone.
_FEW = 12


class SymdlError(Exception):
    """Base of every error that symdl raises on purpose.

    `what`, `where`, `why` and `remedy` are kept apart, so that a caller can show them as it likes;
    `str(error)` is one line.
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", remedy: str = "") -> None:
        self.what, self.where, self.why, self.remedy = what, where, why, remedy
        super().__init__(what)

    def __str__(self) -> str:
        line = _clean(self.what)
        if self.where:
            line += f"; in {_clean(self.where)}"
        if self.why:
            line += f": {_clean(self.why)}"
        line += "." if not line.endswith((".", "?", "!")) else ""
        if self.remedy:
            line += f" Remedy: {_clean(self.remedy)}."
        return line


def _clean(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def one_of(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The remedy for a name that is none of those that are known: the one that was meant, if one is like it.

    >>> one_of("lstmm", ["elman", "lstm", "gru"])
    "did you mean 'lstm'? One of elman, lstm, gru"
    >>> one_of("lstmm", ["lstm", *"abcdefghijklm"], "see symdl list")
    "did you mean 'lstm'? Otherwise see symdl list"
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    listed = f"one of {', '.join(names)}" if len(names) <= _FEW or not close else ""
    rest = "; ".join(part for part in (listed, otherwise) if part)
    if not close:
        return rest
    question = f"did you mean '{close[0]}'?"
    if not listed:
        return f"{question} Otherwise {rest}" if rest else question
    return f"{question} {rest[0].upper()}{rest[1:]}"


class DefinitionError(SymdlError):
    """A definition that says something impossible or ambiguous (unknown names, no scalar target, …)."""


class ShapeError(DefinitionError):
    """Indices or extents that do not fit; names the equation, the index and both extents."""


class KinkError(DefinitionError):
    """A function that has no derivative at a point, used without a policy for that point."""


class UnsupportedError(SymdlError):
    """Not supported *yet*: the input is right, symdl cannot do it so far."""


class BudgetError(SymdlError):
    """Out of time, or too large."""


class NotProvedError(SymdlError):
    """`.require()` on a verdict that is not `proved`."""


class CrossCheckError(SymdlError):
    """Compiled code that does not agree with the equations it was made from: it is never returned."""


class DomainError(SymdlError):
    """Numbers at which a formula has no real value: a logarithm of a negative number, a division by 0.

    `within` is the expression that has none.
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", remedy: str = "", within: object = None) -> None:
        super().__init__(what, where=where, why=why, remedy=remedy)
        self.within = within


class DataError(SymdlError):
    """Arrays, tables or labels that cannot be trained on."""


class OutputError(SymdlError):
    """A file or folder that cannot be written; what was there before is left in place."""


class MissingDependencyError(SymdlError):
    """An optional package or an outside program (TeX, …) that is needed and absent."""
