"""∂L/∂u of a whole target through a recurrence: what the first step of every cotangent claims.

The target of a recurrence can't be written out while the number of times is a symbol. The chain rule needs no more
than the equations that read u: ∂L/∂u = Σ_w w̄ ∂w/∂u + what L itself reads of u. Times are finite and what is read is
earlier (or later), so these equations have one solution, and cotangents that satisfy all of them are the slopes. Which
equations read u, and their slopes, are found here anew. An expansion has given times; it is compared by element.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sympy

from symdl.core.deadlines import now, until
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Tensor, reduction, rename
from symdl.core.unroll import subscripts, unroll
from symdl.derivation.canonical import is_zero
from symdl.derivation.steps import Derivation, Partial, Step
from symdl.errors import SymdlError, UnsupportedError
from symdl.verification.decide import equal
from symdl.verification.partials import partial
from symdl.verification.points import small_extents
from symdl.verification.recurrences import written_over_time
from symdl.verification.scalars import scope_of
from symdl.verification.verdict import Status, Verdict


def by_chain_rule(derivation: Derivation, by: Element) -> sympy.Expr:
    """∂of/∂by from the equations that read `by`, each times the cotangent that the derivation has for it.

    Raises:
        UnsupportedError: the target is a state of a recurrence itself, or a cotangent is missing.
    """
    of, needed = derivation.of, derivation.source.only([derivation.of.name])
    if any(of.name in g.names for g in groups(needed.equations) if g.direction):
        raise UnsupportedError(f"the slope of {of}", why=f"{of.name} is a state of a recurrence itself")
    free = tuple(s for s in of.subscripts if isinstance(s, Index))
    bars = _cotangents(derivation)
    total = partial(needed.by_name[of.name].at(of.subscripts), by)
    for eq in needed.equations:
        if eq.name == of.name or by.name not in eq.used_names:
            continue
        if eq.name not in bars:
            raise UnsupportedError(f"{eq.name} reads {by.name}, and the steps have no slope of {of} by it")
        fresh = tuple(i.fresh() for i in eq.indices)
        sent = bars[eq.name][(*free, *fresh)] * partial(eq.at(fresh), by)
        total += reduction("sum", sent, fresh) if fresh else sent
    return total


def _cotangents(derivation: Derivation) -> dict[str, Tensor]:
    """The tensor that holds ∂of/∂w, by the name of w."""
    made = [step.subject.tensor for step in derivation.steps]
    return {t.cotangent_of[1]: t for t in made if t.cotangent_of and t.cotangent_of[0] == derivation.of.name}


def written_out(derivation: Derivation, step: Step, budget: float, options: dict[str, Any]) -> Verdict:
    """The verdict on a step of an expansion, whose `before` is the target or its slope by an input, at given times.

    Extents that are symbols become small numbers, which the scope tells.
    """
    started = now()
    equations = derivation.source.equations
    numbers = small_extents([e for eq in equations for e in (eq.lhs, eq.rhs)])
    if all(i.extent.is_Atom for t in derivation.source.tensors.values() for i in t.indices):
        numbers = dict.fromkeys(numbers, 2)
    with until(started + budget):
        verdicts: list[Verdict] = []
        for left, right in _pairs(derivation, step, numbers):
            if not _same(left, right):
                verdicts.append(equal(left, right, budget=started + budget - now(), **options))
                if not verdicts[-1].proved:
                    return replace(verdicts[-1], seconds=now() - started)
    told = ", ".join(f"{s.name} = {v}" for s, v in sorted(numbers.items(), key=str))
    scope = scope_of(step.after, (), [t for t in derivation.source.inputs if t.name in _names(step.after)])
    scope += f" and extents {told}" if told else ""
    method = f"{'normal' if verdicts else 'canonical'} form, written out in time"
    return Verdict(Status.PROVED, method, scope, seconds=now() - started)


def _same(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Equal by the canonical form, where nothing in it can be undefined."""
    if any(
        e.has(sympy.log) or any(p.exp.is_nonnegative is not True for p in e.atoms(sympy.Pow)) for e in (left, right)
    ):
        return False
    try:
        return is_zero(left - right)
    except (SymdlError, RecursionError):
        return False


def _names(expr: sympy.Expr) -> set[str]:
    return {e.name for e in expr.atoms(Element)}


def _pairs(
    derivation: Derivation, step: Step, numbers: dict[sympy.Symbol, int]
) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """Both sides of the step by inputs alone, for every value of its free indices."""
    of = derivation.of
    values = written_over_time(derivation.source, of.name, numbers)
    inputs = {(e.name, e.subscripts): e for v in values.values() for e in v.atoms(Element)}
    by = step.before.by if isinstance(step.before, Partial) else None
    free = list(dict.fromkeys(s for s in (*of.subscripts, *(by.subscripts if by else ())) if isinstance(s, Index)))
    sized = {i: _sized(i, numbers) for i in {*free, *step.after.atoms(Index)}}
    after = step.after.xreplace({**sized, **{s: sympy.Integer(n) for s, n in numbers.items()}})
    for where in subscripts(tuple(sized[i] for i in free)):
        at = dict(zip((sized[i] for i in free), where, strict=True))
        here: dict[sympy.Expr, sympy.Expr] = {i: at[sized[i]] for i in free}
        left = values[tuple(s.xreplace(here) for s in of.subscripts)]
        if by is not None:
            left = partial(left, by.tensor[tuple(s.xreplace(here) for s in by.subscripts)])
        right = unroll(rename(after, at))
        yield left, right.xreplace({e: inputs.get((e.name, e.subscripts), e) for e in right.atoms(Element)})


def _sized(index: Index, numbers: dict[sympy.Symbol, int]) -> Index:
    extent = index.extent.xreplace({s: sympy.Integer(n) for s, n in numbers.items()})
    return index if extent == index.extent else index.with_extent(extent)
