"""Nests of large arrays that several threads share: the bits of one thread, and parts that are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numba import njit
from support.threads import two_threads as two_threads

import symdl as sd
from symdl.compilation import team
from symdl.compilation.fusion import Loop
from symdl.compilation.machine.addresses import apart
from symdl.compilation.plan import make_plan
from symdl.compilation.targets import numba as target, teams
from symdl.compilation.targets.products import tiles
from symdl.compilation.targets.together import TeamEmitter, cut_of
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError

pytestmark = pytest.mark.skipif(
    tiles("float32") is None or not teams.shares(), reason="nothing is shared with threads on this system"
)
LONG = 5003  # no multiple of anything


@sd.define
def slopes(x=sd.Input("n"), up=sd.Input("n")):
    (n,) = x.indices
    y = sd.let("y[n]", sd.tanh(x[n]) * sd.exp(-x[n] * x[n]))
    return sd.let("L", sd.Sum(up[n] * y[n], n)), y


def network() -> Definition:
    return sd.sequential(sd.dense(70, "tanh"), sd.dense(3), loss="mse", inputs=300)


def retry() -> None:
    """Share the next work out, whatever this machine is busy with."""
    for made in team._TEAMS.values():
        made.retry()


def shared_so_far() -> int:
    return sum(made.shared for made in team._TEAMS.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_give_the_bits_of_one(dtype: str, two_threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are added up in the same parts, whoever computes them."""
    code = sd.compile(slopes, wrt="x", dtype=dtype, extents={"n": LONG})
    rng = np.random.default_rng(3)
    given = {n: rng.normal(size=LONG).astype(dtype) for n in ("x", "up")}
    code.gradient(**given)  # which notices that threads are missed
    before, found = shared_so_far(), []
    for call in [code.gradient, code] * 4:
        retry()
        found.append(call(**given))
    assert shared_so_far() == before + 8
    for made in team._TEAMS.values():
        made.stop()
    monkeypatch.setenv(team.VARIABLES[0], "1")
    alone = [code.gradient(**given), code(**given)] * 4
    for wanted, got in zip(alone, found, strict=True):
        assert {n: v.tobytes() for n, v in wanted.items()} == {n: v.tobytes() for n, v in got.items()}
    x, up = given["x"].astype(float), given["up"].astype(float)
    assert float(alone[1]["L"]) == pytest.approx(np.sum(up * np.tanh(x) * np.exp(-x * x)), rel=1e-5)


@pytest.mark.parametrize("clipped", [False, True])
def test_training_gives_the_bits_of_one(clipped: bool, two_threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a batch, biases and activations, and updates, with products or after them; the last batch is short."""
    rng = np.random.default_rng(4)
    rows, batch = 230, 96
    start = {n: rng.normal(size=s) / 8 for n, s in {"W1": (70, 300), "b1": (70,), "W2": (3, 70), "b2": (3,)}.items()}
    data = {"x": rng.normal(size=(rows, 300)), "y": rng.normal(size=(rows, 3))}
    optimizer = sd.clip_norm(sd.adam(0.01), 1.0) if clipped else sd.adam(0.01)
    code = sd.compile(network(), optimizer=optimizer, dtype="float32", extents={"n": batch})
    for part in ("h1_part_kernel", "epoch_rows_kernel", "epoch_update_kernel" if clipped else "epoch_descent_kernel"):
        assert f"work_of({part}" in code.source

    def train() -> dict[str, Any]:
        arrays = {n: np.array(v, "float32") for n, v in (start | data).items()}
        states = code.start(arrays)
        for _ in range(2):
            code.epoch(arrays, states, order=np.arange(rows)[::-1].copy(), batch_size=batch)
        return arrays | {f"{p} {s}": v for (p, s), v in states.items()}

    before = shared_so_far()
    retry()
    found = [train() for _ in range(3)]
    assert shared_so_far() > before
    for made in team._TEAMS.values():
        made.stop()
    monkeypatch.setenv(team.VARIABLES[0], "1")
    for name, value in train().items():
        assert all(f[name].tobytes() == value.tobytes() for f in found), name


def test_an_update_that_breaks_in_a_part_is_undone(two_threads: None) -> None:
    code = sd.compile(network(), optimizer=sd.sgd(0.1), dtype="float32", extents={"n": 96})
    rng = np.random.default_rng(5)
    shapes = {"x": (96, 300), "y": (96, 3), "W1": (70, 300), "b1": (70,), "W2": (3, 70), "b2": (3,)}
    arrays = {n: rng.normal(size=s).astype("float32") for n, s in shapes.items()}
    arrays["W1"][69, 299] = 3e38  # in the last part, where the rate makes it infinite
    arrays["x"][:, 299] = 0
    kept = {n: a.copy() for n, a in arrays.items()}
    arrays["x"][0, 299] = 1e-30
    done, losses = code.epoch(arrays, order=np.arange(96), batch_size=96, hyper={"lr": 1e38})
    assert done == 0 and np.isfinite(losses).all()
    assert all(np.array_equal(arrays[n], kept[n]) for n in ("W1", "b1", "W2", "b2"))


@pytest.mark.parametrize(
    ("right", "wrong", "more"),
    [
        ("return first, min(first + step, size)", "return first, min(first + step, size - 1)", 1),
        ("first = min(number*step, size)", "first = min(number*step, size)*0", 2),
    ],
)
def test_parts_that_are_cut_wrongly_are_refused(
    right: str, wrong: str, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cross-check has everything cut into parts, however small its arrays are."""
    assert right in teams.PART_OF
    monkeypatch.setattr(target, "PART_OF", teams.PART_OF.replace(right, wrong))
    with pytest.raises(CrossCheckError):
        sd.compile(slopes, wrt="x", extents={"n": LONG + more})  # which nothing else was compiled for


@sd.define
def scaled(x=sd.Input("n i"), up=sd.Input("n i"), g=sd.Param("i"), b=sd.Param("i")):
    """Rows over their lengths, scaled and moved: neither the rows nor the columns of their slopes are their own."""
    n, i = x.indices
    r = sd.let("r[n]", 1 / sd.sqrt(sd.mean(x[n, i] ** 2, i) + 1))
    y = sd.let("y[n,i]", g[i] * x[n, i] * r[n] + b[i])
    return sd.let("L", sd.Sum(up[n, i] * sd.tanh(y[n, i]), n, i))


def given_scaled(rows: int, columns: int, dtype: str) -> dict[str, Any]:
    rng = np.random.default_rng(rows)
    shapes = {"x": (rows, columns), "up": (rows, columns), "g": (columns,), "b": (columns,)}
    return {n: rng.normal(size=s).astype(dtype) for n, s in shapes.items()}


def test_rows_that_parts_add_to(two_threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slopes of scales and offsets are those of autograd, for any number of rows, and have the bits of one thread."""
    dtype = "float32"
    code = sd.compile(scaled, wrt=["g", "b", "x"], dtype=dtype, extents={"n": 200, "i": 50})
    assert "g_bar_by_part[number, i] +=" in code.source
    sizes = [(200, 50), (3, 50), (1, 7), (201, 65)]
    code.gradient(**given_scaled(*sizes[0], dtype))
    before, found = shared_so_far(), []
    for size in sizes:
        retry()
        found.append(code.gradient(**given_scaled(*size, dtype)))
    assert shared_so_far() > before
    for made in team._TEAMS.values():
        made.stop()
    monkeypatch.setenv(team.VARIABLES[0], "1")
    for size, got in zip(sizes, found, strict=True):
        given = given_scaled(*size, dtype)
        alone = code.gradient(**given)
        assert {n: v.tobytes() for n, v in alone.items()} == {n: v.tobytes() for n, v in got.items()}
        t = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in given.items()}
        y = t["g"] * t["x"] / torch.sqrt((t["x"] ** 2).mean(dim=1, keepdim=True) + 1) + t["b"]
        (t["up"] * torch.tanh(y)).sum().backward()
        for name in ("g", "b", "x"):
            exact = t[name].grad.numpy()
            np.testing.assert_allclose(got[name], exact, rtol=0, atol=abs(exact).max() * 30 * np.finfo(dtype).eps)


def test_arrays_of_two_axes_that_parts_add_to(two_threads: None) -> None:
    """Loops over both axes are not one there, since the rows of a part are filled up."""

    @sd.define
    def heads(x=sd.Input("n h e"), b=sd.Param("h e"), c=sd.Param("e")):
        (n, h, e), _ = x.indices, b.indices
        y = sd.let("y[n,h,e]", sd.tanh(x[n, h, e] + b[h, e]) * c[e])
        return sd.let("L", sd.Sum(y[n, h, e] ** 2, n, h, e)), y

    code = sd.compile(heads, wrt=["b", "c"], extents={"n": 96, "h": 6, "e": 10})
    assert "b_bar_by_part[number, h, e] +=" in code.source
    rng = np.random.default_rng(8)
    for shape in [(96, 6, 10), (5, 3, 33)]:
        given = {"x": rng.normal(size=shape), "b": rng.normal(size=shape[1:]), "c": rng.normal(size=shape[2])}
        t = {n: torch.tensor(v, requires_grad=True) for n, v in given.items()}
        ((torch.tanh(t["x"] + t["b"]) * t["c"]) ** 2).sum().backward()
        got = code.gradient(**given)
        for name in ("b", "c"):
            np.testing.assert_allclose(got[name], t[name].grad, rtol=1e-11, atol=1e-12)


def test_rows_that_are_added_up_wrongly_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    joined = TeamEmitter._joined
    monkeypatch.setattr(TeamEmitter, "_joined", lambda self, v: [line.replace("+=", "=") for line in joined(self, v)])
    with pytest.raises(CrossCheckError):
        sd.compile(scaled, wrt="g", extents={"n": 199, "i": 50})  # which nothing else was compiled for


def cut(definition: Definition, **expected: int) -> list[str]:
    """The indices that nests of a gradient are cut by."""
    plan = make_plan(sd.derive(definition).gradient if definition.target.rank == 0 else definition, expected)
    cuts = (cut_of(item, plan.axes, "float32") for item in plan.items)
    return [found.index.name for found in cuts if found is not None]


def test_what_is_cut() -> None:
    assert cut(slopes, n=LONG) == ["n"]
    assert cut(slopes, n=50) == []
    assert cut(network(), n=500) == ["j", "n", "j"], "as products with weights are; gradients of short biases by rows"


def test_an_order_that_matters_is_kept() -> None:
    """A recurrence runs through its times; a sum over the rows for each class is no row's own: parts have theirs."""

    @sd.define
    def walk(x=sd.Input("t k"), b=sd.Input("k")):
        t, k = x.indices
        s = sd.let("s[t,k]", sd.tanh(x[t, k] + 2 * b[k]))
        return sd.let("L[k]", sd.Sum(s[t, k], t))

    assert cut(walk, t=LONG, k=4) == ["t"]
    assert cut(walk, t=7, k=LONG) == ["k"], "columns are added up by themselves"
    assert cut(sd.definition("lstm"), t=8, n=64)[-1] == "n", "each row runs through its own times"


def test_functions_behind_sums_run_as_vectors() -> None:
    """Joined to the loop that holds a sum they would be computed one by one."""

    @sd.define
    def unit(x=sd.Input("n i"), w=sd.Param("j i")):
        (n, i), (j, _) = x.indices, w.indices
        s = sd.let("s[n,j]", sd.Sum(w[j, i] * x[n, i], i))
        return sd.let("h[n,j]", sd.tanh(s[n, j]))

    def loops(**expected: int) -> list[int]:
        (nest,) = make_plan(unit, expected, products=False).items
        assert isinstance(nest, Loop)
        return [len(nest.children), *(len(c.children) for c in nest.children if isinstance(c, Loop))]

    assert loops(n=64, j=64, i=64) == [2, 2, 1], "start and sum, then the function"
    assert loops(n=64, j=4, i=64) == [1, 3], "too short for a vector"
    assert loops(n=64, j=64, i=4) == [1, 3], "a sum that is unrolled"


def test_what_is_written_is_said_to_be_its_own() -> None:
    """LLVM would compare the addresses of all arrays before a loop that writes several of them, or give up."""
    source = sd.compile(slopes, wrt="x", extents={"n": LONG + 3}).source
    part = source[source.index("def x_bar_part_kernel") :] if "def x_bar_part_kernel" in source else source
    assert "= apart(x_bar)" in part and "apart(up)" not in source


def test_arrays_that_are_their_own_are_read_after_the_function_returns() -> None:
    """Stores to memory of its own that nobody reads within a function could be left out."""

    @njit
    def fill(x: Any, y: Any) -> None:
        own = apart(y)
        for k in range(x.size):
            own[k] = 2 * x[k]

    x, y = np.arange(100.0), np.zeros(100)
    fill(x, y)
    assert (y == 2 * x).all()
