"""The first possibility: put every equation into the target, and differentiate the one expression."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.core.define import unused
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Named, Term, flatten
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, Role, Tensor, aligned, elements_in
from symdl.derivation.canonical import is_zero
from symdl.derivation.deltas import contract
from symdl.derivation.inline import inline
from symdl.derivation.slopes import differentiate
from symdl.derivation.steps import Partial, Step
from symdl.derivation.tidy import apply_facts, cancel_exponentials, collect


def expand_and_differentiate(
    definition: Definition, of: Element, wrt: Iterable[Tensor]
) -> tuple[list[Step], list[Equation]]:
    """The steps, and one equation for each gradient (plus equations that name nested sums)."""
    sources = tuple(wrt)
    names = set(definition.tensors)
    inputs = {t.name for t in sources}
    shifts = _open_maxima(definition)
    whole = aligned(inline(definition, of, keep=inputs | shifts))
    steps = [Step("E", of, of, whole)] if whole != of else []
    for name in sorted(shifts):
        steps.append(_prove_shift(definition, whole, definition[name], of))
    equations: list[Equation] = []
    known: Named = {}
    for tensor in sources:
        equations += _one(definition, of, whole, tensor, shifts, names, steps, known)
    return steps, equations


def _one(
    definition: Definition,
    of: Element,
    whole: sympy.Expr,
    tensor: Tensor,
    shifts: set[str],
    names: set[str],
    steps: list[Step],
    known: Named,
) -> list[Equation]:
    free = tuple(s for s in of.subscripts if isinstance(s, Index))
    name = unused(f"{tensor.name}_bar", names)
    names.add(name)
    bar = Tensor(name, (*free, *tensor.indices), Role.INTERMEDIATE, cotangent_of=(of.name, tensor.name))
    by = tensor.element()
    raw = cancel_exponentials(aligned(differentiate(whole, by)))
    value = collect(cancel_exponentials(aligned(contract(raw))))
    plain, conditions = apply_facts(value)
    steps.append(Step("E'", bar.element(), Partial(of, by), raw))
    for rule, before, after, note in (("R3", raw, value, ""), ("R6", value, plain, "; ".join(conditions))):
        if before != after:
            steps.append(Step(rule, bar.element(), before, after, note))
    closed = inline(definition, plain, keep={e.name for e in elements_in(plain)} - shifts)

    def name_for(node: Reduction) -> str:
        found = unused({"sum": "S", "max": "m", "prod": "P"}[node.op], names)
        names.add(found)
        return found

    return flatten(bar, aligned(closed), name_for, "expanded", known)


def _open_maxima(definition: Definition) -> set[str]:
    """Equations that are a maximum without a policy for ties: their slope must be shown to cancel."""
    return {e.name for e in definition.equations if any(t.op == "max" and not t.ties for t in e.terms)}


def _prove_shift(definition: Definition, whole: sympy.Expr, shift: Tensor, of: Element) -> Step:
    """R4*: the expression does not depend on the maximum, by its canonical form."""
    by = Tensor(shift.name, tuple(i.fresh() for i in shift.indices)).element()
    by = shift[tuple(by.subscripts)] if by.subscripts else shift.element()
    total = contract(differentiate(whole, by))
    if not is_zero(total):
        # states the policy error with the equation it belongs to
        eq = definition.by_name[shift.name]
        term: Term = eq.terms[0]
        from_policy = differentiate(term.expr, elements_in(term.body)[0])
        return Step("R4", of, total, from_policy)
    return Step("R4*", by, total, sympy.S.Zero)
