"""The same training in PyTorch (eager), JAX (jit for a step, scan for an epoch) and NumPy by hand.

Every function takes a workload and returns one that trains from given parameters and returns the losses of its steps:
all of an epoch, or the first `few` where each step is a call. Batches are cut beforehand, for
everyone. Where a workload has several models, their axis comes first in products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network, Pointwise

Trained = Callable[[Arrays], Any]


def batches(network: Network, dtype: str, steps: int) -> list[tuple[Any, Any]]:
    """The first batches in order; with several models as [models, batch, …]."""
    x, y = network.data(dtype)
    parts = [slice(k * network.batch, (k + 1) * network.batch) for k in range(steps)]
    turned = (lambda a: np.ascontiguousarray(a.swapaxes(0, 1))) if network.models else np.asarray
    return [(turned(x[p]), turned(y[p])) for p in parts]


def torch_eager(network: Network, dtype: str, threads: int) -> Trained:
    """As people write it: modules (one `baddbmm` a layer for several models), `torch.optim`."""
    import torch

    cut = [(torch.tensor(x), torch.tensor(y)) for x, y in batches(network, dtype, network.few)]
    act = {"tanh": torch.tanh, "relu": torch.relu}[network.activation]
    last = len(network.sizes) - 1

    def forward(p: dict[str, Any], h: Any) -> Any:
        for k in network.layers:
            W, b = p[f"W{k}"], p[f"b{k}"]
            h = torch.baddbmm(b[:, None], h, W.mT) if network.models else torch.nn.functional.linear(h, W, b)
            h = act(h) if k < last else h
        return h

    def run(arrays: Arrays) -> Any:
        torch.set_num_threads(threads)
        p = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
        kind = torch.optim.Adam if network.adam else torch.optim.SGD
        optimizer, losses = kind(p.values(), lr=network.rate), []
        for x, y in cut:
            out = forward(p, x)
            if network.loss == "mse":
                loss = ((y - out) ** 2).sum() / network.batch
            else:
                loss = torch.nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).numpy()

    return run


def jax_training(network: Network, dtype: str, scanned: bool) -> Trained:
    """`jit` of one step, or of the epoch, in which the batches are scanned."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    steps = network.steps if scanned else network.few
    arrays_of = batches(network, dtype, steps)
    stacked = tuple(jnp.asarray(np.stack(parts)) for parts in zip(*arrays_of, strict=True)) if scanned else None
    cut = [] if scanned else [(jnp.asarray(x), jnp.asarray(y)) for x, y in arrays_of]
    act = {"tanh": jnp.tanh, "relu": jax.nn.relu}[network.activation]
    last = len(network.sizes) - 1

    def loss(p: Any, x: Any, y: Any) -> Any:
        for k in network.layers:
            x = x @ p[f"W{k}"].swapaxes(-1, -2) + p[f"b{k}"][..., None, :]
            x = act(x) if k < last else x
        if network.loss == "mse":
            return jnp.sum((y - x) ** 2) / network.batch
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x), axis=1))

    def step(carry: Any, batch: Any) -> Any:
        p, m, v, t = carry
        value, g = jax.value_and_grad(loss)(p, *batch)
        if not network.adam:
            return ({k: p[k] - network.rate * g[k] for k in p}, m, v, t), value
        m = {k: BETAS[0] * m[k] + (1 - BETAS[0]) * g[k] for k in p}
        v = {k: BETAS[1] * v[k] + (1 - BETAS[1]) * g[k] ** 2 for k in p}
        t = t + 1
        rate, scale = network.rate / (1 - BETAS[0] ** t), 1 / (1 - BETAS[1] ** t)
        return ({k: p[k] - rate * m[k] / (jnp.sqrt(v[k] * scale) + EPS) for k in p}, m, v, t), value

    stepped = jax.jit(step, donate_argnums=0)
    epoch = jax.jit(lambda carry, all_batches: jax.lax.scan(step, carry, all_batches))

    def run(arrays: Arrays) -> Any:
        p = {k: jnp.array(v) for k, v in arrays.items()}
        zeros = [{k: jnp.zeros_like(v) for k, v in p.items()} if network.adam else {} for _ in range(2)]
        carry: Any = (p, *zeros, jnp.zeros((), dtype))
        if scanned:
            return np.asarray(jax.block_until_ready(epoch(carry, stacked))[1])
        losses = []
        for batch in cut:
            carry, value = stepped(carry, batch)
            losses.append(value)
        return np.asarray(jax.block_until_ready(jnp.stack(losses)))

    return run


def numpy_by_hand(network: Network, dtype: str) -> Trained:
    """Backpropagation written out, in place where that is easy."""
    cut = batches(network, dtype, network.few)
    last = len(network.sizes) - 1
    tanh = network.activation == "tanh"

    def slopes(p: Arrays, x: Any, y: Any) -> tuple[Any, Arrays]:
        h, found = [x], {}
        for k in network.layers:
            s = h[-1] @ p[f"W{k}"].swapaxes(-1, -2)
            s += p[f"b{k}"][..., None, :]
            h.append(s if k == last else np.tanh(s, out=s) if tanh else np.maximum(s, 0, out=s))
        if network.loss == "mse":
            gap = h[-1] - y
            value, delta = np.vdot(gap, gap) / network.batch, gap * (2 / network.batch)
        else:
            z = h[-1] - h[-1].max(axis=1, keepdims=True)
            e = np.exp(z)
            total = e.sum(axis=1, keepdims=True)
            value = -np.vdot(y, z - np.log(total)) / network.batch
            delta = (e / total - y) / network.batch
        delta = delta.astype(dtype, copy=False)
        for k in reversed(network.layers):
            found[f"W{k}"] = delta.swapaxes(-1, -2) @ h[k - 1]
            found[f"b{k}"] = delta.sum(axis=-2)
            if k > 1:
                delta = delta @ p[f"W{k}"]
                delta *= 1 - h[k - 1] ** 2 if tanh else h[k - 1] > 0
        return value, found

    def run(arrays: Arrays) -> Any:
        p = {k: v.copy() for k, v in arrays.items()}
        m, v = ({k: np.zeros_like(a) for k, a in p.items()} for _ in range(2))
        losses = []
        for t, (x, y) in enumerate(cut, 1):
            value, g = slopes(p, x, y)
            losses.append(value)
            for k in p:
                if network.adam:
                    m[k] += (1 - BETAS[0]) * (g[k] - m[k])
                    v[k] += (1 - BETAS[1]) * (g[k] ** 2 - v[k])
                    rate, scale = network.rate / (1 - BETAS[0] ** t), 1 / (1 - BETAS[1] ** t)
                    p[k] -= rate * m[k] / (np.sqrt(v[k] * scale) + EPS)
                else:
                    p[k] -= network.rate * g[k]
        return np.array(losses)

    return run


def torch_pointwise(work: Pointwise, dtype: str, threads: int) -> Callable[[], Any]:
    """The activation and its slope by autograd."""
    import torch

    x, up = (torch.tensor(a) for a in work.arrays(dtype))
    act = {"mish": torch.nn.functional.mish, "gelu": torch.nn.functional.gelu}[work.activation]

    def run() -> Any:
        torch.set_num_threads(threads)
        leaf = x.detach().requires_grad_()
        act(leaf).backward(up)
        return leaf.grad.numpy()

    return run


def jax_pointwise(work: Pointwise, dtype: str) -> Callable[[], Any]:
    """The activation and its slope under one `jit`."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    x, up = (jnp.asarray(a) for a in work.arrays(dtype))
    act = {"mish": jax.nn.mish, "gelu": lambda s: jax.nn.gelu(s, approximate=False)}[work.activation]

    def both(x: Any, up: Any) -> Any:
        y, back = jax.vjp(act, x)
        return y, back(up)[0]

    compiled = jax.jit(both)
    return lambda: np.asarray(jax.block_until_ready(compiled(x, up))[1])
