"""Functions with the shape of an S: sigmoid and tanh."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.codegen.cfunctions import log1p

from symdl.core.define import switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import LECTURE, Activation


def _sigmoid(x: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-x))


def _decay(x: sympy.Expr) -> sympy.Expr:
    """e^{−|x|}."""
    return sympy.exp(switch(x, x, -x, kink="mid"))


_Sigmoid: Any = scalar_function(
    "sigmoid",
    _sigmoid,
    slope=lambda x: _Sigmoid(x) * (1 - _Sigmoid(x)),
    # e⁻ˣ overflows for large negative x and would drop subnormal results; e^{−|x|} does neither
    stable=lambda x: switch(x, _decay(x), 1, kink="right") / (1 + _decay(x)),
    complement=lambda x: _Sigmoid(-x),
    # σ(x) is 0 to the last bit where its logarithm is still x
    logarithm=lambda x: switch(x, x, 0, kink="mid") - log1p(_decay(x)),
    latex=r"\sigma",
    source="L12 of the lecture, whose printed formula is σ(−x)",
)


def _tanh(x: sympy.Expr) -> sympy.Expr:
    return (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x))


sigmoid = Activation("sigmoid", _sigmoid, _Sigmoid, LECTURE)
tanh = Activation("tanh", _tanh, sympy.tanh, LECTURE)

ACTIVATIONS = (sigmoid, tanh)
