"""The lines through the inputs of functions of several numbers along which the gallery draws them, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derivations.slices import Slice

_NONE = {"reduction": "none"}
#: Ends of a line of probabilities.
_LOW, _HIGH, _WIDE = 0.02, 0.98, 5


def _scores(s: float) -> Mapping[str, Any]:
    return {"c": 0, "z": [s, 0, 1]}


def _boxes(s: float) -> Mapping[str, Any]:
    return {"t": [0, 0, 2, 2], "y_hat": [s, 0, s + 2, 2]}


def _masks(s: float) -> dict[str, Any]:
    return {"t": [1, 0], "p": [s, 0.5]}


def _gates(s: float) -> Mapping[str, Any]:
    return {"x": [1, s], "W": [[0, 1]], "V": [[1, 0]]}


_OF_SCORES = "by $z_1 = s$, of the scores $(s, 0, 1)$"
_GATE = "The value of the gated unit, blue, and its slope by the gate $s$, red; what it gates is 1"

SLICES = {
    "softmax": Slice(lambda s: {"z": [s, 0, 1]}, ("z", (0,)), (0,), f"$p_1$, blue, and its slope, red, {_OF_SCORES}"),
    "log_softmax": Slice(
        lambda s: {"z": [s, 0, 1]}, ("z", (0,)), (0,), f"$y_1$, blue, and its slope, red, {_OF_SCORES}"
    ),
    "softmin": Slice(lambda s: {"z": [s, 0, 1]}, ("z", (0,)), (0,), f"$p_1$, blue, and its slope, red, {_OF_SCORES}"),
    "maxout": Slice(
        lambda s: {"s": [[s, 1, -s]]},
        ("s", (0, 0)),
        (0,),
        "The largest of $s$, 1 and $-s$, blue, and its slope by the first of them, red",
    ),
    "glu": Slice(lambda s: {"x": [1, s]}, ("x", (1,)), (0,), _GATE),
    "swiglu": Slice(_gates, ("x", (1,)), (0,), _GATE),
    "geglu": Slice(_gates, ("x", (1,)), (0,), _GATE),
    "binary_cross_entropy": Slice(
        lambda s: {"t": 1, "p": s},
        ("p", ()),
        words="The loss of one entry, blue, and its slope, red, by $p = s$; $t = 1$",
        low=_LOW,
        high=_HIGH,
        stretch=_WIDE,
        options=_NONE,
    ),
    "cross_entropy": Slice(
        lambda s: {"y": [1, 0], "p": [s, 1 - s]},
        ("p", (0,)),
        words="The loss of one example, blue, and its slope, red, by $p_1 = s$; $y = (1, 0)$",
        low=_LOW,
        high=_HIGH,
        stretch=_WIDE,
        options=_NONE,
    ),
    "softmax_cross_entropy": Slice(
        lambda s: {"y": [1, 0, 0], "z": [s, 0, 1]},
        ("z", (0,)),
        words=f"The loss of one example of class 1, blue, and its slope, red, {_OF_SCORES}",
        options=_NONE,
    ),
    "nll": Slice(
        lambda s: {"c": 0, "x": [s, -1, -2]},
        ("x", (0,)),
        words="The loss of one example of class 1, blue, and its slope, red, by $x_1 = s$",
        options=_NONE,
    ),
    "softmax_focal": Slice(
        lambda s: {**_scores(s), "gamma": 2},
        ("z", (0,)),
        words=rf"The loss of one example of class 1, blue, and its slope, red, {_OF_SCORES}; $\gamma = 2$",
        options=_NONE,
    ),
    "multi_margin": Slice(
        lambda s: {"c": 0, "x": [s, 0, 1], "m": 1},
        ("x", (0,)),
        words="The loss of one example of class 1, blue, and its slope, red, by $x_1 = s$ of the scores $(s, 0, 1)$",
        options=_NONE,
    ),
    "multilabel_margin": Slice(
        lambda s: {"y": [1, 0, 0], "x": [s, 0, 1]},
        ("x", (0,)),
        words="The loss of one example of class 1, blue, and its slope, red, by $x_1 = s$ of the scores $(s, 0, 1)$",
        options=_NONE,
    ),
    "cosine_embedding": Slice(
        lambda s: {"t": 1, "x1": [s, 1], "x2": [1, 1], "margin": 0},
        ("x1", (0,)),
        words="The loss of $x_1 = (s, 1)$ and $x_2 = (1, 1)$, blue, and its slope by $s$, red; $t = 1$",
        options=_NONE,
    ),
    "triplet_margin": Slice(
        lambda s: {"a": [s, 0], "p": [1, 1], "q": [-1, 1], "margin": 1},
        ("a", (0,)),
        words="The loss of anchor $(s, 0)$, like $(1, 1)$ and other $(-1, 1)$, blue, and its slope by $s$, red",
        options=_NONE,
    ),
    "info_nce": Slice(
        lambda s: {"q": [[s], [1]], "k": [[1], [-1]], "tau": 1},
        ("q", (0, 0)),
        words=r"The loss of the first of two, blue, and its slope by $q_1 = s$, red; $k = (1, -1)$, $\tau = 1$",
        options=_NONE,
        together=True,
    ),
    "jensen_shannon": Slice(
        lambda s: {"p": [s, 1 - s], "q": [0.5, 0.5]},
        ("p", (0,)),
        words="The divergence of $p = (s, 1 - s)$ from $(1/2, 1/2)$, blue, and its slope by $p_1$, red",
        low=_LOW,
        high=_HIGH,
        stretch=_WIDE,
        options=_NONE,
    ),
    "dice": Slice(
        lambda s: {**_masks(s), "smooth": 1},
        ("p", (0,)),
        words="The loss of the mask $(1, 0)$ and $p = (s, 1/2)$, blue, and its slope by $s$, red; smoothed by 1",
        low=0.0,
        high=1.0,
        stretch=_WIDE,
        options=_NONE,
    ),
    "tversky": Slice(
        lambda s: {**_masks(s), "smooth": 1, "alpha": 0.3, "beta": 0.7},
        ("p", (0,)),
        words=r"The same line as for Dice; $\alpha = 0.3$, $\beta = 0.7$",
        low=0.0,
        high=1.0,
        stretch=_WIDE,
        options=_NONE,
    ),
    "iou": Slice(
        _boxes,
        ("y_hat", (0,)),
        words="The loss of two squares of side 2, one of them moved by $s$, blue, and its slope by its left edge, red",
        options=_NONE,
    ),
    "giou": Slice(
        _boxes,
        ("y_hat", (0,)),
        words="The loss of two squares of side 2, one of them moved by $s$, blue, and its slope by its left edge, red",
        options=_NONE,
    ),
}
