"""The numbers that a loss has beside its data: given as options, or left as hyperparameters.

>>> made = Parameters("triplet", {"margin": "positive"}, margin=0.1, eps=None)
>>> made.known, list(made.open)
({'margin': 1/10}, ['eps'])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symdl.core.define import Hyper
from symdl.core.tensors import Fact, Tensor
from symdl.errors import DefinitionError

_WITHIN: Mapping[Fact, tuple[Callable[[Any], bool], str]] = {
    Fact.POSITIVE: (lambda v: bool(v > 0), "above 0"),
    Fact.NONNEGATIVE: (lambda v: bool(v >= 0), "0 or more"),
    Fact.FRACTION: (lambda v: bool(0 < v < 1), "between 0 and 1"),
}


def number(loss: str, name: str, value: Any, facts: list[str]) -> sympy.Expr:
    """An option that is a number, exactly as it is written: 0.1 is 1/10."""
    try:
        number = sympy.Rational(str(value)) if isinstance(value, (int, float, str)) else sympy.sympify(value)
    except (TypeError, ValueError):
        raise DefinitionError(f"{name} of loss {loss} is {value!r}", remedy="give a number, or None") from None
    for fact, (holds, words) in _WITHIN.items():
        if fact.name.lower() in facts and number.is_number and not holds(number):
            raise DefinitionError(f"{name} of loss {loss} is {value}", why=f"it has to be {words}")
    return number


class Parameters:
    """Numbers that are given, and those that are left as hyperparameters."""

    def __init__(self, loss: str, facts: dict[str, str], **given: float | None) -> None:
        self.open = {n: Hyper(facts=facts.get(n, "").split()) for n, v in given.items() if v is None}
        self.known = {n: number(loss, n, v, facts.get(n, "").split()) for n, v in given.items() if v is not None}

    def values(self, tensors: tuple[Tensor, ...]) -> dict[str, sympy.Expr]:
        """Every number by name, from the tensors of those that are open, which stand last."""
        rest = tensors[len(tensors) - len(self.open) :]
        return {**self.known, **{n: t.element() for n, t in zip(self.open, rest, strict=True)}}
