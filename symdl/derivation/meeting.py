"""Sums weighted by shares less one: Σ_m (p_m − δ_mj) y_m = Σ_m p_m (y_m − y_j), since shares add up to 1.

Where all y are nearly the same, the difference that is left is taken of numbers that are given, and not of sums.

>>> from symdl.core.define import Input, Sum, define, exp, let, delta
>>> @define
... def pulled(s=Input("n m=n"), y=Input("m d")):
...     (n, m), (_, d) = s.indices, y.indices
...     S = let("S[n]", Sum(exp(s[n, m]), m))
...     p = let("p[n,m]", exp(s[n, m]) / S[n])
...     slope = let("s_bar[n,m]", (p[n, m] - delta(n, m)) / 2)
...     return let("q[n,d]", Sum(slope[n, m] * y[m, d], m))
>>> with_differences(pulled).equations[-1]
q[n, d] = Sum_{m}((y[m, d] - y[n, d])*p[n, m]/2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, elements_in, rename


@dataclass(frozen=True)
class _Less:
    """factor · (share − δ(index, other)), in the indices of its tensor."""

    indices: tuple[Index, ...]
    index: Index
    other: sympy.Expr
    share: sympy.Expr
    factor: sympy.Expr


def with_differences(definition: Definition) -> Definition:
    """The definition with every such sum rewritten; equal to it for all real values."""
    known = {eq.name: found for eq in definition.equations if (found := _less(eq, definition.by_name))}
    if not known:
        return definition
    made = tuple(replace(eq, terms=tuple(_term(t, known) for t in eq.terms)) for eq in definition.equations)
    if made == definition.equations:
        return definition
    return replace(definition, equations=made, kinks=(), general=None).only(definition.outputs)


def _less(eq: Equation, by_name: Mapping[str, Equation]) -> _Less | None:
    """A tensor that is a share less one at one place."""
    if len(eq.terms) != 1 or eq.terms[0].bound:
        return None
    for node in sympy.Mul.make_args(eq.terms[0].body):
        if not (node.is_Add and len(node.args) == 2):
            continue
        parts = [a.as_coeff_Mul() for a in node.args]
        sides = [a for _, a in parts if isinstance(a, Element)]
        deltas = [a for _, a in parts if isinstance(a, Delta)]
        if len(sides) != 1 or len(deltas) != 1 or sum(c for c, _ in parts) != 0:
            continue
        axis = _shared_axis(sides[0], by_name)
        if axis is None or axis not in eq.out.indices or axis not in deltas[0].args:
            continue
        (other,) = [a for a in deltas[0].args if a != axis] or [axis]
        number = next(c for c, a in parts if a == sides[0])
        factor = eq.terms[0].body / node * number
        if other != axis and axis not in factor.free_symbols and not _uses(factor, axis):
            return _Less(eq.out.indices, axis, other, sides[0], factor)
    return None


def _shared_axis(share: Element, by_name: Mapping[str, Equation]) -> Index | None:
    """The index over which e^f/S adds up to 1, S being Σ e^f over it; None where an element is no such share."""
    eq = by_name.get(share.name)
    if eq is None or len(eq.terms) != 1 or eq.terms[0].bound or tuple(share.subscripts) != eq.out.indices:
        return None
    powers = [f for f in sympy.Mul.make_args(eq.terms[0].body) if isinstance(f, sympy.exp)]
    if len(powers) != 1:
        return None
    below = powers[0] / eq.terms[0].body
    total = by_name.get(below.name) if isinstance(below, Element) else None
    if total is None or len(total.terms) != 1 or len(total.terms[0].bound) != 1 or total.terms[0].op != "sum":
        return None
    (bound,) = total.terms[0].bound
    for axis in eq.out.indices:
        places = {**dict(zip(total.out.indices, below.subscripts, strict=True)), bound: axis}
        free = axis.extent == bound.extent and axis not in below.subscripts
        if free and rename(total.terms[0].body, places) == powers[0]:
            return axis
    return None


def _term(term: Term, known: Mapping[str, _Less]) -> Term:
    """A sum of such a tensor times something else, over the place that is less one."""
    if term.op != "sum" or len(term.bound) != 1:
        return term
    (bound,) = term.bound
    for factor in sympy.Mul.make_args(term.body):
        found = known.get(factor.name) if isinstance(factor, Element) else None
        if found is None:
            continue
        places = dict(zip(found.indices, factor.subscripts, strict=True))
        others = [v for i, v in places.items() if i != found.index]
        if places[found.index] != bound or any(v.has(bound) for v in others):
            continue
        rest = term.body / factor
        at = rename(rest, {bound: rename(found.other, places)})
        body = rename(found.factor * found.share, places) * sympy.factor_terms(rest - at)
        return replace(term, body=body)
    return term


def _uses(expr: sympy.Expr, index: Index) -> bool:
    return any(index in s.free_symbols for e in elements_in(expr) for s in e.subscripts)
