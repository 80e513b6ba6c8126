"""Limits at ±∞ and at ends of intervals, as SymPy finds them and balls confirm."""

from __future__ import annotations

import sympy
from flint import arb

from symdl.verification.balls import evaluate
from symdl.verification.real import UnclearError
from symdl.verification.terms import UndecidedError, exponential, outgrowing

#: Where a function has to be near its limit, and where nearer: powers of 2.
NEAR, FAR = 10, 30
#: The same at a finite end, from which it is 2^−k away.
CLOSE = (20, 50)


def limit_at(expr: sympy.Expr, s: sympy.Symbol, end: sympy.Expr, side: int = 0) -> sympy.Expr | None:
    """The limit, a number or ±∞; None where it oscillates.

    Args:
        side: from above (1) or below (−1), at a finite end.

    Raises:
        UndecidedError: SymPy finds none, or values are not near it.

    >>> s = sympy.Symbol("s", real=True)
    >>> [limit_at(f, s, sympy.oo) for f in (sympy.tanh(s), s * sympy.exp(-s), s - sympy.erf(s), sympy.sin(s))]
    [1, 0, oo, None]
    """
    if not expr.has(s):
        return expr
    if end.is_finite:
        value = sympy.simplify(expr.subs(s, end))
        found = value if value.is_finite and value.is_real else sympy.limit(expr, s, end, "+" if side > 0 else "-")
    else:
        found = _far(expr, s, end)
    if isinstance(found, sympy.AccumBounds):
        return None
    if not (found.is_infinite or (found.is_number and found.is_real)):
        raise UndecidedError(f"the limit at {end} is not known")
    _confirmed(expr, s, end, found, side)
    return sympy.simplify(found)


def _far(expr: sympy.Expr, s: sympy.Symbol, end: sympy.Expr) -> sympy.Expr:
    """That of the terms which outgrow the others; else SymPy's own, of the form with exponentials if need be."""
    known = outgrowing(expr, s, end)
    if known is not None:
        return known
    for form in (expr, exponential(expr)):
        try:
            found = sympy.limit(form, s, end)
        except (NotImplementedError, ValueError, RecursionError):
            continue
        if isinstance(found, sympy.AccumBounds) or found.is_infinite or found.is_number:
            return found
    raise UndecidedError(f"the limit of {expr} at {end} is not known")


def _confirmed(expr: sympy.Expr, s: sympy.Symbol, end: sympy.Expr, limit: sympy.Expr, side: int) -> None:
    """Refuse a limit that values do not come near."""
    sign = 1 if end is sympy.oo else -1
    powers = CLOSE if end.is_finite else (NEAR, FAR)
    places = [end + side * sympy.Rational(1, 2**k) if end.is_finite else sympy.Integer(sign * 2**k) for k in powers]
    try:
        near, far = (evaluate(expr, {s: evaluate(at, {}, precision=2048)}, precision=2048) for at in places)
        if limit.is_infinite:
            grows = arb.__gt__ if limit is sympy.oo else arb.__lt__
            fine = grows(far, near)
        else:
            goal = evaluate(limit, {}, precision=2048)
            fine = abs(far - goal) < arb(2) ** -8 or abs(far - goal) < abs(near - goal)
    except UnclearError:
        return  # beyond what a float of any size holds: there is nothing to compare
    if not fine:
        raise UndecidedError(f"values are not near the limit {limit} that was found at {end}")
