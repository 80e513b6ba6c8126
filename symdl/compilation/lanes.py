"""Which training steps are made in vectors, for things beside each other (see `targets.lanes`)."""

from __future__ import annotations

from math import prod

import numpy as np

from symdl.compilation.beside import Beside
from symdl.compilation.counts import operations
from symdl.compilation.fusion import Item, Loop, statements_in
from symdl.compilation.plan import Plan
from symdl.compilation.sizes import SMALL, lengths_of
from symdl.compilation.statements import Statement
from symdl.compilation.targets.lanes import Lanes
from symdl.compilation.targets.products import tiles
from symdl.compilation.targets.sized import Shapes
from symdl.core.tensors import elements_in

#: Bytes that the arrays of a block may take of the stack.
MOST = 128 * 1024
#: Operations of a step up to which the parts of one thing are vectors, and not rows of tiles.
TINY = 20_000


def lanes_for(beside: Beside, plan: Plan, shapes: Shapes, dtype: str, whole: int) -> Lanes | None:
    """How long vectors are; None where they are not filled, or a block takes more than it may of the stack.

    Args:
        beside: the things or the parts.
        plan, shapes: of the equations without their axis.
        dtype: of the program.
        whole: operations of a step, by the equations as they are.

    Things beside each other are taken a register at a time: two gain nothing, since what a processor begins with before
    it has ended is limited by how many instructions that is. All parts of one thing are one vector, of a whole register
    or a half one, where that saves most operations and products are too small for tiles.
    """
    made = tiles(dtype)
    if made is None or any(map(_by_data, plan.items)):
        return None
    width = made.lanes if beside.apart else beside.count
    vectors = sum(
        prod(shapes[b.name]) for b in plan.buffers if b.kind != "scalar" and (beside.apart or beside.axes[b.name] >= 0)
    )
    operations_of_one = operations(plan, lengths_of(plan, shapes))
    if beside.apart:
        fits = beside.count % width == 0 and operations_of_one * width <= SMALL
    else:
        fits = width in (made.lanes, made.lanes // 2) and whole <= TINY and 2 * width * operations_of_one <= 5 * whole
    return Lanes(beside, plan, width, shapes) if fits and vectors * width * np.dtype(dtype).itemsize <= MOST else None


def _by_data(item: Item) -> bool:
    """Whether an item is no loops, or numbers decide what it does."""
    loops = isinstance(item, Loop | Statement)
    return not loops or any(elements_in(g) for s in statements_in(item) for g in s.guards)
