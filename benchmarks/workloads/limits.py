"""What the machine can do, measured: operations a second of a large product, bytes a second of a copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

#: Rows and columns of the product; bytes of what counts as a large copy, and below which no copy is timed: calls count.
ORDER, LARGE, SMALL = 2048, 1 << 29, 1 << 20
#: Seconds that a measurement takes at least, and how often it is repeated: the best counts, since it is a limit.
ENOUGH, ROUNDS = 0.05, 5


def _best(run: Callable[[int], Any]) -> float:
    """Seconds of a call, from a function that makes as many as it is told."""
    calls = max(1, int(ENOUGH / _seconds(run, 1)))
    return min(_seconds(run, calls) for _ in range(ROUNDS)) / calls


def _seconds(run: Callable[[int], Any], calls: int) -> float:
    started = time.perf_counter()
    run(calls)
    return time.perf_counter() - started


@lru_cache
def peak(dtype: str, threads: int) -> float:
    """Additions and multiplications a second of a large product of matrices, by PyTorch's BLAS."""
    torch.set_num_threads(threads)
    a, b, out = (torch.tensor(np.random.default_rng(k).normal(size=(ORDER, ORDER)).astype(dtype)) for k in range(3))
    return 2 * ORDER**3 / _best(lambda calls: [torch.mm(a, b, out=out) for _ in range(calls)])


@lru_cache
def bandwidth(held: int, threads: int) -> float:
    """Bytes a second, read and written, of a copy between arrays that take so many bytes together."""
    each = max(held, SMALL) // (2 * threads)
    source, target = np.ones((threads, each), np.uint8), np.zeros((threads, each), np.uint8)

    def copy(calls: int, thread: int) -> None:
        for _ in range(calls):
            np.copyto(target[thread], source[thread])

    with ThreadPoolExecutor(threads) as pool:
        return 2 * each * threads / _best(lambda calls: list(pool.map(partial(copy, calls), range(threads))))


def measured(dtype: str) -> dict[str, Any]:
    """The limits of the machine with one thread and with two."""
    return {
        "gflops": {t: peak(dtype, t) / 1e9 for t in (1, 2)},
        "gigabytes": {t: bandwidth(LARGE, t) / 1e9 for t in (1, 2)},
    }
