"""How far computed numbers are from exact ones, in units in the last place of their dtype; and how far is too far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Tolerance:
    """What a cross-check allows, in ulps of the largest entry of an output.

    Args:
        ulps: for one evaluation. A wrong index, sign or factor is off by 1e6 ulps of float32 and 1e15 of float64.
        slack: how many times the effect of rounding every operation counts on top, for outputs in which terms cancel.
        ulps_per_step: for parameters after training steps.
    """

    ulps: float
    slack: float
    ulps_per_step: float


#: The one table of tolerances, by dtype.
TOLERANCES = {
    "float64": Tolerance(ulps=256, slack=64, ulps_per_step=1024),
    "float32": Tolerance(ulps=256, slack=64, ulps_per_step=1024),
}


@dataclass(frozen=True)
class Deviation:
    """The largest error of an output at one point.

    Args:
        elementwise: in ulps of each entry itself; large where an entry is small by cancellation.
        normwise: in ulps of the largest entry.
        position: of the largest elementwise error.
        finite: False where a number is NaN or infinite though the exact one can be represented.
    """

    elementwise: float
    normwise: float
    position: tuple[int, ...]
    finite: bool = True


def ulp(value: Any, dtype: str) -> Any:
    """The spacing of the dtype's numbers at |value|, an mpmath number; not below that of the smallest normal number.

    >>> float(ulp(mpmath.mpf(1), "float64")) == 2.0**-52
    True
    """
    info = np.finfo(dtype)
    size = max(abs(value), mpmath.mpf(float(info.tiny)))
    return mpmath.ldexp(mpmath.mpf(float(info.eps)), int(mpmath.frexp(size)[1]) - 1)


def deviation(computed: Array, exact: Array, dtype: str) -> Deviation:
    """Compare an array with exact numbers (mpmath objects of the same shape).

    Raises:
        ValueError: the shapes differ.
    """
    if computed.shape != exact.shape:
        raise ValueError(f"shapes {computed.shape} and {exact.shape}")
    with mpmath.workdps(50):
        return _deviation(computed, exact, dtype)


def _deviation(computed: Array, exact: Array, dtype: str) -> Deviation:
    largest = mpmath.mpf(float(np.finfo(dtype).max))
    worst, worst_at, absolute = 0.0, (0,) * exact.ndim, mpmath.mpf(0)
    size = mpmath.mpf(0)
    for position in np.ndindex(exact.shape):
        got, wanted = float(computed[position]), mpmath.mpf(exact[position])
        if abs(wanted) > largest:
            if not np.isinf(got) or (got > 0) != (wanted > 0):
                return Deviation(float("inf"), float("inf"), position)
            continue
        if not np.isfinite(got):
            return Deviation(float("inf"), float("inf"), position, finite=False)
        error = abs(mpmath.mpf(got) - wanted)
        ratio = float(error / ulp(wanted, dtype))
        if ratio > worst:
            worst, worst_at = ratio, position
        absolute, size = max(absolute, error), max(size, abs(wanted))
    return Deviation(worst, float(absolute / ulp(size, dtype)), worst_at)
