"""Windows that slide along axes: what convolution and pooling have in common.

Entry r of the window at place u reads position s·u + d·r − p of the axis (stride s, dilation d, padding p); where that
lies outside, a guard is 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.core.define import in_range, new_index
from symdl.core.indices import Index
from symdl.errors import DefinitionError, ShapeError

#: Names for places of the window, by the number of axes.
PLACES = {1: ("u",), 2: ("u", "v"), 3: ("t", "u", "v")}
#: What it slides along, in words.
AXES = {1: "one axis", 2: "two axes", 3: "three axes"}


@dataclass(frozen=True)
class Slide:
    """How a window moves along one axis."""

    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def position(self, place: Index, tap: Index) -> sympy.Expr:
        """What entry `tap` of the window at `place` reads."""
        return self.stride * place + self.dilation * tap - self.padding

    def places(self, size: sympy.Expr, taps: sympy.Expr) -> sympy.Expr:
        """How many windows fit along an axis: ⌊(H + 2p − d(R − 1) − 1)/s⌋ + 1.

        >>> H, R = sympy.symbols("H R", integer=True, positive=True)
        >>> Slide(padding=1).places(H, sympy.Integer(3)), Slide(stride=2).places(H, R)
        (H, floor(H/2 - R/2) + 1)
        """
        free = sympy.expand(size + 2 * self.padding - self.dilation * (taps - 1) - 1)
        return (sympy.floor(free / self.stride) if self.stride > 1 else free) + 1

    def unslid(self, places: sympy.Expr, taps: sympy.Expr, more: int = 0) -> sympy.Expr:
        """The length of the axis that transposed convolution makes: (U − 1)s − 2p + d(R − 1) + more + 1.

        >>> U = sympy.Symbol("U", integer=True, positive=True)
        >>> Slide(stride=2).unslid(U, sympy.Integer(2))
        2*U
        """
        return sympy.expand((places - 1) * self.stride - 2 * self.padding + self.dilation * (taps - 1) + more + 1)


def slides(axes: int, where: str, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> tuple[Slide, ...]:
    """One `Slide` for each axis, from numbers or from tuples of numbers.

    Raises:
        DefinitionError: a number that is too small, or a tuple of another length.
    """
    strides = per_axis("stride", stride, axes, 1, where)
    paddings = per_axis("padding", padding, axes, 0, where)
    dilations = per_axis("dilation", dilation, axes, 1, where)
    return tuple(Slide(*each) for each in zip(strides, paddings, dilations, strict=True))


def per_axis(option: str, value: Any, axes: int, least: int, where: str) -> tuple[int, ...]:
    """An option as one number for each axis.

    >>> per_axis("stride", 2, 3, 1, "conv3d")
    (2, 2, 2)
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes:
        raise DefinitionError(
            f"{option}={value} has {len(values)} numbers",
            where=where,
            why=f"it slides along {axes} {'axis' if axes == 1 else 'axes'}",
            remedy=f"give one number, or {axes}",
        )
    for number in values:
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise DefinitionError(
                f"{option}={number!r} is no {option}",
                where=where,
                why=f"it is a whole number, {least} or more",
                remedy=f"give {least} or more",
            )
    return values


def place_indices(
    steps: Iterable[Slide], space: tuple[Index, ...], sizes: Iterable[sympy.Expr], where: str
) -> tuple[Index, ...]:
    """A new index for the places of the window along each axis.

    Raises:
        ShapeError: the window is larger than the padded axis; names both extents.
    """
    made = []
    for slide, axis, size, name in zip(steps, space, sizes, PLACES[len(space)], strict=True):
        count = slide.places(axis.extent, size)
        if count.is_nonpositive:
            raise ShapeError(
                f"the window is larger than axis {axis.name}",
                where=where,
                why=f"{size} entries with dilation {slide.dilation} reach over {slide.dilation * (size - 1) + 1}, and "
                f"the axis has {axis.extent} with padding {slide.padding} on both sides",
                remedy="choose a smaller window, a smaller dilation or more padding",
            )
        made.append(new_index(name, count))
    return tuple(made)


def inside(positions: Iterable[sympy.Expr], axes: Iterable[Index]) -> sympy.Expr:
    """The guard that every position lies on its axis: 1 where that is always so."""
    return sympy.Mul(*[in_range(e, axis.extent) for e, axis in zip(positions, axes, strict=True)])
