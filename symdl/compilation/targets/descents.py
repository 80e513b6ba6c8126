"""Large parameters are updated as their gradients are multiplied: a block of rows at a time, while it is in the cache.

Of a dense layer's weights the gradient is one product, which nothing reads but the update. Where such products are the
last ones of a gradient, the training loop makes them itself: it has what comes before them done (the opening), looks
whether the loss is finite, and then, for each block of rows, multiplies and updates. So that much of a gradient is
written to no more memory than a block has, and what its product reads is still there. Every entry is computed from the
same numbers in the same order as by `gradient`, so no bit changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from symdl.compilation.plan import Plan
from symdl.compilation.statements import Contraction
from symdl.compilation.targets.emit import Emitter, Function
from symdl.compilation.targets.epoch import SQUARES
from symdl.compilation.targets.kernels import array_type, names_in, wrapped
from symdl.compilation.targets.products import ALIASED, PRODUCT, ROWS_TO_PACK, VECTORS, tiles
from symdl.compilation.targets.scalars import indented
from symdl.compilation.targets.teams import LARGE
from symdl.core.tensors import Role
from symdl.library.optimisers import Optimizer

#: What the names of the functions end with: all of a gradient but its last products, and where these find their
#: operands. The array that the latter are written to, a row for each product.
OPENING, OPERANDS_OF, OPERANDS = "_opening", "_operands", "operands"
#: Names in the function that does a part of the rows of a product.
LOCALS = (OPERANDS, "which", "columns", "block", "room", "held", "begin", "row", "broken")
#: In a row: addresses of the operands and the bytes between their entries, as a product takes them; its extents; and
#: how many rows are made at a time.
A, A_ROW, A_INNER, B, B_INNER, B_COLUMN, ROWS, COLUMNS, INNER, BLOCK = range(10)
#: Bytes of the gradient in a block of rows, as far as that leaves rows enough.
ROOM = 1 << 17
#: What the rows of a part are a multiple of: those of whole tiles.
UNIT = 16


def descents(plan: Plan, gradients: Mapping[str, str], optimizer: Optimizer, dtype: str) -> dict[str, Contraction]:
    """The last items of a gradient that are all of the gradient of a parameter, by parameter, in order.

    None where the update wants to know all gradients before it begins, or where no such product is large.
    """
    used = {t.name for d in (optimizer.update, optimizer.step) if d is not None for t in d.inputs}
    if SQUARES in used or tiles(dtype) is None:
        return {}
    of, found = {g: p for p, g in gradients.items()}, dict[str, Contraction]()
    for item in reversed(plan.items):
        if not isinstance(item, Contraction) or item.out.name not in of or not _can_wait(item):
            break
        found[of[item.out.name]] = item
    return dict(reversed(found.items())) if any(_size(item, plan) >= LARGE for item in found.values()) else {}


def _can_wait(item: Contraction) -> bool:
    """Whether a product gives a whole matrix, and is made of nothing that updates change."""
    kept = all(o.tensor.role is not Role.PARAMETER for o in (item.left, item.right))
    return kept and not item.loops and bool(item.columns)


def _size(item: Contraction, plan: Plan) -> int:
    return math.prod(plan.axes.expected_size(i) for i in (*item.rows, *item.columns, *item.inner))


def rows_of(item: Contraction, plan: Plan, dtype: str) -> int:
    """How many rows of a gradient are multiplied at a time, where extents are those that are expected.

    Where the right operand is packed if that pays, they are enough for it: all rows by blocks take 4.3 ms instead of
    4.6 then (1024×256 by 256×1024 and its SGD, float32, one core of an Intel Xeon), and 4.6 in blocks of 32. Otherwise
    they are few: Adam behind 512×128 by 128×784 takes 1.00 ms instead of 1.17, in blocks of 128 rows 1.03.
    """
    made = tiles(dtype)
    assert made is not None, "our own product"
    columns = math.prod(plan.axes.expected_size(i) for i in item.columns) * np.dtype(dtype).itemsize
    is_packed = item.right.transposed or columns % ALIASED == 0
    fewest = 2 * ROWS_TO_PACK * VECTORS * made.lanes if is_packed else UNIT
    return max(fewest, ROOM // columns // fewest * fewest)


def parted(emitter: Emitter, function: Function, products: Mapping[str, Contraction]) -> list[list[str]]:
    """The functions that a gradient is made of: its opening, itself, and the one that tells where operands are."""
    first = len(emitter.item_lines) - len(products)
    head, name = function.lines[0], function.name
    outputs = emitter.scalar_outputs(function.outputs)
    before = [line for lines in emitter.item_lines[:first] for line in lines]
    last = [line for lines in emitter.item_lines[first:] for line in lines]
    given = head.partition("(")[2].removesuffix("):")
    return [
        [head.replace(name, f"{name}{OPENING}", 1), *indented([*emitter.beginning, *before, *outputs])],
        [head, *indented(_with_needed(emitter.head, [f"{name}{OPENING}({given})", *last]))],
        [f"def {name}{OPERANDS_OF}({given}, {OPERANDS}):", *indented(_operands(emitter, products))],
    ]


def _with_needed(head: list[str], lines: list[str]) -> list[str]:
    """The lines after those of a head that they need, all of which give a name a value."""
    made = list(lines)
    for line in reversed(head):
        if line.startswith("#") or line.partition(" = ")[0] in {n for other in made for n in names_in(other)}:
            made.insert(0, line)
    return made


def operands_types(types: list[str]) -> list[str]:
    """The types of the arguments of the function that tells where operands are, from those of the gradient."""
    return [*types, array_type("int64", 2)]


def _operands(emitter: Emitter, products: Mapping[str, Contraction]) -> list[str]:
    lines = []
    for row, item in enumerate(products.values()):
        a, a_row, a_inner, b, b_inner, b_column, _, _, *extents = emitter.product_arguments(item)
        values = [a, a_row, a_inner, b, b_inner, b_column, *extents, str(rows_of(item, emitter.plan, emitter.dtype))]
        lines += [f"# {item.source}", *(f"{OPERANDS}[{row}, {k}] = {value}" for k, value in enumerate(values))]
    views = emitter.space.views() if emitter.kernels is not None else {}
    return _with_needed([*emitter.head, *views.values()], lines)


def block_lines(update: str, arrays: list[str], numbers: list[str], dtype: str, first: str, last: str) -> list[str]:
    """The lines that multiply and update the rows from `first` up to `last`; `broken` counts what is not finite.

    The blocks of these rows are all written to where their first is in the gradient.

    Args:
        update: the function that updates entries.
        arrays: its arguments that are arrays of entries, the gradient second.
        numbers: its other arguments.
    """
    size = np.dtype(dtype).itemsize
    cut = [f"view({a}, {'room' if a == arrays[1] else 'begin'}, (held*columns,))" for a in arrays]
    left = f"{OPERANDS}[which, {A}] + row*{OPERANDS}[which, {A_ROW}]"
    steps = [f"{OPERANDS}[which, {k}]" for k in (A_ROW, A_INNER, B, B_INNER, B_COLUMN)]
    rest = [f"{arrays[1]}.ctypes.data + room*{size}", f"columns*{size}", "held", "columns"]
    return [
        f"columns = {OPERANDS}[which, {COLUMNS}]",
        f"block = {OPERANDS}[which, {BLOCK}]",
        f"room = {first}*columns",
        "broken = 0",
        f"for row in range({first}, {last}, block):",
        f"    held = min(block, {last} - row)",
        "    begin = row*columns",
        *indented(wrapped(f"{PRODUCT}(", [left, *steps, *rest, f"{OPERANDS}[which, {INNER}]"], ")")),
        *indented(wrapped(f"broken += {update}(", [*cut, *numbers], ")")),
    ]
