"""Definitions with each construct of the index calculus, and the same in PyTorch: the independent opinion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy

from symdl.core.define import (
    Input,
    Param,
    Sum,
    amax,
    cos,
    define,
    delta,
    exp,
    in_range,
    index,
    let,
    log,
    mean,
    sin,
    state,
    tanh,
)
from symdl.core.definitions import Definition
from symdl.library.activations import sigmoid

torch = pytest.importorskip("torch")
functional = torch.nn.functional


def slid(whole: Any, kernel: Any, stride: int = 1, padding: int = 0, dilation: int = 1) -> sympy.Expr:
    """How many places a kernel has on an axis."""
    return sympy.floor((whole + 2 * padding - dilation * (kernel - 1) - 1) / sympy.Integer(stride)) + 1


@define
def conv1d(x=Param("n c h"), w=Param("o c r"), b=Param("o")):
    """Stride 2, padding 2, dilation 3."""
    n, c, h = x.indices
    o, _, r = w.indices
    u = index("u", slid(h.extent, r.extent, 2, 2, 3))
    at = 2 * u + 3 * r - 2
    y = let("y[n,o,u]", Sum(w[o, c, r] * x[n, c, at] * in_range(at, h.extent), c, r) + b[o])
    return let("L", mean(y[n, o, u] ** 2, n, o, u)), y


def torch_conv1d(x, w, b):
    return (functional.conv1d(x, w, b, stride=2, padding=2, dilation=3) ** 2).mean()


@define
def conv2d(x=Param("n c=2 h w"), k=Param("o=3 c=2 r=3 s=2")):
    """Stride 2 by 1, padding 1 by 0, with fixed channels and kernel."""
    n, c, h, w = x.indices
    o, _, r, s = k.indices
    u, v = index("u", slid(h.extent, 3, 2, 1)), index("v", slid(w.extent, 2))
    y = let(
        "y[n,o,u,v]", Sum(k[o, c, r, s] * x[n, c, 2 * u + r - 1, v + s] * in_range(2 * u + r - 1, h.extent), c, r, s)
    )
    return let("L", Sum(y[n, o, u, v] ** 2, n, o, u, v)), y


def torch_conv2d(x, k):
    return (functional.conv2d(x, k, stride=(2, 1), padding=(1, 0)) ** 2).sum()


@define
def grouped(x=Param("n a=4 h"), w=Param("b=6 c=2 r=3")):
    """Groups by index maps: channel g·2 + c goes to channels g·3 + q."""
    n, _, h = x.indices
    b, c, r = w.indices
    g, q, u = index("g", 2), index("q", 3), index("u", h.extent - 2)
    z = let("z[n,g,q,u]", Sum(w[g * 3 + q, c, r] * x[n, g * 2 + c, u + r], c, r))
    y = let("y[n,b,u]", Sum(z[n, g, q, u] * delta(b, 3 * g + q), g, q))
    return let("L", Sum(y[n, b, u] ** 3, n, b, u)), y


def torch_grouped(x, w):
    return (functional.conv1d(x, w, groups=2) ** 3).sum()


@define
def transposed(x=Param("n c u"), w=Param("c o r")):
    """Stride 2, padding 1: a scatter of which some lands outside."""
    n, c, u = x.indices
    _, o, r = w.indices
    p = index("p", 2 * (u.extent - 1) + r.extent - 2)
    y = let("y[n,o,p]", Sum(x[n, c, u] * w[c, o, r] * delta(p, 2 * u + r - 1), c, u, r))
    return let("L", Sum(y[n, o, p] ** 2, n, o, p)), y


def torch_transposed(x, w):
    return (functional.conv_transpose1d(x, w, stride=2, padding=1) ** 2).sum()


@define
def transposed2d(x=Param("n u v"), w=Param("r s")):
    """Two computed subscripts at once."""
    n, u, v = x.indices
    r, s = w.indices
    p, q = index("p", 2 * u.extent + r.extent - 2), index("q", 3 * v.extent + s.extent - 3)
    y = let("y[n,p,q]", Sum(x[n, u, v] * w[r, s] * delta(p, 2 * u + r) * delta(q, 3 * v + s), u, v, r, s))
    return let("L", Sum(y[n, p, q] ** 2, n, p, q)), y


def torch_transposed2d(x, w):
    return (functional.conv_transpose2d(x[:, None], w[None, None], stride=(2, 3)) ** 2).sum()


@define
def likelihood(z=Param("n k"), y=Input("n", integer=True)):
    """A gather from an intermediate, and a scatter by data in its gradient."""
    n, k = z.indices
    p = let("p[n,k]", exp(z[n, k]) / Sum(exp(z[n, k]), k))
    return let("L", mean(-log(p[n, y[n]]), n)), p


def torch_likelihood(z, y):
    return functional.cross_entropy(z, y)


@define
def tokens(tok=Input("n t", integer=True), E=Param("v d"), P=Param("t d")):
    """Embedding with positions: scatter of the gradient by data, and by nothing."""
    n, t = tok.indices
    _, d = E.indices
    e = let("e[n,t,d]", E[tok[n, t], d] + P[t, d])
    return let("L", mean(e[n, t, d] ** 3, n, t, d)), e


def torch_tokens(tok, E, P):
    return ((functional.embedding(tok, E) + P) ** 3).mean()


@define
def onehot(y=Input("n", integer=True), W=Param("k j")):
    """A place for data without a sum."""
    (n,) = y.indices
    k, j = W.indices
    z = let("z[n,k]", delta(k, y[n]))
    s = let("s[n,j]", Sum(z[n, k] * W[k, j], k))
    return let("L", Sum(s[n, j] ** 2, n, j)), s


def torch_onehot(y, W):
    inside = (y < W.shape[0]).to(W.dtype)
    hot = functional.one_hot(y.clamp(max=W.shape[0] - 1), W.shape[0]).to(W.dtype) * inside[:, None]
    return ((hot @ W) ** 2).sum()


@define
def flattened_map(x=Param("n c h w"), W=Param("j c h w")):
    """Flatten, and a dense layer on it."""
    n, c, h, w = x.indices
    j = W.indices[0]
    k = index("k", c.extent * h.extent * w.extent)
    where = (c * h.extent + h) * w.extent + w
    y = let("y[n,k]", Sum(x[n, c, h, w] * delta(k, where), c, h, w))
    V = let("V[j,k]", Sum(W[j, c, h, w] * delta(k, where), c, h, w))
    z = let("z[n,j]", Sum(V[j, k] * tanh(y[n, k]), k))
    return let("L", Sum(z[n, j] ** 2, n, j)), z


def torch_flattened_map(x, W):
    return ((torch.tanh(x.flatten(1)) @ W.flatten(1).T) ** 2).sum()


@define
def max_pool(x=Param("n h")):
    """Windows of 3, stride 2, padding 1: the largest of what is inside, ties share."""
    n, h = x.indices
    r, u = index("r", 3), index("u", slid(h.extent, 3, 2, 1))
    at = 2 * u + r - 1
    y = let("y[n,u]", amax(x[n, at], r, ties="share", where=in_range(at, h.extent)))
    return let("L", Sum(y[n, u] ** 3, n, u)), y


def torch_max_pool(x):
    return (functional.max_pool1d(x[:, None], 3, 2, 1) ** 3).sum()


@define
def upsampled(x=Param("n h w=2")):
    """Nearest neighbour by three, and an average of what lies beside."""
    n, h, w = x.indices
    a, p = index("a", 3), index("p", 3 * h.extent)
    y = let("y[n,p,w]", Sum(x[n, h, w] * delta(p, 3 * h + a), h, a))
    z = let("z[n,p,w]", (y[n, p, w] + y[n, p - 1, w] * in_range(p - 1, p.extent)) / 2)
    return let("L", Sum(z[n, p, w] ** 2, n, p, w)), z


def torch_upsampled(x):
    y = torch.repeat_interleave(x, 3, dim=1)
    return (((y + functional.pad(y, (0, 0, 1, 0))[:, :-1]) / 2) ** 2).sum()


@define
def causal(Q=Param("n t d"), K=Param("n s=t d"), V=Param("n s=t e")):
    """Attention to what is not later."""
    n, t, d = Q.indices
    s, e = V.indices[1:]
    seen = in_range(t - s, t.extent)
    z = let("z[n,t,s]", Sum(Q[n, t, d] * K[n, s, d], d) / sympy.sqrt(d.extent))
    m = let("m[n,t]", amax(z[n, t, s], s, where=seen))
    E = let("E[n,t,s]", exp((z[n, t, s] - m[n, t]) * seen) * seen)
    p = let("p[n,t,s]", E[n, t, s] / Sum(E[n, t, s], s))
    y = let("y[n,t,e]", Sum(p[n, t, s] * V[n, s, e], s))
    return let("L", Sum(y[n, t, e] ** 2, n, t, e)), y


def torch_causal(Q, K, V):
    return (functional.scaled_dot_product_attention(Q, K, V, is_causal=True) ** 2).sum()


@define
def rotary(x=Param("t i e=2")):
    """Pairs turned by an angle that is a position: indices as numbers."""
    t, i, _ = x.indices
    k = index("k", 2 * i.extent)
    angle = t * exp(-i / i.extent)
    even = x[t, i, 0] * cos(angle) - x[t, i, 1] * sin(angle)
    odd = x[t, i, 0] * sin(angle) + x[t, i, 1] * cos(angle)
    y = let("y[t,k]", Sum(even * delta(k, 2 * i), i) + Sum(odd * delta(k, 2 * i + 1), i))
    return let("L", Sum(y[t, k] ** 2 * (1 + k), t, k)), y


def torch_rotary(x):
    t, i = torch.arange(x.shape[0])[:, None], torch.arange(x.shape[1])
    angle = t * torch.exp(-i.double() / x.shape[1])
    even = x[..., 0] * torch.cos(angle) - x[..., 1] * torch.sin(angle)
    odd = x[..., 0] * torch.sin(angle) + x[..., 1] * torch.cos(angle)
    y = torch.stack([even, odd], -1).flatten(1)
    return (y**2 * (1 + torch.arange(y.shape[1]))).sum()


@define(time="t")
def rnn(x=Param("n t i"), W=Param("j i"), U=Param("j k=j"), b=Param("j")):
    n, t, i = x.indices
    j, k = U.indices
    h = state("h[n,t,j]")
    s = let(
        "s[n,t,j]", Sum(W[j, i] * x[n, t, i], i) + Sum(U[j, k] * h[n, t - 1, k] * in_range(t - 1, t.extent), k) + b[j]
    )
    h = let("h[n,t,j]", tanh(s[n, t, j]))
    return let("L", mean(h[n, t, j] ** 2, n, t, j)), h


def torch_rnn(x, W, U, b):
    h, total = torch.zeros(x.shape[0], U.shape[0], dtype=x.dtype), []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] @ W.T + h @ U.T + b)
        total.append(h)
    return (torch.stack(total) ** 2).mean()


@define(time="t")
def from_the_end(x=Param("n t"), a=Param("j")):
    """A recurrence from the last time to the first, two steps apart, its gate computed for all times before."""
    n, t = x.indices
    (j,) = a.indices
    h = state("h[n,t,j]", backwards=True)
    h = let("h[n,t,j]", x[n, t] * a[j] + sigmoid(a[j]) * h[n, t + 2, j] * in_range(t + 2, t.extent))
    return let("L", Sum(h[n, t, j] ** 2, n, t, j)), h


def torch_from_the_end(x, a):
    h: list[Any] = [0.0] * (x.shape[1] + 2)
    for t in reversed(range(x.shape[1])):
        h[t] = x[:, t, None] * a + torch.sigmoid(a) * h[t + 2]
    return (torch.stack(h[:-2]) ** 2).sum()


@define(time="t")
def gated_memory(x=Param("n t i"), W=Param("g=4 j i"), U=Param("g=4 j k=j"), b=Param("g=4 j")):
    """The four gates of an LSTM; cell and output of one time need each other's past."""
    n, t, i = x.indices
    g, j, k = U.indices
    h, c = state("h[n,t,j]"), state("c[n,t,j]")
    before = in_range(t - 1, t.extent)
    s = let(
        "s[n,t,g,j]",
        Sum(W[g, j, i] * x[n, t, i], i) + Sum(U[g, j, k] * h[n, t - 1, k] * before, k) + b[g, j],
    )
    c = let(
        "c[n,t,j]",
        sigmoid(s[n, t, 1, j]) * c[n, t - 1, j] * before + sigmoid(s[n, t, 0, j]) * tanh(s[n, t, 2, j]),
    )
    h = let("h[n,t,j]", sigmoid(s[n, t, 3, j]) * tanh(c[n, t, j]))
    return let("L", mean(h[n, t, j] ** 2, n, t, j)), h


def torch_gated_memory(x, W, U, b):
    cell = torch.nn.LSTM(x.shape[2], U.shape[1], batch_first=True, dtype=x.dtype)
    named = {"weight_ih_l0": W.flatten(0, 1), "weight_hh_l0": U.flatten(0, 1), "bias_ih_l0": b.flatten()}
    named["bias_hh_l0"] = torch.zeros_like(named["bias_ih_l0"])
    y, _ = torch.func.functional_call(cell, named, (x,))
    return (y**2).mean()


PEERS: dict[str, tuple[Definition, Callable[..., Any]]] = {
    made.name: (made, peer)
    for made, peer in [
        (conv1d, torch_conv1d),
        (conv2d, torch_conv2d),
        (grouped, torch_grouped),
        (transposed, torch_transposed),
        (transposed2d, torch_transposed2d),
        (likelihood, torch_likelihood),
        (tokens, torch_tokens),
        (onehot, torch_onehot),
        (flattened_map, torch_flattened_map),
        (max_pool, torch_max_pool),
        (upsampled, torch_upsampled),
        (causal, torch_causal),
        (rotary, torch_rotary),
        (rnn, torch_rnn),
        (from_the_end, torch_from_the_end),
        (gated_memory, torch_gated_memory),
    ]
}
