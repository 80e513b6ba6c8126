"""Plots of a function of one number and of its slope, in pieces between its kinks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import sympy

from symdl.rendering.labels import Label
from symdl.rendering.plot import Line, Point
from symdl.verification.pieces import pieces_of
from symdl.verification.shape import Arc, Curve
from symdl.verification.terms import Work
from symdl.verification.truth import opened

S = sympy.Symbol("s", real=True)
#: The window of the plots.
LEFT, RIGHT, HIGHEST = -5, 5, 4
#: Points of a curve that bends.
POINTS = 160
#: How far from a pole a curve ends.
ASIDE = 0.02


def curve_lines(
    expr: sympy.Expr, name: str, budget: float, variable: str = "", ends: tuple[Any, Any] = (-sympy.oo, sympy.oo)
) -> tuple[list[Line], int]:
    """The curves of a function of s, between two ends, and of its slope, and how high they are to be seen."""
    curve = Curve.of(pieces_of(expr, S, *ends), S, Work(budget))
    value = Line(label(name, "", variable), "forward", _runs(curve, "value"), tuple(_dots(curve, slope=False)))
    slope = Line(label(name, "′", variable), "backward", _runs(curve, "slope"), tuple(_dots(curve, slope=True)))
    return [slope, value], _highest(curve)


def _runs(curve: Curve, part: str) -> tuple[tuple[Point, ...], ...]:
    return tuple(_run(arc, getattr(arc.piece, part), _right(curve)) for arc in curve.arcs)


def _right(curve: Curve) -> float:
    """As far as the last kink is seen."""
    return max([RIGHT, *(float(k.at) + 1 for k in curve.kinks)])


def _highest(curve: Curve) -> int:
    return max([HIGHEST, *(math.ceil(float(k.value)) + 1 for k in curve.kinks)])


def _run(arc: Arc, expr: Any, right: float) -> tuple[Point, ...]:
    """Points of a piece; two where it is straight. Ends are as near as a limit."""
    low, high = max(float(arc.piece.low) + _aside(arc, 0), LEFT), min(float(arc.piece.high) - _aside(arc, -1), right)
    count = 1 if arc.vanishes(opened(expr.diff(S, 2))) else max(2, round(POINTS * (high - low) / (RIGHT - LEFT)))
    function = sympy.lambdify(S, expr, "math")
    xs = [low + (high - low) * k / count for k in range(count + 1)]
    return tuple((x, float(function(x))) for x in xs)


def _aside(arc: Arc, end: int) -> float:
    """How far from an end a curve is drawn: not up to a pole."""
    place, sides = (arc.piece.low, arc.piece.high)[end], (arc.ends[end], arc.slopes[end])
    return ASIDE if place.is_finite and any(v is not None and v.is_infinite for v in sides) else 0.0


def _dots(curve: Curve, *, slope: bool) -> Iterator[tuple[float, float, bool]]:
    """At a jump: the value that the policy gives, closed; the limits that it is not, open."""
    for kink, left, right in zip(curve.kinks, curve.arcs, curve.arcs[1:], strict=False):
        before, after = (left.slopes[1], right.slopes[0]) if slope else (left.ends[1], right.ends[0])
        value = kink.slope if slope else kink.value
        if before == after == value:
            continue
        sides = [v for v in dict.fromkeys((before, after)) if v is not None and v != value]
        yield from ((float(kink.at), float(v), False) for v in sides)
        yield float(kink.at), float(value), True


def label(name: str, prime: str, variable: str = "") -> Label:
    """The name of a curve."""
    of = (("(", "", False), (variable, "", True), (")", "", False)) if variable else ()
    spans = ((name, "", True), (prime, "", False), *of)
    return Label(f"{name}{chr(39) if prime else ''}{f'({variable})' if of else ''}", tuple(s for s in spans if s[0]))
