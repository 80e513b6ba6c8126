"""Rectifiers that bend: softplus and squareplus are smooth, the ELU and its kin saturate for x < 0."""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import absolute, expm1, log1p, switch
from symdl.core.functions import scalar_function
from symdl.library.activations.record import Activation
from symdl.library.activations.sigmoids import decay, sigmoid

#: softplus with β = 1.
Softplus: Any = scalar_function(
    "softplus",
    lambda x: sympy.log(1 + sympy.exp(x)),
    slope=sigmoid,
    # eˣ overflows where softplus is x, and is lost beside 1 where softplus is eˣ
    stable=lambda x: switch(x, 0, x, kink="mid") + log1p(decay(x)),
    latex=r"\operatorname{softplus}",
    source="Dugas, Bengio, Bélisle, Nadeau and Garcia 2001 (NIPS 13)",
)

#: log(1 + e^{βx})/β as one function: neither βx nor its exponential is rounded on the way, or overflows.
_Scaled: Any = scalar_function(
    "softplus",
    lambda x, beta: sympy.log(1 + sympy.exp(beta * x)) / beta,
    slope=lambda x, beta: sigmoid(beta * x),
    stable=lambda x, beta: Softplus.stable(beta * x) / beta,
    latex=r"\operatorname{softplus}",
    source="Dugas, Bengio, Bélisle, Nadeau and Garcia 2001 (NIPS 13)",
)


def _softplus(x: sympy.Expr, beta: sympy.Expr) -> sympy.Expr:
    return _Scaled(x, beta) if beta.is_number and beta != 1 else Softplus(beta * x) / beta


_ELU: Any = scalar_function(
    "elu",
    lambda x, alpha: switch(x, alpha * (sympy.exp(x) - 1), x, kink="left"),
    slope=lambda x, alpha: switch(x, alpha * sympy.exp(x), 1, kink="left"),
    stable=lambda x, alpha: switch(x, alpha * expm1(x), x, kink="left"),
    latex=r"\operatorname{ELU}",
    source="Clevert, Unterthiner and Hochreiter 2016 (arXiv 1511.07289)",
)

_CELU: Any = scalar_function(
    "celu",
    lambda x, alpha: switch(x, alpha * (sympy.exp(x / alpha) - 1), x, kink="left"),
    slope=lambda x, alpha: switch(x, sympy.exp(x / alpha), 1, kink="left"),
    stable=lambda x, alpha: switch(x, alpha * expm1(x / alpha), x, kink="left"),
    latex=r"\operatorname{CELU}",
    source="Barron 2017 (arXiv 1704.07483)",
)

#: The constants for which activations keep mean 0 and variance 1 (appendix A.1 of the paper, to more digits).
_SCALE = sympy.Rational("1.0507009873554804934193349852946")
_ALPHA = sympy.Rational("1.6732632423543772848170429916717")

_SELU: Any = scalar_function(
    "selu",
    lambda x, lambda_, alpha: lambda_ * switch(x, alpha * (sympy.exp(x) - 1), x, kink="left"),
    slope=lambda x, lambda_, alpha: lambda_ * switch(x, alpha * sympy.exp(x), 1, kink="left"),
    stable=lambda x, lambda_, alpha: lambda_ * switch(x, alpha * expm1(x), x, kink="left"),
    latex=r"\operatorname{SELU}",
    source="Klambauer, Unterthiner, Mayr and Hochreiter 2017 (arXiv 1706.02515), equation 2 and appendix A.1",
)

_Length: Any = scalar_function(
    "length",
    lambda x, b: sympy.sqrt(x**2 + b),
    slope=lambda x, b: x / _Length(x, b),
    # x² overflows long before its root does
    stable=lambda x, b: switch(
        x**2 - b, sympy.sqrt(x**2 + b), absolute(x, kink="mid") * sympy.sqrt(1 + b / x**2), kink="left"
    ),
    latex=r"\operatorname{length}",
    source="√(x² + b)",
)

_Squareplus: Any = scalar_function(
    "squareplus",
    lambda x, b: (x + sympy.sqrt(x**2 + b)) / 2,
    slope=lambda x, b: _Squareplus(x, b) / sympy.sqrt(x**2 + b),
    # x + √(x² + b) cancels for x < 0; both forms are b/2 over the other's conjugate
    stable=lambda x, b: switch(x, b / (_Length(x, b) - x), x + _Length(x, b), kink="right") / 2,
    latex=r"\operatorname{squareplus}",
    source="Barron 2021 (arXiv 2112.11687), equation 1",
)

softplus = Activation(
    "softplus",
    lambda x, beta: sympy.log(1 + sympy.exp(beta * x)) / beta,
    _softplus,
    Softplus.source,
    parameters={"beta": sympy.S.One},
    facts={"beta": "positive"},
    summary="log(1 + e^{βx})/β, a smooth ReLU",
)
elu = Activation(
    "elu",
    _ELU.definition,
    _ELU,
    _ELU.source,
    "slope α at 0 (the left one), as PyTorch chooses; no kink for α = 1",
    {"alpha": sympy.S.One},
    summary="x where it is positive, else α (eˣ − 1)",
)
celu = Activation(
    "celu",
    _CELU.definition,
    _CELU,
    _CELU.source,
    "none in value or slope: both sides have slope 1 at 0; the second derivative is the left one, 1/α",
    {"alpha": sympy.S.One},
    facts={"alpha": "positive"},
    summary="the ELU with α (e^{x/α} − 1), which has slope 1 at 0 for every α",
)
selu = Activation(
    "selu",
    _SELU.definition,
    _SELU,
    _SELU.source,
    "slope λα = 1.758… at 0 (the left one), as PyTorch chooses",
    {"lambda_": _SCALE, "alpha": _ALPHA},
    summary="λ times the ELU, with λ and α that keep mean 0 and variance 1",
)
squareplus = Activation(
    "squareplus",
    _Squareplus.definition,
    _Squareplus,
    _Squareplus.source,
    parameters={"b": sympy.Integer(4)},
    facts={"b": "positive"},
    summary="(x + √(x² + b))/2, a smooth ReLU without exponentials",
)

ACTIVATIONS = (softplus, elu, celu, selu, squareplus)
