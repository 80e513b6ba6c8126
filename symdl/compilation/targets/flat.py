"""Functions with lengths in their code, whose pointwise equations run over whole arrays as rows of numbers.

Four rows of eight tanh are two vectors of sixteen that way; as loops of eight LLVM unrolls them before it looks for
vectors, and they stay scalar. Where the numbers fill vectors, and every function has a form for them, they are vectors
from the start (see `lanes`): tables in registers take half as long as polynomials.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import sympy

from symdl.compilation.fusion import SHORT, Loop, Node, is_flat, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Statement
from symdl.compilation.targets.emit import Emitter, Function
from symdl.compilation.targets.lanes import TAKEN, VECTORS, for_lanes, used
from symdl.compilation.targets.products import tiles
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

    taken = TAKEN

    def __init__(self, plan: Plan, dtype: str, shapes: Shapes) -> None:
        super().__init__(plan, dtype, sized=shapes)

    def function(self, name: str) -> Function:
        """As any function; how much work space it takes is a number."""
        made = super().function(name)
        return replace(made, size_lines=(made.size_lines[0], f"    return {self.space.numbers(self.sized)}"))

    def _nest(self, loop: Loop) -> list[str]:
        statements = [s for s in statements_in(loop) if isinstance(s, Statement) and is_flat(s, self.plan.axes)]
        if len(statements) < len([*statements_in(loop)]):
            return super()._nest(loop)
        size = prod(self.sized[statements[0].out.name])
        width = flat_width(self.dtype)
        if width and size % width == 0:
            lines = self._in_rows(statements, size // width, f"_{VECTORS}")
            if used("\n".join(made := for_lanes(lines)), self.dtype, width) is not None:
                return made
        long = self.sized[statements[0].out.name][-1] >= SHORT
        return super()._nest(loop) if long else self._in_rows(statements, size, "_flat")

    def _in_rows(self, statements: list[Statement], count: int, kind: str) -> list[str]:
        """A loop over rows of so many numbers or vectors."""
        index = Index("e", sympy.Integer(count))
        self.lengths[index] = str(count)
        tensors = {
            e.tensor: Tensor(e.name, (index,), e.tensor.role, integer=e.tensor.integer)
            for s in statements
            for e in (*elements_in(s.body), s.out)
            if e.subscripts
        }
        before = self.arrays
        self.arrays = before | {t.name: self.names.new(f"{before[t.name]}{kind}") for t in tensors}
        views = [self._as_row(self.arrays[t.name], before[t.name], prod(self.sized[t.name]), kind) for t in tensors]
        children: tuple[Node, ...] = tuple(_in_a_row(s, tensors, index) for s in statements)
        lines = super()._nest(Loop(index, children))
        self.arrays = before
        return [*views, *lines]

    def _as_row(self, name: str, array: str, size: int, kind: str) -> str:
        """The line that takes an array for a row."""
        row = flat(array, "0", str(size))
        return f"{name} = {VECTORS}({row})" if kind != "_flat" else f"{name} = {row}"


def flat_width(dtype: str) -> int:
    """The lanes of a vector; 0 where the vectors of this processor are not known."""
    made = tiles(dtype)
    return made.lanes if made is not None else 0


def _in_a_row(statement: Statement, tensors: dict[Tensor, Tensor], index: Index) -> Statement:
    """The statement for one number after the other."""
    places = {e: tensors[e.tensor][index] for e in (*elements_in(statement.body), statement.out) if e.subscripts}
    return Statement(places[statement.out], statement.body.xreplace(places), "", (index,), statement.source)
