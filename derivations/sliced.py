"""The lines through the inputs of functions of several numbers along which the gallery draws them, by name."""

from __future__ import annotations

from derivations.slices import Slice
from symdl.library.lines import LINES, Line

#: Ends of a line of probabilities, and how much wider it is drawn.
_LOW, _HIGH, _WIDE = 0.02, 0.98, 5
_OF_SCORES = "by $z_1 = s$, of the scores $(s, 0, 1)$"
_GATE = "The value of the gated unit, blue, and its slope by the gate $s$, red; what it gates is 1"
_CLASS = "The loss of one example of class 1, blue, and its slope, red,"
_SQUARES = "The loss of two squares of side 2, one of them moved by $s$, blue, and its slope by its left edge, red"
_MASK = "The loss of the mask $(1, 0)$ and $p = (s, 1/2)$, blue, and its slope by $s$, red; smoothed by 1"

#: What is seen; "blue" is the value and "red" its slope.
_WORDS = {
    "softmax": f"$p_1$, blue, and its slope, red, {_OF_SCORES}",
    "log_softmax": f"$y_1$, blue, and its slope, red, {_OF_SCORES}",
    "softmin": f"$p_1$, blue, and its slope, red, {_OF_SCORES}",
    "maxout": "The largest of $s$, 1 and $-s$, blue, and its slope by the first of them, red",
    "glu": _GATE,
    "swiglu": _GATE,
    "geglu": _GATE,
    "binary_cross_entropy": "The loss of one entry, blue, and its slope, red, by $p = s$; $t = 1$",
    "cross_entropy": "The loss of one example, blue, and its slope, red, by $p_1 = s$; $y = (1, 0)$",
    "softmax_cross_entropy": f"{_CLASS} {_OF_SCORES}",
    "nll": f"{_CLASS} by $x_1 = s$",
    "softmax_focal": rf"{_CLASS} by $z_1 = s$, of the scores $(s, 0)$; $\gamma = 2$",
    "multi_margin": f"{_CLASS} by $x_1 = s$ of the scores $(s, 0, 1)$",
    "multilabel_margin": f"{_CLASS} by $x_1 = s$ of the scores $(s, 0, 1)$",
    "cosine_embedding": "The loss of $x_1 = (s, 1)$ and $x_2 = (1, 1)$, blue, and its slope by $s$, red; $t = 1$",
    "triplet_margin": "The loss of anchor $(s, 0)$, like $(1, 1)$ and other $(-1, 1)$, blue, and its slope by $s$, red",
    "info_nce": r"The loss of the first of two, blue, and its slope by $q_1 = s$, red; $k = (1, -1)$, $\tau = 1$",
    "jensen_shannon": "The divergence of $p = (s, 1 - s)$ from $(1/2, 1/2)$, blue, and its slope by $p_1$, red",
    "dice": _MASK,
    "tversky": r"The same line as for Dice; $\alpha = 0.3$, $\beta = 0.7$",
    "iou": _SQUARES,
    "giou": _SQUARES,
}
#: Lines that are drawn in the place of the library's own, along which more is proved.
_DRAWN = {
    "triplet_margin": Line(
        lambda s: {"a": [s, 0], "p": [1, 1], "q": [-1, 1], "margin": 1},
        ("a", (0,)),
        "the anchor (s, 0), its like (1, 1) and another (−1, 1)",
        options={"reduction": "none"},
    )
}
#: The smooth ones of probabilities, which have values at both ends.
_CLOSED = ("dice", "tversky")


def _slice(name: str) -> Slice:
    line = _DRAWN.get(name, LINES[name])
    if line.low is None:
        return Slice(line, _WORDS[name])
    low, high = (0.0, 1.0) if name in _CLOSED else (_LOW, _HIGH)
    return Slice(line, _WORDS[name], low, high, _WIDE)


SLICES = {name: _slice(name) for name in LINES}
