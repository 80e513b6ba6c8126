"""What a function returned at several points, beside what is right: what a guess has to explain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symdl.testing.handwritten.judging import Judge
from symdl.testing.handwritten.points import Point

Array = npt.NDArray[Any]
Sizes = Mapping[sympy.Symbol, int]

#: A guess has to give the returned numbers at so many points.
ENOUGH = 3


@dataclass(frozen=True)
class Evidence:
    """One point: what was returned, what is right, and every tensor in float64."""

    point: Point
    returned: Mapping[str, Array]
    exact: Mapping[str, Array]
    values: Mapping[str, Array]
    sizes: Sizes
    others: Mapping[str, int]

    def wrong(self, name: str) -> bool:
        got, exact = self.returned.get(name), self.exact[name]
        return got is not None and not (got.shape == exact.shape and agrees(got, exact))


def agrees(a: Array, b: Array, rtol: float = 1e-8) -> bool:
    """Whether two arrays are the same numbers but for rounding, that of the largest."""
    if a.shape != b.shape or not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        return False
    size = float(np.max(np.abs(b), initial=0.0))
    return bool(np.all(np.abs(a - b) <= rtol * size + 1e-300))


def gather(judge: Judge, points: Sequence[Point]) -> list[Evidence]:
    """Call the function in float64 at points; what it raises there is left out."""
    found = []
    for point in points:
        outcome = judge.code.call(point.truth.values, "float64")
        if outcome.error:
            continue
        returned = {n: np.asarray(v) for n, v in outcome.values.items() if v is not None and v.dtype.kind in "fiub"}
        exact = {n: judge.exact(point, n).high for n in judge.code.returns}
        values = {n: np.asarray(v).astype(float) for n, v in point.truth.values.items()}
        sizes, others = _sizes(judge, values)
        found.append(Evidence(point, returned, exact, values, sizes, others))
    return found


def _sizes(judge: Judge, values: Mapping[str, Array]) -> tuple[Sizes, dict[str, int]]:
    """Extents by symbol, and lengths of axes by the name of their index."""
    sizes: dict[sympy.Symbol, int] = {}
    named: dict[str, int] = {}
    for tensor in judge.subject.gradient.tensors.values():
        for index, length in zip(tensor.indices, np.shape(values[tensor.name]), strict=True):
            named.setdefault(index.name, length)
            if index.extent.is_Symbol:
                sizes[index.extent] = length
    return sizes, named


def explains(name: str, evidence: Sequence[Evidence], change: Callable[[Evidence], Array | None]) -> bool:
    """Whether a change of what is right gives what was returned, wherever it can be tried, and is wrong there."""
    tried = wrong = 0
    for e in evidence:
        got = e.returned.get(name)
        made = change(e) if got is not None else None
        if made is None or got is None:
            continue
        if not agrees(got, np.asarray(made)):
            return False
        tried += 1
        wrong += e.wrong(name) and bool(np.any(got))
    return tried >= min(ENOUGH, len(evidence)) and wrong >= 2
