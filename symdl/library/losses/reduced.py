"""A loss of one entry as a function of numbers, and of a single one where that is all that it depends on.

>>> from symdl.library.losses.registry import loss
>>> expr, (t, y) = in_numbers(loss("l2"))
>>> expr, of_one_number(expr, t, y)
((t - y_hat)**2, (-t + y_hat, x**2))
"""

from __future__ import annotations

import sympy

from symdl.core.tensors import elements_in
from symdl.library.losses.record import Loss

X = sympy.Symbol("x", real=True)


def in_numbers(made: Loss) -> tuple[sympy.Expr, list[sympy.Symbol]] | None:
    """The loss of one entry in symbols, target and prediction first; None where it is no such function."""
    if not made.pointwise or len(made.inputs) < 2:
        return None
    equations = made.entries().equations
    if len(equations) != 1:
        return None
    symbols = {n: sympy.Symbol(n, real=True) for n in made.inputs}
    body = equations[0].rhs
    return body.xreplace({e: symbols[e.name] for e in elements_in(body)}), list(symbols.values())


def of_one_number(expr: sympy.Expr, t: sympy.Symbol, y: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr] | None:
    """y, y − t, t·y or y/t, and the function of that number, `X`, that a loss is; None where it is none."""
    for u, inside in ((y, {}), (y - t, {y: X + t}), (t * y, {y: X / t}), (y / t, {y: X * t})):
        function = sympy.simplify(expr.xreplace({y: X}) if not inside else expr.subs(inside))
        if function.free_symbols == {X}:
            return u, function
    return None
