"""Losses in parts, where a device does not hold all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.core.definitions import Definition
from symdl.errors import BudgetError
from symdl.training.parts import computed


@define
def average(x=Input("n i"), t=Input("n"), w=Param("i")):
    n, i = x.indices
    a = let("a[n]", Sum(w[i] * x[n, i], i))
    return let("L", mean((t[n] - a[n]) ** 2, n) + Sum(w[i] ** 2, i)), a


@define
def total(x=Input("n i"), t=Input("n"), w=Param("i")):
    n, i = x.indices
    a = let("a[n]", Sum(w[i] * x[n, i], i))
    return let("L", Sum((t[n] - a[n]) ** 2, n)), a


@define
def centred(x=Input("n i"), t=Input("n"), w=Param("i")):
    """A mean over rows of what all rows have a part in."""
    n, i = x.indices
    m = let("m[i]", mean(x[n, i], n))
    a = let("a[n]", Sum(w[i] * (x[n, i] - m[i]), i))
    return let("L", mean((t[n] - a[n]) ** 2, n)), a


class Small:
    """Stands for compiled code on a device that holds so many rows."""

    dtype = "float64"

    def __init__(self, definition: Definition, most: int) -> None:
        self.definition, self.most, self.rows = definition, most, list[int]()

    def __call__(self, x: Any, t: Any, w: Any) -> dict[str, Any]:
        if len(x) > self.most:
            raise BudgetError("evaluate needs 9 B", where="target 'cuda'", why="8 B are free", remedy="buy some")
        self.rows.append(len(x))
        return {"L": np.array(((t - x @ w) ** 2).mean() + w @ w), "a": x @ w}


ARRAYS = {"x": np.arange(22.0).reshape(11, 2) / 7, "t": np.arange(11.0) % 3, "w": np.array([0.5, -1.5])}


@pytest.mark.parametrize(("most", "rows"), [(11, [11]), (6, [5, 6]), (3, [2, 3, 3, 3])])
def test_the_loss_of_all_rows_is_that_of_its_parts(most: int, rows: list[int]) -> None:
    code: Any = Small(average, most)
    found, wanted = computed(code, ARRAYS), Small(average, 11)(**ARRAYS)
    assert code.rows == rows
    np.testing.assert_allclose(found["L"], wanted["L"], rtol=1e-15)
    assert found["a"].tobytes() == wanted["a"].tobytes()


@pytest.mark.parametrize("definition", [total, centred])
def test_what_is_no_mean_over_rows_is_not_cut(definition: Definition) -> None:
    code: Any = Small(definition, 6)
    with pytest.raises(BudgetError, match="not the mean of those of parts"):
        computed(code, ARRAYS)


def test_one_row_that_does_not_fit_is_told() -> None:
    code: Any = Small(average, 0)
    with pytest.raises(BudgetError, match="8 B are free"):
        computed(code, ARRAYS)
