r"""A transformer block: known parts, put together.

Nothing is derived here that has no page of its own: the gradient of the block is made of two skips (composition), two
layer norms (normalisation), the softmax of attention (attention) and products. The block is shown in its two halves,
and then as a whole.
"""

import symdl as sd
from derivations.lesson import Lesson


def through_norm(g, x_hat, r):
    """Back through a layer norm, with the slope g by what it normalised: r (g − mean g − x̂ mean(g x̂))."""
    n, t, i = x_hat.indices
    A = sd.let("A[n,t]", sd.mean(g[n, t, i], i))
    B = sd.let("B[n,t]", sd.mean(g[n, t, i] * x_hat[n, t, i], i))
    return r[n, t] * (g[n, t, i] - A[n, t] - x_hat[n, t, i] * B[n, t])


@sd.define
def mlp(
    x=sd.Input("n t i"),
    gamma=sd.Param("i"),
    beta=sd.Param("i"),
    W_u=sd.Param("j i"),
    W_d=sd.Param("i j"),
    eps=sd.Hyper(facts=["positive"]),
):
    (n, t, i), (j, _) = x.indices, W_u.indices
    u = sd.layers.layer_norm(x, gamma, beta, eps, name="u")
    f = sd.let("f[n,t,j]", sd.Sum(W_u[j, i] * u[n, t, i], i))
    g = sd.let("g[n,t,j]", sd.tanh(f[n, t, j]))
    return sd.let("y[n,t,i]", x[n, t, i] + sd.Sum(W_d[i, j] * g[n, t, j], j))


def mlp_by_hand(u, g, W_d, W_u, gamma, x_hat, r, y_bar):
    (n, t, i), (_, j) = x_hat.indices, W_d.indices
    d = sd.let("d[n,t,j]", (1 - g[n, t, j] ** 2) * sd.Sum(y_bar[n, t, i] * W_d[i, j], i))
    G = sd.let("G[n,t,i]", gamma[i] * sd.Sum(d[n, t, j] * W_u[j, i], j))
    return (
        sd.let("x_bar[n,t,i]", y_bar[n, t, i] + through_norm(G, x_hat, r)),
        sd.let("W_u_bar[j,i]", sd.Sum(d[n, t, j] * u[n, t, i], n, t)),
        sd.let("W_d_bar[i,j]", sd.Sum(y_bar[n, t, i] * g[n, t, j], n, t)),
    )


def heads_by_hand(x, q, k, v, p, W_q, W_k, W_v, W_o, y_bar):
    (n, t, i), (_, h, s, e) = x.indices, k.indices
    size = sd.sqrt(e.extent)
    o_bar = sd.let("o_bar[n,h,t,e]", sd.Sum(y_bar[n, t, i] * W_o[i, h, e], i))
    p_bar = sd.let("p_bar[n,h,t,s]", sd.Sum(o_bar[n, h, t, e] * v[n, h, s, e], e))
    D = sd.let("D[n,h,t]", sd.Sum(p_bar[n, h, t, s] * p[n, h, t, s], s))
    z_bar = sd.let("z_bar[n,h,t,s]", p[n, h, t, s] * (p_bar[n, h, t, s] - D[n, h, t]))
    q_bar = sd.let("q_bar[n,h,t,e]", sd.Sum(z_bar[n, h, t, s] * k[n, h, s, e], s) / size)
    k_bar = sd.let("k_bar[n,h,s,e]", sd.Sum(z_bar[n, h, t, s] * q[n, h, t, e], t) / size)
    v_bar = sd.let("v_bar[n,h,s,e]", sd.Sum(p[n, h, t, s] * o_bar[n, h, t, e], t))
    back = [(q_bar, W_q), (k_bar, W_k), (v_bar, W_v)]
    return (
        sd.let("x_bar[n,t,i]", sum(sd.Sum(b[n, h, t, e] * W[h, e, i], h, e) for b, W in back)),
        sd.let("W_q_bar[h,e,i]", sd.Sum(q_bar[n, h, t, e] * x[n, t, i], n, t)),
    )


lessons = [
    Lesson(
        "The second half: a skip around norm and MLP",
        mlp,
        r"""The activation is tanh here, to keep the slope short; GELU changes one factor.""",
        wrt=["x", "W_u", "W_d"],
        closed=mlp_by_hand,
        closed_words=r"""$d$ is the slope by what goes into the activation, $G$ the slope by $\hat{x}$; then the
        closed form of layer norm, and the skip, which hands $\bar{y}$ on as it is.""",
        small=None,
        steps=["g", "f", "x_hat", "x", "W_u"],
    ),
    Lesson(
        "The first half, without norm and skip: causal self-attention of several heads",
        sd.definition("multi_head", causal=True),
        r"""Queries, keys and values are made from the same $x$, so $\bar{x}$ has three terms.""",
        wrt=["x", "W_q"],
        closed=heads_by_hand,
        closed_words="Slopes of the heads' outputs, the closed form of attention, and back through the three products.",
        small=None,
        steps=["o", "z", "x", "W_q"],
    ),
    Lesson(
        "The whole block",
        sd.definition("transformer_block", bias=False),
        r"""The library's block with GELU, and what the chain rule makes of it, in the order of calculation. Each line
        is one of the lines above under another name; the one step shown is where the skip and the norm meet.""",
        small=None,
        steps=["h"],
        wrt=["x", "W_q", "W_k", "W_v", "W_o", "W_u", "W_d"],
        matrix=False,
    ),
]
