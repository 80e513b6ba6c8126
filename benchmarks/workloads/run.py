"""`python -m benchmarks.workloads [NAME …]`: every workload beside its peers, in turn, losses compared beforehand."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.machine import described
from benchmarks.timing import in_turn, machine, timed
from benchmarks.workloads import contestants, in_torch, limits, ours, page
from benchmarks.workloads.apart import Apart
from benchmarks.workloads.models import WORK
from benchmarks.workloads.networks import Pointwise

#: How far the curves of two implementations may be apart, relative to the losses, over the first steps; rounding grows
#: from step to step, so that later ones say less.
AGREE, FIRST = {"float64": 1e-9, "float32": 2e-3}, 50
#: The same for those who compute something slightly else: see `in_sklearn` for Adam.
LOOSER = {"scikit-learn": 1e-5}
#: The part that a slope may be off by, of the largest one.
SLOPE = {"float64": 1e-12, "float32": 5e-6}
#: Seconds between two turns: threads of a BLAS wait for more work for some hundredths of a second, and hold a core.
PAUSE = 0.1
#: Seconds that whoever has a turn works before what counts.
WARM = 0.05
#: Peers that take so many times as long for their steps as the quickest, in a trial and in two more, are left out.
TOO_SLOW, MORE_TRIALS = 30.0, 2
#: Of processor time, that of all threads of the process.
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
#: How many threads there are at most.
THREADS = {"wall": 2, "processor": 1}
#: Why a peer does not take part, where it is left out to be quick.
QUICK = "left out to be quick"


@dataclass
class Field:
    """Who takes part in a workload: functions that do the work, how many steps each makes, what is compared."""

    work: dict[str, Callable[[], Any]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, who: str, run: Callable[[], Any], result: Any) -> None:
        self.work[who], self.results[who] = run, np.asarray(result, float)
        self.steps[who] = contestants.steps_of(name, result)

    def compare(self, name: str, dtype: str) -> None:
        """Raise where losses or slopes differ from symdl's."""
        mine = self.results["symdl"]
        for who, theirs in self.results.items():
            if isinstance(WORK[name], Pointwise):
                np.testing.assert_allclose(theirs, mine, rtol=0, atol=SLOPE[dtype] * abs(mine).max(), err_msg=who)
            else:
                first = min(FIRST, len(theirs), len(mine))
                rtol = max(AGREE[dtype], LOOSER.get(who.removesuffix(" 1T"), 0.0))
                np.testing.assert_allclose(theirs[:first], mine[:first], rtol=rtol, err_msg=who)

    def drop_slow(self) -> None:
        """Leave out those that trials show to be far behind, so that they do not take most of the time."""
        seconds = {who: timed(run) / self.steps[who] for who, run in self.work.items()}
        quickest = min(s for who, s in seconds.items() if not who.startswith("symdl"))
        for who, s in seconds.items():
            if who.startswith("symdl"):
                continue
            # threads that waited for a core once may find one the next time
            trials = itertools.chain([s], (timed(self.work[who]) / self.steps[who] for _ in range(MORE_TRIALS)))
            if all(trial > TOO_SLOW * quickest for trial in trials):
                del self.work[who]
                self.left_out[who] = f"{s / quickest:.0f} times as long as the quickest peer"


def gathered(
    name: str, dtype: str, operations: int, threads: int, apart: Sequence[Apart], quick: bool
) -> tuple[Field, float]:
    """Everyone, compared with each other; and the seconds that symdl took to compile."""
    found, no_compiler = Field(), QUICK if quick else in_torch.missing_compiler()
    started = time.perf_counter()
    makers = contestants.of_process(name, dtype)
    mine = makers.pop("symdl")()
    compiled = time.perf_counter() - started
    found.add(name, "symdl", mine, mine())
    makers |= contestants.of_torch(name, dtype, threads, operations, compiled=not no_compiler)
    for who, make in makers.items():
        run = make()
        found.add(name, who, run, run())
    for process in apart:
        for who in process.start(name, dtype):
            result, run = process.made(who)
            found.add(name, who + process.suffix, run, result)
    if no_compiler:
        found.left_out["PyTorch compile"] = no_compiler
    if quick:
        found.left_out["JAX, NumPy, scikit-learn and symdl with one thread"] = QUICK
    if quick or not peers.python():
        found.left_out["TensorFlow, PyTensor"] = QUICK if quick else peers.NONE
    found.compare(name, dtype)
    found.drop_slow()
    return found, compiled


def measure(
    name: str, dtype: str, rounds: int, clock: str = "wall", *, apart: Sequence[Apart] = (), quick: bool = False
) -> dict[str, Any]:
    """Microseconds a step (a call, of pointwise work) for everyone, and how many times slower the best peer is."""
    threads = THREADS[clock]
    before, counts = os.getloadavg(), ours.counts(WORK[name], dtype)
    known, compiled = gathered(name, dtype, counts.operations, threads, apart, quick)
    seconds = in_turn(known.work, rounds=rounds, pause=PAUSE, warm=WARM, clock=CLOCKS[clock])
    micro = {n: {k: v / known.steps[n] * 1e6 for k, v in s.items()} for n, s in seconds.items()}
    mine = micro["symdl"]
    best = {k: min((s[k], n) for n, s in micro.items() if not n.startswith("symdl")) for k in ("median", "least")}
    return {
        "workload": name,
        "dtype": dtype,
        "clock": clock,
        "rounds": rounds,
        "microseconds": micro,
        "left_out": known.left_out,
        "best_peer": best["median"][1],
        "ratio": best["median"][0] / mine["median"],
        "ratio_of_least": best["least"][0] / mine["least"],
        "compile_seconds": compiled,
        "load": [before, os.getloadavg()],
        "counts": asdict(counts),
        "roofline": roofline(counts, dtype, mine["median"] * 1e-6, threads, CLOCKS[clock]),
    }


def roofline(
    counts: ours.Counts, dtype: str, seconds: float, threads: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Operations and bytes a second of a step, and their shares of a large product's and of a copy's.

    The copy is of as much memory as a step holds, so that what stays in a cache is measured against that cache.
    """
    rate, moved = counts.operations / seconds, counts.moved / seconds
    return {
        "gflops": rate / 1e9,
        "of_peak": rate / limits.peak(dtype, threads, clock),
        "gigabytes": moved / 1e9,
        "of_copy": moved / limits.bandwidth(counts.held, threads, clock),
    }


HEAD = (
    "| workload | dtype | symdl, µs: median (least to most) | best peer | its median (least) | ratio | of least "
    "| MFLOP | GF/s (of a large product) | MB | GB/s (of a copy) | compiled in, s | load |\n"
    "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
)


def row(f: dict[str, Any]) -> str:
    """A line of the Markdown table."""
    s, p, r = f["microseconds"]["symdl"], f["microseconds"][f["best_peer"]], f["roofline"]
    return (
        f"| {f['workload']} | {f['dtype']} | {s['median']:.4g} ({s['least']:.4g} to {s['most']:.4g}) "
        f"| {f['best_peer']} | {p['median']:.4g} ({p['least']:.4g}) | {f['ratio']:.2f} | {f['ratio_of_least']:.2f} "
        f"| {f['counts']['operations'] / 1e6:.4g} | {r['gflops']:.1f} ({r['of_peak']:.0%}) "
        f"| {f['counts']['moved'] / 1e6:.4g} | {r['gigabytes']:.1f} ({r['of_copy']:.0%}) "
        f"| {f['compile_seconds']:.2f} | {f['load'][0][0]:.1f} to {f['load'][1][0]:.1f} |"
    )


def everyone(found: list[dict[str, Any]]) -> str:
    """A table of all contestants' medians, and a line for each peer that did not take part."""
    names = list(dict.fromkeys(n for f in found for n in f["microseconds"]))
    lines = [f"| µs a step | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
    for f in found:
        cells = (f"{f['microseconds'][n]['median']:.4g}" if n in f["microseconds"] else "" for n in names)
        lines.append(f"| {f['workload']} {f['dtype']} | {' | '.join(cells)} |")
    left_out: dict[tuple[str, str], list[str]] = {}
    for f in found:
        for case in f["left_out"].items():
            left_out.setdefault(case, []).append(f"{f['workload']} {f['dtype']}")
    told = [
        f"No {who}{'' if len(where) == len(found) else ' in ' + ', '.join(where)}: {why}."
        for (who, why), where in left_out.items()
    ]
    return "\n".join([*lines, "", *told])


def processes() -> list[Apart]:
    """Everyone with one thread, and those of the peers' environment with either number of them."""
    found = [Apart()]
    if python := peers.python():
        found += [Apart("others", python=python, one_thread=one) for one in (True, False)]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for, print the table, and write all figures with `-o`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads", description=__doc__)
    parser.add_argument("names", nargs="*", help="workloads, by the beginning of their names (default: all)")
    parser.add_argument("--dtype", choices=["float32", "float64", "both"], default="float32")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="3 rounds, and no peer that compiles for long")
    parser.add_argument("--clock", choices=[*CLOCKS], default="wall", help="processor: on a busy machine, one thread")
    parser.add_argument("-o", "--output", type=Path, help="a JSON file for all figures")
    parser.add_argument("--page", type=Path, help="a page whose table and picture are replaced (see `page`)")
    options = parser.parse_args(arguments)
    names = [n for n in WORK if not options.names or any(n.startswith(w) for w in options.names)]
    if not names:
        print(f"benchmarks: no workload '{options.names[0]}'; one of {', '.join(WORK)}", file=sys.stderr)
        return 2
    dtypes = ["float32", "float64"] if options.dtype == "both" else [options.dtype]
    about = described() | {
        "peers": peers.versions(),
        "limits": {d: limits.measured(d, THREADS[options.clock], CLOCKS[options.clock]) for d in dtypes},
    }
    print(f"Measured on {machine()}, {options.clock} time.\n\n{HEAD}", flush=True)
    found = []
    alone = options.quick or options.clock != "wall"
    if options.clock != "wall":
        os.environ["SYMDL_THREADS"] = "1"
    with ExitStack() as stack:
        apart = [] if alone else [stack.enter_context(process) for process in processes()]
        for name, dtype in itertools.product(names, dtypes):
            given = {"apart": apart, "quick": options.quick}
            found.append(measure(name, dtype, 3 if options.quick else options.rounds, options.clock, **given))
            print(row(found[-1]), flush=True)
    print("\n" + everyone(found))
    results = {"machine": about, "found": found}
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    if options.page:
        page.replaced(options.page, results)
    return 0
