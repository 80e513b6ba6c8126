"""How far one distribution is from another.

>>> from symdl.core.define import symbol
>>> kl_divergence(1, symbol("x")), kl_divergence(0, symbol("x"), log_target=True)
(-x, -x)
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import Input, Sum, exp, log, switch
from symdl.core.tensors import Tensor
from symdl.library.losses.pointwise import pointwise
from symdl.library.losses.record import Family, Loss, checked


def kl_divergence(t: Any, x: Any, log_target: bool = False) -> sympy.Expr:
    """t (log t − x), x being the logarithm of a probability; 0 where t is 0. With `log_target`, e^t (t − x)."""
    if log_target:
        return exp(t) * (t - x)
    return switch(t, 0, t * log(t), kink="left") - t * x


def jensen_shannon(*, reduction: str = "mean") -> Loss:
    """½ Σ_k p log(p/m) + ½ Σ_k q log(q/m) with m = (p + q)/2; a summand is 0 where its probability is."""

    def value(p: Tensor, q: Tensor) -> sympy.Expr:
        n, k = p.indices
        both = p[n, k] + q[n, k]
        parts = [switch(x[n, k], 0, x[n, k] * log(2 * x[n, k] / both), kink="left") for x in (p, q)]
        return Sum(sympy.Add(*parts) / 2, k)

    shares = ["sums_to_one", "nonnegative"]
    return Loss(
        "jensen_shannon",
        {"p": Input("n k", facts=shares), "q": Input("n k", facts=shares)},
        value,
        False,
        checked(reduction),
        source="Lin 1991, equation 3.8 with equal weights",
        careful=True,
        kink="the slope by a probability that is 0 is taken as if its own summand were 0 all around",
    )


FAMILIES = (
    pointwise(
        "kl_divergence",
        kl_divergence,
        "the Kullback–Leibler divergence of logarithms of probabilities from a target",
        facts={"t": "nonnegative"},
        source="Kullback and Leibler 1951, equation 2.4; 0 log 0 = 0",
        careful=True,
        kink="the slope of t log t at t = 0 is taken to be 0; it grows without bound beside it",
        axes=2,
    ),
    Family("jensen_shannon", "the Jensen–Shannon divergence of two distributions", jensen_shannon),
)
