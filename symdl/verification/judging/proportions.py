"""a ∝ b: the quotient of both hangs on nothing that b is made of.

With indices, p_i ∝ e^{z_i} says that one factor serves for all i. Nothing is refuted: texts leave out what they take to
be constant.
"""

from __future__ import annotations

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.decide import equal
from symdl.verification.judging.graphs import Judging
from symdl.verification.meaning.calculus import slope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import opened
from symdl.verification.verdict import Status, Verdict


def proportional(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that one side is the other one times what does not hang on it; None where there is none."""
    if link.relation != "∝" or judge.reading.unclear or judge.reading.wished:
        return None
    scope, reader = judge.reading.scope, judge.reading.reader()
    try:
        sides = [reader.value(side) for side in (link.left, link.right)]
        left, right = (opened(scope, side.body) for side in sides)
        unknown = {e.name for side in (left, right) for e in side.atoms(Element)} & scope.opaque.keys()
        if any(side.axes for side in sides) or 0 in (left, right) or left.has(UnknownFunction) or unknown:
            return None
        found = _one_factor(left, right) or _constant_quotient(judge, left, right)
    except SymdlError:
        return None
    return found


def _one_factor(left: sympy.Expr, right: sympy.Expr) -> Verdict | None:
    """The proof for p_i = e^{z_i}/Σ_j e^{z_j}: no index of both sides is left in the quotient."""
    letters = [{s for s in side.free_symbols if isinstance(s, Index)} for side in (left, right)]
    quotient = sympy.powsimp(left / right)
    if not letters[0] or letters[0] != letters[1] or letters[0] & quotient.free_symbols:
        return None
    told = ", ".join(sorted(i.name for i in letters[0]))
    return Verdict(Status.PROVED, "quotient", f"all {told}, with one factor for all of them")


def _constant_quotient(judge: Judging, left: sympy.Expr, right: sympy.Expr) -> Verdict | None:
    """The proof that ∂(a/b)/∂x = 0 for every x that b is made of."""
    names = sorted(right.atoms(Element), key=str)
    if not names or any(e.subscripts for e in names):
        return None
    for name in names:
        sides = slope(left, name) * right, left * slope(right, name)
        if not equal(*sides, seed=judge.seed, budget=judge.seconds / 4).proved:
            return None
    return Verdict(Status.PROVED, "slope of the quotient", f"all real {', '.join(map(str, names))}")
