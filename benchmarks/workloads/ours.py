"""The workloads through symdl's public API: a definition is compiled, and its epoch or function is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symdl as sd
from benchmarks.workloads.networks import Arrays, Network, Pointwise


def definition(network: Network) -> sd.Definition:
    """The network as a definition of the library; side by side, it has an axis of models."""
    if not network.models:
        hidden = [sd.dense(n, network.activation) for n in network.sizes[1:-1]]
        return sd.sequential(*hidden, sd.dense(network.sizes[-1]), loss=network.loss, inputs=network.sizes[0])

    @sd.define
    def networks(
        x=sd.Input("n g i"),
        y=sd.Input("n g k"),
        W1=sd.Param("g j i"),
        b1=sd.Param("g j"),
        W2=sd.Param("g k j"),
        b2=sd.Param("g k"),
    ):
        (n, g, i), (_, k, j) = x.indices, W2.indices
        s = sd.let("s[n,g,j]", sd.Sum(W1[g, j, i] * x[n, g, i], i) + b1[g, j])
        h = sd.let("h[n,g,j]", sd.tanh(s[n, g, j]))
        out = sd.let("out[n,g,k]", sd.Sum(W2[g, k, j] * h[n, g, j], j) + b2[g, k])
        return sd.let("L", sd.Sum(sd.mean((y[n, g, k] - out[n, g, k]) ** 2, n), g, k)), out

    return networks


def epoch(network: Network, dtype: str) -> Callable[[Arrays], Any]:
    """A function that trains given parameters in place for one epoch, and returns the losses of its steps."""
    optimizer = sd.adam(network.rate) if network.adam else sd.sgd(network.rate)
    extents = {"n": network.batch} | ({} if not network.models else _extents(network))
    code = sd.compile(definition(network), optimizer=optimizer, dtype=dtype, extents=extents)
    x, y = network.data(dtype)
    order = np.arange(len(x))
    return lambda arrays: code.epoch({"x": x, "y": y, **arrays}, order=order, batch_size=network.batch)[1]


def _extents(network: Network) -> dict[str, int]:
    (i, j, k) = network.sizes
    return {"g": network.models, "i": i, "j": j, "k": k}


def pointwise(work: Pointwise, dtype: str) -> Callable[[], Any]:
    """A function that returns the activation and its slope times what comes from above."""
    act = sd.activation(work.activation)

    @sd.define
    def applied(x=sd.Input("n"), up=sd.Input("n")):
        (n,) = x.indices
        y = sd.let("y[n]", act(x[n]))
        return sd.let("L", sd.Sum(up[n] * y[n], n)), y

    code = sd.compile(applied, wrt="x", dtype=dtype, extents={"n": work.count})
    x, up = work.arrays(dtype)
    return lambda: code.gradient(x=x, up=up)
