"""x times a gate that opens with x: SiLU (swish), GELU and mish."""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import Activation
from symdl.library.activations.sigmoids import decay, sigmoid
from symdl.library.activations.units import Softplus

_SiLU: Any = scalar_function(
    "silu",
    lambda x: x * sigmoid(x),
    slope=lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x))),
    latex=r"\operatorname{SiLU}",
    source="Elfwing, Uchibe and Doya 2018 (arXiv 1702.03118), equation 4; also called swish",
)


_Swish: Any = scalar_function(
    "swish",
    lambda x, beta: x * sigmoid(beta * x),
    slope=lambda x, beta: sigmoid(beta * x) * (1 + beta * x * (1 - sigmoid(beta * x))),
    latex=r"\operatorname{swish}",
    source="Ramachandran, Zoph and Le 2017 (arXiv 1710.05941): x σ(βx); SiLU for β = 1",
)

_Mish: Any = scalar_function(
    "mish",
    lambda x: x * sympy.tanh(Softplus(x)),
    slope=lambda x: sympy.tanh(Softplus(x)) + x * sigmoid(x) * (1 - sympy.tanh(Softplus(x)) ** 2),
    # tanh log(1 + eˣ) is a fraction of polynomials in eˣ; divided by the largest power it overflows nowhere
    stable=lambda x: x * _open(x) / (_open(x) + 2 * switch(x, 1, decay(x) ** 2, kink="right")),
    latex=r"\operatorname{mish}",
    source="Misra 2019 (arXiv 1908.08681), equation 1",
)


def _open(x: sympy.Expr) -> sympy.Expr:
    """(1 + eˣ)² − 1 = eˣ (eˣ + 2), divided by e²ˣ where x > 0."""
    return switch(x, decay(x) * (decay(x) + 2), 1 + 2 * decay(x), kink="right")


def _normal(x: sympy.Expr) -> sympy.Expr:
    """The density of the standard normal distribution."""
    return sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)


def _tail(x: sympy.Expr) -> sympy.Expr:
    """How probable a standard normal number beyond |x| is, on one side."""
    return sympy.erfc(switch(x, -x, x, kink="mid") / sympy.sqrt(2)) / 2


_Phi: Any = scalar_function(
    "Phi",
    lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    slope=_normal,
    # 1 + erf cancels where x is far below 0
    stable=lambda x: switch(x, _tail(x), 1 - _tail(x), kink="right"),
    complement=lambda x: _Phi(-x),
    latex=r"\Phi",
    source="the distribution function of the standard normal distribution",
)

_GELU: Any = scalar_function(
    "gelu",
    lambda x: x * _Phi(x),
    slope=lambda x: _Phi(x) + x * _normal(x),
    latex=r"\operatorname{GELU}",
    source="Hendrycks and Gimpel 2016 (arXiv 1606.08415): x times the probability that a normal number is below x",
)


def _cubic(x: sympy.Expr) -> sympy.Expr:
    """√(2/π) (x + 0.044715 x³)."""
    return sympy.sqrt(2 / sympy.pi) * (x + sympy.Rational(44715, 10**6) * x**3)


def _cubic_slope(x: sympy.Expr) -> sympy.Expr:
    return sympy.sqrt(2 / sympy.pi) * (1 + sympy.Rational(3 * 44715, 10**6) * x**2)


_GELUTanh: Any = scalar_function(
    "gelu_tanh",
    lambda x: x * (1 + sympy.tanh(_cubic(x))) / 2,
    # (1 + tanh u)/2 is σ(2u), which keeps its digits where tanh is −1 to the last bit
    slope=lambda x: sigmoid(2 * _cubic(x)) * (1 + 2 * x * (1 - sigmoid(2 * _cubic(x))) * _cubic_slope(x)),
    stable=lambda x: x * sigmoid(2 * _cubic(x)),
    latex=r"\operatorname{GELU}_{\tanh}",
    source="Hendrycks and Gimpel 2016 (arXiv 1606.08415), section 2: the approximation by tanh",
)

silu = Activation(
    "silu",
    _SiLU.definition,
    _SiLU,
    _SiLU.source,
    summary="x σ(x)",
)
swish = Activation(
    "swish", _Swish.definition, _Swish, _Swish.source, parameters={"beta": sympy.S.One}, summary="x σ(βx)"
)
mish = Activation(
    "mish", lambda x: x * sympy.tanh(sympy.log(1 + sympy.exp(x))), _Mish, _Mish.source, summary="x tanh(softplus x)"
)
gelu = Activation(
    "gelu",
    _GELU.definition,
    _GELU,
    _GELU.source,
    summary="x times the probability that a standard normal number is below x",
)
gelu_tanh = Activation(
    "gelu_tanh",
    _GELUTanh.definition,
    _GELUTanh,
    _GELUTanh.source,
    summary="the GELU with a tanh in place of the error function",
)

ACTIVATIONS = (silu, swish, gelu, gelu_tanh, mish)
