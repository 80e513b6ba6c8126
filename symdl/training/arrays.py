"""What arrays have to be before anything is trained on them: numeric, finite, of one length, labels in range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError

__all__ = ["check_array", "check_arrays", "check_labels", "one_hot"]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]
LARGEST = 2**53  # beyond it float64 has no odd numbers: no label, whatever it counts


def check_arrays(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    classes: int | None = None,
    X_rank: int | None = None,
    y_rank: int | None = None,
) -> tuple[Array, Array]:
    """Inputs and targets as arrays that can be trained on, or one error that says what is wrong and where.

    Args:
        X: inputs, shape (N, …), real numbers.
        y: targets, shape (N, …), real numbers; class labels, shape (N,), where `classes` is given.
        classes: the number of classes K; the labels must then be whole numbers from 0 to K − 1.
        X_rank: the number of axes that X must have, samples included; any number where it is None.
        y_rank: the same of y.

    Returns:
        X and y as arrays, without a copy where they were arrays; labels as int64.

    Raises:
        DataError: not numeric, wrong rank, empty, NaN or infinite (with the first row and column that is), not the same
            number of rows, or a label out of range.

    >>> X, y = check_arrays([[0.5, 1.0], [0.0, 2.0]], [1, 0], classes=2)
    >>> X.shape, y.dtype.name
    ((2, 2), 'int64')
    >>> check_arrays([[0.5, 1.0], [0.0, float("nan")]], [1, 0])
    Traceback (most recent call last):
        ...
    symdl.errors.DataError: X contains NaN; in row 1, column 1 (both counted from 0): nothing can be learned from a
    value that is not a finite number. Remedy: remove those rows, or fill the gaps before training.
    """
    X_checked = check_array(X, "X", rank=X_rank)
    y_checked = check_array(y, "y", rank=y_rank)
    if len(X_checked) != len(y_checked):
        raise DataError(
            "X and y differ in their number of rows",
            why=f"X has {len(X_checked)} (shape {X_checked.shape}), y has {len(y_checked)} (shape {y_checked.shape}), "
            "and each row of X needs its target",
            remedy="pass one target for each sample",
        )
    if classes is not None:
        y_checked = check_labels(y_checked, classes)
    return X_checked, y_checked


def check_array(values: npt.ArrayLike, name: str, *, rank: int | None = None) -> Array:
    """`values` as an array of finite real numbers with at least one element; `name` is what errors call it.

    Args:
        values: the numbers, any shape with at least one axis.
        name: for error messages.
        rank: the number of axes it must have; any number from 1 where it is None.

    Raises:
        DataError: not numeric, wrong rank, empty, masked, NaN or infinite.

    >>> check_array([1, 2, 3], "x", rank=1)
    array([1, 2, 3])
    """
    array = _as_array(values, name)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} is not numeric",
            why=f"its dtype is {array.dtype}, and training needs real numbers",
            remedy="convert it, e.g. np.asarray(values, dtype=float); turn names of classes into labels with "
            "np.unique(names, return_inverse=True)",
        )
    if array.ndim == 0 or (rank is not None and array.ndim != rank):
        raise DataError(
            f"{name} has {_axes(array.ndim)}, {_axes(rank) if rank is not None else 'at least 1'} expected",
            why=f"its shape is {array.shape}, and its first axis has to count the samples",
            remedy="pass one row a sample" + (", e.g. values.reshape(len(values), -1)" if rank == 2 else ""),
        )
    if array.size == 0:
        raise DataError(
            f"{name} is empty",
            why=f"its shape is {array.shape}, so there is nothing to train on",
            remedy="check the file or the filter that it came from",
        )
    _check_finite(array, name)
    return array


def check_labels(labels: npt.ArrayLike, classes: int | None, name: str = "y") -> Labels:
    """Class labels as int64, each from 0 to `classes` − 1, or just from 0 where `classes` is None.

    Args:
        labels: shape (N,), whole numbers (2.0 counts as one).
        classes: the number of classes, at least 1; None where it is not known.
        name: for error messages.

    Raises:
        DataError: not numeric, not of one axis, empty, not whole, or out of range (with the first row that is).

    >>> check_labels([0, 2.0, 1], classes=3)
    array([0, 2, 1])
    >>> check_labels([0, 3, 1], classes=3)
    Traceback (most recent call last):
        ...
    symdl.errors.DataError: label 3 is out of range; in row 1 of y (counted from 0): labels are whole numbers from 0 to
    2, for 3 classes. Remedy: correct the label, or set the number of classes to at least 4.
    """
    if classes is not None and classes < 1:
        raise DataError(f"{classes} classes", why="there has to be at least one", remedy="pass the number of classes")
    array = check_array(labels, name)
    if array.ndim != 1:
        raise DataError(
            f"{name} has {_axes(array.ndim)}, 1 axis expected",
            why=f"its shape is {array.shape}, and labels are one whole number a sample",
            remedy=f"pass {name}.ravel()"
            if array.shape[0] == array.size
            else f"for one-hot targets or scores of the classes pass {name}.argmax(axis=-1)",
        )
    limit = LARGEST if classes is None else classes
    wrong = (array < 0) | (array >= limit) | (array != np.trunc(array))
    if wrong.any():
        row = int(wrong.argmax())
        label = array[row].item()
        whole = label == int(label)
        shown = f"{label:.15g}" if isinstance(label, float) else str(label)
        raise DataError(
            f"label {shown} is {'out of range' if whole else 'not a whole number'}",
            where=f"row {row} of {name} (counted from 0)",
            why="labels are whole numbers from 0" + (f" to {limit - 1}, for {classes} classes" if classes else ""),
            remedy="correct the label"
            + (
                f", or set the number of classes to at least {int(label) + 1}"
                if classes and whole and classes <= label < 1e6
                else ""
            ),
        )
    return array.astype(np.int64)


def one_hot(labels: npt.ArrayLike, classes: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """Class labels as rows with a single 1, the form in which cross-entropy takes its targets.

    Args:
        labels: shape (N,), whole numbers from 0 to `classes` − 1.
        classes: the number of classes K.
        dtype: of the result.

    Returns:
        Shape (N, K): 1 at [n, labels[n]], 0 elsewhere.

    Raises:
        DataError: a label that is not a whole number, or out of range (with the row).

    >>> one_hot([2, 0], classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    columns = check_labels(labels, classes, "labels")
    rows = np.zeros((len(columns), classes), dtype=dtype)
    rows[np.arange(len(columns)), columns] = 1
    return rows


def _as_array(values: npt.ArrayLike, name: str) -> Array:
    if hasattr(values, "toarray"):  # SciPy's sparse matrices, which np.asarray would wrap as one object
        raise DataError(
            f"{name} is a sparse matrix", why="training takes dense arrays", remedy=f"pass {name}.toarray()"
        )
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise DataError(
            f"{name} has masked elements",
            why="the values beneath a mask would be trained on",
            remedy="remove those rows, or fill them with values.filled(…)",
        )
    try:
        return np.asarray(values)
    except ValueError as error:  # NumPy: "setting an array element with a sequence … inhomogeneous shape"
        raise DataError(
            f"{name} is ragged",
            why="its rows differ in length",
            remedy="give each row the same number of values",
        ) from error


def _check_finite(array: Array, name: str) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    at = tuple(int(k) for k in np.unravel_index(finite.argmin(), array.shape))
    if array.ndim == 1:
        where = f"row {at[0]} (counted from 0)"
    elif array.ndim == 2:
        where = f"row {at[0]}, column {at[1]} (both counted from 0)"
    else:
        where = f"element [{', '.join(map(str, at))}] (counted from 0)"
    raise DataError(
        f"{name} contains {'NaN' if np.isnan(array[at]) else 'infinity'}",
        where=where,
        why="nothing can be learned from a value that is not a finite number",
        remedy="remove those rows, or fill the gaps before training",
    )


def _axes(number: int) -> str:
    return f"{number} {'axis' if number == 1 else 'axes'}"
