"""The data side of training: splits, data sets, and the checks and readers beside it.

`check_arrays`, `one_hot` (arrays.py) and `read_csv` (tables.py) are part of it and can be imported from here.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError
from symdl.training.arrays import check_array, check_arrays, check_labels, one_hot
from symdl.training.optional import needs
from symdl.training.tables import read_csv

__all__ = [
    "Split",
    "check_array",
    "check_arrays",
    "check_labels",
    "load_digits",
    "one_hot",
    "read_csv",
    "split",
]

Array = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]
PARTS = ("training", "validation", "test")
# a share such as 0.29 · 100 comes out as 28.999999999999996
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Split:
    """Samples in three parts that have no sample in common.

    `train`, `validation` and `test` are the row numbers of the samples in the arrays that were split, int64, so
    `X_test` is `X[test]`. Parameters are fitted on the training part, and choices (learning rate, width, when to stop)
    made on the validation part, which is thereby learned too; only the test part tells how the result does on new data.
    """

    X_train: Array
    y_train: Array
    X_validation: Array
    y_validation: Array
    X_test: Array
    y_test: Array
    train: Indices
    validation: Indices
    test: Indices


def split(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    train: float = 0.6,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int,
    stratify: bool = False,
) -> Split:
    """Split samples at random into training, validation and test parts.

    Args:
        X: inputs, shape (N, …), real numbers.
        y: targets, shape (N, …); class labels, shape (N,), where `stratify` is set.
        train, validation, test: the fractions, each above 0, 1 in all. Each part's size is its share of N, rounded up
            or down; every sample is in one part.
        seed: from 0 to 2³² − 1; the same seed gives the same split.
        stratify: keep the ratios of the classes: each class is split by itself, and what it gives to a part is its
            share, rounded up or down. (The sizes of the parts then follow from the classes, and may differ from N times
            the fraction by a row or two.)

    Returns:
        The parts, each in random order.

    Raises:
        DataError: fractions that do not sum to 100 %, a part that would be empty, a class with too few samples to be in
            each part, or arrays that cannot be trained on (see `check_arrays`).

    >>> parts = split(np.arange(20.0).reshape(10, 2), np.arange(10), seed=0)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (6, 2, 2)
    >>> split(np.arange(20.0).reshape(10, 2), np.arange(10), train=0.8, validation=0.2, test=0.2, seed=0)
    Traceback (most recent call last):
        ...
    symdl.errors.DataError: the split sums to 120 %, not 100 %: 80 % training + 20 % validation + 20 % test would use
    samples twice. Remedy: lower one part, e.g. train=0.6, validation=0.2, test=0.2.
    """
    fractions = _check_fractions(train, validation, test)
    X_checked, y_checked = check_arrays(X, y)
    groups = _classes(y_checked, fractions) if stratify else [np.arange(len(y_checked))]
    sizes = _sizes([len(group) for group in groups], fractions)
    for part, fraction, size in zip(PARTS, fractions, sizes.sum(axis=0), strict=True):
        if size == 0:
            raise DataError(
                f"the {part} part would be empty",
                why=f"{_percent(fraction)} of {_count(len(y_checked), 'row')} is less than one",
                remedy=f"pass more rows (about {math.ceil(1 / fraction - ROUNDING)}), or a larger fraction",
            )
    rows = _draw(groups, sizes, seed)
    return Split(*(array[part] for part in rows for array in (X_checked, y_checked)), *rows)


def load_digits() -> tuple[npt.NDArray[np.float64], Indices]:
    """Scikit-learn's handwritten digits (UCI, 1998): 1,797 images of 8 × 8 pixels; on disk with scikit-learn.

    Returns:
        X of shape (1797, 64), float64, brightness from 0 to 1 (the data set's 0 … 16, divided by 16), each image row by
        row; labels of shape (1797,), int64, 0 to 9.

    Raises:
        MissingDependencyError: scikit-learn is absent.

    >>> X, labels = load_digits()
    >>> X.shape, float(X.min()), float(X.max()), labels[:5].tolist()
    ((1797, 64), 0.0, 1.0, [0, 1, 2, 3, 4])
    """
    with needs("scikit-learn", extra="train", purpose="the digits data set"):
        from sklearn import datasets
    bunch = datasets.load_digits()
    return bunch.data / 16.0, bunch.target.astype(np.int64)


def _check_fractions(train: float, validation: float, test: float) -> tuple[float, float, float]:
    fractions = (float(train), float(validation), float(test))
    for part, fraction in zip(PARTS, fractions, strict=True):
        if fraction > 1:
            raise DataError(
                f"the {part} part is {fraction:g}",
                why="the parts are fractions, from 0 to 1",
                remedy=f"pass {fraction / 100:g} for {fraction:g} %",
            )
        if not fraction > 0:
            raise DataError(
                f"the {part} part is {_percent(fraction)}",
                why="each part needs samples: training to fit, validation to choose, test to judge",
                remedy="pass a fraction above 0, e.g. train=0.6, validation=0.2, test=0.2",
            )
    if abs(sum(fractions) - 1) > ROUNDING:
        listed = " + ".join(f"{_percent(value)} {part}" for part, value in zip(PARTS, fractions, strict=True))
        over = sum(fractions) > 1
        raise DataError(
            f"the split sums to {_percent(sum(fractions))}, not 100 %",
            why=f"{listed} would {'use samples twice' if over else 'leave samples out'}",
            remedy=f"{'lower' if over else 'raise'} one part, e.g. train=0.6, validation=0.2, test=0.2",
        )
    return fractions


def _classes(y: Array, fractions: tuple[float, float, float]) -> list[Indices]:
    """The rows of each class; every class is large enough for each part to get one row at least."""
    labels = y.astype(np.int64) if y.dtype.kind == "b" else y
    if labels.ndim != 1 or (labels != np.trunc(labels)).any():
        raise DataError(
            "y does not hold class labels",
            why=f"its shape is {y.shape}, its dtype {y.dtype}; stratifying needs one whole number a sample",
            remedy="pass labels of shape (N,) (from one-hot targets: y.argmax(axis=1)), or stratify=False where the "
            "targets are real-valued",
        )
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    rarest = min(groups, key=len)
    smallest = min(fractions)
    if len(rarest) * smallest < 1 - ROUNDING:
        raise DataError(
            f"class {int(labels[rarest[0]])} has too few samples to stratify",
            why=f"{_percent(smallest)} of its {_count(len(rarest), 'row')} is less than one, so the "
            f"{PARTS[fractions.index(smallest)]} part would lack it",
            remedy=f"collect at least {math.ceil(1 / smallest - ROUNDING)} samples of each class, merge or drop rare "
            "classes, or pass stratify=False",
        )
    return groups


def _sizes(groups: list[int], fractions: tuple[float, float, float]) -> npt.NDArray[np.int64]:
    """How many rows each group gives to each part: its share, rounded up or down.

    What rounding down leaves over goes to the parts that are furthest behind in all groups so far, so the errors of
    many small groups do not add up: ([7, 7], 60/20/20) → [[4, 2, 1], [4, 1, 2]].
    """
    sizes = np.zeros((len(groups), len(fractions)), dtype=np.int64)
    behind = np.zeros(len(fractions))
    for k, total in enumerate(groups):
        shares = total * np.array(fractions)
        sizes[k] = np.floor(shares + ROUNDING)
        behind += shares - sizes[k]
        broken = np.flatnonzero(shares - sizes[k] > ROUNDING)
        left = total - int(sizes[k].sum())
        extra = broken[np.argsort(-behind[broken], kind="stable")[:left]]
        sizes[k, extra] += 1
        behind[extra] -= 1
    return sizes


def _draw(groups: list[Indices], sizes: npt.NDArray[np.int64], seed: int) -> list[Indices]:
    """The rows of the three parts: `sizes[k]` rows of group k to each, at random."""
    with needs("scikit-learn", extra="train", purpose="splitting data"):
        from sklearn.model_selection import train_test_split
    try:
        random = np.random.RandomState(operator.index(seed))  # what scikit-learn takes; one stream for all groups
    except (ValueError, TypeError) as error:
        raise DataError(
            f"seed {seed!r} cannot be used", why="it has to be a whole number from 0 to 2³² − 1", remedy="pass seed=0"
        ) from error
    parts: list[list[Indices]] = [[], [], []]
    for group, (first, second, third) in zip(groups, sizes.tolist(), strict=True):
        rest, test = train_test_split(group, train_size=first + second, test_size=third, random_state=random)
        train, validation = train_test_split(rest, train_size=first, test_size=second, random_state=random)
        for part, rows in zip(parts, (train, validation, test), strict=True):
            part.append(rows)
    # shuffled, for otherwise a stratified part would come class by class
    return [random.permutation(np.concatenate(part)).astype(np.int64) for part in parts]


def _percent(fraction: float) -> str:
    return f"{round(100 * fraction, 6):g} %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
