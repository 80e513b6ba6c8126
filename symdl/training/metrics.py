"""Metrics: what is measured of a model and not optimised, for a person to read. (A loss is optimised.)

Those of real numbers are here; those of classes in `classification`, those of boxes in `detection`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError
from symdl.training.arrays import Array, check_array
from symdl.training.classification import accuracy, check_same_shape, confusion_matrix
from symdl.training.optional import needs

__all__ = ["accuracy", "confusion_matrix", "mae", "mse", "r2", "rmse"]


def mse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean squared error over all elements, in the square of the target's unit.

    Args:
        y_true: targets, shape (N, …), real numbers.
        y_pred: predictions, of the same shape: (N,) against (N, 1) is an error, not a table of N² differences.

    Raises:
        DataError: shapes that differ, empty, NaN or infinite.
        MissingDependencyError: scikit-learn is absent.

    >>> mse([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    3.0
    """
    return float(_sklearn().mean_squared_error(*_values(y_true, y_pred)))


def rmse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """The root of the mean squared error over all elements, in the target's unit. Arguments as for `mse`.

    >>> rmse([0.0, 0.0], [3.0, 3.0])
    3.0
    """
    return float(np.sqrt(mse(y_true, y_pred)))


def mae(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean absolute error over all elements, in the target's unit.

    Args:
        y_true: targets, shape (N, …), real numbers.
        y_pred: predictions, of the same shape.

    Raises:
        DataError: shapes that differ, empty, NaN or infinite.
        MissingDependencyError: scikit-learn is absent.

    >>> mae([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.0
    """
    return float(_sklearn().mean_absolute_error(*_values(y_true, y_pred)))


def r2(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """1 − Σ(t − y)²/Σ(t − t̄)²: the share of the variance that the prediction explains; the mean alone has 0.

    Of several columns it is the mean of each one's.

    Args:
        y_true: targets, shape (N,) or (N, K), real numbers, N at least 2.
        y_pred: predictions, of the same shape.

    Raises:
        DataError: shapes that differ, empty, NaN or infinite, or a column of targets that are all alike.
        MissingDependencyError: scikit-learn is absent.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """
    truth, prediction = check_array(y_true, "y_true"), check_array(y_pred, "y_pred")
    check_same_shape(truth, prediction)
    truth, prediction = (a.reshape(len(a), -1).astype(np.float64) for a in (truth, prediction))
    alike = (truth == truth[0]).all(axis=0)
    if alike.any():
        raise DataError(
            "R² is not defined",
            where=f"column {int(alike.argmax())} of y_true (counted from 0)",
            why="its targets are all alike, so that there is no variance to explain",
            remedy="measure it on targets that differ, or use mae",
        )
    return float(_sklearn().r2_score(truth, prediction))


def _sklearn() -> Any:
    with needs("scikit-learn", extra="train", purpose="metrics"):
        from sklearn import metrics
    return metrics


def _values(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    truth, prediction = check_array(y_true, "y_true"), check_array(y_pred, "y_pred")
    check_same_shape(truth, prediction)
    # float64, for the difference of unsigned integers would wrap around
    return truth.ravel().astype(np.float64), prediction.ravel().astype(np.float64)
