"""Formulas with corners, under one convention for all of them."""

from __future__ import annotations

import sympy

from symdl.core.functions import ScalarFunction, Switch


def has_corners(expr: sympy.Expr) -> bool:
    """Whether there are any, in named functions as well."""
    return bool(_opened(expr).has(Switch))


def _opened(expr: sympy.Expr) -> sympy.Expr:
    """With named functions that have a corner by their definitions."""
    while calls := [c for c in expr.atoms(ScalarFunction) if c.defined().has(Switch)]:
        expr = expr.xreplace({c: c.defined() for c in calls})
    return expr


def with_convention(expr: sympy.Expr, weight: sympy.Expr) -> sympy.Expr:
    """With one convention at all corners, whichever way round they are written."""

    def turned(x: sympy.Expr) -> sympy.Expr:
        return 1 - weight if x.could_extract_minus_sign() else weight

    return _opened(expr).replace(lambda e: isinstance(e, Switch), lambda e: Switch(*e.args[:3], turned(e.args[0])))
