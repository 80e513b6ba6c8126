"""Slopes of relu at what it returned: where that is the same, and where it would not be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

import symdl as sd
from symdl.compilation.gradients import programs_for
from symdl.compilation.signs import with_signs_of_results
from symdl.core.define import Input, Param, Sum, define, in_range, let, state
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import Switch
from symdl.core.tensors import elements_in
from symdl.library.activations import ACTIVATIONS


def gradient(body: Any) -> Definition:
    """Of L = Σ body(s), s = w x."""

    def unit(x: Any = Input("n"), w: Any = Param(), v: Any = Param()) -> Any:
        (n,) = x.indices
        s = let("s[n]", w * x[n])
        h = let("h[n]", body(s[n], v))
        return let("L", Sum(h[n] ** 2, n))

    return programs_for(define(unit), ("w",), False).stable["gradient"]


def changed(definition: Definition) -> tuple[Equation, ...]:
    return with_signs_of_results(definition).equations


def looked_at(equations: Iterable[Equation]) -> set[str]:
    """The tensors whose signs are looked at."""
    switches = {c for eq in equations for t in eq.terms for c in t.body.atoms(Switch)}
    return {e.name for c in switches for e in elements_in(c.args[0])}


def test_the_slope_of_relu_is_told_by_what_it_returned() -> None:
    assert looked_at(changed(gradient(lambda s, v: ACTIVATIONS["relu"](s)))) == {"h"}


@pytest.mark.parametrize(
    "body",
    [
        lambda s, v: Switch(s, 0, s, 1),  # its slope at 0 is 1, and h = 0 below as well
        lambda s, v: Switch(s, s / 100, s, 0),  # 1e-45/100 is 0
        lambda s, v: Switch(s, 0, v * s, 0),  # v may be below 0
        lambda s, v: Switch(s, 0, s**2, 0),  # 1e-30² is 0
    ],
)
def test_where_the_result_does_not_tell(body: Any) -> None:
    assert looked_at(changed(gradient(body))) == {"s"}


def test_what_a_branch_needs_is_kept_anyway() -> None:
    @define
    def unit(x: Any = Input("n"), w: Any = Param()) -> Any:
        (n,) = x.indices
        s = let("s[n]", w * x[n])
        h = let("h[n]", Switch(s[n], 0, s[n], 0))
        return let("up[n]", Switch(s[n], 0, s[n] ** 2, 0) * h[n])

    assert with_signs_of_results(unit) is unit


def test_in_a_recurrence_what_comes_behind_it_is_told_by_results() -> None:
    @define(time="t")
    def cell(x: Any = Input("n t"), w: Any = Param()) -> Any:
        n, t = x.indices
        h = state("h[n,t]")
        s = let("s[n,t]", x[n, t] + w * h[n, t - 1] * in_range(t - 1, t.extent))
        let("h[n,t]", ACTIVATIONS["relu"](s[n, t]))
        return let("L", Sum(h[n, t] ** 2, n, t))

    made = with_signs_of_results(programs_for(cell, ("w",), False).stable["gradient"])
    (slope,) = (eq for eq in made.equations if eq.name == "s_bar")
    assert looked_at([slope]) == {"h"}
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(3, 5)), np.float64(0.7)
    found = sd.compile(cell, wrt="w").gradient(x=x, w=w)
    data, weight = torch.tensor(x), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    state_, total = torch.zeros(3, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for t in range(5):
        state_ = torch.relu(data[:, t] + weight * state_)
        total = total + (state_**2).sum()
    total.backward()
    assert weight.grad is not None
    np.testing.assert_allclose(found["w"], weight.grad.numpy(), rtol=1e-12)


def test_values_at_kinks_and_at_no_numbers_are_those_of_autograd() -> None:
    net = sd.sequential(sd.dense(2, "relu"), sd.dense(1), loss="l2", inputs=1)
    code = sd.compile(net, wrt=["W1", "b1"])
    t = next(d.name for d in net.data if d.name != "x")
    W1, b1 = np.array([[1.0], [-1.0]]), np.zeros(2)
    W2, b2 = np.array([[1.0, 2.0]]), np.zeros(1)
    for x in (0.0, 1e-310, -1e-310, 3.0, -3.0, np.nan):
        given = {"x": np.array([[x]]), t: np.array([[1.0]]), "W1": W1, "b1": b1, "W2": W2, "b2": b2}
        found = code.gradient(**given)
        weights = [torch.tensor(a, requires_grad=True) for a in (W1, b1)]
        hidden = torch.relu(torch.tensor([[x]], dtype=torch.float64) @ weights[0].T + weights[1])
        ((hidden @ torch.tensor(W2).T + torch.tensor(b2) - 1) ** 2).sum().backward()
        for name, weight in zip(("W1", "b1"), weights, strict=True):
            assert weight.grad is not None
            np.testing.assert_array_equal(found[name], weight.grad.numpy(), err_msg=f"{name} at {x}")
