"""Where a function of sines and cosines is 0: t = tan(ω s/2) makes it a fraction of polynomials."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symdl.verification.terms import UndecidedError

WAVES = (sympy.sin, sympy.cos)


@dataclass(frozen=True)
class Wave:
    """The zeros of a wave within one period.

    Args:
        period: after which all comes again; it need not be the shortest.
        zeros: those of one period, in order.
        turns: those at which the sign changes, with the sign behind them.
        sign: next to the left end of the period.
    """

    period: sympy.Expr
    zeros: tuple[sympy.Expr, ...]
    turns: tuple[tuple[sympy.Expr, int], ...]
    sign: int

    @classmethod
    def of(cls, expr: sympy.Expr, s: sympy.Symbol) -> Wave:
        """The zeros of an expression in sines and cosines of multiples of s.

        Raises:
            UndecidedError: it is something else, or its zeros can't be written down.

        >>> s = sympy.Symbol("s", real=True)
        >>> Wave.of(sympy.cos(s), s).turns, Wave.of(1 + sympy.sin(2 * s), s).turns
        (((-pi/2, 1), (pi/2, -1)), ())
        """
        t = sympy.Dummy("t", real=True)
        unit, made = _rational(expr, s, t)
        top, bottom = (sympy.Poly(p, t) for p in sympy.fraction(sympy.cancel(sympy.together(made))))
        if top.is_zero:
            raise UndecidedError("it is 0 everywhere")
        if not all(c.is_Rational for c in top.all_coeffs()):
            raise UndecidedError(f"the zeros of {expr} can't be written down")
        found = list(sympy.real_roots(top, multiple=False))
        if any(r.has(sympy.CRootOf) for r, _ in found):
            raise UndecidedError(f"the zeros of {expr} can't be written down")
        sign = 1 if (top.LC() / bottom.LC() > 0) == ((top.degree() - bottom.degree()) % 2 == 0) else -1
        places = [(sympy.simplify(2 * sympy.atan(r) / unit), power) for r, power in found]
        missing = bottom.degree() - top.degree()
        if missing > 0:  # t = ∞ is the right end of the period
            places.append((sympy.pi / unit, missing))
        now, turns = sign, []
        for place, power in places:
            if power % 2:
                now = -now
                turns.append((place, now))
        return cls(2 * sympy.pi / unit, tuple(p for p, _ in places), tuple(turns), sign)


def is_wave(expr: sympy.Expr, s: sympy.Symbol) -> bool:
    """Whether s stands in sines and cosines only.

    >>> s = sympy.Symbol("s", real=True)
    >>> is_wave(sympy.cos(s) - 1, s), is_wave(sympy.cos(s) + s, s)
    (True, False)
    """
    calls = expr.atoms(*WAVES)
    return bool(calls) and not expr.xreplace({c: sympy.Dummy() for c in calls}).has(s)


def _rational(expr: sympy.Expr, s: sympy.Symbol, t: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    """The frequency ω, and the expression with t = tan(ω s/2)."""
    if not is_wave(expr, s):
        raise UndecidedError(f"{expr} is no wave")
    rates = [sympy.cancel(c.args[0] / s) for c in sorted(expr.atoms(*WAVES), key=sympy.default_sort_key)]
    shares = [r / rates[0] for r in rates]
    if not all(r.is_Rational for r in shares) or not rates[0].is_number:
        raise UndecidedError(f"{expr} does not come again")
    unit = abs(rates[0]) / sympy.ilcm(1, *[r.q for r in shares])
    u = sympy.Dummy("u", real=True)
    spread = sympy.expand_trig(expr.subs(s, u / unit))
    made = spread.xreplace({sympy.sin(u): 2 * t / (1 + t**2), sympy.cos(u): (1 - t**2) / (1 + t**2)})
    if made.has(u):
        raise UndecidedError(f"{expr} is no polynomial of a sine and a cosine")
    return unit, made
