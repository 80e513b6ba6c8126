"""Which way a function bends, where it is least, and how fast its slope changes: what one asks of a loss."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import sympy

from symdl.verification.pieces import pieces_of
from symdl.verification.ranges import Span, Value, compare, either, point, union
from symdl.verification.shape import Arc, Curve, lipschitz, place_value, range_of, value_at
from symdl.verification.terms import UndecidedError
from symdl.verification.waves import Wave
from symdl.verification.zeros import Signs

#: So many places at which the bend changes are told.
TOLD = 4


@dataclass(frozen=True)
class Bend:
    """Convex, concave, straight or neither; and where it changes, in order."""

    word: str
    changes: tuple[Value, ...] = ()

    @property
    def convex(self) -> bool:
        """Whether no chord lies below the function; of a straight line as well."""
        return self.word in ("strictly convex", "convex", "straight")

    def __str__(self) -> str:
        told = ", ".join(map(str, self.changes[:TOLD]))
        return f"{self.word}: its bend changes at {told}" if told else self.word


@dataclass(frozen=True)
class Least:
    """The least value and where it is reached; `value` is None where there is none, with the reason."""

    value: Value | None
    at: tuple[Span, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        return self.why if self.value is None else f"{self.value} at {' ∪ '.join(map(str, self.at))}"


def bend_of(curve: Curve) -> Bend:
    """Which way it bends.

    >>> from symdl.verification.terms import Work
    >>> s = sympy.Symbol("s", real=True)
    >>> [str(bend_of(Curve.of(pieces_of(f, s), s, Work()))) for f in (s**4, sympy.exp(-(s**2)) - 1, -3 * s)]
    ['strictly convex', 'neither: its bend changes at −sqrt(2)/2 = −0.707106781186…, sqrt(2)/2 = 0.707106781186…',
    'straight']
    """
    if any(True for _ in curve.jumps):
        return Bend("neither", tuple(Value(kink.at) for kink, _, _ in curve.jumps))
    steps: list[tuple[int, Value | None]] = []
    for number, arc in enumerate(curve.arcs):
        if number:
            before, after = curve.arcs[number - 1].slopes[1], arc.slopes[0]
            if before is None or after is None:
                raise UndecidedError("its slope oscillates at a kink")
            steps.append((compare(Value(after), Value(before)), Value(curve.kinks[number - 1].at)))
        steps += _steps(arc)
    signs = {sign for sign, _ in steps}
    if {1, -1} <= signs:
        return Bend("neither", tuple(_changes(steps)))
    if not signs - {0}:
        return Bend("straight")
    word = "convex" if 1 in signs else "concave"
    straight = any(_straight(arc) for arc in curve.arcs)
    return Bend(word if straight else f"strictly {word}")


def _straight(arc: Arc) -> bool:
    return arc.bending == Signs((), (0,))


def _steps(arc: Arc) -> list[tuple[int, Value | None]]:
    """The signs of the bend on a piece, each with the place from which it holds."""
    found = arc.bending
    if isinstance(found, Wave):
        return [(found.sign, None), *((sign, Value(at)) for at, sign in found.turns)]
    marks = [None, *(place_value(z, arc.s) for z in found.zeros)]
    return list(zip(found.signs, marks, strict=True))


def _changes(steps: list[tuple[int, Value | None]]) -> list[Value]:
    found, last, start = [], 0, None
    for sign, at in steps:
        start = at if at is not None else start
        if sign and last and sign != last and start is not None and start not in found:
            found.append(start)
        last = sign or last
    return found


def least_of(curve: Curve) -> Least:
    """The least value, and all places where it is reached.

    >>> from symdl.verification.terms import Work
    >>> s = sympy.Symbol("s", real=True)
    >>> print(least_of(Curve.of(pieces_of(sympy.cosh(s) - 1, s), s, Work())))
    0 at {0}
    """
    low = range_of(curve)[0]
    if low.low.infinite:
        return Least(None, why="none: it falls without bound")
    if not low.low_closed:
        return Least(None, why=f"none: it comes near {low.low}")
    reached: list[Span] = []
    near: list[Span] = []
    for value, span in _candidates(curve):
        if value.enclosure is not None and either(value, low.low) is not None:
            near.append(span)
        elif compare(value, low.low) == 0:
            reached.append(span)
    if len(near) > 1:
        raise UndecidedError("which of two places is the lower one")
    return Least(low.low, union([*reached, *near]))


def _candidates(curve: Curve) -> list[tuple[Value, Span]]:
    found = [(Value(k.value), point(Value(k.at))) for k in curve.kinks]
    for arc in curve.arcs:
        if arc.turning == Signs((), (0,)):
            ends = Span(Value(arc.piece.low), Value(arc.piece.high), False, False)
            found.append((Value(sympy.simplify(arc.piece.value)), ends))
        elif isinstance(arc.turning, Wave):
            raise UndecidedError("it is least without end")
        else:
            found += [(value_at(arc.piece.value, arc.s, z), point(place_value(z, arc.s))) for z in arc.turning.zeros]
    return found


def smoothness(curve: Curve) -> Value | None:
    """The least bound of how fast the slope changes, its Lipschitz constant; None where it jumps or has none."""
    for kink, (left, right) in zip(curve.kinks, pairwise(curve.arcs), strict=True):
        sides = (left.slopes[1], right.slopes[0])
        if any(side is None or compare(Value(side), Value(kink.slope)) for side in sides):
            return None
    slopes = [pieces_of(arc.piece.slope, arc.s, arc.piece.low, arc.piece.high) for arc in curve.arcs]
    best = Value(sympy.S.Zero)
    for pieces in slopes:
        size = lipschitz(Curve.of(pieces, curve.s, curve.arcs[0].work))
        if size is None:
            return None
        best = either(size, best) or (size if compare(size, best) > 0 else best)
    return best
