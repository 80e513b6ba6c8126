"""Claims about functions of several numbers that nobody defines, and about lists that go on to N, at three entries.

f(𝐱 + 𝛆) ≈ f(𝐱) + 𝛆ᵀ∇f(𝐱), and df/d𝐱 = (df/dx_1, …, df/dx_n)ᵀ: proved for every f of three numbers, and never refuted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.approximate import APPROXIMATE, agree, is_small, order_of, without_rest
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.functionals import items_of
from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.lengths import LENGTH, at_length, end_of
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.scope import Scope, count
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.usage import is_list
from symdl.verification.meaning.values import opened, written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict

Decide = Callable[[Pair], Verdict]


def at_three(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof at three entries; None where there is none, or nothing of the kind stands in the link.

    Args:
        decide: judges an equality.
    """
    try:
        found = _at_three(reading, link, decide)
    except SymdlError:
        return None
    if found is None or not found.proved:
        return None
    told = f"vectors and lists of {LENGTH} entries"
    return replace(found, scope=f"{found.scope}; {told}")


def _at_three(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    sides = at_length((link.left, link.right)) or (link.left, link.right)
    several: dict[str, list[Node]] = {}
    for name, arguments in (found for side in sides for found in _applications(reading.reader(), side)):
        several.setdefault(name, []).extend(arguments)
    if sides == (link.left, link.right) and not several:
        return None
    scope = reading.scope.where_open(several.keys()) if several else reading.scope.copy()
    scope.functionals = frozenset(several)
    if end := end_of((link.left, link.right)):
        scope.merged[count(end)] = sympy.Integer(LENGTH)
    # a sum without limits runs over the entries here, whatever its letter runs over elsewhere
    reader = replace(reading, scope=scope, usage=replace(reading.usage, limits={})).reader()
    for name in _numbered(reader, [a for arguments in several.values() for a in arguments]):
        scope.fit(scope.extent(name, 0, 1), sympy.Integer(LENGTH))
    right, rest = without_rest(reader, sides[1])
    values = reader.value(sides[0]), reader.value(right)
    within = None if rest is None or isinstance(rest, tree.Dots) else _small(reader, rest)
    if values[0].rank == 1 and values[0].row != values[1].row and not any(map(is_list, sides)):
        return None
    pairs = list(_entries(scope, *values))
    if rest is None and link.relation not in APPROXIMATE:
        return _all(decide(pair) for pair in pairs)
    if len(pairs) != 1 or values[0].axes or isinstance(rest, tree.Dots):
        return None
    return _to_an_order(pairs[0], within, rest is not None, decide)


def _applications(reader: Interpreter, side: Node) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """The names that stand before a vector or a list in brackets and are no factors, with what they are of."""
    for node in walk(side):
        for first, second in (
            zip(node.factors, node.factors[1:], strict=False) if isinstance(node, tree.Product) else ()
        ):
            slope = isinstance(first, tree.Derivative) and first.of is not None  # ∂u/∂a (a, b): u is a function
            first = first.of if isinstance(first, tree.Derivative) and first.of is not None else first
            parts = reader.parts(first) if isinstance(second, tree.Group) else None
            if parts is None or not isinstance(second, tree.Group) or parts.subscripts or parts.bold or parts.primes:
                continue
            named = function_letter(parts.name) or objective(parts.name) or parts.name in reader.scope.functions
            named = named or slope
            if named or parts.name in reader.usage.applied - reader.usage.bare:
                arguments = items_of(second)
                if len(arguments) > 1 or _is_vector(reader, arguments[0]):
                    yield parts.name, arguments


def _numbered(reader: Interpreter, arguments: list[Node]) -> set[str]:
    """x of x_1, x_2, x_3."""
    every = (reader.parts(n) for a in arguments for n in walk(a) if isinstance(n, tree.Scripted))
    return {
        p.name for p in every if p is not None and len(p.subscripts) == 1 and isinstance(p.subscripts[0], tree.Number)
    }


def several_arguments(reader: Interpreter, side: Node) -> set[str]:
    """The names of functions of several numbers in a formula."""
    return {name for name, arguments in _applications(reader, side) if len(arguments) > 1}


def _is_vector(reader: Interpreter, node: Node) -> bool:
    try:
        return reader.value(node).rank == 1
    except SymdlError:
        return False


def _entries(scope: Scope, a: Array, b: Array) -> Iterator[Pair]:
    """Both sides entry by entry, written out."""
    if a.rank != b.rank:
        return
    for i, j in zip(a.axes, b.axes, strict=True):
        if not scope.fit(i.extent, j.extent):
            return
    extents = [scope.root(i.extent) for i in a.axes]
    if any(e != LENGTH for e in extents):
        return
    for place in _places(len(extents)):
        left, right = (_without_sums(scope.settled(opened(scope, v.at(place)))) for v in (a, b))
        yield left, right


def _without_sums(expr: sympy.Expr) -> sympy.Expr:
    """Sums inside of sums written out as well."""
    while (new := written_out(expr)) != expr:
        expr = new
    return expr


def _places(rank: int) -> Iterator[tuple[sympy.Integer, ...]]:
    if rank == 0:
        yield ()
        return
    for rest in _places(rank - 1):
        yield from ((*rest, sympy.Integer(k)) for k in range(LENGTH))


def _all(verdicts: Iterator[Verdict]) -> Verdict | None:
    found = None
    for found in verdicts:
        if not found.proved:
            return None
    return found


def _small(reader: Interpreter, rest: Node) -> tuple[set[Element], int]:
    """The entries of 𝛆 and 2 of O(‖𝛆‖²); of O(ε²), ε and 2."""
    power, sup = 1, rest.sup if isinstance(rest, tree.Scripted) else None
    if isinstance(rest, tree.Scripted) and isinstance(sup, tree.Number) and sup.text.isdigit():
        rest, power = rest.base, int(sup.text)
    value = reader.value(rest.body if isinstance(rest, (tree.Norm, tree.Abs)) else rest)
    places = _places(value.rank) if value.rank < 2 else iter(())
    entries = {value.at(place) for place in places}
    plain = {e for e in entries if isinstance(e, Element)}
    return (plain, power) if plain == entries else (set(), 0)


def _to_an_order(pair: Pair, within: tuple[set[Element], int] | None, told: bool, decide: Decide) -> Verdict | None:
    """Whether both sides agree to the order that is written; without O(…), in the names in which the right side is a
    polynomial."""
    left, right = pair
    if within is not None:
        small, order = within[0], within[1] - 1
        return agree(left, right, small, order, decide, _scope(small, order)) if small and order > 0 else None
    if told:
        return None
    small = {e for e in left.atoms(Element) | right.atoms(Element) if is_small(e)}
    first = _degree(right, small) == 1 or (_degree(right, small) == 0 and order_of(right, small) == 1)
    if small and first and not any(s.has(Index) for e in small for s in e.subscripts):
        return agree(left, right, small, 1, decide, _scope(small, 1))
    for name in sorted({e.name for e in right.atoms(Element)}):
        small = {e for e in right.atoms(Element) | left.atoms(Element) if e.name == name}
        if any(s.has(Index) for e in small for s in e.subscripts):
            continue
        order = order_of(right, small)
        polynomial = right.is_polynomial(*small) if order else False
        if polynomial and not left.is_polynomial(*small):
            found = agree(left, right, small, order, decide, _scope(small, order))
            if found is not None:
                return found
    return None


def _degree(expr: sympy.Expr, small: set[Element]) -> int:
    """To which power small numbers are multiplied, outside of functions: 1 in f(x + h) + ε f′(x + h)."""
    outside = expr.xreplace(dict.fromkeys(expr.atoms(UnknownFunction), sympy.S.One))
    return sympy.Poly(outside, *small).total_degree() if outside.is_polynomial(*small) and small else 0


def _scope(small: set[Element], order: int) -> str:
    return f"to order {order} in {', '.join(sorted({e.name for e in small}))}; every smooth function"
