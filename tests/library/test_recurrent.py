"""Recurrent layers against PyTorch: states, last states, and backpropagation through time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.peers import agree, both_ways, close, drawn

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Hyper, Input, Param, define, in_range, let, state
from symdl.derivation.forward import hvp
from symdl.derivation.seeds import seeded, vjp
from symdl.errors import DefinitionError, ShapeError
from symdl.library.recurrent import ENTRIES, GRU_GATES, LSTM_GATES, elman, gru

MAKE = {e.name: e.definition for e in ENTRIES}
#: n, t, i, j
SIZES = [drawn(4, 6), (1, 1, 1, 1), drawn(4, 7, 1, 3)]
GATES = {"elman": [""], "lstm": [f"_{g}" for g in LSTM_GATES], "gru": [f"_{g}" for g in GRU_GATES]}


def arrays_for(name, sizes, rng, bias=True):
    n, t, i, j = sizes
    shapes = {"x": (n, t, i), "h0": (n, j)} | ({"c0": (n, j)} if name == "lstm" else {})
    shapes |= {f"W{g}": (j, i) for g in GATES[name]} | {f"U{g}": (j, j) for g in GATES[name]}
    if bias:
        shapes |= {f"b{g}": (j,) for g in GATES[name]} | ({"d_h": (j,)} if name == "gru" else {})
    return {key: rng.normal(size=shape) / 2 for key, shape in shapes.items()}


def torch_layer(name, x, h0, c0=None, d_h=None, act="tanh", **p):
    """PyTorch's module with the same parameters: its gates are stacked i, f, g, o and r, z, n."""
    order = {"elman": [""], "lstm": ["_i", "_f", "_c", "_o"], "gru": ["_r", "_z", "_h"]}[name]
    size, bias = h0.shape[1], "b" + order[0] in p
    kind = {"elman": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[name]
    options = {"nonlinearity": act} if name == "elman" else {}
    module = kind(x.shape[2], size, batch_first=True, bias=bias, dtype=torch.float64, **options)
    given = {f"weight_{k}_l0": torch.cat([p[w + g] for g in order]) for k, w in (("ih", "W"), ("hh", "U"))}
    if bias:
        second = torch.zeros(size, dtype=torch.float64)
        given["bias_ih_l0"] = torch.cat([p["b" + g] for g in order])
        given["bias_hh_l0"] = torch.cat([d_h if g == "_h" and name == "gru" else second for g in order])
    start = (h0[None], c0[None]) if name == "lstm" else h0[None]
    states, last = torch.func.functional_call(module, given, (x, start))
    return (states, *[s[0] for s in (last if name == "lstm" else (last,))])


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", MAKE)
def test_states_and_backpropagation_through_time(name, sizes, rng):
    agree(MAKE[name](), lambda **a: torch_layer(name, **a), arrays_for(name, sizes, rng), rng)


@pytest.mark.parametrize("name", MAKE)
def test_without_biases(name, rng):
    layer = MAKE[name](bias=False, units=2)
    agree(layer, lambda **a: torch_layer(name, **a), arrays_for(name, SIZES[0], rng, bias=False), rng)


@pytest.mark.parametrize("name", MAKE)
def test_compiled_gradients(name, rng):
    agree(MAKE[name](), lambda **a: torch_layer(name, **a), arrays_for(name, (3, 7, 4, 5), rng), rng, compiled=True)


def test_elman_with_another_activation(rng):
    def peer(**a):
        return torch_layer("elman", act="relu", **a)

    agree(MAKE["elman"](act="relu"), peer, arrays_for("elman", SIZES[0], rng), rng)


@pytest.mark.parametrize("sizes", SIZES)
def test_elman_backwards_in_time(sizes, rng):
    """It is the forward network on the sequence turned round."""

    def peer(x, **rest):
        states, last = torch_layer("elman", x.flip(1), **rest)
        return states.flip(1), last

    agree(MAKE["elman"](backwards=True), peer, arrays_for("elman", sizes, rng), rng)


def test_backwards_in_time_compiled(rng):
    def peer(x, **rest):
        states, last = torch_layer("elman", x.flip(1), **rest)
        return states.flip(1), last

    agree(MAKE["elman"](backwards=True), peer, arrays_for("elman", (2, 6, 3, 4), rng), rng, compiled=True)


@pytest.mark.parametrize("name,compiled", [("lstm", False), ("gru", False), ("elman", True)])
def test_segments_with_carried_state(name, compiled, rng):
    """Truncated backpropagation: the gradient stops where PyTorch's `detach` stops it."""
    n, t, i, j = 2, 6, 2, 2
    arrays, cut = arrays_for(name, (n, t, i, j), rng), 3
    carried = ["h0", "c0"] if name == "lstm" else ["h0"]
    parameters = [p for p in arrays if p[0] in "WUbd"]
    gradient = vjp(MAKE[name](), parameters)  # of the states alone
    code = compile(gradient.gradient) if compiled else None
    slopes, start = rng.normal(size=(n, t, j)), {k: arrays[k] for k in carried}
    got = dict.fromkeys(parameters, 0.0)
    for first in range(0, t, cut):
        part = {**arrays, **start, "x": arrays["x"][:, first : first + cut]}
        given = {**part, "h_bar": slopes[:, first : first + cut]}
        values = code(**{k: v.astype(float) for k, v in given.items()}) if code else evaluate(gradient.gradient, given)
        states = evaluate(MAKE[name](), part)
        start = {k: states[f"{k[0]}_last"] for k in carried}
        got = {p: got[p] + values[gradient.names[p]] for p in parameters}

    given = {k: torch.tensor(v, requires_grad=k in parameters) for k, v in arrays.items()}
    total, state_now = 0.0, {k: given[k] for k in carried}
    for first in range(0, t, cut):
        states, *last = torch_layer(name, **{**given, **state_now, "x": given["x"][:, first : first + cut]})
        state_now = dict(zip(carried, [v.detach() for v in last], strict=True))
        total = total + (torch.tensor(slopes[:, first : first + cut]) * states).sum()
    for p, want in zip(parameters, torch.autograd.grad(total, [given[p] for p in parameters]), strict=True):
        close(got[p], want.numpy(), p)


def test_segments_chained_backwards_give_the_whole_gradient(rng):
    """Handing h0_bar of one segment to h_last_bar of the one before undoes the truncation."""
    arrays, cut = arrays_for("gru", (1, 4, 2, 2), rng), 2
    layer = MAKE["gru"]()
    whole = vjp(layer, ["W_h", "h0"])
    parts = vjp(layer, ["W_h", "h0"], outputs=["h", "h_last"])
    slopes = rng.normal(size=(1, 4, 2))
    want = evaluate(whole.gradient, {**arrays, "h_bar": slopes})
    first, second = ({**arrays, "x": arrays["x"][:, k : k + cut]} for k in (0, cut))
    second["h0"] = evaluate(layer, first)["h_last"]
    late = evaluate(parts.gradient, {**second, "h_bar": slopes[:, cut:], "h_last_bar": np.zeros((1, 2))})
    early = evaluate(parts.gradient, {**first, "h_bar": slopes[:, :cut], "h_last_bar": late["h0_bar"]})
    close(early["W_h_bar"] + late["W_h_bar"], want["W_h_bar"].astype(float), "W_h")
    close(early["h0_bar"], want["h0_bar"].astype(float), "h0")


@pytest.mark.parametrize(
    "name,times,wrt",
    [("elman", 2, ["h0", "W", "U"]), ("lstm", 1, ["c0", "W_f"]), ("gru", 1, ["h0", "W_r", "U_h"])],
)
def test_both_ways_are_proved_equal_for_small_extents(name, times, wrt):
    """Written out, two steps of an LSTM are too much to decide: sigmoids in sigmoids."""
    layer = MAKE[name](bias=False).at(n=1, t=times, i=1, j=1)
    verdict = both_ways(layer, wrt)
    assert verdict.proved, verdict


def test_hessian_vector_product_of_an_lstm(rng):
    """Against `torch.func`: the rate of change of the gradient along a direction in all parameters."""
    sizes = (2, 3, 2, 2)
    arrays = arrays_for("lstm", sizes, rng)
    layer = seeded(MAKE["lstm"](), ["h", "c_last"])
    wrt = [n for n in arrays if n[0] in "WUb"]
    product = hvp(layer, wrt)
    bars = {"h_bar": rng.normal(size=(2, 3, 2)), "c_last_bar": rng.normal(size=(2, 2))}
    along = {n: rng.normal(size=arrays[n].shape) for n in wrt}
    got = evaluate(product.gradient, {**arrays, **bars, **{f"{n}_dot": v for n, v in along.items()}})
    fixed = {n: torch.tensor(a) for n, a in arrays.items() if n not in wrt}

    def loss(parameters):
        states, _, cell = torch_layer("lstm", **fixed, **parameters)
        return (torch.tensor(bars["h_bar"]) * states).sum() + (torch.tensor(bars["c_last_bar"]) * cell).sum()

    at = {n: torch.tensor(arrays[n], requires_grad=True) for n in wrt}
    slopes = torch.autograd.grad(loss(at), list(at.values()), create_graph=True)
    rate = sum((s * torch.tensor(v)).sum() for s, v in zip(slopes, along.values(), strict=True))
    want = torch.autograd.grad(rate, list(at.values()))
    for name, slope in zip(wrt, want, strict=True):
        close(got[product.names[f"{name}_bar"]], slope.numpy(), name)


def test_two_layers(rng):
    """The states of one are the sequence of the next; names bear the label."""

    @define(time="t")
    def deep(x=Input("n t i"), h0=Input("n j"), W=Param("j i"), U=Param("j k=j"), V=Param("j k")):
        h1, _ = elman(x, h0, W, U, label="1")
        return elman(h1, h0, V, U, label="2")[0]

    assert deep.outputs == ("h2",)

    def peer(x, h0, W, U, V):
        first, _ = torch_layer("elman", x, h0, W=W, U=U)
        return torch_layer("elman", first, h0, W=V, U=U)[0]

    arrays = arrays_for("elman", SIZES[0], rng, bias=False) | {"V": rng.normal(size=(2, 2))}
    agree(deep, peer, arrays, rng)


def test_bad_input():
    with pytest.raises(DefinitionError, match="units=0"):
        MAKE["lstm"](units=0)
    with pytest.raises(DefinitionError, match="no activation 'tan'"):
        MAKE["elman"](act="tan")

    def writes(body, time="t", U="j k=j"):
        @define(time=time)
        def bad(x=Input("n t i"), h0=Input("n j"), W=Param("j i"), U=Param(U)):
            return body(x, h0, W, U)

        return bad

    with pytest.raises(DefinitionError, match="its second axis is not time"):
        writes(elman, time="")
    with pytest.raises(ShapeError, match=r"U\[j, k\] is not square"):
        writes(elman, U="j k")
    with pytest.raises(ShapeError, match=r"U\[j, k\] is not square"):
        writes(lambda x, h0, W, U: gru(x, h0, dict.fromkeys("rzh", W), dict.fromkeys("rzh", U)), U="j k")


def test_a_recurrence_that_reads_the_future_is_refused():
    with pytest.raises(DefinitionError, match="reads the future"):

        @define(time="t")
        def ahead(x=Input("t"), a=Hyper()):
            (t,) = x.indices
            h = state("h[t]")
            return let("h[t]", x[t] + a * h[t + 1] * in_range(t + 1, t.extent))
