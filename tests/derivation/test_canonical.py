"""The canonical form: what must come out as zero, what must not, and that it does not depend on how it is written."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from support.oracles import Floats, evaluate

from symdl.core.define import Sum, absolute, exp, log, maximum, switch, tanh
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Fact, Tensor, refreshed
from symdl.core.unroll import elements, unroll
from symdl.derivation.canonical import canonical, is_zero
from symdl.library.activations import relu

N, K = Index("n"), Index("k")
J = Index("j", K.extent)
Z = Tensor("z", (N, K))
M = Tensor("m", (N,))
Y = Tensor("y", (N, K), facts=frozenset({Fact.SUMS_TO_ONE}))
X = sympy.Symbol("x", real=True)
C = sympy.Symbol("c", real=True)

TRUE = {
    "order of sums": Sum(Sum(Z[N, K], K), N) - Sum(Sum(Z[N, K], N), K),
    "renamed bound index": Sum(Z[N, K], K) - Sum(Z[N, J], J),
    "a square is a double sum": Sum(Z[N, K], K) ** 2 - Sum(Sum(Z[N, K] * Z[N, J], J), K),
    "constant out of a sum": Sum(M[N] * Z[N, K], K) - M[N] * Sum(Z[N, K], K),
    "sum of a constant": Sum(M[N], K) - K.extent * M[N],
    "softmax is shift-free": exp(Z[N, K] - M[N]) / Sum(exp(Z[N, J] - M[N]), J) - exp(Z[N, K]) / Sum(exp(Z[N, J]), J),
    "log of a softmax": log(exp(Z[N, K]) / Sum(exp(Z[N, J]), J)) - Z[N, K] + log(Sum(exp(Z[N, J]), J)),
    "a fact": Sum(Y[N, K] * M[N], K) - M[N],
    "a fact inside a larger sum": Sum(Y[N, K] * M[N] * Z[N, J], K, N) - Sum(M[N] * Z[N, J], N),
    "δ picks": Sum(Delta(K, J) * Z[N, J], J) - Z[N, K],
    "relu + relu of minus": relu(X) + relu(-X) - absolute(X, kink="mid"),
    "max + min": maximum(X, C, kink="left") + switch(X - C, X, C, kink="left") - X - C,
    "exp of a sum": exp(X + C) - exp(X) * exp(C),
    "exp of a log": exp(2 * log(1 + exp(X))) - (1 + exp(X)) ** 2,
}

FALSE = {
    "sum of squares": Sum(Z[N, K] ** 2, K) - Sum(Z[N, K], K) ** 2,
    "a fact about the wrong index": Sum(Y[N, K] * M[N], N) - Sum(M[N], N),
    "no such fact": Sum(Z[N, K] * M[N], K) - M[N],
    "a lost factor": Sum(M[N], K) - M[N],
    "σ' without its second factor": tanh(X) - tanh(X) ** 2,
    "kink at one point": switch(X, 0, X, kink="left").diff(X) - switch(X, 0, X, kink="right").diff(X),
    "transposed": Sum(Z[N, K] * M[N], N) - Sum(Z[K, N] * M[N], N),
}


@pytest.mark.parametrize("name", TRUE)
def test_true(name):
    assert is_zero(TRUE[name])


@pytest.mark.parametrize("name", FALSE)
def test_false(name):
    assert not is_zero(FALSE[name])


# ── random expressions: the form has the same value, and does not depend on how it is written ────────────────────────

I, L = Index("i", 2), Index("l", 3)
A, B, D = Tensor("a", (I,)), Tensor("b", (I, L)), Tensor("d", (L,))
FREE = I

BODIES = st.recursive(
    st.sampled_from([A[I], Sum(B[I, L], L), Sum(B[I, L] * D[L], L), Sum(A[I], I), Sum(Sum(B[I, L] * A[I], I), L)]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        st.tuples(inner, st.sampled_from([-2, 3])).map(lambda p: p[0] * p[1]),
        inner.map(lambda e: tanh(e / 4)),
        inner.map(lambda e: exp(tanh(e))),
        inner.map(lambda e: 1 / (3 + tanh(e))),
        inner.map(lambda e: log(1 + exp(tanh(e)))),
        inner.map(relu),
        inner.map(lambda e: Sum(e, I)),
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(BODIES, st.integers(0, 2**32 - 1))
def test_value_is_kept(body, seed):
    draw = np.random.default_rng(seed).normal
    known = {e: float(draw()) for t in (A, B, D) for e in elements(t)}
    for i in range(2):
        at = {I: sympy.Integer(i)}
        before = evaluate(unroll(body.xreplace(at)), known, Floats)
        form = canonical(body).replace(lambda e: type(e).__name__ == "E", lambda e: sympy.exp(e.args[0]))
        form = form.replace(lambda e: type(e).__name__ == "Step", lambda e: switch(e.args[0], 0, 1, kink=e.args[1]))
        assert evaluate(unroll(form.xreplace(at)), known, Floats) == pytest.approx(before, rel=1e-9, abs=1e-9)


@settings(max_examples=60)
@given(BODIES, BODIES, BODIES)
def test_confluence(a, b, c):
    assert is_zero(refreshed(a) - a)
    assert is_zero(a * (b + c) - (c * a + a * b))
    assert is_zero(Sum(a + b, I) - Sum(b, I) - Sum(a, I))
    assert canonical(refreshed(a) * b) == canonical(b * a)


@settings(max_examples=40)
@given(BODIES)
def test_one_more_is_noticed(a):
    assert not is_zero(a + sympy.Rational(1, 10**6) - refreshed(a))
