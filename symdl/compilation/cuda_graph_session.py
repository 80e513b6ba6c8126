"""Training on a GPU by graphs of launches: what a large network is trained by (see `targets.cuda_graph_epoch`).

Everything stays on the device: parameters, states, and data where they fit. An epoch is a replay of one graph for each
whole batch, and of another for what is left of the rows. Data that don't fit come in chunks (see `cuda_feed`), and
there is a graph for each of the two places where a chunk may be. `home` holds the models as they were before the epoch;
one of them at a time is copied to where the graph works, and back, within the device: a model that is there already
stays. The host waits once for each epoch of a model, when it asks how far that came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation import cublas, cuda_graphs
from symdl.compilation.cuda_feed import Feed, Needs, row_bytes, row_length
from symdl.compilation.cuda_launches import Launch, Launches
from symdl.compilation.cuda_models import Batch
from symdl.compilation.cuda_runtime import CudaProgram, Held, multiprocessors, sent
from symdl.compilation.cuda_session import TrainingProgram
from symdl.compilation.devices import numba_cuda, simulated
from symdl.compilation.targets.cuda_graph_epoch import BEFORE, DONE, OVER, SKIPPED
from symdl.core.pauses import collection_paused

Array = npt.NDArray[Any]
#: Steps in one graph: between two graphs the device waits for some microseconds.
TOGETHER = 4
#: Parameters whose lengths are multiples of these stand first, so that they begin where lines of memory do.
ALIGNED = (64, 4)
#: Numbers that parameters and each of their states begin at multiples of.
LINE = 64


@dataclass(frozen=True)
class GraphProgram(TrainingProgram):
    """A loaded module whose functions launch kernels and products."""

    def hold(self, name: str, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> Held:
        """A function with its arguments on the device, to be run as often as is wanted."""
        signature = self.functions[name]
        inputs = [arrays[n] for n in signature.inputs]
        results = {n: self.empty(int(np.prod(shapes[n], dtype=np.int64))) for n in signature.outputs}
        work = self.empty(int(self.space[f"{name}_size"](*inputs)))
        extents = self.space[f"{name}_extents"](*inputs)
        given = (*extents, *(sent(a) for a in inputs), *results.values(), work)
        return Held(self, name, given, results, dict(shapes))

    def launches_of(self, name: str, given: tuple[Any, ...]) -> list[Launch]:
        run = self.launches()
        self.space[name](run, *given)
        return run.found

    def launches(self, spaces: dict[int, Any] | None = None) -> Launches:
        """What collects the launches of a function; `spaces`: memory for the library, by stream."""
        library = cublas.at_hand(self.dtype, self.products)
        return Launches(self.dtype, self.threads, multiprocessors(), library, spaces={} if spaces is None else spaces)

    def session(
        self, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int, first_step: int = 0
    ) -> GraphSession:
        return GraphSession(self, arrays, batch, rows, batch_size, first_step)

    def needs(self, arrays: Mapping[str, Array], batch: Batch, rows: int, batch_size: int) -> Needs:
        assert self.epoch is not None
        size, epoch = np.dtype(self.dtype).itemsize, self.epoch
        total = sum(a[0].size for a in batch.parameters.values())
        states = len({s for p, s in epoch.states if p})
        data = [arrays[n] for n in epoch.data]
        work = int(self.space["gradient_size"](*self.shaped(arrays, batch, batch_size)))
        parts = {
            "other inputs": sum(np.asarray(arrays[n]).nbytes for n in epoch.fixed),
            "models": (batch.models + 1) * (1 + states) * total * size,
            "gradient": total * size,
            "batch": batch_size * row_bytes(data),
            "work": work * size,
            "losses": size * -(-rows // batch_size),
        }
        stored = max(len(a) for a in data)
        return Needs(batch.models, parts, row_bytes(data), stored, rows, max(a.size for a in data))

    def shaped(self, arrays: Mapping[str, Array], batch: Batch, count: int) -> list[Any]:
        """The arguments of `gradient` for a batch of so many rows, for their shapes."""
        assert self.epoch is not None
        data = {n: np.broadcast_to(arrays[n][:1], (count, *arrays[n].shape[1:])) for n in self.epoch.data}
        one = {p: a[0] for p, a in batch.parameters.items()}
        numbers = {n: a[0] for n, a in batch.numbers.items()}
        known = {**arrays, **numbers, **one, **data}
        return [known[n] for n in self.functions["gradient"].inputs]


class GraphSession:
    """Models in training, one after the other; arguments and errors as for `cuda_session.Session`."""

    def __init__(
        self,
        program: GraphProgram,
        arrays: Mapping[str, Array],
        batch: Batch,
        rows: int,
        batch_size: int,
        first_step: int = 0,
    ) -> None:
        assert program.epoch is not None and program.layout is not None
        cuda = numba_cuda()
        self.program, self.batch, self.first_step = program, batch, first_step
        self.rows, self.batch_size, self.steps = rows, batch_size, -(-rows // batch_size)
        self.signature = program.epoch
        self.arrays = arrays
        one = {p: a[0] for p, a in batch.parameters.items()}
        #: The parameters as they stand in memory, each with where it begins.
        self.places = places({p: a.size for p, a in one.items()})
        self.total = sum(a.size for a in one.values())
        self.states = list(dict.fromkeys(s for p, s in self.signature.states if p))
        chunk = program.needs(arrays, batch, rows, batch_size).chunk(batch_size, True, program.chunk)
        #: Sends data; None where all of it is there.
        self.feed = Feed(arrays, self.signature.data, chunk) if chunk else None
        #: Numbers from the parameters to a state of theirs, and from a model to the next one.
        self.line = -(-self.total // LINE) * LINE
        self.width = self.line * (1 + len(self.states))
        self.home = cuda.to_device(self._packed())
        self.homes = [self.home[k * self.width : (k + 1) * self.width] for k in range(batch.models)]
        self.present = program.empty(self.width)
        self.model = -1  # the one that is present
        there = () if self.feed else self.signature.data
        self.given = {n: sent(arrays[n]) for n in (*there, *self.signature.fixed) if n not in batch.numbers}
        self.slopes = program.empty(self.total)
        self.parameters, *states = (
            self.present[k * self.line : k * self.line + self.total] for k in range(1 + len(self.states))
        )
        self.now = dict(zip(self.states, states, strict=True))
        self.wide = cuda.device_array(max(1, len(self._of_the_step())), np.float64)
        self.hyper = cuda.device_array(max(1, len(self.signature.hyper)), np.float64)
        self.squares, self.shared = cuda.device_array(1, np.float64), program.empty(64)
        self.progress, self.losses = cuda.device_array(5, np.int64), program.empty(self.steps)
        #: The order of all rows; or of those of a chunk, which are sent in the order in which they are used.
        self.order = cuda.to_device(np.arange(chunk or rows))
        self.staged = cuda.pinned_array(1 if self.feed else rows, np.int64)
        #: How many rows of the epoch stand before each chunk.
        self.skipped = cuda.pinned_array(-(-rows // chunk) if chunk else 1, np.int64)
        self.skipped[...] = np.arange(self.skipped.size) * chunk
        self.batches = {n: self._batch_of(n) for n in self.signature.data}
        self.outputs = self._outputs()
        self.work = program.empty(int(program.space["gradient_size"](*self._shaped(batch_size))))
        self.before, self.stopped = np.zeros(batch.models, np.int64), np.zeros(batch.models, bool)
        self.graphs: dict[Any, Any] = {}
        self.stream, self.spaces = cuda.stream(), dict[int, Any]()

    # ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_the_step(self) -> list[tuple[str, str]]:
        return [(p, s) for p, s in self.signature.states if not p]

    def _packed(self) -> Array:
        """The models as they are now, a line for each: parameters, and each of their states."""
        made = np.zeros((self.batch.models, self.width), self.program.dtype)
        for value, part in self._parts(made):
            part[...] = value.reshape(part.shape)
        return made.reshape(-1)

    def _parts(self, models: Array) -> Iterator[tuple[Array, Array]]:
        """Each array of the batch, and where it stands in the lines of the models."""
        for k, state in enumerate(["", *self.states]):
            for p, start in self.places.items():
                value = self.batch.states[p, state] if state else self.batch.parameters[p]
                begin = k * self.line + start
                yield value, models[:, begin : begin + value[0].size]

    def _batch_of(self, name: str) -> Any:
        array = self.arrays[name]
        return numba_cuda().device_array(max(1, self.batch_size * row_length(array)), array.dtype)

    def _part(self, array: Any, parameter: str) -> Any:
        start = self.places[parameter]
        return array[start : start + self.batch.parameters[parameter][0].size]

    def _outputs(self) -> dict[str, Any]:
        of = {g: p for p, g in self.program.gradients.items()}
        names = self.program.functions["gradient"].outputs
        return {n: self._part(self.slopes, of[n]) if n in of else self.program.empty(1) for n in names}

    def _shaped(self, count: int) -> list[Any]:
        return self.program.shaped(self.arrays, self.batch, count)

    # ── an epoch ─────────────────────────────────────────────────────────────────────────────────────────────────

    def epoch(self, orders: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Array]:
        """One epoch of every model that has not stopped (see `cuda_session.Session.epoch`)."""
        models = self.batch.models
        completed = np.zeros(models, np.int64)
        losses = np.full((models, self.steps), np.nan, self.program.dtype)
        for model in np.flatnonzero(~self.stopped).tolist():
            order = orders[model % len(orders)]
            if self.feed is None:
                self.staged[...] = order
                self.order.copy_to_device(self.staged, stream=self.stream)
            done, over = self._train(model, self.steps, order)
            losses[model] = self.losses.copy_to_host()[: self.steps]
            if over:
                self.stopped[model] = True
                self.model = -1  # what is present is not finite
                self._train(model, done, order)
            self._keep(model)
            completed[model] = done
            self.before[model] += done
        return completed, losses

    def _train(self, model: int, steps: int, order: npt.NDArray[np.int64]) -> tuple[int, bool]:
        """So many steps of a model from its home; how many were completed, and whether one was not."""
        self._fetch(model)
        if self.feed is None:
            self._some(model, self.given, min(steps * self.batch_size, self.rows))
        else:
            for place, start, count in self.feed.chunks(order[: steps * self.batch_size], self.stream):
                skipped = self.skipped[start // self.feed.rows :][:1]
                self.progress[SKIPPED : SKIPPED + 1].copy_to_device(skipped, stream=self.stream)
                self._some(model, self.feed.places[place], count, place)
        self.stream.synchronize()
        progress = self.progress.copy_to_host()
        return int(progress[DONE]), bool(progress[OVER])

    def _some(self, model: int, data: Mapping[str, Any], rows: int, place: int = 0) -> None:
        """Put steps on so many rows on the stream; `place` says which of the chunks that may be there they are in."""
        most, whole = 1 if simulated() else TOGETHER, rows // self.batch_size
        for _ in range(whole // most):
            self._replay(model, data, place, self.batch_size, most)
        for _ in range(whole % most):
            self._replay(model, data, place, self.batch_size)
        if rows % self.batch_size:
            self._replay(model, data, place, rows % self.batch_size)

    def _fetch(self, model: int) -> None:
        """Bring a model to where graphs work, and say where it is."""
        if model != self.model:
            self.present.copy_to_device(self.homes[model])
            wide = [float(self.batch.states[k].reshape(-1)[model]) for k in self._of_the_step()]
            self.wide.copy_to_device(np.array(wide or [0.0]))
            self.model = model
        hyper = [float(self.batch.hyper[h][model]) for h in self.signature.hyper]
        self.hyper.copy_to_device(np.array(hyper or [0.0]))
        progress = np.zeros(5, np.int64)
        progress[BEFORE] = self.first_step + self.before[model]
        self.progress.copy_to_device(progress)

    def _keep(self, model: int) -> None:
        """What became of a model is what the next epoch begins with."""
        self.homes[model].copy_to_device(self.present)
        keys = self._of_the_step()
        for key, value in zip(keys, self.wide.copy_to_host() if keys else (), strict=False):
            self.batch.states[key].reshape(-1)[model] = value

    def _replay(self, model: int, data: Mapping[str, Any], place: int, count: int, steps: int = 1) -> None:
        """Put steps on batches of so many rows on the stream."""
        numbers = tuple(float(a[model]) for a in self.batch.numbers.values())
        key = (place, count, steps, numbers)
        if key not in self.graphs:
            launches = [launch for _ in range(steps) for launch in self.step(model, data, count)]
            with collection_paused():
                self.graphs[key] = launches if simulated() else cuda_graphs.Graph(launches, self.stream)
        if simulated():
            cuda_graphs.one_by_one(self.graphs[key])
        else:
            self.graphs[key].launch()

    def step(self, model: int, data: Mapping[str, Any], count: int) -> list[Launch]:
        """The launches of a step on a batch of so many rows of data that are on the device."""
        signature, program = self.signature, self.program
        run = program.launches(self.spaces)
        numbers = {n: np.dtype(program.dtype).type(a[model]) for n, a in self.batch.numbers.items()}
        batches = [b[: count * row_length(self.arrays[n])] for n, b in self.batches.items()]
        program.space["step"](
            *(run, program.space["gradient_extents"](*self._shaped(count)), count, self.batch_size),
            *(data[n] for n in signature.data),
            *batches,
            *(numbers[n] if n in numbers else self.given[n] for n in signature.fixed),
            *(self._part(self.parameters, p) for p in signature.parameters),
            *self.outputs.values(),
            *(self.work, self.parameters, self.slopes, *self.now.values()),
            *(self.order, self.progress, self.hyper, self.wide, self.squares, self.shared, self.losses),
        )
        return run.found

    def renew(self, arrays: Mapping[str, Array], names: Iterable[str]) -> None:
        """Send data again that has changed, or note where it is."""
        for name in names:
            if self.feed is not None and name in self.feed.arrays:
                self.feed.arrays[name] = arrays[name]
                continue
            self.given[name].copy_to_device(np.ascontiguousarray(arrays[name]).reshape(-1))

    def finish(self) -> None:
        """Put what became of the models into the arrays of the batch."""
        for value, part in self._parts(self.home.copy_to_host().reshape(self.batch.models, -1)):
            value[...] = part.reshape(value.shape)


def places(sizes: Mapping[str, int]) -> dict[str, int]:
    """Where each of some arrays begins, one behind the other: first those whose lengths keep what follows aligned.

    >>> places({"W1": 128, "b1": 10, "W2": 64})
    {'W1': 0, 'W2': 128, 'b1': 192}
    """
    found, end = {}, 0
    for name in sorted(sizes, key=lambda n: [sizes[n] % a != 0 for a in ALIGNED]):
        found[name] = end
        end += sizes[name]
    return found


__all__ = ["CudaProgram", "GraphProgram", "GraphSession", "places"]
