"""Products as transformers need them: an index of both operands, interleaved rows and columns, scalars, several sums.

One definition for each pattern; all are computed with extents that send them to BLAS.
"""

from __future__ import annotations

import sympy

from symdl.core.define import Input, Param, Sum, define, exp, index, let, mean


@define
def scores(q=Param("n h t e"), k=Param("n h s e")):
    """A batch of products, scaled."""
    n, h, t, e = q.indices
    s = k.indices[2]
    z = let("z[n,h,t,s]", Sum(q[n, h, t, e] * k[n, h, s, e], e) / sympy.sqrt(sympy.Integer(5)))
    return let("L", mean(z[n, h, t, s] ** 2, n, h, t, s)), z


@define
def heads(x=Input("n t i"), W=Param("h e i")):
    """Rows and columns of the product alternate in its result."""
    n, t, i = x.indices
    h, e, _ = W.indices
    q = let("q[n,h,t,e]", Sum(W[h, e, i] * x[n, t, i], i))
    return let("L", mean(q[n, h, t, e] ** 2, n, h, t, e)), q


@define
def joined(o=Param("n h t e"), W=Param("i h e"), b=Param("i")):
    """A sum over two axes that one operand has apart, and a bias."""
    n, h, t, e = o.indices
    i = W.indices[0]
    y = let("y[n,t,i]", Sum(W[i, h, e] * o[n, h, t, e], h, e) + b[i])
    return let("L", mean(y[n, t, i] ** 2, n, t, i)), y


@define
def turned(A=Param("i k"), B=Param("k j"), G=Param("i m"), H=Param("m k")):
    """A result with its axes the other way round, and two products in one equation."""
    i, k = A.indices
    j, m = B.indices[1], G.indices[1]
    C = let("C[j,i]", Sum(A[i, k] * B[k, j], k))
    D = let("D[j,m]", Sum(C[j, i] * G[i, m], i) - Sum(B[k, j] * H[m, k], k) / 3)
    return let("L", mean(D[j, m] ** 2, j, m)), C, D


@define
def attended(x=Input("n t i"), Q=Param("h e i"), K=Param("h e i"), V=Param("h e i"), O=Param("o h e")):
    """Attention with heads."""
    n, t, i = x.indices
    h, e, _ = Q.indices
    o = O.indices[0]
    s = index("s", t.extent)
    q = let("q[n,h,t,e]", Sum(Q[h, e, i] * x[n, t, i], i))
    k = let("k[n,h,t,e]", Sum(K[h, e, i] * x[n, t, i], i))
    v = let("v[n,h,t,e]", Sum(V[h, e, i] * x[n, t, i], i))
    root = sympy.sqrt(e.extent)
    z = let("z[n,h,t,s]", Sum(q[n, h, t, e] * k[n, h, s, e], e) / root)
    p = let("p[n,h,t,s]", exp(z[n, h, t, s]) / Sum(exp(z[n, h, t, s]), s))
    u = let("u[n,h,t,e]", Sum(p[n, h, t, s] * v[n, h, s, e], s))
    y = let("y[n,t,o]", Sum(O[o, h, e] * u[n, h, t, e], h, e))
    return let("L", mean(y[n, t, o] ** 2, n, t, o)), y


@define
def weighted(p=Param("n t s"), v=Param("n s e"), g=Param("n t"), w=Param("n s")):
    """Factors that the sum does not touch, and a matrix times a vector for each n."""
    n, t, s = p.indices
    e = v.indices[2]
    y = let("y[n,t,e]", Sum(p[n, t, s] * v[n, s, e] * g[n, t], s))
    r = let("r[n,t]", Sum(p[n, t, s] * w[n, s], s))
    return let("L", mean(y[n, t, e] ** 2 * r[n, t], n, t, e)), y


EVERY = [scores, heads, joined, turned, attended, weighted]
