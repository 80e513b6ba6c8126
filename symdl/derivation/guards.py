"""δs and guards as expressions, in one normal form each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.tensors import Element
from symdl.derivation.affine import ONE, Row, expr_of, inside, minus, row_of
from symdl.derivation.slacks import facing, narrowed

#: Each bound index with its extent, or None where it runs over all integers.
Bounds = dict[sympy.Dummy, sympy.Expr | None]


def plain(factors: Iterable[sympy.Expr], bounds: Bounds) -> bool:
    """True where every bound index stands by itself on axes of its own extent: there is nothing to solve."""
    bound = set(bounds)
    if any(extent == 1 for extent in bounds.values()):
        return False
    for factor in factors:
        if any(g.free_symbols & bound for g in factor.atoms(Delta, InRange)):
            return False
        for element in factor.atoms(Element):
            for axis, subscript in zip(element.tensor.indices, element.subscripts, strict=True):
                if subscript in bound:
                    if bounds[subscript] != axis.extent:
                        return False
                elif not subscript.is_Atom and subscript.free_symbols & bound:
                    return False
    return True


def delta_of(row: Row) -> sympy.Expr:
    """The δ of a row, what is negative in it on the other side."""
    negative = {k: -c for k, c in row.items() if c.could_extract_minus_sign()}
    return Delta(expr_of({k: c for k, c in row.items() if k not in negative}), expr_of(negative))


def guard_of(value: sympy.Expr, extent: sympy.Expr, others: Sequence[Bounds] = ()) -> sympy.Expr:
    """[0 ≤ value < extent] as a number where that is certain, and else in its one form.

    `others`: extents that indices have besides their own, by what stands beside the guard.
    """
    row = row_of(value)
    if row is None:
        return InRange(value, extent)
    for bounds in ({}, *others):
        known = inside(row, extent, bounds)
        if known is not None:
            return sympy.Integer(known)
        start, extent = narrowed(row, extent, bounds) or (sympy.S.Zero, extent)
        row = minus(row, {ONE: start})
    return delta_of(row) if extent == 1 else InRange(expr_of(facing(row, extent)), extent)
