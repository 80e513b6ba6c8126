"""An emitted CUDA module in memory: its kernels compiled for the device at hand, its arrays there, its results here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.cuda_feed import checked, in_bytes
from symdl.compilation.cuda_graphs import Graph, one_by_one
from symdl.compilation.cuda_launches import Launch
from symdl.compilation.cuda_models import Layout
from symdl.compilation.devices import free_memory, numba_cuda, simulated
from symdl.compilation.runtime import Program
from symdl.compilation.targets.cuda_helpers import THREADS
from symdl.compilation.targets.cuda_vectors import VECTOR
from symdl.core.pauses import collection_paused
from symdl.errors import BudgetError

Array = npt.NDArray[Any]
#: Threads of a block in Numba's simulator, where each one is a thread of the operating system.
SIMULATED = 4
#: Blocks for each multiprocessor where none waits for another.
MANY = 16
#: Threads of a block where each thread has one vector: an H100 moves 2,900 GB/s of mish so, 2,760 by blocks that loop.
FEW = 256
#: Bytes of shared memory that a kernel has unasked.
ORDINARY = 48 * 1024


def threads_of_a_block() -> int:
    """On the device at hand."""
    return SIMULATED if simulated() else THREADS


@dataclass(frozen=True)
class CudaProgram(Program):
    """A loaded CUDA module; `scope` says whether a block or a grid runs it, `free` which functions never wait,
    `spread` which of them any number of threads can run."""

    scope: str = "block"
    free: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()
    layout: Layout | None = None
    threads: int = field(default_factory=threads_of_a_block)
    products: str = "exact"

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def work_size(self, name: str, arrays: Mapping[str, Array]) -> int | None:
        return None

    def call(self, name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Run a function on prepared arguments; `shapes` are those of its outputs.

        Raises:
            BudgetError: the device has less memory left than that needs; nothing was sent.
        """
        self._check_room(name, arrays, shapes)
        held = self.hold(name, arrays, shapes)
        held.run()
        return held.results()

    def _check_room(self, name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> None:
        inputs, size = [arrays[n] for n in self.functions[name].inputs], np.dtype(self.dtype).itemsize
        needed = {
            "inputs": sum(np.asarray(a).nbytes for a in inputs),
            "outputs": size * sum(math.prod(shapes[n]) for n in self.functions[name].outputs),
            "work": size * int(self.space[f"{name}_size"](*inputs)),
        }
        if sum(needed.values()) > (free := free_memory()):
            raise BudgetError(
                f"{name} needs {in_bytes(sum(needed.values()))} of the GPU's memory",
                where="target 'cuda'",
                why=f"{in_bytes(free)} are free; {', '.join(f'{n} {in_bytes(v)}' for n, v in needed.items())}",
                remedy="pass fewer rows at a time, or compile with dtype='float32'",
            )

    def hold(self, name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> Held:
        """A function with its arguments on the device, to be run as often as is wanted."""
        signature = self.functions[name]
        inputs = [arrays[n] for n in signature.inputs]
        sizes = np.array([*self.space[f"{name}_extents"](*inputs), 0], np.int64)
        results = {n: self.empty(math.prod(shapes[n])) for n in signature.outputs}
        given = [numba_cuda().to_device(sizes), *(sent(a) for a in inputs), *results.values()]
        given.append(self.empty(int(self.space[f"{name}_size"](*inputs))))
        return Held(self, name, tuple(given), results, dict(shapes))

    def launches_of(self, name: str, given: tuple[Any, ...]) -> list[Launch]:
        """What runs a function on arguments that `hold` brought to the device, in order."""
        put = self.launcher(f"{name}_kernel", *given)
        return [Launch(name, lambda stream, number: put(stream), (), ())]

    def empty(self, size: int) -> Any:
        """An array of so many numbers on the device, of one at least."""
        cuda = numba_cuda()

        return cuda.device_array(max(checked(size), 1), self.dtype)

    def launch(self, kernel: str, *arguments: Any, blocks: int = 1, shared: int = 0, threads: int = 0) -> None:
        """Run a kernel with `meet` and these arguments, by one block (of each model) or by the whole device.

        `threads` are those of a block, where they are not the program's.
        """
        self.launcher(kernel, *arguments, blocks=blocks, shared=shared, threads=threads)(0)
        numba_cuda().synchronize()

    def launcher(
        self, kernel: str, *arguments: Any, blocks: int = 1, shared: int = 0, threads: int = 0
    ) -> Callable[[Any], None]:
        """What puts a kernel on a stream as often as it is called (see `launch`)."""
        cuda, threads = numba_cuda(), threads or self.threads
        if self.scope == "grid":
            blocks, threads = self._grid(kernel.removesuffix("_kernel"), arguments)
        given = (cuda.device_array(max(blocks, 1), np.float64), *arguments)

        def launch(stream: Any) -> None:
            with collection_paused():
                if shared > ORDINARY and not simulated():
                    _allow(self.space[kernel], given, shared)
                self.space[kernel][blocks, threads, stream, shared](*given)

        return launch

    def _grid(self, function: str, arguments: tuple[Any, ...]) -> tuple[int, int]:
        """How many blocks run a function, and of how many threads."""
        if function not in self.free:
            return grid_blocks(), self.threads
        if function not in self.spread or simulated():
            return grid_blocks() * MANY, self.threads
        threads = min(self.threads, FEW)
        entries = max((np.size(a) for a in arguments), default=1)
        vector = VECTOR // np.dtype(self.dtype).itemsize
        return max(-(-entries // (threads * vector)), 1), threads


@dataclass(frozen=True)
class Held:
    """A function of a program with its arguments on the device."""

    program: CudaProgram
    name: str
    given: tuple[Any, ...]
    outputs: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def _launches(self) -> list[Launch]:
        return self.program.launches_of(self.name, self.given)

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self._launches, numba_cuda().stream())

    def run(self) -> None:
        """Compute the outputs, and wait for them; from the second time on by a graph, without Numba."""
        if "_launches" in self.__dict__ and not simulated():
            self._graph.launch()
            self._graph.wait()
            return
        with collection_paused():
            one_by_one(self._launches)
        numba_cuda().synchronize()

    def results(self) -> dict[str, Array]:
        """The outputs as they are on the device."""
        found = {n: r.copy_to_host() for n, r in self.outputs.items()}
        return {n: a[: math.prod(self.shapes[n])].reshape(self.shapes[n]) for n, a in found.items()}


def sent(value: Any) -> Any:
    """An argument for a kernel: a number as it is, an array flat on the device."""
    checked(np.size(value))
    return numba_cuda().to_device(np.ascontiguousarray(value).reshape(-1)) if isinstance(value, np.ndarray) else value


def _allow(kernel: Any, arguments: tuple[Any, ...], shared: int) -> None:
    """Let a kernel have more shared memory than any kernel has unasked."""
    driver = numba_cuda().cudadrv.driver
    compiled = kernel.compile(tuple(kernel.typeof_pyval(a) for a in arguments))
    function = compiled._codelibrary.get_cufunc()
    attribute = driver.binding.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    driver.driver.cuKernelSetAttribute(attribute, shared, function.handle, function.device.id)


def multiprocessors() -> int:
    return 2 if simulated() else int(numba_cuda().get_current_device().MULTIPROCESSOR_COUNT)


def grid_blocks() -> int:
    """Blocks of a grid whose threads wait for each other: as many as run at the same time."""
    return 1 if simulated() else multiprocessors()  # the simulator runs one block after the other


def shared_memory() -> int:
    """Bytes of shared memory that one block can have."""
    return 2**15 if simulated() else int(numba_cuda().get_current_device().MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)
