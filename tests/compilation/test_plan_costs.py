"""What derived gradients cost beside closed forms written by hand: at most a tenth more operations and memory.

Both are definitions with the same outputs, planned by the same rules and counted, not timed. The scalar L = Σ ȳ·y that
seeds a derivation is no output of either: no closed form computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.compilation.counts import PlanCost, plan_cost
from symdl.compilation.targets.reference import evaluate
from symdl.core.builder import Builder
from symdl.core.define import writing
from symdl.core.definitions import Definition

LIMIT = 1.1
Tensors = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A layer as a function that writes its equations, and its closed forms as one that writes behind them.

    Both take all tensors by name and add to them. The layer's output is `y`, or the loss `L`.
    """

    inputs: Tensors
    forward: Callable[[Tensors], None]
    backward: Callable[[Tensors], None]
    wrt: tuple[str, ...]
    extents: dict[str, int]
    seed: str = ""

    def layer(self) -> Definition:
        return self._written("layer", self.inputs, [self.forward], ["y" if self.seed else "L"])

    def by_hand(self) -> Definition:
        inputs = {**self.inputs, **({"y_bar": sd.Input(self.seed)} if self.seed else {})}
        return self._written("by_hand", inputs, [self.forward, self.backward], self.outputs)

    def derived(self) -> Definition:
        made = sd.vjp(self.layer(), self.wrt) if self.seed else sd.derive(self.layer(), wrt=list(self.wrt))
        return made.gradient.only(self.outputs)

    @property
    def outputs(self) -> list[str]:
        return ["y" if self.seed else "L", *(f"{name}_bar" for name in self.wrt)]

    def _written(
        self, name: str, inputs: Tensors, steps: list[Callable[[Tensors], None]], outputs: list[str]
    ) -> Definition:
        with writing(Builder(name)) as builder:
            tensors = {n: builder.declare(n, declared) for n, declared in inputs.items()}
            for step in steps:
                step(tensors)
            return builder.build(outputs)


def let(tensors: Tensors, left: str, right: Any) -> None:
    made = sd.let(left, right)
    tensors[made.name] = made


NORM = {"x": sd.Input("n c"), "gamma": sd.Param("c"), "beta": sd.Param("c"), "eps": sd.Hyper(facts=["positive"])}


def normalised(over: str) -> Callable[[Tensors], None]:
    def forward(t: Tensors) -> None:
        x, (n, c) = t["x"], t["x"].indices
        axis, kept = (n, c) if over == "n" else (c, n)
        let(t, f"mu[{kept.name}]", sd.mean(x[n, c], axis))
        let(t, f"var[{kept.name}]", sd.mean((x[n, c] - t["mu"][kept]) ** 2, axis))
        let(t, f"r[{kept.name}]", 1 / sd.sqrt(t["var"][kept] + t["eps"]))
        let(t, "x_hat[n,c]", (x[n, c] - t["mu"][kept]) * t["r"][kept])
        let(t, "y[n,c]", t["gamma"][c] * t["x_hat"][n, c] + t["beta"][c])

    return forward


def parameters_of_a_norm(t: Tensors) -> None:
    n, c = t["x"].indices
    let(t, "beta_bar[c]", sd.Sum(t["y_bar"][n, c], n))
    let(t, "gamma_bar[c]", sd.Sum(t["y_bar"][n, c] * t["x_hat"][n, c], n))


def batch_norm(t: Tensors) -> None:
    """Ioffe and Szegedy 2015: x̄ = γ r (ȳ − mean ȳ − x̂ mean(ȳ x̂)), where the means are β̄/N and γ̄/N."""
    n, c = t["x"].indices
    parameters_of_a_norm(t)
    means = t["beta_bar"][c] / n.extent + t["x_hat"][n, c] * t["gamma_bar"][c] / n.extent
    let(t, "x_bar[n,c]", t["gamma"][c] * t["r"][c] * (t["y_bar"][n, c] - means))


def layer_norm(t: Tensors) -> None:
    """Ba, Kiros and Hinton 2016: x̄ = r (g − mean g − x̂ mean(g x̂)) with g = γ ȳ."""
    n, c = t["x"].indices
    parameters_of_a_norm(t)
    let(t, "g[n,c]", t["gamma"][c] * t["y_bar"][n, c])
    let(t, "m[n]", sd.mean(t["g"][n, c], c))
    let(t, "k[n]", sd.mean(t["g"][n, c] * t["x_hat"][n, c], c))
    let(t, "x_bar[n,c]", t["r"][n] * (t["g"][n, c] - t["m"][n] - t["x_hat"][n, c] * t["k"][n]))


def loss(t: Tensors) -> None:
    z, y, (n, k) = t["z"], t["labels"], t["z"].indices
    let(t, "p[n,k]", sd.exp(z[n, k]) / sd.Sum(sd.exp(z[n, k]), k))
    let(t, "L", -sd.mean(sd.Sum(y[n, k] * sd.log(t["p"][n, k]), k), n))


def cross_entropy(t: Tensors) -> None:
    """z̄ = (p − y)/N, for labels that sum to one."""
    n, k = t["z"].indices
    let(t, "z_bar[n,k]", (t["p"][n, k] - t["labels"][n, k]) / n.extent)


def head(t: Tensors) -> None:
    (q, e), (s, d) = t["q"].indices, t["v"].indices
    let(t, "z[t,s]", sd.Sum(t["q"][q, e] * t["k"][s, e], e) / sd.sqrt(e.extent))
    let(t, "p[t,s]", sd.exp(t["z"][q, s]) / sd.Sum(sd.exp(t["z"][q, s]), s))
    let(t, "y[t,d]", sd.Sum(t["p"][q, s] * t["v"][s, d], s))


def attention(t: Tensors) -> None:
    """v̄ = Pᵀ ȳ, P̄ = ȳ Vᵀ, Z̄ = P ∘ (P̄ − rowsum(P̄ ∘ P)), q̄ = Z̄ K/√E, k̄ = Z̄ᵀ Q/√E."""
    (q, e), (s, d) = t["q"].indices, t["v"].indices
    p, root = t["p"], sd.sqrt(e.extent)
    let(t, "v_bar[s,d]", sd.Sum(p[q, s] * t["y_bar"][q, d], q))
    let(t, "p_bar[t,s]", sd.Sum(t["y_bar"][q, d] * t["v"][s, d], d))
    let(t, "rows[t]", sd.Sum(t["p_bar"][q, s] * p[q, s], s))
    let(t, "z_bar[t,s]", p[q, s] * (t["p_bar"][q, s] - t["rows"][q]))
    let(t, "q_bar[t,e]", sd.Sum(t["z_bar"][q, s] * t["k"][s, e], s) / root)
    let(t, "k_bar[s,e]", sd.Sum(t["z_bar"][q, s] * t["q"][q, e], q) / root)


GATES = {"f": sd.sigmoid, "i": sd.sigmoid, "o": sd.sigmoid, "g": sd.tanh}


def lstm(t: Tensors) -> None:
    (n, i), (_, k) = t["x"].indices, t["h"].indices
    for name, function in GATES.items():
        w, u, b = (t[f"{kind}_{name}"] for kind in "WUb")
        j = w.indices[0]
        let(t, f"s_{name}[n,j]", sd.Sum(w[j, i] * t["x"][n, i], i) + sd.Sum(u[j, k] * t["h"][n, k], k) + b[j])
        let(t, f"a_{name}[n,j]", function(t[f"s_{name}"][n, j]))
    f, i_, o, g = (t[f"a_{name}"][n, j] for name in GATES)
    let(t, "cell[n,j]", f * t["c"][n, j] + i_ * g)
    let(t, "y[n,j]", o * sd.tanh(t["cell"][n, j]))


def lstm_step(t: Tensors) -> None:
    """Hochreiter and Schmidhuber 1997, with a forget gate: c̄ = ȳ o (1 − tanh² c), σ' = σ(1 − σ), tanh' = 1 − tanh²."""
    (n, i), (_, k), (j, _) = t["x"].indices, t["h"].indices, t["W_f"].indices
    f, i_, o, g = (t[f"a_{name}"][n, j] for name in GATES)
    let(t, "u[n,j]", sd.tanh(t["cell"][n, j]))
    let(t, "cell_bar[n,j]", t["y_bar"][n, j] * o * (1 - t["u"][n, j] ** 2))
    bar = t["cell_bar"][n, j]
    slopes = {
        "f": bar * t["c"][n, j] * f * (1 - f),
        "i": bar * g * i_ * (1 - i_),
        "o": t["y_bar"][n, j] * t["u"][n, j] * o * (1 - o),
        "g": bar * i_ * (1 - g**2),
    }
    for name, slope in slopes.items():
        let(t, f"s_{name}_bar[n,j]", slope)
        s = t[f"s_{name}_bar"]
        let(t, f"W_{name}_bar[j,i]", sd.Sum(s[n, j] * t["x"][n, i], n))
        let(t, f"U_{name}_bar[j,k]", sd.Sum(s[n, j] * t["h"][n, k], n))
        let(t, f"b_{name}_bar[j]", sd.Sum(s[n, j], n))
    let(t, "c_bar[n,j]", bar * f)
    every = list(GATES)
    back = sum(sd.Sum(t[f"s_{name}_bar"][n, j] * t[f"U_{name}"][j, k], j) for name in every)
    let(t, "h_bar[n,k]", back)
    let(t, "x_bar[n,i]", sum(sd.Sum(t[f"s_{name}_bar"][n, j] * t[f"W_{name}"][j, i], j) for name in every))


WEIGHTS = {f"{kind}_{g}": axes for g in GATES for kind, axes in (("W", "j i"), ("U", "j k"), ("b", "j"))}
STEP = {"x": sd.Input("n i"), "c": sd.Input("n j"), "h": sd.Input("n k=j")}
CASES = {
    "batch norm": Case(NORM, normalised("n"), batch_norm, ("x", "gamma", "beta"), {"n": 64, "c": 48}, "n c"),
    "layer norm": Case(NORM, normalised("c"), layer_norm, ("x", "gamma", "beta"), {"n": 64, "c": 48}, "n c"),
    "cross-entropy": Case(
        {"z": sd.Param("n k"), "labels": sd.Input("n k", facts=["sums_to_one"])},
        loss,
        cross_entropy,
        ("z",),
        {"n": 64, "k": 10},
    ),
    "attention": Case(
        {"q": sd.Param("t e"), "k": sd.Param("s e"), "v": sd.Param("s d")},
        head,
        attention,
        ("q", "k", "v"),
        {"t": 32, "s": 24, "e": 16, "d": 12},
        "t d",
    ),
    "LSTM step": Case(
        {**STEP, **{name: sd.Param(axes) for name, axes in WEIGHTS.items()}},
        lstm,
        lstm_step,
        ("x", "h", "c", *WEIGHTS),
        {"n": 16, "i": 12, "j": 24},
        "n j",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_closed_form_is_the_gradient(name: str, rng: np.random.Generator) -> None:
    """Else the comparison would be one of different things."""
    case = CASES[name]
    by_hand, derived = case.by_hand(), case.derived()
    small = {"n": 3, "c": 4, "k": 3, "t": 3, "s": 4, "e": 2, "d": 3, "i": 2, "j": 3}
    arrays = {t.name: np.abs(rng.normal(size=[small[i.name] for i in t.indices])) for t in by_hand.inputs}
    if "labels" in arrays:
        arrays["labels"] = np.eye(3)  # they have to sum to one exactly
    wanted, found = evaluate(by_hand, arrays), evaluate(derived, arrays)
    for output in case.outputs:
        assert np.max(np.abs(wanted[output] - found[output])) < 1e-40, output


@pytest.mark.parametrize("name", CASES)
def test_a_derived_gradient_costs_what_one_by_hand_does(name: str) -> None:
    case = CASES[name]
    forward, by_hand, derived = (plan_cost(d, **case.extents) for d in (case.layer(), case.by_hand(), case.derived()))
    assert derived.operations <= LIMIT * by_hand.operations
    assert derived.memory <= LIMIT * by_hand.memory
    assert backward(derived, forward) <= LIMIT * backward(by_hand, forward)


def backward(whole: PlanCost, forward: PlanCost) -> int:
    """The operations beyond those of the layer itself."""
    return whole.operations - forward.operations
