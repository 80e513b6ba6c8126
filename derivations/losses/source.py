r"""Losses: one page for each family, an entry for each loss, with the slope that textbooks have.

For most losses the slope is simpler than the loss: the error, cut off where it is large; a probability minus its
target; a tanh. docs/losses.md lists all losses with their options.
"""

from derivations.loss import LossEntry, page

REGRESSION = page(
    "Losses of numbers",
    "How far a prediction is from its target, and how likely the target is.",
    LossEntry("l1", plotted={"t": 0}, closed_words="Only the side counts, not how far."),
    LossEntry("l2", plotted={"t": 0}, closed_words="Twice the error."),
    LossEntry(
        "huber",
        "It has a minimum as a parabola has, and outliers don't count for more than their sign.",
        r"The error, cut off at $\pm\delta$: this is gradient clipping for one output.",
        {"t": 0},
        values={"t": [1], "y_hat": [4], "delta": 2},
    ),
    LossEntry("smooth_l1", closed_words=r"The error over $\beta$, cut off at $\pm 1$.", plotted={"t": 0}),
    LossEntry(
        "log_cosh",
        "The same idea without a case: a parabola near 0, straight lines far away.",
        "The error, squashed into the range from −1 to 1.",
        {"t": 0},
    ),
    LossEntry("quantile", closed_words="Each side has a weight of its own.", plotted={"t": 0}),
    LossEntry("poisson_nll", closed_words="What is expected, minus the count.", plotted={"t": 2}),
    LossEntry("gaussian_nll", closed_words="The error over the variance.", plotted={"t": 0, "v": 1}),
)

BINARY = page(
    "Losses of two classes",
    "A target of 0 or 1 against a probability or a score, or one of −1 or 1 against a score.",
    LossEntry("binary_cross_entropy", closed_words="It has poles at both ends, which the slope of a sigmoid cancels."),
    LossEntry(
        "binary_cross_entropy_logits",
        r"""The probability is $\sigma(z)$, and $1 - \sigma(z) = \sigma(-z)$. Where $z$ is large and negative,
        $\sigma(z)$ is 0 to the last bit and has no logarithm; computed is $\log\sigma(z) = \min(z, 0) - \log(1 +
        e^{-|z|})$.""",
        "The probability minus the target.",
        {"t": 1},
    ),
    LossEntry("focal", closed_words="As in appendix B of the paper, for both classes.", plotted={"t": 1}),
    LossEntry("hinge", plotted={"t": 1}, closed_words="Nothing beyond the margin."),
    LossEntry("squared_hinge", plotted={"t": 1}, closed_words="What is missing to the margin."),
    LossEntry("hinge_embedding", plotted={"t": -1}, closed_words="Alike ones are pulled, others pushed."),
)

CLASSES = page(
    "Losses of several classes",
    "The target is the number of a class, or a probability for each.",
    LossEntry("cross_entropy"),
    LossEntry(
        "softmax_cross_entropy",
        "The scores are shifted by the largest; what all others add up to is summed by itself.",
        "The probability minus the target.",
    ),
    LossEntry("nll", "What comes before is a log-softmax.", "A number, whatever the prediction is."),
    LossEntry(
        "softmax_focal",
        closed_words="The slope of the cross-entropy, times a factor that is small where the class is right already.",
    ),
    LossEntry("multi_margin", closed_words="Classes within the margin are pushed down, and the right one up by all."),
    LossEntry("multilabel_margin", closed_words="The same for each pair of one that applies and one that does not."),
)

DISTANCES = page(
    "Losses of vectors",
    "Vectors that should be near each other, or far apart: pairs, triplets, rankings, contrasts.",
    LossEntry("margin_ranking", plotted={"t": 1, "x2": 0, "margin": 0}),
    LossEntry("cosine_embedding"),
    LossEntry("triplet_margin", closed_words="Away from one, towards the other, as long as the margin is not kept."),
    LossEntry(
        "info_nce",
        "To tell the partner of a vector from those of all others is to classify: cross-entropy with as many classes "
        "as there are examples, the right one being the diagonal.",
        "Pulled towards its partner, pushed from all others by how likely each is taken for it.",
    ),
)

DIVERGENCES = page(
    "Divergences",
    "How far one distribution is from another.",
    LossEntry("kl_divergence", closed_words="The entropy of the target does not count.", plotted={"t": 1}),
    LossEntry(
        "jensen_shannon",
        r"How far two distributions are from their mean $m = (p + q)/2$, on average; a summand is 0 where its "
        "probability is.",
        r"Half the logarithm of $p/m$, where $p$ is not 0: everything else cancels.",
    ),
)

REGIONS = page(
    "Losses of overlap",
    "Of masks (Dice, Tversky) and of boxes (intersection over union).",
    LossEntry("dice", closed_words="By the overlap $I$ and the size $U$ of both."),
    LossEntry("tversky"),
    LossEntry("iou"),
    LossEntry(
        "giou",
        r"""In the paper $D$ is $C - U$, a difference of areas that may be nearly the same; both are equal for all boxes
        (the tests prove it).""",
    ),
)

#: Title, introduction and entries, by the name of the page.
pages = {
    "regression": REGRESSION,
    "binary": BINARY,
    "classes": CLASSES,
    "distances": DISTANCES,
    "divergences": DIVERGENCES,
    "regions": REGIONS,
}
