"""A function with kinks as smooth pieces between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy

from symdl.core.functions import UNSTATED, Switch
from symdl.verification.terms import UndecidedError
from symdl.verification.truth import opened


@dataclass(frozen=True)
class Piece:
    """What a function is on an open interval, without a switch, and its slope there."""

    low: sympy.Expr
    high: sympy.Expr
    value: sympy.Expr
    slope: sympy.Expr


@dataclass(frozen=True)
class Kink:
    """A place where pieces meet, with the value and the slope that the policy gives the function there."""

    at: sympy.Expr
    value: sympy.Expr
    slope: sympy.Expr


@dataclass(frozen=True)
class Pieces:
    """Pieces from left to right, and the kinks between them: one fewer."""

    pieces: tuple[Piece, ...]
    kinks: tuple[Kink, ...]


def pieces_of(expr: sympy.Expr, s: sympy.Symbol) -> Pieces:
    """Split an expression at the places where one of its switches turns.

    Raises:
        UndecidedError: such a place can't be written down, or it has other kinks than switches.

    >>> s = sympy.Symbol("s", real=True)
    >>> found = pieces_of(Switch(s - 1, 2, s**2, 0), s)
    >>> [(p.value, p.slope) for p in found.pieces], found.kinks
    ([(2, 0), (s**2, 2*s)], (Kink(at=1, value=2, slope=0),))
    """
    whole = opened(expr)
    if whole.has(UNSTATED):
        raise UndecidedError("a kink has no policy")
    if whole.has(sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Heaviside, sympy.Piecewise, sympy.floor):
        raise UndecidedError("it has a kink without a policy: write it with sd.switch")
    slope = opened(whole.diff(s))
    places = _places(whole, s)
    ends = [-sympy.oo, *places, sympy.oo]
    made = []
    for low, high in pairwise(ends):
        inside = _inside(low, high)
        value = _resolved(whole, s, inside)
        made.append(Piece(low, high, value, opened(value.diff(s))))
    kinks = tuple(Kink(c, sympy.simplify(whole.subs(s, c)), sympy.simplify(slope.subs(s, c))) for c in places)
    return Pieces(tuple(made), kinks)


def _places(expr: sympy.Expr, s: sympy.Symbol) -> list[sympy.Expr]:
    places: set[sympy.Expr] = set()
    for switch in expr.atoms(Switch):
        where = switch.args[0]
        if where.has(Switch) or not where.is_polynomial(s) or sympy.degree(where, s) > 2:
            raise UndecidedError(f"the zeros of {where}, where a switch turns, can't be written down")
        places |= {z for z in sympy.roots(where, s) if z.is_real}
    return sorted(places, key=lambda z: float(z.evalf(30)))


def _inside(low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    if low.is_infinite:
        return high - 1 if high.is_finite else sympy.S.Zero
    return low + 1 if high.is_infinite else (low + high) / 2


def _resolved(expr: sympy.Expr, s: sympy.Symbol, at: sympy.Expr) -> sympy.Expr:
    """Each switch as the side on which the number lies."""
    while switches := expr.atoms(Switch):
        expr = expr.xreplace({w: w.args[2] if w.args[0].subs(s, at).is_positive else w.args[1] for w in switches})
    return expr
