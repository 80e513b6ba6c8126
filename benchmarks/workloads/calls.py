"""What a contestant is made into: a function that does the work of a workload once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads.by_hand import Trained
from benchmarks.workloads.networks import Pointwise, Training

#: Makes a function that does the work once: an epoch from the same start, or the calls of pointwise work; it returns
#: what is compared, losses or slopes.
Maker = Callable[[], Callable[[], Any]]


def from_start(work: Training, dtype: str, make: Callable[[], Trained]) -> Callable[[], Any]:
    """An epoch from the parameters that everyone starts from."""
    run, start = make(), work.parameters(dtype)
    return lambda: run({k: v.copy() for k, v in start.items()})


def repeated(work: Pointwise, run: Callable[[], Any]) -> Callable[[], Any]:
    """As many calls as the workload makes."""
    return lambda: [np.asarray(run()) for _ in range(work.calls)][-1]
