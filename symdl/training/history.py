"""The record of a training run: losses and accuracies, as arrays and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError

__all__ = ["History"]

Floats = npt.NDArray[np.float64]
FORMAT, VERSION = "symdl history", 1
# JSON has no numbers for these, and a run that diverged ends in one of them
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, eq=False)
class History:
    """What a training run measured.

    Args:
        step_loss: shape (steps,): the loss on the batch of each step, before that step's update.
        training_loss: shape (epochs,): the loss on the training part, one value for each epoch that was completed.
        validation_loss: the same on the validation part; None where there was none.
        training_accuracy: shape (epochs,), from 0 to 1; None where it was not measured.
        validation_accuracy: the same on the validation part.
        metrics: shape (epochs,) each: what else was measured, by name, such as "validation_f1".
        seconds: how long the run took.

    The arrays are copied to float64 and read-only. A loss may be infinite or NaN: it is how a diverged run ends.

    Raises:
        DataError: values that are not numbers of one axis, lengths that differ, an accuracy outside 0 … 1, or seconds
            that are negative or not finite.

    >>> history = History(step_loss=[0.9, 0.5, 0.4, 0.2], training_loss=[0.7, 0.3], validation_loss=[0.8, 0.4])
    >>> history.epochs, history.steps, float(history.validation_loss[-1])
    (2, 4, 0.4)
    """

    step_loss: Floats
    training_loss: Floats
    validation_loss: Floats | None = None
    training_accuracy: Floats | None = None
    validation_accuracy: Floats | None = None
    metrics: Mapping[str, Floats] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, _series(name, values))
        for name in _PER_EPOCH:
            values = getattr(self, name)
            if values is not None and len(values) != self.epochs:
                raise _error(
                    f"{name} has {len(values)} values, training_loss {self.epochs}", "each has one value an epoch"
                )
            if name.endswith("accuracy") and values is not None and not ((values >= 0) & (values <= 1)).all():
                raise _error(f"{name} is not between 0 and 1", "accuracy is the share of predictions that are right")
        object.__setattr__(self, "metrics", {n: _series(n, v) for n, v in self.metrics.items()})
        for name, values in self.metrics.items():
            if len(values) != self.epochs:
                raise _error(
                    f"{name} has {len(values)} values, training_loss {self.epochs}", "each has one value an epoch"
                )
        if not 0 <= self.seconds < math.inf:
            raise _error(f"{self.seconds} seconds", "a run takes a finite time, 0 or more")

    @property
    def epochs(self) -> int:
        """The number of epochs that were completed."""
        return len(self.training_loss)

    @property
    def steps(self) -> int:
        """The number of steps, those of an epoch that was broken off included."""
        return len(self.step_loss)

    def to_json(self) -> str:
        """The record as JSON text; every number is read back exactly, and NaN and infinities are written as strings.

        >>> print(History(step_loss=[0.5], training_loss=[float("inf")], seconds=0.25).to_json())
        {"format": "symdl history", "version": 1, "step_loss": [0.5], "training_loss": ["Infinity"],
        "validation_loss": null, "training_accuracy": null, "validation_accuracy": null, "metrics": {}, "seconds": 0.25}
        """
        record: dict[str, object] = {"format": FORMAT, "version": VERSION}
        for name in _ARRAYS:
            values = getattr(self, name)
            record[name] = None if values is None else [_to_json(value) for value in values.tolist()]
        record["metrics"] = {n: [_to_json(value) for value in v.tolist()] for n, v in self.metrics.items()}
        record["seconds"] = float(self.seconds)
        return json.dumps(record, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> History:
        """The record that `to_json` wrote.

        Raises:
            DataError: text that is not such a record; it says which entry is wrong.

        >>> History.from_json(History(step_loss=[0.1], training_loss=[0.1]).to_json()).training_loss
        array([0.1])
        """
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _error("the text is not JSON", str(error)) from error
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise _error("the text is not a training history", f'it has no entry "format": "{FORMAT}"')
        if record.get("version") != VERSION:
            raise _error(f"version {record.get('version')!r} of a training history", f"this symdl reads {VERSION}")
        known = {f.name for f in fields(cls)}
        entries = {key: value for key, value in record.items() if key not in ("format", "version")}
        entries.setdefault("metrics", {})  # what was written before there were any
        if entries.keys() != known:
            names = ", ".join(sorted(repr(name) for name in entries.keys() ^ known))
            raise _error("the record has missing or unknown entries", f"these differ: {names}")
        return cls(**{name: _from_json(name, value) for name, value in entries.items()})


_PER_EPOCH = ("validation_loss", "training_accuracy", "validation_accuracy")
_ARRAYS = ("step_loss", "training_loss", *_PER_EPOCH)


def _series(name: str, values: Any) -> Floats:
    try:
        series = np.array(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise _error(f"{name} is not a list of numbers", str(error)) from error
    if series.ndim != 1:
        raise _error(f"{name} has the shape {series.shape}", "it has to be one row of numbers")
    series.setflags(write=False)
    return series


def _to_json(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _from_json(name: str, value: Any) -> Any:
    if name == "seconds":
        return _number(name, value)
    if name == "metrics":
        if not isinstance(value, dict):
            raise _error("entry 'metrics' is not a table", "it holds a list of numbers for each name")
        return {n: _numbers(n, v) for n, v in value.items()}
    if value is None and name in _PER_EPOCH:
        return None
    return _numbers(name, value)


def _numbers(name: str, value: Any) -> list[float]:
    if not isinstance(value, list):
        raise _error(f"entry {name!r} is not a list", "it holds one number a step or an epoch")
    return [_number(name, element) for element in value]


def _number(name: str, value: Any) -> float:
    if isinstance(value, str) and value in NON_FINITE:
        return NON_FINITE[value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise _error(f"entry {name!r} holds {str(value)[:40]!r}", "it has to be a number")


def _error(what: str, why: str) -> DataError:
    return DataError(what, where="a training history", why=why, remedy="pass what the training run returned or wrote")
