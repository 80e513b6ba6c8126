"""P(y = 1 | x) as a name of its own: the probability of an event, of which no more is known than what is said of it.

Where a document speaks of y = 0 and y = 1, and of no other value of y, y is one of both, and P(y = 0 | x) is
1 − P(y = 1 | x).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node, walk

#: What probabilities are called.
_NAMES = frozenset({"P", "Pr", "p", "q"})
#: Relations of what may be so, or not: y = 1, A ≻ B.
_EVENTS = frozenset({("=",), ("≻",), ("≺",)})


def binary(formulas: Iterable[Node]) -> set[Node]:
    """What is said to be 0 or 1 in probabilities, and nothing else."""
    values: dict[Node, set[str]] = {}
    for formula in formulas:
        for node in walk(formula):
            event = _event(node)
            if event is not None and event.relations == ("=",):
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
    >>> events_named(parse(r"p(x_i \\mid z_i = k)"), set()).sub.items
    (Symbol(name='i', face='', accents=()), Symbol(name='k', face='', accents=()))
    """
    event = _event(node)
    if event is None or not isinstance(node, tree.Product):
        return tree.mapped(node, lambda inner: events_named(inner, either))
    if event.sides[0] not in either or event.sides[1] == tree.Number("1"):
        return _name_of(node)
    group = node.factors[1]
    other = tree.mapped(group, lambda inner: _replaced(inner, event))
    return tree.Group(tree.Sum((("+", tree.Number("1")), ("-", _name_of(_applied(node, other))))))


def _name_of(node: Node) -> Node:
    """A name for a probability, with the letters that choose one of several below it: j of p(x | z = j)."""
    letters: list[str] = []
    hidden = unicode(_without_letters(node, letters))
    subs = tuple(map(tree.Symbol, letters))
    if len(subs) < 2:
        name = tree.Symbol(hidden.replace("1·", "·"))
        return tree.Scripted(name, sub=subs[0]) if subs else name
    return tree.Scripted(tree.Symbol(hidden), sub=tree.List(subs, "," * (len(subs) - 1)))


def _without_letters(node: Node, letters: list[str]) -> Node:
    """A formula with numbers for the letters that stand below names, in brackets above them, and behind an = sign."""

    def hidden(place: Node | None) -> Node | None:
        inner = place.body if isinstance(place, tree.Group) else place
        if not isinstance(inner, tree.Symbol) or len(inner.name) != 1 or not inner.name.islower() or inner.accents:
            return place
        if inner.name not in letters:
            letters.append(inner.name)
        return tree.Symbol(f"{letters.index(inner.name) + 1}·")

    node = tree.mapped(node, lambda inner: _without_letters(inner, letters))
    if isinstance(node, tree.Scripted):
        above = hidden(node.sup) if isinstance(node.sup, tree.Group) else node.sup
        return replace(node, sub=hidden(node.sub), sup=above)
    if isinstance(node, tree.Chain) and len(node.sides) == 2:
        value = hidden(node.sides[1])
        return replace(node, sides=(node.sides[0], value if value is not None else node.sides[1]))
    return node


def _applied(node: tree.Product, group: Node) -> Node:
    return tree.Product((node.factors[0], group), node.ops)


def _replaced(node: Node, event: tree.Chain) -> Node:
    """y = 1 for y = 0."""
    if node == event:
        return tree.Chain((event.sides[0], tree.Number("1")), event.relations)
    return tree.mapped(node, lambda inner: _replaced(inner, event))


def _event(node: Node) -> tree.Chain | None:
    """y = 1 of P(y = 1 | x); None of anything else."""
    if (call := tree.called(node)) is None:
        return None
    name, group = call
    if not isinstance(name, tree.Symbol) or name.name not in _NAMES:
        return None
    return next((i for i in group.items if isinstance(i, tree.Chain) and i.relations in _EVENTS), None)
