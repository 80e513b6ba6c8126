"""The training loop as one function: gather a batch, gradient, check, update, for every batch of an epoch.

Parameters and states are changed in place, each entry in one pass over the gradient. A step whose loss is not finite is
not made. If the result of a step is not finite, −1 minus the number of steps before it is returned; the caller, who has
what the loop started from, makes those once more, with the same results to the last bit. All buffers are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy

from symdl.compilation.plan import Plan
from symdl.compilation.targets.blocks import Invariants, computed, share
from symdl.compilation.targets.emit import Function, is_number
from symdl.compilation.targets.kernels import ENTRY, SIZED, SUFFIX, array_type, decorators, wrapped
from symdl.compilation.targets.names import Names
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.compilation.targets.sized import Shapes, Stack, flat, shaped
from symdl.core.tensors import Element, Role
from symdl.errors import DefinitionError, UnsupportedError
from symdl.library.optimisers import Optimizer

#: The number of the step, and Σ g² over all entries of all gradients, in the equations of an optimiser.
STEP, SQUARES = "t", "gg"
#: In emitted code: the update of one parameter, by whether its length is a number in the code.
UPDATE = {False: f"update{SUFFIX}", True: "update"}
#: What stands for a parameter in the key of a state that belongs to the step.
NO_PARAMETER = ""


@dataclass(frozen=True)
class EpochArguments:
    """The tensors of the arguments of `epoch`, by name, in order.

    They are: order, batch_size, first_step; the data; a batch of each; what is fixed; parameters and states, which are
    changed; hyperparameters, in float64; the outputs of `gradient`; the work space; losses. States are told by
    parameter and name; those of the step itself, numbers in float64, come last and belong to the parameter "". For each
    of the others there is one array, which holds that of every parameter: the time that compiling takes grows with the
    square of the number of arguments. Where there are `sizes`, of what is given, there is a function for them alone.
    The gradients that are `passing` are never all there, so one array is enough for all of them (see `descents`).
    """

    data: tuple[str, ...]
    fixed: tuple[str, ...]
    parameters: tuple[str, ...]
    states: tuple[tuple[str, str], ...]
    hyper: tuple[str, ...]
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    passing: tuple[str, ...] = ()


class EpochEmitter:
    """Emits `epoch` around an emitted `gradient`; with `sized` shapes for these alone (see `sized`)."""

    #: More names that no tensor may have.
    taken: frozenset[str] = frozenset()

    def __init__(
        self,
        plan: Plan,
        gradient: Function,
        gradients: dict[str, str],
        optimizer: Optimizer,
        dtype: str,
        sized: Shapes | None = None,
    ) -> None:
        self.dtype, self.sized = dtype, sized or {}
        self.plan, self.gradient, self.gradients, self.optimizer = plan, gradient, gradients, optimizer
        self.names = Names(
            {"gradient", f"gradient{SIZED}", "work", "losses", "now", "then", "step", "number", "entry", "entries"}
            | {"theta", "g", UPDATE[True]}
            | self.taken
        )
        self.printer, self.wide = ScalarPrinter(dtype), ScalarPrinter("float64")
        definition = plan.definition
        self.tensors = definition.tensors
        used = [self.tensors[n] for n in gradient.inputs]
        batch = batch_key(plan)
        data = [t for t in used if t.role is Role.INPUT and t.rank and plan.axes.key(t.indices[0]) == batch]
        for tensor in used:
            if any(plan.axes.key(i) == batch for i in tensor.indices[1 if tensor in data else 0 :]):
                raise UnsupportedError(
                    f"{tensor.element()} has the batch index elsewhere than first", remedy="put it first"
                )
        parameters = [p for p in definition.parameters if p.name in gradients]
        states = [(p.name, s) for p in parameters for s in optimizer.state]
        states += [(NO_PARAMETER, s) for s in optimizer.step_state]
        self.arguments = EpochArguments(
            tuple(t.name for t in data),
            tuple(t.name for t in used if t not in data and t not in parameters),
            tuple(p.name for p in parameters),
            tuple(states),
            tuple(optimizer.hyper),
        )
        self.py = {n: self.names.new(n) for n in dict.fromkeys((*gradient.inputs, *gradient.outputs))}
        for parameter in parameters:
            self.py.setdefault(parameter.name, parameter.name)
        self.state = {(p, s): self.names.new(f"{p}_{s}" if p else s) for p, s in states}
        self.packs = {s: self.names.new(f"{s}_all") for s in optimizer.state}
        self.starts = {p.name: self.names.new(f"{p.name}_start") for p in parameters}
        self.hyper = {h: self.names.new(h) for h in optimizer.hyper}
        self.shared = {e.name: self.names.new(e.name) for e in optimizer.step.equations} if optimizer.step else {}
        wide = {**self.hyper, **self.shared}
        taken = [t.name for t in optimizer.update.inputs if t.name in wide]
        #: The numbers of a step that the update takes, in the dtype of the program.
        self.scalars = {n: self.names.new(f"{n}_real") if dtype != "float64" else wide[n] for n in taken}
        constant = {sympy.Symbol(n, real=True) for n in (*self.scalars.values(), "step")}
        #: What all entries share, and costs something.
        self.constants = Invariants(lambda s: s in constant, self.names)
        self.held = {s: self.names.new(s) for s in optimizer.state}

    def lines(self) -> list[str]:
        """The source of `epoch`; it returns the number of steps that were completed."""
        a = self.arguments
        apart = [name for (p, _), name in self.state.items() if p == NO_PARAMETER]
        changed = [*(self.py[p] for p in a.parameters), *self.packs.values(), *apart]
        data = [self.py[d] for d in a.data]
        given = [*data, *(f"{d}_batch" for d in data), *(self.py[f] for f in a.fixed), *changed]
        given += self.hyper.values()
        given += [self.py[n] for n in self.gradient.outputs]
        body = [
            *(self._sizes() if self.sized else ()),
            "rows = order.size",
            "done = 0",
            "start = 0",
            *self._before_steps(),
            "while start < rows:",
            *_in(self._step()),
            "return done",
        ]
        arguments = ",\n    ".join(", ".join(given[k : k + 8]) for k in range(0, len(given), 8))
        name = f"epoch{SIZED if self.sized else ''}"
        return [f"def {name}(\n    order, batch_size, first_step,\n    {arguments},\n    work, losses,\n):", *_in(body)]

    def decorators(self) -> list[str]:
        """The lines before that source, which say what it is compiled for."""
        a = self.arguments
        types = [array_type("int64", 1), "int64", "int64"]
        types += [self._type(n) for n in (*a.data, *a.data, *a.fixed, *a.parameters)]
        types += [array_type(self.dtype, 1)] * len(self.packs)
        types += [array_type("float64", 1) for p, _ in self.state if p == NO_PARAMETER]
        types += ["float64"] * len(self.hyper)
        parameters = {g: p for p, g in self.gradients.items()}
        types += [self._type(parameters.get(n, n)) for n in self.gradient.outputs]
        return decorators([*types, *[array_type(self.dtype, 1)] * 2], "int64", ENTRY)

    def _type(self, name: str) -> str:
        """The type of an argument: of a tensor that is given, or a result."""
        tensor = self.tensors[name]
        kind = "int64" if tensor.integer else self.dtype
        return kind if is_number(tensor) else array_type(kind, max(tensor.rank, 1))

    def _sizes(self) -> list[str]:
        """The arguments as arrays of the expected lengths; what nobody asks for afterwards is on the stack."""
        a, gradient_of, stack = self.arguments, {g: p for p, g in self.gradients.items()}, Stack(self.dtype)
        lines = [f"batch_size = {self.sized[a.data[0]][0]}"]
        own = {self.py[n]: (self.sized[gradient_of.get(n, n)] or (1,), "real") for n in self.gradient.outputs}
        for name in a.data:
            kind, x, shape = "np.int64" if self.tensors[name].integer else "real", self.py[name], self.sized[name]
            lines.append(shaped(x, (f"{x}.shape[0]", *shape[1:])))
            own[f"{x}_batch"] = (shape, kind)
        lines += [shaped(self.py[p], self.sized[p] or (1,)) for p in a.parameters]
        return [*lines, *(stack.array(n, shape, kind) or shaped(n, shape) for n, (shape, kind) in own.items())]

    def _before_steps(self) -> list[str]:
        """What is known before the first step."""
        return self._starts() if self.packs and not self.sized else []

    def _starts(self) -> list[str]:
        """Where the states of each parameter begin."""
        lines, end = ["# where the states of a parameter begin in the array of all"], "0"
        for name, start in self.starts.items():
            lines.append(f"{start} = {end}")
            end = f"{start} + {self.py[name]}.size"
        return lines

    def _passed(self, name: str) -> str:
        if name in self.arguments.data:
            return f"{self.py[name]}_batch{'' if self.sized else '[:count]'}"
        return self.py[name]

    def _step(self) -> list[str]:
        inputs = [self._passed(n) for n in self.gradient.inputs]
        outputs = [self.py[n] for n in self.gradient.outputs]
        loss = self.py[self.plan.definition.outputs[0]]
        return [
            "stop = min(start + batch_size, rows)" if not self.sized else "stop = start + batch_size",
            "count = stop - start" if not self.sized else "count = batch_size",
            *self._gather(),
            *self._gradient([*inputs, *outputs, "work"]),
            f"losses[done] = {loss}[0]",
            f"if not math.isfinite({loss}[0]):",
            "    break",
            *self._update(),
            "if broken:",
            "    return -1 - done",
            "done += 1",
            "start = stop",
        ]

    def _gradient(self, given: list[str]) -> list[str]:
        """The call of the gradient."""
        return [f"{self.gradient.name}({', '.join(given)})"]

    def _gather(self) -> list[str]:
        names = self._gathered_together()
        lines = [f"    {line}" for name in names for line in self._row(name)]
        return ["# the rows of this batch", *(["for row in range(count):", *lines] if names else [])]

    def _gathered_together(self) -> tuple[str, ...]:
        """The data whose rows are copied one after the other."""
        return self.arguments.data

    def _row(self, name: str) -> list[str]:
        """Copies the row of some data that the batch has at `row`."""
        x, rank, lines = self.py[name], self.tensors[name].rank, []
        axes = [f"a{k}" for k in range(1, rank)]
        for depth, axis in enumerate(axes):
            lines.append("    " * depth + f"for {axis} in range({x}.shape[{depth + 1}]):")
        inside = "".join(f", {axis}" for axis in axes)
        return [*lines, "    " * (rank - 1) + f"{x}_batch[row{inside}] = {x}[order[start + row]{inside}]"]

    # ── the update ───────────────────────────────────────────────────────────────────────────────────────────────

    def _update(self) -> list[str]:
        equations = [f"# {eq!r}" for eq in self.optimizer.update.equations]
        return ["broken = 0", *self._of_the_step(), *equations, *self._updates()]

    def _of_the_step(self) -> list[str]:
        """What all entries share: the number of the step, schedules, the norm of the gradient; in float64."""
        step, lines = self.optimizer.step, []
        used = {t.name for d in (self.optimizer.update, step) if d is not None for t in d.inputs}
        if STEP in used:
            lines += ["number = first_step + done + 1", "step = real(number)"]
        text = {STEP: "number", SQUARES: "gg", **self.hyper, **self.shared}
        text |= {s: self._of_no_parameter(s, "now") for s in self.optimizer.step_state}
        if step is not None:
            lines += self._squares() if SQUARES in used else []
            for eq in step.equations:
                body = computed(eq.rhs)
                symbols = {e: sympy.Symbol(text[e.name], real=True, **_whole(e)) for e in body.atoms(Element)}
                lines += [f"# {eq!r}", f"{text[eq.name]} = {self.wide.doprint(body.xreplace(symbols))}"]
        for s, new in self.optimizer.step_state.items():
            lines.append(f"{self._of_no_parameter(s, 'then')} = {text[new]}")
            lines.append(f"broken += {text[new]} - {text[new]} != 0")
        return [*lines, *(f"{n} = real({text[h]})" for h, n in self.scalars.items() if n != text[h])]

    def _of_no_parameter(self, state: str, half: str) -> str:
        """A state of the step itself; `half` is for targets that keep what was before in another half."""
        return f"{self.state[NO_PARAMETER, state]}[0]"

    def _squares(self) -> list[str]:
        lines = ["# the sum of all squares of the gradient", "gg = 0.0"]
        for parameter in self.arguments.parameters:
            lines += [f"for entry in {self.py[self.gradients[parameter]]}.flat:"]
            lines += ["    gg += np.float64(entry)*np.float64(entry)"]
        return lines

    def _updates(self) -> list[str]:
        """The update of every parameter, entry by entry."""
        begin = 0
        lines = self.constants.lines(self.printer)
        for parameter in self.arguments.parameters:
            p, start = self.py[parameter], self.starts[parameter]
            size = str(int(np.prod(self.sized[parameter]))) if self.sized else f"{p}.size"
            arrays = {p: "0", self.py[self.gradients[parameter]]: "0"}
            arrays |= dict.fromkeys(self.packs.values(), str(begin) if self.sized else start)
            lines += self._update_of(parameter, [flat(array, at, size) for array, at in arrays.items()])
            begin += int(size) if self.sized else 0
        return lines

    def _update_of(self, parameter: str, given: list[str]) -> list[str]:
        """The update of a parameter, from the arrays of its entries."""
        return wrapped(f"broken += {UPDATE[bool(self.sized)]}(", [*given, *self._numbers()], ")")

    def _numbers(self) -> list[str]:
        """What the update takes beside arrays, as far as it does."""
        text = "\n".join(self.body)
        numbers = ["step", *self.scalars.values(), *(s.name for s in self.constants.found.values())]
        return [n for n in dict.fromkeys(numbers) if re.search(rf"\b{n}\b", text)]

    def update_lines(self) -> list[str]:
        """A function for the update of the entries of one parameter, and what it is compiled for."""
        arrays = ["theta", "g", *self.held.values()]
        return [
            f"def {UPDATE[bool(self.sized)]}({', '.join([*arrays, *self._numbers()])}):",
            '    """The update of every entry of a parameter; how many of the results are not finite."""',
            "    broken = 0",
            "    for entry in range(theta.size):",
            *_in(_in(self.body)),
            "    return broken",
        ]

    def update_types(self) -> list[str]:
        """The types of the arguments of that function."""
        return [*[array_type(self.dtype, 1)] * (2 + len(self.held)), *[self.dtype] * len(self._numbers())]

    @cached_property
    def body(self) -> list[str]:
        """The equations of the update for one entry."""
        text = {"theta": "theta[entry]", "g": "g[entry]", STEP: "step"}
        text |= {s: f"{name}[entry]" for s, name in self.held.items()}
        stores = [("theta_new", text["theta"]), *((new, text[s]) for s, new in self.optimizer.state.items())]
        text |= self.scalars
        body = self._body(text, self.constants)
        body += [f"{target} = {text[name]}" for name, target in stores]
        return [*body, f"broken += {text['theta_new']} - {text['theta_new']} != 0"]

    def _body(self, text: dict[str, str], invariants: Invariants) -> list[str]:
        values: list[sympy.Expr] = []
        targets: list[str] = []
        for eq in self.optimizer.update.equations:
            body = computed(eq.rhs)
            elements = {e: sympy.Symbol(text[e.name], real=True) for e in body.atoms(Element)}
            values.append(invariants.lift(body.xreplace(elements)))
            text[eq.name] = self.names.new(eq.name)
            targets.append(text[eq.name])
        lines = []
        for line in share(values, self.names):
            lines.append(f"{line.name or targets[line.position]} = {self.printer.doprint(line.value)}")
        return lines


def _whole(element: Element) -> dict[str, bool]:
    return {"integer": True} if element.tensor.integer else {}


def batch_key(plan: Plan) -> sympy.Expr:
    """The extent that batches are cut from: the first axis of the first input.

    Raises:
        UnsupportedError: the definition has no data with an axis.
    """
    data = [t for t in plan.definition.data if t.rank]
    if not data:
        raise UnsupportedError(
            f"{plan.definition.name} has no data to take batches of", remedy="give an input an axis: sd.Input('n i')"
        )
    batch = data[0].indices[0]
    if batch.extent.is_Integer:
        raise DefinitionError(
            f"{plan.definition.name} can't be trained in batches",
            why=f"its number of rows is fixed: {batch.name} has extent {batch.extent}",
            remedy=f"leave the extent of {batch.name} open",
        )
    return plan.axes.key(batch)


def _in(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]
