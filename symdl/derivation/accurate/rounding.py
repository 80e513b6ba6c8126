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
from functools import cache, lru_cache
from typing import Any, NamedTuple

import flint
import sympy
from flint import arb, fmpq
from sympy.codegen import cfunctions

from symdl.core.accurate import cos_of, erfcx, hypot, kept_exp, quotient, scaled_exp, sin_of
from symdl.core.functions import ScalarFunction, Switch
from symdl.derivation.accurate.formats import BOTH, DOUBLE, SINGLE, Format, Single
from symdl.errors import UnsupportedError

ZERO, ONE = arb(0), arb(1)
#: An exponent whose power is beyond every dtype.
ENOUGH = arb(10) ** 6
PRECISIONS = (192, 768, 3072)


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
        spacing = form.smallest if size < form.tiny else _power_of_2(_exponent(size) - form.digits)
        return float((self.error.mid() / spacing).mid())


class _Operation(NamedTuple):
    """A value, the error of the last operation alone, and what it was made of, each with its slope."""

    value: arb
    own: arb
    parts: tuple[tuple[sympy.Expr, arb], ...] = ()


def _exponent(size: arb) -> int:
    """e with 2^{e−1} ≤ size < 2^e."""
    digits, shift = size.mid().man_exp()
    return int(shift) + int(digits).bit_length()


@lru_cache(10**4)
def _power_of_2(exponent: int) -> arb:
    return arb(2) ** exponent


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
        slopes = {self.expr: ONE}
        error = ZERO
        for expr, operation in reversed(self.known.items()):
            slope = slopes.get(expr)
            if slope is None:
                continue
            if operation.own is not ZERO or not slope.is_finite():
                error = error + slope.abs_upper() * operation.own
            for part, partial in operation.parts:
                before = slopes.get(part)
                slopes[part] = slope * partial if before is None else before + slope * partial
        return error

    def _of(self, expr: sympy.Expr) -> _Operation:
        found = self.known.get(expr)
        if found is None:
            found = _KINDS[_kind(expr)](self, expr)
            if not found.value.is_finite() or self._overflows(found.value):
                raise LostError
            self.known[expr] = found
        return found

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

    def _unknown(self, expr: sympy.Expr) -> _Operation:
        """The one unknown; the rounding of what has another is not known."""
        if expr == self.x:
            return _Operation(self.point, ZERO)
        raise UnsupportedError(f"the rounding of '{type(expr).__name__}' is not known")

    def _quotient(self, expr: sympy.Expr) -> _Operation:
        above, below = (self._of(a).value for a in expr.args)
        if below.contains(0):
            raise LostError
        value = above / below
        return self._rounding(value, 1, (expr.args[0], 1 / below), (expr.args[1], -value / below))

    def _hypot(self, expr: sympy.Expr) -> _Operation:
        a, b = (self._of(arg).value for arg in expr.args)
        value = (a**2 + b**2).sqrt()
        return self._rounding(value, 2, (expr.args[0], a / value), (expr.args[1], b / value))

    def _computed(self, expr: Any) -> _Operation:
        computed = expr.computed()
        return _Operation(self._of(computed).value, ZERO, ((computed, ONE),))

    def _sum(self, expr: sympy.Expr) -> _Operation:
        first, *others = _in_order(expr)
        total, own = self._of(first).value, ZERO
        for part in others:
            total = total + self._of(part).value
            own = own + self._half(total)
        return _Operation(total, own, tuple((part, ONE) for part in (first, *others)))

    def _product(self, expr: sympy.Expr) -> _Operation:
        """Numbers are multiplied beforehand, a power of two leaves no error; a division rounds once."""
        number, shifts, factors = _split(expr)
        parts: list[tuple[sympy.Expr, arb, bool]] = []
        for part, below in factors:
            value = self._of(part).value
            if below and value.contains(0):
                raise LostError
            parts.append((part, 1 / value if below else value, below))
        exact = ONE
        if number is not None:
            first = self._of(number).value
            exact = first if shifts else exact
            parts += [] if shifts else [(number, first, False)]
            if parts and self._overflows(first * parts[0][1]):
                raise LostError  # the number is multiplied in first
        value, own = ONE, ZERO
        before = []
        for k, (_, part, below) in enumerate(parts):
            before.append(value)
            if not k:
                value, own = part, self._half(part) if below else ZERO
                continue
            value, own = value * part, own * abs(part)
            if self._overflows(value):
                raise LostError
            own = own + self._half(value)
        after, slopes = exact, list[tuple[sympy.Expr, arb]]()
        for (a, part, below), ahead in zip(reversed(parts), reversed(before), strict=True):
            slopes.append((a, -ahead * after * part * part if below else after if ahead is ONE else ahead * after))
            after = part if after is ONE else after * part
        if exact is not ONE:
            value, own = value * exact, own * abs(exact)
        if abs(value) < self.form.tiny and (len(parts) > 1 or any(a != self.x for a, _, _ in parts)):
            own = own + self._half(value)
        return _Operation(value, own, tuple(slopes))

    def _power(self, expr: sympy.Expr) -> _Operation:
        base, power = self._of(expr.base).value, _rational(expr.exp)
        if power is None or (base <= 0 and power.q != 1):
            if base == 0 and expr.exp.is_positive:
                return _Operation(ZERO, ZERO)
            raise LostError
        if base.contains(0) and power < 0:
            raise LostError
        if power.q == 1:
            value = base ** int(power) if power >= 0 else 1 / base ** -int(power)
        else:
            value = base ** arb(power)
        slope = arb(power) * value / base if not base.contains(0) else ZERO
        if power < 0 and self._overflows(1 / value):
            raise LostError
        return self._rounding(value, max(1.0, abs(int(power.p) / int(power.q)) - 1), (expr.base, slope))

    def _switch(self, expr: Switch) -> _Operation:
        x, below, above, weight = expr.args
        side = self._of(x).value
        taken = above if side > 0 else below if side < 0 else (1 - weight) * below + weight * above
        return _Operation(self._of(taken).value, ZERO, ((taken, ONE),))

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
            return _power_of_2(_exponent(size) - self.form.digits - 1)
        return min(self.form.smallest / 2, size)

    def _number(self, expr: sympy.Expr) -> _Operation:
        if expr.is_Rational:
            value = arb(fmpq(int(expr.p), int(expr.q)))
            exact = expr.q & (expr.q - 1) == 0 and abs(expr.p).bit_length() <= self.form.digits
            return _Operation(value, ZERO) if exact else self._rounding(value, 1)
        return self._rounding(constant(expr, flint.ctx.prec), 1)


_KINDS: dict[str, Callable[[Analysis, Any], _Operation]] = {
    "number": Analysis._number,
    "sum": Analysis._sum,
    "product": Analysis._product,
    "power": Analysis._power,
    "switch": Analysis._switch,
    "scaled": Analysis._scaled,
    "quotient": Analysis._quotient,
    "hypot": Analysis._hypot,
    "function": Analysis._function,
    "wave": Analysis._wave,
    "computed": Analysis._computed,
    "unknown": Analysis._unknown,
}
#: The kinds that a class decides, the first that fits.
_CLASSES: tuple[tuple[Any, str], ...] = (
    (Switch, "switch"),
    (scaled_exp, "scaled"),
    (quotient, "quotient"),
    (hypot, "hypot"),
    ((sin_of, cos_of), "wave"),
    (ScalarFunction, "computed"),
)


@lru_cache(10**5)
def _kind(expr: sympy.Expr) -> str:
    """The key of `_KINDS` for an expression."""
    if fixed(expr):
        return "number"
    if expr.is_Add:
        return "sum"
    if expr.is_Mul:
        return "product"
    if expr.is_Pow and not isinstance(expr, sympy.exp):
        return "power"
    if type(expr) in _FUNCTIONS:
        return "function"
    return next((kind for classes, kind in _CLASSES if isinstance(expr, classes)), "unknown")


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
