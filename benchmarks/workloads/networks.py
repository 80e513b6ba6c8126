"""What is trained: sizes, activation, loss, optimiser, batch; and the arrays that everyone starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, Any]
#: Of Adam, for everyone.
BETAS, EPS = (0.9, 0.999), 1e-8


@dataclass(frozen=True)
class Network:
    """Dense layers with one activation between them; a step is forward, loss, backward and update.

    Args:
        name: as in the table.
        sizes: units, from the inputs to the outputs.
        activation: "tanh" or "relu".
        loss: "mse" (the sum over outputs, the mean over rows) or "softmax_cross_entropy".
        batch: rows in a step.
        adam: whether the optimiser is Adam; else plain gradient descent.
        rate: of learning.
        steps: in one timed epoch.
        few: steps of an epoch for those who pay for every call (eager, `jit` of a step): the first ones.
        models: how many networks are trained side by side; 0 for one without an axis for that.
    """

    name: str
    sizes: tuple[int, ...]
    activation: str
    loss: str
    batch: int
    adam: bool
    rate: float
    steps: int
    few: int
    models: int = 0

    @property
    def layers(self) -> range:
        return range(1, len(self.sizes))

    @property
    def flops(self) -> int:
        """Multiplications and additions of the matrix products of a step; no slope of the inputs is wanted."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        products = sum((3 if k else 2) * a * b for k, (a, b) in enumerate(pairs))
        return 2 * self.batch * products * max(self.models, 1)

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


NETWORKS = {
    n.name: n
    for n in (
        Network("W1", (2, 8, 1), "tanh", "mse", 4, False, 0.05, 20_000, 100),
        Network("W2", (8, 64, 64, 1), "tanh", "mse", 32, True, 1e-3, 500, 50),
        Network("W3a", (784, 128, 10), "relu", "softmax_cross_entropy", 64, False, 0.01, 60, 60),
        Network("W3b", (784, 512, 256, 10), "relu", "softmax_cross_entropy", 128, True, 1e-4, 12, 12),
        Network("W4", (1024, 1024, 1024, 1024), "relu", "mse", 256, False, 1e-5, 3, 3),
        Network("W9", (4, 16, 1), "tanh", "mse", 16, False, 0.05, 400, 50, models=64),
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
