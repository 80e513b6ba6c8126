"""The training loop for things beside each other: each block of them makes many steps by itself.

Nothing of one thing depends on another but the loss, which is added up afterwards, block after block. So a block keeps
its parameters and what belongs to them in the nearest cache, and threads meet once in many steps.
"""

from __future__ import annotations

import math
from typing import Any

from symdl.compilation.targets.emit import Function, is_number
from symdl.compilation.targets.epoch import SQUARES, UPDATE, EpochEmitter
from symdl.compilation.targets.kernels import SIZED, Kernels, array_type, wrapped
from symdl.compilation.targets.lanes import FEW, SUFFIX, LaneEmitter, Lanes, for_lanes
from symdl.compilation.targets.sized import Stack, flat
from symdl.compilation.targets.teams import shares
from symdl.compilation.targets.together import PART, TeamEmitter, shared
from symdl.library.optimisers import Optimizer

#: Steps that a block makes at a time.
STEPS = 1024
#: In emitted code: losses of blocks by step, and how many steps each made; where a block begins; steps before these.
LOSSES, ENDS, FIRST, BEGUN, LENGTH = "losses_of", "ends", "first", "begun", "most"
#: In emitted code: which block it is and how many there are, and the steps that it has made of these.
BLOCK, BLOCKS, MADE = "block", "blocks", "made"
#: Entries of a parameter up to which each is updated by itself.
SINGLE = 4
#: What names of data end with that are the same for all.
SAME = "_same"
#: In emitted code: in which lanes the result of a step is not finite.
BROKEN = "broken_lanes"
_OWN = frozenset(
    {LOSSES, ENDS, FIRST, BEGUN, LENGTH, BLOCK, BLOCKS, MADE, "lane", "place", "end", "loss", "broken_lanes"}
)


def is_apart(optimizer: Optimizer) -> bool:
    """Whether the update of an entry needs nothing of other entries."""
    used = {t.name for t in optimizer.step.inputs} if optimizer.step is not None else set()
    return not optimizer.step_state and SQUARES not in used


class LaneEpochEmitter(EpochEmitter):
    """Emits `epoch_sized`; `parts` collects the function that makes the steps of a block."""

    taken = TeamEmitter.taken | LaneEmitter.taken | _OWN | {BROKEN}

    def __init__(self, lanes: Lanes, *arguments: Any, parts: Kernels) -> None:
        super().__init__(*arguments)
        self.lanes, self.parts = lanes, parts

    def lines(self) -> list[str]:
        """The source of `epoch_sized`; it returns the number of completed steps, or −1 minus that number."""
        head = super().lines()[0]
        blocks, batch, room = self.lanes.blocks, self._batch, Stack(self.dtype)
        most = min(STEPS, room.left // (2 * room.size * blocks))
        arrays = [room.array(LOSSES, (blocks, most)), room.array(ENDS, (blocks,), "np.int64")]
        function, arguments, _ = self.parts.function("epoch_block", [], self._block(), self._given(), (BLOCK, BLOCKS))
        work = f"{LENGTH}*{self._work()}"
        body = [
            *(line for line in arrays if line),
            f"steps = order.size//{batch}",
            "done = 0",
            "while done < steps:",
            f"    {BEGUN} = done",
            f"    {LENGTH} = min(steps - done, {most})",
            *(f"    {line}" for line in self._all_blocks(function, arguments, work)),
            "    # what each made of a step, added up in their order",
            f"    end = {LENGTH}",
            f"    for {PART} in range({blocks}):",
            f"        end = min(end, {ENDS}[{PART}])",
            f"    for step in range({LENGTH}):",
            "        loss = real(0.0)",
            f"        for {PART} in range({blocks}):",
            f"            loss += {LOSSES}[{PART}, step]",
            "        losses[done] = loss",
            "        if step == end or not math.isfinite(loss):",
            "            return -1 - done",
            "        done += 1",
            "return done",
        ]
        return [head, *(f"    {line}" for line in body)]

    def _all_blocks(self, function: str, arguments: list[str], work: str) -> list[str]:
        if self.lanes.blocks == 1:
            return wrapped(f"{function}(0, 1, ", arguments, ")")
        if shares():
            return shared(function, arguments, self.lanes.blocks, work)
        calls = wrapped(f"{function}({PART}, {self.lanes.blocks}, ", arguments, ")")
        return [f"for {PART} in range({self.lanes.blocks}):", *(f"    {line}" for line in calls)]

    @property
    def _batch(self) -> int:
        return int(self.sized[self.arguments.data[0]][0])

    def _work(self) -> int:
        return math.prod(max(self.sized[d]) for d in self.arguments.data) * self.lanes.beside.count

    def _given(self) -> dict[str, str]:
        """What the function of a block may use from outside, with its type."""
        a = self.arguments
        given = {"order": array_type("int64", 1), "first_step": "int64", BEGUN: "int64", LENGTH: "int64"}
        for name in (*a.data, *a.fixed, *a.parameters):
            array = array_type(self.dtype, max(self.tensors[name].rank, 1))
            given[self.py[name]] = self.dtype if is_number(self.tensors[name]) else array
        given |= dict.fromkeys(self.packs.values(), array_type(self.dtype, 1))
        given |= dict.fromkeys(self.hyper.values(), "float64")
        return given | {LOSSES: array_type(self.dtype, 2), ENDS: array_type("int64", 1)}

    # ── one block ────────────────────────────────────────────────────────────────────────────────────────────────

    def _block(self) -> list[str]:
        """All steps of the things of one block, in vectors."""
        held, back = self._held()
        loss = self._argument(self.plan.definition.outputs[0])
        return [
            f"{FIRST} = {BLOCK}*{self.lanes.width}",
            *held,
            "end = 0",
            f"for {MADE} in range({LENGTH}):",
            f"    done = {BEGUN} + {MADE}",
            *(f"    {line}" for line in self._rows()),
            f"    {self.gradient.name}({', '.join(self._arguments())})",
            f"    {LOSSES}[{BLOCK}, {MADE}] = total({loss}[0])",
            f"    if not math.isfinite({LOSSES}[{BLOCK}, {MADE}]):",
            "        break",
            *(f"    {line}" for line in self._steps_update()),
            f"    if any_lane({BROKEN}):",
            "        break",
            f"    end = {MADE} + 1",
            f"{ENDS}[{BLOCK}] = end",
            *back,
        ]

    def _vectors(self, name: str) -> str:
        return f"{self.py.get(name, name)}{SUFFIX}"

    def _arguments(self) -> list[str]:
        """What the gradient takes; it has no use for a work space."""
        return [*map(self._argument, (*self.gradient.inputs, *self.gradient.outputs)), LOSSES]

    def _argument(self, name: str) -> str:
        if self.lanes.is_vector(name):
            number = is_number(self.lanes.beside.one.tensors[name])
            return f"{self._vectors(name)}[0]" if number else self._vectors(name)
        own = name in (*self.arguments.data, *self.arguments.parameters, *self.gradient.outputs)
        return f"{self.py[name]}{SAME}" if own else self.py[name]

    def _held(self) -> tuple[list[str], list[str]]:
        """Arrays on the stack, filled with what a block begins with, and what brings it back."""
        a, lines, back = self.arguments, list[str](), list[str]()
        for name in (n for n in a.fixed if self.lanes.is_vector(n)):
            lines += self._carried(name, self.py[name], self._vectors(name))[0]
        begin = 0
        for parameter in a.parameters:
            arrays = {self.py[parameter]: self._argument(parameter)}
            for state, pack in self.packs.items():
                own = self.state[parameter, state]
                shape = ", ".join(str(n) for n in self.sized[parameter] or (1,))
                lines.append(f"{own} = view({pack}, {begin}, ({shape},))")
                arrays[own] = self._state(parameter, state)
            for array, held in arrays.items():
                there, home = self._carried(parameter, array, held)
                lines, back = [*lines, *there], [*back, *home]
            begin += math.prod(self.sized[parameter])
        lines += [self.lanes.array(self._argument(n), n, self.dtype) for n in (*self.gradient.outputs, *a.data)]
        lines += [f"{held}_numbers = numbers({held})" for n in a.data if self._is_far(n) and (held := self._vectors(n))]
        return lines, back

    def _is_far(self, name: str) -> bool:
        """Whether numbers of one thing stand side by side in memory, and many of them."""
        inner = self.sized[name][self.lanes.beside.axes[name] + 1 :]
        return self.lanes.is_vector(name) and math.prod(inner) > FEW

    def _state(self, parameter: str, state: str) -> str:
        """A state of a parameter on the stack."""
        return f"{self.state[parameter, state]}{SUFFIX if self.lanes.is_vector(parameter) else SAME}"

    def _carried(self, tensor: str, array: str, held: str) -> tuple[list[str], list[str]]:
        """The lines that bring an array of all things onto the stack, and back."""
        axis, rank = self.lanes.beside.axes[tensor], self.tensors[tensor].rank
        names = [f"a{k}" for k in range(rank) if k != axis]
        lengths = [n for k, n in enumerate(self.sized[tensor]) if k != axis]
        outside = [f"at({FIRST} + lane)" if k == axis else f"a{k}" for k in range(rank)]
        inside = [*(names or ["0"]), *(["lane"] if axis >= 0 else [])]
        loops = [f"for lane in range({self.lanes.width}):"] if axis >= 0 else []
        loops += [f"for {n} in range({s}):" for n, s in zip(names, lengths, strict=True)]
        loops = ["    " * depth + line for depth, line in enumerate(loops)]
        numbers = f"{held}_numbers" if axis >= 0 else held
        there, here = f"{array}[{', '.join(outside or ['0'])}]", f"{numbers}[{', '.join(inside)}]"
        first = [self.lanes.array(held, tensor, self.dtype, tuple(lengths))]
        first += [f"{numbers} = numbers({held})"] if axis >= 0 else []
        deep = "    " * len(loops)
        return [*first, *loops, f"{deep}{here} = {there}"], [*loops, f"{deep}{there} = {here}"]

    def _rows(self) -> list[str]:
        """Gathers the rows of a batch."""
        lines = ["# the rows of this batch", f"for row in range({self._batch}):"]
        lines.append(f"    place = at(order[at(done*{self._batch} + row)])")
        for name in self.arguments.data:
            lines += [f"    {line}" for line in self._row_of(name)]
        return lines

    def _row_of(self, name: str) -> list[str]:
        """Brings the row of some data at `place` into the batch: as vectors, where it is not the same for all."""
        tensor, axis, target = self.tensors[name], self.lanes.beside.axes[name], self._argument(name)
        axes = [f"a{k}" for k in range(tensor.rank)]
        given, own = ["place", *axes[1:]], ["row", *axes[1:]]
        loops = [(axes[k], self.sized[name][k]) for k in range(1, tensor.rank)]
        inner = math.prod(self.sized[name][axis + 1 :])
        if axis >= 0 and not self._is_far(name):
            loops = loops[: axis - 1]
            inside = ", ".join([*given[:axis], FIRST]), ", ".join(own[:axis])
            line = f"turned({self.py[name]}, ({inside[0]}), {target}, ({inside[1]},), {inner})"
        else:
            if axis >= 0:
                loops[axis - 1] = ("lane", self.lanes.width)
                given[axis] = f"at({FIRST} + lane)"
                own = [*(o for k, o in enumerate(own) if k != axis), "lane"]
                target += "_numbers"
            line = f"{target}[{', '.join(own)}] = {self.py[name]}[{', '.join(given)}]"
        lines = [f"for {name} in range({size}):" for name, size in loops]
        return ["    " * depth + line for depth, line in enumerate([*lines, line])]

    # ── its update ───────────────────────────────────────────────────────────────────────────────────────────────

    def _steps_update(self) -> list[str]:
        lines = [*self._of_the_step(), *(f"# {eq!r}" for eq in self.optimizer.update.equations)]
        lines += [*self.constants.lines(self.printer), f"{BROKEN} = False"]
        for parameter in self.arguments.parameters:
            axis = self.lanes.beside.axes[parameter]
            size = math.prod(n for k, n in enumerate(self.sized[parameter]) if k != axis)
            arrays = [self._argument(parameter), self._argument(self.gradients[parameter])]
            arrays += [self._state(parameter, s) for s in self.packs]
            # LLVM does not unroll a loop of two steps here, and what is stored in one is not in a register in the next
            for start, length in [(k, 1) for k in range(size)] if size <= SINGLE else [(0, size)]:
                given = [flat(array, str(start), str(length)) for array in arrays]
                lines += wrapped(f"{BROKEN} |= {UPDATE[True]}(", [*given, *self._numbers()], ")")
        return lines

    def update_lines(self) -> list[str]:
        lines = for_lanes(super().update_lines())
        told = "    broken = 0"
        lines[lines.index(told)] = "    broken = False"
        last = lines[-2].replace("broken += ", "broken |= ").replace("!= 0", "!= real(0.0)")
        return [*lines[:-2], last, lines[-1]]


def gradient_of(lanes: Lanes, dtype: str) -> Function:
    """The gradient of one of the things, in vectors."""
    return LaneEmitter(lanes, dtype).function(f"gradient{SIZED}")
