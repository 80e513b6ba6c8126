"""The training loop with lengths in its code: used where they fit, equal to the general one, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.descent import two_layers

import symdl as sd
from symdl.compilation import building
from symdl.compilation.sizes import SMALL
from symdl.compilation.targets.sized import Stack
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError

BATCH = 4


def network(inputs: int = 3, hidden: int = 5) -> Definition:
    return sd.sequential(sd.dense(hidden, "tanh"), sd.dense(2), loss="mse", inputs=inputs)


def start(rng: np.random.Generator, dtype: str, rows: int) -> dict[str, Any]:
    shapes = {"x": (rows, 3), "y": (rows, 2), "W1": (5, 3), "b1": (5,), "W2": (2, 5), "b2": (2,)}
    return {n: rng.normal(size=s).astype(dtype) for n, s in shapes.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [3 * BATCH, 2 * BATCH + 3])
def test_an_epoch_and_its_smaller_last_batch(dtype: str, rows: int, rng: np.random.Generator) -> None:
    code = sd.compile(network(), optimizer=sd.sgd(0.1), dtype=dtype, extents={"n": BATCH})  # type: ignore[arg-type]
    arrays = start(rng, dtype, rows)
    assert code.program.is_sized(arrays, BATCH)
    assert not code.program.is_sized(arrays, BATCH + 1)
    wanted, parameters = two_layers(arrays, BATCH, 0.1)
    done, losses = code.epoch(arrays, order=np.arange(rows), batch_size=BATCH)
    assert done == len(wanted)
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(losses, wanted, rtol=tolerance)
    for name, value in parameters.items():
        np.testing.assert_allclose(arrays[name], value, atol=tolerance, err_msg=name)


def test_functions_of_small_arrays_run_over_them_in_a_row() -> None:
    """Four rows of five are twenty numbers; a long axis is a loop of its own."""
    code = sd.compile(network(), optimizer=sd.sgd(0.1), extents={"n": BATCH})
    assert "for e in range(20):\n        h1_flat[e] = tanh(s1_flat[e])" in code.source
    long = sd.compile(network(hidden=33), optimizer=sd.sgd(0.1), extents={"n": BATCH})
    assert "_flat" not in long.source and "def epoch_sized" in long.source


def test_states_go_on_from_the_one_loop_to_the_other(rng: np.random.Generator) -> None:
    """Adam counts its steps and keeps two moments of each parameter."""
    code = sd.compile(network(), optimizer=sd.adam(1e-2), extents={"n": BATCH})
    first = start(rng, "float64", 2 * BATCH + 1)
    order = np.arange(2 * BATCH + 1)
    general = replace(code, program=replace(code.program, epoch=replace(code.program.epoch, sizes={})))  # type: ignore[type-var]
    found = []
    for made in (code, general):
        arrays = {n: a.copy() for n, a in first.items()}
        states = made.start(arrays)
        made.epoch(arrays, states, order=order, batch_size=BATCH)
        made.epoch(arrays, states, order=order, batch_size=BATCH, first_step=3)
        found.append({**arrays, **{f"{p} {s}": v for (p, s), v in states.items()}})
    for name, value in found[1].items():
        np.testing.assert_allclose(found[0][name], value, rtol=1e-12, atol=1e-14, err_msg=name)


def test_a_loss_that_is_not_finite_stops_the_loop(rng: np.random.Generator) -> None:
    code = sd.compile(network(), optimizer=sd.sgd(0.1), extents={"n": BATCH})
    arrays = start(rng, "float64", 4 * BATCH)
    arrays["x"][2 * BATCH] = np.nan
    before = {n: a.copy() for n, a in arrays.items()}
    done, losses = code.epoch(arrays, order=np.arange(4 * BATCH), batch_size=BATCH)
    assert done == 2
    assert len(losses) == 3
    assert np.isnan(losses[2])
    wanted = {n: a[: 2 * BATCH] if n in "xy" else a for n, a in before.items()}
    for name, value in two_layers(wanted, BATCH, 0.1)[1].items():
        np.testing.assert_allclose(arrays[name], value, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("adam", [False, True])
def test_a_result_that_is_not_finite_is_undone(sized: bool, adam: bool, rng: np.random.Generator) -> None:
    """Two steps that blow up, and a third whose loss is finite and whose update is not: what was before it is left."""
    optimizer = sd.adam(0.1) if adam else sd.sgd(0.1)
    hyper = {"lr": 1e308 if adam else 1e160}
    code = sd.compile(network(), optimizer=optimizer, extents={"n": BATCH} if sized else None)
    assert code.program.epoch is not None
    assert bool(code.program.epoch.sizes) == sized
    arrays = start(rng, "float64", 4 * BATCH)
    arrays |= {"W2": np.zeros((2, 5)), "b2": np.zeros(2), "y": np.full((4 * BATCH, 2), 1e-170)}
    if adam:  # its steps are as long as the rate, so that one is too many for this entry
        arrays["b2"][0] = 1.0
        arrays["b1"][0] = 1e308
    before = {n: a.copy() for n, a in arrays.items()}
    states = code.start(arrays)
    done, losses = code.epoch(arrays, states, order=np.arange(4 * BATCH), batch_size=BATCH, hyper=hyper)
    assert np.isfinite(losses[:done]).all()
    assert done < 4
    again = {n: a.copy() for n, a in before.items()}
    held = code.start(again)
    if done:
        made, _ = code.epoch(again, held, order=np.arange(done * BATCH), batch_size=BATCH, hyper=hyper)
        assert made == done
    for name in arrays:
        assert np.isfinite(arrays[name]).all()
        assert arrays[name].tobytes() == again[name].tobytes(), name
    assert all(states[k].tobytes() == held[k].tobytes() for k in states)
    if not adam:
        assert done == 2
        assert np.isfinite(losses[2])
        wanted = two_layers({n: a[: 2 * BATCH] if n in "xy" else a for n, a in before.items()}, BATCH, 1e160)[1]
        for name, value in wanted.items():
            np.testing.assert_allclose(arrays[name], value, rtol=1e-9, err_msg=name)


def test_large_steps_and_open_lengths_have_no_such_loop() -> None:
    small = sd.compile(network(), optimizer=sd.sgd(0.1), extents={"n": BATCH})
    assert small.program.epoch is not None
    assert small.program.epoch.sizes["x"] == (BATCH, 3)
    large = sd.compile(network(64, 256), optimizer=sd.sgd(0.1), extents={"n": SMALL // 64 // 256})
    open_rows = sd.compile(network(), optimizer=sd.sgd(0.1))
    for code in (large, open_rows):
        assert code.program.epoch is not None
        assert not code.program.epoch.sizes
        assert "_sized" not in code.source


@pytest.mark.parametrize("change", [("= tanh(", "= sech2("), ("g[entry]*lr", "g[entry]*(0.5*lr)")])
def test_a_planted_fault_is_refused(change: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fault in that loop alone: the general one agrees with the equations."""
    emit = building.emit_module

    def planted(*arguments: Any) -> Any:
        module = emit(*arguments)
        general, special = module.source.split("def gradient_sized(")
        assert change[0] in special
        return replace(module, source=f"{general}def gradient_sized({special.replace(*change)}")

    monkeypatch.setattr(building, "emit_module", planted)
    monkeypatch.setenv("SYMDL_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(CrossCheckError, match="with lengths in its code disagrees"):
        sd.compile(network(), optimizer=sd.sgd(0.1), extents={"n": BATCH})


def test_loops_that_cannot_be_compared_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("symdl.compilation.crosscheck_sized.NARROWER", (None, lambda v: v * np.inf))
    monkeypatch.setenv("SYMDL_CACHE_DIR", str(tmp_path / "cache"))
    code = sd.compile(network(), optimizer=sd.sgd(0.1), extents={"n": BATCH})
    again = sd.compile(network(), optimizer=sd.sgd(0.1), extents={"n": BATCH})
    assert again.from_cache
    for made in (code, again):
        assert made.program.epoch is not None
        assert not made.program.epoch.sizes
        assert any("lengths in its code" in note for note in made.report.overflows)


def test_the_stack_is_not_filled() -> None:
    stack = Stack("float32")
    assert stack.array("x", (128, 64)) == "x = carray(stack(32768), (128, 64), real)"
    assert stack.array("y", (128, 65)) is None
    assert stack.array("k", (4096,), "np.int64") == "k = carray(stack(32768), (4096,), np.int64)"
    assert stack.array("z", (1,)) is None
