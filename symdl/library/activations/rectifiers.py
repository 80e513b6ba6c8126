"""Straight lines that meet in a kink: the ReLU and its kin."""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import LECTURE, Activation

_ReLU: Any = scalar_function(
    "relu",
    lambda x: switch(x, 0, x, kink="left"),
    latex=r"\operatorname{ReLU}",
    source="L17 of the lecture; slope 0 at 0, as PyTorch and JAX choose",
)

_LeakyReLU: Any = scalar_function(
    "leaky_relu",
    lambda x, alpha: switch(x, alpha * x, x, kink="left"),
    latex=r"\operatorname{LReLU}",
    source="L18 of the lecture; slope α at 0, as PyTorch chooses",
)

#: The slope that PyTorch and Keras' predecessors use where none is given.
LEAKY_SLOPE = sympy.Rational(1, 100)

identity = Activation("identity", lambda x: x, lambda x: x, "the lecture's worked example")
relu = Activation("relu", _ReLU.definition, _ReLU, LECTURE, "slope 0 at 0 (the left one)")
leaky_relu = Activation(
    "leaky_relu", _LeakyReLU.definition, _LeakyReLU, LECTURE, "the left slope at 0", {"alpha": LEAKY_SLOPE}
)

ACTIVATIONS = (identity, relu, leaky_relu)
