"""Differences of roots of sums of squares: √(Σ u²) − √(Σ v²) = Σ (u − v)(u + v) / (√(Σ u²) + √(Σ v²)).

What u and v have in common cancels in symbols then, and not in digits: of two distances from one far point, all that
counts is how far the other two are apart. Where both roots are 0, so is their difference.

>>> from symdl.core.define import Input, Sum, define, let, sqrt
>>> @define
... def nearer(a=Input("n d"), p=Input("n d"), q=Input("n d")):
...     n, d = a.indices
...     one = let("A[n]", sqrt(Sum((a[n, d] - p[n, d]) ** 2, d)))
...     other = let("B[n]", sqrt(Sum((a[n, d] - q[n, d]) ** 2, d)))
...     return let("L[n]", one[n] - other[n])
>>> factored = with_factored_roots(nearer)
>>> factored.equations[-2:]
(R[n] = Sum_{d}((-p[n, d] + q[n, d])*(2*a[n, d] - p[n, d] - q[n, d])),
 L[n] = Switch(A[n] + B[n], 0, R[n]/(A[n] + B[n]), 0))
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.functions import Switch
from symdl.core.tensors import Element, Tensor, rename


def with_factored_roots(definition: Definition) -> Definition:
    """The definition with every such difference factored; equal to it for all real values."""
    names, by_name = set(definition.tensors), dict(definition.by_name)
    made: list[Equation] = []
    known: dict[tuple[str, str], Tensor] = {}
    for eq in definition.equations:
        terms = []
        for term in eq.terms:
            found: dict[sympy.Expr, sympy.Expr] = {}
            for node in term.body.atoms(sympy.Add):
                pair = _pair(node, by_name)
                if pair is None:
                    continue
                first, second = pair
                key = first.name, second.name
                if key not in known:
                    rest = _rest(first, second, by_name, unused("R", names))
                    names.add(rest.name)
                    known[key] = rest.out
                    made.append(rest)
                whole = first + second
                factor = node.coeff(first)
                quotient = Switch(whole, 0, known[key][first.subscripts] / whole, 0)
                found[node] = node - factor * (first - second) + factor * quotient
            terms.append(replace(term, body=term.body.xreplace(found)))
        made.append(replace(eq, terms=tuple(terms)))
    return replace(definition, equations=tuple(made), kinks=(), general=None) if known else definition


def _pair(node: sympy.Expr, by_name: dict[str, Equation]) -> tuple[Element, Element] | None:
    """The first c·A and −c·B of a sum, where A and B are roots of sums of squares with one set of subscripts."""
    roots = [a for a in node.args if squares(a.as_coeff_Mul()[1], by_name) is not None]
    for one, other in permutations(roots, 2):
        (c, first), (d, second) = one.as_coeff_Mul(), other.as_coeff_Mul()
        if c > 0 and c == -d and first.subscripts == second.subscripts:
            terms = [squares(e, by_name) for e in (first, second)]
            bounds = [[i.extent for i in t.bound] for t in terms if t is not None]
            if bounds[0] == bounds[1]:
                return first, second
    return None


def squares(e: sympy.Expr, by_name: dict[str, Equation]) -> Term | None:
    """The sum of squares that an element is the root of."""
    eq = by_name.get(e.name) if isinstance(e, Element) else None
    if eq is None or not eq.pointwise or not eq.rhs.is_Pow or eq.rhs.exp != sympy.S.Half:
        return None
    inside = by_name.get(eq.rhs.base.name) if isinstance(eq.rhs.base, Element) else None
    if inside is None or eq.rhs.base.subscripts != eq.indices or len(inside.terms) != 1:
        return None
    (term,) = inside.terms
    square = term.op == "sum" and term.body.is_Pow and term.body.exp == 2
    return replace(term, body=rename(term.body, dict(zip(inside.indices, eq.indices, strict=True)))) if square else None


def _rest(first: Element, second: Element, by_name: dict[str, Equation], name: str) -> Equation:
    """Σ u² − Σ v² as Σ (u − v)(u + v)."""
    one, other = (squares(e, by_name) for e in (first, second))
    assert one is not None and other is not None
    indices = by_name[first.name].indices
    places = dict(zip(by_name[second.name].indices, indices, strict=True)) | dict(
        zip(other.bound, one.bound, strict=True)
    )
    u, v = one.body.base, rename(other.body, places).base
    body = sympy.expand(u - v) * sympy.expand(u + v)
    return Equation(Tensor(name, indices), (replace(one, body=body),), "stable: difference of roots")
