"""A part of the cross-check: products of what windows slide over, on whole numbers, where every result is exact.

As for products of matrices, the extents on which functions are compared with their equations are smaller than a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.targets.products import tiles
from symdl.errors import CrossCheckError

Array = npt.NDArray[Any]
#: What stands beside results, and has to stay there; and how many rows and columns of it.
BESIDE, MARGIN = 77, 80
#: Rows of results that are compared, around the edges of tiles; channels, windows and places.
ROWS = (1, 2, 3, 4, 6, 7, 8, 9, 12, 17)
CHANNELS, WINDOW, PLACES = 2, (2, 3), (3, 4)


def check_slides(spread: Callable[..., Any], dots: Callable[..., Any], dtype: str) -> int:
    """Compare both products with those of integers; how many there were.

    Raises:
        CrossCheckError: an entry that is wrong, or something else was written to.
    """
    rng, count = np.random.default_rng(23), 0
    for rows in ROWS:
        for columns in lengths(dtype):
            check_spread(spread, dtype, rows, columns, rng)
            check_dots(dots, dtype, rows, columns, rng)
            count += 2
    return count


def lengths(dtype: str) -> Iterator[int]:
    """Lengths of runs around the edges of vectors and tiles."""
    made = tiles(dtype)
    assert made is not None, "BLAS multiplies here"
    yield from (1, made.lanes, 2 * made.lanes + 3, 7 * made.lanes - 1)


def _drawn(rng: np.random.Generator, dtype: str, *shape: int) -> Array:
    return rng.integers(-3, 4, size=shape).astype(dtype)


def check_spread(spread: Callable[..., Any], dtype: str, rows: int, columns: int, rng: np.random.Generator) -> None:
    """c[a, j] = Σ_{c, r, s} k[a, c, r, s] x[c, r, s, 1 + j]: windows at the second place of a row.

    Raises:
        CrossCheckError: an entry that is wrong, or one beside the result that was written to.
    """
    inner = (CHANNELS, *WINDOW)
    k, x = _drawn(rng, dtype, rows, *inner), _drawn(rng, dtype, *inner, columns + 2)
    room = np.full((rows + MARGIN, columns + MARGIN), BESIDE, dtype)
    step = [int(np.prod(inner[at + 1 :])) for at in range(len(inner))]
    spread(
        *(k.ctypes.data, 0, step[0] * CHANNELS, *step),
        *(x.ctypes.data, 1, *(s * (columns + 2) for s in step)),
        *(room.ctypes.data, 2, columns + MARGIN, rows, columns, *inner),
    )
    wanted = np.full_like(room, BESIDE)
    wanted[:rows, 2 : columns + 2] = np.einsum("acrs,crsj->aj", k, x[..., 1 : columns + 1])
    _compared(room, wanted, f"{rows} rows and {columns} columns")


def check_dots(dots: Callable[..., Any], dtype: str, rows: int, length: int, rng: np.random.Generator) -> None:
    """c[a, c, r, s] = Σ_{u, v, j} g[a, u, v, j] x[c, u + r, v + s, j] for a few places u, v.

    Raises:
        CrossCheckError: as for `check_spread`.
    """
    (r, s), (u, v) = WINDOW, PLACES
    g, x = _drawn(rng, dtype, rows, u, v, length), _drawn(rng, dtype, CHANNELS, u + r - 1, v + s - 1, length)
    columns = CHANNELS * r * s
    room = np.full((rows + MARGIN, columns + MARGIN), BESIDE, dtype)
    row, channel = (v + s - 1) * length, (u + r - 1) * (v + s - 1) * length
    dots(
        *(g.ctypes.data, 0, u * v * length, v * length, length),
        *(x.ctypes.data, 0, row, length, channel, row, length),
        *(room.ctypes.data, 1, columns + MARGIN, 1, rows, CHANNELS, r, s, u, v, length),
    )
    windows = np.lib.stride_tricks.sliding_window_view(x, (u, v), axis=(1, 2))
    wanted = np.full_like(room, BESIDE)
    wanted[:rows, 1 : columns + 1] = np.einsum("auvj,crsjuv->acrs", g, windows).reshape(rows, columns)
    _compared(room, wanted, f"{rows} rows and runs of {length}")


def _compared(found: Array, wanted: Array, what: str) -> None:
    if not np.array_equal(found, wanted):
        raise CrossCheckError(
            f"the product of what a window slides over is wrong for {what}",
            where="the cross-check against whole numbers",
            remedy="report this with the processor; the code was not returned",
        )
