"""Conditions as factors that are 1 or 0: [s ≤ t], [j = y_i], and what stands below a sum beside its index."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import indices_in, value_range
from symdl.verification.meaning.errors import MeaningError


def guard(relations: Iterable[sympy.Basic]) -> sympy.Expr:
    """1 where all relations hold, else 0.

    Between whole numbers it is made of δ and ranges, which the canonical form of sums knows; between others, of
    switches.

    Raises:
        MeaningError: two numbers that are no whole ones are equal, or are not.

    >>> from symdl.core.indices import Index
    >>> s, t = Index("s"), Index("t")
    >>> guard([sympy.LessThan(s, t, evaluate=False)])
    InRange(-s + t, T)
    """
    return sympy.Mul(*[_one(r) for r in relations])


def _one(relation: sympy.Basic) -> sympy.Expr:
    if relation in (sympy.true, sympy.false):
        return sympy.Integer(relation == sympy.true)
    a, b = relation.args
    if isinstance(relation, (sympy.Equality, sympy.Unequality)):
        if not (a.is_integer and b.is_integer) and not (a.is_Rational and b.is_Rational):
            raise MeaningError("an indicator of two numbers that are equal")
        same = Delta(a, b)
        return same if isinstance(relation, sympy.Equality) else 1 - same
    strict = isinstance(relation, (sympy.StrictLessThan, sympy.StrictGreaterThan))
    above = isinstance(relation, (sympy.GreaterThan, sympy.StrictGreaterThan))
    difference = sympy.expand(a - b if above else b - a)
    if a.is_integer and b.is_integer:
        difference -= int(strict)
        bounds = value_range(difference, indices_in(difference))
        if bounds is not None:
            return InRange(difference, sympy.expand(bounds[1] + 1))
    return Switch(difference, sympy.S.Zero, sympy.S.One, sympy.Integer(not strict))


def ranges(relations: list[sympy.Basic]) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Of 0 ≤ e < n, e and n: a place that has to be on an axis of n, which is so as long as that axis is.

    >>> from symdl.core.indices import Index
    >>> u, H = Index("u"), sympy.Symbol("H", integer=True)
    >>> ranges([sympy.LessThan(0, u - 1, evaluate=False), sympy.StrictLessThan(u - 1, H, evaluate=False)])
    [(u - 1, H)]
    """
    below = [r.args[1] for r in relations if isinstance(r, sympy.LessThan) and r.args[0] == 0]
    above = [r.args for r in relations if isinstance(r, sympy.StrictLessThan)]
    return [(e, extent) for e, extent in above if e in below and not indices_in(extent)]


def joined(relations: list[sympy.Basic]) -> sympy.Expr:
    """The guard of relations that belong together: 0 ≤ e < n is one range."""
    whole = [(e, n) for e, n in ranges(relations) if e.is_integer and n.is_integer]
    taken = [r for r in relations for e, n in whole if r.args in ((0, e), (e, n))]
    return sympy.Mul(*[InRange(e, n) for e, n in whole]) * guard([r for r in relations if r not in taken])
