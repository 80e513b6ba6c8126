r"""Losses: what the slope comes down to.

For most losses the slope is simpler than the loss: the error, cut off where it is large; a probability minus its
target; a tanh. Each is derived here from the definition. docs/losses.md lists all losses with their slopes.
"""

import symdl as sd
from derivations.lesson import Lesson


def huber(t, y_hat, delta):
    (n,) = t.indices
    r = y_hat[n] - t[n]
    clipped = sd.switch(r - delta, sd.switch(r + delta, -delta, r, kink="left"), delta, kink="right")
    return sd.let("y_hat_bar[n]", clipped / n.extent)


def log_cosh(t, y_hat):
    (n,) = t.indices
    return sd.let("y_hat_bar[n]", sd.tanh(y_hat[n] - t[n]) / n.extent)


def logits(t, z):
    (n,) = t.indices
    return sd.let("z_bar[n]", (sd.sigmoid(z[n]) - t[n]) / n.extent)


def classes(c, p):
    n, k = p.indices
    return sd.let("z_bar[n,k]", (p[n, k] - sd.delta(k, c[n])) / n.extent)


def contrast(k, tau, p):
    (n, m), d = p.indices, k.indices[1]
    return sd.let("q_bar[n,d]", sd.Sum((p[n, m] - sd.delta(n, m)) * k[m, d], m) / (tau * n.extent))


def divergence(p, q):
    n, k = p.indices
    both = p[n, k] + q[n, k]
    slope = sd.switch(p[n, k], -q[n, k] / both, sd.log(2 * p[n, k] / both), kink="left")
    return sd.let("p_bar[n,k]", slope / (2 * n.extent))


lessons = [
    Lesson(
        "Huber",
        sd.definition("huber"),
        "Squared where the error is small, so that it has a minimum; absolute where it is large, so that outliers "
        "don't count for more than their sign.",
        wrt="y_hat",
        closed=huber,
        closed_words=r"The error, cut off at $\pm\delta$: this is gradient clipping for one output.",
        values={"t": [1], "y_hat": [4], "delta": 2},
    ),
    Lesson(
        "log cosh",
        sd.definition("log_cosh"),
        "The same idea without a case: a parabola near 0, straight lines far away.",
        wrt="y_hat",
        closed=log_cosh,
        closed_words="The error, squashed into the range from −1 to 1.",
    ),
    Lesson(
        "Cross-entropy of two classes, from scores",
        sd.definition("binary_cross_entropy_logits", pos_weight=1),
        r"""The probability is $\sigma(z)$, and $1 - \sigma(z) = \sigma(-z)$. Where $z$ is large and negative,
        $\sigma(z)$ is 0 to the last bit and has no logarithm; computed is $\log\sigma(z) = \min(z, 0) - \log(1 +
        e^{-|z|})$.""",
        wrt="z",
        closed=logits,
        closed_words="The probability minus the target.",
    ),
    Lesson(
        "Cross-entropy of several classes, by number",
        sd.definition("softmax_cross_entropy", target="classes"),
        r"""The target is the number $c_n$ of a class, which picks one probability; nothing has to be made one-hot.""",
        wrt="z",
        closed=classes,
        closed_words=r"""Again the probability minus the target, which is 1 for the class $c_n$ and 0 for the others.
        What a $\delta$ multiplies is needed at its place only, so the division by $p$ cancels, and with it 0/0 where
        $p$ is too small for a float.""",
    ),
    Lesson(
        "A contrastive loss (InfoNCE)",
        sd.definition("info_nce"),
        "To tell the partner of a vector from those of all others is to classify: cross-entropy with as many classes "
        "as there are examples, the right one being the diagonal.",
        wrt="q",
        closed=contrast,
        closed_words="Pulled towards its partner, pushed from all others by how likely each is taken for it.",
        matrix=False,
    ),
    Lesson(
        "Jensen–Shannon divergence",
        sd.definition("jensen_shannon"),
        r"How far two distributions are from their mean $m = (p + q)/2$, on average; a summand is 0 where its "
        "probability is.",
        wrt="p",
        closed=divergence,
        closed_words=r"Half the logarithm of $p/m$, where $p$ is not 0: everything else cancels.",
        matrix=False,
    ),
]
