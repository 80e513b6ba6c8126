"""Metrics: what is measured of a model and not optimised, for a person to read. (A loss is optimised.)"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError
from symdl.training.arrays import Array, Labels, check_array, check_labels
from symdl.training.optional import needs

__all__ = ["accuracy", "confusion_matrix", "mae", "mse"]

# A label beyond it is a slip (an identity number, …); its table would have a hundred million cells.
LARGEST_TABLE = 10_000


def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """The share of predictions that are right, from 0 to 1.

    Args:
        y_true: the labels, shape (N,), whole numbers from 0.
        y_pred: the predicted labels, shape (N,).

    Raises:
        DataError: labels that are not whole numbers from 0, empty, or not of one length.
        MissingDependencyError: scikit-learn is absent.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    truth, prediction = _labels(y_true, y_pred, None)
    with needs("scikit-learn", extra="train", purpose="metrics"):
        from sklearn import metrics
    return float(metrics.accuracy_score(truth, prediction))


def confusion_matrix(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, classes: int | None = None
) -> npt.NDArray[np.int64]:
    """How often each class was taken for each other.

    Args:
        y_true: the labels, shape (N,), whole numbers from 0.
        y_pred: the predicted labels, shape (N,).
        classes: the number of classes K; one more than the largest label where it is None.

    Returns:
        Shape (K, K), int64: at [i, j] the number of samples of class i that were predicted as class j.

    Raises:
        DataError: labels that are not whole numbers from 0 to K − 1, empty, or not of one length.
        MissingDependencyError: scikit-learn is absent.

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2])
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    truth, prediction = _labels(y_true, y_pred, classes)
    number = int(max(truth.max(), prediction.max())) + 1 if classes is None else classes
    if number > LARGEST_TABLE:
        raise DataError(
            f"a confusion matrix of {number} classes",
            why=f"beyond {LARGEST_TABLE} nobody can read it, nor memory hold it",
            remedy="number the classes 0, 1, 2, …, e.g. with np.unique(labels, return_inverse=True)",
        )
    with needs("scikit-learn", extra="train", purpose="metrics"):
        from sklearn import metrics
    matrix = metrics.confusion_matrix(truth, prediction, labels=np.arange(number))
    return np.asarray(matrix, dtype=np.int64)


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
    truth, prediction = _values(y_true, y_pred)
    with needs("scikit-learn", extra="train", purpose="metrics"):
        from sklearn import metrics
    return float(metrics.mean_squared_error(truth, prediction))


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
    truth, prediction = _values(y_true, y_pred)
    with needs("scikit-learn", extra="train", purpose="metrics"):
        from sklearn import metrics
    return float(metrics.mean_absolute_error(truth, prediction))


def _labels(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, classes: int | None) -> tuple[Labels, Labels]:
    truth, prediction = check_labels(y_true, classes, "y_true"), check_labels(y_pred, classes, "y_pred")
    _check_same_shape(truth, prediction)
    return truth, prediction


def _values(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    truth, prediction = check_array(y_true, "y_true"), check_array(y_pred, "y_pred")
    _check_same_shape(truth, prediction)
    # float64, for the difference of unsigned integers would wrap around
    return truth.ravel().astype(np.float64), prediction.ravel().astype(np.float64)


def _check_same_shape(truth: Array, prediction: Array) -> None:
    if truth.shape != prediction.shape:
        raise DataError(
            "targets and predictions differ in shape",
            why=f"y_true has {truth.shape}, y_pred has {prediction.shape}, and they are compared element by element",
            remedy="pass one prediction for each target, in the same shape",
        )
