"""What a sweep has found: the errors of compiled functions in units in the last place, and a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb

from symdl.errors import SymdlError
from symdl.testing.ulps import distances

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

    @property
    def passed(self) -> bool:
        return self.worst <= LIMIT and not self.lost


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


def sweep_table(found: Sequence[Accuracy]) -> str:
    """A table of many sweeps: the largest errors in ulps, where, and how many points are beyond 0.5, 1 and 4."""
    peer = any(r.peer is not None for a in found for r in a.rows)
    head = ["function", "", "dtype", "points", "largest", "at", "> 0.5", "> 1", "> 4", "NaN or inf"]
    lines = [head + (["PyTorch"] if peer else [])]
    for one in found:
        for r in one.rows:
            cells = [one.name, r.part, r.dtype, f"{r.points:,}", _ulps(r.worst), shown(r.at)]
            cells += [f"{share:.2%}" for share in r.above] + [str(r.lost or "")]
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
