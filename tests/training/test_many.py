"""Many models at once: each one is what `sd.train` makes of its seed, fold and settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.errors import DataError, DefinitionError, UnsupportedError
from symdl.library.layers import dense, sequential
from symdl.training.many import ManyFits, train_many

ROWS = 21
NETWORK = sequential(dense(4, "tanh"), dense(2), loss="mse", name="small")


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(ROWS, 3))
    return X, np.tanh(X[:, :2])


@pytest.fixture(scope="module")
def fits(data: tuple[Any, Any]) -> ManyFits:
    return train_many(NETWORK, *data, epochs=3, seeds=[5, 6, 5], hyperparameters={"lr": [0.1, 0.1, 0.02]}, batch_size=4)


@pytest.mark.parametrize(("model", "seed", "rate"), [(0, 5, 0.1), (1, 6, 0.1), (2, 5, 0.02)])
def test_each_model_is_what_train_makes_of_it(
    model: int, seed: int, rate: float, fits: ManyFits, data: tuple[Any, Any]
) -> None:
    alone = sd.train(NETWORK, *data, epochs=3, seed=seed, optimizer=sd.sgd(rate), batch_size=4, progress=False)
    for name, value in fits.parameters_of(model).items():
        assert value.tobytes() == alone.parameters[name].tobytes()
    weights = np.tile([4, 4, 4, 4, 4, 1], 3) / ROWS
    expected = (alone.history.step_loss * weights).reshape(3, 6).sum(axis=1)
    np.testing.assert_allclose(fits.loss[model], expected, rtol=1e-12)
    assert fits.steps[model] == 18
    assert not fits.diverged[model]
    np.testing.assert_array_equal(fits.predict(data[0], model), alone.predict(data[0]))


def test_folds_say_which_rows_a_model_sees(data: tuple[Any, Any]) -> None:
    X, y = data
    folds = [np.arange(10), np.arange(11, 21)]
    found = train_many(NETWORK, X, y, epochs=1, seeds=[1, 1], folds=folds, batch_size=5, shuffle=False)
    for model, fold in enumerate(folds):
        alone = sd.train(NETWORK, X[fold], y[fold], epochs=1, seed=1, batch_size=5, shuffle=False, progress=False)
        for name, value in found.parameters_of(model).items():
            np.testing.assert_array_equal(value, alone.parameters[name])


def test_a_model_that_diverges_stops_and_the_others_go_on(data: tuple[Any, Any]) -> None:
    found = train_many(NETWORK, *data, epochs=2, seeds=[1, 2], hyperparameters={"lr": [1e200, 0.1]}, batch_size=4)
    assert found.diverged.tolist() == [True, False]
    assert found.steps[1] == 12
    assert found.steps[0] < 12
    assert all(np.isfinite(p).all() for p in found.parameters.values())
    assert found.best == 1
    np.testing.assert_array_equal(found.predict(data[0]), found.predict(data[0], 1))
    least = f"{found.loss[1, 1]:.4g}"
    assert repr(found) == f"ManyFits(small, 2 models, loss {least} to {least}, model 1 the least, 1 diverged)"
    lost = train_many(NETWORK, *data, epochs=1, seeds=[1], hyperparameters={"lr": 1e200}, batch_size=4)
    assert repr(lost) == "ManyFits(small, 1 model, no loss, 1 diverged)"
    with pytest.raises(DataError, match="every model diverged"):
        lost.predict(data[0])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seeds": []}, "there are no seeds"),
        ({"seeds": [-1]}, "a seed is negative"),
        ({"seeds": [1, 2], "hyperparameters": {"lr": [0.1, 0.2, 0.3]}}, "doesn't fit"),
        ({"seeds": [1], "hyperparameters": {"lr": np.nan}}, "doesn't fit"),
        ({"seeds": [1], "hyperparameters": {"speed": 0.1}}, "no hyperparameter"),
        ({"seeds": [1, 2], "folds": [[0, 1]]}, "folds don't fit"),
        ({"seeds": [1, 2], "folds": [[0, 1], [2]]}, "folds don't fit"),
        ({"seeds": [1], "folds": [[0, ROWS]]}, "a row that is not there"),
    ],
)
def test_what_does_not_fit_is_told(options: dict[str, Any], told: str, data: tuple[Any, Any]) -> None:
    with pytest.raises(DataError, match=told):
        train_many(NETWORK, *data, epochs=1, **options)


def test_compiled_code_keeps_its_optimiser_and_masks_are_refused(data: tuple[Any, Any]) -> None:
    code = sd.compile(NETWORK, optimizer=sd.sgd(0.1))
    with pytest.raises(DefinitionError, match="the optimiser"):
        train_many(code, *data, epochs=1, seeds=[1], optimizer=sd.sgd(0.1))
    dropped = sequential(dense(4, "tanh"), sd.dropout(0.5), dense(2), loss="mse", name="dropped")
    with pytest.raises(UnsupportedError, match="masks"):
        train_many(dropped, *data, epochs=1, seeds=[1])
