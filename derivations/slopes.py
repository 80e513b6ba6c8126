"""Slopes of losses as textbooks have them, written by hand as definitions: the gallery shows each one, proved equal to
what is derived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from symdl.core.define import Sum, define, delta, exp, let, log, sqrt, switch, tanh
from symdl.core.definitions import Definition
from symdl.library.activations import sigmoid
from symdl.library.definitions import definition


@dataclass(frozen=True)
class Slope:
    """A loss with options, what it is differentiated by, and the slope by hand, which goes on from the loss."""

    name: str
    wrt: str
    body: Callable[..., Any]
    closed: Definition
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.name, self.wrt, *[f"{k}={v}" for k, v in self.options.items()]])

    @property
    def loss(self) -> Definition:
        return definition(self.name, **self.options)


SLOPES: list[Slope] = []


def by_hand(name: str, wrt: str, **options: Any) -> Callable[[Callable[..., Any]], None]:
    """Keep a function as the slope of a loss by `wrt`; its arguments are tensors of the loss."""

    def keep(body: Callable[..., Any]) -> None:
        loss = definition(name, **options)
        SLOPES.append(Slope(name, wrt, body, define(extends=loss)(body), options))

    return keep


@by_hand("l1", "y_hat")
def _(t, y_hat):
    (n,) = t.indices
    return let("y_hat_bar[n]", switch(y_hat[n] - t[n], -1, 1, kink="mid") / n.extent)


@by_hand("l2", "y_hat")
def _(t, y_hat):
    (n,) = t.indices
    return let("y_hat_bar[n]", 2 * (y_hat[n] - t[n]) / n.extent)


@by_hand("huber", "y_hat")
def _(t, y_hat, delta):
    """The error, cut off at ±δ."""
    (n,) = t.indices
    r = y_hat[n] - t[n]
    return let(
        "y_hat_bar[n]", switch(r - delta, switch(r + delta, -delta, r, kink="mid"), delta, kink="mid") / n.extent
    )


@by_hand("smooth_l1", "y_hat")
def _(t, y_hat, beta):
    (n,) = t.indices
    r = (y_hat[n] - t[n]) / beta
    return let("y_hat_bar[n]", switch(r - 1, switch(r + 1, -1, r, kink="mid"), 1, kink="mid") / n.extent)


@by_hand("log_cosh", "y_hat")
def _(t, y_hat):
    (n,) = t.indices
    return let("y_hat_bar[n]", tanh(y_hat[n] - t[n]) / n.extent)


@by_hand("quantile", "y_hat")
def _(t, y_hat, tau):
    (n,) = t.indices
    return let("y_hat_bar[n]", switch(t[n] - y_hat[n], 1 - tau, -tau, kink="mid") / n.extent)


@by_hand("poisson_nll", "y_hat")
def _(t, y_hat):
    (n,) = t.indices
    return let("y_hat_bar[n]", (exp(y_hat[n]) - t[n]) / n.extent)


@by_hand("poisson_nll", "y_hat", log_input=False, full=True)
def _(t, y_hat, eps):
    (n,) = t.indices
    return let("y_hat_bar[n]", (1 - t[n] / (y_hat[n] + eps)) / n.extent)


@by_hand("gaussian_nll", "y_hat")
def _(t, y_hat, v, eps):
    (n,) = t.indices
    return let("y_hat_bar[n]", (y_hat[n] - t[n]) / switch(v[n] - eps, eps, v[n], kink="mid") / n.extent)


@by_hand("gaussian_nll", "v")
def _(t, y_hat, v, eps):
    (n,) = t.indices
    slope = (v[n] - (y_hat[n] - t[n]) ** 2) / (2 * v[n] ** 2)
    return let("v_bar[n]", switch(v[n] - eps, 0, slope, kink="right") / n.extent)


@by_hand("binary_cross_entropy", "p")
def _(t, p):
    (n,) = t.indices
    return let("p_bar[n]", (p[n] - t[n]) / (p[n] * (1 - p[n])) / n.extent)


@by_hand("binary_cross_entropy_logits", "z", pos_weight=1)
def _(t, z):
    (n,) = t.indices
    return let("z_bar[n]", (sigmoid(z[n]) - t[n]) / n.extent)


@by_hand("binary_cross_entropy_logits", "z", axes=2)
def _(t, z, pos_weight):
    n, k = t.indices
    share = 1 + (pos_weight[k] - 1) * t[n, k]
    return let("z_bar[n,k]", (sigmoid(z[n, k]) * share - pos_weight[k] * t[n, k]) / (n.extent * k.extent))


@by_hand("focal", "z", gamma=2)
def _(t, z, alpha):
    """Lin et al. 2017, appendix B, for both classes."""
    (n,) = t.indices
    p = let("p[n]", sigmoid(z[n]))
    one = alpha * t[n] * (1 - p[n]) ** 2 * (2 * p[n] * log(p[n]) + p[n] - 1)
    zero = (1 - alpha) * (1 - t[n]) * p[n] ** 2 * (p[n] - 2 * (1 - p[n]) * log(1 - p[n]))
    return let("z_bar[n]", (one + zero) / n.extent)


@by_hand("hinge", "z")
def _(t, z, margin):
    (n,) = t.indices
    return let("z_bar[n]", switch(margin - t[n] * z[n], 0, -t[n], kink="left") / n.extent)


@by_hand("squared_hinge", "z")
def _(t, z, margin):
    (n,) = t.indices
    missing = margin - t[n] * z[n]
    return let("z_bar[n]", -2 * t[n] * switch(missing, 0, missing, kink="mid") / n.extent)


@by_hand("hinge_embedding", "d")
def _(t, d, margin):
    (n,) = t.indices
    return let("d_bar[n]", switch(t[n], switch(margin - d[n], 0, -1, kink="right"), 1, kink="mid") / n.extent)


@by_hand("cross_entropy", "p")
def _(y, p):
    n, k = y.indices
    return let("p_bar[n,k]", -y[n, k] / p[n, k] / n.extent)


@by_hand("softmax_cross_entropy", "z")
def _(y, p):
    n, k = y.indices
    return let("z_bar[n,k]", (p[n, k] - y[n, k]) / n.extent)


@by_hand("softmax_cross_entropy", "z", target="classes")
def _(c, p):
    n, k = p.indices
    return let("z_bar[n,k]", (p[n, k] - delta(k, c[n])) / n.extent)


@by_hand("softmax_cross_entropy", "z", label_smoothing=0.1)
def _(y, p):
    n, k = y.indices
    return let("z_bar[n,k]", (p[n, k] - 9 * y[n, k] / 10 - 1 / (10 * k.extent)) / n.extent)


@by_hand("softmax_cross_entropy", "z", target="classes", weights=True)
def _(c, p, w):
    n, k = p.indices
    return let("z_bar[n,k]", (p[n, k] - delta(k, c[n])) * w[c[n]] / Sum(w[c[n]], n))


@by_hand("nll", "x")
def _(c, x):
    n, k = x.indices
    return let("x_bar[n,k]", -delta(k, c[n]) / n.extent)


@by_hand("softmax_focal", "z", gamma=2)
def _(c, p):
    n, k = p.indices
    q = p[n, c[n]]
    slope = 2 * q * (1 - q) * log(q) - (1 - q) ** 2
    return let("z_bar[n,k]", (delta(k, c[n]) - p[n, k]) * slope / n.extent)


@by_hand("multi_margin", "x")
def _(c, x, m):
    n, k = x.indices
    over = let("h[n,k]", (1 - delta(k, c[n])) * switch(m - x[n, c[n]] + x[n, k], 0, 1, kink="left"))
    j = k.fresh()
    return let("x_bar[n,k]", (over[n, k] - delta(k, c[n]) * Sum(over[n, j], j)) / (n.extent * k.extent))


@by_hand("multilabel_margin", "x")
def _(y, x):
    n, k = x.indices
    j = k.fresh()

    def over(above, below):
        return switch(1 - x[n, above] + x[n, below], 0, 1, kink="left")

    down = let("g[n,k]", Sum(y[n, j] * over(j, k), j))
    up = let("h[n,k]", Sum((1 - y[n, j]) * over(k, j), j))
    return let("x_bar[n,k]", ((1 - y[n, k]) * down[n, k] - y[n, k] * up[n, k]) / (n.extent * k.extent))


@by_hand("margin_ranking", "x1")
def _(t, x1, x2, margin):
    (n,) = t.indices
    return let("x1_bar[n]", switch(margin - t[n] * (x1[n] - x2[n]), 0, -t[n], kink="right") / n.extent)


@by_hand("cosine_embedding", "x1")
def _(t, x1, x2, margin, s, A, B):
    """The cosine's slope is x₂/√(AB) − s x₁/A."""
    n, d = x1.indices
    weight = (1 - t[n]) / 2 * switch(s[n] - margin, 0, 1, kink="right") - (1 + t[n]) / 2
    return let("x1_bar[n,d]", weight * (x2[n, d] / sqrt(A[n] * B[n]) - s[n] * x1[n, d] / A[n]) / n.extent)


@by_hand("triplet_margin", "a", eps=None)
def _(a, p, q, margin, eps, d_p, d_q):
    n, d = a.indices
    counts = switch(margin + d_p[n] - d_q[n], 0, 1, kink="right")
    slope = (a[n, d] - p[n, d] + eps) / d_p[n] - (a[n, d] - q[n, d] + eps) / d_q[n]
    return let("a_bar[n,d]", counts * slope / n.extent)


@by_hand("info_nce", "q")
def _(k, tau, p):
    """(p − δ)/N times the other vectors, over τ."""
    n, m = p.indices
    d = k.indices[1]
    return let("q_bar[n,d]", Sum((p[n, m] - delta(n, m)) * k[m, d], m) / (tau * n.extent))


@by_hand("kl_divergence", "x", reduction="batchmean")
def _(t, x):
    n, k = x.indices
    return let("x_bar[n,k]", -t[n, k] / n.extent)


@by_hand("kl_divergence", "x", log_target=True)
def _(t, x):
    n, k = x.indices
    return let("x_bar[n,k]", -exp(t[n, k]) / (n.extent * k.extent))


@by_hand("jensen_shannon", "p")
def _(p, q):
    """½ log(p/m), since all other summands cancel; at p = 0 those are left."""
    n, k = p.indices
    both = p[n, k] + q[n, k]
    slope = switch(p[n, k], -q[n, k] / both, log(2 * p[n, k] / both), kink="left")
    return let("p_bar[n,k]", slope / (2 * n.extent))


@by_hand("dice", "p")
def _(t, p, smooth, U):
    n, k = t.indices
    overlap = let("I[n]", Sum(t[n, k] * p[n, k], k))
    slope = (2 * overlap[n] + smooth) / (U[n] + smooth) ** 2 - 2 * t[n, k] / (U[n] + smooth)
    return let("p_bar[n,k]", slope / n.extent)


@by_hand("tversky", "p")
def _(t, alpha, beta, smooth, TP, FP, FN):
    n, k = t.indices
    whole = TP[n] + alpha * FP[n] + beta * FN[n] + smooth
    change = t[n, k] + alpha * (1 - t[n, k]) - beta * t[n, k]
    return let("p_bar[n,k]", ((TP[n] + smooth) * change - t[n, k] * whole) / whole**2 / n.extent)


@by_hand("iou", "I", eps=None)
def _(eps, I, U):
    """By the shared area, which counts in the covered one as well."""
    (n,) = I.indices
    return let("I_bar[n]", -(U[n] + eps + I[n]) / (U[n] + eps) ** 2 / n.extent)


@by_hand("giou", "C", eps=None)
def _(eps, D, C):
    """By the area around both boxes, of which D is empty."""
    (n,) = C.indices
    return let("C_bar[n]", -D[n] / (C[n] + eps) ** 2 / n.extent)
