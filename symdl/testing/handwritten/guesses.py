"""What the mistake is: changes of the exact gradient that give the very numbers that a function returned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.core.equations import Equation
from symdl.errors import SymdlError
from symdl.testing.handwritten import quick
from symdl.testing.handwritten.changes import changes
from symdl.testing.handwritten.evidence import Evidence, explains, gather
from symdl.testing.handwritten.judging import Judge
from symdl.testing.handwritten.mutations import constants, downstream, inputs_left_out, miscounted, mutations, readers
from symdl.testing.handwritten.points import Point
from symdl.testing.handwritten.subject import Subject

Array = npt.NDArray[Any]

#: Seconds for changes within equations.
BUDGET = 3.0


def guess(judge: Judge, points: Sequence[Point]) -> str:
    """The mistake in words; empty where no change that was tried explains the numbers.

    Args:
        judge: with the function.
        points: at which the function is called once more.
    """
    evidence = gather(judge, points)
    wrong = [n for n in judge.code.returns if any(e.wrong(n) for e in evidence)]
    found: dict[str, list[str]] = {}
    for name in wrong:
        for words, change in changes(judge, name, evidence):
            if explains(name, evidence, change):
                found.setdefault(words, []).append(name)
                break
    left = [n for n in wrong if not any(n in names for names in found.values()) and n in judge.subject.slopes]
    if left:
        for words, names in _by_equations(judge, left, evidence).items():
            found.setdefault(words, []).extend(names)
    return "; ".join(_sentence(judge, words, names) for words, names in found.items())


def _sentence(judge: Judge, words: str, names: Sequence[str]) -> str:
    labels = [judge.subject.slopes.get(n, n) for n in names]
    subject = ", ".join(labels[:-1]) + f" and {labels[-1]}" if len(labels) > 1 else labels[0]
    return words.format(subject, "is" if len(labels) == 1 else "are")


def _by_equations(judge: Judge, names: Sequence[str], evidence: Sequence[Evidence]) -> dict[str, list[str]]:
    """Changed equations that explain wrong slopes: one for all of them, or else one for each as far as there is one."""
    gradient, slopes = judge.subject.gradient, judge.subject.slopes
    reads, until = readers(gradient, slopes), time.perf_counter() + BUDGET
    forward = judge.subject.definition.by_name
    backward = [e for e in reversed(gradient.equations) if e.name not in (*forward, gradient.outputs[0])]
    found: dict[str, list[str]] = {}
    for together in [list(names)] if len(names) == 1 else [list(names), *([n] for n in names)]:
        if any(set(together) <= set(some) for some in found.values()):
            continue
        for change in _changes(judge, backward, together, reads, names):
            if time.perf_counter() > until:
                return found
            if all(explains(n, evidence, lambda e, n=n, c=change: c(e, slopes[n])) for n in together):  # type: ignore[misc]
                found.setdefault(change.words, []).extend(together)
                break
    return found


def _changes(
    judge: Judge,
    backward: Sequence[Equation],
    names: Sequence[str],
    reads: Mapping[str, frozenset[str]],
    wrong: Sequence[str],
) -> Iterator[_Changed]:
    """Changes that all of some slopes feel: constants that are none, then one equation after the other."""
    subject = judge.subject
    ends = {subject.slopes[n] for n in names}
    for words, gradient in constants(subject):
        yield _Changed(subject, words, gradient.equations, ends)
    for name in inputs_left_out(subject):
        words = f"{name} is left out"
        yield _Changed(subject, words, subject.gradient.equations, ends, given={name: 0.0})
    for eq in sorted(backward, key=lambda e: e.name not in ends):
        if not set(names) <= reads[eq.name]:
            continue
        touched = downstream(subject.gradient, eq.name)
        for m in mutations(subject, eq):
            equations = [m.equation if n == eq.name else subject.gradient.by_name[n] for n in touched]
            # the same equation is read by slopes that are right
            words = m.words if reads[eq.name] <= set(wrong) else f"where {{0}} {{1}} computed, {m.words}"
            yield _Changed(subject, words, equations, ends, square=m.square)
    for eq in subject.definition.equations:
        for m in miscounted(eq):
            equations = [m.equation if e.name == eq.name else e for e in subject.gradient.equations]
            yield _Changed(subject, m.words, equations, ends)


class _Changed:
    """Slopes by equations of which some were changed, at each point; each point is computed once."""

    def __init__(
        self,
        subject: Subject,
        words: str,
        equations: Sequence[Equation],
        ends: set[str],
        *,
        square: bool = False,
        given: Mapping[str, float] | None = None,
    ) -> None:
        self.words, self.square, self.given = words, square, dict(given or {})
        by_name = {e.name: e for e in equations}
        needed, pending = set[str](), [n for n in ends if n in by_name]
        while pending:
            name = pending.pop()
            if name in by_name and name not in needed:
                needed.add(name)
                pending.extend(by_name[name].used_names)
        self.equations = [e for e in equations if e.name in needed]
        self.known: dict[int, dict[str, Array]] = {}

    def __call__(self, e: Evidence, slope: str) -> Array | None:
        if self.square and e.point.family != "square":
            return None
        if id(e) not in self.known:
            try:
                values = {**e.values, **{n: np.asarray(v) for n, v in self.given.items()}}
                self.known[id(e)] = quick.evaluate(self.equations, values, e.sizes)
            except (SymdlError, ValueError, KeyError, IndexError):
                self.known[id(e)] = {}
        return self.known[id(e)].get(slope)
