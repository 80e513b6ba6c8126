"""The same training in scikit-learn's `MLPRegressor` and `MLPClassifier`: dense layers, an epoch a call."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.workloads.by_hand import Trained
from benchmarks.workloads.networks import BETAS, EPS, Arrays, Network


class _Losses:
    """Keeps the loss of every batch, of which scikit-learn keeps the mean of an epoch."""

    def _backprop(self, *arguments: Any) -> Any:
        found = super()._backprop(*arguments)  # type: ignore[misc]
        self.losses.append(found[0])  # type: ignore[attr-defined]
        return found


class _Regressor(_Losses, MLPRegressor):
    pass


class _Classifier(_Losses, MLPClassifier):
    pass


def training(work: Network, dtype: str) -> Trained:
    """`partial_fit` on all rows of the epoch.

    scikit-learn descends half the sum of squares over outputs, half of ours, and tells the mean over outputs: plain
    descent gets twice the rate. Adam's steps do not change with the scale of a loss but for epsilon, which
    scikit-learn adds before the root is corrected for its start, so that curves are some 1e-6 apart.
    """
    assert not work.models, "one network"
    squared = work.loss == "mse"
    half = 2 if squared else 1
    model = (_Regressor if squared else _Classifier)(
        hidden_layer_sizes=work.sizes[1:-1],
        activation=work.activation,
        solver="adam" if work.adam else "sgd",
        learning_rate_init=work.rate if work.adam else work.rate * half,
        batch_size=work.batch,
        alpha=0.0,
        momentum=0.0,
        nesterovs_momentum=False,
        shuffle=False,
        beta_1=BETAS[0],
        beta_2=BETAS[1],
        epsilon=EPS / half,
    )
    x, y = work.data(dtype)
    if not squared:
        y = y.argmax(axis=1)
    elif work.sizes[-1] == 1:
        y = y[:, 0]
    classes = {} if squared else {"classes": np.arange(work.sizes[-1])}

    def run(arrays: Arrays) -> Any:
        model.losses = []
        if not hasattr(model, "coefs_"):  # the first call draws parameters, which the next lines replace
            model.partial_fit(x[: work.batch], y[: work.batch], **classes)
            model.losses.clear()
        model.coefs_ = [arrays[f"W{k}"].T.copy() for k in work.layers]
        model.intercepts_ = [arrays[f"b{k}"].copy() for k in work.layers]
        del model._optimizer  # made anew for these parameters, its moments 0
        model.partial_fit(x, y, **classes)
        return np.array(model.losses) * (half * work.sizes[-1] if squared else 1)

    return run
