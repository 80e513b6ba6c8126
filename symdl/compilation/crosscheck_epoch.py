"""The third part of the cross-check: the compiled training loop against its equations, entry by entry.

Five rows in batches of two: three steps, the last of them on one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symdl.compilation.accuracy import TOLERANCES, deviation
from symdl.compilation.crosscheck import Findings
from symdl.compilation.extents import Axes
from symdl.compilation.gradients import Programs
from symdl.compilation.runtime import Program, prepared
from symdl.compilation.samples import within_domain
from symdl.compilation.targets.epoch import NO_PARAMETER, SQUARES, STEP
from symdl.compilation.targets.reference import DIGITS, entrywise, evaluate
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError
from symdl.library.optimisers import Optimizer

Array = npt.NDArray[Any]
ROWS, BATCH, FIRST_STEP = 5, 2, 3
#: Of the random inputs: small, so that no step diverges.
SCALE = 0.5


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
    assert program.epoch is not None
    parameters = program.epoch.parameters
    rng = np.random.default_rng(11)
    wide = _with_rows(definition, shapes)
    states = _reached(program, optimizer, wide, rng)
    order = rng.permutation(ROWS)

    def exact_values(arrays: Mapping[str, Array]) -> dict[str, Array]:
        return _exact_epoch(programs, program, optimizer, arrays, states, order)

    arrays, exact = within_domain(definition, wide, SCALE, program.dtype, rng, exact_values)

    def compare() -> None:
        given = {t.name: prepared(t, np.array(arrays[t.name]), program.dtype) for t in definition.inputs}
        compiled_states = {k: np.array(v) for k, v in states.items()}
        done, losses = program.run_epoch(given, compiled_states, optimizer.hyper, order, BATCH, FIRST_STEP)
        found = {"losses": losses, **{p: given[p] for p in parameters}}
        found |= {_told(state): v for state, v in compiled_states.items()}
        steps = -(-ROWS // BATCH)
        if done != steps:
            raise CrossCheckError(f"the compiled training loop made {done} of {steps} steps", where="the cross-check")
        for name, computed in found.items():
            deviates = deviation(computed, exact[name], program.dtype)
            findings.note("epoch", name, SCALE, deviates)
            limit = TOLERANCES[program.dtype].ulps_per_step * steps
            if not deviates.normwise <= limit:
                raise CrossCheckError(
                    f"the compiled training loop disagrees with the equations in {name}",
                    where="the cross-check against 50-digit arithmetic",
                    why=f"after {steps} steps it is off by {deviates.normwise:.3g} ulps, {limit:g} are allowed",
                    remedy="report this with the definition; the code was not returned",
                )

    return compare


def _with_rows(definition: Definition, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The small shapes with `ROWS` rows of data."""
    axes = Axes(definition)
    batch = axes.key(next(t for t in definition.data if t.rank).indices[0])
    return {
        t.name: tuple(ROWS if axes.key(i) == batch else s for i, s in zip(t.indices, shapes[t.name], strict=True))
        for t in definition.inputs
    }


def _exact_epoch(
    programs: Programs,
    program: Program,
    optimizer: Optimizer,
    arrays: Mapping[str, Array],
    states: Mapping[tuple[str, str], Array],
    order: Array,
) -> dict[str, Array]:
    """The same steps by the reference target."""
    epoch = program.epoch
    assert epoch is not None
    gradient = programs.written["gradient"]
    hyper = _rounded(optimizer, program.dtype)
    values: dict[str, Any] = dict(arrays)
    held: dict[tuple[str, str], Any] = dict(states)
    losses: list[Any] = []
    with mpmath.workdps(DIGITS):
        for number, start in enumerate(range(0, ROWS, BATCH)):
            rows = order[start : start + BATCH]
            batch = {n: v[rows] if n in epoch.data else v for n, v in values.items()}
            results = evaluate(gradient, batch)
            losses.append(results[gradient.outputs[0]][()])
            slopes = {p: results[programs.gradients[p]] for p in epoch.parameters}
            _step(slopes, values, held, optimizer, hyper, FIRST_STEP + number + 1)
    exact = {"losses": np.array(losses, dtype=object), **{p: values[p] for p in epoch.parameters}}
    return exact | {_told(state): v for state, v in held.items()}


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
