"""What a cross-check found: the record that `Compiled.report` is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: Random inputs up to this standard deviation count as ordinary; saturated units lose digits beyond it.
ORDINARY = 2.0


@dataclass(frozen=True)
class Checked:
    """One output of one compiled function against 50-digit arithmetic, the worst over all points.

    Args:
        function, output: what was checked.
        ulps: the largest error, in units in the last place of each entry.
        ulps_of_largest: the same in those of the largest entry of the output, which is what the check limits.
        scale: of the random inputs at the worst point.
        position: of the worst entry.
    """

    function: str
    output: str
    ulps: float
    ulps_of_largest: float
    scale: float
    position: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """The cross-check of a compiled definition.

    Args:
        dtype: of the compiled code.
        shapes: of the inputs that it was checked on; the same machine code runs on every shape.
        points: how many random points.
        checked: by output; twice where inputs of extreme scale were tried as well.
        gradient_error: the largest relative difference between the gradient that was compiled and differences of the
            forward equations alone, in 50-digit arithmetic; None without a gradient.
        overflows: where large inputs gave NaN or infinity though the exact value can be represented.
        seconds: of deriving, planning, compiling and checking.
    """

    dtype: str
    shapes: Mapping[str, tuple[int, ...]]
    points: int
    checked: tuple[Checked, ...]
    gradient_error: float | None
    overflows: tuple[str, ...]
    seconds: float

    @property
    def worst(self) -> float:
        """The largest error over all outputs for inputs of ordinary scale, in ulps of the largest entry."""
        return max((c.ulps_of_largest for c in self.checked if c.scale <= ORDINARY), default=0.0)

    def __str__(self) -> str:
        shapes = ", ".join(f"{n} {'×'.join(map(str, s)) or 'scalar'}" for n, s in self.shapes.items())
        lines = [f"{self.points} points, {self.dtype}, against 50 digits; shapes {shapes}"]
        lines += [
            f"  {c.function}.{c.output}: {c.ulps_of_largest:.3g} ulps of its largest entry, {c.ulps:.3g} of each"
            + (f" (inputs of scale {c.scale:g})" if c.scale > ORDINARY else "")
            for c in self.checked
        ]
        if self.gradient_error is not None:
            lines.append(f"  gradient against differences of the forward equations: {self.gradient_error:.1e}")
        return "\n".join(lines + [f"  {o}" for o in self.overflows])

    def to_json(self) -> dict[str, Any]:
        """The record in types that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Report:
        checked = tuple(Checked(**{**c, "position": tuple(c["position"])}) for c in record["checked"])
        shapes = {n: tuple(s) for n, s in record["shapes"].items()}
        return cls(**{**record, "checked": checked, "shapes": shapes, "overflows": tuple(record["overflows"])})
