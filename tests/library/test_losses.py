"""Losses against PyTorch: value and slopes, at kinks too, with every reduction; both ways of deriving each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from support.peers import agree, both_ways
from torch.nn import functional as F

import symdl as sd
from symdl.core.define import symbol
from symdl.core.tensors import Fact
from symdl.library.activations import sigmoid
from symdl.library.definitions import definition
from symdl.library.losses import LOSSES, log_cosh
from symdl.verification import check_function

X_SYMBOL = symbol("x")
REDUCTIONS = ("mean", "sum", "none")
#: Differences of target and prediction with every kink that a loss has at 0, 1/2, 1 or 3/2 among them.
T = np.array([0.25, 1.0, -0.5, 2.0, 0.75, 0.0, 1.5, -1.25])
Y = T + np.array([0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 0.3, -2.75])
SIGNS = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
BINARY = (SIGNS + 1) / 2
P = np.array([0.1, 0.9, 0.5, 0.25, 0.999, 0.6, 1e-6, 0.7])


@dataclass(frozen=True)
class Case:
    """A loss with options, PyTorch's function of the same tensors and a reduction, and what both are given."""

    name: str
    peer: Callable[..., torch.Tensor]
    arrays: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join([self.name, *[f"{k}={v}" for k, v in self.options.items()]])


def scalar(value: float) -> np.ndarray:
    return np.array(value)


def by(weight: Any, value: torch.Tensor, reduction: str) -> torch.Tensor:
    """A reduction by hand, where PyTorch has the value of one entry only."""
    value = value * weight
    return value.mean() if reduction == "mean" else value.sum() if reduction == "sum" else value


BOTH = ("t", "y_hat")
REGRESSION = [
    Case("l1", lambda t, y_hat, r: F.l1_loss(y_hat, t, reduction=r), {"t": T, "y_hat": Y}, wrt=BOTH),
    Case("l2", lambda t, y_hat, r: F.mse_loss(y_hat, t, reduction=r), {"t": T, "y_hat": Y}, wrt=BOTH),
    *[
        Case(
            "huber",
            lambda t, y_hat, delta, r: F.huber_loss(y_hat, t, delta=delta.item(), reduction=r),
            {"t": T, "y_hat": Y, "delta": scalar(d)},
            wrt=BOTH,
        )
        for d in (0.5, 1.0)
    ],
    *[
        Case(
            "smooth_l1",
            lambda t, y_hat, beta, r: F.smooth_l1_loss(y_hat, t, beta=beta.item(), reduction=r),
            {"t": T, "y_hat": Y, "beta": scalar(b)},
            wrt=BOTH,
        )
        for b in (0.5, 1.0)
    ],
    Case("log_cosh", lambda t, y_hat, r: by(1, torch.log(torch.cosh(y_hat - t)), r), {"t": T, "y_hat": Y}, wrt=BOTH),
    Case(
        "quantile",
        lambda t, y_hat, tau, r: by(1, torch.maximum(tau * (t - y_hat), (tau - 1) * (t - y_hat)), r),
        {"t": T, "y_hat": Y, "tau": scalar(0.3)},
        wrt=BOTH,
    ),
    Case(
        "poisson_nll",
        lambda t, y_hat, r: F.poisson_nll_loss(y_hat, t, log_input=True, reduction=r),
        {"t": np.abs(T), "y_hat": Y},
        wrt=BOTH,
    ),
    Case(
        "poisson_nll",
        lambda t, y_hat, r: F.poisson_nll_loss(y_hat, t, log_input=True, full=True, reduction=r),
        {"t": np.abs(T) + 0.25, "y_hat": Y},
        {"full": True},
        wrt=BOTH,
    ),
    Case(
        "poisson_nll",
        lambda t, y_hat, eps, r: F.poisson_nll_loss(y_hat, t, log_input=False, full=True, eps=eps.item(), reduction=r),
        {"t": np.floor(np.abs(T)), "y_hat": np.abs(Y), "eps": scalar(1e-8)},
        {"log_input": False, "full": True},
        wrt=("y_hat",),
    ),
    *[
        Case(
            "gaussian_nll",
            lambda t, y_hat, v, eps, r, full=full: F.gaussian_nll_loss(y_hat, t, v, full, eps.item(), r),
            {"t": T, "y_hat": Y, "v": P + 1e-3, "eps": scalar(1e-3)},
            {"full": full},
            wrt=("t", "y_hat", "v"),
        )
        for full in (False, True)
    ],
]


def focal_by_hand(t: Any, z: Any, gamma: Any, alpha: Any, r: str) -> torch.Tensor:
    """As torchvision.ops.sigmoid_focal_loss has it."""
    p = torch.sigmoid(z)
    p_t = p * t + (1 - p) * (1 - t)
    value = F.binary_cross_entropy_with_logits(z, t, reduction="none") * (1 - p_t) ** gamma
    return by(alpha * t + (1 - alpha) * (1 - t), value, r)


TWO_CLASSES = [
    Case(
        "binary_cross_entropy",
        lambda t, p, r: F.binary_cross_entropy(p, t, reduction=r),
        {"t": BINARY, "p": P},
        wrt=("p",),
    ),
    Case(
        "binary_cross_entropy_logits",
        lambda t, z, pos_weight, r: F.binary_cross_entropy_with_logits(z, t, pos_weight=pos_weight, reduction=r),
        {"t": BINARY, "z": 20 * Y, "pos_weight": scalar(2.5)},
        wrt=("t", "z"),
    ),
    Case(
        "binary_cross_entropy_logits",
        lambda t, z, pos_weight, r: F.binary_cross_entropy_with_logits(z, t, pos_weight=pos_weight, reduction=r),
        {"t": BINARY.reshape(2, 4), "z": Y.reshape(2, 4), "pos_weight": np.array([0.5, 1, 2, 3])},
        {"axes": 2},
        wrt=("t", "z"),
    ),
    Case(
        "focal",
        focal_by_hand,
        {"t": BINARY, "z": Y, "gamma": scalar(1.7), "alpha": scalar(0.25)},
        wrt=("z",),
    ),
    Case(
        "hinge",
        lambda t, z, margin, r: by(1, F.relu(margin - t * z), r),
        {"t": SIGNS, "z": np.array([1.5, -1.5, -1.5, 0.0, 2.0, 0.5, 1.0, -2.0]), "margin": scalar(1.5)},
        wrt=("z",),
    ),
    Case(
        "squared_hinge",
        lambda t, z, margin, r: by(1, F.relu(margin - t * z) ** 2, r),
        {"t": SIGNS, "z": np.array([1.5, -1.5, -1.5, 0.0, 2.0, 0.5, 1.0, -2.0]), "margin": scalar(1.5)},
        wrt=("z",),
    ),
    Case(
        "hinge_embedding",
        lambda t, d, margin, r: F.hinge_embedding_loss(d, t, margin=margin.item(), reduction=r),
        {"t": SIGNS, "d": np.array([1.5, 1.5, 0.5, 0.0, 2.0, 0.5, 1.0, 2.0]), "margin": scalar(1.5)},
        wrt=("d",),
    ),
]

X = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, 0.25], [-0.75, 3.0, 0.1], [0.2, 0.2, 1.2]])
C = np.array([2, 0, 1, 1])
SHARES = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.125, 0.75], [1.0, 0.0, 0.0]])
W = np.array([0.5, 2.0, 1.25])
LABELS = np.array([[1.0, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1]])


def cross_entropy_peer(ignore: int = -100, smoothing: float = 0.0) -> Callable[..., torch.Tensor]:
    def peer(z: Any, y: Any = None, c: Any = None, w: Any = None, *, r: str) -> torch.Tensor:
        target = c if y is None else y
        return F.cross_entropy(z, target, w, ignore_index=ignore, label_smoothing=smoothing, reduction=r)

    return peer


def focal_of_softmax(z: Any, c: Any, gamma: Any, r: str) -> torch.Tensor:
    p = torch.softmax(z, 1)[torch.arange(4), c]
    return by(1, -((1 - p) ** gamma) * p.log(), r)


def multilabel(y: Any, x: Any, r: str) -> torch.Tensor:
    """PyTorch takes the numbers of the classes that apply, then −1."""
    rows = [[k for k in range(3) if row[k]] for row in y.tolist()]
    numbers = torch.tensor([row + [-1] * (3 - len(row)) for row in rows])
    return F.multilabel_margin_loss(x, numbers, reduction=r)


SEVERAL_CLASSES = [
    Case("cross_entropy", lambda y, p, r: by(1, -(y * p.log()).sum(1), r), {"y": SHARES, "p": np.exp(X)}, wrt=("p",)),
    Case("softmax_cross_entropy", cross_entropy_peer(), {"z": X, "y": SHARES}, wrt=("z", "y")),
    Case("softmax_cross_entropy", cross_entropy_peer(), {"z": X, "c": C}, {"target": "classes"}, ("z",)),
    Case(
        "softmax_cross_entropy",
        cross_entropy_peer(smoothing=0.1),
        {"z": X, "y": SHARES, "w": W},
        {"weights": True, "label_smoothing": 0.1},
        ("z", "y"),
    ),
    Case(
        "softmax_cross_entropy",
        cross_entropy_peer(smoothing=0.1),
        {"z": X, "c": C, "w": W},
        {"target": "classes", "weights": True, "label_smoothing": 0.1},
        ("z",),
    ),
    *[
        Case(
            "softmax_cross_entropy",
            cross_entropy_peer(ignore, smoothing),
            {"z": X, "c": np.where([True, False, True, True], C, ignore), "w": W},
            {"target": "classes", "weights": True, "ignore_index": ignore, "label_smoothing": smoothing},
            ("z",),
        )
        for ignore, smoothing in ((-100, 0), (-100, 0.2), (0, 0), (7, 0.2))
    ],
    Case(
        "nll",
        lambda c, x, w, r: F.nll_loss(x, c, w, ignore_index=1, reduction=r),
        {"c": C, "x": X, "w": W},
        {"weights": True, "ignore_index": 1},
        ("x",),
    ),
    Case("nll", lambda c, x, r: F.nll_loss(x, c, reduction=r), {"c": C, "x": X}, wrt=("x",)),
    Case("softmax_focal", focal_of_softmax, {"z": X, "c": C, "gamma": scalar(2.0)}, wrt=("z",)),
    *[
        Case(
            "multi_margin",
            lambda c, x, w, m, r, p=p: F.multi_margin_loss(x, c, p=p, margin=m.item(), weight=w, reduction=r),
            {"c": C, "x": X, "w": W, "m": scalar(1.0)},
            {"power": p, "weights": True},
            ("x",),
        )
        for p in (1, 2)
    ],
    Case("multilabel_margin", multilabel, {"y": LABELS, "x": X}, wrt=("x",)),
]

X1 = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, 0.25], [-0.75, 3.0, 0.1], [0.2, 0.2, 1.2]])
X2 = np.array([[1.5, 0.3, -2.0], [2.0, 0.0, 0.5], [0.75, 1.0, -0.1], [-0.2, 0.7, 1.0]])
X3 = np.array([[0.25, -1.5, 0.5], [1.5, 1.0, 0.25], [-0.75, 2.5, 0.3], [3.2, 0.2, 0.2]])


def contrast(q: Any, k: Any, tau: Any, r: str, normalise: bool = False, symmetric: bool = False) -> torch.Tensor:
    if normalise:
        q, k = q / q.norm(dim=1, keepdim=True), k / k.norm(dim=1, keepdim=True)
    s, right = q @ k.T / tau, torch.arange(len(q))
    there, back = F.cross_entropy(s, right, reduction=r), F.cross_entropy(s.T, right, reduction=r)
    return (there + back) / 2 if symmetric else there


DISTANCES = [
    Case(
        "margin_ranking",
        lambda t, x1, x2, margin, r: F.margin_ranking_loss(x1, x2, t, margin=margin.item(), reduction=r),
        {"t": SIGNS, "x1": Y, "x2": Y - SIGNS * np.array([0.5, 0, 1, 0.5, -1, 2, 0.25, 0.5]), "margin": scalar(0.5)},
        wrt=("x1", "x2"),
    ),
    *[
        Case(
            "cosine_embedding",
            lambda t, x1, x2, margin, r: F.cosine_embedding_loss(x1, x2, t, margin=margin.item(), reduction=r),
            {"t": np.array([1.0, -1.0, -1.0, -1.0]), "x1": X1, "x2": X2, "margin": scalar(m)},
            wrt=("x1", "x2"),
        )
        for m in (0.0, 0.5)
    ],
    Case(
        "cosine_embedding",
        lambda t, x1, x2, margin, r: F.cosine_embedding_loss(x1, x2, t, margin=margin.item(), reduction=r),
        {"t": np.array([-1.0, 1.0]), "x1": np.array([[1.0, 0], [0, 2]]), "x2": np.array([[0, 3.0], [0, 1]])}
        | {"margin": scalar(0.0)},
        wrt=("x1", "x2"),
    ),
    *[
        Case(
            "triplet_margin",
            lambda a, p, q, margin, r, power=power, swap=swap: F.triplet_margin_loss(
                a, p, q, margin=margin.item(), p=power, swap=swap, reduction=r
            ),
            {"a": X1, "p": X3, "q": X2, "margin": scalar(1.0)},
            {"power": power, "swap": swap},
            ("a", "p", "q"),
        )
        for power, swap in ((1, False), (2, False), (2, True), (3, True))
    ],
    *[
        Case(
            "info_nce",
            lambda q, k, tau, r, o=options: contrast(q, k, tau, r, **o),
            {"q": X1, "k": X2, "tau": scalar(0.7)},
            options,
            ("q", "k"),
        )
        for options in ({}, {"normalise": True, "symmetric": True})
    ],
]

INSIDE = np.array([[0.5, 0.25, 0.25], [0.1, 0.7, 0.2], [0.125, 0.125, 0.75], [0.4, 0.4, 0.2]])


def jensen_shannon(p: Any, q: Any, r: str) -> torch.Tensor:
    """PyTorch's slope of 0 log 0 is not a number, so such summands are left out before they are differentiated."""
    m = (p + q) / 2
    parts = [torch.where(x > 0, x * torch.log(torch.where(x > 0, x, 1) / m), 0) for x in (p, q)]
    return by(0.5, (parts[0] + parts[1]).sum(1), r)


DISTRIBUTIONS = [
    Case("kl_divergence", lambda t, x, r: F.kl_div(x, t, reduction=r), {"t": SHARES, "x": X}, wrt=("x",)),
    Case("kl_divergence", lambda t, x, r: F.kl_div(x, t, reduction=r), {"t": INSIDE, "x": X}, wrt=("t", "x")),
    Case(
        "kl_divergence",
        lambda t, x, r: F.kl_div(x, t, reduction=r, log_target=True),
        {"t": X1, "x": X2},
        {"log_target": True},
        ("t", "x"),
    ),
    Case("jensen_shannon", jensen_shannon, {"p": INSIDE, "q": SHARES}, wrt=("p",)),
    Case("jensen_shannon", jensen_shannon, {"p": INSIDE, "q": INSIDE[::-1].copy()}, wrt=("p", "q")),
]


def overlap(t: Any, p: Any, r: str, found: Any = 0.5, missed: Any = 0.5, smooth: Any = 1, power: int = 1) -> Any:
    hit = (t * p).sum(1)
    both = missed * (t**power).sum(1) + found * (p**power).sum(1) + (1 - missed - found) * hit
    return by(1, 1 - (hit + smooth) / (both + smooth), r)


def boxes(t: Any, y_hat: Any, r: str, hull: bool = True, eps: float = 1e-7) -> torch.Tensor:
    """As torchvision.ops.generalized_box_iou_loss has it."""
    x1, y1, x2, y2 = y_hat.unbind(-1)
    x1g, y1g, x2g, y2g = t.unbind(-1)
    left, top = torch.max(x1, x1g), torch.max(y1, y1g)
    right, bottom = torch.min(x2, x2g), torch.min(y2, y2g)
    inside = (bottom > top) & (right > left)
    shared = torch.where(inside, (right - left) * (bottom - top), torch.zeros_like(left))
    union = (x2 - x1) * (y2 - y1) + (x2g - x1g) * (y2g - y1g) - shared
    value = 1 - shared / (union + eps)
    if hull:
        around = (torch.max(x2, x2g) - torch.min(x1, x1g)) * (torch.max(y2, y2g) - torch.min(y1, y1g))
        value = value + (around - union) / (around + eps)
    return by(1, value, r)


#: Boxes that overlap, that touch, that are apart, that have a side in common, and that are the same.
HERE = np.array([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 2, 2], [0.5, 1, 2, 3]])
THERE = np.array([[1.0, 0.5, 3, 4], [1, 0, 2, 1], [2, 3, 5, 4], [0, 0.5, 1.5, 2], [0.5, 1, 2, 3]])
MASKS = {"t": LABELS, "p": INSIDE}
REGIONS = [
    Case(
        "dice", lambda t, p, smooth, r: overlap(t, p, r, smooth=smooth / 2), {**MASKS, "smooth": scalar(1)}, wrt=("p",)
    ),
    Case(
        "dice",
        lambda t, p, smooth, r: overlap(t, p, r, smooth=smooth / 2, power=2),
        {**MASKS, "smooth": scalar(0.5)},
        {"squared": True},
        ("t", "p"),
    ),
    Case(
        "tversky",
        lambda t, p, alpha, beta, smooth, r: overlap(t, p, r, alpha, beta, smooth),
        {**MASKS, "alpha": scalar(0.3), "beta": scalar(0.7), "smooth": scalar(1)},
        wrt=("t", "p"),
    ),
    Case("iou", lambda t, y_hat, r: boxes(t, y_hat, r, hull=False), {"t": HERE, "y_hat": THERE}, wrt=BOTH),
    Case("giou", boxes, {"t": HERE, "y_hat": THERE}, wrt=BOTH),
]

CASES = [*REGRESSION, *TWO_CLASSES, *SEVERAL_CLASSES, *DISTANCES, *DISTRIBUTIONS, *REGIONS]


FIRST = {case.name: case for case in reversed(CASES)}
#: Every loss with every reduction, and all its other cases with the two that differ in more than a factor.
REDUCED = [(c, r) for c in CASES for r in REDUCTIONS if r != "sum" or c is FIRST[c.name]]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("case, reduction", REDUCED, ids=str)
def test_value_and_slopes_are_those_of_torch(case: Case, reduction: str, rng: np.random.Generator) -> None:
    made = definition(case.name, **case.options, reduction=reduction)
    compiled = reduction == "mean" and case is next(c for c in CASES if c.name == case.name)  # each loss once

    def peer(**given: Any) -> Any:
        return case.peer(**given, r=reduction)

    agree(made, peer, case.arrays, rng, wrt=list(case.wrt), compiled=compiled)


@pytest.mark.parametrize("name", LOSSES)
def test_both_ways_are_proved_equal(name: str) -> None:
    made = definition(name)
    wrt = [t.name for t in made.data if not t.integer and Fact.BOX not in t.facts] or ["y_hat"]
    verdict = both_ways(made, wrt, budget=120)  # boxes have many cases: 5 s, and more on a busy machine
    assert verdict.proved, verdict


OPTIONS = [
    ("softmax_cross_entropy", {"target": "classes"}),
    ("softmax_cross_entropy", {"target": "classes", "weights": True}),
    ("softmax_cross_entropy", {"target": "classes", "label_smoothing": None}),
    ("softmax_cross_entropy", {"weights": True, "label_smoothing": None}),
    ("softmax_cross_entropy", {"target": "classes", "ignore_index": -100, "weights": True, "label_smoothing": 0.1}),
    ("nll", {"weights": True, "ignore_index": 1}),
    ("poisson_nll", {"log_input": False, "full": True}),
    ("kl_divergence", {"log_target": True}),
    ("dice", {"squared": True}),
    ("multi_margin", {"power": 2, "weights": True}),
    ("info_nce", {"symmetric": True}),
]


@pytest.mark.parametrize("name, options", OPTIONS, ids=str)
def test_both_ways_are_proved_equal_with_options(name: str, options: Mapping[str, Any]) -> None:
    made = definition(name, **options)
    verdict = both_ways(made, [t.name for t in made.data if not t.integer], budget=60)
    assert verdict.proved, verdict


def test_a_distance_of_power_three_where_nothing_is_claimed_of_a_division_by_zero() -> None:
    """At a = p the distance is 0, and its slope is 0/0: that case says nothing, and the others are proved."""
    verdict = both_ways(definition("triplet_margin", power=3), ["p", "q"], budget=120)
    assert verdict.proved and "all extents, where both sides are defined" in verdict.scope, verdict


@pytest.mark.parametrize("function", [type(sigmoid(X_SYMBOL)), type(log_cosh(X_SYMBOL, 0))], ids=str)
def test_stable_forms_are_proved(function: Any) -> None:
    claims = check_function(function)
    assert claims and all(v.proved for v in claims.values()), claims


def test_a_class_that_there_is_not_is_an_error_with_smoothing_too() -> None:
    code = sd.compile(definition("softmax_cross_entropy", target="classes", label_smoothing=0.1))
    with pytest.raises(sd.errors.DataError, match=r"c\[1\] is 5.*axis k, which runs from 0 to 2"):
        code(z=np.zeros((2, 3)), c=np.array([0, 5]))


def test_scores_are_any_numbers() -> None:
    """What is stated of probabilities is not stated of the scores that they come from."""
    for options in ({}, {"target": "classes"}, {"label_smoothing": 0.1}):
        assert not definition("softmax_cross_entropy", **options)["z"].facts
    assert definition("cross_entropy", target="classes")["p"].facts == {Fact.POSITIVE}


def test_every_loss_is_compared() -> None:
    assert {case.name for case in CASES} == set(LOSSES)


def test_the_rest_of_the_hull_is_that_of_the_paper():
    """Rezatofighi et al., algorithm 1: the area of the hull less that of the union."""

    @sd.define
    def paper(t=sd.Input("n c=4", facts=["box"]), y_hat=sd.Input("n c=4", facts=["box"])):
        n, _ = t.indices
        ends = [[which(t[n, c], y_hat[n, c], kink="mid") for c in range(4)] for which in (sd.minimum, sd.maximum)]
        (low, high), (t_area, y_area) = ends, [(b[n, 2] - b[n, 0]) * (b[n, 3] - b[n, 1]) for b in (t, y_hat)]
        sides = [sd.let(f"{m}[n]", low[c + 2] - high[c])[n] for c, m in enumerate("uv")]
        shared = sd.maximum(sides[0], 0, kink="left") * sd.maximum(sides[1], 0, kink="left")
        hull = (high[2] - low[0]) * (high[3] - low[1])
        return sd.let("D[n]", hull - (t_area + y_area - shared))

    ours = sd.definition("giou").only(["D"])
    assert sd.equal(ours, paper).require().status == "proved"
