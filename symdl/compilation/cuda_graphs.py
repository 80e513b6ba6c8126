"""Launches in order on one stream, or captured once as a CUDA graph and replayed.

In a graph what does not wait for each other may run at the same time: it is captured on several streams.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from symdl.compilation.cuda_launches import Launch
from symdl.compilation.devices import event, numba_cuda

#: Streams that a graph is captured on.
STREAMS = 8


def one_by_one(launches: Sequence[Launch]) -> None:
    """Run them one after the other."""
    for launch in launches:
        launch.run(0, 0)


def needs(launches: Sequence[Launch]) -> list[set[int]]:
    """For each launch the earlier ones that it has to wait for, but for those that others of these wait for already."""
    found: list[set[int]] = []
    before: list[set[int]] = []  # all that has to be done, directly or not
    for k, launch in enumerate(launches):
        direct, behind = set[int](), set[int]()
        for j in reversed(range(k)):
            if j not in behind and launch.waits_for(launches[j]):
                direct.add(j)
                behind |= {j, *before[j]}
        before.append(behind)
        found.append(direct)
    return found


class Graph:
    """Launches as a CUDA graph, which is replayed on a stream.

    Args:
        launches: in order; they are on the stream that is given, or others, while they are captured.
        origin: the stream: what is replayed on the same one waits.
        streams: how many more it is captured on.
    """

    def __init__(self, launches: Sequence[Launch], origin: Any, streams: int = STREAMS) -> None:
        from cuda.bindings import driver

        cuda = numba_cuda()
        self.driver, self.launches = driver, launches  # what they refer to lives as long as the graph
        self.origin, self.streams = origin, [cuda.stream() for _ in range(streams)]
        # kernels are loaded and memory is taken when they are first used, which may be now
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        _checked(driver.cuStreamBeginCapture(self._handle(self.origin), mode))
        try:
            self._capture(launches)
        finally:
            (graph,) = _checked(driver.cuStreamEndCapture(self._handle(self.origin)))
        (self.executable,) = _checked(driver.cuGraphInstantiate(graph, 0))
        _checked(driver.cuGraphDestroy(graph))
        weakref.finalize(self, driver.cuGraphExecDestroy, self.executable).atexit = False

    def _handle(self, stream: Any) -> Any:
        return self.driver.CUstream(int(stream.handle))

    def _capture(self, launches: Sequence[Launch]) -> None:
        begun = event()
        begun.record(self.origin)
        last: list[int | None] = [None] * len(self.streams)
        events: list[Any] = []
        for k, (launch, needed) in enumerate(zip(launches, needs(launches), strict=True)):
            number = stream_for(needed, last)
            stream = self.streams[number]
            if last[number] is None:
                begun.wait(stream)
            for j in sorted(needed - {last[number]}):
                events[j].wait(stream)
            launch.run(stream, number)
            events.append(event())
            events[k].record(stream)
            last[number] = k
        for end in last:
            if end is not None:
                events[end].wait(self.origin)

    def launch(self) -> None:
        """Put a replay on its stream."""
        _checked(self.driver.cuGraphLaunch(self.executable, self._handle(self.origin)))

    def wait(self) -> None:
        """Wait for all replays."""
        self.origin.synchronize()


def stream_for(needed: set[int], last: list[int | None]) -> int:
    """The stream that ends with something needed, or one that is free, or the one that was used longest ago.

    >>> stream_for({3}, [2, 3, None]), stream_for(set(), [2, 3, None]), stream_for(set(), [2, 3])
    (1, 2, 0)
    """
    ends = [(k, number) for number, k in enumerate(last) if k is not None and k in needed]
    if ends:
        return max(ends)[1]
    if None in last:
        return last.index(None)
    return min((k, number) for number, k in enumerate(last) if k is not None)[1]


def _checked(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a function of the driver returns beside its error code.

    Raises:
        RuntimeError: it failed.
    """
    code, *values = answer
    if int(code):
        raise RuntimeError(f"the CUDA driver says {code.name}")
    return tuple(values)
