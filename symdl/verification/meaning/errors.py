"""Why a formula has no meaning here: it was read, but what it says is not known or does not fit."""

from __future__ import annotations

from symdl.errors import SymdlError


class MeaningError(SymdlError):
    """A formula whose meaning is not known: an unknown function, shapes that do not meet."""


class OpenError(MeaningError):
    """A function of arrays that nobody defined: what it is of is known, and no more."""


class ShapesError(MeaningError):
    """A formula whose names are understood, and whose shapes do not go together."""


class KindsError(MeaningError):
    """Vectors and matrices that do not go together as they are written, though a reader may know what is meant."""


#: What is raised where a formula is beyond the checker, or beyond SymPy below it: never a verdict.
BEYOND = (SymdlError, RecursionError, ArithmeticError, ValueError, NotImplementedError)


def reason_of(error: BaseException) -> str:
    """Why there is no verdict, in words.

    >>> reason_of(RecursionError("maximum recursion depth exceeded"))
    'the formula is nested too deeply'
    """
    if isinstance(error, RecursionError):
        return "the formula is nested too deeply"
    return str(error) if isinstance(error, SymdlError) else f"SymPy gave up: {error}"
