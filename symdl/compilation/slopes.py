"""Slopes that are computed where their functions are: one exponential for both, kept for the way back.

h = tanh(s) going forward, s̄ = sech²(s)·h̄ coming back: the second needs what the first has just computed. So
d = sech²(s) is computed beside h, and s̄ = d·h̄. As s is mostly needed for nothing else, that takes no memory either.
The same goes for a function and its slope that are computed by forms of their own (see `derivation.accurate`) with work
in common: gelu and its slope take 42 and 47 cycles for 16 numbers, and 54 together; and for σ(s) and σ(−s), which have
e^{−|s|} in common. In a recurrence slopes are computed at the moment of their functions (see `lowering`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import sympy

from symdl.compilation.targets.blocks import computed, upright
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.functions import ScalarFunction, sech2
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Tensor
from symdl.derivation.accurate.calls import FormCall
from symdl.derivation.accurate.prices import price

_X = sympy.Symbol("x", real=True)
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
    first: dict[Tensor, tuple[int, sympy.Expr]] = {}  # which equation begins with which function
    calls: dict[tuple[Tensor, sympy.Expr], None] = {}
    ends = ends_of_groups(definition)
    for position, eq in enumerate(definition.equations):
        for call in _calls(eq):
            element, function = _parted(call)
            tensor = element.tensor
            if tensor not in first:
                if eq.pointwise and eq.indices == element.subscripts:
                    first[tensor] = position, function
                continue
            begun, early = first[tensor]
            behind = ends[begun] < position and not _has(definition.equations[begun], tensor, function)
            if behind and _share(early, function):
                calls[tensor, function] = None
    if not calls:
        return definition
    names = set(definition.tensors)
    kept: dict[tuple[Tensor, sympy.Expr], Tensor] = {}
    for tensor, function in calls:
        kept[tensor, function] = Tensor(unused(f"{tensor.name}_slope", names), tensor.indices)
        names.add(kept[tensor, function].name)
    return _rewritten(definition, {t: ends[begun] for t, (begun, _) in first.items()}, kept)


def ends_of_groups(definition: Definition) -> list[int]:
    """For each equation the last one of its recurrence, or itself."""
    found: list[int] = []
    for group in groups(definition.equations):
        found += [len(found) + len(group.equations) - 1] * len(group.equations)
    return found


def _rewritten(
    definition: Definition, first: dict[Tensor, int], kept: dict[tuple[Tensor, sympy.Expr], Tensor]
) -> Definition:
    """Slopes stand behind the equation at `first`, and take the place of calls further on."""
    equations: list[Equation] = []
    for position, eq in enumerate(definition.equations):
        found = {}
        for call in _calls(eq):
            element, function = _parted(call)
            if (slope := kept.get((element.tensor, function))) is not None and first[element.tensor] < position:
                found[call] = slope[element.subscripts]
        equations.append(eq.map(lambda body, found=found: body.xreplace(found)) if found else eq)  # type: ignore[misc]
        for (tensor, function), slope in kept.items():
            if first[tensor] == position:
                equations.append(Equation(slope, (Term(function.xreplace({_X: tensor.element()})),)))
    return replace(definition, equations=tuple(equations), kinks=definition.kinks)


@cache
def _share(early: sympy.Expr, late: sympy.Expr) -> bool:
    """Whether two functions share their costly part."""
    if isinstance(early, FormCall) and isinstance(late, FormCall):
        pieces = [[p.expr for p in call.form.pieces if not p.near] for call in (early, late)]
    elif isinstance(early, ScalarFunction) and isinstance(late, ScalarFunction) and not isinstance(early, SHARED):
        pieces = [[upright(computed(call))] for call in (early, late)]
    else:
        return isinstance(early, SHARED) and isinstance(late, SHARED)
    return any(price(b) - price(b, beside=a) >= ENOUGH for a, b in product(*pieces))


def _calls(eq: Equation) -> list[sympy.Expr]:
    """The calls at elements of what is computed, each at different indices; in an order that is always the same."""
    found = {c for t in eq.terms for c in t.body.atoms(*SHARED, FormCall, ScalarFunction)}
    return sorted((c for c in found if len(c.args) == 1 and _is_plain(c.args[0])), key=sympy.default_sort_key)


def _parted(call: sympy.Expr) -> tuple[Element, sympy.Expr]:
    """The element that a function is called at, or at minus which, and the function at x."""
    (element,) = call.args[0].atoms(Element)
    return element, call.xreplace({element: _X})


def _is_plain(e: sympy.Expr) -> bool:
    e = -e if e.could_extract_minus_sign() else e
    if not isinstance(e, Element) or not e.subscripts:
        return False
    return len({s for s in e.subscripts if isinstance(s, Index)}) == len(e.subscripts)


def _has(eq: Equation, tensor: Tensor, function: sympy.Expr) -> bool:
    """Whether an equation has that function of that tensor itself."""
    return any((e.tensor, f) == (tensor, function) for e, f in map(_parted, _calls(eq)))
