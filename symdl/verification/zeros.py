"""Every zero of an elementary function of one number, and its sign between them, proved for a whole interval.

Rolle's theorem does it, without a grid: between two zeros of h′ the function h is strictly monotone, so that its signs
at both ends tell whether it has a zero there. A sum of polynomials times exponentials is divided by one of its
exponentials, which changes no sign, and differentiated, which lowers the degree of a polynomial; when all of them are
gone the signs are known. Signs at points come from balls, those at ±∞ from the term that outgrows the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import sympy
from flint import arb, fmpq

from symdl.core.deadlines import now
from symdl.errors import SymdlError
from symdl.verification.balls import evaluate
from symdl.verification.limits import limit_at
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.terms import UndecidedError, Work, factors, leading, root_norm, without_one
from symdl.verification.waves import Wave, is_wave

#: Halvings of an interval around a zero to begin with, and the most that are tried.
FIRST, LAST = 40, 400
#: Derivatives in a row.
DEEPEST = 60


@dataclass
class Zero:
    """A zero: exact where it has a name, else between `low` and `high`, where `function` changes its sign.

    `crosses` is False where the function only touches 0.
    """

    exact: sympy.Expr | None
    low: fmpq
    high: fmpq
    function: sympy.Expr = sympy.S.Zero
    below: int = 0
    crosses: bool = True

    def ball(self, bits: int = FIRST) -> arb:
        """A ball around it of about 2^−bits."""
        if self.exact is not None:
            return evaluate(self.exact, {}, precision=max(bits + 64, 128))
        return _around(self.low, self.high)

    def halve(self, s: sympy.Symbol, times: int) -> None:
        """Come closer: the half in which the sign changes."""
        for _ in range(times if self.exact is None else 0):
            middle = (self.low + self.high) / 2
            sign = sign_at(self.function, s, middle)
            if sign == 0:
                self.exact = sympy.Rational(int(middle.p), int(middle.q))
                self.low = self.high = middle
                return
            self.low, self.high = (middle, self.high) if sign == self.below else (self.low, middle)


@dataclass(frozen=True)
class Signs:
    """Zeros in order, and the sign in each of the intervals between and beside them: one more than there are zeros."""

    zeros: tuple[Zero, ...]
    signs: tuple[int, ...]


#: An end of an interval: a number, ±∞, or a zero.
End: TypeAlias = "sympy.Expr | Zero"


def signs(expr: sympy.Expr, s: sympy.Symbol, low: sympy.Expr, high: sympy.Expr, work: Work) -> Signs:
    """The zeros of `expr` in the open interval low < s < high, all of them, and its signs.

    Args:
        expr: smooth there; no kinks.
        low, high: numbers, or ±∞.
        work: when to stop.

    Raises:
        UndecidedError: no proof was found.

    >>> s = sympy.Symbol("s", real=True)
    >>> found = signs(sympy.exp(s) - 1 - s, s, -sympy.oo, sympy.oo, Work())
    >>> [z.exact for z in found.zeros], found.signs
    ([0], (1, 1))
    """
    work.deeper()
    try:
        if now() > work.deadline or work.depth > DEEPEST:
            raise UndecidedError("too many derivatives are needed")
        found: list[Zero] = []
        for factor, odd, below in factors(expr, s):
            zeros = _zeros(factor, s, low, high, work)
            if below and zeros:
                raise UndecidedError(f"{factor} in a denominator has a zero")
            found += [replace(z, crosses=z.crosses and odd) for z in zeros]
        marks = _ordered(found, s)
        row = [sign_at(expr, s, _between(low, marks[0] if marks else high))]
        if row == [0]:
            raise UndecidedError(f"{expr} is 0 where it has no zero")
        for mark in marks:
            row.append(-row[-1] if mark.crosses else row[-1])
        return Signs(tuple(marks), tuple(row))
    except SymdlError as error:
        if isinstance(error, UndecidedError):
            raise
        raise UndecidedError(str(error)) from error
    except sympy.PolynomialError as error:
        raise UndecidedError(f"no polynomial: {error}") from error
    finally:
        work.depth -= 1


def sign_at(expr: sympy.Expr, s: sympy.Symbol, at: sympy.Expr | fmpq | Zero) -> int:
    """The sign at a number; 0 only where that is certain."""
    if isinstance(at, Zero) and at.exact is None:
        done = 0
        while done < LAST:
            try:
                ball = evaluate(expr, {s: at.ball()})
                if not ball.contains(0):
                    return 1 if ball > 0 else -1
            except UnclearError:
                pass
            at.halve(s, 20)
            if at.exact is not None:
                return sign_at(expr, s, at.exact)
            done += 20
        raise UndecidedError("a sign is unclear at a zero of the derivative")
    number = at.exact if isinstance(at, Zero) else at
    exact = number if not isinstance(number, fmpq) else sympy.Rational(int(number.p), int(number.q))
    for bits in (128, 512, 4096):
        try:
            ball = evaluate(expr, {s: evaluate(exact, {}, precision=bits)}, precision=bits)
        except UnclearError:
            continue
        if ball.is_zero():
            return 0
        if not ball.contains(0):
            return 1 if ball > 0 else -1
        if bits == 512 and sympy.simplify(expr.subs(s, exact)) == 0:
            return 0
    raise UndecidedError(f"the sign of {expr} at {exact} is unclear")


def _zeros(factor: sympy.Expr, s: sympy.Symbol, low: sympy.Expr, high: sympy.Expr, work: Work) -> list[Zero]:
    """Those of a factor that is no product."""
    if not factor.has(s):
        return []
    plain = _named(factor, s)
    if plain is not None:
        inside = [z for z in plain if _is_between(z, low, high)]
        return [Zero(z, *_bracket(z)) for z in sorted(inside, key=lambda z: float(z.evalf()))]
    norm = root_norm(factor, s)
    if norm is not None:
        candidates = signs(norm, s, low, high, work).zeros if norm.has(s) else ()
        return _of_root(factor, s, candidates, low, high)
    function = without_one(factor, s)
    falls = _slope_signs(sympy.diff(function, s), s, low, high, work)
    ends: list[End] = [low, *falls.zeros, high]
    at_ends = [_sign_near(function, s, low, falls.signs[0], 1), *(sign_at(function, s, z) for z in falls.zeros)]
    at_ends.append(_sign_near(function, s, high, falls.signs[-1], -1))
    made: list[Zero] = []
    for (a, b), (left, right) in zip(pairwise(ends), pairwise(at_ends), strict=True):
        if isinstance(a, Zero) and left == 0:
            at = falls.zeros.index(a)
            made.append(replace(a, crosses=falls.signs[at] == falls.signs[at + 1]))
        if left * right < 0:
            made.append(_enclosed(function, s, a, b, left))
    return made


def _of_root(
    factor: sympy.Expr, s: sympy.Symbol, candidates: Sequence[Zero], low: sympy.Expr, high: sympy.Expr
) -> list[Zero]:
    """Those candidates at which a sum with a square root is 0; between them it keeps its sign."""
    row: list[End] = [low, *candidates, high]
    made = []
    for before, zero, after in zip(row, candidates, row[2:], strict=False):
        if sign_at(factor, s, zero) == 0:
            sides = [sign_at(factor, s, _between(a, b)) for a, b in ((before, zero), (zero, after))]
            made.append(replace(zero, crosses=sides[0] != sides[1]))
    return made


def _slope_signs(slope: sympy.Expr, s: sympy.Symbol, low: sympy.Expr, high: sympy.Expr, work: Work) -> Signs:
    """The signs of a slope; a wave that only touches 0 leaves its function strictly monotone."""
    if is_wave(slope, s):
        wave = Wave.of(slope, s)
        if wave.turns:
            raise UndecidedError(f"{slope} changes its sign without end")
        return Signs((), (wave.sign,))
    return signs(slope, s, low, high, work)


def _named(factor: sympy.Expr, s: sympy.Symbol) -> list[sympy.Expr] | None:
    """The real zeros of a polynomial where they can be written down."""
    if not factor.is_polynomial(s):
        return None
    poly = sympy.Poly(factor, s)
    if poly.degree() == 1:
        a, b = poly.all_coeffs()
        return [sympy.simplify(-b / a)]
    if poly.degree() == 2 and all(c.is_Rational for c in poly.all_coeffs()):
        return list(sympy.real_roots(poly))
    return None


def _sign_near(function: sympy.Expr, s: sympy.Symbol, end: sympy.Expr, rising: int, side: int) -> int:
    """The sign next to an end of the interval, from above (1) or below (−1), where the slope has the sign `rising`."""
    if end.is_finite:
        try:
            return sign_at(function, s, end)
        except UndefinedError:  # a pole of a logarithm, or 0·log 0
            pass
    elif (known := leading(function, s, end)) is not None:
        return known
    limit = limit_at(function, s, end, side)
    if limit is None:
        raise UndecidedError(f"{function} has no limit at {end}")
    if limit.is_zero:  # it comes to 0 from below where it rises
        return side * rising
    if limit.is_infinite:
        return 1 if limit is sympy.oo else -1
    return sign_at(limit, s, sympy.S.Zero)


def _enclosed(function: sympy.Expr, s: sympy.Symbol, a: End, b: End, below: int) -> Zero:
    """The one zero between two ends, where the sign is `below` on the left."""
    for guess in (sympy.S.Zero, sympy.S.One, sympy.S.NegativeOne):
        if _surely_between(guess, a, b) and sign_at(function, s, guess) == 0:
            return Zero(guess, *_bracket(guess))
    low, high = _finite(function, s, a, b, below)
    if sign_at(function, s, low) != below or sign_at(function, s, high) != -below:
        raise UndecidedError(f"no rational numbers with the signs of {function} at the ends of an interval")
    zero = Zero(None, low, high, function, below)
    zero.halve(s, FIRST)
    return zero


def _surely_between(guess: sympy.Expr, a: End, b: End) -> bool:
    try:
        return _is_between(guess, a, b)
    except UndecidedError:
        return False


def _finite(function: sympy.Expr, s: sympy.Symbol, a: End, b: End, below: int) -> tuple[fmpq, fmpq]:
    """Rational ends with the signs of both ends."""
    left, right = _outer(a, -1), _outer(b, 1)
    low = left if left is not None else (min(right, fmpq(0)) if right is not None else fmpq(0)) - 1
    high = right if right is not None else (max(left, fmpq(0)) if left is not None else fmpq(0)) + 1
    if left is None:
        while sign_at(function, s, low) != below:
            low *= 2
    if right is None:
        while sign_at(function, s, high) != -below:
            high *= 2
    width = high - low
    return _within(function, s, low, width, below), _within(function, s, high, -width, -below)


def _within(function: sympy.Expr, s: sympy.Symbol, end: fmpq, width: fmpq, sign: int) -> fmpq:
    """The end, or where the function has no value there a number so near to it that it has the sign of its limit."""
    try:
        sign_at(function, s, end)
        return end
    except UndefinedError:
        for k in range(1, LAST):
            near: fmpq = end + width / 2**k
            if sign_at(function, s, near) == sign:
                return near
        raise UndecidedError(f"{function} has another sign next to {end} than its limit") from None


def _outer(end: End, side: int) -> fmpq | None:
    """A rational number at an end; None for ±∞. Beside a zero of the slope the sign is that at the zero."""
    if isinstance(end, Zero):
        return end.high if side < 0 else end.low
    return None if end.is_infinite else _bracket(end)[side < 0]


def _bracket(exact: sympy.Expr) -> tuple[fmpq, fmpq]:
    """Rational numbers around an exact one."""
    if exact.is_Rational:
        number = fmpq(int(exact.p), int(exact.q))
        return number, number
    ball = evaluate(exact, {}, precision=128)
    return _rational(ball.lower()), _rational(ball.upper())


def _rational(ball: arb) -> fmpq:
    mantissa, exponent = ball.mid().man_exp()
    return fmpq(mantissa) * (fmpq(2) ** int(exponent))


def _around(low: fmpq, high: fmpq) -> arb:
    return arb(low).union(arb(high))


def _is_between(number: sympy.Expr, a: End, b: End) -> bool:
    return _below(a, number) and _below(number, b)


def _below(a: End, b: End) -> bool:
    """a < b.

    Raises:
        UndecidedError: two numbers are too close to tell apart.
    """
    if a == b or a is sympy.oo or b is -sympy.oo:
        return False
    if a is -sympy.oo or b is sympy.oo:
        return True
    first, second = _span(a), _span(b)
    if _apart(first, second):
        return True
    if _apart(second, first):
        return False
    raise UndecidedError("two numbers are too close to tell apart")


def _span(end: End) -> tuple[fmpq, fmpq]:
    return (end.low, end.high) if isinstance(end, Zero) else _bracket(end)


def _apart(a: tuple[fmpq, fmpq], b: tuple[fmpq, fmpq]) -> bool:
    """Whether what lies inside a is below what lies inside b; a zero that has no name is at neither end of its own."""
    return bool(a[1] < b[0] or (a[1] == b[0] and (a[0] < a[1] or b[0] < b[1])))


def _ordered(zeros: list[Zero], s: sympy.Symbol) -> list[Zero]:
    """In order, each once; zeros of different factors are the same only where both are exact."""
    made: list[Zero] = []
    for b in sorted(zeros, key=lambda z: float(z.low + z.high)):
        a = made[-1] if made else None
        if a is not None and a.exact is not None and a.exact == b.exact:
            made[-1] = replace(a, crosses=a.crosses != b.crosses)
            continue
        for _ in range(10):
            if a is None:
                break
            if _apart(_span(a), _span(b)):
                break
            a.halve(s, 20)
            b.halve(s, 20)
        else:
            raise UndecidedError("two zeros are too close to tell apart")
        made.append(b)
    return made


def _between(low: End, high: End) -> fmpq:
    """A rational number strictly between an end and the next zero, or the other end."""
    left, right = _outer(low, -1), _outer(high, 1)
    if left is None:
        return (right if right is not None else fmpq(1)) - 1
    if right is None:
        return left + 1
    if not left < right:
        raise UndecidedError("two zeros are too close to tell apart")
    return (left + right) / 2
