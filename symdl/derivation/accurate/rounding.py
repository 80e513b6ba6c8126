"""What rounding does to an expression at a point: every operation's error, carried to the result.

A first-order worst case, in exact arithmetic: nothing is run in floating point, so the answer is the same on every
machine. It ranks forms and says where one needs help; what compiled code does is measured by a sweep.
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

from symdl.core.accurate import cos_of, erfcx, hypot, quotient, scaled_exp, sin_of
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


def _exponent(size: arb) -> int:
    """e with 2^{e−1} ≤ size < 2^e."""
    digits, shift = size.mid().man_exp()
    return int(shift) + int(digits).bit_length()


#: Functions: the value, the size of the slope, and the error of the implementation in half units in the last place.
_FUNCTIONS: dict[Any, tuple[Callable[[arb], arb], Callable[[arb, arb], arb], float]] = {
    sympy.exp: (arb.exp, lambda x, v: v, 2.5),
    sympy.log: (arb.log, lambda x, v: 1 / x, 1.5),
    sympy.tanh: (arb.tanh, lambda x, v: 1 - v * v, 2.5),
    sympy.sinh: (arb.sinh, lambda x, v: x.cosh(), 2.5),
    sympy.cosh: (arb.cosh, lambda x, v: x.sinh(), 2.5),
    sympy.sin: (arb.sin, lambda x, v: x.cos(), 1.5),
    sympy.cos: (arb.cos, lambda x, v: x.sin(), 1.5),
    sympy.tan: (arb.tan, lambda x, v: 1 + v * v, 2),
    sympy.atan: (arb.atan, lambda x, v: 1 / (1 + x * x), 1.5),
    sympy.asinh: (arb.asinh, lambda x, v: 1 / (1 + x * x).sqrt(), 2.5),
    sympy.erf: (arb.erf, lambda x, v: (-x * x).exp() * 2 / arb.pi().sqrt(), 2),
    sympy.erfc: (arb.erfc, lambda x, v: (-x * x).exp() * 2 / arb.pi().sqrt(), 6),
    cfunctions.log1p: (arb.log1p, lambda x, v: 1 / (1 + x), 1.5),
    cfunctions.expm1: (arb.expm1, lambda x, v: 1 + v, 1.5),
    erfcx: (lambda x: (x * x).exp() * x.erfc(), lambda x, v: 2 * x * v - 2 / arb.pi().sqrt(), 8),
}


_GROWING = (sympy.exp, sympy.sinh, sympy.cosh, cfunctions.expm1)


class Analysis:
    """The rounding of one expression in one unknown.

    >>> x = sympy.Symbol("x", real=True)
    >>> Analysis(1 - sympy.tanh(x) ** 2, x).ulps(12.0) > 1e9, Analysis(1 + x**2, x).ulps(12.0) < 2
    (True, True)
    """

    def __init__(self, expr: sympy.Expr, x: sympy.Symbol) -> None:
        self.expr, self.x = expr, x
        self.point, self.unbounded, self.form = arb(0), False, DOUBLE
        self.known: dict[sympy.Expr, Rounded] = {}

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
                found = self._of(self.expr)
                if found.value.rad() <= self.form.smallest / 64 or found.value.rel_accuracy_bits() >= 20:
                    return found
            raise LostError
        finally:
            flint.ctx.prec = before

    def _of(self, expr: sympy.Expr) -> Rounded:
        if expr not in self.known:
            found = self._node(expr)
            if not found.value.is_finite() or self._overflows(found.value):
                raise LostError
            self.known[expr] = found
        return self.known[expr]

    def _overflows(self, value: arb) -> bool:
        return not self.unbounded and not abs(value) < self.form.largest

    def _exponent(self, expr: sympy.Expr) -> Rounded:
        """The exponent of e^u, which may overflow to −∞, all of its summands being negative: then the power is 0."""
        try:
            return self._of(expr)
        except LostError:
            before, self.unbounded = self.unbounded, True
            try:
                parts = [self._of(a).value for a in sympy.Add.make_args(expr)]
            finally:
                self.unbounded, self.known = before, {}
            if all(p < 0 for p in parts) and sum(parts) < -1e6:
                return Rounded(arb(-(10**6)), arb(0))
            raise

    def _node(self, expr: sympy.Expr) -> Rounded:
        if expr == self.x:
            return Rounded(self.point, arb(0))
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
            above, below = (self._of(a) for a in expr.args)
            if below.value.contains(0):
                raise LostError
            value = above.value / below.value
            return self._rounding(value, (above.error + abs(value) * below.error) / abs(below.value), 1)
        if isinstance(expr, hypot):
            a, b = (self._of(arg) for arg in expr.args)
            value = (a.value**2 + b.value**2).sqrt()
            return self._rounding(value, (abs(a.value) * a.error + abs(b.value) * b.error) / value, 2)
        if type(expr) in _FUNCTIONS:
            return self._function(expr)
        if isinstance(expr, sin_of | cos_of):
            return self._wave(expr)
        if isinstance(expr, ScalarFunction):
            return self._of(expr.computed())
        raise UnsupportedError(f"the rounding of '{type(expr).__name__}' is not known")

    def _sum(self, expr: sympy.Expr) -> Rounded:
        total, error = arb(0), arb(0)
        for k, part in enumerate(_in_order(expr)):
            found = self._of(part)
            total = total + found.value
            error = error + found.error + (self._half(total) if k else 0)
        return Rounded(total, error)

    def _product(self, expr: sympy.Expr) -> Rounded:
        """Numbers are multiplied beforehand; a power of two leaves no error."""
        number, factors = _split(expr)
        parts = [self._of(a) for a in factors]
        exact = [self._of(number)] if _power_of_two(number) else []
        parts += [] if exact or number == 1 else [self._of(number)]
        if number != 1 and parts and self._overflows(self._of(number).value * parts[0].value):
            raise LostError  # the number is multiplied in first
        value, error = arb(1), arb(0)
        for k, part in enumerate(parts):
            error = abs(value) * part.error + abs(part.value) * error
            value = value * part.value
            if k and self._overflows(value):
                raise LostError
            error = error + (self._half(value) if k else 0)
        for part in exact:
            value, error = value * part.value, error * abs(part.value)
        return Rounded(value, error + (self._half(value) if abs(value) < self.form.tiny and error > 0 else 0))

    def _power(self, expr: sympy.Expr) -> Rounded:
        base = self._of(expr.base)
        if not expr.exp.is_Rational or (base.value <= 0 and not expr.exp.is_Integer):
            if base.value == 0 and expr.exp.is_positive:
                return Rounded(arb(0), arb(0))
            raise LostError
        if base.value.contains(0) and expr.exp.is_negative:
            raise LostError
        power = fmpq(int(expr.exp.p), int(expr.exp.q))
        if expr.exp.is_Integer:
            value = base.value ** int(expr.exp) if expr.exp >= 0 else 1 / base.value ** -int(expr.exp)
        else:
            value = base.value ** arb(power)
        slope = abs(arb(power)) * abs(value) / abs(base.value) if not base.value.contains(0) else arb(0)
        if expr.exp.is_negative and self._overflows(1 / value):
            raise LostError
        return self._rounding(value, slope * base.error, max(1.0, float(abs(expr.exp)) - 1))

    def _switch(self, expr: Switch) -> Rounded:
        x, below, above, weight = expr.args
        side = self._of(x).value
        if side > 0:
            return self._of(above)
        if side < 0:
            return self._of(below)
        return self._of((1 - weight) * below + weight * above)

    def _scaled(self, expr: sympy.Expr) -> Rounded:
        factor, exponent = self._of(expr.args[0]), self._exponent(expr.args[1])
        power = exponent.value.exp()
        value = factor.value * power
        return self._rounding(value, factor.error * power, 3.5)

    def _function(self, expr: sympy.Expr) -> Rounded:
        function, slope, own = _FUNCTIONS[type(expr)]
        inner = self._exponent(expr.args[0]) if isinstance(expr, sympy.exp) else self._of(expr.args[0])
        if self.unbounded and isinstance(expr, _GROWING) and abs(inner.value) > ENOUGH:
            inner = Rounded(ENOUGH if inner.value > 0 else -ENOUGH, arb(0))  # however large, it overflows
        value = function(inner.value)
        if not value.is_finite():
            raise LostError
        if inner.error == 0:
            return self._rounding(value, arb(0), own)
        return self._rounding(value, abs(slope(inner.value, value)) * inner.error, own)

    def _wave(self, expr: sympy.Expr) -> Rounded:
        inner, k = self._of(expr.args[0]), self._number(expr.args[1]).value
        sine, cosine = (k * inner.value).sin(), (k * inner.value).cos()
        value, slope = (sine, cosine) if isinstance(expr, sin_of) else (cosine, sine)
        return self._rounding(value, abs(k * slope) * inner.error, 2.5)

    def _rounding(self, value: arb, carried: arb, halves: float) -> Rounded:
        """A result with the error that its arguments bring and its own, in half units in the last place."""
        return Rounded(value, carried.mid() + halves * self._half(value))

    def _half(self, value: arb) -> arb:
        """Half a unit in the last place, as rounding errs; all of a value that rounds to 0."""
        size = abs(value.mid())
        return self.form.unit * size if size > self.form.tiny else min(self.form.smallest / 2, size)

    def _number(self, expr: sympy.Expr) -> Rounded:
        if expr.is_Rational:
            number = fmpq(int(expr.p), int(expr.q))
            exact = expr.q & (expr.q - 1) == 0 and abs(expr.p).bit_length() <= self.form.digits
            return Rounded(arb(number), arb(0) if exact else self.form.unit * abs(arb(number)))
        value = constant(expr, flint.ctx.prec)
        return Rounded(value, self.form.unit * abs(value))


@lru_cache(10**5)
def fixed(expr: sympy.Expr) -> bool:
    """Whether an expression is a number."""
    return not expr.free_symbols


@lru_cache(10**4)
def _in_order(expr: sympy.Add) -> tuple[sympy.Expr, ...]:
    """The summands as they are printed, and added."""
    return tuple(sorted(expr.args, key=sympy.default_sort_key))


@lru_cache(10**4)
def _split(expr: sympy.Mul) -> tuple[sympy.Expr, tuple[sympy.Expr, ...]]:
    """The number of a product, and its other factors in the order of computation: divisors come last."""
    numbers = [a for a in expr.args if fixed(a)]
    rest = [a for a in expr.args if not fixed(a)]
    return sympy.Mul(*numbers), tuple(sorted(rest, key=lambda a: bool(a.is_Pow and a.exp.could_extract_minus_sign())))


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
