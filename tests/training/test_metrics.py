"""Metrics against counts by hand and against NumPy, which the code does not use for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from symdl.errors import DataError
from symdl.training.metrics import accuracy, confusion_matrix, mae, mse

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
