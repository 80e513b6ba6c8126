"""What a gradient costs: operations as written, operations after common subexpressions are shared."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.core.definitions import Definition
from symdl.core.tensors import Element, Reduction
from symdl.derivation.steps import Cost


def operations(expr: sympy.Expr) -> int:
    """Elementary operations of an expression as it is written; a sum of symbolic extent counts its body once.

    A division counts as one operation, and a sign as none.

    >>> x, y = sympy.symbols("x y")
    >>> operations(x * y + sympy.exp(x) / y)
    4
    """
    total = 0
    stack: list[sympy.Basic] = [expr]
    while stack:
        own, parts = _opened(stack.pop())
        total += own
        stack.extend(parts)
    return total


def shared_operations(exprs: Iterable[sympy.Expr]) -> int:
    """Operations when every common subexpression is computed once."""
    seen: set[sympy.Basic] = set()
    total = 0
    stack: list[sympy.Basic] = list(exprs)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        own, parts = _opened(node)
        total += own
        stack.extend(parts)
    return total


def _opened(node: sympy.Basic) -> tuple[int, Iterable[sympy.Basic]]:
    """The operations of one node, and what is below it."""
    if isinstance(node, Element) or node.is_Atom:
        return 0, ()
    if isinstance(node, Reduction):
        return 1, (node.body,)
    if isinstance(node, sympy.Mul):
        parts = [a.base if _is_reciprocal(a) else a for a in node.args if a != -1]
        no_numerator = all(_is_reciprocal(a) or a == -1 for a in node.args)
        return len(parts) - 1 + no_numerator, parts
    return (len(node.args) - 1 if isinstance(node, sympy.Add) else 1), node.args


def _is_reciprocal(node: sympy.Basic) -> bool:
    return isinstance(node, sympy.Pow) and node.exp == -1


def measure(gradient: Definition, seconds: float) -> Cost:
    """The cost of a gradient definition."""
    sides = [e.rhs for e in gradient.equations]
    return Cost(sum(operations(s) for s in sides), shared_operations(sides), seconds)
