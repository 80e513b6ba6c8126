"""Which sums are matrix products, and which of those are worth a call of BLAS.

Σ_K c · A[B, M, K] · B[B, K, N], in any order of factors and axes: transposes are folded into how the operands are read,
factors that share axes are grouped (and computed into a tensor of their own first), factors that no summation index
touches are left over. How the product stands in memory is chosen in `layouts`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy

from symdl.compilation.extents import Axes
from symdl.compilation.factors import taken_out
from symdl.compilation.layouts import Indices, Layout, Placed, Side, layouts, product
from symdl.compilation.statements import Contraction, Multiplied, Operand, Statement, free_in, statement
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, elements_in

#: Multiplications above which a product goes to BLAS, by how loops would run: "rows" where the innermost loop runs
#: along the result, "dot" where it adds up into a variable, "vector" for a matrix times a vector. Measured on one core
#: of an AMD Zen 4 with OpenBLAS, `np.dot(a, b, out)` beside the loops that are emitted, float64: "rows" at 8×8×8 67 to
#: 185 ns against 165 to 229; "dot" at 8×8×8 153 against 40, at 16×16×16 357 against 380, at 32×32×32 1638 against 2089;
#: "vector" at 64×64 328 against 263, at 512×512 23.8 µs against 18.7, and loops can share a nest with their neighbours.
BLAS_ABOVE = {"rows": 200, "dot": 3000, "vector": 500_000}

#: Nanoseconds that loops take for one multiplication, on the same machine; copies and calls have to stay below that.
LOOPS = {"rows": 0.15, "dot": 0.08, "vector": 0.07}
#: How many times as long loops take where their bounds depend on each other: 0.25 to 0.37 ns a multiplication in the
#: convolutions of LeNet-5 with borders, float32 on one core of an AMD Zen 5.
GUARDED = 2
#: Multiplications up to which a product of one row is left to loops: 1×32×64 takes 0.14 µs in tiles, float32, Zen 5.
THIN = 16_384


@dataclass(frozen=True)
class Context:
    """What lowering needs to know: which axes are alike, their lengths, names for new tensors, copies at hand, and
    whether to look for products, among them those of what windows slide over."""

    axes: Axes
    size: Callable[[Index], int]
    name: Callable[[str], str]
    copies: dict[tuple[Any, ...], Tensor] = field(default_factory=dict)
    products: bool = True
    windows: bool = False


@dataclass(frozen=True)
class Product:
    """A recognised product: what is computed before it, the call, and the factor that is left over.

    The value of the term is `scale` times the element of `call.result.tensor` at the indices of the equation.
    """

    before: tuple[Statement, ...]
    call: Multiplied
    scale: sympy.Expr


def recognise(eq: Equation, term: Term, taken: bool, context: Context) -> Product | None:
    """The term as a matrix product; None where loops are the better choice, or the only one.

    It goes straight into the tensor of the equation, or, where that is taken by another product or has another order
    of axes, into a tensor of its own.
    """
    if not context.products or term.op != "sum" or _has_conditions(term.body):
        return None
    scale, body = taken_out(term.body, frozenset(term.bound))
    found = _grouped(list(sympy.Mul.make_args(body)), frozenset(eq.indices), frozenset(term.bound))
    if found is None or not all(_is_protected(g) for g in found[1]):
        return None
    shared, groups = found
    sides = [Side(g, _ordered(eq.indices, g)) for g in groups]
    layout = _best(eq, term, sides, shared, context)
    if layout is None:
        return None
    before: list[Statement] = []
    source, order = repr(eq), layout.loops + layout.rows + layout.columns
    left, right = reversed(sides) if layout.swapped else sides
    call = Contraction(
        Tensor(context.name(f"{eq.name}_part"), order) if taken or layout.permuted else eq.out,
        _operand(left, layout.left, len(layout.rows), before, context, source),
        _operand(right, layout.right, len(layout.inner), before, context, source),
        layout.rows,
        layout.columns,
        layout.inner,
        source,
        layout.loops,
    )
    return Product(tuple(before), call, scale)


def _has_conditions(body: sympy.Expr) -> bool:
    """Whether something else is conditional than whole factors: [0 ≤ p − r < U] x[p − r] is a matrix with zeros."""
    plain = [f for f in sympy.Mul.make_args(body) if not (isinstance(f, InRange) and not f.atoms(Element))]
    return any(f.has(InRange, Delta) for f in plain)


def _is_protected(group: tuple[sympy.Expr, ...]) -> bool:
    """Whether places that are computed are kept within their axes by guards of the same group, if it has any."""
    guards = {f.args[0] for f in group if isinstance(f, InRange)}
    computed = {s for e in elements_in(sympy.Mul(*group)) for s in e.subscripts if not isinstance(s, Index)}
    return not guards or computed == guards


Groups = tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...]]


def _grouped(
    factors: list[sympy.Expr], free: frozenset[Index], bound: frozenset[Index]
) -> tuple[frozenset[Index], Groups] | None:
    """The factors in two groups that share no free index, but for those that every factor has (loops around it)."""
    common = free.intersection(*[free_in(f) for f in factors])
    for shared in dict.fromkeys((frozenset[Index](), common)):
        groups = _groups(factors, free - shared, bound)
        if groups is not None:
            return shared, groups
    return None


def _groups(factors: list[sympy.Expr], free: frozenset[Index], bound: frozenset[Index]) -> Groups | None:
    """Factors grouped by the free indices that they share: two groups, or one and the factors without any."""
    groups: list[tuple[set[Index], list[sympy.Expr]]] = []
    floating: list[sympy.Expr] = []
    for factor in factors:
        own = set(free_in(factor)) & free
        if not own:
            floating.append(factor)
            continue
        joined = [g for g in groups if g[0] & own]
        groups = [g for g in groups if not g[0] & own]
        groups.append((own.union(*[g[0] for g in joined]), [f for g in joined for f in g[1]] + [factor]))
    if len(groups) == 2:
        first, second = groups[0][1] + floating, groups[1][1]
    elif len(groups) == 1 and floating:
        first, second = groups[0][1], floating
    else:
        return None
    if any(not bound <= set().union(*[free_in(f) for f in g]) for g in (first, second)):
        return None
    return tuple(first), tuple(second)


def _ordered(indices: Sequence[Index], factors: tuple[sympy.Expr, ...]) -> Indices:
    used = set().union(*[free_in(f) for f in factors])
    return tuple(i for i in indices if i in used)


def _best(eq: Equation, term: Term, sides: list[Side], shared: frozenset[Index], context: Context) -> Layout | None:
    """The cheapest layout that beats the loops."""
    size = context.size
    count = product((*eq.indices, *term.bound), size) * (GUARDED if term.body.has(InRange) else 1)
    found: list[Layout] = []
    for layout in layouts(eq.indices, sides, shared, term.bound, size):
        kind = _kind(sides[0] if layout.swapped else sides[1], layout)
        multiplied = product((*layout.rows, *layout.columns, *layout.inner), size)
        better = multiplied > BLAS_ABOVE[kind] and layout.cost < LOOPS[kind] * count
        if better and not (layout.columns and _is_thin(layout, multiplied, size)):
            found.append(layout)
    return min(found, key=lambda found: found.cost, default=None)


def _is_thin(layout: Layout, multiplied: int, size: Callable[[Index], int]) -> bool:
    """Whether nothing is added up, or one short row is made, which would be an eighth of a tile: loops join others."""
    return product(layout.inner, size) == 1 or (product(layout.rows, size) == 1 and multiplied <= THIN)


def _kind(right: Side, layout: Layout) -> str:
    """How loops would run: see `BLAS_ABOVE`."""
    if not layout.columns:
        return "vector"
    return "dot" if right.element is not None and right.element.subscripts[-1] in layout.inner else "rows"


def _operand(
    side: Side, placed: Placed, leading: int, before: list[Statement], context: Context, source: str
) -> Operand:
    """The side as a matrix; copied or computed into a tensor of its own where it does not stand in memory like that.

    `leading` axes are its first block, of the axes that are no loops, unless it is transposed.
    """
    element, axes = side.element, placed.order
    if axes is None:
        assert element is not None, "what is read as it stands is one tensor"
        tensor = element.tensor
        axes = element.subscripts
    else:
        tensor = _made(side, axes, before, context, source)
    if placed.transposed:
        leading = len(axes) - len(placed.at) - leading
    return Operand(tensor, leading, placed.transposed, placed.at)


def _made(side: Side, order: Indices, before: list[Statement], context: Context, source: str) -> Tensor:
    """The side as a tensor with its axes in that order; a copy that another product has made is used again."""
    element = side.element
    key = (element.name, tuple(element.subscripts.index(i) for i in order)) if element is not None else None
    if key is not None and key in context.copies:
        return context.copies[key]
    stem = "factor" if element is None else f"{element.name}_turned"
    made = Tensor(context.name(stem), order)
    before.append(statement(context.axes, made, sympy.Mul(*side.factors), "", (), source))
    if key is not None:
        context.copies[key] = made
    return made
