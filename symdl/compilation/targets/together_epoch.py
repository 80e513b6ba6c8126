"""The training loop with its large loops shared: the rows of a batch, and the update of large parameters."""

from __future__ import annotations

import math
from typing import Any

from symdl.compilation.targets.epoch import UPDATE, EpochEmitter
from symdl.compilation.targets.kernels import Kernels, array_type, wrapped
from symdl.compilation.targets.products import VECTORS, tiles
from symdl.compilation.targets.sized import Stack
from symdl.compilation.targets.teams import NEST, shares
from symdl.compilation.targets.together import COUNT, FIRST, LAST, NUMBER, PART, TeamEmitter, shared
from symdl.core.tensors import Tensor
from symdl.derivation.tidy import weight

#: Where parts of an update note that a result is not finite, and how many places there are.
BROKEN, PLACES = "broken_parts", 64


class TeamEpochEmitter(EpochEmitter):
    """Emits `epoch`; `parts` collects the functions that do a part, which call the one of the update."""

    taken = TeamEmitter.taken | {BROKEN, "broken_part"}

    def __init__(self, *arguments: Any, parts: Kernels) -> None:
        super().__init__(*arguments)
        self.parts = parts
        made = tiles(self.dtype) if shares() else None
        self.unit = VECTORS * made.lanes if made else 0
        self.cost = sum(1 + weight(eq.rhs) for eq in self.optimizer.update.equations)
        self.long_updates = [p for p in self.arguments.parameters if self._is_large(self.tensors[p], self.cost)]
        self.long_rows = [d for d in self.arguments.data if self._is_large(self.tensors[d], 1)]

    def _is_large(self, tensor: Tensor, operations: int) -> bool:
        size = math.prod(self.plan.axes.expected_size(i) for i in tensor.indices)
        return bool(self.unit) and size * operations >= NEST

    def _gather(self) -> list[str]:
        lines = super()._gather()
        for name in self.long_rows:
            lines += self._shared_rows(name)
        return lines

    def _gathered_together(self) -> tuple[str, ...]:
        return tuple(d for d in self.arguments.data if d not in self.long_rows)

    def _shared_rows(self, name: str) -> list[str]:
        tensor, x = self.tensors[name], self.py[name]
        kind = array_type("int64" if tensor.integer else self.dtype, tensor.rank)
        given = {"start": "int64", "count": "int64", "order": array_type("int64", 1), x: kind, f"{x}_batch": kind}
        lines = [
            f"{FIRST}, {LAST} = part_of(count, 1, {NUMBER}, {COUNT})",
            f"for row in range({FIRST}, {LAST}):",
            *(f"    {line}" for line in self._row(name)),
        ]
        function, arguments, _ = self.parts.function("epoch_rows", [], lines, given, (NUMBER, COUNT))
        size = "*".join(["count", *(f"{x}.shape[{k}]" for k in range(1, tensor.rank))])
        return shared(function, arguments, 0, size)

    def _updates(self) -> list[str]:
        lines = super()._updates()
        if not self.long_updates:
            return lines
        room = Stack(self.dtype).array(BROKEN, (PLACES,), "np.int64")
        assert room is not None, "there is room on the stack for so many numbers"
        every = f"for {PART} in range({PLACES}):"
        return [room, every, f"    {BROKEN}[{PART}] = 0", *lines, every, f"    broken += {BROKEN}[{PART}]"]

    def _update_of(self, parameter: str, given: list[str]) -> list[str]:
        if parameter not in self.long_updates:
            return super()._update_of(parameter, given)
        arrays, numbers = ["theta", "g", *self.held.values()], self._numbers()
        types = dict(zip([*arrays, *numbers], self.update_types(), strict=True))
        cut = [f"view({a}, {FIRST}, ({LAST} - {FIRST},))" for a in arrays]
        lines = [
            f"{FIRST}, {LAST} = part_of(theta.size, {self.unit}, {NUMBER}, {COUNT})",
            *wrapped(f"broken_part = {UPDATE[False]}(", [*cut, *numbers], ")"),
            "if broken_part:",
            f"    {BROKEN}[{NUMBER} % {PLACES}] = broken_part",
        ]
        types[BROKEN] = array_type("int64", 1)
        function, names, _ = self.parts.function("epoch_update", [], lines, types, (NUMBER, COUNT))
        passed = dict(zip(arrays, given, strict=False))
        return shared(function, [passed.get(n, n) for n in names], 0, f"{self.py[parameter]}.size*{self.cost}")
