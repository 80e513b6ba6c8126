"""Training on a GPU, launch by launch: data, parameters and states are sent once and stay there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.cuda_models import Batch, Layout, Memory
from symdl.compilation.cuda_runtime import CudaProgram, multiprocessors, sent, shared_memory
from symdl.compilation.devices import free_memory, numba_cuda
from symdl.compilation.runtime import EpochSignature, Training
from symdl.compilation.targets.cuda_helpers import THREADS
from symdl.compilation.targets.cuda_sized import THREADS as SIZED_THREADS
from symdl.compilation.targets.cuda_sized_epoch import KERNEL, SIZE
from symdl.errors import BudgetError

Array = npt.NDArray[Any]
#: Blocks that work at the same time on a multiprocessor, where models are not in shared memory.
AT_ONCE = 4
#: Bytes that sums of teams take in the loop with lengths in its code.
RESERVED_SIZED = 8 * 32 + 1024
#: Bytes that a block's shared memory holds beside what a model needs.
RESERVED = 8 * THREADS + 1024


@dataclass(frozen=True)
class TrainingProgram(CudaProgram):
    """A CUDA program with a training loop; `general`: that for any lengths only."""

    general: bool = False

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
        self.plan = memory(program, arrays, batch, rows, batch_size)
        self.steps = -(-rows // batch_size)
        wanted = self.plan.total * np.dtype(program.dtype).itemsize
        self.sized = self._room(arrays, rows, batch_size)
        self.shared = wanted if program.scope == "block" and wanted + RESERVED <= shared_memory() else 0
        self.blocks = batch.models if self.shared else min(batch.models, AT_ONCE * multiprocessors())
        self.scratch = 0 if self.shared else self.plan.total * (1 if program.scope == "grid" else self.blocks)
        self._check_memory(arrays)
        models, dtype = batch.models, program.dtype
        self.home, self.wide = cuda.to_device(self.plan.packed(batch, dtype)), cuda.to_device(self.plan.wide(batch))
        self.losses = cuda.device_array(models * self.steps, dtype)
        self.done, self.broken = (cuda.to_device(np.zeros(models, np.int64)) for _ in range(2))
        fixed = (n for n in self.signature.fixed if n not in self.layout.numbers)
        self.given = {n: sent(arrays[n]) for n in (*self.signature.data, *fixed)}
        self.numbers = cuda.to_device(columns(batch.numbers, self.layout.numbers, dtype))
        self.settings = columns(batch.hyper, self.signature.hyper, "float64")
        self.hyper = cuda.to_device(self.settings)
        self.space = [] if self.shared else [program.empty(self.scratch)]
        self.whole = cuda.device_array(max(self.plan.whole * self.blocks, 1), np.int64)
        self.before = np.zeros(models, np.int64)

    def _room(self, arrays: Mapping[str, Array], rows: int, batch_size: int) -> int:
        """Bytes of shared memory for the loop with lengths in its code; 0 where it is not for these lengths."""
        one = {**arrays, **{p: a[0] for p, a in self.batch.parameters.items()}}
        if rows < batch_size or not self.program.is_sized(one, batch_size) or self.program.general:
            return 0
        wanted: int = self.program.space[SIZE]() * np.dtype(self.program.dtype).itemsize
        return wanted if wanted + RESERVED_SIZED <= shared_memory() else 0

    def bytes_needed(self, arrays: Mapping[str, Array]) -> dict[str, int]:
        """What the device has to hold: data, the models, and what they need while they are trained."""
        size, models = np.dtype(self.program.dtype).itemsize, self.batch.models
        return {
            "data": sum(np.asarray(arrays[n]).nbytes for n in (*self.signature.data, *self.signature.fixed)),
            "models": self.plan.kept * models * size,
            "work": (self.scratch * size) + 8 * self.plan.whole * self.blocks,
            "order": 8 * self.plan.rows * models,
            "losses": self.steps * models * size,
        }

    def _check_memory(self, arrays: Mapping[str, Array]) -> None:
        check_memory(self.batch.models, self.bytes_needed(arrays))

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
        orders = np.ascontiguousarray(orders)
        given = numba_cuda().to_device(orders.reshape(-1))
        step = orders.shape[1] if len(orders) > 1 else 0
        whole = self._whole_steps(given, step) if self.sized else 0
        if whole < self.steps:
            self._any_steps(given, step, whole)
        done = self.done.copy_to_host()
        completed, self.before = done - self.before, done
        return completed, self.losses.copy_to_host().reshape(self.batch.models, self.steps)

    def _whole_steps(self, order: Any, step: int) -> int:
        """The steps of whole batches, with lengths in the code; how many there are."""
        whole: int = self.plan.rows // self.plan.batch_size
        self.program.launch(
            KERNEL,
            *(self.batch.models, whole, step, self.steps, order, self.first_step),
            *(*self.given.values(), self.numbers, self.home, self.whole, self.wide, self.hyper),
            *(self.losses, self.broken, self.done),
            blocks=self.blocks,
            shared=self.sized,
            threads=min(self.program.threads, SIZED_THREADS),
        )
        return whole

    def _any_steps(self, order: Any, step: int, whole: int) -> None:
        """The steps behind so many, with any lengths."""
        cuda = numba_cuda()
        steps = self.plan.steps(self.batch, self.steps, step)
        starts = self.plan.starts
        starts[0] -= whole * self.plan.batch_size
        self.program.launch(
            "train_shared_kernel" if self.shared else "train_kernel",
            *(cuda.to_device(a) for a in (self.plan.sizes, starts, steps)),
            *(order[whole * self.plan.batch_size :], self.first_step),
            *(*self.given.values(), self.numbers, self.home, *self.space, self.whole, self.wide, self.hyper),
            *(self.losses[whole:], self.broken, self.done),
            blocks=self.blocks,
            shared=self.shared,
        )

    def renew(self, arrays: Mapping[str, Array], names: Iterable[str]) -> None:
        """Send data again that has changed."""
        for name in names:
            self.given[name].copy_to_device(np.ascontiguousarray(arrays[name]).reshape(-1))

    def finish(self) -> None:
        """Put what became of the models into the arrays of the batch."""
        home = self.home.copy_to_host().reshape(self.batch.models, -1)
        self.plan.unpack(home, self.wide.copy_to_host(), self.before, self.batch)


def check_memory(models: int, needed: Mapping[str, int]) -> None:
    """Compare the bytes that training needs, by what for, with those that are free.

    Raises:
        BudgetError: the device has less memory left; says both.
    """
    free = free_memory()
    if (total := sum(needed.values())) > free:
        parts = ", ".join(f"{n} {v / 2**20:,.0f} MiB" for n, v in needed.items())
        raise BudgetError(
            f"training {models} model(s) needs {total / 2**30:,.2f} GiB of the GPU's memory",
            where="target 'cuda'",
            why=f"{free / 2**30:,.2f} GiB are free; {parts}",
            remedy="train fewer models at a time, take smaller batches or fewer rows, or dtype='float32'",
        )


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


def row_length(array: Array) -> int:
    """Numbers in one row of an array."""
    return int(np.prod(array.shape[1:], dtype=np.int64))
