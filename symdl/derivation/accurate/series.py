"""Polynomials in place of a function on a short interval, with a proved bound on what they leave out.

f(x) = (x − c)^m · Q(x − c), where c is a root of order m (so that relative accuracy is kept right up to it) or any
point of the interval, with m = 0. Q interpolates at Chebyshev nodes; the bound is proved in ball arithmetic: the
interval is cut into short ones, and on each the Taylor series of the difference is added up, its remainder from the
coefficient over the whole short interval (Taylor's theorem with Lagrange's remainder).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import flint
import sympy
from flint import arb, arb_series, fmpq
from sympy.codegen import cfunctions

from symdl.core.accurate import erfcx, hypot, kept_exp, quotient, scaled_exp
from symdl.derivation.accurate.rounding import constant, fixed
from symdl.errors import UnsupportedError

PRECISION = 320
#: Terms of the Taylor series on a short interval, and into how many the interval is cut.
TERMS, CUTS = 14, 64
DEGREES = range(5, 28, 2)
#: Smaller coefficients of a series are zeros that were rounded.
NEGLIGIBLE = 2.0**-150


@dataclass(frozen=True)
class Polynomial:
    """(x − c)^order · Σ_k coefficients[k] (x − c)^k on an interval, proved to be within `bound` (relative) of f.

    Args:
        centre: c, to 120 bits.
        order: of the root at c; 0 where f(c) is no root.
        coefficients: the constant first.
        low, high: the interval.
        bound: on |polynomial / f − 1| there, but for the rounding of coefficients to a dtype.
    """

    centre: sympy.Rational
    order: int
    coefficients: tuple[sympy.Rational, ...]
    low: float
    high: float
    bound: float


def polynomial(
    expr: sympy.Expr, x: sympy.Symbol, low: float, high: float, centre: sympy.Rational, order: int, bits: int
) -> Polynomial | None:
    """The polynomial of lowest degree that is proved to be within 2^−bits; None where there is none up to degree 26.

    >>> x = sympy.Symbol("x", real=True)
    >>> made = polynomial(sympy.exp(x) - 1, x, -0.125, 0.125, sympy.S.Zero, 1, 40)
    >>> len(made.coefficients), made.bound < 2.0**-40, float(made.coefficients[1])
    (8, True, 0.500000)
    """
    before, cap = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec = PRECISION
    try:
        f = Series(expr, x)
        shift = arb(fmpq(int(centre.p), int(centre.q)))
        ends = (_arb(low) - shift, _arb(high) - shift)
        for degree in DEGREES:
            coefficients = _interpolated(f, shift, ends, order, degree)
            if coefficients is None:
                return None
            if _quick(f, shift, ends, order, coefficients) > 2.0 ** -(bits + 1):
                continue
            bound = _bound(f, shift, ends, order, coefficients)
            if bound is not None and bound <= 2.0**-bits:
                exact = tuple(_rational(a) for a in coefficients)
                return Polynomial(centre, order, exact, low, high, bound)
        return None
    except (ZeroDivisionError, ValueError):
        return None
    finally:
        flint.ctx.prec, flint.ctx.cap = before, cap


def order_at(expr: sympy.Expr, x: sympy.Symbol, centre: sympy.Rational) -> int:
    """The order of the root at a point, as far as 300 bits can tell; 0 where it is none."""
    before, cap = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec = PRECISION
    try:
        series = Series(expr, x).at(arb(fmpq(int(centre.p), int(centre.q))), 8)
        sizes = [abs(a) for a in series]
        return next((k for k, size in enumerate(sizes) if size > NEGLIGIBLE**0.5), 0)
    finally:
        flint.ctx.prec, flint.ctx.cap = before, cap


def root_between(expr: sympy.Expr, x: sympy.Symbol, low: float, high: float) -> sympy.Rational | None:
    """A root to 120 bits, where the function has different signs at both ends."""
    before, cap = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec = PRECISION
    try:
        f = Series(expr, x)
        a, b = fmpq(*low.as_integer_ratio()), fmpq(*high.as_integer_ratio())
        left = f.value(arb(a))
        if not (left * f.value(arb(b)) < 0):
            return None
        for _ in range(180):
            middle = (a + b) / 2
            value = f.value(arb(middle))
            if value.contains(0):
                break
            a, b = (middle, b) if value * left > 0 else (a, middle)
        return _rational(arb((a + b) / 2), 128)
    finally:
        flint.ctx.prec, flint.ctx.cap = before, cap


def _arb(number: float) -> arb:
    return arb(fmpq(*number.as_integer_ratio()))


def _rational(value: arb, bits: int = 100) -> sympy.Rational:
    """A dyadic number next to the middle of a ball."""
    digits, shift = value.mid().man_exp()
    whole, power = int(digits), int(shift)
    spare = max(abs(whole).bit_length() - bits, 0)
    whole, power = (whole + (1 << spare >> 1)) >> spare, power + spare
    return sympy.Rational(whole) * sympy.Integer(2) ** power


def _interpolated(f: Series, shift: arb, ends: tuple[arb, arb], order: int, degree: int) -> list[arb] | None:
    """Q's coefficients from its values at Chebyshev nodes, by divided differences."""
    middle, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    angles = [arb(2 * j + 1) / (2 * (degree + 1)) for j in range(degree + 1)]
    nodes = [(middle + half * a.cos_pi()).mid() for a in angles]
    values = []
    for t in nodes:
        value = f.value(shift + t)
        if not value.is_finite() or (order and t.contains(0)):
            return None
        values.append(value / t**order)
    for k in range(1, degree + 1):
        for j in range(degree, k - 1, -1):
            values[j] = (values[j] - values[j - 1]) / (nodes[j] - nodes[j - k])
    made = [values[degree]]
    for j in range(degree - 1, -1, -1):  # Horner's rule on (t − node) factors
        made = [
            values[j] - nodes[j] * made[0],
            *[made[k - 1] - nodes[j] * made[k] for k in range(1, len(made))],
            made[-1],
        ]
    return [a.mid() for a in made]


def _horner(coefficients: list[arb], t: Any) -> Any:
    total = coefficients[-1]
    for a in coefficients[-2::-1]:
        total = total * t + a
    return total


def _quick(f: Series, shift: arb, ends: tuple[arb, arb], order: int, coefficients: list[arb]) -> float:
    """The largest relative difference at some points: no proof, but it says early that a degree is too low."""
    worst = 0.0
    for k in range(1, 16):
        t = ends[0] + (ends[1] - ends[0]) * fmpq(2 * k - 1, 31)
        value = f.value(shift + t)
        if value.contains(0):
            continue
        worst = max(worst, float(abs(t**order * _horner(coefficients, t) / value - 1).mid()))
    return worst


def _bound(f: Series, shift: arb, ends: tuple[arb, arb], order: int, coefficients: list[arb]) -> float | None:
    """A proved bound on |Q(t)/(f(c + t)/t^m) − 1|; None where there is none."""
    half = (ends[1] - ends[0]) / (2 * CUTS)
    worst = arb(0)
    for k in range(CUTS):
        middle = (ends[0] + half * (2 * k + 1)).mid()
        reach = (half * fmpq(1025, 1024)).mid()
        whole = middle + arb(0, reach)
        difference = _difference(f, shift, middle, whole, coefficients, order)
        if difference is None:
            return None
        near_root = order and whole.contains(0)
        lowest = order if near_root else 0
        total, far = arb(0), whole.abs_upper() if near_root else reach
        for j in range(lowest, TERMS + 1):
            total += abs(difference[j]) * far ** (j - lowest)
        if near_root and any(abs(a) > NEGLIGIBLE**0.6 for a in difference[:order]):
            return None
        least = _horner(coefficients, whole).abs_lower() * (1 if near_root else whole.abs_lower() ** order)
        if not least > 2 * total:
            return None
        worst = max(worst, (total / (least - total)).abs_upper())
    return float(worst)


def _difference(
    f: Series, shift: arb, middle: arb, whole: arb, coefficients: list[arb], order: int
) -> list[arb] | None:
    """Taylor coefficients of f(c + t) − t^m Q(t) at the middle of a short interval, the last one over all of it.

    Next to a root the series is taken at the root itself, so that its first coefficients vanish.
    """
    if order and whole.contains(0):
        middle = arb(0)
    found = []
    for at, wanted in ((middle, range(TERMS)), (whole, range(TERMS, TERMS + 1))):
        flint.ctx.cap = TERMS + 1
        t = arb_series([at, 1])
        series = _coefficients(
            f.series(arb_series([shift + at, 1])) - _multiplied(t, order) * _horner(coefficients, t), TERMS + 1
        )
        if any(not series[j].is_finite() for j in wanted):
            return None
        found += [series[j] for j in wanted]
    return found


def _coefficients(series: Any, count: int) -> list[arb]:
    if not isinstance(series, arb_series):
        return [arb(series), *[arb(0)] * (count - 1)]
    made = [series[k] for k in range(count)]
    return made


class Series:
    """An expression on balls, and on power series of balls."""

    def __init__(self, expr: sympy.Expr, x: sympy.Symbol) -> None:
        self.expr, self.x = expr, x

    def value(self, at: arb) -> arb:
        return arb(self.series(at))

    def at(self, at: arb, count: int) -> list[arb]:
        flint.ctx.cap = count
        return _coefficients(self.series(arb_series([at, 1])), count)

    def series(self, variable: Any) -> Any:
        """The value at a ball, or the series at a series."""
        found: list[Any] = []
        for operation, places in self._steps:
            found.append(operation(variable, *[found[k] for k in places]))
        return found[-1]

    @cached_property
    def _steps(self) -> list[tuple[Callable[..., Any], tuple[int, ...]]]:
        """Operations in order, each with the places of what it is applied to; it is given the variable first."""
        steps: list[tuple[Callable[..., Any], tuple[int, ...]]] = []
        places: dict[sympy.Expr, int] = {}

        def place(expr: sympy.Expr) -> int:
            if expr not in places:
                apart = expr == self.x or fixed(expr)
                inner = tuple(place(a) for a in (() if apart else _arguments(expr)))
                steps.append((_operation(expr, self.x), inner))
                places[expr] = len(steps) - 1
            return places[expr]

        place(self.expr)
        return steps


def _arguments(expr: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """What an operation is applied to; of a power, its base: the exponent is a number."""
    inner: tuple[sympy.Expr, ...] = expr.args
    return inner[:1] if expr.is_Pow and not isinstance(expr, sympy.exp) else inner


def _operation(expr: sympy.Expr, x: sympy.Symbol) -> Callable[..., Any]:
    """The last operation of an expression, as a function of the variable and of what it is applied to."""
    if expr == x:
        return lambda variable: variable
    if expr.is_Rational:
        number = fmpq(int(expr.p), int(expr.q))
        return lambda variable: arb(number)
    if fixed(expr):
        return lambda variable: constant(expr, flint.ctx.prec)
    if expr.is_Add or expr.is_Mul:
        joined = operator.add if expr.is_Add else operator.mul
        return lambda variable, *parts: reduce(joined, parts)
    if expr.is_Pow and not isinstance(expr, sympy.exp):
        return lambda variable, base: _power(base, expr.exp)
    if type(expr) not in _SERIES:
        raise UnsupportedError(f"no series of '{type(expr).__name__}'")
    function = _SERIES[type(expr)]
    return lambda variable, *parts: function(*parts)


def _power(base: Any, exponent: sympy.Expr) -> Any:
    if exponent.is_Rational and exponent.q <= 2:
        whole = _multiplied(base if exponent.is_Integer else base.sqrt(), abs(int(exponent.p)))
        if exponent.p < 0 and arb(whole[0] if isinstance(whole, arb_series) else whole).contains(0):
            raise UnsupportedError("no series at a pole")
        return whole if exponent.p >= 0 else 1 / whole
    raise UnsupportedError(f"no series of a power {exponent}")


def _multiplied(base: Any, times: int) -> Any:
    """A power by products: that of a wide ball, or of a series that starts at 0, is lost by way of logarithms."""
    total = arb(1)
    for _ in range(times):
        total = total * base
    return total


def _tanh(u: Any) -> Any:
    return 1 - 2 / ((2 * u).exp() + 1)


def _erfcx(u: Any) -> Any:
    """On a ball by its ends, since it falls; a series multiplies out."""
    if isinstance(u, arb_series):
        return (u * u).exp() * u.erfc()
    ends = [e.mid() for e in (u.lower(), u.upper())]
    low, high = ((e * e).exp() * e.erfc() for e in ends)
    return low.union(high)


_SERIES: dict[Any, Callable[..., Any]] = {
    sympy.exp: lambda u: u.exp(),
    sympy.log: lambda u: u.log(),
    sympy.tanh: _tanh,
    sympy.sinh: lambda u: (u.exp() - (-u).exp()) / 2,
    sympy.cosh: lambda u: (u.exp() + (-u).exp()) / 2,
    sympy.sin: lambda u: u.sin(),
    sympy.cos: lambda u: u.cos(),
    sympy.tan: lambda u: u.tan(),
    sympy.atan: lambda u: u.atan(),
    sympy.asinh: lambda u: (u + (u * u + 1).sqrt()).log(),
    sympy.erf: lambda u: u.erf(),
    sympy.erfc: lambda u: u.erfc(),
    scaled_exp: lambda a, u: a * u.exp(),
    kept_exp: lambda u: u.exp(),
    quotient: lambda a, b: a / b,
    hypot: lambda a, b: (a * a + b * b).sqrt(),
    erfcx: _erfcx,
    cfunctions.log1p: lambda u: (1 + u).log(),
    cfunctions.expm1: lambda u: u.exp() - 1,
}
