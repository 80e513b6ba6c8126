"""Attention of every place to those before it, with a loss: what is computed by blocks of rows."""

from __future__ import annotations

from symdl.core.define import Input, Param, Sum, define, exp, index, let, mean, sqrt
from symdl.core.functions import InRange


@define
def scores(x=Input("n t i"), y=Input("n t e"), Q=Param("e i"), K=Param("e i"), V=Param("e i")):
    n, t, i = x.indices
    e, _ = Q.indices
    s = index("s", t.extent)
    q = let("q[n,t,e]", Sum(Q[e, i] * x[n, t, i], i))
    k = let("k[n,t,e]", Sum(K[e, i] * x[n, t, i], i))
    v = let("v[n,t,e]", Sum(V[e, i] * x[n, t, i], i))
    z = let("z[n,t,s]", Sum(q[n, t, e] * k[n, s, e], e) / sqrt(e.extent))
    total = let("Z[n,t]", Sum(exp(z[n, t, s]) * InRange(t - s, t.extent), s))
    p = let("p[n,t,s]", exp(z[n, t, s]) * InRange(t - s, t.extent) / total[n, t])
    o = let("o[n,t,e]", Sum(p[n, t, s] * v[n, s, e], s))
    return let("L", mean((o[n, t, e] - y[n, t, e]) ** 2, n, t, e))
