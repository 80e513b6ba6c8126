"""Definitions of every kind that a target has to compute: library entries, networks, and one for each index pattern."""

from __future__ import annotations

import sympy
from support.activations import activations

from symdl.core.define import Hyper, Input, Param, Sum, amax, define, erf, exp, let, log, mean, prod, sqrt
from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange
from symdl.library.activations import ACTIVATIONS, Activation, activation, sigmoid
from symdl.library.layers import dense, sequential


def unit(act: Activation) -> Definition:
    """One unit with an activation."""

    @define
    def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
        n, i = x.indices
        s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
        a = let("a[n]", act(s[n]))
        return let("L", mean((t[n] - a[n]) ** 2, n)), a

    return neuron.renamed({}, f"unit_{act.name}")


def network(loss: str, act: str = "tanh", hidden: int | None = None) -> Definition:
    return sequential(
        dense(hidden, act), dense(None if hidden is None else 4, "sigmoid"), loss=loss, name=f"net_{loss}"
    )


@define
def convolution(x=Input("n c=2 u0=9"), t=Input("n o u=7"), w=Param("o c=2 r=3")):
    """x[n, c, u + r]: affine subscripts, symbolic output channels."""
    n, c, _ = x.indices
    o, _, r = w.indices
    u = t.indices[2]
    y = let("y[n,o,u]", Sum(w[o, c, r] * x[n, c, u + r], c, r))
    return let("L", mean((t[n, o, u] - y[n, o, u]) ** 2, n, o, u)), y


@define
def padded(x=Input("n u=5"), w=Param("r=3")):
    """A guard keeps the subscript in range."""
    n, u = x.indices
    (r,) = w.indices
    inside = InRange(u + r - 1, sympy.Integer(5))
    y = let("y[n,u]", Sum(w[r] * x[n, u + r - 1] * inside, r))
    return let("L", mean(y[n, u] ** 2, n, u)), y


@define
def pooling(x=Param("n u=3 v=2")):
    """The largest of a window; its ties share the slope."""
    n, u, v = x.indices
    y = let("y[n,u]", amax(x[n, u, v], v, ties="share"))
    return let("L", Sum(y[n, u] ** 2, n, u)), y


@define
def embedding(tok=Input("n t", integer=True), E=Param("v d")):
    """An index that is data."""
    n, t = tok.indices
    _, d = E.indices
    e = let("e[n,t,d]", E[tok[n, t], d])
    return let("L", mean(e[n, t, d] ** 2, n, t, d)), e


@define
def normalisation(x=Param("n i"), g=Param("i")):
    n, i = x.indices
    m = let("m[n]", mean(x[n, i], i))
    v = let("v[n]", mean((x[n, i] - m[n]) ** 2, i))
    y = let("y[n,i]", g[i] * (x[n, i] - m[n]) / sqrt(v[n] + sympy.Rational(1, 100)))
    return let("L", Sum(y[n, i] ** 3, n, i)), y


@define
def attention(Q=Param("t d"), K=Param("s d"), V=Param("s e")):
    """Softmax over an index, batch-free; three products."""
    t, d = Q.indices
    s, _ = K.indices
    _, e = V.indices
    z = let("z[t,s]", Sum(Q[t, d] * K[s, d], d) / sympy.sqrt(sympy.Symbol("D", integer=True, positive=True)))
    a = let("a[t,s]", exp(z[t, s]) / Sum(exp(z[t, s]), s))
    y = let("y[t,e]", Sum(a[t, s] * V[s, e], s))
    return let("L", Sum(y[t, e] ** 2, t, e)), y


@define
def batched(A=Param("b m k"), B=Param("b k n")):
    """A product for each b: an index that both factors share."""
    b, m, k = A.indices
    n = B.indices[2]
    C = let("C[b,m,n]", Sum(A[b, m, k] * B[b, k, n], k))
    return let("L", Sum(C[b, m, n] ** 2, b, m, n)), C


@define
def several(x=Input("n i"), h=Input("n j"), W=Param("k i"), U=Param("k j"), b=Param("k")):
    """Two products and a bias in one equation, a scalar in front."""
    n, i = x.indices
    k, j = U.indices
    s = let("s[n,k]", 2 * Sum(W[k, i] * x[n, i], i) - Sum(U[k, j] * h[n, j] * x[n, 0], j) + b[k])
    return let("L", mean(s[n, k] ** 2, n, k)), s


@define
def flattened(x=Input("n t i"), W=Param("j i")):
    """Two free axes make the rows of one product."""
    n, t, i = x.indices
    j, _ = W.indices
    y = let("y[n,t,j]", Sum(W[j, i] * x[n, t, i], i))
    return let("L", mean(y[n, t, j] ** 2, n, t, j)), y


@define
def product_and_maximum(x=Param("n i")):
    n, i = x.indices
    y = let("y[n]", prod(1 + x[n, i] / 8, i) + x[n, 0])
    return let("L", Sum(y[n] ** 2, n)), y


@define
def powers(x=Param("n"), a=Hyper()):
    (n,) = x.indices
    s = let("s[n]", 1 + x[n] ** 2)
    y = let("y[n]", sqrt(s[n]) + s[n] ** sympy.Rational(3, 2) + 1 / s[n] ** 3 + s[n] ** a + sympy.pi * log(s[n]))
    return let("L", Sum(y[n] * erf(x[n]) + sympy.Rational(1, 3) * x[n] ** 3, n)), y


@define
def diagonal(A=Param("i j=3")):
    """δ as a factor, and an index as a number."""
    i, j = A.indices
    y = let("y[i]", Sum(A[i, j] * Delta(i, j) + j * A[i, j], j))
    return let("L", Sum(y[i] ** 2, i)), y


@define
def nothing_batched(w=Param("i"), c=Param()):
    """Scalars only in and out."""
    (i,) = w.indices
    return let("L", Sum(w[i], i) * c + c**2)


def mish() -> Definition:
    act = activation("mish_by_hand", lambda s: s * sympy.tanh(sympy.log(1 + sympy.exp(s))))
    return unit(act)


def gated() -> Definition:
    return unit(Activation("swish_by_hand", lambda s: s * sigmoid(s), lambda s: s * sigmoid(s), "test"))


UNITS = [unit(ACTIVATIONS[name]) for name in ("identity", "sigmoid", "tanh", "relu", "leaky_relu")]
NETWORKS = [network(loss) for loss in ("l1", "l2", "cross_entropy", "softmax_cross_entropy")]
DEEP = sequential(dense(3, "tanh"), dense(5, "relu"), dense(3), loss="softmax_cross_entropy", inputs=4, name="deep")
PATTERNS = [
    convolution,
    padded,
    pooling,
    embedding,
    normalisation,
    attention,
    batched,
    several,
    flattened,
    product_and_maximum,
    powers,
    diagonal,
    nothing_batched,
    mish(),
    gated(),
]
EVERY = [*UNITS, activations, *NETWORKS, DEEP, *PATTERNS]
WITH_PRODUCTS = [NETWORKS[3], attention, several, flattened]
