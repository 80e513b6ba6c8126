"""How far returned numbers are from exact ones, and how far is too far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.accuracy import TOLERANCES
from symdl.testing.handwritten.truth import Exact

Array = npt.NDArray[Any]

#: The rounding error of a formula is 2⁻²⁹ times as large in float64 as in float32; a wrong formula is as wrong in both.
#: An error that falls less than by this factor is no rounding.
SHRINKS = 2.0**-20
#: Beyond this part of the largest entry, an error in float64 alone is no rounding; in float32 alone.
GROSS, GROSS_SINGLE = 2.0**-26, 2.0**-11
#: Beyond this part of the largest entry, float32 is said to be wrong even where float64 is right.
USELESS = 0.01


@dataclass(frozen=True)
class Compared:
    """One output at one point.

    Args:
        errors: got − exact, absolute; infinite where a number is lost.
        ulps: the largest of them in units in the last place of the largest entry.
        unit: such a unit.
        lost: NaN or infinity where the exact number can be represented.
    """

    errors: Array
    ulps: float
    unit: float
    lost: bool

    @property
    def largest(self) -> float:
        return float(np.max(self.errors, initial=0.0))

    def wrong(self, limit: float) -> tuple[int, ...]:
        """The first entry, in row-major order, that is farther away than so many units."""
        beyond = ~(self.errors <= limit * self.unit)
        if not beyond.any():
            beyond = self.errors >= self.largest
        place = np.unravel_index(int(np.argmax(beyond)), self.errors.shape) if self.errors.ndim else ()
        return tuple(int(k) for k in place)


def compare(got: Array, exact: Exact, dtype: str) -> Compared:
    """Compare an array with exact numbers of its shape.

    >>> import mpmath
    >>> exact = Exact.of(np.array([mpmath.mpf(1), mpmath.mpf(3) / 7], dtype=object))
    >>> found = compare(np.array([1.0 + 2.0**-51, 3 / 7]), exact, "float64")
    >>> found.ulps, found.wrong(1.0)
    (2.0, (0,))
    """
    info = np.finfo(dtype)
    high = exact.high
    with np.errstate(all="ignore"):
        errors = np.abs(exact.less(got))
        beyond = np.abs(high) > float(info.max)
        same = np.isinf(got) & (np.sign(got) == np.sign(high))
    errors = np.where(beyond, np.where(same, 0.0, np.inf), errors)
    errors = np.where(np.isnan(errors), np.inf, errors)
    inside = np.abs(high[~beyond])
    size = max(float(np.max(inside, initial=0.0)), float(info.tiny))
    unit = float(np.spacing(np.array(size, dtype=dtype)))
    lost = bool(np.any(~np.isfinite(got) & ~beyond))
    ulps = float(np.max(errors, initial=0.0)) / unit
    return Compared(errors, ulps, unit, lost)


def allowed(unit: float, dtype: str, magnitude: float = 0.0, moved: float = 0.0) -> float:
    """The tolerance in units of the largest entry.

    Args:
        unit: in the last place of the largest entry.
        dtype: whose tolerance.
        magnitude: the largest entry if nothing cancelled: the base counts in units of this.
        moved: what rounding every operation does to the exact equations: some times this comes on top.
    """
    tolerance = TOLERANCES[dtype]
    base = tolerance.ulps * max(1.0, magnitude * float(np.finfo(dtype).eps) / unit)
    return base + tolerance.slack * moved / unit


def rounds(double: Compared, single: Compared | None, size: float, upstream: float) -> bool:
    """Whether an error in float64 beyond the tolerance is lost digits of a right formula, not a wrong formula.

    Args:
        double, single: the same output at the same point in both dtypes; None where float32 was not possible.
        size: of the largest entry.
        upstream: of the largest slope by an output, 1 where there is none: what slopes so much smaller are made of.
    """
    if double.lost:
        return False
    if single is None or single.lost:
        return double.largest <= GROSS * size
    if single.largest >= size / 2:  # all digits are lost in float32, and its error says nothing
        return double.largest <= TOLERANCES["float64"].ulps * float(np.finfo(np.float64).eps) * upstream
    return double.largest <= SHRINKS * single.largest


def between(got: Array, alternatives: list[Array], exact: Array, slack: float) -> bool:
    """Whether slopes at a kink lie between what is right on its sides, entry by entry and summed along each axis.

    Args:
        got: what a function returned.
        alternatives: slopes that are right there; see `Truth.alternatives`.
        exact: by the policy of the definition.
        slack: how far beyond is still between, for rounding.
    """
    if not alternatives or not np.all(np.isfinite(got)):
        return False
    sides = [a for a in [exact, *alternatives] if np.all(np.isfinite(a))]
    axes: list[Any] = [(), *([(k,) for k in range(exact.ndim)] if exact.ndim > 1 else []), tuple(range(exact.ndim))]
    for over in axes:
        found, stack = np.sum(got, axis=over), np.stack([np.sum(a, axis=over) for a in sides])
        room = slack * got.size / max(np.size(found), 1)
        if np.any(found < stack.min(axis=0) - room) or np.any(found > stack.max(axis=0) + room):
            return False
    return True
