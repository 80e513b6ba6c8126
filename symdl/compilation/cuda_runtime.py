"""An emitted CUDA module in memory: its kernels compiled for the device at hand, its arrays there, its results here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.devices import numba_cuda, simulated
from symdl.compilation.runtime import Program
from symdl.core.pauses import collection_paused

Array = npt.NDArray[Any]
#: Threads of a block, on a device and in Numba's simulator, where each one is a thread of the operating system.
THREADS, SIMULATED = 256, 4
#: Models that one launch of many blocks works on at a time, for each multiprocessor.
AT_ONCE = 8
#: Bytes of shared memory that a kernel has unasked.
ORDINARY = 48 * 1024
#: Bytes that a block's shared memory holds beside what a model needs.
RESERVED = 8 * THREADS + 1024


@dataclass(frozen=True)
class Layout:
    """What the memory of a model holds (see `targets.cuda.CudaLayout`)."""

    pairs: tuple[str, ...]
    parts: tuple[str, ...]
    whole: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Models that are trained beside each other: each array has one more axis, of models, in front.

    Args:
        parameters: by name; changed in place.
        states: of the optimiser by (parameter, state); changed in place.
        numbers: inputs that are numbers, by name.
        hyper: of the optimiser, by name.
        orders: rows in the order in which they are used, int64; one line for all models, or one for each.
    """

    parameters: Mapping[str, Array]
    states: Mapping[tuple[str, str], Array]
    numbers: Mapping[str, Array]
    hyper: Mapping[str, Array]
    orders: npt.NDArray[np.int64]

    @property
    def models(self) -> int:
        return len(next(iter(self.parameters.values())))


@dataclass(frozen=True)
class CudaProgram(Program):
    """A loaded CUDA module; `scope` says whether a block or a grid runs it."""

    scope: str = "block"
    layout: Layout | None = None
    threads: int = field(default_factory=lambda: SIMULATED if simulated() else THREADS)

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Run a function on prepared arguments; `shapes` are those of its outputs."""
        cuda = numba_cuda()

        signature = self.functions[name]
        inputs = [arrays[n] for n in signature.inputs]
        size = int(self.space[f"{name}_size"](*inputs))
        sizes = np.array([*self.space[f"{name}_extents"](*inputs), 0], np.int64)
        results = {n: self._empty(int(np.prod(shapes[n], dtype=np.int64))) for n in signature.outputs}
        given = [sent(a) for a in inputs]
        self._launch(f"{name}_kernel", cuda.to_device(sizes), *given, *results.values(), self._empty(size))
        return {n: r.copy_to_host()[: int(np.prod(shapes[n]))].reshape(shapes[n]) for n, r in results.items()}

    def _empty(self, size: int) -> Any:
        cuda = numba_cuda()

        return cuda.device_array(max(size, 1), self.dtype)

    def _launch(self, kernel: str, *arguments: Any, blocks: int = 1, shared: int = 0) -> None:
        """Run a kernel with `meet` and these arguments, by one block (of each model) or by the whole device."""
        cuda = numba_cuda()

        if self.scope == "grid":
            blocks = grid_blocks()
        meet = cuda.device_array(max(blocks, 1), np.float64)
        with collection_paused():
            if shared > ORDINARY and not simulated():
                _allow(self.space[kernel], (meet, *arguments), shared)
            self.space[kernel][blocks, self.threads, 0, shared](meet, *arguments)
        cuda.synchronize()

    # ── training ─────────────────────────────────────────────────────────────────────────────────────────────────

    def run_epoch(
        self,
        arrays: Mapping[str, Array],
        states: Mapping[tuple[str, str], Array],
        hyper: Mapping[str, float],
        order: npt.NDArray[np.int64],
        batch_size: int,
        first_step: int,
    ) -> tuple[int, Array]:
        """Train one model on the rows `order`, in place (see `Program.run_epoch`)."""
        assert self.epoch is not None and self.layout is not None
        batch = Batch(
            {p: arrays[p][None] for p in self.epoch.parameters},
            {s: states[s][None] for s in self.epoch.states},
            {n: np.array([arrays[n]]) for n in self.layout.numbers},
            {h: np.array([hyper[h]]) for h in self.epoch.hyper},
            order[None],
        )
        done, losses = self.run_many(arrays, batch, batch_size, first_step)
        return int(done[0]), losses[0, : min(int(done[0]) + 1, losses.shape[1])]

    def run_many(
        self, arrays: Mapping[str, Array], batch: Batch, batch_size: int, first_step: int
    ) -> tuple[npt.NDArray[np.int64], Array]:
        """Train models beside each other on the rows that each one's order says, in place.

        Args:
            arrays: data and what is fixed, by name; the same for all models.
            batch: the models.
            batch_size: rows of a step.
            first_step: how many steps were made before.

        Returns:
            How many steps each model completed, and the loss of each step that it began.
        """
        cuda = numba_cuda()

        assert self.epoch is not None and self.layout is not None
        plan = self._memory(arrays, batch, batch_size)
        steps = -(-batch.orders.shape[1] // batch_size)
        home = cuda.to_device(plan.packed(batch, self.dtype))
        wide = cuda.to_device(plan.wide(batch))
        losses = cuda.device_array(batch.models * steps, self.dtype)
        done = cuda.device_array(batch.models, np.int64)
        shared = plan.total * np.dtype(self.dtype).itemsize
        fits = self.scope == "block" and shared + RESERVED <= shared_memory()
        blocks = batch.models if fits else min(batch.models, AT_ONCE * multiprocessors())
        self._launch(
            "train_shared_kernel" if fits else "train_kernel",
            *(cuda.to_device(a) for a in (plan.sizes, plan.starts, plan.steps(batch, steps))),
            cuda.to_device(np.ravel(batch.orders)),
            first_step,
            *(sent(arrays[n]) for n in self.epoch.data),
            *(sent(arrays[n]) for n in self.epoch.fixed if n not in self.layout.numbers),
            cuda.to_device(_columns(batch.numbers, self.layout.numbers, batch.models, self.dtype)),
            home,
            *(() if fits else (self._empty(plan.total * (1 if self.scope == "grid" else blocks)),)),
            cuda.device_array(max(plan.whole * blocks, 1), np.int64),
            wide,
            cuda.to_device(_columns(batch.hyper, self.epoch.hyper, batch.models, "float64")),
            losses,
            cuda.to_device(np.zeros(batch.models, np.int64)),
            done,
            blocks=blocks,
            shared=shared if fits else 0,
        )
        completed = done.copy_to_host()
        plan.unpack(home.copy_to_host().reshape(batch.models, -1), wide.copy_to_host(), completed, batch)
        return completed, losses.copy_to_host().reshape(batch.models, steps)

    def _memory(self, arrays: Mapping[str, Array], batch: Batch, batch_size: int) -> Memory:
        assert self.epoch is not None and self.layout is not None
        rows = batch.orders.shape[1]
        last = rows - (-(-rows // batch_size) - 1) * batch_size
        one = {p: a[0] for p, a in batch.parameters.items()}
        signature = self.functions["gradient"]

        def inputs(count: int) -> list[Any]:
            """The arguments of `gradient`, for their shapes."""
            cut = {n: arrays[n][:1].repeat(count, axis=0) for n in self.epoch.data} if self.epoch else {}
            return [cut.get(n, one.get(n, arrays.get(n))) for n in signature.inputs]

        of = {g: p for p, g in self.gradients.items()}
        extents = [self.space["gradient_extents"](*inputs(count)) for count in (batch_size, last)]
        lengths: dict[str, int] = {}
        for part in self.layout.parts:
            parameter, _, _ = part.partition(".")
            if part in self.layout.pairs:
                lengths[part] = one[parameter].size
            elif part == "work":
                lengths[part] = int(self.space["gradient_size"](*inputs(batch_size)))
            elif part in signature.outputs:
                lengths[part] = one[of[part]].size if part in of else 1
            else:
                lengths[part] = batch_size * _row(arrays[part])
        whole = {n: batch_size * _row(arrays[n]) for n in self.layout.whole}
        return Memory(
            self.layout,
            self.epoch.states,
            lengths,
            whole,
            extents,
            rows,
            batch_size,
            tuple(_row(arrays[n]) for n in self.epoch.data),
        )


def _row(array: Array) -> int:
    return int(np.prod(array.shape[1:], dtype=np.int64))


def _columns(values: Mapping[str, Array], names: tuple[str, ...], models: int, dtype: str) -> Array:
    """One line of numbers for each model, flat; one number where there are none."""
    if not names:
        return np.zeros(1, dtype)
    return np.ascontiguousarray(np.stack([values[n] for n in names], axis=1), dtype).ravel()


@dataclass(frozen=True)
class Memory:
    """Where everything lies that one model changes."""

    layout: Layout
    states: tuple[tuple[str, str], ...]
    lengths: Mapping[str, int]
    lengths_of_whole: Mapping[str, int]
    extents: list[list[int]]
    rows: int
    batch_size: int
    row_lengths: tuple[int, ...]

    def _spans(self) -> Iterator[tuple[str, int, int]]:
        """Each part with where it begins and its length; pairs take twice as much."""
        end = 0
        for part in self.layout.parts:
            yield part, end, self.lengths[part]
            end += self.lengths[part] * (2 if part in self.layout.pairs else 1)

    @property
    def total(self) -> int:
        """Numbers of `space`."""
        return sum(n * (2 if p in self.layout.pairs else 1) for p, n in self.lengths.items()) or 1

    @property
    def kept(self) -> int:
        """Numbers that outlive a launch: they stand first."""
        return sum(2 * self.lengths[p] for p in self.layout.pairs)

    @property
    def whole(self) -> int:
        return sum(self.lengths_of_whole.values())

    @property
    def sizes(self) -> Array:
        return np.array([*self.extents[0], *self.extents[1], 0], np.int64)

    @property
    def starts(self) -> Array:
        spans = list(self._spans())
        places = [at for _, at, _ in spans]
        end = 0
        for name in self.layout.whole:
            places.append(end)
            end += self.lengths_of_whole[name]
        lengths = [n for _, _, n in spans] + [self.lengths_of_whole[n] for n in self.layout.whole]
        head = [self.rows, self.batch_size, len(self.extents[0])]
        return np.array([*head, *places, *lengths, *self.row_lengths], np.int64)

    def steps(self, batch: Batch, losses: int) -> Array:
        """How far the arrays of one model are from those of the next (see `targets.cuda.STEPS`)."""
        numbers = len(self.layout.numbers)
        order = batch.orders.shape[1] if len(batch.orders) > 1 else 0
        wide = 2 * len(self._of_the_step())
        scratch = self.total
        return np.array(
            [batch.models, order, numbers, self.kept, scratch, self.whole, wide, len(batch.hyper), losses], np.int64
        )

    def _of_the_step(self) -> list[tuple[str, str]]:
        return [(p, s) for p, s in self.states if not p]

    def _value(self, batch: Batch, part: str) -> Array:
        parameter, dot, state = part.partition(".")
        return batch.states[parameter, state] if dot else batch.parameters[parameter]

    def packed(self, batch: Batch, dtype: str) -> Array:
        """What outlives a launch, one line after the other, flat."""
        made = np.zeros((batch.models, max(self.kept, 1)), dtype)
        for part, at, length in self._spans():
            if part in self.layout.pairs:
                made[:, at : at + length] = self._value(batch, part).reshape(batch.models, -1)
        return made.ravel()

    def wide(self, batch: Batch) -> Array:
        """The states of the step, in pairs."""
        keys = self._of_the_step()
        if not keys:
            return np.zeros(1)
        return np.stack([batch.states[k].reshape(-1) for k in keys for _ in range(2)], axis=1).astype(float).ravel()

    def unpack(self, found: Array, wide: Array, done: Array, batch: Batch) -> None:
        """Put what a launch left into the arrays of the batch: the half that the last completed step wrote."""
        half = done % 2
        models = np.arange(batch.models)
        for part, at, length in self._spans():
            if part in self.layout.pairs:
                pair = found[:, at : at + 2 * length].reshape(batch.models, 2, length)
                value = self._value(batch, part)
                value[...] = pair[models, half].reshape(value.shape)
        for k, key in enumerate(self._of_the_step()):
            pairs = wide.reshape(batch.models, -1, 2)
            value = batch.states[key]
            value[...] = pairs[models, k, half].reshape(value.shape)


def sent(value: Any) -> Any:
    """An argument for a kernel: a number as it is, an array flat on the device."""
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


def load_source(source: str, path: str, key: str) -> dict[str, Any]:
    """Run a module's source under the name of its file; its kernels are compiled when they are first launched."""
    module = ModuleType(f"symdl_compiled_{key}")
    module.__file__ = path
    sys.modules[module.__name__] = module
    with collection_paused():
        exec(compile(source, path, "exec"), module.__dict__)
    return module.__dict__
