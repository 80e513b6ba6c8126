"""`python -m benchmarks.workloads [NAME …]`: every workload beside its peers, in turn, losses compared beforehand."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import in_turn, machine
from benchmarks.workloads import ours, peers
from benchmarks.workloads.networks import NETWORKS, POINTWISE, Network, Pointwise

#: How far the curves of two implementations may be apart, relative to the losses, over the first steps; rounding grows
#: from step to step, so that later ones say less.
AGREE, FIRST = {"float64": 1e-9, "float32": 2e-3}, 50
#: The part that a slope may be off by, of the largest one.
SLOPE = {"float64": 1e-12, "float32": 5e-6}
#: Floating-point operations of a step from which PyTorch is tried with two threads. On smaller steps its threads wait
#: for each other, for minutes where another process holds a core.
TWO_THREADS_FROM = 1e7
#: Seconds between two turns: threads of a BLAS wait for more work for some hundredths of a second, and hold a core.
PAUSE = 0.1
#: Peers that take so many times as long for their steps as the quickest are left out.
TOO_SLOW = 30.0
#: Of processor time, that of all threads of the process.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
Contestants = dict[str, Callable[[], Any]]


def training(network: Network, dtype: str, threads: tuple[int, ...]) -> tuple[Contestants, dict[str, int], float]:
    """The contestants, each a function of its steps from the same start, how many those are, and seconds to compile.

    Their losses are compared before.
    """
    large = network.flops > TWO_THREADS_FROM
    started = time.perf_counter()
    made = {"symdl": ours.epoch(network, dtype)}
    compiled = time.perf_counter() - started
    made |= {f"PyTorch eager {t}T": peers.torch_eager(network, dtype, t) for t in threads if t == 1 or large}
    made["JAX jit"] = peers.jax_training(network, dtype, scanned=False)
    made["JAX scan"] = peers.jax_training(network, dtype, scanned=True)
    made["NumPy"] = peers.numpy_by_hand(network, dtype)
    start = network.parameters(dtype)

    def fresh(run: peers.Trained) -> Callable[[], Any]:
        return lambda: run({k: v.copy() for k, v in start.items()})

    work = {name: fresh(run) for name, run in made.items()}
    curves = {name: np.asarray(run(), float) for name, run in work.items()}
    for name, curve in curves.items():
        if len(curve) not in (network.steps, network.few):
            raise AssertionError(f"{name} made {len(curve)} of {network.steps} steps of {network.name}")
        first = min(FIRST, len(curve))
        np.testing.assert_allclose(curve[:first], curves["symdl"][:first], rtol=AGREE[dtype], err_msg=name)
    counts = {name: len(curve) for name, curve in curves.items()}
    return _fast_enough(work, counts), counts, compiled


def _fast_enough(work: Contestants, counts: dict[str, int]) -> Contestants:
    """Without those that one trial shows to be far behind, so that they do not take most of the time."""
    seconds = {}
    for name, run in work.items():
        started = time.perf_counter()
        run()
        seconds[name] = (time.perf_counter() - started) / counts[name]
    peer = min(s for name, s in seconds.items() if name != "symdl")
    return {name: run for name, run in work.items() if name == "symdl" or seconds[name] < TOO_SLOW * peer}


def pointwise(work: Pointwise, dtype: str, threads: tuple[int, ...]) -> tuple[Contestants, dict[str, int], float]:
    """The contestants and how many calls each makes, and seconds to compile; their slopes are compared before."""
    started = time.perf_counter()
    mine = ours.pointwise(work, dtype)
    compiled = time.perf_counter() - started
    made: Contestants = {"symdl": lambda: mine()["x"]}
    made |= {f"PyTorch eager {t}T": peers.torch_pointwise(work, dtype, t) for t in threads}
    made["JAX jit"] = peers.jax_pointwise(work, dtype)
    slopes = {name: np.asarray(run(), float) for name, run in made.items()}
    for name, slope in slopes.items():
        limit = SLOPE[dtype] * abs(slopes["symdl"]).max()
        np.testing.assert_allclose(slope, slopes["symdl"], rtol=0, atol=limit, err_msg=name)

    def repeated(run: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: [run() for _ in range(work.calls)]

    work_of = {name: repeated(run) for name, run in made.items()}
    counts = dict.fromkeys(made, work.calls)
    return _fast_enough(work_of, counts), counts, compiled


def measure(name: str, dtype: str, rounds: int, clock: str = "wall") -> dict[str, Any]:
    """Microseconds a step (a call, of pointwise work) for everyone, and how many times slower the best peer is."""
    before, threads = os.getloadavg()[0], (1, 2) if clock == "wall" else (1,)
    work, counts, compiled = (
        training(NETWORKS[name], dtype, threads) if name in NETWORKS else pointwise(POINTWISE[name], dtype, threads)
    )
    found = in_turn(work, rounds=rounds, pause=PAUSE, clock=CLOCKS[clock])
    micro = {n: {k: v / counts[n] * 1e6 for k, v in s.items()} for n, s in found.items()}
    mine = micro["symdl"]
    best = {k: min((s[k], n) for n, s in micro.items() if n != "symdl") for k in ("median", "least")}
    return {
        "workload": name,
        "dtype": dtype,
        "clock": clock,
        "microseconds": micro,
        "best_peer": best["median"][1],
        "ratio": best["median"][0] / mine["median"],
        "ratio_of_least": best["least"][0] / mine["least"],
        "compile_seconds": compiled,
        "load": [before, os.getloadavg()[0]],
        "gflops": NETWORKS[name].flops / mine["least"] / 1e3 if name in NETWORKS else None,
    }


HEAD = (
    "| workload | dtype | symdl, µs: median (least to most) | best peer | its median (least) | ratio | of least "
    "| GF/s | compiled in, s | load |\n| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |"
)


def row(f: dict[str, Any]) -> str:
    """A line of the Markdown table."""
    s, p = f["microseconds"]["symdl"], f["microseconds"][f["best_peer"]]
    rate = f"{f['gflops']:.1f}" if f["gflops"] else ""
    return (
        f"| {f['workload']} | {f['dtype']} | {s['median']:.4g} ({s['least']:.4g} to {s['most']:.4g}) "
        f"| {f['best_peer']} | {p['median']:.4g} ({p['least']:.4g}) | {f['ratio']:.2f} | {f['ratio_of_least']:.2f} "
        f"| {rate} | {f['compile_seconds']:.2f} | {f['load'][0]:.1f} to {f['load'][1]:.1f} |"
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for, print the table, and write all figures with `-o`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads", description=__doc__)
    parser.add_argument("names", nargs="*", help="workloads, by the beginning of their names (default: all)")
    parser.add_argument("--dtype", choices=["float32", "float64", "both"], default="float32")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--clock", choices=[*CLOCKS], default="wall", help="processor: on a busy machine, one thread")
    parser.add_argument("-o", "--output", type=Path, help="a JSON file for all figures")
    options = parser.parse_args(arguments)
    known = [*NETWORKS, *POINTWISE]
    names = [n for n in known if not options.names or any(n.startswith(w) for w in options.names)]
    if not names:
        print(f"benchmarks: no workload '{options.names[0]}'; one of {', '.join(known)}", file=sys.stderr)
        return 2
    dtypes = ["float32", "float64"] if options.dtype == "both" else [options.dtype]
    print(f"Measured on {machine()}, {options.clock} time.\n\n{HEAD}", flush=True)
    found = []
    for name, dtype in itertools.product(names, dtypes):
        found.append(measure(name, dtype, options.rounds, options.clock))
        print(row(found[-1]), flush=True)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps({"machine": machine(), "found": found}, indent=1) + "\n", "utf-8")
    return 0
