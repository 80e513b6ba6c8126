"""What is so where the entries that it names are there: of y_i = Σ_k w_k x_{i+k}, ∂y_i/∂x_j = w_{j−i} where w has such
an entry."""

from __future__ import annotations

import sympy

from symdl.core.functions import InRange
from symdl.core.guards import decided
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.verification.meaning.scope import Scope

Pair = tuple[sympy.Expr, sympy.Expr]


def where_entries_are(scope: Scope, forms: Pair) -> tuple[Pair, str] | None:
    """Both sides times what is 1 where every entry that they name outside of sums is there, and 0 elsewhere.

    Returns:
        The sides, and which entries these are, in words; None where no subscript can leave its axis.
    """
    found: dict[Element, list[sympy.Expr]] = {}
    for e in sorted(set().union(*map(_outside_of_sums, forms)), key=str):
        base, rank = scope.base(e.name), len(e.subscripts)
        for axis, sub in enumerate(e.subscripts):
            guard = InRange(sub - base, scope.extent(e.name, axis, rank))
            if sub.atoms(Index) and isinstance(guard, InRange) and decided(guard) is None:
                found.setdefault(e, []).append(guard)
    if not found:
        return None
    weight = sympy.Mul(*{guard for guards in found.values() for guard in guards})
    return (weight * forms[0], weight * forms[1]), ", ".join(sorted({e.name for e in found}))


def _outside_of_sums(expr: sympy.Expr) -> set[Element]:
    if isinstance(expr, Element):
        return {expr}
    if isinstance(expr, Reduction):
        return set()
    return set().union(*(_outside_of_sums(part) for part in expr.args if isinstance(part, sympy.Expr)))
