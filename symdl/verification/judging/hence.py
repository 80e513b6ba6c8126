"""2Xᵀ(Xw − y) = 0 and hence Xᵀy = XᵀX w: what follows from a condition of the same formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import sympy

from symdl.errors import SymdlError
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.verdict import Status, Verdict

#: What the difference of the two sides may be, times what is 0.
_MULTIPLES = (sympy.S.One, sympy.S.NegativeOne, sympy.S.Half, -sympy.S.Half, sympy.Integer(2), sympy.Integer(-2))


def condition_of_zero(link: Meaning, verdict: Verdict) -> Array | None:
    """What a condition says to be 0; None of any other link."""
    zero = isinstance(link.right, tree.Number) and link.right.text == "0" and link.relation == "="
    condition = verdict.status is Status.DEFINITION and verdict.scope == "a condition"
    return link.values[0] if zero and condition and link.values is not None else None


def where_zero(
    scope: Scope, zeros: Iterable[Array], link: Meaning, decide: Callable[[Pair], Verdict]
) -> Verdict | None:
    """The proof that both sides differ by a multiple of what the same formula says to be 0; else None."""
    if link.values is None or link.relation not in ("=", "≡"):
        return None
    left, right = link.values
    for zero in zeros:
        if not left.rank == right.rank == zero.rank:
            continue
        pairs = zip(left.axes, right.axes, zero.axes, strict=True)
        if not all(scope.fit(i.extent, j.extent) and scope.fit(i.extent, k.extent) for i, j, k in pairs):
            continue
        difference = left.body - right.at(left.axes)
        try:
            forms = [opened(scope, scope.settled(e)) for e in (difference, zero.at(left.axes))]
        except SymdlError:
            continue
        for multiple in _MULTIPLES if forms[0] != 0 and forms[1] != 0 else ():
            found = decide((forms[0], multiple * forms[1]))
            if found.proved:
                return replace(found, scope=f"{found.scope}, where the condition before it holds")
    return None
