"""Backpropagation written out in NumPy, for networks of dense layers; and how data are cut into batches, for all peers.

Everyone's function takes a workload and returns one that trains from given parameters and returns the losses of its
steps: all of an epoch, or the first `few` where each step is a call. Batches are cut beforehand, for everyone. Where a
workload has several models, their axis comes first in products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network, Training

Trained = Callable[[Arrays], Any]


def batches(work: Training, dtype: str, steps: int) -> list[tuple[Any, Any]]:
    """The first batches in order; with several models as [models, batch, …]."""
    x, y = work.data(dtype)
    parts = [slice(k * work.batch, (k + 1) * work.batch) for k in range(steps)]
    models = isinstance(work, Network) and work.models
    turned = (lambda a: np.ascontiguousarray(a.swapaxes(0, 1))) if models else np.asarray
    return [(turned(x[p]), turned(y[p])) for p in parts]


def training(network: Network, dtype: str) -> Trained:
    """In place where that is easy."""
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
