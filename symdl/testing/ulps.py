"""How far computed numbers are from true ones, in units in the last place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import flint
import numpy as np
import numpy.typing as npt
from flint import arb

Array = npt.NDArray[Any]

#: A true value is known when its ball is this many bits narrower than a unit in the last place.
SPARE_BITS = 12


@dataclass(frozen=True)
class Format:
    """A floating-point format in powers of two.

    Args:
        digits: bits of the significand.
        lowest: exponent of the smallest subnormal number.
        beyond: exponent of the first power of two that is too large.
    """

    digits: int
    lowest: int
    beyond: int

    def spacing(self, value: arb) -> int:
        """The exponent of a unit in the last place of a true value: of the numbers in its binade.

        Where the value is below the smallest normal number, 0 included, it is that of subnormal numbers; where it is
        too large, that of the largest binade.
        """
        size = value.abs_upper()
        if size == 0:
            return self.lowest
        digits, shift = size.man_exp()
        exponent = int(shift) + int(digits).bit_length()
        return int(min(max(exponent - self.digits, self.lowest), self.beyond - self.digits))

    def tight(self, value: arb) -> bool:
        """Whether a ball says a true value to a small part of a unit in its last place."""
        return bool(value.rad() <= _power(self.spacing(value) - SPARE_BITS))


FORMATS = {"float64": Format(53, -1074, 1024), "float32": Format(24, -149, 128)}


@cache
def _power(exponent: int) -> arb:
    return arb(2) ** exponent


def ulps(computed: float, truth: arb, dtype: str, unit: int | None = None) -> tuple[float, bool]:
    """The distance in units in the last place of the true value, and whether a representable value was lost.

    The correctly rounded result is at most half a unit away. A true value that rounds to infinity wants infinity of
    its sign; a finite number there is as far away as it is from the first power of two that does not exist. With
    `unit`, the distance is in 2**unit.

    >>> ulps(1.0, arb(1) + arb(2) ** -52, "float64")
    (1.0, False)
    >>> ulps(float("inf"), arb(10) ** 308, "float64"), ulps(float("inf"), arb(10) ** 309, "float64")
    ((inf, True), (0.0, False))
    """
    form = FORMATS[dtype]
    unit = form.spacing(truth) if unit is None else unit
    overflow = _power(form.beyond) - _power(form.beyond - form.digits - 1)
    if abs(truth) >= overflow:
        if computed == computed and abs(computed) == float("inf"):
            return (0.0, False) if (computed > 0) == bool(truth > 0) else (float("inf"), False)
        truth = _power(form.beyond) if truth > 0 else -_power(form.beyond)
        return float(abs((arb(computed) - truth) * _power(-unit)).mid()), computed != computed
    if not np.isfinite(computed):
        return float("inf"), True
    return float(abs((arb(computed) - truth) * _power(-unit)).mid()), False


def distances(computed: Array, truths: Sequence[arb | None], dtype: str) -> tuple[Array, Array]:
    """The distance at each point, NaN where there is no true value (None), and whether a value was lost there."""
    before, found = flint.ctx.prec, []
    flint.ctx.prec = 64
    try:
        for got, truth in zip(computed.tolist(), truths, strict=True):
            found.append((float("nan"), False) if truth is None else ulps(got, truth, dtype))
    finally:
        flint.ctx.prec = before
    return np.array([f[0] for f in found]), np.array([f[1] for f in found], bool)
