"""Lines through the inputs of functions of several numbers: one number runs, the others stay or follow.

Along them the gallery draws these functions, and `symdl properties` says what is so of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Line:
    """A line through the inputs of a definition.

    Args:
        given: the number s that runs → the inputs of one example, by name, without the axis of the examples; parameters
            as they are.
        wrt: the input whose entry runs, and its place.
        told: what runs and what stays, in words.
        value: the place of the entry that is looked at; () where an example has one value.
        low, high: the ends of the line, where a function has no value beyond; None: there are none.
        options: of the definition.
        together: whether an input has all examples, the first of which is meant.
    """

    given: Callable[[Any], Mapping[str, Any]]
    wrt: tuple[str, tuple[int, ...]]
    told: str
    value: tuple[int, ...] = ()
    low: int | None = None
    high: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    together: bool = False


_NONE = {"reduction": "none"}


def _boxes(s: Any) -> Mapping[str, Any]:
    return {"t": [0, 0, 2, 2], "y_hat": [s, 0, s + 2, 2]}


def _gates(s: Any) -> Mapping[str, Any]:
    return {"x": [1, s], "W": [[0, 1]], "V": [[1, 0]]}


_SQUARES = "two squares of side 2, one of them moved by s"
_SCORES = "the scores (s, 0, 1), of which the first is meant"

LINES = {
    "softmax": Line(lambda s: {"z": [s, 0, 1]}, ("z", (0,)), _SCORES, (0,)),
    "log_softmax": Line(lambda s: {"z": [s, 0, 1]}, ("z", (0,)), _SCORES, (0,)),
    "softmin": Line(lambda s: {"z": [s, 0, 1]}, ("z", (0,)), _SCORES, (0,)),
    "maxout": Line(lambda s: {"s": [[s, 1, -s]]}, ("s", (0, 0)), "the largest of s, 1 and −s", (0,)),
    "glu": Line(lambda s: {"x": [1, s]}, ("x", (1,)), "the gate s, of the value 1", (0,)),
    "swiglu": Line(_gates, ("x", (1,)), "the gate s, of the value 1", (0,)),
    "geglu": Line(_gates, ("x", (1,)), "the gate s, of the value 1", (0,)),
    "binary_cross_entropy": Line(
        lambda s: {"t": 1, "p": s}, ("p", ()), "p = s, where t = 1", low=0, high=1, options=_NONE
    ),
    "cross_entropy": Line(
        lambda s: {"y": [1, 0], "p": [s, 1 - s]},
        ("p", (0,)),
        "p = (s, 1 − s), where y = (1, 0)",
        low=0,
        high=1,
        options=_NONE,
    ),
    "softmax_cross_entropy": Line(
        lambda s: {"y": [1, 0, 0], "z": [s, 0, 1]}, ("z", (0,)), "the scores (s, 0, 1), of class 1", options=_NONE
    ),
    "nll": Line(lambda s: {"c": 0, "x": [s, -1, -2]}, ("x", (0,)), "x = (s, −1, −2), of class 1", options=_NONE),
    "softmax_focal": Line(
        lambda s: {"c": 0, "z": [s, 0], "gamma": 2},
        ("z", (0,)),
        "the scores (s, 0), of class 1",
        options=_NONE,
    ),
    "multi_margin": Line(
        lambda s: {"c": 0, "x": [s, 0, 1], "m": 1}, ("x", (0,)), "the scores (s, 0, 1), of class 1", options=_NONE
    ),
    "multilabel_margin": Line(
        lambda s: {"y": [1, 0, 0], "x": [s, 0, 1]}, ("x", (0,)), "the scores (s, 0, 1), of class 1", options=_NONE
    ),
    "cosine_embedding": Line(
        lambda s: {"t": 1, "x1": [s, 1], "x2": [1, 1], "margin": 0},
        ("x1", (0,)),
        "the vectors (s, 1) and (1, 1), where t = 1",
        options=_NONE,
    ),
    "triplet_margin": Line(
        lambda s: {"a": [0, 0], "p": [s, 0], "q": [2, 0], "margin": 1},
        ("p", (0,)),
        "the anchor (0, 0), its like (s, 0) and another (2, 0)",
        options=_NONE,
    ),
    "info_nce": Line(
        lambda s: {"q": [[s], [1]], "k": [[1], [-1]], "tau": 1},
        ("q", (0, 0)),
        "the first of two, q = s, where k = (1, −1)",
        options=_NONE,
        together=True,
    ),
    "jensen_shannon": Line(
        lambda s: {"p": [s, 1 - s], "q": ["1/2", "1/2"]},
        ("p", (0,)),
        "p = (s, 1 − s) and (1/2, 1/2)",
        low=0,
        high=1,
        options=_NONE,
    ),
    "dice": Line(
        lambda s: {"t": [1, 0], "p": [s, "1/2"], "smooth": 1},
        ("p", (0,)),
        "p = (s, 1/2), of the mask (1, 0)",
        low=0,
        high=1,
        options=_NONE,
    ),
    "tversky": Line(
        lambda s: {"t": [1, 0], "p": [s, "1/2"], "smooth": 1, "alpha": "3/10", "beta": "7/10"},
        ("p", (0,)),
        "p = (s, 1/2), of the mask (1, 0)",
        low=0,
        high=1,
        options=_NONE,
    ),
    "iou": Line(_boxes, ("y_hat", (0,)), _SQUARES, options=_NONE),
    "giou": Line(_boxes, ("y_hat", (0,)), _SQUARES, options=_NONE),
}

#: Further lines of a loss, on which it bends another way.
MORE: Mapping[str, tuple[Line, ...]] = {
    "dice": (
        replace(
            LINES["dice"],
            given=lambda s: {"t": [1, 0], "p": ["1/2", s], "smooth": 1},
            told="p = (1/2, s), of the mask (1, 0)",
        ),
    ),
    "tversky": (
        replace(
            LINES["tversky"],
            given=lambda s: {"t": [1, 0], "p": ["1/2", s], "smooth": 1, "alpha": "3/10", "beta": "7/10"},
            told="p = (1/2, s), of the mask (1, 0)",
        ),
    ),
}
