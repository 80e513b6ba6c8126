"""Products of forward values found among the factors of a summand, in front of a sum and inside it: (x − μ)·r → x̂."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy

from symdl.core.equations import Equation
from symdl.core.tensors import Element, Reduction, elements_in
from symdl.derivation.tidy import matches


def reuse_products(part: sympy.Expr, forward: Sequence[Equation]) -> sympy.Expr:
    """A summand with forward products found among its factors, in front of its sum and inside: (x − μ)·r → x̂.

    A factor in front is moved into the sum where that completes a product there:
    r · Σ_i g_i (x_i − μ) → Σ_i g_i x̂_i.

    >>> from symdl.core.define import define, Input, let
    >>> @define
    ... def d(x=Input("i"), r=Input()):
    ...     (i,) = x.indices
    ...     return let("h[i]", x[i] * r)
    >>> from symdl.core.tensors import Tensor, reduction
    >>> i = d["x"].indices[0]; g = Tensor("g", (i,))
    >>> reuse_products(d["r"] ** 2 * reduction("sum", g[i] * d["x"][i], [i]), d.equations)
    r*Sum_{i}(g[i]*h[i])
    """
    present = {e.name for e in elements_in(part)}
    for eq in forward:
        if eq.pointwise and len(eq.terms) == 1 and eq.used_names <= present and (eq.rhs.is_Mul or eq.rhs.is_Pow):
            part = _withproduct(part, eq)
    return part


def _withproduct(part: sympy.Expr, eq: Equation) -> sympy.Expr:
    for mapping in matches(eq, part):
        pattern = powers(sympy.Mul.make_args(eq.rhs.xreplace(mapping)))
        whole = eq.lhs.xreplace(mapping)
        while (found := _divided(part, pattern, whole)) is not None:
            part = found
    return part


def _divided(part: sympy.Expr, pattern: dict[sympy.Expr, sympy.Expr], whole: Element) -> sympy.Expr | None:
    """One occurrence of the product replaced by its name; None where there is none."""
    factors = sympy.Mul.make_args(part)
    outer = powers([f for f in factors if not isinstance(f, Reduction)])
    rest = [f for f in factors if isinstance(f, Reduction)]
    taken = _take(outer, pattern)
    if taken is not None:
        return product(taken) * whole * sympy.Mul(*rest)
    for node in rest:
        if node.op != "sum":
            continue
        inner = powers(sympy.Mul.make_args(node.body))
        local = {b: e for b, e in pattern.items() if b.free_symbols & set(node.bound)}
        if not local or _take(inner, local) is None:
            continue
        lent = {b: e for b, e in pattern.items() if b not in local}
        inside = {b: e for b, e in lent.items() if _take(inner, {b: e}) is not None}
        left = _take(outer, {b: e for b, e in lent.items() if b not in inside})
        if left is None:
            continue
        body = product(_take(inner, {**local, **inside}) or {}) * whole
        others = [r for r in rest if r is not node]
        return product(left) * sympy.Mul(*others) * node.func(node.args[0], body, *node.args[2:])
    return None


def powers(factors: Iterable[sympy.Expr]) -> dict[sympy.Expr, sympy.Expr]:
    """Factors as powers of bases; a sum of terms counts up to a number in front: 2μ − 2x is −2 (x − μ)."""
    found: dict[sympy.Expr, sympy.Expr] = {}

    def add(base: sympy.Expr, exponent: sympy.Expr) -> None:
        found[base] = found.get(base, sympy.S.Zero) + exponent

    for factor in factors:
        base, exponent = factor.as_base_exp()
        if base.is_Add and exponent.is_Integer:
            content, base = base.as_content_primitive()
            if base.could_extract_minus_sign():
                content, base = -content, -base
            add(content, exponent)
        add(base, exponent)
    return found


def _take(
    powers: dict[sympy.Expr, sympy.Expr], wanted: dict[sympy.Expr, sympy.Expr]
) -> dict[sympy.Expr, sympy.Expr] | None:
    """The powers without the wanted ones; None where they do not hold them."""
    left = dict(powers)
    for base, exponent in wanted.items():
        if base.is_Number:
            left[base] = left.get(base, sympy.S.Zero) - exponent
            continue
        have = left.get(base)
        if have is None or not (have / exponent).is_Rational or have / exponent < 1:
            return None
        left[base] = have - exponent
    return left


def product(powers: dict[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    return sympy.Mul(*[sympy.Pow(b, e) for b, e in powers.items()])


def gathered(parts: list[sympy.Expr]) -> sympy.Expr:
    """Summands added up, equal ones joined, factors that several have in front of them.

    >>> from symdl.core.tensors import Tensor
    >>> a, b, c, d = (Tensor(n).element() for n in "abcd")
    >>> gathered([a * b, -a * c, d])
    (b - c)*a + d
    """
    total = sympy.Add(*parts)
    if not total.is_Add:
        return total
    each = {p: powers(sympy.Mul.make_args(p)) for p in total.args}
    front = _shared(list(each.values()))
    if front != 1:
        return front * gathered([p / front for p in total.args])
    bases = {b for powers in each.values() for b in powers if isinstance(b, Element)}
    holders = {b: [p for p, powers in each.items() if powers.get(b, sympy.S.Zero).is_positive] for b in bases}
    several = [b for b in sorted(bases, key=sympy.default_sort_key) if len(holders[b]) > 1]
    if not several:
        return total
    together = max((holders[b] for b in several), key=len)
    rest = [p for p in total.args if p not in together]
    return gathered(together) + gathered(rest)


def _shared(each: list[dict[sympy.Expr, sympy.Expr]]) -> sympy.Expr:
    """The factors that all of them have, each at the power nearest to zero."""
    shared: dict[sympy.Expr, sympy.Expr] = {}
    for base in each[0]:
        exponents = [p[base] for p in each if base in p]
        if base.is_Number or isinstance(base, Reduction) or len(exponents) < len(each):
            continue
        if all(e.is_positive for e in exponents) or all(e.is_negative for e in exponents):
            shared[base] = min(exponents, key=abs)
    return product(shared)
