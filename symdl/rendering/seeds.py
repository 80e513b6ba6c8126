"""The slope that is given and the slope that is computed, where both are of one tensor.

An output h of a recurrence is read by the loss and by the next time. Its given slope (`h_bar` of `seeded`) is what the
loss contributes directly; its cotangent adds what comes back through time. For a reader the whole is h̄ and the given
part h̄ with the letter of the loss above.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.functions import Delta
from symdl.core.tensors import Element, Head, Tensor
from symdl.derivation.deltas import contract
from symdl.derivation.steps import Derivation, Partial, Step


def given_and_computed(derivation: Derivation) -> dict[str, str]:
    """The slopes that are given and also computed, by name, with the name that the given part is shown under."""
    made = {e.out.cotangent_of for e in derivation.gradient.equations}
    pairs = ((t.name, t.cotangent_of) for t in derivation.source.inputs if t.cotangent_of in made)
    return {name: f"{of[1]}_bar_{of[0]}" for name, of in pairs if of}


def told_apart(derivation: Derivation) -> Derivation:
    """The derivation with its computed cotangents named `h_bar` and the given ones `h_bar_L`, where both exist."""
    made = {e.out.cotangent_of: e.out for e in derivation.gradient.equations if e.out.cotangent_of}
    pairs = [(t, made[t.cotangent_of]) for t in derivation.source.inputs if t.cotangent_of in made]
    if not pairs:
        return derivation
    names = given_and_computed(derivation)
    heads: dict[sympy.Basic, sympy.Basic] = {}
    given: dict[str, Tensor] = {}
    for seed, whole in pairs:
        names[whole.name] = f"{whole.cotangent_of[1] if whole.cotangent_of else ''}_bar"
        heads |= {Head(t): Head(replace(t, name=names[t.name])) for t in (seed, whole)}
        given[names[whole.name]] = replace(seed, name=names[seed.name])
    steps = [_renamed(step, heads) for step in derivation.steps]
    return replace(
        derivation,
        source=derivation.source.renamed(names),
        gradient=derivation.gradient.renamed(names),
        steps=tuple(_direct(step, given) for step in steps),
        names={k: names.get(v, v) for k, v in derivation.names.items()},
    )


def _renamed(step: Step, heads: dict[sympy.Basic, sympy.Basic]) -> Step:
    subject, before, after = (e.xreplace(heads) for e in (step.subject, step.before, step.after))
    return replace(step, subject=subject, before=before, after=after)


def _direct(step: Step, given: dict[str, Tensor]) -> Step:
    """In the cotangent of h, ∂L/∂h beside other terms is what the loss contributes directly."""
    seed = given.get(step.subject.name)
    if seed is None:
        return step

    def put(expr: sympy.Expr) -> sympy.Expr:
        if not expr.is_Add:
            return expr
        direct = {p: _at(seed, p.by) for p in expr.atoms(Partial) if p.of.name == _loss(seed)}
        direct |= {t: contract(t) for t in expr.args if t.has(Head(seed)) and t.has(Delta)}
        return expr.xreplace(direct)

    return replace(step, before=put(step.before), after=put(step.after))


def _at(seed: Tensor, by: Element) -> Element:
    return seed[tuple(by.subscripts)]


def _loss(seed: Tensor) -> str:
    return seed.cotangent_of[0] if seed.cotangent_of else ""
