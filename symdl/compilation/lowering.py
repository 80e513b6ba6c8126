"""Equations → statements and matrix products, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symdl.compilation.contractions import Context, Product, recognise
from symdl.compilation.extents import Axes
from symdl.compilation.statements import (
    IDENTITY,
    Contraction,
    Statement,
    Unit,
    pointwise_part,
    reads_of,
    reductions,
    statement,
)
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import UnsupportedError


def lower(definition: Definition, axes: Axes, size: Callable[[Index], int]) -> list[Unit]:
    """All equations of a definition as units of work.

    Raises:
        UnsupportedError: a recurrence, which no target compiles yet.
    """
    names = set(definition.tensors)

    def name(stem: str) -> str:
        names.add(found := unused(stem, names))
        return found

    context = Context(axes, size, name)
    units: list[Unit] = []
    for eq in definition.equations:
        if eq.out in eq.uses:
            raise UnsupportedError(f"equation {eq.lhs} is a recurrence", why="loops over time are not compiled yet")
        units += _lower_equation(eq, context)
    return units


def _lower_equation(eq: Equation, context: Context) -> list[Unit]:
    """out = P + products, then out += the other sums. A maximum or product beside other terms gets its own tensor."""
    source, units, plain = repr(eq), list[Unit](), pointwise_part(eq)
    loops: list[Term] = []
    products: list[tuple[Term, Product]] = []
    several = len(eq.terms) > 1
    for term in reductions(eq):
        product = recognise(eq, term, any(p.call.out == eq.out for _, p in products), context)
        if product is not None:
            products.append((term, product))
        elif term.op != "sum" and several:
            part = Tensor(context.name(f"{eq.name}_{term.op}"), eq.indices)
            units += _accumulate(context.axes, part, term, IDENTITY[term.op], source)
            plain += part.element()
        else:
            loops.append(term)
    for _, product in products:
        units += [*product.before, product.call]
    value = plain + sympy.Add(*[p.scale * p.call.out.element() for _, p in products])
    start = IDENTITY[loops[0].op] if loops and not products and plain == 0 else value
    if not (len(products) == 1 and value == eq.out.element()):
        units.append(statement(context.axes, eq.out, start, "", (), source))
    for term in loops:
        units.append(statement(context.axes, eq.out, term.body, term.op, term.bound, source))
    return units


def _accumulate(axes: Axes, out: Tensor, term: Term, start: sympy.Expr, source: str) -> list[Unit]:
    return [
        statement(axes, out, start, "", (), source),
        statement(axes, out, term.body, term.op, term.bound, source),
    ]


def dependencies(units: list[Unit]) -> list[set[int]]:
    """For each unit the earlier ones that it has to follow: those that write what it reads or writes.

    The start value of a sum waits for what the sum reads, so that both come into one nest.
    """
    from_name: dict[str, list[int]] = {}
    found: list[set[int]] = []
    for position, unit in enumerate(units):
        earlier = from_name.setdefault(unit.out.name, [])
        needs = {q for r in reads_of(unit) for q in from_name.get(r, [])} | set(earlier)
        for start in earlier:
            if starts(units[start], unit):
                found[start] |= {q for q in needs if q < start}
        found.append(needs)
        earlier.append(position)
    return found


def starts(unit: Unit, follower: Unit) -> bool:
    """Whether `unit` stores the start value of what `follower` accumulates, under the same outermost loop."""
    if isinstance(unit, Contraction) or isinstance(follower, Contraction) or unit.op or not follower.op:
        return False
    if not unit.loops or not follower.loops or unit.out.name != follower.out.name:
        return False
    first = zip(unit.out.subscripts, follower.out.subscripts, strict=True)
    return any(a == unit.loops[0] and b == follower.loops[0] for a, b in first)


def fills(units: list[Unit]) -> dict[int, int]:
    """Constant start values that share no loop with their sum: by position, the first unit that accumulates there.

    They can stand anywhere before it, and go right before its nest.
    """
    found: dict[int, int] = {}
    for position, unit in enumerate(units):
        if isinstance(unit, Statement) and not unit.op and not unit.reads:
            later = [q for q in range(position + 1, len(units)) if units[q].out.name == unit.out.name]
            if later and not starts(unit, units[later[0]]):
                found[position] = later[0]
    return found
