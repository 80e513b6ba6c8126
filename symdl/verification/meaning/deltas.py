"""δ^l for ∂L/∂z^l in documents that leave it to the reader, as most of those on backpropagation do.

They set δ^L = ∇_a L ⊙ f′(z^L) and δ^l = (W^{l+1})ᵀ δ^{l+1} ⊙ f′(z^l), and what stands in the brackets behind f′ has the
scripts of δ: it is what δ is the slope by. Or they say δ = ∂L/∂z of one neuron, and go on to δ^l of layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.marked import apart_from_brackets, slope_of, without_scripts_above
from symdl.verification.meaning.names import is_transpose, text_of
from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node, walk

DELTA = "δ"

#: What stands below a name, how many letters of it, and whether something stands above.
Kind = tuple[int, bool]


@dataclass(frozen=True)
class Deltas:
    """What δ is the slope of.

    Args:
        loss: L.
        by: the letter of z, for the scripts with which δ stands for a slope that the document does not write down.
    """

    loss: tree.Symbol
    by: Mapping[Kind, tree.Symbol]

    @property
    def told(self) -> str:
        """What δ is read as, in words."""
        return f"{DELTA} for ∂{unicode(self.loss)}/∂{unicode(next(iter(self.by.values())))}"

    def of(self, node: Node) -> Node:
        """A formula with ∂L/∂z^l for δ^l.

        >>> from symdl.verification.notation import parse, unicode
        >>> found = Deltas(tree.Symbol("L"), {(0, True): tree.Symbol("z")})
        >>> unicode(found.of(parse(r"\\delta^{l+1} (a^l)^T + \\delta_{ij}")))
        '∂L/∂zˡ⁺¹ · (aˡ)ᵀ + δᵢⱼ'
        """
        if isinstance(node, tree.Derivative):
            return node
        kind = _kind(node)
        if kind is not None and kind in self.by:
            plain, above = without_scripts_above(node)
            letter = self.by[kind]
            by = replace(plain, base=letter) if isinstance(plain, tree.Scripted) else letter
            return slope_of(self.loss, by, above)
        if isinstance(node, tree.Scripted):
            return replace(node, base=self.of(node.base)) if isinstance(node.base, tree.Group) else node
        node = tree.mapped(node, self.of)
        return apart_from_brackets(node) if isinstance(node, tree.Product) else node

    def introduced(self, node: Node) -> bool:
        """Whether a formula says what δ^l is: as the slope that it is read as, it has to be that.

        >>> from symdl.verification.notation import parse
        >>> found = Deltas(tree.Symbol("L"), {(0, True): tree.Symbol("z")})
        >>> [found.introduced(parse(t)) for t in (r"\\delta^l = 2 \\delta^{l+1}", r"2 = \\delta^l")]
        [True, False]
        """
        return any(isinstance(n, tree.Chain) and _kind(n.sides[0]) in self.by for n in walk(node))

    def used(self, node: Node) -> bool:
        """Whether δ^l stands in a formula."""
        return any(_kind(n) in self.by for n in walk(node))


def deltas_of(formulas: Iterable[Node]) -> Deltas | None:
    """What the formulas of a document show of δ; None where they show nothing, or say it all.

    >>> from symdl.verification.notation import parse
    >>> head, slope = r"\\delta^l = (W^{l+1})^T \\delta^{l+1} \\odot f'(z^l)", r"\\frac{\\partial C}{\\partial b^l}"
    >>> texts = (head, slope + r" = \\delta^l")
    >>> found = deltas_of([parse(t) for t in texts])
    >>> found.loss.name, {kind: z.name for kind, z in found.by.items()}
    ('C', {(0, True): 'z'})
    """
    every = [node for formula in formulas for node in walk(formula)]
    bases = {id(n.base) for n in every if isinstance(n, tree.Scripted)}
    nodes = [n for n in every if id(n) not in bases]
    chains = [n for n in nodes if isinstance(n, tree.Chain)]
    losses = [n.of for n in nodes if isinstance(n, (tree.Derivative, tree.Gradient))]
    of = [n for n in losses if isinstance(n, tree.Symbol) and objective(text_of(n))]
    told, shown = _told(chains), _shown(chains)
    letters = {letter.name: letter for letter in (*told.values(), *shown.values())}
    if not of or len(letters) != 1 or len(set(of)) != 1:
        return None
    ((name, letter),) = letters.items()
    kinds = {_kind(n) for n in nodes} - {None} - told.keys()
    alike = {_kind(n, of=name) for n in nodes} | shown.keys()
    by = {k: shown.get(k, letter) for k in kinds & alike if k is not None}
    return Deltas(of[0], by) if by else None


def _kind(node: Node, of: str = DELTA) -> Kind | None:
    """The scripts of δ, but for a transpose; None of anything else."""
    base = node.base if isinstance(node, tree.Scripted) else node
    if not isinstance(base, tree.Symbol) or base.name != of or base.accents:
        return None
    if not isinstance(node, tree.Scripted):
        return (0, False)
    above = without_scripts_above(node)[0]
    sup = above.sup if isinstance(above, tree.Scripted) else None
    if node.primes or isinstance(sup, (tree.Number, tree.Text)):
        return None
    letters = node.sub.factors if isinstance(node.sub, tree.Product) else () if node.sub is None else (node.sub,)
    return (len(letters), sup is not None)


def _told(chains: list[tree.Chain]) -> dict[Kind, tree.Symbol]:
    """z of δ_j = ∂L/∂z_j, for the scripts with which that is said."""
    found = {}
    for chain in chains:
        slopes = [s for s in chain.sides if isinstance(s, tree.Derivative) and len(s.by) == 1 and s.by[0][1] == 1]
        kind = _kind(chain.sides[0])  # ∂L/∂b^l = δ^l claims something
        letters = [_letter(s.by[0][0], chain.sides[0]) for s in slopes if isinstance(s.of, tree.Symbol)]
        if kind is not None and letters and letters[0] is not None:
            found[kind] = letters[0]
    return found


def _shown(chains: list[tree.Chain]) -> dict[Kind, tree.Symbol]:
    """z of δ^l = (…) ⊙ f′(z^l)."""
    found = {}
    for chain in chains:
        kind = _kind(chain.sides[0]) if chain.relations[:1] in (("=",), (":=",), ("≡",)) else None
        side = chain.sides[1] if kind is not None and len(chain.sides) > 1 else None
        if kind is None or not isinstance(side, tree.Product):
            continue
        pairs = side.neighbours
        behind = [b.body for a, b, op in pairs if op == "" and _is_slope(a) and isinstance(b, tree.Group)]
        letters = [_letter(node, chain.sides[0]) for node in behind]
        if len(letters) == 1 and letters[0] is not None:
            found[kind] = letters[0]
    return found


def _is_slope(node: Node) -> bool:
    """f′ of f′(z)."""
    return isinstance(node, tree.Scripted) and node.primes == 1


def _letter(name: Node, delta: Node) -> tree.Symbol | None:
    """z of z^l beside δ^l: where both have the same scripts."""
    base = name.base if isinstance(name, tree.Scripted) else name
    if not isinstance(base, tree.Symbol) or base.name == DELTA:
        return None
    scripts = [(n.sub, n.sup) if isinstance(n, tree.Scripted) else (None, None) for n in (name, delta)]
    return base if scripts[0] == scripts[1] and not is_transpose(scripts[0][1]) else None
