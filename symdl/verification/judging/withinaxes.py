"""What is so where the entries that it names are there: of y_i = Σ_k w_k x_{i+k}, ∂y_i/∂x_j = w_{j−i} where w has such
an entry."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symdl.core.functions import InRange
from symdl.core.guards import decided
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.verification.meaning.scope import Scope

Pair = tuple[sympy.Expr, sympy.Expr]


def within_axes(scope: Scope, forms: Pair, free: tuple[Index, ...]) -> Iterator[tuple[Pair, str]]:
    """Both sides times what is 1 where their entries are there, and 0 elsewhere, each with where that is, in words."""
    yield from _where_entries_are(scope, forms)
    yield from _where_summed(forms, free)


def _where_entries_are(scope: Scope, forms: Pair) -> Iterator[tuple[Pair, str]]:
    """Where every entry that is named outside of sums is there; nothing where no subscript can leave its axis."""
    found: dict[Element, list[sympy.Expr]] = {}
    for e in sorted(set().union(*map(_outside_of_sums, forms)), key=str):
        base, rank = scope.base(e.name), len(e.subscripts)
        for axis, sub in enumerate(e.subscripts):
            guard = InRange(sub - base, scope.extent(e.name, axis, rank))
            if sub.atoms(Index) and isinstance(guard, InRange) and decided(guard) is None:
                found.setdefault(e, []).append(guard)
    if found:
        weight = sympy.Mul(*{guard for guards in found.values() for guard in guards})
        names = ", ".join(sorted({e.name for e in found}))
        yield (weight * forms[0], weight * forms[1]), f"the subscripts of {names} are within its length"


def _where_summed(forms: Pair, free: tuple[Index, ...]) -> Iterator[tuple[Pair, str]]:
    """Where an index is one of those that a sum runs over: ∂V/∂y_j of V = Σ_{i ≤ k} y_i, for j ≤ k."""
    lengths = {i.extent for form in forms for r in form.atoms(Reduction) for i in r.bound}
    for index in free:
        for length in sorted(lengths - {index.extent}, key=str):
            guard = InRange(index, length)
            if isinstance(guard, InRange) and decided(guard) is None:
                yield (guard * forms[0], guard * forms[1]), f"{index.name} is one of {length}"


def _outside_of_sums(expr: sympy.Expr) -> set[Element]:
    if isinstance(expr, Element):
        return {expr}
    if isinstance(expr, Reduction):
        return set()
    return set().union(*(_outside_of_sums(part) for part in expr.args if isinstance(part, sympy.Expr)))
