"""The numbers of a dtype, counted in order; and the points at which a function of one number is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Distances, counted in numbers of the dtype, at which the neighbours of a special point are tried.
NEAR = (0, 1, 2, 3, 5, 8, 16, 64, 1 << 10, 1 << 14, 1 << 18)
SEED = 20261125


def ordinal(values: Array) -> npt.NDArray[np.int64]:
    """The place of each number in the order of its dtype: neighbours differ by 1, and 0 is at 0.

    >>> ordinal(np.array([0.0, 5e-324, -5e-324])).tolist()
    [0, 1, -1]
    """
    whole = values.view(np.int64 if values.dtype == np.float64 else np.int32).astype(np.int64)
    low = np.int64(np.iinfo(np.int64).min if values.dtype == np.float64 else np.iinfo(np.int32).min)
    return np.where(whole < 0, low - whole, whole)


def number(places: Any, dtype: str) -> Array:
    """The numbers at places of the order; the inverse of `ordinal`.

    >>> number([1], "float32").tolist() == [2.0**-149]
    True
    """
    whole = np.asarray(places, np.int64)
    low = np.int64(np.iinfo(np.int64).min if dtype == "float64" else np.iinfo(np.int32).min)
    bits = np.where(whole < 0, low - whole, whole)
    return bits.view(np.float64) if dtype == "float64" else bits.astype(np.int32).view(np.float32)


def last(dtype: str) -> int:
    """The place of the largest finite number."""
    return int(ordinal(np.array([np.finfo(dtype).max], dtype))[0])


def grid(dtype: str, points: int, special: Iterable[float] = ()) -> Array:
    """About `points` finite numbers of both signs, in order: the whole range, and where functions change.

    They are spread over all exponents, over those of subnormal numbers, over those from 2^−30 to 2^12, and evenly over
    the range in which exponentials neither vanish nor overflow; a sixth are random bit patterns. On top come
    ±0, the smallest and largest numbers, the edges of exponentials, small integers and halves, `special` points, and
    the neighbours of all of these.
    """
    rng, info = np.random.default_rng(SEED), np.finfo(dtype)
    end, share = last(dtype), max(points // 6, 8)
    span = float(np.log(info.max)) * 1.1
    sides = [
        number(np.linspace(1, end, share).astype(np.int64), dtype),
        np.exp2(np.linspace(np.log2(info.smallest_subnormal), np.log2(info.tiny), share // 2)).astype(dtype),
        np.exp2(np.linspace(-30, 12, share)).astype(dtype),
        np.linspace(0, span, share).astype(dtype),
        np.linspace(0, 12, share // 2).astype(dtype),
    ]
    ordered = np.concatenate([np.concatenate(sides), -np.concatenate(sides)])
    patterns = number(rng.integers(-end, end + 1, points // 6), dtype)
    return tidy(np.concatenate([ordered, patterns, around([*edges(dtype), *special], dtype)]), dtype)


def edges(dtype: str) -> list[float]:
    """Where something happens to many functions: overflow, underflow, lost digits, and small round numbers."""
    info = np.finfo(dtype)
    top, bottom, eps = float(info.max), float(info.tiny), float(info.eps)
    smallest = float(info.smallest_subnormal)
    logs = [np.log(top), np.log(bottom), np.log(smallest), np.log(eps), np.log(smallest) - 1]
    sizes = [smallest, bottom, eps, top, 1 / eps, *[v**p for v in (top, bottom, eps) for p in (1 / 2, 1 / 3)]]
    positive = [*sizes, *[abs(v) * k for v in logs for k in (0.5, 1, 2)], *[np.sqrt(2 * abs(v)) for v in logs]]
    positive += [k / 2 for k in range(1, 13)]
    return [0.0, *positive, *[-v for v in positive]]


def around(places: Iterable[float], dtype: str) -> Array:
    """The numbers at some distances of each place, on both sides, and the place itself; −0 beside 0."""
    with np.errstate(over="ignore"):
        centres = ordinal(np.array(list(places), dtype))
    distances = np.array([*NEAR, *[-d for d in NEAR]])
    near = np.clip((centres[:, None] + distances).ravel(), -last(dtype), last(dtype))
    return number(near, dtype)


def between(values: Array, chosen: Iterable[int], count: int = 12) -> Array:
    """Numbers between each chosen one of ordered numbers and its neighbours in the list."""
    places, found = ordinal(values), []
    for k in chosen:
        for other in (max(k - 1, 0), min(k + 1, len(values) - 1)):
            found.append(np.linspace(float(places[k]), float(places[other]), count + 2)[1:-1].astype(np.int64))
    made = np.concatenate(found) if found else np.array([], np.int64)
    return number(np.clip(made, -last(str(values.dtype)), last(str(values.dtype))), str(values.dtype))


def tidy(values: Array, dtype: str) -> Array:
    """Finite numbers, in order, each once; zeros of both signs."""
    kept = np.unique(values[np.isfinite(values)])
    return np.concatenate([kept[kept < 0], np.array([-0.0, 0.0], dtype), kept[kept > 0]]).astype(dtype)


def crossings(sign: Callable[[float], int], values: Array) -> list[float]:
    """Where a function changes its sign between neighbours of ordered numbers: the numbers next to it."""
    signs = [sign(v) for v in values.tolist()]
    dtype, found = str(values.dtype), []
    for k in range(len(values) - 1):
        if signs[k] * signs[k + 1] >= 0:
            continue
        low, high = (int(p) for p in ordinal(values[k : k + 2]))
        while high - low > 1:
            middle = (low + high) // 2
            if sign(float(number([middle], dtype)[0])) == signs[k]:
                low = middle
            else:
                high = middle
        found.append(float(number([low], dtype)[0]))
    return found
