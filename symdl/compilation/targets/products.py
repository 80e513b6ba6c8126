"""Source of matrix products for one processor: tiles in registers, chosen by how long its vectors are.

They are a module of their own, compiled once and called by all programs (see `compilation.shared`). They take any
extents and any steps, so what is checked on small ones is what runs on large ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

#: In emitted code: the product of two matrices.
PRODUCT = "matrix_product"
#: The types of its arguments, and that of what it returns.
ARGUMENTS, RESULT = ("int64",) * 11, "void"


@dataclass(frozen=True)
class Tiles:
    """Shapes of tiles, by dtype.

    Args:
        lanes: numbers in a vector register.
        rows: of a tile; `VECTORS` sums for each of them and as many columns have to fit into the registers.
    """

    lanes: int
    rows: int


#: Bytes of a vector register, by a feature of the processor that says so, and the rows of a tile. Measured on one core
#: of an AMD Zen 5 (float32, 48×64 by 64×192 to 48×784 by 784×192): 8 rows by 2 vectors of 64 bytes reach 272 to 280 of
#: 282 GFLOP/s, 6 by 4 and 8 by 3 the same, 4 by 4 between 223 and 274; `np.dot` reaches 116 to 127.
REGISTERS = {"avx512f": (64, 8), "avx2": (32, 4), "neon": (16, 8)}
#: Vectors in a row of a tile.
VECTORS = 2
#: Widths of a tile from which that many columns are worth packing the left operand, and that many rows the right one,
#: which is read once for each eight of them.
COLUMNS_TO_PACK, ROWS_TO_PACK = 4, 2
#: Inner indices that are multiplied at a time: a panel of the right operand (32 KB) stays in the first cache. With
#: twice as many, 96×512 by 512×512 reaches 127 GFLOP/s instead of 150 of about 170 (an Intel Emerald Rapids).
DEPTH = 256
#: Rows whose distance is a multiple of so many bytes evict each other from the cache, and are packed.
ALIASED = 1024
#: Bytes by which what is packed is aligned.
ALIGNMENT = 64


@cache
def tiles(dtype: str) -> Tiles | None:
    """The tiles for this processor; None where its vectors are not known, and BLAS is the better choice."""
    import llvmlite.binding  # type: ignore[import-untyped]

    features = llvmlite.binding.get_host_cpu_features()
    for feature, (width, rows) in REGISTERS.items():
        if features.get(feature):
            return Tiles(width // (4 if dtype == "float32" else 8), rows)
    return None


_SOURCE = '''
"""c = a·b in {dtype} for matrices that stand in memory with any steps; written by symdl for this processor."""

from numba.core.types import ExternalFunction, int64

from symdl.compilation.machine import tiles
from symdl.compilation.machine.addresses import address, stack
from symdl.compilation.machine.compiling import njit
from symdl.compilation.machine.units import routine

allocated = ExternalFunction("NRT_Allocate", int64(int64))
freed = ExternalFunction("NRT_Free", int64(int64))
tile_whole = tiles.tile("{dtype}", {lanes}, {rows}, {vectors}, False)
tile_wide = tiles.tile("{dtype}", {lanes}, {rows}, {vectors}, True)
tile_narrow = tiles.tile("{dtype}", {lanes}, {rows}, 1, True)
packed = tiles.packed("{dtype}", {lanes})
packed_wide = tiles.packed("{dtype}", {lanes}, {vectors})
turned = tiles.turned("{dtype}", {lanes})


@njit(forceinline=True, error_model="numpy")
def pack_rows(a, a_row, a_inner, held, part, target):
    """Up to {lanes} rows of the left operand, side by side for each inner index."""
    if a_row == {size}:
        packed(a, a_inner, target, {lanes}*{size}, part, held)
    else:
        turned(a, a_row, target, {lanes}*{size}, part, held)


@njit(forceinline=True, error_model="numpy")
def pack_columns(b, b_inner, b_column, width, part, panel):
    """Up to {wide} columns of the right operand, side by side for each inner index."""
    if b_column == {size}:  # a whole row at a time: its place is looked up once
        packed_wide(b, b_inner, panel, {wide}*{size}, part, width)
    else:
        for k in range(0, width, {lanes}):
            turned(b + k*b_column, b_column, panel + k*{size}, {wide}*{size}, part, min({lanes}, width - k))


@routine("{result}({arguments})")
def {product}(a, a_row, a_inner, b, b_inner, b_column, c, c_row, rows, columns, inner):
    """c[rows, columns] = Σ a[rows, inner] b[inner, columns], from addresses and steps in bytes, in tiles."""
    packs_a = (a_row % {aliased} == 0 or a_inner % {aliased} == 0) and columns > {several_columns} and inner >= {lanes}
    packs_b = b_column != {size} or (b_inner % {aliased} == 0 and rows >= {several_rows} and inner >= {lanes})
    depth = min(inner, {depth})
    panel, room, blocks = address(stack({panel})), 0, 0
    if packs_a:  # without room for it, it is multiplied as it stands
        room = allocated((rows + {lanes} - 1)//{lanes}*{lanes}*depth*{size} + {alignment})
        packs_a = room != 0
        blocks = (room + {alignment} - 1)//{alignment}*{alignment}
    for first in range(0, max(inner, 1), {depth}):
        part = min({depth}, inner - first)
        if packs_a:
            for m in range(0, rows, {lanes}):
                here, held = a + m*a_row + first*a_inner, min({lanes}, rows - m)
                pack_rows(here, a_row, a_inner, held, part, blocks + m*depth*{size})
        for n in range(0, columns, {wide}):
            width = min({wide}, columns - n)
            right, right_step = b + n*b_column + first*b_inner, b_inner
            if packs_b:
                pack_columns(right, b_inner, b_column, width, part, panel)
                right, right_step = panel, {wide}*{size}
            for m in range(0, rows, {rows}):
                held = min({rows}, rows - m)
                left, step, left_step = a + m*a_row + first*a_inner, a_row, a_inner
                if packs_a:
                    left = blocks + (m//{lanes}*{lanes}*depth + m % {lanes})*{size}
                    step, left_step = {size}, {lanes}*{size}
                there = c + m*c_row + n*{size}
                if width == {wide}:
                    tile_whole(left, step, left_step, right, right_step, there, c_row, part, held, {lanes}, first)
                elif width > {lanes}:
                    last = width - {lanes}
                    tile_wide(left, step, left_step, right, right_step, there, c_row, part, held, last, first)
                else:
                    tile_narrow(left, step, left_step, right, right_step, there, c_row, part, held, width, first)
    if packs_a:
        freed(room)
'''


def source(dtype: str) -> str:
    """The module for a dtype, for this processor."""
    made = tiles(dtype)
    assert made is not None, "BLAS multiplies here"
    wide, size = made.lanes * VECTORS, 4 if dtype == "float32" else 8
    return _SOURCE.lstrip().format(
        dtype=dtype, lanes=made.lanes, rows=made.rows, vectors=VECTORS, wide=wide, depth=DEPTH, size=size,
        several_columns=COLUMNS_TO_PACK * wide, several_rows=ROWS_TO_PACK * wide, panel=wide * DEPTH * size,
        aliased=ALIASED, alignment=ALIGNMENT, product=PRODUCT, arguments=", ".join(ARGUMENTS), result=RESULT,
    )  # fmt: skip
