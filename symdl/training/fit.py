"""What a training run leaves: parameters, history, report; saved and loaded without pickles."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.compiled import Compiled
from symdl.compilation.report import Report
from symdl.core.definitions import Definition
from symdl.core.files import write_bytes_atomic, write_text_atomic
from symdl.errors import DataError
from symdl.training.history import History
from symdl.training.measures import Metric, chosen, measured
from symdl.training.optional import needs
from symdl.training.rows import Inputs, Rows, expected, kept

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Fit:
    """A trained definition.

    Args:
        parameters: by name, as training left them; after a divergence the last finite ones.
        history: losses and accuracies.
        compiled: the code that trained, which also predicts.
        seed: of the start and of the order of the rows.
        hyper: values of the definition's hyperparameters.
        diverged_at: the step, counted from 1, whose loss or update was not finite; None where training ended.
        best_epoch: with early stopping the epoch, counted from 1, that the parameters are of.
    """

    parameters: Mapping[str, Array]
    history: History
    compiled: Compiled
    seed: int
    hyper: Mapping[str, float] = field(default_factory=dict)
    diverged_at: int | None = None
    best_epoch: int | None = None

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.metrics.items())
        ended = f"diverged at step {self.diverged_at}" if self.diverged_at else f"{self.history.steps} steps"
        return f"Fit({self.compiled.definition.name}, {ended}, {figures})"

    @property
    def report(self) -> Report:
        """The cross-check of the compiled code."""
        return self.compiled.report

    @property
    def seconds(self) -> float:
        """How long training took, without compiling."""
        return self.history.seconds

    @property
    def metrics(self) -> dict[str, float]:
        """The value of each curve of the history at the epoch that the parameters are of: the last one, or the best."""
        names = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")
        curves = {n: getattr(self.history, n) for n in names}
        at = -1 if self.best_epoch is None else self.best_epoch - 1
        return {n: float(c[at]) for n, c in {**curves, **self.history.metrics}.items() if c is not None and len(c)}

    def predict(self, X: Inputs) -> Array:
        """The prediction (the first output that needs no target) for rows of inputs, shape (N, …), or a table by name.

        Raises:
            DefinitionError: the definition returns nothing but its loss.
            DataError, ShapeError: inputs that do not fit.
        """
        data = X if isinstance(X, Mapping) else {self.compiled.definition.data[0].name: X}
        return next(iter(self.compiled.predict(**self._given(data, "predict")).values()))

    def labels(self, X: Inputs) -> npt.NDArray[np.int64]:
        """The class with the largest prediction, shape (N,)."""
        return np.asarray(np.argmax(self.predict(X), axis=-1), dtype=np.int64)

    def evaluate(self, X: Inputs, y: npt.ArrayLike | None = None) -> dict[str, Array]:
        """All outputs of the definition, the loss first; y as the definition has it (one-hot rows)."""
        names = [t.name for t in self.compiled.definition.data]
        data = dict(X) if isinstance(X, Mapping) else {names[0]: X}
        if y is not None and (left := [n for n in names if n not in data]):
            data[left[0]] = y
        return self.compiled(**self._given(data, "evaluate"))

    def measure(
        self, X: Inputs, y: npt.ArrayLike | None = None, metrics: Iterable[str | Metric] = ()
    ) -> dict[str, float]:
        """The loss and metrics by name, on rows that may be new; y as for `sd.train`, class labels included.

        Raises:
            DataError, ShapeError: data that do not fit, an unknown metric, or one that does not fit the definition.
        """
        definition = self.compiled.definition
        shapes = {n: np.shape(a) for n, a in self.parameters.items()}
        rows = Rows(definition, X, y, self.compiled.dtype, shapes)
        results = self.compiled(**self._given(rows.arrays, "evaluate"))
        prediction = results[definition.outputs[1]] if len(definition.outputs) > 1 else None
        found = {"loss": float(results[definition.outputs[0]])}
        return found | measured(chosen(metrics), rows.target, rows.labels, prediction)

    def _given(self, data: Mapping[str, Any], function: str) -> dict[str, Any]:
        used = {t.name for t in self.compiled.definition.inputs}
        if function in self.compiled.program.functions and function == "predict":
            used = set(self.compiled.program.functions[function].inputs)
        known = {**self.parameters, **self.hyper, **data}
        known |= expected(self.compiled, kept(self.compiled.definition, self.hyper), known, used)
        return {n: v for n, v in known.items() if n in used}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the parameters to `path` (safetensors) and the rest beside it, as `path` with the suffix .json.

        Raises:
            OutputError: a file cannot be written.
            MissingDependencyError: safetensors is not installed.
        """
        with needs("safetensors", extra="train", purpose="saving parameters"):
            from safetensors.numpy import save
        target = Path(path)
        arrays = {n: np.ascontiguousarray(a).reshape(a.shape) for n, a in self.parameters.items()}
        about = {
            "format": "symdl fit",
            "version": 1,
            "definition": self.compiled.definition.name,
            "dtype": self.compiled.dtype,
            "seed": self.seed,
            "diverged_at": self.diverged_at,
            "best_epoch": self.best_epoch,
            "history": json.loads(self.history.to_json()),
        }
        write_bytes_atomic(target, save(arrays, {"format": "symdl parameters"}))
        write_text_atomic(target.with_suffix(".json"), json.dumps(about, indent=1, allow_nan=False) + "\n")
        return target


def load_parameters(path: str | os.PathLike[str], definition: Definition | None = None) -> dict[str, Array]:
    """The parameters of a safetensors file; with a definition, checked to be all of its parameters.

    Raises:
        DataError: no such file, not safetensors, or parameters that are missing, unknown or of the wrong rank.
        MissingDependencyError: safetensors is not installed.
    """
    with needs("safetensors", extra="train", purpose="loading parameters"):
        from safetensors import SafetensorError
        from safetensors.numpy import load
    try:
        arrays = dict(load(Path(path).read_bytes()))
    except OSError as error:
        raise DataError(f"cannot read {os.fspath(path)!r}", why=error.strerror or str(error)) from error
    except SafetensorError as error:
        raise DataError(f"{os.fspath(path)!r} is not a safetensors file", why=str(error)) from error
    if definition is not None:
        _check(arrays, definition, os.fspath(path))
    return arrays


def _check(arrays: Mapping[str, Array], definition: Definition, path: str) -> None:
    ranks = {t.name: t.rank for t in definition.parameters}
    for name in sorted(arrays.keys() ^ ranks.keys()):
        what = f"it has no parameter '{name}'" if name in ranks else f"'{name}' is no parameter of {definition.name}"
        raise DataError(f"{path!r} does not fit {definition.name}", why=what, remedy="load what belongs to it")
    for name, rank in ranks.items():
        if arrays[name].ndim != rank:
            raise DataError(
                f"{path!r} does not fit {definition.name}",
                why=f"{name} has {arrays[name].ndim} axes there and {rank} in the definition",
            )
