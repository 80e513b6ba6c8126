"""Definitions with more data than X and y: losses that compare examples, or need more than a target and an output."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import symdl as sd

F = torch.nn.functional


@sd.define
def siamese(x=sd.Input("n i"), p=sd.Input("n i"), q=sd.Input("n i"), W=sd.Param("d i")):
    anchor, like, other = (sd.layers.linear(u, W, name=name) for u, name in ((x, "u"), (p, "v"), (q, "w")))
    return sd.loss("triplet_margin", margin=0.5).write(anchor, like, other), anchor


@sd.define
def ranked(x=sd.Input("n i"), z=sd.Input("n i"), t=sd.Input("n", facts=["sign"]), W=sd.Param("i")):
    (n, i) = x.indices
    first, second = sd.let("a[n]", sd.Sum(W[i] * x[n, i], i)), sd.let("b[n]", sd.Sum(W[i] * z[n, i], i))
    return sd.loss("margin_ranking", margin=1).write(t, first, second)


@sd.define
def weighed(x=sd.Input("n i"), t=sd.Input("n"), share=sd.Input("i"), W=sd.Param("i")):
    """`share` is one for all rows."""
    (n, i) = x.indices
    y = sd.let("y[n]", sd.Sum(share[i] * W[i] * x[n, i], i))
    return sd.let("L", sd.mean((t[n] - y[n]) ** 2, n))


def numbers(rng):
    return {n: rng.normal(size=(24, 5)) for n in ("x", "p", "q", "z")} | {"t": rng.choice([-1.0, 1.0], 24)}


def by_torch(loss, W, data, epochs=4, size=8):
    w = torch.tensor(W, requires_grad=True)
    optimiser = torch.optim.SGD([w], 0.05)
    for _ in range(epochs):
        for at in range(0, 24, size):
            optimiser.zero_grad()
            loss(w, {n: torch.tensor(a[at : at + size]) for n, a in data.items()}).backward()
            optimiser.step()
    return w.detach().numpy()


@pytest.mark.parametrize(
    ("definition", "names", "shape", "peer"),
    [
        (
            siamese,
            ("x", "p", "q"),
            (3, 5),
            lambda w, d: F.triplet_margin_loss(*(d[n] @ w.T for n in ("x", "p", "q")), margin=0.5),
        ),
        (
            ranked,
            ("x", "z", "t"),
            (5,),
            lambda w, d: F.margin_ranking_loss(d["x"] @ w, d["z"] @ w, d["t"], margin=1.0),
        ),
    ],
)
def test_tables_train_as_peers_do(definition, names, shape, peer, rng):
    data = {n: a for n, a in numbers(rng).items() if n in names}
    W = rng.normal(size=shape)
    fit = sd.train(
        definition,
        data,
        epochs=4,
        batch_size=8,
        initial={"W": W},
        optimizer=sd.sgd(0.05),
        shuffle=False,
        progress=False,
        validation={n: a[:6] for n, a in data.items()},
    )
    np.testing.assert_allclose(fit.parameters["W"], by_torch(peer, W, data), rtol=1e-12, atol=1e-13)
    assert len(fit.history.validation_loss) == 4
    assert fit.measure(data)["loss"] == pytest.approx(fit.history.training_loss[-1], rel=1e-12)


def test_one_may_be_left_out_for_y_and_one_is_the_same_for_all_rows(rng):
    data, share = numbers(rng), np.array([1.0, 0, 1, 0, 1])
    fit = sd.train(weighed, {"x": data["x"], "share": share}, data["t"], epochs=2, seed=1, progress=False)
    named = {"x": data["x"], "t": data["t"], "share": share}
    assert np.array_equal(
        fit.parameters["W"], sd.train(weighed, named, epochs=2, seed=1, progress=False).parameters["W"]
    )


def test_predictions_take_a_table(rng):
    data = {n: numbers(rng)[n] for n in ("x", "p", "q")}
    fit = sd.train(siamese, data, epochs=1, progress=False, initial={"W": rng.normal(size=(3, 5))})
    assert np.array_equal(fit.predict({"x": data["x"]}), fit.predict(data["x"]))


def test_what_is_wrong_is_told(rng):
    d = numbers(rng)
    table = {n: d[n] for n in ("x", "p", "q")}
    for X, y, words in (
        (d["x"], d["p"], "3 data inputs.*table by name"),
        ({n: table[n] for n in ("x", "p")}, None, "'q' is missing"),
        ({**table, "r": d["z"]}, None, "'r' is none of them"),
        (table, d["t"], "y is left over"),
        ({**table, "q": d["q"][:3]}, None, "q has 3 rows.*x has 24"),
        ({**table, "q": np.full((24, 5), np.nan)}, None, "q contains NaN"),
    ):
        with pytest.raises(sd.SymdlError, match=words):
            sd.train(siamese, X, y, epochs=1, progress=False)
