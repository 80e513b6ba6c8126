"""A verdict lets a gate open only where the claim is proved."""

from __future__ import annotations

import json

import pytest
import sympy

from symdl.errors import NotProvedError
from symdl.verification import Status, Verdict, equal
from symdl.verification.verdict import Witness, weakest

WITNESS = Witness({"x": "-1"}, "[1.00 +/- 0]", "[-1.00 +/- 0]")


@pytest.mark.parametrize("status", Status)
def test_only_proved_is_true_and_passes(status: Status) -> None:
    verdict = Verdict(status, "m", "all real x", WITNESS, "because")
    assert bool(verdict) is (status is Status.PROVED)
    if status is Status.PROVED:
        assert verdict.require() is verdict
        return
    with pytest.raises(NotProvedError) as caught:
        verdict.require()
    text = str(caught.value)
    assert f"{status}, not proved" in text
    assert "because" in text and "x = -1" in text and "Remedy" in text and "\n" not in text


def test_json_is_complete_and_plain() -> None:
    x = sympy.Symbol("x")
    for verdict in (equal(x, x + 1), equal(x, x), equal(sympy.sqrt(x**2), x)):
        record = json.loads(json.dumps(verdict.to_json()))
        assert set(record) == {"status", "method", "scope", "witness", "reason", "seconds"}
        assert record["status"] == str(verdict.status)


def test_the_weakest_part_decides() -> None:
    parts = [(str(s), Verdict(s, "m", "scope")) for s in Status]
    assert weakest(parts, 0.0).status is Status.REFUTED
    assert weakest([p for p in parts if p[0] in ("proved", "consistent")], 0.0).status is Status.CONSISTENT
    assert not weakest([], 0.0)
    told = weakest([("a", Verdict(Status.PROVED, "m", "s")), ("b", Verdict(Status.UNDECIDED, "m", "s"))], 0.0)
    assert "a" in told.scope and "b" in told.scope and "b undecided" in told.reason


def test_seconds_are_measured_and_do_not_matter_for_equality() -> None:
    x = sympy.Symbol("x")
    verdict = equal(sympy.tanh(x), x)
    assert verdict.seconds > 0
    assert verdict == equal(sympy.tanh(x), x)


def test_the_words_do_not_claim_more_than_was_found() -> None:
    x = sympy.Symbol("x")
    assert str(equal(x, x + 1)).startswith("refuted as a claim about all real x")
    assert str(equal(x, x)).startswith("proved for all real x")
