"""The losses of the lecture as expressions, for definitions that are written by hand.

Each takes tensor elements, so that it fits any shape: `l2(t[n, k], a[n, k], n, over=[k])`.

>>> from symdl.core.define import define, Input, let
>>> @define
... def squared(t=Input("n"), y=Input("n")):
...     (n,) = t.indices
...     return let("L", l2(t[n], y[n], n))
>>> squared
squared(t[n], y[n]) -> L:
    L = Sum_{n}((t[n] - y[n])**2/N)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from symdl.core.define import Sum, absolute, log, mean
from symdl.core.indices import Index


def l1(target: Any, prediction: Any, batch: Index, over: Iterable[Index] = (), *, kink: Any = "mid") -> sympy.Expr:
    """(1/N) Σ_n Σ |t − y|; slope 0 where they are equal unless stated otherwise (L19)."""
    return _mean_of(absolute(target - prediction, kink=kink), batch, over)


def l2(target: Any, prediction: Any, batch: Index, over: Iterable[Index] = ()) -> sympy.Expr:
    """(1/N) Σ_n Σ (t − y)² (L3, L19)."""
    return _mean_of((target - prediction) ** 2, batch, over)


def cross_entropy(target: Any, probability: Any, batch: Index, over: Iterable[Index]) -> sympy.Expr:
    """−(1/N) Σ_n Σ_k t log p (L21); natural logarithm."""
    return _mean_of(-target * log(probability), batch, over)


def _mean_of(body: sympy.Expr, batch: Index, over: Iterable[Index]) -> sympy.Expr:
    inner = tuple(over)
    return mean(Sum(body, *inner) if inner else body, batch)
