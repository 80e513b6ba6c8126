r"""Composition: skips, gates, masks and index maps.

The pieces between layers. None of them needs a rule of its own: a skip is a sum, a gate a product, a mask a number, and
to flatten or to join tensors is to rename indices.
"""

import symdl as sd
from derivations.lesson import Lesson


def residual(x, h, W, y_bar):
    (n, i), (j, _) = x.indices, W.indices
    d = sd.let("d[n,j]", (1 - h[n, j] ** 2) * y_bar[n, j])
    return (
        sd.let("x_bar[n,i]", y_bar[n, i] + sd.Sum(W[j, i] * d[n, j], j)),
        sd.let("W_bar[j,i]", sd.Sum(d[n, j] * x[n, i], n)),
        sd.let("b_bar[j]", sd.Sum(d[n, j], n)),
    )


def dropout(x, m, p, y_bar):
    n, i = x.indices
    return sd.let("x_bar[n,i]", m[n, i] * y_bar[n, i] / p.element())


lessons = [
    Lesson(
        "A skip connection",
        sd.definition("residual"),
        r"A layer learns what to add to its input.",
        wrt=["x", "W", "b"],
        closed=residual,
        closed_words=r"""The slope reaches $x$ whole, whatever the layer does: $\bar{x} = \bar{y} + \ldots$ That is why
        deep networks with skips can be trained (He et al. 2015).""",
    ),
    Lesson(
        "A gated unit (GLU)",
        sd.definition("glu"),
        r"One half of the features, through a sigmoid, gates the other.",
        values={"x": [[3, 0]], "y_bar": [[1]]},
    ),
    Lesson(
        "Dropout",
        sd.definition("dropout"),
        r"""The mask $m$ of zeros and ones is data, drawn anew for every batch; $p$ is the share that is kept.
        Dividing by it keeps the mean (inverted scaling), so that nothing need be done when the network is used.""",
        wrt="x",
        closed=dropout,
        values={"x": [[4, 6]], "m": [[1, 0]], "p": "1/2", "y_bar": [[1, 1]]},
    ),
    Lesson(
        "Joining two tensors",
        sd.definition("concat"),
        r"Features of $z$ stand behind those of $x$; on the way back each takes its own part of $\bar{y}$.",
        matrix=False,
        values={"x": [[1, 2]], "z": [[3]], "y_bar": [[5, 6, 7]]},
    ),
    Lesson(
        "Flattening",
        sd.definition("flatten"),
        r"Channel, row and column become one index, the last one fastest; the gradient reads the same map backwards.",
        matrix=False,
    ),
]
