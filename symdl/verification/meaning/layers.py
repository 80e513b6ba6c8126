"""Formulas for every layer: zˡ = Wˡ aˡ⁻¹ + bˡ says what zˡ⁺¹ is as well, and what z is at the last layer L."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from symdl.verification.meaning.names import LAYERS
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Layers that stand for any one, and the last one.
ANY, LAST = frozenset({"l", "ℓ"}), "L"
assert frozenset({*ANY, LAST}) == LAYERS


@dataclass
class Layers:
    """Which layers a document speaks of.

    Args:
        offsets: of the layers beside l: 1 where l + 1 stands anywhere.
        named: names with their offsets.
        last: whether it speaks of layer L.
    """

    offsets: set[int] = field(default_factory=set)
    named: set[tuple[Node, int]] = field(default_factory=set)
    last: bool = False

    def others(self, head: Node) -> list[int | str]:
        """The layers at which a definition at layer l is one too: those above, L, those below that are spoken of."""
        if _offset(_above(head)) != 0:
            return []
        found: list[int | str] = [k for k in sorted(self.offsets) if k > 0]
        found += [k for k in sorted(self.offsets) if k < 0 and (_base(head), k) in self.named]
        return [*found, LAST] if self.last else found


def layers_of(nodes: Iterable[Node]) -> Layers:
    """One pass over all nodes of the formulas.

    >>> from symdl.verification.notation import parse
    >>> found = layers_of(walk(parse(r"\\\\delta^l = w^{l+1} \\\\delta^{l+1} + a^{[L]}")))
    >>> found.offsets, found.last
    ({0, 1}, True)
    """
    found = Layers()
    for node in nodes:
        if not isinstance(node, tree.Scripted):
            continue
        for mark in _above(node):
            offset = _offset([mark])
            if offset is not None:
                found.offsets.add(offset)
                found.named.add((_base(node), offset))
            found.last |= any(isinstance(n, tree.Symbol) and n.name == LAST for n in walk(mark))
    return found


def at_layer(node: Node, layer: int | str) -> Node:
    """A formula at layer l, at another one.

    >>> from symdl.verification.notation import latex, parse
    >>> latex(at_layer(parse("w^l a^{l-1}"), 1)), latex(at_layer(parse("w^{[l]} a^{[l-1]}"), "L"))
    ('w^{l + 1} a^{l}', 'w^{[L]} a^{[L - 1]}')
    """
    if isinstance(node, tree.Scripted) and node.sup is not None:
        node = replace(node, sup=_moved(node.sup, layer))
    return tree.mapped(node, lambda inner: at_layer(inner, layer), but="sup")


def _above(node: Node) -> list[Node]:
    """The marks above a name: of W^{(l)⊤} there are two."""
    if not isinstance(node, tree.Scripted) or node.sup is None:
        return []
    return list(node.sup.factors) if isinstance(node.sup, tree.Product) else [node.sup]


def _base(node: Node) -> Node:
    return node.base if isinstance(node, tree.Scripted) else node


def _offset(marks: list[Node]) -> int | None:
    """1 of l + 1; None where no layer stands there."""
    for mark in marks:
        inner = mark.body if isinstance(mark, tree.Group) else mark
        if isinstance(inner, tree.Symbol) and inner.name in ANY:
            return 0
        if isinstance(inner, tree.Sum) and len(inner.terms) == 2:
            (_, first), (sign, second) = inner.terms
            layer = isinstance(first, tree.Symbol) and first.name in ANY
            if layer and isinstance(second, tree.Number) and second.text.isdigit():
                return int(second.text) * (-1 if sign == "-" else 1)
    return None


def _moved(sup: Node, layer: int | str) -> Node:
    if isinstance(sup, tree.Product):
        return replace(sup, factors=tuple(_moved(f, layer) for f in sup.factors))
    offset = _offset([sup])
    if offset is None:
        return sup
    if isinstance(sup, tree.Group):
        return replace(sup, body=_moved(sup.body, layer))
    first = sup.terms[0][1] if isinstance(sup, tree.Sum) else sup
    symbol = tree.Symbol(layer) if isinstance(layer, str) else first
    offset += 0 if isinstance(layer, str) else layer
    if offset == 0:
        return symbol
    return tree.Sum((("+", symbol), ("-" if offset < 0 else "+", tree.Number(str(abs(offset))))))
