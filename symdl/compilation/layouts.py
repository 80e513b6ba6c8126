"""How a product is laid out: which indices are loops around it, what is copied into another order first or last.

BLAS multiplies matrices that stand in memory as rows of rows. An index that both operands share is a loop around the
product (heads, samples); where rows and columns are interleaved in a tensor, either one of them is a loop as well, or
the tensor is copied into another order. A copy takes MK steps beside MNK, so it is cheap, but it is not nothing: the
candidates are few, all are listed, and the cheapest by a simple count is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element

Indices = tuple[Index, ...]

#: Nanoseconds, on one core of an AMD Zen 4: what one more call of BLAS costs (64 products 64×16×64 beside one product
#: 1024×64×64), what one entry costs that is copied with its innermost axis kept (vectorised), copied with that axis
#: turned (it is not), or computed from several factors.
CALL, COPY, TURN, COMPUTE = 300.0, 0.15, 1.5, 1.0


@dataclass(frozen=True)
class Side:
    """One operand of a product: its factors, and the indices of the output that they use, in the output's order."""

    factors: tuple[sympy.Expr, ...]
    free: Indices

    @property
    def element(self) -> Element | None:
        """The one tensor that it is, subscripted by plain, different indices."""
        if len(self.factors) != 1 or not isinstance(self.factors[0], Element):
            return None
        subscripts = self.factors[0].subscripts
        plain = all(isinstance(s, Index) for s in subscripts) and len(set(subscripts)) == len(subscripts)
        return self.factors[0] if plain else None


@dataclass(frozen=True)
class Placed:
    """An operand in memory: the loops that subscript its first axes, then the two blocks, the flipped way or not.

    Where `order` is given it is first copied (or computed) into that order.
    """

    at: Indices
    transposed: bool
    order: Indices | None = None


@dataclass(frozen=True)
class Layout:
    """`out[loops, rows, columns] = Σ_inner left · right`, with both operands as they are placed.

    Args:
        swapped: the second side is the left operand.
        permuted: the product is not in the order of its equation's left side, and is copied into it afterwards.
    """

    loops: Indices
    rows: Indices
    columns: Indices
    inner: Indices
    left: Placed
    right: Placed
    swapped: bool
    permuted: bool
    cost: float


def layouts(
    out: Indices, sides: Sequence[Side], shared: frozenset[Index], bound: Indices, size: Callable[[Index], int]
) -> Iterator[Layout]:
    """Every layout of Σ_bound sides[0] · sides[1] with the indices `out` on its left, `shared` ones among the loops."""
    for swapped in (False, True):
        left, right = (sides[1], sides[0]) if swapped else (sides[0], sides[1])
        for loops, rows, columns, permuted in _outputs(out, left, right, shared):
            copied = _copying((*loops, *rows, *columns), out, size) if permuted else 0.0
            for inner in _inner_orders(left, right, bound):
                first, left_cost = _place(left, loops, rows, inner, False, size)
                second, right_cost = _place(right, loops, columns, inner, True, size)
                cost = CALL * product(loops, size) + copied + left_cost + right_cost
                yield Layout(loops, rows, columns, inner, first, second, swapped, permuted, cost)


def product(indices: Sequence[Index], size: Callable[[Index], int]) -> int:
    total = 1
    for index in indices:
        total *= size(index)
    return total


def _outputs(
    out: Indices, left: Side, right: Side, shared: frozenset[Index]
) -> Iterator[tuple[Indices, Indices, Indices, bool]]:
    """Loops, rows and columns: leading indices of `out` as loops where the rest is rows, then columns; or any order."""
    for cut in range(len(out)):
        loops, rest = out[:cut], out[cut:]
        rows = tuple(i for i in rest if i in left.free)
        columns = tuple(i for i in rest if i in right.free)
        if shared <= set(loops) and rows and rows + columns == rest:
            yield loops, rows, columns, False
    loops = tuple(i for i in out if i in shared)
    rows, columns = (_own_order(s, loops) for s in (left, right))
    if rows:
        yield loops, rows, columns, True


def _own_order(side: Side, loops: Indices) -> Indices:
    """The free indices of a side that are no loops, in the order in which its tensor has them."""
    order = side.element.subscripts if side.element is not None else side.free
    return tuple(i for i in order if i in side.free and i not in loops)


def _inner_orders(left: Side, right: Side, bound: Indices) -> list[Indices]:
    elements = [s.element for s in (left, right) if s.element is not None]
    orders = [tuple(i for i in e.subscripts if i in bound) for e in elements]
    return list(dict.fromkeys(orders)) or [bound]


def _place(
    side: Side, loops: Indices, own: Indices, inner: Indices, is_right: bool, size: Callable[[Index], int]
) -> tuple[Placed, float]:
    """A side as one operand, and what it costs to bring it there."""
    at = tuple(i for i in loops if i in side.free)
    normal, flipped = (inner + own, own + inner) if is_right else (own + inner, inner + own)
    element = side.element
    if element is None:
        return Placed(at, False, at + normal), COMPUTE * product(at + normal, size)
    first, rest = element.subscripts[: len(at)], element.subscripts[len(at) :]
    if set(first) == set(at) and rest in (normal, flipped):
        return Placed(first, rest != normal), 0.0
    turned = bool(flipped) and flipped[-1] == element.subscripts[-1]
    order = at + (flipped if turned else normal)
    return Placed(at, turned, order), _copying(element.subscripts, order, size)


def _copying(order: Sequence[Index], wanted: Sequence[Index], size: Callable[[Index], int]) -> float:
    return (COPY if order[-1] == wanted[-1] else TURN) * product(wanted, size)
