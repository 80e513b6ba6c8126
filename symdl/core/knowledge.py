"""What SymPy may conclude about the signs of our atoms, worked out once for each kind of atom.

SymPy answers `expr.is_positive` by asking one fact after another, in random order, and remembers the answers in each
object. Elements and sums are made by the thousand, so that each would be asked anew, which takes most of the time of
building an expression. What can be known of them follows from very little, and is told here for all facts at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

from sympy.core.assumptions import StdFactKB, _assume_defined, as_property

Known = frozenset[tuple[str, bool]]
_Class = TypeVar("_Class", bound=type)


def concluding(cls: _Class) -> _Class:
    """Let `is_positive`, `is_zero` and the like of a class be concluded from its `_known()`, and from nothing else.

    `_known` returns pairs of a fact of SymPy's and its truth; what does not follow from them is None.

    >>> import sympy
    >>> @concluding
    ... class Length(sympy.Expr):
    ...     is_commutative = True
    ...     def _known(self):
    ...         return frozenset({("real", True), ("nonnegative", True)})
    >>> Length().is_extended_negative, Length().is_zero, Length().is_finite
    (False, None, True)
    """
    for fact in _assume_defined:
        if fact not in cls.default_assumptions:  # type: ignore[attr-defined]
            setattr(cls, as_property(fact), _property(fact))
    return cls


def _property(fact: str) -> property:
    def concluded(self: Any) -> bool | None:
        try:
            return self._assumptions[fact]  # type: ignore[no-any-return]
        except KeyError:
            self._assumptions = _conclusions(self._known())
            return self._assumptions[fact]  # type: ignore[no-any-return]

    return property(concluded)


@lru_cache(maxsize=256)
def _conclusions(known: Known) -> StdFactKB:
    """Every fact with its truth. One object for all, since there is nothing left to add to it."""
    facts = StdFactKB({"commutative": True, **dict(known)})
    for fact in _assume_defined:
        facts.setdefault(fact, None)
    return facts
