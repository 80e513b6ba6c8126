"""x^{(i)} beside x: the examples that a document counts, for each of which holds what is said of x."""

from __future__ import annotations

from collections.abc import Collection

from symdl.verification.meaning.names import Labels, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def at_example(labels: Labels, node: Node, letter: str, names: Collection[str]) -> Node:
    """A formula for one example: with x^{(i)} for x, of names that have examples.

    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import latex, parse
    >>> latex(at_example(Usage(), parse(r"w x + b"), "i", {"x"}))
    'w x^{(i)} + b'
    """
    if isinstance(node, (tree.Symbol, tree.Accented, tree.Scripted)):
        parts = parts_of(node, labels)
        plain = not isinstance(node, tree.Scripted) or (node.sup is None and not node.primes)
        base, sub = (node.base, node.sub) if isinstance(node, tree.Scripted) else (node, None)
        whole = parts_of(base, labels)  # x of x_d
        known = {p.name for p in (parts, whole) if p is not None}
        if not plain or known.isdisjoint(names):
            return node
        sup = tree.Group(tree.Symbol(letter))
        return tree.Scripted(base, sub=sub, sup=sup)
    return tree.mapped(node, lambda inner: at_example(labels, inner, letter, names))
