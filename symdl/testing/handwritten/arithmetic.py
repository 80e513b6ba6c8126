"""The equations evaluated far more exactly than functions compute: in 50 digits and more, or in extended precision.

50 digits take some microseconds for each operation. Where extents are so large that this is too slow, NumPy's
longdouble is used: 64 bits on x86, so that values are good to a small part of an ulp of float64 where nothing cancels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.compilation.targets.reference import DIGITS, evaluate, shaken
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.errors import DomainError, SymdlError
from symdl.testing.handwritten import quick

Array = npt.NDArray[Any]

#: In the place of a number of digits: extended precision.
EXTENDED = 0
#: How often the equations are evaluated with every operation off by one rounding.
ROUNDINGS = 3
#: How far beside a kink slopes are looked at.
_STEP = mpmath.mpf(10) ** -30


def values(definition: Definition, arrays: Mapping[str, Any], digits: int) -> dict[str, Array]:
    """Every tensor that is computed, as mpmath numbers, or as longdouble in extended precision.

    Raises:
        DomainError: the equations have no real value there.
    """
    if digits == EXTENDED:
        return _extended(definition, arrays)
    return evaluate(definition, arrays, digits=digits, keep=True)


def _extended(definition: Definition, arrays: Mapping[str, Any], shake: quick.Shake | None = None) -> dict[str, Array]:
    wide = {n: np.asarray(a) for n, a in arrays.items()}
    wide = {n: a if a.dtype.kind in "iu" else a.astype(np.longdouble) for n, a in wide.items()}
    sizes = sizes_of(definition, wide)
    found = quick.evaluate(definition.equations, wide, sizes, number=np.longdouble, shake=shake)
    for name, array in found.items():
        if not np.all(np.isfinite(array)):
            raise DomainError(f"{name} has no finite value", where=f"definition {definition.name}")
    return found


def sizes_of(definition: Definition, arrays: Mapping[str, Array]) -> dict[sympy.Symbol, int]:
    """The extents that the shapes of the inputs say."""
    shapes = {t.name: np.shape(arrays[t.name]) for t in definition.inputs if t.name in arrays}
    found = sizes_from_shapes(Axes(definition), shapes)
    return {k: v for k, v in found.items() if k.is_Symbol and not isinstance(k, Index)}


def pair(numbers: Array) -> tuple[Array, Array]:
    """Numbers as two arrays of float64, what float64 keeps and the rest."""
    if numbers.dtype != object:
        with np.errstate(all="ignore"):
            high = numbers.astype(np.float64)
            low = (numbers - high).astype(np.float64)
        return high, np.where(np.isfinite(high), low, 0.0)
    with mpmath.workdps(DIGITS):
        flat = [mpmath.mpf(v) for v in numbers.ravel().tolist()]
        high = np.array([float(v) for v in flat])
        rest = [float(v - h) if np.isfinite(h) else 0.0 for v, h in zip(flat, high.tolist(), strict=True)]
    return high.reshape(numbers.shape), np.array(rest).reshape(numbers.shape)


def moved(
    definition: Definition, arrays: Mapping[str, Any], exact: Mapping[str, Array], digits: int, dtype: str
) -> dict[str, float]:
    """For every tensor the largest change of an entry when each operation is off by one rounding, up or down.

    Args:
        definition, arrays, digits: as for `values`.
        exact: what `values` gives.
        dtype: whose roundings.
    """
    rng, eps = np.random.default_rng(1), float(np.finfo(dtype).eps)
    plain = {n: _wide(np.asarray(a)) for n, a in exact.items()}
    found: dict[str, float] = {}
    # extended precision is quick, and exact enough to see roundings; where it overflows, there are more digits
    for moved in (_shaken_extended, _shaken) if digits != EXTENDED else (_shaken_extended,):
        for _ in range(ROUNDINGS if moved is _shaken_extended else 1):
            try:
                run = moved(definition, arrays, digits, eps, rng)
            except SymdlError:
                continue  # a rounding left the domain: the others say how far it goes
            for name, numbers in run.items():
                with np.errstate(all="ignore"):
                    far = np.abs(_wide(numbers) - plain[name])
                far = far[np.isfinite(far)]  # what overflows is compared elsewhere
                found[name] = max(found.get(name, 0.0), float(np.max(far, initial=0.0)))
        if found:
            break
    return found


def _wide(numbers: Array) -> Array:
    """Numbers as longdouble."""
    if numbers.dtype != object:
        return numbers.astype(np.longdouble)
    high, low = pair(numbers)
    return np.asarray(high.astype(np.longdouble) + low)


def _shaken_extended(
    definition: Definition, arrays: Mapping[str, Any], digits: int, eps: float, rng: np.random.Generator
) -> dict[str, Array]:
    return _extended(definition, arrays, lambda a: a * (1 + eps * (2 * rng.integers(2, size=np.shape(a)) - 1)))


def _shaken(
    definition: Definition, arrays: Mapping[str, Any], digits: int, eps: float, rng: np.random.Generator
) -> dict[str, Array]:
    with mpmath.workdps(digits):
        return evaluate(definition, arrays, digits=digits, keep=True, rounding=shaken(eps, rng))


def beside(
    definition: Definition, arrays: Mapping[str, Any], steps: Mapping[str, Array], digits: int, wanted: Iterable[str]
) -> dict[str, Array]:
    """Tensors a little beside a point, in float64; with no steps, at the point."""
    given = dict(arrays)
    for name, along in steps.items():
        moved = np.empty(along.size, dtype=object)
        with mpmath.workdps(max(digits, 2 * DIGITS)):
            pairs = zip(np.ravel(arrays[name]).tolist(), along.ravel().tolist(), strict=True)
            moved[:] = [mpmath.mpf(v) + _STEP * float(s) for v, s in pairs]
        given[name] = moved.reshape(along.shape)
    found = values(definition, given, digits and max(digits, 2 * DIGITS))
    return {n: found[n].astype(np.float64) for n in wanted}


def alike(a: Array, b: Array) -> bool:
    """Whether slopes beside a point are those at the point: there is no kink."""
    return bool(np.all(np.abs(a - b) <= 1e-12 * float(np.max(np.abs(b), initial=0.0)) + 1e-25))
