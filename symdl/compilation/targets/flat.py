"""Functions with lengths in their code, whose pointwise equations run over whole arrays as rows of numbers.

Four rows of eight tanh are two vectors of sixteen that way; as loops of eight LLVM unrolls them before it looks for
vectors, and they stay scalar: 2-8-1 with batches of 4 takes five times as long.
"""

from __future__ import annotations

from math import prod

import sympy

from symdl.compilation.fusion import Item, Loop, Node, is_flat, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement
from symdl.compilation.targets.emit import Emitter, Function
from symdl.compilation.targets.sized import Shapes, flat
from symdl.compilation.targets.workspace import ALIGNMENT
from symdl.core.indices import Index
from symdl.core.tensors import Tensor, elements_in


class FlatEmitter(Emitter):
    """Emits a function for the expected lengths from a plan that was made `flat`.

    Args:
        plan: of the gradient.
        dtype: of the program.
        shapes: of all tensors.
    """

    def __init__(self, plan: Plan, dtype: str, shapes: Shapes) -> None:
        super().__init__(plan, dtype, sized=shapes)
        self.lengths: dict[Index, int] = {}

    def function(self, name: str) -> Function:
        """As any function; how much work space it takes is a number."""
        made = super().function(name)
        slots: dict[int, int] = {}
        for buffer in self.space.kept.values():
            if buffer.slot is not None:
                size = -(-prod(self.sized[buffer.name]) // ALIGNMENT) * ALIGNMENT
                slots[buffer.slot] = max(slots.get(buffer.slot, 0), size)
        head = made.size_lines[0]
        return Function(name, made.inputs, made.outputs, made.lines, (head, f"    return {sum(slots.values())}"))

    def extent_of(self, index: Index) -> str:
        return str(self.lengths[index]) if index in self.lengths else super().extent_of(index)

    def _item(self, item: Item) -> tuple[list[str], list[str]]:
        if not isinstance(item, Loop) or not all(is_flat(s, self.plan.axes) for s in statements_in(item)):
            return super()._item(item)
        notes = [f"# {s}" for s in dict.fromkeys(s.source for s in statements_in(item))]
        statements = [*statements_in(item)]
        index = Index("e", sympy.Integer(prod(self.sized[statements[0].out.name])))
        self.lengths[index] = int(index.extent)
        tensors = {
            e.tensor: Tensor(e.name, (index,), e.tensor.role, integer=e.tensor.integer)
            for s in statements
            for e in (*elements_in(s.body), s.out)
            if e.subscripts
        }
        before = self.arrays
        self.arrays = before | {t.name: self.names.new(f"{before[t.name]}_flat") for t in tensors}
        views = [f"{self.arrays[t.name]} = {flat(before[t.name], '0', str(index.extent))}" for t in tensors]
        children: tuple[Node, ...] = tuple(_in_a_row(s, tensors, index) for s in statements)
        lines = self._loop(Loop(index, children), (), {})
        self.arrays = before
        return notes, [*views, *lines]


def _in_a_row(statement: Statement, tensors: dict[Tensor, Tensor], index: Index) -> Statement:
    """The statement for one number after the other."""
    places = {e: tensors[e.tensor][index] for e in (*elements_in(statement.body), statement.out) if e.subscripts}
    return Statement(places[statement.out], statement.body.xreplace(places), "", (index,), statement.source)
