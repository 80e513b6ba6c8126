"""The points at which the rounding of an expression is looked at."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import sympy
from flint import arb

from symdl.core.functions import ScalarFunction
from symdl.derivation.accurate.formats import BOTH, Single
from symdl.derivation.accurate.rounding import Analysis, LostError
from symdl.errors import UnsupportedError

LARGEST = 1.7976931348623157e308
#: Where an exponential does something: it is 1 to the last bit, or it vanishes or overflows.
BUSY = (1e-8, 1e4)


def grid(scale: float = 1.0) -> list[float]:
    """All exponents, and closer together where functions change.

    Args:
        scale: of a function of scale·x, whose exponentials change at other places than those of x; they come on top.
    """
    sides = [2.0**k for k in range(-1074, 1024, 61)] + [2.0 ** (k / 2) for k in range(-40, 24)]
    sides += [0.15 * k for k in range(1, 90)] + [0.3 * k for k in range(45, 135)]
    sides += [LARGEST, 2.0**128, 2.0**1023, math.nextafter(2.0**1023, 0), 709.0, 744.5, 746.0]
    points = {*sides, *[-s for s in sides], *BOTH, 0.0}
    if scale == 1:
        return sorted(points)
    busy = [p for p in points if BUSY[0] < abs(p) < BUSY[1]]
    singles = {Single(np.float32(p / scale)) for p in busy if p in BOTH}
    return sorted({*(points - singles), *[p / scale for p in busy if p not in BOTH], *singles})


def scale_of(definition: sympy.Expr, x: sympy.Symbol) -> float:
    """The least |g| of the exponentials e^{gx + c}; 1 where there are none.

    >>> x = sympy.Symbol("x", real=True)
    >>> scale_of(1 / (1 + sympy.exp(-3 * x)), x), scale_of(sympy.tanh(x), x)
    (3.0, 1.0)
    """
    while calls := definition.atoms(ScalarFunction):
        definition = definition.xreplace({c: c.defined() for c in calls})
    found = [float(abs(g)) for e in definition.atoms(sympy.exp) if (g := e.args[0].diff(x)).is_number and g != 0]
    return min(found, default=1.0)


def within_domain(definition: sympy.Expr, x: sympy.Symbol, at: float) -> bool:
    """Whether logarithms and roots have a value, and nothing is divided by 0."""

    def value(expr: sympy.Expr) -> arb:
        return Analysis(expr, x).at(at, unbounded=True).value

    positive, not_negative, not_zero = _conditions(definition, x)
    try:
        return (
            all(value(e) > 0 for e in positive)
            and not any(value(e) < 0 for e in not_negative)
            and not any(value(e) == 0 for e in not_zero)
        )
    except (LostError, UnsupportedError):
        return True


@lru_cache(100)
def _conditions(definition: sympy.Expr, x: sympy.Symbol) -> tuple[list[sympy.Expr], list[sympy.Expr], list[sympy.Expr]]:
    """What has to be positive, not negative, not 0."""
    powers = [n for n in definition.atoms(sympy.Pow) if n.base.has(x)]
    return (
        [n.args[0] for n in definition.atoms(sympy.log)],
        [n.base for n in powers if not n.exp.is_Integer],
        [n.base for n in powers if n.exp.is_negative],
    )
