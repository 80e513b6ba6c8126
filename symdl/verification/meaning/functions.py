"""The functions that a reader knows by name: elementary ones, and the activations of the library."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from symdl.core.define import absolute
from symdl.core.functions import Delta, Switch
from symdl.core.tensors import reduction, refreshed, rename
from symdl.library.activations import ACTIVATIONS
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError

Scalar = Callable[[sympy.Expr], sympy.Expr]

#: The kink of |x|, max and the like is a decision of the document: where it matters, both readings are tried.
MIDDLE = sympy.Rational(1, 2)


def _sign(x: sympy.Expr) -> sympy.Expr:
    return Switch(x, sympy.S.NegativeOne, sympy.S.One, MIDDLE)


ELEMENTARY: dict[str, Scalar] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "ln": sympy.log,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "coth": lambda x: sympy.cosh(x) / sympy.sinh(x),
    "cot": lambda x: sympy.cos(x) / sympy.sin(x),
    "sec": lambda x: 1 / sympy.cos(x),
    "csc": lambda x: 1 / sympy.sin(x),
    "sech": lambda x: 1 / sympy.cosh(x),
    "arctan": sympy.atan,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "erf": sympy.erf,
    "sqrt": sympy.sqrt,
    "abs": lambda x: absolute(x, kink="mid"),
    "sign": _sign,
    "sgn": _sign,
}

#: Names of objectives: in front of brackets they say what they hang on, and are not multiplied.
OBJECTIVES = frozenset({"L", "J", "E", "C", "ℓ", "𝒞:L", "𝒞:J", "𝒞:E", "𝒞:C", "loss", "Loss", "cost"})


def objective(name: str) -> bool:
    """Whether a name is one that losses have, with or without a label.

    >>> objective("E_total"), objective("y")
    (True, False)
    """
    return name.partition("_")[0] in OBJECTIVES


#: What activations are called in text, besides their names in the library.
_CALLED = {
    "sigm": "sigmoid",
    "logistic": "sigmoid",
    "swish": "silu",
    "leakyrelu": "leaky_relu",
    "lrelu": "leaky_relu",
    "hardtanh": "hard_tanh",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "logsigmoid": "log_sigmoid",
}


def library_name(name: str) -> str | None:
    """The activation of the library that a name or phrase means.

    >>> library_name("ReLU"), library_name("leaky ReLU"), library_name("W")
    ('relu', 'leaky_relu', None)
    """
    plain = name.lower().replace("-", "").replace(" ", "").replace("_", "")
    plain = _CALLED.get(plain, plain)
    for known in ACTIVATIONS:
        if known.replace("_", "") == plain.replace("_", ""):
            return known
    return None


def named(name: str) -> Scalar | None:
    """The scalar function that a name means wherever it is applied; None where it means none.

    >>> x = sympy.Symbol("x", real=True)
    >>> named("ln")(x), named("ReLU")(x), named("W")
    (log(x), relu(x), None)
    """
    if name in ELEMENTARY:
        return ELEMENTARY[name]
    known = library_name(name) if len(name) > 2 else None
    if known is None or any(value is None for value in ACTIVATIONS[known].parameters.values()):
        return None
    return ACTIVATIONS[known]


#: Letters that mean a function where the document does not say anything else.
CUSTOMARY = {"σ": "sigmoid"}


def softmax(z: Array, *, negated: bool = False, logarithm: bool = False) -> Array:
    """e^{z_i} / Σ_k e^{z_k}, of a vector, or of each row of a matrix."""
    if z.rank == 0:
        raise MeaningError("the softmax of a number", remedy="give it a vector")
    z = z.fresh()
    last = z.axes[-1]
    body = -z.body if negated else z.body
    k = last.fresh()
    whole = reduction("sum", sympy.exp(rename(refreshed(body), {last: k})), [k])
    value = body - sympy.log(whole) if logarithm else sympy.exp(body) / whole
    return Array(z.axes, value, z.row)


def diagonal(x: Array) -> Array:
    """diag(x): the matrix with a vector on its diagonal, or the diagonal of a matrix."""
    x = x.fresh()
    if x.rank == 1:
        (i,) = x.axes
        j = i.fresh()
        return Array((i, j), x.body * Delta(i, j))
    if x.rank != 2:
        raise MeaningError(f"the diagonal of {x.kind}")
    i, j = x.axes
    return Array((i,), rename(x.body, {j: i}))


def trace(x: Array) -> Array:
    """tr(A) = Σ_i A_ii."""
    if x.rank != 2:
        raise MeaningError(f"the trace of {x.kind}")
    on = diagonal(x)
    return scalar(reduction("sum", on.body, list(on.axes)))


VECTORS: dict[str, Callable[[Array], Array]] = {
    "softmax": softmax,
    "softmin": lambda z: softmax(z, negated=True),
    "logsoftmax": lambda z: softmax(z, logarithm=True),
    "diag": diagonal,
    "tr": trace,
    "trace": trace,
}

#: Functions of a list of numbers, which a single number has none of.
OF_LISTS = frozenset({"softmax", "softmin", "logsoftmax"})
