"""Gated units: one half of a layer opens and closes the other.

>>> from symdl.core.define import Input, define
>>> @define
... def halves(x=Input("n k=6")):
...     return glu(x)
>>> halves.equations[0]
y[n, j] = sigmoid(x[n, j + 3])*x[n, j]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import sympy

from symdl.core.define import Input, Param, let, new_index
from symdl.core.definitions import Definition
from symdl.core.tensors import Tensor
from symdl.errors import ShapeError
from symdl.library.activations.gates import gelu, silu
from symdl.library.activations.record import Activation
from symdl.library.activations.sigmoids import sigmoid
from symdl.library.axes import axis_of
from symdl.library.entries import Entry, same_extent, written
from symdl.library.linear import linear
from symdl.library.naming import left


def glu(x: Tensor, *, axis: int = -1, name: str = "y") -> Tensor:
    """y[…,j] = x[…,j] σ(x[…,j + J]): the second half gates the first (Dauphin et al. 2017, arXiv 1612.08083).

    Raises:
        ShapeError: the extent 2J of the axis is odd, or not known to be even.
    """
    place = axis_of(x, axis, f"glu of {x.name}")
    whole = x.indices[place]
    half = sympy.expand(whole.extent / 2)
    if not half.is_integer:
        raise ShapeError(
            f"axis {whole.name} of {x.name} can't be halved",
            where=f"glu of {x.name}",
            why=f"its extent is {whole.extent}",
            remedy="make it an even number, or 2·J",
        )
    j = new_index("j", half)

    def at(subscript: Any) -> sympy.Expr:
        return x[(*x.indices[:place], subscript, *x.indices[place + 1 :])]

    indices = (*x.indices[:place], j, *x.indices[place + 1 :])
    return let(left(name, indices), at(j) * sigmoid(at(j + half)), shorter=True)


def swiglu(x: Tensor, W: Tensor, V: Tensor, *, name: str = "y") -> Tensor:
    """y[…,j] = SiLU(Σ_i W[j,i] x[…,i]) · Σ_i V[j,i] x[…,i] (Shazeer 2020, arXiv 2002.05202, equation 5 with β = 1).

    The two sums are called `name`_gate and `name`_value.

    Raises:
        ShapeError: extents that don't fit.
    """
    return _gated(silu, x, W, V, name, "swiglu")


def geglu(x: Tensor, W: Tensor, V: Tensor, *, name: str = "y") -> Tensor:
    """y[…,j] = GELU(Σ_i W[j,i] x[…,i]) · Σ_i V[j,i] x[…,i] (Shazeer 2020, arXiv 2002.05202, equation 5).

    The two sums are called `name`_gate and `name`_value.

    Raises:
        ShapeError: extents that don't fit.
    """
    return _gated(gelu, x, W, V, name, "geglu")


def _gated(act: Activation, x: Tensor, W: Tensor, V: Tensor, name: str, what: str) -> Tensor:
    gate = linear(x, W, name=f"{name}_gate")
    value = linear(x, V, name=f"{name}_value")
    same_extent(gate.indices[-1], value.indices[-1], W, V, f"{what} of {x.name}")
    return let(left(name, gate.indices), act(gate.element()) * value[gate.indices])


def _glu() -> Definition:
    J = sympy.Symbol("J", integer=True, positive=True)
    return replace(written("glu", {"x": Input("n k")}, glu, {"k": 2 * J}), careful=True)


def _two_layers(name: str, write: Callable[..., Tensor]) -> Definition:
    return replace(written(name, {"x": Input("n i"), "W": Param("j i"), "V": Param("j i")}, write), careful=True)


_entry = partial(Entry, kind="activation")

ENTRIES = (
    _entry("glu", summary="one half of the input gates the other", make=_glu),
    _entry("swiglu", summary="a dense layer gated by another, with SiLU", make=lambda: _two_layers("swiglu", swiglu)),
    _entry("geglu", summary="a dense layer gated by another, with GELU", make=lambda: _two_layers("geglu", geglu)),
)
