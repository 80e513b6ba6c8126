"""Models that are trained beside each other on a GPU: where each one's numbers lie, and what stays on the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


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
    """

    parameters: Mapping[str, Array]
    states: Mapping[tuple[str, str], Array]
    numbers: Mapping[str, Array]
    hyper: Mapping[str, Array]

    @property
    def models(self) -> int:
        return len(next(iter(self.parameters.values())))

    def some(self, start: int, stop: int) -> Batch:
        """The models from one number up to another, on the same memory."""
        parameters, states, numbers, hyper = (
            {n: a[start:stop] for n, a in arrays.items()}
            for arrays in (self.parameters, self.states, self.numbers, self.hyper)
        )
        return Batch(parameters, states, numbers, hyper)  # type: ignore[arg-type]


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

    def steps(self, batch: Batch, losses: int, order: int) -> Array:
        """How far the arrays of one model are from those of the next (see `targets.cuda.STEPS`)."""
        numbers = len(self.layout.numbers)
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
