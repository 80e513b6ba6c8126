"""The CUDA target without a GPU: Numba's simulator runs its kernels through the cross-check, in another process."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.compilation import compile, devices
from symdl.compilation.cuda_models import Batch, Layout, Memory
from symdl.compilation.gradients import programs_for
from symdl.compilation.parallel import owned
from symdl.compilation.plan import Plan, make_plan, statements_in
from symdl.compilation.plan_check import check_plan
from symdl.compilation.targets.cuda import emit_module
from symdl.core.define import Input, Param, Sum, define, let, mean, sin, tanh
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.errors import MissingDependencyError, UnsupportedError

TESTS = Path(__file__).resolve().parents[1]
SCRIPT = TESTS / "support" / "cuda_simulated.py"
#: Each kind of item: team sums, products by one thread, scatters by atomic additions and in order, loops in time,
#: maxima, guards, a training loop with a short last batch; both scopes and both dtypes.
CASES = (
    "net_softmax_cross_entropy:float32:block",
    "conv1d:float64:grid",
    "tokens:float64:block",
    "tokens:float64:block:ordered",
    "rnn:float32:block",
    "max_pool:float64:block",
    "causal:float64:block",
    "product_and_maximum:float64:grid",
    "unit_tanh:float64:grid",
    "net_l2:float32:graph",
    "unit_tanh:float32:block:broken",
    "unit_tanh:float64:graph:broken",
    "unit_identity:float64:block:many",
    "unit_identity:float32:graph:many",
    "thinned:float64:graph:train",
    "attention:float64:block:rows",
    "attention:float32:block:misplaced",
    "several:float32:graph:bfloat16",
    "several:float32:graph:tf32:untrained",
    "several:float32:graph:bfloat16:untrained:bits5",
    "several:float32:graph:tf32:untrained:bits3:unseen",
)
GPU = [d for d in devices.devices() if d.target == "cuda" and d.usable]


@define
def layer(x=Input("n i"), t=Input("n j"), W=Param("j i"), b=Param("j")):
    n, i = x.indices
    j, _ = W.indices
    s = let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
    h = let("h[n,j]", tanh(s[n, j]))
    return let("L", mean((t[n, j] - h[n, j]) ** 2, n, j)), h


def plans_of(definition: Definition, extents: dict[str, int] | None = None) -> tuple[dict[str, Plan], dict[str, str]]:
    programs = programs_for(definition, tuple(p.name for p in definition.parameters), predicts=True)
    return {n: make_plan(d, extents or {}, parallel=True) for n, d in programs.stable.items()}, dict(programs.gradients)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the simulator found, by case."""
    folder = tmp_path_factory.mktemp("simulated")
    path = os.pathsep.join(map(str, (TESTS.parent, TESTS)))
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "SYMDL_CACHE_DIR": str(folder), "PYTHONPATH": path}
    command = [sys.executable, "-W", "ignore", str(SCRIPT), *CASES]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return {found["case"]: found for found in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.parametrize("case", [c for c in CASES if c.count(":") == 2 or "ordered" in c])
def test_emitted_kernels_pass_the_cross_check_in_the_simulator(case: str, simulated: dict[str, dict[str, Any]]) -> None:
    found = simulated[case]
    assert found.get("refused") is None
    assert found["ulps"] < 200
    assert found["grid"] == (":grid" in case)
    assert found["trains"] == case.startswith(("net", "tokens", "unit"))


@pytest.mark.parametrize("case", [c for c in CASES if "many" in c])
def test_models_side_by_side_are_those_of_the_processor(case: str, simulated: dict[str, dict[str, Any]]) -> None:
    """Three models with their own seeds and rates, in epochs with a short last batch; one of them diverges."""
    found = simulated[case]
    allowed = 1e-13 if "float64" in case else 1e-4
    assert found["off"] < allowed
    assert found["loss"] < allowed
    one, other = found["steps"]
    assert one == other
    assert one[2] < one[0] == 6


@pytest.mark.parametrize("case", [c for c in CASES if "train" in c and "untrained" not in c])
def test_a_session_of_several_epochs_trains_as_the_processor(case: str, simulated: dict[str, dict[str, Any]]) -> None:
    """What changes between epochs gets to the device: masks, and a rate that falls with the validation loss."""
    found = simulated[case]
    assert found["off"] < 1e-12
    assert found["loss"] < 1e-12
    assert found["steps"] == [9, 9]


@pytest.mark.parametrize("case", [c for c in CASES if "train" in c and "untrained" not in c])
def test_data_that_come_in_chunks_give_the_same_bits(case: str, simulated: dict[str, dict[str, Any]]) -> None:
    """Two inputs and a mask that is drawn anew, 7 shuffled rows in batches of 3 and chunks of 6; losses in parts."""
    assert simulated[case]["same"]
    assert "evaluate needs" in simulated[case]["whole"]
    assert simulated[case]["measured"] < 1e-15


@pytest.mark.parametrize("case", [c for c in CASES if "many" in c])
def test_models_and_data_beyond_the_memory_are_taken_in_turn(case: str, simulated: dict[str, dict[str, Any]]) -> None:
    """With memory for one model and two batches of data, and then for one byte less: 7 rows by threes."""
    found = simulated[case]
    assert found["chunks"] == [True] * 4
    assert found["sent"][:12] == [3, 3, 1] * 4  # two models, two epochs; the third one diverges
    assert "two chunks of data" in found["less"]
    assert "are free" in found["less"]


def test_scatters_are_atomic_unless_their_order_has_to_be_the_same(simulated: dict[str, dict[str, Any]]) -> None:
    assert simulated["tokens:float64:block"]["atomic"]
    assert not simulated["tokens:float64:block:ordered"]["atomic"]


@pytest.mark.parametrize("case", [c for c in CASES if "broken" in c])
def test_a_sum_that_misses_a_thread_is_refused(case: str, simulated: dict[str, dict[str, Any]]) -> None:
    assert "disagrees with the equations" in simulated[case]["refused"]


ROUNDED = {"tf32": 2.0**-11, "bfloat16": 2.0**-8}  # how far a number is from the nearest one with so many bits


@pytest.mark.parametrize("case", [c for c in CASES if any(p in c for p in ROUNDED) and "bits" not in c])
def test_what_rounded_products_lose_is_measured_and_within_its_bound(
    case: str, simulated: dict[str, dict[str, Any]]
) -> None:
    """The stand-in for cuBLAS rounds to nearest by the bits of float32; its loss is known beforehand."""
    found, unit = simulated[case], next(u for p, u in ROUNDED.items() if p in case)
    assert found["exact"] < 20
    assert found["kept"]  # in the cache, with what was measured
    product, *losses = found["losses"]
    assert unit / 2 < product["of_terms"] <= 2 * unit + unit**2 + 2.0**-20
    assert (
        {loss["function"] for loss in losses} == {"evaluate"}
        if "untrained" in case
        else {"evaluate", "gradient", "epoch"}
    )
    assert all(loss["of_terms"] <= loss["allowed"] for loss in losses)
    assert max(loss["ulps"] for loss in losses) > 100 * max(loss["exact_ulps"] for loss in losses)
    assert "small ones exact" in found["told"]


@pytest.mark.parametrize(
    ("case", "why"),
    [(c, "8 bits") for c in CASES if "bits5" in c] + [(c, "rounded factors allow") for c in CASES if "bits3" in c],
)
def test_products_that_lose_more_are_refused(case: str, why: str, simulated: dict[str, dict[str, Any]]) -> None:
    """By themselves; and where only the functions that they are part of are looked at."""
    assert why in simulated[case]["refused"]


def test_attention_by_blocks_of_rows_is_that_of_the_processor(simulated: dict[str, dict[str, Any]]) -> None:
    assert simulated["attention:float64:block:rows"]["off"] < 1e-14
    assert "disagrees" in simulated["attention:float32:block:misplaced"]["refused"]


def test_plans_for_threads_satisfy_the_specification_and_share_their_outer_loops() -> None:
    plans, _ = plans_of(layer)
    for plan in plans.values():
        check_plan(plan)
        for item in plan.items:
            for statement in statements_in(item) if not hasattr(item, "left") else ():
                outer = statement.loops[: len(owned(statement))]
                assert set(outer) == set(owned(statement))


def test_a_barrier_stands_between_what_is_written_and_read_and_nowhere_else() -> None:
    plans, _ = plans_of(layer, {"n": 64, "i": 64, "j": 64})
    source = emit_module({"evaluate": plans["evaluate"]}, "float64").source
    body = source[source.index("def evaluate(") : source.index("@kernel")]
    lines = [line.strip() for line in body.splitlines()]
    product = next(k for k, line in enumerate(lines) if line.startswith("product_"))
    assert "barrier()" not in lines[:product]
    assert lines[product + 1] == "barrier()"
    kept = emit_module(plans, "float64").source
    # the gradients of W and b need nothing of each other, and nobody waits at the end
    ends = kept[kept.index("# W_bar[j, i] =") : kept.index("def gradient_kernel")]
    assert "barrier()" not in ends


def test_emitted_text_is_the_same_every_time_and_imports_nothing_of_symdl() -> None:
    plans, gradients = plans_of(layer)
    first = emit_module(plans, "float32", sd.adam(0.01), gradients)
    again = emit_module(plans, "float32", sd.adam(0.01), gradients)
    assert first.source == again.source
    assert "import symdl" not in first.source
    assert "# h[n, j] = tanh(s[n, j])" in first.source


def test_waves_bring_their_reduction_along() -> None:
    """sin 30x of a GPU: the error of a product is what a fused multiply-add leaves there."""

    @define
    def wave(x=Input("n"), w=Param()):
        (n,) = x.indices
        s = let("s[n]", w * x[n])
        return let("L", mean(sin(30 * s[n]) ** 2, n))

    plans, gradients = plans_of(wave)
    source = emit_module(plans, "float32", None, gradients).source
    ast.parse(source)
    assert "wave(x, 30.0, (" in source and "return product, cuda.fma(a, b, -product)" in source
    assert [source.index(f"def {n}(") for n in ("exact_product", "nearby", "distant", "wave")] == sorted(
        source.index(f"def {n}(") for n in ("exact_product", "nearby", "distant", "wave")
    )


def test_tensors_whose_names_the_module_needs_are_renamed() -> None:
    @define
    def odd(space=Input("n i"), parts=Param("i"), thread=Param()):
        n, i = space.indices
        lane = let("lane[n]", Sum(parts[i] * space[n, i], i) + thread)
        return let("loss", mean(lane[n] ** 2, n))

    plans, gradients = plans_of(odd)
    source = emit_module(plans, "float64", sd.sgd(0.1), gradients).source
    ast.parse(source)
    head = source[source.index("def gradient(") :].splitlines()[0]
    arguments = head[head.index("(") + 1 : head.index(")")].split(", ")
    assert len(set(arguments)) == len(arguments)


def test_models_are_packed_and_unpacked_by_the_half_that_was_written_last() -> None:
    layout = Layout(("w", "w.m"), ("w", "w.m", "x", "L", "work"), (), ())
    lengths = {"w": 2, "w.m": 2, "x": 6, "L": 1, "work": 8}
    memory = Memory(layout, (("w", "m"), ("", "scale")), lengths, {}, [[3, 2], [1, 2]], 7, 3, (2,))
    batch = Batch(
        {"w": np.array([[1.0, 2.0], [3.0, 4.0]])},
        {("w", "m"): np.array([[5.0, 6.0], [7.0, 8.0]]), ("", "scale"): np.array([0.5, 0.25])},
        {},
        {},
    )
    assert memory.kept == 8
    assert memory.total == 8 + 6 + 1 + 8
    assert list(memory.starts[:3]) == [7, 3, 2]
    assert list(memory.starts[3:8]) == [0, 4, 8, 14, 15]
    home = memory.packed(batch, "float64").reshape(2, -1)
    assert home[1].tolist() == [3, 4, 0, 0, 7, 8, 0, 0]
    home[:, 2:4] = 10
    home[:, 6:8] = 20
    wide = np.array([0.5, 1.5, 0.25, 1.25])
    memory.unpack(home, wide, np.array([1, 2]), batch)
    assert batch.parameters["w"].tolist() == [[10, 10], [3, 4]]
    assert batch.states["w", "m"].tolist() == [[20, 20], [7, 8]]
    assert batch.states["", "scale"].tolist() == [1.5, 0.25]


@pytest.mark.skipif(bool(GPU), reason="there is a GPU")
def test_without_a_gpu_the_error_says_why_and_what_to_do() -> None:
    with pytest.raises(MissingDependencyError, match="GPU") as caught:
        compile(layer, target="cuda")
    assert caught.value.why
    assert caught.value.remedy


def test_wide_numbers_are_refused_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "require_gpu", lambda: None)
    with pytest.raises(UnsupportedError, match="wide numbers"):
        compile(layer, target="cuda", careful=True)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no target 'tpu'"):
        compile(layer, target="tpu")


def test_a_driver_that_is_missing_is_told_apart_from_one_that_is_too_old() -> None:
    assert "install NVIDIA's driver" in devices._remedy("CUDA driver library cannot be found.")
    assert "update" in devices._remedy("CUDA driver version is insufficient for CUDA runtime version")


def test_owned_loops_leave_out_what_is_added_up() -> None:
    plans, _ = plans_of(layer)
    added = [s for i in plans["evaluate"].items if not hasattr(i, "left") for s in statements_in(i) if s.op == "sum"]
    assert added
    for statement in added:
        assert all(isinstance(i, Index) for i in owned(statement))
        assert set(owned(statement)) < set(statement.loops)
