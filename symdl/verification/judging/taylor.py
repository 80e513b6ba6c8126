"""C(w + Δw) ≈ C(w) + ∇C·Δw + ½ Δwᵀ H Δw of a C that nobody defines, where w has entries w_j: at three of them.

H, of which nothing is said, is the matrix of second derivatives then. This proves, and never refutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.approximate import APPROXIMATE, agree, order_of, without_rest
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning import calculus
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.lengths import LENGTH
from symdl.verification.meaning.scope import Formula, Scope, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import listed, new_index
from symdl.verification.meaning.unknown import unknown
from symdl.verification.meaning.values import opened, written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict

Decide = Callable[[Pair], Verdict]

#: The orders to which such expansions are written.
_ORDERS = (1, 2)


@dataclass(frozen=True)
class _Expansion:
    """The names of C(w + Δw), and w as it is written."""

    function: str
    place: str
    change: str
    at: Node


def expanded_in_entries(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof that both sides agree to the order that is written; None where there is none."""
    found = _expansion(reading, link.left)
    if found is None:
        return None
    try:
        return _expanded(reading, link, found, decide)
    except SymdlError:
        return None


def _expansion(reading: Reading, side: Node) -> _Expansion | None:
    if not isinstance(side, tree.Product) or len(side.factors) != 2 or not isinstance(side.factors[1], tree.Group):
        return None
    inner, reader = side.factors[1].body, reading.reader()
    if not isinstance(inner, tree.Sum) or len(inner.terms) != 2 or any(sign != "+" for sign, _ in inner.terms):
        return None
    nodes = side.factors[0], inner.terms[0][1], inner.terms[1][1]
    named = [reader.parts(node) for node in nodes]
    names = [p.name for p in named if p is not None and not p.subscripts and p.power is None and not p.primes]
    if len(names) != len(nodes) or names[2] != f"Δ{names[1]}" or 1 not in reading.usage.ranks.get(names[1], ()):
        return None
    return _Expansion(names[0], names[1], names[2], nodes[1])


def _expanded(reading: Reading, link: Meaning, names: _Expansion, decide: Decide) -> Verdict | None:
    right, rest = without_rest(reading.reader(), link.right)
    if not isinstance(rest, tree.Dots) and (rest is not None or link.relation not in APPROXIMATE):
        return None
    scope, second = _scope(reading.scope, names)
    others = {n: r for n, r in reading.usage.ranks.items() if n != names.function}
    ranks = {**others, names.place: {1}, names.change: {1}}
    usage = replace(reading.usage, limits={}, ranks=ranks, bare=reading.usage.bare - {names.function})
    reader = replace(reading, scope=scope, usage=usage).reader()
    reader.spreading = 1
    left, right = (_by_the_place(side, names) for side in (link.left, right))
    pair = tuple(_written_out(scope.settled(opened(scope, reader.number(side)))) for side in (left, right))
    small = {e for side in pair for e in side.atoms(Element) if e.name == names.change}
    order = order_of(pair[1], small)
    if order not in _ORDERS or not pair[1].is_polynomial(*small):
        return None
    stands = any(isinstance(n, tree.Symbol) and n.name == "H" for n in walk(right))
    told = "; H for the matrix of second derivatives" if second and stands else ""
    scoped = f"to order {order} in {names.change}; every smooth {names.function} of {LENGTH} numbers{told}"
    return agree(pair[0], pair[1], small, order, decide, scoped)


def _scope(scope: Scope, names: _Expansion) -> tuple[Scope, bool]:
    """With C as an unknown function of three numbers w_j, and H as its second derivatives where nothing is H."""
    unset = not scope.all_of("H", 2) and not scope.all_of("H", 0) and "H" not in scope.opaque
    scope = scope.where_open({names.function, names.place, names.change})
    scope.functionals = frozenset({names.function})
    for name in (names.place, names.change):
        scope.extents = {**scope.extents, (name, 0, 1): sympy.Integer(LENGTH)}
        scope.where = {**scope.where, (name, 0, 1): scope.section[:1]}
    places = [element(names.place, [sympy.Integer(k + scope.base(names.place))]) for k in range(LENGTH)]
    value = unknown(names.function)(*places)
    scope.formulas[names.function, 0] = Formula(scalar(value))
    if unset:
        rows, columns = (new_index(f"a{k}", sympy.Integer(LENGTH)) for k in range(2))
        second = [listed([calculus.slope(calculus.slope(value, p), q) for q in places], columns) for p in places]
        starts = (scope.base("H"),) * 2
        scope.ranks = {**scope.ranks, "H": {2}}
        scope.formulas["H", 2] = Formula(Array((rows, columns), listed(second, rows)), starts)
    return scope, unset


def _by_the_place(node: Node, names: _Expansion) -> Node:
    """∇C as ∇_w C."""
    if isinstance(node, tree.Gradient) and node.by is None and isinstance(node.of, tree.Symbol):
        return replace(node, by=names.at) if node.of.name == names.function else node
    return tree.mapped(node, lambda inner: _by_the_place(inner, names))


def _written_out(expr: sympy.Expr) -> sympy.Expr:
    """Sums inside of sums written out as well."""
    while (new := written_out(expr)) != expr:
        expr = new
    return expr
