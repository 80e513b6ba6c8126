"""Slopes of losses as textbooks have them, written by hand as definitions: proved equal to what is derived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.slopes import SLOPES, Slope
from symdl.derivation.derive import derive
from symdl.library.losses import LOSSES
from symdl.verification import Status, equal


@pytest.mark.parametrize("slope", SLOPES, ids=str)
def test_slopes_are_those_of_textbooks(slope: Slope) -> None:
    verdict = equal(derive(slope.loss, slope.wrt), slope.closed)
    assert verdict.proved, verdict


@pytest.mark.parametrize("slope", SLOPES, ids=str)
def test_a_wrong_slope_is_refuted(slope: Slope) -> None:
    """The planted fault: a sign."""
    (output,) = slope.closed.outputs
    wrong = [e.map(lambda body: -body) if e.name == output else e for e in slope.closed.equations]
    verdict = equal(derive(slope.loss, slope.wrt), replace(slope.closed, equations=tuple(wrong), kinks=()))
    assert verdict.status is Status.REFUTED


def test_every_loss_has_a_slope_by_hand() -> None:
    assert {s.name for s in SLOPES} == set(LOSSES)
