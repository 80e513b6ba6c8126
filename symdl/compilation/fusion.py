"""Scheduling and fusion: units of work → loop nests, so that a value is used while it is still in a register or cache.

A statement joins the last nest down to the deepest loop at which every element that it reads is complete there and is
read at that loop's own index. Among the units that could run next, the one that joins deepest runs next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import sympy

from symdl.compilation.beside import total
from symdl.compilation.extents import Axes
from symdl.compilation.lowering import dependencies, fills
from symdl.compilation.parallel import may_join
from symdl.compilation.places import never_meet
from symdl.compilation.statements import LONG, Multiplied, Recurrence, Statement, Unit, Windowed
from symdl.core.functions import InRange, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, elements_in


@dataclass(frozen=True)
class Loop:
    """All values of `index`, and for each of them the children in order.

    Args:
        index: what it runs over.
        children: its body.
        direction: +1 or −1 where the order of the values matters, because the body reads what was written for values
            before (after) this one; 0 where it does not.
    """

    index: Index
    children: tuple[Node, ...]
    direction: int = 0


Node = Loop | Statement | Windowed
Item = Loop | Statement | Multiplied


def statements_in(node: Item) -> Iterator[Statement | Windowed]:
    """The statements of a nest, and products within a loop in time, in the order in which they run first."""
    stack: list[Item] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, Statement | Windowed):
            yield top
        elif isinstance(top, Loop):
            stack.extend(reversed(top.children))


def schedule(
    units: list[Unit], axes: Axes, parallel: bool = False, flat: bool = False, lanes: bool = False
) -> tuple[Item, ...]:
    """The units as items of a program: nests and matrix products.

    `parallel`: of units whose outer loops are shared between threads (see `compilation.parallel`); only those join
    that the same threads can do. `flat`: functions of whole arrays stand in nests of their own (see `targets.flat`).
    `lanes`: the same, of units whose loops are in the order that vectors in place of numbers want (see `looporders`).
    """
    units = units if parallel or lanes else in_step(units)
    units = [_by_axes(u, axes) for u in units] if flat else units
    alone = _is_function if lanes else partial(is_flat, axes=axes) if flat else None
    needs, early = dependencies(units), {user: fill for fill, user in fills(units).items()}
    waiting = {p: u for p, u in enumerate(units) if p not in early.values()}
    done = set(early.values())
    items: list[Item] = []
    while waiting:
        ready = [p for p in waiting if needs[p] <= done]
        depths = {p: _depth(items, waiting[p], axes, parallel, alone) for p in ready}
        chosen = max(ready, key=lambda p: (depths[p], -p))
        unit = waiting.pop(chosen)
        done.add(chosen)
        if isinstance(unit, Multiplied):
            items.append(unit)
        elif isinstance(unit, Recurrence):
            items.append(_in_time(unit, axes, parallel))
        elif depths[chosen] and isinstance(items[-1], Loop):
            items[-1] = _join(items[-1], unit, axes, depths[chosen], early=lanes)
        else:
            items.append(nest_of(unit, 0))
        fill = units[early[chosen]] if chosen in early else None
        if isinstance(fill, Statement):
            items.insert(-1, nest_of(fill, 0))
    return tuple(items)


#: Where LLVM unrolls a loop before it looks for vectors.
SHORT = 32
#: Larger arrays do not stay in the cache next to the processor.
FEW = 4096


def is_flat(statement: Statement, axes: Axes) -> bool:
    """Whether a statement is to run over whole arrays as rows of numbers: a function of entries."""
    lengths = [axes.expected_size(i) for i in statement.out.tensor.indices]
    return statement.pointwise and math.prod(lengths) <= FEW


def _by_axes(unit: Unit, axes: Axes) -> Unit:
    """A function of whole arrays with its loops in the order of the axes."""
    if not isinstance(unit, Statement) or not is_flat(unit, axes):
        return unit
    return replace(unit, loops=tuple(i for i in unit.out.subscripts if isinstance(i, Index)))


def _in_time(unit: Recurrence, axes: Axes, parallel: bool) -> Loop:
    """The loop over time; within one time, what runs is scheduled as any program."""

    def timed(node: Item) -> Node:
        if isinstance(node, Loop):
            return Loop(node.index, tuple(timed(c) for c in node.children))
        if isinstance(node, Windowed):
            return node
        assert isinstance(node, Statement), "a recurrence holds statements"
        return replace(node, loops=(unit.time, *node.loops))

    children = tuple(timed(c) for c in schedule(list(unit.units), axes, parallel))
    return Loop(unit.time, _by_rows(children, axes), unit.direction)


def _by_rows(children: tuple[Node, ...], axes: Axes) -> tuple[Node, ...]:
    """What runs at one time, with one index for rows of products and for loops around them, where they are alike."""
    rows = [c.row for c in children if isinstance(c, Windowed)]
    if not rows:
        return children
    own = rows[0]
    found: list[Node] = []
    for child in children:
        outer = child.row if isinstance(child, Windowed) else child.index if isinstance(child, Loop) else own
        alike = axes.key(outer) == axes.key(own)
        found.append(renamed(child, {outer: own}) if alike else child)
    return tuple(found)


def renamed(node: Node, mapping: dict[Index, Index]) -> Node:
    if isinstance(node, Loop):
        children = tuple(renamed(c, mapping) for c in node.children)
        return replace(node, index=mapping.get(node.index, node.index), children=children)
    return node.renamed(mapping)


def in_step(units: list[Unit]) -> list[Unit]:
    """Stores in the loop order of the sums that they start or use, so that both can share all their loops."""
    sums: dict[str, Statement] = {}
    found: list[Unit] = []
    for unit in reversed(units):  # what a store starts comes behind it
        if isinstance(unit, Statement) and not unit.op and unit.out.name in sums:
            unit = _like(unit, unit.out, sums[unit.out.name])
        elif isinstance(unit, Statement) and unit.op:
            sums[unit.out.name] = unit
        found.insert(0, unit)
    for position, unit in enumerate(found):
        if isinstance(unit, Statement) and not unit.op:
            for element in (e for e in unit.reads if e.name in sums):
                found[position] = unit = _like(unit, element, sums[element.name])
    return found


def _like(unit: Statement, element: Element, accumulation: Statement) -> Statement:
    """The store with its loops in the order of those of an accumulation onto `element`.

    They have to be the outermost ones there, or else the innermost has to stay, for the sake of memory.
    """
    at = dict(zip(accumulation.out.subscripts, element.subscripts, strict=True))
    order = tuple(at[i] for i in accumulation.loops if i in at)
    outermost = all(i in at for i in accumulation.loops[: len(order)])
    if set(order) != set(unit.loops) or len(order) != len(unit.loops):
        return unit
    return replace(unit, loops=order) if outermost or order[-1:] == unit.loops[-1:] else unit


def _is_function(statement: Statement) -> bool:
    """Whether a statement computes functions of numbers that are there: long chains of operations, each of its own."""
    return not statement.op and _calls(statement)


def _calls(statement: Statement) -> bool:
    """Whether a statement calls functions that take many operations."""
    return any(not isinstance(f, (Switch, total)) for f in statement.body.atoms(sympy.Function, sympy.exp))


def _depth(items: list[Item], unit: Unit, axes: Axes, parallel: bool, alone: Callable[[Statement], bool] | None) -> int:
    """How many loops the unit can share with the last item; what is to be alone shares all of them or none."""
    if not items or not isinstance(unit, Statement) or not isinstance(items[-1], Loop) or items[-1].direction:
        return 0
    depth = _shared(items[-1], unit, axes)
    if depth and not parallel and alone is not _is_function and _runs_apart(items[-1], unit, depth, axes):
        depth -= 1
    first = next(statements_in(items[-1]))
    assert isinstance(first, Statement), "products are within loops in time only"
    if alone is not None and (alone(unit) or alone(first)):
        both = alone(unit) and alone(first)
        return depth if both and depth == len(unit.loops) == len(first.loops) else 0
    return depth if not parallel or may_join(unit, depth, first) else 0


def _runs_apart(loop: Loop, unit: Statement, depth: int, axes: Axes) -> bool:
    """Whether a statement is computed faster in an innermost loop of its own."""
    shared = [loop]
    while len(shared) < depth:
        last = shared[-1].children[-1]
        assert isinstance(last, Loop), "a loop that is shared is the last one"
        shared.append(last)
    if depth < len(unit.loops):
        return False
    return _runs_behind(shared[-1], unit, axes) or _runs_elsewhere(shared, unit, axes)


def _runs_behind(loop: Loop, unit: Statement, axes: Axes) -> bool:
    """Whether functions would be computed one by one, behind the loops of a sum, that could be computed as vectors."""
    # LLVM unrolls short sums, and makes vectors of the loop around them
    sums = any(isinstance(c, Loop) and axes.expected_size(c.index) >= SHORT for c in loop.children)
    return sums and _calls(unit) and axes.expected_size(loop.index) >= LONG


def _runs_elsewhere(shared: list[Loop], unit: Statement, axes: Axes) -> bool:
    """Whether an innermost loop would hold conditions on its own index that not all have: by itself, what has them is a
    loop from where to where they hold, without a condition."""
    loop = shared[-1]
    if axes.expected_size(loop.index) < SHORT:
        return False
    same = dict(zip(unit.loops, (outer.index for outer in shared), strict=True))
    wanted = _conditions(unit.renamed(same), loop.index)
    return any(_conditions(c, loop.index) != wanted for c in loop.children if isinstance(c, Statement))


def _conditions(statement: Statement, index: Index) -> set[sympy.Expr]:
    return {g for g in statement.guards if isinstance(g, InRange) and g.has(index) and not g.atoms(Element)}


def _shared(loop: Loop, unit: Statement, axes: Axes) -> int:
    """How many loops the unit can share with a nest."""
    depth, rest = 0, unit
    while True:
        joined = _enters(loop, rest, depth, axes)
        if joined is None:
            return depth
        depth, rest = depth + 1, joined
        last = loop.children[-1]
        if not isinstance(last, Loop):
            return depth
        loop = last


def _enters(loop: Loop, unit: Statement, depth: int, axes: Axes) -> Statement | None:
    """The statement with its loop at `depth` identified with `loop`; None where that would change what it reads."""
    if depth >= len(unit.loops) or axes.key(unit.loops[depth]) != axes.key(loop.index):
        return None
    joined = unit.renamed({unit.loops[depth]: loop.index})
    writes: dict[str, list[Statement | Windowed]] = {}
    for earlier in statements_in(loop):
        writes.setdefault(earlier.out.name, []).append(earlier)
    reads = (*joined.reads, joined.out)
    if all(_complete(w, e, loop.index) or _adds(w, joined, e) for e in reads for w in writes.get(e.name, [])):
        return joined
    return None


def _adds(write: Statement | Windowed, unit: Statement, read: Element) -> bool:
    """Whether two statements add to places of one tensor that never meet, such as those of windows side by side."""
    adds = bool(unit.op) and write.op == unit.op and read == unit.out and read not in elements_in(unit.body)
    return adds and never_meet(write.out.subscripts, read.subscripts)


def _complete(write: Statement | Windowed, read: Element, index: Index) -> bool:
    """Whether one value of `index` writes exactly what the same value of it reads."""
    return any(a == index and b == index for a, b in zip(write.out.subscripts, read.subscripts, strict=True))


def _join(loop: Loop, unit: Statement, axes: Axes, most: int, depth: int = 0, early: bool = False) -> Loop:
    """The nest with the statement, which shares at most so many of its loops; `early`: start values in loops of their
    own stand before the last loop as well."""
    joined = _enters(loop, unit, depth, axes)
    assert joined is not None, "the depth was found before"
    last = loop.children[-1]
    if isinstance(last, Loop) and depth + 1 < most and _enters(last, joined, depth + 1, axes) is not None:
        return replace(loop, children=(*loop.children[:-1], _join(last, joined, axes, most, depth + 1, early)))
    if isinstance(last, Loop) and (early or len(joined.loops) == depth + 1) and not joined.op and not joined.reads:
        # a start value before the last loop rather than behind it: what accumulates onto it may join that loop
        return replace(loop, children=(*loop.children[:-1], nest_of(joined, depth + 1), last))
    return replace(loop, children=(*loop.children, nest_of(joined, depth + 1)))


def nest_of(unit: Statement, depth: int = 0) -> Node:
    node: Node = unit
    for index in reversed(unit.loops[depth:]):
        node = Loop(index, (node,))
    return node


def writers(items: tuple[Item, ...]) -> dict[str, list[int]]:
    """For each tensor the positions of the items that write it."""
    found: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        for name in item_writes(item):
            found.setdefault(name, []).append(position)
    return found


def readers(items: tuple[Item, ...]) -> dict[str, list[int]]:
    """For each tensor the positions of the items that read it."""
    found: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        for name in item_reads(item):
            found.setdefault(name, []).append(position)
    return found


def item_writes(item: Item) -> set[str]:
    return {item.out.name} if isinstance(item, Multiplied) else {s.out.name for s in statements_in(item)}


def item_reads(item: Item) -> set[str]:
    if isinstance(item, Multiplied):
        return {item.left.tensor.name, item.right.tensor.name}
    return {e.name for s in statements_in(item) for e in s.reads}
