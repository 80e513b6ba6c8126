"""Whether the loss of some rows is the mean of those of parts of them."""

from __future__ import annotations

from functools import lru_cache

import mpmath
import numpy as np

from symdl.compilation.crosscheck_epoch import with_rows
from symdl.compilation.extents import Axes, small_shapes
from symdl.compilation.samples import within_domain
from symdl.compilation.targets.reference import DIGITS, evaluate
from symdl.core.definitions import Definition

#: Of 5 rows, those of the first part; and how near a loss has to be to the mean of its parts, in 50 digits.
FIRST, NEAR = 2, mpmath.mpf(10) ** (10 - DIGITS)


def rows_in(definition: Definition) -> tuple[str, ...]:
    """The inputs whose first axis is that of the rows."""
    axes = Axes(definition)
    batch = axes.key(next(t for t in definition.data if t.rank).indices[0])
    return tuple(t.name for t in definition.inputs if t.rank and axes.key(t.indices[0]) == batch)


@lru_cache
def is_mean_over_rows(definition: Definition) -> bool:
    """Whether the loss of some rows is the mean of those of parts, at random inputs in 50 digits; and whether the first
    other output has a line for each row.

    >>> from symdl.core.define import define, Input, Param, Sum, let, mean
    >>> @define
    ... def average(x=Input("n"), w=Param()):
    ...     (n,) = x.indices
    ...     return let("L", mean((w - x[n]) ** 2, n) + w ** 2)
    >>> @define
    ... def total(x=Input("n"), w=Param()):
    ...     (n,) = x.indices
    ...     return let("L", Sum((w - x[n]) ** 2, n))
    >>> is_mean_over_rows(average), is_mean_over_rows(total)
    (True, False)
    """
    by_row, axes = rows_in(definition), Axes(definition)
    batch = axes.key(definition[by_row[0]].indices[0])
    for name in definition.outputs[1:2]:
        indices = definition[name].indices
        if not indices or axes.key(indices[0]) != batch:
            return False
    shapes = with_rows(definition, small_shapes(axes))
    rng = np.random.default_rng(31)
    arrays, whole = within_domain(definition, shapes, 0.5, "float64", rng, lambda a: evaluate(definition, a))
    loss, rows = definition.outputs[0], shapes[by_row[0]][0]
    first, second = (
        evaluate(definition, {n: a[part] if n in by_row else a for n, a in arrays.items()})[loss][()]
        for part in (slice(None, FIRST), slice(FIRST, None))
    )
    with mpmath.workdps(DIGITS):
        mean, wanted = (FIRST * first + (rows - FIRST) * second) / rows, whole[loss][()]
        return bool(abs(mean - wanted) <= NEAR * (abs(first) + abs(second)))
