"""The numbers that a loss has beside its data: given as options, or left as hyperparameters.

>>> made = Parameters("triplet", {"margin": "positive"}, margin=0.1, eps=None)
>>> made.known, list(made.open)
({'margin': 1/10}, ['eps'])
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import Hyper
from symdl.core.tensors import Tensor
from symdl.library.numbers import number as exact


def number(loss: str, name: str, value: Any, facts: list[str]) -> sympy.Expr:
    """An option of a loss that is a number, exactly as it is written: 0.1 is 1/10."""
    return exact(f"loss {loss}", name, value, facts)


class Parameters:
    """Numbers that are given, and those that are left as hyperparameters."""

    def __init__(self, loss: str, facts: dict[str, str], **given: float | None) -> None:
        self.open = {n: Hyper(facts=facts.get(n, "").split()) for n, v in given.items() if v is None}
        self.known = {n: number(loss, n, v, facts.get(n, "").split()) for n, v in given.items() if v is not None}

    def values(self, tensors: tuple[Tensor, ...]) -> dict[str, sympy.Expr]:
        """Every number by name, from the tensors of those that are open, which stand last."""
        rest = tensors[len(tensors) - len(self.open) :]
        return {**self.known, **{n: t.element() for n, t in zip(self.open, rest, strict=True)}}
