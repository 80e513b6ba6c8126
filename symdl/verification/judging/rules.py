"""Rules of calculus in functions without their arguments: (fg)′ = f′g + fg′ for all f and g, σ′ = σ(1 − σ) for the σ
that readers know.

A rule for all functions that fails for some is refuted: with the functions for which it fails as its witness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Protocol

import sympy

from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.functions import CUSTOMARY
from symdl.verification.meaning.pointwise import at_a_place
from symdl.verification.meaning.scope import Formula, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict, Witness

#: Functions that are tried, as they are told; none is its own derivative, 0 or constant anywhere for long.
_EXAMPLES = {"x² + 1": lambda x: x**2 + 1, "e²ˣ": lambda x: sympy.exp(2 * x), "3x + 2": lambda x: 3 * x + 2}


class Judging(Protocol):
    """`symdl.verification.judging.links.Judge`, as rules and readings see it."""

    reading: Reading

    def decided(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict: ...

    def read_in(self, reading: Reading, link: Meaning, over: str = "") -> Verdict: ...


def at_every_place(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict on a rule at every x; None where the link is no such rule."""
    found = _rule(judge, link)
    if found is None:
        return None
    sides, functions = found
    placed = replace(link, left=sides[0], right=sides[1])
    return judge.read_in(judge.reading if functions <= _known(judge) else _with_open(judge, functions), placed)


def refuted_for_some(judge: Judging, link: Meaning) -> Verdict | None:
    """The refutation of a rule that is not so for some functions; None where it is so, or is about certain ones."""
    found = _rule(judge, link)
    if found is None:
        return None
    sides, functions = found
    reader = judge.reading.reader()
    if functions <= _known(judge):
        verdict = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
        return verdict if verdict.status is Status.REFUTED else None
    if judge.reading.unclear or any(reader.known(f) or f in CUSTOMARY for f in functions):
        return None
    placed = replace(link, left=sides[0], right=sides[1])
    for chosen in _choices(sorted(functions)):
        reading = _with_open(judge, functions)
        for name, told in chosen.items():
            body = scalar(_EXAMPLES[told](element("x")))
            reading.scope.bind_function(name, Formula(body, parameters=("x",)))
        verdict = judge.read_in(reading, placed)
        if verdict.status is Status.REFUTED and verdict.witness is not None:
            point = {f"{name}(x)": told for name, told in chosen.items()} | dict(verdict.witness.point)
            witness = Witness(point, verdict.witness.left, verdict.witness.right)
            return replace(verdict, witness=witness, scope=f"every {', '.join(chosen)}, as the rule has it", reason="")
    return None


def _choices(names: list[str]) -> Iterator[dict[str, str]]:
    if len(names) <= len(_EXAMPLES):
        for told in permutations(_EXAMPLES, len(names)):
            yield dict(zip(names, told, strict=True))


def _known(judge: Judging) -> frozenset[str]:
    """The functions of one number that the document defines, or that readers know."""
    reader, scope = judge.reading.reader(), judge.reading.scope
    defined = {n for n, f in scope.functions.items() if len(f.parameters) == 1}
    return frozenset(defined | {n for n in CUSTOMARY if not reader.known(n)})


def _rule(judge: Judging, link: Meaning) -> tuple[tuple[Node, Node], set[str]] | None:
    reader = judge.reading.reader()
    place = next((x for x in ("x", "t", "s", "r", "τ") if not reader.known(x)), None)
    if place is None or link.relation != "=":
        return None
    return at_a_place((link.left, link.right), place, _known(judge))


def _with_open(judge: Judging, functions: set[str]) -> Reading:
    usage = judge.reading.usage
    usage = replace(usage, applied=usage.applied | functions, bare=usage.bare - functions)
    return replace(judge.reading, scope=judge.reading.scope.where_open(functions), usage=usage)
