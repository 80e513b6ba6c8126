"""Functions with lengths in their code, whose pointwise equations run over whole arrays as rows of numbers.

Four rows of eight tanh are two vectors of sixteen that way; as loops of eight LLVM unrolls them before it looks for
vectors, and they stay scalar: 2-8-1 with batches of 4 takes five times as long.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import sympy

from symdl.compilation.fusion import Loop, Node, is_flat, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement
from symdl.compilation.targets.emit import Emitter, Function
from symdl.compilation.targets.sized import Shapes, flat
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

    def function(self, name: str) -> Function:
        """As any function; how much work space it takes is a number."""
        made = super().function(name)
        return replace(made, size_lines=(made.size_lines[0], f"    return {self.space.numbers(self.sized)}"))

    def _nest(self, loop: Loop) -> list[str]:
        statements = [*statements_in(loop)]
        if not all(is_flat(s, self.plan.axes) for s in statements):
            return super()._nest(loop)
        index = Index("e", sympy.Integer(prod(self.sized[statements[0].out.name])))
        self.lengths[index] = str(index.extent)
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
        lines = super()._nest(Loop(index, children))
        self.arrays = before
        return [*views, *lines]


def _in_a_row(statement: Statement, tensors: dict[Tensor, Tensor], index: Index) -> Statement:
    """The statement for one number after the other."""
    places = {e: tensors[e.tensor][index] for e in (*elements_in(statement.body), statement.out) if e.subscripts}
    return Statement(places[statement.out], statement.body.xreplace(places), "", (index,), statement.source)
