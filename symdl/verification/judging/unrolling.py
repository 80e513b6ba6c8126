"""v_t = β² v_{t−2} + β g_{t−1} + g_t of v_t = β v_{t−1} + g_t: a recurrence, put into itself a few times."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.verdict import Verdict

#: The method of such a verdict.
UNROLLING = "unrolling"
#: Steps that are put into each other at most.
MOST = 4


def by_unrolling(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof with states on both sides by the earliest ones of which one side speaks; None where there is none."""
    if link.values is None or link.relation not in ("=", "≡"):
        return None
    scope = judge.reading.scope
    try:
        pair = _aligned(scope, *link.values)
        earliest = {} if pair is None else _earliest(scope, pair)
        if pair is None or not earliest:
            return None
        left, right = (_unrolled(scope, side, earliest) for side in pair)
    except SymdlError:
        return None
    if left is None or right is None:
        return None
    found = judge.decided(link, left, right)
    steps = " and ".join(sorted(name for name, _ in earliest))
    told = f"{found.scope}, by the recurrence of {steps}"
    return replace(found, method=UNROLLING, scope=told) if found.proved else None


def _aligned(scope: Scope, a: Array, b: Array) -> tuple[sympy.Expr, sympy.Expr] | None:
    if a.rank != b.rank or not all(scope.fit(i.extent, j.extent) for i, j in zip(a.axes, b.axes, strict=True)):
        return None
    return scope.settled(a.body), scope.settled(b.at(a.axes))


def _steps(scope: Scope, e: Element) -> dict[tuple[str, Index], int]:
    """−2 of v_{t−2}, where v is made of its own entries."""
    formula = scope.formulas.get((e.name, len(e.subscripts)))
    if formula is None or not formula.recurrent or (e.name, e.subscripts) in scope.entries:
        return {}
    made = formula.value.body.atoms(Element)
    found = {}
    for place, axis, start in zip(range(len(e.subscripts)), formula.value.axes, formula.starts, strict=False):
        own = [u.subscripts[place] - axis - start for u in made if u.name == e.name]
        indices = [i for i in e.subscripts[place].free_symbols if isinstance(i, Index)]
        back = all(o.is_Integer and o <= 0 for o in own) and any(o < 0 for o in own)
        if back and len(indices) == 1 and (e.subscripts[place] - indices[0]).is_Integer:
            found[e.name, indices[0]] = int(e.subscripts[place] - indices[0])
    return found


def _earliest(scope: Scope, pair: tuple[sympy.Expr, sympy.Expr]) -> dict[tuple[str, Index], int]:
    """How far back both sides reach, of each state that stands at several times in them."""
    seen: dict[tuple[str, Index], set[int]] = {}
    for e in {e for side in pair for e in side.atoms(Element)}:
        for key, step in _steps(scope, e).items():
            seen.setdefault(key, set()).add(step)
    return {key: min(steps) for key, steps in seen.items() if 1 < max(steps) - min(steps) <= MOST}


def _unrolled(scope: Scope, expr: sympy.Expr, earliest: dict[tuple[str, Index], int]) -> sympy.Expr | None:
    """A side with each state that is later than the earliest one by the one before it; None where that does not end."""
    for _ in range(2 * MOST + 2):
        later = {}
        for e in expr.atoms(Element):
            steps = _steps(scope, e)
            if any(key in earliest and step > earliest[key] for key, step in steps.items()):
                formula = scope.formulas[e.name, len(e.subscripts)]
                places = tuple(s - start for s, start in zip(e.subscripts, formula.starts, strict=True))
                later[e] = formula.value.at(places)
        if not later:
            return scope.settled(scope.expanded(expr, lambda e, f: not (f.given or f.recurrent)))
        expr = scope.settled(scope.replaced(expr, later))
    return None
