"""What the machine can do, measured: operations a second of a large product, bytes a second of a copy."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

import symdl as sd

#: Rows and columns of the product; bytes of what counts as a large copy, and below which no copy is timed: calls count.
ORDER, LARGE, SMALL = 2048, 1 << 29, 1 << 20
#: Seconds that a measurement takes at least, and how often it is repeated: the best counts, since it is a limit.
ENOUGH, ROUNDS = 0.05, 5
#: The variable that says how many threads symdl has.
THREADS = "SYMDL_THREADS"

Clock = Callable[[], float]


def _best(run: Callable[[int], Any], clock: Clock) -> float:
    """Seconds of a call, from a function that makes as many as it is told."""
    calls = max(1, int(ENOUGH / _seconds(run, 1, clock)))
    return min(_seconds(run, calls, clock) for _ in range(ROUNDS)) / calls


def _seconds(run: Callable[[int], Any], calls: int, clock: Clock) -> float:
    started = clock()
    run(calls)
    return clock() - started


@lru_cache
def peak(dtype: str, threads: int, clock: Clock = time.perf_counter) -> float:
    """Additions and multiplications a second of a large product of matrices: by PyTorch or by symdl, the faster one.

    To be asked with one thread first: symdl's second one stays.
    """
    torch.set_num_threads(threads)
    with _threads_of_symdl(threads):
        found = [_best(run, clock) for run in (_product_of_torch(dtype), _product_of_symdl(dtype))]
    return 2 * ORDER**3 / min(found)


@contextmanager
def _threads_of_symdl(threads: int) -> Iterator[None]:
    before = os.environ.get(THREADS)
    os.environ[THREADS] = str(threads)
    try:
        yield
    finally:
        del os.environ[THREADS]
        os.environ |= {} if before is None else {THREADS: before}


def _matrix(seed: int, dtype: str) -> Any:
    return np.random.default_rng(seed).normal(size=(ORDER, ORDER)).astype(dtype)


def _product_of_torch(dtype: str) -> Callable[[int], Any]:
    a, b, out = (torch.tensor(_matrix(k, dtype)) for k in range(3))
    return lambda calls: [torch.mm(a, b, out=out) for _ in range(calls)]


def _product_of_symdl(dtype: str) -> Callable[[int], Any]:
    @sd.define
    def product(a=sd.Input("m k"), b=sd.Input("k n")):
        (m, k), (_, n) = a.indices, b.indices
        return sd.let("c[m,n]", sd.Sum(a[m, k] * b[k, n], k))

    code = sd.compile(product, dtype=dtype, extents=dict.fromkeys("mkn", ORDER))
    a, b = _matrix(1, dtype), _matrix(2, dtype)
    code(a=a, b=b)
    return lambda calls: [code(a=a, b=b) for _ in range(calls)]


@lru_cache
def bandwidth(held: int, threads: int, clock: Clock = time.perf_counter) -> float:
    """Bytes a second, read and written, of a copy between arrays that take so many bytes together."""
    each = max(held, SMALL) // (2 * threads)
    source, target = np.ones((threads, each), np.uint8), np.zeros((threads, each), np.uint8)

    def copy(calls: int, thread: int) -> None:
        for _ in range(calls):
            np.copyto(target[thread], source[thread])

    with ThreadPoolExecutor(threads) as pool:
        return 2 * each * threads / _best(lambda calls: list(pool.map(partial(copy, calls), range(threads))), clock)


def measured(dtype: str, threads: int, clock: Clock = time.perf_counter) -> dict[str, Any]:
    """The limits of the machine by number of threads; a clock of processor time only knows one."""
    counts = range(1, threads + 1)
    return {
        "gflops": {t: peak(dtype, t, clock) / 1e9 for t in counts},
        "gigabytes": {t: bandwidth(LARGE, t, clock) / 1e9 for t in counts},
    }
