"""p(y | x) as it was written: the likelihood P(𝐲 | 𝐗) = ∏_i p(y^{(i)} | x^{(i)}), with what p was said to be put in.

What a document says of p(y | x) holds for other y and x, which stand in its formula in their place. Of a p of which
nothing is said, p(y^{(i)} | x^{(i)}) is a positive number for each i.
"""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.generic import replaced
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict

#: What probabilities are called, and how often formulas are put into each other.
_NAMES, _DEEPEST = frozenset({"p", "P", "q", "Pr"}), 3


def with_densities(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with the formulas of probabilities put in as they were written; None where there are none."""
    reading = judge.reading
    written = (*reading.sources.items(), *reading.unread.items(), *reading.anew.items())
    said = {h: v for h, v in written if _density(h) is not None}
    sides = [link.left, link.right]
    for _ in range(_DEEPEST):
        new = [_put_in(side, said) for side in sides]
        if new == sides:
            break
        sides = new
    if sides == [link.left, link.right]:
        return None
    sides = [_opaque(side) for side in sides]
    found = judge.read_in(reading, replace(link, left=sides[0], right=sides[1]))
    return replace(found, scope=f"{found.scope}; probabilities as they were written")


def _density(node: Node) -> tuple[str, tuple[Node, ...], str] | None:
    """p, (y, x) and | of p(y | x)."""
    if (call := tree.called(node)) is None:
        return None
    name, group = call
    if not isinstance(name, tree.Symbol) or name.name not in _NAMES:
        return None
    inner = group.body
    if not isinstance(inner, tree.List) or "|" not in inner.separators:
        return None
    return name.name, inner.items, inner.separators


def _named(node: Node) -> str:
    found = _density(node)
    return found[0] if found is not None else ""


def _put_in(node: Node, said: dict[Node, Node]) -> Node:
    here = _density(node)
    if here is None:
        return tree.mapped(node, lambda n: _put_in(n, said))
    own = {head: value for head, value in said.items() if _named(head) == here[0]}
    # P(y | x), and then ∏ p(y^{(i)} | x^{(i)})
    for head, value in (own or {h: v for h, v in said.items() if _named(h).lower() == here[0].lower()}).items():
        there = _density(head)
        if there is None or there[2] != here[2] or len(there[1]) != len(here[1]):
            continue
        names = [n for n in there[1] if isinstance(n, tree.Symbol)]
        # P(𝐲 | 𝐗) is of all examples, and p(y | 𝐱) of one
        if len(names) != len(there[1]) or len(set(names)) != len(names) or not _alike(there[1], here[1]):
            continue
        return tree.Group(_renamed(value, dict(zip(names, here[1], strict=True))))
    return node


def _alike(names: tuple[Node, ...], places: tuple[Node, ...]) -> bool:
    """Whether names of one type stand in each place: 𝐱^{(i)} for 𝐱, and no matrix 𝐗."""
    bases = [p.base if isinstance(p, tree.Scripted) else p for p in places]
    return all(
        isinstance(n, tree.Symbol) and isinstance(b, tree.Symbol) and (n.name, n.face) == (b.name, b.face)
        for n, b in zip(names, bases, strict=True)
    )


def _renamed(value: Node, places: dict[tree.Symbol, Node]) -> Node:
    """A formula with other names, all at once."""
    held = {name: tree.Symbol(f"{name.name}‥{k}") for k, name in enumerate(places)}
    for name, other in held.items():
        value = replaced(value, name, other)
    for name, other in held.items():
        value = replaced(value, other, places[name])
    return value


def _opaque(node: Node) -> Node:
    """e^{p‥_i} for p(y^{(i)} | x^{(i)}), which is positive and hangs on i."""
    here = _density(node)
    if here is None:
        return tree.mapped(node, _opaque)
    letters = dict.fromkeys(
        n.sup.body if isinstance(n.sup, tree.Group) else n.sub
        for item in here[1]
        for n in walk(item)
        if isinstance(n, tree.Scripted)
    )
    single = [n for n in letters if isinstance(n, tree.Symbol)]
    if len(single) != 1 or len(letters) != 1:
        return node
    hidden = tree.Scripted(tree.Symbol(f"{here[0]}‥"), sub=single[0])
    return tree.Applied(tree.Symbol("exp", "rm"), tree.Group(hidden))
