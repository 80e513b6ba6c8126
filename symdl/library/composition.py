"""How layers are put together: residuals, dropout, concatenation, index maps (flatten, reshape, upsampling).

An index map says where each entry goes: y[n,k] = Σ_{c,h} x[n,c,h] δ(k, c·H + h), "entry (c, h) goes to c·H + h".

>>> from symdl.core.define import Input, define
>>> @define
... def rows(x=Input("n c=2 h=3")):
...     return flatten(x)
>>> rows.equations[0]
y[n, k] = Sum_{c, h}(Delta(k, 3*c + h)*x[n, c, h])
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import sympy

from symdl.core.define import Hyper, Input, Param, Sum, delta, in_range, let, new_index
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.axes import axis_of
from symdl.library.entries import Entry, same_extent, written
from symdl.library.linear import linear
from symdl.library.naming import left
from symdl.library.windows import per_axis


def residual(x: Tensor, f: Tensor, *, name: str = "y") -> Tensor:
    """y = x + f, entry by entry: the skip connection around what made f of x.

    Raises:
        ShapeError: the axes don't agree.
    """
    where = f"residual of {x.name} and {f.name}"
    _same_rank(x, f, where)
    for mine, other in zip(x.indices, f.indices, strict=True):
        same_extent(mine, other, x, f, where)
    return let(left(name, x.indices), x.element() + f[x.indices] if x.rank else x + f)


def dropout(x: Tensor, mask: Tensor, keep: Any, *, name: str = "y") -> Tensor:
    """y = mask · x / keep: inverted dropout, so that the mean stays what it was and prediction needs no factor.

    Args:
        x: any shape.
        mask: of the shape of x; 1 with probability `keep`, else 0. `sd.train` draws it anew for each batch where it was
            declared so, `sd.Input("n i", mask="p")`; in prediction it is `keep`, so that y = x.
        keep: the share that is kept: a number, or a scalar such as `sd.Hyper(facts=["positive"])`.
        name: of the output.

    Raises:
        ShapeError: mask and x have different axes.
    """
    where = f"dropout of {x.name}"
    _same_rank(x, mask, where)
    for mine, other in zip(x.indices, mask.indices, strict=True):
        same_extent(mine, other, x, mask, where)
    masked = mask[x.indices] * x.element() if x.rank else mask * x
    return let(left(name, x.indices), masked / sympy.sympify(keep, strict=True))


def concat(x: Tensor, z: Tensor, *, axis: int = -1, name: str = "y") -> Tensor:
    """y[…,k] = x[…,k] for k < I, z[…,k − I] after that: two tensors along one axis.

    Raises:
        ShapeError: the other axes don't agree.
    """
    where = f"concat of {x.name} and {z.name}"
    _same_rank(x, z, where)
    place = axis_of(x, axis, where)
    for number, (mine, other) in enumerate(zip(x.indices, z.indices, strict=True)):
        if number != place:
            same_extent(mine, other, x, z, where)
    first, second = x.indices[place].extent, z.indices[place].extent
    before, after = x.indices[:place], x.indices[place + 1 :]
    k = new_index("k", first + second)
    head = x[(*before, k, *after)] * in_range(k, first)
    tail = z[(*before, k - first, *after)] * in_range(k - first, second)
    return let(left(name, (*before, k, *after)), head + tail)


def flatten(x: Tensor, *, first: int = 1, name: str = "y") -> Tensor:
    """y[n,k] = Σ_{c,h,w} x[n,c,h,w] δ(k, (c·H + h)·W + w): the axes from `first` on as one, the last one fastest.

    Raises:
        DefinitionError: x has no axis `first`.
    """
    place = axis_of(x, first, f"flatten of {x.name}")
    outer, inner = x.indices[:place], x.indices[place:]
    k = new_index("k", sympy.Mul(*[i.extent for i in inner]))
    return let(left(name, (*outer, k)), Sum(x.element() * delta(k, _row_major(inner)), *inner))


def reshape(x: Tensor, axes: Mapping[str, Any], *, first: int = 1, name: str = "y") -> Tensor:
    """The entries of x in the same order, under other axes from `first` on: `reshape(x, {"a": 2, "b": 3})`.

    Args:
        x: any shape.
        axes: names of the new axes with their extents.
        first: the axes before it stay.
        name: of the output; with several axes on both sides, `name`_flat is in between.

    Raises:
        ShapeError: another number of entries.
        DefinitionError: x has no axis `first`.
    """
    where = f"reshape of {x.name}"
    place = axis_of(x, first, where)
    outer, inner = x.indices[:place], x.indices[place:]
    indices = tuple(new_index(letter, extent) for letter, extent in axes.items())
    before, after = (sympy.expand(sympy.Mul(*[i.extent for i in group])) for group in (inner, indices))
    if before != after:
        raise ShapeError(
            f"{x.name} has {before} entries there, not {after}",
            where=where,
            why=f"its axes are {', '.join(f'{i.name} of extent {i.extent}' for i in inner)}",
            remedy="give extents with the same product",
        )
    flat = x if len(inner) == 1 else flatten(x, first=place, name=name if len(indices) == 1 else f"{name}_flat")
    if len(indices) == 1 and flat is not x:
        return flat
    return let(left(name, (*outer, *indices)), flat[(*outer, _row_major(indices))])


def upsample_nearest(x: Tensor, factor: Any, *, axes: int = 2, name: str = "y") -> Tensor:
    """y[…,k,l] = x[…,h,w] for k = f·h + r, l = f·w + s: every entry f times along the last `axes` axes.

    Args:
        x: […, h, w].
        factor: whole: one number, or one for each axis.
        axes: how many axes at the end are upsampled, at most 3.
        name: of the output.

    Raises:
        DefinitionError: a factor below 1, or more axes than x has.
    """
    where = f"upsample_nearest of {x.name}"
    outer, space, factors = _upsampled(x, factor, axes, where)
    places = tuple(new_index(k, f * h.extent) for k, f, h in zip("klm", factors, space, strict=False))
    taps = tuple(new_index(r, f) for r, f in zip(_TAPS[axes], factors, strict=True))
    hits = [delta(k, f * h + r) for k, f, h, r in zip(places, factors, space, taps, strict=True)]
    return let(left(name, (*outer, *places)), Sum(sympy.Mul(x.element(), *hits), *space, *taps))


def upsample_bilinear(x: Tensor, factor: Any, *, name: str = "y") -> Tensor:
    """Linear between neighbours along the last two axes, as PyTorch does with align_corners=False.

    Along each axis place k = f·h + r − ⌊f/2⌋ lies between entries h − 1 and h, at the share λ = (2r + 1 + f mod 2)/2f
    of the way. At the border only one of them exists, and the weights are divided by what is left of their sum.

    Args:
        x: […, h, w].
        factor: whole: one number, or one for each axis.
        name: of the output; `name`_rows is upsampled along the first of both axes.

    Raises:
        DefinitionError: a factor below 1, or x has fewer than two axes.
    """
    where = f"upsample_bilinear of {x.name}"
    _, _, factors = _upsampled(x, factor, 2, where)
    rows = _between(x, x.rank - 2, factors[0], "k", f"{name}_rows")
    return _between(rows, x.rank - 1, factors[1], "l", name)


def upsample_linear(x: Tensor, factor: Any, *, name: str = "y") -> Tensor:
    """Linear between neighbours along the last axis; see `upsample_bilinear`."""
    _, _, factors = _upsampled(x, factor, 1, f"upsample_linear of {x.name}")
    return _between(x, x.rank - 1, factors[0], "k", name)


def _between(x: Tensor, place: int, f: int, letter: str, name: str) -> Tensor:
    axis = x.indices[place]
    before, after = x.indices[:place], x.indices[place + 1 :]
    k = new_index(letter, f * axis.extent)
    g, r, a = new_index("g", axis.extent + 1), new_index("r", f), new_index("a", 2)
    share = sympy.Rational(1, 2 * f) * (2 * r + 1 + f % 2)
    weight = (1 - a + (2 * a - 1) * share) * in_range(g + a - 1, axis.extent)
    place = f * g + r - f // 2
    total = Sum(weight, a)
    if f % 2:  # the last share is 1 then, and at the place after the last entry nothing is left to divide by
        total += 1 - in_range(place, k.extent)
    entry = weight * x[(*before, g + a - 1, *after)] * delta(k, place)
    return let(left(name, (*before, k, *after)), Sum(entry / total, g, r, a))


_TAPS = {1: ("r",), 2: ("r", "s"), 3: ("q", "r", "s")}


def _upsampled(x: Tensor, factor: Any, axes: int, where: str) -> tuple[Any, tuple[Index, ...], tuple[int, ...]]:
    if axes not in _TAPS or axes > x.rank:
        raise DefinitionError(f"axes={axes!r} of {x.rank}", where=where, remedy=f"give 1 to {min(x.rank, 3)}")
    return x.indices[:-axes], x.indices[-axes:], per_axis("factor", factor, axes, 1, where)


def _row_major(indices: tuple[Index, ...]) -> sympy.Expr:
    """(c·H + h)·W + w."""
    position = sympy.S.Zero
    for index in indices:
        position = position * index.extent + index
    return sympy.expand(position)


def _same_rank(x: Tensor, z: Tensor, where: str) -> None:
    if x.rank != z.rank:
        raise ShapeError(
            f"{x.name} has {x.rank} axes and {z.name} {z.rank}", where=where, remedy="give both the same axes"
        )


def _residual() -> Definition:
    def body(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
        s = linear(x, W, b, name="s")
        h = let("h[n,j]", sympy.tanh(s.element()))
        return residual(x, h)

    return written("residual", {"x": Input("n i"), "W": Param("j=i i"), "b": Param("j")}, body)


def _dropout() -> Definition:
    return written("dropout", {"x": Input("n i"), "m": Input("n i", mask="p"), "p": Hyper(facts=["positive"])}, dropout)


def _concat() -> Definition:
    return written("concat", {"x": Input("n i"), "z": Input("n j")}, concat)


def _flatten() -> Definition:
    return written("flatten", {"x": Input("n c h w")}, flatten)


def _reshape() -> Definition:
    C, H, W = (sympy.Symbol(name, integer=True, positive=True) for name in "CHW")
    return written("reshape", {"x": Input("n c h w")}, partial(reshape, axes={"a": H, "b": C * W}))


def _nearest(*, factor: Any = 2) -> Definition:
    return written("upsample_nearest", {"x": Input("n c h w")}, partial(upsample_nearest, factor=factor))


def _bilinear(*, factor: Any = 2) -> Definition:
    return written("upsample_bilinear", {"x": Input("n c h w")}, partial(upsample_bilinear, factor=factor))


def _linear(*, factor: Any = 2) -> Definition:
    return written("upsample_linear", {"x": Input("n c h")}, partial(upsample_linear, factor=factor))


_entry = partial(Entry, kind="composition")

ENTRIES = (
    _entry("residual", summary="a skip connection around a layer", make=_residual),
    _entry("dropout", summary="entries left out by a mask, the rest scaled up", make=_dropout),
    _entry("concat", summary="two tensors along one axis", make=_concat),
    _entry("flatten", summary="several axes as one", make=_flatten),
    _entry("reshape", summary="the same entries under other axes", make=_reshape),
    _entry("upsample_nearest", summary="every entry several times", make=_nearest),
    _entry("upsample_linear", summary="linear between neighbours, along one axis", make=_linear),
    _entry("upsample_bilinear", summary="linear between neighbours, along two axes", make=_bilinear),
)
