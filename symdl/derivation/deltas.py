"""R3, δ-elimination: a sum over δ(i, e) puts e for i, with a guard only where e can leave the range of i."""

from __future__ import annotations

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, indices_in, provably_nonnegative, value_range
from symdl.core.tensors import Reduction, reduction, refreshed, rename


def eliminate(body: sympy.Expr, bound: tuple[Index, ...]) -> tuple[sympy.Expr, tuple[Index, ...]]:
    """Σ over `bound` of a product with δs, with as few δs and bound indices as can be.

    A δ whose index has a stride, or that holds a gather, stays as a guard inside the sum.

    >>> from symdl.core.tensors import Tensor
    >>> i, k = Index("i"), Index("k", Index("i").extent)
    >>> x = Tensor("x", (i,))
    >>> eliminate(Delta(k, i) * x[i], (i,))
    (x[k], ())
    """
    left = list(bound)
    progress = True
    while progress:
        progress = False
        for delta in sorted((f for f in sympy.Mul.make_args(body) if isinstance(f, Delta)), key=str):
            solved = _solve(delta, left)
            if solved is None:
                continue
            index, value = solved
            left.remove(index)
            body = rename(body, {index: value}) * _guard(index, value, left)
            progress = True
            break
    return body, tuple(left)


def _solve(delta: Delta, bound: list[Index]) -> tuple[Index, sympy.Expr] | None:
    """i = ±(…) where the coefficient of a bound index is ±1; plain renamings are preferred."""
    difference = sympy.expand(delta.args[0] - delta.args[1])
    candidates = []
    for index in bound:
        slope = difference.coeff(index, 1)
        if slope in (1, -1) and not (difference - slope * index).has(index):
            value = sympy.expand(-(difference - slope * index) / slope)
            candidates.append((not isinstance(value, Index), index, value))
    if not candidates:
        return None
    _, index, value = min(candidates, key=lambda c: c[0])
    return index, value


def _guard(index: Index, value: sympy.Expr, bound: list[Index]) -> sympy.Expr:
    if isinstance(value, Index) and sympy.expand(value.extent - index.extent) == 0:
        return sympy.S.One
    limits = value_range(value, indices_in(value))
    if limits is not None:
        low, high = limits
        if provably_nonnegative(low) and provably_nonnegative(index.extent - 1 - high):
            return sympy.S.One
    return InRange(value, index.extent)


def contract(expr: sympy.Expr) -> sympy.Expr:
    """Eliminate δs in every sum of an expression, distributing a sum over summands where a δ asks for it.

    >>> from symdl.core.tensors import Tensor
    >>> n = Index("n"); i = Index("i"); k = i.fresh()
    >>> x = Tensor("x", (n, i))
    >>> contract(reduction("sum", x[n, i] * Delta(i, k), [n, i]))
    Sum_{n}(x[n, i])
    """
    if not expr.has(Delta):
        return expr
    if isinstance(expr, Reduction) and expr.op == "sum":
        body = contract(expr.body)
        parts = [_contract_product(p, expr.bound) for p in sympy.Add.make_args(_open(body))]
        return sympy.Add(*parts)
    return expr.func(*[contract(a) if isinstance(a, sympy.Expr) else a for a in expr.args])


def _contract_product(product: sympy.Expr, bound: tuple[Index, ...]) -> sympy.Expr:
    """Σ c·Σ' δ… : inner sums with a δ on an outer index join the outer one, since the order of sums is free."""
    factors = list(sympy.Mul.make_args(product))
    inner = [f for f in factors if isinstance(f, Reduction) and f.op == "sum" and f.has(Delta)]
    if inner:
        rest = sympy.Mul(*[f for f in factors if f is not inner[0]])
        apart = refreshed(inner[0])
        opened = [_contract_product(rest * p, bound + apart.bound) for p in sympy.Add.make_args(_open(apart.body))]
        return sympy.Add(*opened)
    body, left = eliminate(product, bound)
    used = set(left) & body.free_symbols
    counted = sympy.Mul(*[i.extent for i in left if i not in used])
    return counted * reduction("sum", body, [i for i in left if i in used])


def _open(body: sympy.Expr) -> sympy.Expr:
    """Multiply out only those sums that hold a δ, so that each δ stands in a product."""
    if not body.is_Mul:
        return body
    opened: list[sympy.Expr] = [sympy.S.One]
    for factor in body.args:
        if factor.is_Add and factor.has(Delta):
            opened = [o * part for o in opened for part in factor.args]
        else:
            opened = [o * factor for o in opened]
    return sympy.Add(*opened)
