"""Recurrences that several tests compile."""

from __future__ import annotations

from symdl.core.define import Param, Sum, define, in_range, let, mean, state, tanh


@define(time="t")
def states(x=Param("n t i"), U=Param("i k=i")):
    """A state that is multiplied by weights at each time."""
    n, t, i = x.indices
    k = U.indices[1]
    h = state("h[n,t,i]")
    before = let("before[n,t,k]", h[n, t - 1, k] * in_range(t - 1, t.extent))
    h = let("h[n,t,i]", tanh(x[n, t, i] + Sum(U[i, k] * before[n, t, k], k)))
    return let("L", mean(h[n, t, i] ** 2, n, t, i))
