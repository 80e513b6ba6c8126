"""f(x) ≈ f(a) + f′(a) (x − a): Taylor polynomials about a point, and slopes as quotients of small differences.

The point is read off the polynomial: a of (x − a)², −1 of (x + 1)². Both sides agree to the degree that is written.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.judging.approximate import APPROXIMATE, HIGHEST, Decide, agree, is_small
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.verdict import Status, Verdict


def expanded(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """The proof of f(x) ≈ its Taylor polynomial, or of f′(x) ≈ a quotient of differences; None where there is none."""
    if link.relation not in APPROXIMATE:
        return None
    try:
        growing = _as_it_grows(reading, link)
        return growing or _about_a_point(reading.reader(), reading, link, decide) or _quotient(reading, link, decide)
    except SymdlError:
        return None


def without_quotient(link: Meaning) -> Meaning | None:
    """a ≈ b/c as c a ≈ b; None where no side is a fraction."""
    for side, other in ((link.left, link.right), (link.right, link.left)):
        if isinstance(side, tree.Quotient):
            return replace(
                link, left=side.over, right=tree.Product((tree.Group(other), side.under), ("",)), values=None
            )
    return None


def _as_it_grows(reading: Reading, link: Meaning) -> Verdict | None:
    """(1 − 1/n)ⁿ ≈ 1/e of a number of things n: the limit, which values at large n confirm."""
    reader = reading.reader()
    sides = [opened(reading.scope, reader.number(side)) for side in (link.left, link.right)]
    if sides[0].is_number:
        sides.reverse()
    growing, limit = sides
    counts = growing.free_symbols
    if not limit.is_number or len(counts) != 1 or growing.atoms(Element) or not all(n.is_integer for n in counts):
        return None
    (n,) = counts
    found = _limit(growing, n)
    if found is None or sympy.expand(found - limit) != 0:
        return None
    apart = [abs((growing - limit).evalf(30, subs={n: 10**k})) for k in (3, 6)]
    if not (apart[1] < apart[0] and apart[1] < sympy.Rational(1, 1000)):
        return None
    return Verdict(Status.PROVED, "limit", f"as {n} grows")


def _limit(expr: sympy.Expr, n: sympy.Symbol) -> sympy.Expr | None:
    """The limit as n grows of sums and products of rational functions and of (1 + c/n)ⁿ; None of anything else.

    >>> n = sympy.Symbol("n", integer=True, positive=True)
    >>> _limit((1 - 1 / n) ** n * n / (n - 1), n), _limit(n**2 / (n + 1), n)
    (exp(-1), None)
    """
    if not expr.has(n):
        return expr
    if expr.is_rational_function(n):
        over, under = (sympy.Poly(part, n) for part in sympy.fraction(sympy.together(expr)))
        if over.degree() > under.degree():
            return None
        return over.LC() / under.LC() if over.degree() == under.degree() else sympy.S.Zero
    if isinstance(expr, (sympy.Add, sympy.Mul)):
        # rational factors together: n · 1/(n − 1) has a limit, and n has none
        rational = expr.func(*[a for a in expr.args if a.is_rational_function(n)])
        parts = [rational, *(a for a in expr.args if not a.is_rational_function(n))]
        found = [_limit(a, n) for a in parts]
        return None if None in found else expr.func(*found)
    base, power = expr.as_base_exp()
    if not base.is_rational_function(n) or not power.is_polynomial(n) or sympy.degree(power, n) != 1:
        return None
    near = _limit((base - 1) * n, n)
    return None if near is None else sympy.exp(near * sympy.Poly(power, n).LC())


def _quotient(reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    """(f(x + h) − f(x))/h ≈ f′(x), where both sides times h agree to the order of h."""
    plain = without_quotient(link)
    under = next((s.under for s in (link.left, link.right) if isinstance(s, tree.Quotient)), None)
    if plain is None or under is None:
        return None
    reader = reading.reader()
    values = reader.value(plain.left), reader.value(plain.right)
    small = {e for e in reader.number(under).atoms(Element) if is_small(e) or e.name == "h"}
    if len(small) != 1 or any(v.axes or v.body.has(Reduction) for v in values):
        return None
    a, b = (opened(reading.scope, v.body) for v in values)
    (name,) = small
    return agree(a, b, small, 1, decide, f"where {name} is small, to its order")


def _about_a_point(reader: Interpreter, reading: Reading, link: Meaning, decide: Decide) -> Verdict | None:
    left, right = reader.value(link.left), reader.value(link.right)
    if left.axes or right.axes or any(v.body.has(Reduction) for v in (left, right)):
        return None
    points = _points(right.body)
    a, b = (opened(reading.scope, v.body) for v in (left, right))
    names = {x: place for x, place in points.items() if x in a.atoms(Element)}
    if not names:
        return None
    steps = {x: element(f"ε·{x.name}", x.subscripts) for x in names}
    shift = {x: place + steps[x] for x, place in names.items()}
    first, second = a.xreplace(shift), sympy.expand(b.xreplace(shift))
    small = set(steps.values())
    if not second.is_polynomial(*small) or first.is_polynomial(*small):
        return None
    order = sympy.Poly(second, *small).total_degree()
    if not 1 <= order <= HIGHEST or any(c.has(*small) for c in second.atoms(UnknownFunction)):
        return None
    told = ", ".join(f"{x} = {place}" for x, place in sorted(names.items(), key=str))
    return agree(first, second, small, order, decide, f"to order {order} about {told}")


def _points(expr: sympy.Expr) -> dict[Element, sympy.Expr]:
    """a of x − a, where it stands by itself or to a power; 0 for names that stand to a power by themselves."""
    found: dict[Element, sympy.Expr] = {}
    for term in (t for t in sympy.preorder_traversal(expr) if isinstance(t, sympy.Add) and len(t.args) == 2):
        for x, rest in (t for t in (term.args, term.args[::-1])):
            point = -rest
            plain = point.is_number or (isinstance(point, Element) and _is_at(point, x))
            if isinstance(x, Element) and plain:
                found.setdefault(x, point)
    if found:
        own = {p.base for p in expr.atoms(sympy.Pow) if isinstance(p.base, Element) and p.exp.is_Integer}
        beside = {e for e in own if e not in found and e not in set(found.values())}
        found |= dict.fromkeys(beside, sympy.S.Zero)
    return found


def _is_at(point: Element, x: sympy.Basic) -> bool:
    """x_0 and x^* of x: a place of its own."""
    own = isinstance(x, Element) and not x.subscripts
    return (
        own and isinstance(x, Element) and (point.name == x.name or point.name.startswith((f"{x.name}_", f"{x.name}^")))
    )
