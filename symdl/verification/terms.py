"""Elementary functions of one number as polynomials in it, in exponentials and error functions: factors and growth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sympy

from symdl.core.deadlines import now
from symdl.errors import SymdlError
from symdl.verification.balls import evaluate

#: What may stand in a function whose zeros are sought: its derivative shows each of its poles, and it has no kinks.
KNOWN = (sympy.exp, sympy.log, sympy.erf, sympy.sin, sympy.cos, sympy.atan, sympy.asinh)
HYPERBOLIC = (sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)


#: Of a sum: exponent, error functions, polynomial; the term is their product, the exponent as a power of e.
Term = tuple[sympy.Expr, sympy.Expr, sympy.Expr]


class UndecidedError(SymdlError):
    """No proof was found; the message says where it ended."""


@dataclass
class Work:
    """How long one proof may take, and how deep it is."""

    seconds: float = 20.0
    depth: int = 0
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = now() + self.seconds

    def again(self) -> None:
        """Begin another proof."""
        self.depth, self.deadline = 0, now() + self.seconds

    def deeper(self) -> None:
        self.depth += 1


def exponential(expr: sympy.Expr) -> sympy.Expr:
    """Hyperbolic functions as exponentials, the exponents expanded.

    >>> s = sympy.Symbol("s", real=True)
    >>> sympy.cancel(exponential(sympy.tanh(sympy.log(1 + sympy.exp(s)))))
    (exp(2*s) + 2*exp(s))/(exp(2*s) + 2*exp(s) + 2)
    """
    while calls := expr.atoms(*HYPERBOLIC):
        inner = [c for c in calls if not any(a.atoms(*HYPERBOLIC) for a in c.args)]
        expr = expr.xreplace({c: c.rewrite(sympy.exp) for c in inner})
    expr = expr.replace(sympy.erfc, lambda u: 1 - sympy.erf(u))
    return expr.replace(sympy.exp, lambda q: sympy.exp(sympy.expand(q)))


def factors(expr: sympy.Expr, s: sympy.Symbol) -> Iterator[tuple[sympy.Expr, bool, bool]]:
    """The factors of an expression: (factor, whether its power is odd, whether it stands in the denominator).

    Exponentials alone, and constants, are left out: they have no zeros.
    """
    plain = exponential(sympy.sympify(expr, strict=True))
    _readable(plain, s)
    made, back = _symbols(plain, s)
    top, bottom = sympy.fraction(sympy.cancel(sympy.together(made)))
    for symbol, root in back.items():
        if root.is_Pow and root.has(s) and root.exp == sympy.S.Half and top.has(symbol):
            top = sympy.expand(sympy.rem(top, symbol**2 - root.base, symbol))
    for part, below in ((top, False), (bottom, True)):
        if part == 0:
            raise UndecidedError("it is 0 everywhere")
        if part.is_number:
            continue
        for factor, power in sympy.factor_list(part)[1]:
            whole = factor.xreplace(back)
            if whole.has(s) and not isinstance(whole, sympy.exp) and not (whole.is_Pow and whole.is_positive):
                yield sympy.expand(whole), bool(power % 2), below


def _readable(expr: sympy.Expr, s: sympy.Symbol) -> None:
    """Refuse what might have a pole or a kink that no derivative shows."""
    odd = [c for c in expr.atoms(sympy.Function) if not isinstance(c, KNOWN)]
    odd += [p for p in expr.atoms(sympy.Pow) if p.has(s) and not (p.exp.is_Rational and p.exp.q <= 2)]
    odd = [p for p in odd if not isinstance(p, sympy.exp)]
    if odd:
        raise UndecidedError(f"there is no method for {min(odd, key=sympy.default_sort_key)}")


def _symbols(expr: sympy.Expr, s: sympy.Symbol) -> tuple[sympy.Expr, dict[sympy.Expr, sympy.Expr]]:
    """Each transcendental part as a symbol, commensurable exponentials as powers of one; and what they stand for."""
    there: dict[sympy.Expr, sympy.Expr] = {}
    back: dict[sympy.Expr, sympy.Expr] = {}
    bases: list[tuple[sympy.Expr, list[sympy.exp]]] = []
    for call in sorted(expr.atoms(sympy.exp), key=sympy.default_sort_key):
        for base, calls in bases:
            if sympy.cancel(call.args[0] / base).is_Rational:
                calls.append(call)
                break
        else:
            bases.append((call.args[0], [call]))
    for base, calls in bases:
        ratios = [sympy.cancel(c.args[0] / base) for c in calls]
        unit = sympy.ilcm(1, *[r.q for r in ratios])
        symbol = sympy.Dummy("E", positive=True)
        back[symbol] = sympy.exp(sympy.expand(base / unit))
        there.update({c: symbol ** (r * unit) for c, r in zip(calls, ratios, strict=True)})
    constants = {a for a in expr.atoms(sympy.Pow) if not a.has(s) and a.base.is_Rational and a.exp.is_Rational}
    for power in constants:
        root = power.base ** sympy.Rational(1, power.exp.q)
        known = next((d for d, v in back.items() if v == root), None) or sympy.Dummy("c", positive=True)
        back[known] = root
        there[power] = known**power.exp.p
    for power in (a for a in expr.atoms(sympy.Pow) if a.has(s) and a.base.is_polynomial(s) and a.exp.is_Rational):
        if power.exp.q == 2:
            root = sympy.sqrt(power.base)
            known = next((d for d, v in back.items() if v == root), None) or sympy.Dummy("q", positive=True)
            back[known] = root
            there[power] = known**power.exp.p
    pi = sympy.Dummy("r", positive=True)
    back[pi] = sympy.sqrt(sympy.pi)
    made = expr.xreplace({c: v for c, v in there.items() if isinstance(c, sympy.exp)})
    made = made.xreplace({c: v for c, v in there.items() if not isinstance(c, sympy.exp)})
    made = made.subs(sympy.pi, pi**2)
    for call in made.atoms(sympy.Function):
        symbol = sympy.Dummy("f", real=True)
        original = call.xreplace(back)
        back[symbol] = original
        made = made.xreplace({call: symbol})
    return made, back


def outgrowing(expr: sympy.Expr, s: sympy.Symbol, end: sympy.Expr) -> sympy.Expr | None:
    """The limit at ±∞ of a fraction of polynomials and exponentials; None for anything else.

    >>> s = sympy.Symbol("s", real=True)
    >>> [outgrowing(s / (1 + sympy.exp(-s)), s, end) for end in (-sympy.oo, sympy.oo)]
    [0, oo]
    """
    made, back = _symbols(exponential(expr), s)
    both = [p.xreplace(back) for p in sympy.fraction(sympy.cancel(sympy.together(made)))]
    parts = [_terms(p, s) for p in both]
    known = [p for p in parts if p and all(bells == 1 for _, bells, _ in p)]
    if len(known) < 2:
        return None
    top, bottom = (_first(p, s, end) for p in known)
    growth = _sign_far(top[0] - bottom[0], s, end)
    if growth < 0:
        return sympy.S.Zero
    if growth > 0:
        return _sign_far(top[2], s, end) * _sign_far(bottom[2], s, end) * sympy.oo
    p, q = sympy.Poly(top[2], s), sympy.Poly(bottom[2], s)
    if p.degree() < q.degree():
        return sympy.S.Zero
    if p.degree() > q.degree():
        return _sign_far(top[2], s, end) * _sign_far(bottom[2], s, end) * sympy.oo
    return sympy.simplify(p.LC() / q.LC())


def root_norm(factor: sympy.Expr, s: sympy.Symbol) -> sympy.Expr | None:
    """A² − B² P of a sum A + B √P, which is 0 wherever the sum is; None where there is no one such root.

    >>> s = sympy.Symbol("s", real=True)
    >>> root_norm(s + sympy.sqrt(s**2 + 4), s)
    -4
    """
    powers = {a for a in factor.atoms(sympy.Pow) if a.has(s) and a.exp.is_Rational and not a.exp.is_Integer}
    if len(powers) != 1 or (root := powers.pop()).exp != sympy.S.Half:
        return None
    stand_in = sympy.Dummy("q")
    plain = factor.xreplace({root: stand_in})
    if not plain.is_polynomial(s, stand_in) or sympy.degree(plain, stand_in) != 1:
        return None
    b, a = sympy.Poly(plain, stand_in).all_coeffs()
    return sympy.expand(a**2 - b**2 * root.base)


def _terms(expr: sympy.Expr, s: sympy.Symbol) -> list[Term] | None:
    """A sum as (exponent, error functions, polynomial); None where it is no such sum."""
    found: dict[tuple[sympy.Expr, sympy.Expr], sympy.Expr] = {}
    for term in sympy.Add.make_args(sympy.expand(expr)):
        exponent, bells, rest = sympy.S.Zero, sympy.S.One, sympy.S.One
        for part in sympy.Mul.make_args(term):
            if isinstance(part, sympy.exp):
                exponent += part.args[0]
            elif part.has(sympy.erf):
                bells *= part
            else:
                rest *= part
        constant = exponent.as_independent(s, as_Add=True)[0]
        key = (sympy.expand(exponent - constant), bells)
        found[key] = found.get(key, sympy.S.Zero) + rest * sympy.exp(constant)
    made = [(q, bells, sympy.expand(p)) for (q, bells), p in found.items()]
    fine = all(q.is_polynomial(s) and p.is_polynomial(s) and _is_bell(bells) for q, bells, p in made)
    return [t for t in made if t[2] != 0] if fine else None


def _is_bell(bells: sympy.Expr) -> bool:
    return bells == 1 or isinstance(bells, sympy.erf) or (bells.is_Pow and isinstance(bells.base, sympy.erf))


def without_one(expr: sympy.Expr, s: sympy.Symbol) -> sympy.Expr:
    """The expression divided by one of its exponentials, so that a derivative lowers the degree of what is left.

    >>> s = sympy.Symbol("s", real=True)
    >>> without_one(sympy.exp(s) + s * sympy.exp(2 * s), s)
    s*exp(s) + 1
    """
    terms = _terms(expr, s)
    if terms is None:
        return expr
    bells = max((b for _, b, _ in terms), key=lambda b: b.as_base_exp()[1] if b != 1 else sympy.S.Zero)
    exponent, _, _ = min((t for t in terms if t[1] == bells), key=lambda t: sympy.Poly(t[2], s).degree())
    total = sympy.Add(*[sympy.expand(p) * b * sympy.exp(sympy.expand(q - exponent)) for q, b, p in terms])
    return sympy.expand(total)


def leading(expr: sympy.Expr, s: sympy.Symbol, end: sympy.Expr) -> int | None:
    """The sign near ±∞ of a sum of polynomials times exponentials: that of the term that outgrows the others.

    >>> s = sympy.Symbol("s", real=True)
    >>> leading(sympy.exp(s) - s**5, s, sympy.oo), leading(sympy.exp(s) - s**5, s, -sympy.oo)
    (1, 1)
    """
    terms = _terms(expr, s)
    if terms is None or any(bells != 1 for _, bells, _ in terms):
        return None
    return _sign_far(_first(terms, s, end)[2], s, end)


def _first(terms: Sequence[Term], s: sympy.Symbol, end: sympy.Expr) -> Term:
    """The term that outgrows the others near ±∞."""
    first = terms[0]
    for term in terms[1:]:
        first = term if _sign_far(term[0] - first[0], s, end) > 0 else first
    return first


def _sign_far(poly: sympy.Expr, s: sympy.Symbol, end: sympy.Expr) -> int:
    """The sign of a polynomial near ±∞."""
    poly = sympy.Poly(sympy.expand(poly), s)
    if poly.is_zero:
        return 0
    ball = evaluate(poly.LC(), {}, precision=512)
    if ball.contains(0):
        raise UndecidedError(f"the sign of {poly.LC()} is unclear")
    sign = 1 if ball > 0 else -1
    return -sign if end is -sympy.oo and poly.degree() % 2 else sign
