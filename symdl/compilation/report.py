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
class Loss:
    """What an output loses where factors of products are rounded, the worst over all points.

    Args:
        function, output: what was measured; "product" and the extents of one for the product by itself.
        ulps: the largest error against 50 digits, in units in the last place of the largest entry.
        exact_ulps: that of the same code with exact products.
        of_terms: the same error relative to Σ |a b|, the terms of the rounded products, as far as they reach the
            output: what an output would move by if every rounded sum moved by all of its terms, up or down.
        allowed: what rounding and adding up can make of it at the most, relative to the same.
    """

    function: str
    output: str
    ulps: float
    exact_ulps: float
    of_terms: float
    allowed: float

    def __str__(self) -> str:
        return (
            f"{self.function}.{self.output}: {self.ulps:.3g} ulps of its largest entry "
            f"({self.exact_ulps:.3g} with exact products), {self.of_terms:.2e} of the terms, "
            f"{self.allowed:.2e} at the most"
        )


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
        products: "exact", or to what factors of large products on a GPU are rounded. `checked` is then of the same code
            with exact products.
        losses: what that loses, by function and output; none where all products are small, and so exact.
    """

    dtype: str
    shapes: Mapping[str, tuple[int, ...]]
    points: int
    checked: tuple[Checked, ...]
    gradient_error: float | None
    overflows: tuple[str, ...]
    seconds: float
    products: str = "exact"
    losses: tuple[Loss, ...] = ()

    @property
    def worst(self) -> float:
        """The largest error over all outputs for inputs of ordinary scale, in ulps of the largest entry."""
        ordinary = (c.ulps_of_largest for c in self.checked if c.scale <= ORDINARY)
        return max((*ordinary, *(loss.ulps for loss in self.losses)), default=0.0)

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
        return "\n".join([*lines, *(f"  {o}" for o in self.overflows), *self._products()])

    def _products(self) -> list[str]:
        """What is said of rounded products."""
        if self.products == "exact":
            return []
        if not self.losses:
            return [f"  no product is in {self.products}: all are small, and exact"]
        return [f"  large products in {self.products}, small ones exact:", *(f"    {loss}" for loss in self.losses)]

    def to_json(self) -> dict[str, Any]:
        """The record in types that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Report:
        checked = tuple(Checked(**{**c, "position": tuple(c["position"])}) for c in record["checked"])
        shapes = {n: tuple(s) for n, s in record["shapes"].items()}
        losses = tuple(Loss(**found) for found in record.get("losses", ()))
        made = {"checked": checked, "shapes": shapes, "overflows": tuple(record["overflows"]), "losses": losses}
        return cls(**{**record, **made})
