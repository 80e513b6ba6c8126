"""Numbers that are given as options: exact, and within what is stated of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy

from symdl.core.tensors import Fact
from symdl.errors import DefinitionError

_WITHIN: Mapping[Fact, tuple[Callable[[Any], bool], str]] = {
    Fact.POSITIVE: (lambda v: bool(v > 0), "above 0"),
    Fact.NONNEGATIVE: (lambda v: bool(v >= 0), "0 or more"),
    Fact.FRACTION: (lambda v: bool(0 < v < 1), "between 0 and 1"),
}


def number(owner: str, name: str, value: Any, facts: Iterable[str] = ()) -> sympy.Expr:
    """An option that is a number, exactly as it is written: 0.1 is 1/10.

    Args:
        owner: whose option it is, for messages: "loss huber".
        name: of the option.
        value: a number, its digits as text, or an expression.
        facts: what it has to be, such as "positive".

    Raises:
        DefinitionError: no number, or not within the facts.

    >>> number("activation elu", "alpha", 0.1, ["positive"])
    1/10
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = (
            sympy.Rational(str(value)) if isinstance(value, (int, float, str)) else sympy.sympify(value, strict=True)
        )
        if not isinstance(number, sympy.Expr) or number.is_real is False or number.is_finite is False:
            raise TypeError
    except (TypeError, ValueError):  # a SympifyError is a ValueError
        raise DefinitionError(f"{name} of {owner} is {value!r}", remedy="give a number, or None") from None
    for fact, (holds, words) in _WITHIN.items():
        if fact.name.lower() in facts and number.is_number and not holds(number):
            raise DefinitionError(f"{name} of {owner} is {value}", why=f"it has to be {words}")
    return number


def is_finite(value: Any) -> bool:
    """Whether a setting is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def above_zero(name: str, value: Any, *, where: str = "", remedy: str = "") -> float:
    """A finite number above 0.

    Raises:
        DefinitionError: anything else.

    >>> above_zero("gain", 2)
    2.0
    """
    return _checked(name, value, is_finite(value) and value > 0, "above 0", where, remedy or f"try {name}=0.1")


def from_zero(name: str, value: Any, *, where: str = "", remedy: str = "") -> float:
    """A finite number from 0.

    Raises:
        DefinitionError: anything else.

    >>> from_zero("value", 0)
    0.0
    """
    return _checked(name, value, is_finite(value) and value >= 0, "from 0", where, remedy or f"try {name}=0.1")


def _checked(name: str, value: Any, fits: bool, words: str, where: str, remedy: str) -> float:
    if not fits:
        why = f"it has to be a finite number {words}"
        raise DefinitionError(f"{name} = {value!r}", where=where, why=why, remedy=remedy)
    return float(value)
