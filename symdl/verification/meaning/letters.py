"""Which indices stand where in a formula."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from symdl.verification.meaning.names import Labels, letter_of, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, children, walk


def letters_of(labels: Labels, node: Node, *, heads_only: bool = False) -> set[str]:
    """The letters that subscript something in a formula and that no sum in it binds.

    With `heads_only` those of its own name, or of its ∂y_k/∂w_i.
    """
    if heads_only and isinstance(node, tree.Derivative):
        named = [by for by, _ in node.by] + ([node.of] if isinstance(node.of, tree.Scripted) else [])
        return {letter for part in named for letter in letters_of(labels, part)}
    if heads_only and not isinstance(node, tree.Scripted):
        return set()
    parts = parts_of(node, labels) if isinstance(node, tree.Scripted) else None
    if parts is not None:
        return {letter for sub in parts.subscripts for letter in letters_in(sub)}
    found = {letter for child in children(node) for letter in letters_of(labels, child)}
    if isinstance(node, tree.Scripted) and isinstance(node.base, tree.Group) and node.sub is not None:
        found |= {letter for name in letters_in(node.sub) for letter in name}  # [A B]_{ij}
    if isinstance(node, tree.Big) and node.sub is not None:
        found -= letters_in(node.sub)
    return found


def subscripting(labels: Labels, nodes: Iterable[Node]) -> dict[str, str]:
    """The letters that subscript names by themselves, each with the first such name."""
    found: dict[str, str] = {}
    for node in (n for each in nodes for n in walk(each) if isinstance(n, tree.Scripted)):
        parts = parts_of(node, labels)
        for sub in parts.subscripts if parts is not None else ():
            if parts is not None and isinstance(sub, tree.Symbol):
                found.setdefault(sub.name, parts.name)
    return found


def letters_in(node: Node) -> set[str]:
    """The letters in a subscript or in limits."""
    if letter_of(node):
        return {letter_of(node)}
    return {letter for child in children(node) for letter in letters_in(child)}


def examples_in(node: Node) -> set[str]:
    """The letters that stand in brackets above names: i of x^{(i)}, which no sum in the formula binds.

    >>> from symdl.verification.notation import parse
    >>> examples_in(parse(r"x^{(i)} + \\sum_j x^{(j)} + w^{(2)}"))
    {'i'}
    """
    found = {letter for child in children(node) for letter in examples_in(child)}
    above = node.sup.body if isinstance(node, tree.Scripted) and isinstance(node.sup, tree.Group) else None
    found |= {above.name} if isinstance(above, tree.Symbol) else set()
    return found - letters_in(node.sub) if isinstance(node, tree.Big) and node.sub is not None else found


def repeated_letters(labels: Labels, node: Node) -> set[str]:
    """Letters that subscript two factors of one product.

    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import parse
    >>> sorted(repeated_letters(Usage(), parse("x_i a_{ij} y_j z_k")))
    ['i', 'j']
    """
    found: set[str] = set()
    for product in (n for n in walk(node) if isinstance(n, tree.Product)):
        counts = Counter(letter for f in product.factors for letter in letters_of(labels, f))
        found |= {letter for letter, count in counts.items() if count > 1}
    return found
