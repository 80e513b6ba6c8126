"""What a sweep has found: the errors of compiled functions in units in the last place, and a table of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from symdl.errors import SymdlError
from symdl.testing.ulps import FORMATS, distances, ulps

Array = npt.NDArray[Any]
#: A number, or the numbers of an example by name.
Place = float | dict[str, Any]

#: The largest error that an entry of the library may have.
LIMIT = 4.0


@dataclass(frozen=True)
class Swept:
    """What was found for one function in one dtype.

    Args:
        part: "value", "slope", or "slope by z" of several inputs.
        dtype: of the arithmetic.
        points: how many were tried.
        worst: the largest error in ulps; infinite where a representable value came out as NaN or infinity.
        at, computed, truth: of the largest error.
        above: the shares of points that are more than 0.5, 1 and 4 ulps off.
        lost: how many representable values came out as NaN or infinity.
        peer: the largest error of PyTorch on the same points; None where it was not asked or has no such function.
        relative: where an error is beyond the limit, the largest one in ulps of the sum of |terms| of which the value
            is what is left (see `symdl.testing.conditions`), where the value itself is not within the limit; None
            where every error is.
        condition: the sum of |terms| over |value| at the largest error.
    """

    part: str
    dtype: str
    points: int
    worst: float
    at: Place
    computed: float
    truth: str
    above: tuple[float, float, float]
    lost: int
    peer: float | None = None
    relative: float | None = None
    condition: float | None = None

    @property
    def passed(self) -> bool:
        return self.worst <= LIMIT and not self.lost

    @property
    def conditioned(self) -> bool:
        """Whether every error is within the limit in ulps of the value, or of the terms that it is a difference of."""
        return not self.lost and (self.worst <= LIMIT or (self.relative is not None and self.relative <= LIMIT))


@dataclass(frozen=True)
class Accuracy:
    """The errors of one function and of its slopes, in each dtype."""

    name: str
    rows: tuple[Swept, ...]

    @property
    def passed(self) -> bool:
        """Every error is at most 4 ulps, and no representable value is lost."""
        return all(r.passed for r in self.rows)

    @property
    def conditioned(self) -> bool:
        """As `passed`, or within 4 ulps of the terms of which a value is what is left."""
        return all(r.conditioned for r in self.rows)

    @property
    def worst(self) -> float:
        """The largest error in ulps."""
        return max(r.worst for r in self.rows)

    def require(self) -> Accuracy:
        """This record.

        Raises:
            SymdlError: it did not pass.
        """
        for row in self.rows:
            if not row.passed:
                raise SymdlError(
                    f"the {row.part} of {self.name} is {row.worst:.3g} ulps off in {row.dtype}",
                    where=shown(row.at),
                    why=f"it computes {row.computed!r}, and the value is {row.truth}",
                    remedy="state a stable form",
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        rows = [{**vars(r), "above": list(r.above), "passed": r.passed} for r in self.rows]
        return {"name": self.name, "passed": self.passed, "rows": rows}

    def __str__(self) -> str:
        return sweep_table([self])


def summary(
    part: str,
    dtype: str,
    places: Sequence[Place],
    got: Array,
    truths: Sequence[arb | None],
    peer: Array | None = None,
) -> Swept:
    """The record of computed values, the places that they belong to and the true ones; None where there is none."""
    off, lost = distances(got, truths, dtype)
    worst = int(np.nanargmax(off))
    truth = truths[worst]
    shares = tuple(float(np.mean(off[~np.isnan(off)] > limit)) for limit in (0.5, 1.0, LIMIT))
    return Swept(
        part,
        dtype,
        int((~np.isnan(off)).sum()),
        float(off[worst]),
        places[worst],
        float(got[worst]),
        "" if truth is None else str(truth.mid().str(20, radius=False)),
        shares,  # type: ignore[arg-type]
        int(lost.sum()),
        None if peer is None else float(np.nanmax(distances(peer, truths, dtype)[0])),
    )


def conditioned(row: Swept, off: Array, got: Array, truths: Sequence[arb | None], sizes: Sequence[arb | None]) -> Swept:
    """The record with the largest error in ulps of the sums of |terms|, and what that sum is of the value at the worst.

    Args:
        row: the record.
        off, got, truths, sizes: errors in ulps of the values, what was computed, the values and the sums of |terms|, at
            the points where errors are beyond the limit.
    """
    form, relative, condition = FORMATS[row.dtype], 0.0, 1.0
    for error, number, truth, size in zip(off, got, truths, sizes, strict=True):
        if truth is None or size is None:
            continue
        relative = max(relative, ulps(float(number), truth, row.dtype, form.spacing(size))[0])
        if error == row.worst:
            condition = float((size / abs(truth)).mid()) if truth != 0 else math.inf
    return replace(row, relative=relative, condition=condition)


def sweep_table(found: Sequence[Accuracy]) -> str:
    """A table of many sweeps: the largest errors in ulps, where, and how many points are beyond 0.5, 1 and 4.

    Where an error is beyond 4 ulps, the largest one in ulps of the sum of |terms| and the condition number follow.
    """
    peer = any(r.peer is not None for a in found for r in a.rows)
    head = ["function", "", "dtype", "points", "largest", "at", "> 0.5", "> 1", "> 4", "NaN or inf"]
    terms = any(r.relative is not None for a in found for r in a.rows)
    lines = [head + (["of |terms|", "condition"] if terms else []) + (["PyTorch"] if peer else [])]
    for one in found:
        for r in one.rows:
            cells = [one.name, r.part, r.dtype, f"{r.points:,}", _ulps(r.worst), shown(r.at)]
            cells += [f"{share:.2%}" for share in r.above] + [str(r.lost or "")]
            if terms:
                told = r.relative is not None and r.condition is not None
                cells += [_ulps(r.relative), f"{r.condition:.0e}"] if told else ["", ""]  # type: ignore[arg-type]
            lines.append(cells + ([_ulps(r.peer) if r.peer is not None else ""] if peer else []))
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _ulps(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.1e}"


def shown(place: Place) -> str:
    """
    >>> shown(0.1), shown({"z": [1.0, 2.5], "c": 0})
    ('x = 0.1', 'z = [1, 2.5], c = 0')
    """
    if isinstance(place, float):
        return f"x = {place:.6g}"
    return ", ".join(f"{n} = {_numbers(v)}" for n, v in place.items())


def _numbers(value: Any) -> str:
    return f"[{', '.join(map(_numbers, value))}]" if isinstance(value, list) else f"{value:.6g}"
