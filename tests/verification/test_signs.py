"""Signs that follow from how a sum is written, and what is equal because of them."""

from __future__ import annotations

import pytest
import sympy

import symdl as sd
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Tensor
from symdl.verification import Status, equal

n, i = Index("n"), Index("i")
j = Index("j", i.extent)
x = Tensor("x", (n, i))
eps = Tensor("eps", facts=frozenset({Fact.POSITIVE}))._sympy_()
free = Tensor("c")._sympy_()
y = Tensor("y", (n,), facts=frozenset({Fact.NONNEGATIVE}))[n]
m = sd.mean(x[n, i], i)
variance = sd.mean((x[n, j] - m) ** 2, j)

TRUE = {
    "a variance and a positive number have a root": (sd.sqrt((variance + eps) ** 2), variance + eps),
    "multiplied out": (sd.sqrt(variance + eps) ** 2, sd.mean(x[n, j] ** 2, j) - m**2 + eps),
    "and a logarithm": (2 * sd.log(variance + eps), sd.log((variance + eps) ** 2)),
    "divided by": (sd.sqrt(1 / (variance + eps)), 1 / sd.sqrt(variance + eps)),
    "a variance is at least 0": (sd.maximum(variance, 0, kink="left"), variance),
    "|y| = y where y ≥ 0 is stated": (sd.absolute(y, kink="mid"), y),
    "and of a sum": (sd.absolute(variance + y, kink="mid"), variance + y),
}

FALSE = {
    "a sum has no sign": (sd.sqrt(sd.Sum(x[n, i], i) ** 2), sd.Sum(x[n, i], i)),
    "a number that is not stated to be positive": (sd.sqrt((variance + free) ** 2), variance + free),
    "the mean forgotten": (sd.sqrt(variance + eps), sd.sqrt(sd.mean(x[n, j] ** 2, j) + eps)),
    "a kink that does not meet": (sd.switch(y, 0, 1, kink="mid"), sympy.S.One),
}


@pytest.mark.parametrize("name", TRUE)
def test_proved_without_a_condition(name):
    verdict = equal(*TRUE[name])
    assert verdict.proved
    assert "where" not in verdict.scope


@pytest.mark.parametrize("name", FALSE)
def test_not_proved(name):
    assert equal(*FALSE[name]).status in (Status.REFUTED, Status.CONDITIONAL)
