"""What computing a form costs, in multiplications of vectors: a ranking of forms that are equally safe, not a time."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.codegen import cfunctions

from symdl.core.accurate import erfcx, hypot, kept_exp, quotient, scaled_exp

#: A call that no vector instructions stand behind costs as much as this.
CALL = 60.0
_PRICES: dict[Any, float] = {
    sympy.exp: 12.0,
    kept_exp: 12.0,
    scaled_exp: 14.0,
    cfunctions.expm1: 15.0,
    sympy.log: 18.0,
    cfunctions.log1p: 20.0,
    sympy.tanh: 24.0,
    erfcx: 24.0,
    sympy.erf: 44.0,
    sympy.erfc: 46.0,
    hypot: CALL,
    quotient: 4.0,
}


def price(form: sympy.Expr, beside: sympy.Expr = sympy.S.Zero) -> float:
    """The price of a form whose common parts are computed once, beside one whose parts are there.

    >>> x = sympy.Symbol("x", real=True)
    >>> price(x**2 + 1), price(sympy.exp(x) / (1 + sympy.exp(x))), price(sympy.sin(x))
    (3.0, 19.0, 60.0)
    >>> price(1 / (1 + sympy.exp(x)), sympy.exp(x))
    6.0
    """
    there = set(sympy.preorder_traversal(beside))
    nodes = set(sympy.preorder_traversal(form))
    powers = {n.args[0] for n in nodes | there if isinstance(n, sympy.exp | kept_exp)}
    return sum(_own(n, powers) for n in nodes - there)


def _own(node: sympy.Expr, powers: set[sympy.Expr]) -> float:
    if not node.args or not node.free_symbols:
        return 0.0
    if isinstance(node, scaled_exp) and node.args[1] in powers:
        return 3.0  # the power is there, and is only multiplied in
    if node.is_Add or node.is_Mul:
        return float(len(node.args) - 1)
    if type(node) in _PRICES:
        return _PRICES[type(node)]
    if node.is_Pow and node.exp.is_Rational:
        division = 4.0 if node.exp.is_negative else 0.0
        return division + (float(int(abs(node.exp)).bit_length()) if node.exp.is_Integer else 6.0)
    return CALL if node.is_Function else 0.0
