r"""Convolution: a dense layer that slides, and its gradient, which slides as well.

A kernel $K$ with $R$ entries moves along the axis $h$ with stride 2 and padding 1: at place $u$ its entry $r$ reads
position $2 u + r - 1$. Where that is padding the term is left out, so nothing outside of $x$ is ever read.
"""

import symdl as sd
from derivations.lesson import Lesson


def strided(x, K, y_bar):
    (n, i, h), (o, _, r), (_, _, u) = x.indices, K.indices, y_bar.indices
    at, back = 2 * u + r - 1, h - 2 * u + 1
    return (
        sd.let("x_bar[n,i,h]", sd.Sum(y_bar[n, o, u] * K[o, i, back] * sd.in_range(back, r.extent), o, u)),
        sd.let("K_bar[o,i,r]", sd.Sum(y_bar[n, o, u] * x[n, i, at] * sd.in_range(at, h.extent), n, u)),
        sd.let("b_bar[o]", sd.Sum(y_bar[n, o, u], n, u)),
    )


def transposed(x, K, y_bar):
    (n, i, h), (_, o, r) = x.indices, K.indices
    return (
        sd.let("x_bar[n,i,h]", sd.Sum(K[i, o, r] * y_bar[n, o, 2 * h + r], o, r)),
        sd.let("K_bar[i,o,r]", sd.Sum(x[n, i, h] * y_bar[n, o, 2 * h + r], n, h)),
    )


lessons = [
    Lesson(
        "Stride and padding",
        sd.definition("conv1d", stride=2, padding=1),
        r"""Indices: example $n$, channels in $i$ and out $o$, position $h$, place of the window $u$, entry of the
        kernel $r$. Every window spreads its slope over the positions that it read: $h$ gets something from every pair
        of $u$ and $r$ with $2 u + r - 1 = h$.""",
        wrt=["x", "K", "b"],
        closed=strided,
        closed_words=r"""With the condition solved for $r$ the kernel is read backwards, as $K_{h - 2 u + 1}$: $\bar{x}$
        is the transposed convolution of $\bar{y}$ with $K$, and $\bar{K}$ correlates $\bar{y}$ with $x$.""",
        values={"x": [[[1, 2, 3, 4]]], "K": [[[1, 0, -1]]], "b": [0], "y_bar": [[[1, 1]]]},
    ),
    Lesson(
        "Transposed convolution",
        sd.definition("conv_transpose1d", stride=2, bias=False),
        r"""Here the layer itself spreads: entry $h$ of $x$ goes to the places $2 h + r$ of $y$. Its gradient reads
        there, so it is a convolution with stride 2: each of the two is the other's way back.""",
        wrt=["x", "K"],
        closed=transposed,
        values={"x": [[[1, 2]]], "K": [[[3, 1]]], "y_bar": [[[1, 0, 0, 1]]]},
    ),
]
