"""Regularisers: the gradients that follow from their terms, beside forms by hand, PyTorch and scikit-learn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.core.define import Hyper, Input, Param, Sum, define, let, mean, switch
from symdl.errors import DefinitionError
from symdl.library.regularisers import elastic_net, l1, l2, regularised
from symdl.training.loop import train


@define
def line(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    y = let("y[n]", Sum(w[i] * x[n, i], i) + b)
    return let("L", mean((t[n] - y[n]) ** 2, n)), y


def test_the_slope_of_each_term() -> None:
    """λ₁ sign(w) + λ₂ w on top of what the loss gives; nothing for the bias. Proved for all extents."""
    both = regularised(line, elastic_net(0.1))
    assert both.outputs == ("J", "y", "L") and both.target.name == "J"

    def by_hand(x: Any, t: Any, w: Any, y: Any, lambda1: Any, lambda2: Any) -> Any:
        n, i = x.indices
        from_loss = sd.Sum(-2 * (t[n] - y[n]) * x[n, i] / n.extent, n)
        w_bar = sd.let("w_bar[i]", from_loss + lambda1 * switch(w[i], -1, 1, kink="mid") + lambda2 * w[i])
        return w_bar, sd.let("b_bar", sd.Sum(-2 * (t[n] - y[n]) / n.extent, n))

    chain = sd.derive(both, wrt=["w", "b"])
    sd.equal(chain, sd.define(by_hand, extends=both)).require()


def test_the_square_is_the_weight_decay_of_sgd() -> None:
    """θ − lr·(g + λθ), whether λ/2 Σ w² is in the loss or the optimiser decays."""

    @define
    def decayed(theta=Param(), g=Input(), lr=Hyper(), weight_decay=Hyper()):
        return let("theta_new", theta - lr * (g + weight_decay * theta))

    update = sd.sgd(0.1, weight_decay=0.5).update
    sd.equal(update, decayed).require()


def test_terms_that_are_chosen() -> None:
    assert [e.name for e in regularised(line, l1(0.1)).equations] == ["y", "L", "R1", "J"]
    assert "b**2" in repr(regularised(line, l2(0.1, on=["b"])).by_name["R2"])
    fixed = regularised(line.at(i=3), l2(0.1))
    assert fixed.general is not None and fixed["w"].shape == (3,)
    network = regularised(sd.sequential(sd.dense(3, "tanh"), sd.dense(1), inputs=2), l2(0.1))
    assert {t.name for t in network.by_name["R2"].uses} == {"W1", "W2"}


def test_scikit_learn_finds_the_same_elastic_net(rng: np.random.Generator) -> None:
    """Its objective is half the mean square, so λ counts twice here."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    x = rng.normal(size=(80, 4))
    t = x @ [2.0, -1.0, 0.0, 0.0] + 0.3 + 0.1 * rng.normal(size=80)
    theirs = linear_model.ElasticNet(alpha=0.3, l1_ratio=0.5, tol=1e-12).fit(x, t)
    fit = train(
        line,
        x,
        t,
        epochs=5000,
        batch_size=80,
        optimizer=sd.sgd(sd.schedules.exponential(0.1, factor=0.998)),
        penalty=elastic_net(0.6),
        progress=False,
    )
    np.testing.assert_allclose(fit.parameters["w"], theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(fit.parameters["b"], theirs.intercept_, atol=1e-4)
    assert fit.hyper == {"lambda1": 0.3, "lambda2": 0.3}
    np.testing.assert_allclose(fit.predict(x), theirs.predict(x), atol=1e-3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: l1(0), "weight = 0"),
        (lambda: l2(float("nan")), "weight = nan"),
        (lambda: elastic_net(0.1, share=1), "share = 1"),
        (lambda: regularised(line, l2(0.1, on=["v"])), "no parameter 'v'"),
        (lambda: regularised(sd.definition("flatten"), l2(0.1)), "is not a scalar"),
    ],
)
def test_bad_values(make: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(says)):
        make()
