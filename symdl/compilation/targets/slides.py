"""Source of products whose operands are read at sums of indices, for one processor (see `machine.slides`).

They are a module of their own, compiled once and called by all programs that have windows (see `compilation.shared`).
All steps and places are in numbers, counted from the address before them.
"""

from __future__ import annotations

from symdl.compilation.targets.products import tiles

#: In emitted code: the product whose lanes are columns of the result, and the one whose lanes are inner indices.
SPREAD, DOTS = "window_product", "window_dots"
#: What gives both to an emitted module.
MAKER_SPREAD, MAKER_DOTS = "shared_windows", "shared_dots"
#: The types of their arguments.
SPREAD_ARGUMENTS, DOTS_ARGUMENTS = ("int64",) * 19, ("int64",) * 23
FUNCTIONS = (SPREAD, DOTS)

#: Tiles by how many registers there are: rows, and vectors in a row, the widest first; the last one is masked as well.
MANY, FEW = {8: (2, 1), 6: (4, 2, 1), 3: (4, 1)}, {4: (2, 1), 2: (4, 2, 1)}
#: Rows and columns of tiles whose lanes are inner indices.
MANY_DOTS, FEW_DOTS = {4: 6, 3: 8}, {2: 4, 3: 3}

_SOURCE = '''
"""c = Σ a·b in {dtype} for operands that are read at sums of indices; written by symdl for this processor."""

import numpy as np

from symdl.compilation.machine import slides
from symdl.compilation.machine.addresses import carray, stack
from symdl.compilation.machine.compiling import njit
from symdl.compilation.machine.units import routine

{tiles}


{strips}


@routine("void({spread_arguments})")
def {spread}(a, a_at, a_row, a0, a1, a2, b, b_at, b0, b1, b2, c, c_at, c_row, rows, columns, n0, n1, n2):
    """c[row, column] = Σ a[row, k0, k1, k2] b[k0, k1, k2, column]; columns stand side by side."""
    a, b, c = a + a_at*{size}, b + b_at*{size}, c + c_at*{size}
    a_row, a0, a1, a2, c_row = a_row*{size}, a0*{size}, a1*{size}, a2*{size}, c_row*{size}
    b0, b1, b2 = b0*{size}, b1*{size}, b2*{size}
    for first in range(0, columns, {wide}):
        width = min({wide}, columns - first)
        right, there = b + first*{size}, c + first*{size}
        row = 0
        while row < rows:
            left, place = a + row*a_row, there + row*c_row
{choice}


@routine("void({dots_arguments})")
def {dots}(
    a, a_at, a_row, a0, a1, b, b_at, b0, b1, s0, s1, s2, c, c_at, c_row, c_column, rows, m0, m1, m2, n0, n1, length
):
    """c[row, column] = Σ a[row, k0, k1, k] b[column, k0, k1, k] for m0·m1·m2 columns; k stands side by side."""
    a, b, c = a + a_at*{size}, b + b_at*{size}, c + c_at*{size}
    a_row, a0, a1, b0, b1 = a_row*{size}, a0*{size}, a1*{size}, b0*{size}, b1*{size}
    c_row, c_column = c_row*{size}, c_column*{size}
    places = carray(stack({places}), ({most},), np.int64)
    columns = m0*m1*m2
    row = 0
    while row < rows:
        left, there, many = a + row*a_row, c + row*c_row, rows - row
{dot_choice}
'''

_STRIP = '''
@njit(error_model="numpy")
def strip_{rows}(a, a_row, b, c, c_row, held, width, n0, n1, n2, a0, a1, a2, b0, b1, b2):
    """Up to {rows} rows of all columns."""
    done = 0
{loops}
'''


def source(dtype: str) -> str:
    """The module for a dtype, for this processor."""
    made = tiles(dtype)
    assert made is not None, "BLAS multiplies here"
    shapes = MANY if made.rows >= max(MANY) else FEW
    dot_shapes = MANY_DOTS if made.rows >= max(MANY) else FEW_DOTS
    size = 4 if dtype == "float32" else 8
    head = [
        f'spread_{r}_{v} = slides.spread("{dtype}", {made.lanes}, {r}, {v}, {v == 1})'
        for r, widths in shapes.items()
        for v in widths
    ]
    head += [f'dots_{r} = slides.dots("{dtype}", {made.lanes}, {r}, {c})' for r, c in dot_shapes.items()]
    return _SOURCE.lstrip().format(
        dtype=dtype, size=size, wide=max(max(w) for w in shapes.values()) * made.lanes,
        tiles="\n".join(head), strips="\n\n\n".join(_strip(r, w, made.lanes, size) for r, w in shapes.items()),
        choice=_choice(shapes), dot_choice=_dot_choice(dot_shapes, size), spread=SPREAD, dots=DOTS,
        spread_arguments=", ".join(SPREAD_ARGUMENTS), dots_arguments=", ".join(DOTS_ARGUMENTS),
        places=8 * max(dot_shapes.values()), most=max(dot_shapes.values()),
    )  # fmt: skip


def _strip(rows: int, widths: tuple[int, ...], lanes: int, size: int) -> str:
    """All columns of some rows: the widest tiles first."""
    steps, lines = "n0, n1, n2, a0, a1, a2, b0, b1, b2", []
    for v in widths:
        wide = v * lanes
        last = "min(width - done, " + str(wide) + ")"
        lines += [
            f"    while width - done {'>= ' + str(wide) if v > 1 else '> 0'}:",
            f"        spread_{rows}_{v}(a, a_row, b + done*{size}, c + done*{size}, c_row, held, {last}, {steps})",
            f"        done += {wide}",
        ]
    return _STRIP.strip().format(rows=rows, loops="\n".join(lines))


def _choice(shapes: dict[int, tuple[int, ...]]) -> str:
    """Which tiles the next rows are done by: the smallest that hold all that are left, or else the largest."""
    lines, steps = [], "width, n0, n1, n2, a0, a1, a2, b0, b1, b2"
    for k, rows in enumerate(sorted(shapes)):
        test = "else:" if rows == max(shapes) else f"{'el' if k else ''}if rows - row <= {rows}:"
        lines += [
            test,
            f"    strip_{rows}(left, a_row, right, place, c_row, min({rows}, rows - row), {steps})",
            f"    row += {rows}",
        ]
    return "\n".join(" " * 12 + line for line in lines)


def _dot_choice(shapes: dict[int, int], size: int) -> str:
    """The same for tiles whose lanes are inner indices; rows that are a multiple of the second kind go to that one."""
    first, second = shapes
    lines = [f"if many <= {second} or many % {first} != 0 and many % {second} == 0:"]
    for rows, end in ((second, "else:"), (first, "")):
        columns = shapes[rows]
        lines += [
            f"    held = min({rows}, many)",
            f"    for first in range(0, columns, {columns}):",
            f"        for k in range({columns}):",
            "            column = min(first + k, columns - 1)",
            "            k2, k1, k0 = column % m2, column//m2 % m1, column//m2//m1",
            f"            places[k] = b + (k0*s0 + k1*s1 + k2*s2)*{size}",
            f"        width = min({columns}, columns - first)",
            f"        dots_{rows}(",
            "            left, a_row, held, places.ctypes.data, there + first*c_column, c_row, c_column, width,",
            "            n0, n1, a0, a1, b0, b1, length,",
            "        )",
            f"    row += {rows}",
            *([end] if end else []),
        ]
    return "\n".join(" " * 8 + line for line in lines)
