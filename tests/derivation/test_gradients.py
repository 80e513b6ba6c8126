"""Gradients of networks of the lecture's parts, both ways, against PyTorch's autograd, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.oracles import autograd, random_values, run

from symdl.core.define import Input, Param, Sum, absolute, amax, define, exp, let, log, maximum, mean, prod, tanh
from symdl.derivation.canonical import is_zero
from symdl.derivation.derive import derive
from symdl.derivation.inline import inline
from symdl.derivation.stable import stabilise
from symdl.errors import KinkError
from symdl.library.activations import relu, sigmoid
from symdl.library.layers import dense, sequential

ACTIVATIONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu"]
LOSSES = ["l1", "l2", "softmax_cross_entropy"]


def proved_equal(first, second):
    for name in first.wrt:
        a, b = first[name].element(), second[name].element()
        left = inline(first.gradient, a)
        right = inline(second.gradient, b).xreplace(dict(zip(b.subscripts, a.subscripts, strict=True)))
        if not is_zero(left - right):
            return False
    return True


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("via", ["chain", "expand"])
def test_network_against_autograd(activation, loss, via, rng):
    net = sequential(dense(None, activation), dense(None), loss=loss)
    gradient = derive(net, via=via)
    concrete = net.at(n=2, i=3, j=2, k=3)
    values = random_values(concrete, rng)
    want = autograd(concrete, values, [t.name for t in net.parameters])
    for definition in (gradient.gradient, stabilise(gradient.gradient)):
        got = run(definition.at(n=2, i=3, j=2, k=3), values)
        for name, output in gradient.names.items():
            np.testing.assert_allclose(got[output], want[name], rtol=1e-11, atol=1e-13)


@settings(max_examples=12)
@given(st.lists(st.sampled_from(ACTIVATIONS), min_size=1, max_size=3), st.sampled_from(LOSSES))
def test_expand_and_chain_are_proved_equal_for_all_extents(activations, loss):
    net = sequential(*[dense(None, a) for a in activations], loss=loss)
    assert proved_equal(derive(net), derive(net, via="expand"))


def test_a_planted_sign_is_not_proved():
    net = sequential(dense(None, "tanh"), loss="l2")
    chain = derive(net)
    bad = [e.map(lambda body: -body) if e.name == "W_bar" else e for e in chain.gradient.equations]
    from dataclasses import replace

    assert not proved_equal(replace(chain, gradient=replace(chain.gradient, equations=tuple(bad))), chain)


# ── random definitions ──────────────────────────────────────────────────────────────────────────────────────────────


def pieces(x, y, i, k):
    """Scalar bodies over a vector x[i], a matrix y[i,k] and free index i; some with sums inside."""
    leaves = st.sampled_from([x[i], Sum(y[i, k], k), Sum(y[i, k] * x[i], k), mean(x[i], i)])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
            st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
            inner.map(tanh),
            inner.map(sigmoid),
            inner.map(relu),
            inner.map(lambda e: exp(tanh(e))),
            inner.map(lambda e: 1 / (2 + tanh(e))),
            inner.map(lambda e: absolute(e, kink="mid")),
            inner.map(lambda e: -e),
        ),
        max_leaves=5,
    )


@settings(max_examples=40)
@given(st.data())
def test_random_definitions(data):
    @define
    def random(x=Param("i"), y=Param("i k")):
        i, k = y.indices
        u = let("u[i]", data.draw(pieces(x, y, i, k)))
        v = let("v[i]", data.draw(pieces(u, y, i, k)))
        return let("L", Sum(v[i] * u[i], i))

    seed = data.draw(st.integers(0, 2**32 - 1))
    concrete = random.at(i=2, k=3)
    values = random_values(concrete, np.random.default_rng(seed))
    want = autograd(concrete, values, ["x", "y"])
    for via in ("chain", "expand"):
        made = derive(random, via=via)
        got = run(made.gradient.at(i=2, k=3), values)
        for name, output in made.names.items():
            np.testing.assert_allclose(got[output], want[name], rtol=1e-8, atol=1e-9)


# ── rules that the networks do not reach ────────────────────────────────────────────────────────────────────────────


def test_product_and_maximum(rng):
    @define
    def both(x=Param("i")):
        (i,) = x.indices
        p = let("p", prod(x[i], i))
        m = let("m", amax(x[i], i, ties="share"))
        return let("L", p * m)

    concrete = both.at(i=3)
    values = random_values(concrete, rng)
    for via in ("chain", "expand"):
        made = derive(both, via=via)
        got = run(made.gradient.at(i=3), values)["x_bar"]
        np.testing.assert_allclose(got, autograd(concrete, values, ["x"])["x"], rtol=1e-12)
    # ties: the slope of the maximum is shared, as the policy says
    tied = {"x": np.array([2.0, 2.0, 1.0])}
    assert run(derive(both).gradient.at(i=3), tied)["x_bar"] == pytest.approx([2 * 2 + 2, 2 * 2 + 2, 8])


def test_the_shift_of_a_softmax_needs_no_policy():
    @define
    def shifted(z=Param("n k"), y=Input("n k", facts=["sums_to_one"])):
        n, k = z.indices
        m = amax(z[n, k], k)
        p = let("p[n,k]", exp(z[n, k] - m) / Sum(exp(z[n, k] - m), k))
        return let("L", mean(-Sum(y[n, k] * log(p[n, k]), k), n))

    for via in ("chain", "expand"):
        assert "R4*" in [s.rule for s in derive(shifted, via=via).steps]


@pytest.mark.parametrize("via", ["chain", "expand"])
def test_a_maximum_whose_slope_counts_needs_one(via):
    @define
    def largest(x=Param("i")):
        (i,) = x.indices
        m = let("m", amax(x[i], i))
        return let("L", m**2)

    with pytest.raises(KinkError, match="ties='share'"):
        derive(largest, via=via)


def test_kinks_by_policy():
    @define
    def both(x=Param()):
        return let("L", maximum(x, 0, kink="right") + 10 * maximum(x, 0, kink="left"))

    assert derive(both).at({"x": 0})["x_bar"] == 1


def test_second_derivatives_against_autograd(rng):
    import torch

    net = sequential(dense(None, "tanh"), loss="l2").at(n=2, i=2, k=2)
    gradient = derive(net, "b").gradient
    hessian = derive(gradient, "W", of="b_bar[k]")
    values = random_values(net, rng)
    got = run(hessian.gradient, values)[hessian.names["W"]]
    x, y, b = (torch.tensor(values[name]) for name in ("x", "y", "b"))

    def slope(W):
        bias = b.clone().requires_grad_(True)
        loss = ((y - torch.tanh(x @ W.T + bias)) ** 2).sum() / 2
        return torch.autograd.grad(loss, bias, create_graph=True)[0]

    want = torch.autograd.functional.jacobian(slope, torch.tensor(values["W"]))
    np.testing.assert_allclose(got, want.numpy(), rtol=1e-11, atol=1e-13)


def test_stable_form_at_a_thousand():
    net = sequential(dense(None), loss="softmax_cross_entropy").at(n=1, i=1, k=3)
    values = {
        "x": np.ones((1, 1)),
        "y": np.array([[0.0, 1.0, 0.0]]),
        "W": np.array([[1000.0], [0], [-1000]]),
        "b": np.zeros(3),
    }
    got = run(stabilise(derive(net).gradient), values)
    assert got["L"] == pytest.approx(1000.0)
    np.testing.assert_allclose(got["b_bar"], [1.0, -1.0, 0.0], atol=1e-300)


def test_depth_is_linear_in_steps():
    counts = [len(derive(sequential(*[dense(None, "tanh")] * depth, dense(1), loss="l2")).steps) for depth in (2, 4, 6)]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0
