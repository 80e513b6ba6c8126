"""What is trained: sizes, activation, loss, optimiser, batch; and the arrays that everyone starts from.

Networks of dense layers and pointwise functions are here, those with other layers in `models`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, Any]
#: Of Adam, for everyone.
BETAS, EPS = (0.9, 0.999), 1e-8


@dataclass(frozen=True, kw_only=True)
class Training:
    """A network and how it is trained; a step is forward, loss, backward and update.

    Args:
        name: as in the table.
        batch: rows in a step.
        adam: whether the optimiser is Adam; else plain gradient descent.
        rate: of learning.
        steps: in one timed epoch.
        few: steps of an epoch for those who pay for every call (eager, `jit` of a step): the first ones.
    """

    name: str
    batch: int
    adam: bool = False
    rate: float
    steps: int
    few: int

    def parameters(self, dtype: str) -> Arrays:
        """What everyone starts from, by the names that symdl's definition has."""
        raise NotImplementedError

    def data(self, dtype: str) -> tuple[Any, Any]:
        """Inputs and targets of all steps, rows first."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Network(Training):
    """Dense layers with one activation between them.

    Args:
        sizes: units, from the inputs to the outputs.
        activation: "tanh" or "relu".
        loss: "mse" (the sum over outputs, the mean over rows) or "softmax_cross_entropy".
        models: how many networks are trained side by side; 0 for one without an axis for that.
    """

    sizes: tuple[int, ...]
    activation: str
    loss: str
    models: int = 0

    @property
    def layers(self) -> range:
        return range(1, len(self.sizes))

    def parameters(self, dtype: str) -> Arrays:
        """W1, b1, W2, …: each W as [out, in], with an axis of models before it where there are several."""
        rng, lead = np.random.default_rng(1), (self.models,) if self.models else ()
        found: Arrays = {}
        for k, (a, b) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), 1):
            found[f"W{k}"] = (rng.normal(size=(*lead, b, a)) / np.sqrt(a)).astype(dtype)
            found[f"b{k}"] = (rng.normal(size=(*lead, b)) / 10).astype(dtype)
        return found

    def data(self, dtype: str) -> tuple[Any, Any]:
        """Inputs [rows, in] and targets [rows, out], one-hot where a class is wanted; models come second."""
        rng, rows = np.random.default_rng(2), self.batch * self.steps
        lead = (self.models,) if self.models else ()
        x = rng.normal(size=(rows, *lead, self.sizes[0])).astype(dtype)
        if self.loss == "mse":
            return x, np.tanh(rng.normal(size=(rows, *lead, self.sizes[-1]))).astype(dtype)
        return x, np.eye(self.sizes[-1], dtype=dtype)[rng.integers(self.sizes[-1], size=rows)]


@dataclass(frozen=True)
class Pointwise:
    """An activation of `count` numbers, and its slope times what comes from above."""

    name: str
    activation: str
    count: int
    calls: int

    def arrays(self, dtype: str) -> tuple[Any, Any]:
        rng = np.random.default_rng(3)
        return rng.normal(size=self.count).astype(dtype) * 3, rng.normal(size=self.count).astype(dtype)


_REGRESSION = {"activation": "tanh", "loss": "mse"}
_CLASSES = {"activation": "relu", "loss": "softmax_cross_entropy"}
NETWORKS = {
    n.name: n
    for n in (
        Network(name="W1", sizes=(2, 8, 1), **_REGRESSION, batch=4, rate=0.05, steps=20_000, few=100),
        Network(name="W2", sizes=(8, 64, 64, 1), **_REGRESSION, batch=32, adam=True, rate=1e-3, steps=500, few=50),
        Network(name="W3a", sizes=(784, 128, 10), **_CLASSES, batch=64, rate=0.01, steps=60, few=60),
        Network(name="W3b", sizes=(784, 512, 256, 10), **_CLASSES, batch=128, adam=True, rate=1e-4, steps=12, few=12),
        Network(name="W4", sizes=(1024,) * 4, activation="relu", loss="mse", batch=256, rate=1e-5, steps=3, few=3),
        Network(name="W9", sizes=(4, 16, 1), **_REGRESSION, batch=16, rate=0.05, steps=400, few=50, models=64),
    )
}
POINTWISE = {
    p.name: p
    for p in (
        Pointwise("W5 mish 1e4", "mish", 10_000, 100),
        Pointwise("W5 mish 1e6", "mish", 1_000_000, 4),
        Pointwise("W5 gelu 1e4", "gelu", 10_000, 100),
        Pointwise("W5 gelu 1e6", "gelu", 1_000_000, 4),
    )
}
