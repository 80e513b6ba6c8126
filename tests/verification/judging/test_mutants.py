"""Soundness: what is right is never refuted, and a slip that changes a value never passes.

`python -m benchmarks.mutants` does the same with thousands of slips.
"""

from __future__ import annotations

import pytest
from support.lessons import LESSONS
from support.mutants import differs, slips_of, verdict, witnessed

from symdl.verification import Status
from symdl.verification.notation import latex, parse

PASSES = {Status.PROVED, Status.CONSISTENT}
CLAIMS = [(lesson, claim) for lesson in LESSONS for claim in (*lesson.claims, *lesson.others)]


@pytest.mark.parametrize(("lesson", "claim"), CLAIMS, ids=[c for _, c in CLAIMS])
def test_what_is_right_is_proved_and_no_slip_passes(lesson, claim):
    found = verdict(lesson, claim)
    assert found.status is (Status.PROVED if claim in lesson.claims else found.status), found
    assert found.status is not Status.REFUTED
    ((_, chain),) = slips_of(lesson, claim, 1)
    changed = differs(lesson, chain)
    if changed is None:
        return
    found = verdict(lesson, latex(chain))
    assert not (changed and found.status in PASSES), (latex(chain), found)
    if found.status is Status.REFUTED and found.verdict.witness is not None:
        held = witnessed(lesson, chain, found.verdict.witness)
        assert held if not changed else held is not False, (latex(chain), found)


def test_what_holds_for_one_length_of_a_sum_only_is_refuted():
    """1/n is 1/2 at n = 2, where sums are written out first."""
    (lesson,) = [lesson for lesson in LESSONS if any("mu =" in d for d in lesson.definitions)]
    claim = r"\frac{\partial \mu}{\partial x_i} = \frac{1}{2}"
    found = verdict(lesson, claim)
    assert found.status is Status.REFUTED
    assert witnessed(lesson, parse(claim), found.verdict.witness)


def test_the_second_reader_sees_what_differs():
    (lesson,) = [lesson for lesson in LESSONS if any("mathbf{d}" in d for d in lesson.definitions)]
    wrong = {
        r"\frac{\partial L}{\partial \mathbf{x}} = \mathbf{W} \mathbf{d}": True,  # it does not fit
        r"\frac{\partial L}{\partial \mathbf{W}} = \mathbf{x} \mathbf{d}^\top": True,
        r"\frac{\partial L}{\partial \mathbf{b}} = \mathbf{h} - \mathbf{t}": True,
        r"\frac{\partial L}{\partial \mathbf{x}} = \mathbf{d}^\top \mathbf{W}": False,  # a row
    }
    assert {claim: differs(lesson, parse(claim)) for claim in wrong} == wrong
