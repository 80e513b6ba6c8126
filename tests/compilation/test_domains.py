"""Formulas that have no real value everywhere: checked where they have one, and refused with one clear error."""

from __future__ import annotations

import itertools
import re

import mpmath
import numpy as np
import pytest
import torch

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Hyper, Input, Param, Sum, amax, define, let, log, mean, sqrt, tanh
from symdl.derivation.derive import derive
from symdl.errors import DomainError, ShapeError
from symdl.library.definitions import definition


@define
def raw_cross_entropy(p=Input("n k"), y=Input("n k"), w=Param("k")):
    """Probabilities as they come, of which nothing is stated."""
    n, k = p.indices
    return let("L", -mean(Sum(y[n, k] * log(p[n, k] * w[k]) + (1 - y[n, k]) * log(1 - p[n, k]), k), n))


@define
def penalty(x=Input("n i"), w=Param("j i"), v=Param("j")):
    """(‖∂D/∂x‖ − 1)² of D = Σ_j v_j tanh(w_j·x): nothing is left of the slope where tanh is saturated."""
    (n, i), (j, _) = x.indices, w.indices
    h = let("h[n,j]", tanh(Sum(w[j, i] * x[n, i], i)))
    g = let("g[n,i]", Sum(v[j] * (1 - h[n, j] ** 2) * w[j, i], j))
    q = let("q[n]", sqrt(Sum(g[n, i] ** 2, i)))
    return let("L", mean((q[n] - 1) ** 2, n))


def test_inputs_are_drawn_where_the_formula_has_values(rng):
    code = compile(raw_cross_entropy, wrt="w")
    assert code.report.points == 12
    p, y, w = rng.uniform(0.1, 0.9, (3, 4)), rng.uniform(size=(3, 4)), rng.uniform(0.5, 1.5, 4)
    given = torch.tensor(w, requires_grad=True)
    pt, yt = torch.tensor(p), torch.tensor(y)
    loss = -(yt * torch.log(pt * given) + (1 - yt) * torch.log(1 - pt)).sum(1).mean()
    loss.backward()
    found = code.gradient(p=p, y=y, w=w)
    np.testing.assert_allclose(found["L"], loss.item(), rtol=1e-12)
    np.testing.assert_allclose(found["w"], given.grad.numpy(), rtol=1e-12)


def test_a_saturated_gradient_penalty_is_checked_where_it_can_be():
    report = compile(penalty, wrt=["w", "v"]).report
    assert report.points in (8, 10, 12)
    noted = [o for o in report.overflows if o.startswith("not checked for inputs of scale 30")]
    assert len(noted) == (report.points < 12)


def test_a_formula_without_any_real_value_is_one_clear_error():
    @define
    def nowhere(x=Param("n"), c=Hyper()):
        (n,) = x.indices
        return let("L", mean(log(-(x[n] ** 2) - 1 - c**2), n))

    with pytest.raises(DomainError) as caught:
        compile(nowhere, wrt="x")
    message = str(caught.value)
    for part in ("log(", "has no real value", "the cross-check of nowhere, L = ", "Remedy: state what the inputs are"):
        assert part in message


@pytest.mark.parametrize(("body", "at"), [(lambda x: log(x), -1.0), (lambda x: 1 / x, 0.0), (lambda x: sqrt(x), -4.0)])
def test_the_reference_says_where_there_is_no_value(body, at):
    @define
    def one(x=Input("n")):
        (n,) = x.indices
        return let("y[n]", body(x[n]))

    with pytest.raises(DomainError, match=re.escape(f"what stands there is {at}")):
        evaluate(one, {"x": np.array([1.0, at])})


def test_rounding_leaves_a_maximum_the_maximum():
    """What rounding does is tried on the equations: 1/S, where S counts who equals the maximum, has to stay finite."""

    @define
    def pooled(x=Param("n k")):
        n, k = x.indices
        m = let("m[n]", amax(x[n, k], k, ties="share"))
        return let("L", Sum(m[n] ** 2, n))

    derivation = derive(pooled, "x")
    x = np.random.default_rng(4).normal(size=(9, 5))
    eps = mpmath.mpf(2) ** -24
    factors = itertools.cycle([1 - eps, 1 + eps, 1 + eps])
    each = lambda values: np.array([v * next(factors) for v in values], dtype=object)  # noqa: E731
    found = evaluate(derivation.gradient, {"x": x}, rounding=each)["x_bar"].astype(float)
    np.testing.assert_allclose(found, np.where(x == x.max(1, keepdims=True), 2 * x, 0), rtol=1e-5)


def test_running_statistics_of_one_value_are_refused(rng):
    """The unbiased variance divides by N − 1."""
    layer = definition("batch_norm_running")
    code = compile(layer)
    given = {"m": np.zeros(3), "v": np.ones(3), "alpha": 0.1}
    for call in (code, lambda **arrays: evaluate(layer, arrays)):
        with pytest.raises(ShapeError, match=r"divides by N - 1, which is 0.*N = 1.*Remedy: pass more entries"):
            call(x=rng.normal(size=(1, 3)), **given)
    x = rng.normal(size=(4, 3))
    bn = torch.nn.BatchNorm1d(3, momentum=0.1, dtype=torch.float64)
    bn(torch.tensor(x))
    found = code(x=x, **given)
    np.testing.assert_allclose(found["m_new"], bn.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(found["v_new"], bn.running_var.numpy(), rtol=1e-12)


def test_the_gradient_has_the_domain_of_its_definition():
    derivation = derive(raw_cross_entropy, "w")
    with pytest.raises(DomainError, match="has no real value"):
        evaluate(derivation.gradient, {"p": -np.ones((1, 2)), "y": np.ones((1, 2)), "w": np.ones(2)})
