"""Where everything of a model lies in the shared memory of its block, for lengths that are known.

Rows of matrices are set apart so that threads that read one column of several rows, 16 bytes each, meet in no bank: a
row takes an odd number of such vectors. All parts begin at vectors.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from symdl.compilation.fusion import Item, item_reads, item_writes
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction
from symdl.compilation.targets.cuda_vectors import VECTOR
from symdl.compilation.targets.sized import shapes_of


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

    def in_turn(self, tensors: Iterable[tuple[str, tuple[int, ...], bool, int, int]]) -> None:
        """Places for tensors that live from one item to another: those that never do at the same time may share."""
        base, lying = self.end, list[tuple[int, int, Place]]()
        for name, shape, apart, birth, death in sorted(tensors, key=lambda t: t[3]):
            place = Place(base, shape, self._pitch(shape, apart))
            others = sorted((p for b, d, p in lying if b <= death and birth <= d), key=lambda p: p.start)
            for other in others:
                if place.start + self._whole(place.size) > other.start:
                    start = max(place.start, other.start + self._whole(other.size))
                    place = Place(start, place.shape, place.pitch)
            self.of[name] = place
            lying.append((birth, death, place))
            self.end = max(self.end, place.start + self._whole(place.size))

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
    plan: Plan,
    dtype: str,
    gradients: Mapping[str, str],
    states: Iterable[str],
    data: Iterable[str],
    at_once: Collection[str],
    groups: Sequence[tuple[Item, ...]],
) -> Places:
    """Places for parameters, then each of their states, gradients, batches, and what `gradient` works on.

    Parameters, states and gradients lie in the same order, equally far apart: one loop updates them.

    Args:
        plan, dtype: of the gradient.
        gradients: by the name of the parameter.
        states: of each parameter.
        data: of which there are batches, those of integers aside.
        at_once: parameters that are updated where their gradients are computed: these are not kept.
        groups: the items of the plan; what only a group of several knows is not kept.
    """
    shapes, places, joined = shapes_of(plan), Places(dtype), joined_columns(plan)
    joined |= {p for p, g in gradients.items() if g in joined}
    parameters = sorted(gradients, key=lambda p: p not in at_once)
    for state in ("", *(f".{s}" for s in states)):
        for name in parameters:
            places.add(f"{name}{state}", shapes[name], name not in joined)
    for name in parameters:
        if name in at_once:
            places.of[gradients[name]] = places.of[name]
        else:
            places.add(gradients[name], shapes[name], name not in joined)
    for name in data:
        places.add(name, shapes[name], name not in joined)
    lives: dict[str, tuple[int, int]] = {}
    for k, group in enumerate(groups):
        for name in set[str]().union(*(item_reads(i) | item_writes(i) for i in group)):
            lives[name] = (lives.get(name, (k, k))[0], k)
    work: list[tuple[str, tuple[int, ...], bool, int, int]] = []
    for buffer in plan.buffers:
        name, tensor = buffer.name, buffer.tensor
        if buffer.slot is not None:
            birth, death = lives[name]
            if birth < death or len(groups[birth]) == 1:
                work.append((name, shapes[name], name not in joined, birth, death))
        elif name not in places.of and buffer.kind != "input" and (tensor.rank == 0 or buffer.kind == "output"):
            places.add(name, shapes[name])
    places.in_turn(work)
    return places


__all__ = ["Place", "Places", "arranged", "joined_columns", "width"]
