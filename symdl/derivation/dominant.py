"""Sums of shifted exponentials that one term dominates: what is left of 1 keeps its digits.

After `stabilise` a softmax is e^{f − m}/S with S = Σ e^{f − m} and m = max f, so that S is 1 plus what all but one of
the largest terms add up to. That remainder T is summed by itself. Each rewriting is an exact identity:

- log S is log1p T, and f − m is subtracted before anything else is added;
- e^{f − m} takes the rounding of f − m into account, and is divided by S in one step;
- p + w, where p is the share of the largest term, is (1 + w) − T/S;
- v − p Σ v, the slope of a log-softmax, is v T/S − p (Σ v − v) there;
- v − Σ p v, the slope of a softmax, is the same for v − b, b being v at the largest term.

>>> from symdl.core.define import define, Input, let
>>> from symdl.derivation.stable import stabilise
>>> from symdl.library.activations import log_softmax
>>> @define
... def scores(z=Input("n k")):
...     n, k = z.indices
...     return let("y[n,k]", log_softmax(z[n, k], k))
>>> with_remainders(stabilise(scores))
scores(z[n, k]) -> y:
    m[n] = Max_{k}(z[n, k])
    C[n] = Sum_{k}(Switch(gap(z[n, k], m[n]), 0, 1, 1)) - 1
    T[n] = Sum_{k}(Switch(gap(z[n, k], m[n]), exp_gap(z[n, k], m[n]), 0, 1))
    y[n, k] = gap(z[n, k], m[n]) - log1p(C[n] + T[n])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy.codegen.cfunctions import log1p

from symdl.core.accurate import exp_gap, gap, quotient
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.functions import Delta, InRange, Masked, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, elements_in, rename


@dataclass(frozen=True)
class _Sum:
    """S[n] = Σ_k g·e^{f − m[n]} with m[n] = max_k f; and the equations of its remainder, C[n] + T[n]."""

    total: Tensor
    peak: Tensor
    exponent: sympy.Expr
    guard: sympy.Expr
    bound: tuple[Index, ...]
    count: Tensor
    rest: Tensor

    @property
    def distance(self) -> sympy.Expr:
        return gap(self.exponent, self.peak.element())

    @property
    def remainder(self) -> sympy.Expr:
        """All but one of the largest terms."""
        return self.count.element() + self.rest.element()

    def equations(self) -> list[Equation]:
        """How often the largest term stands there, less one; the other terms; and 1 with both, which is S."""
        power = exp_gap(self.exponent, self.peak.element())
        largest = self.guard * Switch(self.distance, 0, 1, 1)
        others = self.guard * Switch(self.distance, power, 0, 1)
        return [
            Equation(self.count, (Term(sympy.S.NegativeOne), Term(largest, self.bound, "sum")), "stable: remainder"),
            Equation(self.rest, (Term(others, self.bound, "sum"),), "stable: remainder"),
            Equation(self.total, (Term(1 + self.remainder),), "stable: shifted"),
        ]

    def at(self, expr: sympy.Expr, subscripts: tuple[sympy.Expr, ...]) -> sympy.Expr:
        """An expression in the free indices of the sum, at subscripts of it."""
        return rename(expr, dict(zip(self.total.indices, subscripts, strict=True)))


def with_remainders(definition: Definition) -> Definition:
    """The definition with the rewritings above applied wherever they hold; equal to it for all real values."""
    names = set(definition.tensors)
    sums = {s.total.name: s for eq in definition.equations if (s := _sum_of(eq, definition.by_name, names))}
    if not sums:
        return definition
    shares = {eq.name: eq for eq in definition.equations if _is_share(eq, sums)}
    means = {eq.name: m for eq in definition.equations if (m := _mean_of(eq, shares, sums, names))}
    made: list[Equation] = []
    for eq in definition.equations:
        changed = eq.map(lambda body: _centred(_shares(body, shares, sums), means))
        changed = changed.map(lambda body: _logs(_slopes(body, sums, definition.by_name), sums))
        made.append(changed)
        if eq.name in means:
            made += means[eq.name].equations
    used = {name for eq in made for name in eq.used_names}
    for found in [s for s in sums.values() if {s.count.name, s.rest.name} & used]:
        place = next(k for k, eq in enumerate(made) if eq.name == found.total.name)
        made[place : place + 1] = found.equations()
    whole = [eq.map(lambda body: _distances(body, sums)) for eq in made]
    return replace(definition, equations=tuple(whole), kinks=(), general=None).only(definition.outputs)


def _sum_of(eq: Equation, by_name: Mapping[str, Equation], names: set[str]) -> _Sum | None:
    """What a sum is made of, where all of its terms are shifted by the largest."""
    if len(eq.terms) != 1 or eq.terms[0].op != "sum":
        return None
    factors = sympy.Mul.make_args(eq.terms[0].body)
    powers = [f.exp for f in factors if isinstance(f, sympy.exp)]
    guards = [f for f in factors if isinstance(f, (Delta, InRange))]
    if len(powers) != 1 or len(guards) + 1 != len(factors):
        return None
    for peak in elements_in(powers[0]):
        largest = by_name.get(peak.name)
        if largest is None or largest.terms[0].op != "max" or peak.subscripts != eq.indices:
            continue
        exponent = powers[0] + peak
        body = largest.terms[0].body
        inside = body.args[0] if isinstance(body, Masked) else body
        if _alike(inside, exponent) and not exponent.has(peak):
            count, rest = (unused(n, names) for n in ("C", "T"))
            names.update((count, rest))
            bound = eq.terms[0].bound
            tensors = (Tensor(n, eq.indices) for n in (count, rest))
            return _Sum(eq.out, peak.tensor, exponent, sympy.Mul(*guards), bound, *tensors)
    return None


def _alike(a: sympy.Expr, b: sympy.Expr) -> bool:
    """Whether two expressions are the same but for subscripts."""
    return bool(_bare(a) == _bare(b))


def _bare(expr: sympy.Expr) -> sympy.Expr:
    return expr.xreplace({e: sympy.Symbol(f"{e.name}_", real=True) for e in elements_in(expr)})


def _is_share(eq: Equation, sums: Mapping[str, _Sum]) -> bool:
    return len(eq.terms) == 1 and not eq.terms[0].bound and _share(eq.terms[0].body, sums) is not None


def _share(product: sympy.Expr, sums: Mapping[str, _Sum]) -> tuple[_Sum, Element, sympy.Expr, sympy.Expr] | None:
    """Of e^{f − m}/S · rest: the sum, its element, f and the rest; None where it is no such product."""
    factors = list(sympy.Mul.make_args(product))
    for divisor in [f for f in factors if f.is_Pow and f.exp == -1 and isinstance(f.base, Element)]:
        found = sums.get(divisor.base.name)
        if found is None:
            continue
        peak = found.peak[divisor.base.subscripts]
        for power in [f for f in factors if isinstance(f, sympy.exp)]:
            exponent = power.exp + peak
            if _alike(exponent, found.exponent):
                rest = sympy.Mul(*[f for f in factors if f not in (divisor, power)])
                return found, divisor.base, exponent, rest
    return None


def _shares(body: sympy.Expr, shares: Mapping[str, Equation], sums: Mapping[str, _Sum]) -> sympy.Expr:
    """p + w → (1 + w) − T/S at the largest term."""
    found = {}
    for node in body.atoms(sympy.Add):
        own = [a for a in node.args if isinstance(a, Element) and a.name in shares]
        if len(own) != 1 or any(e.name == own[0].name for a in node.args if a != own[0] for e in elements_in(a)):
            continue
        made = _share(shares[own[0].name].at(own[0].subscripts), sums)
        assert made is not None
        total, divisor, exponent, rest = made
        if rest != 1:
            continue
        others = node - own[0]
        kept = total.at(total.remainder, divisor.subscripts) / divisor
        distance = gap(exponent, total.peak[divisor.subscripts])
        found[node] = Switch(distance, node, gap(1 + others, kept), 1)
    return body.xreplace(found)


@dataclass(frozen=True)
class _Mean:
    """M[n] = Σ_k p v, and the equations of b[n], which is v at the largest term, and of D[n] = Σ_k p (v − b)."""

    value: Element
    middle: Tensor
    rest: Tensor
    equations: tuple[Equation, ...]


def _mean_of(eq: Equation, shares: Mapping[str, Equation], sums: Mapping[str, _Sum], names: set[str]) -> _Mean | None:
    """What a mean by shares is made of; None where an equation is none."""
    if len(eq.terms) != 1 or eq.terms[0].op != "sum":
        return None
    term = eq.terms[0]
    factors = sympy.Mul.make_args(term.body)
    for own in [f for f in factors if isinstance(f, Element) and f.name in shares]:
        made = _share(shares[own.name].at(own.subscripts), sums)
        value = sympy.Mul(*[f for f in factors if f != own])
        if made is None or made[3] != 1 or not isinstance(value, Element):
            continue
        total, divisor, exponent, _ = made
        if term.bound != tuple(i for i in own.subscripts if i not in divisor.subscripts):
            continue
        distance = gap(exponent, total.peak[divisor.subscripts])
        middle, rest = (Tensor(unused(n, names), eq.indices) for n in ("b", "D"))
        names.update((middle.name, rest.name))
        often = 1 + total.at(total.count.element(), divisor.subscripts)
        equations = (
            Equation(middle, (Term(Switch(distance, 0, value, 1) / often, term.bound, "sum"),), "stable: centre"),
            Equation(rest, (Term(own * gap(value, middle.element()), term.bound, "sum"),), "stable: centred"),
        )
        return _Mean(value, middle, rest, equations)
    return None


def _centred(body: sympy.Expr, means: Mapping[str, _Mean]) -> sympy.Expr:
    """v − Σ p v → (v − b) − Σ p (v − b)."""
    found = {}
    for node in body.atoms(sympy.Add):
        parts = {a: a.as_coeff_Mul() for a in node.args}
        wholes = [(a, sign, e) for a, (sign, e) in parts.items() if isinstance(e, Element) and e.name in means]
        if len(wholes) != 1 or abs(wholes[0][1]) != 1:
            continue
        first, sign, whole = wholes[0]
        mean = means[whole.name]
        value = next((-sign * a for a in node.args if _of(-sign * a, mean)), None)
        if value is not None:
            rest = [a for a in node.args if a not in (first, -sign * value)]
            centred = gap(value, mean.middle[whole.subscripts]) - mean.rest[whole.subscripts]
            found[node] = sympy.Add(*rest, -sign * centred)
    return body.xreplace(found)


def _of(value: sympy.Expr, mean: _Mean) -> bool:
    return isinstance(value, Element) and value.tensor == mean.value.tensor


def _slopes(body: sympy.Expr, sums: Mapping[str, _Sum], by_name: Mapping[str, Equation]) -> sympy.Expr:
    """v − p Σ v → v T/S − p (Σ v − v) at the largest term."""
    found: dict[Any, sympy.Expr] = {}
    for node in body.atoms(sympy.Add):
        if len(node.args) != 2:
            continue
        for own, product in (node.args, node.args[::-1]):
            made = _share(product, sums)
            if made is None or not _sums_up(-made[3], own, by_name):
                continue
            total, divisor, exponent, whole = made
            kept = total.at(total.remainder, divisor.subscripts) / divisor
            peak = total.peak[divisor.subscripts]
            share = sympy.exp(exponent - peak) / divisor
            found[node] = Switch(gap(exponent, peak), node, own * kept - share * gap(-whole, own), 1)
    return body.xreplace(found)


def _sums_up(whole: sympy.Expr, own: sympy.Expr, by_name: Mapping[str, Equation]) -> bool:
    """Whether one element is the sum of another over some of its indices."""
    eq = by_name.get(whole.name) if isinstance(whole, Element) else None
    if eq is None or not isinstance(own, Element) or len(eq.terms) != 1 or eq.terms[0].op != "sum":
        return False
    summand = eq.terms[0].body
    return isinstance(summand, Element) and summand.tensor == own.tensor


def _logs(body: sympy.Expr, sums: Mapping[str, _Sum]) -> sympy.Expr:
    """log S → log1p T."""
    found = {}
    for node in body.atoms(sympy.log):
        (inside,) = node.args
        if isinstance(inside, Element) and inside.name in sums:
            total = sums[inside.name]
            found[node] = log1p(total.at(total.remainder, inside.subscripts))
    return body.xreplace(found)


def _distances(body: sympy.Expr, sums: Mapping[str, _Sum]) -> sympy.Expr:
    """f − m as a subtraction of its own, in exponentials with what its rounding leaves out."""
    peaks = {s.peak.name: s for s in sums.values()}
    found = {}
    for node in body.atoms(sympy.Add):
        tops = [a for a in node.args if _peak_of(a) in peaks]
        if len(tops) != 1:
            continue
        sign, peak = (1, tops[0]) if isinstance(tops[0], Element) else (-1, -tops[0])
        names = {e.name for e in elements_in(peaks[peak.name].exponent)}
        part = [a for a in node.args if a != tops[0] and {e.name for e in elements_in(a)} & names]
        exponent = -sign * sympy.Add(*part)
        if part and _alike(exponent, peaks[peak.name].exponent):
            rest = [a for a in node.args if a != tops[0] and a not in part]
            found[node] = sympy.Add(*rest, -sign * gap(exponent, peak))
    body = body.xreplace(found)
    body = body.replace(lambda e: isinstance(e, sympy.exp) and isinstance(e.exp, gap), lambda e: exp_gap(*e.exp.args))
    return body.xreplace({node: divided for node in body.atoms(sympy.Mul) if (divided := _divided(node, sums)) != node})


def _divided(product: sympy.Expr, sums: Mapping[str, _Sum]) -> sympy.Expr:
    """e^{f − m}/S as a division of its own: a multiplication by 1/S would round once more."""
    powers = [f for f in product.args if isinstance(f, exp_gap)]
    divisors = [f for f in product.args if f.is_Pow and f.exp == -1 and getattr(f.base, "name", "") in sums]
    if len(powers) != 1 or len(divisors) != 1:
        return product
    rest = [f for f in product.args if f not in (powers[0], divisors[0])]
    return sympy.Mul(quotient(powers[0], divisors[0].base), *rest)


def _peak_of(term: sympy.Expr) -> str:
    """The name of ±m, of anything else nothing."""
    factor, rest = term.as_coeff_Mul()
    return rest.name if isinstance(rest, Element) and abs(factor) == 1 else ""
