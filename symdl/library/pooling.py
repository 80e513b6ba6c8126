"""Pooling: the maximum or the mean of windows, of whole axes, or of as many windows as are asked for.

>>> from symdl.core.define import Input, define
>>> @define
... def halves(x=Input("n c h")):
...     return avg_pool1d(x, 2)
>>> halves
halves(x[n, c, h]) -> y:
    y[n, c, u] = Sum_{r}(x[n, c, r + 2*u]/2)
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy

from symdl.core.define import Input, Sum, amax, in_range, let, mean, new_index
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.entries import Entry, written
from symdl.library.naming import left
from symdl.library.windows import AXES, PLACES, inside, per_axis, place_indices, slides

_TAPS = {1: ("r",), 2: ("r", "s")}


def max_pool1d(x: Tensor, size: Any, **options: Any) -> Tensor:
    """y[n,c,u] = max_r x[n,c,s·u + d·r − p] over what lies on the axis; arguments as for `max_pool2d`."""
    return _max_pool(1, x, size, **options)


def max_pool2d(x: Tensor, size: Any, **options: Any) -> Tensor:
    """y[n,c,u,v] = max_{r,s} x[n, c, s·u + d·r − p, …] over what lies on the axes.

    Args:
        x: […, h, w]; real.
        size: of the window: a whole number, or one for each axis.
        options: `stride` (None: the size), `padding`, `dilation` as for `conv2d`; `name` of the output; `ties`: the
            policy for the slope at equal entries, "share" (evenly, the default; PyTorch takes the first one instead).

    Raises:
        ShapeError: a window larger than the padded input, or a padding of more than half the window.
        DefinitionError: an option that is out of range.
    """
    return _max_pool(2, x, size, **options)


def avg_pool1d(x: Tensor, size: Any, **options: Any) -> Tensor:
    """y[n,c,u] = (1/R) Σ_r x[n,c,s·u + r − p]; arguments as for `avg_pool2d`."""
    return _avg_pool(1, x, size, **options)


def avg_pool2d(x: Tensor, size: Any, **options: Any) -> Tensor:
    """y[n,c,u,v] = (1/RS) Σ_{r,s} x[n, c, s·u + r − p, …], 0 outside of x.

    Args:
        x: […, h, w]; real.
        size: of the window: a whole number, or one for each axis.
        options: `stride` (None: the size) and `padding` as for `conv2d`; `name` of the output; `count_include_pad`:
            False divides by the number of entries that lie on the axes instead.

    Raises:
        ShapeError: a window larger than the padded input, or a padding of more than half the window.
        DefinitionError: an option that is out of range.
    """
    return _avg_pool(2, x, size, **options)


def global_avg_pool(x: Tensor, *, axes: int = 2, name: str = "y") -> Tensor:
    """y[n,c] = (1/HW) Σ_{h,w} x[n,c,h,w]: the mean over the last `axes` axes.

    Raises:
        ShapeError: x has fewer axes.
    """
    _check_rank(axes, x, f"global_avg_pool of {x.name}")
    return let(left(name, x.indices[:-axes]), mean(x.element(), *x.indices[-axes:]))


def adaptive_avg_pool1d(x: Tensor, size: Any, *, name: str = "y") -> Tensor:
    """y[n,c,u]: the mean from ⌊uH/U⌋ to ⌈(u + 1)H/U⌉, for U = `size` windows; arguments as for the 2d form."""
    return _adaptive_avg_pool(1, x, size, name)


def adaptive_avg_pool2d(x: Tensor, size: Any, *, name: str = "y") -> Tensor:
    """y[n,c,u,v]: the mean over rows ⌊uH/U⌋ to ⌈(u + 1)H/U⌉ (the last one left out), and columns likewise.

    The window of u is where 0 ≤ (h + 1)U − uH − 1 < H + U − 1: whole numbers only, and one guard.

    Args:
        x: […, h, w]; real.
        size: how many windows, U and V: a whole number, or one for each axis.
        name: of the output.

    Raises:
        ShapeError: x has too few axes.
        DefinitionError: a size below 1.
    """
    return _adaptive_avg_pool(2, x, size, name)


def _max_pool(
    rank: int,
    x: Tensor,
    size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ties: str = "share",
    name: str = "y",
) -> Tensor:
    where = f"max_pool{rank}d of {x.name}"
    outer, places, taps, positions = _windows(rank, x, size, where, stride, padding, dilation)
    guard = inside(positions, x.indices[-rank:])
    largest = amax(x[(*outer, *positions)], *taps, ties=ties, where=guard)
    return let(left(name, (*outer, *places)), largest)


def _avg_pool(
    rank: int,
    x: Tensor,
    size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = True,
    name: str = "y",
) -> Tensor:
    where = f"avg_pool{rank}d of {x.name}"
    outer, places, taps, positions = _windows(rank, x, size, where, stride, padding, 1)
    guards = [in_range(e, axis.extent) for e, axis in zip(positions, x.indices[-rank:], strict=True)]
    total = Sum(sympy.Mul(x[(*outer, *positions)], *guards), *taps)
    counts = [r.extent if count_include_pad or g == 1 else Sum(g, r) for r, g in zip(taps, guards, strict=True)]
    return let(left(name, (*outer, *places)), total / sympy.Mul(*counts))


def _windows(
    rank: int, x: Tensor, size: Any, where: str, stride: Any, padding: Any, dilation: Any
) -> tuple[tuple[Index, ...], tuple[Index, ...], tuple[Index, ...], list[sympy.Expr]]:
    """The axes that are not pooled, the indices of windows and of their entries, and what each entry reads."""
    _check_rank(rank, x, where)
    sizes = per_axis("size", size, rank, 1, where)
    way = slides(rank, where, stride=sizes if stride is None else stride, padding=padding, dilation=dilation)
    for step, entries in zip(way, sizes, strict=True):
        reach = step.dilation * (entries - 1) + 1
        if 2 * step.padding > reach:
            raise ShapeError(
                f"padding={step.padding} is more than half of the window",
                where=where,
                why=f"the window reaches over {reach}, so one could lie in the padding alone",
                remedy=f"give at most {reach // 2}",
            )
    space = x.indices[-rank:]
    places = place_indices(way, space, [sympy.Integer(n) for n in sizes], where)
    taps = tuple(new_index(r, n) for r, n in zip(_TAPS[rank], sizes, strict=True))
    positions = [s.position(u, r) for s, u, r in zip(way, places, taps, strict=True)]
    return x.indices[:-rank], places, taps, positions


def _adaptive_avg_pool(rank: int, x: Tensor, size: Any, name: str) -> Tensor:
    where = f"adaptive_avg_pool{rank}d of {x.name}"
    _check_rank(rank, x, where)
    outer, space = x.indices[:-rank], x.indices[-rank:]
    sizes = per_axis("size", size, rank, 1, where)
    places = tuple(new_index(u, n) for u, n in zip(PLACES[rank], sizes, strict=True))
    guards = [
        in_range((h + 1) * u.extent - u * h.extent - 1, h.extent + u.extent - 1)
        for u, h in zip(places, space, strict=True)
    ]
    counts = [h.extent if g == 1 else Sum(g, h) for g, h in zip(guards, space, strict=True)]
    return let(left(name, (*outer, *places)), Sum(sympy.Mul(x.element(), *guards), *space) / sympy.Mul(*counts))


def _check_rank(rank: int, x: Tensor, where: str) -> None:
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise DefinitionError(f"axes={rank!r} is no number of axes", where=where, remedy="give 1 or more")
    if x.rank < rank:
        raise ShapeError(
            f"{x.name} has {x.rank} axes", where=where, why=f"it pools over {rank}", remedy="give it more axes"
        )


_SPACE = {1: "h", 2: "h w", 3: "d h w"}


def _max_pool_definition(
    rank: int, *, size: Any = 2, stride: Any = None, padding: Any = 0, dilation: Any = 1, ties: str = "share"
) -> Definition:
    layer = partial(_max_pool, rank, size=size, stride=stride, padding=padding, dilation=dilation, ties=ties)
    return written(f"max_pool{rank}d", {"x": Input(f"n c {_SPACE[rank]}")}, layer)


def _avg_pool_definition(
    rank: int, *, size: Any = 2, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Definition:
    layer = partial(_avg_pool, rank, size=size, stride=stride, padding=padding, count_include_pad=count_include_pad)
    return written(f"avg_pool{rank}d", {"x": Input(f"n c {_SPACE[rank]}")}, layer)


def _adaptive_definition(rank: int, *, size: Any = 2) -> Definition:
    layer = partial(_adaptive_avg_pool, rank, size=size, name="y")
    return written(f"adaptive_avg_pool{rank}d", {"x": Input(f"n c {_SPACE[rank]}")}, layer)


def _global_definition(*, axes: int = 2) -> Definition:
    where = "global_avg_pool"
    if axes not in _SPACE:
        raise DefinitionError(f"axes={axes!r}", where=where, remedy="give 1, 2 or 3")
    return written(where, {"x": Input(f"n c {_SPACE[axes]}")}, partial(global_avg_pool, axes=axes))


_entry = partial(Entry, kind="pooling")

ENTRIES = (
    *(
        _entry(f"max_pool{r}d", summary=f"the largest entry of a window along {AXES[r]}", make=make)
        for r, make in ((r, partial(_max_pool_definition, r)) for r in (1, 2))
    ),
    *(
        _entry(f"avg_pool{r}d", summary=f"the mean of a window along {AXES[r]}", make=make)
        for r, make in ((r, partial(_avg_pool_definition, r)) for r in (1, 2))
    ),
    _entry("global_avg_pool", summary="the mean over all places", make=_global_definition),
    *(
        _entry(f"adaptive_avg_pool{r}d", summary="the mean over a given number of windows", make=make)
        for r, make in ((r, partial(_adaptive_definition, r)) for r in (1, 2))
    ),
)
