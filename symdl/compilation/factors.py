"""What a sum does not touch stands outside of it: Σ_i c·x[i] is c·Σ_i x[i], one multiplication for many."""

from __future__ import annotations

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element


def taken_out(body: sympy.Expr, bound: frozenset[Index]) -> tuple[sympy.Expr, sympy.Expr]:
    """A body as (what does not depend on the bound indices) × (the rest); guards stay with what they guard.

    >>> i = Index("i", 3)
    >>> a, b, N = sympy.symbols("a b N", positive=True)
    >>> taken_out(a * i / N, frozenset([i]))
    (a/N, i)
    >>> taken_out(2 * a * i / N - 4 * b * i**2 / N, frozenset([i]))
    (2/N, -2*i**2*b + i*a)
    >>> taken_out(9 * a * i / 10 + b * i / 10, frozenset([i]))
    (1, 9*i*a/10 + i*b/10)
    """
    guarded = body.has(InRange, Delta)
    outside: list[sympy.Expr] = []
    inside: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(body):
        if factor.is_Add:
            common, rest = _common(factor, bound, guarded)
            outside += common
            inside.append(rest)
        else:
            (inside if _touched(factor, bound, guarded) else outside).append(factor)
    return sympy.Mul(*outside), sympy.Mul(*inside)


def _touched(factor: sympy.Expr, bound: frozenset[Index], guarded: bool) -> bool:
    """Whether a factor has to stay: it changes with a bound index, or it may be read only under a guard."""
    if factor.has(InRange, Delta) or set(indices_in(factor)) & bound:
        return True
    return guarded and bool(factor.atoms(Element))


def _common(total: sympy.Expr, bound: frozenset[Index], guarded: bool) -> tuple[list[sympy.Expr], sympy.Expr]:
    """The factors that all summands have, as far as the sum does not touch them, and what is left."""
    if not _touched(total, bound, guarded):
        return [total], sympy.S.One
    content, rest = total.primitive()
    if content < 1 and any(abs(s.as_coeff_Mul()[0]) > 1 for s in rest.args):
        content, rest = sympy.S.One, total  # 9 y + z outside of 1/10 may overflow where 9 y/10 + z/10 does not
    summands = [sympy.Mul.make_args(s) for s in rest.args]
    shared = [
        f for f in summands[0] if not f.is_Number and not _touched(f, bound, guarded) and all(f in s for s in summands)
    ]
    left = sympy.Add(*[sympy.Mul(*[f for f in s if f not in shared]) for s in summands])
    return [content, *shared], left
