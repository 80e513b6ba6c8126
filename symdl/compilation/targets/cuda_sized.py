"""The gradient as a device function for the lengths that are expected: numbers in its code, all tensors in one array.

What stands in shared memory, and where, is known (see `cuda_places`), products take vectors (see `cuda_products`), and
what follows a product entry by entry is done by the thread that has its sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import cast

from symdl.compilation.fusion import Item, Loop, item_reads, item_writes, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction, Operand, Statement
from symdl.compilation.targets import cuda_products
from symdl.compilation.targets.cuda_emit import TAKEN, CudaEmitter
from symdl.compilation.targets.cuda_places import Places, width
from symdl.compilation.targets.cuda_products import Factor, Tiles
from symdl.compilation.targets.cuda_rows import Blocked
from symdl.compilation.targets.emit import is_number
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.compilation.targets.sized import shapes_of, size_of
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor

Update = Callable[[str, list[str]], list[str]]
#: Threads of a block.
THREADS = 256
#: Arguments of the function before those that are fixed.
GIVEN = ("thread", "parts", "space", "whole")
#: More names that no tensor may have.
NAMES = frozenset((
    *(f"{name}{k}" for name in ("row", "column", "at_r", "at_c") for k in range(8)), "space", "whole", "tile", "row",
    "column", "load", "store", "k", *(f"s{r}_{c}" for r in range(8) for c in range(8)),
    *(f"{letter}{e}_{k}" for letter in "rc" for e in range(8) for k in range(16)),
    *(f"{who}_{op}" for who in ("warp", "block") for op in ("sum", "prod", "max", "squares")),
    "step", "broken", "place", "is_entry", "ratio", "root", "inlined", "sized_kernel",
))  # fmt: skip


class SizedEmitter(CudaEmitter):
    """Emits `gradient_sized`.

    Args:
        plan, dtype, ordered: as for `CudaEmitter`.
        whole: batches of integers, by name, and where each begins in `whole`.
        threads: of a block.

    Before it emits, `places` have to be set, and `updates`: by the name of a gradient, the lines that update entries
    side by side of its parameter, from the place of the first one and their gradients.
    """

    taken = TAKEN | NAMES

    def __init__(self, plan: Plan, dtype: str, whole: dict[str, int], ordered: bool, threads: int) -> None:
        super().__init__(plan, dtype, ordered, "block", threads)
        self.whole, self.known = whole, shapes_of(plan)
        self.places = Places(dtype)
        self.updates: Mapping[str, Update] = {}

    def body(self) -> list[str]:
        """The lines of the function; it returns whether an update is not finite."""
        lines = self._items(self.plan.items)
        constants = self.invariants.lines(self.printer)
        head = [f"threads = {self.threads}", "broken = 0", *self._read_extents(), *self._scalar_inputs()]
        head += ["# what no loop changes", *constants] if constants else []
        return [*head, *lines, "return broken"]

    # ── lengths and places ───────────────────────────────────────────────────────────────────────────────────────

    def _read_extents(self) -> list[str]:
        return [f"{self.extent[e.key]} = {size_of(self.plan.axes, e.key)}" for e in self.plan.extents]

    def extent_of(self, index: Index) -> str:
        return self.lengths.get(index) or str(self.plan.axes.expected_size(index))

    def _count(self, shared: tuple[Index, ...]) -> str:
        return str(math.prod(int(self.extent_of(i)) for i in shared))

    def _strides(self, tensor: Tensor) -> tuple[int, ...]:
        if tensor.name in self.places.of:
            return self.places.of[tensor.name].strides
        shape = self.known[tensor.name]
        return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))

    def _flat(self, tensor: Tensor, subscripts: list[str]) -> str:
        terms = [_times(s, step) for s, step in zip(subscripts, self._strides(tensor), strict=True)]
        return " + ".join(terms) or "0"

    def _array(self, tensor: Tensor) -> tuple[str, str]:
        if tensor.name in self.places.of:
            return "space", str(self.places.of[tensor.name].start)
        if tensor.name in self.whole:
            return "whole", str(self.whole[tensor.name])
        return self.arrays[tensor.name], ""

    def _scalar_inputs(self) -> list[str]:
        given = [t for t in self.plan.inputs if t.rank == 0 and not is_number(t)]
        return [f"{self.locals[t.element()]} = {self.access(t.element())}" for t in given]

    # ── teams ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _team_head(self, count: str, terms: str, along: bool) -> list[str]:
        team = 1
        while 2 * team <= 32 and 2 * team * int(count) <= self.threads and 4 * team <= int(terms):
            team *= 2
        return [f"team = {team}", "lane = remainder(thread, team)"]

    def _put_together(self, op: str, part: str, alone: bool) -> tuple[list[str], str]:
        return [], f"block_{op}({part}, thread, parts)" if alone else f"warp_{op}({part}, lane, team, parts)"

    # ── products, with what follows them ─────────────────────────────────────────────────────────────────────────

    def groups(self) -> list[tuple[Item, ...]]:
        """The items of the plan, a product and what follows it entry by entry together."""
        return self._group(self.plan.items)

    def updated_at_once(self, gradients: Mapping[str, str]) -> tuple[str, ...]:
        """The parameters whose gradients are products that nothing else reads, and that nothing reads after them."""
        items = self.plan.items
        found = []
        for parameter, gradient in gradients.items():
            at = [k for k, item in enumerate(items) if gradient in item_writes(item)]
            if len(at) != 1 or any(gradient in item_reads(i) for i in items):
                continue
            item, later = items[at[0]], items[at[0] + 1 :]
            alone = isinstance(item, Contraction) and not item.loops and parameter not in item_reads(item)
            if alone and all(parameter not in item_reads(i) for i in later):
                found.append(parameter)
        return tuple(found)

    def _places(self, names: set[str]) -> set[object]:
        """The vectors of shared memory that tensors take: those that share some are in each other's way."""
        found: set[object] = set()
        for name in names:
            place = self.places.of.get(name)
            many = width(self.dtype)
            found |= (
                {name} if place is None else set(range(place.start // many, -(-(place.start + place.size) // many)))
            )
        return found

    def _group(self, items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
        """The items, a product and what follows it entry by entry as one."""
        found: list[tuple[Item, ...]] = []
        k = 0
        while k < len(items):
            follows = k + 1 < len(items) and self._entries(items[k], items[k + 1]) is not None
            found.append(items[k : k + 2] if follows else items[k : k + 1])
            k += len(found[-1])
        return found

    def _entries(self, item: Item, after: Item) -> tuple[Index, ...] | None:
        """The indices of row and column in what can be done entry by entry where a product has its sums."""
        if not isinstance(item, Contraction) or item.loops or len(item.rows) != 1 or len(item.columns) != 1:
            return None
        if not isinstance(after, Loop) or after.direction:
            return None
        shared, body = self._shared(after, ())
        statements = [s for s in body if isinstance(s, Statement)]
        if len(statements) < len(body) or any(s.op for s in statements) or self._scattered(after) is not None:
            return None
        name = item.out.name
        touched = {e for s in statements for e in (*s.reads, s.out, *s.body.atoms(Element)) if e.name == name}
        own = {e.subscripts for e in touched}
        if len(own) != 1:
            return None
        (subscripts,) = own
        if len(shared) != 2 or set(subscripts) != set(shared) or len(subscripts) != 2:
            return None
        if item_reads(item) & item_writes(after):
            return None  # other threads may still read what this writes
        return cast("tuple[Index, ...]", subscripts)

    def _items(
        self, items: tuple[Item | Blocked, ...], around: tuple[Index, ...] = (), again: bool = False
    ) -> list[str]:
        plain = tuple(i for i in items if not isinstance(i, Blocked))
        lines: list[str] = []
        read: set[object] = set()
        written: set[object] = set()
        for group in [(i,) for i in plain] if around else self._group(plain):
            reads = set[object]().union(*(self._places(item_reads(i)) for i in group))
            writes = set[object]().union(*(self._places(item_writes(i)) for i in group))
            own: set[object] = set()
            if isinstance(group[0], Contraction) and len(group) > 1:
                own = self._places({group[0].out.name})
            if written & (reads | writes) or read & writes:
                lines.append("barrier()")
                read, written = set(), set()
            read, written = read | (reads - own), written | writes
            for item in group:
                lines += self._notes(item)
            first, *behind = group
            if isinstance(first, Contraction):
                lines += self._multiplied(first, *behind)
            else:
                lines += self._parallel(first, around)
        return [*lines, "barrier()"] if around or again else lines

    def _contraction(self, item: Contraction) -> list[str]:
        return self._multiplied(item)

    def _multiplied(self, item: Contraction, after: Item | None = None) -> list[str]:
        texts: list[str] = []
        for index in item.loops:
            self.text[index] = self.names.loop(index.name, texts)
            texts.append(self.text[index])
        tiles = self._tiles(item)
        array, start, step, *_ = self._placed(item.result)
        if item.out.name in self.updates:
            return tiles.lines(self._updated(tiles, item))
        inner: list[str] = []
        for found in tiles.sums():
            at = f"{start} + {found.row}*{step} + {found.column}"
            lines = [f"{array}[{UNSIGNED}({at})] = {found.name}"]
            if after is not None:
                lines = self._of_entry(item, after, found)
            inner += [f"if {found.test}:", *indented(lines)] if found.test else lines
        lines = tiles.lines(inner)
        for index, name in zip(reversed(item.loops), reversed(texts), strict=True):
            lines = [f"for {name} in range({self.extent_of(index)}):", *indented(lines)]
        return lines

    def _updated(self, tiles: Tiles, item: Contraction) -> list[str]:
        """The update of the entries whose gradients are the sums of a tile: of those side by side together."""
        _, start, step, _ = self._placed(item.result)
        update, many, sums = self.updates[item.out.name], width(self.dtype), list(tiles.sums())
        beside = tiles.right.by_entries(tiles.width) and step % many == 0
        lines: list[str] = []
        for k in range(0, len(sums), many if beside else 1):
            some = sums[k : k + (many if beside else 1)]
            inner = update(f"{start} + {some[0].row}*{step} + {some[0].column}", [s.name for s in some])
            lines += [f"if {some[0].test}:", *indented(inner)] if some[0].test else inner
        return lines

    def _of_entry(self, item: Contraction, after: Item, found: cuda_products.Sum) -> list[str]:
        """What follows a product, for one of its entries."""
        subscripts = self._entries(item, after)
        assert subscripts is not None and isinstance(after, Loop)
        _, body = self._shared(after, ())
        row, column = subscripts
        self.text[row], self.text[column] = found.row, found.column
        element = item.out[subscripts]
        lines = self._scope((row, column), body, {element: found.name})
        if all(s.out.name != item.out.name for s in statements_in(after)) and self._needed_outside(item.out.name, body):
            lines.insert(0, f"{self.access(element)} = {found.name}")
        return lines

    def _tiles(self, item: Contraction) -> Tiles:
        rows, columns, terms = (int(self._count(i)) for i in (item.rows, item.columns, item.inner))
        left, right = self._factor(item.left, rows, False), self._factor(item.right, columns, True)
        return cuda_products.tiled(left, right, terms, self.threads)

    def _placed(self, operand: Operand) -> tuple[str, str, int, int]:
        """The array, where the matrix begins, and how far its rows and its columns are apart."""
        array, start = self._array(operand.tensor)
        steps = self._strides(operand.tensor)
        at = [_times(self._subscript(s), step) for s, step in zip(operand.at, steps[: len(operand.at)], strict=True)]
        down = steps[len(operand.at) + operand.leading - 1] if operand.leading else 1
        text = " + ".join(p for p in (start, *at) if p) or "0"
        return (array, text, 1, down) if operand.transposed else (array, text, down, 1)

    def _factor(self, operand: Operand, length: int, right: bool) -> Factor:
        array, start, down, beside = self._placed(operand)
        step, along = (beside, down) if right else (down, beside)
        steps, many = self._strides(operand.tensor), width(self.dtype)
        aligned = array == "space" and all(s % many == 0 for s in steps[:-1])
        return Factor(array, start, step, along, length, many if aligned else 1)


def _times(text: str, step: int) -> str:
    """A subscript times a step.

    >>> _times("n", 4), _times("n + k", 4), _times("n", 1)
    ('n*4', '(n + k)*4', 'n')
    """
    plain = text.isidentifier() or text.isdigit()
    return text if step == 1 else f"{text if plain else f'({text})'}*{step}"


__all__ = ["GIVEN", "THREADS", "SizedEmitter"]
