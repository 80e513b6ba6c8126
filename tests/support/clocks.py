"""A clock that counts work, for tests of what has to be bounded: it says the same on every machine, however busy.

Seconds of a machine won't do: a collection of the garbage that other tests have left takes some, and so does a
neighbour on the same core.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: About as many calls as today's machines make in a second, of Python's functions and of those written in C.
CALLS_A_SECOND = 5_000_000


class WorkClock:
    """Seconds that pass with every call that this thread makes; a loop that calls nothing takes none."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> float:
        return self.calls / CALLS_A_SECOND

    def _count(self, frame: FrameType, event: str, argument: object) -> None:
        self.calls += event in ("call", "c_call")


@contextmanager
def counting_work() -> Iterator[WorkClock]:
    """A clock that runs inside the block.

    >>> with counting_work() as clock:
    ...     before = clock()
    ...     _ = sorted(range(500), key=abs)
    ...     assert clock() > before
    """
    clock = WorkClock()
    outside = sys.getprofile()
    sys.setprofile(clock._count)
    try:
        yield clock
    finally:
        sys.setprofile(outside)


def processor_seconds(work: Callable[[], object]) -> float:
    """What `work` costs this thread where calls don't tell, as in regular expressions; no collection falls into it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        started = time.thread_time()
        work()
        return time.thread_time() - started
    finally:
        if collecting:
            gc.enable()
