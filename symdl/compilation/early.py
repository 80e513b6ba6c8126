"""Slopes of functions, computed where the functions are: both begin with the same exponential.

g = f(x) in the forward pass and f'(x) in the backward pass share most of their work where they are forms of their own
(see `derivation.accurate`). If nothing but f and f' needs x, f' is computed beside f and kept where x would have been.

>>> from symdl.core.define import define, Input, Param, Sum, let
>>> from symdl.derivation.accurate.calls import with_forms, with_twins
>>> from symdl.derivation.derive import derive
>>> from symdl.library.activations import ACTIVATIONS
>>> @define
... def unit(x=Input("n"), w=Param(), v=Param()):
...     (n,) = x.indices
...     s = let("s[n]", w * x[n])
...     a = let("a[n]", ACTIVATIONS["gelu"](s[n]))
...     return let("L", Sum(v * a[n], n))
>>> with_early_slopes(with_forms(derive(with_twins(unit), wrt=["w"]).gradient))
unit_gradient(x[n], w, v) -> L, w_bar:
    s[n] = w*x[n]
    a[n] = gelu_form(s[n])
    s_slope[n] = gelu_slope_form(s[n])
    L = Sum_{n}(v*a[n])
    a_bar[n] = v
    s_bar[n] = a_bar[n]*s_slope[n]
    w_bar = Sum_{n}(s_bar[n]*x[n])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, equation, unused
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Tensor
from symdl.derivation.accurate.calls import FormCall
from symdl.derivation.accurate.prices import price

#: What has to be saved, in multiplications of vectors (see `derivation.accurate.prices`): most of an exponential.
SAVED = 10.0


def with_early_slopes(definition: Definition) -> Definition:
    """The definition with such slopes as equations of their own, behind those of their functions; equal to it."""
    equations = list(definition.equations)
    in_time = {eq.name for group in groups(equations) if group.direction for eq in group.equations}
    for name in [eq.name for eq in equations]:
        if name in definition.outputs or name in in_time:
            continue
        use = _use_of(name, equations)
        if use is not None and use.first.name not in in_time:
            equations = _moved(use, equations, set(definition.tensors) | {e.name for e in equations})
    return replace(definition, equations=tuple(equations)) if equations != list(definition.equations) else definition


@dataclass(frozen=True)
class _Use:
    """A tensor, the equation of a function of it, and what else is computed of it later."""

    tensor: Tensor
    first: Equation
    late: type[FormCall]


def _use_of(name: str, equations: list[Equation]) -> _Use | None:
    """How a tensor is used, if only by a form and by another one later that has work in common with it."""
    found: list[tuple[Equation, type[FormCall]]] = []
    for eq in equations:
        for body in (t.body for t in eq.terms):
            elements = {e for e in body.atoms(Element) if e.name == name}
            calls = {c for c in body.atoms(FormCall) if c.args[0] in elements}
            rest = body.xreplace(dict.fromkeys(calls, sympy.S.Zero))
            if any(e.name == name for e in rest.atoms(Element)) or not all(_plain(e) for e in elements):
                return None
            found += [(eq, type(c)) for c in calls]
    kinds = dict.fromkeys(kind for _, kind in found)
    if len(kinds) != 2:
        return None
    early, late = kinds
    users = [eq.name for eq, kind in found if kind is early]
    if len(users) != 1 or any(eq.name in users for eq, kind in found if kind is late) or not _shares(early, late):
        return None
    tensor = next(eq.out for eq in equations if eq.name == name)
    return _Use(tensor, found[0][0], late)


def _plain(element: Element) -> bool:
    """Whether it is subscripted by different indices: an entry of its own for each of their values."""
    return all(isinstance(s, Index) for s in element.subscripts) and len(set(element.subscripts)) == len(
        element.subscripts
    )


def _shares(early: type[FormCall], late: type[FormCall]) -> bool:
    """Whether two forms have enough work in common."""
    pieces = [[p.expr for p in call.form.pieces if not p.near] for call in (early, late)]
    return any(price(b) - price(b, beside=a) >= SAVED for a, b in product(*pieces))


def _moved(use: _Use, equations: list[Equation], taken: set[str]) -> list[Equation]:
    """The equations with that slope behind its function, and read from there."""
    made = Tensor(unused(f"{use.tensor.name}_slope", taken), use.tensor.indices)
    own = equation(made, use.late(use.tensor.element()), "")

    def read(body: sympy.Expr) -> sympy.Expr:
        calls = {c for c in body.atoms(use.late) if c.args[0].name == use.tensor.name}
        return body.xreplace({c: made[c.args[0].subscripts] for c in calls})

    changed: Iterator[Equation] = (eq.map(read) for eq in equations)
    return [e for eq in changed for e in ((eq, own) if eq.name == use.first.name else (eq,))]
