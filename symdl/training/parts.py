"""Losses and predictions on all rows, in parts where a GPU does not hold all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl import compilation
from symdl.compilation.compiled import Compiled
from symdl.errors import BudgetError

Array = npt.NDArray[Any]


def computed(code: Compiled, arrays: Mapping[str, Any]) -> dict[str, Array]:
    """The target and the first other output for all rows of data.

    Where the device can't hold all rows, halves of them are computed, and halves of those. The loss is then the mean of
    their losses, each weighted by its rows, and may differ from that of all rows at once by rounding.

    Args:
        code: compiled.
        arrays: all inputs by name.

    Raises:
        BudgetError: the device holds too few rows, or the loss is no mean over rows.
    """
    names = code.definition.outputs[:2]
    try:
        results = code(**arrays)  # on a GPU, what it needs is known before anything is sent
        return {n: results[n] for n in names}
    except BudgetError as error:
        by_row = compilation.rowmeans.rows_in(code.definition)
        rows = len(arrays[next(iter(by_row))])
        if rows < 2:
            raise
        if not compilation.rowmeans.is_mean_over_rows(code.definition):
            raise BudgetError(
                error.what,
                where=error.where,
                why=f"{error.why}; the loss of all rows is not the mean of those of parts, which would fit",
                remedy=error.remedy,
            ) from error
    half = rows // 2
    first, second = (
        computed(code, {n: a[part] if n in by_row else a for n, a in arrays.items()})
        for part in (slice(None, half), slice(half, None))
    )
    loss, *others = names
    mean = (half * first[loss].astype(float) + (rows - half) * second[loss].astype(float)) / rows
    return {loss: np.asarray(mean, code.dtype), **{n: np.concatenate([first[n], second[n]]) for n in others}}


__all__ = ["computed"]
