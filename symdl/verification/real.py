"""Real functions on balls, with what is undefined told apart from what is unclear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from flint import arb, fmpq
from sympy.codegen import cfunctions

from symdl.core.functions import Delta, InRange
from symdl.errors import SymdlError, UnsupportedError

#: Larger exponents and subscripts make numbers that no one compares digit by digit.
LARGEST_EXPONENT = 10**7


class UndefinedError(SymdlError):
    """The expression has no real value at this point, and that is certain (log of a negative number)."""


class UnclearError(SymdlError):
    """The balls are too wide to tell: a divisor or a switch whose ball holds 0, or a result that is not finite."""


def exact(value: Any) -> fmpq | None:
    """An exact rational of an int, `fmpq`, SymPy Rational or Float; None where it is none."""
    if isinstance(value, fmpq):
        return value
    if isinstance(value, int):
        return fmpq(value)
    if isinstance(value, float):
        return fmpq(*value.as_integer_ratio())
    value = sympy.sympify(value, strict=True)
    if value.is_Float and value.is_finite:
        value = sympy.Rational(value)
    return fmpq(int(value.p), int(value.q)) if value.is_Rational else None


def as_rational(value: Any) -> fmpq | None:
    return None if isinstance(value, arb) else exact(value)


def power(base: arb, exponent: arb, written: sympy.Expr) -> arb:
    """base**exponent over the reals: integer exponents of any base, other exponents of bases ≥ 0."""
    number = exponent.unique_fmpz() if exponent.is_integer() or written.is_Integer else None
    if number is not None:
        return whole_power(base, int(number))
    if base < 0:
        raise UndefinedError("a power of a negative number")
    if base.is_zero():
        if exponent > 0:
            return arb(0)
        raise UndefinedError("zero to a power that is not positive")
    if written.is_Rational and int(written.q) <= 1000:
        whole = _nonnegative_root(base, int(written.q)) ** abs(int(written.p))
        return whole if written.p > 0 else _inverse(whole)
    return (exponent * _log(base)).exp()


def whole_power(base: arb, number: int) -> arb:
    """base**number of any base.

    >>> whole_power(arb(2), -3)
    0.125000000000000
    """
    if abs(number) > LARGEST_EXPONENT:
        raise UnclearError(f"the exponent {number} is too large")
    return _multiplied(base, number) if number >= 0 else _inverse(_multiplied(base, -number))


def _multiplied(base: arb, times: int) -> arb:
    """A whole power by squaring: by way of logarithms it is lost where the ball holds 0.

    >>> _multiplied(arb(0, 0.5), 2).is_finite(), _multiplied(arb(3), 5)
    (True, 243.000000000000)
    """
    if times == 1:
        return base
    total, square = arb(1), base
    while times:
        if times & 1:
            total = total * square
        times >>= 1
        square = square * square if times else square
    return total


def _nonnegative_root(base: arb, degree: int) -> arb:
    if not base >= 0:
        raise UnclearError("the sign under a root is unclear")
    return base.sqrt() if degree == 2 else base.root(degree)


def _inverse(value: arb) -> arb:
    if value.is_zero():
        raise UndefinedError("division by zero")
    if value.contains(0):
        raise UnclearError("a divisor may be zero")
    return 1 / value


def _log(value: arb) -> arb:
    if value <= 0:
        raise UndefinedError("the logarithm of a number that is not positive")
    if not value > 0:
        raise UnclearError("the logarithm of a number that may not be positive")
    return value.log()


def _log1p(value: arb) -> arb:
    _log(1 + value)  # raises where it is undefined
    return value.log1p()


def sign_of(value: arb) -> int:
    if value > 0:
        return 1
    if value < 0:
        return -1
    if value.is_zero():
        return 0
    raise UnclearError("the side of a kink is unclear")


def _bounded(name: str) -> Callable[[arb], arb]:
    """arcsine and the like, defined on [−1, 1]."""

    def apply(value: arb) -> arb:
        if abs(value) > 1:
            raise UndefinedError(f"{name} of a number beyond 1")
        result: arb = getattr(value, name)()
        return result

    return apply


def _range(value: arb, extent: arb) -> arb:
    inside = value >= 0 and value < extent
    outside = value < 0 or value >= extent
    if inside == outside:
        raise UnclearError("a guard is unclear")
    return arb(1 if inside else 0)


def _delta(a: arb, b: arb) -> arb:
    return arb(1 if sign_of(a - b) == 0 else 0)


def _extreme(name: str) -> Callable[..., arb]:
    def apply(first: arb, *rest: arb) -> arb:
        for value in rest:
            first = getattr(first, name)(value)
        return first

    return apply


def _heaviside(x: arb, at_zero: arb | None = None) -> arb:
    sign = sign_of(x)
    return arb(1) if sign > 0 else arb(0) if sign < 0 else arb(fmpq(1, 2)) if at_zero is None else at_zero


def finite(value: arb) -> arb:
    if not value.is_finite():
        raise UnclearError("the value is not finite at this precision")
    return value


def as_ball(value: Any) -> arb:
    if isinstance(value, arb):
        return value
    number = exact(value)
    if number is None:
        raise UnsupportedError(f"{value} is not a real number")
    return arb(number)


CONSTANTS: dict[sympy.Expr, Callable[[], arb]] = {
    sympy.pi: arb.pi,
    sympy.E: arb.const_e,
    sympy.EulerGamma: arb.const_euler,
    sympy.Catalan: arb.const_catalan,
    sympy.GoldenRatio: lambda: (1 + arb(5).sqrt()) / 2,
}

FUNCTIONS: dict[type, Callable[..., arb]] = {
    sympy.exp: arb.exp,
    sympy.log: _log,
    cfunctions.log1p: _log1p,
    cfunctions.expm1: arb.expm1,
    sympy.sinh: arb.sinh,
    sympy.cosh: arb.cosh,
    sympy.tanh: arb.tanh,
    sympy.coth: lambda x: _inverse(x.tanh()),
    sympy.sech: arb.sech,
    sympy.csch: lambda x: _inverse(x.sinh()),
    sympy.sin: arb.sin,
    sympy.cos: arb.cos,
    sympy.tan: lambda x: x.sin() * _inverse(x.cos()),
    sympy.cot: lambda x: x.cos() * _inverse(x.sin()),
    sympy.sec: lambda x: _inverse(x.cos()),
    sympy.csc: lambda x: _inverse(x.sin()),
    sympy.asin: _bounded("asin"),
    sympy.acos: _bounded("acos"),
    sympy.atan: arb.atan,
    sympy.asinh: arb.asinh,
    sympy.acosh: arb.acosh,
    sympy.atanh: _bounded("atanh"),
    sympy.erf: arb.erf,
    sympy.erfc: arb.erfc,
    sympy.gamma: arb.gamma,
    sympy.loggamma: arb.lgamma,
    sympy.Abs: abs,
    sympy.sign: lambda x: arb(sign_of(x)),
    sympy.Max: _extreme("max"),
    sympy.Min: _extreme("min"),
    sympy.Heaviside: _heaviside,
    Delta: _delta,
    InRange: _range,
}

RELATIONS: dict[type, Callable[[int], bool]] = {
    sympy.StrictGreaterThan: lambda s: s > 0,
    sympy.GreaterThan: lambda s: s >= 0,
    sympy.StrictLessThan: lambda s: s < 0,
    sympy.LessThan: lambda s: s <= 0,
    sympy.Equality: lambda s: s == 0,
    sympy.Unequality: lambda s: s != 0,
}


def unsupported(expr: sympy.Expr) -> UnsupportedError:
    """The error for a function that has no balls."""
    return UnsupportedError(
        f"{type(expr).__name__} can't be evaluated with certainty",
        where=str(expr)[:60],
        remedy="write it with exp, log, tanh, sqrt, erf, sin, cos or sd.switch",
    )
