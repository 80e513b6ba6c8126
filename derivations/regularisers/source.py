r"""Regularisers: what keeps parameters small.

A penalty is a term of the objective like any other, so its slope is derived like any other: $J = L + \lambda_1 \sum
|w| + \frac{\lambda_2}{2} \sum w^2$. What it does, its slope tells: the square pulls in proportion to the weight, the
absolute value always equally hard, so that weights which the loss does not miss become exactly 0.
"""

import symdl as sd
from derivations.lesson import Lesson


@sd.define
def line(x=sd.Input("n i"), t=sd.Input("n"), w=sd.Param("i"), b=sd.Param()):
    n, i = x.indices
    y = sd.let("y[n]", sd.Sum(w[i] * x[n, i], i) + b)
    return sd.let("L", sd.mean((t[n] - y[n]) ** 2, n))


def ridge(x, t, w, y, lambda2):
    n, i = x.indices
    e = sd.let("e[n]", y[n] - t[n])
    return (
        sd.let("w_bar[i]", 2 / n.extent * sd.Sum(e[n] * x[n, i], n) + lambda2 * w[i]),
        sd.let("b_bar", 2 / n.extent * sd.Sum(e[n], n)),
    )


def lasso(x, t, w, y, lambda1):
    n, i = x.indices
    e = sd.let("e[n]", y[n] - t[n])
    sign = sd.switch(w[i], -1, 1, kink="mid")
    return (
        sd.let("w_bar[i]", 2 / n.extent * sd.Sum(e[n] * x[n, i], n) + lambda1 * sign),
        sd.let("b_bar", 2 / n.extent * sd.Sum(e[n], n)),
    )


def elastic(x, t, w, y, lambda1, lambda2):
    n, i = x.indices
    e = sd.let("e[n]", y[n] - t[n])
    sign = sd.switch(w[i], -1, 1, kink="mid")
    return (
        sd.let("w_bar[i]", 2 / n.extent * sd.Sum(e[n] * x[n, i], n) + lambda1 * sign + lambda2 * w[i]),
        sd.let("b_bar", 2 / n.extent * sd.Sum(e[n], n)),
    )


lessons = [
    Lesson(
        "L2: the square",
        sd.regularised(line, sd.regularisers.l2(0.1)),
        r"The bias is no weight: nothing is summed over it, and it only shifts.",
        closed=ridge,
        closed_words=r"""The slope of the penalty is $\lambda_2 w$: SGD takes the share $\eta \lambda_2$ off every
        weight in each step (weight decay).""",
        values={"x": [[1, 2]], "t": [3], "w": [1, 1], "b": 1, "lambda2": "1/2"},
    ),
    Lesson(
        "L1: the absolute value",
        sd.regularised(line, sd.regularisers.l1(0.1)),
        r"""$|w|$ has a kink at 0, where the mean of both slopes counts: 0.""",
        closed=lasso,
        closed_words=r"The slope of the penalty is $\pm\lambda_1$, however small the weight is.",
        values={"x": [[1, 2]], "t": [3], "w": [1, -1], "b": 1, "lambda1": "1/2"},
    ),
    Lesson(
        "Elastic net: both",
        sd.regularised(line, sd.regularisers.elastic_net(0.1)),
        closed=elastic,
        matrix=False,
    ),
]
