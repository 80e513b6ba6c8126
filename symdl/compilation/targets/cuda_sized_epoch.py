"""The training loop of one block for the lengths that are expected, with everything in its shared memory.

Parameters and states are changed in place. Where the result of a step is not finite, the block starts again from what
the launch started from, and stops before that step, as a processor does (see `targets.epoch`).
"""

from __future__ import annotations

import numpy as np

from symdl.compilation.plan import Plan
from symdl.compilation.sizes import is_known
from symdl.compilation.targets import cuda_warps
from symdl.compilation.targets.cuda_emit import DeviceFunction
from symdl.compilation.targets.cuda_epoch import CudaEpochEmitter, numbers_among
from symdl.compilation.targets.cuda_places import Place, arranged, width
from symdl.compilation.targets.cuda_products import vectors
from symdl.compilation.targets.cuda_sized import GIVEN, NAMES, THREADS, SizedEmitter
from symdl.compilation.targets.epoch import STEP
from symdl.compilation.targets.kernels import SIZED
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.compilation.targets.sized import shapes_of
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
        of = {p: g for p, g in gradients.items() if p in self.arguments.parameters}
        real = [n for n in self.arguments.data if n not in self.whole]
        self.places = arranged(plan, dtype, self.shapes, of, optimizer.state, real)
        self.starts_of_whole, end = dict[str, int](), 0
        for name in self.whole:
            self.starts_of_whole[name] = end
            end += _product(self.shapes[name])
        self.numbers = numbers_among(plan, self.arguments.fixed)
        self.emitter = SizedEmitter(plan, dtype, self.places, self.starts_of_whole, ordered, self.threads)
        self.of_the_step = {s: self.names.new(f"{s}_now") for s in optimizer.step_state}

    def sources(self) -> list[str]:
        """All functions of the module that belong to it."""
        size = [f"def {SIZE}():", f"    return {self.places.end}"]
        gradient = ["@inlined", *self.emitter.lines_of(f"gradient{SIZED}", self.arguments.fixed)]
        kernel = ["@sized_kernel", *self._kernel()]
        parts = [size, self._is_entry(), gradient, ["@inlined", *self.lines()], kernel]
        return ["\n".join(p) for p in parts]

    # ── one epoch ────────────────────────────────────────────────────────────────────────────────────────────────

    def lines(self) -> list[str]:
        """The source of `epoch_sized`; it returns the number of steps, or −1 minus those before one that broke."""
        given = [*(self.py[d] for d in self.arguments.data), *(self.py[f] for f in self.arguments.fixed)]
        arrays = "".join(f"    {', '.join(given[k : k + 8])},\n" for k in range(0, len(given), 8))
        wide = [f"{name} = wide[{2 * k} + before % 2]" for k, name in enumerate(self.of_the_step.values())]
        back = [
            f"    wide[{2 * k} + (before + done) % 2] = {name}" for k, name in enumerate(self.of_the_step.values())
        ]
        body = [
            f"threads = {self.threads}",
            *wide,
            "done = 0",
            "while done < steps:",
            *indented(self._step()),
            *(["if thread == 0:", *back] if back else []),
            "return done",
        ]
        head = "thread, parts, space, whole, order, first_step, before, steps"
        return [f"def epoch{SIZED}(\n    {head},\n{arrays}    wide, hyper, losses,\n):", *indented(body)]

    def _step(self) -> list[str]:
        fixed = [self.py[f] for f in self.arguments.fixed]
        batch = self.shapes[self.arguments.data[0]][0]
        loss = self.places.of[self.plan.definition.outputs[0]].start
        return [
            f"start = done*{batch}",
            *self._gather(),
            "barrier()",
            f"gradient{SIZED}({', '.join([*GIVEN, *fixed])})",
            "barrier()",
            f"loss = space[{loss}]",
            "if thread == 0:",
            "    losses[done] = loss",
            "if not math.isfinite(loss):",
            "    return -1 - done",
            *self._update(),
            "if cuda.syncthreads_or(broken):",
            "    return -1 - done",
            "done += 1",
        ]

    def _gather(self) -> list[str]:
        lines = ["# the rows of this batch"]
        for name in self.arguments.data:
            x, shape = self.py[name], self.shapes[name]
            row = _product(shape[1:])
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
                f"for entry in range(thread, {_product(place.shape)}, {self.threads}):",
                f"    slope = np.float64(space[{UNSIGNED}({self._spread(place, 'entry')})])",
                "    gg += slope*slope",
            ]
        return [*lines, "gg = block_squares(gg, thread, parts)"]

    def _updates(self) -> list[str]:
        """The update of every parameter: they lie side by side, and so do their states and gradients."""
        first = self.arguments.parameters[0]
        many = width(self.dtype)
        parts = {"theta": first, **{s: f"{first}.{s}" for s in self.optimizer.state}, "g": self.gradients[first]}
        starts = {n: self.places.of[p].start for n, p in parts.items()}
        length = starts[next(iter(self.optimizer.state), "g")] - starts["theta"]
        names = {n: self.names.new(n if n != "g" else "slope") for n in parts}
        body = []
        for name, start in starts.items():
            targets = ", ".join(f"{names[name]}{q}" for q in range(many))
            body.append(f"{targets} = load(space, {start} + chunk)")
        known = len(self.constants.found)
        finite, after = [], dict[str, list[str]]()
        for q in range(many):
            text = {n: f"{name}{q}" for n, name in names.items()} | {STEP: "step"} | self.scalars
            body += self._body(text, self.constants)
            finite.append(text["theta_new"])
            after.setdefault("theta", []).append(text["theta_new"])
            for state, new in self.optimizer.state.items():
                after.setdefault(state, []).append(text[new])
        body += [f"store(space, {starts[n]} + chunk, {', '.join(values)})" for n, values in after.items()]
        body += [f"if not math.isfinite({' + '.join(finite)}):  # or the sum alone is not"]
        for q, value in enumerate(finite):
            body += [f"    if is_entry(chunk + {q}) and not math.isfinite({value}):", "        broken = 1"]
        constants = self.constants.lines(self.printer)[known:]
        loop = f"for chunk in range({many}*thread, {length}, {many * self.threads}):"
        return [*constants, loop, *(f"    {line}" for line in body)]

    def _is_entry(self) -> list[str]:
        """Whether a number of the array of all parameters belongs to one of them, and does not stand between rows."""
        lines = []
        for name in self.arguments.parameters:
            place = self.places.of[name]
            last = place.shape[-1] if place.shape else 1
            lines.append(f"if place < {place.start + place.size}:")
            lines.append(f"    return place >= {place.start} and remainder(place - {place.start}, {place.pitch}) < {last}")
        doc = '"""Whether a parameter has an entry at that place: between its rows there may be others."""'
        return ["@device", "def is_entry(place):", f"    {doc}", *indented([*lines, "return False"])]

    # ── the kernel ───────────────────────────────────────────────────────────────────────────────────────────────

    def _kernel(self) -> list[str]:
        """Trains models, one after the other in a block."""
        data = [self.py[n] for n in self.arguments.data]
        fixed = [self.py[n] for n in self.arguments.fixed]
        arrays = [self.py[n] for n in self.arguments.fixed if n not in self.numbers]
        passed = [*data, *fixed]
        whole = sum(_product(self.shapes[n]) for n in self.whole)
        batch = self.shapes[self.arguments.data[0]][0]
        kept = sum(2 * _product(self.places.of[p].shape) for p in self.pairs)
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
            size = _product(place.shape)
            here = f"space[{UNSIGNED}({self._spread(place, 'entry')})]"
            there = f"home[{UNSIGNED}(begin + {end} + half*{size} + entry)]"
            lines += [
                f"for entry in range(thread, {size}, {self.threads}):",
                f"    {here} = {there}" if load else f"    {there} = {here}",
            ]
            end += 2 * size
        return lines


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
    if plan.blocks or not is_known(plan):
        return []
    emitter = SizedEpochEmitter(plan, gradient, gradients, optimizer, dtype, ordered, threads)
    return emitter.sources() if emitter.places.end * np.dtype(dtype).itemsize <= SHARED else []


def helpers(text: str, dtype: str, threads: int) -> list[str]:
    """What these functions call beside what all functions do."""
    threads = min(threads, THREADS)
    head = HEAD.replace("REGISTERS", str(min(REGISTERS // (threads * BLOCKS), 255)))
    return [head.strip(), vectors(width(dtype)), *cuda_warps.sources(text, threads)]


def _product(shape: tuple[int, ...]) -> int:
    found = 1
    for length in shape:
        found *= length
    return found


__all__ = ["KERNEL", "SIZE", "SizedEpochEmitter", "helpers", "sources"]
