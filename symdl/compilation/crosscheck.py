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
from symdl.compilation.extents import resized
from symdl.compilation.report import ORDINARY, Checked, Loss
from symdl.compilation.runtime import Program, prepared
from symdl.compilation.samples import within_domain
from symdl.compilation.targets.reference import DIGITS, evaluate, shaken
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.errors import CrossCheckError, DomainError

Array = npt.NDArray[Any]
Call = Callable[[Mapping[str, Array]], Mapping[str, Array]]

#: Standard deviations of random inputs. Beyond `STRICT_UP_TO`, NaN or infinity is reported and not refused: whether
#: user-written functions can be computed for huge arguments is theirs to say; a wrong finite number never passes.
#: The digits of the exact values grow with the scale: 1 − tanh²(500) is e⁻¹⁰⁰⁰, and 1 − σ(x) needs as many.
SCALES = {0.5: DIGITS, 2.0: 2 * DIGITS, 30.0: 20 * DIGITS}
STRICT_UP_TO = ORDINARY
POINTS_PER_SCALE = 2
#: How often the equations are evaluated with other roundings before a result is refused.
ROUNDED = 3
DIRECTIONAL_TOLERANCE = 1e-15
#: Slopes below this part of the steepest parameter's count as flat: where they are all rounding, there is no scale.
FLAT = mpmath.mpf(10) ** -6
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
    losses: list[Loss] = field(default_factory=list)

    def note(self, function: str, output: str, scale: float, found: Deviation) -> None:
        key = (function, output, scale > STRICT_UP_TO)
        known = self.worst.get(key)
        if known is None or found.normwise > known.ulps_of_largest:
            checked = Checked(function, output, found.elementwise, found.normwise, scale, found.position)
            self.worst[key] = checked


@dataclass(frozen=True)
class Subject:
    """A compiled function and the equations that it was made from."""

    call: Call
    equations: Definition


def caller(program: Program, name: str, equations: Definition) -> Call:
    """A function of a program as one of arrays by name."""

    def call(arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {t.name: prepared(t, arrays[t.name], program.dtype) for t in equations.inputs}
        concrete = resized(equations, {n: np.shape(a) for n, a in given.items()})
        outputs = {n: tuple(int(s) for s in concrete[n].shape) for n in program.functions[name].outputs}
        return {**given, **program.call(name, given, outputs)}

    return call


def check_functions(
    subjects: Mapping[str, Subject], shapes: dict[str, tuple[int, ...]], findings: Findings
) -> Callable[[], None]:
    """Find what compiled functions must give at random points, the same for all of them; nothing is called yet.

    Args:
        subjects: by name. The first one has all inputs, and equations that others share with it are evaluated once.
        shapes: of the inputs.
        findings: what is found is noted there.

    Returns:
        What compares the functions with that. It raises CrossCheckError over an output that disagrees, with the point's
        scale and the entry.

    Raises:
        DomainError: the equations have no real values wherever they were tried.
    """
    rng = np.random.default_rng(20261123)
    whole, *_ = (s.equations for s in subjects.values())
    points: list[tuple[float, Mapping[str, Array], Mapping[str, Mapping[str, Array]]]] = []
    for scale, _ in itertools.product(SCALES, range(POINTS_PER_SCALE)):
        digits = SCALES[scale]

        def exact_values(arrays: Mapping[str, Array], digits: int = digits) -> dict[str, dict[str, Array]]:
            known: dict[Equation, Array] = {}
            return {n: evaluate(s.equations, arrays, digits=digits, known=known) for n, s in subjects.items()}

        try:
            points.append((scale, *within_domain(whole, shapes, scale, findings.dtype, rng, exact_values)))
        except DomainError as error:
            if scale <= STRICT_UP_TO:
                raise
            findings.overflows[f"not checked for inputs of scale {scale:g}: {error.what}"] = None

    def compare() -> None:
        for scale, arrays, exact in points:
            findings.points += len(subjects)
            for name, subject in subjects.items():
                _compare(name, subject, arrays, exact[name], scale, findings)

    return compare


def _compare(
    name: str,
    subject: Subject,
    arrays: Mapping[str, Array],
    exact: Mapping[str, Array],
    scale: float,
    findings: Findings,
) -> None:
    """One function at one point."""
    given = {t.name: arrays[t.name] for t in subject.equations.inputs}
    computed = subject.call(given)
    roundings = _Roundings(subject.equations, given, findings.dtype)
    for output in subject.equations.outputs:
        found = deviation(computed[output], exact[output], findings.dtype)
        if not found.finite and scale > STRICT_UP_TO:
            findings.overflows[f"{name}.{output} is not finite for inputs of scale {scale:g}"] = None
            continue
        findings.note(name, output, scale, found)
        if found.normwise > TOLERANCES[findings.dtype].ulps:
            limits = (roundings.limit(exact[output], output, count) for count in range(1, ROUNDED + 1))
            if all(not found.normwise <= limit for limit in limits):
                raise _refusal(name, output, found, roundings.limit(exact[output], output, ROUNDED), scale)


class _Roundings:
    """Equations evaluated as they stand with every result off by one rounding, up or down at random.

    Only an ill-conditioned point needs that, and few need it `ROUNDED` times. What a rounding of the dtype does is seen
    in `DIGITS` digits, however many the exact values took: it is larger than what they leave out.
    """

    def __init__(self, equations: Definition, arrays: Mapping[str, Array], dtype: str) -> None:
        self.equations, self.arrays, self.dtype = equations, arrays, dtype
        self.rng = np.random.default_rng(1)
        self.found: list[dict[str, Array]] = []

    def limit(self, exact: Array, output: str, count: int) -> float:
        """The tolerance: some times what rounding does to the output, the most of so many evaluations."""
        tolerance = TOLERANCES[self.dtype]
        with mpmath.workdps(DIGITS):
            rounding = shaken(float(np.finfo(self.dtype).eps), self.rng)
            while len(self.found) < count:
                self.found.append(evaluate(self.equations, self.arrays, rounding=rounding))
            some = [r[output] for r in self.found[:count]]
            moved = max(abs(a - b) for r in some for a, b in zip(r.ravel(), exact.ravel(), strict=True))
            size = max(abs(v) for v in exact.ravel())
            return tolerance.ulps + tolerance.slack * float(moved / ulp(size, self.dtype))


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
    arrays, slopes = within_domain(forward, shapes, 0.7, "float64", rng, lambda a: evaluate(gradient, a), names)
    by_parameter = {p: slopes[output] for p, output in names.items()}
    target = forward.only([forward.target.name])
    with mpmath.workdps(DIGITS):
        steepest = {p: max(abs(g) for g in s.ravel()) for p, s in by_parameter.items()}
        flat = FLAT * max(steepest.values()) or mpmath.mpf(1)
        # each parameter's part is scaled by its slopes, so that large ones don't hide small ones
        directions = {p: _scaled(rng.normal(size=shapes[p]), 1 / max(steepest[p], flat)) for p in names}
        error = _directional_error(target, arrays, directions, by_parameter)
        findings.gradient_error = error
        if error <= DIRECTIONAL_TOLERANCE:
            return
        for parameter, direction in directions.items():
            alone = _directional_error(target, arrays, {parameter: direction}, by_parameter)
            if alone > DIRECTIONAL_TOLERANCE:
                raise _wrong_slope(forward, parameter, alone)
        raise _wrong_slope(forward, " and ".join(names), error)


def _scaled(direction: Array, factor: Any) -> Array:
    made = np.empty(direction.size, dtype=object)
    made[:] = [mpmath.mpf(d) * factor for d in direction.ravel().tolist()]
    return made.reshape(direction.shape)


def _directional_error(
    target: Definition, arrays: Mapping[str, Array], directions: Mapping[str, Array], slopes: Mapping[str, Array]
) -> float:
    """How far slopes along directions are from a central difference, relative to the size of both."""
    step = mpmath.mpf(10) ** (-DIGITS // 3)
    ahead, behind = (_moved(target, arrays, directions, sign * step) for sign in (1, -1))
    difference = (ahead - behind) / (2 * step)
    products = [g * d for p, along in directions.items() for g, d in zip(slopes[p].ravel(), along.ravel(), strict=True)]
    size = mpmath.fsum([abs(p) for p in products]) + abs(difference)
    # where the slope is zero (a shift of all scores of a softmax), all that is left is what rounding the
    # target, to DIGITS digits, does to a difference over a short step
    noise = ROUNDINGS * mpmath.mpf(10) ** -DIGITS * (abs(ahead) + abs(behind)) / step
    size = max(size, noise / DIRECTIONAL_TOLERANCE)
    return float(abs(mpmath.fsum(products) - difference) / size) if size else 0.0


def _moved(target: Definition, arrays: Mapping[str, Array], directions: Mapping[str, Array], step: Any) -> Any:
    """The target with every parameter moved by `step` along its direction."""
    given = dict(arrays)
    for name, direction in directions.items():
        moved = np.empty(direction.size, dtype=object)
        pairs = zip(arrays[name].ravel().tolist(), direction.ravel(), strict=True)
        moved[:] = [mpmath.mpf(v) + step * d for v, d in pairs]
        given[name] = moved.reshape(direction.shape)
    return evaluate(target, given)[target.target.name][()]


def _wrong_slope(forward: Definition, parameter: str, error: float) -> CrossCheckError:
    return CrossCheckError(
        f"the gradient by {parameter} is not the derivative of {forward.target.name}",
        where=f"definition {forward.name}",
        why=f"differences of the forward equations disagree by {error:.1e} of its size",
        remedy="report this with the definition: a rule of derivation is wrong",
    )


def _refusal(name: str, output: str, found: Deviation, limit: float, scale: float) -> CrossCheckError:
    finite = "" if found.finite else "; it is not finite"
    return CrossCheckError(
        f"the compiled {name} disagrees with the equations in {output}{list(found.position) or ''}",
        where="the cross-check against 50-digit arithmetic",
        why=f"it is off by {found.normwise:.3g} ulps, {limit:.3g} are allowed, for inputs of scale {scale:g}{finite}",
        remedy="report this with the definition; the code was not returned",
    )
