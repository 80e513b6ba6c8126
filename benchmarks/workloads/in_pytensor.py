"""The same training in PyTensor, compiled by Numba: one function for a step, parameters in shared variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from benchmarks.workloads.by_hand import Trained, batches
from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network, Pointwise


def _loss(work: Network, p: dict[str, Any], x: Any, y: Any) -> Any:
    act = {"tanh": pt.tanh, "relu": lambda s: pt.maximum(s, 0)}[work.activation]
    last = len(work.sizes) - 1
    for k in work.layers:
        W, b = p[f"W{k}"], p[f"b{k}"]
        x = pt.matmul(x, W.swapaxes(-1, -2)) + b[..., None, :] if work.models else x @ W.T + b
        x = act(x) if k < last else x
    if work.loss == "mse":
        return pt.sum((y - x) ** 2) / work.batch
    return -pt.mean(pt.sum(y * pt.special.log_softmax(x, axis=1), axis=1))


def _updates(work: Network, p: dict[str, Any], slopes: list[Any]) -> list[tuple[Any, Any]]:
    """Of the parameters, and of Adam's moments and count."""
    if not work.adam:
        return [(w, w - work.rate * g) for w, g in zip(p.values(), slopes, strict=True)]
    count = pytensor.shared(np.zeros((), pytensor.config.floatX), name="count")
    t = count + 1
    rate, scale = work.rate / (1 - BETAS[0] ** t), 1 / (1 - BETAS[1] ** t)
    found = [(count, t)]
    for w, g in zip(p.values(), slopes, strict=True):
        m, v = (pytensor.shared(np.zeros_like(w.get_value()), name=f"{n}_{w.name}") for n in "mv")
        next_m, next_v = BETAS[0] * m + (1 - BETAS[0]) * g, BETAS[1] * v + (1 - BETAS[1]) * g**2
        found += [(m, next_m), (v, next_v), (w, w - rate * next_m / (pt.sqrt(next_v * scale) + EPS))]
    return found


def training(work: Network, dtype: str) -> Trained:
    """A call for each step, whose arguments are not looked at again (`trust_input`)."""
    pytensor.config.floatX = dtype
    p = {k: pytensor.shared(a, name=k) for k, a in work.parameters(dtype).items()}
    kind = pt.tensor3 if work.models else pt.matrix
    x, y = kind("x", dtype=dtype), kind("y", dtype=dtype)
    value = _loss(work, p, x, y)
    updates = _updates(work, p, pytensor.grad(value, list(p.values())))
    step = pytensor.function([x, y], value, updates=[(s, u.astype(dtype)) for s, u in updates], mode="NUMBA")
    step.trust_input = True
    cut = batches(work, dtype, work.few)
    moments = [s for s, _ in updates if s not in p.values()]

    def run(arrays: Arrays) -> Any:
        for k, a in arrays.items():
            p[k].set_value(a)
        for state in moments:
            state.set_value(np.zeros_like(state.get_value()))
        return np.array([step(*batch) for batch in cut])

    return run


def pointwise(work: Pointwise, dtype: str) -> Callable[[], Any]:
    """The activation and its slope in one function."""
    pytensor.config.floatX = dtype
    x, up = pt.vector("x", dtype=dtype), pt.vector("up", dtype=dtype)
    half, root = (np.asarray(c, dtype) for c in (0.5, np.sqrt(0.5)))
    y = {"mish": lambda s: s * pt.tanh(pt.softplus(s)), "gelu": lambda s: half * s * (1 + pt.erf(s * root))}[
        work.activation
    ](x)
    both = pytensor.function([x, up], [y, pytensor.grad(None, x, known_grads={y: up})], mode="NUMBA")
    both.trust_input = True
    arrays = work.arrays(dtype)
    return lambda: both(*arrays)[1]
