"""Many models of one definition, trained beside each other: seeds, folds and settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from symdl.compilation import team
from symdl.compilation.compiled import Compiled
from symdl.compilation.cuda_models import Batch
from symdl.compilation.cuda_session import TrainingProgram
from symdl.compilation.precision import Precision
from symdl.compilation.runtime import Training, prepared
from symdl.core.definitions import Definition
from symdl.errors import DataError, DefinitionError, UnsupportedError
from symdl.library.optimisers import Optimizer
from symdl.training.initial import initial_parameters
from symdl.training.loop import BATCH, code_for, generators
from symdl.training.rows import Rows

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ManyFits:
    """Models that were trained beside each other; every array has one line for each of them.

    Args:
        parameters: by name; of a model that diverged the last finite ones.
        loss: the mean loss of the steps of each epoch, each step weighted by its rows; shape (models, epochs). NaN from
            the epoch in which a model diverged.
        steps: how many steps each completed.
        seeds: of each.
        settings: what was varied, by name.
        code: that trained them.
    """

    parameters: dict[str, Array]
    loss: Array
    steps: npt.NDArray[np.int64]
    seeds: tuple[int, ...]
    settings: dict[str, Array]
    code: Compiled

    def __len__(self) -> int:
        return len(self.seeds)

    def __repr__(self) -> str:
        last = self.loss[~self.diverged, -1]
        told = f"loss {last.min():.4g} to {last.max():.4g}, model {self.best} the least" if len(last) else "no loss"
        lost = f", {int(self.diverged.sum())} diverged" if self.diverged.any() else ""
        count = f"{len(self)} model{'s' * (len(self) > 1)}"
        return f"ManyFits({self.code.definition.name}, {count}, {told}{lost})"

    @property
    def best(self) -> int:
        """The model with the least loss in the last epoch.

        Raises:
            DataError: all of them diverged.
        """
        if self.diverged.all():
            raise DataError("every model diverged", where="train_many", remedy="give a smaller lr")
        return int(np.nanargmin(self.loss[:, -1]))

    def predict(self, X: npt.ArrayLike, model: int | None = None) -> Array:
        """The prediction of one model, the best one where none is given, for rows of inputs, shape (N, …).

        Raises:
            DefinitionError: the definition returns nothing but its loss.
            DataError, ShapeError: inputs that do not fit.
        """
        chosen = self.best if model is None else model
        known = {**self.parameters_of(chosen), **{n: v[chosen] for n, v in self.settings.items()}}
        known[self.code.definition.data[0].name] = X
        signature = self.code.program.functions.get("predict")
        used = known if signature is None else signature.inputs
        return next(iter(self.code.predict(**{n: known[n] for n in used if n in known}).values()))

    @property
    def diverged(self) -> npt.NDArray[np.bool_]:
        """Which models stopped because a loss or a parameter was not finite."""
        return np.isnan(self.loss[:, -1])

    def parameters_of(self, model: int) -> dict[str, Array]:
        """The parameters of one model, as `sd.train` returns them."""
        return {n: np.array(a[model]) for n, a in self.parameters.items()}


def train_many(
    model: Definition | Compiled,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    epochs: int,
    seeds: Sequence[int],
    hyperparameters: Mapping[str, npt.ArrayLike] | None = None,
    folds: Sequence[npt.ArrayLike] | None = None,
    batch_size: int | None = None,
    optimizer: Optimizer | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    target: str = "numba",
    products: Precision = "exact",
    shuffle: bool = True,
) -> ManyFits:
    """Train one model for each seed, all on the same data; model k is what `sd.train(…, seed=seeds[k])` gives.

    On a GPU (`target="cuda"`) all models take an epoch in one launch, each in a block of its own, in its shared memory
    where it fits; on the processor threads take one model after the other.

    Args:
        model: a definition, or what `compile(…, optimizer=…)` made of it, which keeps its target.
        X, y: as `sd.train` takes them.
        epochs: how many times each model uses its rows.
        seeds: of the initial parameters and of the order of the rows; one for each model.
        hyperparameters: of the definition or of the optimiser, by name: a number for all models, or one for each.
        folds: for each model the rows that it trains on, all equally many; every row where none are given.
        batch_size: rows in a step, 32 where none is given.
        optimizer: `sgd(0.1)` where none is given.
        dtype: of all numbers.
        target: "numba" or "cuda".
        products: of large matrices on a GPU, as `sd.compile` takes it.
        shuffle: False takes the rows in order.

    Raises:
        DataError, ShapeError: data that cannot be trained on; numbers of models that disagree.
        DefinitionError, UnsupportedError: a definition without a loss, or with masks, which are drawn for one model.
        BudgetError: the GPU has too little memory.

    >>> from symdl.core.define import define, Input, Param, let, mean
    >>> @define
    ... def line(x=Input("n"), t=Input("n"), w=Param(), b=Param()):
    ...     (n,) = x.indices
    ...     a = let("a[n]", w * x[n] + b)
    ...     return let("L", mean((t[n] - a[n]) ** 2, n)), a
    >>> x = np.linspace(-1, 1, 20)
    >>> fits = train_many(line, x, 3 * x + 1, epochs=100, seeds=[0, 0], hyperparameters={"lr": [0.2, 0.001]})
    >>> print(np.round(fits.parameters["b"], 3), fits.best, np.round(fits.predict([0.0, 1.0]), 3))
    [1.    0.181] 0 [1. 4.]
    """
    definition = model.definition if isinstance(model, Compiled) else model
    if definition.masks:
        raise UnsupportedError(
            f"{definition.name} has masks", where="train_many", remedy="train its models one by one, with sd.train"
        )
    if isinstance(model, Compiled) and (model.optimizer is None or optimizer is not None):
        raise DefinitionError("compiled code trains with the optimiser that it was compiled with", where="train_many")
    if epochs < 1:
        raise DataError(f"epochs={epochs}", where="train_many", remedy="give 1 or more")
    if not len(seeds) or any(s < 0 for s in seeds):
        what = "a seed is negative" if len(seeds) else "there are no seeds, and so no models"
        raise DataError(what, where="train_many", remedy="give one seed for each model, such as seeds=range(10)")
    used = model.dtype if isinstance(model, Compiled) else dtype
    data = Rows(definition, X, y, used, {})
    drawn = [generators(seed) for seed in seeds]
    starts = [initial_parameters(definition, data.shapes, first, used) for first, _, _ in drawn]
    rows = _rows(folds, len(seeds), data.rows)
    size = min(batch_size or BATCH, rows.shape[1])
    code = code_for(model, optimizer, used, starts[0], data, size, target, products)
    settings = _settings(code, hyperparameters or {}, len(seeds))
    models = _Models(code, data, starts, settings, size)
    turns = _Turns([order for _, order, _ in drawn], rows, shuffle, epochs)
    steps, loss = (_on_gpu if isinstance(code.program, TrainingProgram) else _on_processor)(models, turns)
    parameters = {n: np.stack([s[n] for s in models.starts]) for n in starts[0]}
    varied = {n: np.array(v) for n, v in settings.items() if n in (hyperparameters or {})}
    return ManyFits(parameters, loss, steps, tuple(int(s) for s in seeds), varied, code)


@dataclass(frozen=True)
class _Models:
    """What is trained: `starts` are the parameters of each model, changed in place."""

    code: Compiled
    data: Rows
    starts: list[dict[str, Array]]
    settings: dict[str, Array]
    batch_size: int

    def numbers(self, model: int) -> dict[str, Any]:
        """The hyperparameters of the definition, as compiled code takes them."""
        tensors = {t.name: t for t in self.code.definition.inputs}
        own = (n for n in self.settings if n in tensors)
        return {n: prepared(tensors[n], self.settings[n][model], self.code.dtype) for n in own}

    def hyper(self, model: int) -> dict[str, float]:
        """The hyperparameters of the optimiser."""
        assert self.code.optimizer is not None
        return {n: float(self.settings[n][model]) for n in self.code.optimizer.hyper}


@dataclass(frozen=True)
class _Turns:
    """In which order each model takes its rows in each epoch."""

    rules: list[np.random.Generator]
    rows: npt.NDArray[np.int64]
    shuffle: bool
    epochs: int

    @property
    def count(self) -> int:
        return int(self.rows.shape[1])

    def order(self, model: int) -> npt.NDArray[np.int64]:
        rows: npt.NDArray[np.int64] = self.rows[model % len(self.rows)]
        return rows[self.rules[model].permutation(self.count)] if self.shuffle else rows


def _rows(folds: Sequence[npt.ArrayLike] | None, models: int, rows: int) -> npt.NDArray[np.int64]:
    """The rows of each model, or one line for all."""
    if folds is None:
        return np.arange(rows)[None]
    found = [np.asarray(f) for f in folds]
    alike = len({f.shape for f in found}) == 1 and found[0].ndim == 1
    if len(found) != models or not alike or found[0].size == 0 or found[0].dtype.kind not in "iu":
        raise DataError(
            "folds don't fit", where="train_many", why=f"{models} lists of equally many rows are wanted, as integers"
        )
    made = np.stack(found).astype(np.int64)
    if made.min() < 0 or made.max() >= rows:
        raise DataError("a fold has a row that is not there", where="train_many", why=f"rows go from 0 to {rows - 1}")
    return made


def _settings(code: Compiled, given: Mapping[str, npt.ArrayLike], models: int) -> dict[str, Array]:
    """Every hyperparameter of the definition and of the optimiser, one number for each model."""
    definition, optimizer = code.definition, code.optimizer
    assert optimizer is not None
    own = [t.name for t in definition.inputs if t not in (*definition.data, *definition.parameters)]
    values: dict[str, Any] = {**optimizer.hyper, **given}
    for name in [*given, *own]:
        if name not in (*own, *optimizer.hyper) or name not in values:
            raise DataError(
                f"'{name}' " + ("has no value" if name not in values else "is no hyperparameter"),
                where="train_many",
                remedy=f"pass hyperparameters with any of {', '.join((*own, *optimizer.hyper))}",
            )
    found: dict[str, Array] = {}
    for name, value in values.items():
        array = np.asarray(value, np.float64)
        if array.shape not in ((), (models,)) or not np.isfinite(array).all():
            raise DataError(
                f"hyperparameter '{name}' doesn't fit",
                where="train_many",
                why=f"its shape is {array.shape}, and there are {models} models",
                remedy="pass one finite number, or one for each model",
            )
        found[name] = np.broadcast_to(array, (models,))
    return found


def _on_processor(models: _Models, turns: _Turns) -> tuple[npt.NDArray[np.int64], Array]:
    """One model after the other in each thread; compiled code holds no lock."""
    code = models.code
    steps = np.zeros(len(models.starts), np.int64)
    loss = np.full((len(models.starts), turns.epochs), np.nan)

    def one(model: int) -> None:
        arrays = {**models.data.arrays, **models.starts[model], **models.numbers(model)}
        states, hyper = code.start(models.starts[model]), models.hyper(model)
        for epoch in range(turns.epochs):
            order = turns.order(model)
            done, losses = code.program.run_epoch(arrays, states, hyper, order, models.batch_size, int(steps[model]))
            steps[model] += done
            if done < -(-turns.count // models.batch_size):
                return
            loss[model, epoch] = _mean(losses, turns.count, models.batch_size)

    one(0)  # what is compiled at a first call is compiled once
    with team.alone(), ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        list(threads.map(one, range(1, len(models.starts))))
    return steps, loss


def _on_gpu(models: _Models, turns: _Turns) -> tuple[npt.NDArray[np.int64], Array]:
    """All models in one launch for each epoch; where the GPU can't hold all of them, some and then others."""
    code, count = models.code, len(models.starts)
    assert isinstance(code.program, TrainingProgram) and code.optimizer is not None
    stacked = {n: np.stack([s[n] for s in models.starts]) for n in models.starts[0]}
    first = code.start(models.starts[0])
    states = {k: np.repeat(v[None], count, axis=0) for k, v in first.items()}
    batch = Batch(stacked, states, models.settings, models.settings)
    arrays = {**models.data.arrays, **models.starts[0]}
    together = code.program.at_once(arrays, batch, turns.count, models.batch_size)
    steps, loss = np.zeros(count, np.int64), np.full((count, turns.epochs), np.nan)
    for start in range(0, count, together):
        some = slice(start, min(start + together, count))
        session = code.program.session(arrays, batch.some(some.start, some.stop), turns.count, models.batch_size)
        steps[some], loss[some] = _epochs(session, range(some.start, some.stop), models, turns)
    for model, begun in enumerate(models.starts):
        for name, array in begun.items():
            array[...] = stacked[name][model]
    return steps, loss


def _epochs(
    session: Training, which: range, models: _Models, turns: _Turns
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """All epochs of some models: how many steps each completed, and its loss in each epoch."""
    steps, loss = np.zeros(len(which), np.int64), np.full((len(which), turns.epochs), np.nan)
    alike = not turns.shuffle and len(turns.rows) == 1
    for epoch in range(turns.epochs):
        orders = turns.rows if alike else np.stack([turns.order(k) for k in which])
        done, losses = session.epoch(orders)
        steps += done
        whole = done == session.steps
        loss[whole, epoch] = _mean(losses[whole], turns.count, models.batch_size)
    session.finish()
    return steps, loss


def _mean(losses: Array, rows: int, batch_size: int) -> Any:
    """The mean of the losses of steps, each weighted by its rows."""
    weights = np.full(losses.shape[-1], float(batch_size))
    weights[-1] = rows - batch_size * (losses.shape[-1] - 1)
    # a product with a matrix would add up in another order where there are more models
    return (losses.astype(np.float64) * (weights / rows)).sum(axis=-1)
