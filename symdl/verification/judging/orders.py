"""Inequalities with names in them: proved by signs, refuted at a point, or seen to hold at points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import sympy
from flint import arb, fmpq

from symdl.core.deadlines import now
from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.balls import PRECISION, Evaluator
from symdl.verification.points import KINDS, Point, gather_limits, small_extents
from symdl.verification.reach import ROLLE, bounded, interval
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.scalars import scope_of
from symdl.verification.truth import opened
from symdl.verification.verdict import Status, Verdict, Witness

#: Relations between numbers that are proved by what their difference reaches, and whether it may not be 0.
_STRICT = {"<": True, ">": True, "≤": False, "≥": False}
#: Points that are tried.
POINTS = 40

_HOLDS: dict[str, Callable[[arb, arb], bool]] = {
    "<": lambda a, b: bool(a < b),
    "≤": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    "≥": lambda a, b: bool(a >= b),
    "≪": lambda a, b: bool(a < b),
    "≫": lambda a, b: bool(a > b),
}
_FAILS: dict[str, Callable[[arb, arb], bool]] = {
    "<": lambda a, b: bool(a >= b),
    "≤": lambda a, b: bool(a > b),
    ">": lambda a, b: bool(a <= b),
    "≥": lambda a, b: bool(a < b),
    "≪": lambda a, b: bool(a >= b),
    "≫": lambda a, b: bool(a <= b),
}


def decide(
    left: sympy.Expr, right: sympy.Expr, relation: str, domain: Sequence[Any], seed: int, budget: float
) -> Verdict:
    """The verdict on left < right and the like, for all values of what stands in them.

    What holds at some points and fails at others is mostly meant as a condition; what never holds is refuted.

    >>> x = sympy.Symbol("x", real=True)
    >>> [str(decide(sympy.exp(x), sympy.S.Zero, r, [], 0, 1.0).status) for r in "><"]
    ['proved', 'refuted']
    """
    scope = scope_of(sympy.Tuple(left, right), domain)
    if relation == "≠":
        return _apart(left, right, scope)
    if relation not in _HOLDS:
        return Verdict(Status.UNDECIDED, "none", scope, reason=f"{relation} between expressions is not decided")
    deadline = now() + budget
    agreed = failed = 0
    witness: Witness | None = None
    held: list[tuple[float, Point]] = []
    for point in islice(_points(left, right, seed), POINTS):
        if now() > deadline:
            break
        found = _at(point, left, right, relation, domain)
        if isinstance(found, Witness):
            witness, failed = witness or found, failed + 1
        elif found is not None:
            agreed += 1
            held.append((found, point))
    if witness is None and agreed and not _signed(left, right, relation):
        witness = _sought(held, left, right, relation, domain, deadline)
    if witness is not None and not agreed and failed >= 8:
        return Verdict(Status.REFUTED, f"ball arithmetic, at {failed} points of {failed}", scope, witness)
    if witness is not None:
        reason = f"so for some values, and not for others ({witness})"
        return Verdict(Status.DEFINITION, "definition", "a condition", reason=reason)
    if _signed(left, right, relation):
        return Verdict(Status.PROVED, "signs of the factors", scope)
    if agreed >= 8 and _everywhere(left, right, relation, domain):
        return Verdict(Status.PROVED, ROLLE, scope)
    if agreed >= 8:
        method = f"ball arithmetic at {agreed} points, {PRECISION} bits"
        return Verdict(Status.CONSISTENT, method, scope, reason="no proof was found")
    return Verdict(Status.UNDECIDED, "none", scope, reason="no proof was found")


def _everywhere(left: sympy.Expr, right: sympy.Expr, relation: str, domain: Sequence[Any]) -> bool:
    """Whether it is so for every value of the one number that stands in it, by what the difference reaches."""
    names = left.atoms(Element) | right.atoms(Element)
    if len(names) != 1 or relation not in _STRICT:
        return False
    (x,) = names
    s = sympy.Dummy("s", real=True)
    low, high = (side.xreplace({x: s}) for side in ((left, right) if relation in ("<", "≤") else (right, left)))
    within = interval([c.xreplace({x: s}) for c in domain], s)
    return within is not None and bounded(low, high, _STRICT[relation], s, within)


def _apart(left: sympy.Expr, right: sympy.Expr, scope: str) -> Verdict:
    """x ≠ y of open numbers says which are meant, unless their difference has one sign for all of them."""
    if _signed(left, right, ">") or _signed(left, right, "<"):
        return Verdict(Status.PROVED, "signs of the factors", scope)
    if sympy.expand(left - right) == 0:
        return Verdict(Status.UNDECIDED, "none", scope, reason="both sides are the same by the formulas here")
    return Verdict(Status.DEFINITION, "definition", "a condition", reason="so for some values only")


def _points(left: sympy.Expr, right: sympy.Expr, seed: int) -> Iterator[Point]:
    both = [left, right]
    number = 0
    while True:
        kind, extents = KINDS[number % len(KINDS)], small_extents(both, number % 3)
        yield Point(1_000_003 * seed + number, kind, extents, gather_limits(both))
        number += 1


_SIZES = ((1, 1000), (1, 10), (1, 2), (1, 1), (2, 1), (10, 1), (300, 1), (10**6, 1), (10**15, 1))
#: Values that are tried for each unknown in turn, and how often both sides are worked out for it.
_STEPS = tuple(sign * fmpq(*size) for size in _SIZES for sign in (1, -1))
_TRIALS = 300


def _sought(
    held: list[tuple[float, Point]],
    left: sympy.Expr,
    right: sympy.Expr,
    relation: str,
    domain: Sequence[Any],
    end: float,
) -> Witness | None:
    """A point where it is not so, from those on where it is nearly not so: one unknown moved at a time."""
    trials = 0
    for least, point in sorted(held, key=lambda pair: pair[0])[:3]:
        improved = True
        while improved:
            improved = False
            for key in [k for k in point.given if isinstance(k, tuple)]:
                for step in _STEPS:
                    trials += 1
                    if trials > _TRIALS or now() > end:
                        return None
                    moved = point.moved(key, step)
                    found = _at(moved, left, right, relation, domain)
                    if isinstance(found, Witness):
                        return found
                    if found is not None and found < least:
                        least, point, improved = found, moved, True
    return None


def _at(
    point: Point, left: sympy.Expr, right: sympy.Expr, relation: str, domain: Sequence[Any]
) -> Witness | float | None:
    """By how much it is so at a point; a witness where it is not, None where that is not known."""
    evaluator = Evaluator(point)
    free = sorted({i for e in (left, right) for i in e.free_symbols if isinstance(i, Index)}, key=str)
    at = dict.fromkeys(free, 0)
    try:
        if not all(evaluator.holds(c, at) for c in domain):
            return None
        a, b = (evaluator.value(e, at) for e in (left, right))
    except (UnclearError, UndefinedError, SymdlError):
        return None
    if _FAILS[relation](a, b):
        shown = {**point.shown, **{i.name: "0" for i in free}}
        return Witness(shown, str(a.str(20)), str(b.str(20)))
    return float(abs(a - b)) if _HOLDS[relation](a, b) else None


def _signed(left: sympy.Expr, right: sympy.Expr, relation: str) -> bool:
    """Whether the difference is a product of factors whose signs are known."""
    greater, less = (left, right) if relation in (">", "≥", "≫") else (right, left)
    strict = relation in ("<", ">", "≪", "≫")
    difference = opened(greater - less)
    for form in (lambda e: e, sympy.together, sympy.factor):
        try:
            written = form(difference)
        except (SymdlError, sympy.PolynomialError, NotImplementedError):
            continue
        if written.is_positive or (not strict and written.is_nonnegative):
            return True
    return False
