"""Tests of the sign of s at relu(s) instead: one is above 0 where the other is, and NaN where the other is.

Then s is needed for nothing more once relu(s) is there, and is not kept for the way back.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.compilation.slopes import ends_of_groups
from symdl.compilation.targets.blocks import computed
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import Switch
from symdl.core.tensors import Element, Tensor, elements_in


def with_signs_of_results(definition: Definition) -> Definition:
    """The definition with slopes of relu at what it returned; equal to it, at kinks and at what is no number too.

    >>> from symdl.core.define import define, Input, Param, let
    >>> from symdl.library.activations import relu
    >>> @define
    ... def net(x=Input("n"), v=Param("n")):
    ...     (n,) = x.indices
    ...     s = let("s[n]", v[n] * x[n])
    ...     h = let("h[n]", relu(s[n]))
    ...     return let("slope[n]", Switch(s[n], 0, 1, 0) * h[n])
    >>> with_signs_of_results(net).equations[2:]
    (slope[n] = Switch(h[n], 0, 1, 0)*h[n],)
    """
    # what relu made of a tensor, and the last equation of its recurrence
    results: dict[Tensor, tuple[Tensor, int]] = {}
    ends, equations = ends_of_groups(definition), list[Equation]()
    for position, eq in enumerate(definition.equations):
        known = {s: h for s, (h, end) in results.items() if end < position}
        found = {c: at for t in eq.terms for c in t.body.atoms(Switch) if (at := _at_result(c, known)) is not None}
        equations.append(eq.map(lambda body, found=found: body.xreplace(found)) if found else eq)  # type: ignore[misc]
        if (given := _rectified(eq)) is not None:
            results.setdefault(given, (eq.out, ends[position]))
    if all(a is b for a, b in zip(equations, definition.equations, strict=True)):
        return definition
    return replace(definition, equations=tuple(equations), kinks=definition.kinks)


def _rectified(eq: Equation) -> Tensor | None:
    """The tensor of whose entries an equation leaves those above 0, and 0 for the others."""
    elements = elements_in(eq.terms[0].body)
    if not eq.pointwise or len(eq.terms) != 1 or len(elements) != 1 or elements[0].subscripts != eq.indices:
        return None
    return elements[0].tensor if computed(eq.terms[0].body) == Switch(elements[0], 0, elements[0], 0) else None


def _at_result(switch: sympy.Expr, results: dict[Tensor, Tensor]) -> sympy.Expr | None:
    """A switch at s that is the value below 0 at 0 as well, at relu(s)."""
    s, below, above, weight = switch.args
    if not isinstance(s, Element) or s.tensor not in results or weight != 0 or s in elements_in(below + above):
        return None
    return Switch(results[s.tensor][s.subscripts], below, above, weight)
