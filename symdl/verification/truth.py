"""A scalar function at exact points: balls of growing precision until they say every digit that is asked for.

What is evaluated is the definition, opened down to elementary functions, and never a stable form, a stated slope or
another rewriting: those are what the values are there to judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
import sympy
from flint import arb

from symdl.core.functions import UNSTATED, ScalarFunction, Switch
from symdl.errors import UnsupportedError
from symdl.verification.real import (
    CONSTANTS,
    FUNCTIONS,
    UnclearError,
    exact,
    finite,
    power,
    sign_of,
    unsupported,
)

#: Bits to begin with, and the most that are tried: e^−x² next to the smallest number needs a few thousand.
FIRST, LAST = 128, 1 << 16

Ball = Callable[[], arb]


def opened(expr: sympy.Expr) -> sympy.Expr:
    """The expression with every named function written out by its definition.

    >>> from symdl.core.functions import sech2
    >>> opened(sech2(sympy.Symbol("x", real=True)))
    1 - tanh(x)**2
    """
    while calls := expr.atoms(ScalarFunction):
        expr = expr.xreplace({call: call.defined() for call in calls})
    return expr


class Truth:
    """One expression in one unknown, to be evaluated at many points.

    Args:
        expr: an expression in `x`; named functions are opened.
        x: the unknown.

    Raises:
        UnsupportedError: a function that has no balls, or a kink without a policy.

    >>> x = sympy.Symbol("x", real=True)
    >>> logistic = Truth(1 / (1 + sympy.exp(-x)), x)
    >>> logistic(-800, lambda ball: ball.rel_accuracy_bits() > 60).str(15, radius=False)
    '3.67480353046585e-348'
    """

    def __init__(self, expr: sympy.Expr, x: sympy.Symbol) -> None:
        self.expr, self.x = opened(sympy.sympify(expr, strict=True)), x
        self.point, self.round = arb(0), 0
        self._known: dict[sympy.Expr, Ball] = {}
        self._value = self._of(self.expr)

    def __call__(self, at: Any, tight: Callable[[arb], bool]) -> arb:
        """The value at a number, as a ball that is `tight`.

        Args:
            at: a float, an int, a SymPy Rational or `fmpq`: taken as exactly that number.
            tight: whether a ball says enough.

        Raises:
            UnclearError: `LAST` bits were not enough.
            UndefinedError: the function has no value there.
        """
        number, bits, before = exact(at), FIRST, flint.ctx.prec
        if number is None:
            raise UnsupportedError(f"{at} is not a rational number")
        try:
            while True:
                flint.ctx.prec = bits
                self.point, self.round = arb(number), self.round + 1
                try:
                    ball = finite(self._value())
                    if tight(ball):
                        return ball
                except UnclearError:
                    if bits >= LAST:
                        raise
                if bits >= LAST:
                    raise UnclearError(f"{self.expr} at {at} is not clear in {bits} bits")
                bits *= 2
        finally:
            flint.ctx.prec = before

    def _of(self, expr: sympy.Expr) -> Ball:
        """How to get the ball of a node; each node is computed once for a point and a precision."""
        if expr in self._known:
            return self._known[expr]
        compute, seen, held = self._node(expr), 0, arb(0)

        def value() -> arb:
            nonlocal seen, held
            if seen != self.round:
                held, seen = compute(), self.round
            return held

        self._known[expr] = value
        return value

    def _node(self, expr: sympy.Expr) -> Ball:
        if expr == self.x:
            return lambda: self.point
        if (number := exact(expr) if expr.is_Number else None) is not None:
            return lambda: arb(number)
        if expr in CONSTANTS:
            return CONSTANTS[expr]
        if expr.is_Add or expr.is_Mul:
            return self._many(expr)
        if isinstance(expr, sympy.exp):
            exponent = self._of(expr.args[0])
            return lambda: exponent().exp()
        if expr.is_Pow:
            base, above = self._of(expr.base), self._of(expr.exp)
            return lambda: power(base(), above(), expr.exp)
        if isinstance(expr, Switch):
            return self._switch(expr)
        if type(expr) not in FUNCTIONS:
            raise unsupported(expr)
        function, arguments = FUNCTIONS[type(expr)], [self._of(a) for a in expr.args]
        return lambda: function(*[a() for a in arguments])

    def _many(self, expr: sympy.Expr) -> Ball:
        parts = [self._of(a) for a in expr.args]

        def total() -> arb:
            first, *rest = [p() for p in parts]
            for part in rest:
                first = first + part if expr.is_Add else first * part
            return first

        return total

    def _switch(self, expr: Switch) -> Ball:
        """A side that does not count is not looked at: it may be undefined there."""
        x, below, above, weight = expr.args
        if weight == UNSTATED:
            raise UnsupportedError("a kink has no policy", remedy="say kink='left', 'right' or 'mid'")
        side, left, right = self._of(x), self._of(below), self._of(above)
        middle = self._of((1 - weight) * below + weight * above)

        def value() -> arb:
            sign = sign_of(side())
            return right() if sign > 0 else left() if sign < 0 else middle()

        return value
