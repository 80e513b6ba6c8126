"""Where everything of a model lies in the shared memory of its block, for lengths that are known.

Rows of matrices are set apart so that threads that read one column of several rows, 16 bytes each, meet in no bank: a
row takes an odd number of such vectors. All parts begin at vectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction
from symdl.compilation.targets.sized import Shapes

#: Bytes that a thread reads or writes at a time.
VECTOR = 16


def width(dtype: str) -> int:
    """How many numbers a vector holds."""
    return VECTOR // np.dtype(dtype).itemsize


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: its first number, its shape, and how far its rows are apart."""

    start: int
    shape: tuple[int, ...]
    pitch: int

    @property
    def strides(self) -> tuple[int, ...]:
        """How far entries are apart along each axis."""
        steps = [1, self.pitch]
        for length in reversed(self.shape[1:-1]):
            steps.append(steps[-1] * length)
        return tuple(reversed(steps[: len(self.shape)]))

    @property
    def size(self) -> int:
        """How many numbers it takes, those between its rows included."""
        return math.prod(self.shape[:-1]) * self.pitch if self.shape else 1


@dataclass
class Places:
    """Hands out places in one array, one behind the other.

    >>> places = Places("float32")
    >>> places.add("W", (64, 8), apart=True), places.add("b", (64,)).start
    (Place(start=0, shape=(64, 8), pitch=12), 768)
    """

    dtype: str
    of: dict[str, Place] = field(default_factory=dict)
    end: int = 0

    def add(self, name: str, shape: tuple[int, ...], apart: bool = False) -> Place:
        """A place for a tensor behind all others; `apart` sets its rows apart."""
        place = self.of[name] = Place(self.end, shape, self._pitch(shape, apart))
        self.end += self._whole(place.size)
        return place

    def together(self, tensors: Iterable[tuple[str, tuple[int, ...], bool]]) -> None:
        """Places for tensors that never live at the same time: one for all."""
        made = {name: Place(self.end, shape, self._pitch(shape, apart)) for name, shape, apart in tensors}
        self.of |= made
        self.end += self._whole(max(p.size for p in made.values()))

    def _pitch(self, shape: tuple[int, ...], apart: bool) -> int:
        last = shape[-1] if shape else 1
        if not apart or len(shape) < 2 or last < width(self.dtype):
            return last
        return width(self.dtype) * (-(-last // width(self.dtype)) | 1)

    def _whole(self, size: int) -> int:
        return -(-size // width(self.dtype)) * width(self.dtype)


def joined_columns(plan: Plan) -> set[str]:
    """Tensors that a product reads with several axes as its columns: their rows can't be set apart."""
    found: set[str] = set()
    for item in plan.items:
        if isinstance(item, Contraction):
            for operand in (item.left, item.right, item.result):
                if operand.tensor.rank - len(operand.at) - operand.leading != 1:
                    found.add(operand.tensor.name)
    return found


def arranged(
    plan: Plan, dtype: str, shapes: Shapes, gradients: dict[str, str], states: Iterable[str], data: Iterable[str]
) -> Places:
    """Places for parameters, then each of their states, gradients, batches, and what `gradient` works on.

    Parameters, states and gradients lie in the same order, equally far apart: one loop updates all of them.
    """
    places, joined = Places(dtype), joined_columns(plan)
    joined |= {p for p, g in gradients.items() if g in joined} | {g for p, g in gradients.items() if p in joined}
    parameters = [p.name for p in plan.definition.parameters if p.name in gradients]
    for state in ("", *(f".{s}" for s in states)):
        for name in parameters:
            places.add(f"{name}{state}", shapes[name], name not in joined)
    for name in parameters:
        places.add(gradients[name], shapes[name], name not in joined)
    for name in data:
        places.add(name, shapes[name], name not in joined)
    slots: dict[int, list[str]] = {}
    for buffer in plan.buffers:
        name, tensor = buffer.name, buffer.tensor
        if buffer.slot is not None:
            slots.setdefault(buffer.slot, []).append(name)
        elif name not in places.of and buffer.kind != "input" and (tensor.rank == 0 or buffer.kind == "output"):
            places.add(name, shapes[name])
    for _, names in sorted(slots.items()):
        places.together([(n, shapes[n], n not in joined) for n in names])
    return places


__all__ = ["VECTOR", "Place", "Places", "arranged", "joined_columns", "width"]
