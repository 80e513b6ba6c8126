"""Equal equations computed once: the sum that batch norm's x̄ needs is β̄, which is wanted anyway."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

import sympy

from symdl.core.equations import Equation, Term
from symdl.core.tensors import Head, Tensor


def share_equal(equations: Iterable[Equation], outputs: Container[str]) -> list[Equation]:
    """The equations without those that compute what another one computes; outputs keep their names.

    >>> from symdl.core.define import define, Input, Sum, let
    >>> @define
    ... def d(x=Input("n")):
    ...     (n,) = x.indices
    ...     a = let("a", Sum(x[n], n))
    ...     b = let("b[n]", a * x[n])
    ...     return b, let("c", Sum(x[n], n))
    >>> share_equal(d.equations, d.outputs)
    [c = Sum_{n}(x[n]), b[n] = c*x[n]]
    """
    listed = list(equations)
    ahead = _read_ahead(listed)
    first: dict[sympy.Expr, int] = {}
    renamed: dict[Tensor, Tensor] = {}
    for position, original in enumerate(listed):
        eq = _renamed(original, renamed)
        listed[position] = eq
        key = _key(eq)
        if key not in first:
            first[key] = position
            continue
        kept = listed[first[key]]
        if {eq.name, kept.name} & ahead:
            continue
        if eq.name not in outputs:
            renamed[eq.out] = kept.out
        elif kept.name not in outputs:
            renamed[kept.out] = eq.out
            listed[first[key]] = replace(eq, terms=_at(kept, eq))
            listed[first[key] + 1 : position] = [
                _renamed(e, {kept.out: eq.out}) for e in listed[first[key] + 1 : position]
            ]
        else:
            continue
        listed[position] = replace(eq, terms=())
    return [e for e in listed if e.terms]


def _read_ahead(equations: Sequence[Equation]) -> set[str]:
    """What a recurrence reads before it stands: it has to keep its name."""
    undefined = {e.name for e in equations}
    found: set[str] = set()
    for eq in equations:
        found |= eq.used_names & undefined
        undefined.discard(eq.name)
    return found


def _at(kept: Equation, eq: Equation) -> tuple[Term, ...]:
    mapping = dict(zip(kept.indices, eq.indices, strict=True))
    return tuple(replace(t, body=t.body.xreplace(mapping)) for t in kept.terms)


def _renamed(eq: Equation, tensors: Mapping[Tensor, Tensor]) -> Equation:
    heads = {Head(old): Head(new) for old, new in tensors.items() if old in eq.uses}
    return eq.map(lambda body: body.xreplace(heads)) if heads else eq


def _key(eq: Equation) -> sympy.Expr:
    """The right-hand side with place holders for indices, for comparing equations."""
    free = {i: sympy.Symbol(f"free{k}:{i.extent}") for k, i in enumerate(eq.indices)}
    parts = []
    for term in eq.terms:
        bound = {i: sympy.Symbol(f"bound{k}:{i.extent}") for k, i in enumerate(term.bound)}
        label = sympy.Symbol(f"{term.op}:{term.ties}:{len(term.bound)}")
        parts.append(sympy.Tuple(label, term.body.xreplace({**free, **bound})))
    return sympy.Tuple(*sorted(parts, key=sympy.default_sort_key))
