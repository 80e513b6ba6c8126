"""A plan → kernels, and a function for the host that launches them in order: the form of functions on large extents.

Every nest is a kernel of its own over as many blocks as its size asks for, and every matrix product a call. What a
launch writes stands with it, so that a graph knows what waits for what. Kernels get extents as numbers, and each tensor
as an array of its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from symdl.compilation.fusion import Item, Loop, Node, item_writes, statements_in
from symdl.compilation.parallel import owned
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction, Operand, Statement
from symdl.compilation.targets import cuda_helpers, cuda_sums
from symdl.compilation.targets.cuda_emit import TAKEN, CudaEmitter, DeviceFunction
from symdl.compilation.targets.cuda_rows import Blocked, in_blocks
from symdl.compilation.targets.cuda_teams import Rest
from symdl.compilation.targets.emit import is_number
from symdl.compilation.targets.kernels import names_in, wrapped
from symdl.compilation.targets.scalars import indented
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor

#: Multiplications of a product from which on the library is called.
LIBRARY_ABOVE = 2**15
#: Up to so many sums over several indices have each blocks of their own.
FEW = 2**10
#: Numbers of a work space in which each tensor has a place of its own.
ROOM = 2**28
#: Names of the emitted module beside those of kernels that are run by one block or one grid.
MORE = frozenset(
    {"run", "own", "high", "row", "rows", "term", "tickets", *cuda_sums.NAMES}
    | {f"product_of_blocks_{h}_{w}_kernel" for h, w in cuda_helpers.TILES_OF_BLOCKS}
)


@dataclass(frozen=True)
class Kernel:
    """An emitted kernel.

    Args:
        name: of it.
        arguments: names with their types, as Numba writes those: "int64", or "float32[:]".
        lines: its body.
    """

    name: str
    arguments: Mapping[str, str]
    lines: tuple[str, ...]

    @property
    def source(self) -> str:
        return "\n".join(["@kernel", *wrapped(f"def {self.name}(", [*self.arguments], "):"), *indented([*self.lines])])


#: The types of what sums of blocks get beside their own arguments.
SUMS = {"meet": "float64[:]", "tickets": "uint32[:]"}


@dataclass(frozen=True)
class HostFunction(DeviceFunction):
    """An emitted function of the host, which launches kernels."""

    kernels: tuple[Kernel, ...] = ()

    @property
    def free(self) -> bool:
        return True


class GraphEmitter(CudaEmitter):
    """Emits a function as kernels and launches; arguments as for `CudaEmitter`."""

    taken = TAKEN | MORE

    def __init__(self, plan: Plan, dtype: str, ordered: bool = False, threads: int = cuda_helpers.THREADS) -> None:
        super().__init__(apart(plan), dtype, ordered, "graph", threads)
        self.emitted: list[Kernel] = []
        self.flat: tuple[Index, ...] = ()  # the indices of a sum whose terms are counted through
        self.launch: list[str] = []  # how the kernel that is being emitted is launched, and on how much

    def function(self, name: str) -> HostFunction:
        """The function `name(run, extents…, inputs…, outputs…, work)` and its kernels."""
        plan = self.plan
        self.name = self.named = name
        inputs = tuple(t.name for t in plan.inputs)
        outputs = tuple(dict.fromkeys(t.name for t in plan.outputs if t.name not in inputs))
        body = self._launches(in_blocks(plan))
        slots = self.space.lines(self.names)
        if self.numbers:
            slots.append(f"{self.starts_of_numbers} = {self._end_of_slots()}")
        arrays = tuple(self.arrays[n] for n in (*inputs, *outputs))
        extents = [self.extent[e.key] for e in plan.extents]
        size = " + ".join(p for p in (self.space.size(), str(len(self.numbers)) if self.numbers else "") if p) or "0"
        shapes = ", ".join(self.arrays[n] for n in inputs)
        lines = ['"""Launches what computes it."""', *self.row_lines, *slots, *self._views(), *body]
        return HostFunction(
            name,
            inputs,
            outputs,
            (*wrapped(f"def {name}(", ["run", *extents, *arrays, "work"], "):"), *indented(lines)),
            (f"def {name}_size({shapes}):", *indented([*self._extents(), *self.row_lines, f"return {size}"])),
            (f"def {name}_extents({shapes}):", *indented([*self._extents(), f"return [{', '.join(extents)}]"])),
            (*arrays, "work"),
            tuple(self.bodies),
            tuple(self.emitted),
        )

    def _views(self) -> list[str]:
        """Each tensor of the work space as an array of its own."""
        lines = []
        for buffer in self.plan.buffers:
            if buffer.slot is not None:
                start, size = self.space.starts[buffer.slot], "*".join(self.shape_of(buffer.tensor))
            elif buffer.tensor in self.numbers:
                start, size = f"{self.starts_of_numbers} + {self.numbers.index(buffer.tensor)}", "1"
            else:
                continue
            lines.append(f"{self.arrays[buffer.name]} = work[{start}:{start} + {size}]")
        return lines

    def _array(self, tensor: object) -> tuple[str, str]:
        return self.arrays[tensor.name], ""  # type: ignore[attr-defined]

    # ── launches ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _launches(self, items: tuple[Item | Blocked, ...], around: tuple[Index, ...] = ()) -> list[str]:
        lines: list[str] = []
        for item in items:
            if isinstance(item, Blocked):
                lines += self._by_rows(item)
            elif isinstance(item, Contraction):
                lines += [*self._notes(item), *self._product_call(item)]
            elif isinstance(item, Loop) and item.direction:
                name = self.text[item.index] = self.names.loop(item.index.name, [self.text[i] for i in around])
                extent = self.extent_of(item.index)
                values = f"range({extent})" if item.direction > 0 else f"range({extent} - 1, -1, -1)"
                inside = self._launches(tuple(item.children), (*around, item.index))
                lines += [f"for {name} in {values}:", *indented(inside)]
            else:
                lines += self._kernel(item, around)
        return lines

    def _items(
        self, items: tuple[Item | Blocked, ...], around: tuple[Index, ...] = (), again: bool = False
    ) -> list[str]:
        return self._launches(items, around)

    def _written(self, item: Item) -> str:
        """The arrays that an item writes."""
        return "".join(f"{self.arrays[n]}, " for n in sorted(item_writes(item)) if self._is_kept(n)).strip()

    def _kernel(self, item: Item, around: tuple[Index, ...]) -> list[str]:
        """The kernel of a nest, and its launch."""
        self.launch = ["kernel", "1"]
        body = self._parallel(item, around)
        how, *sizes = self.launch
        wanted = [*self._head(body, how == "sums"), *body]
        used = dict.fromkeys(n for line in wanted for n in names_in(line))
        numbers = {b.name for b in self.plan.buffers if is_number(b.tensor)}
        known = [
            *self.extent.values(),
            *self._of_rows(),
            *(self.text[i] for i in around),
            *(self.arrays[b.name] for b in self.plan.buffers if b.name in numbers),
            *(self.arrays[b.name] for b in self.plan.buffers if b.name not in numbers and self._is_kept(b.name)),
        ]
        arguments = [n for n in dict.fromkeys(known) if n in used]
        last = [*statements_in(item)][-1].out.name
        name = f"{self.names.new(f'{self.name}_{self.arrays[last]}')}_kernel"
        notes, types = self._notes(item), self._types()
        made = {n: types[n] for n in arguments} | (SUMS if how == "sums" else {})
        self.emitted.append(Kernel(name, made, (*notes, *wanted)))
        given = [name, *sizes, f"({', '.join(arguments)},)", f"writes=({self._written(item)})"]
        return [*notes, *wrapped(f"run.{how}(", given, ")")]

    def _of_rows(self) -> list[str]:
        """The names of what says which rows of blocks there are, and which these are."""
        now = [self.now.first, self.now.count] if self.now is not None else []
        return [*dict.fromkeys(count for _, count in self.kept_rows.values()), *now]

    def _types(self) -> dict[str, str]:
        """The types of all arguments that kernels may have, by name."""
        found = dict.fromkeys([*self.extent.values(), *self.text.values(), *self._of_rows()], "int64")
        for buffer in self.plan.buffers:
            number = "int64" if buffer.tensor.integer else self.dtype
            found[self.arrays[buffer.name]] = number if is_number(buffer.tensor) else f"{number}[:]"
        return found

    def _is_kept(self, name: str) -> bool:
        """Whether a tensor is an array."""
        buffer = self.plan.by_name[name]
        return buffer.kind != "scalar" or buffer.tensor in self.numbers

    def _head(self, body: list[str], sums: bool) -> list[str]:
        """What a kernel begins with: who runs it, where its teams meet, numbers that it needs."""
        used = {n for line in body for n in names_in(line)}
        lines: list[str] = []
        for line in reversed([*self._scalar_inputs(), *self.invariants.lines(self.printer)]):
            name, _, value = line.partition(" = ")
            if name in used:
                lines.insert(0, line)
                used |= set(names_in(value))
        if "parts" in used:
            lines.insert(0, "parts = cuda.shared.array(THREADS, np.float64)")
        if used & {"thread", "threads"}:
            lines.insert(0, "thread, threads = cuda.grid(1), cuda.gridsize(1)")
        return lines

    # ── who does what ────────────────────────────────────────────────────────────────────────────────────────────

    def _by_threads(self, shared: tuple[Index, ...], body: tuple[Node, ...], around: tuple[Index, ...]) -> list[str]:
        lines = super()._by_threads(shared, body, around)
        vectors = any(line.startswith("vectors = ") for line in lines)
        self.launch = ["vectors" if vectors else "kernel", self._count(shared)]
        return lines

    def _atomically(self, statement: Statement, around: tuple[Index, ...]) -> list[str]:
        loops = tuple(i for i in statement.loops if i not in around)
        self.launch = ["kernel", self._count(loops)]
        return super()._atomically(statement, around)

    def _by_teams(
        self,
        shared: tuple[Index, ...],
        body: tuple[Node, ...],
        around: tuple[Index, ...],
        after: Rest | None = None,
    ) -> list[str]:
        """Rows are added up by teams; what stands side by side in columns by blocks of threads that stand like it."""
        assert after is None, "every nest is a kernel of its own"
        loops = [c for c in body if isinstance(c, Loop)]
        count, terms = self._count(shared), self.extent_of(loops[0].index)
        alone = len([s for c in loops for s in statements_in(c)]) == 1
        self.flat = _terms(loops[0]) if alone else ()
        columns = self._in_columns(shared, body) if shared else False
        if shared and not columns and not (len(self.flat) > 1 and self._few(shared)):
            self.flat = ()
            self.launch = ["teams", count, terms]
            return super()._by_teams(shared, body, around)
        width = 1 if not columns else min(self.threads // 2, cuda_sums.WIDE if alone else cuda_sums.NARROW)
        self.launch = ["sums", count, (self._count(self.flat) if self.flat else terms) if alone else "0", str(width)]
        self.split = alone
        decode = self._decoded(shared, "entry", around) if shared else []
        lines, _ = self._team_body(body, (*around, *shared), ("row", "rows", "mine"), alone=not shared)
        return [
            f"own, high = cuda.threadIdx.x, cuda.blockDim.x//{width}  # the block is so many rows of {width} threads",
            f"row, rows = own//{width} + high*cuda.blockIdx.y, high*cuda.gridDim.y",
            f"entry = cuda.blockIdx.x*{width} + own % {width}",
            f"mine = own < {width} and entry < {count}",
            f"entry = min(entry, {count} - 1)",
            *decode,
            *lines,
        ]

    def _few(self, shared: tuple[Index, ...]) -> bool:
        """Whether there are so few sums that each is worth blocks of its own."""
        return math.prod(map(self.plan.axes.expected_size, shared)) <= FEW

    def _loop(self, loop: Loop, around: tuple[Index, ...], known: dict[Element, str]) -> list[str]:
        if loop.index not in self.flat:
            return super()._loop(loop, around, known)
        # the loops of a sum as one, so that all threads have their share of it
        inside, terms = (*around, *self.flat), self._count(self.flat)
        decode = self._decoded(self.flat, "term", around)
        (statement,) = (s for s in statements_in(loop) if isinstance(s, Statement))
        self.flat = ()
        self.running = {statement.out: self._accumulator(statement, around, known)}
        (running,) = self.running.values()
        before, after = running.before(), running.after()
        body = self._scope(inside, (statement,), known)
        self.running = {}
        return [*before, f"for term in range(row, {terms}, rows):", *indented([*decode, *body]), *after]

    def _in_columns(self, shared: tuple[Index, ...], body: tuple[Node, ...]) -> bool:
        """Whether neighbours of what is added up stand with their sums, and not with their terms, side by side."""
        statements = [s for c in body if isinstance(c, Loop) for s in statements_in(c)]
        lasts = [e.subscripts[-1] for s in statements for e in s.reads if e.subscripts and e != s.out]
        bound = {i for s in statements if isinstance(s, Statement) for i in s.loops if i not in owned(s)}
        return sum(1 for i in lasts if i == shared[-1]) > sum(1 for i in lasts if i in bound)

    def _put_together(self, op: str, part: str, alone: bool) -> tuple[list[str], str]:
        if self.launch[0] != "sums":
            return super()._put_together(op, part, alone)
        count, width = self.launch[1], self.launch[3]
        lines = [f"{part} = columns_{op}({part}, {width}, parts)"]
        if self.split:
            lines.append(f"{part}, mine = blocks_{op}({part}, mine, entry, {count}, {width}, parts, meet, tickets)")
        return lines, part

    # ── products ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _product_call(self, item: Contraction) -> list[str]:
        size = self.plan.axes.expected_size
        rows, columns, inner = (self._count(i) for i in (item.rows, item.columns, item.inner))
        expected = [math.prod(map(size, i)) for i in (item.rows, item.columns, item.inner)]
        kernel = cuda_helpers.product_for(expected[0], expected[1], "grid", self.threads)
        role = self._row_role(item)
        if self.now is not None and role is not None:
            rows, inner = (self.now.count if role[0] == n else c for n, c in (("rows", rows), ("inner", inner)))
        left, right = (self._operand(item, o) for o in (item.left, item.right))
        out = self._from_row(item, item.result)
        loops = []
        for index in item.loops:
            steps = [self._step(o, index) for o in (item.left, item.right, item.result)]
            loops.append(f"({self.extent_of(index)}, {', '.join(steps)})")
        more = [f"loops=({', '.join(loops)},)"] if loops else []
        if is_by_library(self.plan, item):
            more.append("library=True")
        arguments = [f"{kernel}_kernel", f"({rows}, {columns}, {inner})", left, right, out]
        return wrapped("run.product(", [*arguments, *more], ")")

    def _operand(self, item: Contraction, operand: Operand) -> str:
        """The array of an operand, whether it is transposed, and how far it is from line to line."""
        step = _product(self.shape_of(operand.tensor)[len(operand.at) + operand.leading :])
        return f"({self._from_row(item, operand)}, {operand.transposed}, {step})"

    def _from_row(self, item: Contraction, operand: Operand) -> str:
        array, first = self.arrays[operand.tensor.name], self._first_row(item, operand)
        return f"{array}[{first}:]" if first else array

    def _step(self, operand: Operand, index: Index) -> str:
        """How far a matrix of an operand is from the next one along an index."""
        return _product(self.shape_of(operand.tensor)[operand.at.index(index) + 1 :]) if index in operand.at else "0"


def is_by_library(plan: Plan, item: Contraction) -> bool:
    """Whether a product is large enough for the library."""
    size = plan.axes.expected_size
    return math.prod(size(i) for i in (*item.rows, *item.columns, *item.inner)) > LIBRARY_ABOVE


#: The kernel of a product: where the library is not there, or the product is small.
_PRODUCT = """
thread, threads = cuda.grid(1), cuda.gridsize(1)
for number in range(cuda.blockIdx.y, count, cuda.gridDim.y):
    NAME(
        thread, threads, rows, columns, terms, left, number*more_left, row_left, step_left,
        right, number*more_right, step_right, column_right, out, number*more_out,
    )
"""


def _terms(loop: Loop) -> tuple[Index, ...]:
    """The indices that a sum runs over, where an array has a place for each of its terms, and none is left out."""
    indices: list[Index] = []
    node: Node = loop
    while isinstance(node, Loop) and len(node.children) == 1:
        indices.append(node.index)
        node = node.children[0]
    plain = isinstance(node, Statement) and not node.guards
    places = [e.subscripts for e in node.reads] if isinstance(node, Statement) else []
    return tuple(indices) if plain and len(indices) > 1 and any(set(indices) <= set(p) for p in places) else ()


def _product(factors: list[str]) -> str:
    return "*".join(f for f in factors if f != "1") or "1"


def apart(plan: Plan) -> Plan:
    """The plan with a slot for each tensor where there is room: those that share one have to wait for each other."""
    if sum(_numbers(plan, b.tensor) for b in plan.buffers if b.slot is not None) > ROOM:
        return plan
    slots = itertools.count()
    buffers = (b if b.slot is None else replace(b, slot=next(slots)) for b in plan.buffers)
    return replace(plan, buffers=tuple(buffers))


def _numbers(plan: Plan, tensor: Tensor) -> int:
    """How many numbers there are of a tensor, or of a block of it."""
    sizes = [plan.axes.expected_size(i) for i in tensor.indices]
    for blocks in plan.blocks:
        if (axis := blocks.axes.get(tensor.name)) is not None:
            sizes[axis] = min(sizes[axis], blocks.rows)
    return math.prod(sizes)


def product_kernels(text: str, dtype: str) -> list[Kernel]:
    """The kernels for products that a text names."""
    whole, real = "int64", f"{dtype}[:]"
    numbers = dict.fromkeys(("rows", "columns", "terms"), whole)
    left = {"left": real, "row_left": whole, "step_left": whole, "more_left": whole}
    right = {"right": real, "step_right": whole, "column_right": whole, "more_right": whole}
    arguments = {**numbers, **left, **right, "out": real, "more_out": whole, "count": whole}
    names = [f"product_of_blocks_{h}_{w}" for h, w in cuda_helpers.TILES_OF_BLOCKS]
    return [
        Kernel(f"{n}_kernel", arguments, tuple(_PRODUCT.replace("NAME", n).strip().splitlines()))
        for n in names
        if f"{n}_kernel" in text
    ]
