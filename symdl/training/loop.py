"""Training: arrays in, parameters and history out; every epoch is one call of compiled code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from symdl.compilation.compiled import Compiled
from symdl.compilation.pipeline import DTYPES, compile
from symdl.compilation.runtime import prepared
from symdl.core.definitions import Definition
from symdl.core.tensors import Fact, Tensor
from symdl.errors import DataError, DefinitionError, ShapeError, UnsupportedError
from symdl.library.optimisers import Optimizer, sgd
from symdl.training.arrays import check_array, check_arrays, one_hot
from symdl.training.fit import Fit
from symdl.training.history import History
from symdl.training.initial import initial_parameters

Array = npt.NDArray[Any]
Progress = bool | Literal["force"]


def train(
    model: Definition | Compiled,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    epochs: int,
    batch_size: int = 32,
    optimizer: Optimizer | None = None,
    validation: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    seed: int = 0,
    initial: Mapping[str, npt.ArrayLike] | None = None,
    hyper: Mapping[str, float] | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    shuffle: bool = True,
    progress: Progress = True,
) -> Fit:
    """Train a definition, or what `compile(…, optimizer=…)` made of it, on arrays.

    Args:
        model: its first data input is X and its second is y. Compiled code keeps its dtype and optimiser.
        X: inputs, shape (N, …).
        y: targets, shape (N, …) as the definition has them; or class labels, shape (N,), where the target of the
            definition sums to one: they are made one-hot.
        epochs: how many times every row is used.
        batch_size: rows in a step; the last batch of an epoch may be smaller.
        optimizer: `sgd(0.1)` where none is given.
        validation: (X, y) to measure on after every epoch.
        seed: of the initial parameters and of the order of the rows: the same seed gives the same bits.
        initial: parameters to start from; those not given are drawn (see `initial_parameters`).
        hyper: values of the definition's hyperparameters.
        dtype: of all numbers.
        shuffle: False takes the rows in order.
        progress: a bar on a terminal; "force" shows it anywhere, False nowhere.

    Returns:
        A `Fit`; after a divergence its `diverged_at` is the step, and its parameters are the last finite ones.

    Raises:
        DataError, ShapeError: data that cannot be trained on, with the place.
        DefinitionError: a model without data, parameters or a scalar target.

    >>> from symdl.core.define import define, Input, Param, let, mean
    >>> @define
    ... def line(x=Input("n"), t=Input("n"), w=Param(), b=Param()):
    ...     (n,) = x.indices
    ...     a = let("a[n]", w * x[n] + b)
    ...     return let("L", mean((t[n] - a[n]) ** 2, n)), a
    >>> x = np.linspace(-1, 1, 20)
    >>> fit = train(line, x, 3 * x + 1, epochs=200, batch_size=5, progress=False)
    >>> print(f"{fit.parameters['w']:.6f} {fit.parameters['b']:.6f}")
    3.000000 1.000000
    """
    definition = model.definition if isinstance(model, Compiled) else model
    _check_numbers(epochs, batch_size, seed)
    if dtype not in DTYPES:
        raise DefinitionError(f"no dtype '{dtype}'", where="train", remedy=f"one of {', '.join(DTYPES)}")
    used_dtype = model.dtype if isinstance(model, Compiled) else dtype
    data = _Data(definition, X, y, used_dtype, {n: np.shape(a) for n, a in (initial or {}).items()})
    held_out = _Data(definition, *validation, used_dtype, data.shapes) if validation is not None else None
    if held_out is not None:
        _check_alike(data, held_out)
    starts, orders = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    parameters = initial_parameters(definition, data.shapes, starts, used_dtype, initial)
    code = _code(model, optimizer, used_dtype, parameters, data, batch_size)
    run = _Run(code, parameters, _hyper(definition, hyper or {}), data, held_out, batch_size)
    begun = time.perf_counter()
    with _bar(progress, epochs, seed) as advance:
        for _ in range(epochs):
            rows = orders.permutation(data.rows) if shuffle else np.arange(data.rows)
            if not run.epoch(rows):
                break
            advance(run.training_loss[-1])
    history = run.history(time.perf_counter() - begun)
    diverged_at = None if len(run.training_loss) == epochs else run.steps + 1
    return Fit(parameters, history, code, seed, run.hyper, diverged_at)


def _check_numbers(epochs: int, batch_size: int, seed: int) -> None:
    for name, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise DataError(f"{name} is {value!r}", where="train", why=f"it is a whole number from {least}")


def _check_alike(data: _Data, held_out: _Data) -> None:
    """Rows for validation have the shape of rows for training."""
    for name, shape in data.shapes.items():
        other = held_out.shapes[name]
        if other[1:] != shape[1:]:
            raise ShapeError(
                f"rows of {name} have the shape {other[1:]}",
                where="the validation data",
                why=f"those for training have {shape[1:]}",
                remedy="pass data of one kind",
            )


class _Data:
    """X and y as the compiled code takes them, by the names of the definition."""

    def __init__(
        self,
        definition: Definition,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None,
        dtype: str,
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        tensors = [t for t in definition.data if t.rank]
        if not 1 <= len(tensors) <= 2 or len(tensors) != len(definition.data):
            raise UnsupportedError(
                f"{definition.name} has {len(definition.data)} data inputs",
                where="train",
                why="it trains on inputs X and targets y, each with an axis for the rows",
            )
        if (y is None) == (len(tensors) == 2):
            raise DataError(
                "y is missing" if y is None else "there is no target for y",
                where=f"training {definition.name}",
                why=f"its data are {', '.join(t.name for t in tensors)}",
            )
        self.labels: npt.NDArray[np.int64] | None = None
        arrays = [check_array(X, "X", rank=tensors[0].rank)]
        if y is not None:
            arrays = self._with_target(tensors, X, y, dtype, shapes)
        self.arrays = {t.name: prepared(t, a, dtype) for t, a in zip(tensors, arrays, strict=True)}
        self.shapes = {n: a.shape for n, a in self.arrays.items()}
        self.rows = len(arrays[0])

    def _with_target(
        self,
        tensors: list[Tensor],
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        dtype: str,
        shapes: Mapping[str, tuple[int, ...]],
    ) -> list[Array]:
        target = tensors[1]
        as_classes = Fact.SUMS_TO_ONE in target.facts and np.ndim(y) == target.rank - 1
        if not as_classes:
            inputs, targets = check_arrays(X, y, X_rank=tensors[0].rank, y_rank=target.rank)
            if Fact.SUMS_TO_ONE in target.facts:
                self.labels = np.argmax(targets, axis=-1).astype(np.int64)
            return [inputs, targets]
        extent = target.indices[-1].extent
        classes = int(extent) if extent.is_Integer else shapes.get(target.name, (0,))[-1] or None
        known = classes if classes is not None else int(np.max(np.asarray(y))) + 1 if np.size(y) else 1
        inputs, self.labels = check_arrays(X, y, classes=known, X_rank=tensors[0].rank, y_rank=target.rank - 1)
        return [inputs, one_hot(self.labels, known, dtype)]


def _hyper(definition: Definition, given: Mapping[str, float]) -> dict[str, float]:
    names = [t.name for t in definition.inputs if t not in definition.data and t not in definition.parameters]
    for name in sorted(given.keys() ^ set(names)):
        what = f"'{name}' has no value" if name in names else f"'{name}' is no hyperparameter"
        remedy = f"pass hyper with {', '.join(names) or 'nothing'}"
        raise DataError(what, where=f"training {definition.name}", remedy=remedy)
    return dict(given)


def _code(
    model: Definition | Compiled,
    optimizer: Optimizer | None,
    dtype: str,
    parameters: Mapping[str, Array],
    data: _Data,
    batch_size: int,
) -> Compiled:
    """The compiled training loop, planned for the extents of the data."""
    if isinstance(model, Compiled):
        if model.optimizer is None:
            raise DefinitionError("the compiled code can't train", remedy="compile it with optimizer=sd.sgd(0.1)")
        if optimizer is not None:
            raise DefinitionError("two optimisers", why="compiled code has its own", remedy="leave out optimizer")
        return model
    extents: dict[str, int] = {}
    for tensor in model.inputs:
        array = data.arrays.get(tensor.name, parameters.get(tensor.name))
        if array is not None:
            extents.update(zip((i.name for i in tensor.indices), array.shape, strict=True))
    extents[model.data[0].indices[0].name] = min(batch_size, data.rows)
    chosen = optimizer if optimizer is not None else sgd(0.1)
    return compile(model, optimizer=chosen, dtype="float32" if dtype == "float32" else "float64", extents=extents)


@dataclass
class _Run:
    """The state of a training run."""

    code: Compiled
    parameters: dict[str, Array]
    hyper: dict[str, float]
    data: _Data
    held_out: _Data | None
    batch_size: int

    def __post_init__(self) -> None:
        assert self.code.optimizer is not None
        tensors = {t.name: t for t in self.code.definition.inputs}
        fixed = {n: prepared(tensors[n], v, self.code.dtype) for n, v in self.hyper.items()}
        self.arrays = {**self.data.arrays, **self.parameters, **fixed}
        self._check(self.data)
        if self.held_out is not None:
            self._check(self.held_out)
        self.states = self.code.start(self.parameters)
        self.optimizer = self.code.optimizer
        self.steps = 0
        self.step_loss: list[Array] = []
        self.training_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.training_accuracy: list[float] = []
        self.validation_accuracy: list[float] = []

    def _check(self, data: _Data) -> None:
        """Shapes against each other, and subscripts against the axes that they are for."""
        self.code.check({**self.arrays, **data.arrays})

    def epoch(self, rows: npt.NDArray[np.int64]) -> bool:
        """One epoch and its measurements; False where it diverged."""
        done, losses = self.code.program.run_epoch(
            self.arrays, self.states, self.optimizer.hyper, rows, min(self.batch_size, len(rows)), self.steps
        )
        self.steps += done
        self.step_loss.append(losses)
        if done < -(-len(rows) // self.batch_size):
            return False
        self._measure(self.data, self.training_loss, self.training_accuracy)
        if self.held_out is not None:
            self._measure(self.held_out, self.validation_loss, self.validation_accuracy)
        return True

    def _measure(self, data: _Data, losses: list[float], accuracies: list[float]) -> None:
        results = self.code(**{**self.parameters, **self.hyper, **data.arrays})
        outputs = self.code.definition.outputs
        losses.append(float(results[outputs[0]]))
        if data.labels is not None and len(outputs) > 1 and results[outputs[1]].ndim == data.labels.ndim + 1:
            # as `metrics.accuracy` has it; scikit-learn would take longer to load than a small network to train
            accuracies.append(float(np.mean(np.argmax(results[outputs[1]], axis=-1) == data.labels)))

    def history(self, seconds: float) -> History:
        measured = self.held_out is not None
        return History(
            step_loss=np.concatenate(self.step_loss).astype(np.float64),
            training_loss=np.array(self.training_loss),
            validation_loss=np.array(self.validation_loss) if measured else None,
            training_accuracy=np.array(self.training_accuracy) if self.training_accuracy else None,
            validation_accuracy=np.array(self.validation_accuracy) if self.validation_accuracy else None,
            seconds=seconds,
        )


@contextmanager
def _bar(progress: Progress, epochs: int, seed: int) -> Iterator[Callable[[float], None]]:
    """A progress bar over epochs on the error stream."""
    if progress is False or (progress != "force" and not sys.stderr.isatty()):
        yield lambda loss: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    columns = (TextColumn(f"training, seed {seed}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, TextColumn("loss {task.fields[loss]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("epochs", total=epochs, loss="…")
        yield lambda loss: bar.update(task, advance=1, loss=f"{loss:.4g}")
