"""A specification of plans: `check_plan` raises on one that would compute something else than its equations.

It is written from what a plan must satisfy, and shares no code with scheduling, fusion or liveness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy

from symdl.compilation.plan import Buffer, Item, Loop, Plan, statements_in
from symdl.compilation.statements import Contraction, Operand, Statement, Windowed
from symdl.core.functions import InRange
from symdl.core.guards import guarded, stays_within
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, elements_in
from symdl.errors import CrossCheckError


def check_plan(plan: Plan) -> None:
    """Raise the first thing that is wrong with a plan.

    Every element is written as a whole before it is read and finished where it is read; tensors that share memory are
    never alive together; every output is written; loops have the lengths of the axes that they subscript.

    Raises:
        CrossCheckError: with the tensor and the item.
    """
    _Checker(plan).run()


@dataclass(frozen=True)
class _Write:
    """A write that happened: of which element, in which loops (outermost first), in which item."""

    out: Element
    op: str
    loops: tuple[Index, ...]
    item: int


def _protected(statement: Statement) -> Iterator[tuple[Element, frozenset[sympy.Expr]]]:
    """The elements that a statement reads, each with the guards that have been tested before it is read.

    A guard of the statement is tested after those that stand before it.
    """
    tested: frozenset[sympy.Expr] = frozenset()
    for guard in statement.guards:
        yield from guarded(guard, tested)
        tested |= {guard}
    for subscript in statement.out.subscripts:
        yield from guarded(subscript, tested)
    yield from guarded(statement.body, tested)
    if statement.op:
        yield statement.out, tested


def _guards(guard: sympy.Expr, subscript: sympy.Expr, axis: Index) -> bool:
    """Whether `guard` is [0 ≤ subscript < extent of the axis]."""
    if not isinstance(guard, InRange):
        return False
    return bool(sympy.expand(guard.args[0] - subscript) == 0 and sympy.expand(guard.args[1] - axis.extent) == 0)


@dataclass
class _Checker:
    plan: Plan
    written: dict[str, list[_Write]] = field(default_factory=dict)
    holder: dict[int, str] = field(default_factory=dict)
    item: int = 0
    loops: tuple[Index, ...] = ()
    finished: set[str] = field(default_factory=set)  # what something else has read
    time: dict[str, int] = field(default_factory=dict)  # in a loop in time: which axis of what it writes is time
    promised: set[str] = field(default_factory=set)  # what was read of other times
    direction: int = 0
    partial: dict[str, Statement] = field(default_factory=dict)  # what is stored under conditions so far

    def run(self) -> None:
        self.buffers = self.plan.by_name
        self.pinned = self.plan.axes.pinned()
        for tensor in self.plan.definition.inputs:
            self.written[tensor.name] = []
        for position, item in enumerate(self.plan.items):
            self.item = position
            self._visit(item)
        for store in self.partial.values():
            self._fail(f"{store.out} is not stored everywhere")
        given = {t.name for t in self.plan.definition.inputs}
        for output in self.plan.definition.outputs:
            if output not in given and not self.written.get(output):
                self._fail(f"output {output} is never written")
            if output not in given and self._buffer(output).kind not in ("output", "scalar"):
                self._fail(f"output {output} is not kept where the caller finds it")

    def _visit(self, node: Item) -> None:
        if isinstance(node, Contraction):
            self._product(node)
        elif isinstance(node, Windowed):
            self._windowed(node)
        elif isinstance(node, Statement):
            self._statement(node)
        else:
            self._loop(node)

    def _loop(self, loop: Loop) -> None:
        if loop.index in self.loops:
            self._fail(f"two nested loops share the index {loop.index}")
        outside, self.loops = self.loops, (*self.loops, loop.index)
        if loop.direction:
            self._recurrence(loop)
        for child in loop.children:
            self._visit(child)
        self.loops = outside
        if loop.direction:
            self._remembered(loop)

    def _recurrence(self, loop: Loop) -> None:
        """A loop in time is outermost, and everything in it is written at its own time."""
        if len(self.loops) > 1:
            self._fail(f"the loop in time over {loop.index} stands within another")
        for statement in statements_in(loop):
            axes = [a for a, s in enumerate(statement.out.subscripts) if s == loop.index]
            if len(axes) != 1 or self.time.setdefault(statement.out.name, axes[0]) != axes[0]:
                self._fail(f"{statement.out} is not written at one time")
        self.direction = loop.direction

    def _remembered(self, loop: Loop) -> None:
        """What was read of other times has been written in this loop and kept."""
        for name in self.promised:
            if not any(w.item == self.item and not w.op for w in self.written.get(name, [])):
                self._fail(f"{name} is read at another time, and never stored")
            self._alive(name)
        self.promised, self.time = set(), {}

    def _of_another_time(self, element: Element) -> bool:
        """Whether the element belongs to the loop in time around it, at a time that is done already."""
        if element.name not in self.time:
            return False
        offset = sympy.expand(element.subscripts[self.time[element.name]] - self.loops[0])
        if not offset.is_Integer:
            self._fail(f"{element} is read at a time that can't be told")
        if offset * self.direction > 0:
            self._fail(f"{element} is read before its time")
        return bool(offset != 0)

    def _statement(self, statement: Statement) -> None:
        if set(statement.loops) != set(self.loops):
            self._fail(f"{statement.out} stands in other loops than it needs")
        for element, guards in _protected(statement):
            self._read(element, statement)
            self._there(element, guards)
            self._ranges(element, guards)
        self._ranges(statement.out, frozenset(statement.guards), written=True)
        if not statement.op and any(not isinstance(s, Index) for s in statement.out.subscripts):
            self._fail(f"{statement.out} is stored at a computed place")
        if not statement.op:
            self._stored(statement)
        if not statement.op and set(statement.out.subscripts) != set(self.loops):
            self._fail(f"{statement.out} is stored more than once")
        if statement.op and not self.written.get(statement.out.name):
            self._fail(f"{statement.out} is accumulated before it has a start value")
        self._write(_Write(statement.out, statement.op, self.loops, self.item))

    def _stored(self, statement: Statement) -> None:
        """What is stored under conditions at first is stored everywhere later."""
        if statement.guards and self.written.get(statement.out.name):
            self._fail(f"{statement.out} is stored again under conditions")
        if statement.guards:
            self.partial[statement.out.name] = statement
        else:
            self.partial.pop(statement.out.name, None)

    def _there(self, element: Element, guards: frozenset[sympy.Expr]) -> None:
        """What is stored under conditions is read under them."""
        if (store := self.partial.get(element.name)) is not None:
            same = dict(zip(store.out.subscripts, element.subscripts, strict=True))
            if not {g.xreplace(same) for g in store.guards} <= guards:
                self._fail(f"{element} is read where it is not stored")

    def _read(self, element: Element, statement: Statement | Windowed) -> None:
        if self._of_another_time(element):
            self.promised.add(element.name)
            return
        self._alive(element.name)
        if element != statement.out:
            self.finished.add(element.name)
        for write in self.written[element.name]:
            if self._adds(write, element, statement):
                continue
            if (write.item == self.item and element != write.out) or self._unfinished(write, element, statement):
                shared = [i for i in write.loops if i in self.loops]
                if any(not self._same_place(write, element, i) for i in shared):
                    self._fail(f"{element} is read before it is finished")

    def _adds(self, write: _Write, element: Element, statement: Statement | Windowed) -> bool:
        """Whether both add to places of one tensor, in whatever order, the same place or others."""
        adds = bool(write.op) and write.op == statement.op and element == statement.out
        return adds and element not in elements_in(statement.body)

    def _unfinished(self, write: _Write, element: Element, statement: Statement | Windowed) -> bool:
        """An accumulation in progress may be read only by the accumulations themselves."""
        still = write.item == self.item and any(i in self.loops for i in write.loops if i not in write.out.subscripts)
        return bool(write.op) and still and not (statement.op == write.op and statement.out == element)

    def _same_place(self, write: _Write, element: Element, index: Index) -> bool:
        return any(a == index and b == index for a, b in zip(write.out.subscripts, element.subscripts, strict=True))

    def _product(self, item: Contraction) -> None:
        if len(set(item.loops)) < len(item.loops) or set(item.result.at) != set(item.loops):
            self._fail(f"the product {item.out.name} is stored more than once")
        for operand, rows, columns in (
            (item.left, item.rows, item.inner),
            (item.right, item.inner, item.columns),
            (item.result, item.rows, item.columns),
        ):
            self._slice(operand, item)
            self._there(operand.tensor.element(), frozenset())
            axes = operand.tensor.indices[len(operand.at) :]
            leading, trailing = axes[: operand.leading], axes[operand.leading :]
            found = (trailing, leading) if operand.transposed else (leading, trailing)
            key = self.plan.axes.key
            if [tuple(map(key, side)) for side in found] != [tuple(map(key, side)) for side in (rows, columns)]:
                self._fail(f"{operand.tensor.name} has not the shape that its product needs")
        for name in (item.left.tensor.name, item.right.tensor.name):
            self._alive(name)
            self.finished.add(name)
        if item.out.name in (item.left.tensor.name, item.right.tensor.name):
            self._fail(f"{item.out.name} is overwritten while it is read")
        self._write(_Write(item.out.element(), "", (), self.item))

    def _windowed(self, item: Windowed) -> None:
        """Every entry is stored once, operands stay within their axes, and what is a run in memory is one."""
        result = (*self.loops, *item.loops, item.row, *(item.run if item.across else item.columns))
        if sorted(item.out.subscripts, key=str) != sorted(result, key=str) or len(set(item.indices)) < len(
            item.indices
        ):
            self._fail(f"the product {item.out.name} is not stored once everywhere")
        outside, self.loops = self.loops, (*self.loops, *item.indices)
        for element in (item.left, item.right, item.out):
            self._ranges(element, frozenset(item.guards))
        self.loops = outside
        if set(indices_in(item.left)) & set(item.columns) or item.row in indices_in(item.right):
            self._fail(f"the operands of {item.out.name} do not have the indices that they should")
        if item.across and set(indices_in(item.left)) & set(item.run):
            self._fail(f"the left operand of {item.out.name} changes along the run of the right one")
        if {i for g in item.guards for i in indices_in(g)} & {item.row, *item.columns, *item.run}:
            self._fail(f"a guard of {item.out.name} depends on what is not looped over")
        for element in (item.right, item.out if item.across else item.left):
            self._stands_side_by_side(element, item.run)
        if not item.across:
            self._stands_side_by_side(item.out, item.columns)
        for element in item.reads:
            self._read(element, item)
            self._there(element, frozenset(item.guards))
        if item.out.name in (item.left.name, item.right.name):
            self._fail(f"{item.out.name} is overwritten while it is read")
        self._write(_Write(item.out, "", self.loops, self.item))

    def _stands_side_by_side(self, element: Element, run: tuple[Index, ...]) -> None:
        """The next value of the last index is the next number, and that of each other one the end of those after it."""
        lengths = {
            i: sympy.Dummy(str(i), positive=True) for i in {self.plan.axes.key(i) for i in element.tensor.indices}
        }
        step, places = sympy.S.One, sympy.S.Zero
        for axis, subscript in reversed([*zip(element.tensor.indices, element.subscripts, strict=True)]):
            places += step * subscript
            step *= lengths[self.plan.axes.key(axis)]
        step = sympy.S.One
        for index in reversed(run):
            if sympy.expand(sympy.expand(places).coeff(index, 1) - step) != 0:
                self._fail(f"{element} is no run along {index}")
            step *= lengths.get(self.plan.axes.key(index), sympy.Dummy())

    def _slice(self, operand: Operand, item: Contraction) -> None:
        """The loops of a product that subscript the first axes of an operand have the lengths of those axes."""
        for axis, subscript in zip(operand.tensor.indices, operand.at, strict=False):
            if subscript not in item.loops:
                self._fail(f"{operand.tensor.name} uses the index {subscript} outside its loop")
            if self.plan.axes.key(subscript) != self.plan.axes.key(axis):
                self._fail(f"the loop over {subscript} has not the length of axis {axis} of {operand.tensor.name}")

    def _alive(self, name: str) -> None:
        if name not in self.written:
            self._fail(f"{name} is read before it is written")
        slot = self._buffer(name).slot
        if slot is not None and self.holder.get(slot) != name:
            self._fail(f"{name} was overwritten by {self.holder.get(slot)} before it is read")

    def _write(self, write: _Write) -> None:
        name = write.out.name
        if name in self.finished:
            self._fail(f"{name} is written after it was read")
        if name in {t.name for t in self.plan.definition.inputs}:
            self._fail(f"input {name} is overwritten")
        slot = self._buffer(name).slot
        if slot is not None:
            if (write.op or self.written.get(name)) and self.holder.get(slot) != name:
                self._fail(f"{name} was overwritten by {self.holder.get(slot)} before it is finished")
            self.holder[slot] = name
        self.written.setdefault(name, []).append(write)

    def _ranges(self, element: Element, guards: frozenset[sympy.Expr], *, written: bool = False) -> None:
        """Every subscript stays within its axis: as a loop of that length, by its bounds, or by a guard in force.

        What is read through a gather is checked when arrays come in; what is written through one has to be guarded.
        """
        for axis, subscript in zip(element.tensor.indices, element.subscripts, strict=True):
            outside = [i for i in indices_in(subscript) if i not in self.loops]
            if outside:
                self._fail(f"{element} uses the index {outside[0]} outside its loop")
            if isinstance(subscript, Index) and subscript.extent == axis.extent:
                if not self._alike(subscript, axis):
                    self._fail(f"the loop over {subscript} has not the length of axis {axis} of {element}")
            elif isinstance(subscript, Element) and not written:
                continue
            elif subscript.atoms(Element):
                if not any(_guards(g, subscript, axis) for g in guards):
                    self._fail(f"{element} can leave axis {axis}")
            elif not stays_within(subscript, axis.extent, guards):
                self._fail(f"{element} can leave axis {axis}")

    def _alike(self, loop: Index, axis: Index) -> bool:
        """Whether a loop has the length of an axis whatever the arrays are: by its group, or because both are fixed."""
        keys = {self.plan.axes.key(loop), self.plan.axes.key(axis)}
        return len(keys) == 1 or (loop.extent == axis.extent and keys <= self.pinned)

    def _buffer(self, name: str) -> Buffer:
        if name not in self.buffers:
            self._fail(f"{name} has no buffer")
        return self.buffers[name]

    def _fail(self, what: str) -> None:
        raise CrossCheckError(what, where=f"the plan of {self.plan.definition.name}, item {self.item}")
