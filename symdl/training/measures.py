"""Metrics by name, as `sd.train(…, metrics=["f1"])` takes them: what each needs of a prediction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from symdl.errors import DataError, one_of
from symdl.training import classification, metrics

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A metric with a name.

    Args:
        name: as it stands in a history.
        wants: what it compares with the truth: predicted labels, scores of the classes, or the values themselves.
        compute: from truth and prediction to a number.
    """

    name: str
    wants: Literal["labels", "scores", "values"]
    compute: Callable[[Any, Any], float]


METRICS = {
    m.name: m
    for m in (
        Metric("accuracy", "labels", classification.accuracy),
        Metric("precision", "labels", classification.precision),
        Metric("recall", "labels", classification.recall),
        Metric("f1", "labels", classification.f1),
        Metric("iou", "labels", classification.iou),
        Metric("roc_auc", "scores", classification.roc_auc),
        Metric("mse", "values", metrics.mse),
        Metric("rmse", "values", metrics.rmse),
        Metric("mae", "values", metrics.mae),
        Metric("r2", "values", metrics.r2),
    )
}


def metric(name: str) -> Metric:
    """The metric of that name; "top_3" is the share of samples whose class is among the three highest scores.

    Raises:
        DataError: no such metric; the message lists those that there are.

    >>> metric("f1").wants, metric("top_5").wants
    ('labels', 'scores')
    """
    if match := re.fullmatch(r"top_([1-9][0-9]*)", name):
        return Metric(name, "scores", partial(classification.top_k, k=int(match[1])))
    if name not in METRICS:
        raise DataError(f"no metric '{name}'", remedy=one_of(name, METRICS, "top_K"))
    return METRICS[name]


def chosen(names: Iterable[str | Metric]) -> tuple[Metric, ...]:
    """Metrics by name.

    Raises:
        DataError: an unknown name.
    """
    listed = [names] if isinstance(names, str) else names
    return tuple(n if isinstance(n, Metric) else metric(n) for n in listed)


def measured(
    wanted: Sequence[Metric], target: Array | None, labels: Array | None, prediction: Array | None
) -> dict[str, float]:
    """The value of each metric.

    Args:
        wanted: which.
        target: y as the definition takes it.
        labels: the classes, where y stands for such.
        prediction: of the definition.

    Raises:
        DataError: a definition without target or prediction, or a metric that does not fit them.
    """
    if not wanted:
        return {}
    if target is None or prediction is None:
        raise DataError(
            f"{wanted[0].name} can't be measured",
            why="the definition has no target" if target is None else "it returns nothing but its loss",
            remedy="return the prediction beside the loss, and give a target",
        )
    truth, scores = _classes(target, labels, prediction)
    found = {}
    for one in wanted:
        if one.wants == "values":
            found[one.name] = one.compute(target, prediction)
            continue
        if truth is None or scores is None:
            raise DataError(
                f"{one.name} needs classes",
                why=f"the targets, shape {target.shape}, stand for none beside predictions of shape {prediction.shape}",
                remedy="train on class labels with a softmax, on targets 0 and 1 with a sigmoid, or take "
                + ", ".join(n for n, m in METRICS.items() if m.wants == "values"),
            )
        found[one.name] = one.compute(truth, scores if one.wants == "scores" else _label(scores))
    return found


def _classes(target: Array, labels: Array | None, prediction: Array) -> tuple[Array | None, Array | None]:
    """True classes, shape (N,), and scores, shape (N, K); (N,) where there are two classes with one probability."""
    if labels is None and target.dtype.kind in "iu" and prediction.ndim == target.ndim + 1:
        labels = target
    if labels is not None and prediction.ndim == labels.ndim + 1:
        return labels.ravel(), prediction.reshape(-1, prediction.shape[-1])
    binary = target.shape == prediction.shape and np.isin(target, (0, 1)).all()
    if binary and ((prediction >= 0) & (prediction <= 1)).all():
        return target.ravel().astype(np.int64), prediction.ravel()
    return None, None


def _label(scores: Array) -> Array:
    return np.asarray(scores.argmax(axis=-1) if scores.ndim == 2 else scores >= 0.5, dtype=np.int64)
