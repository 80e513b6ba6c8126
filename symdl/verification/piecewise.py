"""SymPy's own kinked functions, written with `Switch`, so that one case distinction serves all of them."""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.functions import Switch
from symdl.errors import UnsupportedError

_HALF = sympy.Rational(1, 2)


def as_switches(expr: sympy.Expr) -> sympy.Expr:
    """Max, Min, sign, Heaviside and Piecewise by `Switch` (the outermost one only). Their values are kept exactly.

    >>> x = sympy.Symbol("x", real=True)
    >>> as_switches(sympy.Max(0, x))
    Switch(x, 0, x, 0)
    """
    if isinstance(expr, sympy.Max):
        return _extreme(expr.args, largest=True)
    if isinstance(expr, sympy.Min):
        return _extreme(expr.args, largest=False)
    if isinstance(expr, sympy.Abs):
        return Switch(expr.args[0], -expr.args[0], expr.args[0], sympy.S.Zero)
    if isinstance(expr, sympy.sign):
        return Switch(expr.args[0], sympy.S.NegativeOne, sympy.S.One, _HALF)
    if isinstance(expr, sympy.Heaviside):
        return Switch(expr.args[0], sympy.S.Zero, sympy.S.One, expr.args[1])
    if isinstance(expr, sympy.Piecewise):
        return _cases(list(expr.args))
    return expr


def _extreme(arguments: tuple[sympy.Expr, ...], largest: bool) -> sympy.Expr:
    best, *rest = sorted(arguments, key=sympy.default_sort_key)
    for other in rest:
        difference = other - best
        best = Switch(difference, best, other, 0) if largest else Switch(difference, other, best, 0)
    return best


def _cases(cases: list[Any]) -> sympy.Expr:
    if not cases:
        raise UnsupportedError("a Piecewise without a case for the rest", remedy="add (value, True)")
    (value, condition), *rest = cases
    if condition in (True, sympy.true):
        return value
    return _choice(condition, value, rest)


def _choice(condition: Any, value: sympy.Expr, rest: list[Any]) -> sympy.Expr:
    """`value` where the condition holds, the rest of the cases where it does not."""
    if isinstance(condition, sympy.And):
        first, *others = condition.args
        inner = [(value, sympy.And(*others)), *rest]
        return _split(first, _cases(inner), _cases(rest))
    if isinstance(condition, sympy.Or):
        first, *others = condition.args
        return _split(first, value, _cases([(value, sympy.Or(*others)), *rest]))
    return _split(condition, value, _cases(rest))


def _split(condition: Any, value: sympy.Expr, other: sympy.Expr) -> sympy.Expr:
    x = getattr(condition, "lhs", sympy.S.Zero) - getattr(condition, "rhs", sympy.S.Zero)
    if isinstance(condition, sympy.StrictGreaterThan):
        return Switch(x, other, value, 0)
    if isinstance(condition, sympy.GreaterThan):
        return Switch(x, other, value, 1)
    if isinstance(condition, sympy.StrictLessThan):
        return Switch(x, value, other, 1)
    if isinstance(condition, sympy.LessThan):
        return Switch(x, value, other, 0)
    raise UnsupportedError(f"the condition {condition} is not an inequality")
