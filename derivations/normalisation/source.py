r"""Normalisation: why no slope points along what was normalised away.

Subtract the mean, divide by the standard deviation, scale and shift. Batch norm takes both statistics over the batch,
layer norm over the features of one example; otherwise they are the same function, and so is their gradient.
"""

import symdl as sd
from derivations.lesson import Lesson


def batch_norm(x_hat, r, gamma, y_bar):
    n, c = x_hat.indices
    A = sd.let("A[c]", sd.mean(y_bar[n, c], n))
    B = sd.let("B[c]", sd.mean(y_bar[n, c] * x_hat[n, c], n))
    return (
        sd.let("x_bar[n,c]", gamma[c] * r[c] * (y_bar[n, c] - A[c] - x_hat[n, c] * B[c])),
        sd.let("gamma_bar[c]", sd.Sum(y_bar[n, c] * x_hat[n, c], n)),
        sd.let("beta_bar[c]", sd.Sum(y_bar[n, c], n)),
    )


def layer_norm(x_hat, r, gamma, y_bar):
    n, i = x_hat.indices
    g = sd.let("g[n,i]", gamma[i] * y_bar[n, i])
    A = sd.let("A[n]", sd.mean(g[n, i], i))
    B = sd.let("B[n]", sd.mean(g[n, i] * x_hat[n, i], i))
    return (
        sd.let("x_bar[n,i]", r[n] * (g[n, i] - A[n] - x_hat[n, i] * B[n])),
        sd.let("gamma_bar[i]", sd.Sum(y_bar[n, i] * x_hat[n, i], n)),
        sd.let("beta_bar[i]", sd.Sum(y_bar[n, i], n)),
    )


lessons = [
    Lesson(
        "Batch norm",
        sd.definition("batch_norm"),
        r"""Every example of the batch moves $\mu$ and $\sigma^2$, so the slope by one entry of $x$ has three terms: the
        direct one, one through the mean, one through the variance. The sum $\sum_n (x_{nc} - \mu_c)$ vanishes, which
        removes the way through the variance to the mean.""",
        wrt=["x", "gamma", "beta"],
        closed=batch_norm,
        closed_words=r"""The slope $\bar{y}$ loses its mean over the batch, $A$, and its part along $\hat{x}$, $B$: to
        shift or to stretch all $x$ changes nothing, but for $\varepsilon$ (Ioffe and Szegedy 2015, section 3, put
        together).""",
        values={"x": [[1], [2], [4], [5]], "gamma": [3], "beta": [1], "eps": "3/2", "y_bar": [[1], [0], [0], [0]]},
    ),
    Lesson(
        "Layer norm",
        sd.definition("layer_norm"),
        r"""The same with the roles of the axes exchanged. Because $\gamma$ now varies along the axis that is summed,
        the slope by $\hat{x}$ keeps a name.""",
        wrt=["x", "gamma", "beta"],
        closed=layer_norm,
        closed_words=r"With $g = \gamma \bar{y}$ it is the formula above again (Ba, Kiros and Hinton 2016).",
    ),
]
