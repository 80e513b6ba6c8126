"""Activations of many numbers at once: softmax and its kin, and maxout.

>>> from symdl.core.define import Input, define, let
>>> @define
... def scores(z=Input("n k")):
...     n, k = z.indices
...     return let("y[n,k]", log_softmax(z[n, k], k))
>>> scores
scores(z[n, k]) -> y:
    S[n] = Sum_{k}(exp(z[n, k]))
    y[n, k] = -log(S[n]) + z[n, k]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.core.define import Input, Sum, amax, exp, let, log
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import ShapeError
from symdl.library.entries import Entry, written
from symdl.library.naming import left


def softmax(score: Any, over: Index) -> sympy.Expr:
    """e^z / Σ e^z over one index; the sum's index is renamed apart (L20: the lecture's shadows its own).

    Mathematically exact and not shifted: the compiler shifts it by the largest score, a rewriting that is proved.
    """
    return exp(score) / Sum(exp(score), over)


def log_softmax(score: Any, over: Index) -> sympy.Expr:
    """z − log Σ e^z over one index; the compiler shifts the sum by the largest score."""
    return score - log(Sum(exp(score), over))


def softmin(score: Any, over: Index) -> sympy.Expr:
    """e^{−z} / Σ e^{−z} over one index: the smallest score has the largest share."""
    return softmax(-score, over)


def maxout(s: Tensor, *, name: str = "y") -> Tensor:
    """y[…,j] = max_k s[…,j,k], the largest of several sums; equal ones share the slope, as in `torch.amax`.

    Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013 (arXiv 1302.4389), section 3.

    Raises:
        ShapeError: s has no axis.
    """
    if not s.rank:
        raise ShapeError(f"{s.name} has no axis to take a maximum over", where="maxout", remedy="give s[n,j,k]")
    *others, k = s.indices
    return let(left(name, others), amax(s[s.indices], k, ties="share"))


@dataclass(frozen=True)
class Across:
    """An activation that mixes the units of a layer: the last axis of what it is applied to.

    Args:
        name: as in `sd.dense(10, "softmax")`.
        function: one score and the index of the units → the expression.
        source: where the formula is from.
        output: the name of its value in a definition by itself.
        summary: one line on what it is.
    """

    name: str
    function: Callable[[Any, Index], sympy.Expr]
    source: str
    output: str = "y"
    summary: str = ""

    def definition(self) -> Definition:
        """The activation of scores z[n,k] by itself."""

        def body(z: Tensor) -> Tensor:
            n, k = z.indices
            return let(f"{self.output}[n,k]", self.function(z[n, k], k))

        return written(self.name, {"z": Input("n k")}, body)


_SHARES = "Bridle 1990 (Neurocomputing, NATO ASI F 68)"

ACROSS = {
    made.name: made
    for made in (
        Across("softmax", softmax, _SHARES, "p", "shares of 1 that grow with the scores"),
        Across("log_softmax", log_softmax, "torch.nn.LogSoftmax", "y", "the logarithm of the softmax"),
        Across("softmin", softmin, "torch.nn.Softmin", "p", "shares of 1 that fall with the scores: the softmax of −z"),
    )
}


def _maxout() -> Definition:
    return written("maxout", {"s": Input("n j k")}, maxout)


ENTRIES = (
    *(Entry(a.name, "activation", a.summary, a.definition) for a in ACROSS.values()),
    Entry("maxout", "activation", "the largest of several sums", _maxout),
)
