"""A plan → the body of one Python function: extents, work space, then nests and products under their equations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import sympy

from symdl.compilation.extents import Key
from symdl.compilation.fusion import Item, Loop, Node, statements_in
from symdl.compilation.liveness import kept_after, promoted
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Multiplied, Statement, Windowed
from symdl.compilation.targets.accumulators import Accumulator, accumulated, fixed_reads
from symdl.compilation.targets.blocks import Invariants
from symdl.compilation.targets.conditions import common, gathers_in, loop_range, testable
from symdl.compilation.targets.joined import JOINED, Row, row_of
from symdl.compilation.targets.kernels import Kernels, array_type, names_in
from symdl.compilation.targets.multiplying import ProductEmitter
from symdl.compilation.targets.names import Names
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.compilation.targets.scalars import indented
from symdl.compilation.targets.sized import Shapes, Stack, shaped, size_of
from symdl.compilation.targets.workspace import WorkSpace, tuple_of
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Role, Tensor


@dataclass(frozen=True)
class Function:
    """An emitted function.

    Args:
        name: of the function.
        inputs, outputs: arguments in order, by tensor name; the last argument is the work space.
        lines: its source.
        size_lines: source of `NAME_size`, the number of elements of the work space.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lines: tuple[str, ...]
    size_lines: tuple[str, ...]


def is_number(tensor: Tensor) -> bool:
    """Whether an argument is passed as a number: hyperparameters of rank 0. Other scalars are arrays of one entry."""
    return tensor.rank == 0 and tensor.role is Role.HYPERPARAMETER


class Emitter(ProductEmitter):
    """Emits one function; `names` are shared with the rest of the module."""

    #: Names that nothing else may have.
    taken: frozenset[str] = frozenset()
    #: Whether loops over axes that stand side by side become one.
    joins = False

    def __init__(self, plan: Plan, dtype: str, kernels: Kernels | None = None, sized: Shapes | None = None) -> None:
        self.plan, self.dtype, self.kernels, self.sized = plan, dtype, kernels, sized or {}
        self.names = Names(set(self.taken))
        self.text: dict[sympy.Symbol, str] = {}  # indices and extent symbols
        self.extent: dict[Key, str] = {}
        self.arrays: dict[str, str] = {}
        self.locals: dict[Element, str] = {}
        self.printer = ScalarPrinter(dtype, self.text)
        constants = {s for e in plan.extents for s in e.key.free_symbols if not isinstance(s, Index)}
        self.scalars: set[sympy.Symbol] = set()
        self.invariants = Invariants(lambda s: s in constants or s in self.scalars, self.names)
        self.lifting = Invariants(lambda s: False, self.names)
        for buffer in plan.buffers:
            self.arrays[buffer.name] = self.names.new(buffer.name)
            if buffer.tensor.rank == 0:
                local = self.arrays[buffer.name]
                self.locals[buffer.tensor.element()] = local
                if buffer.kind != "scalar" and not is_number(buffer.tensor):
                    self.arrays[buffer.name] = self.names.new(f"{local}_array")
                if buffer.kind == "input":
                    self.scalars.add(sympy.Symbol(local, real=True))
        self.space = WorkSpace(plan, self.arrays, self.shape_of)
        self.held: set[sympy.Expr] = set()
        self.gathered: dict[Element, str] = {}
        self.cut: set[Index] = set()  # loops that do not run upwards from 0
        self.lengths: dict[Index, str] = {}  # of loops that no axis has
        self.running: dict[Element, Accumulator] = {}
        self.strands: dict[Element, str] = {}
        self.reads = Counter(n for item in plan.items for n in _read_names(item))
        self.head: list[str] = []  # of the function: extents and the work space
        self.beginning: list[str] = []  # all lines before those of items
        self.item_lines: list[list[str]] = []  # of the items, in order
        self._name_extents()

    def _name_extents(self) -> None:
        composite = {self.plan.axes.key(i): i for i in reversed(self.plan.axes.composite)}
        for extent in self.plan.extents:
            index = composite.get(extent.key, extent.key)
            wanted = index.name.upper() if isinstance(index, Index) else str(extent.key)
            self.extent[extent.key] = self.names.new(wanted if wanted.isidentifier() else "extent")
            if extent.key.is_Symbol and not isinstance(extent.key, Index):
                self.text[extent.key] = self.extent[extent.key]

    # ── the whole function ───────────────────────────────────────────────────────────────────────────────────────

    def function(self, name: str) -> Function:
        """The function `name(inputs…, outputs…, work)`, which returns nothing."""
        plan = self.plan
        inputs = tuple(t.name for t in plan.inputs)
        outputs = tuple(dict.fromkeys(t.name for t in plan.outputs if t.name not in inputs))
        arguments = ", ".join(self.arrays[n] for n in (*inputs, *outputs))
        slots = self.space.lines(self.names)
        if self.sized:
            slots += self._rooms()
        elif self.kernels is None:
            slots += self.space.views().values()
        items = [(item, self._item(item)) for item in plan.items]
        constants = self.invariants.lines(self.printer)
        self.head = [*self._extents(), *slots]
        self.beginning = [
            *self.head,
            *self._scalar_inputs(),
            *(["# what no loop changes", *constants] if constants else []),
        ]
        self.item_lines = [[*notes, *self._apart(item, notes, lines)] for item, (notes, lines) in items]
        lines = [*self.beginning, *(line for body in self.item_lines for line in body), *self.scalar_outputs(outputs)]
        shape_arguments = ", ".join(self.arrays[n] for n in inputs)
        size = self.space.size() or "0"
        return Function(
            name,
            inputs,
            outputs,
            (f"def {name}({arguments}{', ' if arguments else ''}work):", *indented(lines or ["pass"])),
            (f"def {name}_size({shape_arguments}):", *indented([*self._extents(), f"return {size}"])),
        )

    def kept_lines(self, name: str) -> list[str]:
        """The source of `NAME_kept_size`: how many numbers are there when the first output is known, and read later."""
        inputs, kept = self.plan.inputs, kept_after(self.plan.items, self.plan.definition.outputs[0])
        arguments = ", ".join(self.arrays[t.name] for t in inputs)
        size = self.space.size_of(kept) or "0"
        return [f"def {name}_kept_size({arguments}):", *indented([*self._extents(), f"return {size}"])]

    def _extents(self) -> list[str]:
        if self.sized:
            return self._sizes()
        lines = []
        for extent in self.plan.extents:
            source = f"{self.arrays[extent.tensor]}.shape[{extent.axis}]" if extent.tensor else ""
            rest = "" if extent.rest == 0 and source else self.printer.integer(self._plain(extent.rest))
            value = " + ".join(p for p in (source, rest) if p)
            if extent.step != 1:
                value = f"({value})//({self.printer.integer(self._plain(extent.step))})"
            lines.append(f"{self.extent[extent.key]} = {value}")
        return lines

    def _rooms(self) -> list[str]:
        """The work space: on the stack, as far as that goes."""
        stack, buffers = Stack(self.dtype), self.space.kept
        views = self.space.views(buffers)
        lines = {n: stack.array(n, self.sized[b.name]) for n, b in buffers.items()}
        return [lines[n] or view for n, view in views.items()]

    def _sizes(self) -> list[str]:
        """The expected extents as numbers, and the arguments as arrays of such lengths."""
        lines = [f"{self.extent[e.key]} = {size_of(self.plan.axes, e.key)}" for e in self.plan.extents]
        for tensor in dict.fromkeys((*self.plan.inputs, *self.plan.outputs)):
            if tensor.rank:
                lines.append(shaped(self.arrays[tensor.name], self.sized[tensor.name]))
        return lines

    def _plain(self, expr: sympy.Expr) -> sympy.Expr:
        return expr.xreplace({k: sympy.Symbol(v, integer=True) for k, v in self.extent.items() if k.is_Symbol})

    def _scalar_inputs(self) -> list[str]:
        return [
            f"{self.locals[t.element()]} = {self.arrays[t.name]}[0]"
            for t in self.plan.inputs
            if t.rank == 0 and not is_number(t)
        ]

    def scalar_outputs(self, outputs: tuple[str, ...]) -> list[str]:
        """The lines that store outputs that are one number."""
        tensors = [self.plan.definition.tensors[n] for n in outputs]
        return [f"{self.arrays[t.name]}[0] = {self.locals[t.element()]}" for t in tensors if t.rank == 0]

    def shape_of(self, tensor: Tensor) -> list[str]:
        return [self.extent_of(i) for i in tensor.indices]

    def extent_of(self, index: Index) -> str:
        return self.lengths.get(index) or self.extent[self.plan.axes.key(index)]

    # ── items ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _item(self, item: Item) -> tuple[list[str], list[str]]:
        """The equations that it computes, as comments, and its lines."""
        if isinstance(item, Multiplied):
            return [f"# {item.source}"], self._product(item)
        notes = [f"# {s}" for s in dict.fromkeys(s.source for s in statements_in(item))]
        return notes, self._nest(item) if isinstance(item, Loop) else self._scope((), (item,), {})

    def _nest(self, loop: Loop) -> list[str]:
        """The lines of a nest."""
        return self._loop(loop, (), {})

    def _apart(self, item: Item, notes: list[str], lines: list[str]) -> list[str]:
        """The lines as a call of a function of their own, if the program has such and they are more than a number."""
        if self.kernels is None or (isinstance(item, Statement) and not any(e.subscripts for e in item.reads)):
            return lines
        last = item if isinstance(item, Multiplied) else [*statements_in(item)][-1]
        views = self.space.views(dict.fromkeys(n for line in lines for n in names_in(line)))
        given = {n: t for n, t in self._types().items() if n not in views}
        return self.kernels.call(self.arrays[last.out.name], notes, [*views.values(), *lines], given)

    def _types(self) -> dict[str, str]:
        """What lines may use that stands outside of them, with its type."""
        types = {"work": array_type(self.dtype, 1)}
        for buffer in self.plan.buffers:
            number = "int64" if buffer.tensor.integer else self.dtype
            local = self.locals.get(buffer.tensor.element(), "")
            types |= {self.arrays[buffer.name]: array_type(number, max(buffer.tensor.rank, 1)), local: number}
        types |= {s.name: self.dtype for s in self.invariants.found.values()}
        return types | dict.fromkeys((*self.extent.values(), *self.space.starts), "int64")

    def argument_types(self) -> list[str]:
        """The types of the arguments of the function, as Numba writes them."""
        inputs = list(self.plan.inputs)
        outputs = [t for t in self.plan.outputs if t not in inputs]
        found = []
        for tensor in dict.fromkeys((*inputs, *outputs)):
            kind = "int64" if tensor.integer else self.dtype
            found.append(kind if is_number(tensor) else array_type(kind, max(tensor.rank, 1)))
        return [*found, array_type(self.dtype, 1)]

    def _loop(self, loop: Loop, around: tuple[Index, ...], known: dict[Element, str]) -> list[str]:
        if self.joins and (row := row_of(loop, self.plan.axes, self.cut.__contains__)) is not None:
            return self._row(row, around, known)
        name = self.text[loop.index] = self.names.loop(loop.index.name, [self.text[i] for i in around])
        loads = {e: self._variable(e, around) for e in fixed_reads(loop) if e not in known}
        before = [f"{v} = {self.access(e)}" for e, v in loads.items()]
        known = {**known, **loads}
        outer, fixed = self.lifting, {sympy.Symbol(v, real=True) for v in known.values()}
        self.lifting = Invariants(lambda s: s in fixed, self.names)
        inside = (*around, loop.index)
        guards = [g for g in common(loop) if g not in self.held and set(indices_in(g)) <= set(inside)]
        values, held = loop_range(loop, self.extent_of(loop.index), guards, self._subscript)
        if not values.startswith(("range(0,", f"range({self.extent_of(loop.index)})")):
            self.cut.add(loop.index)
        self.running = {s.out: self._accumulator(s, around, known) for s in accumulated(loop)}
        running = self.running.values()
        before += [line for a in running for line in a.before()]
        after = [line for a in running for line in a.after()]
        with self._holding(held):
            body = self._scope(inside, loop.children, known)
        self.running = {}
        before += self.lifting.lines(self.printer)
        self.lifting = outer
        return [*before, f"for {name} in {self._values(loop, values)}:", *indented(body), *after]

    def _row(self, row: Row, around: tuple[Index, ...], known: dict[Element, str]) -> list[str]:
        """Several loops as one, over arrays with fewer axes."""
        arrays, views = self.arrays, list[str]()
        self.arrays = dict(arrays)
        self.lengths[row.loop.index] = "*".join(self.extent_of(i) for i in row.run)
        for tensor, made in row.tensors.items():
            if self.plan.by_name[tensor.name].kind != "scalar":
                name = self.arrays[tensor.name] = self.names.new(f"{arrays[tensor.name]}_row")
                shape = [*self.shape_of(tensor)[: -len(row.run)], self.extent_of(made.indices[-1])]
                views.append(f"{name} = {JOINED}({arrays[tensor.name]}, {tuple_of(shape)})")
        lines = self._loop(row.loop, around, known)
        self.arrays = arrays
        return [*views, *lines]

    def _values(self, loop: Loop, values: str) -> str:
        """The values of a loop, as source: all of them, unless the emitter shares them out."""
        return values

    def _accumulator(self, statement: Statement, around: tuple[Index, ...], known: dict[Element, str]) -> Accumulator:
        out = statement.out
        variable = self.locals.get(out) or known.get(out)
        unordered = self.names.new(f"{self.arrays[out.name]}_unordered") if statement.op == "max" else ""
        if variable is not None:
            return Accumulator(variable, statement.op, unordered=unordered)
        return Accumulator(self._variable(out, around), statement.op, self.access(out), unordered)

    def _scope(self, around: tuple[Index, ...], children: tuple[Node, ...], known: dict[Element, str]) -> list[str]:
        """The children of a loop in order; runs of statements become blocks, and finished variables are stored."""
        variables = {e: self._variable(e, around) for e in promoted(around, children).values() if e.subscripts}
        last = {e: max(k for k, c in enumerate(children) if _writes(c, e)) for e in variables}
        outside, lines = self.gathered, self._gathers(around, children)
        k = 0
        while k < len(children):
            run = [children[k]]
            while isinstance(run[0], Statement) and k + len(run) < len(children):
                if not isinstance(follower := children[k + len(run)], Statement):
                    break
                run.append(follower)
            statements = [c for c in run if isinstance(c, Statement)]
            if statements:
                lines += self._block(statements, known, variables)
                known = {**known, **{s.out: variables[s.out] for s in statements if s.out in variables}}
            elif isinstance(run[0], Windowed):
                lines += self._windowed(run[0])
            elif isinstance(run[0], Loop):
                guards = testable(self._untested(common(run[0])), around)
                with self._holding(guards):
                    inner = self._loop(run[0], around, known)
                lines += self._tested(guards, inner, known)
            k += len(run)
            for element in [e for e, at in last.items() if at < k]:
                del last[element]
                if self._needed_outside(element.name, children):
                    lines.append(f"{self.access(element)} = {variables[element]}")
        self.gathered = outside
        return lines

    def _gathers(self, around: tuple[Index, ...], children: tuple[Node, ...]) -> list[str]:
        """Data that subscripts in these children, read once: for all LLVM knows, a store in between might change it."""
        lines: list[str] = []
        for element in gathers_in(children):
            plain = all(isinstance(s, Index) for s in element.subscripts) and element.subscripts
            if plain and set(element.subscripts) <= set(around) and element not in self.gathered:
                name = self._variable(element, around)
                lines.append(f"{name} = {self.access(element)}")
                self.gathered = {**self.gathered, element: name}
        return lines

    def _needed_outside(self, name: str, children: tuple[Node, ...]) -> bool:
        """Whether a variable has to be stored: it is an output, or something outside this loop reads it."""
        inside = sum(e.name == name for c in children for s in statements_in(c) for e in s.reads)
        return self.plan.by_name[name].kind == "output" or self.reads[name] > inside

    def _variable(self, element: Element, around: tuple[Index, ...]) -> str:
        suffix = "".join(self.text[i] for i in around if i in element.subscripts)
        return self.names.new(f"{self.arrays[element.name]}_{suffix}")


def _read_names(item: Item) -> list[str]:
    if isinstance(item, Multiplied):
        return [item.left.tensor.name, item.right.tensor.name]
    return [e.name for s in statements_in(item) for e in s.reads]


def _writes(node: Node, element: Element) -> bool:
    return any(s.out == element for s in statements_in(node))
