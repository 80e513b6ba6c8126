"""The first possibility: put every equation into the target, and differentiate the one expression.

Where that would write the same sums over and over (a transformer block by its input: 131 sums that are 18), they keep
their names, and so do their slopes (`symdl.derivation.sumslopes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Named, flatten, namer, unused
from symdl.core.indices import Index
from symdl.core.tensors import Element, Role, Tensor, aligned, elements_in, refreshed, rename
from symdl.derivation.canonical import is_zero
from symdl.derivation.chain import active_names
from symdl.derivation.deltas import contract
from symdl.derivation.inline import inline
from symdl.derivation.slopes import differentiate, max_slope
from symdl.derivation.steps import Partial, Step
from symdl.derivation.sumslopes import is_repetitive, sum_slopes
from symdl.derivation.tidy import apply_facts, cancel_exponentials, collect


@dataclass
class Expansion:
    """The one expression, the names that are taken, and the steps so far.

    `shifts` are maxima without a policy for ties: they stay tensors until their slope is proved to cancel.
    """

    definition: Definition
    of: Element
    whole: sympy.Expr
    shifts: frozenset[str]
    names: set[str]
    known: Named = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def expand_and_differentiate(
    definition: Definition, of: Element, wrt: Iterable[Tensor]
) -> tuple[list[Step], list[Equation]]:
    """The steps, and one equation for each gradient (plus equations that name nested sums)."""
    sources = tuple(wrt)
    active = active_names(definition, sources)
    shifts = frozenset(
        e.name for e in definition.equations if e.name in active and any(t.op == "max" and not t.ties for t in e.terms)
    )
    if not shifts and is_repetitive(definition, of):
        names, known = set(definition.tensors), Named()
        parts = [_closed_gradient(definition, of, tensor, names, known) for tensor in sources]
        return [s for steps, _ in parts for s in steps], [e for _, equations in parts for e in equations]
    whole = aligned(inline(definition, of, keep={t.name for t in sources} | shifts))
    state = Expansion(definition, of, whole, shifts, set(definition.tensors))
    if whole != of:
        state.steps.append(Step("E", of, of, whole))
    for name in sorted(shifts):
        _prove_shift(state, definition.by_name[name])
    equations = [e for tensor in sources for e in _gradient(state, tensor)]
    return state.steps, equations


def _prove_shift(state: Expansion, eq: Equation) -> None:
    """R4*: the expression does not depend on the maximum, by its canonical form; else the policy is asked for."""
    by = eq.out[tuple(i.fresh() for i in eq.indices)] if eq.indices else eq.lhs
    total = contract(differentiate(state.whole, by))
    if not is_zero(total):
        max_slope(eq.terms[0], eq.lhs, eq)  # raises: there is no policy for ties
    state.steps.append(Step("R4*", by, total, sympy.S.Zero))


def _gradient(state: Expansion, tensor: Tensor) -> list[Equation]:
    """Differentiate by one tensor, eliminate δs, apply facts; nested sums get names."""
    bar = _bar(state.of, tensor, state.names)
    subject, by = bar.element(), tensor.element()
    raw = cancel_exponentials(aligned(differentiate(state.whole, by)))
    value = collect(cancel_exponentials(aligned(contract(raw))))
    plain, conditions = apply_facts(value)
    forms = (
        ("E'", Partial(state.of, by), raw, ""),
        ("R3", raw, value, ""),
        ("R6", value, plain, "; ".join(conditions)),
    )
    state.steps += [Step(rule, subject, a, b, note) for rule, a, b, note in forms if a != b]
    closed = inline(state.definition, plain, keep={e.name for e in elements_in(plain)} - state.shifts)
    return flatten(bar, aligned(closed), namer(state.names), "expanded", state.known)


def _bar(of: Element, tensor: Tensor, names: set[str]) -> Tensor:
    """The tensor for the gradient, of a name that is added to those that are taken."""
    free = tuple(s for s in of.subscripts if isinstance(s, Index))
    name = unused(f"{tensor.name}_bar", names)
    names.add(name)
    return Tensor(name, (*free, *tensor.indices), Role.INTERMEDIATE, cotangent_of=(of.name, tensor.name))


def _closed_gradient(
    definition: Definition, of: Element, tensor: Tensor, names: set[str], known: Named
) -> tuple[list[Step], list[Equation]]:
    """The gradient by one tensor with the sums under their names."""
    bar = _bar(of, tensor, names)
    steps, equations, slope, by = sum_slopes(definition, of, tensor, names, known)
    value = aligned(rename(refreshed(slope), dict(zip(by.subscripts, tensor.indices, strict=True))))
    steps = [*steps, Step("E'", bar.element(), Partial(of, tensor.element()), value)]
    return steps, [*equations, *flatten(bar, value, namer(names), "expanded", known)]
