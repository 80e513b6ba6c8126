"""Matrices side by side, [X  Z], and one below another: what joins tensors along an axis is a matrix of blocks."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symdl.core.functions import InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element


def blocks_along(expr: sympy.Expr, axis: Index) -> list[tuple[Index, sympy.Expr]] | None:
    """The blocks that an axis goes through one after another, each with an index of its own; None where it doesn't.

    >>> from symdl.core.tensors import Tensor
    >>> n, i, j = Index("n"), Index("i"), Index("j")
    >>> k = Index("k", i.extent + j.extent)
    >>> x, z = Tensor("x", (n, i)), Tensor("z", (n, j))
    >>> joined = x[n, k] * InRange(k, i.extent) + z[n, k - i.extent] * InRange(k - i.extent, j.extent)
    >>> [(str(part.extent), str(block)) for part, block in blocks_along(joined, k)]
    [('I', 'x[n, k]'), ('J', 'z[n, k]')]
    """
    if not expr.is_Add:
        return None
    at: dict[sympy.Expr, tuple[Index, sympy.Expr]] = {}
    for term in expr.args:
        if (found := _block(term, axis)) is None:
            return None
        start, index, body = found
        at[start] = (index, body)
    ordered: list[tuple[Index, sympy.Expr]] = []
    place: sympy.Expr = sympy.S.Zero
    while place in at:
        ordered.append(at.pop(place))
        place = sympy.expand(place + ordered[-1][0].extent)
    return ordered if not at and sympy.expand(place - axis.extent) == 0 else None


def _block(term: sympy.Expr, axis: Index) -> tuple[sympy.Expr, Index, sympy.Expr] | None:
    """Where a block begins, its index, and what stands in it: from [0 ≤ k − I < J] z[n, k − I]."""
    guards = [f for f in sympy.Mul.make_args(term) if isinstance(f, InRange) and axis in f.free_symbols]
    if len(guards) != 1:
        return None
    subscript, extent = guards[0].args
    start = sympy.expand(axis - subscript)
    if axis in start.free_symbols:
        return None
    index = Index(axis.name, extent)
    body = sympy.Mul(*[f for f in sympy.Mul.make_args(term) if f is not guards[0]])
    body = body.xreplace({e: e.tensor[tuple(_moved(e, axis, subscript, index))] for e in body.atoms(Element)})
    return None if axis in body.free_symbols else (start, index, body)


def _moved(element: Element, axis: Index, subscript: sympy.Expr, index: Index) -> Iterator[sympy.Expr]:
    """The subscripts of an element with the index of its block for what the guard keeps in range."""
    for known in element.subscripts:
        yield index if axis in known.free_symbols and sympy.expand(known - subscript) == 0 else known
