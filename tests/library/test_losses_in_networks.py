"""Losses at the end of a network, losses of one's own, bad options, and what compiled losses are far from 0."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import symdl as sd
from symdl.compilation.targets.reference import evaluate
from symdl.core.functions import ScalarFunction
from symdl.errors import DataError, DefinitionError, KinkError, ShapeError, SymdlError
from symdl.library.losses import LOSSES

#: Losses that need more than a target and an output.
OF_MORE = {"gaussian_nll", "margin_ranking", "cosine_embedding", "triplet_margin", "info_nce"}
BOXES = {"iou", "giou"}


@pytest.mark.parametrize("name", sorted(set(LOSSES) - OF_MORE))
def test_a_network_ends_in_any_loss_of_a_target_and_an_output(name):
    net = sd.sequential(sd.dense(4 if name in BOXES else None, "sigmoid"), loss=name)
    assert net.target.rank == 0 and {t.name for t in net.inputs} == {"x", "y", "W", "b"}
    assert sd.derive(net, "b").gradient.by_name.keys() >= {"b_bar"}


@pytest.mark.parametrize("name", sorted(OF_MORE))
def test_other_losses_are_refused_with_a_reason(name):
    with pytest.raises(DefinitionError, match=r"not one of a target and an output.*(needs|compares)"):
        sd.sequential(sd.dense(2), loss=name)


def test_reductions_of_a_network(rng):
    """By name the mean is over examples only; PyTorch's is over outputs as well."""
    x, y, W, b = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=(2, 3)), rng.normal(size=2)
    s = torch.tensor(x) @ torch.tensor(W).T + torch.tensor(b)
    given = {"x": x, "y": y, "W": W, "b": b}
    for chosen, factor, options in (
        ("huber", 2, {}),
        (sd.loss("huber"), 1, {}),
        (sd.loss("huber", reduction="batchmean"), 2, {}),
        (sd.loss("huber", reduction="sum"), 1, {"reduction": "sum"}),
        (sd.loss("huber", delta=0.5), 1, {"delta": 0.5}),
    ):
        net = sd.sequential(sd.dense(2), loss=chosen, inputs=3)
        wanted = factor * F.huber_loss(s, torch.tensor(y), **options)
        assert float(evaluate(net, given)["L"][()]) == pytest.approx(wanted.item(), rel=1e-12)


def test_class_weights_are_hyperparameters_of_a_network(rng):
    net = sd.sequential(sd.dense(3), loss=sd.loss("softmax_cross_entropy", target="classes", weights=True), inputs=2)
    arrays = {"x": rng.normal(size=(6, 2)), "y": np.array([0, 2, 1, 1, 0, 2]), "W": rng.normal(size=(3, 2))}
    arrays |= {"b": rng.normal(size=3), "w": np.array([0.5, 1.0, 3.0])}
    given = {n: torch.tensor(a) for n, a in arrays.items()}
    wanted = F.cross_entropy(given["x"] @ given["W"].T + given["b"], given["y"], given["w"])
    assert float(evaluate(net, arrays)["L"][()]) == pytest.approx(wanted.item(), rel=1e-12)


@pytest.mark.parametrize(
    "loss, extra",
    [
        (sd.loss("huber", delta=None), ["delta"]),
        (sd.loss("binary_cross_entropy_logits", axes=2, pos_weight=None), ["pos_weight"]),
        (sd.loss("focal", gamma=None, alpha=None), ["gamma", "alpha"]),
        (sd.loss("tversky", beta=None), ["beta"]),
        (sd.loss("softmax_cross_entropy", label_smoothing=None, weights=True), ["w", "eps"]),
    ],
    ids=lambda value: value.name if isinstance(value, sd.Loss) else "",
)
def test_numbers_that_are_left_open_are_hyperparameters_of_a_network(loss, extra):
    net = sd.sequential(sd.dense(3), loss=loss, inputs=2)
    assert [t.name for t in net.inputs if t.name not in ("x", "y", "W", "b")] == extra
    assert all(t.indices in ((), (net["b"].indices[0],)) for t in net.inputs if t.name in extra)


def test_training_with_classes_by_number(rng):
    """No one-hot targets are needed, and the accuracy is measured."""
    x = rng.normal(size=(60, 2))
    labels = (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)
    net = sd.sequential(sd.dense(3), loss=sd.loss("softmax_cross_entropy", target="classes"), inputs=2)
    fit = sd.train(net, x, labels, epochs=30, batch_size=20, optimizer=sd.adam(0.1), progress=False)
    assert fit.history.training_accuracy[-1] > 0.8
    with pytest.raises(DataError, match=r"y\[4\] is 7"):
        sd.train(net, x, np.where(np.arange(60) == 4, 7, labels), epochs=1, progress=False)


# ── one's own ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_loss_of_ones_own_is_derived_proved_and_usable():
    own = sd.loss("barron", lambda t, y, c=1: sd.sqrt(((t - y) / c) ** 2 + 1) - 1, facts={"c": "positive"}, c=2)
    made = own.definition()
    assert own.source == "the author" and [t.name for t in made.inputs] == ["t", "y"]
    assert sd.equal(sd.derive(made, "y"), sd.derive(made, "y", via="expand")).proved
    net = sd.sequential(sd.dense(2), loss=own)
    (called,) = net.by_name["L"].rhs.atoms(ScalarFunction)  # it loses digits as it is written, so it is kept whole
    assert called.func.__name__ == "barron"
    assert sd.equal(called.defined(), sd.sqrt((called.args[0] / 2) ** 2 + 1) - 1).proved
    open_c = sd.loss("barron", lambda t, y, c=1: sd.sqrt(((t - y) / c) ** 2 + 1) - 1, c=None).definition()
    assert [t.name for t in open_c.inputs] == ["t", "y", "c"]


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: sd.loss("hubber"), DefinitionError, "no loss 'hubber'.*huber"),
        (lambda: sd.sequential(sd.dense(2), loss="hubber"), DefinitionError, "no loss 'hubber'.*huber"),
        (lambda: sd.loss("huber", beta=2), DefinitionError, "huber has no option 'beta'.*delta"),
        (lambda: sd.loss("l2", lambda t, y: t - y), DefinitionError, "is in the library"),
        (lambda: sd.loss("huber", delta=-1), DefinitionError, "delta of loss huber is -1.*above 0"),
        (lambda: sd.loss("quantile", tau=2), DefinitionError, "between 0 and 1"),
        (lambda: sd.loss("huber", delta="wide"), DefinitionError, "delta of loss huber is 'wide'.*a number"),
        (lambda: sd.loss("l2", reduction="max"), DefinitionError, "no reduction 'max'.*batchmean"),
        (lambda: sd.loss("l2", axes=9), DefinitionError, "axes=9.*from 1 to 4"),
        (lambda: sd.loss("cross_entropy", target="labels"), DefinitionError, "no target 'labels'.*classes"),
        (lambda: sd.loss("cross_entropy", ignore_index=3), DefinitionError, "target='classes'"),
        (lambda: sd.loss("multi_margin", power=3), DefinitionError, "power=3.*1 or 2"),
        (lambda: sd.loss("triplet_margin", power=0.5), DefinitionError, "power=0.5.*whole number"),
        (lambda: sd.loss("own", lambda t: t), DefinitionError, "lambda t, y"),
        (lambda: sd.loss("own", lambda t, y: "t - y").definition(), SymdlError, "return an expression"),
        (lambda: sd.loss("own", lambda t, y: sd.absolute(t - y)).definition(), KinkError, "no policy"),
        (lambda: sd.loss("own", lambda t, y: abs(t - y)).definition(), KinkError, "no policy"),
        (lambda: sd.sequential(sd.dense(2), loss=sd.loss("l2", reduction="none")), DefinitionError, "not a number"),
        (lambda: sd.sequential(sd.dense(3), loss="giou"), ShapeError, "no box.*4 units"),
    ],
)
def test_mistakes_are_told(make, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        make()


# ── compiled ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_binary_cross_entropy_of_far_scores():
    """log σ(z) is z where σ(z) is 0 to the last bit, and the slope keeps its digits."""
    code = sd.compile(sd.definition("binary_cross_entropy_logits", reduction="sum", pos_weight=1), wrt="z")
    for z, t, loss, slope in [
        (800.0, 0, 800.0, 1.0),
        (-800.0, 1, 800.0, -1.0),
        (40.0, 1, np.log1p(np.exp(-40)), -np.exp(-40) / (1 + np.exp(-40))),
        (-40.0, 0, np.log1p(np.exp(-40)), np.exp(-40) / (1 + np.exp(-40))),
        (800.0, 1, 0.0, 0.0),
    ]:
        found = code.gradient(t=[float(t)], z=[z])
        assert float(found["L"]) == pytest.approx(loss, rel=1e-15, abs=0)
        assert found["z"][0] == pytest.approx(slope, rel=1e-15, abs=0)


def test_log_cosh_near_and_far():
    code = sd.compile(sd.definition("log_cosh", reduction="none"))
    y = np.array([0.0, 1e-9, -1e-4, 0.3, 1.0, -5.0, 800.0, -1e300])
    exact = evaluate(sd.definition("log_cosh", reduction="none"), {"t": 0 * y[:7], "y_hat": y[:7]})["L"]
    found = code(t=0 * y, y_hat=y)["L"]
    assert found[:7] == pytest.approx([float(v) for v in exact], rel=1e-15, abs=0)
    assert found[7] == 1e300


@pytest.fixture(scope="module")
def classified():
    loss = sd.definition(
        "softmax_cross_entropy", target="classes", weights=True, label_smoothing=0.1, ignore_index=-100
    )
    return sd.compile(loss, wrt="z")


def test_cross_entropy_of_far_scores_with_ignored_rows(classified):
    z = np.array([[0.0, 900.0, -900.0], [1e4, 0.0, 0.0], [1.0, 2.0, 3.0], [0.5, -0.5, 0.0]])
    given = {"z": z, "c": np.array([2, 0, -100, 1]), "w": np.array([0.5, 2.0, 1.0])}
    tensors = {n: torch.tensor(a) for n, a in given.items()}
    tensors["z"].requires_grad_(True)
    wanted = F.cross_entropy(tensors["z"], tensors["c"], tensors["w"], ignore_index=-100, label_smoothing=0.1)
    wanted.backward()
    found = classified.gradient(**given)
    assert float(found["L"]) == pytest.approx(wanted.item(), rel=1e-12)
    np.testing.assert_allclose(found["z"], tensors["z"].grad.numpy(), rtol=0, atol=1e-14)
    assert (found["z"][2] == 0).all()


def test_compiled_losses_are_within_a_few_ulps():
    assert sd.compile(sd.definition("giou"), wrt="y_hat").report.worst < 10
    contrast = sd.loss("info_nce", normalise=True, tau=0.5).definition()
    assert sd.compile(contrast, wrt=["q", "k"]).report.worst < 10
