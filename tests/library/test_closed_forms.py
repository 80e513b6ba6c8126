"""Backward passes as textbooks print them, written by hand as definitions: proved equal to what is derived."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symdl.core.define import Hyper, Input, Param, Sum, define, delta, exp, in_range, let, log, mean, sqrt, tanh
from symdl.derivation.derive import derive
from symdl.derivation.seeds import vjp
from symdl.library.activations import sigmoid
from symdl.library.definitions import definition
from symdl.library.losses import softmax
from symdl.verification import Status, equal

POSITIVE = ["positive"]


@define
def batch_norm(x=Input("n c"), gamma=Param("c"), eps=Hyper(facts=POSITIVE), y_bar=Input("n c")):
    """x̄ = γ r (ȳ − mean ȳ − x̂ mean(ȳ x̂)) (Ioffe and Szegedy 2015, section 3, put together)."""
    n, c = x.indices
    mu = let("mu[c]", mean(x[n, c], n))
    r = let("r[c]", 1 / sqrt(mean((x[n, c] - mu[c]) ** 2, n) + eps))
    x_hat = let("x_hat[n,c]", (x[n, c] - mu[c]) * r[c])
    first, second = let("A[c]", mean(y_bar[n, c], n)), let("B[c]", mean(y_bar[n, c] * x_hat[n, c], n))
    x_bar = let("x_bar[n,c]", gamma[c] * r[c] * (y_bar[n, c] - first[c] - x_hat[n, c] * second[c]))
    gamma_bar = let("gamma_bar[c]", Sum(y_bar[n, c] * x_hat[n, c], n))
    return x_bar, gamma_bar, let("beta_bar[c]", Sum(y_bar[n, c], n))


@define
def layer_norm(x=Input("n i"), gamma=Param("i"), eps=Hyper(facts=POSITIVE), y_bar=Input("n i")):
    """x̄ = r (g − mean g − x̂ mean(g x̂)) with g = γ ȳ."""
    n, i = x.indices
    mu = let("mu[n]", mean(x[n, i], i))
    r = let("r[n]", 1 / sqrt(mean((x[n, i] - mu[n]) ** 2, i) + eps))
    x_hat = let("x_hat[n,i]", (x[n, i] - mu[n]) * r[n])
    g = let("g[n,i]", gamma[i] * y_bar[n, i])
    first, second = let("A[n]", mean(g[n, i], i)), let("B[n]", mean(g[n, i] * x_hat[n, i], i))
    x_bar = let("x_bar[n,i]", r[n] * (g[n, i] - first[n] - x_hat[n, i] * second[n]))
    gamma_bar = let("gamma_bar[i]", Sum(y_bar[n, i] * x_hat[n, i], n))
    return x_bar, gamma_bar, let("beta_bar[i]", Sum(y_bar[n, i], n))


@define
def rms_norm(x=Input("n i"), gamma=Param("i"), eps=Hyper(facts=POSITIVE), y_bar=Input("n i")):
    """x̄ = r (g − x̂ mean(g x̂)) with g = γ ȳ (Zhang and Sennrich 2019)."""
    n, i = x.indices
    r = let("r[n]", 1 / sqrt(mean(x[n, i] ** 2, i) + eps))
    g = let("g[n,i]", gamma[i] * y_bar[n, i])
    x_hat = let("x_hat[n,i]", x[n, i] * r[n])
    second = let("B[n]", mean(g[n, i] * x_hat[n, i], i))
    x_bar = let("x_bar[n,i]", r[n] * (g[n, i] - x_hat[n, i] * second[n]))
    return x_bar, let("gamma_bar[i]", Sum(y_bar[n, i] * x_hat[n, i], n))


@define
def weight_norm(V=Param("j i"), g=Param("j"), W_bar=Input("j i")):
    """V̄ = g/‖V‖ (W̄ − ḡ V/‖V‖) with ḡ = Σ W̄ V/‖V‖ (Salimans and Kingma 2016, equation 3)."""
    j, i = V.indices
    size = let("a[j]", sqrt(Sum(V[j, i] ** 2, i)))
    g_bar = let("g_bar[j]", Sum(W_bar[j, i] * V[j, i], i) / size[j])
    V_bar = let("V_bar[j,i]", g[j] / size[j] * (W_bar[j, i] - g_bar[j] * V[j, i] / size[j]))
    return V_bar, g_bar


def attention_by_hand(causal):
    """Z̄ = P ∘ (P̄ − rowsum(P̄ ∘ P)), then two products (Dao et al. 2022, appendix B.2); P is 0 where s > t."""
    keys = "n h s=t" if causal else "n h s"

    @define
    def attention(q=Input("n h t e"), k=Input(f"{keys} e"), v=Input(f"{keys} d"), y_bar=Input("n h t d")):
        (n, h, t, e), (_, _, s, d) = q.indices, v.indices
        size = sqrt(e.extent)
        z = let("z[n,h,t,s]", Sum(q[n, h, t, e] * k[n, h, s, e], e) / size)
        seen = in_range(t - s, t.extent) if causal else 1
        p = let("p[n,h,t,s]", exp(z[n, h, t, s]) * seen / Sum(exp(z[n, h, t, s]) * seen, s))
        p_bar = let("p_bar[n,h,t,s]", Sum(y_bar[n, h, t, d] * v[n, h, s, d], d))
        row = let("row[n,h,t]", Sum(p_bar[n, h, t, s] * p[n, h, t, s], s))
        z_bar = let("z_bar[n,h,t,s]", p[n, h, t, s] * (p_bar[n, h, t, s] - row[n, h, t]))
        return (
            let("q_bar[n,h,t,e]", Sum(z_bar[n, h, t, s] * k[n, h, s, e], s) / size),
            let("k_bar[n,h,s,e]", Sum(z_bar[n, h, t, s] * q[n, h, t, e], t) / size),
            let("v_bar[n,h,s,d]", Sum(p[n, h, t, s] * y_bar[n, h, t, d], t)),
        )

    return attention


BY_HAND = {
    "batch_norm": (batch_norm, ["x", "gamma", "beta"]),
    "layer_norm": (layer_norm, ["x", "gamma", "beta"]),
    "rms_norm": (rms_norm, ["x", "gamma"]),
    "weight_norm": (weight_norm, ["V", "g"]),
    "attention": (attention_by_hand(False), ["q", "k", "v"]),
    "causal attention": (attention_by_hand(True), ["q", "k", "v"]),
}


def layer_called(name):
    return definition("attention", causal=True) if name == "causal attention" else definition(name)


@pytest.mark.parametrize("via", ["chain", "expand"])
@pytest.mark.parametrize("name", BY_HAND)
def test_closed_forms_of_layers_for_all_extents(name, via):
    closed, wrt = BY_HAND[name]
    derived = vjp(layer_called(name), wrt, via=via)
    verdict = equal(derived, closed)
    assert verdict.proved, verdict


@pytest.mark.parametrize("name", BY_HAND)
def test_a_wrong_closed_form_is_refuted(name):
    """The planted fault: a sign."""
    closed, wrt = BY_HAND[name]
    output = closed.outputs[0]
    wrong = [e.map(lambda body: -body) if e.name == output else e for e in closed.equations]
    verdict = equal(vjp(layer_called(name), wrt[:1]), replace(closed, equations=tuple(wrong)).only([output]))
    assert verdict.status is Status.REFUTED


def test_softmax_jacobian():
    """∂L/∂z = p ∘ (p̄ − Σ p̄ p)."""

    @define
    def layer(z=Input("n k")):
        n, k = z.indices
        return let("p[n,k]", softmax(z[n, k], k))

    @define
    def closed(z=Input("n k"), p_bar=Input("n k")):
        n, k = z.indices
        p = let("p[n,k]", softmax(z[n, k], k))
        row = let("row[n]", Sum(p[n, k] * p_bar[n, k], k))
        return let("z_bar[n,k]", p[n, k] * (p_bar[n, k] - row[n]))

    assert equal(vjp(layer, "z"), closed).proved


def test_softmax_cross_entropy():
    """∂L/∂z = (p − y)/N, where the targets sum to 1; and (p − δ)/(N T) where a class is named by its number."""

    @define
    def closed(z=Input("n k"), y=Input("n k", facts=["sums_to_one"])):
        n, k = z.indices
        p = let("p[n,k]", softmax(z[n, k], k))
        return let("z_bar[n,k]", (p[n, k] - y[n, k]) / n.extent)

    assert equal(derive(definition("softmax_cross_entropy"), "z"), closed).proved


def test_cross_entropy_of_gathered_scores():
    """The loss of the GPT: L = mean(log Σ e^z − z[…, next]), whose slope is (p − one-hot)/(N T)."""

    @define
    def loss(z=Input("n t v"), after=Input("n t", integer=True)):
        n, t, v = z.indices
        total = let("Z[n,t]", Sum(exp(z[n, t, v]), v))
        return let("L", mean(log(total[n, t]) - z[n, t, after[n, t]], n, t))

    @define
    def closed(z=Input("n t v"), after=Input("n t", integer=True)):
        n, t, v = z.indices
        p = let("p[n,t,v]", softmax(z[n, t, v], v))
        return let("z_bar[n,t,v]", (p[n, t, v] - delta(v, after[n, t])) / (n.extent * t.extent))

    assert equal(derive(loss, "z"), closed).proved


def test_four_gates_of_an_lstm_step():
    """One step: every slope by the gates' sums (Greff et al. 2017, section II.C, without peepholes)."""
    gates = "ifoc"

    @define(time="t")
    def closed(
        x=Input("n t=1 i"),
        h0=Input("n j"),
        c0=Input("n j"),
        W_i=Param("j i"),
        W_f=Param("j i"),
        W_o=Param("j i"),
        W_c=Param("j i"),
        U_i=Param("j k=j"),
        U_f=Param("j k=j"),
        U_o=Param("j k=j"),
        U_c=Param("j k=j"),
        h_bar=Input("n t=1 j"),
        c_last_bar=Input("n j"),
    ):
        (n, _, i), (j, k) = x.indices, U_i.indices
        W, U = (W_i, W_f, W_o, W_c), (U_i, U_f, U_o, U_c)
        a = [
            let(f"g_{g}[n,j]", f(Sum(w[j, i] * x[n, 0, i], i) + Sum(u[j, k] * h0[n, k], k)))
            for g, w, u, f in zip(gates, W, U, (sigmoid, sigmoid, sigmoid, tanh), strict=True)
        ]
        g_i, g_f, g_o, g_c = (g[n, j] for g in a)
        c = let("c[n,j]", g_f * c0[n, j] + g_i * g_c)
        slope = c_last_bar[n, j] + h_bar[n, 0, j] * g_o * (1 - tanh(c[n, j]) ** 2)
        c_bar = let("c_bar[n,j]", slope)
        s_i = let("d_i[n,j]", c_bar[n, j] * g_c * g_i * (1 - g_i))
        s_f = let("d_f[n,j]", c_bar[n, j] * c0[n, j] * g_f * (1 - g_f))
        s_o = let("d_o[n,j]", h_bar[n, 0, j] * tanh(c[n, j]) * g_o * (1 - g_o))
        s_c = let("d_c[n,j]", c_bar[n, j] * g_i * (1 - g_c**2))
        sums = dict(zip(gates, (s_i, s_f, s_o, s_c), strict=True))
        back = sum(Sum(u[j, k] * s[n, j], j) for u, s in zip(U, sums.values(), strict=True))
        return (
            let("h0_bar[n,k]", back),
            let("c0_bar[n,j]", c_bar[n, j] * g_f),
            *[
                let(f"W_{g}_bar[j,i]", Sum(s[n, j] * x[n, 0, i], n))
                for g, s in zip(gates, (s_i, s_f, s_o, s_c), strict=True)
            ],
            *[
                let(f"U_{g}_bar[j,k]", Sum(s[n, j] * h0[n, k], n))
                for g, s in zip(gates, (s_i, s_f, s_o, s_c), strict=True)
            ],
        )

    layer = definition("lstm", bias=False).at(t=1)
    wrt = ["h0", "c0", *[p.name for p in layer.parameters]]
    verdict = equal(vjp(layer, wrt, outputs=["h", "c_last"]), closed)
    assert verdict.proved, verdict
