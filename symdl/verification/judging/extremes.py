"""max_x f(x) = M over every number x, and min, sup and inf: what f reaches says whether it is so.

Of a function of x alone that is proved for all x (`symdl.verification.reach`). Where f hangs on other names as well,
f(x) ≤ M has to be so for all x, and f(c) = M for one: c is looked for where a factor of the slope is linear in x.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.decide import equal
from symdl.verification.judging.doubts import doubt_of_values
from symdl.verification.judging.graphs import Judging
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.ranges import Span, Value, compare
from symdl.verification.reach import LARGEST, ROLLE, interval, reach
from symdl.verification.terms import UndecidedError
from symdl.verification.verdict import Status, Verdict

#: Operators by the relation in which every other value stands to theirs.
_BOUNDS = {"max": "≤", "sup": "≤", "min": "≥", "inf": "≥"}
_WORDS = {"max": "largest value", "sup": "supremum", "min": "least value", "inf": "infimum"}


@dataclass(frozen=True)
class _Claim:
    """The letter, what is looked at as it hangs on it, and what is claimed of it.

    Args:
        ranges: the numbers it may run over: those below the operator; else all, and those that were spoken of before.
    """

    op: str
    x: Element
    f: sympy.Expr
    claimed: sympy.Expr
    ranges: tuple[sympy.Interval, ...]


def extreme(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on a largest or least value; None where the link is about none, or nothing is found out."""
    if link.relation not in ("=", "≡"):
        return None
    for big, other in ((link.left, link.right), (link.right, link.left)):
        if isinstance(big, tree.Big) and big.op in _BOUNDS and big.sup is None:
            claim = _claim(judge, big, other)
            if claim is None:
                return None
            alone = claim.f.atoms(Element) == {claim.x} and not claim.claimed.atoms(Element)
            return _reached(judge, link, claim) if alone else _by_a_place(judge, link, claim, big.body, other)
    return None


def _claim(judge: Judging, big: tree.Big, other: Node) -> _Claim | None:
    letter = big.sub.sides[1] if isinstance(big.sub, tree.Chain) and len(big.sub.sides) == 3 else big.sub
    if not isinstance(letter, tree.Symbol) or any(isinstance(n, tree.Number) and "." in n.text for n in walk(other)):
        return None
    scope = judge.reading.scope
    try:
        reader = judge.reading.reader()
        x, f, m = (reader.value(node) for node in (letter, big.body, other))
        ends = [reader.number(side) for side in big.sub.sides[::2]] if isinstance(big.sub, tree.Chain) else []
    except SymdlError:
        return None
    if not isinstance(x.body, Element) or scope.formula_of(x.body) is not None or x.axes or f.axes or m.axes:
        return None
    made, claimed = opened(scope, f.body), opened(scope, m.body)
    if claimed.has(x.body) or not made.has(x.body) or reader.free or made.has(Reduction, UnknownFunction):
        return None
    if scope.is_stated(x.body.name):
        return None
    s = sympy.Dummy(letter_of(letter), real=True)
    told = [c.xreplace({x.body: s}) for c in judge.domain(made, claimed) if c.has(x.body)]
    if isinstance(big.sub, tree.Chain):
        low, high = (r in ("<", "≤") for r in big.sub.relations)
        if not (low and high and all(e.is_Rational for e in ends)):
            return None
        ranges = [sympy.Interval(*ends, big.sub.relations[0] == "<", big.sub.relations[1] == "<")]
    else:
        ranges = [sympy.S.Reals, *([interval(told, s)] if told else [])]
    if not all(isinstance(r, sympy.Interval) for r in ranges):
        return None
    return _Claim(big.op, x.body, made, claimed, tuple(ranges))


def _reached(judge: Judging, link: Meaning, claim: _Claim) -> Verdict | None:
    """The verdict by what a function of one number reaches: proved in one range, or refuted in all of them."""
    if doubt_of_values(judge.reading, replace(link, values=(scalar(claim.f), scalar(claim.claimed)))):
        return None
    found = []
    for within in claim.ranges:
        verdict = _within(claim, within, judge.seconds / 2 / len(claim.ranges))
        if verdict is not None and verdict.proved:
            return verdict
        found.append(verdict)
    open_ = [v for v in found if v is None or v.status is not Status.REFUTED]
    return open_[0] if open_ else found[0]


def _within(claim: _Claim, within: sympy.Interval, seconds: float) -> Verdict | None:
    s = sympy.Dummy(claim.x.name, real=True)
    try:
        span = reach(claim.f.xreplace({claim.x: s}), s, within, seconds)
        end, taken = (span.high, span.high_closed) if _BOUNDS[claim.op] == "≤" else (span.low, span.low_closed)
        same = compare(end, Value(claim.claimed)) == 0
    except UndecidedError:
        return None
    told = f"the {_WORDS[claim.op]} is {end}"
    if not same:
        exactly = end.exact is not None and not end.infinite
        found = equal(end.exact, claim.claimed) if exactly and end.exact is not None else None
        return replace(found, reason=told) if found is not None and found.status is Status.REFUTED else None
    if not taken and claim.op in ("max", "min"):
        return Verdict(Status.UNDECIDED, "none", "these numbers", reason=f"{end} is come near, and not taken")
    return Verdict(Status.PROVED, ROLLE, f"all real {claim.x.name}{_shown(within)}", reason=told)


def _shown(within: sympy.Interval) -> str:
    """An interval behind its letter: nothing where that is every number."""
    ends = [Value(e) for e in (within.start, within.end)]
    whole = all(e.infinite for e in ends)
    return "" if whole else f" in {Span(ends[0], ends[1], not within.left_open, not within.right_open)}"


def _by_a_place(judge: Judging, link: Meaning, claim: _Claim, body: Node, other: Node) -> Verdict | None:
    """The proof by a place where the value is taken, and by the bound for every other."""
    if claim.ranges[0] != sympy.S.Reals:
        return None
    taken = replace(link, relation="=", values=None)
    places = list(_places(claim.f, claim.x))
    at = [c for c in places if judge.decided(taken, claim.f.xreplace({claim.x: c}), claim.claimed).proved]
    if not at:
        return None
    bound = judge.read_in(judge.reading, replace(link, left=body, right=other, relation=_BOUNDS[claim.op], values=None))
    if bound.status not in (Status.PROVED, Status.CONSISTENT):
        return None
    return replace(bound, reason=f"it is taken at {claim.x.name} = {at[0]}")


def _places(f: sympy.Expr, x: Element) -> Iterator[sympy.Expr]:
    """The zeros of the slope that are linear in x."""
    if f.has(sympy.Piecewise) or sum(1 for _ in sympy.preorder_traversal(f)) > LARGEST:
        return
    t = sympy.Dummy("t", real=True)
    slope = sympy.together(f.xreplace({x: t}).diff(t))
    for factor, _ in sympy.factor_list(sympy.numer(slope))[1]:
        if factor.is_polynomial(t) and sympy.degree(factor, t) == 1:
            line = sympy.Poly(factor, t)
            yield -line.nth(0) / line.nth(1)
