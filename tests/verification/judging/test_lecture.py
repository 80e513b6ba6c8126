"""The lecture as it is printed, and corrected: what is wrong in it is found, and nothing else (lecture-facts.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symdl.verification import Status
from symdl.verification.documents import read
from symdl.verification.judging.judge import judge

DERIVATIONS = Path(__file__).resolve().parents[3] / "derivations"
PASSES = {Status.PROVED, Status.CONSISTENT, Status.DEFINITION}


@pytest.fixture(scope="module")
def printed():
    document = read(DERIVATIONS / "lecture.md")
    return document, [judged for _, judged in judge(document)]


def statement(document, judged):
    """The number of the statement that a line belongs to."""
    lines = document.text.splitlines()[: judged.line]
    return next(m[1] for m in (re.match(r"\*\*(L\d+)\.", line) for line in reversed(lines)) if m)


def test_the_printed_lecture_is_refuted_where_it_is_wrong_and_nowhere_else(printed):
    document, judged = printed
    refuted = {statement(document, j) for j in judged if j.status is Status.REFUTED}
    assert refuted == {"L6", "L12", "L13", "L14", "L15", "L22"}
    assert all(j.verdict.witness is not None for j in judged if j.status is Status.REFUTED)
    assert {j.status for j in judged} <= PASSES | {Status.REFUTED}


def test_the_shadowed_index_of_the_softmax_is_told(printed):
    document, judged = printed
    (softmax,) = [j for j in judged if statement(document, j) == "L20"]
    assert softmax.status is Status.DEFINITION
    assert "shadows" in softmax.verdict.reason


def test_what_would_be_right_is_said(printed):
    document, judged = printed
    wrong = {statement(document, j): j for j in judged if j.status is Status.REFUTED}
    assert "sigmoid" in wrong["L12"].verdict.reason and "tanh" in wrong["L14"].verdict.reason
    suggested = {number: judged.suggested for number, judged in wrong.items()}
    assert suggested["L12"] == "a(x) = 1/(1 + e⁻ˣ)"
    assert suggested["L14"] == "a(x) = 1 − 2/(e²ˣ + 1)"
    assert suggested["L13"] == "a′(x) = −(1 − a(x))a(x)"  # of a as it is printed in L12
    assert suggested["L22"] == "80 % + 20 % + 20 % = 120 %"
    # these two are wrong in more than one place
    assert wrong["L6"].verdict.reason == "right is 2x₀/n ∑ᵢ₌₁ⁿ (b + w₀x₀ + w₁x₁ + w₂x₂ − ỹᵢ)"
    assert wrong["L15"].verdict.reason == "right is 2e²ˣ/(e²ˣ + 1)²"


def test_the_corrected_lecture_passes_whole():
    judged = [judged for _, judged in judge(read(DERIVATIONS / "lecture-corrected.md"))]
    assert len(judged) > 40
    assert {j.status for j in judged} <= PASSES, [j.verdict for j in judged if j.status not in PASSES]
