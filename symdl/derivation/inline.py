"""Inlining: equations put into an expression, bound indices renamed apart each time."""

from __future__ import annotations

from collections.abc import Container

import sympy

from symdl.core.definitions import Definition
from symdl.core.tensors import elements_in


def inline(definition: Definition, expr: sympy.Expr, keep: Container[str] = ()) -> sympy.Expr:
    """Put the equations of `definition` into `expr`, until only inputs and the tensors named in `keep` are left.

    >>> from symdl.core.define import define, Input, let
    >>> @define
    ... def d(x=Input()):
    ...     a = let("a", x**2)
    ...     return let("L", a + 1)
    >>> inline(d, d["L"].element())
    x**2 + 1
    """
    for eq in reversed(definition.equations):
        if eq.name in keep:
            continue
        mine = [e for e in elements_in(expr) if e.tensor == eq.out]
        if mine:
            expr = expr.xreplace({e: eq.at(e.subscripts) for e in mine})
    return expr
