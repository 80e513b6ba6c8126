"""Gradients of gradients: a gradient penalty differentiated by parameters, against PyTorch's double backward."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.peers import close

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, Param, Sum, define, let, mean, sqrt
from symdl.derivation.derive import derive
from symdl.library.activations import activation

WRT = ["W", "b", "v"]


def penalised(activation):
    """L = mean_n (‖∂D(x_n)/∂x_n‖ − 1)² of a network D of one hidden layer (Gulrajani et al. 2017, equation 3)."""

    @define
    def critic(x=Input("n i"), W=Param("j i"), b=Param("j"), v=Param("j")):
        (n, i), (j, _) = x.indices, W.indices
        h = let("h[n,j]", activation(Sum(W[j, i] * x[n, i], i) + b[j]))
        return let("D", Sum(v[j] * h[n, j], n, j))  # each x_n is in its own summand: ∂D/∂x_n is that of D(x_n)

    gradient = derive(critic, "x")

    @define(extends=gradient.gradient)
    def penalty(x_bar):
        n, i = x_bar.indices
        size = let("size[n]", sqrt(Sum(x_bar[n, i] ** 2, i)))
        return let("L", mean((size[n] - 1) ** 2, n))

    return penalty


def wanted(act, x, W, b, v):
    given = [torch.tensor(a, requires_grad=True) for a in (x, W, b, v)]
    scores = act(given[0] @ given[1].T + given[2]) @ given[3]
    (slope,) = torch.autograd.grad(scores.sum(), given[0], create_graph=True)
    loss = ((slope.norm(dim=1) - 1) ** 2).mean()
    return loss, torch.autograd.grad(loss, given[1:])


@pytest.mark.parametrize("sizes", [(3, 2, 4), (1, 1, 1)])
@pytest.mark.parametrize("name,compiled", [("tanh", False), ("silu", False), ("silu", True)])
def test_gradient_penalty(sizes, name, compiled, rng):
    n, i, j = sizes
    arrays = {"x": rng.normal(size=(n, i)), "W": rng.normal(size=(j, i)), "b": rng.normal(size=j)}
    arrays["v"] = rng.normal(size=j)
    made = derive(penalised(activation(name)), WRT)
    got = compile(made.gradient)(**arrays) if compiled else evaluate(made.gradient, arrays)
    loss, slopes = wanted({"tanh": torch.tanh, "silu": torch.nn.functional.silu}[name], **arrays)
    close(got["L"], loss.item(), "L")
    for name, slope in zip(WRT, slopes, strict=True):
        close(got[made.names[name]], slope.numpy(), name)


def test_the_penalty_has_no_slope_where_the_gradient_has_length_one():
    """A critic that is steep by one in every place: v tanh(w x) near 0 with v w = 1."""
    arrays = {"x": np.zeros((2, 1)), "W": np.array([[2.0]]), "b": np.zeros(1), "v": np.array([0.5])}
    made = derive(penalised(activation("tanh")), WRT)
    got = evaluate(made.gradient, arrays)
    assert float(got["L"][()]) == 0
    assert all(float(got[made.names[n]].ravel()[0]) == 0 for n in WRT)
