"""The training loop as one device function: what `targets.epoch` is for one thread, for all threads of a model.

Everything that a model changes lies in one array, `space`, whose parts begin where `starts` says: pairs of parameters
and of their states, batches of the data, the outputs of `gradient`, and its work space. So a model can be put into the
shared memory of its block, and thousands of them are trained beside each other.
"""

from __future__ import annotations

from symdl.compilation.plan import Plan
from symdl.compilation.targets.cuda_emit import TAKEN, DeviceFunction
from symdl.compilation.targets.emit import is_number
from symdl.compilation.targets.epoch import NO_PARAMETER, STEP, EpochEmitter
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.core.tensors import Tensor
from symdl.library.optimisers import Optimizer

#: What stands at the head of `starts`.
ROWS, BATCH, EXTENTS = 0, 1, 2
HEAD = 3


class CudaEpochEmitter(EpochEmitter):
    """Emits `epoch` around an emitted device function `gradient`."""

    taken = TAKEN | {
        "starts", "space", "whole", "wide", "hyper", "broken_at", "loss", "slope", "at_row", "steps", "numbers", "home",
        "scratch", "before", "model", "kept", "begin", "completed", "epoch", "gradient", "evaluate", "predict",
    }  # fmt: skip

    def __init__(
        self, plan: Plan, gradient: DeviceFunction, gradients: dict[str, str], optimizer: Optimizer, dtype: str
    ) -> None:
        super().__init__(plan, gradient, gradients, optimizer, dtype)
        self.device = gradient
        whole = {n for n in self.arguments.data if self.tensors[n].integer}
        self.whole = tuple(n for n in self.arguments.data if n in whole)
        pairs = [*self.arguments.parameters]
        #: The parts of `space` in order; the first ones outlive a launch.
        self.pairs = (*pairs, *(f"{p}.{s}" for p, s in self.arguments.states if p != NO_PARAMETER))
        self.parts = (
            *self.pairs,
            *(n for n in self.arguments.data if n not in whole),
            *gradient.outputs,
            "work",
        )
        self.start = {p: HEAD + k for k, p in enumerate((*self.parts, *self.whole))}
        self.length = {p: HEAD + len(self.start) + k for k, p in enumerate((*self.parts, *self.whole))}
        self.row = {n: HEAD + 2 * len(self.start) + k for k, n in enumerate(self.arguments.data)}
        stems = {p: p.replace(".", "_") for p in self.start}
        self.begin = {p: self.names.new(f"{stems[p]}_begin") for p in self.start}
        self.entries = {p: self.names.new(f"{stems[p]}_length") for p in self.start}
        self.wide_row = {n: self.names.new(f"{n}_row") for n in self.row}

    def lines(self) -> list[str]:
        """The source of `epoch`; it returns the number of steps that were completed."""
        data = [self.py[d] for d in self.arguments.data]
        fixed = [self.py[f] for f in self.arguments.fixed]
        given = [*data, *fixed]
        places = {self.begin[p]: k for p, k in self.start.items()} | {
            self.entries[p]: k for p, k in self.length.items()
        }
        places |= {self.wide_row[n]: k for n, k in self.row.items()}
        body = [
            f"rows, batch_size = starts[{ROWS}], starts[{BATCH}]",
            "if broken_at[0] != 0:",
            "    rows = 0  # it stopped in an earlier launch",
            "# where the parts of `space` begin, and how long they are; the length of a row of each array of data",
            *(f"{name} = starts[{k}]" for name, k in places.items()),
            "done = 0",
            "start = 0",
            "while start < rows:",
            *indented(self._step()),
            "return done",
        ]
        head = "thread, threads, parts, meet, sizes, starts, order, first_step, before"
        arrays = "".join(f"    {', '.join(given[k : k + 8])},\n" for k in range(0, len(given), 8))
        return [
            f"def epoch(\n    {head},\n{arrays}    space, whole, wide, hyper, losses, broken_at,\n):",
            *indented(body),
        ]

    def _of_part(self, name: str, half: str = "") -> str:
        """A part of `space` or `whole`, or one half of a pair, as an array."""
        array = "whole" if name in self.whole else "space"
        start, length = self.begin[name], self.entries[name]
        if half:
            return f"{array}[{start} + {half}*{length}:{start} + {half}*{length} + {length}]"
        return f"{array}[{start}:{start} + {length}]"

    def _passed(self, name: str) -> str:
        if name in self.arguments.data:
            return self._of_part(name)
        if name in self.arguments.parameters:
            return self._of_part(name, "now")
        return self.py[name]

    def _step(self) -> list[str]:
        inputs = [self._passed(n) for n in self.gradient.inputs]
        outputs = [self._of_part(n) for n in self.gradient.outputs]
        loss = f"space[{self.begin[self.plan.definition.outputs[0]]}]"
        arguments = ["thread, threads, parts, meet, sizes, place", *inputs, *outputs, self._of_part("work")]
        return [
            "stop = min(start + batch_size, rows)",
            "count = stop - start",
            f"place = 0 if count == batch_size else starts[{EXTENTS}]",
            "now, then = (before + done) % 2, 1 - (before + done) % 2",
            *self._gather(),
            "barrier()",
            "gradient(",
            *(f"    {a}," for a in arguments),
            ")",
            "barrier()",
            f"loss = {loss}",
            "if thread == 0:",
            "    losses[done] = loss",
            "if not math.isfinite(loss):",
            "    broken_at[0] = 1",
            "    break",
            *self._update(),
            "if broken != 0:",
            "    broken_at[0] = 1",
            "barrier()",
            "if broken_at[0] != 0:",
            "    break",
            "done += 1",
            "start = stop",
        ]

    def _gather(self) -> list[str]:
        lines = ["# the rows of this batch"]
        for name in self.arguments.data:
            x, array = self.py[name], "whole" if name in self.whole else "space"
            row = self.wide_row[name]
            lines += [
                f"for entry in range(thread, count*{row}, threads):",
                f"    at_row = order[{UNSIGNED}(start + quotient(entry, {row}))]*{row} + remainder(entry, {row})",
                f"    {array}[{UNSIGNED}({self.begin[name]} + entry)] = {x}[{UNSIGNED}(at_row)]",
            ]
        return lines

    # ── the update ───────────────────────────────────────────────────────────────────────────────────────────────

    def _update(self) -> list[str]:
        numbers = [f"{n} = hyper[{k}]" for k, n in enumerate(self.hyper.values())]
        return [*numbers, *super()._update()]

    def _updates(self) -> list[str]:
        return [line for p in self.arguments.parameters for line in self._nest(self.tensors[p])]

    def _of_no_parameter(self, state: str, half: str) -> str:
        return f"wide[{2 * list(self.optimizer.step_state).index(state)} + {half}]"

    def _squares(self) -> list[str]:
        lines = ["# the sum of all squares of the gradient", "gg = 0.0"]
        for parameter in self.arguments.parameters:
            part = self.gradients[parameter]
            lines += [
                f"for entry in range(thread, {self.entries[part]}, threads):",
                f"    slope = np.float64(space[{UNSIGNED}({self.begin[part]} + entry)])",
                "    gg += slope*slope",
            ]
        return [*lines, "gg = all_squares(gg, thread, threads, parts, meet)"]

    def _nest(self, parameter: Tensor) -> list[str]:
        """The update of one parameter, entry by entry."""
        name = parameter.name
        text = {"theta": self._entry(name, "now"), "g": self._entry(self.gradients[name]), STEP: "step"}
        stores = [("theta_new", self._entry(name, "then"))]
        for s, new in self.optimizer.state.items():
            text[s] = self._entry(f"{name}.{s}", "now")
            stores.append((new, self._entry(f"{name}.{s}", "then")))
        text |= self.scalars
        known = len(self.constants.found)
        body = self._body(text, self.constants)
        new_constants = self.constants.lines(self.printer)[known:]
        body += [f"{target} = {text[new]}" for new, target in stores]
        body += [f"if not math.isfinite({text['theta_new']}):", "    broken = 1"]
        loop = [f"for entry in range(thread, {self.entries[name]}, threads):", *indented(body)]
        return [*new_constants, *loop]

    def _entry(self, part: str, half: str = "") -> str:
        start, length = self.begin[part], self.entries[part]
        offset = f" + {half}*{length}" if half else ""
        return f"space[{UNSIGNED}({start}{offset} + entry)]"


def numbers_among(plan: Plan, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which inputs are passed as numbers."""
    return tuple(n for n in names if is_number(plan.definition.tensors[n]))
