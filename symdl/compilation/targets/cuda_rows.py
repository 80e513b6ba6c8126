"""Blocks of rows on a GPU: a loop over them around the items that they share, and where a block of a tensor lies."""

from __future__ import annotations

from dataclasses import dataclass

from symdl.compilation.fusion import Item, item_reads, item_writes
from symdl.compilation.plan import Plan
from symdl.compilation.rowblocks import RowBlocks, roles
from symdl.compilation.statements import Contraction, Operand
from symdl.compilation.targets.emit import Emitter
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor


@dataclass(frozen=True)
class Blocked:
    """The items of a plan that run for one block of rows after the other."""

    blocks: RowBlocks
    items: tuple[Item, ...]


def touched(item: Item | Blocked) -> tuple[set[str], set[str]]:
    """The tensors that an item or its blocks read, and those that they write."""
    items = item.items if isinstance(item, Blocked) else (item,)
    return set[str]().union(*map(item_reads, items)), set[str]().union(*map(item_writes, items))


def touched_by(item: Item | Blocked, after: Item | None) -> tuple[set[str], set[str]]:
    """The same for an item and one that runs with it."""
    found = [touched(i) for i in (item, after) if i is not None]
    return set[str]().union(*(r for r, _ in found)), set[str]().union(*(w for _, w in found))


def in_blocks(plan: Plan) -> tuple[Item | Blocked, ...]:
    """The items of a plan, those that run by blocks of rows together."""
    found: list[Item | Blocked] = []
    end = 0
    for blocks in plan.blocks:
        found += [*plan.items[end : blocks.first], Blocked(blocks, plan.items[blocks.first : blocks.stop])]
        end = blocks.stop
    return (*found, *plan.items[end:])


@dataclass(frozen=True)
class Now:
    """The block that code is emitted for: its first row and how many rows it has, as source."""

    blocks: RowBlocks
    first: str
    count: str


class RowEmitter(Emitter):
    """Emits accesses to rows, of which some tensors have but a block."""

    def __init__(self, plan: Plan, dtype: str) -> None:
        self.kept_rows: dict[str, tuple[int, str]] = {}  # by tensor: which axis, and how many a block has
        self.now: Now | None = None
        self.row = ""  # what counts the rows of the block at hand
        super().__init__(plan, dtype)
        self.row_lines = self._name_rows()

    # ── lengths ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _name_rows(self) -> list[str]:
        """The lines that say how many rows of each block are kept."""
        lines: list[str] = []
        known: dict[str, str] = {}
        for blocks in self.plan.blocks:
            most = f"min({blocks.rows}, {self.extent_of(blocks.index)})"
            if most not in known:
                known[most] = self.names.new("rows_of_a_block")
                lines.append(f"{known[most]} = {most}")
            self.kept_rows |= {name: (axis, known[most]) for name, axis in blocks.axes.items()}
        return lines

    def shape_of(self, tensor: Tensor) -> list[str]:
        """The lengths of a tensor, or of the block that there is of it."""
        shape = super().shape_of(tensor)
        if tensor.name in self.kept_rows:
            axis, most = self.kept_rows[tensor.name]
            shape[axis] = most
        return shape

    # ── the rows of the block at hand ────────────────────────────────────────────────────────────────────────────

    def _counted(self, index: Index, name: str) -> tuple[str, list[str]]:
        """What counts an index from 0 on, and the lines behind it: a row of a block is one of the whole tensor too."""
        if self.now is None or index != self.now.blocks.index:
            return name, []
        self.row = self.names.loop(f"{name}_here", [])
        return self.row, [f"{name} = {self.now.first} + {self.row}"]

    def _within(self, element: Element, texts: list[str]) -> list[str]:
        """The subscripts of an element in what there is of its tensor."""
        if self.now is None or element.name not in self.now.blocks.axes:
            return texts
        axis = self.kept_rows[element.name][0]
        return [*texts[:axis], self.row, *texts[axis + 1 :]]

    def _row_role(self, item: Contraction) -> tuple[str, int] | None:
        """Which index of a product counts the rows of the block at hand."""
        if self.now is None:
            return None
        axes = self.now.blocks.axes
        operands = (item.left, item.right, item.result)
        return next((roles(item, o)[axes[o.tensor.name]] for o in operands if o.tensor.name in axes), None)

    def _first_row(self, item: Contraction, operand: Operand) -> str:
        """How far into a matrix the block at hand begins, in numbers."""
        role, of_operand = self._row_role(item), roles(item, operand)
        if self.now is None or role not in of_operand or operand.tensor.name in self.now.blocks.axes:
            return ""
        after = self.shape_of(operand.tensor)[of_operand.index(role) + 1 :]
        return "*".join([self.now.first, *after])


__all__ = ["Blocked", "Now", "RowEmitter", "in_blocks", "touched", "touched_by"]
