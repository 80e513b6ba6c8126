"""Training on a GPU, launch by launch: parameters and states are sent once and stay there, and so do data that fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.cuda_feed import Feed, Needs, row_bytes, row_length
from symdl.compilation.cuda_models import Batch, Layout, Memory
from symdl.compilation.cuda_runtime import CudaProgram, multiprocessors, sent, shared_memory
from symdl.compilation.devices import free_memory, numba_cuda
from symdl.compilation.runtime import EpochSignature, Training
from symdl.compilation.targets.cuda_helpers import THREADS
from symdl.compilation.targets.cuda_sized import THREADS as SIZED_THREADS
from symdl.compilation.targets.cuda_sized_epoch import KERNEL, SIZE

Array = npt.NDArray[Any]
#: Blocks that work at the same time on a multiprocessor, where models are not in shared memory.
AT_ONCE = 4
#: Bytes that sums of teams take in the loop with lengths in its code.
RESERVED_SIZED = 8 * 32 + 1024
#: Bytes that a block's shared memory holds beside what a model needs.
RESERVED = 8 * THREADS + 1024


@dataclass(frozen=True)
class TrainingProgram(CudaProgram):
    """A CUDA program with a training loop.

    Args:
        general: whether that for any lengths makes all steps.
        chunk: rows of data that are sent at a time, whatever fits; 0 where that decides.
    """

    general: bool = False
    chunk: int = 0

    def run_loop(
        self,
        function: str,
        arrays: Mapping[str, Array],
        states: Mapping[tuple[str, str], Array],
        hyper: Mapping[str, float],
        order: npt.NDArray[np.int64],
        batch_size: int,
        first_step: int,
    ) -> tuple[int, Array]:
        """Run "epoch", for any lengths, or "epoch_sized" (see `Program.run_loop`)."""
        program = replace(self, general=function == "epoch")
        return program.run_epoch(arrays, states, hyper, order, batch_size, first_step)

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
        session = self.training(arrays, states, hyper, len(order), batch_size, first_step)
        done, losses = session.epoch(order[None])
        session.finish()
        return int(done[0]), losses[0, : min(int(done[0]) + 1, losses.shape[1])]

    def training(
        self,
        arrays: Mapping[str, Array],
        states: Mapping[tuple[str, str], Array],
        hyper: Mapping[str, float],
        rows: int,
        batch_size: int,
        first_step: int,
    ) -> Training:
        """One model in training on so many rows an epoch; `finish` changes its parameters and states in place."""
        assert self.epoch is not None and self.layout is not None
        batch = Batch(
            {p: arrays[p][None] for p in self.epoch.parameters},
            {s: states[s][None] for s in self.epoch.states},
            {n: np.array([arrays[n]]) for n in self.layout.numbers},
            {h: np.array([hyper[h]], np.float64) for h in self.epoch.hyper},
        )
        return self.session(arrays, batch, rows, batch_size, first_step)

    def session(
        self, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int, first_step: int = 0
    ) -> Training:
        """Models in training on the device; arguments as for `Session`."""
        return Session(self, arrays, batch, rows, batch_size, first_step)

    def needs(self, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int) -> Needs:
        """What the device has to hold: data, the models, and what they need while they are trained."""
        assert self.epoch is not None
        made, models = geometry(self, arrays, batch, rows, batch_size), batch.models
        size = np.dtype(self.dtype).itemsize
        data = [arrays[n] for n in self.epoch.data]
        parts = {
            "other inputs": sum(np.asarray(arrays[n]).nbytes for n in self.epoch.fixed),
            "models": made.plan.kept * models * size,
            "work": (made.scratch * size) + 8 * made.plan.whole * made.blocks,
            "losses": -(-rows // batch_size) * models * size,
        }
        stored = max(len(a) for a in data)
        return Needs(models, parts, row_bytes(data), stored, rows * models, max(a.size for a in data))

    def at_once(self, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int) -> int:
        """How many of the models the device can hold at the same time; at least one, which is told what it lacks."""
        free = free_memory()

        def fits(models: int) -> bool:
            return sum(self.needs(arrays, batch.some(0, models), rows, batch_size).whole.values()) <= free

        if fits(batch.models):
            return batch.models
        least, most = 1, batch.models
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if fits(middle) else (least, middle)
        return least


@dataclass(frozen=True)
class Geometry:
    """How models are launched.

    Args:
        plan: where everything of one model lies.
        sized: bytes of shared memory for the loop with lengths in its code; 0 where it is not for these lengths.
        shared: bytes of shared memory for the general one; 0 where it has none.
        blocks: of a launch.
        scratch: numbers of memory of the device that models work in, beside each other.
    """

    plan: Memory
    sized: int
    shared: int
    blocks: int
    scratch: int


def geometry(
    program: TrainingProgram, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int
) -> Geometry:
    """For so many rows in batches of that size."""
    plan = memory(program, arrays, batch, rows, batch_size)
    wanted = plan.total * np.dtype(program.dtype).itemsize
    shared = wanted if program.scope == "block" and wanted + RESERVED <= shared_memory() else 0
    blocks = batch.models if shared else min(batch.models, AT_ONCE * multiprocessors())
    scratch = 0 if shared else plan.total * (1 if program.scope == "grid" else blocks)
    return Geometry(plan, _room(program, arrays, batch, rows, batch_size), shared, blocks, scratch)


def _room(program: TrainingProgram, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int) -> int:
    """Bytes of shared memory for the loop with lengths in its code."""
    one = {**arrays, **{p: a[0] for p, a in batch.parameters.items()}}
    if rows < batch_size or not program.is_sized(one, batch_size) or program.general:
        return 0
    wanted: int = program.space[SIZE]() * np.dtype(program.dtype).itemsize
    return wanted if wanted + RESERVED_SIZED <= shared_memory() else 0


class Session:
    """Models in training: `epoch` goes on with all of them, `finish` fetches what became of them.

    Args:
        program: with a training loop.
        arrays: data and what is fixed, by name; the same for all models.
        batch: the models; their arrays are changed by `finish`.
        rows: how many rows an epoch uses.
        batch_size: rows of a step.
        first_step: how many steps were made before.

    Raises:
        BudgetError: the device has less memory left than this needs; says both.
    """

    def __init__(
        self,
        program: TrainingProgram,
        arrays: Mapping[str, Array],
        batch: Batch,
        rows: int,
        batch_size: int,
        first_step: int = 0,
    ) -> None:
        assert program.epoch is not None and program.layout is not None
        cuda = numba_cuda()
        self.program, self.batch, self.first_step = program, batch, first_step
        self.signature: EpochSignature = program.epoch
        self.layout: Layout = program.layout
        made = geometry(program, arrays, batch, rows, batch_size)
        self.plan, self.sized, self.shared, self.blocks = made.plan, made.sized, made.shared, made.blocks
        self.steps = -(-rows // batch_size)
        chunk = program.needs(arrays, batch, rows, batch_size).chunk(batch_size, batch.models == 1, program.chunk)
        #: Sends data; None where all of it is there.
        self.feed = Feed(arrays, self.signature.data, chunk) if chunk else None
        self.stream: Any = cuda.stream() if self.feed else 0
        models, dtype = batch.models, program.dtype
        self.home, self.wide = cuda.to_device(self.plan.packed(batch, dtype)), cuda.to_device(self.plan.wide(batch))
        self.losses = cuda.device_array(models * self.steps, dtype)
        self.done, self.broken = (cuda.to_device(np.zeros(models, np.int64)) for _ in range(2))
        fixed = (n for n in self.signature.fixed if n not in self.layout.numbers)
        there = () if self.feed else self.signature.data
        self.given = {n: sent(arrays[n]) for n in (*there, *fixed)}
        #: The order of the rows of a chunk: they are sent in the order in which they are used.
        self.along = cuda.to_device(np.arange(chunk)) if self.feed else None
        self.numbers = cuda.to_device(columns(batch.numbers, self.layout.numbers, dtype))
        self.settings = columns(batch.hyper, self.signature.hyper, "float64")
        self.hyper = cuda.to_device(self.settings)
        self.space = [] if self.shared else [program.empty(made.scratch)]
        self.whole = cuda.device_array(max(self.plan.whole * self.blocks, 1), np.int64)
        self.before = np.zeros(models, np.int64)
        self.placed: dict[tuple[int, int], tuple[Any, ...]] = {}

    def epoch(self, orders: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Array]:
        """One epoch of every model that has not stopped.

        Args:
            orders: the rows in the order in which they are used: one line for all models, or one for each.

        Returns:
            How many steps each model completed, and the losses, a line for each model.
        """
        settings = columns(self.batch.hyper, self.signature.hyper, "float64")
        if (settings != self.settings).any():
            self.settings = settings
            self.hyper.copy_to_device(settings)
        if self.feed is not None:
            for place, start, count in self.feed.chunks(orders[0], self.stream):
                first = start // self.plan.batch_size
                self._some(self.feed.places[place], self.along, 0, count, self.losses[first:])
        else:
            orders = np.ascontiguousarray(orders)
            given = numba_cuda().to_device(orders.reshape(-1))
            self._some({}, given, orders.shape[1] if len(orders) > 1 else 0, self.plan.rows, self.losses)
        numba_cuda().synchronize()
        done = self.done.copy_to_host()
        completed, self.before = done - self.before, done
        return completed, self.losses.copy_to_host().reshape(self.batch.models, self.steps)

    def _some(self, data: Mapping[str, Any], order: Any, step: int, rows: int, losses: Any) -> None:
        """Steps on so many rows; `step`: how far the order of a model is from that of the next one."""
        given = [*data.values(), *self.given.values()]
        whole = rows // self.plan.batch_size if self.sized else 0
        if whole:
            self._whole_steps(given, order, step, whole, losses)
        if whole * self.plan.batch_size < rows:
            behind = whole * self.plan.batch_size
            self._any_steps(given, order[behind:], step, rows - behind, losses[whole:])

    def _whole_steps(self, given: list[Any], order: Any, step: int, count: int, losses: Any) -> None:
        """So many steps of whole batches, with lengths in the code."""
        self._launch(
            KERNEL,
            *(self.batch.models, count, step, self.steps, order, self.first_step),
            *(*given, self.numbers, self.home, self.whole, self.wide, self.hyper),
            *(losses, self.broken, self.done),
            shared=self.sized,
            threads=min(self.program.threads, SIZED_THREADS),
        )

    def _any_steps(self, given: list[Any], order: Any, step: int, rows: int, losses: Any) -> None:
        """The steps on so many rows, with any lengths."""
        self._launch(
            "train_shared_kernel" if self.shared else "train_kernel",
            *self._places(rows, step),
            *(order, self.first_step),
            *(*given, self.numbers, self.home, *self.space, self.whole, self.wide, self.hyper),
            *(losses, self.broken, self.done),
            shared=self.shared,
        )

    def _places(self, rows: int, step: int) -> tuple[Any, ...]:
        """Where everything lies, on the device: sent once, since sending waits for what is being done."""
        if (rows, step) not in self.placed:
            starts = self.plan.starts
            starts[0] = rows
            found = (self.plan.sizes, starts, self.plan.steps(self.batch, self.steps, step))
            self.placed[rows, step] = tuple(map(numba_cuda().to_device, found))
        return self.placed[rows, step]

    def _launch(self, kernel: str, *arguments: Any, **options: int) -> None:
        """Put a kernel on the stream."""
        self.program.launcher(kernel, *arguments, blocks=self.blocks, **options)(self.stream)

    def renew(self, arrays: Mapping[str, Array], names: Iterable[str]) -> None:
        """Send data again that has changed, or note where it is."""
        for name in names:
            if self.feed is not None and name in self.feed.arrays:
                self.feed.arrays[name] = arrays[name]
                continue
            self.given[name].copy_to_device(np.ascontiguousarray(arrays[name]).reshape(-1))

    def finish(self) -> None:
        """Put what became of the models into the arrays of the batch."""
        home = self.home.copy_to_host().reshape(self.batch.models, -1)
        self.plan.unpack(home, self.wide.copy_to_host(), self.before, self.batch)


def columns(values: Mapping[str, Array], names: tuple[str, ...], dtype: str) -> Array:
    """One line of numbers for each model, flat; one number where there are none."""
    if not names:
        return np.zeros(1, dtype)
    return np.ascontiguousarray(np.stack([values[n] for n in names], axis=1), dtype).ravel()


def memory(program: CudaProgram, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int) -> Memory:
    """Where everything of one model lies, for batches of that size and what is left of the rows."""
    epoch, layout, signature = program.epoch, program.layout, program.functions["gradient"]
    assert epoch is not None and layout is not None
    one = {p: a[0] for p, a in batch.parameters.items()}

    def inputs(count: int) -> list[Any]:
        """The arguments of `gradient`, for their shapes."""
        cut = {n: np.broadcast_to(arrays[n][:1], (count, *arrays[n].shape[1:])) for n in epoch.data}
        return [cut.get(n, one.get(n, arrays.get(n))) for n in signature.inputs]

    of = {g: p for p, g in program.gradients.items()}
    lengths: dict[str, int] = {}
    for part in layout.parts:
        if part in layout.pairs:
            lengths[part] = one[part.partition(".")[0]].size
        elif part == "work":
            lengths[part] = int(program.space["gradient_size"](*inputs(batch_size)))
        elif part in signature.outputs:
            lengths[part] = one[of[part]].size if part in of else 1
        else:
            lengths[part] = batch_size * row_length(arrays[part])
    last = rows - (-(-rows // batch_size) - 1) * batch_size
    return Memory(
        layout,
        epoch.states,
        lengths,
        {n: batch_size * row_length(arrays[n]) for n in layout.whole},
        [program.space["gradient_extents"](*inputs(count)) for count in (batch_size, last)],
        rows,
        batch_size,
        tuple(row_length(arrays[n]) for n in epoch.data),
    )
