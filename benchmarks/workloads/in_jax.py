"""The same training in JAX: `jit` of one step, or of the epoch, in which the batches are scanned."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.workloads.by_hand import Trained, batches
from benchmarks.workloads.models import GATES, NORM_EPS, Characters, LeNet, Recurrent
from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network, Pointwise, Training

Loss = Callable[[Any, Any, Any], Any]


@singledispatch
def loss_of(work: Training) -> Loss:
    """The loss of a batch as a function of the parameters."""
    raise NotImplementedError(type(work))


@loss_of.register
def _(work: Network) -> Loss:
    act = {"tanh": jnp.tanh, "relu": jax.nn.relu}[work.activation]
    last = len(work.sizes) - 1

    def loss(p: Any, x: Any, y: Any) -> Any:
        for k in work.layers:
            x = x @ p[f"W{k}"].swapaxes(-1, -2) + p[f"b{k}"][..., None, :]
            x = act(x) if k < last else x
        if work.loss == "mse":
            return jnp.sum((y - x) ** 2) / work.batch
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x), axis=1))

    return loss


def _cross_entropy(z: Any, ids: Any) -> Any:
    """Of scores z[…, k] and whole numbers."""
    return jnp.mean(jax.nn.logsumexp(z, axis=-1) - jnp.take_along_axis(z, ids[..., None], axis=-1)[..., 0])


@loss_of.register
def _(work: LeNet) -> Loss:
    """Pooling as the maximum over axes of 2, whose slope XLA computes faster than that of `reduce_window`."""

    def convolved(x: Any, K: Any, b: Any, padding: str) -> Any:
        s = lax.conv_general_dilated(x, K, (1, 1), padding, dimension_numbers=("NCHW", "OIHW", "NCHW"))
        h = jax.nn.relu(s + b[:, None, None])
        n, c, height, width = h.shape
        return h.reshape(n, c, height // 2, 2, width // 2, 2).max(axis=(3, 5))

    def loss(p: Any, x: Any, y: Any) -> Any:
        x = convolved(convolved(x, p["K1"], p["b1"], "SAME"), p["K2"], p["b2"], "VALID").reshape(work.batch, -1)
        x = jax.nn.relu(x @ p["W3"].reshape(len(p["b3"]), -1).T + p["b3"])
        x = jax.nn.relu(x @ p["W4"].T + p["b4"])
        return _cross_entropy(x @ p["W5"].T + p["b5"], y)

    return loss


@loss_of.register
def _(work: Recurrent) -> Loss:
    def loss(p: Any, x: Any, y: Any) -> Any:
        a = jnp.einsum("nti,ji->tnj", x, p["W"]) + p["b"]
        zeros = jnp.zeros((work.batch, work.hidden), x.dtype)

        def step(state: Any, a: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(a + h @ p["U"].T, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        (h, _), _ = lax.scan(step, (zeros, zeros), a)
        return jnp.sum((h @ p["V"].T + p["d"] - y) ** 2) / work.batch

    return loss


@loss_of.register
def _(work: Characters) -> Loss:
    def norm(x: Any, gamma: Any, beta: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred * lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + NORM_EPS) * gamma + beta

    def loss(p: Any, x: Any, y: Any) -> Any:
        n, t = x.shape
        x = p["E"][x] + p["P"]
        u = norm(x, p["gamma1_a"], p["beta1_a"])
        q, k, v = jnp.moveaxis((u @ p["W_qkv"].T + p["b_qkv"]).reshape(n, t, 3, work.heads, -1), 2, 0)
        z = jnp.einsum("nthe,nshe->nhts", q, k) / np.sqrt(work.width // work.heads).astype(x.dtype)
        z = jnp.where(jnp.tril(jnp.ones((t, t), bool)), z, -jnp.inf)
        o = jnp.einsum("nhts,nshe->nthe", jax.nn.softmax(z), v).reshape(n, t, -1)
        h = x + o @ p["W1_o"].reshape(work.width, -1).T + p["b1_o"]
        u = norm(h, p["gamma1_b"], p["beta1_b"])
        g = jax.nn.gelu(u @ p["W1_u"].T + p["b1_u"], approximate=False)
        h = h + g @ p["W1_d"].T + p["b1_d"]
        return _cross_entropy(norm(h, p["gamma"], p["beta"]) @ p["E"].T, y)

    return loss


def stacked(work: Training, arrays: Arrays) -> Any:
    """Parameters, those side by side that are multiplied at once."""
    p = {n: jnp.array(a) for n, a in arrays.items()}
    if isinstance(work, Recurrent):
        return {n: jnp.concatenate([p[f"{n}_{g}"] for g in GATES]) for n in "WUb"} | {n: p[n] for n in "Vd"}
    if isinstance(work, Characters):
        W, b = (jnp.concatenate([p.pop(f"{n}1_{g}") for g in "qkv"]) for n in "Wb")
        return p | {"W_qkv": W.reshape(-1, work.width), "b_qkv": b.reshape(-1)}
    return p


def training(work: Training, dtype: str, scanned: bool) -> Trained:
    """`jit` of one step, or of the epoch."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    steps = work.steps if scanned else work.few
    arrays_of = batches(work, dtype, steps)
    stack = tuple(jnp.asarray(np.stack(parts)) for parts in zip(*arrays_of, strict=True)) if scanned else None
    cut = [] if scanned else [(jnp.asarray(x), jnp.asarray(y)) for x, y in arrays_of]
    loss = loss_of(work)

    def step(carry: Any, batch: Any) -> Any:
        p, m, v, t = carry
        value, g = jax.value_and_grad(loss)(p, *batch)
        if not work.adam:
            return ({k: p[k] - work.rate * g[k] for k in p}, m, v, t), value
        m = {k: BETAS[0] * m[k] + (1 - BETAS[0]) * g[k] for k in p}
        v = {k: BETAS[1] * v[k] + (1 - BETAS[1]) * g[k] ** 2 for k in p}
        t = t + 1
        rate, scale = work.rate / (1 - BETAS[0] ** t), 1 / (1 - BETAS[1] ** t)
        return ({k: p[k] - rate * m[k] / (jnp.sqrt(v[k] * scale) + EPS) for k in p}, m, v, t), value

    stepped = jax.jit(step, donate_argnums=0)
    epoch = jax.jit(lambda carry, all_batches: lax.scan(step, carry, all_batches))

    def run(arrays: Arrays) -> Any:
        p = stacked(work, arrays)
        zeros = [{k: jnp.zeros_like(v) for k, v in p.items()} if work.adam else {} for _ in range(2)]
        carry: Any = (p, *zeros, jnp.zeros((), dtype))
        if scanned:
            return np.asarray(jax.block_until_ready(epoch(carry, stack))[1])
        losses = []
        for batch in cut:
            carry, value = stepped(carry, batch)
            losses.append(value)
        return np.asarray(jax.block_until_ready(jnp.stack(losses)))

    return run


def pointwise(work: Pointwise, dtype: str) -> Callable[[], Any]:
    """The activation and its slope under one `jit`."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    x, up = (jnp.asarray(a) for a in work.arrays(dtype))
    act = {"mish": jax.nn.mish, "gelu": lambda s: jax.nn.gelu(s, approximate=False)}[work.activation]

    def both(x: Any, up: Any) -> Any:
        y, back = jax.vjp(act, x)
        return y, back(up)[0]

    compiled = jax.jit(both)
    return lambda: np.asarray(jax.block_until_ready(compiled(x, up))[1])
