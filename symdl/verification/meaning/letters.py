"""Which indices stand where in a formula."""

from __future__ import annotations

from collections import Counter

from symdl.verification.meaning.names import Labels, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


def letters_of(labels: Labels, node: Node, *, heads_only: bool = False) -> set[str]:
    """The letters that subscript something in a formula; with `heads_only` those of its own name or of its ∂/∂w_i."""
    if heads_only and isinstance(node, tree.Derivative):
        return {letter for by, _ in node.by for letter in letters_of(labels, by)}
    if heads_only and not isinstance(node, tree.Scripted):
        return set()
    found: set[str] = set()
    for inner in walk(node):
        parts = parts_of(inner, labels) if isinstance(inner, tree.Scripted) else None
        for sub in parts.subscripts if parts is not None else ():
            found |= {n.name for n in walk(sub) if isinstance(n, tree.Symbol)}
    return found


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
