"""Where the letters of a document begin to count: an index counts from 0, and stands in subscripts beside a number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.verification.verdict import Verdict

__all__ = ["counted", "start_of"]


def start_of(expressions: Iterable[sympy.Basic], index: Index) -> int | None:
    """What stands beside an index in subscripts; None where several things do, 0 where it is in none.

    >>> from symdl.core.tensors import Tensor
    >>> i = Index("i"); x = Tensor("x", (i,))
    >>> start_of([x[i + 1] ** 2], i), start_of([x[i + 1] - x[i]], i)
    (1, None)
    """
    elements = {e for expr in expressions for e in expr.atoms(Element)}
    places = {s - index for e in elements for s in e.subscripts if s.has(index)}
    if not places:
        return 0
    first = places.pop()
    return int(first) if not places and first.is_Integer else None


def counted(verdict: Verdict, free: Iterable[Index], starts: Iterable[int]) -> Verdict:
    """A verdict whose witness tells free indices as the document counts them: i = 1 is the one that y₁ belongs to."""
    if verdict.witness is None:
        return verdict
    point = dict(verdict.witness.point)
    for index, start in zip(free, starts, strict=False):
        if index.name in point:
            point[index.name] = str(int(point[index.name]) + start)
    return replace(verdict, witness=replace(verdict.witness, point=point))
