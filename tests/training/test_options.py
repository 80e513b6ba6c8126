"""What training can do beside steps: stop early, drop the rate, leave units out, measure, take all rows at once."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import symdl as sd
from symdl.core.define import Hyper, Input, Param, Sum, define, let, mean
from symdl.errors import DataError, DefinitionError, SymdlError
from symdl.library.schedules import Plateau
from symdl.training.initial import initial_parameters
from symdl.training.loop import train
from symdl.training.stopping import Best, Watch, early_stopping


@define
def line(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    y = let("y[n]", Sum(w[i] * x[n, i], i) + b)
    return let("L", mean((t[n] - y[n]) ** 2, n)), y


@pytest.fixture
def points(rng: np.random.Generator) -> tuple[Any, Any]:
    x = rng.normal(size=(60, 2))
    return x, x @ [2.0, -3.0] + 0.5 + 0.3 * rng.normal(size=60)


# ── by the validation loss ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_best_epoch_comes_back(points: tuple[Any, Any]) -> None:
    """Validation targets of another line: the loss falls, and rises again on the way past it."""
    x, t = points
    validation = (x, 0.4 * t)
    options: dict[str, Any] = {"batch_size": 60, "validation": validation, "progress": False, "shuffle": False}
    fit = train(line, x, t, epochs=200, optimizer=sd.sgd(0.05), stopping=early_stopping(4), **options)
    losses = fit.history.validation_loss
    assert losses is not None and fit.best_epoch == int(np.argmin(losses)) + 1 < 50
    assert fit.history.epochs == fit.best_epoch + 4
    assert fit.metrics["validation_loss"] == losses.min()
    until_then = train(line, x, t, epochs=fit.best_epoch, optimizer=sd.sgd(0.05), **options)
    assert until_then.best_epoch is None
    assert until_then.parameters["w"].tobytes() == fit.parameters["w"].tobytes()
    assert fit.measure(*validation)["loss"] == losses.min()


def test_what_counts_as_better() -> None:
    best = Best(early_stopping(2, min_delta=0.1))
    assert [best.note(loss) for loss in (1.0, 0.95, float("nan"), 0.85)] == [True, False, False, True]
    assert best.epoch == 4 and not best.over
    assert not best.note(0.9) and not best.over
    assert not best.note(0.9) and best.over


def test_plateaus_are_those_of_pytorch(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    losses = np.maximum(np.linspace(3, 1, 80), 2) + 0.02 * rng.normal(size=80)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3, threshold=0.01, cooldown=2)
    watch, rate = Watch(Plateau("drops", 3, 0.01, 2)), 1.0
    for loss in losses:
        rate *= 0.5 if watch.note(loss) else 1
        peer.step(loss)
        assert rate == optimizer.param_groups[0]["lr"]
    assert rate < 0.1


def test_a_rate_drops_on_a_plateau(points: tuple[Any, Any]) -> None:
    """Too large a rate: the loss goes up and down until the rate has dropped often enough."""
    x, t = points
    rate = sd.schedules.plateau(0.9, factor=0.5, patience=1, least=0.01)
    options: dict[str, Any] = {"epochs": 30, "batch_size": 3, "validation": (x, t), "progress": False}
    fit = train(line, x, t, optimizer=sd.sgd(rate), **options)
    losses = fit.history.validation_loss
    assert losses is not None and fit.diverged_at is None
    watch, drops = Watch(Plateau("drops", 1, 1e-4, 0)), 0
    for loss in losses:
        drops += watch.note(float(loss))
    assert drops >= 4 and losses[-1] < 0.2 * losses[:5].max()


# ── dropout ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@define
def masked(x=Input("n i"), t=Input("n"), m=Input("n i", mask="keep"), w=Param("i"), keep=Hyper(facts=["positive"])):
    n, i = x.indices
    d = let("d[n,i]", m[n, i] * x[n, i] / keep)
    y = let("y[n]", Sum(w[i] * d[n, i], i))
    return let("L", mean((t[n] - y[n]) ** 2, n)), y


def test_masks_are_drawn_for_every_row_from_the_seed() -> None:
    """With w fixed at (1, 2, 4) and inputs 1 the loss of a batch of one row tells its mask."""
    x, t, keep = np.ones((400, 3)), np.zeros(400), 0.5
    options: dict[str, Any] = {"initial": {"w": [1.0, 2.0, 4.0]}, "hyper": {"keep": keep}, "batch_size": 1}
    options |= {"optimizer": sd.sgd(1e-15), "epochs": 2, "progress": False}
    fit = train(masked, x, t, seed=3, **options)
    codes = np.rint(np.sqrt(fit.history.step_loss) * keep).astype(int)
    kept = (codes[:, None] >> np.arange(3)) & 1
    share = kept.mean(axis=0)
    assert np.abs(share - keep).max() < 5 * np.sqrt(keep * (1 - keep) / 800)
    assert (codes[:400] != codes[400:]).any()
    again, other = (train(masked, x, t, seed=s, **options) for s in (3, 4))
    assert (again.history.step_loss == fit.history.step_loss).all()
    assert (other.history.step_loss != fit.history.step_loss).any()
    # measured and predicted without dropout
    np.testing.assert_allclose(fit.history.training_loss, 49, rtol=1e-9)
    np.testing.assert_allclose(fit.predict(x[:2]), 7, rtol=1e-9)
    np.testing.assert_allclose(fit.measure(x[:5], t[:5])["loss"], 49, rtol=1e-9)


def test_a_network_with_dropout_learns() -> None:
    parts = sd.split(*sd.load_digits(), train=0.8, validation=0.1, test=0.1, seed=0, stratify=True)
    held_out = parts.X_validation, parts.y_validation
    network = sd.sequential(
        sd.dropout(0.1), sd.dense(32, "relu"), sd.dropout(0.2), sd.dense(10), loss="softmax_cross_entropy", inputs=64
    )
    assert [m.name for m in network.masks] == ["m0", "m1"]
    fit = train(
        network,
        parts.X_train,
        parts.y_train,
        epochs=12,
        optimizer=sd.clip_norm(sd.adam(sd.schedules.cosine(5e-3, steps=12 * 45)), 5.0),
        validation=held_out,
        init="he_normal",
        metrics=["f1", "top_2", "roc_auc"],
        progress=False,
    )
    assert fit.metrics["validation_accuracy"] > 0.9
    last = fit.measure(*held_out, ["accuracy", "f1", "top_2", "roc_auc"])
    assert last["accuracy"] == fit.metrics["validation_accuracy"]
    for name in ("f1", "top_2", "roc_auc"):
        assert len(fit.history.metrics[f"training_{name}"]) == 12
        assert last[name] == fit.metrics[f"validation_{name}"] > 0.9
    assert last["top_2"] >= last["accuracy"]
    assert sd.f1(held_out[1], fit.labels(held_out[0])) == last["f1"]


def test_numbers_of_classes_are_labels(rng: np.random.Generator) -> None:
    x = rng.normal(size=(90, 2))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
    loss = sd.loss("softmax_cross_entropy", target="classes", label_smoothing=0.1)
    network = sd.sequential(sd.dense(3), loss=loss, inputs=2)
    fit = train(network, x, y, epochs=30, metrics=["recall"], progress=False)
    assert fit.metrics["training_accuracy"] == np.mean(fit.labels(x) == y) > 0.7
    assert fit.metrics["training_recall"] == sd.recall(y, fit.labels(x))


# ── L-BFGS ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_rows_at_once_find_the_least_squares(points: tuple[Any, Any]) -> None:
    x, t = points
    fit = train(line, x, t, epochs=50, optimizer=sd.lbfgs(), metrics=["r2", "mae"], progress=False)
    exact = np.linalg.lstsq(np.column_stack([x, np.ones(60)]), t, rcond=None)[0]
    np.testing.assert_allclose(np.append(fit.parameters["w"], fit.parameters["b"]), exact, rtol=1e-7)
    assert fit.diverged_at is None and fit.history.epochs < 20
    np.testing.assert_allclose(fit.predict(x), x @ exact[:2] + exact[2], rtol=1e-6)
    assert fit.metrics["training_r2"] == pytest.approx(sd.r2(t, fit.predict(x)), rel=1e-12)


def test_pytorch_comes_to_the_same_minimum(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    x, t = rng.normal(size=(40, 3)), rng.integers(0, 2, 40).astype(float)
    network = sd.sequential(sd.dense(4, "tanh"), sd.dense(1), inputs=3)
    penalty = sd.regularisers.l2(0.1, on=["W1", "W2", "b1", "b2"])
    first = initial_parameters(network, {}, rng)
    options: dict[str, Any] = {"penalty": penalty, "initial": first, "progress": False}
    fit = train(network, x, t[:, None], epochs=500, optimizer=sd.lbfgs(change=0.0), **options)
    tensors = {n: torch.tensor(a, requires_grad=True) for n, a in first.items()}
    theirs = torch.optim.LBFGS(
        tensors.values(), max_iter=500, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Any:
        theirs.zero_grad()
        h = torch.tanh(torch.tensor(x) @ tensors["W1"].T + tensors["b1"])
        error = h @ tensors["W2"].T + tensors["b2"] - torch.tensor(t[:, None])
        loss = (error**2).mean() + 0.05 * sum((p**2).sum() for p in tensors.values())
        loss.backward()
        return loss

    theirs.step(closure)
    assert fit.history.training_loss[-1] == pytest.approx(closure().item(), rel=1e-8)


# ── what does not fit ────────────────────────────────────────────────────────────────────────────────────────────────

X_GOOD, T_GOOD = np.ones((6, 2)), np.arange(6.0)


@pytest.mark.parametrize(
    ("model", "options", "kind", "says"),
    [
        (line, {"stopping": early_stopping(3)}, DataError, "early stopping needs validation data"),
        (line, {"optimizer": sd.sgd(sd.schedules.plateau(0.1))}, DataError, "plateaus needs validation data"),
        (line, {"optimizer": sd.lbfgs(), "batch_size": 3}, DefinitionError, "L-BFGS takes no batches"),
        (line, {"optimizer": "adam"}, DefinitionError, "'adam' is no optimiser"),
        (line, {"validation": np.ones((3, 1))}, DataError, "validation is no pair"),
        (line, {"metrics": ["fl"]}, DataError, "no metric 'fl'"),
        (line, {"metrics": ["f1"]}, DataError, "f1 needs classes"),
        (masked, {"hyper": {"keep": 0.0}}, DataError, "keep = 0.0"),
        (masked, {"hyper": {"keep": 0.5}, "optimizer": sd.lbfgs()}, DefinitionError, "can't train with dropout"),
        (masked, {}, DataError, "'keep' has no value"),
    ],
)
def test_options_that_do_not_fit(model: Any, options: Any, kind: type[SymdlError], says: str) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        train(model, X_GOOD, T_GOOD, **{"epochs": 1, "progress": False, **options})


@pytest.mark.parametrize(
    "make",
    [
        lambda: early_stopping(0),
        lambda: early_stopping(2.5),  # type: ignore[arg-type]
        lambda: early_stopping(3, min_delta=-1),
        lambda: sd.dropout(1.0),
        lambda: sd.lbfgs(history=0),
        lambda: sd.Input("n", mask=0.0),
        lambda: sd.sequential(sd.dense(3), sd.dropout(0.1)),
    ],
)
def test_numbers_out_of_range(make: Any) -> None:
    with pytest.raises(SymdlError):
        make()
