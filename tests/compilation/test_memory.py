"""The memory of training as it is told, beside what NumPy is seen to take."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.compilation.liveness import assign_slots, kept_after
from symdl.compilation.plan import make_plan
from symdl.compilation.statements import Statement
from symdl.core.define import Input, Param, Sum, define, let, mean, tanh
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.derivation.derive import derive
from symdl.errors import DataError, DefinitionError, ShapeError, UnsupportedError
from symdl.library.layers import dense, sequential

INPUTS, HIDDEN, ROWS, BATCH = 60, 90, 400, 200


@define
def network(x=Input("n i"), y=Input("n"), W=Param("j i"), b=Param("j"), v=Param("j")):
    (n, i), (j, _) = x.indices, W.indices
    s = let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
    h = let("h[n,j]", tanh(s[n, j]))
    out = let("out[n]", Sum(v[j] * h[n, j], j))
    return let("L", mean((out[n] - y[n]) ** 2, n)), out


@pytest.fixture(scope="module")
def code() -> sd.Compiled:
    return sd.compile(network, optimizer=sd.adam(0.01))


def drawn(hidden: int = HIDDEN) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"x": (ROWS, INPUTS), "y": (ROWS,), "W": (hidden, INPUTS), "b": (hidden,), "v": (hidden,)}
    return {n: rng.normal(size=s) / 10 for n, s in shapes.items()}


def taken(code: sd.Compiled, arrays: dict[str, Any], batch: int) -> int:
    """The most bytes that NumPy and Python held during an epoch, beyond the data."""
    order = np.arange(ROWS)
    tracemalloc.start()
    given = {n: np.array(a) if n in "Wbv" else a for n, a in arrays.items()}
    states = code.start({p: given[p] for p in "Wbv"})
    code.epoch(given, states, order=order, batch_size=batch)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.parametrize(("hidden", "batch"), [(HIDDEN, BATCH), (10 * HIDDEN, 20)])
def test_what_is_told_is_what_is_measured(code: sd.Compiled, hidden: int, batch: int) -> None:
    """Once with more intermediate values than parameters, once with fewer."""
    arrays = drawn(hidden)
    taken(code, arrays, batch)  # what is remembered from a first call on
    assert code.memory(arrays, batch_size=batch).peak == pytest.approx(taken(code, arrays, batch), rel=0.1)


def test_each_part_is_what_can_be_counted_by_hand(code: sd.Compiled) -> None:
    found = code.memory(drawn(), batch_size=BATCH)
    numbers = HIDDEN * INPUTS + 2 * HIDDEN
    assert found.parameters == 8 * numbers
    assert found.state == 2 * 8 * numbers
    assert found.before == found.parameters + found.state
    # with the loss, each of four arrays up to the next 64 bytes
    assert 8 * (numbers + 1) <= found.gradients < 8 * (numbers + 1) + 4 * 64
    assert found.batch == 8 * BATCH * (INPUTS + 1)
    # the hidden units, and at most one more array like it
    assert 8 * BATCH * HIDDEN <= found.kept <= 8 * BATCH * (2 * HIDDEN + 2)
    assert found.least == found.parameters + found.state + found.kept
    assert str(found).startswith(f"{found.peak / 2**10:,.1f} KiB at most in a training step\n")


def test_only_shapes_count(code: sd.Compiled) -> None:
    arrays = drawn()
    shapes = {n: np.broadcast_to(0, a.shape) for n, a in arrays.items()}
    assert code.memory(shapes, batch_size=BATCH) == code.memory(arrays, batch_size=BATCH)
    assert code.memory(arrays, batch_size=10 * ROWS) == code.memory(arrays, batch_size=ROWS)


def test_what_cannot_be_told_is_said(code: sd.Compiled) -> None:
    arrays = drawn()
    with pytest.raises(DataError, match="'v' is missing"):
        code.memory({n: a for n, a in arrays.items() if n != "v"}, batch_size=BATCH)
    with pytest.raises(ShapeError):
        code.memory({**arrays, "W": arrays["W"][:, :-1]}, batch_size=BATCH)
    with pytest.raises(DataError, match="no rows"):
        code.memory(arrays, batch_size=0)
    with pytest.raises(DefinitionError, match="can't train"):
        sd.compile(network).memory(arrays, batch_size=BATCH)


def test_programs_that_keep_their_values_elsewhere_do_not_tell(code: sd.Compiled) -> None:
    """Wide numbers, and programs for a GPU, have no function for it."""
    space = {n: f for n, f in code.program.space.items() if n != "gradient_kept_size"}
    elsewhere = replace(code, program=replace(code.program, space=space))
    with pytest.raises(UnsupportedError, match="not told"):
        elsewhere.memory(drawn(), batch_size=BATCH)


# ── the plan ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_backward_pass_needs_what_was_known_with_the_loss() -> None:
    """h1 and h2 for the slopes by the weights above them; what is summed up for one layer at a time is not kept."""
    layers = sequential(*[dense(64, "tanh")] * 2, dense(10), loss="softmax_cross_entropy", inputs=64)
    plan = make_plan(derive(layers).gradient, {"n": 64})
    kept = kept_after(plan.items, "L")
    assert kept >= {"h1", "h2"}
    assert not kept & {"x", "W1", "W1_bar", "h1_bar", "h2_bar"}


def test_a_long_tensor_goes_where_a_long_one_was() -> None:
    """s (3 numbers) → g (100) → L, then h (100) → L: h has the memory of g, and s keeps a slot of 3."""
    i, j = Index("i", 3), Index("j", 100)
    u, s, g, h, loss = (Tensor(n, (k,) if k else ()) for n, k in (("u", i), ("s", i), ("g", j), ("h", j), ("L", None)))
    made = [(s[i], u[i], (i,)), (g[j], s[0], (j,)), (loss.element(), g[j], (j,)), (h[j], u[0], (j,))]
    items = tuple(Statement(out, body, "", loops, "") for out, body, loops in [*made, (loss.element(), h[j], (j,))])
    slots = assign_slots(items, [s, g, h], lambda index: int(index.extent))
    assert slots == {"s": 0, "g": 1, "h": 1}
