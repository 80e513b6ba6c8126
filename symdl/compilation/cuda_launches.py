"""What emitted functions of the host launch: kernels over as many blocks as their size asks for, and products.

`Launches` is the `run` of `targets.cuda_graph`: it writes down what is launched, in order, with the memory that each
launch reads and writes. That is then run on one stream, or captured as a graph (see `cuda_graphs`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symdl.compilation.cublas import Cublas, Matrix, Product
from symdl.compilation.devices import numba_cuda, simulated
from symdl.compilation.targets.cuda_vectors import VECTOR

#: Threads of a block that computes entries, and how many of them a multiprocessor has to do at the most.
THREADS, WAVES = 256, 8
#: Blocks that a sum is split among, all its columns together; the same on every GPU, so that results are.
SPLIT = 512
#: Terms that a thread adds up at least before a sum is split.
TERMS = 8

#: Blocks of a launch at the most.
MOST = 2**31 - 1

#: Bytes of memory, from the first to behind the last.
Span = tuple[int, int]
Loops = tuple[tuple[int, int, int, int], ...]
#: The array of an operand, whether it stands there transposed, and how far it is from one of its lines to the next.
Matrices = tuple[Any, bool, int]


@dataclass(frozen=True)
class Launch:
    """Something that is put on a stream.

    Args:
        name: of the kernel, or the sizes of a product.
        run: puts it on the stream that it is given, with the number of that stream.
        reads, writes: the memory that it uses.
    """

    name: str
    run: Callable[[Any, int], None]
    reads: tuple[Span, ...]
    writes: tuple[Span, ...]

    def waits_for(self, other: Launch) -> bool:
        """Whether an earlier launch has to be done before."""
        return _meet(other.writes, self.reads) or _meet(other.writes, self.writes) or _meet(other.reads, self.writes)


@dataclass
class Launches:
    """Collects launches.

    Args:
        dtype: "float64" or "float32".
        threads: of a block of the module, a power of two.
        multiprocessors: of the device.
        library: for products; None where there is none.
    """

    dtype: str
    threads: int
    multiprocessors: int
    library: Cublas | None = None
    found: list[Launch] = field(default_factory=list)
    spaces: dict[int, Any] = field(default_factory=dict)

    # ── what emitted code calls ──────────────────────────────────────────────────────────────────────────────────

    def kernel(self, kernel: Any, count: int, arguments: tuple[Any, ...], writes: tuple[Any, ...]) -> None:
        """A kernel that takes so many entries one by one."""
        threads = min(self.threads, THREADS)
        self._add(kernel, (self._blocks(count, threads), 1), threads, arguments, writes)

    def vectors(self, kernel: Any, count: int, arguments: tuple[Any, ...], writes: tuple[Any, ...]) -> None:
        """A kernel that takes the entries a vector at a time: as many threads as there are vectors."""
        threads = min(self.threads, THREADS)
        vectors = -(-count * np.dtype(self.dtype).itemsize // VECTOR)
        blocks = max(1, min(-(-vectors // threads), 2 if simulated() else MOST))
        self._add(kernel, (blocks, 1), threads, arguments, writes)

    def counted(self, kernel: Any, count: int, arguments: tuple[Any, ...], writes: tuple[Any, ...]) -> None:
        """The same, with `tickets` behind its arguments: whose last block has something to do at the end."""
        threads = min(self.threads, THREADS)
        self._add(kernel, (self._blocks(count, threads), 1), threads, (*arguments, _tickets(1)), writes)

    def teams(self, kernel: Any, count: int, terms: int, arguments: tuple[Any, ...], writes: tuple[Any, ...]) -> None:
        """A kernel whose teams of threads add up so many terms for each of so many entries."""
        threads = min(self.threads, THREADS)
        team = min(threads, 2 ** max(0, (terms // 4).bit_length() - 1))
        self._add(kernel, (self._blocks(count * team, threads), 1), threads, arguments, writes)

    def sums(
        self, kernel: Any, count: int, terms: int, width: int, arguments: tuple[Any, ...], writes: tuple[Any, ...]
    ) -> None:
        """A kernel whose blocks, of rows of so many threads, add up terms for each of so many columns.

        Several blocks share the terms of a column where there are many; none do where `terms` is 0.
        """
        across = -(-count // width)
        most = terms // (TERMS * (self.threads // width))
        down = max(1, min(-(-SPLIT // across), most, 1 if terms == 0 else 2 if simulated() else SPLIT))
        cuda = numba_cuda()
        more = (cuda.device_array(max(count * down, 1), np.float64), _tickets(across))
        self._add(kernel, (across, down), self.threads, (*arguments, *more), writes)

    def product(
        self,
        kernel: Any,
        sizes: tuple[int, int, int],
        left: Matrices,
        right: Matrices,
        out: Any,
        loops: Loops = (),
        library: bool = False,
    ) -> None:
        """A matrix product, or one for each value of some loops.

        Args:
            kernel: that computes it where the library is not there or not wanted.
            sizes: rows, columns, and terms of each sum.
            left, right: the operands.
            out: the array of the result.
            loops: for each of them how many values it has, and how far the matrices of `left`, `right` and `out` are
                from the next ones.
            library: whether the library computes it.
        """
        count, steps, starts = batches(loops)
        one = self._by_library if library and self.library is not None else self._by_kernel
        runs = [one(kernel, sizes, left, right, out, count, steps, start) for start in starts]

        def run(stream: Any, number: int) -> None:
            for each in runs:
                each(stream, number)

        name = f"{'×'.join(map(str, sizes))}{f' · {count * len(starts)}' if loops else ''}"
        self.found.append(Launch(name, run, (_span(left[0]), _span(right[0])), (_span(out),)))

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _blocks(self, count: int, threads: int) -> int:
        most = 2 if simulated() else WAVES * self.multiprocessors
        return max(1, min(-(-count // threads), most))

    def _add(
        self, kernel: Any, blocks: tuple[int, int], threads: int, arguments: tuple[Any, ...], writes: tuple[Any, ...]
    ) -> None:
        def run(stream: Any, number: int) -> None:
            kernel[blocks, threads, stream](*arguments)

        arrays = [a for a in arguments if hasattr(a, "copy_to_host")]
        self.found.append(Launch(kernel.py_func.__name__, run, tuple(map(_span, arrays)), tuple(map(_span, writes))))

    def _by_kernel(
        self,
        kernel: Any,
        sizes: tuple[int, int, int],
        left: Matrices,
        right: Matrices,
        out: Any,
        count: int,
        steps: tuple[int, int, int],
        start: tuple[int, int, int],
    ) -> Callable[[Any, int], None]:
        rows, columns, terms = sizes
        (a, *_), (b, *_) = left, right
        a_steps, b_steps = ((1, step) if turned else (step, 1) for _, turned, step in (left, right))
        blocks = (self._blocks(rows * columns, self.threads), min(count, 2**16 - 1))
        operands = (a[start[0] :], *a_steps, steps[0], b[start[1] :], *b_steps, steps[1], out[start[2] :], steps[2])

        def run(stream: Any, number: int) -> None:
            kernel[blocks, self.threads, stream](rows, columns, terms, *operands, count)

        return run

    def _by_library(
        self,
        kernel: Any,
        sizes: tuple[int, int, int],
        left: Matrices,
        right: Matrices,
        out: Any,
        count: int,
        steps: tuple[int, int, int],
        start: tuple[int, int, int],
    ) -> Callable[[Any, int], None]:
        assert self.library is not None
        library, width = self.library, np.dtype(self.dtype).itemsize
        wanted = Product(
            *sizes,
            Matrix(_span(left[0])[0] + width * start[0], left[2], left[1], steps[0]),
            Matrix(_span(right[0])[0] + width * start[1], right[2], right[1], steps[1]),
            Matrix(_span(out)[0] + width * start[2], sizes[1], False, steps[2]),
            count,
        )

        def run(stream: Any, number: int) -> None:
            if number not in self.spaces:
                self.spaces[number] = numba_cuda().device_array(library.workspace, np.uint8)
            library.multiply(wanted, int(stream.handle) if stream else 0, self.spaces[number])

        return run


def batches(loops: Loops) -> tuple[int, tuple[int, int, int], list[tuple[int, int, int]]]:
    """Loops around a product as one call for many: how many, how far apart, and where each such call begins.

    >>> batches(((2, 60, 60, 30), (5, 12, 12, 6)))  # they stand one behind the other
    (10, (12, 12, 6), [(0, 0, 0)])
    >>> batches(((2, 60, 0, 30), (5, 12, 12, 6)))
    (5, (12, 12, 6), [(0, 0, 0), (60, 0, 30)])
    """
    if not loops:
        return 1, (0, 0, 0), [(0, 0, 0)]
    rest = list(loops)
    count, *steps = rest.pop()
    while rest and list(rest[-1][1:]) == [s * count for s in steps]:
        count *= rest.pop()[0]
    places = itertools.product(*(range(extent) for extent, *_ in rest))
    starts = [tuple(sum(k * loop[1 + o] for k, loop in zip(at, rest, strict=True)) for o in range(3)) for at in places]
    return count, (steps[0], steps[1], steps[2]), [(s[0], s[1], s[2]) for s in starts]


def _tickets(count: int) -> Any:
    """A counter for each of so many sums, of 32 bits: one of 64 is read and written until nobody came between."""
    return numba_cuda().to_device(np.zeros(count, np.uint32))


def _span(array: Any) -> Span:
    """Where an array on the device lies; one of Numba's simulator, in the memory of the host."""
    begin = int(array.ctypes.data if simulated() else array.device_ctypes_pointer.value)
    return begin, begin + math.prod(array.shape) * array.dtype.itemsize


def _meet(some: tuple[Span, ...], others: tuple[Span, ...]) -> bool:
    return any(a[0] < b[1] and b[0] < a[1] for a in some for b in others)
