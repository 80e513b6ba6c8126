"""Where a function has settled: from some point on it is 0, another number, x, or a multiple of a power of e, to the
last bit; proved."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import flint
import sympy
from flint import arb, fmpq

from symdl.core.accurate import scaled_exp
from symdl.derivation.accurate.series import Series
from symdl.errors import SymdlError

#: By what an interval grows: as much as can be.
FACTORS = (fmpq(4), fmpq(5, 4), fmpq(65, 64))


def settled(f: sympy.Expr, x: sympy.Symbol, side: int, nearest: float) -> tuple[float, sympy.Expr] | None:
    """From which |x| on, at most `nearest`, a function is what on one side of 0; None where it is nothing so simple.

    >>> x = sympy.Symbol("x", real=True)
    >>> settled(x / (1 + sympy.exp(-x)), x, 1, 100.0)
    (45.3, x)
    """
    whole, share = Series(f, x), Series(sympy.expand(f / x), x)
    for target in (sympy.S.Zero, x, sympy.S.One, -sympy.S.One, -x, sympy.Rational(1, 2)):
        part, goal = (share, target / x) if target.has(x) else (whole, target)
        if _stays(part, goal, side, nearest):
            start = _first(_starts(nearest), partial(_stays, part, goal, side))
            return start, target
    return None


def fading(f: sympy.Expr, x: sympy.Symbol, side: int, nearest: float) -> tuple[float, sympy.Expr] | None:
    """From which |x| on, at most `nearest`, a function is a multiple of a vanishing power of e on one side of 0; None
    where it is not.

    With E = e^{kx} the function is g(E), and g(E) = g'(0) E + E² g''(ξ)/2 (Taylor's theorem): the last term is left
    out where it is below the last bit, with g'' enclosed over all of [0, E].

    >>> x = sympy.Symbol("x", real=True)
    >>> fading(sympy.log(1 + sympy.exp(x / 10)) * 10, x, -1, 900.0)
    (512.0, scaled_exp(10, x/10))
    """
    powers = {e.args[0] / x: e for e in f.atoms(sympy.exp) if e.has(x)}
    if not all(k.is_Rational and k * side < 0 for k in powers):
        return None
    slowest = min(powers, key=abs, default=sympy.S.Zero)
    E = sympy.Dummy("E", positive=True)
    g = f.xreplace({e: E ** (k / slowest) for k, e in powers.items() if (k / slowest).is_Integer})
    if g.has(x) or g == f:
        return None
    g0, factor = g.subs(E, 0), g.diff(E).subs(E, 0)
    if g0 != 0 or not factor.is_Rational or factor == 0:
        return None
    for start in _starts(nearest):
        if _is_linear(Series(g, E), factor, (arb(fmpq(int(slowest.p), int(slowest.q))) * side * arb(start)).exp()):
            return start, scaled_exp(factor, slowest * x)
    return None


def _is_linear(g: Series, factor: sympy.Rational, end: arb) -> bool:
    """Whether g(E) is factor·E for all E from 0 to `end`, to the last bit of float64."""
    try:
        curvature = g.at(arb(0).union(end), 3)[2]
    except (SymdlError, ZeroDivisionError, ValueError):
        return False
    return bool(abs(curvature) * end < arb(fmpq(int(abs(factor.p)), int(factor.q))) * arb(2) ** -56)


def _first(starts: list[float], holds: Callable[[float, float], bool]) -> float:
    """The first of some growing numbers from which on something holds, as it does from the last one on.

    `holds(a, b)` says whether it does from a to b.
    """
    low, high = -1, len(starts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(starts[middle], starts[high]) else (middle, high)
    return starts[high]


def _starts(nearest: float) -> list[float]:
    """Points to settle at, the nearest to 0 first."""
    return [s for k in range(4, 40) if (s := float(round(2.0 ** (k / 2), 1))) <= nearest] + [nearest]


def _stays(f: Series, goal: sympy.Rational, side: int, start: float, end: float = math.inf) -> bool:
    """Whether f is a number to the last bit of float64 from `start` to `end`, or up to the largest argument: proved.

    Wide intervals are quick, and too wide where powers of x meet exponentials. One that was narrow enough is followed
    by a wider one: far out there is little left to tell apart.
    """
    before = flint.ctx.prec
    flint.ctx.prec = 192
    try:
        wanted = arb(fmpq(int(goal.p), int(goal.q)))
        off = abs(wanted) * arb(2) ** -56 if goal else arb(2) ** -1076
        low = fmpq(*start.as_integer_ratio())
        last = fmpq(2**1024) if math.isinf(end) else fmpq(*end.as_integer_ratio())
        factors: tuple[fmpq, ...] = FACTORS
        while low < last:
            for factor in factors:
                high = min(low * factor, last)
                if _close(f, side * _between(low, high), wanted, off):
                    low, factors = high, (factor * factor, factor, *[f for f in FACTORS if f < factor])
                    break
            else:
                return False
        return True
    finally:
        flint.ctx.prec = before


def _close(f: Series, place: arb, wanted: arb, off: arb) -> bool:
    """Whether f is that near to a number on an interval; no where the interval is too wide to say."""
    try:
        return bool(abs(f.value(place) - wanted) < off)
    except (SymdlError, ZeroDivisionError, ValueError):
        return False


def _between(low: fmpq, high: fmpq) -> arb:
    """The ball of an interval."""
    return arb(low + high) / 2 + arb(0, 1) * (arb(high - low) / 2)
