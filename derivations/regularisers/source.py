r"""Regularisers: what keeps parameters small.

A penalty is a term of the objective like any other, so its slope is derived like any other: $J = L + \lambda_1 \sum
|w| + \frac{\lambda_2}{2} \sum w^2$. What it does, its slope tells: the square pulls in proportion to the weight, the
absolute value always equally hard, so that weights which the loss does not miss become exactly 0.
"""

import symdl as sd
from derivations.lesson import Lesson
from derivations.proof import Claim, Proof


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


def smoothed(p, y, eps):
    n, k = y.indices
    target = sd.let("y_smooth[n,k]", (1 - eps) * y[n, k] + eps / k.extent)
    return sd.let("z_bar[n,k]", (p[n, k] - target[n, k]) / n.extent)


x, keep = sd.symbol("x"), sd.symbol("p")

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
    Lesson(
        "Label smoothing: no target is certain",
        sd.definition("softmax_cross_entropy", label_smoothing=None),
        r"""A score that is to give the probability 1 has to be infinite. With $(1 - \varepsilon) y + \varepsilon/K$ in
        the place of the target $y$, whose entries add up to 1, it need not be.""",
        wrt="z",
        closed=smoothed,
        closed_words=r"""The slope is 0 where the probabilities are the smoothed target: at finite distances between
        the scores.""",
        matrix=False,
    ),
    Proof(
        "Dropout: noise without a bias",
        r"""A unit stays with the probability $p$, $m = 1$, and is left out otherwise, $m = 0$. What stays is divided by
        $p$. Its slope is derived among the compositions.""",
        [("The layer:", sd.definition("dropout"))],
        [
            Claim(
                "$E[m] = p$, so that the mean over all masks is what went in, and prediction needs no change:",
                keep * (x / keep) + (1 - keep) * 0,
                x,
                called=r"p \cdot \frac{x}{p} + (1 - p) \cdot \frac{0}{p}",
            ),
            Claim(
                "The variance of what comes out grows with the square of what goes in, and with the share left out:",
                keep * (x / keep - x) ** 2 + (1 - keep) * x**2,
                (1 - keep) / keep * x**2,
                called=r"p \left(\frac{x}{p} - x\right)^2 + (1 - p) (0 - x)^2",
            ),
        ],
        r"""A loss that curves upwards by $c$ in $x$ is larger by $\frac{c}{2}$ times that on average: a penalty on
        large units. Early stopping needs no equation: it keeps the parameters of the epoch whose validation loss was
        lowest, and ends once that has not fallen for some epochs.""",
    ),
]
