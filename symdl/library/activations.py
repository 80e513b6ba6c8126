"""Activation functions: data. One entry is one definition; everything else follows from it.

>>> s = sympy.Symbol("s", real=True)
>>> sigmoid(s).diff(s), relu(s).diff(s).subs(s, 0), leaky_relu(s).diff(s).subs(s, -3)
((1 - sigmoid(s))*sigmoid(s), 0, 1/100)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.codegen.cfunctions import log1p

from symdl.core.define import switch
from symdl.core.functions import scalar_function
from symdl.errors import DefinitionError


@dataclass(frozen=True)
class Activation:
    """A scalar function that a layer applies to each of its sums.

    Args:
        name: as in `sd.dense(64, "tanh")`.
        definition: x → the defining expression, which a derivation of the entry starts from.
        call: x → the expression that stands in a larger definition (a named function, so that formulas stay short).
        source: where the formula is from.
        kink: the decision at a kink, in words; empty for a smooth function.
    """

    name: str
    definition: Callable[..., sympy.Expr]
    call: Callable[..., sympy.Expr]
    source: str
    kink: str = ""

    def __call__(self, x: Any, *parameters: Any) -> sympy.Expr:
        return self.call(*[sympy.sympify(a, strict=True) for a in (x, *parameters)])


_LECTURE = "the lecture's list of activation functions"


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

_ReLU: Any = scalar_function(
    "relu",
    lambda x: switch(x, 0, x, kink="left"),
    latex=r"\operatorname{ReLU}",
    source="L17 of the lecture; slope 0 at 0, as PyTorch and JAX choose",
)

_LeakyReLU: Any = scalar_function(
    "leaky_relu",
    lambda x, a: switch(x, a * x, x, kink="left"),
    latex=r"\operatorname{LReLU}",
    source="L18 of the lecture; slope a at 0, as PyTorch chooses",
)

_SiLU: Any = scalar_function(
    "silu",
    lambda x: x * _Sigmoid(x),
    slope=lambda x: _Sigmoid(x) * (1 + x * (1 - _Sigmoid(x))),
    latex=r"\operatorname{SiLU}",
    source="Elfwing, Uchibe and Doya 2018 (arXiv 1702.03118), equation 4; also called swish",
)


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
    slope=lambda x: _Sigmoid(2 * _cubic(x)) * (1 + 2 * x * (1 - _Sigmoid(2 * _cubic(x))) * _cubic_slope(x)),
    stable=lambda x: x * _Sigmoid(2 * _cubic(x)),
    latex=r"\operatorname{GELU}_{\tanh}",
    source="Hendrycks and Gimpel 2016 (arXiv 1606.08415), section 2: the approximation by tanh",
)

#: The slope that PyTorch and Keras' predecessors use where none is given.
LEAKY_SLOPE = sympy.Rational(1, 100)

identity = Activation("identity", lambda x: x, lambda x: x, "the lecture's worked example")
sigmoid = Activation("sigmoid", _sigmoid, _Sigmoid, _LECTURE)
tanh = Activation(
    "tanh", lambda x: (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x)), sympy.tanh, _LECTURE
)
relu = Activation("relu", _ReLU.definition, _ReLU, _LECTURE, "slope 0 at 0 (the left one)")
leaky_relu = Activation(
    "leaky_relu",
    lambda x, a=LEAKY_SLOPE: _LeakyReLU.definition(x, a),
    lambda x, a=LEAKY_SLOPE: _LeakyReLU(x, a),
    _LECTURE,
    "the left slope at 0",
)

silu = Activation("silu", _SiLU.definition, _SiLU, _SiLU.source)
gelu = Activation("gelu", _GELU.definition, _GELU, _GELU.source)
gelu_tanh = Activation("gelu_tanh", _GELUTanh.definition, _GELUTanh, _GELUTanh.source)

ACTIVATIONS = {a.name: a for a in (identity, sigmoid, tanh, relu, leaky_relu, silu, gelu, gelu_tanh)}


def activation(name: str, definition: Callable[..., sympy.Expr] | None = None, **claims: Any) -> Activation:
    """The activation of that name; with a `definition`, a new one of the author's own.

    `claims` are `slope`, `stable`, `complement`, `latex` and `source` as in `scalar_function`. Functions with a kink
    are written with `sd.switch`, `sd.maximum` or `sd.absolute` and a stated policy.

    >>> swish = activation("swish", lambda s: s * sigmoid(s))
    >>> s = sympy.Symbol("s", real=True)
    >>> swish(s).diff(s)
    s*(1 - sigmoid(s))*sigmoid(s) + sigmoid(s)

    Raises:
        DefinitionError: no activation of that name, or one of the library is defined anew.
    """
    if definition is None:
        if name not in ACTIVATIONS:
            raise DefinitionError(f"no activation '{name}'", remedy=f"one of {', '.join(ACTIVATIONS)}, or define it")
        return ACTIVATIONS[name]
    if name in ACTIVATIONS:
        raise DefinitionError(f"activation '{name}' is in the library", remedy="choose another name")
    call = scalar_function(name, definition, **claims)
    return Activation(name, definition, call, claims.get("source", "the author"))
