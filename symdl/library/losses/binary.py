"""Losses of two classes: a target of 0 or 1 against a probability or a score, or one of −1 or 1 against a score.

>>> from symdl.core.define import symbol
>>> t, z = symbol("t"), symbol("z")
>>> binary_cross_entropy(t, z).diff(z).subs({t: 1, z: 0.5}), hinge(1, z).subs(z, -1)
(-2.00000000000000, 2)
"""

from __future__ import annotations

from typing import Any

import sympy

from symdl.core.define import log, switch
from symdl.library.activations import sigmoid
from symdl.library.losses.pointwise import pointwise


def positive_part(x: Any, *, kink: str) -> sympy.Expr:
    """max(0, x); its slope at 0 is 0 with kink="left", 1 with kink="right"."""
    return switch(x, 0, x, kink=kink)


def binary_cross_entropy(t: Any, p: Any) -> sympy.Expr:
    """−t log p − (1 − t) log(1 − p)."""
    return -t * log(p) - (1 - t) * log(1 - p)


def binary_cross_entropy_logits(t: Any, z: Any, pos_weight: Any = 1) -> sympy.Expr:
    """−w t log σ(z) − (1 − t) log σ(−z).

    It is computed from log σ(z) = min(z, 0) − log(1 + e^{−|z|}), which the compiler puts in.
    """
    return -pos_weight * t * log(sigmoid(z)) - (1 - t) * log(sigmoid(-z))


def focal(t: Any, z: Any, gamma: Any = 2, alpha: Any = sympy.Rational(1, 4)) -> sympy.Expr:
    """−α t (1 − σ(z))^γ log σ(z) − (1 − α)(1 − t) σ(z)^γ log(1 − σ(z)): what is classified well counts less."""
    right, wrong = sigmoid(z), sigmoid(-z)
    return -alpha * t * wrong**gamma * log(right) - (1 - alpha) * (1 - t) * right**gamma * log(wrong)


def hinge(t: Any, z: Any, margin: Any = 1) -> sympy.Expr:
    """max(0, m − t z)."""
    return positive_part(margin - t * z, kink="left")


def squared_hinge(t: Any, z: Any, margin: Any = 1) -> sympy.Expr:
    """max(0, m − t z)²."""
    return positive_part(margin - t * z, kink="left") ** 2


def hinge_embedding(t: Any, d: Any, margin: Any = 1) -> sympy.Expr:
    """A distance: d itself where t is 1, max(0, m − d) where t is −1."""
    return switch(t, positive_part(margin - d, kink="right"), d, kink="mid")


_SIGNED = {"t": "sign", "margin": "positive"}

FAMILIES = (
    pointwise(
        "binary_cross_entropy",
        binary_cross_entropy,
        "cross-entropy of two classes, from the probability of one",
        facts={"t": "binary", "p": "fraction"},
        source="the negative log-likelihood of a Bernoulli distribution",
    ),
    pointwise(
        "binary_cross_entropy_logits",
        binary_cross_entropy_logits,
        "cross-entropy of two classes, from the score of one",
        facts={"t": "binary", "pos_weight": "positive"},
        per_class=("pos_weight",),
        source="the negative log-likelihood of a Bernoulli distribution, p = σ(z)",
    ),
    pointwise(
        "focal",
        focal,
        "cross-entropy of two classes, less of it where the classification is right",
        facts={"t": "binary", "gamma": "positive", "alpha": "fraction"},
        careful=True,
        source="Lin et al. 2017 (arXiv 1708.02002), equation 5",
    ),
    pointwise(
        "hinge",
        hinge,
        "how far a score is from the right side of the margin",
        facts=_SIGNED,
        source="Rosasco et al. 2004, section 2; Cortes and Vapnik 1995",
        kink="slope 0 on the margin",
    ),
    pointwise(
        "squared_hinge",
        squared_hinge,
        "the square of the hinge loss",
        facts=_SIGNED,
        source="Rosasco et al. 2004, section 2",
        kink="none: the slope on the margin is 0 from both sides",
    ),
    pointwise(
        "hinge_embedding",
        hinge_embedding,
        "small distances where t is 1, large ones where it is −1",
        facts=_SIGNED,
        source="the loss of that name in PyTorch",
        kink="slope −1 at d = m, as PyTorch's clamp has it",
    ),
)
