"""Data on a GPU: all of it where it fits, or else chunks of its rows while the device works on the chunk before.

Chunks are put together on the host, in the order in which an epoch takes the rows, in memory that is pinned, and sent
on a stream of their own. There are two of each, here and there: while the device works on one, the other is on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation import team
from symdl.compilation.devices import event, free_memory, numba_cuda
from symdl.errors import BudgetError

Array = npt.NDArray[Any]
#: Bytes of a chunk at the most: a transfer of so many takes as long as its bytes do, and pinned memory is scarce.
CHUNK = 2**28
#: Bytes that are worth a thread that puts rows together, and how many threads do at the most.
PART, THREADS = 2**21, 16
#: Numbers of an array that emitted code can count.
COUNTED = 2**32


@dataclass(frozen=True)
class Needs:
    """The bytes that training needs on the device.

    Args:
        models: how many there are.
        parts: by what for, data and order aside.
        row: of a row of data.
        stored: how many rows of data there are.
        order: how many numbers say in which order rows are used.
        entries: of the largest array of data.
    """

    models: int
    parts: Mapping[str, int]
    row: int
    stored: int
    order: int
    entries: int

    @property
    def whole(self) -> dict[str, int]:
        """With all data on the device."""
        return {"data": self.row * self.stored, **self.parts, "order": 8 * self.order}

    def in_chunks(self, rows: int) -> dict[str, int]:
        """With two chunks of so many rows."""
        return {"two chunks of data": 2 * self.row * rows, **self.parts, "order": 8 * rows}

    def chunk(self, batch_size: int, streams: bool, forced: int = 0) -> int:
        """Rows of a chunk, a whole number of batches; 0 where all data is to be on the device.

        Args:
            batch_size: rows of a step.
            streams: whether data can be sent in chunks: where all models take the rows in one order.
            forced: rows of a chunk, whatever fits; 0 where that decides.

        Raises:
            BudgetError: the device has less memory left; says both.
        """
        free = free_memory()
        if forced and streams:
            return max(forced // batch_size, 1) * batch_size
        if sum(self.whole.values()) <= free and self.entries < COUNTED:
            return 0
        if not streams:
            raise self._error(self.whole, free, "all data on the device, since models differ in the order of rows")
        room = (free - sum(self.parts.values())) // (2 * self.row + 8)
        if room < batch_size:
            raise self._error(self.in_chunks(batch_size), free, "chunks of one batch")
        # half of the room is left for what is measured between epochs
        most = min(room // 2, CHUNK // max(self.row, 1), self.order)
        return max(most // batch_size, 1) * batch_size

    def _error(self, needed: Mapping[str, int], free: int, how: str) -> BudgetError:
        told = ", ".join(f"{n} {in_bytes(v)}" for n, v in needed.items())
        return BudgetError(
            f"training {self.models} model(s) needs {in_bytes(sum(needed.values()))} of the GPU's memory",
            where="target 'cuda'",
            why=f"{in_bytes(free)} are free; with {how}: {told}",
            remedy="train fewer models at a time, take smaller batches or fewer rows, or dtype='float32'",
        )


class Feed:
    """Sends rows in chunks.

    Args:
        arrays: data by name, which stays on the host; the same number of rows in each.
        names: of what is sent.
        rows: of a chunk.

    Raises:
        BudgetError: a chunk has more numbers than emitted code can count.
    """

    def __init__(self, arrays: Mapping[str, Array], names: Iterable[str], rows: int) -> None:
        cuda = numba_cuda()
        self.arrays, self.rows = {n: arrays[n] for n in names}, rows
        shapes = {n: (rows, *a.shape[1:]) for n, a in self.arrays.items()}
        for name, array in self.arrays.items():
            checked(rows * row_length(array), f"a chunk of {name}")
        self.staged = [{n: cuda.pinned_array(s, self.arrays[n].dtype) for n, s in shapes.items()} for _ in range(2)]
        #: Two chunks on the device, flat, by name.
        self.places = [
            {n: cuda.device_array(max(1, rows * row_length(a)), a.dtype) for n, a in self.arrays.items()}
            for _ in range(2)
        ]
        self.stream = cuda.stream()
        self.arrived, self.used = [event(), event()], [event(), event()]

    def chunks(self, order: npt.NDArray[np.int64], stream: Any) -> Iterator[tuple[int, int, int]]:
        """The chunks of an epoch, one after the other.

        What is put on `stream` before the next one is asked for works on that chunk. The next one is put together and
        sent meanwhile, once nothing works any more on the one before.

        Yields:
            Which of the two places a chunk is in, which row of the order it begins with, and how many rows it has.
        """
        starts = range(0, len(order), self.rows)
        self._send(0, order[: self.rows])
        for number, start in enumerate(starts):
            place, count = number % 2, min(self.rows, len(order) - start)
            self.arrived[place].wait(stream)
            yield place, start, count
            self.used[place].record(stream)
            if start + self.rows < len(order):
                self._send(1 - place, order[start + self.rows : start + 2 * self.rows])

    def _send(self, place: int, rows: npt.NDArray[np.int64]) -> None:
        """Begin to send a chunk."""
        self.arrived[place].synchronize()  # what was sent from there has been read
        self.used[place].wait(self.stream)
        for name, array in self.arrays.items():
            staged = self.staged[place][name][: len(rows)]
            gather(array, rows, staged)
            if staged.size:
                self.places[place][name][: staged.size].copy_to_device(staged.reshape(-1), stream=self.stream)
        self.arrived[place].record(self.stream)


def in_bytes(count: int) -> str:
    """Bytes for the reader.

    >>> in_bytes(3 * 2**30), in_bytes(5 * 2**19), in_bytes(70)
    ('3.0 GiB', '2.5 MiB', '70 B')
    """
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count} B"


def gather(array: Array, rows: npt.NDArray[np.int64], out: Array) -> None:
    """Some rows of an array, one after the other; by several threads where there is much to copy.

    >>> found = np.empty((2, 2))
    >>> gather(np.arange(6.0).reshape(3, 2), np.array([2, 0]), found)
    >>> found.tolist()
    [[4.0, 5.0], [0.0, 1.0]]
    """
    count = max(1, min(out.nbytes // PART, team.stated() or team.cores(), THREADS))
    ends = [k * len(rows) // count for k in range(count + 1)]

    def some(begin: int, end: int) -> None:
        np.take(array, rows[begin:end], axis=0, out=out[begin:end], mode="clip")  # any other mode copies once more

    if count == 1:
        some(0, len(rows))
        return
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(some, ends, ends[1:]))  # one core copies some 3 GB/s, a bus 50


def row_length(array: Array) -> int:
    """Numbers in one row of an array."""
    return int(np.prod(array.shape[1:], dtype=np.int64))


def row_bytes(arrays: Iterable[Array]) -> int:
    """Bytes of one row of all of them."""
    return sum(row_length(a) * a.dtype.itemsize for a in arrays)


def checked(size: int, what: str = "an array") -> int:
    """A number of entries that emitted code can count.

    Raises:
        BudgetError: it takes more than 32 bits.
    """
    if size >= COUNTED:
        raise BudgetError(
            f"{what} of {size:,} numbers", where="target 'cuda'", why="its code counts to 2**32", remedy="split it"
        )
    return size


__all__ = ["CHUNK", "Feed", "Needs", "checked", "in_bytes", "row_bytes", "row_length"]
