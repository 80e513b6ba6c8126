"""P(y = 1 | x) as a name of its own: the probability of an event, of which no more is known than what is said of it.

Where a document speaks of y = 0 and y = 1, and of no other value of y, y is one of both, and P(y = 0 | x) is
1 − P(y = 1 | x).
"""

from __future__ import annotations

from collections.abc import Iterable

from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node, walk

#: What probabilities are called.
_NAMES = frozenset({"P", "Pr", "p"})


def binary(formulas: Iterable[Node]) -> set[Node]:
    """What is said to be 0 or 1 in probabilities, and nothing else."""
    values: dict[Node, set[str]] = {}
    for formula in formulas:
        for node in walk(formula):
            event = _event(node)
            if event is not None:
                place, value = event.sides
                values.setdefault(place, set()).add(value.text if isinstance(value, tree.Number) else "")
    return {place for place, seen in values.items() if seen == {"0", "1"}}


def events_named(node: Node, either: set[Node]) -> Node:
    """A formula with a name for each probability of an event y = a.

    Args:
        either: what is 0 or 1.

    >>> from symdl.verification.notation import parse
    >>> formula = parse(r"P(y = 0 \\mid x) = 1 - P(y = 1 \\mid x)")
    >>> unicode(events_named(formula, binary([formula])))
    '(1 − P(y = 1 | x)) = 1 − P(y = 1 | x)'
    >>> unicode(events_named(parse(r"P(y = 2) = q"), set()))
    'P(y = 2) = q'
    """
    event = _event(node)
    if event is None or not isinstance(node, tree.Product):
        return tree.mapped(node, lambda inner: events_named(inner, either))
    if event.sides[0] not in either or event.sides[1] == tree.Number("1"):
        return tree.Symbol(unicode(node))
    group = node.factors[1]
    other = tree.mapped(group, lambda inner: _replaced(inner, event))
    return tree.Group(tree.Sum((("+", tree.Number("1")), ("-", tree.Symbol(unicode(_applied(node, other)))))))


def _applied(node: tree.Product, group: Node) -> Node:
    return tree.Product((node.factors[0], group), node.ops)


def _replaced(node: Node, event: tree.Chain) -> Node:
    """y = 1 for y = 0."""
    if node == event:
        return tree.Chain((event.sides[0], tree.Number("1")), event.relations)
    return tree.mapped(node, lambda inner: _replaced(inner, event))


def _event(node: Node) -> tree.Chain | None:
    """y = 1 of P(y = 1 | x); None of anything else."""
    if not isinstance(node, tree.Product) or len(node.factors) != 2 or node.ops != ("",):
        return None
    name, group = node.factors
    if not isinstance(name, tree.Symbol) or name.name not in _NAMES or not isinstance(group, tree.Group):
        return None
    body = group.body.items[0] if isinstance(group.body, tree.List) else group.body
    return body if isinstance(body, tree.Chain) and body.relations == ("=",) else None
