"""Equations → statements and matrix products, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import sympy

from symdl.compilation.contractions import Context, Product, recognise
from symdl.compilation.copies import without_copies
from symdl.compilation.extents import Axes
from symdl.compilation.factors import taken_out
from symdl.compilation.layouts import product as count
from symdl.compilation.orders import samples_last, time_first
from symdl.compilation.places import Part, parts, written_out
from symdl.compilation.statements import (
    IDENTITY,
    Fixed,
    Recurrence,
    Statement,
    Unit,
    Windowed,
    placed,
    reads_of,
    statement,
    writes_of,
)
from symdl.compilation.windows import in_time, windowed
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Tensor, elements_in

#: Summands from which on a factor is worth taking out of a sum: what is left needs a variable of its own.
ENOUGH = 8


def lower(
    definition: Definition, axes: Axes, size: Callable[[Index], int], products: bool = True, windows: bool = False
) -> list[Unit]:
    """All equations of a definition as units of work; sums stay loops where no `products` are wanted.

    `windows`: tensors that windows slide over have their samples last in memory (see `compilation.orders`).
    """
    names = set(definition.tensors)

    def name(stem: str) -> str:
        names.add(found := unused(stem, names))
        return found

    context = Context(axes, size, name, products=products, windows=windows and products)
    units: list[Unit] = []
    equations = without_copies(definition.equations, definition.outputs)
    if windows and products:
        equations = samples_last(equations, definition.outputs, axes, size)
        equations = time_first(equations, definition.outputs, axes)
    for group in _with_followers(groups(tuple(equations))):
        units += _lower_group(group, context) if group.direction else _lower_equation(group.equations[0], context)
    return units


def _with_followers(found: Iterable[Group]) -> list[Group]:
    """Recurrences with the equations behind them that need nothing but the same moment of theirs: they are computed at
    that moment, behind the last one that they need, while what they read is at hand."""
    made: list[Group] = []
    for group in found:
        last = made[-1] if made and not group.direction else None
        behind = _behind(last, group.equations[0]) if last is not None and last.direction else None
        if last is None or behind is None:
            made.append(group)
            continue
        (eq,) = group.equations
        axis = [i.sequential for i in eq.indices].index(True)
        equations = (*last.equations[: behind + 1], eq, *last.equations[behind + 1 :])
        made[-1] = replace(last, equations=equations, time={**last.time, eq.name: axis})
    return made


def _behind(group: Group, eq: Equation) -> int | None:
    """Which equation of a recurrence another one may stand behind; None where it needs other moments, or nothing."""
    if not eq.pointwise or [i.sequential for i in eq.indices].count(True) != 1:
        return None
    (time,) = (i for i in eq.indices if i.sequential)
    places = {e.name: k for k, e in enumerate(group.equations)}
    read = [e for t in eq.terms for e in elements_in(t.body) if e.name in places]
    if not read or any(e.subscripts[group.time[e.name]] != time for e in read):
        return None
    return max(places[e.name] for e in read) if time.extent == group.extent else None


def _lower_group(group: Group, context: Context) -> list[Unit]:
    """What can be computed for all times at once, then the loop over time."""
    time = context.axes.fresh(group.index(group.equations[0]))
    before: list[Unit] = []
    inside: list[Statement | Windowed] = []
    for eq in group.equations:
        made = _lower_equation(eq, context, _Moment({group.index(eq): time}, frozenset(group.names)))
        for unit in made:
            if isinstance(unit, Statement | Windowed) and time in unit.out.subscripts:
                inside.append(unit)
            else:
                before.append(unit)
    return [*before, Recurrence(time, tuple(inside), group.direction)]


@dataclass(frozen=True)
class _Moment:
    """One time of a recurrence: what stands for the time index, and the tensors that are not known for all of it."""

    at: Fixed
    names: frozenset[str]

    def early(self, term: Term) -> bool:
        """Whether a term needs nothing of the recurrence."""
        return all(e.name not in self.names for e in elements_in(term.body))


def _lower_equation(eq: Equation, context: Context, moment: _Moment | None = None) -> list[Unit]:
    """out = P + products, then out += the other sums. A maximum or product beside other terms gets its own tensor."""
    source, units, plain = repr(eq), list[Unit](), sympy.S.Zero
    loops: list[Part] = []
    products: list[tuple[Term, Product]] = []
    several, at = len(eq.terms) > 1, moment.at if moment else None
    for term in eq.terms:
        taken = moment is not None or any(p.call.result.tensor == eq.out for _, p in products)
        possible = term.bound and (moment is None or moment.early(term))
        if moment is None:
            product = windowed(eq, term, taken, context)
        else:
            product = None if moment.early(term) else in_time(eq, term, moment.at, moment.names, context)
        product = product or (recognise(eq, term, taken, context) if possible else None)
        if product is not None:
            products.append((term, product))
            continue
        found = parts(eq, term)
        if context.windows:
            found = [piece for part in found for piece in written_out(part)]
        for part in found:
            if at and any(i not in part.place for i in at):
                # a place in time is computed: not a value of this moment, but of all times at once
                own = Tensor(context.name(f"{eq.name}_part"), eq.indices)
                units += _accumulate(context.axes, own, part, source)
                plain += own.element()
            elif not part.op:
                plain += part.body
            elif part.op != "sum" and several:
                own = Tensor(context.name(f"{eq.name}_{part.op}"), eq.indices)
                units += _accumulate(context.axes, own, part, source, at)
                plain += own.element()
            elif (scaled := _scaled(eq, part, context)) is not None:
                alone = not several and len(found) == 1
                own = eq.out if alone else Tensor(context.name(f"{eq.name}_sum"), eq.indices)
                units += _accumulate(context.axes, own, scaled[1], source, at)
                plain += scaled[0] * own.element()
            else:
                loops.append(part)
    for _, product in products:
        units += [*product.before, product.call]
    value = plain + sympy.Add(*[p.scale * p.call.result.tensor.element() for _, p in products])
    start = IDENTITY[loops[0].op] if loops and not products and plain == 0 else value
    if not (len(products) == 1 and value == eq.out.element()):
        units.append(statement(context.axes, eq.out, start, "", (), source, at))
    return units + [placed(context.axes, eq.out, part, source, at) for part in loops]


def _scaled(eq: Equation, part: Part, context: Context) -> tuple[sympy.Expr, Part] | None:
    """A sum as (what it does not touch, the rest), where multiplying once instead of for each summand pays."""
    plain = part.op == "sum" and part.place == eq.indices and not part.guards
    if not plain or count(part.bound, context.size) < ENOUGH:
        return None
    scale, body = taken_out(part.body, frozenset(part.bound))
    return None if scale in (1, -1) else (scale, replace(part, body=body))


def _accumulate(axes: Axes, out: Tensor, part: Part, source: str, at: Fixed | None = None) -> list[Unit]:
    return [statement(axes, out, IDENTITY[part.op], "", (), source, at), placed(axes, out, part, source, at)]


def dependencies(units: list[Unit]) -> list[set[int]]:
    """For each unit the earlier ones that it has to follow: those that write what it reads or writes.

    The start value of a sum waits for what the sum reads, so that both come into one nest.
    """
    from_name: dict[str, list[int]] = {}
    found: list[set[int]] = []
    for position, unit in enumerate(units):
        earlier = [q for name in writes_of(unit) for q in from_name.get(name, [])]
        needs = {q for r in reads_of(unit) for q in from_name.get(r, [])} | set(earlier)
        for start in earlier:
            if starts(units[start], unit):
                found[start] |= {q for q in needs if q < start}
        found.append(needs)
        for name in writes_of(unit):
            from_name.setdefault(name, []).append(position)
    return found


def starts(unit: Unit, follower: Unit) -> bool:
    """Whether `unit` stores the start value of what `follower` accumulates, under the same outermost loop."""
    if not (isinstance(unit, Statement) and isinstance(follower, Statement)) or unit.op or not follower.op:
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
            later = [q for q in range(position + 1, len(units)) if unit.out.name in writes_of(units[q])]
            if later and not starts(unit, units[later[0]]):
                found[position] = later[0]
    return found
