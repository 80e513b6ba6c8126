"""The work space: one array of numbers, cut into slots; tensors that never live at the same time share one."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Mapping

from symdl.compilation.aligned import LINE
from symdl.compilation.plan import Plan
from symdl.compilation.targets.names import Names
from symdl.core.tensors import Tensor

IMPORT = "from symdl.compilation.machine.addresses import apart, carray, joined, stack, strand, view"
#: Slots start at multiples of this many numbers: at lines of the cache, for either dtype.
ALIGNMENT = LINE // 4


class WorkSpace:
    """The slots of one function.

    Args:
        plan: whose buffers are kept.
        arrays: names of arrays, by tensor name.
        shape_of: the lengths of a tensor, as text.
    """

    def __init__(self, plan: Plan, arrays: Mapping[str, str], shape_of: Callable[[Tensor], list[str]]) -> None:
        self.shape_of = shape_of
        self.kept = {arrays[b.name]: b for b in plan.buffers if b.slot is not None}
        self.starts: list[str] = []

    def _slot_sizes(self) -> list[str]:
        held: dict[int, list[str]] = {}
        for buffer in self.kept.values():
            size = "*".join(self.shape_of(buffer.tensor))
            if buffer.slot is not None and size not in held.setdefault(buffer.slot, []):
                held[buffer.slot].append(size)
        return [h[0] if len(h) == 1 else f"max({', '.join(h)})" for _, h in sorted(held.items())]

    def size(self) -> str:
        """How many numbers the function needs."""
        return " + ".join(_aligned(s) for s in self._slot_sizes())

    def size_of(self, names: Container[str]) -> str:
        """How many numbers some tensors have, as far as they have slots."""
        found = [b.tensor for b in self.kept.values() if b.name in names]
        return " + ".join("*".join(self.shape_of(t)) for t in found)

    def numbers(self, shapes: Mapping[str, tuple[int, ...]]) -> int:
        """How many numbers the function needs for tensors of these shapes."""
        held: dict[int, int] = {}
        for buffer in self.kept.values():
            if buffer.slot is not None:
                size = -(-math.prod(shapes[buffer.name]) // ALIGNMENT) * ALIGNMENT
                held[buffer.slot] = max(held.get(buffer.slot, 0), size)
        return sum(held.values())

    def lines(self, names: Names) -> list[str]:
        """Where the slots start."""
        sizes = self._slot_sizes()
        if not sizes:
            return []
        lines = ["# the work space; tensors that share a slot never live at the same time"]
        self.starts = [names.new(f"slot{k}") for k in range(len(sizes))]
        lengths: dict[str, str] = {}
        for k, start in enumerate(self.starts):
            if k and sizes[k - 1] not in lengths:
                lengths[sizes[k - 1]] = names.new(f"length{len(lengths)}")
                lines.append(f"{lengths[sizes[k - 1]]} = {_aligned(sizes[k - 1])}")
            lines.append(f"{start} = {self.starts[k - 1]} + {lengths[sizes[k - 1]]}" if k else f"{start} = 0")
        return lines

    def views(self, wanted: Iterable[str] | None = None) -> dict[str, str]:
        """The line that makes each array, by its name: all of them or the wanted ones."""
        made: dict[str, str] = {}
        for name in self.kept if wanted is None else wanted:
            if (buffer := self.kept.get(name)) is not None and buffer.slot is not None:
                made[name] = f"{name} = {viewed('work', self.starts[buffer.slot], self.shape_of(buffer.tensor))}"
        return made


def _aligned(size: str) -> str:
    return f"({size} + {ALIGNMENT - 1})//{ALIGNMENT}*{ALIGNMENT}"


def viewed(array: str, start: str, shape: list[str]) -> str:
    """The numbers of a contiguous array from `start` on as an array of that shape.

    >>> viewed("work", "slot1", ["N", "D"])
    'view(work, slot1, (N, D))'
    """
    return f"view({array}, {start}, {tuple_of(shape)})"


def tuple_of(texts: list[str]) -> str:
    """
    >>> tuple_of(["N"]), tuple_of(["N", "D"])
    ('(N,)', '(N, D)')
    """
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
