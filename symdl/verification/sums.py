"""Sums over indices of any extent, as generators of the normal form.

A sum is taken apart into its summands; a factor without the bound index moves out; δ picks its index; nested sums are
opened, and what hangs together by shared bound indices becomes one sum, its guards and its indices in one order
(`symdl.verification.relabel`).
Independent of `symdl.derivation.canonical` on purpose: the checker does not borrow from what it checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sympy
from flint import fmpz_mpoly
from sympy.core.symbol import Str

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, indices_in, provably_nonnegative, value_range
from symdl.core.tensors import Element, Fact, Reduction
from symdl.verification.generators import Frac, Generator
from symdl.verification.normaliser import Normaliser
from symdl.verification.relabel import ordered, placed


@cache
def place(extent: sympy.Expr, height: int, position: int) -> Index:
    """The index that stands for a bound one: by its extent, nesting height and position."""
    return Index("q" * (height + 1) + str(position), extent)


def height_of(expr: sympy.Expr) -> int:
    """How deep reductions are nested in `expr`."""
    if not expr.has(Reduction):
        return 0
    inner = max((height_of(a) for a in expr.args if isinstance(a, sympy.Expr)), default=0)
    return inner + 1 if isinstance(expr, Reduction) else inner


def reduce_over(normaliser: Normaliser, expr: Reduction) -> Frac:
    """The normal form of Σ, max or Π."""
    height = height_of(expr)
    order = expr.bound if expr.op == "sum" else ordered(expr.body, expr.bound)[1]
    places = [place(i.extent, height, k) for k, i in enumerate(order)]
    body_expr = expr.body.xreplace(dict(zip(order, places, strict=True)))
    body = normaliser.reduced(normaliser.form(body_expr))
    if expr.op == "sum":
        return _Sum(normaliser).over(body, places)
    return _opaque(normaliser, expr, body, places)


def _opaque(normaliser: Normaliser, expr: Reduction, body: Frac, places: list[Index]) -> Frac:
    table = normaliser.table
    node = Reduction(Str(expr.op), table.to_expr(body), sympy.Tuple(*places), Str(""))
    signs = {table.sign(body.num), table.sign(body.den)}
    sign = "+" if signs == {"+"} else "0+" if signs <= {"+", "0+"} else ""
    return table.generator(("reduction", node), lambda: Generator(expr.op, node, sign))[0]


class _Sum:
    """Sums of one normaliser."""

    def __init__(self, normaliser: Normaliser) -> None:
        self.normaliser, self.table = normaliser, normaliser.table

    def over(self, body: Frac, bound: list[Index]) -> Frac:
        """Σ over `bound` of a body in normal form, summand by summand."""
        if not bound:
            return body
        if not body.num:
            return body
        body, whole = self._split(body, bound)
        content, factors = body.den.factor()
        inside = [(f, int(e)) for f, e in factors if self._hangs_on(f, bound)]
        outside = [self.table.context.constant(int(content))]
        outside += [f ** int(e) for f, e in factors if not self._hangs_on(f, bound)]
        parts = [self._term(m, int(c), inside, bound) for m, c in body.num.to_dict().items()]
        total = self.table.combine(parts, product=False)
        for factor in outside:
            total = self.table.mul(total, self.table.inverse(self.table.poly(factor)))
        return self.table.add(total, self.over(whole, bound)) if whole.num else total

    def _split(self, body: Frac, bound: list[Index]) -> tuple[Frac, Frac]:
        """(a + b f)/f^e as a/f^e and b/f^(e−1) where f hangs on a bound index, so that Σ f/f is found to be Σ 1."""
        split = self.table.number(0)
        for factor, _ in [] if body.den.is_constant() else sorted(body.den.factor()[1], key=str):
            if self.table.lone_generator(factor) is not None or not self._hangs_on(factor, bound):
                continue
            quotient, rest = divmod(body.num, factor)
            if quotient and rest:
                split = self.table.add(split, self.table.cancel(quotient, divmod(body.den, factor)[0]))
                body = Frac(rest, body.den)
        return body, split

    def _hangs_on(self, poly: fmpz_mpoly, bound: list[Index]) -> bool:
        return any(self.table.generators[k].expr.free_symbols & set(bound) for k in self.table.used(poly))

    def _term(
        self, monomial: tuple[int, ...], coefficient: int, divisors: list[tuple[fmpz_mpoly, int]], bound: list[Index]
    ) -> Frac:
        """Σ of one monomial over divisors that hang on the bound indices, what is in both cancelled first."""
        powers = [int(e) for e in monomial]
        inside: list[tuple[sympy.Expr, int]] = []
        for poly, exponent in divisors:
            alone = self.table.lone_generator(poly)
            shared = 0 if alone is None else min(powers[alone], exponent)
            if alone is not None:
                powers[alone] -= shared
            if exponent > shared:
                inside.append((sympy.Pow(self.table.poly_expr(poly), shared - exponent), 1))
        kept = [0] * len(powers)
        for k, exponent in enumerate(powers):
            expr = self.table.generators[k].expr if exponent else sympy.S.One
            if expr.free_symbols & set(bound):
                inside.append((expr, exponent))
            else:
                kept[k] = exponent
        outside = self.table.poly(self.table.context.from_dict({tuple(kept): coefficient}))
        return self.table.mul(outside, self._factors(inside, bound))

    def _factors(self, factors: list[tuple[sympy.Expr, int]], bound: list[Index]) -> Frac:
        """Σ over `bound` of a product of powers, each of which hangs on a bound index."""
        for expr, _ in factors:
            if isinstance(expr, Delta):
                contracted = self._contracted(expr, factors, bound)
                if contracted is not None:
                    return contracted
        opened, more = _opened(factors)
        if more:
            product = sympy.Mul(*[e**n for e, n in opened])
            body = self.normaliser.reduced(self.normaliser.form(product))
            return self.over(body, bound + more)
        results = []
        left = set(bound)
        for indices, members in _groups(factors, bound):
            results.append(self._group(indices, members))
            left -= indices
        results += [self.normaliser.form(i.extent) for i in bound if i in left]
        return self.table.combine(results, product=True)

    def _contracted(self, delta: Delta, factors: list[tuple[sympy.Expr, int]], bound: list[Index]) -> Frac | None:
        """Σ_k δ(k, e) f(k) = [0 ≤ e < extent] f(e); None where no bound index has the slope ±1."""
        difference = sympy.expand(delta.args[0] - delta.args[1])
        for index in bound:
            slope = difference.coeff(index, 1)
            if slope not in (1, -1):
                continue
            value = sympy.expand(-(difference - slope * index) / slope)
            if value.has(index):
                continue
            rest = [e**n for e, n in factors if e != delta]
            product = sympy.Mul(*rest).xreplace({index: value}) * _guard(value, index, self.table.memory.positions)
            body = self.normaliser.reduced(self.normaliser.form(product))
            return self.over(body, [i for i in bound if i != index])
        return None

    def _group(self, indices: set[Index], members: list[tuple[sympy.Expr, int]]) -> Frac:
        """The sum of factors that hang together, under a key that does not depend on the names of its indices."""
        rest, left = _without_facts(members, indices)
        if len(rest) < len(members):
            return self._factors(rest, sorted(left, key=lambda i: (i.name, i.dummy_index)))
        body_expr, places = _in_fixed_order(sympy.Mul(*[e**n for e, n in members]), indices)
        body = self.normaliser.reduced(self.normaliser.form(body_expr))
        scale = self.table.number(1)
        if len(body.num) == 1:
            content = body.num.leading_coefficient()
            scale = self.table.number(int(content))
            body = self.table.mul(body, self.table.inverse(scale))
        node = Reduction(Str("sum"), self.table.to_expr(body), sympy.Tuple(*places), Str(""))
        signs = {self.table.sign(body.num), self.table.sign(body.den)}
        sign = "+" if signs == {"+"} else "0+" if signs <= {"+", "0+"} else ""
        made, _ = self.table.generator(("reduction", node), lambda: Generator("sum", node, sign))
        return self.table.mul(scale, made)


def _guard(value: sympy.Expr, index: Index, positions: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """[0 ≤ value < extent], or 1 where that is certain, or what the claim is about."""
    if isinstance(value, Element) and positions.get(value.name) == index.extent:
        return sympy.S.One
    if isinstance(value, Index) and sympy.expand(value.extent - index.extent) == 0:
        return sympy.S.One
    bounds = value_range(value, indices_in(value)) if not value.atoms(Element) else None
    if bounds and provably_nonnegative(bounds[0]) and provably_nonnegative(index.extent - 1 - bounds[1]):
        return sympy.S.One
    return InRange(value, index.extent)


def _opened(factors: list[tuple[sympy.Expr, int]]) -> tuple[list[tuple[sympy.Expr, int]], list[Index]]:
    """Σ's that stand as factors with a positive power, written with free indices of their own."""
    flat: list[tuple[sympy.Expr, int]] = []
    more: list[Index] = []
    for expr, exponent in factors:
        if not (isinstance(expr, Reduction) and expr.op == "sum" and 0 < exponent <= 4):
            flat.append((expr, exponent))
            continue
        for _ in range(exponent):
            fresh = [i.fresh() for i in expr.bound]
            flat.append((expr.body.xreplace(dict(zip(expr.bound, fresh, strict=True))), 1))
            more += fresh
    return flat, more


def _groups(
    factors: list[tuple[sympy.Expr, int]], bound: list[Index]
) -> list[tuple[set[Index], list[tuple[sympy.Expr, int]]]]:
    """Factors connected through shared bound indices."""
    groups: list[tuple[set[Index], list[tuple[sympy.Expr, int]]]] = []
    for factor in factors:
        mine = set(bound) & factor[0].free_symbols
        touching = [g for g in groups if g[0] & mine]
        groups = [g for g in groups if not g[0] & mine]
        members = [f for g in touching for f in g[1]]
        groups.append((mine.union(*[g[0] for g in touching]), [*members, factor]))
    return groups


def _in_fixed_order(body: sympy.Expr, indices: set[Index]) -> tuple[sympy.Expr, list[Index]]:
    """The body with its guards in one place and its bound indices renamed in one order, whatever they were called."""
    body, order = placed(body, frozenset(indices))
    height = height_of(body) + 1
    places = [place(i.extent, height, k) for k, i in enumerate(order)]
    return body.xreplace(dict(zip(order, places, strict=True))), places


def _without_facts(
    members: list[tuple[sympy.Expr, int]], indices: set[Index]
) -> tuple[list[tuple[sympy.Expr, int]], set[Index]]:
    """Leave out Σ_k y[…, k] = 1 where nothing else hangs on k."""
    for index in sorted(indices, key=lambda i: (i.name, i.dummy_index)):
        hanging = [m for m in members if index in m[0].free_symbols]
        if len(hanging) == 1 and _sums_to_one(hanging[0], index):
            members = [m for m in members if m is not hanging[0]]
            indices = indices - {index}
    return members, indices


def _sums_to_one(member: tuple[sympy.Expr, int], index: Index) -> bool:
    expr, exponent = member
    return (
        exponent == 1
        and isinstance(expr, Element)
        and Fact.SUMS_TO_ONE in expr.tensor.facts
        and expr.subscripts[-1] == index
        and not any(s.has(index) for s in expr.subscripts[:-1])
        and sympy.expand(expr.tensor.indices[-1].extent - index.extent) == 0
    )
