"""Steps with threads or without, as it is faster: what is chosen of given times, and that the bits are the same."""

from __future__ import annotations

import os
from itertools import cycle
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.compilation import pace as pacing, team
from symdl.compilation.pace import AGAIN, PIECE, RECENT, TRIAL, Pace
from symdl.compilation.targets import teams
from symdl.compilation.targets.products import tiles
from symdl.compilation.targets.teams import THREADS

ROWS, INPUTS, UNITS, STEPS = 96, 100, 130, 7


def passed(pace: Pace, costs: dict[bool, float], seconds: float) -> dict[bool, float]:
    """Train for so long where a step takes so long in either way; the seconds that were spent in each."""
    spent = {True: 0.0, False: 0.0}
    while sum(spent.values()) < seconds:
        shared, steps = pace.next(10**9)
        pace.note(shared, steps, steps * costs[shared])
        spent[shared] += steps * costs[shared]
    return spent


@pytest.mark.parametrize("faster", [True, False])
@pytest.mark.parametrize("step", [1e-6, 1e-4, 0.02])
def test_the_faster_way_is_taken_and_the_other_one_costs_little(faster: bool, step: float) -> None:
    pace, costs = Pace(), {faster: step, not faster: 2 * step}
    passed(pace, costs, 1.0)
    spent = passed(pace, costs, 10.0)
    trials = 10.0 / AGAIN + 1
    assert spent[not faster] <= trials * max(TRIAL + 2 * step, 2 * step)
    assert spent[faster] > 9.0


def test_it_turns_round_when_the_other_way_becomes_faster() -> None:
    """As when other work begins, or ends, on the machine; one slow piece of work is not enough."""
    pace, idle, busy = Pace(), {True: 1e-3, False: 2e-3}, {True: 5e-3, False: 2e-3}
    passed(pace, idle, 2.0)
    pace.note(True, 1, 0.1)
    assert pace.next(10**9)[0]
    assert passed(pace, busy, 4.0)[False] > 2.0
    assert passed(pace, idle, 6.0)[True] > 3.0


def test_what_the_first_step_of_a_trial_takes_is_not_counted() -> None:
    """It wakes threads and fills caches: 4.5 ms, then 3, are better than 4 without threads."""
    pace, costs = Pace(), {True: 3e-3, False: 4e-3}
    passed(pace, {True: 9e-3, False: 4e-3}, 2.0)  # the machine was busy at first
    spent, last = {True: 0.0, False: 0.0}, False
    while sum(spent.values()) < 6.0:
        shared, steps = pace.next(10**9)
        seconds = steps * costs[shared] * (1 + 0.5 * (shared != last) / steps)
        pace.note(shared, steps, seconds)
        spent[shared] += seconds
        last = shared
    assert spent[True] > 4.0


def test_pieces_are_as_long_as_they_shall_be_and_no_longer_than_what_is_left() -> None:
    pace = Pace()
    assert pace.next(1000) == (True, 1)  # nothing is known
    for _ in range(2 * RECENT):
        shared, steps = pace.next(10**9)
        pace.note(shared, steps, steps * 1e-4)
    shared, steps = pace.next(10**9)
    assert steps == round(PIECE / 1e-4)
    assert pace.next(3) == (shared, 3)


class Turns(Pace):
    """In turns, some steps each."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = cycle([(True, 1), (False, 2), (False, 1), (True, 3)])

    def next(self, left: int) -> tuple[bool, int]:
        shared, steps = next(self.turns)
        return shared, min(left, steps)


needs_teams = pytest.mark.skipif(
    tiles("float32") is None or not teams.shares(), reason="products are not shared on this system"
)


def trained(code: Any, spoiled: int | None = None) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    shapes = {"x": (STEPS * ROWS - 5, INPUTS), "y": (STEPS * ROWS - 5, 3), "W1": (UNITS, INPUTS), "b1": (UNITS,)}
    shapes |= {"W2": (3, UNITS), "b2": (3,)}
    arrays = {n: rng.normal(size=s).astype("float32") / 8 for n, s in shapes.items()}
    if spoiled is not None:
        arrays["x"][spoiled * ROWS] = np.nan
    done, losses = code.epoch(arrays, order=np.arange(STEPS * ROWS - 5), batch_size=ROWS, first_step=4)
    return {**arrays, "losses": losses, "done": np.array(done)}


@needs_teams
@pytest.mark.parametrize("spoiled", [None, 0, 3, 5, 6])
def test_pieces_give_the_bits_of_the_whole(spoiled: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of Adam, which counts steps, with a short last batch; and where a step is not finite, those before it."""
    network = sd.sequential(sd.dense(UNITS, "relu"), sd.dense(3), loss="mse", inputs=INPUTS)
    code = sd.compile(network, optimizer=sd.adam(0.01), dtype="float32", extents={"n": ROWS})
    monkeypatch.setenv(team.VARIABLES[0], "1")
    wanted = trained(code, spoiled)
    assert int(wanted["done"]) == (STEPS if spoiled is None else spoiled)
    for name in team.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(team, "cores", lambda: 2)
    monkeypatch.setattr(pacing.Pace, "next", Turns().next)
    try:
        found = trained(code, spoiled)
        assert any(made._word(THREADS).value == 2 or made.ended for made in team._TEAMS.values())
    finally:
        for made in team._TEAMS.values():
            made.stop()
    for name, value in wanted.items():
        assert found[name].tobytes() == value.tobytes(), name


@needs_teams
def test_a_number_of_threads_that_is_stated_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in team.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(team, "cores", lambda: 2)
    assert team.may_choose()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # so many at most
    assert team.may_choose()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert not team.may_choose()
    monkeypatch.setenv("SYMDL_THREADS", "2")
    assert not team.may_choose()
    monkeypatch.delenv("SYMDL_THREADS")
    monkeypatch.setattr(os, "environ", {})
    with team.alone():
        assert not team.may_choose()
