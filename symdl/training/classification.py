"""Metrics of classes: how often labels are right, and what kinds of mistakes there are. scikit-learn counts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError
from symdl.training.arrays import Array, Labels, check_array, check_labels
from symdl.training.optional import needs

__all__ = ["accuracy", "confusion_matrix", "f1", "iou", "precision", "recall", "roc_auc", "top_k"]

# A label beyond it is a slip (an identity number, …); its table would have a hundred million cells.
LARGEST_TABLE = 10_000

Average = Literal["macro", "micro", "weighted", "binary"]
AVERAGES = ("macro", "micro", "weighted", "binary")


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
    return float(_sklearn().accuracy_score(truth, prediction))


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
    matrix = _sklearn().confusion_matrix(truth, prediction, labels=np.arange(number))
    return np.asarray(matrix, dtype=np.int64)


def precision(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average = "macro") -> float:
    """Of what was taken for a class, the share that is of it; 0 for a class that nothing was taken for.

    Args:
        y_true: the labels, shape (N,), whole numbers from 0.
        y_pred: the predicted labels, shape (N,).
        average: "macro" counts all classes alike, "weighted" by how many samples they have, "micro" counts samples;
            "binary" is that of class 1 alone.

    Raises:
        DataError: labels that are not whole numbers from 0, empty, or not of one length; "binary" with labels beyond 1.
        MissingDependencyError: scikit-learn is absent.

    >>> precision([0, 1, 1, 1], [0, 1, 1, 0], average="binary"), recall([0, 1, 1, 1], [0, 1, 0, 0], average="binary")
    (1.0, 0.3333333333333333)
    """
    return _averaged("precision_score", y_true, y_pred, average)


def recall(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average = "macro") -> float:
    """Of a class, the share that was taken for it; 0 for a class without samples. Arguments as for `precision`."""
    return _averaged("recall_score", y_true, y_pred, average)


def f1(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average = "macro") -> float:
    """The harmonic mean of precision and recall, 2 TP/(2 TP + FP + FN), class by class. Arguments as for `precision`.

    >>> round(f1([0, 1, 1, 1], [0, 1, 1, 0], average="binary"), 6)
    0.8
    """
    return _averaged("f1_score", y_true, y_pred, average)


def iou(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, average: Average = "macro") -> float:
    """Intersection over union of the places of each class, TP/(TP + FP + FN): of label maps (segmentation).

    Args:
        y_true: the labels, any shape, whole numbers from 0.
        y_pred: the predicted labels, of the same shape.
        average: as for `precision`.

    Raises:
        DataError: as for `precision`, and shapes that differ.
        MissingDependencyError: scikit-learn is absent.

    >>> round(iou([[0, 0], [1, 1]], [[0, 1], [1, 1]]), 6)  # 1/2 for class 0, 2/3 for class 1
    0.583333
    """
    truth, prediction = check_array(y_true, "y_true"), check_array(y_pred, "y_pred")
    check_same_shape(truth, prediction)
    return _averaged("jaccard_score", truth.ravel(), prediction.ravel(), average)


def top_k(y_true: npt.ArrayLike, scores: npt.ArrayLike, *, k: int = 5) -> float:
    """The share of samples whose class is among the k with the highest scores.

    Args:
        y_true: the labels, shape (N,), whole numbers from 0 to K − 1.
        scores: probabilities or any other scores, shape (N, K).
        k: from 1 to K − 1.

    Raises:
        DataError: shapes that don't fit, labels out of range, or a k that is not from 1 to K − 1.
        MissingDependencyError: scikit-learn is absent.

    >>> top_k([2, 0], [[0.2, 0.5, 0.3], [0.1, 0.3, 0.6]], k=2)
    0.5
    """
    truth, table = _scored(y_true, scores)
    classes = table.shape[1]
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k < classes:
        raise DataError(
            f"k = {k!r} of {classes} classes", where="top_k", why="it is from 1 to one less than there are classes"
        )
    if classes == 2:  # scikit-learn takes one score a sample then
        return accuracy(truth, table.argmax(axis=1))
    return float(_sklearn().top_k_accuracy_score(truth, table, k=k, labels=np.arange(classes)))


def roc_auc(y_true: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """The probability that a sample of a class scores higher than one that is not: the area under the ROC curve.

    Args:
        y_true: the labels, shape (N,), whole numbers from 0.
        scores: shape (N,) or (N, 1), higher for class 1 than for class 0; or (N, K), one column a class: then it is the
            mean over all classes of each against the rest.

    Raises:
        DataError: shapes that don't fit, labels out of range, or a class without samples or without others.
        MissingDependencyError: scikit-learn is absent.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    table = check_array(scores, "scores")
    single = table.ndim == 1 or table.shape[1:] == (1,)
    truth, table = _scored(y_true, np.stack([-table.ravel(), table.ravel()], axis=1) if single else table)
    counts = np.bincount(truth, minlength=table.shape[1])
    if (counts == 0).any() or (counts == len(truth)).any():
        empty = int(np.flatnonzero((counts == 0) | (counts == len(truth)))[0])
        raise DataError(
            "the area under the ROC curve is not defined",
            where=f"class {empty}",
            why=f"{counts[empty]} of {len(truth)} samples are of it, and each class is compared with others",
            remedy="measure it on data that hold every class",
        )
    columns = [1] if single else range(table.shape[1])
    return float(np.mean([_sklearn().roc_auc_score(truth == c, table[:, c]) for c in columns]))


def _averaged(score: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, average: str) -> float:
    if average not in AVERAGES:
        raise DataError(f"no average '{average}'", where=score, remedy=f"one of {', '.join(AVERAGES)}")
    truth, prediction = _labels(y_true, y_pred, 2 if average == "binary" else None)
    return float(getattr(_sklearn(), score)(truth, prediction, average=average, zero_division=0))


def _sklearn() -> Any:
    with needs("scikit-learn", extra="train", purpose="metrics"):
        from sklearn import metrics
    return metrics


def _labels(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, classes: int | None) -> tuple[Labels, Labels]:
    truth, prediction = check_labels(y_true, classes, "y_true"), check_labels(y_pred, classes, "y_pred")
    check_same_shape(truth, prediction)
    return truth, prediction


def _scored(y_true: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Labels, Array]:
    table = check_array(scores, "scores", rank=2)
    if table.shape[1] < 2:
        raise DataError(
            "scores of one class",
            why=f"their shape is {table.shape}, and classes are told apart by their columns",
            remedy="pass one column for each class",
        )
    truth = check_labels(y_true, table.shape[1], "y_true")
    if len(truth) != len(table):
        raise DataError(
            "labels and scores differ in their number of rows",
            why=f"y_true has {len(truth)}, scores has {len(table)} (shape {table.shape})",
            remedy="pass one row of scores for each label",
        )
    return truth, table


def check_same_shape(truth: Array, prediction: Array) -> None:
    """Refuse targets and predictions of different shapes.

    Raises:
        DataError: with both shapes.
    """
    if truth.shape != prediction.shape:
        raise DataError(
            "targets and predictions differ in shape",
            why=f"y_true has {truth.shape}, y_pred has {prediction.shape}, and they are compared element by element",
            remedy="pass one prediction for each target, in the same shape",
        )
