r"""Regularisers: what keeps parameters small.

A penalty is a term of the objective like any other, so its slope is derived like any other: $J = L + \lambda_1 \sum
|w| + \frac{\lambda_2}{2} \sum w^2$. What it does, its slope tells: the square pulls in proportion to the weight, the
absolute value always equally hard, so that weights which the loss does not miss become exactly 0.
"""

import sympy

import symdl as sd
from derivations.drawn import Drawn
from derivations.lesson import Lesson
from derivations.proof import Claim, Proof
from symdl.library.losses import huber
from symdl.library.optimisers import clip_norm, clip_value


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


x, keep, g, c = sd.symbol("x"), sd.symbol("p"), sd.symbol("g"), sympy.Symbol("c", positive=True)
q, eta, h, m = sd.symbol("q"), sd.symbol("eta"), sympy.Symbol("h", positive=True), sd.symbol("m")


def kept_within(g, limit):
    """min(max(g, −c), c), as the library clips an entry."""
    return sd.maximum(sd.minimum(g, limit, kink="mid"), -limit, kink="mid")


@sd.define
def scaled(g=sd.Input("i"), limit=sd.Hyper(), S=sd.Hyper(facts=["positive"])):
    (i,) = g.indices
    h = sd.let("h[i]", limit / sd.sqrt(S) * g[i])
    return sd.let("square", sd.Sum(h[i] ** 2, i))


@sd.define
def in_units(g=sd.Input("i"), limit=sd.Hyper(), S=sd.Hyper(facts=["positive"])):
    (i,) = g.indices
    return sd.let("square", limit**2 * (sd.Sum(g[i] ** 2, i) / S))


BOTH = "The penalty of one weight, blue, and its slope, red"

lessons = [
    Drawn(
        Lesson(
            "L2: the square",
            sd.regularised(line, sd.regularisers.l2(0.1)),
            r"The bias is no weight: nothing is summed over it, and it only shifts.",
            closed=ridge,
            closed_words=r"""The slope of the penalty is $\lambda_2 w$: SGD takes the share $\eta \lambda_2$ off every
            weight in each step (weight decay).""",
            values={"x": [[1, 2]], "t": [3], "w": [1, 1], "b": 1, "lambda2": "1/2"},
        ),
        source="Hoerl and Kennard 1970 (Technometrics 12): ridge regression",
        name="l2_penalty",
        function=lambda w: w**2 / 2,
        words=rf"{BOTH}, for $\lambda_2 = 1$.",
    ),
    Drawn(
        Lesson(
            "L1: the absolute value",
            sd.regularised(line, sd.regularisers.l1(0.1)),
            r"""$|w|$ has a kink at 0, where the mean of both slopes counts: 0.""",
            closed=lasso,
            closed_words=r"The slope of the penalty is $\pm\lambda_1$, however small the weight is.",
            values={"x": [[1, 2]], "t": [3], "w": [1, -1], "b": 1, "lambda1": "1/2"},
        ),
        source="Tibshirani 1996 (Journal of the Royal Statistical Society B 58): the lasso",
        name="l1_penalty",
        function=lambda w: sd.absolute(w, kink="mid"),
        words=rf"{BOTH}, for $\lambda_1 = 1$.",
        kink="slope 0 at 0 (the mean of both), as PyTorch has it for |w|",
    ),
    Drawn(
        Lesson(
            "Elastic net: both",
            sd.regularised(line, sd.regularisers.elastic_net(0.1)),
            closed=elastic,
            matrix=False,
        ),
        source="Zou and Hastie 2005 (Journal of the Royal Statistical Society B 67)",
        name="elastic_net",
        function=lambda w: sd.absolute(w, kink="mid") / 2 + w**2 / 4,
        words=rf"{BOTH}, for $\lambda_1 = \lambda_2 = \frac{{1}}{{2}}$.",
        kink="slope 0 at 0 (the mean of both)",
    ),
    Drawn(
        Lesson(
            "Label smoothing: no target is certain",
            sd.definition("softmax_cross_entropy", label_smoothing=None),
            r"""A score that is to give the probability 1 has to be infinite. With $(1 - \varepsilon) y + \varepsilon/K$
            in the place of the target $y$, whose entries add up to 1, it need not be.""",
            wrt="z",
            closed=smoothed,
            closed_words=r"""The slope is 0 where the probabilities are the smoothed target: at finite distances between
            the scores.""",
            matrix=False,
        ),
        source="Szegedy et al. 2016 (arXiv 1512.00567), section 7",
    ),
    Drawn(
        Proof(
            "Dropout: noise without a bias",
            r"""A unit stays with the probability $p$, $m = 1$, and is left out otherwise, $m = 0$. What stays is
            divided by $p$. Its slope is derived among the compositions.""",
            [("The layer:", sd.definition("dropout"))],
            [
                Claim(
                    "$E[m] = p$, so that the mean over all masks is what went in, and prediction needs no change:",
                    keep * (x / keep) + (1 - keep) * 0,
                    x,
                    called=r"p \cdot \frac{x}{p} + (1 - p) \cdot \frac{0}{p}",
                ),
                Claim(
                    "The variance of what comes out grows with the square of what goes in and the share left out:",
                    keep * (x / keep - x) ** 2 + (1 - keep) * x**2,
                    (1 - keep) / keep * x**2,
                    called=r"p \left(\frac{x}{p} - x\right)^2 + (1 - p) (0 - x)^2",
                ),
            ],
            r"""A loss that curves upwards by $c$ in $x$ is larger by $\frac{c}{2}$ times that on average: a penalty on
            large units.""",
        ),
        source="Srivastava et al. 2014 (Journal of Machine Learning Research 15)",
    ),
    Drawn(
        Proof(
            "Gradient clipping by value: each entry by itself",
            r"""No entry of a gradient may be larger than a limit $c > 0$. It stands in front of any optimiser:""",
            [("In front of SGD, as it is compiled:", clip_value(sd.sgd(0.1), 1).update)],
            [
                Claim(
                    "What is left of a slope is the slope of the Huber loss with that limit, whose argument is $g$:",
                    kept_within(g, c),
                    huber(0, g, c).diff(g),
                    called=r"\min(\max(g, -c), c)",
                ),
                Claim(
                    "so that clipping the error of a squared loss is the Huber loss. A slope keeps its sign:",
                    kept_within(-g, c),
                    -kept_within(g, c),
                    called=r"\min(\max(-g, -c), c)",
                ),
                Claim("What is within the limit stays:", kept_within(c * sd.tanh(x), c), c * sd.tanh(x)),
            ],
            r"""Each entry is cut by itself, so the direction of the whole gradient turns: $(3, 4)$ becomes $(1, 1)$ for
            $c = 1$.""",
        ),
        source="torch.nn.utils.clip_grad_value_; Mikolov 2012 (thesis, Brno), for recurrent networks",
        name="clipped",
        function=lambda g: kept_within(g, 1),
        label="h",
        variable="g",
        words="What is left of a slope, blue, and how much of a change of it, red, for $c = 1$.",
        kink="the mean of both slopes at the limits, where the optimiser's equations are differentiated",
    ),
    Drawn(
        Proof(
            "Gradient clipping by the norm: the direction stays",
            r"""If the norm $\sqrt{S}$, $S = \sum_i g_i^2$ over all entries of all parameters, is above a limit, all
            slopes are multiplied by limit$/\sqrt{S}$: $(3, 4)$ becomes $(\frac{3}{5}, \frac{4}{5})$ for a limit of
            1.""",
            [
                ("In front of SGD, as it is compiled:", clip_norm(sd.sgd(0.1), 1).update),
                ("with the factor, once a step:", clip_norm(sd.sgd(0.1), 1).step),
                ("What it becomes:", scaled),
            ],
            [Claim(r"Since $\sum_i g_i^2 / S = 1$, the new square is that of the limit:", scaled, in_units)],
        ),
        source="Pascanu, Mikolov and Bengio 2013 (arXiv 1211.5063), algorithm 1; torch.nn.utils.clip_grad_norm_",
        kink="the mean of both slopes of the factor where the norm is the limit",
    ),
    Drawn(
        Proof(
            "Early stopping: a penalty that is not written down",
            r"""Training ends once the validation loss has not fallen for some epochs, and keeps the parameters of
            the epoch for which it was lowest. Where the loss is $\frac{h}{2} (w - m)^2$ and $w$ starts at 0, a share
            $q_t$ of the way is left after $t$ steps of SGD, $w = (1 - q_t) m$ with $q_0 = 1$.""",
            claims=[
                Claim(
                    r"Each step with the rate $\eta$ leaves the share $1 - \eta h$ of what was left:",
                    (1 - q) * m - eta * h * ((1 - q) * m - m),
                    (1 - (1 - eta * h) * q) * m,
                    called=r"(1 - q) m - \eta h \left((1 - q) m - m\right)",
                ),
                Claim(
                    r"""To end there is to train to the end with an L2 penalty, whose weight $\lambda = h q/(1 - q)$
                    falls with every step: the minimum of $\frac{h}{2} (w - m)^2 + \frac{\lambda}{2} w^2$ is""",
                    h * m / (h + h * q / (1 - q)),
                    (1 - q) * m,
                    called=r"\frac{h m}{h + \lambda}",
                ),
            ],
        ),
        source="Prechelt 1998 (Neural Networks 11) for when to stop; Goodfellow, Bengio and Courville 2016, 7.8",
    ),
]
