"""R3, δ-elimination: a sum over δ(i, e) puts e for i, with a guard only where e can leave the range of i."""

from __future__ import annotations

from functools import lru_cache

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.guards import settled, without_implied
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction, reduction, refreshed, rename


def eliminate(
    body: sympy.Expr, bound: tuple[Index, ...], around: tuple[Index, ...] = ()
) -> tuple[sympy.Expr, tuple[Index, ...]]:
    """Σ over `bound` of a product with δs, with as few δs and bound indices as can be.

    A δ stays inside the sum where it holds a gather, where its index has a stride, and where solving it would turn a
    sum over few entries into one over many with a guard: δ(p, 2u + r) is kept, and read as a scatter.

    >>> from symdl.core.tensors import Tensor
    >>> i, k = Index("i"), Index("k", Index("i").extent)
    >>> x = Tensor("x", (i,))
    >>> eliminate(Delta(k, i) * x[i], (i,))
    (x[k], ())
    """
    left = list(bound)
    body = settled(body)
    progress = True
    while progress:
        progress = False
        for delta in sorted((f for f in sympy.Mul.make_args(body) if isinstance(f, Delta)), key=str):
            solved = _solve(delta, left, around)
            if solved is None:
                continue
            index, value = solved
            left.remove(index)
            body = settled(rename(body, {index: value}) * _guard(index, value))
            progress = True
            break
    return without_implied(body), tuple(left)


def _solve(delta: Delta, bound: list[Index], around: tuple[Index, ...]) -> tuple[Index, sympy.Expr] | None:
    """i = ±(…) where the coefficient of a bound index is ±1: a renaming if there is one, then one without a guard."""
    difference = sympy.expand(delta.args[0] - delta.args[1])
    candidates: list[tuple[int, float, Index, sympy.Expr]] = []
    for index in bound:
        slope = difference.coeff(index, 1)
        if slope in (1, -1) and not (difference - slope * index).has(index):
            value = sympy.expand(-(difference - slope * index) / slope)
            if _guard(index, value) == 1:
                candidates.append((int(not isinstance(value, Index)), 0.0, index, value))
            elif _pays(index, difference, [*bound, *around]):
                candidates.append((2, -nominal(index.extent), index, value))
    if not candidates:
        return None
    _, _, index, value = min(candidates, key=lambda c: c[:2])
    return index, value


def _pays(index: Index, difference: sympy.Expr, bound: list[Index]) -> bool:
    """Whether solving for `index` costs no more than going through all bound indices and scattering.

    It removes a loop over `index`, and makes the δ's free index one that is looped over for every entry.
    """
    others = [i for i in indices_in(difference) if i is not index]
    if not any(i in bound for i in others):
        return True
    strided = [i for i in others if i in bound and abs(difference.coeff(i, 1)) != 1 and not i.extent.is_Atom]
    free = [nominal(i.extent) for i in others if i not in bound]
    return not strided and nominal(index.extent) >= max(free, default=0) / 2


#: What an extent without a number counts as, when two ways of summing are compared.
NOMINAL = 32


@lru_cache(maxsize=4096)
def nominal(extent: sympy.Expr) -> float:
    """A size to compare extents by: symbols count as 32, and those that are taken away (a kernel's) as 1.

    >>> H, R = sympy.symbols("H R", integer=True, positive=True)
    >>> nominal(H - R + 1), nominal(sympy.floor((H - 3) / 2) + 1)
    (32.0, 15.5)
    """
    plain = sympy.expand(extent.replace(sympy.floor, lambda e: e))
    total = 0.0
    for part in sympy.Add.make_args(plain):
        size = 1 if part.could_extract_minus_sign() else NOMINAL
        total += float(part.subs(dict.fromkeys(part.free_symbols, size)))
    return max(total, 1.0)


def _guard(index: Index, value: sympy.Expr) -> sympy.Expr:
    """[0 ≤ value < extent of index], 1 where that always holds."""
    if isinstance(value, Index) and sympy.expand(value.extent - index.extent) == 0:
        return sympy.S.One
    if value.atoms(Element):
        return sympy.S.One  # a gather holds positions of the axis that it subscripts
    return settled(InRange(value, index.extent))


def contract(expr: sympy.Expr, around: tuple[Index, ...] = ()) -> sympy.Expr:
    """Eliminate δs in every sum of an expression, distributing a sum over summands where a δ asks for it.

    `around` are the indices of sums that the expression stands in: a δ that holds one of them may be best kept for that
    sum, or read as a scatter.

    >>> from symdl.core.tensors import Tensor
    >>> n = Index("n"); i = Index("i"); k = i.fresh()
    >>> x = Tensor("x", (n, i))
    >>> contract(reduction("sum", x[n, i] * Delta(i, k), [n, i]))
    Sum_{n}(x[n, i])
    """
    if not expr.has(Delta):
        return settled(expr) if expr.has(InRange) else expr
    if isinstance(expr, Reduction) and expr.op == "sum":
        body = contract(expr.body, around + expr.bound)
        parts = [_contract_product(p, expr.bound, around) for p in sympy.Add.make_args(_open(body))]
        return sympy.Add(*parts)
    return expr.func(*[contract(a, around) if isinstance(a, sympy.Expr) else a for a in expr.args])


def pinned(expr: sympy.Expr) -> sympy.Expr:
    """δ(k, e) · f(k) → δ(k, e) · f(e) where e is a gather or an index: what a δ multiplies is needed at its place only.

    >>> from symdl.core.tensors import Tensor
    >>> k = Index("k"); x, c = Tensor("x", (k,)), Tensor("c", integer=True)
    >>> pinned(Delta(k, c._sympy_()) * x[k] / x[c])
    Delta(k, c)
    """
    if not expr.has(Delta) or isinstance(expr, Delta):
        return expr
    expr = expr.func(*[pinned(a) if isinstance(a, sympy.Expr) else a for a in expr.args])
    for delta in [f for f in expr.args if isinstance(f, Delta)] if expr.is_Mul else []:
        index, place = next((pair for pair in (delta.args, delta.args[::-1]) if isinstance(pair[0], Index)), (None, 0))
        if isinstance(place, (Element, Index)) and not place.has(index):
            expr = delta * (expr / delta).xreplace({index: place})
    return expr


def _contract_product(product: sympy.Expr, bound: tuple[Index, ...], around: tuple[Index, ...] = ()) -> sympy.Expr:
    """Σ c·Σ' δ… : inner sums with a δ on an outer index join the outer one, since the order of sums is free."""
    factors = list(sympy.Mul.make_args(product))
    inner = [f for f in factors if isinstance(f, Reduction) and f.op == "sum" and f.has(Delta)]
    if inner:
        rest = sympy.Mul(*[f for f in factors if f is not inner[0]])
        apart = refreshed(inner[0])
        opened = [
            _contract_product(rest * p, bound + apart.bound, around) for p in sympy.Add.make_args(_open(apart.body))
        ]
        return sympy.Add(*opened)
    body, left = eliminate(product, bound, around)
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
