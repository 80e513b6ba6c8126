r"""Attention: a softmax over the past, and its gradient.

Query $t$ is compared with the keys $s \le t$, a softmax makes weights of the scores, and the output is the weighted
mean of the values. The mask need not be said again on the way back: where $p = 0$, so is the slope by its score.
"""

import symdl as sd
from derivations.lesson import Lesson


def by_hand(q, k, v, p, y_bar):
    (n, h, t, e), (_, _, s, d) = q.indices, v.indices
    size = sd.sqrt(e.extent)
    p_bar = sd.let("p_bar[n,h,t,s]", sd.Sum(y_bar[n, h, t, d] * v[n, h, s, d], d))
    D = sd.let("D[n,h,t]", sd.Sum(p_bar[n, h, t, s] * p[n, h, t, s], s))
    z_bar = sd.let("z_bar[n,h,t,s]", p[n, h, t, s] * (p_bar[n, h, t, s] - D[n, h, t]))
    return (
        sd.let("q_bar[n,h,t,e]", sd.Sum(z_bar[n, h, t, s] * k[n, h, s, e], s) / size),
        sd.let("k_bar[n,h,s,e]", sd.Sum(z_bar[n, h, t, s] * q[n, h, t, e], t) / size),
        sd.let("v_bar[n,h,s,d]", sd.Sum(p[n, h, t, s] * y_bar[n, h, t, d], t)),
    )


lessons = [
    Lesson(
        "Causal scaled dot-product attention",
        sd.definition("attention", causal=True),
        r"""Indices: example $n$, head $h$, query $t$, key $s$, features $e$ of queries and keys, features $d$ of
        values. The softmax is written out, as $S$ and $p$, so its Jacobian is derived here and not quoted.""",
        closed=by_hand,
        closed_words=r"""In matrices $\bar{Z} = P \odot (\bar{P} - D \mathbf{1}^\top)$ with the row sums
        $D = (P \odot \bar{P}) \mathbf{1}$ (Dao et al. 2022, appendix B.2). They equal $\sum_d \bar{y} y$, so they can
        be had from the output alone: that is how an implementation gets by without keeping $P$.""",
    ),
]
