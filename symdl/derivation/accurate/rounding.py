"""What rounding does to an expression at a point: every operation's error, carried to the result.

A first-order worst case, in exact arithmetic: nothing is run in floating point, so the answer is the same on every
machine. It ranks forms and says where one needs help; what compiled code does is measured by a sweep.

What stands in several places is computed once and errs once: each operation's error counts as often as its slope in the
result says, found from the result backwards. In E/(1 + E) an error of E above and below the line cancels for the most
part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import flint
import sympy
from flint import arb, fmpq
from sympy.codegen import cfunctions

from symdl.core.accurate import cos_of, erfcx, hypot, kept_exp, quotient, scaled_exp, sin_of
from symdl.core.functions import ScalarFunction, Switch
from symdl.errors import UnsupportedError


@dataclass(frozen=True)
class Format:
    """A format of numbers, by powers of two: digits, the first number that is too large, the smallest normal one."""

    digits: int
    beyond: int
    normal: int

    @cached_property
    def unit(self) -> arb:
        """Half a unit in the last place of 1."""
        return arb(2) ** -self.digits

    @cached_property
    def largest(self) -> arb:
        return arb(2) ** self.beyond

    @cached_property
    def tiny(self) -> arb:
        return arb(2) ** self.normal

    @cached_property
    def smallest(self) -> arb:
        """The spacing of subnormal numbers."""
        return arb(2) ** (self.normal - self.digits + 1)


DOUBLE, SINGLE = Format(53, 1024, -1022), Format(24, 128, -126)
#: An exponent whose power is beyond every dtype.
ENOUGH = arb(10) ** 6
#: Where float32 is looked at too: its ends, where squares and cubes overflow, where exponentials vanish and overflow.
BOTH = frozenset(
    sign * size
    for sign in (1.0, -1.0)
    for size in (
        *(1.5 * k for k in range(56, 73)),
        *(0.25 * k for k in range(36, 60)),
        2.0**-149,
        2.0**-130,
        2.0**43,
        2.0**64,
        2.0**127 - 2.0**103,
        2.0**127,
        3.4028234663852886e38,
    )
)
PRECISIONS = (192, 768, 3072)


class Single(float):
    """A point at which float32 is looked at too, beside those in `BOTH`."""


class LostError(Exception):
    """An operation overflows, or a value is not known at any precision."""


@dataclass(frozen=True)
class Rounded:
    """A value and the largest error that rounding leaves in it, both as numbers of high precision."""

    value: arb
    error: arb

    def ulps(self, form: Format) -> float:
        """The error in units in the last place of the value."""
        size = abs(self.value.mid())
        spacing = form.smallest if size < form.tiny else arb(2) ** (_exponent(size) - form.digits)
        return float((self.error.mid() / spacing).mid())


@dataclass(frozen=True)
class _Operation:
    """A value, the error of the last operation alone, and what it was made of, each with its slope."""

    value: arb
    own: arb
    parts: tuple[tuple[sympy.Expr, arb], ...] = ()


def _exponent(size: arb) -> int:
    """e with 2^{e−1} ≤ size < 2^e."""
    digits, shift = size.mid().man_exp()
    return int(shift) + int(digits).bit_length()


def _erfcx(x: arb) -> arb:
    """e^{x²} erfc(x), for x > 1 as U(½, ½, x²)/√π: no overflow."""
    return (x * x).exp() * x.erfc() if x < 1 else (x * x).hypgeom_u(arb(1) / 2, arb(1) / 2) / arb.pi().sqrt()


#: Functions: the value, the slope, and the error of the implementation in half units in the last place.
_FUNCTIONS: dict[Any, tuple[Callable[[arb], arb], Callable[[arb, arb], arb], float]] = {
    sympy.exp: (arb.exp, lambda x, v: v, 2),
    kept_exp: (arb.exp, lambda x, v: v, 2),
    sympy.log: (arb.log, lambda x, v: 1 / x, 1.5),
    sympy.tanh: (arb.tanh, lambda x, v: 1 - v * v, 2.5),
    sympy.sinh: (arb.sinh, lambda x, v: x.cosh(), 2.5),
    sympy.cosh: (arb.cosh, lambda x, v: x.sinh(), 2.5),
    sympy.sin: (arb.sin, lambda x, v: x.cos(), 1.5),
    sympy.cos: (arb.cos, lambda x, v: -x.sin(), 1.5),
    sympy.tan: (arb.tan, lambda x, v: 1 + v * v, 2),
    sympy.atan: (arb.atan, lambda x, v: 1 / (1 + x * x), 1.5),
    sympy.asinh: (arb.asinh, lambda x, v: 1 / (1 + x * x).sqrt(), 2.5),
    sympy.erf: (arb.erf, lambda x, v: (-x * x).exp() * 2 / arb.pi().sqrt(), 4.5),
    sympy.erfc: (arb.erfc, lambda x, v: -(-x * x).exp() * 2 / arb.pi().sqrt(), 6),
    cfunctions.log1p: (arb.log1p, lambda x, v: 1 / (1 + x), 2.5),
    cfunctions.expm1: (arb.expm1, lambda x, v: 1 + v, 3.5),
    erfcx: (_erfcx, lambda x, v: 2 * x * v - 2 / arb.pi().sqrt(), 5.5),
}


_POWERS = (sympy.exp, kept_exp)
_GROWING = (sympy.exp, kept_exp, sympy.sinh, sympy.cosh, cfunctions.expm1)


class Analysis:
    """The rounding of one expression in one unknown.

    >>> x = sympy.Symbol("x", real=True)
    >>> Analysis(1 - sympy.tanh(x) ** 2, x).ulps(12.0) > 1e9, Analysis(1 + x**2, x).ulps(12.0) < 2
    (True, True)
    """

    def __init__(self, expr: sympy.Expr, x: sympy.Symbol) -> None:
        self.expr, self.x = expr, x
        self.point, self.unbounded, self.form = arb(0), False, DOUBLE
        self.known: dict[sympy.Expr, _Operation] = {}

    def ulps(self, at: float) -> float:
        """The largest error at a number, in ulps; infinite where an operation overflows or has no value.

        Where the value itself is too large, nothing is asked for. Points in `BOTH` and `Single` ones are looked at in
        float32 as well, which overflows and underflows elsewhere.
        """
        found = self._ulps(at, DOUBLE)
        return max(found, self._ulps(at, SINGLE)) if isinstance(at, Single) or at in BOTH else found

    def _ulps(self, at: float, form: Format) -> float:
        self.form = form
        try:
            return self.at(at).ulps(form)
        except LostError:
            pass
        try:
            value = self.at(at, unbounded=True).value
            return 0.0 if abs(value) > form.largest * (1 - form.unit) else math.inf
        except LostError:
            return math.inf

    def at(self, at: float, unbounded: bool = False) -> Rounded:
        """The value and its error.

        Raises:
            LostError: an operation overflows (unless they are `unbounded`), or is undefined.
        """
        before = flint.ctx.prec
        try:
            for bits in PRECISIONS:
                flint.ctx.prec = bits
                self.point, self.known, self.unbounded = arb(fmpq(*at.as_integer_ratio())), {}, unbounded
                found = Rounded(self._of(self.expr).value, self._carried())
                if found.value.rad() <= self.form.smallest / 64 or found.value.rel_accuracy_bits() >= 20:
                    return found
            raise LostError
        finally:
            flint.ctx.prec = before

    def _carried(self) -> arb:
        """The errors of all operations in the result; in `known`, what an operation is made of stands before it."""
        slopes = {self.expr: arb(1)}
        error = arb(0)
        for expr, operation in reversed(self.known.items()):
            slope = slopes.get(expr)
            if slope is None:
                continue
            error = error + slope.abs_upper() * operation.own
            for part, partial in operation.parts:
                slopes[part] = slopes.get(part, arb(0)) + slope * partial
        return error

    def _of(self, expr: sympy.Expr) -> _Operation:
        if expr not in self.known:
            found = self._node(expr)
            if not found.value.is_finite() or self._overflows(found.value):
                raise LostError
            self.known[expr] = found
        return self.known[expr]

    def _overflows(self, value: arb) -> bool:
        return not self.unbounded and not abs(value) < self.form.largest

    def _exponent(self, expr: sympy.Expr) -> arb | None:
        """The exponent of e^u; none where it overflows to −∞, all of its summands being negative: the power is 0."""
        try:
            return self._of(expr).value
        except LostError:
            before, known = self.unbounded, self.known
            self.unbounded, self.known = True, {}
            try:
                parts = [self._of(a).value for a in sympy.Add.make_args(expr)]
            finally:
                self.unbounded, self.known = before, known
            if all(p < 0 for p in parts) and sum(parts) < -1e6:
                return None
            raise

    def _node(self, expr: sympy.Expr) -> _Operation:
        if expr == self.x:
            return _Operation(self.point, arb(0))
        if fixed(expr):
            return self._number(expr)
        if expr.is_Add:
            return self._sum(expr)
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow and not isinstance(expr, sympy.exp):
            return self._power(expr)
        if isinstance(expr, Switch):
            return self._switch(expr)
        if isinstance(expr, scaled_exp):
            return self._scaled(expr)
        if isinstance(expr, quotient):
            above, below = (self._of(a).value for a in expr.args)
            if below.contains(0):
                raise LostError
            value = above / below
            return self._rounding(value, 1, (expr.args[0], 1 / below), (expr.args[1], -value / below))
        if isinstance(expr, hypot):
            a, b = (self._of(arg).value for arg in expr.args)
            value = (a**2 + b**2).sqrt()
            return self._rounding(value, 2, (expr.args[0], a / value), (expr.args[1], b / value))
        if type(expr) in _FUNCTIONS:
            return self._function(expr)
        if isinstance(expr, sin_of | cos_of):
            return self._wave(expr)
        if isinstance(expr, ScalarFunction):
            computed = expr.computed()
            return _Operation(self._of(computed).value, arb(0), ((computed, arb(1)),))
        raise UnsupportedError(f"the rounding of '{type(expr).__name__}' is not known")

    def _sum(self, expr: sympy.Expr) -> _Operation:
        total, own = arb(0), arb(0)
        parts = _in_order(expr)
        for k, part in enumerate(parts):
            total = total + self._of(part).value
            own = own + (self._half(total) if k else 0)
        return _Operation(total, own, tuple((part, arb(1)) for part in parts))

    def _product(self, expr: sympy.Expr) -> _Operation:
        """Numbers are multiplied beforehand, a power of two leaves no error; a division rounds once."""
        number, shifts, factors = _split(expr)
        parts: list[tuple[sympy.Expr, arb, bool]] = []
        for part, below in factors:
            value = self._of(part).value
            if below and value.contains(0):
                raise LostError
            parts.append((part, 1 / value if below else value, below))
        exact = arb(1)
        if number is not None:
            first = self._of(number).value
            exact = first if shifts else exact
            parts += [] if shifts else [(number, first, False)]
            if parts and self._overflows(first * parts[0][1]):
                raise LostError  # the number is multiplied in first
        value, own = arb(1), arb(0)
        before = []
        for k, (_, part, below) in enumerate(parts):
            before.append(value)
            value, own = value * part, own * abs(part)
            if k and self._overflows(value):
                raise LostError
            own = own + (self._half(value) if k or below else 0)
        after, slopes = exact, list[tuple[sympy.Expr, arb]]()
        for (a, part, below), ahead in zip(reversed(parts), reversed(before), strict=True):
            slopes.append((a, -ahead * after * part * part if below else ahead * after))
            after = after * part
        value, own = value * exact, own * abs(exact)
        inexact = len(parts) > 1 or any(a != self.x for a, _, _ in parts)
        return _Operation(
            value, own + (self._half(value) if abs(value) < self.form.tiny and inexact else 0), tuple(slopes)
        )

    def _power(self, expr: sympy.Expr) -> _Operation:
        base, power = self._of(expr.base).value, _rational(expr.exp)
        if power is None or (base <= 0 and power.q != 1):
            if base == 0 and expr.exp.is_positive:
                return _Operation(arb(0), arb(0))
            raise LostError
        if base.contains(0) and power < 0:
            raise LostError
        if power.q == 1:
            value = base ** int(power) if power >= 0 else 1 / base ** -int(power)
        else:
            value = base ** arb(power)
        slope = arb(power) * value / base if not base.contains(0) else arb(0)
        if power < 0 and self._overflows(1 / value):
            raise LostError
        return self._rounding(value, max(1.0, abs(int(power.p) / int(power.q)) - 1), (expr.base, slope))

    def _switch(self, expr: Switch) -> _Operation:
        x, below, above, weight = expr.args
        side = self._of(x).value
        taken = above if side > 0 else below if side < 0 else (1 - weight) * below + weight * above
        return _Operation(self._of(taken).value, arb(0), ((taken, arb(1)),))

    def _scaled(self, expr: sympy.Expr) -> _Operation:
        factor, exponent = self._of(expr.args[0]).value, self._exponent(expr.args[1])
        power = arb(0) if exponent is None else exponent.exp()
        return self._rounding(factor * power, 2.5, (expr.args[0], power))

    def _function(self, expr: sympy.Expr) -> _Operation:
        function, slope, own = _FUNCTIONS[type(expr)]
        inner = self._exponent(expr.args[0]) if isinstance(expr, _POWERS) else self._of(expr.args[0]).value
        if inner is None:
            return self._rounding(arb(-(10**6)).exp(), own)
        if self.unbounded and isinstance(expr, _GROWING) and abs(inner) > ENOUGH:
            inner = ENOUGH if inner > 0 else -ENOUGH  # however large, it overflows
            return self._rounding(function(inner), own)
        value = function(inner)
        if not value.is_finite():
            raise LostError
        return self._rounding(value, own, (expr.args[0], slope(inner, value)))

    def _wave(self, expr: sympy.Expr) -> _Operation:
        x, k = self._of(expr.args[0]).value, self._number(expr.args[1]).value
        sine, cosine = (k * x).sin(), (k * x).cos()
        value, slope = (sine, k * cosine) if isinstance(expr, sin_of) else (cosine, -k * sine)
        return self._rounding(value, 2.5, (expr.args[0], slope))

    def _rounding(self, value: arb, halves: float, *parts: tuple[sympy.Expr, arb]) -> _Operation:
        """A result with its own error, in half units in the last place."""
        return _Operation(value, halves * self._half(value), parts)

    def _half(self, value: arb) -> arb:
        """Half a unit in the last place, as rounding errs; all of a value that rounds to 0."""
        size = abs(value.mid())
        if size > self.form.tiny:
            return arb(2) ** (_exponent(size) - self.form.digits - 1)
        return min(self.form.smallest / 2, size)

    def _number(self, expr: sympy.Expr) -> _Operation:
        if expr.is_Rational:
            value = arb(fmpq(int(expr.p), int(expr.q)))
            exact = expr.q & (expr.q - 1) == 0 and abs(expr.p).bit_length() <= self.form.digits
            return _Operation(value, arb(0)) if exact else self._rounding(value, 1)
        return self._rounding(constant(expr, flint.ctx.prec), 1)


@lru_cache(10**5)
def fixed(expr: sympy.Expr) -> bool:
    """Whether an expression is a number."""
    return not expr.free_symbols


@lru_cache(10**4)
def _rational(expr: sympy.Expr) -> fmpq | None:
    """An exponent, if it is rational."""
    return fmpq(int(expr.p), int(expr.q)) if expr.is_Rational else None


@lru_cache(10**4)
def _in_order(expr: sympy.Add) -> tuple[sympy.Expr, ...]:
    """The summands as they are printed, and added."""
    return tuple(sorted(expr.args, key=sympy.default_sort_key))


@lru_cache(10**4)
def _split(expr: sympy.Mul) -> tuple[sympy.Expr | None, bool, tuple[tuple[sympy.Expr, bool], ...]]:
    """The number of a product unless it is 1, whether it is a power of two, and the other factors.

    Those stand in the order of computation: divisors come last, as what is divided by.
    """
    number = sympy.Mul(*[a for a in expr.args if fixed(a)])
    rest = sorted(
        [a for a in expr.args if not fixed(a)], key=lambda a: bool(a.is_Pow and a.exp.could_extract_minus_sign())
    )
    below = [bool(a.is_Pow and a.exp.is_Integer and a.exp.is_negative) for a in rest]
    factors = tuple((1 / a if under else a, under) for a, under in zip(rest, below, strict=True))
    return (None if number == 1 else number), _power_of_two(number), factors


@cache
def constant(expr: sympy.Expr, bits: int) -> arb:
    """The ball of a number that is not rational."""
    digits = int(bits * 0.302) + 8
    value = str(expr.evalf(digits))
    return arb(value, abs(arb(value)) * arb(10) ** (4 - digits))


def _power_of_two(expr: sympy.Expr) -> bool:
    if not expr.is_Rational or expr == 0:
        return False
    return all(n & (n - 1) == 0 for n in (abs(int(expr.p)), int(expr.q)))
