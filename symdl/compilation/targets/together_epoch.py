"""The training loop with its large loops shared: the rows of a batch, and the update of large parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from symdl.compilation.targets.descents import (
    BLOCK,
    INNER,
    LOCALS,
    OPENING,
    OPERANDS,
    OPERANDS_OF,
    ROWS,
    UNIT,
    block_lines,
    descents,
)
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

    taken = TeamEmitter.taken | {BROKEN, "broken_part", *LOCALS}

    def __init__(self, *arguments: Any, parts: Kernels) -> None:
        super().__init__(*arguments)
        self.parts = parts
        self.descents = descents(self.plan, self.gradients, self.optimizer, self.dtype) if shares() else {}
        self.arguments = replace(self.arguments, passing=tuple(self.gradients[p] for p in self.descents))
        made = tiles(self.dtype) if shares() else None
        self.unit = VECTORS * made.lanes if made else 0
        self.cost = sum(1 + weight(eq.rhs) for eq in self.optimizer.update.equations)
        self.long_updates = [p for p in self.arguments.parameters if self._is_large(self.tensors[p], self.cost)]
        self.long_rows = [d for d in self.arguments.data if self._is_large(self.tensors[d], 1)]

    def _is_large(self, tensor: Tensor, operations: int) -> bool:
        size = math.prod(self.plan.axes.expected_size(i) for i in tensor.indices)
        return bool(self.unit) and size * operations >= NEST

    def _before_steps(self) -> list[str]:
        lines = super()._before_steps()
        if self.descents:
            count, width = len(self.descents), 1 + BLOCK
            lines.append(f"{OPERANDS} = carray(stack({8 * count * width}), ({count}, {width}), np.int64)")
        return lines

    def _gradient(self, given: list[str]) -> list[str]:
        if not self.descents:
            return super()._gradient(given)
        name, passed = self.gradient.name, ", ".join(given)
        return [f"{name}{OPENING}({passed})", f"{name}{OPERANDS_OF}({passed}, {OPERANDS})"]

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
        if parameter in self.descents:
            return self._descent(parameter, given)
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

    def _descent(self, parameter: str, given: list[str]) -> list[str]:
        """The last product of a gradient, and the update, block by block."""
        arrays, numbers = ["theta", "g", *self.held.values()], self._numbers()
        types = dict(zip([*arrays, *numbers], self.update_types(), strict=True))
        types |= {BROKEN: array_type("int64", 1), OPERANDS: array_type("int64", 2), "which": "int64"}
        lines = [
            f"{FIRST}, {LAST} = part_of({OPERANDS}[which, {ROWS}], {UNIT}, {NUMBER}, {COUNT})",
            *block_lines(UPDATE[False], arrays, numbers, self.dtype, FIRST, LAST),
            "if broken:",
            f"    {BROKEN}[{NUMBER} % {PLACES}] = broken",
        ]
        function, names, _ = self.parts.function("epoch_descent", [], lines, types, (NUMBER, COUNT))
        number = [*self.descents].index(parameter)
        passed = dict(zip(arrays, given, strict=False)) | {"which": str(number)}
        work = f"{self.py[parameter]}.size*({OPERANDS}[{number}, {INNER}] + {self.cost})"
        source = f"# {self.descents[parameter].source}"
        return [source, *shared(function, [passed.get(n, n) for n in names], 0, work)]
