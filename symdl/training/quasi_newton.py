"""Training by SciPy's L-BFGS: all rows at once, value and gradient from compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.errors import DefinitionError
from symdl.library.optimisers import LBFGS
from symdl.training.optional import needs
from symdl.training.run import Run

Vector = npt.NDArray[np.float64]


def minimise(run: Run, rule: LBFGS, iterations: int, advance: Callable[[float], None]) -> int | None:
    """At most so many iterations from where the parameters of the run are.

    Returns:
        The iteration, from 1, at which the loss was not finite; None where it ended otherwise.

    Raises:
        DefinitionError: a definition with masks: its loss would be another one at every call.
        MissingDependencyError: SciPy is not installed.
    """
    if run.drawn:
        raise DefinitionError(
            "L-BFGS can't train with dropout",
            why="a line search compares losses, and each would have masks of its own",
            remedy="take another optimiser, or a regulariser such as sd.regularisers.l2",
        )
    with needs("scipy", extra="compile", purpose="L-BFGS"):
        from scipy.optimize import minimize
    calls, broken = 0, False

    def value(theta: Vector) -> tuple[float, Vector]:
        nonlocal calls, broken
        calls += 1
        _unpack(run, theta)
        slopes = run.code.gradient(**run.arrays)
        loss = float(slopes[run.code.definition.outputs[0]])
        gradient = np.concatenate([np.ravel(slopes[n]).astype(np.float64) for n in run.parameters])
        if not np.isfinite(loss) or not np.isfinite(gradient).all():
            if calls == 1:
                broken = True
                raise StopIteration
            return np.inf, np.zeros_like(theta)  # the line search comes back from there
        return loss, gradient

    def after(intermediate_result: Any) -> None:
        _unpack(run, intermediate_result.x)
        run.steps += 1
        run.step_loss.append(np.array([intermediate_result.fun]))
        run.measure()
        advance(run.curves["training_loss"][-1])
        if run.over:
            raise StopIteration

    start = _packed(run)
    options = {"maxiter": iterations, "maxcor": rule.history, "gtol": rule.gradient, "ftol": rule.change}
    try:
        found = minimize(value, start, jac=True, method="L-BFGS-B", callback=after, options=options)
    except StopIteration:
        found = None
    if broken or found is None:
        _unpack(run, start)
        return 1
    _unpack(run, found.x)
    if not run.step_loss:  # it was at a minimum already
        run.step_loss.append(np.array([found.fun]))
        run.measure()
    return None


def _packed(run: Run) -> Vector:
    return np.concatenate([np.ravel(a).astype(np.float64) for a in run.parameters.values()])


def _unpack(run: Run, theta: Vector) -> None:
    at = 0
    for array in run.parameters.values():
        array[...] = theta[at : at + array.size].reshape(array.shape)
        at += array.size
