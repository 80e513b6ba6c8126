"""The work space: one array of numbers, cut into slots; tensors that never live at the same time share one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from symdl.compilation.plan import Plan
from symdl.compilation.targets.names import Names
from symdl.core.tensors import Tensor

#: Slots start at multiples of this many numbers.
ALIGNMENT = 8
_AXES = "abcdef"


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
        """The line that makes each array, by its name: all of them in place, or the wanted ones with a helper."""
        made: dict[str, str] = {}
        for name in self.kept if wanted is None else wanted:
            if (buffer := self.kept.get(name)) is None or buffer.slot is None:
                continue
            shape, start = self.shape_of(buffer.tensor), self.starts[buffer.slot]
            if wanted is not None:
                made[name] = f"{name} = view{len(shape)}(work, {start}, {', '.join(shape)})"
            else:
                made[name] = f"{name} = {_view(start, shape)}"
        return made


def _aligned(size: str) -> str:
    return f"({size} + {ALIGNMENT - 1})//{ALIGNMENT}*{ALIGNMENT}"


def _view(start: str, shape: list[str]) -> str:
    turned = f".reshape({', '.join(shape)})" if len(shape) > 1 else ""
    return f"work[{start}:{start} + {'*'.join(shape)}]{turned}"


def helpers_used(text: str) -> list[str]:
    """Source of the helpers that emitted code makes arrays with: one for each number of axes.

    >>> print(helpers_used("y = view2(work, slot1, N, D)")[0])
    def view2(work, start, a, b):
        \"\"\"The numbers from `start` on as an array.\"\"\"
        return work[start:start + a*b].reshape(a, b)
    """
    found = []
    for rank in sorted({int(n) for n in re.findall(r"\bview(\d)\(\w+, ", text)}):
        axes = list(_AXES[:rank])
        head = f"def view{rank}(work, start, {', '.join(axes)}):"
        lines = ['    """The numbers from `start` on as an array."""', f"    return {_view('start', axes)}"]
        found.append("\n".join([head, *lines]))
    return found
