"""Metrics against counts by hand and against NumPy, which the code does not use for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from symdl.errors import DataError
from symdl.training.classification import f1, iou, precision, recall, roc_auc, top_k
from symdl.training.detection import box_iou, mean_average_precision
from symdl.training.measures import metric
from symdl.training.metrics import accuracy, confusion_matrix, mae, mse, r2, rmse

pairs = st.integers(1, 40).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n)] * 2))
tables = hnp.array_shapes(max_dims=3, max_side=5).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.float64, shape, elements=st.floats(-1e3, 1e3))] * 2)
)


def test_by_hand() -> None:
    # three cats, two dogs, one bird; one cat was taken for a dog, the bird for a cat
    truth, prediction = [0, 0, 0, 1, 1, 2], [0, 1, 0, 1, 1, 0]
    assert accuracy(truth, prediction) == 4 / 6
    assert confusion_matrix(truth, prediction).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert confusion_matrix(truth, prediction, classes=4)[3].tolist() == [0, 0, 0, 0]
    assert mse([10.0], [14.0]) == 16.0  # the lecture's loss
    assert mae([10.0, 0.0], [14.0, 1.0]) == 2.5


@given(pairs)
def test_labels_against_numpy(pair: tuple[list[int], list[int]]) -> None:
    truth, prediction = map(np.array, pair)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn warns of a single class
        matrix = confusion_matrix(truth, prediction, classes=5)
        share = accuracy(truth, prediction)
    assert (matrix == np.bincount(5 * truth + prediction, minlength=25).reshape(5, 5)).all()
    assert matrix.dtype == np.int64
    assert share == pytest.approx((truth == prediction).mean(), rel=1e-15)
    assert share == pytest.approx(np.trace(matrix) / matrix.sum(), rel=1e-15)


def test_the_planted_transpose_would_be_seen() -> None:
    matrix = confusion_matrix([0, 0], [0, 1])
    assert matrix.tolist() == [[1, 1], [0, 0]] != matrix.T.tolist()


@given(tables)
def test_errors_against_numpy(pair: tuple[Any, Any]) -> None:
    truth, prediction = pair
    assert mse(truth, prediction) == pytest.approx(np.mean((truth - prediction) ** 2), rel=1e-12, abs=1e-300)
    assert mae(truth, prediction) == pytest.approx(np.mean(np.abs(truth - prediction)), rel=1e-12, abs=1e-300)


def test_unsigned_integers_do_not_wrap_around() -> None:
    assert mse(np.array([1], np.uint8), np.array([3], np.uint8)) == 4.0
    assert mae(np.array([1], np.uint8), np.array([3], np.uint8)) == 2.0


@pytest.mark.parametrize(
    ("metric", "truth", "prediction", "words"),
    [
        (accuracy, [0, 1], [0], "differ in shape: y_true has (2,), y_pred has (1,)"),
        (accuracy, [0, 1], [[0.2, 0.8], [0.1, 0.9]], "y_pred has 2 axes, 1 axis expected"),
        (accuracy, [0, 1], [0, -1], "label -1 is out of range; in row 1 of y_pred"),
        (accuracy, [], [], "y_true is empty"),
        (confusion_matrix, [0, 1], [0, 0.5], "label 0.5 is not a whole number; in row 1 of y_pred"),
        (confusion_matrix, [0, 10**9], [0, 0], "a confusion matrix of 1000000001 classes"),
        (mse, [1.0, 2.0], [[1.0], [2.0]], "y_true has (2,), y_pred has (2, 1)"),
        (mse, [1.0, np.nan], [1.0, 2.0], "y_true contains NaN; in row 1"),
        (mae, [1.0], ["a"], "y_pred is not numeric"),
    ],
)
def test_bad_input(metric: Any, truth: Any, prediction: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        metric(truth, prediction)
    assert words in str(caught.value) and "Remedy: " in str(caught.value)


def test_a_label_beyond_the_classes() -> None:
    with pytest.raises(DataError, match="label 3 is out of range; in row 0 of y_pred"):
        confusion_matrix([0], [3], classes=3)


# ── classes, by hand and beside scikit-learn's definitions ───────────────────────────────────────────────────────────


def test_precision_recall_f1_by_hand() -> None:
    """Three cats, two dogs, one bird; one cat was taken for a dog, the bird for a cat."""
    truth, prediction = [0, 0, 0, 1, 1, 2], [0, 1, 0, 1, 1, 0]
    assert precision(truth, prediction) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert recall(truth, prediction) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert f1(truth, prediction) == pytest.approx((4 / 6 + 4 / 5 + 0) / 3)
    assert f1(truth, prediction, average="micro") == pytest.approx(4 / 6)
    assert recall(truth, prediction, average="weighted") == pytest.approx((3 * 2 / 3 + 2 * 1 + 0) / 6)
    assert iou([truth], [prediction]) == pytest.approx((2 / 4 + 2 / 3 + 0) / 3)


def test_the_curve_by_hand() -> None:
    """Of four pairs of a sample of class 1 and one of class 0, three are in the right order; a tie counts half."""
    assert roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75
    assert roc_auc([0, 1], [0.5, 0.5]) == 0.5
    assert roc_auc([[0, 1]][0], [[0.3], [0.2]]) == 0.0
    scores = [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.3, 0.3, 0.4]]
    # class 0 against the rest: 0.6, 0.3 against 0.2, 0.5: 3 of 4; class 1: 0.7 above all; class 2: 0.4 ties with 0.4
    assert roc_auc([0, 1, 2, 0], scores) == pytest.approx((3 / 4 + 1 + 2.5 / 3) / 3)


def test_the_highest_scores_by_hand() -> None:
    scores = [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.25, 0.4, 0.05, 0.3]]
    assert [top_k([2, 2, 0], scores, k=k) for k in (1, 2, 3)] == [0, 1 / 3, 1]
    assert top_k([1, 0], [[0.3, 0.7], [0.4, 0.6]], k=1) == 0.5


def test_values_by_hand() -> None:
    assert rmse([1.0, 2.0], [4.0, 6.0]) == pytest.approx(np.sqrt(12.5))
    assert r2([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 2.0]) == pytest.approx(1 - 4 / 5)
    assert r2([[1.0, 0.0], [3.0, 2.0]], [[1.0, 1.0], [3.0, 1.0]]) == pytest.approx(0.5)  # the mean of 1 and 0


# ── boxes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_boxes_by_hand() -> None:
    """Areas 4 and 4 that share 1: 1/7; the same box: 1; a quarter within: 1/4; side by side: 0."""
    a = [[0, 0, 2, 2]]
    b = [[1, 1, 3, 3], [0, 0, 2, 2], [0, 0, 1, 1], [2, 0, 4, 2]]
    np.testing.assert_allclose(box_iou(a, b), [[1 / 7, 1, 1 / 4, 0]], rtol=1e-15)
    assert box_iou(a, []).shape == (1, 0)


PICTURES = [
    ([[0, 0, 10, 10], [20, 20, 30, 30]], [0, 0]),
    ([[0, 0, 10, 10], [50, 50, 60, 60]], [0, 1]),
]
#: Class 0, by score: right; again the same box (wrong); right, with an overlap of 9/11; in the second picture nothing.
FOUND = [
    ([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]], [0, 0, 0], [0.9, 0.8, 0.3]),
    ([[0, 1, 10, 11], [50, 50, 60, 60], [0, 0, 1, 1]], [0, 1, 1], [0.7, 0.6, 0.9]),
]


def test_average_precision_by_hand() -> None:
    """Class 0: right, wrong, right, right; precision 1, 1/2, 2/3, 3/4, so that the envelope is 1, 3/4, 3/4 at recall
    1/3, 2/3, 1: 5/6. Class 1: wrong, right: 1/2."""
    assert mean_average_precision(PICTURES, FOUND) == pytest.approx((5 / 6 + 1 / 2) / 2)
    # at 0.85 the box moved by one, 9/11, is wrong: right, wrong, wrong, right: 1 and 2/4 at recall 1/3 and 2/3
    strict = (1 / 3 * 1 + 1 / 3 * 1 / 2 + 1 / 2) / 2
    assert mean_average_precision(PICTURES, FOUND, threshold=0.85) == pytest.approx(strict)
    both = ((5 / 6 + 1 / 2) / 2 + strict) / 2
    assert mean_average_precision(PICTURES, FOUND, threshold=[0.5, 0.85]) == pytest.approx(both)
    assert mean_average_precision(PICTURES, [([], [], [])] * 2) == 0
    assert mean_average_precision(PICTURES, [(*real, [1.0, 0.5]) for real in PICTURES]) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: precision([0, 2], [0, 1], average="binary"), "label 2 is out of range"),
        (lambda: f1([0], [0], average="all"), "no average 'all'"),
        (lambda: iou([[0, 1]], [0, 1]), "y_true has (1, 2), y_pred has (2,)"),
        (lambda: top_k([0, 1], [[0.5, 0.5]], k=1), "y_true has 2, scores has 1 (shape (1, 2))"),
        (lambda: top_k([0], [[0.5, 0.5]], k=2), "k = 2 of 2 classes"),
        (lambda: top_k([0], [0.5], k=1), "scores has 1 axis, 2 axes expected"),
        (lambda: roc_auc([0, 0], [0.1, 0.2]), "class 0: 2 of 2 samples are of it"),
        (lambda: roc_auc([0, 1], [[0.1, 0.2, 0.7]] * 2), "class 2: 0 of 2 samples are of it"),
        (lambda: roc_auc([0, 1], [0.1, np.nan]), "scores contains NaN; in row 1"),
        (lambda: r2([1.0, 1.0], [1.0, 2.0]), "its targets are all alike"),
        (lambda: box_iou([[2, 0, 1, 1]], [[0, 0, 1, 1]]), "(2, 0, 1, 1) is no box; in row 0 of a"),
        (lambda: box_iou([[0, 0, 1]], []), "a has the shape (1, 3), not (N, 4)"),
        (lambda: mean_average_precision(PICTURES, FOUND[:1]), "truth has 2, found has 1"),
        (lambda: mean_average_precision(PICTURES, FOUND, threshold=0), "threshold = 0"),
        (lambda: mean_average_precision([([], [])], [([], [], [])]), "there is no true box"),
        (
            lambda: mean_average_precision(PICTURES[:1], [([[0, 0, 1, 1]], [0], [])]),
            "0 scores for 1 boxes; in found[0]",
        ),
        (lambda: metric("top_0"), "no metric 'top_0'"),
    ],
)
def test_what_cannot_be_measured(call: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert words in str(caught.value)
