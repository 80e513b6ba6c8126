"""The record of a run: exact through JSON, strict about what it takes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from symdl.errors import DataError
from symdl.training.history import History

losses = st.floats(width=64)  # NaN and infinities too
ARRAYS = ("step_loss", "training_loss", "validation_loss", "training_accuracy", "validation_accuracy")


@st.composite
def histories(draw: st.DrawFn) -> History:
    epochs = draw(st.integers(0, 5))
    others = st.dictionaries(st.text(max_size=9), hnp.arrays(np.float64, epochs, elements=losses), max_size=2)
    share = st.none() | hnp.arrays(np.float64, epochs, elements=st.floats(0, 1))
    return History(
        step_loss=draw(hnp.arrays(np.float64, st.integers(0, 9), elements=losses)),
        training_loss=draw(hnp.arrays(np.float64, epochs, elements=losses)),
        validation_loss=draw(st.none() | hnp.arrays(np.float64, epochs, elements=losses)),
        training_accuracy=draw(share),
        validation_accuracy=draw(share),
        metrics=draw(others),
        seconds=draw(st.floats(0, 1e9)),
    )


@given(histories())
def test_json_gives_back_every_bit(history: History) -> None:
    text = history.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = History.from_json(text)
    for name in ARRAYS:
        old, new = getattr(history, name), getattr(again, name)
        # NaNs differ in their payload, which JSON does not keep
        assert (old is None and new is None) or np.array_equal(old, new, equal_nan=True)
        if old is not None:
            assert (np.signbit(old) == np.signbit(new))[~np.isnan(old)].all(), "minus zero"
    assert again.metrics.keys() == history.metrics.keys()
    assert all(np.array_equal(old, again.metrics[name], equal_nan=True) for name, old in history.metrics.items())
    assert again.seconds == history.seconds
    assert (again.epochs, again.steps) == (history.epochs, history.steps)


def history(**changes: Any) -> History:
    entries: dict[str, Any] = {"step_loss": [3.0, 2.0, 1.5, 1.0], "training_loss": [2.5, 1.25], "seconds": 1.0}
    return History(**(entries | changes))


def test_counts_and_dtypes() -> None:
    record = history(training_loss=np.array([2, 1], np.float32), validation_accuracy=[0, 1])
    assert (record.epochs, record.steps) == (2, 4)
    assert record.training_loss.dtype == np.float64
    assert record.validation_loss is None


def test_records_from_before_there_were_metrics() -> None:
    old = json.loads(history().to_json())
    del old["metrics"]
    assert History.from_json(json.dumps(old)).metrics == {}


def test_arrays_are_copied_and_read_only() -> None:
    steps = np.ones(4)
    record = history(step_loss=steps)
    steps[0] = 9
    assert record.step_loss[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        record.step_loss[0] = 9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"validation_loss": [1.0]}, "validation_loss has 1 values, training_loss 2"),
        ({"training_accuracy": [0.5, 1.5]}, "training_accuracy is not between 0 and 1"),
        ({"training_accuracy": [0.5, np.nan]}, "training_accuracy is not between 0 and 1"),
        ({"step_loss": [[1.0]]}, "step_loss has the shape (1, 1)"),
        ({"step_loss": ["a"]}, "step_loss is not a list of numbers"),
        ({"metrics": {"training_f1": [0.5]}}, "training_f1 has 1 values, training_loss 2"),
        ({"seconds": -1.0}, "-1.0 seconds"),
        ({"seconds": float("inf")}, "inf seconds"),
    ],
)
def test_bad_values(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as caught:
        history(**changes)
    assert words in str(caught.value)


def edited(**changes: Any) -> str:
    return json.dumps(json.loads(history().to_json()) | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a training history"),
        ("{}", "not a training history"),
        (edited(version=2), "version 2"),
        (edited(extra=1), "'extra'"),
        ('{"format": "symdl history", "version": 1}', "'seconds'"),
        (edited(step_loss=None), "'step_loss' is not a list"),
        (edited(step_loss=["nan"]), "'step_loss' holds 'nan'"),
        (edited(step_loss=[True]), "'step_loss' holds 'True'"),
        (edited(step_loss=[[1]]), "'step_loss' holds '[1]'"),
        (edited(step_loss=[10**400]), "'step_loss' holds '1000"),
        (edited(metrics=[]), "'metrics' is not a table"),
        (edited(metrics={"f1": None}), "'f1' is not a list"),
        (edited(seconds="1"), "'seconds' holds '1'"),
        (edited(seconds="NaN"), "nan seconds"),
        (edited(validation_loss=[1]), "validation_loss has 1 values"),
    ],
)
def test_bad_json(text: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        History.from_json(text)
    message = str(caught.value)
    assert words in message and "\n" not in message and "Remedy: " in message and len(message) < 400
