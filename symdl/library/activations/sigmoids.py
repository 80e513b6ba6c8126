"""Functions with the shape of an S, their logarithm and what they leave of x: sigmoid, tanh, softsign and their kin."""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import absolute, log1p, switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import LECTURE, Activation


def _sigmoid(x: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-x))


def decay(x: sympy.Expr) -> sympy.Expr:
    """e^{−|x|}."""
    return sympy.exp(-absolute(x, kink="mid"))


_Sigmoid: Any = scalar_function(
    "sigmoid",
    _sigmoid,
    slope=lambda x: _Sigmoid(x) * (1 - _Sigmoid(x)),
    # e⁻ˣ overflows for large negative x and would drop subnormal results; e^{−|x|} does neither
    stable=lambda x: switch(x, decay(x), 1, kink="right") / (1 + decay(x)),
    complement=lambda x: _Sigmoid(-x),
    # σ(x) is 0 to the last bit where its logarithm is still x
    logarithm=lambda x: switch(x, x, 0, kink="mid") - log1p(decay(x)),
    latex=r"\sigma",
    source="L12 of the lecture, whose printed formula is σ(−x)",
)


def _tanh(x: sympy.Expr) -> sympy.Expr:
    return (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x))


_LogSigmoid: Any = scalar_function(
    "log_sigmoid",
    lambda x: sympy.log(_Sigmoid(x)),
    slope=lambda x: 1 - _Sigmoid(x),
    stable=_Sigmoid.logarithm,
    latex=r"\log\sigma",
    source="the logarithm of a probability σ(x); torch.nn.LogSigmoid",
)

_Tanhshrink: Any = scalar_function(
    "tanhshrink",
    lambda x: x - sympy.tanh(x),
    slope=lambda x: sympy.tanh(x) ** 2,
    latex=r"\operatorname{tanhshrink}",
    source="torch.nn.Tanhshrink",
)


def _reach(x: sympy.Expr) -> sympy.Expr:
    """1 + |x|."""
    return 1 + absolute(x, kink="mid")


_Softsign: Any = scalar_function(
    "softsign",
    lambda x: x / _reach(x),
    slope=lambda x: 1 / _reach(x) ** 2,
    # 1 − x/(1 + |x|) without the difference of numbers that are nearly equal
    complement=lambda x: switch(x, 1 - 2 * x, 1, kink="mid") / _reach(x),
    latex=r"\operatorname{softsign}",
    source="Bergstra, Desjardins, Lamblin and Bengio 2009 (Université de Montréal, technical report 1337)",
)

sigmoid = Activation(
    "sigmoid",
    _sigmoid,
    _Sigmoid,
    LECTURE,
    summary="the logistic function 1/(1 + e⁻ˣ)",
)
log_sigmoid = Activation(
    "log_sigmoid", _LogSigmoid.definition, _LogSigmoid, _LogSigmoid.source, summary="the logarithm of the sigmoid"
)
tanh = Activation(
    "tanh",
    _tanh,
    sympy.tanh,
    LECTURE,
    summary="the hyperbolic tangent",
)
tanhshrink = Activation(
    "tanhshrink",
    _Tanhshrink.definition,
    _Tanhshrink,
    _Tanhshrink.source,
    summary="x − tanh x",
)
softsign = Activation(
    "softsign",
    _Softsign.definition,
    _Softsign,
    _Softsign.source,
    "none in value or slope: both sides have slope 1 at 0; the second derivative is 0 there, between −2 and 2",
    summary="x/(1 + |x|)",
)

ACTIVATIONS = (sigmoid, log_sigmoid, tanh, tanhshrink, softsign)
