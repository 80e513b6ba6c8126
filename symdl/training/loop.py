"""Training: arrays in, parameters and history out; every epoch is one call of compiled code."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from symdl.compilation.compiled import Compiled
from symdl.compilation.pipeline import DTYPES, compile
from symdl.compilation.precision import Precision
from symdl.core.definitions import Definition
from symdl.errors import DataError, DefinitionError
from symdl.library.initialisers import Initialiser
from symdl.library.optimisers import LBFGS, Optimizer, sgd
from symdl.library.regularisers import Penalty, regularised
from symdl.training.fit import Fit
from symdl.training.initial import initial_parameters
from symdl.training.measures import Metric, chosen
from symdl.training.progress import Progress, bar
from symdl.training.quasi_newton import minimise
from symdl.training.rows import Inputs, Rows, check_alike, kept
from symdl.training.run import Run
from symdl.training.stopping import EarlyStopping

Array = npt.NDArray[Any]
#: Rows in a step, where nothing is said.
BATCH = 32


def train(
    model: Definition | Compiled,
    X: Inputs,
    y: npt.ArrayLike | None = None,
    *,
    epochs: int,
    batch_size: int | None = None,
    optimizer: Optimizer | LBFGS | None = None,
    validation: tuple[Inputs, npt.ArrayLike | None] | Mapping[str, npt.ArrayLike] | None = None,
    seed: int = 0,
    init: str | Initialiser | Mapping[str, str | Initialiser] | None = None,
    initial: Mapping[str, npt.ArrayLike] | None = None,
    hyper: Mapping[str, float] | None = None,
    penalty: Penalty | None = None,
    metrics: Iterable[str | Metric] = (),
    stopping: EarlyStopping | None = None,
    dtype: Literal["float64", "float32"] = "float64",
    shuffle: bool = True,
    progress: Progress = True,
) -> Fit:
    """Train a definition, or what `compile(…, optimizer=…)` made of it, on arrays.

    Args:
        model: its first data input is X and its second is y. Compiled code keeps its dtype and optimiser. Masks
            (`sd.Input("n j", mask=0.8)`, `sd.dropout`) are drawn anew for every row of every batch; wherever a loss or
            a metric is measured and in prediction, they are what they are on average.
        X: inputs, shape (N, …); or a table of all data inputs by name, {"anchor": …, "like": …, "other": …}, where a
            definition has more than two, or others. What does not begin with the axis of the rows is used as a whole.
        y: targets, shape (N, …) as the definition has them; or class labels, shape (N,), where the target of the
            definition sums to one: they are made one-hot.
        epochs: how many times every row is used; with `sd.lbfgs()` how many iterations there are at most.
        batch_size: rows in a step, 32 where none is given; the last batch of an epoch may be smaller.
        optimizer: `sgd(0.1)` where none is given.
        validation: (X, y) to measure on after every epoch, or a table as X.
        seed: of the initial parameters, of the order of the rows and of masks: the same seed gives the same bits.
        init: how weights are drawn, by name or from `sd.initialisers`; or a table of that by parameter.
        initial: parameters to start from; those not given are drawn (see `initial_parameters`).
        hyper: values of the definition's hyperparameters.
        penalty: added to the loss, such as `sd.regularisers.l2(0.01)`; every loss of the history holds it.
        metrics: names of what to measure after every epoch: accuracy, top_K, precision, recall, f1, roc_auc, iou, mse,
            rmse, mae, r2. They are in `fit.history.metrics`.
        stopping: `sd.early_stopping(patience=10)` stops once the validation loss has not fallen for so long, and puts
            the best parameters back.
        dtype: of all numbers.
        shuffle: False takes the rows in order.
        progress: a bar on a terminal; "force" shows it anywhere, False nowhere.

    Returns:
        A `Fit`; after a divergence its `diverged_at` is the step, and its parameters are the last finite ones (the
        best ones with `stopping`).

    Raises:
        DataError, ShapeError: data that cannot be trained on, with the place.
        DefinitionError: a model without data, parameters or a scalar target; options that exclude each other.

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
    >>> again = train(line, {"x": x, "t": 3 * x + 1}, epochs=200, batch_size=5, progress=False)  # by name
    >>> bool(again.parameters["w"] == fit.parameters["w"])
    True
    """
    definition = model.definition if isinstance(model, Compiled) else model
    _check_options(model, epochs, batch_size, optimizer, seed, dtype)
    if penalty is not None:
        definition = model = _with_penalty(model, penalty)
    values = _hyper(definition, {**(hyper or {}), **(penalty.hyper if penalty is not None else {})})
    wanted, held = chosen(metrics), _held_out(validation)
    kept(definition, values)  # what is wrong with a mask is said before anything is compiled
    _check_watched(model.optimizer if isinstance(model, Compiled) else optimizer, stopping, validation is not None)
    used_dtype = model.dtype if isinstance(model, Compiled) else dtype
    data = Rows(definition, X, y, used_dtype, {n: np.shape(a) for n, a in (initial or {}).items()})
    held_out = Rows(definition, *held, used_dtype, data.shapes) if held is not None else None
    if held_out is not None:
        check_alike(data, held_out)
    starts, orders, masks = generators(seed)
    parameters = initial_parameters(definition, data.shapes, starts, used_dtype, initial, init)
    size = min(batch_size or BATCH, data.rows) if not isinstance(optimizer, LBFGS) else data.rows
    code = code_for(model, optimizer, used_dtype, parameters, data, size)
    run = Run(code, parameters, values, data, held_out, masks, wanted, stopping)
    begun = time.perf_counter()
    with bar(progress, epochs, seed) as advance:
        if isinstance(optimizer, LBFGS):
            diverged_at = minimise(run, optimizer, epochs, advance)
        else:
            diverged_at = None
            for _ in range(epochs):
                rows = orders.permutation(data.rows) if shuffle else np.arange(data.rows)
                if not run.epoch(rows, size):
                    diverged_at = run.steps + 1
                    break
                advance(run.curves["training_loss"][-1])
                if run.over:
                    break
    best = run.restore()
    return Fit(parameters, run.history(time.perf_counter() - begun), code, seed, run.hyper, diverged_at, best)


def _check_options(
    model: Definition | Compiled,
    epochs: int,
    batch_size: int | None,
    optimizer: Optimizer | LBFGS | None,
    seed: int,
    dtype: str,
) -> None:
    for name, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if name == "batch_size" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise DataError(f"{name} is {value!r}", where="train", why=f"it is a whole number from {least}")
    if dtype not in DTYPES:
        raise DefinitionError(f"no dtype '{dtype}'", where="train", remedy=f"one of {', '.join(DTYPES)}")
    if isinstance(optimizer, LBFGS) and batch_size is not None:
        raise DefinitionError(
            "L-BFGS takes no batches", where="train", why="it uses all rows in each step", remedy="leave out batch_size"
        )
    if optimizer is not None and not isinstance(optimizer, Optimizer | LBFGS):
        raise DefinitionError(
            f"{optimizer!r} is no optimiser", where="train", remedy="sd.sgd(0.1), sd.adam(), … or sd.lbfgs()"
        )


def _with_penalty(model: Definition | Compiled, penalty: Penalty) -> Definition:
    if isinstance(model, Compiled):
        raise DefinitionError(
            "compiled code can't be given a penalty",
            where="train",
            remedy="compile sd.regularised(definition, penalty), and pass its hyper",
        )
    return regularised(model, penalty)


def _held_out(validation: Any) -> tuple[Inputs, npt.ArrayLike | None] | None:
    """The rows to measure on, as X and y."""
    if validation is None or isinstance(validation, Mapping):
        return None if validation is None else (validation, None)
    if isinstance(validation, tuple | list) and len(validation) == 2:
        return validation[0], validation[1]
    raise DataError(
        "validation is no pair",
        where="train",
        why=f"it is {type(validation).__name__}",
        remedy="pass validation=(X, y), or a table of the inputs by name",
    )


def _check_watched(optimizer: Optimizer | LBFGS | None, stopping: EarlyStopping | None, validated: bool) -> None:
    """What goes by the validation loss needs one."""
    plateaus = isinstance(optimizer, Optimizer) and optimizer.plateaus
    if not validated and (stopping is not None or plateaus):
        raise DataError(
            f"{'early stopping' if stopping is not None else 'a schedule by plateaus'} needs validation data",
            where="train",
            why="it goes by the validation loss",
            remedy="pass validation=(X, y), e.g. from sd.split",
        )


def _hyper(definition: Definition, given: Mapping[str, float]) -> dict[str, float]:
    others = (*definition.data, *definition.masks, *definition.parameters)
    names = [t.name for t in definition.inputs if t not in others]
    for name in sorted(given.keys() ^ set(names)):
        what = f"'{name}' has no value" if name in names else f"'{name}' is no hyperparameter"
        remedy = f"pass hyper with {', '.join(names) or 'nothing'}"
        raise DataError(what, where=f"training {definition.name}", remedy=remedy)
    return dict(given)


def generators(seed: int) -> tuple[np.random.Generator, np.random.Generator, np.random.Generator]:
    """What a seed draws: the initial parameters, the order of the rows, the masks."""
    starts, orders, masks = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    return starts, orders, masks


def code_for(
    model: Definition | Compiled,
    optimizer: Optimizer | LBFGS | None,
    dtype: str,
    parameters: Mapping[str, Array],
    data: Rows,
    batch_size: int,
    target: str = "numba",
    products: Precision = "exact",
) -> Compiled:
    """The compiled training loop, planned for the extents of the data; by `sgd(0.1)` where no optimiser is given."""
    if isinstance(model, Compiled):
        return _as_it_is(model, optimizer)
    extents = extents_for(model, data, parameters, batch_size)
    wide: Literal["float64", "float32"] = "float32" if dtype == "float32" else "float64"
    if isinstance(optimizer, LBFGS):
        return compile(model, wrt=[p.name for p in model.parameters], dtype=wide, extents=extents, predict=True)
    rule = optimizer if optimizer is not None else sgd(0.1)
    return compile(model, optimizer=rule, dtype=wide, extents=extents, target=target, products=products)


def extents_for(model: Definition, data: Rows, parameters: Mapping[str, Array], batch_size: int) -> dict[str, int]:
    """The lengths to expect, by index name: those of the arrays, and of the batches."""
    extents: dict[str, int] = {}
    for tensor in model.inputs:
        array = data.arrays.get(tensor.name, parameters.get(tensor.name))
        if array is not None:
            extents.update(zip((i.name for i in tensor.indices), array.shape, strict=True))
    extents[model.data[0].indices[0].name] = batch_size
    return extents


def _as_it_is(model: Compiled, optimizer: Optimizer | LBFGS | None) -> Compiled:
    """Code that was compiled before, if it can do what is asked for."""
    if isinstance(optimizer, LBFGS):
        if set(model.program.gradients) != {p.name for p in model.definition.parameters}:
            raise DefinitionError(
                "the compiled code has no gradient by all parameters", remedy="compile it with wrt=[…] or an optimizer"
            )
        return model
    if model.optimizer is None:
        raise DefinitionError("the compiled code can't train", remedy="compile it with optimizer=sd.sgd(0.1)")
    if optimizer is not None:
        raise DefinitionError("two optimisers", why="compiled code has its own", remedy="leave out optimizer")
    return model
