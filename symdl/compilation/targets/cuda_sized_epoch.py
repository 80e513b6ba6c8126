"""The training loop of one block for the lengths that are expected, with everything in its shared memory.

Parameters and states are changed in place. Where the result of a step is not finite, the block starts again from what
the launch started from, and stops before that step, as a processor does (see `targets.epoch`).
"""

from __future__ import annotations

import math
import re

import numpy as np
import sympy

from symdl.compilation.fusion import Loop
from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction
from symdl.compilation.targets import cuda_warps
from symdl.compilation.targets.blocks import Invariants
from symdl.compilation.targets.cuda_emit import DeviceFunction
from symdl.compilation.targets.cuda_epoch import CudaEpochEmitter, numbers_among
from symdl.compilation.targets.cuda_places import Place, arranged, width
from symdl.compilation.targets.cuda_products import QuickPrinter, quick, vectors
from symdl.compilation.targets.cuda_sized import GIVEN, NAMES, THREADS, SizedEmitter
from symdl.compilation.targets.epoch import SQUARES, STEP
from symdl.compilation.targets.kernels import SIZED
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.compilation.targets.sized import is_known, shapes_of
from symdl.library.optimisers import Optimizer

#: The kernel, and the function that says how many numbers of shared memory it takes.
KERNEL, SIZE = f"train{SIZED}_kernel", f"train{SIZED}_size"


#: Bytes of shared memory that a block has at most beside what sums of teams take.
SHARED = 226 * 1024
#: Registers of a multiprocessor, and how many blocks it shall run at the same time.
REGISTERS, BLOCKS = 65_536, 2
#: Device functions become a part of the kernel: what they are given is known there.
HEAD = """
if config.ENABLE_CUDASIM:
    inlined, sized_kernel = device, kernel
else:
    inlined = cuda.jit(device=True, forceinline=True)
    sized_kernel = cuda.jit(cache=True, max_registers=REGISTERS)
"""


class SizedEpochEmitter(CudaEpochEmitter):
    """Emits `epoch_sized`, the `gradient_sized` that it calls, and the kernel around it.

    Args:
        plan, gradient, gradients, optimizer, dtype: as for `CudaEpochEmitter`.
        ordered: as for `CudaEmitter`.
        threads: of a block.
    """

    taken = CudaEpochEmitter.taken | NAMES | {"half", "chunk", "is_entry", "space", "replay"}

    def __init__(
        self,
        plan: Plan,
        gradient: DeviceFunction,
        gradients: dict[str, str],
        optimizer: Optimizer,
        dtype: str,
        ordered: bool,
        threads: int = THREADS,
    ) -> None:
        super().__init__(plan, gradient, gradients, optimizer, dtype)
        self.threads, self.shapes = min(threads, THREADS), shapes_of(plan)
        self.starts_of_whole, end = dict[str, int](), 0
        for name in self.whole:
            self.starts_of_whole[name] = end
            end += math.prod(self.shapes[name])
        self.numbers = numbers_among(plan, self.arguments.fixed)
        self.of_the_step = {s: self.names.new(f"{s}_now") for s in optimizer.step_state}
        self.emitter = SizedEmitter(plan, dtype, self.starts_of_whole, ordered, self.threads)
        of = {p: gradients[p] for p in self.arguments.parameters}
        used = {t.name for d in (optimizer.update, optimizer.step) if d is not None for t in d.inputs}
        #: Parameters that are updated where their gradients are computed, if no step needs all gradients first.
        self.at_once = self.emitter.updated_at_once(of) if SQUARES not in used else ()
        real = [n for n in self.arguments.data if n not in self.whole]
        self.places = arranged(plan, dtype, of, optimizer.state, real, self.at_once, self.emitter.groups())
        self.emitter.places = self.places
        self.emitter.updates = {of[p]: self._of_entries for p in self.at_once}
        self.printer = QuickPrinter(dtype)
        self._share_names()

    def _share_names(self) -> None:
        """The update stands in both functions: what is named in one has to be free in the other."""
        names = self.emitter.names
        names.taken |= self.names.taken
        self.names = names
        self.scalars = {n: names.new(f"{n}_real") for n in self.scalars}
        constant = {sympy.Symbol(n, real=True) for n in (*self.scalars.values(), "step")}
        self.constants = Invariants(lambda s: s in constant, names)
        #: The parameter and its states, each as many entries as a vector holds.
        self.entries_held = {
            n: [names.new(f"{n}{q}") for q in range(width(self.dtype))] for n in ("theta", *self.optimizer.state)
        }

    def sources(self) -> list[str]:
        """All functions of the module that belong to it."""
        size = [f"def {SIZE}():", f"    return {self.places.end}"]
        body, rest = self.emitter.body(), self._rest()
        text = "\n".join(body)
        numbers = ["step", *self.scalars.values(), *(c.name for c in self.constants.found.values())]
        numbers = [n for n in numbers if re.search(rf"\b{n}\b", text)]
        arrays = [self.emitter.arrays[n] for n in self.arguments.fixed]
        gradient = ["@inlined", f"def gradient{SIZED}({', '.join([*GIVEN, *arrays, *numbers])}):", *indented(body)]
        kernel = ["@sized_kernel", *self._kernel()]
        parts = [size, self._is_entry(), gradient, ["@inlined", *self._epoch(numbers, rest)], kernel]
        return ["\n".join(_strided(p)) for p in parts]

    # ── one epoch ────────────────────────────────────────────────────────────────────────────────────────────────

    def _epoch(self, numbers: list[str], rest: list[str]) -> list[str]:
        """The source of `epoch_sized`; it returns the number of steps, or −1 minus those before one that broke."""
        given = [*(self.py[d] for d in self.arguments.data), *(self.py[f] for f in self.arguments.fixed)]
        arrays = "".join(f"    {', '.join(given[k : k + 8])},\n" for k in range(0, len(given), 8))
        wide = [f"{name} = wide[{2 * k} + before % 2]" for k, name in enumerate(self.of_the_step.values())]
        back = [f"    wide[{2 * k} + (before + done) % 2] = {name}" for k, name in enumerate(self.of_the_step.values())]
        body = [
            f"threads = {self.threads}",
            *wide,
            "done = 0",
            "while done < steps:",
            *indented(self._made(numbers, rest)),
            *(["if thread == 0:", *back] if back else []),
            "return done",
        ]
        head = "thread, parts, space, whole, order, first_step, before, steps"
        return [f"def epoch{SIZED}(\n    {head},\n{arrays}    wide, hyper, losses,\n):", *indented(body)]

    def _made(self, numbers: list[str], rest: list[str]) -> list[str]:
        """One step; the update of parameters that are not updated at once is `rest`."""
        given = [*GIVEN, *(self.py[f] for f in self.arguments.fixed), *numbers]
        used = {t.name for d in (self.optimizer.update, self.optimizer.step) if d is not None for t in d.inputs}
        of_the_step = [f"{n} = hyper[{k}]" for k, n in enumerate(self.hyper.values())]
        of_the_step += ["broken = 0", *self._of_the_step(), *self.constants.lines(self.printer)]
        behind = SQUARES in used
        batch = self.shapes[self.arguments.data[0]][0]
        loss = self.places.of[self.plan.definition.outputs[0]].start
        return [
            f"start = done*{batch}",
            *([] if behind else of_the_step),
            *self._gather(),
            "barrier()",
            f"broken_there = gradient{SIZED}({', '.join(given)})",
            "barrier()",
            f"loss = space[{loss}]",
            "if thread == 0:",
            "    losses[done] = loss",
            "if not math.isfinite(loss):",
            "    return -1 - done",
            *(of_the_step if behind else []),
            *rest,
            "if cuda.syncthreads_or(broken + broken_there):",
            "    return -1 - done",
            "done += 1",
        ]

    def _gather(self) -> list[str]:
        lines = ["# the rows of this batch"]
        for name in self.arguments.data:
            x, shape = self.py[name], self.shapes[name]
            row = math.prod(shape[1:])
            if name in self.whole:
                target = f"whole[{UNSIGNED}({self.starts_of_whole[name]} + entry)]"
            else:
                target = f"space[{UNSIGNED}({self._spread(self.places.of[name], 'entry')})]"
            lines += [
                f"for entry in range(thread, {shape[0] * row}, {self.threads}):",
                f"    at_row = order[{UNSIGNED}(start + quotient(entry, {row}))]*{row} + remainder(entry, {row})",
                f"    {target} = {x}[{UNSIGNED}(at_row)]",
            ]
        return lines

    def _spread(self, place: Place, entry: str) -> str:
        """Where an entry lies, by its number among all of them in order."""
        last = place.shape[-1] if place.shape else 1
        if place.pitch == last:
            return f"{place.start} + {entry}"
        return f"{place.start} + quotient({entry}, {last})*{place.pitch} + remainder({entry}, {last})"

    # ── the update ───────────────────────────────────────────────────────────────────────────────────────────────

    def _of_no_parameter(self, state: str, half: str) -> str:
        return self.of_the_step[state]

    def _squares(self) -> list[str]:
        lines = ["# the sum of all squares of the gradient", "gg = 0.0"]
        for parameter in self.arguments.parameters:
            place = self.places.of[self.gradients[parameter]]
            lines += [
                f"for entry in range(thread, {math.prod(place.shape)}, {self.threads}):",
                f"    slope = np.float64(space[{UNSIGNED}({self._spread(place, 'entry')})])",
                "    gg += slope*slope",
            ]
        return [*lines, "gg = block_squares(gg, thread, parts)"]

    def _rest(self) -> list[str]:
        """The update of all other parameters: they lie side by side, and so do their states and gradients."""
        parameters = [p for p in self.arguments.parameters if p not in self.at_once]
        if not parameters:
            return []
        many, size = width(self.dtype), self._size_of_all()
        first = min((self.places.of[p] for p in parameters), key=lambda p: p.start)
        begin = first.start
        slopes = min(self.places.of[self.gradients[p]].start for p in parameters)
        loop = f"for place in range({begin} + {many}*thread, {size}, {many * self.threads}):"
        names = [self.names.new("slope") for _ in range(many)]
        equations = [f"# {eq!r}" for eq in self.optimizer.update.equations]
        body = [f"{', '.join(names)} = load(space, {slopes - begin} + place)", *self._entries_at_place(names, True)]
        return [*equations, loop, *indented(body)]

    def _size_of_all(self) -> int:
        """How far a state is from the parameters."""
        return sum(-(-self.places.of[p].size // width(self.dtype)) for p in self.arguments.parameters) * width(
            self.dtype
        )

    def _of_entries(self, place: str, slopes: list[str]) -> list[str]:
        return [f"place = {place}", *self._entries_at_place(slopes, False)]

    def _entries_at_place(self, slopes: list[str], apart: bool) -> list[str]:
        """The update of entries side by side from `place` on; `apart`: there may be numbers that are no entries."""
        starts = {n: k * self._size_of_all() for k, n in enumerate(("theta", *self.optimizer.state))}
        held = {n: v[: len(slopes)] for n, v in self.entries_held.items()}
        at = {n: f"place + {start}" if start else "place" for n, start in starts.items()}
        vector = len(slopes) > 1
        lines = [
            f"{', '.join(v)} = load(space, {at[n]})" if vector else f"{v[0]} = space[{UNSIGNED}({at[n]})]"
            for n, v in held.items()
        ]
        after: dict[str, list[str]] = {n: [] for n in starts}
        for q, slope in enumerate(slopes):
            text = {n: v[q] for n, v in held.items()} | {"g": slope, STEP: "step"} | self.scalars
            lines += self._body(text, self.constants)
            after["theta"].append(text["theta_new"])
            for state, new in self.optimizer.state.items():
                after[state].append(text[new])
        lines += [
            f"store(space, {at[n]}, {', '.join(v)})" if vector else f"space[{UNSIGNED}({at[n]})] = {v[0]}"
            for n, v in after.items()
        ]
        found = after["theta"]
        lines.append(f"if not math.isfinite({' + '.join(found)}):{'  # or only their sum is not' if vector else ''}")
        for q, value in enumerate(found):
            test = f"is_entry(place + {q}) and " if apart else ""
            lines += [f"    if {test}not math.isfinite({value}):", "        broken = 1"]
        return lines

    def _is_entry(self) -> list[str]:
        """Whether a number of the array of all parameters belongs to one of them, and does not stand between rows."""
        lines = []
        for place in sorted((self.places.of[n] for n in self.arguments.parameters), key=lambda p: p.start):
            last = place.shape[-1] if place.shape else 1
            lines.append(f"if place < {place.start + place.size}:")
            column = f"remainder(place - {place.start}, {place.pitch})"
            lines.append(f"    return place >= {place.start} and {column} < {last}")
        doc = '"""Whether a parameter has an entry at that place: between its rows there may be others."""'
        return ["@device", "def is_entry(place):", f"    {doc}", *indented([*lines, "return False"])]

    # ── the kernel ───────────────────────────────────────────────────────────────────────────────────────────────

    def _kernel(self) -> list[str]:
        """Trains models, one after the other in a block."""
        data = [self.py[n] for n in self.arguments.data]
        fixed = [self.py[n] for n in self.arguments.fixed]
        arrays = [self.py[n] for n in self.arguments.fixed if n not in self.numbers]
        passed = [*data, *fixed]
        whole = sum(math.prod(self.shapes[n]) for n in self.whole)
        batch = self.shapes[self.arguments.data[0]][0]
        kept = sum(2 * math.prod(self.places.of[p].shape) for p in self.pairs)
        each = [
            *(f"{self.py[n]} = numbers[model*{len(self.numbers)} + {k}]" for k, n in enumerate(self.numbers)),
            "before = done[model]",
            f"begin, half = model*{kept}, before % 2",
            "steps = full_steps if broken_at[model] == 0 else 0",
            "completed = -1",
            "while completed < 0:",
            *indented(self._copied(load=True)),
            "    barrier()",
            f"    completed = epoch{SIZED}(",
            f"        thread, parts, space, whole[cuda.blockIdx.x*{whole}:], order[model*order_step:],",
            "        first_step + before, before, steps,",
            *(f"        {', '.join(passed[k : k + 8])}," for k in range(0, len(passed), 8)),
            f"        wide[model*{2 * len(self.of_the_step)}:], hyper[model*{len(self.hyper)}:],",
            "        losses[model*losses_step:],",
            "    )",
            "    barrier()",
            "    if completed < 0:  # from the start again, up to the step before",
            "        steps = -1 - completed",
            "        if thread == 0:",
            "            broken_at[model] = 1",
            "half = (before + completed) % 2",
            *self._copied(load=False),
            "if thread == 0:",
            "    done[model] = before + completed",
            "barrier()",
        ]
        lines = [
            "parts = cuda.shared.array(32, np.float64)  # a whole number of vectors: `space` begins at one",
            f"thread, space = cuda.threadIdx.x, cuda.shared.array(0, types.{self.dtype})",
            f"for entry in range(thread, {self.places.end}, {self.threads}):",
            f"    space[{UNSIGNED}(entry)] = real(0.0)",
            "barrier()",
            "for model in range(cuda.blockIdx.x, models, cuda.gridDim.x):",
            *indented(each),
        ]
        given = "".join(f"{n}, " for n in (*data, *arrays))
        return [
            f"def {KERNEL}(",
            "    meet, models, full_steps, order_step, losses_step, order, first_step,",
            f"    {given}".rstrip(),
            "    numbers, home, whole, wide, hyper, losses, broken_at, done,",
            "):",
            *indented([f"# {batch} rows a step", *lines]),
        ]

    def _copied(self, load: bool) -> list[str]:
        """Between `home`, where there are two of everything, and the shared memory."""
        lines, end = [], 0
        for part in self.pairs:
            place = self.places.of[part]
            size = math.prod(place.shape)
            here = f"space[{UNSIGNED}({self._spread(place, 'entry')})]"
            there = f"home[{UNSIGNED}(begin + {end} + half*{size} + entry)]"
            lines += [
                f"for entry in range(thread, {size}, {self.threads}):",
                f"    {here} = {there}" if load else f"    {there} = {here}",
            ]
            end += 2 * size
        return lines


def _strided(lines: list[str]) -> list[str]:
    """The lines with loops from a thread on as `while`: a range has to divide to know how often it runs.

    >>> _strided(["for k in range(thread, 9, 4):", "    f(k)", "g()"])
    ['k = thread', 'while k < 9:', '    f(k)', '    k += 4', 'g()']
    """
    found: list[str] = []
    ends: list[tuple[int, str]] = []
    for line in lines:
        depth = len(line) - len(line.lstrip())
        while ends and depth < ends[-1][0]:
            found.append(ends.pop()[1])
        loop = re.fullmatch(r"( *)for (\w+) in range\(([^(),]*thread[^(),]*), (\d+), (\d+)\):", line)
        if loop is None:
            found.append(line)
            continue
        before, name, start, stop, step = loop.groups()
        found += [f"{before}{name} = {start}", f"{before}while {name} < {stop}:"]
        ends.append((depth + 4, f"{before}    {name} += {step}"))
    return [*found, *(end for _, end in reversed(ends))]


def sources(
    plan: Plan,
    gradient: DeviceFunction,
    gradients: dict[str, str],
    optimizer: Optimizer,
    dtype: str,
    ordered: bool,
    threads: int,
) -> list[str]:
    """The functions for the lengths that are expected; none where these aren't known, or take too much memory."""
    if plan.blocks or not is_known(plan) or not is_dense(plan):
        return []
    emitter = SizedEpochEmitter(plan, gradient, gradients, optimizer, dtype, ordered, threads)
    return emitter.sources() if emitter.places.end * np.dtype(dtype).itemsize <= SHARED else []


def is_dense(plan: Plan) -> bool:
    """Whether all is of rows and columns, as in networks of dense layers: no integers, recurrences, or axes beyond."""
    flat = all(b.tensor.rank <= 2 and not b.tensor.integer for b in plan.buffers)
    one = all(not i.loops and not i.left.at and not i.right.at for i in plan.items if isinstance(i, Contraction))
    return flat and one and not any(isinstance(i, Loop) and i.direction for i in plan.items)


def helpers(text: str, dtype: str, threads: int) -> list[str]:
    """What these functions call beside what all functions do."""
    threads = min(threads, THREADS)
    head = HEAD.replace("REGISTERS", str(min(REGISTERS // (threads * BLOCKS), 255)))
    return [head.strip(), vectors(width(dtype)), *quick(text), *cuda_warps.sources(text, threads)]


__all__ = ["KERNEL", "SIZE", "SizedEpochEmitter", "helpers", "sources"]
