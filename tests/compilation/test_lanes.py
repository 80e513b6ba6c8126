"""Networks side by side in vectors: equal to each by itself, with the bits of one thread, refused where they mix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit
from support.descent import two_layers
from support.threads import two_threads as two_threads

import symdl as sd
from symdl.compilation import building, team
from symdl.compilation.accuracy import ulp
from symdl.compilation.beside import beside, inside
from symdl.compilation.extents import Axes
from symdl.compilation.machine import lanes as machine
from symdl.compilation.plan import make_plan
from symdl.compilation.targets import helpers, lanes_functions
from symdl.compilation.targets.lanes import SUFFIX, for_lanes, used
from symdl.compilation.targets.products import tiles
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError

pytestmark = pytest.mark.skipif(tiles("float32") is None, reason="the vectors of this processor are not known")
COUNT, BATCH, STEPS = 32, 5, 7
SHAPES = {"x": (STEPS * BATCH, COUNT, 3), "y": (STEPS * BATCH, COUNT, 2), "W": (COUNT, 4, 3), "b": (COUNT, 4)}
SHAPES |= {"V": (COUNT, 2, 4), "c": (2, COUNT)}


@sd.define
def networks(
    x=sd.Input("n g i"),
    y=sd.Input("n g k"),
    W=sd.Param("g j i"),
    b=sd.Param("g j"),
    V=sd.Param("g k j"),
    c=sd.Param("k g"),
):
    (n, g, i), (_, k, j) = x.indices, V.indices
    h = sd.let("h[n,g,j]", sd.tanh(sd.Sum(W[g, j, i] * x[n, g, i], i) + b[g, j]))
    out = sd.let("out[n,g,k]", sd.Sum(V[g, k, j] * h[n, g, j], j) + c[k, g])
    return sd.let("L", sd.mean(sd.Sum((y[n, g, k] - out[n, g, k]) ** 2, k), n, g)), out


def compiled(optimizer: Any, dtype: str = "float32", **more: int) -> sd.Compiled:
    lengths = {"n": BATCH, "g": COUNT, "i": 3, "j": 4, "k": 2} | more
    return sd.compile(networks, optimizer=optimizer, dtype=dtype, extents=lengths)  # type: ignore[arg-type]


def start(dtype: str, scale: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {n: (scale * rng.normal(size=s)).astype(dtype) for n, s in SHAPES.items()}


def by_hand(given: dict[str, Any], rate: float, steps: int = STEPS) -> tuple[list[float], dict[str, Any]]:
    """Gradient descent of each network, written out in float64."""
    x, y, W, b, V, c = (np.array(given[n], np.float64) for n in ("x", "y", "W", "b", "V", "c"))
    losses = []
    for step in range(steps):
        part, target = (a[step * BATCH : (step + 1) * BATCH] for a in (x, y))
        h = np.tanh(np.einsum("gji,ngi->ngj", W, part) + b)
        gap = np.einsum("gkj,ngj->ngk", V, h) + c.T - target
        losses.append(float((gap**2).sum() / BATCH / COUNT))
        up = 2 * gap / BATCH / COUNT
        down = np.einsum("ngk,gkj->ngj", up, V) * (1 - h**2)
        W, b = W - rate * np.einsum("ngj,ngi->gji", down, part), b - rate * down.sum(0)
        V, c = V - rate * np.einsum("ngk,ngj->gkj", up, h), c - rate * up.sum(0).T
    return losses, {"W": W, "b": b, "V": V, "c": c}


def trained(code: sd.Compiled, given: dict[str, Any], sized: bool = True, **options: Any) -> tuple[Any, dict[str, Any]]:
    """What an epoch returns, and all arrays behind it."""
    if not sized:
        code = replace(code, program=replace(code.program, epoch=replace(code.program.epoch, sizes={})))  # type: ignore[type-var]
    arrays = {n: a.copy() for n, a in given.items()}
    states = code.start(arrays)
    made = code.epoch(arrays, states, order=np.arange(len(arrays["x"])), batch_size=BATCH, **options)
    return made, arrays | {f"{p} {s}": v for (p, s), v in states.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_they_train_as_each_by_itself(dtype: str) -> None:
    code = compiled(sd.sgd(3.0), dtype)
    assert "def epoch_block_kernel" in code.source and "tanh_lanes(" in code.source
    given = start(dtype)
    (done, losses), found = trained(code, given)
    wanted, parameters = by_hand(given, 3.0)
    assert done == STEPS
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(losses, wanted, rtol=tolerance)
    for name, value in parameters.items():
        np.testing.assert_allclose(found[name], value, atol=tolerance, err_msg=name)


def test_states_and_a_shorter_last_batch() -> None:
    code = compiled(sd.adam(1e-2))
    given = {n: a[:-2] if n in "xy" else a for n, a in start("float32").items()}
    (done, losses), found = trained(code, given)
    (_, wanted), general = trained(code, given, sized=False)
    assert done == STEPS
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)
    for name, value in general.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-5, err_msg=name)


def test_threads_give_the_bits_of_one(two_threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    code, given = compiled(sd.adam(1e-2)), start("float32")

    def many() -> list[bytes]:
        (_, losses), found = trained(code, given)
        return [losses.tobytes(), *(v.tobytes() for v in found.values())]

    both = [many() for _ in range(3)]
    for made in team._TEAMS.values():
        made.stop()
    monkeypatch.setenv(team.VARIABLES[0], "1")
    alone = many()
    assert all(b == alone for b in both)


def test_a_loss_that_is_not_finite_stops_all_of_them() -> None:
    code, given = compiled(sd.sgd(3.0)), start("float32")
    given["x"][4 * BATCH, 17, 1] = np.nan
    (done, losses), found = trained(code, given)
    assert done == 4 and len(losses) == 5
    assert np.isnan(losses[4]) and np.isfinite(losses[:4]).all()
    for name, value in by_hand(given, 3.0, 4)[1].items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


def test_a_sum_of_losses_that_is_not_finite_stops_them() -> None:
    """Each loss is finite, and all of them together are not."""
    code, given = compiled(sd.sgd(1e-30)), start("float32")
    given["y"][2 * BATCH :] = 3e19  # squares of 9e38/(5·32): the sum of all is beyond the largest number
    (done, losses), found = trained(code, given)
    assert done == 2 and np.isinf(losses[2]) and np.isfinite(losses[:2]).all()
    for name in "WbVc":
        np.testing.assert_allclose(found[name], given[name], rtol=1e-6)


def test_a_result_that_is_not_finite_is_undone() -> None:
    """The loss of the third step is finite, its update is not."""
    code, given = compiled(sd.sgd(0.1)), start("float32")
    given |= {n: np.zeros_like(given[n]) for n in ("W", "b", "V", "c", "y")}
    given["y"][2 * BATCH, 3, 0] = 1e4
    (done, losses), found = trained(code, given, hyper={"lr": 1e37})
    assert done == 2 and np.isfinite(losses).all() and len(losses) == 3
    assert all(not found[n].any() for n in "WbVc")


def test_a_planted_fault_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    emit = building.emit_module

    def planted(*arguments: Any) -> Any:
        module = emit(*arguments)
        general, special = module.source.split("def gradient_sized(")
        assert "= tanh_lanes(" in special
        return replace(module, source=f"{general}def gradient_sized({special.replace('= tanh_', '= sech2_')}")

    monkeypatch.setattr(building, "emit_module", planted)
    monkeypatch.setenv("SYMDL_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(CrossCheckError, match="with lengths in its code disagrees"):
        compiled(sd.sgd(0.1))


# ── parts of one thing ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("dtype", "units"), [("float32", 8), ("float64", 8)])
def test_units_of_a_layer_are_a_vector(dtype: str, units: int) -> None:
    """What the layer behind them adds up is a sum of lanes; its bias is a number."""
    network = sd.sequential(sd.dense(units, "tanh"), sd.dense(2), loss="mse", inputs=3)
    code = sd.compile(network, optimizer=sd.sgd(0.1), dtype=dtype, extents={"n": BATCH})  # type: ignore[arg-type]
    made = tiles(dtype)
    assert made is not None
    assert ("total(W2[k]*h1_n)" in code.source) == (units in (made.lanes, made.lanes // 2))
    rng, rows = np.random.default_rng(6), 6 * BATCH + 2
    shapes = {"x": (rows, 3), "y": (rows, 2), "W1": (units, 3), "b1": (units,), "W2": (2, units), "b2": (2,)}
    given = {n: rng.normal(size=s).astype(dtype) for n, s in shapes.items()}
    (done, losses), found = trained(code, given)
    wanted, parameters = two_layers(given, BATCH, 0.1)
    assert done == 7
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(losses, wanted, rtol=tolerance)
    for name, value in parameters.items():
        np.testing.assert_allclose(found[name], value, atol=tolerance, err_msg=name)


def test_the_equations_with_sums_of_lanes() -> None:
    definition = sd.derive(sd.sequential(sd.dense(8, "tanh"), sd.dense(2), loss="mse", inputs=3)).gradient
    made = {found.count: found for found in inside(definition, Axes(definition))}
    assert set(made) == {2, 3, 8}
    units = made[8]
    assert not units.apart and units.axes["W2"] == 1 and units.axes["b2"] == -1
    assert repr(units.one.by_name["y_hat"]) == "y_hat[n, k] = total(W2[k]*h1[n]) + b2[k]"
    assert repr(units.one.by_name["b1_bar"]) == "b1_bar = Sum_{n}(s1_bar[n])"
    square = sd.define(_square)
    assert not [found for found in inside(square, Axes(square)) if found.count == 8]


def _square(x=sd.Input("n j=8"), W=sd.Param("k=8 j=8"), V=sd.Param("j=8")):
    """A layer into itself: its axes are of one kind."""
    (n, j), (k, _) = x.indices, W.indices
    h = sd.let("h[n,k]", sd.Sum(W[k, j] * x[n, j], j) + V[k])
    return sd.let("L", sd.Sum(h[n, k] ** 2, n, k))


def test_which_steps_are_made_in_vectors() -> None:
    """Counts that fill vectors, of things that are small."""

    def lanes(**lengths: int) -> Any:
        definition = sd.derive(networks).gradient
        plan = make_plan(definition, {"n": BATCH, "g": COUNT, "i": 3, "j": 4, "k": 2} | lengths)
        return building._lanes(definition, plan, "float32")

    assert lanes().blocks == COUNT // lanes().width
    assert lanes(g=COUNT + 1) is None
    assert lanes(j=4000) is None


# ── what is beside each other ────────────────────────────────────────────────────────────────────────────────────────


def found(definition: Definition) -> Any:
    axes = Axes(definition)
    axes.expected = {e: 7 for e in definition.extents.values() if e.is_Symbol}
    return beside(definition, axes)


def test_the_equations_of_one() -> None:
    made = found(networks)
    assert made.count == 7
    assert made.axes["x"] == 1 and made.axes["W"] == 0 and made.axes["c"] == 1
    assert repr(made.one.by_name["out"]) == "out[n, k] = c[k] + Sum_{j}(V[k, j]*h[n, j])"
    assert repr(made.one.by_name["L"]).startswith("L = Sum_{n}(") or made.one.by_name["L"].terms[0].op == "sum"


def test_axes_that_are_mixed_are_not_beside_each_other() -> None:
    @sd.define
    def shared(x=sd.Input("n g"), w=sd.Param()):
        n, g = x.indices
        return sd.let("L", sd.Sum((w * x[n, g]) ** 2, n, g))

    @sd.define
    def meeting(x=sd.Input("n g"), w=sd.Param("g")):
        n, g = x.indices
        total = sd.let("m[n]", sd.Sum(w[g] * x[n, g], g))
        return sd.let("L", sd.Sum((w[g] * x[n, g] - total[n]) ** 2, n, g))

    @sd.define
    def turned(x=sd.Input("n g=8"), w=sd.Param("g=8")):
        n, g = x.indices
        return sd.let("L", sd.Sum((w[7 - g] * x[n, g]) ** 2, n, g))

    @sd.define
    def counted(x=sd.Input("n g=8"), w=sd.Param("g=8")):
        n, g = x.indices
        return sd.let("L", sd.Sum(g * (w[g] * x[n, g]) ** 2, n, g))

    @sd.define
    def product(x=sd.Input("n g=8"), w=sd.Param("g=8")):
        n, g = x.indices
        y = sd.let("y[n,g]", w[g] * x[n, g])
        return sd.let("L", sd.Sum(y[n, g], n, g) ** 2)

    @sd.define
    def words(ids=sd.Input("n g=8", integer=True), E=sd.Param("g=8 v=5")):
        n, g = ids.indices
        return sd.let("L", sd.Sum(E[g, ids[n, g]] ** 2, n, g))

    for definition in (shared, meeting, turned, counted, product, words):
        assert found(definition) is None, definition.name


# ── functions of vectors ─────────────────────────────────────────────────────────────────────────────────────────────

LIMITS = {"exp": 1.5, "tanh": 2.0, "sech2": 4.0, "expm1": 2.0}
EXACT = {"exp": mpmath.exp, "tanh": mpmath.tanh, "sech2": lambda x: mpmath.sech(x) ** 2, "expm1": mpmath.expm1}


def of_vectors(name: str, dtype: str, halves: int = 1) -> Callable[[Any], Any]:
    """The function over an array, a vector at a time, of a register or of half of one."""
    made = tiles(dtype)
    assert made is not None
    width = made.lanes // halves
    sources = used(f"{name}{SUFFIX}(x)", dtype, width)
    assert sources is not None
    space: dict[str, Any] = {"real": getattr(np, dtype), "room": machine.rooms(dtype, width)}
    space |= {n: getattr(machine, n) for n in dir(machine) if not n.startswith("__")}
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
    for source in sources:
        exec(source, space)
        own = source.split("(")[0].removeprefix("def ")
        space[own] = njit(forceinline=True, **options)(space[own])
    size = width * np.dtype(dtype).itemsize
    lines = ["def run(x, y):", f"    a = room({size}, (1,))", "    n = numbers(a)", "    for k in range(x.shape[0]):"]
    lines += [f"        for lane in range({width}):", "            n[0, lane] = x[k, lane]"]
    lines += [f"        a[0] = {name}{SUFFIX}(a[0])", f"        for lane in range({width}):"]
    lines += ["            y[k, lane] = n[0, lane]"]
    exec("\n".join(lines), space)
    run = njit(**options)(space["run"])

    def call(values: Any) -> Any:
        x = np.resize(np.array(values, dtype), (-(-len(values) // width), width))
        y = np.empty_like(x)
        run(x, y)
        return y.ravel()[: len(values)]

    return call


CASES = [("float32", n, h, o) for n in LIMITS for h in (1, 2) for o in (True, False)]


@pytest.mark.parametrize(
    ("dtype", "name", "halves", "own"), [*CASES, ("float64", "tanh", 2, True), ("float64", "exp", 1, False)]
)
def test_errors_in_ulps(dtype: str, name: str, halves: int, own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as they are on processors that neither look lanes up nor scale by powers of two."""
    if not own:
        monkeypatch.setattr(lanes_functions, "_looks_up", lambda: False)
        monkeypatch.setattr(machine, "scales", lambda bits: False)
    limit = 700.0 if dtype == "float64" else 103.0
    rng = np.random.default_rng(7)
    x = np.concatenate([rng.normal(size=400) * s for s in (1e-3, 0.3, 1, 5, 40)] + [rng.uniform(-limit, limit, 400)])
    x = x.astype(dtype)
    worst = 0.0
    with mpmath.workdps(50):
        for at, got in zip(x.tolist(), of_vectors(name, dtype, halves)(x).tolist(), strict=True):
            exact = EXACT[name](mpmath.mpf(at))
            if abs(exact) > float(np.finfo(dtype).max):
                assert got == np.inf
            else:
                worst = max(worst, float(abs(got - exact) / ulp(exact, dtype)))
    assert worst <= LIMITS[name], f"{worst:.3f} ulps"


def test_special_values() -> None:
    exp, tanh, slope = (of_vectors(n, "float32") for n in ("exp", "tanh", "sech2"))
    assert exp([0.0, -0.0, np.inf, -np.inf, 1e6, -1e6]).tolist() == [1.0, 1.0, np.inf, 0.0, np.inf, 0.0]
    assert tanh([np.inf, -np.inf, 1e6, -1e6]).tolist() == [1.0, -1.0, 1.0, -1.0]
    assert slope([np.inf, -np.inf, 1e6, 0.0]).tolist() == [0.0, 0.0, 0.0, 1.0]
    assert all(np.isnan(f([np.nan]))[0] for f in (exp, tanh, slope))
    assert np.signbit(tanh([0.0, -0.0])).tolist() == [False, True]


def test_lines_for_vectors() -> None:
    lines = ["    # a comment", "    for n in range(N):", "        y[n] = math.sqrt(a) if a > b or a != a else a**3"]
    assert for_lanes(lines) == [*lines[:2], "        y[n] = chosen((a > b) | (a != a), root_of(a), a * a * a)"]
    assert used("y = math.pow(x, 0.3)", "float32", 16) is None
    assert used("y = log_lanes(x)", "float32", 16) is None
    assert "log_parts" in helpers.used("y = log(x)")
