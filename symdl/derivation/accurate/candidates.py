"""Other ways to write a function where its variable has one sign: exact identities, from which the safest is chosen.

Each exponential e^{k w} is a power of E = e^{−|w|}, which neither overflows nor exceeds 1; what is left is a fraction
of polynomials in E, whose factors are written with expm1 where they vanish at E = 1, and whose own power of E comes
last.
Logarithms lose the power of E and become log1p; √(x² + c) becomes a length; erf becomes erfc, and that e^{−x²} times a
slowly changing factor; a difference that is a fraction becomes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy.codegen import cfunctions

from symdl.core.accurate import cos_of, erfcx, hypot, kept_exp, quotient, scaled_exp, sin_of
from symdl.core.functions import ScalarFunction, Switch
from symdl.errors import SymdlError

_HYPERBOLIC = (sympy.tanh, sympy.sinh, sympy.cosh, sympy.sech, sympy.csch, sympy.coth)
#: Larger fractions are not factored.
LARGEST = 400
#: Factors of x beyond are left where they are.
SMALLEST, LARGEST_FACTOR = sympy.Rational(1, 10**60), sympy.Integer(10) ** 60


def opened(expr: sympy.Expr) -> sympy.Expr:
    """The expression with every named function written out by its definition."""
    while calls := expr.atoms(ScalarFunction):
        expr = expr.xreplace({call: call.defined() for call in calls})
    return expr


def without_switches(expr: sympy.Expr, x: sympy.Symbol, at: sympy.Expr) -> sympy.Expr:
    """The expression as it is around a point: each switch replaced by its side there."""
    while switches := [s for s in expr.atoms(Switch) if not any(a.has(Switch) for a in s.args[:1])]:
        sides = {s: s.args[2] if s.args[0].subs(x, at).evalf(50) > 0 else s.args[1] for s in switches}
        expr = expr.xreplace(sides)
    return expr


def candidates(expr: sympy.Expr, x: sympy.Symbol, sign: int) -> Iterator[sympy.Expr]:
    """Forms equal to an expression without switches for all x of one sign; the expression itself first.

    >>> x = sympy.Symbol("x", real=True)
    >>> list(candidates(1 / (1 + sympy.exp(-x)), x, -1))[-1]
    scaled_exp(1/(exp(x) + 1), x)
    >>> list(candidates(sympy.log(1 + sympy.exp(x)), x, 1))[-1]
    x + log1p(exp(-x))
    """
    yield expr
    seen = {expr}
    for rewritten in _forms(expr, x, sign):
        if rewritten not in seen:
            seen.add(rewritten)
            yield rewritten


def _forms(expr: sympy.Expr, x: sympy.Symbol, sign: int) -> Iterator[sympy.Expr]:
    if expr.has(sympy.sin, sympy.cos):
        yield half_angles(expr)
        yield conjugate_waves(expr)
        yield exact_waves(expr, x)
    if expr.has(sympy.log):
        yield expr.replace(
            sympy.log, lambda u: cfunctions.log1p(u - 1) if u.is_Add and u.has(sympy.S.One) else sympy.log(u)
        )
    if expr.is_rational_function(x) and not expr.is_polynomial(x):
        yield sympy.factor(sympy.together(expr))
        yield by_inverse(expr, x, sign)
    for begin in (expr, expr.rewrite(_HYPERBOLIC, sympy.exp)):
        made = _error_functions(_apart(begin, x), x, sign)
        made = _lengths(made, x)
        yield made
        for expanded in (True, False):
            try:
                yield _Exponentials(x, sign, expanded).form(made)
                yield _Exponentials(x, sign, expanded).beside_limit(made)
            except (SymdlError, sympy.PolynomialError, NotImplementedError):
                break


def by_inverse(expr: sympy.Expr, x: sympy.Symbol, sign: int) -> sympy.Expr:
    """A fraction of polynomials, beyond ±1 as one in 1/x: its powers don't overflow where x is large.

    >>> x = sympy.Symbol("x", real=True)
    >>> by_inverse(x**2 / (1 + x**2), x, 1)
    Switch(x - 1, x**2/(x**2 + 1), 1/(quotient(1, x)**2 + 1), 1)
    """
    w = sympy.Dummy("w", real=True)
    beyond = sympy.factor(sympy.together(expr.subs(x, 1 / w))).subs(w, quotient(1, x))
    return Switch(sign * x - 1, sympy.factor(sympy.together(expr)), beyond, 1)


def _apart(expr: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    """e^{c + u} → e^c e^u, so that all exponentials of x are powers of one.

    >>> x = sympy.Symbol("x", real=True)
    >>> _apart(sympy.exp(2 - x) - sympy.exp(-x), x)
    -exp(-x) + exp(2)*exp(-x)
    """
    found = {}
    for call in expr.atoms(sympy.exp):
        constant, rest = call.args[0].as_independent(x, as_Add=True)
        if rest != 0 and constant != 0:
            found[call] = sympy.exp(constant) * sympy.exp(rest)
    return expr.xreplace(found)


def _beside_one(node: sympy.Expr) -> bool:
    """log(1 + u)."""
    return isinstance(node, sympy.log) and node.args[0].is_Add and node.args[0].as_coeff_Add()[0] == 1


def exact_waves(expr: sympy.Expr, x: sympy.Symbol, all_of_them: bool = True) -> sympy.Expr:
    """sin kx and cos kx with a product that is known to all digits: where it is rounded, or may overflow.

    Args:
        expr: what they stand in.
        x: the variable.
        all_of_them: also where k is a power of two, so that the product is exact unless it overflows.

    >>> x = sympy.Symbol("x", real=True)
    >>> exact_waves(1 + sympy.sin(3 * x), x), exact_waves(sympy.cos(2 * x), x, all_of_them=False)
    (sin_of(x, 3) + 1, cos(2*x))
    """
    found = {}
    for call in expr.atoms(sympy.sin, sympy.cos):
        k = call.args[0] / x
        if k.free_symbols or abs(k) == 1 or not SMALLEST < abs(k) < LARGEST_FACTOR:
            continue
        exact = k.is_Rational and all(n & (n - 1) == 0 for n in (abs(int(k.p)), int(k.q)))
        if not exact or (all_of_them and abs(k) > 1):
            found[call] = (sin_of if isinstance(call, sympy.sin) else cos_of)(x, k)
    return expr.xreplace(found)


def half_angles(expr: sympy.Expr) -> sympy.Expr:
    """1 ± cos w and 1 ± sin w as squares: no cancellation, or that of a root of half the order.

    >>> x = sympy.Symbol("x", real=True)
    >>> half_angles(1 - sympy.cos(2 * x)), half_angles(1 + sympy.sin(2 * x))
    (2*sin(x)**2, (sin(x) + cos(x))**2)
    """
    found = {}
    for total, number, same, call in _crests(expr):
        half = call.args[0] / 2
        if isinstance(call, sympy.cos):
            found[total] = 2 * number * (sympy.cos(half) if same else sympy.sin(half)) ** 2
        else:
            found[total] = number * (sympy.sin(half) + (1 if same else -1) * sympy.cos(half)) ** 2
    return expr.xreplace(found)


def conjugate_waves(expr: sympy.Expr) -> sympy.Expr:
    """1 ± sin w as cos² w/(1 ∓ sin w) where it is below 1, and the same for cosines: no cancellation, as long as a sine
    is right to the last digit next to its own roots.

    >>> x = sympy.Symbol("x", real=True)
    >>> conjugate_waves(1 + sympy.sin(x))
    Switch(sin(x), cos(x)**2/(1 - sin(x)), sin(x) + 1, 1)
    >>> conjugate_waves(1 + 2 * sympy.sin(x) * sympy.cos(x))
    Switch(sin(2*x), cos(2*x)**2/(1 - sin(2*x)), sin(2*x) + 1, 1)
    """
    doubled, found = double_angles(expr), {}
    for total, number, same, call in _crests(doubled):
        other = sympy.sin(call.args[0]) if isinstance(call, sympy.cos) else sympy.cos(call.args[0])
        side = call if same else -call
        found[total] = Switch(side, number * other**2 / (1 - side), total, 1)
    return doubled.xreplace(found) if found else expr


def double_angles(expr: sympy.Expr) -> sympy.Expr:
    """sin u cos u as half of sin 2u: the slope of a squared sine is a wave.

    >>> x = sympy.Symbol("x", real=True)
    >>> double_angles(x + 6 * sympy.sin(3 * x) * sympy.cos(3 * x))
    x + 3*sin(6*x)
    """
    found = {}
    for product in expr.atoms(sympy.Mul):
        for sine in (f for f in product.args if isinstance(f, sympy.sin)):
            if (cosine := sympy.cos(sine.args[0])) in product.args:
                found[product] = product / (sine * cosine) * sympy.sin(2 * sine.args[0]) / 2
    return expr.xreplace(found)


def _crests(expr: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr, bool, Any]]:
    """Each sum c ± c sin w or c ± c cos w: itself, c, whether it is a plus, and the sine or cosine."""
    for total in sorted(expr.atoms(sympy.Add), key=sympy.default_sort_key):
        number, wave = total.as_coeff_Add()
        factor, call = wave.as_coeff_Mul()
        if number != 0 and abs(factor) == abs(number) and isinstance(call, sympy.sin | sympy.cos):
            yield total, number, factor == number, call


def _error_functions(expr: sympy.Expr, x: sympy.Symbol, sign: int) -> sympy.Expr:
    """erf(u) → ±(1 − erfc|u|), erfc(u) for u < 0 → 2 − erfc|u|, and erfc|u| → e^{−u²} erfcx|u|."""
    calls = expr.atoms(sympy.erf, sympy.erfc)
    if not calls:
        return expr
    found = {}
    for call in calls:
        (u,) = call.args
        side = _sign_of(u, x, sign)
        if side == 0:
            continue
        tail = sympy.exp(-sympy.expand(u**2)) * erfcx(side * u)
        if isinstance(call, sympy.erf):
            found[call] = side * (1 - tail)
        else:
            found[call] = tail if side > 0 else 2 - tail
    return sympy.expand(expr.xreplace(found))


def _sign_of(u: sympy.Expr, x: sympy.Symbol, sign: int) -> int:
    """The sign of an odd or even expression of one term where x has one sign; 0: not known."""
    y = sympy.Symbol("y", positive=True)
    value = u.subs(x, sign * y)
    return 1 if value.is_positive else -1 if value.is_negative else 0


def _lengths(expr: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    """√(a x² + c) → the length of (√a x, √c), and a sum with one of the opposite sign → a fraction."""
    roots = [r for r in expr.atoms(sympy.Pow) if r.exp.is_Rational and r.exp.q == 2 and r.base.has(x)]
    found: dict[sympy.Expr, sympy.Expr] = {}
    for root in roots:
        poly = sympy.Poly(root.base, x) if root.base.is_polynomial(x) else None
        if poly is None or poly.degree() != 2 or poly.coeff_monomial(x) != 0:
            continue
        a, c = poly.coeff_monomial(x**2), poly.coeff_monomial(1)
        if a.is_positive and c.is_positive:
            found[root] = hypot(sympy.sqrt(a) * x, sympy.sqrt(c)) ** int(root.exp.p)
    return expr.xreplace(found)


def conjugates(expr: sympy.Expr, x: sympy.Symbol, again: bool = True) -> Iterator[sympy.Expr]:
    """(a + √b) → (a² − b)/(a − √b), for each sum with one square root in it, the square root as a length.

    >>> x = sympy.Symbol("x", real=True)
    >>> next(conjugates((x + sympy.sqrt(x**2 + 4)) / 2, x))
    -1/(x/2 - hypot(x, 2)/2)
    """
    for total in sorted(expr.atoms(sympy.Add), key=sympy.default_sort_key):
        roots = [
            a for a in total.args if any(p.is_Pow and p.exp == sympy.S.Half and p.has(x) for p in a.atoms(sympy.Pow))
        ]
        if len(roots) != 1 or len(total.args) < 2:
            continue
        rest = total - roots[0]
        difference = sympy.factor(sympy.expand(rest**2 - roots[0] ** 2))
        if difference.has(sympy.Pow) and any(p.exp == sympy.S.Half and p.has(x) for p in difference.atoms(sympy.Pow)):
            continue
        yield _lengths(expr.xreplace({total: difference / (rest - roots[0])}), x)
    if again:
        yield from conjugates(sympy.together(expr), x, again=False)


def in_turn(expr: sympy.Expr) -> sympy.Expr:
    """a/b² → a/b/b, and a/(b c) → a/b/c: what is divided by is not multiplied first, where it would overflow.

    >>> x = sympy.Symbol("x", real=True)
    >>> in_turn(1 / (1 + x) ** 2)
    quotient(quotient(1, x + 1), x + 1)
    """
    below = [f for f in sympy.Mul.make_args(expr) if f.is_Pow and f.exp.is_Integer and f.exp < 0 and f.free_symbols]
    if sum(-int(f.exp) for f in below) < 2:
        return expr
    total = sympy.Mul(*[f for f in sympy.Mul.make_args(expr) if f not in below])
    for factor in below:
        for _ in range(-int(factor.exp)):
            total = quotient(total, factor.base)
    return total


class _Exponentials:
    """Writes an expression in powers of E = e^{−g|w|}, for x of one sign; powers of sums `expanded`: (1 + E)² as
    1 + E (2 + E), which rounds once where E is small, instead of thrice."""

    def __init__(self, x: sympy.Symbol, sign: int, expanded: bool) -> None:
        self.x, self.sign, self.expanded = x, sign, expanded
        self.E = sympy.Dummy("E", positive=True)
        self.exponent: sympy.Expr | None = None  # −g|w|, the exponent of E

    def form(self, expr: sympy.Expr) -> sympy.Expr:
        """The fraction in E, written safely; unchanged where there are no exponentials of one kind."""
        inside = self._inside(expr)
        return expr if inside is None else self._written(self._logs(inside))

    def beside_limit(self, expr: sympy.Expr) -> sympy.Expr:
        """What the fraction becomes for E → 0, and what it differs from that by, which is small and so are its errors.

        >>> x = sympy.Symbol("x", real=True)
        >>> _Exponentials(x, 1, True).beside_limit(x / (1 + sympy.exp(-x)))
        x - x*kept_exp(-x)/(kept_exp(-x) + 1)
        """
        inside = self._inside(expr)
        if inside is None or not inside.is_rational_function(self.x, self.E):
            return expr
        above, below = sympy.fraction(sympy.cancel(sympy.together(inside)))
        ends = [sympy.Poly(part, self.E).coeff_monomial(1) for part in (above, below)]
        if 0 in ends:
            return expr
        limit = sympy.cancel(ends[0] / ends[1])
        rest, number, parts = sympy.cancel((above - limit * below) / below), sympy.S.One, list[tuple[sympy.Expr, int]]()
        for part, side in zip(sympy.fraction(rest), (1, -1), strict=True):
            constant, factors = sympy.factor_list(part)
            number *= constant**side
            parts += [(factor, side * times) for factor, times in factors]
        kept = sympy.Dummy("E", positive=True)
        small = self._product(number, parts, kept)
        assert self.exponent is not None
        return limit + small.xreplace({kept: kept_exp(self.exponent)})

    def _inside(self, expr: sympy.Expr) -> sympy.Expr | None:
        """The expression in E; none where there are no exponentials."""
        exps = sorted((e for e in expr.atoms(sympy.exp) if e.has(self.x)), key=sympy.default_sort_key)
        if not exps:
            return None
        self._measure([e.args[0] for e in exps])
        assert self.exponent is not None
        return expr.xreplace({e: self.E ** sympy.cancel(e.args[0] / self.exponent) for e in exps})

    def _measure(self, exponents: list[sympy.Expr]) -> None:
        """Find −g|w| with g the greatest common divisor of the multiples of w that stand in exponents."""
        first = exponents[0]
        ratios = [sympy.cancel(u / first) for u in exponents]
        if not all(r.is_Rational for r in ratios):
            raise SymdlError("exponentials of different kinds")
        divisor = sympy.Rational(0)
        for r in ratios:
            divisor = sympy.gcd(divisor, r)
        unit = sympy.expand(first * divisor)
        side = _sign_of(unit, self.x, self.sign)
        if side == 0:
            raise SymdlError("an exponent without a sign")
        self.exponent = -side * unit

    def _logs(self, expr: sympy.Expr) -> sympy.Expr:
        """log of a fraction in E: its power of E and its constant outside, log1p of the rest."""
        found = {}
        for node in sorted(expr.atoms(sympy.log), key=lambda n: n.count_ops()):
            found[node] = self._log(self._logs(node.args[0]))
        return expr.xreplace(found)

    def _log(self, inside: sympy.Expr) -> sympy.Expr:
        above, below = sympy.fraction(sympy.cancel(sympy.together(inside)))
        total = sympy.S.Zero
        for part, side in ((above, 1), (below, -1)):
            if not part.has(self.E):
                total += side * sympy.log(part)
                continue
            terms = sympy.Poly(part, self.E).terms()
            lowest = min(m for (m,), _ in terms)
            constant = next(c for (m,), c in terms if m == lowest)
            rest = sum(c / constant * self.E ** (m - lowest) for (m,), c in terms if m != lowest)
            total += side * lowest * self.exponent
            total += side * sympy.log(constant) if constant != 1 else 0
            total += side * cfunctions.log1p(rest) if rest != 0 else 0
        return total

    def _written(self, expr: sympy.Expr) -> sympy.Expr:
        """The fraction with its factors written safely, and the power of E that it starts with put in last."""
        others = {n: sympy.Dummy(real=True) for n in expr.atoms(cfunctions.log1p, sympy.log, erfcx, hypot)}
        constants = [
            n for n in expr.atoms(sympy.Pow, sympy.exp, sympy.NumberSymbol) if n.is_real and not n.free_symbols
        ]
        for n in sorted(constants, key=lambda n: -n.count_ops()):
            others[n] = sympy.Dummy(positive=True)
        back = {d: self._inner(n) for n, d in others.items()}
        plain = expr.xreplace(others)
        if not plain.has(self.E):
            return plain.xreplace(back)
        fraction = sympy.together(plain)
        if fraction.count_ops() > LARGEST:
            raise SymdlError("a large fraction")
        above, below = sympy.fraction(sympy.cancel(fraction))
        power, number, parts = 0, sympy.S.One, list[tuple[sympy.Expr, int]]()
        for part, side in ((above, 1), (below, -1)):
            constant, factors = sympy.factor_list(part)
            number *= constant**side
            for factor, times in factors:
                lowest = min(m for (m,), _ in sympy.Poly(factor, self.E).terms()) if factor.has(self.E) else 0
                power += side * times * lowest
                rest = sympy.cancel(factor / self.E**lowest)
                parts.append((rest, side * times))
        product = self._product(number, parts, sympy.exp(self.exponent)).xreplace(back)
        if power == 0:
            return product
        assert self.exponent is not None
        exponent = sympy.expand(power * self.exponent)
        return sympy.exp(exponent) if product == 1 else scaled_exp(product, exponent)

    def _inner(self, node: sympy.Expr) -> sympy.Expr:
        """The argument of a function as a polynomial in e^{−|w|}, as it is."""
        assert self.exponent is not None
        return node.xreplace({self.E: sympy.exp(self.exponent)})

    def _product(self, number: sympy.Expr, parts: list[tuple[sympy.Expr, int]], power: sympy.Expr) -> sympy.Expr:
        """The factors with their powers; a rational number that is multiplied in first leaves one rounding less."""
        if number.is_Rational and abs(number) != 1:
            k = next(
                (k for k, (p, times) in enumerate(parts) if p.is_Add and times == 1 and p.subs(self.E, 1) != 0), -1
            )
            if k >= 0:
                parts[k] = (sympy.expand(number * parts[k][0]), 1)
                number = sympy.S.One
        return sympy.Mul(number, *[self._factor(p, times, power) for p, times in parts])

    def _factor(self, factor: sympy.Expr, times: int, written: sympy.Expr) -> Any:
        """A power of a factor by Horner's rule in E, so that what is added to 1 last is small; E^k − 1 as expm1."""
        assert self.exponent is not None
        if not factor.has(self.E):
            return factor**times
        if factor.subs(self.E, 1) == 0:
            terms = dict(sympy.Poly(factor, self.E).terms())
            if len(terms) == 2 and (0,) in terms:
                (degree,) = max(terms)
                return (terms[max(terms)] * cfunctions.expm1(sympy.expand(degree * self.exponent))) ** times
        power = abs(times) if self.expanded else 1
        whole = sympy.horner(sympy.expand(factor**power), self.E)
        return whole.xreplace({self.E: written}) ** (times // power)
