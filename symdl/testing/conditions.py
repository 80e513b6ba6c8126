"""How large the terms are of which a value is what is left.

Where a value is a difference of independent numbers, no arithmetic of fixed length keeps its digits at every point: the
error that can be asked for is one in units in the last place of the sum of |terms|. That sum over |value| is the
condition number of the difference.

>>> x, y = sympy.symbols("x y", real=True)
>>> magnitude(x - y).subs({x: 3, y: 2})
5
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.tensors import Reduction, Tensor


def magnitude(expr: sympy.Expr) -> sympy.Expr:
    """The expression with |a| + |b| for each sum a + b, outside of functions, roots and denominators."""
    if isinstance(expr, Delta | InRange) or expr.is_Rational:
        return abs(expr) if expr.is_Rational else expr
    if expr.is_Add or expr.is_Mul:
        return expr.func(*[magnitude(a) for a in expr.args])
    if expr.is_Pow and expr.exp.is_Integer and expr.exp.is_positive:
        return magnitude(expr.base) ** expr.exp
    if isinstance(expr, Reduction):
        return expr.func(expr.op, magnitude(expr.body), expr.bound, expr.ties) if expr.op == "sum" else _size(expr)
    if isinstance(expr, Switch):
        x, below, above, weight = expr.args
        return Switch(x, magnitude(below), magnitude(above), weight)
    return _size(expr)


def _size(expr: sympy.Expr) -> sympy.Expr:
    return Switch(expr, -expr, expr, sympy.S.Half)


def with_magnitude(definition: Definition, output: str) -> tuple[Definition, Tensor]:
    """The definition with one tensor more: the sum of |terms| of an output, written out down to its last sums.

    Elements of other equations count with their values.
    """
    eq = definition.by_name[output]
    size = Tensor(f"{output}_size", eq.indices)
    terms = tuple(replace(t, body=magnitude(t.body)) for t in eq.terms)
    return replace(definition, equations=(*definition.equations, Equation(size, terms)), kinks=(), general=None), size
