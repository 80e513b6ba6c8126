"""One step of training as launches: the rows of a batch, the gradient, and the update of all parameters by one kernel.

Parameters stand one after the other in one array, and so do their gradients and each of their states: an update is one
loop. Everything is changed in place. `progress` says how far an epoch is, so that a step needs nothing of the host and
can be captured as a graph. A step whose loss or update is not finite stops those that follow; whoever runs them has
what they started from, and makes the steps before it once more (as `targets.epoch` has it for one thread).
"""

from __future__ import annotations

from functools import cached_property

from symdl.compilation.plan import Plan
from symdl.compilation.targets.cuda_emit import TAKEN
from symdl.compilation.targets.cuda_graph import MORE, SUMS, HostFunction, Kernel
from symdl.compilation.targets.epoch import SQUARES, STEP, EpochEmitter
from symdl.compilation.targets.kernels import wrapped
from symdl.compilation.targets.scalars import UNSIGNED, indented
from symdl.library.optimisers import Optimizer

#: What `progress` holds: completed steps, whether training is over, whether this update went wrong, the steps before,
#: and how many rows of the epoch stand before those that are there.
DONE, OVER, WRONG, BEFORE, SKIPPED = range(5)


class GraphEpochEmitter(EpochEmitter):
    """Emits `step`, a function of the host, around an emitted `gradient`, and its kernels."""

    taken = TAKEN | MORE | {
        "progress", "slopes", "squares", "wide", "hyper", "shared", "loss", "slope", "at_row", "parameters", "part",
        "gradient", "evaluate", "predict", "extents", "batch_begin", "mine", "broken", "step", "width",
    }  # fmt: skip

    def __init__(
        self, plan: Plan, gradient: HostFunction, gradients: dict[str, str], optimizer: Optimizer, dtype: str
    ) -> None:
        super().__init__(plan, gradient, gradients, optimizer, dtype)
        self.squared = SQUARES in {t.name for t in optimizer.step.inputs} if optimizer.step is not None else False
        self.rows = {n: self.names.new(f"{n}_row") for n in self.arguments.data}
        self.batches = {n: self.names.new(f"{n}_batch") for n in self.arguments.data}

    # ── the function of the host ─────────────────────────────────────────────────────────────────────────────────

    def lines(self) -> list[str]:
        """The source of `step`."""
        a = self.arguments
        data, batches = [self.py[d] for d in a.data], list(self.batches.values())
        outputs = [self.py[o] for o in self.gradient.outputs]
        states = list(self.held.values())
        given = ["run", "extents", "count", "batch_size", *data, *batches, *(self.py[f] for f in a.fixed)]
        given += [*(self.py[p] for p in a.parameters), *outputs, "work", "parameters", "slopes", *states]
        given += ["order", "progress", "hyper", "wide", "squares", "shared", "losses"]
        loss = self.py[self.plan.definition.outputs[0]]
        called = [self.batches.get(n) or self.py[n] for n in (*self.gradient.inputs, *self.gradient.outputs)]
        rows = [f"{b}.size//count" for b in batches]
        numbers = ["hyper", "wide", "squares", "progress", "shared"]
        widest = f"count*max({', '.join(rows)})" if len(rows) > 1 else f"count*({rows[0]})"
        gathered = ["count", "batch_size", *rows, *data, *batches, "order", "progress"]
        updated = ["parameters", *states, "slopes", "shared", loss, "losses", "progress"]
        body = [
            '"""Launches one step, on a batch of `count` rows."""',
            *_call("run.kernel", "gather_kernel", widest, gathered, batches),
            *wrapped("gradient(", ["run", "*extents", *called, "work"], ")"),
        ]
        if self.squared:
            body += _call("run.sums", "squares_kernel", "1, slopes.size, 1", ["slopes", "squares"], ["squares"])
        body += _call("run.kernel", "numbers_kernel", "1", numbers, ["wide", "progress", "shared"])
        body += _call(
            "run.counted", "update_kernel", "parameters.size", updated, ["parameters", *states, "losses", "progress"]
        )
        return [*wrapped("def step(", given, "):"), *indented(body)]

    # ── kernels ──────────────────────────────────────────────────────────────────────────────────────────────────

    def kernels(self) -> list[Kernel]:
        """The kernels of a step, those of `gradient` aside."""
        found = [self._gather_kernel(), self._numbers_kernel(), self._update_kernel()]
        return [*found, self._squares_kernel()] if self.squared else found

    def _made(self, name: str, arguments: list[str], body: list[str]) -> Kernel:
        types = dict.fromkeys(["count", "batch_size", *self.rows.values()], "int64")
        types |= {"order": "int64[:]", "progress": "int64[:]", **SUMS}
        types |= dict.fromkeys(("hyper", "wide", "squares"), "float64[:]")
        for n in self.arguments.data:
            if self.tensors[n].integer:
                types |= dict.fromkeys((self.py[n], self.batches[n]), "int64[:]")
        found = {n: types.get(n, f"{self.dtype}[:]") for n in arguments}
        return Kernel(f"{name}_kernel", found, tuple(body))

    def _gather_kernel(self) -> Kernel:
        a = self.arguments
        rows = [self.rows[n] for n in a.data]
        given = ["count", "batch_size", *rows, *(self.py[n] for n in a.data), *self.batches.values()]
        # once a step is not finite, none is completed: what is gathered then is not used, but has to be there
        begin = f"batch_begin = max(progress[{DONE}]*batch_size - progress[{SKIPPED}], 0)"
        lines = ["thread, threads = cuda.grid(1), cuda.gridsize(1)", begin]
        for name in a.data:
            row = self.rows[name]
            at_row = f"order[{UNSIGNED}(batch_begin + quotient(entry, {row}))]*{row} + remainder(entry, {row})"
            lines += [
                f"for entry in range(thread, count*{row}, threads):",
                f"    at_row = {at_row}",
                f"    {self.batches[name]}[{UNSIGNED}(entry)] = {self.py[name]}[{UNSIGNED}(at_row)]",
            ]
        return self._made("gather", [*given, "order", "progress"], ["# the rows of this batch", *lines])

    @cached_property
    def kept(self) -> list[str]:
        """The numbers that the update of every entry takes, in the order of `shared`."""
        self.body  # noqa: B018 — it finds what is constant
        return self._numbers()

    def _numbers_kernel(self) -> Kernel:
        """What all entries share is computed once, by one thread."""
        lines = [
            *(f"{n} = hyper[{k}]" for k, n in enumerate(self.hyper.values())),
            f"first_step, done, broken = progress[{BEFORE}], progress[{DONE}], 0",
        ]
        kept = self.kept
        lines += [*self._of_the_step(), *self.constants.lines(self.printer)]
        lines += [f"shared[{k}] = {n}" for k, n in enumerate(kept)]
        lines += ["if broken != 0:", f"    progress[{WRONG}] = 1"]
        body = [f"if cuda.grid(1) == 0 and progress[{OVER}] == 0:", *indented(lines)]
        return self._made("numbers", ["hyper", "wide", "squares", "progress", "shared"], body)

    def _squares_kernel(self) -> Kernel:
        body = [
            "parts = cuda.shared.array(THREADS, np.float64)",
            "own, high = cuda.threadIdx.x, cuda.blockDim.x",
            "row, rows = own + high*cuda.blockIdx.y, high*cuda.gridDim.y",
            "part = 0.0",
            "for entry in range(row, slopes.size, rows):",
            f"    slope = np.float64(slopes[{UNSIGNED}(entry)])",
            "    part += slope*slope",
            "part = columns_squares(part, 1, parts)",
            "part, mine = blocks_squares(part, own == 0, 0, 1, 1, parts, meet, tickets)",
            "if mine:",
            "    squares[0] = part",
        ]
        doc = "# the sum of all squares of the gradient"
        return self._made("squares", ["slopes", "squares", *SUMS], [doc, *body])

    def _update_kernel(self) -> Kernel:
        states = list(self.held.values())
        loss = self.py[self.plan.definition.outputs[0]]
        equations = [f"# {eq!r}" for eq in self.optimizer.update.equations]
        body = [
            "thread, threads, broken = cuda.grid(1), cuda.gridsize(1), 0",
            f"if progress[{OVER}] == 0 and math.isfinite({loss}[0]):",
            *(f"    {n} = shared[{k}]" for k, n in enumerate(self.kept)),
            *indented(equations),
            "    for entry in range(thread, parameters.size, threads):",
            *indented(indented(self.body)),
            "if broken != 0:",
            f"    progress[{WRONG}] = 1",
            f"if last_block(tickets) and progress[{OVER}] == 0:",
            f"    losses[progress[{DONE}]] = {loss}[0]",
            f"    if progress[{WRONG}] != 0 or not math.isfinite({loss}[0]):",
            f"        progress[{OVER}] = 1",
            "    else:",
            f"        progress[{DONE}] += 1",
        ]
        given = ["parameters", *states, "slopes", "shared", loss, "losses", "progress", "tickets"]
        return self._made("update", given, body)

    @cached_property
    def body(self) -> list[str]:
        """The equations of the update for one entry."""
        place = f"[{UNSIGNED}(entry)]"
        text = {"theta": f"parameters{place}", "g": f"slopes{place}", STEP: "step"}
        text |= {s: f"{name}{place}" for s, name in self.held.items()}
        stores = [("theta_new", text["theta"]), *((new, text[s]) for s, new in self.optimizer.state.items())]
        text |= self.scalars
        lines = self._body(text, self.constants)
        lines += [f"{target} = {text[name]}" for name, target in stores]
        return [*lines, f"if not math.isfinite({text['theta_new']}):", "    broken = 1"]

    def _squares(self) -> list[str]:
        return ["gg = squares[0]"]

    def _of_no_parameter(self, state: str, half: str) -> str:
        return f"wide[{list(self.optimizer.step_state).index(state)}]"


def _call(how: str, kernel: str, sizes: str, arguments: list[str], written: list[str]) -> list[str]:
    """The launch of a kernel."""
    given = [kernel, sizes, f"({', '.join(arguments)},)"]
    return wrapped(f"{how}(", [*given, f"writes=({', '.join(written)},)"], ")")


__all__ = ["BEFORE", "DONE", "OVER", "SKIPPED", "WRONG", "GraphEpochEmitter"]
