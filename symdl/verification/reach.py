"""Which values an expression in one number takes, proved for all of an interval, and what follows for its bounds."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.errors import SymdlError
from symdl.verification.pieces import pieces_of
from symdl.verification.ranges import Span, Value, compare, hull, point
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.shape import Curve, range_of
from symdl.verification.terms import UndecidedError, Work

#: How such proofs are called.
ROLLE = "Rolle's theorem and signs between zeros"
#: Expressions with more nodes than this are left alone: each proof takes some tenths of a second.
LARGEST = 80


def reach(expr: sympy.Expr, s: sympy.Symbol, within: sympy.Interval = sympy.S.Reals, seconds: float = 2.0) -> Span:
    """The smallest interval that holds all values of an expression, with its ends closed where they are taken.

    Args:
        expr: in `s` alone, continuous or not.
        within: the numbers that `s` runs over.
        seconds: of processor time.

    Raises:
        UndecidedError: no proof was found, or the expression is not defined somewhere.

    >>> s = sympy.Symbol("s", real=True)
    >>> print(reach(s * (1 - s), s), reach(s * (1 - s), s, sympy.Interval(1, 2)), reach(sympy.tanh(s), s))
    (−∞, 1/4] [−2, 0] (−1, 1)
    """
    if expr.free_symbols != {s} or sum(1 for _ in sympy.preorder_traversal(expr)) > LARGEST:
        raise UndecidedError("it is long, or hangs on other things than one number")
    low, high = within.start, within.end
    try:
        found = list(range_of(Curve.of(pieces_of(expr, s, low, high), s, Work(seconds))))
    except (SymdlError, UndefinedError, UnclearError) as error:
        raise UndecidedError(str(error)) from error
    for end, is_open in ((low, within.left_open), (high, within.right_open)):
        if not is_open and not end.is_infinite:
            found.append(point(Value(expr.subs(s, end))))
    return hull((v, c) for x in found for v, c in ((x.low, x.low_closed), (x.high, x.high_closed)))


def bounded(low: sympy.Expr, high: sympy.Expr, strict: bool, s: sympy.Symbol, within: sympy.Interval) -> bool:
    """Whether low ≤ high for every number in an interval, or low < high; False where no proof was found.

    >>> s = sympy.Symbol("s", real=True)
    >>> bounded(1 + s, sympy.exp(s), False, s, sympy.S.Reals), bounded(1 + s, sympy.exp(s), True, s, sympy.S.Reals)
    (True, False)
    """
    try:
        found = reach(high - low, s, within)
        order = compare(found.low, Value(sympy.S.Zero))
    except UndecidedError:
        return False
    return order > 0 or (order == 0 and not (strict and found.low_closed))


def interval(conditions: Iterable[sympy.Basic], s: sympy.Symbol) -> sympy.Interval | None:
    """The numbers that conditions leave, each of them between `s` and a number; None where they are others, or none.

    >>> s = sympy.Symbol("s", real=True)
    >>> interval([s > 0, s <= 3], s), interval([s**2 > 1], s)
    (Interval.Lopen(0, 3), None)
    """
    found: sympy.Set = sympy.S.Reals
    for c in conditions:
        if not isinstance(c, sympy.core.relational.Relational) or s not in c.args:
            return None
        if not all(a == s or a.is_Rational for a in c.args):
            return None
        found = found.intersect(c.as_set())
    return found if isinstance(found, sympy.Interval) else None
