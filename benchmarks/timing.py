"""How things are timed: in turn (A B A B …), the median and the range of several rounds."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any


class Seconds(float):
    """What a function returns that took its time itself, in another process for instance."""


def in_turn(
    work: Mapping[str, Callable[[], Any]],
    *,
    rounds: int = 9,
    pause: float = 0.05,
    warm: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, dict[str, float]]:
    """Seconds of each function, run in turn, after one uncounted round.

    Before a call that counts, the function is called for `warm` seconds: after a pause, caches, clocks and the other
    core are where the one before has left them, and training makes no pauses.

    `clock=time.process_time` counts processor time, of all threads together: what a busy machine does not stretch.
    """
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, function in work.items():
            begun = time.perf_counter()
            while time.perf_counter() < begun + warm:
                function()
            took = timed(function, clock)
            if turn:
                seconds[name].append(took)
            time.sleep(pause)
    return {name: summary(values) for name, values in seconds.items()}


def timed(function: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call."""
    started = clock()
    result = function()
    return float(result) if isinstance(result, Seconds) else clock() - started


def summary(values: list[float]) -> dict[str, float]:
    """Median and range."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def machine() -> str:
    """The processor, as the operating system names it, its cores, Python and the day."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            name = next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    import os

    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {date.today().isoformat()}"
