"""Formulas for every layer: zˡ = Wˡ aˡ⁻¹ + bˡ says what zˡ⁺¹ is as well, and what z is at the last layer L.

Texts count layers by l, up to L. Others do so by letters of their own, zⁱ⁺¹ = zⁱ Wⁱ + bⁱ, and up to zⁿ: a letter is one
that counts where a name at it plus 1 is made from that name at it and from others at it, as no power is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from symdl.verification.meaning.names import LAYERS
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Layers that stand for any one, and the last one.
ANY, LAST = frozenset({"l", "ℓ"}), "L"
assert frozenset({*ANY, LAST}) == LAYERS

#: A layer by its letter, and how many above it; and the letter that it is put in for.
Mark = tuple[str, int]
Layer = int | str | tuple[str, Mark]


@dataclass
class Layers:
    """Which layers a document speaks of.

    Args:
        offsets: of the layers beside l: 1 where l + 1 stands anywhere.
        named: names with their offsets.
        last: whether it speaks of layer L.
        ends: names at layer L, without subscripts.
        letters: further letters that stand for any layer.
        marks: names that are counted by such letters, with all their layers.
    """

    offsets: set[int] = field(default_factory=set)
    named: set[tuple[Node, int]] = field(default_factory=set)
    last: bool = False
    ends: set[Node] = field(default_factory=set)
    letters: set[str] = field(default_factory=set)
    marks: set[tuple[Node, Mark]] = field(default_factory=set)

    def counts(self, letter: str) -> bool:
        """Whether a letter above a name says which layer it is of."""
        return letter in LAYERS or letter in self.letters or any(mark[0] == letter for _, mark in self.marks)

    def last_of(self, base: Node) -> list[tree.Scripted]:
        """a^L of a as it stands in the document, with brackets around L or without; as z^L does, where a^l stands."""
        ends = [n for n in self.ends if isinstance(n, tree.Scripted)]
        own = [n for n in ends if n.base == base]
        marks = {n.sup for n in ends}
        if own or len(marks) != 1 or all(name != base for name, _ in self.named):
            return own
        return [tree.Scripted(base, sup=marks.pop())]

    def others(self, head: Node) -> list[Layer]:
        """The layers at which a definition at layer l is one too: those above, L, those below that are spoken of."""
        own = next(filter(None, map(_mark, _above(head))), None)
        if own is None:
            return []
        found: list[Layer] = []
        if own[0] in ANY and own[1] == 0:
            found += [k for k in sorted(self.offsets) if k > 0]
            found += [k for k in sorted(self.offsets) if k < 0 and (_base(head), k) in self.named]
            found += [LAST] if self.last else []
        if own[0] in ANY or own[0] in self.letters:
            others = sorted(mark for base, mark in self.marks if base == _base(head) and mark != own)
            found += [(own[0], (letter, k - own[1])) for letter, k in others]
        return found


def layers_of(nodes: Iterable[Node]) -> Layers:
    """One pass over all nodes of the formulas, and another one where they count layers by letters of their own.

    >>> from symdl.verification.notation import parse
    >>> found = layers_of(walk(parse(r"\\\\delta^l = w^{l+1} \\\\delta^{l+1} + a^{[L]}")))
    >>> found.offsets, found.last
    ({0, 1}, True)
    >>> layers_of(walk(parse("z^{i+1} = z^i W^i + b^i"))).letters, layers_of(walk(parse("x^{i+1} = x^i x"))).letters
    ({'i'}, set())
    """
    nodes = list(nodes)
    scripted = [node for node in nodes if isinstance(node, tree.Scripted)]
    found = Layers()
    for node in scripted:
        for mark in _above(node):
            place = _mark(mark)
            if place is not None and place[0] in ANY:
                found.offsets.add(place[1])
                found.named.add((_base(node), place[1]))
            plain = mark.body if isinstance(mark, tree.Group) else mark
            if isinstance(plain, tree.Symbol) and plain.name == LAST and not isinstance(node.sup, tree.Product):
                found.ends.add(tree.Scripted(node.base, sup=node.sup))
            found.last |= any(isinstance(n, tree.Symbol) and n.name == LAST for n in walk(mark))
    counted = [pair for node in nodes if isinstance(node, tree.Chain) for pair in _counting(node)]
    found.letters = {letter for letter, _ in counted}
    places = [(node, next(filter(None, map(_mark, _above(node))), None)) for node in (scripted if counted else ())]
    bases = {base for _, base in counted}
    bases |= {_base(node) for node, place in places if place is not None and place[0] in found.letters}
    found.marks = {(_base(node), place) for node, place in places if place is not None and _base(node) in bases}
    return found


def _counting(chain: tree.Chain) -> Iterator[tuple[str, Node]]:
    """The letter by which z^{i+1} = z^i W^i + b^i counts, with each name that it counts."""
    head = chain.sides[0]
    place = next(filter(None, map(_mark, _above(head))), None)
    if chain.relations[:1] != ("=",) or place is None or place[1] != 1 or place[0] in LAYERS:
        return
    below = [n for n in walk(chain.sides[1]) if isinstance(n, tree.Scripted)]
    bases = {_base(n) for n in below if place[0] in (m[0] for m in map(_mark, _above(n)) if m is not None)}
    if _base(head) in bases and len(bases) > 1:
        yield from ((place[0], base) for base in bases)


def at_layer(node: Node, layer: Layer) -> Node:
    """A formula at layer l, at another one.

    >>> from symdl.verification.notation import latex, parse
    >>> latex(at_layer(parse("w^l a^{l-1}"), 1)), latex(at_layer(parse("w^{[l]} a^{[l-1]}"), "L"))
    ('w^{l + 1} a^{l}', 'w^{[L]} a^{[L - 1]}')
    >>> latex(at_layer(parse("z^{i+1} = z^i W^i"), ("i", ("n", -1))))
    'z^{n} = z^{n - 1} W^{n - 1}'
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


def _mark(mark: Node) -> Mark | None:
    """l and 1 of l + 1; None where no layer can stand there."""
    inner = mark.body if isinstance(mark, tree.Group) else mark
    if isinstance(inner, tree.Symbol):
        return (inner.name, 0) if _counts(inner) else None
    if isinstance(inner, tree.Sum) and len(inner.terms) == 2:
        (_, first), (sign, second) = inner.terms
        if isinstance(first, tree.Symbol) and isinstance(second, tree.Number) and second.text.isdigit():
            return (first.name, int(second.text) * (-1 if sign == "-" else 1)) if _counts(first) else None
    return None


def _counts(letter: tree.Symbol) -> bool:
    return letter.name in LAYERS or (len(letter.name) == 1 and letter.name.isascii() and letter.name.islower())


def _moved(sup: Node, layer: Layer) -> Node:
    if isinstance(sup, tree.Product):
        return replace(sup, factors=tuple(_moved(f, layer) for f in sup.factors))
    mark = _mark(sup)
    named = layer[0] if isinstance(layer, tuple) else None
    if mark is None or (mark[0] != named if named is not None else mark[0] not in ANY):
        return sup
    if isinstance(sup, tree.Group):
        return replace(sup, body=_moved(sup.body, layer))
    letter, offset = mark
    if isinstance(layer, tuple):
        letter, offset = layer[1][0], offset + layer[1][1]
    elif isinstance(layer, str):
        letter = layer
    else:
        offset += layer
    if offset == 0:
        return tree.Symbol(letter)
    return tree.Sum((("+", tree.Symbol(letter)), ("-" if offset < 0 else "+", tree.Number(str(abs(offset))))))
