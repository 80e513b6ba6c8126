"""Rows of large tensors a block at a time: attention over many places without ever holding its matrix of scores.

The scores z[n,h,t,s] = Σ_e q[n,h,t,e] k[n,h,s,e] of long sequences, what softmax makes of them and the slopes of both
are larger than everything else together; but all that becomes of a row of them needs that row alone. So the items that
touch such tensors run for a block of rows after the other, and only a block of each exists. What sums over the rows
(the slopes of the keys and values) adds a part for each block. Where the slopes need what went before, it is computed
once more, from what is small.

After: T. Dao, D. Fu, S. Ermon, A. Rudra, C. Ré, "FlashAttention", 2022, which does so within one kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from symdl.compilation.extents import Axes
from symdl.compilation.fusion import Item, Loop, Node, item_reads, item_writes, nest_of, renamed, statements_in
from symdl.compilation.parallel import owned
from symdl.compilation.statements import Contraction, Multiplied, Operand, Statement, statement
from symdl.core.equations import unused
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, elements_in

#: Numbers from which a tensor is computed a block of rows at a time: 128 MiB in float32.
LARGE = 2**25
#: Numbers that a block of one tensor has at most, unless its fewest rows have more. In blocks of 2**22, products of 32
#: rows of 8192 places kept an H100 waiting.
BLOCK = 2**24
#: So many times as many numbers as its factors together has a product that is worth it.
GROWN = 4
#: Rows of a block at least: fewer would leave a matrix product too little to do.
FEWEST = 32


@dataclass(frozen=True)
class RowBlocks:
    """Items of a plan that run for one block of rows after the other.

    Args:
        index: the row, in the nests among them; its length is that of all rows.
        rows: how many rows a block has; the last one may have fewer.
        axes: of each tensor of which only a block exists, by name: which axis its rows are.
        first, stop: the positions of the items.
    """

    index: Index
    rows: int
    axes: Mapping[str, int]
    first: int
    stop: int


def in_row_blocks(
    items: tuple[Item, ...], axes: Axes, kept: Collection[str]
) -> tuple[tuple[Item, ...], tuple[RowBlocks, ...]]:
    """The items in an order in which some can run by blocks of rows, and which of them do: those that touch tensors of
    `LARGE` numbers or more. Run one after the other, without blocks, they compute the same.

    Args:
        items: of a plan for threads, in order.
        axes: of the definition, with the extents that are expected.
        kept: names of inputs and outputs, which exist as a whole.
    """
    found: list[Item] = []
    blocks: list[RowBlocks] = []
    for item in _runs(items, axes, kept):
        if isinstance(item, _Run):
            stop = len(found) + len(item.children)
            blocks.append(RowBlocks(item.index, item.rows, item.axes, len(found), stop))
        found += _each(item)
    return tuple(found), tuple(blocks)


@dataclass(frozen=True)
class _Run:
    """What runs for one block after the other, before its place in the plan is known (see `RowBlocks`)."""

    index: Index
    rows: int
    axes: Mapping[str, int]
    children: tuple[Item, ...]


def _runs(items: tuple[Item, ...], axes: Axes, kept: Collection[str]) -> tuple[Item | _Run, ...]:
    found: tuple[Item | _Run, ...] = items
    size = partial(_size, axes)
    tensors = {t.name: t for item in items for t in _tensors(item) if t.name not in kept}
    for seed in [item.out for item in items if isinstance(item, Contraction) and item.out.name in tensors]:
        blocked = any(seed.name in item.axes for item in found if isinstance(item, _Run))
        if not blocked and size(seed) >= LARGE and _grows(seed, items, size):
            alike = {n for n, t in tensors.items() if _lengths(t, axes) == _lengths(seed, axes)}
            made = (_Rows(found, axes, alike, seed.name, axis).result() for axis in range(seed.rank))
            found = next((m for m in made if m is not None), found)
    return found


def _lengths(tensor: Tensor, axes: Axes) -> list[str]:
    return sorted(str(axes.key(i)) for i in tensor.indices)


def _grows(tensor: Tensor, items: tuple[Item, ...], size: Callable[[Tensor], int]) -> bool:
    """Whether a tensor is a product of far smaller ones, from which it is soon computed again."""
    made = [i for i in items if isinstance(i, Contraction) and i.out == tensor]
    return all(size(tensor) >= GROWN * (size(i.left.tensor) + size(i.right.tensor)) for i in made)


def _size(axes: Axes, tensor: Tensor) -> int:
    return math.prod(map(axes.expected_size, tensor.indices))


class _Impossible(Exception):
    """These tensors have no rows that can be computed apart."""


class _Rows:
    """The attempt to compute `seed` by rows, which are its axis `axis`, and what of `large` goes with it."""

    def __init__(self, items: tuple[Item | _Run, ...], axes: Axes, large: set[str], seed: str, axis: int) -> None:
        self.items, self.axes, self.large = items, axes, large
        self.rows = {seed: axis}
        self.tensors = {t.name: t for item in items for each in _each(item) for t in _tensors(each)}
        self.names = set(self.tensors) | set(axes.definition.tensors)
        self.index = axes.fresh(self.tensors[seed].indices[axis])

    def result(self) -> tuple[Item | _Run, ...] | None:
        """The items with blocks among them; None where the rows depend on each other, or all fit into one block."""
        try:
            self._grow()
            return self._arranged()
        except _Impossible:
            return None

    # ── which tensors, and which of their axes are rows ──────────────────────────────────────────────────────────

    def _grow(self) -> None:
        """Tensors that stand in one item with those that are known, until there are no more."""
        known = 0
        while known < len(self.rows):
            known = len(self.rows)
            for item in self.items:
                if self._touches(item):
                    self._row_of(item)

    def _touches(self, item: Item | _Run) -> bool:
        return bool(_names(item) & set(self.rows))

    def _row_of(self, item: Item | _Run) -> Index | tuple[str, int]:
        """The index of the rows in a nest, or in a product which of its indices that is; notes tensors that have it."""
        if isinstance(item, Contraction):
            return self._role(item)
        if not isinstance(item, Loop) or item.direction:
            raise _Impossible
        elements = _elements(item)
        found = {e.subscripts[self.rows[e.name]] for e in elements if e.name in self.rows}
        (index, *others) = found
        if others or not isinstance(index, Index) or index not in _shared(item):
            raise _Impossible
        for element in elements:
            if element.name in self.large:
                self._note(element.name, [k for k, s in enumerate(element.subscripts) if s == index])
        return index

    def _role(self, item: Contraction) -> tuple[str, int]:
        """Which index of a product the rows are: one of its rows or of what it sums over, alone there."""
        found = [(o.tensor.name, roles(item, o)) for o in (item.left, item.right, item.result)]
        (role, *others) = {roles_of[self.rows[name]] for name, roles_of in found if name in self.rows}
        alone = len(item.rows if role[0] == "rows" else item.inner) == 1
        if others or role[0] not in ("rows", "inner") or not alone:
            raise _Impossible
        for name, roles_of in found:
            if name in self.large:
                self._note(name, [k for k, r in enumerate(roles_of) if r == role])
        return role

    def _note(self, name: str, places: list[int]) -> None:
        if len(places) != 1 or self.rows.setdefault(name, places[0]) != places[0]:
            raise _Impossible

    # ── what runs together ───────────────────────────────────────────────────────────────────────────────────────

    def _arranged(self) -> tuple[Item | _Run, ...]:
        size = max(_size(self.axes, self.tensors[n]) for n in self.rows)
        length = self.axes.expected_size(self.index)
        rows = max(2 ** int(math.log2(max(BLOCK * length // size, 1))), FEWEST)
        if rows >= length:
            raise _Impossible
        levels = self._levels()
        inside = [p for p, item in enumerate(self.items) if self._touches(item)]
        found: list[Item | _Run] = []
        for level in range(max(levels[p] for p in inside) + 1):
            found += [self.items[p] for p in levels if levels[p] == level and p not in inside]
            found += self._block(
                [p for p in inside if levels[p] == level], [p for p in inside if levels[p] < level], rows
            )
        rest = [p for p in levels if p not in inside and levels[p] > max(levels[q] for q in inside)]
        return (*found, *(self.items[p] for p in sorted(rest, key=lambda p: (levels[p], p))))

    def _levels(self) -> dict[int, int]:
        """After how many runs over all rows an item can run, or in which one."""
        inside = {p for p, item in enumerate(self.items) if self._touches(item)}
        levels: dict[int, int] = {}
        for p, item in enumerate(self.items):
            before = [q for q in range(p) if _conflicts(self.items[q], item)]
            waits = (levels[q] + (q in inside and not (p in inside and self._by_row(q, p))) for q in before)
            levels[p] = max(waits, default=0)
        return levels

    def _by_row(self, q: int, p: int) -> bool:
        """Whether one item needs of an earlier one what that computes in the same row only."""
        return all(
            name in self.rows or ((at := self._places(q, name)) is not None and at == self._places(p, name))
            for name in _conflicts(self.items[q], self.items[p])
        )

    def _places(self, position: int, name: str) -> tuple[int, ...] | None:
        """At which axis a small tensor has the row for a subscript, wherever the item touches it."""
        item = self.items[position]
        row = self._row_of(item)
        if isinstance(item, Contraction):
            operands = [o for o in (item.left, item.right, item.result) if o.tensor.name == name]
            found = {tuple(k for k, r in enumerate(roles(item, o)) if r == row) for o in operands}
        else:
            assert isinstance(item, Loop), "blocks touch no tensor of others"
            mentioned = [e for e in _elements(item) if e.name == name]
            found = {tuple(k for k, s in enumerate(e.subscripts) if s == row) for e in mentioned}
        return found.pop() if len(found) == 1 and () not in found else None

    # ── one run over all rows ────────────────────────────────────────────────────────────────────────────────────

    def _block(self, inside: list[int], earlier: list[int], rows: int) -> Iterator[Item | _Run]:
        """The start values of what the blocks add up, and the blocks."""
        again = self._again(inside, earlier)
        computed = dict.fromkeys(n for p in again for n in sorted(_writes(self.items[p])))
        names = {n: self._name(f"{n}_again") for n in computed}
        children: list[Item] = []
        for p in (*again, *inside):
            item = self.items[p]
            assert isinstance(item, Loop | Contraction)
            row = self._row_of(item)
            if isinstance(row, Index) and isinstance(item, Loop):
                item = renamed(item, {row: self.index})
            item = _with_tensors(item, {n: Tensor(new, self.tensors[n].indices) for n, new in names.items()})
            if isinstance(item, Contraction) and isinstance(row, tuple) and row[0] == "inner":
                start, *parts = self._added(item)
                yield start
                children += parts
            else:
                children.append(item)
        if children:
            touched = {names.get(n, n): a for n, a in self.rows.items()}
            used = set().union(*[_names(c) for c in children])
            yield _Run(self.index, rows, {n: a for n, a in touched.items() if n in used}, tuple(children))

    def _again(self, inside: list[int], earlier: list[int]) -> list[int]:
        """The earlier items that have to run once more for the rows that these ones read."""
        found: set[int] = set()
        waiting = list(inside)
        while waiting:
            reads = _reads(self.items[waiting.pop()]) & set(self.rows)
            more = {q for q in earlier if _writes(self.items[q]) & reads} - found
            found |= more
            waiting += more
        return sorted(found)

    def _added(self, item: Contraction) -> Iterator[Item]:
        """A product that sums over rows: its start, the part of a block, and its addition."""
        part = Tensor(self._name(f"{item.out.name}_of_rows"), item.out.indices)
        yield nest_of(statement(self.axes, item.out, part.element() * 0, "", (), item.source))
        yield replace(item, out=part)
        yield nest_of(statement(self.axes, item.out, part.element(), "sum", (), item.source))

    def _name(self, wanted: str) -> str:
        self.names.add(found := unused(wanted, self.names))
        return found


def roles(item: Contraction, operand: Operand) -> list[tuple[str, int]]:
    """For each axis of an operand: of which indices of the product it is one, and which."""
    sides = {id(item.left): ("rows", "inner"), id(item.right): ("inner", "columns")}.get(
        id(operand), ("rows", "columns")
    )
    loops = [("loops", item.loops.index(s)) for s in operand.at]
    leading, trailing = (sides[1], sides[0]) if operand.transposed else sides
    count = operand.tensor.rank - len(operand.at) - operand.leading
    return [*loops, *((leading, k) for k in range(operand.leading)), *((trailing, k) for k in range(count))]


def _shared(item: Loop) -> list[Index]:
    """The outer loops of a nest whose values all of its statements write apart."""
    statements = [s for s in statements_in(item) if isinstance(s, Statement)]
    found: list[Index] = []
    node: Node = item
    while isinstance(node, Loop) and all(node.index in owned(s) for s in statements):
        found.append(node.index)
        if len(node.children) > 1:
            break
        node = node.children[0]
    return found


def _conflicts(first: Item | _Run, second: Item | _Run) -> set[str]:
    """The tensors because of which one item has to run after another."""
    writes = _writes(second)
    return _writes(first) & (_reads(second) | writes) | _reads(first) & writes


def _each(item: Item | _Run) -> tuple[Item, ...]:
    return item.children if isinstance(item, _Run) else (item,)


def _writes(item: Item | _Run) -> set[str]:
    """The names of the tensors that an item or its blocks write."""
    return set[str]().union(*map(item_writes, _each(item)))


def _reads(item: Item | _Run) -> set[str]:
    return set[str]().union(*map(item_reads, _each(item)))


def _names(item: Item | _Run) -> set[str]:
    return _reads(item) | _writes(item)


def _elements(item: Loop) -> list[Element]:
    return [e for s in statements_in(item) for e in (*s.reads, s.out)]


def _tensors(item: Item) -> list[Tensor]:
    if isinstance(item, Multiplied):
        return [item.left.tensor, item.right.tensor, item.result.tensor]
    return [e.tensor for s in statements_in(item) for e in (*s.reads, s.out)]


def _with_tensors(item: Item, tensors: dict[str, Tensor]) -> Item:
    """The item with other tensors in the place of some."""
    if isinstance(item, Contraction):
        left, right = (replace(o, tensor=tensors.get(o.tensor.name, o.tensor)) for o in (item.left, item.right))
        return replace(item, left=left, right=right, out=tensors.get(item.out.name, item.out))
    assert isinstance(item, Loop)
    return _nest_with(item, tensors)


def _nest_with(item: Node, tensors: dict[str, Tensor]) -> Node:
    if isinstance(item, Loop):
        return replace(item, children=tuple(_nest_with(c, tensors) for c in item.children))
    assert isinstance(item, Statement)
    elements = [e for part in (item.body, *item.guards, item.out) for e in elements_in(part)]
    same = {e: tensors[e.name][e.subscripts] for e in elements if e.name in tensors}
    return replace(
        item,
        out=item.out.xreplace(same),
        body=item.body.xreplace(same),
        guards=tuple(g.xreplace(same) for g in item.guards),
    )


__all__ = ["RowBlocks", "in_row_blocks", "roles"]
