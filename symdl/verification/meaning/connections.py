"""What names hang on beside what they were set to: slopes that are named further on, and what was shown of a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symdl.core.tensors import Element
from symdl.verification.meaning import naming
from symdl.verification.meaning.graph import Name, named_slope
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.layers import at_layer
from symdl.verification.meaning.scope import Slope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def slopes_ahead(
    reader: Interpreter, chains: Iterable[tuple[tree.Chain, tuple[int, ...]]]
) -> Iterator[tuple[Name, Slope]]:
    """The names that chains give to slopes, with their sections; at other layers too."""
    for chain, section in chains:
        side, value = chain.sides[:2] if chain.relations[:1] in (("=",), ("≡",)) else (chain.sides[0], tree.Empty())
        slope = named_slope(reader, side, value)
        if slope is None:
            continue
        layers = reader.usage.layers.others(side)
        others = [named_slope(reader, at_layer(side, layer), at_layer(value, layer)) for layer in layers]
        for name, of, by in filter(None, (slope, *others)):
            yield name, Slope(of, by, section)


def made_of_more(reader: Interpreter, link: Meaning) -> list[tuple[Node, Node]]:
    """What a name, that was shown to be what is written now, is to be set to, so that it is made of the names there.

    a = σ(w x + b), and then z = w x + b and a = σ(z): so a hangs on z.
    """
    found, scope = naming.head(reader, link.left), reader.scope
    if found is None or found[1] is not None or link.values is None:
        return []
    name, rank = found[0].name, len(found[0].subscripts) + link.values[0].rank
    if any(n == name for n, _ in (*scope.slopes, *scope.former)):
        return []  # δ = ∂L/∂z stays that
    used = {(e.name, len(e.subscripts)) for e in link.values[1].body.atoms(Element)}
    before = {(e.name, len(e.subscripts)) for f in scope.all_of(name, rank) for e in f.value.body.atoms(Element)}
    new = [n for n in used - before if any(not f.given for f in scope.all_of(*n))]
    if not new or any(n == name or scope.depends(n, r, name) for n, r in used):
        return []
    made = [(link.left, link.right)]
    lines = {f.line for f in scope.all_of(name, rank)}
    for layer in reader.usage.layers.others(link.left):  # what was set for them along with it
        side = at_layer(link.left, layer)
        other = naming.heads(reader, side)
        if any(f.line in lines for n in other for f in scope.all_of(n, rank)):
            made.append((side, at_layer(link.right, layer)))
    return made
