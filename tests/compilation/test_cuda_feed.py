"""Data in chunks: how large a chunk is, and that no transfer overtakes what it has to wait for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symdl.compilation import cuda_feed, cuda_session
from symdl.compilation.cuda_feed import Feed, Needs
from symdl.compilation.cuda_models import Batch
from symdl.compilation.cuda_session import TrainingProgram
from symdl.errors import BudgetError

#: 1000 rows of 40 bytes, and 5000 bytes for everything else.
NEEDS = Needs(1, {"models": 4000, "work": 1000}, row=40, stored=1000, order=1000, entries=10_000)


@pytest.mark.parametrize(
    ("free", "chunk"),
    [
        (40_000 + 5000 + 8000, 0),  # all of it
        (52_999, 256),  # two chunks of n rows and their order: 88 n ≤ 47,999, and half of that
        (5000 + 88 * 32, 32),
    ],
)
def test_a_chunk_is_what_two_of_leave_room_for(free: int, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_feed, "free_memory", lambda: free)
    assert NEEDS.chunk(32, streams=True) == chunk
    assert NEEDS.chunk(32, streams=True, forced=70) == 64
    if chunk:
        assert sum(NEEDS.in_chunks(chunk).values()) <= free


def test_less_than_two_batches_is_an_error_with_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_feed, "free_memory", lambda: 5000 + 88 * 32 - 1)
    with pytest.raises(BudgetError, match=r"needs 7.6 KiB of the GPU's memory") as caught:
        NEEDS.chunk(32, streams=True)
    assert "two chunks of data 2.5 KiB, models 3.9 KiB, work 1000 B, order 256 B" in str(caught.value)
    with pytest.raises(BudgetError, match="models differ in the order of rows"):
        NEEDS.chunk(32, streams=False)


def test_pinned_memory_is_bounded_and_so_is_what_code_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_feed, "free_memory", lambda: 2**40)
    large = Needs(1, {}, row=2**12, stored=2**30, order=2**30, entries=2**40)
    assert large.chunk(128, streams=True) == 2**28 // 2**12


def test_so_many_models_are_trained_at_once_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_session, "free_memory", lambda: 100_000)
    program: Any = SimpleNamespace(
        needs=lambda arrays, batch, *sizes: Needs(0, {"models": 7000 * batch.models}, 0, 0, 0, 0)
    )
    batch = Batch({"w": np.arange(40).reshape(20, 2)}, {}, {}, {"lr": np.arange(20)})
    assert TrainingProgram.at_once(program, {}, batch, 10, 2) == 14
    some = batch.some(14, 28)
    assert some.models == 6
    some.parameters["w"][...] = -1  # on the same memory
    assert batch.parameters["w"][13:15].tolist() == [[26, 27], [-1, -1]]


@pytest.mark.parametrize("part", [1, 40, 2**21])
def test_threads_put_the_same_rows_together(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_feed, "PART", part)
    monkeypatch.setenv("SYMDL_THREADS", "3")
    array, rows = np.arange(60).reshape(20, 3), np.random.default_rng(0).permutation(20)
    out = np.zeros((20, 3), int)
    cuda_feed.gather(array, rows, out)
    assert (out == array[rows]).all()


# ── a device that does things as late as it may, and in any order that it may ────────────────────────────────────────


class Device:
    """Streams whose operations run when somebody waits for them, in a random order that events allow."""

    def __init__(self, seed: int) -> None:
        self.rng, self.streams = np.random.default_rng(seed), list[Stream]()

    def stream(self) -> Stream:
        self.streams.append(Stream())
        return self.streams[-1]

    def pinned_array(self, shape: Any, dtype: Any) -> Any:
        return np.zeros(shape, dtype)

    def device_array(self, size: int, dtype: Any) -> There:
        return There(np.full(size, -1, dtype))

    def event(self) -> Event:
        return Event(self)

    def run_until(self, done: Callable[[], bool]) -> None:
        while not done():
            ready = [s for s in self.streams if s.queue and s.queue[0][0]()]
            _, act = ready[self.rng.integers(len(ready))].queue.pop(0)
            act()


class Stream:
    def __init__(self) -> None:
        self.queue: list[tuple[Callable[[], bool], Callable[[], None]]] = []

    def put(self, act: Callable[[], None]) -> None:
        self.queue.append((lambda: True, act))


class Event:
    def __init__(self, device: Device) -> None:
        self.device, self.asked, self.reached = device, 0, 0

    def record(self, stream: Stream) -> None:
        self.asked += 1
        number = self.asked
        stream.put(lambda: setattr(self, "reached", number))

    def wait(self, stream: Stream) -> None:
        number = self.asked
        stream.queue.append((lambda: self.reached >= number, lambda: None))

    def synchronize(self) -> None:
        number = self.asked
        self.device.run_until(lambda: self.reached >= number)


class There:
    """An array on the device."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, places: slice) -> There:
        return There(self.array[places])

    def copy_to_device(self, given: Any, stream: Stream) -> None:
        stream.put(lambda: self.array.__setitem__(..., given))


def streamed(seed: int, monkeypatch: pytest.MonkeyPatch, without: str = "") -> bool:
    """Whether the rows of two epochs arrive in order, on a device of that seed; `without` a wait of the feed."""
    device = Device(seed)
    monkeypatch.setattr(cuda_feed, "numba_cuda", lambda: device)
    monkeypatch.setattr(cuda_feed, "event", device.event)
    x, tokens = np.arange(34.0).reshape(17, 2), np.arange(17)
    feed = Feed({"x": x, "tokens": tokens, "W": x}, ("x", "tokens"), 4)
    for event in {"used": feed.used, "arrived": feed.arrived, "staged": feed.arrived}.get(without, ()):
        setattr(event, "synchronize" if without == "staged" else "wait", lambda *given: None)
    stream, seen, wanted = device.stream(), list[Any](), list[Any]()
    for _ in range(2):
        order = device.rng.permutation(17)
        wanted += [x[order].ravel().tolist(), order.tolist()]
        found: tuple[list[float], list[int]] = ([], [])
        for place, start, count in feed.chunks(order, stream):
            assert (start, count) in [(0, 4), (4, 4), (8, 4), (12, 4), (16, 1)]
            there = feed.places[place]
            stream.put(lambda a=there, n=count, f=found: f[0].extend(a["x"].array[: 2 * n].tolist()))
            stream.put(lambda a=there, n=count, f=found: f[1].extend(a["tokens"].array[:n].tolist()))
        seen += found
    device.run_until(lambda: not any(s.queue for s in device.streams))
    return seen == wanted


def test_rows_arrive_in_order_whatever_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(streamed(seed, monkeypatch) for seed in range(20))


@pytest.mark.parametrize("wait", ["used", "arrived", "staged"])
def test_each_wait_is_needed(wait: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not all(streamed(seed, monkeypatch, without=wait) for seed in range(20))
