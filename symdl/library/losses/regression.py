"""Losses of numbers: how far a prediction is from its target, and how likely the target is.

>>> from symdl.core.define import symbol
>>> t, y = symbol("t"), symbol("y")
>>> squared_error(t, y), huber(t, y).subs({t: 0, y: 3})
((t - y)**2, 5/2)
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy.codegen.cfunctions import log1p

from symdl.core.define import absolute, exp, log, maximum, switch
from symdl.core.functions import scalar_function
from symdl.library.losses.pointwise import pointwise


def absolute_error(t: Any, y_hat: Any) -> sympy.Expr:
    """|t − y|."""
    return absolute(t - y_hat, kink="mid")


def squared_error(t: Any, y_hat: Any) -> sympy.Expr:
    """(t − y)²."""
    return (t - y_hat) ** 2


def huber(t: Any, y_hat: Any, delta: Any = 1) -> sympy.Expr:
    """r²/2 where |r| < δ, δ (|r| − δ/2) elsewhere; r = y − t."""
    r, edge = y_hat - t, sympy.sympify(delta)
    size = absolute(r, kink="mid")
    return switch(size - edge, r**2 / 2, edge * (size - edge / 2), kink="right")


def smooth_l1(t: Any, y_hat: Any, beta: Any = 1) -> sympy.Expr:
    """r²/(2β) where |r| < β, |r| − β/2 elsewhere; r = y − t."""
    r, edge = y_hat - t, sympy.sympify(beta)
    size = absolute(r, kink="mid")
    return switch(size - edge, r**2 / (2 * edge), size - edge / 2, kink="right")


def _near_zero(r: sympy.Expr) -> sympy.Expr:
    """−½ log(1 − tanh² r)."""
    return -log1p(-(sympy.tanh(r) ** 2)) / 2


def _far(r: sympy.Expr) -> sympy.Expr:
    """|r| + log(1 + e^{−2|r|}) − log 2."""
    size = absolute(r, kink="mid")
    return size + log1p(exp(-2 * size)) - sympy.log(2)


_LogCosh: Any = scalar_function(
    "log_cosh",
    lambda r: sympy.log((sympy.exp(r) + sympy.exp(-r)) / 2),
    slope=sympy.tanh,
    # e^|r| overflows where the result is |r| − log 2, and near 0, where the result is r²/2, its digits cancel
    stable=lambda r: switch(absolute(r, kink="mid") - 1, _near_zero(r), _far(r), kink="right"),
    latex=r"\log\cosh",
    source="log((e^r + e^−r)/2)",
)


def log_cosh(t: Any, y_hat: Any) -> sympy.Expr:
    """log cosh(y − t): r²/2 near 0, |r| − log 2 far away."""
    return _LogCosh(y_hat - t)


def quantile(t: Any, y_hat: Any, tau: Any = sympy.Rational(1, 2)) -> sympy.Expr:
    """τ r where the target is above the prediction, (τ − 1) r where it is below; r = t − y."""
    r = t - y_hat
    return switch(r, (tau - 1) * r, tau * r, kink="mid")


def poisson_nll(
    t: Any, y_hat: Any, log_input: bool = True, full: bool = False, eps: Any = sympy.Rational(1, 10**8)
) -> sympy.Expr:
    """λ − t log λ, without the constant log t! or, if `full`, with Stirling's formula for it where t > 1.

    The prediction is log λ, or with `log_input=False` it is λ; then log(λ + ε) stands for log λ.
    """
    value = exp(y_hat) - t * y_hat if log_input else y_hat - t * log(y_hat + eps)
    if not full:
        return value
    stirling = t * log(t) - t + log(2 * sympy.pi * t) / 2
    return value + switch(t - 1, 0, stirling, kink="left")


def gaussian_nll(t: Any, y_hat: Any, v: Any, full: bool = False, eps: Any = sympy.Rational(1, 10**6)) -> sympy.Expr:
    """½ (log v + (t − y)²/v), v no smaller than ε; if `full`, with the constant ½ log 2π."""
    variance = maximum(v, eps, kink="right")
    value = (log(variance) + (t - y_hat) ** 2 / variance) / 2
    return value + log(2 * sympy.pi) / 2 if full else value


FAMILIES = (
    pointwise(
        "l1",
        absolute_error,
        "mean absolute error",
        source="L19 of the lecture",
        kink="slope 0 where target and prediction are equal",
    ),
    pointwise("l2", squared_error, "mean squared error", source="L3 and L19 of the lecture"),
    pointwise(
        "huber",
        huber,
        "squared near 0, absolute far from it",
        facts={"delta": "positive"},
        source="Huber 1964, equation 11",
        kink="none: the slopes agree at ±δ; the curvature there is that of the straight parts, 0",
    ),
    pointwise(
        "smooth_l1",
        smooth_l1,
        "the Huber loss over β",
        facts={"beta": "positive"},
        source="Girshick 2015 (arXiv 1504.08083), equation 3",
        kink="none: the slopes agree at ±β; the curvature there is that of the straight parts, 0",
    ),
    pointwise("log_cosh", log_cosh, "the logarithm of the hyperbolic cosine of the error", source=_LogCosh.source),
    pointwise(
        "quantile",
        quantile,
        "the pinball loss, least at the τ-quantile",
        facts={"tau": "fraction"},
        source="Koenker and Bassett 1978, equation 3.1",
        kink="the mean of both slopes, τ − 1/2 by the target, where target and prediction are equal",
    ),
    pointwise(
        "poisson_nll",
        poisson_nll,
        "negative log-likelihood of a count under a Poisson distribution",
        facts={"t": "nonnegative", "eps": "positive"},
        careful=True,
        source="the density λ^t e^−λ / t!; Stirling's formula for log t!",
        kink="Stirling's formula counts above 1 only; at 1 the value is that of 0, with slope 0 by the target",
    ),
    pointwise(
        "gaussian_nll",
        gaussian_nll,
        "negative log-likelihood of a number under a normal distribution of given variance",
        facts={"v": "positive", "eps": "positive"},
        careful=True,
        source="Nix and Weigend 1994, equation 4",
        kink="the slope by v is 0 below ε, and that from above at ε",
    ),
)
