"""The workloads with other layers than dense ones: LeNet-5, an LSTM, a character model of one transformer block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads.networks import NETWORKS, POINTWISE, Arrays, Pointwise, Training

#: Inside the root of a layer norm, for everyone.
NORM_EPS = 1e-5
#: The gates of an LSTM as PyTorch stacks them: input, forget, candidate, output.
GATES = "ifco"


def _drawn(shapes: Mapping[str, tuple[tuple[int, ...], int]], dtype: str) -> Arrays:
    """Normal numbers of variance 1/fan-in by shape and fan-in; around 1 where that is 0 (scales of norms)."""
    rng = np.random.default_rng(1)
    drawn = {n: rng.normal(size=shape) for n, (shape, _) in shapes.items()}
    return {n: (a / np.sqrt(f) if (f := shapes[n][1]) else 1 + a / 10).astype(dtype) for n, a in drawn.items()}


@dataclass(frozen=True, kw_only=True)
class LeNet(Training):
    """LeNet-5 with ReLU and max pooling on 28×28 images; the targets are numbers of classes."""

    channels: tuple[int, int] = (6, 16)
    units: tuple[int, int] = (120, 84)
    kernel: int = 5
    size: int = 28
    classes: int = 10

    def parameters(self, dtype: str) -> Arrays:
        """K1[a,1,r,s], b1, K2[b,a,r,s], b2, W3[j,b,h,w], b3, W4[l,j], b4, W5[k,l], b5."""
        (a, b), (j, l), r, k = self.channels, self.units, self.kernel, self.classes
        side = (self.size // 2 - r + 1) // 2
        weights = {
            "K1": ((a, 1, r, r), r * r),
            "K2": ((b, a, r, r), a * r * r),
            "W3": ((j, b, side, side), b * side * side),
            "W4": ((l, j), j),
            "W5": ((k, l), l),
        }
        return _drawn(weights | {f"b{n[1:]}": (s[:1], 100) for n, (s, _) in weights.items()}, dtype)

    def data(self, dtype: str) -> tuple[Any, Any]:
        """Images [rows, 1, h, w] and classes [rows]."""
        rng, rows = np.random.default_rng(2), self.batch * self.steps
        x = rng.normal(size=(rows, 1, self.size, self.size)).astype(dtype)
        return x, rng.integers(self.classes, size=rows)


@dataclass(frozen=True, kw_only=True)
class Recurrent(Training):
    """An LSTM whose last state goes through a linear layer; mean squared error (the sum over outputs)."""

    inputs: int = 32
    hidden: int = 64
    outputs: int = 1
    time: int = 32

    def parameters(self, dtype: str) -> Arrays:
        """W_g[j,i], U_g[j,k] and b_g[j] of the gates i, f, c and o; V[o,j] and d[o] of the linear layer."""
        i, j, o = self.inputs, self.hidden, self.outputs
        shapes = {f"W_{g}": ((j, i), i) for g in GATES} | {f"U_{g}": ((j, j), j) for g in GATES}
        return _drawn(shapes | {f"b_{g}": ((j,), 100) for g in GATES} | {"V": ((o, j), j), "d": ((o,), 100)}, dtype)

    def data(self, dtype: str) -> tuple[Any, Any]:
        """Sequences [rows, t, i] and targets [rows, o]."""
        rng, rows = np.random.default_rng(2), self.batch * self.steps
        x = rng.normal(size=(rows, self.time, self.inputs)).astype(dtype)
        return x, np.tanh(rng.normal(size=(rows, self.outputs))).astype(dtype)


@dataclass(frozen=True, kw_only=True)
class Characters(Training):
    """A pre-norm transformer block with exact GELU over characters; scores are read off by the embedding."""

    width: int = 64
    heads: int = 4
    time: int = 64
    symbols: int = 65

    def parameters(self, dtype: str) -> Arrays:
        """E[v,i], P[t,i], W1_q[h,e,i] … as `sd.definition("gpt", blocks=1)` names them."""
        i, h, j = self.width, self.heads, 4 * self.width
        e = i // h
        shapes = {"E": ((self.symbols, i), i), "P": ((self.time, i), i)}
        shapes |= {f"W1_{g}": ((h, e, i), i) for g in "qkv"} | {f"b1_{g}": ((h, e), 100) for g in "qkv"}
        shapes |= {"W1_o": ((i, h, e), i), "b1_o": ((i,), 100)}
        shapes |= {"W1_u": ((j, i), i), "b1_u": ((j,), 100), "W1_d": ((i, j), j), "b1_d": ((i,), 100)}
        norms = ("gamma1_a", "gamma1_b", "gamma")
        shapes |= dict.fromkeys(norms, ((i,), 0)) | {n.replace("gamma", "beta"): ((i,), 100) for n in norms}
        return _drawn(shapes, dtype)

    def data(self, dtype: str) -> tuple[Any, Any]:
        """Symbols [rows, t] and those that follow them."""
        ids = np.random.default_rng(2).integers(self.symbols, size=(self.batch * self.steps, self.time + 1))
        return np.ascontiguousarray(ids[:, :-1]), np.ascontiguousarray(ids[:, 1:])


MODELS: dict[str, Training] = {
    m.name: m
    for m in (
        LeNet(name="W6", batch=32, rate=0.01, steps=24, few=24),
        Recurrent(name="W7", batch=16, rate=0.05, steps=40, few=40),
        Characters(name="W8", batch=8, adam=True, rate=1e-3, steps=16, few=16),
    )
}

#: All workloads by name.
WORK: dict[str, Training | Pointwise] = NETWORKS | MODELS | POINTWISE
