"""A plan → the body of one device function that all threads of a block, or of the whole grid, run together.

Each item of the plan is a loop that the threads share, and a barrier stands where one needs what others wrote. Arrays
are flat, subscripts are written out, and extents are read from an array of whole numbers: the code is that of every
size. What a sum adds up stays with one thread, or with a team of threads that add up their parts in a fixed order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from symdl.compilation.fusion import Item, Loop, Node, item_writes, statements_in
from symdl.compilation.parallel import owned
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction, Operand, Statement, Windowed
from symdl.compilation.targets.accumulators import Accumulator
from symdl.compilation.targets.cuda_helpers import THREADS, TILES, TILES_OF_BLOCKS, product_for
from symdl.compilation.targets.cuda_rows import Blocked, Now, in_blocks, touched, touched_by
from symdl.compilation.targets.cuda_teams import Rest, TeamEmitter
from symdl.compilation.targets.cuda_vectors import factor, flat
from symdl.compilation.targets.emit import Function, is_number
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor

#: Arguments of every device function before its arrays: who runs it, where sums of teams meet, and the extents.
GIVEN = ("thread", "threads", "parts", "meet", "sizes", "place")
#: Names of the emitted module that no tensor may have.
TAKEN = frozenset((
    "work", "cuda", "types", "np", "math", "real", "barrier", "device", "kernel", "quotient", "remainder", "floor",
    "larger", "team_of", "team_of_rows", "entry", "vectors", "group", "across", "whole_row", "first", "lane", "team",
    "mine", "value", "THREADS", *GIVEN, UNSIGNED,
    *(f"product_{h}_{w}" for _, h, w in TILES), *(f"product_of_blocks_{h}_{w}" for h, w in TILES_OF_BLOCKS),
    *(f"{who}_{op}" for who in ("team", "all") for op in ("sum", "prod", "max")),
))  # fmt: skip


@dataclass(frozen=True)
class DeviceFunction(Function):
    """An emitted device function; `extents` is the source of `NAME_extents(inputs…)`, which the host calls.

    Args:
        arrays: names of its arrays in order: inputs, outputs, work.
        bodies: source of the functions of one entry that it calls.
    """

    extent_lines: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()

    @property
    def spread(self) -> bool:
        """Whether any number of blocks of any size can run it, each thread for a few entries."""
        return self.free and not any("product_" in line or "team = " in line for line in self.lines)

    @property
    def free(self) -> bool:
        """Whether its threads never wait for each other beyond their block: any number of blocks can run it."""
        return not any("barrier()" in line or "= all_" in line for line in self.lines)


class PlainAccumulator(Accumulator):
    """What an innermost loop adds up, in the order of the loop."""

    def step(self, value: str) -> list[str]:
        return [f"{self.name} += {value}"] if self.op == "sum" else super().step(value)


class CudaEmitter(TeamEmitter):
    """Emits one device function.

    Args:
        plan: made with `parallel`.
        dtype: "float64" or "float32".
        scope: "block" or "grid": who runs it together.
        threads: of a block.
        ordered: sums onto computed places are added by one thread, in order; else by atomic additions.
    """

    taken = TAKEN

    def __init__(
        self, plan: Plan, dtype: str, ordered: bool = False, scope: str = "block", threads: int = THREADS
    ) -> None:
        super().__init__(plan, dtype)
        self.ordered, self.scope, self.threads = ordered, scope, threads
        written = {n for item in plan.items for n in item_writes(item)}
        for buffer in plan.buffers:
            if buffer.tensor.rank == 0 and buffer.name in written:
                del self.locals[buffer.tensor.element()]

    def function(self, name: str) -> DeviceFunction:
        """The function `name(GIVEN…, inputs…, outputs…, work)`."""
        plan, self.named = self.plan, name
        inputs = tuple(t.name for t in plan.inputs)
        outputs = tuple(dict.fromkeys(t.name for t in plan.outputs if t.name not in inputs))
        slots = self.space.lines(self.names)
        if self.numbers:
            slots.append(f"{self.starts_of_numbers} = {self._end_of_slots()}")
        body = self._items(in_blocks(plan))
        constants = self.invariants.lines(self.printer)
        head = [*self._read_extents(), *self.row_lines, *self._scalar_inputs(), *slots]
        head += ["# what no loop changes", *constants] if constants else []
        arrays = tuple(self.arrays[n] for n in (*inputs, *outputs))
        size = " + ".join(p for p in (self.space.size(), str(len(self.numbers)) if self.numbers else "") if p) or "0"
        shapes = ", ".join(self.arrays[n] for n in inputs)
        extents = ", ".join(self.extent[e.key] for e in plan.extents)
        return DeviceFunction(
            name,
            inputs,
            outputs,
            (f"def {name}({', '.join([*GIVEN, *arrays, 'work'])}):", *indented([*head, *body] or ["pass"])),
            (f"def {name}_size({shapes}):", *indented([*self._extents(), *self.row_lines, f"return {size}"])),
            (f"def {name}_extents({shapes}):", *indented([*self._extents(), f"return [{extents}]"])),
            (*arrays, "work"),
            tuple(self.bodies),
        )

    def _read_extents(self) -> list[str]:
        return [f"{self.extent[e.key]} = sizes[place + {k}]" for k, e in enumerate(self.plan.extents)]

    def _end_of_slots(self) -> str:
        return self.space.size() or "0"

    # ── items, and barriers between those that depend on each other ──────────────────────────────────────────────

    def _items(
        self, items: tuple[Item | Blocked, ...], around: tuple[Index, ...] = (), again: bool = False
    ) -> list[str]:
        """The items in order; `again`: what runs several times, one after the other."""
        lines: list[str] = []
        read: set[object] = set()
        written: set[object] = set()
        for item, after in self._with_rows(items, around):
            reads, writes = map(self._places, touched_by(item, after))
            if written & (reads | writes) or read & writes:
                lines.append("barrier()")
                read, written = set(), set()
            read, written = read | reads, written | writes
            if isinstance(item, Blocked):
                lines += self._by_rows(item)
            elif after is not None:
                lines += [*self._notes(item), *self._notes(after), *self._row_after_row(item, after, around)]
            else:
                lines += [*self._notes(item), *self._parallel(item, around)]
        return [*lines, "barrier()"] if around or again else lines

    def _with_rows(
        self, items: tuple[Item | Blocked, ...], around: tuple[Index, ...]
    ) -> Iterator[tuple[Item | Blocked, Item | None]]:
        """The items, each with the one behind it that teams can go on with, row by row, where they are at it."""
        k = 0
        while k < len(items):
            item, following = items[k], items[k + 1] if k + 1 < len(items) else None
            if isinstance(item, Loop) and isinstance(following, Loop) and self._rest(item, following, around):
                yield item, following
                k += 2
            else:
                yield item, None
                k += 1

    def _rest(self, item: Loop, after: Loop, around: tuple[Index, ...]) -> Rest | None:
        """What a nest computes for the entries of each row that the item before it adds up, if it needs that row alone
        of what the item writes: the loops over the rest of a row, and what is in them."""
        if self.scope == "block" or self.now is not None or item.direction or after.direction:
            return None
        shared, body = self._shared(item, around)
        entries, inner = self._shared(after, around)
        rows, rest = entries[: len(shared)], entries[len(shared) :]
        lengths = [[self.extent_of(i) for i in some] for some in (rows, shared)]
        if not shared or not rest or lengths[0] != lengths[1] or not self._reductions(body, (*around, *shared)):
            return None
        statements = [s for s in inner if isinstance(s, Statement)]
        if len(statements) < len(inner) or any(s.op or s.guards for s in statements):
            return None
        made = tuple(s.renamed(dict(zip(rows, shared, strict=True))) for s in statements)
        (reads, writes), (_, stored) = map(touched, (item, after))
        own = {e for s in made for e in s.reads if e.name in writes}
        apart = not self._places(stored) & self._places(reads | writes)
        return (rest, made) if apart and own <= {s.out for s in statements_in(item)} else None

    def _row_after_row(self, item: Item | Blocked, after: Item, around: tuple[Index, ...]) -> list[str]:
        """Sums of rows by teams, and by the same team what is computed for each entry of its row."""
        assert isinstance(item, Loop) and isinstance(after, Loop)
        return self._by_teams(*self._shared(item, around), around, self._rest(item, after, around))

    def _by_rows(self, item: Blocked) -> list[str]:
        """One block of rows after the other."""
        index, most = item.blocks.index, item.blocks.rows
        length = self.extent_of(index)
        first, count = self.names.new("first_row"), self.names.new("rows_here")
        self.now, self.lengths[index] = Now(item.blocks, first, count), count
        body = self._items(item.items, again=True)
        self.now = None
        del self.lengths[index]
        head = f"{count} = min({most}, {length} - {first})"
        return [f"for {first} in range(0, {length}, {most}):", *indented([head, *body])]

    def _notes(self, item: Item) -> list[str]:
        sources = [item.source] if isinstance(item, Contraction) else [s.source for s in statements_in(item)]
        return [f"# {s}" for s in dict.fromkeys(sources)]

    def _places(self, names: set[str]) -> set[object]:
        """Where tensors are kept: those that share a slot are in each other's way."""
        found: set[object] = set()
        for name in names:
            buffer = self.plan.by_name[name]
            found.add(name if buffer.slot is None else buffer.slot)
        return found

    def _parallel(self, item: Item, around: tuple[Index, ...]) -> list[str]:
        if isinstance(item, Contraction):
            return self._contraction(item)
        if isinstance(item, Loop) and item.direction:
            return self._in_time(item, around)
        assert not isinstance(item, Windowed), "windows are loops here"
        shared, body = self._shared(item, around)
        teams = self._reductions(body, (*around, *shared))
        if teams is not None:
            return self._by_teams(shared, body, around)
        if not shared:
            return ["if thread == 0:", *indented(self._inner((), body, around))]
        scattered = self._scattered(item)
        if scattered is not None:
            return self._atomically(scattered, around)
        return self._by_threads(shared, body, around)

    def _in_time(self, loop: Loop, around: tuple[Index, ...]) -> list[str]:
        """One time after the other, what belongs to one time in parallel."""
        name = self.text[loop.index] = self.names.loop(loop.index.name, [self.text[i] for i in around])
        extent = self.extent_of(loop.index)
        values = f"range({extent})" if loop.direction > 0 else f"range({extent} - 1, -1, -1)"
        children: list[Item] = list(loop.children)
        return [f"for {name} in {values}:", *indented(self._items(tuple(children), (*around, loop.index)))]

    def _shared(self, item: Node, around: tuple[Index, ...]) -> tuple[tuple[Index, ...], tuple[Node, ...]]:
        """The loops whose values threads share, outermost first, and what is within them."""
        statements = [s for s in statements_in(item) if isinstance(s, Statement)]
        shared: list[Index] = []
        children: tuple[Node, ...] = (item,)
        while len(children) == 1 and isinstance(children[0], Loop) and not children[0].direction:
            loop = children[0]
            if not all(loop.index in owned(s) for s in statements):
                break
            shared.append(loop.index)
            children = loop.children
        return tuple(shared), children

    def _scattered(self, item: Node) -> Statement | None:
        """The sum onto a computed place that an item is, where atomic additions are allowed."""
        statements = [s for s in statements_in(item) if isinstance(s, Statement)]
        if self.ordered or len(statements) != 1 or statements[0].op != "sum":
            return None
        plain = all(isinstance(s, Index) for s in statements[0].out.subscripts)
        return None if plain else statements[0]

    # ── one thread for each value of the shared loops ────────────────────────────────────────────────────────────

    def _by_threads(self, shared: tuple[Index, ...], body: tuple[Node, ...], around: tuple[Index, ...]) -> list[str]:
        if self.scope != "block" and (by_vectors := self._by_vectors(shared, body, around)) is not None:
            return by_vectors
        lines = self._decoded(shared, "entry", around)
        entry = "entry"
        if len(shared) == 1:  # the loop counts the index itself
            entry, lines = lines[0].removesuffix(" = entry"), lines[1:]
        return [
            f"for {entry} in range(thread, {self._count(shared)}, threads):",
            *indented([*lines, *self._inner(shared, body, around)]),
        ]

    def _inner(self, shared: tuple[Index, ...], body: tuple[Node, ...], around: tuple[Index, ...]) -> list[str]:
        """What one thread does for one value of each shared loop."""
        inside = (*around, *shared)
        return self._scope(inside, body, {})

    def _atomically(self, statement: Statement, around: tuple[Index, ...]) -> list[str]:
        """All values of all loops at once; the places where they meet are added to by atomic additions."""
        loops = tuple(i for i in statement.loops if i not in around)
        lines = self._decoded(loops, "entry", around, narrow=False)
        value = self.printer.doprint(self._scalar(statement.body, {}))
        array, place = self._at(statement.out)
        inner = self._tested(statement.guards, [f"cuda.atomic.add({array}, {place}, {value})"], {})
        if not loops:
            return ["if thread == 0:", *indented(inner)]
        return [f"for entry in range(thread, {self._count(loops)}, threads):", *indented([*lines, *inner])]

    # ── what the emitter for one thread asks ─────────────────────────────────────────────────────────────────────

    def _accumulator(self, statement: Statement, around: tuple[Index, ...], known: dict[Element, str]) -> Accumulator:
        made = super()._accumulator(statement, around, known)
        return PlainAccumulator(made.name, made.op, made.home, made.unordered)

    def _flat(self, tensor: Tensor, subscripts: list[str]) -> str:
        """The place of an entry in the array of a tensor, as source."""
        return flat(self.shape_of(tensor), subscripts) or "0"

    def _at(self, element: Element) -> tuple[str, str]:
        """The array of an element, and its place there."""
        tensor = element.tensor
        within = self._within(element, [self._subscript(s) for s in element.subscripts])
        place = self._flat(tensor, within)
        array, start = self._array(tensor)
        return array, f"{UNSIGNED}({place if not start else start if place == '0' else f'{start} + {place}'})"

    def access(self, element: Element) -> str:
        if element in self.carried:
            return self.carried[element]
        array, place = self._at(element)
        return f"{array}[{place}]"

    def _scalar_inputs(self) -> list[str]:
        return [
            f"{self.locals[t.element()]} = {self.arrays[t.name]}[0]"
            for t in self.plan.inputs
            if t.rank == 0 and not is_number(t)
        ]

    # ── matrix products ──────────────────────────────────────────────────────────────────────────────────────────

    def _contraction(self, item: Contraction) -> list[str]:
        texts: list[str] = []
        for index in item.loops:
            self.text[index] = self.names.loop(index.name, texts)
            texts.append(self.text[index])
        rows, columns, inner = (self._count(i) for i in (item.rows, item.columns, item.inner))
        role = self._row_role(item)
        if self.now is not None and role is not None:
            rows, inner = (self.now.count if role[0] == n else c for n, c in (("rows", rows), ("inner", inner)))
        left = ", ".join(self._matrix_at(item, item.left))
        right = ", ".join(self._matrix_at(item, item.right))
        out, start, *_ = self._matrix_at(item, item.result)
        size = self.plan.axes.expected_size
        name = product_for(
            math.prod(map(size, item.rows)), math.prod(map(size, item.columns)), self.scope, self.threads
        )
        lines = [f"{name}(thread, threads, {rows}, {columns}, {inner}, {left}, {right}, {out}, {start})"]
        for index, name in zip(reversed(item.loops), reversed(texts), strict=True):
            lines = [f"for {name} in range({self.extent_of(index)}):", *indented(lines)]
        return lines

    def _matrix_at(self, item: Contraction, operand: Operand) -> Iterator[str]:
        """The array, where the matrix begins, and the steps from row to row and from column to column."""
        array, start = self._array(operand.tensor)
        at = [self._subscript(s) for s in operand.at]
        shape = self.shape_of(operand.tensor)
        text = at[0] if at else ""
        for extent, subscript in zip(shape[1 : len(at)], at[1:], strict=True):
            text = f"{factor(text)}*{extent} + {subscript}"
        offset = "*".join([factor(text), *shape[len(at) :]]) if text else ""
        yield array
        yield " + ".join(p for p in (start, offset, self._first_row(item, operand)) if p) or "0"
        step = "*".join(shape[len(at) + operand.leading :]) or "1"
        yield from ("1", step) if operand.transposed else (step, "1")
