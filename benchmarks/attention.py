"""Attention over long sequences on a GPU, forward and backward, beside PyTorch: `python -m benchmarks attention`.

Float32 without TF32, causal; outputs are weighted by given numbers, and the slopes of queries, keys and values wanted.
Peers are PyTorch's `scaled_dot_product_attention`, which stores no scores, and the same written as two products and a
softmax, which stores all of them. Figures are milliseconds for value and slopes, and the memory that is needed beside
arguments and results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import symdl as sd
from benchmarks.timing import in_turn
from symdl.compilation.devices import require_gpu
from symdl.core.define import Input, Param, Sum, define, index, let
from symdl.library.attention import attention

Sizes = tuple[int, int, int, int]
#: Sequences, heads, places, features of a head.
WORK: tuple[Sizes, ...] = ((8, 8, 512, 64), (4, 8, 2048, 64), (2, 8, 8192, 64))


@define
def attended(q=Param("n h t e"), k=Param("n h t e"), v=Param("n h t e"), c=Input("n h t e")):  # type: ignore[no-untyped-def]
    n, h, t, e = q.indices
    s = index("s", t.extent)
    keys, values = let("K[n,h,s,e]", k[n, h, s, e]), let("V[n,h,s,e]", v[n, h, s, e])
    y = attention(q, keys, values, causal=True)
    return let("L", Sum(c[n, h, t, e] * y[n, h, t, e], n, h, t, e))


def arrays_of(sizes: Sizes) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=sizes).astype(np.float32) for name in "qkvc"}


def ours(sizes: Sizes) -> tuple[Any, int, dict[str, Any]]:
    """What runs value and slopes once, the bytes of its work space, and the slopes."""
    code = sd.compile(
        attended, wrt=["q", "k", "v"], dtype="float32", target="cuda", extents=dict(zip("nhte", sizes, strict=True))
    )
    program = code.program
    signature = program.functions["gradient"]
    shapes = {n: (() if n == "L" else sizes) for n in signature.outputs}
    arrays = arrays_of(sizes)
    held = program.hold("gradient", arrays, shapes)  # type: ignore[attr-defined]
    held.run()
    bytes_needed = 4 * int(program.space["gradient_size"](*[arrays[n] for n in signature.inputs]))
    results = held.results()
    return held, bytes_needed, {p: results[g] for p, g in program.gradients.items()}


def theirs(sizes: Sizes) -> dict[str, Any]:
    """PyTorch's ways, each of which gives the slopes."""
    import torch

    given = arrays_of(sizes)
    q, k, v = (torch.tensor(given[n], device="cuda", requires_grad=True) for n in "qkv")
    c = torch.tensor(given["c"], device="cuda")
    hidden = torch.triu(torch.full((sizes[2], sizes[2]), -math.inf, device="cuda"), 1)

    def fused() -> Any:
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return torch.autograd.grad((c * y).sum(), (q, k, v))

    def stored() -> Any:
        p = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(sizes[3]) + hidden, -1)
        return torch.autograd.grad((c * (p @ v)).sum(), (q, k, v))

    return {"PyTorch, fused": fused, "PyTorch, two products and a softmax": stored}


def measured(sizes: Sizes) -> dict[str, tuple[float, float]]:
    """Milliseconds and MiB of each."""
    import torch

    held, needed, slopes = ours(sizes)
    memory = {"symdl": needed / 2**20}
    jobs: dict[str, Any] = {"symdl": held.run}
    for name, work in theirs(sizes).items():
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        found = work()
        torch.cuda.synchronize()
        memory[name] = (torch.cuda.max_memory_allocated() - before - 12 * math.prod(sizes)) / 2**20
        for slope, p in zip(found, "qkv", strict=True):
            difference = np.abs(slope.cpu().numpy() - slopes[p]).max() / np.abs(slopes[p]).max()
            assert difference < 1e-4, f"{name}: the slope of {p} is off by {difference:.1e}"

        def run(work: Any = work) -> None:
            work()
            torch.cuda.synchronize()

        jobs[name] = run
    times = in_turn(jobs, rounds=7)
    return {name: (1e3 * times[name]["median"], memory[name]) for name in jobs}


def measure() -> dict[str, dict[str, tuple[float, float]]]:
    require_gpu()
    return {" × ".join(map(str, sizes)): measured(sizes) for sizes in WORK}


def report(found: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    lines = ["| sequences × heads × places × features | | ms | MiB |", "|---|---|---|---|"]
    for sizes, row in found.items():
        lines += [f"| {sizes} | {name} | {ms:,.2f} | {mib:,.0f} |" for name, (ms, mib) in row.items()]
    return "\n".join(lines)


__all__ = ["measure", "report"]
