"""Kernels and matrix products in order: run one after the other, or captured once as a CUDA graph and replayed.

What each reads and writes says which of them wait for which; those that don't may run at the same time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from symdl.compilation.devices import numba_cuda

#: Streams that a graph is captured on: what stands on different ones may run at the same time.
STREAMS = 8


@dataclass(frozen=True)
class Launch:
    """Something that is put on a stream.

    Args:
        run: puts it on the stream that it is given, with the number of that stream.
        reads, writes: names of the places in memory that it uses.
    """

    run: Callable[[Any, int], None]
    reads: frozenset[str]
    writes: frozenset[str]


@dataclass
class Sequence:
    """Launches in an order in which they can run."""

    launches: list[Launch] = field(default_factory=list)

    def add(self, run: Callable[[Any, int], None], reads: str = "", writes: str = "") -> None:
        self.launches.append(Launch(run, frozenset(reads.split()), frozenset(writes.split())))

    def needs(self) -> list[set[int]]:
        """For each launch the earlier ones that it has to wait for, those left out that others wait for already."""
        found: list[set[int]] = []
        behind: list[set[int]] = []  # all that has to be done before
        for k, launch in enumerate(self.launches):
            conflicts = {
                j
                for j, other in enumerate(self.launches[:k])
                if other.writes & (launch.reads | launch.writes) or other.reads & launch.writes
            }
            every = conflicts.union(*(behind[j] for j in conflicts))
            found.append({j for j in conflicts if not any(j in behind[i] for i in conflicts)})
            behind.append(every)
        return found

    def run(self, stream: Any = 0) -> None:
        """One after the other on one stream."""
        for launch in self.launches:
            launch.run(stream, 0)


class Graph:
    """A sequence as a CUDA graph."""

    def __init__(self, sequence: Sequence, streams: int = STREAMS) -> None:
        from cuda.bindings import driver

        cuda = numba_cuda()
        self.driver = driver
        self.streams = [cuda.stream() for _ in range(streams)]
        self.origin = cuda.stream()
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        _checked(driver.cuStreamBeginCapture(self._handle(self.origin), mode))
        try:
            self._put(sequence)
        finally:
            (graph,) = _checked(driver.cuStreamEndCapture(self._handle(self.origin)))
        (self.executable,) = _checked(driver.cuGraphInstantiate(graph, 0))
        _checked(driver.cuGraphDestroy(graph))

    def _handle(self, stream: Any) -> Any:
        return self.driver.CUstream(int(stream.handle))

    def _put(self, sequence: Sequence) -> None:
        cuda = numba_cuda()
        begun = cuda.event(timing=False)
        begun.record(self.origin)
        last: list[int | None] = [None] * len(self.streams)
        events: list[Any] = []
        for k, (launch, needed) in enumerate(zip(sequence.launches, sequence.needs(), strict=True)):
            number = self._stream_for(needed, last)
            stream = self.streams[number]
            if last[number] is None and not needed:
                begun.wait(stream)
            for j in needed:
                if j != last[number]:
                    events[j].wait(stream)
            launch.run(stream, number)
            events.append(cuda.event(timing=False))
            events[k].record(stream)
            last[number] = k
        for end in last:
            if end is not None:
                events[end].wait(self.origin)

    def _stream_for(self, needed: set[int], last: list[int | None]) -> int:
        """The stream that ends with something needed, or one that is free, or the one that was used longest ago."""
        ends = [(k, n) for n, k in enumerate(last) if k in needed]
        if ends:
            return max(ends)[1]
        if None in last:
            return last.index(None)
        return min((k, n) for n, k in enumerate(last) if k is not None)[1]

    def launch(self) -> None:
        _checked(self.driver.cuGraphLaunch(self.executable, self._handle(self.origin)))

    def wait(self) -> None:
        self.origin.synchronize()


def _checked(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a function of the driver returns beside its error code."""
    code, *values = answer
    if int(code):
        raise RuntimeError(f"CUDA: {code.name}")
    return tuple(values)
