"""Nests of large arrays as parts that the threads of a team take (see `targets.teams`).

A nest is cut by the values of a loop at each of which every statement writes other entries, or adds to a number. Such
a number has a place for each part, and those are added up in their order; there are as many parts then, however many
threads. So the bits do not depend on the threads.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from symdl.compilation.extents import Axes
from symdl.compilation.fusion import Item, Loop, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement, Windowed
from symdl.compilation.targets.emit import Emitter
from symdl.compilation.targets.kernels import Kernels, array_type, names_in, wrapped
from symdl.compilation.targets.products import VECTORS, tiles
from symdl.compilation.targets.sized import Stack
from symdl.compilation.targets.teams import NEST, SHARE, shares
from symdl.core.indices import Index, indices_in
from symdl.derivation.tidy import weight

#: Parts of a nest that adds up numbers.
PARTS = 4
#: Names in emitted functions that do a part, and in those that share it out.
NUMBER, COUNT, FIRST, LAST, SUMS = "number", "parts", "first", "last", "sums"
CODE, GIVEN, PART = "code", "given", "part"


@dataclass(frozen=True)
class Cut:
    """How a nest is cut.

    Args:
        index: whose values are divided.
        unit: how many of them stay together.
        numbers: what it adds up.
        work: operations by the loops around them.
    """

    index: Index
    unit: int
    numbers: tuple[Statement, ...]
    work: tuple[tuple[tuple[Index, ...], int], ...]


def cut_of(nest: Item, axes: Axes, dtype: str) -> Cut | None:
    """How to cut a nest for threads; None where that can't be done or is not worth while."""
    made = tiles(dtype)
    if made is None or not shares():
        return None
    if isinstance(nest, Windowed):
        return _of_window(nest, axes)
    if not isinstance(nest, Loop):
        return None
    statements = [*statements_in(nest)]
    numbers = tuple(s for s in statements if s.op == "sum" and not s.out.subscripts)
    rest = [s for s in statements if s not in numbers]
    work = Counter[tuple[Index, ...]]()
    for s in statements:
        work[s.loops] += 1 + weight(s.body)
    size = sum(ops * math.prod(axes.expected_size(i) for i in loops) for loops, ops in work.items())
    guarded = {i for s in statements for g in s.guards for i in indices_in(g)}
    free = [i for i in _around(nest) if i not in guarded and _is_own(i, rest)]
    if size < NEST or not free:
        return None
    wide = VECTORS * made.lanes
    # what has one entry a row, beside whole rows, is written too seldom for cache lines that are shared to matter
    ends = {s.out.subscripts[-1] for s in rest if len(s.out.subscripts) > 1} or {s.out.subscripts[-1] for s in rest}
    if free[-1] in ends and axes.expected_size(free[-1]) >= 2 * wide:  # as products with weights are cut
        return Cut(free[-1], wide, numbers, tuple(work.items()))
    outer = next((i for i in free if i not in ends and axes.expected_size(i) > 1), None)
    return Cut(outer, made.lanes, numbers, tuple(work.items())) if outer is not None else None


def _of_window(item: Windowed, axes: Axes) -> Cut | None:
    """By rows, as the nests around it are cut, where a tile has few of them in any case; or else by a loop."""
    work = 2 * math.prod(axes.expected_size(i) for i in item.indices)
    several = [i for i in item.loops if axes.expected_size(i) > 1]
    by_rows = axes.expected_size(item.row) > 1 and not (item.guards and several)
    index = item.row if by_rows else next(iter(several), None)
    return Cut(index, 1, (), ((item.indices, 2),)) if index is not None and work >= NEST else None


def _is_own(index: Index, statements: list[Statement]) -> bool:
    """Whether no value of an index reads or writes what another one writes; so a recurrence of each row is its own."""
    places = {s.out.name: [a for a, i in enumerate(s.out.subscripts) if i == index] for s in statements}
    touched = (e for s in statements for e in (*s.reads, s.out) if e.name in places)
    return all(places.values()) and all(e.subscripts[a] == index for e in touched for a in places[e.name])


def _around(loop: Loop) -> list[Index]:
    """The indices of the loops that hold the whole nest, outermost first; none of a loop in time."""
    found: list[Index] = []
    while True:
        found += [] if loop.direction else [loop.index]
        if len(loop.children) != 1 or not isinstance(loop.children[0], Loop):
            return found
        loop = loop.children[0]


class TeamEmitter(Emitter):
    """Emits a function that shares its large nests; `parts` collects the functions that do a part."""

    joins = True
    taken = frozenset({NUMBER, COUNT, FIRST, LAST, SUMS, CODE, GIVEN, PART, SHARE, "part_of", "work_of"})

    def __init__(self, plan: Plan, dtype: str, kernels: Kernels | None, parts: Kernels) -> None:
        super().__init__(plan, dtype, kernels)
        self.parts = parts
        self.cuts = {id(item): cut for item in plan.items if (cut := cut_of(item, plan.axes, dtype)) is not None}
        self.divided: Index | None = None

    def _nest(self, loop: Loop) -> list[str]:
        cut = self.cuts.get(id(loop))
        if cut is None:
            return super()._nest(loop)
        self.divided = cut.index
        self.cut.add(cut.index)  # it does not begin at 0
        lines = super()._nest(loop)
        self.cut.discard(cut.index)
        self.divided = None
        return lines

    def _values(self, loop: Loop, values: str) -> str:
        return f"range({FIRST}, {LAST})" if loop.index == self.divided else super()._values(loop, values)

    def _windowed(self, item: Windowed, part: tuple[Index, str, str] | None = None) -> list[str]:
        cut = self.cuts.get(id(item))
        return super()._windowed(item, (cut.index, FIRST, LAST) if cut is not None else part)

    def _apart(self, item: Item, notes: list[str], lines: list[str]) -> list[str]:
        cut = self.cuts.get(id(item))
        if cut is None:
            return super()._apart(item, notes, lines)
        sums = [self.locals[s.out] for s in cut.numbers]
        inside = [
            f"{FIRST}, {LAST} = part_of({self.extent_of(cut.index)}, {cut.unit}, {NUMBER}, {COUNT})",
            *(f"{name} = real(0.0)" for name in sums),
            *lines,
            *(f"{SUMS}[{NUMBER}, {k}] = {name}" for k, name in enumerate(sums)),
        ]
        views = self.space.views(dict.fromkeys(n for line in lines for n in names_in(line)))
        views = views if self.kernels is not None else {}
        given = {n: t for n, t in self._types().items() if n not in views and n not in sums}
        given |= {SUMS: array_type(self.dtype, 2)}
        last = item if isinstance(item, Windowed) else [*statements_in(item)][-1]
        wanted = f"{self.arrays[last.out.name]}_part"
        name, arguments, _ = self.parts.function(wanted, notes, [*views.values(), *inside], given, (NUMBER, COUNT))
        work = " + ".join("*".join([*map(self.extent_of, loops), str(ops)]) for loops, ops in cut.work)
        room = Stack(self.dtype).array(SUMS, (PARTS, len(sums))) if sums else None
        after = [f"{name} = {name} + {SUMS}[{PART}, {k}]" for k, name in enumerate(sums)]
        return [
            *([room] if room else []),
            *shared(name, arguments, PARTS if sums else 0, work),
            *([f"for {PART} in range({PARTS}):", *(f"    {line}" for line in after)] if sums else []),
        ]


def shared(function: str, arguments: list[str], parts: int, work: str) -> list[str]:
    """The lines that share a function out: in so many parts, 0 for as many as there are threads."""
    given = arguments if len(arguments) > 1 else [f"{a}," for a in arguments]
    return [
        *wrapped(f"{CODE}, {GIVEN} = work_of({function}, (", given, "))"),
        f"{SHARE}({CODE}, {GIVEN}, {parts}, {work})",
    ]
