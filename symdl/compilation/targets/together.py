"""Nests of large arrays as parts that the threads of a team take (see `targets.teams`), and loops around many products
that are too small to be shared each by itself.

A nest is cut by the values of a loop at each of which every statement writes other entries, or adds to a number. Such
a number has a place for each part, and those are added up in their order; there are as many parts then, however many
threads. So the bits do not depend on the threads. The same goes for a small array, such as the gradient of a bias,
where the nest can't be cut otherwise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from symdl.compilation.extents import Axes
from symdl.compilation.fusion import Item, Loop, statements_in
from symdl.compilation.places import never_meet
from symdl.compilation.plan import Buffer, Plan
from symdl.compilation.statements import Contraction, Multiplied, Statement, Windowed
from symdl.compilation.targets.emit import Emitter
from symdl.compilation.targets.kernels import STRAND, Kernels, array_type, names_in, wrapped
from symdl.compilation.targets.products import VECTORS, tiles
from symdl.compilation.targets.sized import Stack
from symdl.compilation.targets.teams import LARGE, NEST, SHARE, shares
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Tensor
from symdl.derivation.tidy import weight

#: Parts of a nest that adds up numbers.
PARTS = 4
#: Operations for each entry of an array of a part, from which it is small.
SMALL = 8
#: Names in emitted functions that do a part, and in those that share it out.
NUMBER, COUNT, FIRST, LAST, SUMS = "number", "parts", "first", "last", "sums"
CODE, GIVEN, PART, ENTRIES = "code", "given", "part", tuple(f"entry{k or ''}" for k in range(8))
#: What the names of arrays end with that are there for each part, and to how many numbers their rows are filled up, so
#: that no two parts write to one line of a cache.
BY_PART, LINE = "_by_part", 32


#: What a nest holds.
Stored = Sequence[Statement | Windowed]


@dataclass(frozen=True)
class Cut:
    """How a nest is cut.

    Args:
        index: whose values are divided.
        unit: how many of them stay together.
        numbers: what it adds up.
        work: operations by the loops around them.
        arrays: small arrays that it adds to.
    """

    index: Index
    unit: int
    numbers: tuple[Statement, ...]
    work: tuple[tuple[tuple[Index, ...], int], ...]
    arrays: tuple[Statement, ...] = ()


def cut_of(nest: Item, axes: Axes, dtype: str) -> Cut | None:
    """How to cut a nest for threads; None where that can't be done or is not worth while."""
    made = tiles(dtype)
    if made is None or not shares() or isinstance(nest, Statement):
        return None
    if isinstance(nest, Windowed):
        return _of_window(nest, axes)
    if isinstance(nest, Contraction):
        return _around_products(nest, axes)
    statements = [*statements_in(nest)]
    numbers = tuple(s for s in statements if isinstance(s, Statement) and s.op == "sum" and not s.out.subscripts)
    rest = [s for s in statements if s not in numbers]
    work = Counter[tuple[Index, ...]]()
    for s in statements:
        work[s.loops if isinstance(s, Statement) else (nest.index, *s.indices)] += 1 + weight(s.body)
    size = sum(ops * math.prod(axes.expected_size(i) for i in loops) for loops, ops in work.items())
    if size < NEST:
        return None
    cut = _own_parts(nest, rest, axes, made.lanes) or _added_parts(nest, rest, axes, size)
    return cut and replace(cut, numbers=numbers, work=tuple(work.items()))


def _free(nest: Loop, statements: Stored) -> list[Index]:
    """The loops around a nest whose values have nothing to do with each other, as far as these statements go."""
    guarded = {i for s in statements for g in s.guards for i in indices_in(g)}
    return [i for i in _around(nest) if i not in guarded and _is_own(i, statements)]


def _own_parts(nest: Loop, statements: Stored, axes: Axes, lanes: int) -> Cut | None:
    """A loop at each value of which other entries are written than at all others."""
    free, wide = _free(nest, statements), VECTORS * lanes
    # what has one entry a row, beside whole rows, is written too seldom for cache lines that are shared to matter
    ends = {s.out.subscripts[-1] for s in statements if len(s.out.subscripts) > 1}
    ends = ends or {s.out.subscripts[-1] for s in statements}
    if free and free[-1] in ends and axes.expected_size(free[-1]) >= 2 * wide:  # as products with weights are cut
        return Cut(free[-1], wide, (), ())
    outer = next((i for i in free if i not in ends and axes.expected_size(i) > 1), None)
    return Cut(outer, lanes, (), ()) if outer is not None else None


def _added_parts(nest: Loop, statements: Stored, axes: Axes, size: int) -> Cut | None:
    """The loop whose values add to the smallest arrays that nothing else in the nest looks at, and share no others."""
    touched = Counter(e.name for s in statements for e in (*s.reads, s.out))
    every = [s for s in statements if isinstance(s, Statement)]
    sums = [s for s in every if s.op == "sum" and touched[s.out.name] == 2]  # which it reads and writes itself
    lengths = {s.out.name: math.prod(axes.expected_size(i) for i in s.out.tensor.indices) for s in sums}
    found: dict[int, Cut] = {}
    for index in _around(nest):
        arrays = tuple(s for s in sums if index not in s.out.subscripts and set(s.out.subscripts) <= set(s.loops))
        rest = [s for s in statements if s not in arrays]
        room = sum(lengths[s.out.name] for s in arrays)
        if arrays and rest and axes.expected_size(index) >= 2 * PARTS and index in _free(nest, rest):
            found.setdefault(room, Cut(index, 1, (), (), arrays))
    least = min(found, default=size)
    return found[least] if PARTS * SMALL * least <= size else None


def _around_products(item: Contraction, axes: Axes) -> Cut | None:
    """The outermost loop around small products, if all of them together are worth it."""
    inside = (*item.rows, *item.columns, *item.inner)
    single = math.prod(axes.expected_size(i) for i in inside)
    total = single * math.prod(axes.expected_size(i) for i in item.loops)
    outer = next((i for i in item.loops if axes.expected_size(i) > 1), None)
    if outer is None or not item.columns or single >= LARGE or total < LARGE:
        return None
    return Cut(outer, 1, (), (((*item.loops, *inside), 1),))


def _of_window(item: Windowed, axes: Axes) -> Cut | None:
    """By rows, as the nests around it are cut, where a tile has few of them in any case; or else by a loop."""
    work = 2 * math.prod(axes.expected_size(i) for i in item.indices)
    several = [i for i in item.loops if axes.expected_size(i) > 1]
    by_rows = axes.expected_size(item.row) > 1 and not (item.guards and several)
    index = item.row if by_rows else next(iter(several), None)
    return Cut(index, 1, (), ((item.indices, 2),)) if index is not None and work >= NEST else None


def _is_own(index: Index, statements: Stored) -> bool:
    """Whether no value of an index reads or writes what another one writes; so a recurrence of each row is its own."""
    places = {s.out.name: [a for a, i in enumerate(s.out.subscripts) if i == index] for s in statements}
    touched = (e for s in statements for e in (*s.reads, s.out) if e.name in places)
    return all(places.values()) and all(e.subscripts[a] == index for e in touched for a in places[e.name])


def _around(loop: Loop) -> list[Index]:
    """The indices of the loops that hold the whole nest, outermost first; none of a loop in time."""
    found: list[Index] = []
    while True:
        found += [] if loop.direction else [loop.index]
        if loop.direction and len(loop.children) > 1:  # what runs at one time may have the same rows
            outer = {
                c.row if isinstance(c, Windowed) else c.index if isinstance(c, Loop) else None for c in loop.children
            }
            return [i for i in outer if i is not None] if len(outer) == 1 else []
        if len(loop.children) != 1 or not isinstance(loop.children[0], Loop):
            return found
        loop = loop.children[0]


class TeamEmitter(Emitter):
    """Emits a function that shares its large nests; `parts` collects the functions that do a part."""

    joins = True
    taken = frozenset({NUMBER, COUNT, FIRST, LAST, SUMS, CODE, GIVEN, PART, SHARE, "part_of", "work_of", *ENTRIES})

    def __init__(self, plan: Plan, dtype: str, kernels: Kernels | None, parts: Kernels) -> None:
        super().__init__(plan, dtype, kernels)
        self.parts = parts
        self.cuts = {id(item): cut for item in plan.items if (cut := cut_of(item, plan.axes, dtype)) is not None}
        self.divided: Index | None = None
        self.by_part: dict[str, str] = {}  # the arrays for what parts add to, by tensor
        for tensor in dict.fromkeys(v.out.tensor for cut in self.cuts.values() for v in cut.arrays):
            self._with_room(tensor)
        self.adding: frozenset[str] = frozenset()
        self.groups: Counter[str] = Counter()  # of strands, by tensor

    def _with_room(self, tensor: Tensor) -> None:
        """A piece of the work space with an array for each part, like that of a tensor."""
        room = Tensor(f"{tensor.name}{BY_PART}", (Index("part", PARTS), *tensor.indices))
        name = self.by_part[tensor.name] = self.arrays[room.name] = self.names.new(room.name)
        slot = 1 + max((b.slot for b in self.space.kept.values() if b.slot is not None), default=-1)
        self.space.kept[name] = Buffer(room, "work", slot)

    def shape_of(self, tensor: Tensor) -> list[str]:
        if not tensor.name.endswith(BY_PART):
            return super().shape_of(tensor)
        *outer, last = super().shape_of(replace(tensor, name="", indices=tensor.indices[1:]))
        return [str(PARTS), *outer, f"({last} + {LINE - 1})//{LINE}*{LINE}"]

    def access(self, element: Element) -> str:
        text = super().access(element)
        if element.name not in self.adding:
            return text
        return text.replace(f"{self.arrays[element.name]}[", f"{self.by_part[element.name]}[{NUMBER}, ", 1)

    def _types(self) -> dict[str, str]:
        tensors = self.plan.definition.tensors
        return super()._types() | {n: array_type(self.dtype, 1 + tensors[t].rank) for t, n in self.by_part.items()}

    def _nest(self, loop: Loop) -> list[str]:
        cut = self.cuts.get(id(loop))
        before = self._strands(loop)
        if cut is None:
            return [*before, *super()._nest(loop)]
        self.divided, self.adding = cut.index, frozenset(v.out.name for v in cut.arrays)
        # rows of the arrays of parts are filled up, so that their last axes are not one
        self.joins = all(v.out.tensor.rank == 1 for v in cut.arrays)
        self.cut.add(cut.index)  # it does not begin at 0
        lines = super()._nest(loop)
        self.cut.discard(cut.index)
        self.divided, self.adding, self.joins = None, frozenset(), True
        return [*before, *lines]

    def _strands(self, loop: Loop) -> list[str]:
        """Lines that tell LLVM which statements of a nest add to places that never meet: it can't know, and would make
        no vectors."""
        self.strands, lines = {}, list[str]()
        for outs in strands_of(loop):
            array, group = self.arrays[outs[0].name], self.groups[outs[0].name]
            self.groups[outs[0].name] += 1
            for number, out in enumerate(outs):
                name = self.strands[out] = self.names.new(f"{array}_strand")
                lines.append(f"{name} = {STRAND}({array}, {group}, {number}, {len(outs)})")
        return lines

    def _contraction(self, item: Contraction) -> list[str]:
        self.divided = cut.index if (cut := self.cuts.get(id(item))) is not None else None
        lines = super()._contraction(item)
        self.divided = None
        return lines

    def _matrices(self, index: Index) -> str:
        return f"range({FIRST}, {LAST})" if index == self.divided else super()._matrices(index)

    def _values(self, loop: Loop, values: str) -> str:
        return f"range({FIRST}, {LAST})" if loop.index == self.divided else super()._values(loop, values)

    def _windowed(self, item: Windowed, part: tuple[Index, str, str] | None = None) -> list[str]:
        cut = self.cuts.get(id(item))
        index = self.divided if cut is None else cut.index  # within a loop in time, that of the whole nest
        return super()._windowed(item, (index, FIRST, LAST) if index in (*item.loops, item.row) else part)

    def _apart(self, item: Item, notes: list[str], lines: list[str]) -> list[str]:
        cut = self.cuts.get(id(item))
        if cut is None:
            return super()._apart(item, notes, lines)
        sums = [self.locals[s.out] for s in cut.numbers]
        inside = [
            f"{FIRST}, {LAST} = part_of({self.extent_of(cut.index)}, {cut.unit}, {NUMBER}, {COUNT})",
            *(f"{name} = real(0.0)" for name in sums),
            *(line for v in cut.arrays for line in self._emptied(v.out.tensor)),
            *lines,
            *(f"{SUMS}[{NUMBER}, {k}] = {name}" for k, name in enumerate(sums)),
        ]
        views = self.space.views(dict.fromkeys(n for line in inside for n in names_in(line)))
        views = views if self.kernels is not None else {}
        given = {n: t for n, t in self._types().items() if n not in views and n not in sums}
        given |= {SUMS: array_type(self.dtype, 2)}
        last = item if isinstance(item, Multiplied) else [*statements_in(item)][-1]
        wanted = f"{self.arrays[last.out.name]}_part"
        name, arguments, _ = self.parts.function(wanted, notes, [*views.values(), *inside], given, (NUMBER, COUNT))
        work = " + ".join("*".join([*map(self.extent_of, loops), str(ops)]) for loops, ops in cut.work)
        room = Stack(self.dtype).array(SUMS, (PARTS, len(sums))) if sums else None
        after = [f"{name} = {name} + {SUMS}[{PART}, {k}]" for k, name in enumerate(sums)]
        return [
            *([room] if room else []),
            *shared(name, arguments, PARTS if sums or cut.arrays else 0, work),
            *([f"for {PART} in range({PARTS}):", *(f"    {line}" for line in after)] if sums else []),
            *(line for v in cut.arrays for line in self._joined(v.out.tensor)),
        ]

    def _emptied(self, tensor: Tensor) -> list[str]:
        """The lines that make a part's array 0."""
        return self._entries(tensor, lambda at: f"{self.by_part[tensor.name]}[{NUMBER}, {at}] = real(0.0)")

    def _joined(self, tensor: Tensor) -> list[str]:
        """The lines that add up the arrays of all parts, in order."""
        out, name = self.arrays[tensor.name], self.by_part[tensor.name]
        added = self._entries(tensor, lambda at: f"{out}[{at}] += {name}[{PART}, {at}]")
        lines = [f"for {PART} in range({PARTS}):", *(f"    {line}" for line in added)]
        if self.kernels is None:
            return lines
        views = self.space.views(dict.fromkeys(n for line in lines for n in names_in(line)))
        given = {n: t for n, t in self._types().items() if n not in views}
        return self.kernels.call(f"{out}_parts", [], [*views.values(), *lines], given)

    def _entries(self, tensor: Tensor, line: Callable[[str], str]) -> list[str]:
        """A line for every entry of a tensor, in loops."""
        names = ENTRIES[: tensor.rank]
        loops = [f"for {n} in range({self.extent_of(i)}):" for n, i in zip(names, tensor.indices, strict=True)]
        return ["    " * k + text for k, text in enumerate([*loops, line(", ".join(names))])]


def strands_of(nest: Loop) -> list[list[Element]]:
    """Of what a nest adds to, the places of one tensor, where there are several and they never meet."""
    outs: dict[str, dict[Element, None]] = {}
    for statement in statements_in(nest):
        if statement.op:
            outs.setdefault(statement.out.name, {})[statement.out] = None
    groups = [[*found] for found in outs.values() if len(found) > 1]
    return [g for g in groups if all(never_meet(a.subscripts, b.subscripts) for a, b in combinations(g, 2))]


def shared(function: str, arguments: list[str], parts: int, work: str) -> list[str]:
    """The lines that share a function out: in so many parts, 0 for as many as there are threads."""
    given = arguments if len(arguments) > 1 else [f"{a}," for a in arguments]
    return [
        *wrapped(f"{CODE}, {GIVEN} = work_of({function}, (", given, "))"),
        f"{SHARE}({CODE}, {GIVEN}, {parts}, {work})",
    ]
