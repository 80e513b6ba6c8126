"""Proofs by the chain rule over the names of a document, in the readings that its slopes of losses have."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import sympy

from symdl.verification.judging import rules
from symdl.verification.judging.chains import by_graph
from symdl.verification.judging.hadamard import entry_by_entry, has_dots, powers_of_entries
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.stated import DEFINITIONS, EQUALITIES, Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.verdict import Status, Verdict


class Judging(rules.Judging, Protocol):
    """`symdl.verification.judging.links.Judge`, as the readings see it."""

    seed: int
    quick: bool
    zeros: list[Array]

    @property
    def seconds(self) -> float: ...

    def decided(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict: ...

    def domain(self, left: sympy.Expr, right: sympy.Expr) -> list[sympy.Basic]: ...


def for_every_loss(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof by the chain rule alone, for every loss that hangs on what is worked out last and on nothing else."""
    if link.relation not in ("=", "≡"):
        return None
    return by_graph(judge.reading, link, judge.seed, judge.seconds / 2, every=True)


def by_graphs(judge: Judging, reading: Reading, link: Meaning) -> Verdict | None:
    """The proof of a link in which slopes have names: those of losses first, else those of every number."""
    found = by_graph(reading, link, judge.seed, judge.seconds / 2)
    return found or by_graph(reading, link, judge.seed, judge.seconds / 2, every=True)


def as_once_named(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof by the chain rule with δ = ∂C/∂z, where that was said of a C that was given another formula since."""
    scope = judge.reading.scope.as_once_named()
    if scope is None or link.relation not in ("=", "≡"):
        return None
    reading = replace(judge.reading, scope=scope)
    return by_graphs(judge, reading, link)


def as_chapters_before(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof by the chain rule through names as chapters before have left them, δ = ∂L/∂z among them."""
    return in_chapters_before(judge, judge.reading, link)


def in_chapters_before(judge: Judging, reading: Reading, link: Meaning) -> Verdict | None:
    """The same in another reading."""
    before = reading.scope
    if link.relation not in ("=", "≡") or not any(before.chapter_over(f.section) for f in before.formulas.values()):
        return None
    scope = replace(before.as_before() or before.copy(), one_chapter=True)
    found = by_graphs(judge, replace(reading, scope=scope), link)
    return found and replace(found, scope=f"{found.scope}; with names of chapters before")


def of_entries(judge: Judging, link: Meaning) -> Verdict | None:
    """That a link with a matrix to a power is so where the power is one of its entries; None where it is not."""
    sides = powers_of_entries(link.left), powers_of_entries(link.right)
    if sides == (link.left, link.right) or link.values is None or not any(v.rank == 2 for v in link.values):
        return None
    found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
    if found.status not in (Status.PROVED, Status.CONSISTENT):
        return None
    reason = "so for powers of entries, which the text does not say"
    return replace(found, status=Status.UNDECIDED, method="none", reason=reason)


def with_entry_by_entry(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with squares of entries for A² beside ⊙, and ⊙ for a dot."""
    sides = entry_by_entry(link.left), entry_by_entry(link.right)
    if sides == (link.left, link.right) or link.relation not in EQUALITIES | DEFINITIONS:
        return None
    if link.values is not None and not (link.values[0].axes and any(map(has_dots, (link.left, link.right)))):
        return None  # powers that have a meaning keep it
    again = replace(link, left=sides[0], right=sides[1])
    scope = judge.reading.scope.copy()
    scope.merged = dict(judge.reading.merged)  # a dot may have made matrices square
    reading = replace(judge.reading, scope=scope)
    found = judge.read_in(reading, again)
    if not found.proved and link.relation in ("=", "≡"):
        chain = by_graph(reading, again, judge.seed, judge.seconds / 2, every=True)
        found = chain or in_chapters_before(judge, reading, again) or found
    return replace(found, scope=f"{found.scope}; powers and products of entries")
