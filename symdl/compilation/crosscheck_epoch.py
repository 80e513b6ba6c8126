"""The third part of the cross-check: the compiled training loop against its equations, entry by entry.

Five rows in batches of two: three steps, the last of them on one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symdl.compilation.accuracy import TOLERANCES, deviation
from symdl.compilation.crosscheck import Findings
from symdl.compilation.extents import Axes
from symdl.compilation.gradients import Programs
from symdl.compilation.runtime import EpochSignature, Program, prepared
from symdl.compilation.samples import within_domain
from symdl.compilation.targets.epoch import NO_PARAMETER, SQUARES, STEP
from symdl.compilation.targets.reference import DIGITS, Shift, entrywise, evaluate
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError
from symdl.library.optimisers import Optimizer

Array = npt.NDArray[Any]
ROWS, BATCH, FIRST_STEP = 5, 2, 3
#: Of the random inputs: small, so that no step diverges.
SCALE = 0.5


@dataclass(frozen=True)
class Steps:
    """Three steps of a training loop, from random parameters and states that a step leads to.

    Args:
        programs, optimizer: the equations of the loop.
        definition: whose inputs are given.
        epoch: the loop.
        dtype: of its numbers.
        arrays: inputs by name.
        states: of the optimiser.
        order: of the rows.
    """

    programs: Programs
    optimizer: Optimizer
    definition: Definition
    epoch: EpochSignature
    dtype: str
    arrays: Mapping[str, Array]
    states: Mapping[tuple[str, str], Array]
    order: Array

    count = -(-ROWS // BATCH)

    def by(self, program: Program) -> dict[str, Array]:
        """Losses, parameters and states as a compiled loop leaves them.

        Raises:
            CrossCheckError: it stopped before the last step.
        """
        given = {t.name: prepared(t, np.array(self.arrays[t.name]), self.dtype) for t in self.definition.inputs}
        held = {k: np.array(v) for k, v in self.states.items()}
        done, losses = program.run_epoch(given, held, self.optimizer.hyper, self.order, BATCH, FIRST_STEP)
        if done != self.count:
            raise CrossCheckError(
                f"the compiled training loop made {done} of {self.count} steps", where="the cross-check"
            )
        found = {"losses": losses, **{p: given[p] for p in self.epoch.parameters}}
        return found | {_told(state): v for state, v in held.items()}

    def exactly(self, shift: Shift | None = None) -> dict[str, Array]:
        """The same by the reference target."""
        gradient = self.programs.written["gradient"]
        hyper = _rounded(self.optimizer, self.dtype)
        values: dict[str, Any] = dict(self.arrays)
        held: dict[tuple[str, str], Any] = dict(self.states)
        losses: list[Any] = []
        with mpmath.workdps(DIGITS):
            for number, start in enumerate(range(0, ROWS, BATCH)):
                rows = self.order[start : start + BATCH]
                batch = {n: v[rows] if n in self.epoch.data else v for n, v in values.items()}
                results = evaluate(gradient, batch, shift=shift)
                losses.append(results[gradient.outputs[0]][()])
                slopes = {p: results[self.programs.gradients[p]] for p in self.epoch.parameters}
                _step(slopes, values, held, self.optimizer, hyper, FIRST_STEP + number + 1)
        exact = {"losses": np.array(losses, dtype=object), **{p: values[p] for p in self.epoch.parameters}}
        return exact | {_told(state): v for state, v in held.items()}


def drawn(
    definition: Definition,
    programs: Programs,
    program: Program,
    optimizer: Optimizer,
    shapes: dict[str, tuple[int, ...]],
) -> tuple[Steps, dict[str, Array]]:
    """Random steps, and what they have to lead to."""
    assert program.epoch is not None
    rng = np.random.default_rng(11)
    wide = with_rows(definition, shapes)
    states = _reached(program, optimizer, wide, rng)
    order = rng.permutation(ROWS)

    def steps(arrays: Mapping[str, Array]) -> Steps:
        assert program.epoch is not None
        return Steps(programs, optimizer, definition, program.epoch, program.dtype, arrays, states, order)

    arrays, exact = within_domain(definition, wide, SCALE, program.dtype, rng, lambda a: steps(a).exactly())
    return steps(arrays), exact


def check_epoch(
    definition: Definition,
    programs: Programs,
    program: Program,
    optimizer: Optimizer,
    shapes: dict[str, tuple[int, ...]],
    findings: Findings,
) -> Callable[[], None]:
    """Find losses, parameters and states after three steps by the equations; nothing is called yet.

    Returns:
        What compares the compiled loop with them. It raises CrossCheckError where that does something else.
    """
    steps, exact = drawn(definition, programs, program, optimizer, shapes)

    def compare() -> None:
        for name, computed in steps.by(program).items():
            deviates = deviation(computed, exact[name], program.dtype)
            findings.note("epoch", name, SCALE, deviates)
            limit = TOLERANCES[program.dtype].ulps_per_step * steps.count
            if not deviates.normwise <= limit:
                raise CrossCheckError(
                    f"the compiled training loop disagrees with the equations in {name}",
                    where="the cross-check against 50-digit arithmetic",
                    why=f"after {steps.count} steps it is off by {deviates.normwise:.3g} ulps, {limit:g} are allowed",
                    remedy="report this with the definition; the code was not returned",
                )

    return compare


def with_rows(definition: Definition, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The small shapes with `ROWS` rows of data."""
    axes = Axes(definition)
    batch = axes.key(next(t for t in definition.data if t.rank).indices[0])
    return {
        t.name: tuple(ROWS if axes.key(i) == batch else s for i, s in zip(t.indices, shapes[t.name], strict=True))
        for t in definition.inputs
    }


def _told(state: tuple[str, str]) -> str:
    return ".".join(part for part in state if part)


def _reached(
    program: Program, optimizer: Optimizer, shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator
) -> dict[tuple[str, str], Array]:
    """States that a first step along random slopes leads to: those that contradict each other, no step reaches."""
    assert program.epoch is not None
    hyper = _rounded(optimizer, program.dtype)
    held: dict[tuple[str, str], Any] = {
        (p, s): np.full(shapes[p] if p else (), optimizer.start.get(s, 0.0)) for p, s in program.epoch.states
    }
    values = {p: rng.normal(size=shapes[p]) for p in program.epoch.parameters}
    slopes = {p: rng.normal(size=shapes[p]) for p in program.epoch.parameters}
    with mpmath.workdps(DIGITS):
        _step(slopes, values, held, optimizer, hyper, 1)
    return {(p, s): v.astype(program.dtype if p else np.float64) for (p, s), v in held.items()}


def _rounded(optimizer: Optimizer, dtype: str) -> dict[str, Any]:
    """The hyperparameters as the update takes them; equations of the step take them in float64."""
    return {h: np.dtype(dtype).type(v) for h, v in optimizer.hyper.items()}


def _step(
    slopes: Mapping[str, Array],
    values: dict[str, Any],
    held: dict[tuple[str, str], Any],
    optimizer: Optimizer,
    hyper: Mapping[str, Any],
    number: int,
) -> None:
    """One step of every parameter, after the equations that all entries share."""
    shared: dict[str, Any] = {**hyper, STEP: number}
    if optimizer.step is not None:
        squares = mpmath.fsum([mpmath.mpf(g) ** 2 for slope in slopes.values() for g in slope.ravel()])
        known: dict[str, Any] = {**optimizer.hyper, SQUARES: squares}
        known |= {s: held[NO_PARAMETER, s][()] for s in optimizer.step_state}
        given = {t.name: _boxed(known[t.name]) for t in optimizer.step.inputs if t.name != STEP}
        result = evaluate(optimizer.step, {**given, STEP: np.array(number)}, keep=True)
        shared |= {n: result[n][()] for n in optimizer.shared}
        held.update({(NO_PARAMETER, s): result[new] for s, new in optimizer.step_state.items()})
    for parameter, slope in slopes.items():
        _update(parameter, slope, values, held, optimizer, shared)


def _update(
    parameter: str,
    slope: Array,
    values: dict[str, Any],
    held: dict[tuple[str, str], Any],
    optimizer: Optimizer,
    hyper: Mapping[str, Any],
) -> None:
    """Apply the update equations to every entry of one parameter."""
    given = {"theta": values[parameter], "g": slope, **{s: held[parameter, s] for s in optimizer.state}}
    given |= {t.name: _boxed(hyper[t.name]) for t in optimizer.update.inputs if t.name in hyper}
    result = entrywise(optimizer.update, given, np.shape(slope))
    values[parameter] = result["theta_new"]
    held.update({(parameter, s): result[following] for s, following in optimizer.state.items()})


def _boxed(value: Any) -> Array:
    """A number as an array of rank 0."""
    box = np.empty((), dtype=object)
    box[()] = mpmath.mpf(value) if isinstance(value, mpmath.mpf) else mpmath.mpf(float(value))
    return box
