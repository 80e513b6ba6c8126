"""1 − A² and W δ · σ′(z) beside vectors and matrices that are multiplied entry by entry, as programs do both.

Of a matrix A² may be A A, and a dot may stand for a matrix product: so what is read like that proves, and no more.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

_ENTRYWISE = frozenset({"⊙", "∘", "*"})
#: Dots that may stand for ⊙.
_DOTS = frozenset({"·", "×"})


def entry_by_entry(node: Node) -> Node:
    """A formula with products for the powers of names that stand beside ⊙, and ⊙ for the last dot of each product.

    >>> from symdl.verification.notation import parse, unicode
    >>> [unicode(entry_by_entry(parse(t))) for t in (r"D \\odot (1 - A^2)", r"W^T d \\cdot g(z)")]
    ['D ⊙ (1 − A ⊙ A)', 'Wᵀd ⊙ g(z)']
    """
    if isinstance(node, tree.Product):
        dots = [k for k, op in enumerate(node.ops) if op in _DOTS]
        if dots and _ENTRYWISE.isdisjoint(node.ops):
            node = replace(node, ops=tuple("⊙" if k == dots[-1] else op for k, op in enumerate(node.ops)))
        if not _ENTRYWISE.isdisjoint(node.ops):
            return replace(node, factors=tuple(_without_powers(f) for f in node.factors))
    return tree.mapped(node, entry_by_entry)


def has_dots(node: Node) -> bool:
    """Whether some product in a formula has a dot in it."""
    return any(isinstance(n, tree.Product) and not _DOTS.isdisjoint(n.ops) for n in tree.walk(node))


def powers_of_entries(node: Node) -> Node:
    """A formula with the powers of names taken entry by entry.

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(powers_of_entries(parse("A^2 + B")))
    'A ⊙ A + B'
    """
    return _without_powers(node)


def _without_powers(node: Node) -> Node:
    if isinstance(node, tree.Scripted) and isinstance(node.sup, tree.Number):
        times = {"2": 2, "3": 3}.get(node.sup.text)
        if times is not None and isinstance(node.base, (tree.Symbol, tree.Accented)):
            base = node.base if node.sub is None else replace(node, sup=None)
            return tree.Product((base,) * times, ("⊙",) * (times - 1))
    inner = (tree.Group, tree.Sum, tree.Product, tree.Noted)
    return tree.mapped(node, _without_powers) if isinstance(node, inner) else node
