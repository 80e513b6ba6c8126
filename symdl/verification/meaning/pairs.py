"""Σ_{i<j} over all pairs: neither letter stands outside of the sum then."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.meaning.letters import letters_in
from symdl.verification.meaning.names import letter_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

_ORDERS = frozenset({"<", "≤", ">", "≥"})


def over_pairs(sides: list[Node]) -> list[Node]:
    """The sides of a chain with the letters of such sums written out: Σ over i, j with i < j.

    >>> from symdl.verification.notation import parse, unicode
    >>> [unicode(s) for s in over_pairs(list(parse("s = \\\\sum_{i<j} x_i x_j").sides))]
    ['s', '∑_(i, j, i < j) xᵢxⱼ']
    >>> [unicode(s) for s in over_pairs(list(parse("s_j = \\\\sum_{i<j} x_i x_j").sides))]
    ['sⱼ', '∑_(i < j) xᵢxⱼ']
    """
    free = {letter for side in sides for letter in _free(side)}

    def written(node: Node) -> Node:
        node = tree.mapped(node, written)
        letters = _compared(node)
        if not isinstance(node, tree.Big) or not letters or not free.isdisjoint(letters):
            return node
        assert isinstance(node.sub, tree.Chain)
        return replace(node, sub=tree.List((*node.sub.sides, node.sub), ",,"))

    return [written(side) for side in sides]


def _compared(node: Node) -> tuple[str, ...]:
    """i and j of Σ_{i<j} x_i x_j; nothing of other sums."""
    sub = node.sub if isinstance(node, tree.Big) and node.op in ("sum", "prod") and node.sup is None else None
    if not isinstance(node, tree.Big) or not isinstance(sub, tree.Chain) or len(sub.sides) != 2:
        return ()
    letters = tuple(letter_of(side) for side in sub.sides)
    below = {
        c for n in walk(node.body) if isinstance(n, tree.Scripted) and n.sub is not None for c in letters_in(n.sub)
    }
    return letters if set(sub.relations) <= _ORDERS and all(letters) and set(letters) <= below else ()


def _free(node: Node) -> set[str]:
    """Letters that stand outside of the sums that bind them."""
    if isinstance(node, tree.Symbol):
        return {node.name}
    inner = {letter for child in tree.children(node) for letter in _free(child)}
    if not isinstance(node, tree.Big) or node.sub is None:
        return inner
    if compared := _compared(node):
        return inner - set(compared)
    bound = node.sub.sides[0] if isinstance(node.sub, tree.Chain) else node.sub
    return inner - letters_in(bound)
