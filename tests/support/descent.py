"""Gradient descent of a network of two layers, written out."""

from __future__ import annotations

from typing import Any

import numpy as np


def two_layers(arrays: dict[str, Any], batch: int, rate: float) -> tuple[list[float], dict[str, Any]]:
    """The loss of each step and the parameters at the end, in float64: tanh, a linear layer, the squared loss."""
    x, y, W1, b1, W2, b2 = (np.array(arrays[n], np.float64) for n in ("x", "y", "W1", "b1", "W2", "b2"))
    losses = []
    for first in range(0, len(x), batch):
        part, target = x[first : first + batch], y[first : first + batch]
        h = np.tanh(part @ W1.T + b1)
        gap = h @ W2.T + b2 - target
        losses.append(float((gap**2).sum() / len(part)))
        up = 2 * gap / len(part)
        down = up @ W2 * (1 - h**2)
        W1, b1 = W1 - rate * down.T @ part, b1 - rate * down.sum(axis=0)
        W2, b2 = W2 - rate * up.T @ h, b2 - rate * up.sum(axis=0)
    return losses, {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
