"""The same equations on a GPU, beside PyTorch and JAX in the same run: `python -m benchmarks gpu`, where there is one.

Every figure is the time of one step of training with Adam in float32, without TF32 where nothing else is said: batch,
loss, gradient, update. Data and models are on the device before the clock starts, but for data in chunks; ours takes
its batches from the data by the order of an epoch, peers see one batch again and again. Peers that can't be had are
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

import symdl as sd
from benchmarks.timing import in_turn
from symdl.compilation.cuda_models import Batch
from symdl.compilation.cuda_session import Training
from symdl.compilation.devices import require_gpu
from symdl.core.define import Input, define, let
from symdl.derivation.accurate.calls import with_twins
from symdl.derivation.derive import derive
from symdl.library.activations import activation
from symdl.library.layers import dense, sequential

Steps = Mapping[str, float]
RATE = 1e-3
#: What peers call the precision of products: PyTorch's `set_float32_matmul_precision`, JAX's default.
PRECISIONS = {"exact": ("highest", "highest"), "tf32": ("high", "tensorfloat32"), "bfloat16": ("medium", "bfloat16")}
#: Seconds that the device works before what is bound by its memory is timed: it slows down in a pause.
WARM = 0.2


def parameters(sizes: Sequence[int], seed: int = 0) -> dict[str, Any]:
    """W1, b1, … of a network with so many numbers in each layer."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for k, (fan_in, fan_out) in enumerate(pairwise(sizes), 1):
        found[f"W{k}"] = rng.normal(size=(fan_out, fan_in), scale=fan_in**-0.5).astype(np.float32)
        found[f"b{k}"] = np.zeros(fan_out, np.float32)
    return found


def data(sizes: Sequence[int], rows: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return tuple(rng.normal(size=(rows, n)).astype(np.float32) for n in (sizes[0], sizes[-1]))


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def network(sizes: Sequence[int]) -> sd.Definition:
    return sequential(*(dense(n, "tanh") for n in sizes[1:-1]), dense(sizes[-1]), loss="mse", name="mlp")


def session(sizes: Sequence[int], batch: int, steps: int, models: int = 1, chunk: int = 0, **options: Any) -> Training:
    """Models in training, on the device; with data in chunks of so many rows, if any."""
    extents = {"n": batch, "i": sizes[0]}
    code = sd.compile(
        network(sizes), optimizer=sd.adam(RATE), dtype="float32", target="cuda", extents=extents, **options
    )
    X, Y = data(sizes, batch * steps)
    first = parameters(sizes)
    stacked = {n: np.repeat(a[None], models, axis=0) for n, a in first.items()}
    states = {k: np.repeat(v[None], models, axis=0) for k, v in code.start(first).items()}
    assert code.optimizer is not None
    hyper = {h: np.full(models, v) for h, v in code.optimizer.hyper.items()}
    arrays = {"x": X, "y": Y, **first}
    program: Any = replace(code.program, chunk=chunk)  # type: ignore[call-arg]
    found: Training = program.session(arrays, Batch(stacked, states, {}, hyper), batch * steps, batch)
    return found


def ours(
    sizes: Sequence[int], batch: int, steps: int, models: int = 1, chunk: int = 0, products: str = "exact"
) -> tuple[Callable[[], Any], int]:
    """An epoch of so many steps, and how many of them it makes."""
    made = session(sizes, batch, steps, models, chunk, products=products)
    order = np.arange(batch * steps)[None]

    def epoch() -> None:
        done, losses = made.epoch(order)
        assert (done == steps).all() and np.isfinite(losses).all()

    return epoch, steps


def same_bits(sizes: Sequence[int], batch: int, steps: int) -> bool:
    """Whether two runs from one start end with the same bits."""
    ends = []
    for _ in range(2):
        made = session(sizes, batch, steps)
        made.epoch(np.arange(batch * steps)[None])
        made.finish()
        ends.append([a.tobytes() for a in made.batch.parameters.values()])
    return ends[0] == ends[1]


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def torch_steps(
    sizes: Sequence[int], batch: int, steps: int, products: str = "exact"
) -> dict[str, tuple[Callable[[], Any], int]]:
    """Eager, torch.compile of loss, gradient and update, and a CUDA graph of the whole step."""
    import torch

    torch.set_float32_matmul_precision(PRECISIONS[products][0])  # until the next workload
    X, Y = (torch.tensor(a, device="cuda") for a in data(sizes, batch))

    def made(**options: Any) -> tuple[Any, Callable[[], None]]:
        layers: list[Any] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.Tanh()]
        model = torch.nn.Sequential(*layers[:-1]).cuda()
        adam = torch.optim.Adam(model.parameters(), lr=RATE, **options)

        def step() -> None:
            adam.zero_grad(set_to_none=True)
            loss = ((model(X) - Y) ** 2).mean()
            loss.backward()
            adam.step()

        return step, step

    def repeated(step: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(steps):
                step()
            torch.cuda.synchronize()

        return run

    def captured(step: Callable[[], None]) -> Callable[[], None]:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()

        def replay(kept: Any = step) -> None:  # what the graph works on lives as long as this
            graph.replay()

        return replay

    found = {
        "PyTorch eager": made()[1],
        "torch.compile": torch.compile(made(capturable=True)[1]),
        "torch.compile, reduce-overhead": torch.compile(made(capturable=True)[1], mode="reduce-overhead"),
        "PyTorch CUDA graph": captured(made(capturable=True)[1]),
    }
    return {name: (repeated(step), steps) for name, step in found.items()}


def torch_many(sizes: Sequence[int], batch: int, steps: int, models: int) -> dict[str, tuple[Callable[[], Any], int]]:
    """`torch.func.vmap` of loss and gradient over models, Adam on the stacked arrays; eager and compiled."""
    import torch
    from torch.func import grad_and_value, vmap

    X, Y = (torch.tensor(a, device="cuda") for a in data(sizes, batch))
    stacked = {n: torch.tensor(a, device="cuda").expand(models, *a.shape).clone() for n, a in parameters(sizes).items()}
    state = {n: [torch.zeros_like(a), torch.zeros_like(a)] for n, a in stacked.items()}
    layers = len(sizes) - 1

    def loss(p: Any) -> Any:
        h = X
        for k in range(1, layers + 1):
            h = h @ p[f"W{k}"].T + p[f"b{k}"]
            h = torch.tanh(h) if k < layers else h
        return ((h - Y) ** 2).mean()

    slopes = vmap(grad_and_value(loss))

    def step() -> None:
        grads, _ = slopes(stacked)
        for n, p in stacked.items():
            m, v = state[n]
            m.mul_(0.9).add_(grads[n], alpha=0.1)
            v.mul_(0.999).addcmul_(grads[n], grads[n], value=0.001)
            p.addcdiv_(m, v.sqrt().add_(1e-8), value=-RATE)

    def repeated(step: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(steps):
                step()
            torch.cuda.synchronize()

        return run

    return {
        "PyTorch vmap": (repeated(step), steps),
        "PyTorch vmap, torch.compile": (repeated(torch.compile(step)), steps),
    }


# ── JAX ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def jax_steps(
    sizes: Sequence[int], batch: int, steps: int, models: int = 0, products: str = "exact"
) -> dict[str, tuple[Callable[[], Any], int]]:
    """A jitted step called from Python, and `lax.scan` over the batches of an epoch in one call; models by vmap."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_default_matmul_precision", PRECISIONS[products][1])
    layers = len(sizes) - 1

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = x
        for k in range(1, layers + 1):
            h = h @ p[f"W{k}"].T + p[f"b{k}"]
            h = jnp.tanh(h) if k < layers else h
        return ((h - y) ** 2).mean()

    slopes = jax.value_and_grad(loss)
    if models:
        slopes = jax.vmap(slopes, in_axes=(0, None, None))

    def step(carried: Any, rows: Any) -> Any:
        p, m, v, t = carried
        value, g = slopes(p, *rows)
        t = t + 1
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        p = jax.tree.map(lambda a, b, c: a - RATE * (b / (1 - 0.9**t)) / (jnp.sqrt(c / (1 - 0.999**t)) + 1e-8), p, m, v)
        return (p, m, v, t), value

    first = {n: jnp.array(np.repeat(a[None], models, axis=0) if models else a) for n, a in parameters(sizes).items()}
    zero = jax.tree.map(jnp.zeros_like, first)
    start = (first, zero, zero, jnp.float32(0))
    X, Y = (jnp.array(a).reshape(steps, batch, -1) for a in data(sizes, batch * steps))
    one = jax.jit(step)
    scanned = jax.jit(lambda c, x, y: jax.lax.scan(step, c, (x, y)))

    def by_step() -> None:
        carried = start
        for _ in range(steps):
            carried, _ = one(carried, (X[0], Y[0]))
        jax.block_until_ready(carried)

    def by_scan() -> None:
        jax.block_until_ready(scanned(start, X, Y))

    return {"JAX jit": (by_step, steps), "JAX jit, scan": (by_scan, steps)}


# ── what is measured ─────────────────────────────────────────────────────────────────────────────────────────────────


def measured(work: Mapping[str, tuple[Callable[[], Any], int]], rounds: int = 5) -> dict[str, float]:
    """Microseconds of a step, the median of rounds in turn."""
    found = in_turn({name: run for name, (run, _) in work.items()}, rounds=rounds)
    return {name: 1e6 * found[name]["median"] / work[name][1] for name in work}


def step_of(
    sizes: Sequence[int], batch: int, steps: int, peers: int = 200, products: str = "exact"
) -> dict[str, float]:
    """Microseconds of a step of one network, all in the same precision."""
    work = {
        "symdl": ours(sizes, batch, steps, products=products),
        **torch_steps(sizes, batch, peers, products),
        **jax_steps(sizes, batch, peers, products=products),
    }
    return measured(work)


def in_chunks(sizes: Sequence[int], batch: int, steps: int, chunk: int) -> dict[str, float]:
    """Microseconds of a step with all data on the device, and with chunks of so many steps from the host."""
    there, sent = ours(sizes, batch, steps), ours(sizes, batch, steps, chunk=chunk * batch)
    return measured({"symdl, data on the device": there, "symdl, data in chunks": sent})


def many(sizes: Sequence[int], batch: int, models: int, steps: int = 20) -> dict[str, float]:
    """Microseconds of a step of all networks."""
    work = {
        "symdl": ours(sizes, batch, steps, models),
        **torch_many(sizes, batch, steps, models),
        "JAX vmap, scan": jax_steps(sizes, batch, steps, models)["JAX jit, scan"],
    }
    return measured(work, rounds=3)


mish = activation("mish")


@define
def _mish(x=Input("n")):  # type: ignore[no-untyped-def]
    (n,) = x.indices
    return let("y[n]", mish(x[n]))


@define
def _weighted(x=sd.Param("n"), c=Input("n")):  # type: ignore[no-untyped-def]
    (n,) = x.indices
    return let("L", sd.Sum(c[n] * mish(x[n]), n))


def bandwidth(entries: int) -> dict[str, float]:
    """Gigabytes a second that each moves, read and written ones counted, in float32."""
    import torch

    x, c = (np.random.default_rng(0).normal(size=entries).astype(np.float32) for _ in range(2))
    found: dict[str, float] = {}
    slope = derive(with_twins(_weighted), wrt="x")  # in the form that keeps its digits, as a compiled gradient is
    backward = slope.gradient.only([slope.names["x"]])
    for name, definition, arrays, moved in (
        ("symdl mish", _mish, {"x": x}, 8),
        ("symdl mish backward", backward, {"x": x, "c": c}, 12),
    ):
        code = sd.compile(definition, dtype="float32", target="cuda", extents={"n": entries})
        (out,) = definition.outputs
        held = code.program.hold("evaluate", arrays, {out: (entries,)})  # type: ignore[attr-defined]
        found[name] = moved * entries / 1e9 / in_turn({"": held.run}, rounds=9, warm=WARM)[""]["median"]
    X, C = (torch.tensor(a, device="cuda", requires_grad=a is x) for a in (x, c))
    target = torch.empty_like(C)
    result = torch.nn.functional.mish(X)
    jobs: dict[str, tuple[Callable[[], Any], int]] = {
        "copy": (lambda: target.copy_(C), 8),
        "PyTorch mish": (lambda: torch.nn.functional.mish(C), 8),
        "PyTorch mish backward": (lambda: torch.autograd.grad(result, X, C, retain_graph=True), 12),
    }
    for name, (job, moved) in jobs.items():

        def run(job: Callable[[], Any] = job) -> None:
            job()
            torch.cuda.synchronize()

        found[name] = moved * entries / 1e9 / in_turn({"": run}, rounds=9, warm=WARM)[""]["median"]
    return found


#: Which activations `accuracy` looks at.
SWEPT = ("mish", "tanh", "sigmoid", "silu", "gelu", "gelu_tanh", "softplus", "elu", "gaussian", "log_sigmoid")


def accuracy(name: str, every: int = 127) -> dict[str, float]:
    """The worst error of an activation and its slope in float32, in ulps, over one of so many of all finite inputs.

    The truth is what is compiled in float64, which the cross-check compares with 50 digits.
    """
    bits = np.arange(0, 2**32, every, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = np.ascontiguousarray(bits[np.isfinite(bits)])
    made = activation(name)

    @define
    def value(x=Input("n")):  # type: ignore[no-untyped-def]
        (n,) = x.indices
        return let("y[n]", made(x[n]))

    @define
    def total(x=sd.Param("n")):  # type: ignore[no-untyped-def]
        (n,) = x.indices
        return let("L", sd.Sum(made(x[n]), n))

    slope = derive(with_twins(total), wrt="x")
    found = {}
    for kind, definition in (("value", value), ("slope", slope.gradient.only([slope.names["x"]]))):
        y, truth = (_computed(definition, x.astype(t), t) for t in ("float32", "float64"))
        with np.errstate(all="ignore"):
            unit = np.spacing(np.abs(truth).astype(np.float32)).astype(np.float64)
            off = np.abs(y - truth) / unit
        same = (y == truth.astype(np.float32)) | (np.isnan(y) & np.isnan(truth))
        found[kind] = float(np.max(np.where(same, 0.0, np.where(np.isfinite(off), off, np.inf))))
    return found


def _computed(definition: sd.Definition, x: Any, dtype: str) -> Any:
    code = sd.compile(definition, dtype=dtype, target="cuda", extents={"n": len(x)})
    (out,) = definition.outputs
    held = code.program.hold("evaluate", {"x": x}, {out: x.shape})  # type: ignore[attr-defined]
    held.run()
    return held.results()[out].astype(np.float64)


LARGE = (1024, 1024, 1024, 1024)
WORK: dict[str, Callable[[], dict[str, float]]] = {
    "8-64-64-1, batch 32 (µs a step)": lambda: step_of((8, 64, 64, 1), 32, 2000),
    "784-512-256-10, batch 128 (µs a step)": lambda: step_of((784, 512, 256, 10), 128, 200),
    "1024-1024-1024-1024, batch 4096 (µs a step)": lambda: step_of(LARGE, 4096, 10, 20),
    "1024-1024-1024-1024, batch 4096, products in TF32 (µs a step)": lambda: step_of(LARGE, 4096, 10, 20, "tf32"),
    "1024-1024-1024-1024, batch 4096, products in bfloat16 (µs a step)": lambda: step_of(
        LARGE, 4096, 10, 20, "bfloat16"
    ),
    "784-512-256-10, batch 128, 256,000 rows (µs a step)": lambda: in_chunks((784, 512, 256, 10), 128, 2000, 200),
    "10,000 networks 8-64-64-1, batch 32 (µs a step of all)": lambda: many((8, 64, 64, 1), 32, 10_000),
    "100,000 networks 8-64-64-1, batch 32 (µs a step of all)": lambda: measured(
        {"symdl": ours((8, 64, 64, 1), 32, 20, 100_000)}, rounds=3
    ),
    "mish of 10⁸ numbers (GB/s)": lambda: bandwidth(10**8),
    "worst error in float32 (ulps)": lambda: {f"{n}, {k}": e for n in SWEPT for k, e in accuracy(n).items()},
}


def measure() -> dict[str, dict[str, float]]:
    require_gpu()
    return {name: work() for name, work in WORK.items()}


def report(found: Mapping[str, Mapping[str, float]]) -> str:
    """A table for each workload, with ratios to ours: above 1 we are faster."""
    gpu = require_gpu()
    parts = [f"{gpu.name}; {', '.join(f'{k} {v}' for k, v in gpu.details if k not in ('memory', 'free'))}."]
    for name, row in found.items():
        parts.append(table(name, row))
    return "\n\n".join(parts)


def table(name: str, row: Mapping[str, float]) -> str:
    if "ulps" in name:
        return "\n".join([f"| {name} | |", "|---|---|", *(f"| {what} | {value:.2f} |" for what, value in row.items())])
    own = next(iter(row.values()))
    lines = [f"| {name} | | over ours |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {peer} | {value:,.1f} | {value / own:.2f} |" for peer, value in row.items())])


__all__ = ["measure", "report", "same_bits"]
