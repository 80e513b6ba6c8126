"""Which tensors need memory at all, and which can share it.

A tensor whose every use lies in one loop body, at the same subscripts, is a local variable there. The others get a
slot of the work space; a slot is given on once the last reader of its tensor is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from symdl.compilation.fusion import Item, Loop, Node, readers, statements_in, writers
from symdl.compilation.statements import Multiplied, Statement
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor


def scopes(item: Item) -> Iterator[tuple[tuple[Index, ...], tuple[Node, ...]]]:
    """Every list of children in a nest, with the loops around it, outermost first."""
    stack: list[tuple[tuple[Index, ...], Item]] = [((), item)]
    if isinstance(item, Statement):
        yield (), (item,)
    while stack:
        around, node = stack.pop(0)
        if isinstance(node, Loop):
            inside = (*around, node.index)
            yield inside, node.children
            stack += [(inside, child) for child in node.children]


def promoted(around: tuple[Index, ...], children: tuple[Node, ...]) -> dict[str, Element]:
    """The tensors that a scope first stores as a whole and then only uses at that one element: local variables.

    The element of `max_k z[n,k]` within the loop over n, say.
    """
    found: dict[str, Element] = {}
    for child in children:
        if not isinstance(child, Statement) or child.op or child.out.name in found:
            continue
        if set(child.out.subscripts) <= set(around):
            found[child.out.name] = child.out
    for statement in (s for child in children for s in statements_in(child)):
        for element in (*statement.reads, statement.out):
            if element.name in found and element != found[element.name]:
                del found[element.name]
    mentions = [n for child in children for n in _mentions(child)]
    return {n: e for n, e in found.items() if mentions.count(n) > 1}


def scoped(items: tuple[Item, ...]) -> set[str]:
    """The tensors that are local variables of one scope and used nowhere else."""
    used: dict[str, int] = {}
    for item in items:
        for name in _mentions(item):
            used[name] = used.get(name, 0) + 1
    found: set[str] = set()
    for item in items:
        if isinstance(item, Multiplied):
            continue
        total = _mentions(item)
        for around, children in scopes(item):
            inside = [n for child in children for n in _mentions(child)]
            for name in promoted(around, children):
                if inside.count(name) == used[name] and total.count(name) == used[name]:
                    found.add(name)
    return found


def _mentions(item: Item) -> list[str]:
    if isinstance(item, Multiplied):
        return [item.left.tensor.name, item.right.tensor.name, item.out.name]
    return [e.name for s in statements_in(item) for e in (*s.reads, s.out)]


def live_ranges(items: tuple[Item, ...]) -> dict[str, tuple[int, int]]:
    """For each tensor that is written the first and the last item that touch it."""
    read, written = readers(items), writers(items)
    return {n: (min(at), max(at + read.get(n, []))) for n, at in written.items()}


def kept_after(items: tuple[Item, ...], name: str) -> set[str]:
    """The tensors that are there when one is known, and are read later: of a loss, what the backward pass needs."""
    at = max(writers(items)[name])
    return {n for n, (first, last) in live_ranges(items).items() if first <= at < last}


def _throughout(found: tuple[int, int], repeated: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """A live range that reaches into repeated items, or out of them, covers all of them."""
    for first, last in repeated:
        start, end = found
        if start <= last and end >= first and not first <= start <= end <= last:
            found = (min(start, first), max(end, last))
    return found


def assign_slots(
    items: tuple[Item, ...],
    tensors: Iterable[Tensor],
    length: Callable[[Index], int],
    repeated: Sequence[tuple[int, int]] = (),
) -> dict[str, int]:
    """A slot for each tensor, numbered in order of birth. A slot is as long as the longest tensor that it ever holds.

    Largest first, each tensor goes to the shortest slot in which nothing else lives at the same time (the greedy rule
    by size of Y. Pisarchyk and J. Lee, "Efficient memory management for deep neural net inference", 2020).

    Args:
        items: in order.
        tensors: that need memory.
        length: how long an axis is expected to be.
        repeated: the first and the last of items that run several times, one after the other.
    """
    ranges = {name: _throughout(found, repeated) for name, found in live_ranges(items).items()}
    size = {t.name: math.prod(length(i) for i in t.indices) for t in tensors}
    slots: list[list[str]] = []  # the first tensor of each is its longest
    for name in sorted(size, key=lambda n: (-size[n], ranges[n])):
        free = [held for held in slots if not any(_meet(ranges[name], ranges[other]) for other in held)]
        if free:
            min(free, key=lambda held: size[held[0]]).append(name)
        else:
            slots.append([name])
    slots.sort(key=lambda held: min(ranges[n] for n in held))
    return {name: k for k, held in enumerate(slots) for name in held}


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
