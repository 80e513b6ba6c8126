"""Arrays whose numbers begin where a line of the cache does, which NumPy's own do only by chance.

A vector of 64 bytes that lies across two lines is read twice. On one core of an Intel Xeon the slopes of the second
kernels of LeNet take 106 µs instead of 167 where the operands begin at lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Bytes of a line, and of the longest vector.
LINE = 64
#: Bytes of an array that is returned from which it is worth it: to find a line takes a microsecond.
LARGE = 1 << 13


def empty(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """A new array as `np.empty` makes it, at the beginning of a line.

    >>> empty((10, 3), "float32").ctypes.data % 64
    0
    """
    kind = np.dtype(dtype)
    size = (shape if isinstance(shape, int) else math.prod(shape)) * kind.itemsize
    room = np.empty(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(kind).reshape(shape)


def maker(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Callable[..., Array]:
    """What makes arrays of that size in each call: `empty`, or for small ones, which may stand anywhere, `np.empty`."""
    return empty if math.prod(shape) * np.dtype(dtype).itemsize >= LARGE else np.empty


def copied(array: Array) -> Array:
    """A copy of an array, C-contiguous."""
    made = empty(array.shape, array.dtype)
    made[...] = array
    return made


def padded(size: int, dtype: npt.DTypeLike) -> int:
    """So many numbers, or a few more: what stands behind them begins at a line.

    >>> padded(3, "float64"), padded(3, "float32"), padded(16, "float32")
    (8, 16, 16)
    """
    line = LINE // np.dtype(dtype).itemsize
    return -(-size // line) * line
