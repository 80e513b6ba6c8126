"""Backward functions as people write them, all right, and the definitions that they belong to.

The mutants of tests/testing/test_handwritten.py are edits of this text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symdl as sd


def dense_tanh(x, W, b, t):
    N = len(x)
    h = np.tanh(x @ W.T + b)
    dh = -2 * (t - h) / N
    ds = dh * (1 - h**2)
    return ds @ W, ds.T @ x, ds.sum(axis=0)


def softmax_cross_entropy(z, y, L_bar):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return L_bar * (p - y) / len(z)


def batch_norm(x, gamma, eps, dy):
    mu = x.mean(axis=0)
    var = ((x - mu) ** 2).mean(axis=0)
    r = 1 / np.sqrt(var + eps)
    xh = (x - mu) * r
    dxh = dy * gamma
    dx = r * (dxh - dxh.mean(axis=0) - xh * (dxh * xh).mean(axis=0))
    return dx, (dy * xh).sum(axis=0), dy.sum(axis=0)


def layer_norm(x, gamma, eps, dy):
    I = x.shape[1]
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    xh = (x - mu) / np.sqrt(var + eps)
    dxh = dy * gamma
    dvar = (dxh * (x - mu)).sum(axis=1, keepdims=True) * -0.5 * (var + eps) ** -1.5
    dmu = -dxh.sum(axis=1, keepdims=True) / np.sqrt(var + eps)
    dx = dxh / np.sqrt(var + eps) + dvar * 2 * (x - mu) / I + dmu / I
    return dx, (dy * xh).sum(axis=0), dy.sum(axis=0)


def attention(q, k, v, dy):
    scale = 1 / np.sqrt(q.shape[-1])
    z = np.einsum("nhte,nhse->nhts", q, k) * scale
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    p = p / p.sum(axis=-1, keepdims=True)
    dv = np.einsum("nhts,nhtd->nhsd", p, dy)
    dp = np.einsum("nhtd,nhsd->nhts", dy, v)
    dz = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    dq = np.einsum("nhts,nhse->nhte", dz, k) * scale
    dk = np.einsum("nhts,nhte->nhse", dz, q) * scale
    return dq, dk, dv


def lstm_step(x, h0, c0, W, U, b, dh, dc):
    a = np.einsum("gji,ni->ngj", W, x) + np.einsum("gjk,nk->ngj", U, h0) + b
    i, f, o = (1 / (1 + np.exp(-a[:, g])) for g in range(3))
    g = np.tanh(a[:, 3])
    c = f * c0 + i * g
    tc = np.tanh(c)
    do = dh * tc
    dc_all = dc + dh * o * (1 - tc**2)
    di, df, dg = dc_all * g, dc_all * c0, dc_all * i
    da = np.stack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)], axis=1)
    dx = np.einsum("ngj,gji->ni", da, W)
    dh0 = np.einsum("ngj,gjk->nk", da, U)
    dc0 = dc_all * f
    dW = np.einsum("ngj,ni->gji", da, x)
    dU = np.einsum("ngj,nk->gjk", da, h0)
    return dx, dh0, dc0, dW, dU, da.sum(axis=0)


def conv2d(x, K, dy):
    n, i, h, w = x.shape
    _, _, u, v = dy.shape
    xp = np.zeros((n, i, h + 2, w + 2), x.dtype)
    xp[:, :, 1:-1, 1:-1] = x
    dK, dxp = np.zeros_like(K), np.zeros_like(xp)
    for r in range(3):
        for s in range(3):
            window = xp[:, :, r : r + 2 * u : 2, s : s + 2 * v : 2]
            dK[:, :, r, s] = np.einsum("nouv,niuv->oi", dy, window)
            dxp[:, :, r : r + 2 * u : 2, s : s + 2 * v : 2] += np.einsum("nouv,oi->niuv", dy, K[:, :, r, s])
    return dxp[:, :, 1:-1, 1:-1], dK, dy.sum(axis=(0, 2, 3))


def embedding(tok, E, dy):
    dE = np.zeros_like(E)
    np.add.at(dE, tok, dy)
    return dE


def relu(s, da):
    return da * (s > 0)


def maxout(s, dy):
    m = s == s.max(axis=-1, keepdims=True)
    return m * dy[..., None] / m.sum(axis=-1, keepdims=True)


def max_pool1d(x, dy):
    dx = np.zeros_like(x)
    for u in range(dy.shape[-1]):
        window = x[..., 2 * u : 2 * u + 2]
        m = window == window.max(axis=-1, keepdims=True)
        dx[..., 2 * u : 2 * u + 2] = m * dy[..., u, None] / m.sum(axis=-1, keepdims=True).astype(x.dtype)
    return dx


def lstm_cell() -> Any:
    """One step of an LSTM with the gates i, f, o, g along an axis of the weights."""

    @sd.define
    def lstm_step(
        x=sd.Input("n i"),
        h0=sd.Input("n k"),
        c0=sd.Input("n k"),
        W=sd.Param("g=4 k i"),
        U=sd.Param("g k j=k"),
        b=sd.Param("g k"),
    ):
        n, i = x.indices
        g, k, _ = W.indices
        _, _, l = U.indices
        a = sd.let("a[n,g,k]", sd.Sum(W[g, k, i] * x[n, i], i) + sd.Sum(U[g, k, l] * h0[n, l], l) + b[g, k])
        c = sd.let("c[n,k]", sd.sigmoid(a[n, 1, k]) * c0[n, k] + sd.sigmoid(a[n, 0, k]) * sd.tanh(a[n, 3, k]))
        h = sd.let("h[n,k]", sd.sigmoid(a[n, 2, k]) * sd.tanh(c[n, k]))
        return h, c

    return lstm_step


@dataclass(frozen=True)
class Case:
    """A right function and how it is checked."""

    function: Callable[..., Any]
    definition: Callable[[], Any]
    wrt: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


CASES = {
    c.function.__name__: c
    for c in (
        Case(dense_tanh, lambda: sd.definition("dense"), ("x", "W", "b"), {"mapping": {"t": "y"}}),
        Case(softmax_cross_entropy, lambda: sd.definition("softmax_cross_entropy"), ("z",)),
        Case(batch_norm, lambda: sd.definition("batch_norm"), ("x", "gamma", "beta")),
        Case(layer_norm, lambda: sd.definition("layer_norm"), ("x", "gamma", "beta")),
        Case(attention, lambda: sd.definition("attention"), ("q", "k", "v")),
        Case(lstm_step, lstm_cell, ("x", "h0", "c0", "W", "U", "b")),
        Case(conv2d, lambda: sd.definition("conv2d", kernel=3, stride=2, padding=1), ("x", "K", "b")),
        Case(embedding, lambda: sd.definition("embedding"), ("E",)),
        Case(relu, lambda: sd.definition("relu"), ("s",)),
        Case(max_pool1d, lambda: sd.definition("max_pool1d"), ("x",)),
        Case(maxout, lambda: sd.definition("maxout"), ("s",)),
    )
}
