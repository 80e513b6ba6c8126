"""The plan of a program: loop nests, matrix products and buffers, from which every target emits.

>>> from symdl.core.define import define, Input, Param, Sum, let, tanh
>>> @define
... def layer(x=Input("n i"), W=Param("j i"), b=Param("j")):
...     n, i = x.indices
...     j, _ = W.indices
...     s = let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
...     return let("h[n,j]", tanh(s[n, j]))
>>> plan = make_plan(layer, {"n": 64, "i": 64, "j": 64})
>>> [type(item).__name__ for item in plan.items]
['Contraction', 'Loop']
>>> [(b.name, b.kind, b.slot) for b in plan.buffers]
[('x', 'input', None), ('W', 'input', None), ('b', 'input', None), ('s', 'work', 0), ('h', 'output', None)]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from symdl.compilation.extents import Axes, Extent, Key, runtime_extents, sizes_from_names
from symdl.compilation.fusion import Item, Loop, item_reads, item_writes, readers, schedule, statements_in, writers
from symdl.compilation.liveness import assign_slots, scoped
from symdl.compilation.looporders import in_lanes
from symdl.compilation.lowering import lower
from symdl.compilation.parallel import spread
from symdl.compilation.reuse import keep_calls
from symdl.compilation.rowblocks import RowBlocks, in_row_blocks
from symdl.compilation.statements import Contraction, Multiplied, Windowed
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor

Kind = Literal["input", "output", "work", "scalar"]


@dataclass(frozen=True)
class Buffer:
    """Where a tensor is kept.

    Args:
        tensor: what it holds.
        kind: an argument that is read, an argument that is written, a piece of the work space, or a local variable
            (of rank 0, or one that lives within one loop).
        slot: of the work space; buffers that share one never live at the same time.
    """

    tensor: Tensor
    kind: Kind
    slot: int | None = None

    @property
    def name(self) -> str:
        return self.tensor.name


@dataclass(frozen=True)
class Plan:
    """An ordered program for the equations of `definition`.

    Args:
        definition: what it computes.
        items: nests and matrix products in order.
        buffers: one for each tensor that is used.
        extents: the lengths that it needs, and where it reads them.
        axes: which axes have the same length.
        blocks: which items run for blocks of rows, so that of some tensors only a block needs memory.
    """

    definition: Definition
    items: tuple[Item, ...]
    buffers: tuple[Buffer, ...]
    extents: tuple[Extent, ...]
    axes: Axes
    blocks: tuple[RowBlocks, ...] = ()

    @property
    def by_name(self) -> dict[str, Buffer]:
        return {b.name: b for b in self.buffers}

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The inputs that it reads, for values or for extents, in the order of the definition."""
        return tuple(b.tensor for b in self.buffers if b.kind == "input")

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        return tuple(self.definition.tensors[o] for o in self.definition.outputs)


def make_plan(
    definition: Definition,
    extents: Mapping[str, int] | None = None,
    *,
    products: bool = True,
    parallel: bool = False,
    flat: bool = False,
    windows: bool = False,
    lanes: bool = False,
) -> Plan:
    """Plan a definition for the given extents, by index name; the program runs on any.

    Without `products`, no sum becomes a matrix product. `parallel`: for threads that share the outer loops of a nest.
    `flat`: for functions with lengths in their code, functions of whole arrays in nests of their own. `windows`: with
    samples last in memory where windows slide over tensors. `lanes`: for vectors in place of numbers (see
    `targets.lanes`).

    Raises:
        UnsupportedError: an equation that no target compiles.
        DefinitionError, ShapeError: extents that do not belong to it.
    """
    axes = Axes(definition)
    axes.expected = sizes_from_names(axes, extents or {})
    units = lower(definition, axes, axes.expected_size, products, windows)
    units = spread(units, axes.expected_size) if parallel else units
    units = in_lanes(units, axes) if lanes else units
    items = keep_calls(schedule(units, axes, parallel, flat, lanes), definition.outputs)
    kept = {*definition.outputs, *(t.name for t in definition.inputs)}
    items, blocks = in_row_blocks(items, axes, kept) if parallel else (items, ())
    needed = runtime_extents(axes, _keys(definition, items, axes))
    local = scoped(_in_turn(items) if parallel else items)
    buffers = _buffers(definition, items, needed, local, axes, blocks)
    return Plan(definition, items, buffers, tuple(needed), axes, blocks)


def _in_turn(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items with those of one time in place of a loop over time: no thread keeps a value from one to the next."""
    return tuple(
        node for item in items for node in (item.children if isinstance(item, Loop) and item.direction else (item,))
    )


def _keys(definition: Definition, items: tuple[Item, ...], axes: Axes) -> list[Key]:
    """Every extent that loops, shapes or bodies mention, in order of appearance."""
    found: dict[Key, None] = {}
    for item in items:
        for statement in () if isinstance(item, Multiplied) else statements_in(item):
            found.update(dict.fromkeys(axes.key(i) for i in (*statement.loops, *statement.out.tensor.indices)))
            parts = (statement.body, *statement.out.subscripts, *statement.guards)
            symbols = {s for part in parts for s in part.free_symbols}
            found.update(dict.fromkeys(sorted((s for s in symbols if not isinstance(s, Index)), key=str)))
        if isinstance(item, Contraction):
            found.update(dict.fromkeys(axes.key(i) for i in (*item.loops, *item.rows, *item.columns, *item.inner)))
        if isinstance(item, Windowed):
            used = (e.tensor.indices for e in (item.left, item.right, item.out))
            found.update(dict.fromkeys(axes.key(i) for i in (*item.indices, *(i for axis in used for i in axis))))
            symbols = {s for g in item.guards for s in g.free_symbols if not isinstance(s, Index)}
            found.update(dict.fromkeys(sorted(symbols, key=str)))
    for name in definition.outputs:
        found.update(dict.fromkeys(axes.key(i) for i in definition.tensors[name].indices))
    return list(found)


def _buffers(
    definition: Definition,
    items: tuple[Item, ...],
    needed: list[Extent],
    local: set[str],
    axes: Axes,
    blocks: tuple[RowBlocks, ...],
) -> tuple[Buffer, ...]:
    tensors: dict[str, Tensor] = {}
    for item in items:
        if isinstance(item, Multiplied):
            found = [item.left.tensor, item.right.tensor, item.result.tensor]
        else:
            found = [t for s in statements_in(item) for t in (*(e.tensor for e in s.reads), s.out.tensor)]
        tensors.update({t.name: t for t in found})
    read_for_shape = {e.tensor for e in needed if e.tensor}
    buffers = [Buffer(t, "input") for t in definition.inputs if t.name in tensors or t.name in read_for_shape]
    given = {t.name for t in definition.inputs}
    slots = assign_slots(
        items,
        [
            t
            for t in tensors.values()
            if t.name not in given and t.name not in definition.outputs and t.rank and t.name not in local
        ],
        axes.expected_size,
        [(block.first, block.stop - 1) for block in blocks],
    )
    for tensor in tensors.values():
        if tensor.name in given:
            continue
        if tensor.name in definition.outputs:
            buffers.append(Buffer(tensor, "output"))
        elif tensor.name in slots:
            buffers.append(Buffer(tensor, "work", slots[tensor.name]))
        else:
            buffers.append(Buffer(tensor, "scalar"))
    return tuple(buffers)


__all__ = [
    "Buffer",
    "Item",
    "Kind",
    "Loop",
    "Plan",
    "item_reads",
    "item_writes",
    "make_plan",
    "readers",
    "statements_in",
    "writers",
]
