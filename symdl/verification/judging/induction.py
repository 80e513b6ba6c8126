"""Closed forms of recurrences: x_t = aᵗ x_0 of x_t = a x_{t−1}, by induction over t.

The closed form has to be what x is where the recurrence begins, and the recurrence has to make the closed form at t of
that at t − 1. Where it speaks of the beginning of x itself, it is about this x: what the recurrence makes of that
beginning in three steps refutes it where it is something else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.scope import Formula, Scope, resized
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.values import valued, written_out
from symdl.verification.verdict import Status, Verdict

#: The method of such a verdict.
INDUCTION = "induction"
#: Steps after the beginning at which a closed form is looked at.
STEPS = 3


@dataclass(frozen=True)
class _Closed:
    """x and its recurrence, with the closed form that is claimed.

    Args:
        entry: x_t as it is claimed.
        index: the t in it.
        body: what it is claimed to be.
        formula: the recurrence.
        first: the place before the first that the recurrence makes.
    """

    entry: Element
    index: Index
    body: sympy.Expr
    formula: Formula
    first: sympy.Expr

    def at(self, place: sympy.Expr) -> sympy.Expr:
        """The closed form at a place."""
        moved: sympy.Expr = self.body.xreplace({self.index: self.index + place - self.entry.subscripts[0]})
        return moved

    def after_the_first(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression for the places that the recurrence makes: of t from 0 on, and x_0 as the first, from 1 on."""
        before = self.first + 1 - (self.entry.subscripts[0] - self.index)
        if not before.is_Integer or before <= 0:
            return expr
        moved: sympy.Expr = expr.xreplace({self.index: self.index.with_extent(self.index.extent - before) + before})
        return moved

    def made(self, place: sympy.Expr) -> sympy.Expr:
        """What the recurrence makes x of at a place."""
        return self.formula.value.at((place - self.formula.starts[0],))


def by_induction(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on a closed form of a recurrence; None where a link is anything else, or nothing is found."""
    closed = _closed(judge.reading, link)
    found = None if closed is None else _by_induction(judge, link, closed)
    if closed is None or found is not None or closed.first != -1:
        return found
    # of what is counted from 0, x_0 may be given
    return _by_induction(judge, link, replace(closed, first=sympy.S.Zero))


def _by_induction(judge: Judging, link: Meaning, closed: _Closed) -> Verdict | None:
    scope, name = judge.reading.scope, closed.entry.name
    begins = closed.at(closed.first), scope.entries.get((name, (closed.first,)))
    start = Element(closed.entry.args[0], closed.first) if begins[1] is None else begins[1].value.body
    exactly = replace(link, relation="=")
    step = _put_in(_opened(scope, closed.made(closed.entry.subscripts[0]), name), closed)
    begun = _proved(judge, exactly, begins[0], start)
    made = None if step is None else tuple(closed.after_the_first(e) for e in (step, closed.body))
    stepped = made is not None and _proved(judge, exactly, made[0], made[1])
    if begun and stepped:
        told = f"all real values; all t from {closed.first} on, by the recurrence of {name}"
        return Verdict(Status.PROVED, INDUCTION, told)
    if stepped and begins[1] is None and _proved(judge, exactly, begins[0], sympy.S.Zero):
        return Verdict(Status.CONDITIONAL, INDUCTION, "all real values", reason=f"so where {start} = 0")
    if link.relation == "≈" or not any(e.name == name for e in closed.body.atoms(Element)):
        return None
    third = _at_third(scope, closed, start)
    found = None if third is None else judge.decided(exactly, *third)
    return replace(found, method=INDUCTION) if found is not None and found.status is Status.REFUTED else None


def _closed(reading: Reading, link: Meaning) -> _Closed | None:
    if link.values is None or link.relation not in ("=", "≡", "≈") or any(v.axes for v in link.values):
        return None
    entry, body = (reading.scope.settled(v.body) for v in link.values)
    formula = reading.scope.formulas.get((entry.name, 1)) if isinstance(entry, Element) else None
    if not isinstance(entry, Element) or formula is None or not formula.recurrent or formula.value.rank != 1:
        return None
    indices = [i for i in entry.free_symbols if isinstance(i, Index)]
    if len(indices) != 1 or len(entry.subscripts) != 1 or not (entry.subscripts[0] - indices[0]).is_Integer:
        return None
    # t of aᵗ is the t of x_t, though the document may have set t = 0 somewhere
    body = body.xreplace({e: entry.subscripts[0] for e in body.atoms(Element) if e.name == indices[0].name})
    own = [e for e in body.atoms(Element) if e.name == entry.name]
    if any(not e.subscripts[0].is_Integer for e in own if len(e.subscripts) == 1):
        return None
    stated = {place for name, (place, *rest) in _places(reading.scope) if name == entry.name and not rest}
    first = {e.subscripts[0] for e in own} or stated or {sympy.Integer(formula.starts[0] - 1)}
    if len(first) != 1:
        return None
    return _Closed(entry, indices[0], body, formula, *first)


def _opened(scope: Scope, expr: sympy.Expr, name: str) -> sympy.Expr:
    """With definitions put in, but for those of one name."""
    return scope.settled(scope.expanded(expr, lambda e, formula: e.name != name and not formula.given))


def _places(scope: Scope) -> list[tuple[str, tuple[sympy.Expr, ...]]]:
    return [(name, places) for name, places in scope.entries if places]


def _put_in(made: sympy.Expr, closed: _Closed) -> sympy.Expr | None:
    """What the recurrence makes of the closed form one step before; None where it reaches further."""
    place = closed.entry.subscripts[0]
    own = [e for e in made.atoms(Element) if e.name == closed.entry.name]
    if not own or any(e.subscripts[0] != place - 1 for e in own):
        return None
    return made.xreplace({e: closed.at(place - 1) for e in own})


def _at_third(scope: Scope, closed: _Closed, start: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """What the recurrence and the closed form come to some steps after the beginning."""
    value = start
    # so many steps there are
    enough = {closed.index.extent: sympy.Integer(2 * STEPS) + abs(closed.first)} if closed.first.is_Integer else {}
    for k in range(1, STEPS + 1):
        made = _opened(scope, closed.made(closed.first + k), closed.entry.name)
        own = [e for e in made.atoms(Element) if e.name == closed.entry.name]
        if any(e.subscripts[0] != closed.first + k - 1 for e in own):
            return None
        value = made.xreplace(dict.fromkeys(own, value))
    third = resized(closed.at(closed.first + STEPS), lambda s: enough.get(s, s))
    return written_out(resized(value, lambda s: enough.get(s, s))), written_out(third)


def _proved(judge: Judging, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> bool:
    scope = judge.reading.scope
    if sympy.expand(sympy.expand(left - right), power_exp=True, power_base=True) == 0:
        return True
    if judge.decided(link, left, right).proved:
        return True
    numbers = valued(scope, left), valued(scope, right)
    return numbers != (left, right) and bool(sympy.expand(numbers[0] - numbers[1]) == 0)
