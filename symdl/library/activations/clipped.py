"""Straight lines that stand for smooth functions, and functions that set what is small to 0.

At a kink each has the slope that PyTorch chooses, which is 0 but for the right end of hard swish.
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import Activation
from symdl.library.activations.rectifiers import ReLU6, box, clip

_THREE, _SIX = sympy.Integer(3), sympy.Integer(6)

_HardTanh: Any = scalar_function(
    "hard_tanh",
    lambda x, min_val, max_val: clip(x, min_val, max_val),
    slope=lambda x, min_val, max_val: box(x, min_val, max_val, sympy.S.One, sympy.S.Zero),
    latex=r"\operatorname{hardtanh}",
    source="Collobert 2004, Large Scale Machine Learning (thesis, Paris VI); torch.nn.Hardtanh",
)

_HardSigmoid: Any = scalar_function(
    "hard_sigmoid",
    # the sixth stays outside: x/6 + 1/2 would lose its digits near −3
    lambda x: ReLU6(x + 3) / 6,
    slope=lambda x: box(x, -_THREE, _THREE, sympy.S.One, sympy.S.Zero) / 6,
    latex=r"\operatorname{hardsigmoid}",
    source="Howard et al. 2019 (arXiv 1905.02244), section 5.2; torch.nn.Hardsigmoid",
)

_HardSwish: Any = scalar_function(
    "hard_swish",
    lambda x: x * ReLU6(x + 3) / 6,
    slope=lambda x: box(x, -_THREE, _THREE, 2 * x + 3, _SIX) / 6,
    latex=r"\operatorname{hardswish}",
    source="Howard et al. 2019 (arXiv 1905.02244), section 5.2: h-swish",
)

_Softshrink: Any = scalar_function(
    "softshrink",
    lambda x, lambda_: switch(x + lambda_, x + lambda_, switch(x - lambda_, 0, x - lambda_, kink="left"), kink="right"),
    slope=lambda x, lambda_: switch(x + lambda_, 1, switch(x - lambda_, 0, 1, kink="left"), kink="right"),
    latex=r"\operatorname{softshrink}",
    source="Donoho 1995 (IEEE Transactions on Information Theory 41): soft thresholding",
)

_Hardshrink: Any = scalar_function(
    "hardshrink",
    lambda x, lambda_: switch(x + lambda_, x, switch(x - lambda_, 0, x, kink="left"), kink="right"),
    slope=lambda x, lambda_: switch(x + lambda_, 1, switch(x - lambda_, 0, 1, kink="left"), kink="right"),
    latex=r"\operatorname{hardshrink}",
    source="Donoho and Johnstone 1994 (Biometrika 81): hard thresholding",
)

hard_sigmoid = Activation(
    "hard_sigmoid",
    _HardSigmoid.definition,
    _HardSigmoid,
    _HardSigmoid.source,
    "slope 0 at −3 and at 3, as PyTorch chooses",
    summary="a straight line from 0 at −3 to 1 at 3",
)
hard_tanh = Activation(
    "hard_tanh",
    _HardTanh.definition,
    _HardTanh,
    _HardTanh.source,
    "slope 0 at both ends, as PyTorch chooses",
    {"min_val": sympy.S.NegativeOne, "max_val": sympy.S.One},
    summary="x cut off at both ends",
    ordered=(("min_val", "max_val"),),
)
hard_swish = Activation(
    "hard_swish",
    _HardSwish.definition,
    _HardSwish,
    _HardSwish.source,
    "the outer slopes, 0 at −3 and 1 at 3, as PyTorch chooses",
    summary="x times the hard sigmoid",
)
softshrink = Activation(
    "softshrink",
    _Softshrink.definition,
    _Softshrink,
    _Softshrink.source,
    "slope 0 at −λ and λ, as PyTorch chooses",
    {"lambda_": sympy.Rational(1, 2)},
    facts={"lambda_": "nonnegative"},
    summary="x moved by λ towards 0, where it stays",
)
hardshrink = Activation(
    "hardshrink",
    _Hardshrink.definition,
    _Hardshrink,
    _Hardshrink.source,
    "value and slope 0 at −λ and λ, as PyTorch chooses",
    {"lambda_": sympy.Rational(1, 2)},
    facts={"lambda_": "nonnegative"},
    summary="x where |x| > λ, else 0",
)

ACTIVATIONS = (hard_sigmoid, hard_tanh, hard_swish, softshrink, hardshrink)
