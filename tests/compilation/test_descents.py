"""Parameters that are updated block by block as their gradients are multiplied: the numbers of two passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support.threads import two_threads as two_threads

import symdl as sd
from symdl.compilation.statements import Contraction
from symdl.compilation.targets import descents, teams
from symdl.compilation.targets.emit import Emitter
from symdl.compilation.targets.products import tiles
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError

pytestmark = pytest.mark.skipif(
    tiles("float32") is None or not teams.shares(), reason="products are those of BLAS on this system"
)
#: So many rows of so many columns are two blocks and a bit, for each of two threads one and a bit.
INPUTS, HIDDEN, OUT, BATCH, ROWS = 300, 310, 5, 64, 74
#: Products by it are exact, so that it is all the same whether they are rounded before they are subtracted.
RATE = 0.25


def network() -> Definition:
    return sd.sequential(sd.dense(HIDDEN, "tanh"), sd.dense(OUT), loss="mse", inputs=INPUTS)


def drawn(dtype: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and parameters."""
    rng = np.random.default_rng(5)
    shapes = {"W1": (HIDDEN, INPUTS), "b1": (HIDDEN,), "W2": (OUT, HIDDEN), "b2": (OUT,)}
    data = {"x": rng.normal(size=(ROWS, INPUTS)), "y": rng.normal(size=(ROWS, OUT))}
    parameters = {n: rng.normal(size=s) / 20 for n, s in shapes.items()}
    return ({n: a.astype(dtype) for n, a in arrays.items()} for arrays in (data, parameters))  # type: ignore[return-value]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_epoch_has_the_bits_of_gradients_and_updates(dtype: str, two_threads: None) -> None:
    code = sd.compile(network(), optimizer=sd.sgd(RATE), dtype=dtype, extents={"n": BATCH})
    assert f"gradient{descents.OPENING}(" in code.source
    data, trained = drawn(dtype)
    by_hand = {n: a.copy() for n, a in trained.items()}
    code.epoch(data | trained, order=np.arange(ROWS), batch_size=BATCH)
    for rows in (slice(0, BATCH), slice(BATCH, ROWS)):
        slopes = code.gradient(**{n: a[rows] for n, a in data.items()}, **by_hand)
        for name in by_hand:
            by_hand[name] -= np.asarray(RATE, dtype) * slopes[name]
    for name, wanted in by_hand.items():
        assert trained[name].tobytes() == wanted.tobytes(), name


def test_states_follow_their_parameters() -> None:
    """Momentum, written out in NumPy."""
    code = sd.compile(network(), optimizer=sd.momentum(0.1, 0.9), dtype="float64", extents={"n": BATCH})
    data, trained = drawn("float64")
    code.epoch(data | trained, order=np.arange(ROWS), batch_size=BATCH)
    _, p = drawn("float64")
    held = {n: np.zeros_like(a) for n, a in p.items()}
    for rows in (slice(0, BATCH), slice(BATCH, ROWS)):
        x, y = data["x"][rows], data["y"][rows]
        h = np.tanh(x @ p["W1"].T + p["b1"])
        delta = 2 * (h @ p["W2"].T + p["b2"] - y) / len(x)
        back = delta @ p["W2"] * (1 - h**2)
        slopes = {"W1": back.T @ x, "b1": back.sum(axis=0), "W2": delta.T @ h, "b2": delta.sum(axis=0)}
        for name, slope in slopes.items():
            held[name] = 0.9 * held[name] + slope
            p[name] -= 0.1 * held[name]
    for name, wanted in p.items():
        np.testing.assert_allclose(trained[name], wanted, rtol=1e-9, atol=1e-12, err_msg=name)


def test_an_update_that_asks_for_all_gradients_waits_for_them() -> None:
    code = sd.compile(network(), optimizer=sd.clip_norm(sd.sgd(RATE), 1.0), dtype="float32", extents={"n": BATCH})
    assert descents.OPENING not in code.source


@sd.define
def factors(x=sd.Input("n i"), y=sd.Input("n k"), A=sd.Param("k j"), B=sd.Param("j i")):
    """y ≈ A B x with A B first, so that each gradient is a product with the other parameter."""
    (n, i), (k, j) = x.indices, A.indices
    whole = sd.let("C[k,i]", sd.Sum(A[k, j] * B[j, i], j))
    out = sd.let("out[n,k]", sd.Sum(whole[k, i] * x[n, i], i))
    return sd.let("L", sd.Sum(sd.mean((y[n, k] - out[n, k]) ** 2, n), k)), out


def test_a_gradient_made_of_parameters_is_not_put_off() -> None:
    """What is updated first would be in the gradient of the other one."""
    sizes = {"n": 64, "i": 100, "j": 90, "k": 80}
    code = sd.compile(factors, optimizer=sd.sgd(RATE), dtype="float64", extents=sizes)
    rng = np.random.default_rng(1)
    data = {"x": rng.normal(size=(64, 100)), "y": rng.normal(size=(64, 80))}
    trained = {"A": rng.normal(size=(80, 90)) / 20, "B": rng.normal(size=(90, 100)) / 20}
    before = {n: a.copy() for n, a in trained.items()}
    code.epoch(data | trained, order=np.arange(64), batch_size=64)
    A, B = before["A"], before["B"]
    slope = 2 * (data["x"] @ (A @ B).T - data["y"]).T @ data["x"] / 64
    for name, wanted in {"A": slope @ B.T, "B": A.T @ slope}.items():
        np.testing.assert_allclose(trained[name], before[name] - RATE * wanted, rtol=1e-9, atol=1e-12, err_msg=name)


def test_gradients_that_pass_by_take_the_room_of_one() -> None:
    definition = sd.sequential(*[sd.dense(HIDDEN, "tanh")] * 3, sd.dense(OUT), loss="mse", inputs=HIDDEN)
    code = sd.compile(definition, optimizer=sd.sgd(RATE), dtype="float32", extents={"n": BATCH})
    shapes: dict[str, tuple[int, ...]] = {"x": (ROWS, HIDDEN), "y": (ROWS, OUT), "W4": (OUT, HIDDEN), "b4": (OUT,)}
    shapes |= {f"W{k}": (HIDDEN, HIDDEN) for k in (1, 2, 3)} | {f"b{k}": (HIDDEN,) for k in (1, 2, 3)}
    told = code.memory({n: np.broadcast_to(0.0, s) for n, s in shapes.items()}, batch_size=BATCH)
    # the room of one, then the biases and the loss; each of them up to the next 64 bytes
    assert told.gradients == 64 * sum(-(-size // 16) for size in (HIDDEN**2, HIDDEN, HIDDEN, HIDDEN, OUT, 1))


@pytest.mark.parametrize("wrong", [descents.A_ROW, descents.ROWS, descents.INNER])
def test_operands_that_are_told_wrongly_are_refused(wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 0, a row less, a number less to add up."""
    right = descents._operands

    def planted(emitter: Emitter, products: Mapping[str, Contraction]) -> list[str]:
        less = f"{descents.OPERANDS}[0, {wrong}] -= {'4' if wrong == descents.A_ROW else '1'}"
        return [*right(emitter, products), less]

    monkeypatch.setattr(descents, "_operands", planted)
    with pytest.raises(CrossCheckError):
        sd.compile(network(), optimizer=sd.sgd(RATE), dtype="float32", extents={"n": BATCH + wrong})  # not in the cache
