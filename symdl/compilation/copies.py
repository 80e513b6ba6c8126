"""Tensors that are copies of others (ȳ = r, where a loss is Σ r·y) are read where the original stands."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.core.equations import Equation
from symdl.core.tensors import Element, Tensor


def without_copies(equations: Iterable[Equation], kept: Iterable[str]) -> list[Equation]:
    """The equations without those that only copy a tensor, axis by axis, unless they are among the `kept` outputs.

    >>> from symdl.core.define import define, Input, Sum, let
    >>> @define
    ... def total(r=Input("n"), x=Input("n")):
    ...     (n,) = x.indices
    ...     c = let("c[n]", r[n])
    ...     return let("L", Sum(c[n] * x[n], n))
    >>> without_copies(total.equations, total.outputs)
    [L = Sum_{n}(r[n]*x[n])]
    """
    keep = set(kept)
    originals: dict[str, Tensor] = {}
    found: list[Equation] = []
    for eq in equations:
        made = eq.map(lambda body: _of_originals(body, originals))
        source = _copied(made)
        if source is None or made.name in keep:
            found.append(made)
        else:
            originals[made.name] = source
    return found


def _copied(eq: Equation) -> Tensor | None:
    """The tensor that an equation copies."""
    body = eq.terms[0].body
    alone = len(eq.terms) == 1 and not eq.terms[0].bound and isinstance(body, Element)
    return body.tensor if alone and body.subscripts == eq.indices and not body.tensor.integer else None


def _of_originals(body: sympy.Expr, originals: dict[str, Tensor]) -> sympy.Expr:
    return body.xreplace({e: originals[e.name][e.subscripts] for e in body.atoms(Element) if e.name in originals})
