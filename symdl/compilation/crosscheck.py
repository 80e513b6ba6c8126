"""The gate that compiled code passes before anyone gets it: the same machine code, on small shapes, against 50 digits.

Three checks, each fails closed:

- every function at random points of several scales against the equations that it was derived from, before any
  rewriting for stability or speed;
- the gradient against differences of the forward equations alone, which catches a wrong derivation;
- the training loop, a short last batch included, against the update equations applied entry by entry.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

from symdl.compilation.accuracy import TOLERANCES, Deviation, deviation, ulp
from symdl.compilation.report import ORDINARY, Checked
from symdl.compilation.samples import sample
from symdl.compilation.targets.reference import DIGITS, evaluate
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError

Array = npt.NDArray[Any]
Call = Callable[[Mapping[str, Array]], Mapping[str, Array]]

#: Standard deviations of random inputs. Beyond `STRICT_UP_TO`, NaN or infinity is reported and not refused: whether
#: user-written functions can be computed for huge arguments is theirs to say; a wrong finite number never passes.
#: The digits of the exact values grow with the scale: 1 − tanh²(500) is e⁻¹⁰⁰⁰, and 1 − σ(x) needs as many.
SCALES = {0.5: DIGITS, 2.0: 2 * DIGITS, 30.0: 20 * DIGITS}
STRICT_UP_TO = ORDINARY
POINTS_PER_SCALE = 2
DIRECTIONAL_TOLERANCE = 1e-15
#: How many roundings of its own size a target may have gathered in 50 digits.
ROUNDINGS = 10**6


@dataclass
class Findings:
    """Collects what the checks find."""

    dtype: str
    points: int = 0
    worst: dict[tuple[str, str, bool], Checked] = field(default_factory=dict)
    overflows: dict[str, None] = field(default_factory=dict)
    gradient_error: float | None = None

    def note(self, function: str, output: str, scale: float, found: Deviation) -> None:
        key = (function, output, scale > STRICT_UP_TO)
        known = self.worst.get(key)
        if known is None or found.normwise > known.ulps_of_largest:
            checked = Checked(function, output, found.elementwise, found.normwise, scale, found.position)
            self.worst[key] = checked


def check_function(
    name: str, call: Call, equations: Definition, shapes: dict[str, tuple[int, ...]], findings: Findings
) -> None:
    """Compare a compiled function with its equations at random points.

    Raises:
        CrossCheckError: an output that disagrees, with the point's scale and the entry.
    """
    rng = np.random.default_rng(20261123)
    for scale, _ in itertools.product(SCALES, range(POINTS_PER_SCALE)):
        arrays = sample(equations, shapes, scale, findings.dtype, rng)
        exact = evaluate(equations, arrays, digits=SCALES[scale])
        computed = call(arrays)
        findings.points += 1
        for output in equations.outputs:
            found = deviation(computed[output], exact[output], findings.dtype)
            if not found.finite and scale > STRICT_UP_TO:
                findings.overflows[f"{name}.{output} is not finite for inputs of scale {scale:g}"] = None
                continue
            findings.note(name, output, scale, found)
            if found.normwise > TOLERANCES[findings.dtype].ulps:
                limit = _limit(equations, arrays, exact, output, findings.dtype, SCALES[scale])
                if not found.normwise <= limit:
                    raise _refusal(name, output, found, limit, scale)


def _limit(
    equations: Definition,
    arrays: Mapping[str, Array],
    exact: Mapping[str, Array],
    output: str,
    dtype: str,
    digits: int,
) -> float:
    """The tolerance at an ill-conditioned point: some times what rounding every operation does to the output.

    The equations are evaluated as they stand with every result off by one rounding, up or down at random.
    """
    tolerance = TOLERANCES[dtype]
    rng = np.random.default_rng(1)
    moved = mpmath.mpf(0)
    with mpmath.workdps(digits):
        eps = mpmath.mpf(float(np.finfo(dtype).eps))
        factors = (1 - eps, 1 + eps)
        for _ in range(3):
            rounded = evaluate(equations, arrays, digits=digits, rounding=lambda v: v * factors[rng.integers(2)])
            differences = [abs(a - b) for a, b in zip(rounded[output].ravel(), exact[output].ravel(), strict=True)]
            moved = max([moved, *differences])
        size = max(abs(v) for v in exact[output].ravel())
        return tolerance.ulps + tolerance.slack * float(moved / ulp(size, dtype))


def check_gradient(
    forward: Definition,
    gradient: Definition,
    names: Mapping[str, str],
    shapes: dict[str, tuple[int, ...]],
    findings: Findings,
) -> None:
    """Compare the gradient equations with central differences of the forward equations, both in 50 digits.

    Raises:
        CrossCheckError: a gradient that is not one.
    """
    rng = np.random.default_rng(7)
    arrays = sample(forward, shapes, 0.7, "float64", rng)
    slopes = evaluate(gradient, arrays)
    findings.gradient_error = 0.0
    with mpmath.workdps(DIGITS):
        step = mpmath.mpf(10) ** (-DIGITS // 3)
        for parameter, output in names.items():
            direction = rng.normal(size=shapes[parameter])
            ahead, behind = (_target(forward, arrays, parameter, direction, sign * step) for sign in (1, -1))
            difference = (ahead - behind) / (2 * step)
            products = [g * d for g, d in zip(slopes[output].ravel(), direction.ravel().tolist(), strict=True)]
            size = mpmath.fsum([abs(p) for p in products]) + abs(difference)
            # where the slope is zero (a shift of all scores of a softmax), all that is left is what rounding the
            # target, to DIGITS digits, does to a difference over a short step
            noise = ROUNDINGS * mpmath.mpf(10) ** -DIGITS * (abs(ahead) + abs(behind)) / step
            size = max(size, noise / DIRECTIONAL_TOLERANCE)
            error = float(abs(mpmath.fsum(products) - difference) / size) if size else 0.0
            findings.gradient_error = max(findings.gradient_error, error)
            if error > DIRECTIONAL_TOLERANCE:
                raise CrossCheckError(
                    f"the gradient by {parameter} is not the derivative of {forward.target.name}",
                    where=f"definition {forward.name}",
                    why=f"differences of the forward equations disagree by {error:.1e} of its size",
                    remedy="report this with the definition: a rule of derivation is wrong",
                )


def _target(forward: Definition, arrays: Mapping[str, Array], name: str, direction: Array, step: Any) -> Any:
    moved = np.empty(direction.size, dtype=object)
    pairs = zip(arrays[name].ravel().tolist(), direction.ravel().tolist(), strict=True)
    moved[:] = [mpmath.mpf(v) + step * mpmath.mpf(d) for v, d in pairs]
    given = {**arrays, name: moved.reshape(direction.shape)}
    return evaluate(forward.only([forward.target.name]), given)[forward.target.name][()]


def _refusal(name: str, output: str, found: Deviation, limit: float, scale: float) -> CrossCheckError:
    finite = "" if found.finite else "; it is not finite"
    return CrossCheckError(
        f"the compiled {name} disagrees with the equations in {output}{list(found.position) or ''}",
        where="the cross-check against 50-digit arithmetic",
        why=f"it is off by {found.normwise:.3g} ulps, {limit:.3g} are allowed, for inputs of scale {scale:g}{finite}",
        remedy="report this with the definition; the code was not returned",
    )
