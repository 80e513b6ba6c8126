"""Who takes part: symdl and its peers by name, each made for a workload."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.workloads import by_hand, in_jax, in_sklearn, in_torch, ours
from benchmarks.workloads.calls import Maker, from_start, repeated
from benchmarks.workloads.models import WORK
from benchmarks.workloads.networks import Network, Pointwise

#: Operations of a step from which PyTorch is tried with two threads. On smaller steps its threads wait
#: for each other, for minutes where another process holds a core.
TWO_THREADS_FROM = 1e7


def of_process(name: str, dtype: str) -> dict[str, Maker]:
    """Those whose number of threads is a matter of the process that they are in."""
    work = WORK[name]
    if isinstance(work, Pointwise):
        return {
            "symdl": lambda: repeated(work, lambda made=ours.pointwise(work, dtype): made()["x"]),
            "JAX jit": lambda: repeated(work, in_jax.pointwise(work, dtype)),
        }
    made: dict[str, Callable[[], by_hand.Trained]] = {
        "symdl": partial(ours.epoch, work, dtype),
        "JAX jit": partial(in_jax.training, work, dtype, scanned=False),
        "JAX scan": partial(in_jax.training, work, dtype, scanned=True),
    }
    if isinstance(work, Network):
        made["NumPy"] = partial(by_hand.training, work, dtype)
        if not work.models:
            made["scikit-learn"] = partial(in_sklearn.training, work, dtype)
    return {n: partial(from_start, work, dtype, make) for n, make in made.items()}


def of_torch(name: str, dtype: str, threads: int, operations: int, compiled: bool) -> dict[str, Maker]:
    """PyTorch with one thread, and with two where there is enough to do."""
    work = WORK[name]
    counts = [t for t in range(1, threads + 1) if t == 1 or operations > TWO_THREADS_FROM]
    if isinstance(work, Pointwise):
        both = range(1, threads + 1)
        return {f"PyTorch eager {t}T": partial(_pointwise_of_torch, work, dtype, t) for t in both}
    kinds = {"eager": in_torch.eager} | ({"compile": in_torch.compiled} if compiled else {})
    return {
        f"PyTorch {kind} {t}T": partial(from_start, work, dtype, partial(make, work, dtype, t))
        for kind, make in kinds.items()
        for t in counts
    }


def _pointwise_of_torch(work: Pointwise, dtype: str, threads: int) -> Callable[[], Any]:
    return repeated(work, in_torch.pointwise(work, dtype, threads))


def steps_of(name: str, result: Any) -> int:
    """How many steps (calls, of pointwise work) a contestant made that returned this.

    Raises:
        AssertionError: neither an epoch nor its first few.
    """
    work = WORK[name]
    if isinstance(work, Pointwise):
        return work.calls
    if len(result) not in (work.steps, work.few):
        raise AssertionError(f"{len(result)} of {work.steps} steps of {name} were made")
    return len(result)
