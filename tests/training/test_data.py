"""Splits, checks of arrays, data sets and CSV tables. Expectations are counted by hand or by a second method."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from symdl.errors import DataError, MissingDependencyError
from symdl.training.data import (
    Split,
    check_array,
    check_arrays,
    check_labels,
    load_digits,
    one_hot,
    read_csv,
    split,
)
from symdl.training.optional import needs

Fractions = tuple[float, float, float]
fractions_ = st.tuples(*[st.integers(1, 8)] * 3).map(lambda parts: tuple(part / sum(parts) for part in parts))
seeds = st.integers(0, 2**32 - 1)


def refused(action: Callable[[], Any], *words: str) -> str:
    """The message of the DataError that `action` has to end in: one line with these words and a remedy."""
    with pytest.raises(DataError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message and "Remedy: " in message
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"
    return message


# ── splits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def faults(parts: Split, X: Any, y: Any, fractions: Fractions, *, stratified: bool) -> list[str]:
    """What is wrong with a split, said without the code that made it."""
    found = []
    rows = [parts.train.tolist(), parts.validation.tolist(), parts.test.tolist()]
    if sum(len(set(part)) for part in rows) != len(set().union(*rows)):
        found.append("overlap")
    if sorted(row for part in rows for row in part) != list(range(len(X))):
        found.append("not each row once")
    arrays = [(parts.X_train, parts.y_train), (parts.X_validation, parts.y_validation), (parts.X_test, parts.y_test)]
    for part, (X_part, y_part) in zip(rows, arrays, strict=True):
        if X_part.tolist() != [X[row].tolist() for row in part] or y_part.tolist() != [y[row].item() for row in part]:
            found.append("arrays and indices differ")
    slack = 2.0 if stratified else 1.0
    for part, fraction in zip(rows, fractions, strict=True):
        if not part or abs(len(part) - fraction * len(X)) >= slack:
            found.append("size of a part")
        for label in set(y.tolist()) if stratified else ():
            share = fraction * sum(value == label for value in y)
            if abs(sum(y[row] == label for row in part) - share) >= 1 - 1e-9:
                found.append("ratio of a class")
    return found


@given(st.data(), fractions_, seeds)
def test_a_split_is_disjoint_covering_and_of_the_right_sizes(data: st.DataObject, fractions: Any, seed: int) -> None:
    rows = data.draw(st.integers(math.ceil(1 / min(fractions) - 1e-9), 120))
    X, y = np.arange(2.0 * rows).reshape(rows, 2), np.arange(rows) * 0.5
    train, validation, test = fractions
    parts = split(X, y, train=train, validation=validation, test=test, seed=seed)
    assert faults(parts, X, y, fractions, stratified=False) == []


@given(st.data(), fractions_, seeds)
def test_a_stratified_split_keeps_each_class_within_one_row(data: st.DataObject, fractions: Any, seed: int) -> None:
    fewest = math.ceil(1 / min(fractions) - 1e-9)
    sizes = data.draw(st.lists(st.integers(fewest, fewest + 25), min_size=1, max_size=6))
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = np.arange(float(len(y)))[:, None]
    train, validation, test = fractions
    parts = split(X, y, train=train, validation=validation, test=test, seed=seed, stratify=True)
    assert faults(parts, X, y, fractions, stratified=True) == []


def test_planted_faults_of_a_split_are_found() -> None:
    y = np.repeat([0, 1], 10)
    X = np.arange(20.0)
    good = split(X, y, seed=3, stratify=True)
    fractions = (0.6, 0.2, 0.2)

    def planted(train: Any, validation: Any, test: Any) -> list[str]:
        rows = [np.asarray(part) for part in (train, validation, test)]
        return faults(
            Split(*(array[part] for part in rows for array in (X, y)), *rows), X, y, fractions, stratified=True
        )

    train, validation, test = good.train, good.validation, good.test
    assert planted(train, validation, test) == []
    assert "overlap" in planted(train, validation, [*test[:-1], train[0]])
    assert "not each row once" in planted(train[1:], validation, test)
    assert "size of a part" in planted(train[2:], [*validation, *train[:2]], test)
    assert "ratio of a class" in planted(*np.split(np.arange(20), [12, 16]))
    swapped = dataclasses.replace(good, X_test=good.X_test[::-1])
    assert faults(swapped, X, y, fractions, stratified=True) == ["arrays and indices differ"]


def test_sizes_counted_by_hand() -> None:
    sizes = {
        (10, 0.6, 0.2, 0.2): (6, 2, 2),
        (4, 0.6, 0.2, 0.2): (2, 1, 1),  # shares 2.4, 0.8, 0.8
        (100, 0.7, 0.29, 0.01): (70, 29, 1),  # 0.29 · 100 is 28.999999999999996 in float64
        (1797, 0.6, 0.2, 0.2): (1078, 359, 360),  # 1078.2, 359.4, 359.4: one of the last two gets the row left over
    }
    for (rows, train, validation, test), expected in sizes.items():
        parts = split(np.arange(rows), np.arange(rows), train=train, validation=validation, test=test, seed=1)
        counted = (len(parts.train), len(parts.validation), len(parts.test))
        assert counted in (expected, (expected[0], expected[2], expected[1]))


def test_small_classes_do_not_add_up_their_rounding() -> None:
    """Ten classes of 7: shares 4.2, 1.4, 1.4. The row that is left over goes to each part in turn."""
    parts = split(np.arange(70), np.tile(np.arange(10), 7), seed=0, stratify=True)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (42, 14, 14)


def test_a_share_that_is_whole_is_kept_in_spite_of_rounding() -> None:
    """29 % of 100 is 28.999999999999996 in float64; the class of 12 has put training ahead of its share."""
    y = np.repeat([0, 1], [12, 100])
    parts = split(np.arange(112), y, train=0.29, validation=0.355, test=0.355, seed=0, stratify=True)
    assert np.bincount(parts.y_train).tolist() == [4, 29]  # shares 3.48 and 29


def test_digits_stratified() -> None:
    X, y = load_digits()
    parts = split(X, y, seed=0, stratify=True)
    assert len(parts.X_train) + len(parts.X_validation) + len(parts.X_test) == 1797
    of_all = np.bincount(y) / 1797
    for part in (parts.y_train, parts.y_validation, parts.y_test):
        assert np.abs(np.bincount(part) / len(part) - of_all).max() < 0.005


def test_the_seed_decides() -> None:
    X, y = np.arange(60.0), np.tile([0, 1, 2], 20)
    for stratify in (False, True):
        first, again, other = (split(X, y, seed=seed, stratify=stratify) for seed in (5, 5, 6))
        assert (first.train == again.train).all() and (first.test == again.test).all()
        assert (first.train != other.train).any()
        assert (first.train != np.sort(first.train)).any(), "parts come in random order"
    assert (np.diff(split(X, np.sort(y), seed=5, stratify=True).y_train) < 0).any(), "not class by class"


def test_global_random_state_is_left_alone() -> None:
    before = np.random.get_state(legacy=False)["state"]["key"].copy()
    split(np.arange(10), np.arange(10), seed=0)
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before)


def test_images_and_one_hot_targets_keep_their_shape() -> None:
    parts = split(np.zeros((10, 1, 8, 8), np.float32), np.zeros((10, 3)), seed=0)
    assert parts.X_train.shape == (6, 1, 8, 8) and parts.X_train.dtype == np.float32
    assert parts.y_test.shape == (2, 3)


def test_fractions_that_cannot_be() -> None:
    X = y = np.arange(10)
    refused(lambda: split(X, y, train=0.8, validation=0.2, test=0.2, seed=0), "120 %", "twice", "train=0.6")
    refused(lambda: split(X, y, train=0.5, validation=0.2, test=0.2, seed=0), "90 %", "leave samples out")
    refused(lambda: split(X, y, train=80, validation=20, test=20, seed=0), "training part is 80", "pass 0.8 for 80 %")
    refused(lambda: split(X, y, train=0.8, validation=0.2, test=0, seed=0), "test part is 0 %")
    refused(lambda: split(X, y, train=1.2, validation=-0.4, test=0.2, seed=0), "1.2")
    refused(lambda: split(X, y, train=0.9, validation=-0.1, test=0.2, seed=0), "validation part is -10 %")
    refused(lambda: split(X, y, train=math.nan, seed=0), "training part is nan %")
    split(X, y, train=0.7, validation=0.1, test=0.2, seed=0)  # 0.7 + 0.1 + 0.2 is 0.9999999999999999 in float64


def test_too_few_rows() -> None:
    refused(lambda: split([1, 2], [1, 2], seed=0), "would be empty", "20 % of 2 rows is less than one", "about 5")
    refused(lambda: split([1], [1], seed=0), "would be empty", "of 1 row is")


def test_a_class_too_small_to_stratify() -> None:
    y = [0] * 20 + [7] * 4
    refused(
        lambda: split(np.arange(24), y, seed=0, stratify=True),
        "class 7 has too few samples",
        "20 % of its 4 rows",
        "validation part would lack it",
        "at least 5",
    )
    assert len(split(np.arange(24), y, seed=0).train) == 14
    for bad in (np.eye(10), np.arange(10) / 3, np.zeros((10, 1))):
        refused(partial(split, np.arange(10), bad, seed=0, stratify=True), "does not hold class labels")


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None, "1"])
def test_seeds_that_cannot_be(seed: Any) -> None:
    refused(lambda: split(np.arange(10), np.arange(10), seed=seed), f"seed {seed!r} cannot be used")


# ── arrays ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_good_arrays_pass_uncopied() -> None:
    X, y = np.zeros((3, 2), np.float32), np.array([0, 1, 1], np.uint8)
    X_checked, y_checked = check_arrays(X, y, classes=2, X_rank=2)
    assert X_checked is X and y_checked.dtype == np.int64 and y_checked.tolist() == [0, 1, 1]
    assert check_array([True, False], "x").tolist() == [True, False]


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), elements=st.floats(-9, 9)), st.data()
)
def test_the_first_value_that_is_not_finite_is_named(X: Any, data: st.DataObject) -> None:
    planted = data.draw(st.lists(st.integers(0, X.size - 1), min_size=1, max_size=3, unique=True))
    for flat in planted:
        X.flat[flat] = data.draw(st.sampled_from([math.nan, math.inf, -math.inf]))
    at = np.unravel_index(min(planted), X.shape)
    what = "NaN" if math.isnan(X[at]) else "infinity"
    places = {
        1: "row {} (counted from 0)",
        2: "row {}, column {} (both counted from 0)",
        3: "element [{}, {}, {}] (counted from 0)",
    }
    refused(lambda: check_array(X, "X"), f"X contains {what}", places[X.ndim].format(*at))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], ("X is empty", "(0,)")),
        (np.zeros((0, 4)), ("X is empty", "(0, 4)")),
        (np.zeros((4, 0)), ("X is empty", "(4, 0)")),
        (3.0, ("0 axes, at least 1 expected",)),
        (["a", "b"], ("not numeric", "dtype is <U1", "np.unique")),
        ([1, None], ("not numeric", "object")),
        ([1j], ("not numeric", "complex128")),
        (np.array(["2026-11-23"], "datetime64[D]"), ("not numeric", "datetime64")),
        ([[1, 2], [3]], ("X is ragged",)),
        (np.ma.masked_array([1.0, 2.0], [False, True]), ("masked",)),
    ],
)
def test_bad_arrays(values: Any, words: tuple[str, ...]) -> None:
    refused(lambda: check_arrays(values, [0, 1]), *words)


def test_a_sparse_matrix_is_refused() -> None:
    import scipy.sparse

    refused(lambda: check_array(scipy.sparse.eye(3), "X"), "sparse", "X.toarray()")


def test_ranks_and_rows() -> None:
    refused(lambda: check_arrays([1, 2], [0, 1], X_rank=2), "X has 1 axis, 2 axes expected", "reshape")
    refused(lambda: check_arrays([1, 2], [[0], [1]], y_rank=1), "y has 2 axes, 1 axis expected")
    refused(lambda: check_arrays(np.zeros((3, 2)), [0, 1]), "X has 3 (shape (3, 2)), y has 2 (shape (2,))")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, 3, 9], ("label 3 is out of range", "row 2 of y", "from 0 to 2", "at least 4")),
        ([0, -1], ("label -1 is out of range", "row 1 of y", "from 0 to 2")),
        ([0.0, 1.5], ("label 1.5 is not a whole number", "row 1 of y")),
        ([1e300], ("label 1e+300 is out of range",)),
        ([[0], [1]], ("2 axes, 1 axis expected", "y.ravel()")),
        ([[0, 1], [1, 0]], ("2 axes, 1 axis expected", "y.argmax(axis=-1)")),
        ([0, math.nan], ("NaN", "row 1")),
    ],
)
def test_bad_labels(labels: Any, words: tuple[str, ...]) -> None:
    message = refused(lambda: check_arrays(np.zeros(len(labels)), labels, classes=3), *words)
    assert len(message) < 300


def test_labels_without_a_number_of_classes() -> None:
    assert check_labels([5, 7.0], None).tolist() == [5, 7]
    assert check_labels([True, False], 2).tolist() == [1, 0]
    refused(lambda: check_labels([-2], None), "label -2 is out of range", "whole numbers from 0.")
    refused(lambda: check_labels([1e18], None), "out of range")
    refused(lambda: check_labels([0], 0), "0 classes")


@given(st.lists(st.integers(0, 6), min_size=1))
def test_one_hot_is_the_identity_by_rows(labels: list[int]) -> None:
    rows = one_hot(labels, 7, np.float32)
    assert rows.dtype == np.float32 and (rows == np.eye(7)[labels]).all()


def test_one_hot_refuses_a_label_out_of_range() -> None:
    refused(lambda: one_hot([0, 2], 2), "label 2", "row 1 of labels")


def test_digits() -> None:
    X, y = load_digits()
    raw = sklearn.datasets.load_digits()
    assert X.shape == (1797, 64) and X.dtype == np.float64 and y.dtype == np.int64
    assert np.array_equal(X * 16, raw.images.reshape(1797, 64)) and (y == raw.target).all()
    # as optdigits.names at UCI lists them for optdigits.tes
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_an_absent_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingDependencyError, match=r"scikit-learn is not installed.*pip install 'symdl\[train\]'"):
        load_digits()
    with pytest.raises(ZeroDivisionError), needs("x", extra="train", purpose="nothing"):
        _ = 1 / 0


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "a,t,b\n1,2,3\n-4e1,.5,6\n",
        "\ufeffa,t,b\r\n1,2,3\r\n-4e1,.5,6\r\n",  # as Excel writes it
        '"a", t ,b\n\n1, 2,"3"\n\n-40,0.5,6\n ,,\n',  # spaces, quotes, empty lines
    ],
)
@pytest.mark.parametrize("target", ["t", 1, -2])
def test_a_table_is_read(tmp_path: Path, text: str, target: str | int) -> None:
    X, y, names = read_csv(table(tmp_path, text), target=target)
    assert X.tolist() == [[1, 3], [-40, 6]] and y.tolist() == [2, 0.5] and names == ("a", "b")
    assert X.dtype == y.dtype == np.float64


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 4)), elements=finite))
def test_every_number_is_read_back_exactly(tmp_path_factory: pytest.TempPathFactory, numbers: Any) -> None:
    lines = [",".join(f"c{k}" for k in range(numbers.shape[1]))]
    lines += [",".join(map(repr, row)) for row in numbers.tolist()]
    X, y, _ = read_csv(table(tmp_path_factory.mktemp("csv"), "\n".join(lines)), target=0)
    assert np.array_equal(X, numbers[:, 1:]) and np.array_equal(y, numbers[:, 0])


def test_the_last_column_as_target(tmp_path: Path) -> None:
    X, y, names = read_csv(table(tmp_path, "a,b,t\n1,2,3\n"), target=-1)
    assert X.tolist() == [[1, 2]] and y.tolist() == [3] and names == ("a", "b")


def test_semicolons(tmp_path: Path) -> None:
    path = table(tmp_path, "a;t\n1;2\n")
    assert read_csv(path, target="t", delimiter=";")[1].tolist() == [2]
    refused(lambda: read_csv(path, target="t"), "no column is named 't'", "pass delimiter=';'")
    refused(lambda: read_csv(path, target=0), "one column only", "pass delimiter=';'")
    refused(lambda: read_csv(path, target="t", delimiter=";;"), "single character")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("the file is empty",)),
        ("\n\n", ("the file is empty",)),
        ("a,t\n", ("no rows below the header",)),
        ("a,t\n1,2\nx,4\n", ("'x' is not a number", "line 3, column 'a'")),
        ("a,t\n1,2\n\n3,\n", ("the cell is empty", "line 4, column 't'")),
        ("a,t\n1,2\n3,n/a\n", ("'n/a' is not a number", "line 3, column 't'")),
        ("a,t\n1,1_000\n", ("'1_000' is not a number", "line 2")),
        ("a,t\n1," + "x" * 99 + "\n", ("'" + "x" * 39 + "…' is not a number",)),
        ("a,t\n1,\x1b[31mred\n", ("'\\x1b[31mred' is not a number",)),
        ("a,t\n1,nan\n", ("'nan' is not a finite number", "line 2, column 't'")),
        ("a,t\n-inf,1\n", ("'-inf' is not a finite number", "line 2, column 'a'")),
        ("a,t\n1e999,1\n", ("'1e999' is not a finite number",)),
        ("a,t\n1,2\n1,2,3\n", ("3 cells instead of 2", "line 3")),
        ("a,t\n1\n", ("1 cells instead of 2", "line 2")),
        ("a,t\n1,5,2,5\n", ("4 cells instead of 2", "decimal sign")),
        ("1,2\n3,4\n", ("the file has no header", "line 1")),
        ("a,,t\n1,2,3\n", ("column 1 (counted from 0) has no name", "line 1")),
        ("a,t,a\n1,2,3\n", ("two columns are named 'a'", "columns 0 and 2")),
        ("t\n1\n", ("one column only", "nothing is left")),
        ('a,t\n1,"2\n3,4\n', ("not CSV", "line 3", "quotation")),
        (b"a,t\n1,2\n\xff,4\n", ("not UTF-8", "byte 0xff")),
        (b"PK\x03\x04\x00\x00", ()),
    ],
)
def test_bad_tables(tmp_path: Path, text: str | bytes, words: tuple[str, ...]) -> None:
    path = table(tmp_path, text)
    refused(lambda: read_csv(path, target="t"), str(path), *words)


def test_unknown_targets(tmp_path: Path) -> None:
    path = table(tmp_path, "area,rooms,rent\n1,2,3\n")
    refused(lambda: read_csv(path, target="rents"), "no column is named 'rents'", "'area', 'rooms', 'rent'", "'rent'?")
    refused(lambda: read_csv(path, target="z"), "no column is named 'z'", "pass one of these names")
    for index in (3, -4):
        refused(partial(read_csv, path, target=index), f"no column has the index {index}", "from 0 to 2")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    refused(lambda: read_csv(tmp_path / "none.csv", target=0), "does not exist", "none.csv")
    refused(lambda: read_csv(tmp_path, target=0), "cannot be read", str(tmp_path))
    refused(lambda: read_csv("a\0b", target=0), "cannot be read")
