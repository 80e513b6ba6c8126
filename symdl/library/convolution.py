"""Convolution in one, two and three dimensions, depthwise and transposed, as sums over affine subscripts.

What deep learning calls convolution is a cross-correlation: y[u] = Σ_r K[r] x[s·u + d·r − p]. Layouts are PyTorch's:
x[n, i, h, w], K[o, i, r, s], y[n, o, u, v].

>>> from symdl.core.define import Input, Param, define
>>> @define
... def smooth(x=Input("n c h"), K=Param("o c r=3")):
...     return conv1d(x, K)
>>> smooth
smooth(x[n, c, h], K[o, c, r]) -> y:
    y[n, o, u] = Sum_{c, r}(K[o, c, r]*x[n, c, r + u])
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy

from symdl.core.define import Input, Param, Sum, delta, let, new_index
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import ShapeError
from symdl.library.entries import Entry, written
from symdl.library.naming import left
from symdl.library.windows import AXES, Slide, inside, per_axis, place_indices, slides


def conv1d(
    x: Tensor,
    K: Tensor,
    b: Tensor | None = None,
    *,
    name: str = "y",
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """y[n,o,u] = Σ_{i,r} K[o,i,r] x[n,i,s·u + d·r − p] + b[o]; arguments as for `conv2d`."""
    return _convolved(1, x, K, b, name, groups, stride=stride, padding=padding, dilation=dilation)


def conv2d(
    x: Tensor,
    K: Tensor,
    b: Tensor | None = None,
    *,
    name: str = "y",
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """y[n,o,u,v] = Σ_{i,r,s} K[o,i,r,s] x[n, i, s·u + d·r − p, …] + b[o], 0 outside of x.

    Args:
        x: [n, i, h, w], or without n; real.
        K: [o, i, r, s]; with groups, its second axis holds the input channels of one group.
        b: [o], or None.
        name: of the output.
        stride, padding, dilation: a whole number, or one for each axis.
        groups: the channels fall into so many groups of neighbours, and each output sees its own group only.

    Returns:
        The tensor `name`, [n, o, u, v], with extents ⌊(H + 2p − d(R − 1) − 1)/s⌋ + 1 by the formula of PyTorch.

    Raises:
        ShapeError: channels that don't fit, or a window larger than the padded input.
        DefinitionError: a stride, dilation or number of groups below 1, a padding below 0.

    >>> from symdl.core.define import define
    >>> @define
    ... def depth(x=Input("i=4 h"), K=Param("o=6 j=2 r=3")):
    ...     return conv1d(x, K, groups=2, stride=2)
    >>> depth.equations[0]
    y[o, u] = Sum_{g, q, j, r}(Delta(o, 3*g + q)*x[2*g + j, r + 2*u]*K[o, j, r])
    """
    return _convolved(2, x, K, b, name, groups, stride=stride, padding=padding, dilation=dilation)


def conv3d(
    x: Tensor,
    K: Tensor,
    b: Tensor | None = None,
    *,
    name: str = "y",
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """y[n,o,t,u,v] = Σ K[o,i,q,r,s] x[n, i, s·t + d·q − p, …] + b[o]; arguments as for `conv2d`."""
    return _convolved(3, x, K, b, name, groups, stride=stride, padding=padding, dilation=dilation)


def depthwise_conv1d(x: Tensor, K: Tensor, b: Tensor | None = None, *, name: str = "y", **steps: Any) -> Tensor:
    """y[n,i,u] = Σ_r K[i,r] x[n,i,s·u + d·r − p] + b[i]: each channel by itself; `steps` as for `conv2d`."""
    return _depthwise(1, x, K, b, name, **steps)


def depthwise_conv2d(x: Tensor, K: Tensor, b: Tensor | None = None, *, name: str = "y", **steps: Any) -> Tensor:
    """y[n,i,u,v] = Σ_{r,s} K[i,r,s] x[n, i, s·u + d·r − p, …] + b[i]; `steps` as for `conv2d`."""
    return _depthwise(2, x, K, b, name, **steps)


def depthwise_conv3d(x: Tensor, K: Tensor, b: Tensor | None = None, *, name: str = "y", **steps: Any) -> Tensor:
    """y[n,i,t,u,v] = Σ_{q,r,s} K[i,q,r,s] x[n, i, s·t + d·q − p, …] + b[i]; `steps` as for `conv2d`."""
    return _depthwise(3, x, K, b, name, **steps)


def conv_transpose1d(
    x: Tensor,
    K: Tensor,
    b: Tensor | None = None,
    *,
    name: str = "y",
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
) -> Tensor:
    """y[n,o,k] = Σ_{i,h,r} K[i,o,r] x[n,i,h] δ(k, s·h + d·r − p) + b[o]; arguments as for `conv_transpose2d`."""
    return _transposed(1, x, K, b, name, output_padding, stride=stride, padding=padding, dilation=dilation)


def conv_transpose2d(
    x: Tensor,
    K: Tensor,
    b: Tensor | None = None,
    *,
    name: str = "y",
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
) -> Tensor:
    """y[n,o,k,l] = Σ_{i,h,w,r,s} K[i,o,r,s] x[n,i,h,w] δ(k, s·h + d·r − p) δ(l, …) + b[o]: the adjoint of `conv2d`.

    Args:
        x: [n, i, h, w], or without n; real.
        K: [i, o, r, s], PyTorch's layout.
        b: [o], or None.
        name: of the output.
        stride, padding, dilation: a whole number, or one for each axis.
        output_padding: so many more entries at the end of each axis; less than the stride or the dilation.

    Returns:
        The tensor `name`, [n, o, k, l], with extents (H − 1)s − 2p + d(R − 1) + output_padding + 1.

    Raises:
        ShapeError: channels that don't fit, or nothing left once the padding is taken off.
        DefinitionError: a stride or dilation below 1, a padding below 0, an output_padding that is too large.
    """
    return _transposed(2, x, K, b, name, output_padding, stride=stride, padding=padding, dilation=dilation)


def _convolved(rank: int, x: Tensor, K: Tensor, b: Tensor | None, name: str, groups: int, **steps: Any) -> Tensor:
    where = f"conv{rank}d of {x.name} and {K.name}"
    _check_ranks(rank, x, K, where, 2)
    (groups,) = per_axis("groups", groups, 1, 1, where)
    *batch, channel = x.indices[:-rank]
    space, (o, i, *taps) = x.indices[-rank:], K.indices
    way = slides(rank, where, **steps)
    places = place_indices(way, space, [r.extent for r in taps], where)
    positions = [s.position(u, r) for s, u, r in zip(way, places, taps, strict=True)]
    guard = inside(positions, space)
    if groups == 1:
        _check_channels(channel.extent, i.extent, x, K, where)
        total = Sum(K[(o, i, *taps)] * x[(*batch, i, *positions)] * guard, i, *taps)
    else:
        _check_channels(channel.extent, groups * i.extent, x, K, where)
        each = _share(o, groups, where)
        g, q = new_index("g", groups), new_index("q", each)
        entry = K[(o, i, *taps)] * x[(*batch, g * i.extent + i, *positions)] * guard
        total = Sum(entry * delta(o, g * each + q), g, q, i, *taps)
    return _output(name, (*batch, o, *places), total, b, o)


def _depthwise(
    rank: int,
    x: Tensor,
    K: Tensor,
    b: Tensor | None,
    name: str,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
) -> Tensor:
    where = f"depthwise_conv{rank}d of {x.name} and {K.name}"
    _check_ranks(rank, x, K, where, 1)
    *batch, channel = x.indices[:-rank]
    space, (i, *taps) = x.indices[-rank:], K.indices
    _check_channels(channel.extent, i.extent, x, K, where)
    way = slides(rank, where, stride=stride, padding=padding, dilation=dilation)
    places = place_indices(way, space, [r.extent for r in taps], where)
    positions = [s.position(u, r) for s, u, r in zip(way, places, taps, strict=True)]
    total = Sum(K[(i, *taps)] * x[(*batch, i, *positions)] * inside(positions, space), *taps)
    return _output(name, (*batch, i, *places), total, b, i)


def _transposed(
    rank: int, x: Tensor, K: Tensor, b: Tensor | None, name: str, output_padding: Any, **steps: Any
) -> Tensor:
    where = f"conv_transpose{rank}d of {x.name} and {K.name}"
    _check_ranks(rank, x, K, where, 2)
    *batch, channel = x.indices[:-rank]
    space, (i, o, *taps) = x.indices[-rank:], K.indices
    _check_channels(channel.extent, i.extent, x, K, where)
    way = slides(rank, where, **steps)
    more = per_axis("output_padding", output_padding, rank, 0, where)
    places = tuple(
        _unslid_index(letter, slide, h, r, extra, where)
        for letter, slide, h, r, extra in zip("kl", way, space, taps, more, strict=False)
    )
    hits = [delta(k, s.position(h, r)) for s, k, h, r in zip(way, places, space, taps, strict=True)]
    total = Sum(sympy.Mul(K[(i, o, *taps)], x[(*batch, i, *space)], *hits), i, *space, *taps)
    return _output(name, (*batch, o, *places), total, b, o)


def _unslid_index(letter: str, slide: Slide, h: Index, r: Index, more: int, where: str) -> Index:
    if more and more >= max(slide.stride, slide.dilation):
        raise ShapeError(
            f"output_padding={more} is too large",
            where=where,
            why=f"the stride is {slide.stride} and the dilation {slide.dilation}: nothing would be written there",
            remedy="give less than the larger of the two",
        )
    extent = slide.unslid(h.extent, r.extent, more)
    if extent.is_nonpositive:
        raise ShapeError(
            f"nothing is left of axis {h.name}",
            where=where,
            why=f"padding {slide.padding} is taken off both ends of {extent + 2 * slide.padding} entries",
            remedy="choose less padding",
        )
    return new_index(letter, extent)


def _output(name: str, indices: tuple[Index, ...], total: sympy.Expr, b: Tensor | None, channel: Index) -> Tensor:
    return let(left(name, indices), total if b is None else total + b[channel])


def _share(o: Index, groups: int, where: str) -> sympy.Expr:
    each = sympy.expand(o.extent / groups)
    if not each.is_integer:
        raise ShapeError(
            f"{o.extent} output channels can't be split into {groups} groups",
            where=where,
            why="each group has as many",
            remedy=f"make the extent of {o.name} a multiple of {groups}",
        )
    return each


def _check_ranks(rank: int, x: Tensor, K: Tensor, where: str, channels: int) -> None:
    if K.rank != rank + channels or x.rank not in (rank + 1, rank + 2):
        axes = " ".join("hwd"[:rank])
        shape = f"{'o i' if channels == 2 else 'i'} {' '.join('rsq'[:rank])}"
        raise ShapeError(
            f"{x.name} has {x.rank} axes and {K.name} {K.rank}",
            where=where,
            why=f"it needs [n i {axes}] or [i {axes}], and [{shape}]",
            remedy="add or leave out an axis",
        )


def _check_channels(given: sympy.Expr, wanted: sympy.Expr, x: Tensor, K: Tensor, where: str) -> None:
    if sympy.expand(given - wanted) != 0:
        raise ShapeError(
            f"{x.name} has {given} channels, {K.name} is for {wanted}",
            where=where,
            why="the kernel has an entry for each input channel, and with groups for each of one group",
            remedy="give both the same extent, or groups that divide the channels",
        )


_SPACE = {1: "h", 2: "h w", 3: "d h w"}
_TAPS = {1: ("r",), 2: ("r", "s"), 3: ("q", "r", "s")}


def _window(rank: int, kernel: Any, where: str) -> str:
    """The axes of a window, with extents where they are given."""
    if kernel is None:
        return " ".join(_TAPS[rank])
    sizes = per_axis("kernel", kernel, rank, 1, where)
    return " ".join(f"{r}={n}" for r, n in zip(_TAPS[rank], sizes, strict=True))


def _convolution(
    rank: int,
    *,
    kernel: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    bias: bool = True,
) -> Definition:
    name = f"conv{rank}d"
    (groups,) = per_axis("groups", groups, 1, 1, name)
    J, I = (sympy.Symbol(letter, integer=True, positive=True) for letter in "JI")
    apart = groups > 1
    declared = {
        "x": Input(f"n {'c' if apart else 'i'} {_SPACE[rank]}"),
        "K": Param(f"o i {_window(rank, kernel, name)}"),
        "b": Param("o") if bias else None,
    }
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    layer = partial({1: conv1d, 2: conv2d, 3: conv3d}[rank], **options)
    return written(name, declared, layer, {"c": groups * I, "o": groups * J} if apart else None)


def _depthwise_convolution(
    rank: int, *, kernel: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, bias: bool = True
) -> Definition:
    name = f"depthwise_conv{rank}d"
    declared = {
        "x": Input(f"n i {_SPACE[rank]}"),
        "K": Param(f"i {_window(rank, kernel, name)}"),
        "b": Param("i") if bias else None,
    }
    writer = {1: depthwise_conv1d, 2: depthwise_conv2d, 3: depthwise_conv3d}[rank]
    return written(name, declared, partial(writer, stride=stride, padding=padding, dilation=dilation))


def _transposed_convolution(
    rank: int,
    *,
    kernel: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    bias: bool = True,
) -> Definition:
    name = f"conv_transpose{rank}d"
    declared = {
        "x": Input(f"n i {_SPACE[rank]}"),
        "K": Param(f"i o {_window(rank, kernel, name)}"),
        "b": Param("o") if bias else None,
    }
    options = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    return written(name, declared, partial({1: conv_transpose1d, 2: conv_transpose2d}[rank], **options))


ENTRIES = (
    *(Entry(f"conv{r}d", "convolution", f"convolution along {AXES[r]}", partial(_convolution, r)) for r in (1, 2, 3)),
    *(
        Entry(
            f"depthwise_conv{r}d",
            "convolution",
            f"convolution along {AXES[r]}, each channel by itself",
            partial(_depthwise_convolution, r),
        )
        for r in (1, 2, 3)
    ),
    *(
        Entry(
            f"conv_transpose{r}d",
            "convolution",
            f"transposed convolution along {AXES[r]}",
            partial(_transposed_convolution, r),
        )
        for r in (1, 2)
    ),
)
