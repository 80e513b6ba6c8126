"""Costs of plans against counts by hand."""

from __future__ import annotations

import pytest
import sympy

import symdl as sd
from symdl.compilation.counts import memory, operations, plan_cost, traffic
from symdl.compilation.plan import make_plan
from symdl.core.define import Input, Param, Sum, amax, define, exp, let, mean, sqrt, tanh
from symdl.errors import DefinitionError


def test_a_product_with_a_bias() -> None:
    @define
    def layer(x=Input("n i"), W=Param("j i"), b=Param("j")):
        n, i = x.indices
        j, _ = W.indices
        s = let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
        return let("h[n,j]", tanh(s[n, j]))

    cost = plan_cost(layer, n=10, i=20, j=30)
    assert cost.operations == 2 * 10 * 20 * 30 + 10 * 30 + 10 * 30
    assert cost.memory == 10 * 30 + 10 * 30
    # the product reads x and W and writes s; the loop reads s and b and writes h, and s is a variable there
    assert cost.traffic == (10 * 20 + 20 * 30 + 10 * 30) + 3 * 10 * 30


def test_a_product_in_loops_counts_as_one_in_blas() -> None:
    @define
    def layer(x=Input("n i"), W=Param("j i")):
        n, i = x.indices
        j, _ = W.indices
        return let("s[n,j]", Sum(W[j, i] * x[n, i], i))

    assert plan_cost(layer, n=2, i=3, j=2).operations == 2 * 2 * 3 * 2
    assert plan_cost(layer, n=20, i=30, j=20).operations == 2 * 20 * 30 * 20


def test_batches_of_products_and_the_copies_that_they_want() -> None:
    @define
    def heads(x=Input("n t i"), W=Param("h e i")):
        n, t, i = x.indices
        h, e, _ = W.indices
        return let("q[n,h,t,e]", Sum(W[h, e, i] * x[n, t, i], i))

    size = 8 * 4 * 32 * 16
    cost = plan_cost(heads, n=8, h=4, t=32, e=16, i=64)
    assert cost.operations == 2 * size * 64
    assert cost.memory == 2 * size
    assert cost.traffic == (8 * 32 * 64 + 4 * 16 * 64 + size) + 2 * size


def test_a_softmax_row() -> None:
    @define
    def softmax(z=Input("n k")):
        n, k = z.indices
        m = let("m[n]", amax(z[n, k], k))
        e = let("e[n,k]", exp(z[n, k] - m[n]))
        S = let("S[n]", Sum(e[n, k], k))
        return let("p[n,k]", e[n, k] / S[n])

    # a comparison; a difference, an exponential and an addition; a division
    assert plan_cost(softmax, n=5, k=7).operations == 5 * 7 * (1 + 3 + 1)


def test_what_an_inner_loop_does_not_change_counts_once() -> None:
    @define
    def scaled(x=Input("n i"), v=Input("n")):
        n, i = x.indices
        return let("y[n,i]", x[n, i] / sqrt(v[n] + 1))

    assert plan_cost(scaled, n=5, i=7).operations == 5 * 2 + 5 * 7


def test_shared_subexpressions_and_powers() -> None:
    @define
    def powers(x=Input("n")):
        (n,) = x.indices
        y = let("y[n]", exp(x[n]) + x[n] ** 5)
        z = let("z[n]", exp(x[n]) - x[n] ** sympy.Rational(3, 2) / 3)
        return y, z

    # y: e^x, three multiplications, a sum; z: a root, a multiplication, a factor 1/3, a difference
    assert plan_cost(powers, n=1).operations == (1 + 3 + 1) + (1 + 1 + 1 + 1)


def test_tensors_that_never_live_together_count_once() -> None:
    @define
    def chain(x=Input("i"), W=Param("j i"), U=Param("i j"), V=Param("j i")):
        (i,) = x.indices
        j = W.indices[0]
        a = let("a[j]", Sum(W[j, i] * x[i], i))
        b = let("b[i]", Sum(U[i, j] * a[j], j))
        return let("c[j]", Sum(V[j, i] * b[i], i))

    assert plan_cost(chain, i=64, j=64).memory == 3 * 64


def test_counts_of_a_plan_are_those_of_its_definition() -> None:
    @define
    def total(x=Input("n")):
        (n,) = x.indices
        return let("L", mean(x[n] ** 2, n))

    plan = make_plan(total, {"n": 9})
    found = (operations(plan, {"n": 9}), memory(plan, {"n": 9}), traffic(plan, {"n": 9}))
    assert found == (9 * 2 + 1, 1, 9)
    assert sd.plan_cost(total, n=9) == sd.PlanCost(*found)


def test_composite_extents_follow_from_the_others() -> None:
    R, U = (sympy.Symbol(s, integer=True, positive=True) for s in "RU")

    @define
    def smoothed(x=Input("u"), w=Param("r")):
        (r,) = w.indices
        v = sd.index("v", U - R + 1)
        return let("y[v]", Sum(x[v + r] * w[r], r))

    assert plan_cost(smoothed, u=10, r=3).operations == 2 * 8 * 3


def test_a_missing_extent_is_named() -> None:
    @define
    def total(x=Input("n i")):
        return let("L", mean(x[x.indices] ** 2, *x.indices))

    with pytest.raises(DefinitionError, match="index i has no length"):
        plan_cost(total, n=9)
    with pytest.raises(DefinitionError, match="no index 'q'"):
        plan_cost(total, n=9, i=2, q=3)
