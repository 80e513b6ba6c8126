"""Slopes that are computed where their functions are: one exponential for both, kept for the way back.

h = tanh(s) going forward, s̄ = sech²(s)·h̄ coming back: the second needs what the first has just computed. So
d = sech²(s) is computed beside h, and s̄ = d·h̄. As s is mostly needed for nothing else, that takes no memory either.
The same goes for a function and its slope that are computed by forms of their own (see `derivation.accurate`) with work
in common: gelu and its slope take 42 and 47 cycles for 16 numbers, and 54 together.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.functions import sech2
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor
from symdl.derivation.accurate.calls import FormCall
from symdl.derivation.accurate.prices import price

#: Functions that share their costly part at one argument; two forms may do so as well.
SHARED = (sympy.tanh, sech2)
#: What two forms have in common, in multiplications of vectors: most of an exponential.
ENOUGH = 10.0


def with_slopes_kept(definition: Definition) -> Definition:
    """The definition with slopes beside the functions whose costly part they share; equal to it.

    >>> from symdl.core.define import define, Input, Param, Sum, let, tanh
    >>> @define
    ... def net(x=Input("n"), v=Param("n")):
    ...     (n,) = x.indices
    ...     s, up = let("s[n]", v[n] * x[n]), let("up[n]", x[n] ** 2)
    ...     h = let("h[n]", tanh(s[n]))
    ...     return let("L", Sum(h[n] + sech2(s[n]) * up[n], n))
    >>> with_slopes_kept(net).equations[2:]
    (h[n] = tanh(s[n]), s_slope[n] = sech2(s[n]), L = Sum_{n}(h[n] + s_slope[n]*up[n]))
    """
    first: dict[Tensor, tuple[int, Any]] = {}  # which equation begins with which function
    calls: dict[tuple[Tensor, Any], None] = {}
    for position, eq in enumerate(definition.equations):
        for call in _calls(eq):
            tensor = call.args[0].tensor
            if tensor not in first:
                if _is_beside(eq, call):
                    first[tensor] = position, call.func
                continue
            begun, function = first[tensor]
            behind = begun < position and not _has(definition.equations[begun], call)
            if behind and _share(function, call.func):
                calls[tensor, call.func] = None
    if not calls:
        return definition
    names = set(definition.tensors)
    kept: dict[tuple[Tensor, Any], Tensor] = {}
    for tensor, function in calls:
        kept[tensor, function] = Tensor(unused(f"{tensor.name}_slope", names), tensor.indices)
        names.add(kept[tensor, function].name)
    return _rewritten(definition, {t: begun for t, (begun, _) in first.items()}, kept)


def _rewritten(definition: Definition, first: dict[Tensor, int], kept: dict[tuple[Tensor, Any], Tensor]) -> Definition:
    equations: list[Equation] = []
    for position, eq in enumerate(definition.equations):
        found = {
            call: kept[key][call.args[0].subscripts]
            for call in _calls(eq)
            if (key := (call.args[0].tensor, call.func)) in kept and first[key[0]] < position
        }
        equations.append(eq.map(lambda body, found=found: body.xreplace(found)) if found else eq)  # type: ignore[misc]
        for (tensor, function), slope in kept.items():
            if first[tensor] == position:
                equations.append(Equation(slope, (Term(function(tensor.element())),)))
    return replace(definition, equations=tuple(equations), kinks=definition.kinks)


@cache
def _share(early: Any, late: Any) -> bool:
    """Whether two functions share their costly part."""
    if not (issubclass(early, FormCall) and issubclass(late, FormCall)):
        return early in SHARED and late in SHARED
    pieces = [[p.expr for p in call.form.pieces if not p.near] for call in (early, late)]
    return any(price(b) - price(b, beside=a) >= ENOUGH for a, b in product(*pieces))


def _calls(eq: Equation) -> list[sympy.Expr]:
    """The calls at elements of what is computed, each at different indices; in an order that is always the same."""
    found = {c for t in eq.terms for c in t.body.atoms(*SHARED, FormCall)}
    return sorted((c for c in found if _is_plain(c.args[0])), key=sympy.default_sort_key)


def _is_plain(e: sympy.Expr) -> bool:
    if not isinstance(e, Element) or not e.subscripts:
        return False
    plain = [s for s in e.subscripts if isinstance(s, Index) and not s.sequential]
    return len(set(plain)) == len(e.subscripts) and not any(i.sequential for i in e.tensor.indices)


def _is_beside(eq: Equation, call: sympy.Expr) -> bool:
    """Whether an equation computes a call at each element once."""
    return eq.pointwise and eq.indices == call.args[0].subscripts


def _has(eq: Equation, call: sympy.Expr) -> bool:
    """Whether an equation has that function itself."""
    return any(c.func == call.func and c.args[0].tensor == call.args[0].tensor for c in _calls(eq))
