"""Schedules, as equations of the step, beside PyTorch's schedulers; in compiled epochs: test_optimisers.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symdl.errors import DefinitionError
from symdl.library import schedules
from symdl.library.optimisers import adam, lion, nadam
from symdl.library.schedules import SCHEDULES, Schedule

torch = pytest.importorskip("torch")
peers = torch.optim.lr_scheduler


def rates(start: float, make: Callable[[Any], Any], steps: int) -> list[float]:
    """The learning rates that PyTorch uses at steps 1, 2, …"""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], start, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("made", "start", "make", "steps"),
    [
        (schedules.constant(0.3), 0.3, lambda o: peers.ConstantLR(o, 1.0), 5),
        (schedules.step(0.3, size=4, factor=0.5), 0.3, lambda o: peers.StepLR(o, 4, 0.5), 30),
        (schedules.exponential(0.3, factor=0.9), 0.3, lambda o: peers.ExponentialLR(o, 0.9), 30),
        (schedules.cosine(0.3, steps=20, end=0.01), 0.3, lambda o: peers.CosineAnnealingLR(o, 20, 0.01), 21),
        (schedules.linear(0.3, end=0.03, steps=9), 0.3, lambda o: peers.LinearLR(o, 1.0, 0.1, 9), 20),
        (schedules.warmup(0.3, steps=6, share=0.25), 0.3, lambda o: peers.LinearLR(o, 0.25, 1.0, 6), 20),
        (
            schedules.warmup(schedules.exponential(0.3, factor=0.8), steps=5, share=0.1),
            0.3,
            lambda o: peers.SequentialLR(o, [peers.LinearLR(o, 0.1, 1.0, 5), peers.ExponentialLR(o, 0.8)], [5]),
            30,
        ),
        (
            schedules.warmup(schedules.step(0.3, size=3, factor=0.5), steps=5, share=0.1),
            0.3,
            lambda o: peers.SequentialLR(o, [peers.LinearLR(o, 0.1, 1.0, 5), peers.StepLR(o, 3, 0.5)], [5]),
            30,
        ),
        (schedules.one_cycle(0.3, steps=40), 0.3, lambda o: peers.OneCycleLR(o, 0.3, total_steps=40), 39),
        (
            schedules.one_cycle(0.3, steps=23, rising=0.4, start=0.1, end=0.001),
            0.3,
            lambda o: peers.OneCycleLR(o, 0.3, total_steps=23, pct_start=0.4, div_factor=3, final_div_factor=100),
            22,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Schedule) else "",
)
def test_pytorch_has_the_same_rates(made: Schedule, start: float, make: Any, steps: int) -> None:
    ours = [made.at(t) for t in range(1, steps + 1)]
    np.testing.assert_allclose(ours, rates(start, make, steps), rtol=1e-12, atol=1e-15)


def test_what_comes_after_the_last_step() -> None:
    assert schedules.cosine(0.3, steps=20, end=0.01).at(1000) == pytest.approx(0.01)
    assert schedules.one_cycle(0.3, steps=20, end=0.01).at(1000) == pytest.approx(0.01)
    assert schedules.linear(0.3, end=0.1, steps=20).at(1000) == pytest.approx(0.1)


def test_a_schedule_by_the_epoch() -> None:
    by_epoch = schedules.step(1.0, size=2, factor=0.5, every=10)  # ten steps an epoch
    assert [by_epoch.at(t) for t in (1, 20, 21, 40, 41)] == [1, 1, 0.5, 0.5, 0.25]
    assert schedules.exponential(1.0, factor=0.5, every=3).at(7) == 0.25


def test_a_schedule_becomes_an_equation_of_the_step() -> None:
    made = adam(lr=schedules.exponential(0.1, factor=0.9), beta1=schedules.linear(0.8, end=0.9, steps=5))
    assert made.step is not None
    assert [e.name for e in made.step.equations] == ["lr", "beta1"]
    assert made.shared == ("lr", "beta1")
    assert {"lr_start": 0.1, "lr_factor": 0.9, "beta1_end": 0.9, "beta2": 0.999}.items() <= made.hyper.items()
    # NAdam's own equation of the step needs beta1, which has to stand before it
    later = nadam(beta1=schedules.constant(0.9)).step
    assert later is not None and [e.name for e in later.equations][:2] == ["beta1", "mu"]
    assert lion(lr=schedules.constant(0.1)).shared == ("lr",)


def test_all_are_here() -> None:
    names = "constant step exponential cosine linear warmup one_cycle plateau"
    assert set(SCHEDULES) == set(names.split())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: schedules.constant(-1), "value = -1"),
        (lambda: schedules.step(0.1, size=0), "size = 0"),
        (lambda: schedules.step(0.1, size=2.5), "size = 2.5"),
        (lambda: schedules.cosine(0.1, steps=True), "steps = True"),
        (lambda: schedules.exponential(float("inf"), factor=0.9), "start = inf"),
        (lambda: schedules.exponential(0.1, factor=0.9, every=0), "every = 0"),
        (lambda: schedules.one_cycle(0.1, steps=2), "steps = 2"),
        (lambda: schedules.one_cycle(0.1, steps=10, rising=1.5), "rising = 1.5"),
        (lambda: schedules.one_cycle(0.1, steps=3, rising=0.1), "both parts need a step"),
        (lambda: schedules.plateau(0.1, factor=1.0), "factor = 1.0"),
        (lambda: schedules.plateau(0.1, patience=-1), "patience = -1"),
        (lambda: schedules.warmup(schedules.plateau(0.1), steps=3), "a plateau can't be warmed up"),
    ],
)
def test_numbers_out_of_range(make: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(says)):
        make()
