"""A part of the cross-check: the matrix product that programs call, on whole numbers, where every result is exact.

The extents on which functions are compared with their equations are smaller than a tile. So the product is called by
itself on extents around every edge that its code knows: whole and partial tiles, packed and unpacked operands, more
inner indices than are multiplied at a time. That is done when its machine code is built, before any program gets it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.targets.products import ALIASED, DEPTH, VECTORS, Tiles, tiles
from symdl.compilation.targets.teams import LARGE, NEST
from symdl.compilation.team import Team, tell
from symdl.errors import CrossCheckError

Array = npt.NDArray[Any]
#: Numbers of parts that work is shared out in: as many as there are threads, and others.
PARTS = (0, 4, 5)
#: Rows and columns beside a result, which have to stay as they were.
MARGIN = 80


def check_products(product: Callable[..., Any], dtype: str) -> int:
    """Compare the product with products of integers; how many there were.

    Args:
        product: takes addresses, steps in bytes and extents.
        dtype: of the numbers there.

    Raises:
        CrossCheckError: an entry that is wrong, or something else was written to.
    """
    made = tiles(dtype)
    assert made is not None, "BLAS multiplies here"
    rng = np.random.default_rng(21)
    count = 0
    for rows, columns, inner in extents(made, dtype):
        for turned_a, turned_b in ((False, False), (True, True)):
            check_product(product, dtype, (rows, columns, inner), (turned_a, turned_b), rng)
            count += 1
    return count


def check_sharing(serve: Callable[..., Any], product: Callable[..., Any], share: Callable[..., Any], dtype: str) -> int:
    """Compare products that are shared out with products of integers, and count parts; how much work there was.

    Once all parts are done by the caller, as if there were others who do not come, and once with another thread.

    Raises:
        CrossCheckError: as for `check_products`.
    """
    made = tiles(dtype)
    assert made is not None, "BLAS multiplies here"
    rng, team = np.random.default_rng(22), Team(serve)
    shapes = [s for s in large(made, dtype) for _ in range(2)]
    team.lead(product, share)
    try:
        for parts in PARTS:
            _check_parts(share, parts, max(parts, 1))
        for count in (0, 2, 3):
            for k, sizes in enumerate(shapes):
                team.pretend(3) if not count else team.start(count)
                team.retry()
                check_product(product, dtype, sizes, (k % 2 == 0, k % 2 == 1), rng)
            for parts in PARTS:
                team.retry()
                _check_parts(share, parts, parts or count or 3)
        if team.shared != (due := 3 * (len(shapes) + len(PARTS))):
            raise CrossCheckError(
                f"{due - team.shared} large pieces of work were not shared out",
                where="the cross-check against whole numbers",
                remedy="report this with the processor; the code was not returned",
            )
        return due
    finally:
        team.stop()
        tell(0, product, share)


def _check_parts(share: Callable[..., Any], parts: int, due: int) -> None:
    """Share work out that only counts: every part has to be done once.

    Raises:
        CrossCheckError: a part that is not done, or more often.
    """
    done: list[tuple[int, int, int]] = []
    entry = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(lambda *given: done.append(given))
    share(ctypes.cast(entry, ctypes.c_void_p).value, 7, parts, NEST)
    if sorted(done) != [(7, number, due) for number in range(due)]:
        raise CrossCheckError(
            f"of {due} parts these were done: {sorted(done)}",
            where="the cross-check of what shares work out",
            remedy="report this with the processor; the code was not returned",
        )


def large(made: Tiles, dtype: str) -> Iterator[tuple[int, int, int]]:
    """Extents of products that are shared: cut by rows and by columns, with parts that are short or empty."""
    wide, aliased = made.lanes * VECTORS, ALIASED // np.dtype(dtype).itemsize
    yield made.lanes + 1, LARGE // (4 * made.lanes), 4
    yield LARGE // 64, 3, 22
    yield 4 * wide + 3, 5 * wide + 1, aliased * -(-LARGE // (20 * wide * wide * aliased))


def extents(made: Tiles, dtype: str) -> Iterator[tuple[int, int, int]]:
    """Rows, columns and inner indices around the edges of the code."""
    wide, aliased = made.lanes * VECTORS, ALIASED // np.dtype(dtype).itemsize
    yield made.rows, wide, 5
    yield made.rows + 1, wide + made.lanes + 3, made.lanes + 1
    yield 2 * made.rows - 1, made.lanes - 1, 2 * made.lanes
    yield 3, 2, DEPTH + 3
    yield 4 * wide + 1, 4 * wide + 1, aliased
    yield aliased, aliased, made.lanes + 2


def check_product(
    product: Callable[..., Any],
    dtype: str,
    extents: tuple[int, int, int],
    turned: tuple[bool, bool],
    rng: np.random.Generator,
) -> None:
    """One product of small integers; `turned` operands stand in memory transposed.

    Raises:
        CrossCheckError: an entry that is wrong, or one beside the result that was written to.
    """
    rows, columns, inner = extents
    a, b = rng.integers(-3, 4, size=(rows, inner)), rng.integers(-3, 4, size=(inner, columns))
    left, right = (np.array(m.T if t else m, dtype, order="C") for m, t in zip((a, b), turned, strict=True))
    left, right = (m.T if t else m for m, t in zip((left, right), turned, strict=True))
    room = np.full((rows + MARGIN, columns + MARGIN), 77, dtype)
    out = room[:rows, :columns]
    steps = (left.ctypes.data, *left.strides, right.ctypes.data, *right.strides, out.ctypes.data, out.strides[0])
    product(*steps, rows, columns, inner)
    wanted = np.full_like(room, 77)
    wanted[:rows, :columns] = a @ b
    if not np.array_equal(room, wanted):
        raise CrossCheckError(
            f"the matrix product {rows}×{inner} by {inner}×{columns} is wrong",
            where="the cross-check against whole numbers",
            why=f"operands that stand in memory transposed: {turned[0]:d}, {turned[1]:d}",
            remedy="report this with the processor; the code was not returned",
        )
