"""Other readings of a link that is undecided in the first one: each of them proves it, or says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import sympy

from symdl.verification.judging.approximate import to_an_order
from symdl.verification.judging.convention import summed
from symdl.verification.judging.doubts import Pair
from symdl.verification.judging.increments import first_order_change
from symdl.verification.meaning.letters import letters_of
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.naming import applied_names
from symdl.verification.meaning.pointwise import at_a_place
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.verdict import Verdict


class Judging(Protocol):
    """`symdl.verification.judging.links.Judge`, as the readings see it."""

    reading: Reading

    def read_in(self, reading: Reading, link: Meaning, over: str = "") -> Verdict: ...

    def decided(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict: ...


def otherwise_proved(judge: Judging, link: Meaning) -> Verdict | None:
    """The first proof that another reading gives; None where none does."""
    for reading in (without_what_is_over, _with_nested_functions, _nearly, _summed, _for_any, _at_every_place):
        found = reading(judge, link)
        if found is not None and found.proved:
            return found
    return None


def without_what_is_over(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with those names left open that were defined in sections that are over; None where none were."""
    scope = judge.reading.scope.reduced(judge.reading.section)
    told = "names of sections that are over"
    return None if scope is None else judge.read_in(replace(judge.reading, scope=scope), link, told)


def _with_nested_functions(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with u for u(a, b) in f(u, v); None where nothing is nested so."""
    functions = judge.reading.scope.functions
    if not any(p in functions for f in functions.values() for p in f.parameters):
        return None
    scope = judge.reading.scope.copy()
    scope.nested = True
    return judge.read_in(replace(judge.reading, scope=scope), link)


def _nearly(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that both sides agree up to an order of a small number."""
    return _to_an_order(judge, judge.reading, link)


def _to_an_order(judge: Judging, reading: Reading, link: Meaning) -> Verdict | None:
    exactly = replace(link, relation="=")

    def decide(pair: Pair) -> Verdict:
        return judge.decided(exactly, *pair)

    return to_an_order(reading, link, decide) or first_order_change(reading, link, decide)


def _summed(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with a sum over each index that stands twice in a product, where the words say that it is meant."""
    reading = judge.reading
    if not reading.summing or link.relation != "=":
        return None
    reader = reading.reader()
    kept = reading.heads | letters_of(reader, link.left, heads_only=True)
    left, right = (summed(reader, side, kept) for side in (link.left, link.right))
    if (left, right) == (link.left, link.right):
        return None
    found = judge.read_in(reading, replace(link, left=left, right=right))
    return replace(found, scope=f"{found.scope}; indices that stand twice are summed over, as the words say")


def _for_any(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict for every function f, where f was defined before: so it is for that one."""
    reader = judge.reading.reader()
    names = {n for n in applied_names(reader, (link.left, link.right)) if function_letter(n)}
    known = {n for n in names if reader.known(n) or n in judge.reading.scope.opaque}
    if not known:
        return None
    reading = replace(judge.reading, scope=_where_open(judge.reading.scope, known))
    found = judge.read_in(reading, link)
    return found if found.proved else _to_an_order(judge, reading, link)


def _where_open(scope: Scope, names: set[str]) -> Scope:
    """The scope with names as if nothing had been said of them."""
    made = scope.copy()
    made.ranks = {n: r for n, r in made.ranks.items() if n not in names}
    made.opaque = {n: s for n, s in made.opaque.items() if n not in names}
    for name in names:
        made.forget(name)
    return made


def _at_every_place(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on (fg)′ = f′g + fg′ for all functions f and g, at every x; None where the link is no such rule."""
    reader = judge.reading.reader()
    place = next((x for x in ("x", "t", "s", "r", "τ") if not reader.known(x)), None)
    found = at_a_place((link.left, link.right), place) if place is not None else None
    if found is None or link.relation != "=":
        return None
    (left, right), functions = found
    usage = judge.reading.usage
    usage = replace(usage, applied=usage.applied | functions, bare=usage.bare - functions)
    reading = replace(judge.reading, scope=_where_open(judge.reading.scope, functions), usage=usage)
    return judge.read_in(reading, replace(link, left=left, right=right))
