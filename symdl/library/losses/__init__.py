"""Losses: one definition each, with options; `sd.loss` is one for a network, `sd.definition` one by itself.

What is here by name are the losses of one entry, as functions of numbers, for definitions that are written by hand:

>>> from symdl.core.define import Input, define, let, mean
>>> @define
... def weighted(t=Input("n"), y=Input("n"), w=Input("n")):
...     (n,) = t.indices
...     return let("L", mean(w[n] * squared_error(t[n], y[n]), n))
>>> weighted
weighted(t[n], y[n], w[n]) -> L:
    L = Sum_{n}((t[n] - y[n])**2*w[n]/N)
"""

from symdl.library.activations import softmax as softmax
from symdl.library.losses.binary import (
    binary_cross_entropy as binary_cross_entropy,
    binary_cross_entropy_logits as binary_cross_entropy_logits,
    focal as focal,
    hinge as hinge,
    hinge_embedding as hinge_embedding,
    positive_part as positive_part,
    squared_hinge as squared_hinge,
)
from symdl.library.losses.distances import margin_ranking as margin_ranking
from symdl.library.losses.divergences import kl_divergence as kl_divergence
from symdl.library.losses.lecture import cross_entropy as cross_entropy, l1 as l1, l2 as l2
from symdl.library.losses.record import REDUCTIONS as REDUCTIONS, Family as Family, Loss as Loss, reduced as reduced
from symdl.library.losses.registry import ENTRIES as ENTRIES, LOSSES as LOSSES, loss as loss
from symdl.library.losses.regression import (
    absolute_error as absolute_error,
    gaussian_nll as gaussian_nll,
    huber as huber,
    log_cosh as log_cosh,
    poisson_nll as poisson_nll,
    quantile as quantile,
    smooth_l1 as smooth_l1,
    squared_error as squared_error,
)
