"""w_1, w_2, …, w_N with three of them, and formulas about N names as formulas about three."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symdl.verification.meaning.ellipsis import ends_of, with_subscript
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: How many there are then. Of two, the first and the last are all there is, and no pattern is told.
LENGTH = 3


def at_length(nodes: tuple[Node, ...]) -> tuple[Node, ...] | None:
    """Formulas with lists that go on to N as lists of three, and 3 for N; None where there is no such list.

    >>> from symdl.verification.notation import parse, unicode
    >>> chain = parse(r"f(x_1, x_2, \\dots, x_N) = \\frac{1}{N} \\sum_{i=1}^N x_i")
    >>> [unicode(side) for side in at_length(chain.sides)]
    ['f(x₁, x₂, x₃)', '1/3 ∑ᵢ₌₁³ xᵢ']
    """
    end = end_of(nodes)
    if not end:
        return None
    made = tuple(_with_number(_written_out(side, end), end) for side in nodes)
    return None if any(isinstance(n, tree.Dots) for side in made for n in walk(side)) else made


def end_of(nodes: tuple[Node, ...]) -> str:
    """N, where w_1, w_2, …, w_N stands in some formulas, and no list that goes on to another number; else empty."""
    ends: set[str] = set()
    for items in (items for side in nodes for items in _lists(side)):
        last = items[_dots(items)[0] + 1]
        ends |= {end.name for end in ends_of(last) if isinstance(end, tree.Symbol)}
    return ends.pop() if len(ends) == 1 else ""


def _lists(node: Node) -> Iterator[tuple[Node, ...]]:
    """The items of lists and columns that have dots before the last one."""
    for inner in walk(node):
        items = _items(inner)
        if items is not None and _dots(items):
            yield items


def _items(node: Node) -> tuple[Node, ...] | None:
    if isinstance(node, tree.List):
        return _apart(node.items)
    if isinstance(node, tree.Matrix) and all(len(row) == 1 for row in node.rows):
        return tuple(row[0] for row in node.rows)
    return None


def _apart(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """… x_n as two items, where the comma between them was left out."""
    last = items[-1]
    lost = isinstance(last, tree.Product) and len(last.factors) == 2 and isinstance(last.factors[0], tree.Dots)
    return (*items[:-1], *last.factors) if lost and isinstance(last, tree.Product) else items


def _dots(items: tuple[Node, ...]) -> list[int]:
    found = [k for k, item in enumerate(items) if isinstance(item, tree.Dots)]
    return found if len(found) == 1 and found[0] == len(items) - 2 and 1 <= found[0] < LENGTH else []


def _written_out(node: Node, end: str) -> Node:
    node = tree.mapped(node, lambda inner: _written_out(inner, end))
    items = _items(node)
    if items is None or not _dots(items):
        return node
    entries = _entries(items, end)
    if entries is None:
        return node
    if isinstance(node, tree.Matrix):
        return replace(node, rows=tuple((entry,) for entry in entries))
    return tree.List(entries, "," * (len(entries) - 1))


def _entries(items: tuple[Node, ...], end: str) -> tuple[Node, ...] | None:
    """All of them, where those before the dots are the last one with their numbers, or leave none out."""
    before, last = items[: len(items) - 2], items[-1]

    def entry(number: int) -> Node:
        return with_subscript(last, tree.Symbol(end), tree.Number(str(number)))

    if all(item == entry(k + 1) for k, item in enumerate(before)):
        return tuple(entry(k + 1) for k in range(LENGTH))
    return (*before, entry(LENGTH)) if len(before) == LENGTH - 1 else None


def _with_number(node: Node, end: str) -> Node:
    if isinstance(node, tree.Symbol) and node.name == end and not node.face:
        return tree.Number(str(LENGTH))
    return tree.mapped(node, lambda inner: _with_number(inner, end))
