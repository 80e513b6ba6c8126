"""∂v/∂u for rechecking a derivation: written anew, on purpose, and not taken from `symdl.derivation`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy

from symdl.core.functions import Delta, Switch
from symdl.core.tensors import Element, Reduction, reduction, refreshed
from symdl.errors import UnsupportedError


def partial(expr: sympy.Expr, by: Element) -> sympy.Expr:
    """∂expr/∂by; an element of the same tensor gives δ of the subscripts.

    >>> from symdl.core.indices import Index
    >>> from symdl.core.tensors import Tensor
    >>> i = Index("i", 3); k = i.fresh(); x = Tensor("x", (i,))
    >>> partial(x[i] ** 2, x[k])
    2*Delta(i, i)*x[i]
    """
    if isinstance(expr, Element):
        if expr.tensor.name != by.tensor.name or len(expr.subscripts) != len(by.subscripts):
            return sympy.S.Zero  # a number x and a vector x are two names
        return sympy.Mul(*[Delta(a, b) for a, b in zip(expr.subscripts, by.subscripts, strict=True)])
    if by.tensor.name not in _names_in(expr):
        return sympy.S.Zero
    if isinstance(expr, Reduction):
        return _of_reduction(expr, by)
    if expr.is_Add:
        return sympy.Add(*[partial(a, by) for a in expr.args])
    if expr.is_Mul:
        return sympy.Add(
            *[sympy.Mul(*expr.args[:k], partial(a, by), *expr.args[k + 1 :]) for k, a in enumerate(expr.args)]
        )
    if isinstance(expr, Switch):
        x, below, above, weight = expr.args
        return Switch(x, partial(below, by), partial(above, by), weight)
    slots, slopes = _slopes(expr.func, tuple(a.is_positive for a in expr.args))
    if any(s.has(sympy.Derivative) for s in slopes):
        raise UnsupportedError(f"the slope of {expr.func.__name__}")
    back = dict(zip(slots, expr.args, strict=True))
    inner = [partial(a, by) for a in expr.args]
    return sympy.Add(*[s.xreplace(back) * d for s, d in zip(slopes, inner, strict=True) if d != 0])


@lru_cache(maxsize=2**13)
def _names_in(expr: sympy.Basic) -> frozenset[str]:
    """The tensors that an expression has entries of."""
    own = {expr.tensor.name} if isinstance(expr, Element) else ()
    return frozenset(own).union(*map(_names_in, expr.args))


@lru_cache(maxsize=1024)
def _slopes(function: Any, positive: tuple[bool | None, ...]) -> tuple[list[sympy.Dummy], list[sympy.Expr]]:
    """The slopes of a function by each argument, and what stands for the arguments there.

    Once for each function, since what stands for them is new to SymPy, which thinks for milliseconds about each.
    """
    slots = [sympy.Dummy(f"a{k}", real=True, positive=p) for k, p in enumerate(positive)]
    outer = function(*slots)
    return slots, [outer.diff(s) for s in slots]


def _of_reduction(expr: Reduction, by: Element) -> sympy.Expr:
    expr = refreshed(expr)
    inner = partial(expr.body, by)
    if expr.op == "sum":
        return reduction("sum", inner, expr.bound)
    if expr.op == "prod":
        return expr * reduction("sum", inner / expr.body, expr.bound)
    if expr.ties != "share":
        raise UnsupportedError("the slope of a maximum without a policy for ties")
    largest = Switch(expr.body - refreshed(expr), sympy.S.Zero, sympy.S.One, sympy.S.One)
    return reduction("sum", largest * inner, expr.bound) / reduction("sum", largest, expr.bound)
