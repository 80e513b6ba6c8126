"""Numbers that are exact or enclosed, and sets of intervals with open and closed ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import sympy
from flint import arb

from symdl.verification.balls import evaluate
from symdl.verification.terms import UndecidedError

#: Digits that are shown of a number that has no name.
DIGITS = 12
#: A ball is narrower than this where its middle may be told, and then with so many digits at most.
SHARP, FEW = 1e-15, 6


@dataclass(frozen=True)
class Value:
    """A real number or ±∞: exact, or a certified enclosure.

    >>> print(Value(sympy.Rational(1, 4)), Value(sympy.sqrt(2)), Value(None, arb(2).sqrt()))
    1/4 sqrt(2) = 1.41421356237… 1.41421356237…
    """

    exact: sympy.Expr | None
    enclosure: arb | None = None

    @property
    def infinite(self) -> bool:
        return self.exact is not None and bool(self.exact.is_infinite)

    def ball(self, bits: int = 256) -> arb:
        """A ball that holds the number.

        Raises:
            UndecidedError: it is infinite.
        """
        if self.enclosure is not None:
            return self.enclosure
        if self.exact is None or self.infinite:
            raise UndecidedError("an infinite number has no ball")
        return evaluate(self.exact, {}, precision=bits)

    @property
    def digits(self) -> str:
        """Digits of the number that are certain, cut off and not rounded."""
        return _cut(self.ball()) if not self.infinite else str(self)

    def __float__(self) -> float:
        return float(self.exact or 0) if self.infinite else float(self.ball().mid())

    def __str__(self) -> str:
        if self.exact is None:
            return self.digits
        if self.infinite:
            return "∞" if self.exact is sympy.oo else "−∞"
        name = str(self.exact).replace("-", "−")
        if self.exact.is_Rational and self.exact.q < 10**6:
            return name
        return self.digits if _long(self.exact) else f"{name} = {self.digits}"


def _long(exact: sympy.Expr) -> bool:
    return bool(exact.is_Rational) or sympy.count_ops(exact) > 20


def _cut(ball: arb) -> str:
    """The first digits, all of them certain; fewer where the ball is wide.

    >>> _cut(arb(-2).exp()), _cut(arb(3) / 4), _cut(arb(-1200))
    ('0.135335283236…', '0.75', '−1200')
    """
    size = abs(ball)
    if ball.rad() < SHARP and (near := _nearest(ball)) is not None:
        return f"≈ {near}"
    whole = len(str(int(float(size.mid())))) if size > 1 else 0
    for places in range(max(DIGITS - whole, 0), -1, -1):
        scaled = size * arb(10) ** places
        digits = scaled.floor().unique_fmpz()
        if digits is not None:
            text = str(digits).rjust(places + 1, "0")
            before, after = text[: len(text) - places], text[len(text) - places :]
            exact = scaled.is_integer()
            after = after.rstrip("0") if exact else after
            sign = "−" if ball < 0 else ""
            return f"{sign}{before}{'.' if after else ''}{after}{'' if exact else '…'}"
    raise UndecidedError("a number is not known to its first digit")


def _nearest(ball: arb) -> str | None:
    """A number of few digits that a narrow ball holds: which of its sides the value is on is not known.

    >>> _nearest(arb("0.25", 1e-30))
    '0.25'
    """
    scaled = (ball * arb(10) ** FEW).unique_fmpz()
    if scaled is None or (ball * arb(10) ** DIGITS).floor().unique_fmpz() is not None:
        return None
    return str(Decimal(int(scaled)).scaleb(-FEW).normalize()).replace("-", "−")


def compare(a: Value, b: Value) -> int:
    """−1, 0 or 1 as a < b, a = b, a > b.

    Raises:
        UndecidedError: they are too close to tell apart.
    """
    if a.infinite or b.infinite:
        first, second = float(a), float(b)
        return (first > second) - (first < second)
    if a.exact is not None and a.exact == b.exact:
        return 0
    difference = a.ball() - b.ball()
    if not difference.contains(0):
        return 1 if difference > 0 else -1
    if a.exact is not None and b.exact is not None and sympy.simplify(a.exact - b.exact) == 0:
        return 0
    if a.exact is None and b.exact is None and a.enclosure is b.enclosure:
        return 0
    raise UndecidedError("two numbers are too close to tell apart")


def either(a: Value, b: Value) -> Value | None:
    """An enclosure of both, for two enclosures that overlap (as at places that mirror each other); else None.

    >>> third = arb(1) / 3
    >>> print(either(Value(None, third), Value(None, third)), either(Value(None, third), Value(None, arb(1))))
    0.333333333333… None
    """
    if a.enclosure is None or b.enclosure is None or not a.enclosure.overlaps(b.enclosure):
        return None
    return Value(None, a.enclosure.union(b.enclosure))


@dataclass(frozen=True)
class Span:
    """An interval; an end that is closed belongs to it. A single number has both ends closed.

    >>> print(Span(Value(sympy.S.Zero), Value(sympy.oo), True, False))
    [0, ∞)
    """

    low: Value
    high: Value
    low_closed: bool
    high_closed: bool

    @property
    def single(self) -> bool:
        return self.low_closed and self.high_closed and compare(self.low, self.high) == 0

    def __str__(self) -> str:
        if self.single:
            return f"{{{self.low}}}"
        return f"{'[' if self.low_closed else '('}{self.low}, {self.high}{']' if self.high_closed else ')'}"


def point(value: Value) -> Span:
    return Span(value, value, True, True)


def hull(values: Iterable[tuple[Value, bool]]) -> Span:
    """The interval of a continuous function from what it reaches (True) and comes near (False)."""
    found = list(values)
    low, low_closed = found[0]
    high, high_closed = found[0]
    for value, reached in found[1:]:
        if reached == low_closed and (both := either(value, low)):
            low = both
        elif (below := compare(value, low)) <= 0:
            low, low_closed = value, reached or (below == 0 and low_closed)
        if reached == high_closed and (both := either(value, high)):
            high = both
        elif (above := compare(value, high)) >= 0:
            high, high_closed = value, reached or (above == 0 and high_closed)
    return Span(low, high, low_closed, high_closed)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same set as intervals that do not touch, in order.

    >>> zero, one = Value(sympy.S.Zero), Value(sympy.S.One)
    >>> print(*union([Span(zero, one, False, False), point(zero), point(Value(sympy.Integer(2)))]))
    [0, 1) {2}
    """
    left = list(spans)
    made: list[Span] = []
    while left:
        first = left[0]
        for other in left[1:]:
            order = compare(other.low, first.low)
            if order < 0 or (order == 0 and other.low_closed and not first.low_closed):
                first = other
        left.remove(first)
        if made and _touch(made[-1], first):
            made[-1] = hull(
                (v, c) for x in (made[-1], first) for v, c in ((x.low, x.low_closed), (x.high, x.high_closed))
            )
        else:
            made.append(first)
    return tuple(made)


def _touch(a: Span, b: Span) -> bool:
    order = compare(b.low, a.high)
    return order < 0 or (order == 0 and (a.high_closed or b.low_closed))
