"""From where to where a guard lets an index run: [0 ≤ p − r < U] says max(0, r) ≤ p < min(P, U + r)."""

from __future__ import annotations

import sympy

from symdl.core.functions import InRange
from symdl.core.indices import Index, indices_in, provably_nonnegative, value_range
from symdl.core.tensors import Element


def bounds(guard: sympy.Expr, index: Index) -> tuple[sympy.Expr, sympy.Expr] | None:
    """First value of the index at which [0 ≤ a·index + b < E] holds, and the one after the last; None if not affine.

    The first is 0 and the last the extent of the index where the guard does not cut anything off there.

    >>> p, r = Index("p", 9), Index("r", 3)
    >>> bounds(InRange(p - r, sympy.Integer(7)), p)
    (r, r + 7)
    >>> bounds(InRange(2 * p + r - 1, sympy.Integer(9)), p)
    (-floor(r/2 - 1/2), floor(9/2 - r/2) + 1)
    """
    if not isinstance(guard, InRange) or guard.atoms(Element):
        return None
    e, extent = guard.args
    slope = sympy.expand(e).coeff(index, 1)
    rest = sympy.expand(e - slope * index)
    if rest.has(index) or indices_in(slope) or not (slope.is_positive or slope.is_negative):
        return None
    limits = value_range(e, indices_in(e))
    whole = limits is not None and provably_nonnegative(limits[0])
    cut = limits is None or not provably_nonnegative(extent - 1 - limits[1])
    # a·i + b ≥ 0 and a·i + b ≤ E − 1, each divided by a
    lowest = None if whole else (-rest, slope)
    highest = (extent - 1 - rest, slope) if cut else None
    if slope.is_negative:
        lowest, highest = (
            (rest - extent + 1, -slope) if cut else None,
            None if whole else (rest, -slope),
        )
    first = sympy.S.Zero if lowest is None else _ceiling(*lowest)
    after = index.extent if highest is None else _floor(*highest) + 1
    return first, after


def _floor(above: sympy.Expr, below: sympy.Expr) -> sympy.Expr:
    return sympy.floor(sympy.expand(above / below)) if below != 1 else sympy.expand(above)


def _ceiling(above: sympy.Expr, below: sympy.Expr) -> sympy.Expr:
    return sympy.expand(above) if below == 1 else -_floor(-above, below)
