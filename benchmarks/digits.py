"""The digits network, 64-32-10, tanh, softmax cross-entropy, batch 32, SGD: symdl, PyTorch eager, JAX, in one run.

All start from the same parameters and take the same batches; before anything is timed, their loss curves must agree.
A step is forward, loss, backward and update. JAX runs the whole epoch under one `jit` with `lax.scan`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symdl as sd
from benchmarks.timing import in_turn

RATE, BATCH, STEPS = 0.1, 32, 33  # 33 batches of 32 rows are the training part of the digits


def start(dtype: str) -> tuple[dict[str, Any], Any, Any]:
    """Parameters, inputs and labels."""
    X, y = sd.load_digits()
    rng = np.random.default_rng(0)
    parameters = {
        "W1": rng.normal(size=(32, 64)) / 8,
        "b1": np.zeros(32),
        "W2": rng.normal(size=(10, 32)) / 6,
        "b2": np.zeros(10),
    }
    rows = STEPS * BATCH
    return {k: v.astype(dtype) for k, v in parameters.items()}, X[:rows].astype(dtype), y[:rows]


def symdl_epoch(dtype: str, epochs: int) -> Callable[[], Any]:
    """Epochs of compiled training."""
    parameters, X, y = start(dtype)
    net = sd.sequential(sd.dense(32, "tanh"), sd.dense(10), loss="softmax_cross_entropy", inputs=64)
    code = sd.compile(net, optimizer=sd.sgd(RATE), dtype=dtype, extents={"n": BATCH})  # type: ignore[arg-type]
    one_hot = sd.one_hot(y, 10, dtype)
    order = np.arange(len(X))

    def run() -> Any:
        arrays = {"x": X, "y": one_hot, **{k: v.copy() for k, v in parameters.items()}}
        return np.concatenate([code.epoch(arrays, order=order, batch_size=BATCH)[1] for _ in range(epochs)])

    return run


def torch_epoch(dtype: str, epochs: int, threads: int) -> Callable[[], Any]:
    """The same in PyTorch, eager, as people write it."""
    import torch

    parameters, X, y = start(dtype)
    inputs, labels = torch.tensor(X), torch.tensor(y)

    def run() -> Any:
        torch.set_num_threads(threads)
        hidden, out = torch.nn.Linear(64, 32, dtype=inputs.dtype), torch.nn.Linear(32, 10, dtype=inputs.dtype)
        with torch.no_grad():
            for layer, number in ((hidden, 1), (out, 2)):
                layer.weight.copy_(torch.tensor(parameters[f"W{number}"]))
                layer.bias.copy_(torch.tensor(parameters[f"b{number}"]))
        optimizer = torch.optim.SGD([*hidden.parameters(), *out.parameters()], lr=RATE)
        losses = []
        for _ in range(epochs):
            for k in range(STEPS):
                part = slice(k * BATCH, (k + 1) * BATCH)
                loss = torch.nn.functional.cross_entropy(out(torch.tanh(hidden(inputs[part]))), labels[part])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        return np.array(losses)

    return run


def jax_epoch(dtype: str, epochs: int) -> Callable[[], Any]:
    """The same in JAX: one jit over the epoch, batches scanned."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    parameters, X, y = start(dtype)
    batches = (
        jnp.asarray(X).reshape(STEPS, BATCH, 64),
        jnp.asarray(np.eye(10, dtype=dtype)[y]).reshape(STEPS, BATCH, 10),
    )

    def loss(p: Any, x: Any, t: Any) -> Any:
        scores = jnp.tanh(x @ p["W1"].T + p["b1"]) @ p["W2"].T + p["b2"]
        return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(scores), axis=1))

    def step(p: Any, batch: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(p, *batch)
        return {k: p[k] - RATE * slopes[k] for k in p}, value

    epoch = jax.jit(lambda p, b: jax.lax.scan(step, p, b))

    def run() -> Any:
        p = {k: jnp.asarray(v) for k, v in parameters.items()}
        losses = []
        for _ in range(epochs):
            p, values = epoch(p, batches)
            losses.append(values)
        return np.concatenate([np.asarray(v) for v in losses])

    return run


def measure(dtype: str = "float64", epochs: int = 10) -> dict[str, Any]:
    """Microseconds a step, and ratios to symdl."""
    work = {
        "symdl": symdl_epoch(dtype, epochs),
        "PyTorch eager, 1 thread": torch_epoch(dtype, epochs, 1),
        "PyTorch eager, 2 threads": torch_epoch(dtype, epochs, 2),
        "JAX jit over the epoch": jax_epoch(dtype, epochs),
    }
    curves = {name: function() for name, function in work.items()}
    tolerance = 1e-10 if dtype == "float64" else 1e-4
    for name, curve in curves.items():
        np.testing.assert_allclose(curve, curves["symdl"], rtol=tolerance, err_msg=name)
    steps = epochs * STEPS
    found = in_turn(work)
    micro = {n: {k: v / steps * 1e6 for k, v in s.items()} for n, s in found.items()}
    return {
        "dtype": dtype,
        "microseconds": micro,
        "ratio": {n: s["median"] / micro["symdl"]["median"] for n, s in micro.items()},
    }


def report(found: dict[str, Any]) -> str:
    """A Markdown table."""
    lines = [f"| {found['dtype']} | µs a step, median | range | ratio to symdl |", "| --- | ---: | --- | ---: |"]
    for name, s in found["microseconds"].items():
        lines.append(
            f"| {name} | {s['median']:.1f} | {s['least']:.1f} to {s['most']:.1f} | {found['ratio'][name]:.2f} |"
        )
    return "\n".join(lines)
