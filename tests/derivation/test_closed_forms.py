"""The closed forms that textbooks give, reached by named rules: compared as they are written there."""

from __future__ import annotations

import symdl as sd


def _normalised(name, axes, over):
    """y = γ x̂ + β with x̂ = (x − μ)/√(σ² + ε), the statistics over the axes `over`."""
    letters = axes.split()
    kept = [a for a in letters if a not in over]

    @sd.define
    def layer(
        x=sd.Input(axes),
        gamma=sd.Param("c"),
        beta=sd.Param("c"),
        eps=sd.Hyper(facts=["positive"]),
    ):
        at = dict(zip(letters, x.indices, strict=True))
        every, summed, rest = tuple(at.values()), [at[a] for a in over], tuple(at[a] for a in kept)
        left = ",".join(kept)
        mu = sd.let(f"mu[{left}]", sd.mean(x[every], *summed))
        var = sd.let(f"var[{left}]", sd.mean((x[every] - mu[rest]) ** 2, *summed))
        r = sd.let(f"r[{left}]", 1 / sd.sqrt(var[rest] + eps))
        x_hat = sd.let(f"x_hat[{','.join(letters)}]", (x[every] - mu[rest]) * r[rest])
        return sd.let(f"y[{','.join(letters)}]", gamma[at["c"]] * x_hat[every] + beta[at["c"]])

    return layer


def _backward(derivation):
    """The equations behind the forward ones."""
    return [str(e) for e in derivation.gradient.equations if e.name not in derivation.source.by_name]


def test_batch_norm():
    """Ioffe and Szegedy 2015, section 3, put together: x̄ = γ r (ȳ − mean ȳ − x̂ mean(ȳ x̂)), on γ̄ and β̄."""
    gradient = sd.vjp(_normalised("batch", "n c", "n"), ["x", "gamma", "beta"])
    assert _backward(gradient) == [
        "beta_bar[c] = Sum_{n}(y_bar[n, c])",
        "gamma_bar[c] = Sum_{n}(x_hat[n, c]*y_bar[n, c])",
        "x_bar[n, c] = (y_bar[n, c] - beta_bar[c]/N - gamma_bar[c]*x_hat[n, c]/N)*gamma[c]*r[c]",
    ]
    assert [s.rule for s in gradient.steps if s.subject.name == "mu_bar"] == ["R2", "R1", "Z"]
    assert [s.rule for s in gradient.steps if s.subject.name == "x_bar"][-3:] == ["R5", "S", "R5"]


def test_layer_norm():
    """Ba, Kiros and Hinton 2016: x̄ = r (g − mean g − x̂ mean(g x̂)) with g = γ ȳ."""
    assert _backward(sd.vjp(_normalised("layer", "n c", "c"), "x")) == [
        "x_hat_bar[n, c] = gamma[c]*y_bar[n, c]",
        "S[n] = Sum_{c}(x_hat_bar[n, c])",
        "S2[n] = Sum_{c}(x_hat[n, c]*x_hat_bar[n, c])",
        "x_bar[n, c] = (x_hat_bar[n, c] - S[n]/C - S2[n]*x_hat[n, c]/C)*r[n]",
    ]


def test_softmax_with_and_without_a_mask():
    """z̄ = p ∘ (p̄ − rowsum(p̄ ∘ p)); a causal mask changes nothing, since p is 0 where it is."""

    def softmax(masked):
        @sd.define
        def layer(z=sd.Input("t s=t")):
            t, s = z.indices
            guard = sd.in_range(t - s, t.extent) if masked else 1
            return sd.let("p[t,s]", sd.exp(z[t, s]) * guard / sd.Sum(sd.exp(z[t, s]) * guard, s))

        return layer

    for masked in (False, True):
        assert _backward(sd.vjp(softmax(masked), "z")) == [
            "S2[t] = Sum_{s}(p[t, s]*p_bar[t, s])",
            "z_bar[t, s] = (-S2[t] + p_bar[t, s])*p[t, s]",
        ]


def test_every_step_of_batch_norm_is_proved_anew():
    found = sd.recheck(sd.vjp(_normalised("batch", "n c", "n"), ["x", "gamma", "beta"]))
    assert {str(verdict.status) for _, verdict in found} <= {"proved", "conditional"}
    assert [s.rule for s, v in found if v.status.name == "PROVED"].count("Z") == 1


def test_a_sum_is_left_out_only_where_it_is_zero():
    """Σ (x − m) with m = 2 mean x is not zero: the planted fault has to survive."""

    @sd.define
    def layer(x=sd.Input("i")):
        (i,) = x.indices
        m = sd.let("m", 2 * sd.mean(x[i], i))
        return sd.let("v", sd.mean((x[i] - m) ** 2, i))

    derivation = sd.derive(layer, "x")
    assert not any(s.rule == "Z" for s in derivation.steps)
    assert sd.equal(derivation, sd.derive(layer, "x", via="expand")).proved
