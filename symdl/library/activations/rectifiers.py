"""Two straight lines that meet, or a step: the ReLU and its kin.

At a kink each has the slope that PyTorch chooses: that of the side where the unit is off.
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import LECTURE, Activation

_TORCH_AT_0 = "slope 0 at 0 (the left one), as PyTorch chooses"


def _leaky(x: sympy.Expr, alpha: sympy.Expr) -> sympy.Expr:
    """α x for x < 0, x for x > 0."""
    return switch(x, alpha * x, x, kink="left")


def _leaky_slope(x: sympy.Expr, alpha: sympy.Expr) -> sympy.Expr:
    return switch(x, alpha, 1, kink="left")


def box(x: sympy.Expr, low: sympy.Expr, high: sympy.Expr, inside: sympy.Expr, above: sympy.Expr) -> sympy.Expr:
    """0 for x ≤ low, `inside` for low < x < high, `above` for x ≥ high: the slope of what is clipped."""
    return switch(x - low, 0, switch(x - high, inside, above, kink="right"), kink="left")


def clip(x: sympy.Expr, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    """x within low … high, its slope 0 at both ends."""
    return switch(x - low, low, switch(x - high, x, high, kink="right"), kink="left")


_Step: Any = scalar_function(
    "binary_step",
    lambda x: switch(x, 0, 1, kink="right"),
    slope=lambda x: sympy.S.Zero,
    latex=r"\operatorname{step}",
    source="McCulloch and Pitts 1943 (Bulletin of Mathematical Biophysics 5): a neuron fires or does not",
)

_ReLU: Any = scalar_function(
    "relu",
    lambda x: switch(x, 0, x, kink="left"),
    slope=lambda x: switch(x, 0, 1, kink="left"),
    latex=r"\operatorname{ReLU}",
    source="L17 of the lecture; slope 0 at 0, as PyTorch and JAX choose",
)

ReLU6: Any = scalar_function(
    "relu6",
    lambda x: clip(x, sympy.S.Zero, sympy.Integer(6)),
    slope=lambda x: box(x, sympy.S.Zero, sympy.Integer(6), sympy.S.One, sympy.S.Zero),
    latex=r"\operatorname{ReLU6}",
    source="Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10: min(max(0, x), 6)",
)

_LeakyReLU: Any = scalar_function(
    "leaky_relu",
    _leaky,
    slope=_leaky_slope,
    latex=r"\operatorname{LReLU}",
    source="L18 of the lecture; slope α at 0, as PyTorch chooses",
)

_PReLU: Any = scalar_function(
    "prelu",
    _leaky,
    slope=_leaky_slope,
    latex=r"\operatorname{PReLU}",
    source="He, Zhang, Ren and Sun 2015 (arXiv 1502.01852), equation 1: the slope α for x < 0 is learned",
)

_RReLU: Any = scalar_function(
    "rrelu",
    lambda x, lower, upper: _leaky(x, (lower + upper) / 2),
    slope=lambda x, lower, upper: _leaky_slope(x, (lower + upper) / 2),
    latex=r"\operatorname{RReLU}",
    source="Xu, Wang, Chen and Li 2015 (arXiv 1505.00853): in prediction, the mean of the drawn slopes",
)

_Threshold: Any = scalar_function(
    "threshold",
    lambda x, threshold, value: switch(x - threshold, value, x, kink="left"),
    slope=lambda x, threshold, value: switch(x - threshold, 0, 1, kink="left"),
    latex=r"\operatorname{threshold}",
    source="torch.nn.Threshold: x above the threshold, else the value; Keras has ThresholdedReLU with 1 and 0",
)

identity = Activation(
    "identity",
    lambda x: x,
    lambda x: x,
    "the lecture's worked example",
    summary="the sum itself",
)
binary_step = Activation(
    "binary_step",
    _Step.definition,
    _Step,
    _Step.source,
    "1 at 0 (the right value); its slope is 0 everywhere",
    summary="0 for x < 0, 1 from 0 on: a unit that fires or does not",
)
relu = Activation(
    "relu",
    _ReLU.definition,
    _ReLU,
    LECTURE,
    _TORCH_AT_0,
    summary="x where it is positive, else 0",
)
relu6 = Activation(
    "relu6",
    ReLU6.definition,
    ReLU6,
    ReLU6.source,
    "slope 0 at 0 and at 6, as PyTorch chooses",
    summary="x cut off at 0 and at 6",
)
leaky_relu = Activation(
    "leaky_relu",
    _LeakyReLU.definition,
    _LeakyReLU,
    LECTURE,
    "slope α at 0 (the left one), as PyTorch chooses",
    {"alpha": sympy.Rational(1, 100)},
    summary="the ReLU with a small slope α for x < 0",
)
prelu = Activation(
    "prelu",
    _PReLU.definition,
    _PReLU,
    _PReLU.source,
    "slope α at 0 (the left one), as PyTorch chooses",
    {"alpha": None},
    {"alpha": sympy.Rational(1, 4)},
    summary="the leaky ReLU whose slope α for x < 0 is learned",
)
rrelu = Activation(
    "rrelu",
    _RReLU.definition,
    _RReLU,
    _RReLU.source,
    "the left slope at 0, as PyTorch chooses",
    {"lower": sympy.Rational(1, 8), "upper": sympy.Rational(1, 3)},
    summary="the leaky ReLU whose slope is drawn in training; here its mean, as in prediction",
    ordered=(("lower", "upper"),),
)
threshold = Activation(
    "threshold",
    _Threshold.definition,
    _Threshold,
    _Threshold.source,
    "the value, and slope 0, at the threshold, as PyTorch chooses",
    {"threshold": sympy.S.One, "value": sympy.S.Zero},
    summary="x above a threshold, else a value",
)

ACTIVATIONS = (identity, binary_step, relu, relu6, leaky_relu, prelu, rrelu, threshold)
