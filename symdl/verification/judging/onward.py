"""∂L/∂z = ∂L/∂u ∂u/∂z + ∂L/∂v ∂v/∂z of names of which no formula is given: the chain rule itself.

What the text leaves open is on which ways L hangs on z. So it is proved for every L that does so on the ways that are
written alone, and only where nothing else in the document speaks of another one.
"""

from __future__ import annotations

from itertools import pairwise

from symdl.core.tensors import Element
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import Parts, letter_of
from symdl.verification.meaning.scope import count
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

_TIMES = frozenset({"", "·", "*", "×"})

#: Sums of more ways are not looked at.
_MOST = 12


def through_names(reading: Reading, link: Meaning) -> Verdict | None:
    """The proof that a slope is the sum of what comes on each way; None where it is anything else."""
    if link.relation not in ("=", "≡"):
        return None
    reader = reading.reader()
    for whole, product in ((link.left, link.right), (link.right, link.left)):
        ends, ways = _slope(reading, reader, whole), _ways(reader, product)
        if ends is None or not ways or any(len(w) < 3 or (w[0], w[-1]) != ends or len(set(w)) != len(w) for w in ways):
            continue
        names = list(dict.fromkeys(name for way in ways for name in (way[0], *way[1:-1])))
        one = len(ways) == 1 and _hangs_on_through(reading, ends[0], names[1:], ends[1])
        if sorted(_every_way(ways, *ends)) == sorted(ways) and (one or _is_open(reading, names, ends[1])):
            scope = f"every {ends[0]} that hangs on {ends[1]} through {' and '.join(names[1:])} only"
            return Verdict(Status.PROVED, "chain rule", scope)
    return None


def over_entries(reading: Reading, link: Meaning) -> Verdict | None:
    """The proof of ∂L/∂x_i = Σ_j ∂L/∂y_j ∂y_j/∂x_i, of an L that hangs on x through y; None of anything else."""
    if link.relation not in ("=", "≡"):
        return None
    reader = reading.reader()
    for whole, product in ((link.left, link.right), (link.right, link.left)):
        if not isinstance(whole, tree.Derivative) or whole.of is None or len(whole.by) != 1 or whole.by[0][1] != 1:
            continue
        between = _summed_between(reading, reader, product, whole.of, whole.by[0][0])
        of, by = reader.parts(whole.of), reader.parts(whole.by[0][0])
        if (
            not between
            or of is None
            or by is None
            or of.subscripts
            or not _hangs_on_through(reading, of.name, between, by.name)
        ):
            continue
        scope = f"every {of.name} that hangs on {by.name} through {' and '.join(between)} only"
        return Verdict(Status.PROVED, "chain rule", scope)
    return None


def _summed_between(reading: Reading, reader: Interpreter, node: Node, of: Node, by: Node) -> list[str]:
    """y of Σ_j ∂L/∂y_j ∂y_j/∂x_i, between L and x_i, and z before it; nothing of anything else."""
    sums: dict[str, tree.Big] = {}
    bound: list[str] = []
    while isinstance(node, tree.Big) and node.op == "sum" and node.sub is not None:
        bound.append(letter_of(node.sub.sides[0] if isinstance(node.sub, tree.Chain) else node.sub))
        sums[bound[-1]] = node
        node = node.body
    factors = node.factors if isinstance(node, tree.Product) and set(node.ops) <= _TIMES else ()
    slopes = [f.body if isinstance(f, tree.Group) else f for f in factors]
    places, last = list[Node](), of
    for slope in slopes:
        if not isinstance(slope, tree.Derivative) or len(slope.by) != 1 or slope.by[0][1] != 1 or slope.of != last:
            return []
        last = slope.by[0][0]
        places.append(last)
    named = [reader.parts(place) for place in places]
    if last != by or len(named) < 2 or named[-1] is None:
        return []
    between = [p for p in named[:-1] if p is not None and len(p.subscripts) == 1]
    names, letters = [p.name for p in between], [letter_of(p.subscripts[0]) for p in between]
    once = len(set(names)) == len(set(letters)) == len(named) - 1 and sorted(letters) == sorted(bound)
    if not once or {letter_of(s) for s in named[-1].subscripts} & set(bound):
        return []
    whole = all(_runs_over_all(reading, sums[letter], name) for name, letter in zip(names, letters, strict=True))
    return names if whole else []


def _runs_over_all(reading: Reading, node: tree.Big, name: str) -> bool:
    """Whether a sum is over all entries of a vector as it is written: Σ_j, or Σ_{j=1}^m if that is its length."""
    if not isinstance(node.sub, tree.Chain):
        return isinstance(node.sub, tree.Symbol) and node.sup is None
    first = node.sub.sides[1]
    if node.sub.relations != ("=",) or not (isinstance(first, tree.Number) and first.text == "1"):
        return False
    scope = reading.scope.copy()
    length = scope.extent(name, 0, 1)
    return isinstance(node.sup, tree.Symbol) and (length in scope.made or length == count(node.sup.name))


def _hangs_on_through(reading: Reading, of: str, between: list[str], by: str) -> bool:
    """Whether nothing in this chapter says that L hangs on x in another way than through y, or y on L."""
    scope, every = reading.scope, {of, *between, by}
    formulas = [*scope.formulas.items(), *((k, f) for k, f in scope.entries.items())]
    known = {key[0] for key, f in formulas if not scope.chapter_over(f.section)}
    used = {e.name for _, f in formulas if not scope.chapter_over(f.section) for e in f.value.body.atoms(Element)}
    opaque = {name for name, section in scope.opaque.items() if not scope.chapter_over(section)}
    if known & {of, *between} or used & every or not opaque & every <= reading.hidden.keys():
        return False
    if of not in opaque | reading.hidden.keys() and _other_ways(reading, every):
        return False
    chain = [of, *between, by]
    allowed = {a: {b} for a, b in pairwise(chain)}
    return all(reading.hidden[name] & every <= allowed.get(name, set()) for name in reading.hidden.keys() & every)


def _slope(reading: Reading, reader: Interpreter, node: Node) -> tuple[str, str] | None:
    """L and z of ∂L/∂z, and of a name that was given to it."""
    if isinstance(node, tree.Derivative):
        return _ends(reader, node)
    parts = reader.parts(node)
    slope = reading.scope.named_slopes().get((parts.name, 0)) if parts is not None and _is_plain(parts) else None
    return None if slope is None else (slope.target, slope.name)


def _ends(reader: Interpreter, node: tree.Derivative) -> tuple[str, str] | None:
    if node.of is None or len(node.by) != 1 or node.by[0][1] != 1:
        return None
    of, by = reader.parts(node.of), reader.parts(node.by[0][0])
    plain = of is not None and by is not None and _is_plain(of) and _is_plain(by)
    return (of.name, by.name) if plain and of is not None and by is not None else None


def _is_plain(parts: Parts) -> bool:
    return not parts.subscripts and parts.power is None and not parts.primes and not parts.transposed


def _ways(reader: Interpreter, node: Node) -> list[list[str]]:
    """L, u and z of ∂L/∂u ∂u/∂z, for each term of a sum; nothing of anything else."""
    terms = node.terms if isinstance(node, tree.Sum) else (("+", node),)
    found = [_way(reader, term) for sign, term in terms if sign == "+"]
    return found if len(found) == len(terms) <= _MOST and all(found) else []


def _way(reader: Interpreter, node: Node) -> list[str]:
    if not isinstance(node, tree.Product) or not set(node.ops) <= _TIMES:
        return []
    found: list[str] = []
    for factor in node.factors:
        ends = _ends(reader, factor) if isinstance(factor, tree.Derivative) else None
        if ends is None or (found and found[-1] != ends[0]):
            return []
        found += [*ends] if not found else [ends[1]]
    return found


def _every_way(ways: list[list[str]], first: str, last: str) -> list[list[str]]:
    """All ways from one name to another along the slopes that are written: a sum that leaves one out is wrong.

    As many as were written, and one more at most.
    """
    steps = list(dict.fromkeys(step for way in ways for step in pairwise(way)))
    found, ahead = list[list[str]](), [[first]]
    while ahead and len(found) <= len(ways):
        way = ahead.pop()
        if way[-1] == last:
            found.append(way)
            continue
        ahead += [[*way, below] for above, below in steps if above == way[-1] and below not in way]
    return found


def _is_open(reading: Reading, names: list[str], by: str) -> bool:
    """Whether nothing is known of the names on the ways, and nothing else is said to hang on them."""
    scope = reading.scope
    defined = {n for n, _ in (*scope.formulas, *scope.entries)} | scope.functions.keys() | scope.opaque.keys()
    used = {n for n, _ in scope.used()}
    every = {*names, by}
    return defined.isdisjoint(names) and used.isdisjoint(every) and not _other_ways(reading, every)


def _other_ways(reading: Reading, names: set[str]) -> set[str]:
    """Other names of which the document has slopes by some names."""
    return {of for of, inner in reading.differentiated if inner in names} - names
