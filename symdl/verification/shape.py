"""The shape of a function in pieces: where it turns, what it reaches, how steep it is, what it leaves where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import sympy

from symdl.verification.balls import evaluate
from symdl.verification.limits import limit_at
from symdl.verification.pieces import Kink, Piece, Pieces
from symdl.verification.ranges import Span, Value, compare, either, hull, point, union
from symdl.verification.terms import UndecidedError, Work
from symdl.verification.waves import Wave, is_wave
from symdl.verification.zeros import Signs, Zero, sign_at, signs

#: Halvings of the interval around a place before a value there is computed.
CLOSE = 80

Place: TypeAlias = "Zero | sympy.Expr"


@dataclass(frozen=True)
class Turn:
    """A place where the slope changes its sign, or the function jumps against it; with a period, all those after it."""

    at: Value
    rises: bool


@dataclass(frozen=True)
class Arc:
    """One piece with its ends: the limits of the value and of the slope there. None: it oscillates."""

    s: sympy.Symbol
    piece: Piece
    work: Work

    @cached_property
    def ends(self) -> tuple[sympy.Expr | None, sympy.Expr | None]:
        return self._limits(self.piece.value)

    @cached_property
    def slopes(self) -> tuple[sympy.Expr | None, sympy.Expr | None]:
        return self._limits(self.piece.slope)

    @cached_property
    def turning(self) -> Signs | Wave:
        """The signs of the slope."""
        return self.signs_of(self.piece.slope)

    @cached_property
    def bending(self) -> Signs | Wave:
        """The signs of the slope's slope."""
        return self.signs_of(sympy.diff(self.piece.slope, self.s))

    def signs_of(self, expr: sympy.Expr) -> Signs | Wave:
        """Zeros and signs within the piece; 0 everywhere has no zero and the sign 0."""
        if self.vanishes(expr):
            return Signs((), (0,))
        if is_wave(expr, self.s):
            if not (self.piece.low.is_infinite and self.piece.high.is_infinite):
                raise UndecidedError("a wave between kinks")
            return Wave.of(expr, self.s)
        return signs(expr, self.s, self.piece.low, self.piece.high, self.work)

    def vanishes(self, expr: sympy.Expr) -> bool:
        """Whether it is 0 everywhere; one value that is not 0 answers it."""
        low, high = (None if e.is_infinite else e for e in (self.piece.low, self.piece.high))
        at = (low + high) / 2 if low is not None and high is not None else (low or 0) + 1 if high is None else high - 1
        return sign_at(expr, self.s, sympy.sympify(at, strict=True)) == 0 and sympy.simplify(expr) == 0

    def _limits(self, expr: sympy.Expr) -> tuple[sympy.Expr | None, sympy.Expr | None]:
        low = limit_at(expr, self.s, self.piece.low, 1)
        return low, limit_at(expr, self.s, self.piece.high, -1)


@dataclass(frozen=True)
class Curve:
    """A function of s in pieces.

    >>> from symdl.verification.pieces import pieces_of
    >>> s = sympy.Symbol("s", real=True)
    >>> curve = Curve.of(pieces_of(sympy.tanh(s), s), s, Work())
    >>> print(*range_of(curve), lipschitz(curve), *fixed_points(curve)[0])
    (−1, 1) 1 {0}
    """

    s: sympy.Symbol
    arcs: tuple[Arc, ...]
    kinks: tuple[Kink, ...]

    @classmethod
    def of(cls, pieces: Pieces, s: sympy.Symbol, work: Work) -> Curve:
        return cls(s, tuple(Arc(s, p, work) for p in pieces.pieces), pieces.kinks)

    @property
    def jumps(self) -> Iterator[tuple[Kink, sympy.Expr, sympy.Expr]]:
        """Kinks at which it jumps, with the limits on both sides."""
        for kink, (left, right) in zip(self.kinks, pairwise(self.arcs), strict=True):
            before, after = left.ends[1], right.ends[0]
            if before is None or after is None:
                raise UndecidedError(f"it oscillates at {kink.at}")
            if any(compare(Value(v), Value(kink.value)) for v in (before, after)):
                yield kink, before, after


def value_at(expr: sympy.Expr, s: sympy.Symbol, place: Place) -> Value:
    """The value at a number, or at the zero of a function."""
    if isinstance(place, Zero):
        if place.exact is None:
            place.halve(s, CLOSE)
        if place.exact is None:
            return Value(None, evaluate(expr, {s: place.ball()}))
        place = place.exact
    return Value(sympy.simplify(expr.subs(s, place)))


def place_value(place: Place, s: sympy.Symbol) -> Value:
    return value_at(s, s, place)


def range_of(curve: Curve) -> tuple[Span, ...]:
    """Every value that it has, as intervals that do not touch."""
    images = [_image(arc) for arc in curve.arcs]
    return union([*images, *(point(Value(k.value)) for k in curve.kinks)])


def _image(arc: Arc) -> Span:
    if arc.turning == Signs((), (0,)):
        return point(Value(sympy.simplify(arc.piece.value)))
    reached = [(value_at(arc.piece.value, arc.s, z), True) for z in arc.turning.zeros]
    if isinstance(arc.turning, Wave) and not is_wave(arc.piece.value, arc.s):
        reached = []
        if arc.turning.turns:
            raise UndecidedError("it turns without end")
    ends = [(Value(v), False) for v in arc.ends if v is not None]
    if len(ends) < 2 and not reached:
        raise UndecidedError("it has no limit")
    return hull([*ends, *reached])


def turns_of(curve: Curve) -> tuple[tuple[Turn, ...], set[int], sympy.Expr | None]:
    """Where it turns, the signs that its slope has, and the period in which the turns come again."""
    steps: list[tuple[int, Place | None]] = []
    period = None
    jumps = {kink.at: (kink, before, after) for kink, before, after in curve.jumps}
    for number, arc in enumerate(curve.arcs):
        found = arc.turning
        if isinstance(found, Wave):
            period = found.period if found.turns else None
            steps += [(found.sign, None), *((sign, at) for at, sign in found.turns)]
        else:
            start = None if number == 0 else curve.kinks[number - 1].at
            marks: list[Place | None] = [start, *found.zeros]
            steps += zip(found.signs, marks, strict=True)
        if number < len(curve.kinks) and (jump := jumps.get(curve.kinks[number].at)):
            kink, before, after = jump
            levels = [Value(v) for v in (before, kink.value, after)]
            steps += [(compare(b, a), kink.at) for a, b in pairwise(levels)]
    turns: list[Turn] = []
    last = 0
    for sign, at in steps:
        if sign and last and sign != last and at is not None:
            turns.append(Turn(place_value(at, curve.s), sign > 0))
        last = sign or last
    return tuple(turns), {sign for sign, _ in steps}, period


def lipschitz(curve: Curve) -> Value | None:
    """The least upper bound of the slope's size; None where there is none."""
    if any(True for _ in curve.jumps):
        return None
    best = Value(sympy.S.Zero)
    for value in (v for arc in curve.arcs for v in _steepest(arc)):
        size = _size(value)
        if size.infinite:
            return None
        if both := either(size, best):
            best = both
            continue
        best = size if compare(size, best) > 0 else best
    return best


def _steepest(arc: Arc) -> Iterator[Value]:
    ends = [Value(v) for v in arc.slopes if v is not None]
    inner = [value_at(arc.piece.slope, arc.s, z) for z in arc.bending.zeros]
    if isinstance(arc.bending, Wave) and not is_wave(arc.piece.slope, arc.s):
        raise UndecidedError("the slope oscillates and grows")
    if len(ends) < 2 and not inner:
        raise UndecidedError("the slope has no limit")
    yield from (*ends, *inner)


def _size(value: Value) -> Value:
    if value.exact is None:
        return Value(None, abs(value.ball()))
    return value if float(value) >= 0 else Value(sympy.simplify(-value.exact))


def fixed_points(curve: Curve) -> tuple[tuple[Span, ...], sympy.Expr | None]:
    """Where a(s) = s, and the period after which these places come again."""
    found: list[Span] = [point(Value(k.at)) for k in curve.kinks if not compare(Value(k.value), Value(k.at))]
    period = None
    for arc in curve.arcs:
        signs_there = arc.signs_of(arc.piece.value - arc.s)
        if signs_there == Signs((), (0,)):
            found.append(Span(Value(arc.piece.low), Value(arc.piece.high), False, False))
        period = signs_there.period if isinstance(signs_there, Wave) and signs_there.zeros else period
        found += [point(place_value(z, arc.s)) for z in signs_there.zeros]
    return union(found), period


def limits_of(curve: Curve, *, slope: bool) -> tuple[Value | None, Value | None]:
    """At −∞ and at ∞, of the value or of the slope; None where it oscillates."""
    first, last = (a.slopes if slope else a.ends for a in (curve.arcs[0], curve.arcs[-1]))
    return tuple(None if v is None else Value(v) for v in (first[0], last[1]))  # type: ignore[return-value]
