"""Index maps as people write them: y[n, (cH + h)W + w] = x[n,c,h,w] in place of a sum over δ.

That says the same where the right-hand subscripts reach every entry of the axis exactly once. It is checked here by
the mixed-radix form of the subscript; where it does not hold, the sum is shown with its condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element

#: What a subscript runs through: start, start + step, … below start + size.
Range = tuple[sympy.Expr, sympy.Expr, sympy.Expr]


@dataclass(frozen=True)
class Piece:
    """One line `out[…, f(idx), …] = body` of an index map; start, size and step of what it fills, by axis."""

    lhs: Element
    body: sympy.Expr
    filled: Mapping[Index, Range]


def index_map(eq: Equation) -> tuple[Piece, ...] | None:
    """The lines of an index map, or None where the equation is none.

    >>> from symdl.core.equations import equation
    >>> from symdl.core.tensors import Tensor, reduction
    >>> c, h = Index("c"), Index("h")
    >>> k = Index("k", c.extent * h.extent)
    >>> x, y = Tensor("x", (c, h)), Tensor("y", (k,))
    >>> flat = equation(y, reduction("sum", x[c, h] * Delta(k, c * h.extent + h), [c, h]))
    >>> [(p.lhs, p.body) for p in index_map(flat)]
    [(y[c*H + h], x[c, h])]
    """
    pieces = [_piece(eq, term) for term in eq.terms]
    if any(p is None for p in pieces):
        return None
    found = tuple(p for p in pieces if p is not None)
    axes = {frozenset(p.filled) for p in found}
    if len(axes) != 1 or not all(_tiled(axis, found) for axis in next(iter(axes))):
        return None
    return found if len(found) == 1 or sum(_parted(axis, found) for axis in found[0].filled) == 1 else None


def _piece(eq: Equation, term: Term) -> Piece | None:
    if term.op != "sum":
        return None
    bound, rest = set(term.bound), []
    where: dict[Index, sympy.Expr] = {}
    for factor in sympy.Mul.make_args(term.body):
        axis = _axis_of(factor, set(eq.indices) - set(where), bound)
        if axis is None:
            rest.append(factor)
        else:
            where[axis[0]] = axis[1]
    body = sympy.Mul(*rest)
    filled = {axis: _filled(f) for axis, f in where.items()}
    placed = [i for f in where.values() for i in indices_in(f)]
    if not where or body.free_symbols & set(where) or any(v is None for v in filled.values()):
        return None
    if len(set(placed)) != len(placed) or set(placed) != bound:  # each index is placed once
        return None
    lhs = eq.out[tuple(where.get(i, i) for i in eq.indices)]
    return Piece(lhs, body, {axis: v for axis, v in filled.items() if v is not None})


def _axis_of(factor: sympy.Expr, free: set[Index], bound: set[Index]) -> tuple[Index, sympy.Expr] | None:
    """δ(axis of the left side, f(bound indices)) taken apart."""
    if not isinstance(factor, Delta) or factor.has(Element):
        return None
    for axis, f in (factor.args, factor.args[::-1]):
        if axis in free and indices_in(f) and set(indices_in(f)) <= bound:
            return axis, f
    return None


def _filled(f: sympy.Expr) -> Range | None:
    """The range that f runs through without gap (but for its step) or repetition, else None."""
    rest = sympy.expand(f)
    left = indices_in(rest)
    steps = [c for i in left if (c := rest.coeff(i, 1)).is_Integer and c > 0]
    step = size = min(steps, default=sympy.S.One)
    while left:
        index = next((i for i in left if sympy.expand(rest.coeff(i, 1) - size) == 0), None)
        if index is None:
            return None
        left.remove(index)
        rest = sympy.expand(rest - size * index)
        size = sympy.expand(size * index.extent)
    return None if indices_in(rest) else (rest, size, step)


def _tiled(axis: Index, pieces: Iterable[Piece]) -> bool:
    """True where the pieces fill the axis: each all of it, one after the other, or one between the other."""
    parts = [p.filled[axis] for p in pieces]
    steps = {step for _, _, step in parts}
    if steps != {sympy.S.One}:  # 2m and 2m + 1
        (step, *others) = steps
        starts = sorted((start for start, _, _ in parts), key=str)
        whole = all(sympy.expand(size - axis.extent) == 0 for _, size, _ in parts)
        return not others and whole and starts == list(range(int(step)))
    if all(start == 0 and sympy.expand(size - axis.extent) == 0 for start, size, _ in parts):
        return True
    end = sympy.S.Zero
    while parts:
        part = next((p for p in parts if sympy.expand(p[0] - end) == 0), None)
        if part is None:
            return False
        parts.remove(part)
        end = sympy.expand(end + part[1])
    return bool(sympy.expand(end - axis.extent) == 0)


def _parted(axis: Index, pieces: Iterable[Piece]) -> bool:
    """True where the pieces share the axis among them."""
    return any(p.filled[axis][2] != 1 or sympy.expand(p.filled[axis][1] - axis.extent) != 0 for p in pieces)
