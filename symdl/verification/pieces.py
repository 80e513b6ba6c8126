"""A function with kinks as smooth pieces between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy

from symdl.core.functions import UNSTATED, Switch
from symdl.verification.terms import UndecidedError
from symdl.verification.truth import opened

#: More square roots in a condition are not done away with.
MOST_ROOTS = 3
#: More ways through switches within a switch are not looked at.
MOST = 64


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


def pieces_of(expr: sympy.Expr, s: sympy.Symbol, low: sympy.Expr = -sympy.oo, high: sympy.Expr = sympy.oo) -> Pieces:
    """Split an expression at the places between `low` and `high` where one of its switches turns.

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
    places = [p for p in _places(whole, s) if (p - low).is_extended_positive and (high - p).is_extended_positive]
    made = []
    for start, end in pairwise([low, *places, high]):
        value = _resolved(whole, s, _inside(start, end))
        made.append(Piece(start, end, value, opened(value.diff(s))))
    kinks = tuple(Kink(c, sympy.simplify(whole.subs(s, c)), sympy.simplify(slope.subs(s, c))) for c in places)
    return Pieces(tuple(made), kinks)


def _places(expr: sympy.Expr, s: sympy.Symbol) -> list[sympy.Expr]:
    places: set[sympy.Expr] = set()
    for switch in expr.atoms(Switch):
        for where in map(_without_roots, _sides(switch.args[0])):
            if not where.is_polynomial(s) or sympy.degree(where, s) > 2:
                raise UndecidedError(f"the zeros of {where}, where a switch turns, can't be written down")
            places |= {z for z in sympy.roots(where, s) if z.is_real} if where.has(s) else set()
    return sorted(places, key=lambda z: float(z.evalf(30)))


def _sides(where: sympy.Expr) -> set[sympy.Expr]:
    """A condition with each switch in it on either side: its zeros are among theirs.

    Raises:
        UndecidedError: there are too many.
    """
    found, open_ones = set[sympy.Expr](), [where]
    while open_ones:
        expr = open_ones.pop()
        inner = next((w for w in expr.atoms(Switch) if not w.args[0].has(Switch)), None)
        if inner is None:
            found.add(expr)
        else:
            open_ones += [expr.xreplace({inner: side}) for side in inner.args[1:3]]
        if len(found) + len(open_ones) > MOST:
            raise UndecidedError("switches within switches")
    return found


def _without_roots(where: sympy.Expr) -> sympy.Expr:
    """A polynomial that is 0 wherever an expression with square roots is: its product with its conjugates.

    >>> s = sympy.Symbol("s", real=True)
    >>> _without_roots(sympy.sqrt(s**2 + 1) - 3)
    8 - s**2
    """
    roots = {p for p in where.atoms(sympy.Pow) if p.exp == sympy.S.Half and p.free_symbols}
    if len(roots) > MOST_ROOTS:
        return where
    known = {p: sympy.Dummy("r") for p in roots}
    where = where.xreplace(known)
    for root, r in known.items():
        product = sympy.Poly(sympy.expand(where * where.xreplace({r: -r})), r)  # even in r
        where = sum((c * root.base ** (k // 2) for (k,), c in product.terms()), sympy.S.Zero)
    return sympy.expand(where) if known else where


def _inside(low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    if low.is_infinite:
        return high - 1 if high.is_finite else sympy.S.Zero
    return low + 1 if high.is_infinite else (low + high) / 2


def _resolved(expr: sympy.Expr, s: sympy.Symbol, at: sympy.Expr) -> sympy.Expr:
    """Each switch as the side on which the number lies."""
    while switches := expr.atoms(Switch):
        expr = expr.xreplace({w: w.args[2] if w.args[0].subs(s, at).is_positive else w.args[1] for w in switches})
    return expr
