"""Soundness: what is right is never refuted, and a slip that changes a value never passes."""

from __future__ import annotations

import random

import pytest
from support.mutants import LESSONS, differs, mutants, verdict, witnessed

from symdl.verification import Status
from symdl.verification.notation import latex, parse

PASSES = {Status.PROVED, Status.CONSISTENT}
CLAIMS = [(lesson, claim) for lesson in LESSONS for claim in lesson.claims]


@pytest.mark.parametrize(("lesson", "claim"), CLAIMS, ids=[c for _, c in CLAIMS])
def test_a_right_claim_is_proved(lesson, claim):
    assert differs(lesson, parse(claim)) is False
    found, _ = verdict(lesson, parse(claim), budget=10)
    assert found.status is Status.PROVED, found


@pytest.mark.parametrize(("lesson", "claim"), CLAIMS, ids=[c for _, c in CLAIMS])
def test_no_slip_passes_and_no_harmless_one_is_refuted(lesson, claim):
    made = list(mutants(claim))
    chosen = random.Random(claim).sample(made, min(3, len(made)))
    for kind, chain in chosen:
        changed = differs(lesson, chain)
        if changed is None:
            continue
        found, _ = verdict(lesson, chain)
        assert not (changed and found.status in PASSES), (kind, latex(chain), found)
        assert not (not changed and found.status is Status.REFUTED), (kind, latex(chain), found)
        if found.status is Status.REFUTED:
            assert witnessed(lesson, chain, found.witness) is not False, (kind, latex(chain), found)
