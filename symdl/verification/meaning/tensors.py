"""Tensors with their indices above, and Einstein's sums: O^{ib} = A^{ij} V^{jb}, ∂O^{ib}/∂V^{mn} = A^{im} δ^b_n.

Two letters above a capital may be a power as well. So a document has to show that they are indices: some name is set
equal to a product in which a letter stands twice that is not its own, and more than one name has pairs of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symdl.verification.meaning.names import letter_of, text_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

_DELTA = tree.Symbol("δ")


@dataclass(frozen=True)
class Tensors:
    """What stands with indices above it in a document.

    Args:
        names: with two indices or more.
        vectors: with one, which are differentiated: x^j of ∂L/∂x^j.
        letters: the indices.
    """

    names: frozenset[str]
    vectors: frozenset[str]
    letters: frozenset[str]

    def of(self, node: Node) -> Node:
        """A formula with the indices below, and a Σ over each one that stands twice in a product and in no head.

        >>> from symdl.verification.notation import parse, unicode
        >>> found = Tensors(frozenset("AO"), frozenset("x"), frozenset("ijm"))
        >>> unicode(found.of(parse(r"O^{im} = A^{ij} A^{jm} - \\delta^i_m")))
        'Oᵢₘ = ∑ⱼ AᵢⱼAⱼₘ − δᵢₘ'
        """
        return self._summed(self._below(node))

    def _below(self, node: Node) -> Node:
        node = tree.mapped(node, self._below)
        if not isinstance(node, tree.Scripted):
            return node
        indices = self._above(node)
        if not indices:
            return node
        return replace(
            node, sub=tree.Product(indices, ("",) * (len(indices) - 1)) if indices[1:] else indices[0], sup=None
        )

    def _above(self, node: tree.Scripted) -> tuple[Node, ...]:
        """The indices of a name that has them above; nothing of anything else."""
        above, below = self._apart(node.sup), indices_in(node.sub)
        if not all(_bare(index) in self.letters for index in (*above, *below)):
            return ()
        name = text_of(node.base)
        if node.base == _DELTA and len(above) + len(below) == 2:
            return (*above, *below)
        if node.sub is not None or node.primes:
            return ()
        known = name in self.names if len(above) > 1 else name in self.vectors
        return above if known else ()

    def _apart(self, script: Node | None) -> tuple[Node, ...]:
        """The indices above a name: i and n of A^{in}, which looks like a word."""
        word = script.name if isinstance(script, tree.Symbol) else ""
        if len(word) > 1 and self.letters.issuperset(word):
            return tuple(map(tree.Symbol, word))
        return indices_in(script)

    def _summed(self, node: Node) -> Node:
        """A chain with the sums that its first side leaves open in the others."""
        if isinstance(node, tree.Statements):
            return tree.mapped(node, self._summed)
        if not isinstance(node, tree.Chain) or set(node.relations) != {"="}:
            return node
        heads = next((side for side in node.sides if not isinstance(side, tree.Empty)), node)
        kept = set(self._letters(heads)) if isinstance(heads, (tree.Scripted, tree.Derivative)) else None
        if kept is None:
            return node
        return replace(node, sides=tuple(s if s is heads else self._with_sums(s, kept) for s in node.sides))

    def _with_sums(self, node: Node, kept: set[str]) -> Node:
        if isinstance(node, tree.Sum):
            return replace(node, terms=tuple((sign, self._with_sums(term, kept)) for sign, term in node.terms))
        if not isinstance(node, tree.Product):
            return node
        counts = Counter(letter for f in node.factors for letter in self._letters(f))
        twice = [letter for letter, count in counts.items() if count == 2 and letter not in kept]
        if not twice:
            return node
        named = tuple(tree.Symbol(letter) for letter in sorted(twice))
        return tree.Big("sum", named[0] if len(named) == 1 else tree.List(named, "," * (len(named) - 1)), None, node)

    def _letters(self, node: Node) -> Counter[str]:
        """How often each index stands in a factor: that of a sum in brackets is free in each of its terms."""
        if isinstance(node, tree.Scripted) and node.sup is None and isinstance(node.base, tree.Symbol):
            known = node.base == _DELTA or text_of(node.base) in self.names | self.vectors
            return Counter(letter_of(i) for i in indices_in(node.sub)) if known else Counter()
        if isinstance(node, tree.Sum):
            found: Counter[str] = Counter()
            for _, term in node.terms:
                found |= self._letters(term)
            return found
        counts = sum((self._letters(child) for child in tree.children(node)), Counter[str]())
        if isinstance(node, tree.Big):
            bound = {letter_of(n) for n in walk(node.sub)} if node.sub is not None else set()
            return Counter({letter: count for letter, count in counts.items() if letter not in bound})
        return counts


def tensors_of(formulas: Iterable[Node]) -> Tensors | None:
    """What a document shows of indices above; None where it shows none.

    >>> from symdl.verification.notation import parse
    >>> texts = ("O^{ib} = A^{ij} V^{jb}", r"\\frac{\\partial L}{\\partial x^j}")
    >>> found = tensors_of(parse(text) for text in texts)
    >>> sorted(found.names), sorted(found.vectors), sorted(found.letters)
    (['A', 'O', 'V'], ['x'], ['b', 'i', 'j'])
    >>> tensors_of([parse("e^{ab} = a^{mn} b^{mn}")]) is None
    True
    """
    formulas = list(formulas)
    nodes = [node for formula in formulas for node in walk(formula)]
    named: dict[str, set[tuple[str, ...]]] = {}
    for node in nodes:
        if isinstance(node, tree.Scripted) and len(above := _letters_above(node)) > 1:
            named.setdefault(text_of(node.base), set()).add(above)
    names = frozenset(name for name in named if name != "e")
    letters = frozenset(_plain(letter) for name in names for above in named[name] for letter in above)
    compound = (f for f in formulas if not isinstance(f, tree.Symbol))  # "the index $i$"
    alone = {n.name for f in compound for n in _outside_scripts(f) if isinstance(n, tree.Symbol)}
    if len(names) < 2 or letters & alone or not any(_contracts(node, names) for node in nodes):
        return None
    slopes = (n for n in nodes if isinstance(n, tree.Derivative))
    ones = (n for s in slopes for n in (s.of, *(by for by, _ in s.by)) if isinstance(n, tree.Scripted))
    vectors = {text_of(n.base): _letters_above(n) for n in ones if n.sub is None and len(_letters_above(n)) == 1}
    vectors = {name: above for name, above in vectors.items() if _plain(above[0]) in letters and name not in names}
    return Tensors(names, frozenset(vectors), letters)


def indices_in(script: Node | None) -> tuple[Node, ...]:
    """i and j of i j, and j alone; nothing of anything that is not made of letters."""
    factors = script.factors if isinstance(script, tree.Product) and set(script.ops) == {""} else (script,)
    plain = all(f is not None and len(_bare(f)) == 1 and _bare(f).isascii() and _bare(f).islower() for f in factors)
    return tuple(f for f in factors if f is not None) if plain else ()


def _bare(node: Node) -> str:
    return _plain(letter_of(node))


def _plain(letter: str) -> str:
    return letter.rstrip("'")


def _letters_above(node: tree.Scripted) -> tuple[str, ...]:
    """The letters above a name that has nothing below."""
    plain = isinstance(node.base, tree.Symbol) and node.sub is None and not node.primes
    return tuple(map(letter_of, indices_in(node.sup))) if plain else ()


def _outside_scripts(node: Node) -> Iterator[Node]:
    """What stands as a factor, a term or a side, and not above or below a name or in a list."""
    yield node
    if isinstance(node, (tree.Scripted, tree.List)):
        return
    below = node.sub if isinstance(node, tree.Big) else None
    for child in tree.children(node):
        if child is not below:
            yield from _outside_scripts(child)


def _contracts(node: Node, names: frozenset[str]) -> bool:
    """O^{ib} = A^{ij} V^{jb}: a letter stands twice in a product, and not on the left."""
    if not isinstance(node, tree.Chain) or len(node.sides) != 2:
        return False
    head, value = node.sides
    if not isinstance(head, tree.Scripted):
        return False
    factors = value.factors if isinstance(value, tree.Product) else ()
    found = [_letters_above(f) for f in factors if isinstance(f, tree.Scripted) and text_of(f.base) in names]
    counts = Counter(letter for above in found for letter in above)
    own = set(_letters_above(head))
    free = {letter for letter, count in counts.items() if count == 1}
    return len(own) > 1 and free == own and any(count == 2 for count in counts.values()) and max(counts.values()) == 2
