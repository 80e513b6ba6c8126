"""Layers that are linear in what they learn: dense without activation, bilinear, embedding, low-rank updates (LoRA).

>>> from symdl.core.define import Input, Param, define
>>> @define
... def words(tok=Input("n t", integer=True), E=Param("v d")):
...     return embedding(tok, E)
>>> words
words(tok[n, t], E[v, d]) -> y:
    y[n, t, d] = E[tok[n, t], d]
"""

from __future__ import annotations

from functools import partial
from typing import Any

import sympy

from symdl.core.define import Hyper, Input, Param, Sum, let
from symdl.core.definitions import Definition
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.entries import Entry, same_extent, written
from symdl.library.naming import left


def linear(x: Tensor, W: Tensor, b: Tensor | None = None, *, name: str = "y") -> Tensor:
    """y[…,j] = Σ_i W[j,i] x[…,i] + b[j], for any axes before the last.

    Raises:
        ShapeError: W has not two axes, or its second extent is not that of the last axis of x.
    """
    where = f"linear of {x.name} and {W.name}"
    _check_rank(W, 2, "[j i]", where)
    *batch, last = x.indices
    j, i = W.indices
    same_extent(last, i, x, W, where)
    total = Sum(W[j, i] * x[(*batch, i)], i)
    return let(left(name, (*batch, j)), total if b is None else total + b[j])


def bilinear(x: Tensor, z: Tensor, A: Tensor, b: Tensor | None = None, *, name: str = "y") -> Tensor:
    """y[…,k] = Σ_{i,j} x[…,i] A[k,i,j] z[…,j] + b[k]; PyTorch's layout of A.

    Raises:
        ShapeError: A has not three axes, or an extent does not fit those of x and z.
    """
    where = f"bilinear of {x.name}, {z.name} and {A.name}"
    _check_rank(A, 3, "[k i j]", where)
    (*batch, first), (*other, second) = x.indices, z.indices
    k, i, j = A.indices
    same_extent(first, i, x, A, where)
    same_extent(second, j, z, A, where)
    if len(batch) != len(other):
        raise ShapeError(f"{x.name} has {x.rank} axes and {z.name} {z.rank}", where=where, remedy="give both as many")
    for mine, others in zip(batch, other, strict=True):
        same_extent(mine, others, x, z, where)
    total = Sum(x[(*batch, i)] * A[k, i, j] * z[(*batch, j)], i, j)
    return let(left(name, (*batch, k)), total if b is None else total + b[k])


def embedding(tok: Tensor, E: Tensor, *, name: str = "y") -> Tensor:
    """y[…,d] = E[tok[…],d]: row tok of the table E, for integers tok from 0 to V − 1.

    Raises:
        DefinitionError: tok is real-valued.
        ShapeError: E has not two axes.
    """
    where = f"embedding of {tok.name} by {E.name}"
    _check_rank(E, 2, "[v d]", where)
    if not tok.integer:
        raise DefinitionError(
            f"{tok.name} is real-valued",
            where=where,
            why="only whole numbers name rows",
            remedy=f"declare it as {tok.name}=sd.Input('n t', integer=True)",
        )
    d = E.indices[1]
    return let(left(name, (*tok.indices, d)), E[tok.element(), d])


def lora(
    x: Tensor, W: Tensor, A: Tensor, B: Tensor, b: Tensor | None = None, *, scale: Any = 1, name: str = "y"
) -> Tensor:
    """y[…,j] = Σ_i W[j,i] x[…,i] + scale · Σ_r B[j,r] Σ_i A[r,i] x[…,i] + b[j] (Hu et al. 2021, arXiv 2106.09685).

    Args:
        x: […, i]. W: [j, i], usually frozen: an input or a hyperparameter. A: [r, i]. B: [j, r]. b: [j], or None.
        scale: a number, an expression or a scalar tensor; α/R in the article.
        name: of the output; the R sums in between are called `name`_low.

    Raises:
        ShapeError: extents that don't fit.
    """
    where = f"lora of {x.name}"
    for tensor, axes in ((W, "[j i]"), (A, "[r i]"), (B, "[j r]")):
        _check_rank(tensor, 2, axes, where)
    (j, i), (r, i_low), (j_low, r_low) = W.indices, A.indices, B.indices
    same_extent(i, i_low, W, A, where)
    same_extent(r, r_low, A, B, where)
    same_extent(j, j_low, W, B, where)
    *batch, last = x.indices
    same_extent(last, i, x, W, where)
    low = let(left(f"{name}_low", (*batch, r)), Sum(A[r, i] * x[(*batch, i)], i))
    full = Sum(W[j, i] * x[(*batch, i)], i)
    total = full + sympy.sympify(scale, strict=True) * Sum(B[j, r] * low[(*batch, r)], r)
    return let(left(name, (*batch, j)), total if b is None else total + b[j])


def _check_rank(tensor: Tensor, rank: int, axes: str, where: str) -> None:
    if tensor.rank != rank:
        raise ShapeError(
            f"{tensor.name} has {tensor.rank} axes", where=where, why=f"it is {axes}", remedy="add an axis"
        )


def _linear(*, bias: bool = True) -> Definition:
    declared = {"x": Input("n i"), "W": Param("j i"), "b": Param("j") if bias else None}
    return written("linear", declared, linear)


def _bilinear(*, bias: bool = True) -> Definition:
    declared = {"x": Input("n i"), "z": Input("n j"), "A": Param("k i j"), "b": Param("k") if bias else None}
    return written("bilinear", declared, bilinear)


def _embedding() -> Definition:
    return written("embedding", {"tok": Input("n t", integer=True), "E": Param("v d")}, embedding)


def _lora(*, bias: bool = True) -> Definition:
    declared = {
        "x": Input("n i"),
        "W": Input("j i"),
        "A": Param("r i"),
        "B": Param("j r"),
        "b": Param("j") if bias else None,
        "alpha": Hyper(),
    }

    def body(x: Tensor, W: Tensor, A: Tensor, B: Tensor, b: Tensor | None, alpha: Tensor) -> Tensor:
        return lora(x, W, A, B, b, scale=alpha / A.indices[0].extent)

    return written("lora", declared, body)


_entry = partial(Entry, kind="linear")

ENTRIES = (
    _entry("linear", summary="a fully connected layer without an activation", make=_linear),
    _entry("bilinear", summary="a product of two inputs, summed with weights", make=_bilinear),
    _entry("embedding", summary="rows of a table, chosen by whole numbers", make=_embedding),
    _entry("lora", summary="a fully connected layer with a low-rank update", make=_lora),
)
