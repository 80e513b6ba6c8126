"""The workloads through symdl's public API: a definition is compiled, and its epoch or function is called.

What a step costs is counted from the plan of the gradient and of the update.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

import symdl as sd
from benchmarks.workloads.models import GATES, NORM_EPS, Characters, LeNet, Recurrent
from benchmarks.workloads.networks import Arrays, Network, Pointwise, Training


@singledispatch
def definition(work: Training | Pointwise) -> sd.Definition:
    """What is trained, or computed, as a definition made of the library."""
    raise NotImplementedError(type(work))


@definition.register
def _(network: Network) -> sd.Definition:
    """Dense layers; side by side, with an axis of models."""
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


@definition.register
def _(work: LeNet) -> sd.Definition:
    sizes = {"size": work.size, "kernel": work.kernel, "channels": work.channels, "units": work.units}
    return sd.definition("lenet5", act="relu", pool="max", classes=work.classes, **sizes)


@definition.register
def _(work: Recurrent) -> sd.Definition:
    gates = {f"W_{g}": sd.Param("j i") for g in GATES} | {f"U_{g}": sd.Param("j k=j") for g in GATES}

    @sd.define(time="t")
    def sequences(
        x=sd.Input("n t i"),
        y=sd.Input("n o"),
        h0=sd.Input("n j"),
        c0=sd.Input("n j"),
        W_i=gates["W_i"],
        W_f=gates["W_f"],
        W_c=gates["W_c"],
        W_o=gates["W_o"],
        U_i=gates["U_i"],
        U_f=gates["U_f"],
        U_c=gates["U_c"],
        U_o=gates["U_o"],
        b_i=sd.Param("j"),
        b_f=sd.Param("j"),
        b_c=sd.Param("j"),
        b_o=sd.Param("j"),
        V=sd.Param("o j"),
        d=sd.Param("o"),
    ):
        W = {"i": W_i, "f": W_f, "c": W_c, "o": W_o}
        U = {"i": U_i, "f": U_f, "c": U_c, "o": U_o}
        b = {"i": b_i, "f": b_f, "c": b_c, "o": b_o}
        _, last, _ = sd.layers.lstm(x, h0, c0, W, U, b)
        out = sd.layers.linear(last, V, d, name="out")
        return sd.loss("mse", reduction="batchmean").write(y, out), out

    return sequences


@definition.register
def _(work: Characters) -> sd.Definition:
    sizes = {"heads": work.heads, "width": work.width, "context": work.time, "vocabulary": work.symbols}
    return sd.definition("gpt", blocks=1, act="gelu", **sizes)


@definition.register
def _(work: Pointwise) -> sd.Definition:
    act = sd.activation(work.activation)

    @sd.define
    def applied(x=sd.Input("n"), up=sd.Input("n")):
        (n,) = x.indices
        y = sd.let("y[n]", act(x[n]))
        return sd.let("L", sd.Sum(up[n] * y[n], n)), y

    return applied


def _extents(work: Training) -> dict[str, int]:
    """The lengths that the definition leaves open."""
    found = {"n": work.batch}
    if isinstance(work, Network) and work.models:
        found |= dict(zip("ijk", work.sizes, strict=True)) | {"g": work.models}
    if isinstance(work, Recurrent):
        found |= {"t": work.time, "i": work.inputs, "j": work.hidden, "o": work.outputs}
    return found


def _optimizer(work: Training) -> Any:
    return sd.adam(work.rate) if work.adam else sd.sgd(work.rate)


def arrays(work: Training, dtype: str) -> Arrays:
    """The data of an epoch under the names of the definition."""
    x, y = work.data(dtype)
    if isinstance(work, Characters):
        return {"tok": x, "next": y, "eps": np.array(NORM_EPS, dtype)}
    if isinstance(work, LeNet):
        return {"x": x, "y": np.eye(work.classes, dtype=dtype)[y]}
    if isinstance(work, Recurrent):
        zeros = np.zeros((len(x), work.hidden), dtype)
        return {"x": x, "y": y, "h0": zeros, "c0": zeros}
    return {"x": x, "y": y}


def epoch(work: Training, dtype: str) -> Callable[[Arrays], Any]:
    """A function that trains given parameters in place for one epoch, and returns the losses of its steps."""
    code = sd.compile(definition(work), optimizer=_optimizer(work), dtype=dtype, extents=_extents(work))
    data, order = arrays(work, dtype), np.arange(work.batch * work.steps)
    return lambda parameters: code.epoch(data | parameters, order=order, batch_size=work.batch)[1]


def pointwise(work: Pointwise, dtype: str) -> Callable[[], Any]:
    """A function that returns the activation and its slope times what comes from above."""
    code = sd.compile(definition(work), wrt="x", dtype=dtype, extents={"n": work.count})
    x, up = work.arrays(dtype)
    return lambda: code.gradient(x=x, up=up)


@dataclass(frozen=True)
class Counts:
    """What a step costs, counted from its plan, caches aside.

    Args:
        operations: additions, multiplications, comparisons, calls of functions: each is one.
        moved: bytes that loops and products read and write.
        held: bytes of all arrays of a step: data of a batch, parameters, states, intermediate values.
    """

    operations: int
    moved: int
    held: int


def counts(work: Training | Pointwise, dtype: str) -> Counts:
    """The counts of a step, or of a call of pointwise work."""
    size = np.dtype(dtype).itemsize
    if isinstance(work, Pointwise):
        cost = sd.plan_cost(sd.derive(definition(work), wrt="x").gradient, n=work.count)
        return Counts(cost.operations, size * cost.traffic, size * (cost.memory + 2 * work.count))
    gradient = sd.derive(definition(work)).gradient
    cost = sd.plan_cost(gradient, **{n: e for n, e in _extents(work).items() if n in gradient.extents})
    optimizer = _optimizer(work)
    update = sd.plan_cost(optimizer.update)
    numbers = sum(a.size for a in work.parameters(dtype).values())
    # of every parameter and state the old value is read and the new one written, and the slope is read
    moved = numbers * (3 + 2 * len(optimizer.state))
    held = numbers * (1 + len(optimizer.state)) + sum(a.size for a in arrays(work, dtype).values()) // work.steps
    return Counts(
        cost.operations + numbers * update.operations, size * (cost.traffic + moved), size * (cost.memory + held)
    )
