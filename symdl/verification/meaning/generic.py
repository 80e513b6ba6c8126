"""f(x + ε) = g(x + ε) + h(x + ε): what is said of f at any place, as f(x) = g(x) + h(x)."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Names of functions of which texts have many.
EXAMPLES = frozenset("fghFG")


def generalised(left: Node, right: Node) -> tuple[Node, Node] | None:
    """Both sides with its first letter for what f is of; None where the right side has its names outside of it as well.

    >>> from symdl.verification.notation import parse, unicode
    >>> found = generalised(parse(r"f(x + y)"), parse(r"2 g(x + y)"))
    >>> [unicode(side) for side in found], generalised(parse("f(x + y)"), parse("x g(x + y)"))
    (['f(x)', '2g(x)'], None)
    """
    if not isinstance(left, tree.Product) or left.ops != ("",):
        return None
    name, group = left.factors
    plain = isinstance(name, tree.Symbol) and name.name in EXAMPLES and isinstance(group, tree.Group)
    if not plain or not isinstance(group, tree.Group) or not isinstance(group.body, tree.Sum):
        return None
    inner = {n.name for n in walk(group.body) if isinstance(n, tree.Symbol)}
    if not inner:
        return None
    taken = {n.name for n in walk(right) if isinstance(n, tree.Symbol)} | inner
    letter = tree.Symbol(next(x for x in ("t", "s", "r", "u", "τ", "ζ") if x not in taken))
    new = replaced(right, group.body, letter)
    left_over = {n.name for n in walk(new) if isinstance(n, tree.Symbol)}
    if new == right or inner & left_over:
        return None
    first = next(n for _, term in group.body.terms for n in walk(term) if isinstance(n, tree.Symbol))
    return replace(left, factors=(name, replace(group, body=first))), replaced(new, letter, first)


def of_what_was_set(head: Node, node: Node) -> Node:
    """df_c/dx for df/dx in what follows from f_c(x) = …

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(of_what_was_set(parse("f_c(x)"), parse(r"\\frac{df}{dx} + f")))
    'df_c/dx + f'
    """
    name = head.factors[0] if isinstance(head, tree.Product) and argument_of(head) is not None else None
    if not isinstance(name, tree.Scripted) or name.sup is not None or not isinstance(name.base, tree.Symbol):
        return node
    if isinstance(node, tree.Derivative) and node.of == name.base:
        return replace(node, of=name)
    return tree.mapped(node, lambda inner: of_what_was_set(head, inner))


def without_inverses(node: Node) -> Node:
    """x for f⁻¹(f(x)) and for f(f⁻¹(x)).

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(without_inverses(parse("f^{-1}(f(x)) + g(f^{-1}(x))")))
    'x + g(f⁻¹(x))'
    """
    node = tree.mapped(node, without_inverses)
    inner = argument_of(node)
    within = argument_of(inner) if inner is not None else None
    if within is None or not isinstance(node, tree.Product) or not isinstance(inner, tree.Product):
        return node
    outer, first = node.factors[0], inner.factors[0]
    return within if _base(outer) == first or _base(first) == outer else node


def _base(node: Node) -> Node | None:
    """f of f⁻¹."""
    minus = tree.Sum((("-", tree.Number("1")),))
    return node.base if isinstance(node, tree.Scripted) and node.sup == minus and node.sub is None else None


def argument_of(node: Node) -> Node | None:
    """x of f(x)."""
    applied = isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group)
    group = node.factors[1] if applied and isinstance(node, tree.Product) else None
    return group.body if isinstance(group, tree.Group) else None


def replaced(node: Node, old: Node, new: Node) -> Node:
    """A formula with another one in place of one that stands in it."""
    return new if node == old else tree.mapped(node, lambda inner: replaced(inner, old, new))
