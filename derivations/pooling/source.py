r"""Pooling: the largest and the mean of a window.

A maximum passes its slope to the entry that was largest. Where several are, the function has a kink, and who gets the
slope is a decision: here they share it, and that stands in the definition.
"""

import symdl as sd
from derivations.lesson import Lesson


def average(x, y_bar):
    (n, c, h), (_, _, u) = x.indices, y_bar.indices
    return sd.let("x_bar[n,c,h]", sd.Sum(y_bar[n, c, u] * sd.in_range(h - 2 * u + 1, 3), u) / 3)


lessons = [
    Lesson(
        "The largest entry, with ties",
        sd.definition("max_pool1d", size=2),
        r"Windows of two entries, side by side: window $u$ has the positions $2 u$ and $2 u + 1$.",
        values={"x": [[[3, 3, 1, 2]]], "y_bar": [[[1, 1]]]},
    ),
    Lesson(
        "The mean, with stride and padding",
        sd.definition("avg_pool1d", size=3, stride=2, padding=1),
        r"Windows of three that overlap by one; what lies in the padding counts as 0, and the divisor is always 3.",
        closed=average,
        closed_words="Convolved with thirds: a position gets a third of the slope of every window that it lies in.",
        matrix=False,
        values={"x": [[[3, 6, 9, 12]]], "y_bar": [[[1, 2]]]},
    ),
]
