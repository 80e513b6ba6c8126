"""Sums and maxima over an innermost loop: what may be reordered, what may not, and how NaN and infinities pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import sympy

from symdl.compilation import compile
from symdl.compilation.factors import taken_out
from symdl.compilation.fusion import Loop, statements_in
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.plan_check import check_plan
from symdl.core.define import Input, Param, Sum, amax, define, exp, let, mean, tanh
from symdl.core.functions import InRange
from symdl.core.indices import Index
from symdl.core.tensors import Tensor


@define
def rows(x=Input("n k"), y=Input("n k")):
    """A maximum, a sum, and a sum of squares about a mean, by row."""
    n, k = x.indices
    m = let("m[n]", amax(x[n, k], k))
    s = let("s[n]", Sum(x[n, k] + y[n, k], k))
    a = let("a[n]", mean(x[n, k], k))
    return m, s, let("v[n]", mean((x[n, k] - a[n]) ** 2, k))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("length", [1, 7, 64, 101])
def test_a_maximum_passes_nan_on_wherever_it_stands(dtype: str, length: int, rng: np.random.Generator) -> None:
    code = compile(rows, dtype=dtype)
    x = rng.normal(size=(length + 3, length)).astype(dtype)
    for position in range(length):
        x[position, position] = np.nan if position % 2 else -np.nan
    x[length] = -np.inf
    x[length + 1] = np.inf
    result = code(x=x, y=np.zeros_like(x))["m"]
    np.testing.assert_array_equal(result, np.max(x, axis=1))
    assert np.isnan(result[:length]).all()


def test_only_the_order_of_a_sum_is_free() -> None:
    """1e16 + (2 − 1e16) is 2 for every summand; adding up the large numbers first would lose it."""
    code = compile(rows)
    x = np.full((2, 100), 1e16)
    assert "added(s_n, x[n, k] + y[n, k])" in code.source
    np.testing.assert_array_equal(code(x=x, y=2 - x)["s"], [200.0, 200.0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_long_sums_are_as_close_as_pairwise_ones(dtype: str, rng: np.random.Generator) -> None:
    code = compile(rows, dtype=dtype)
    x = rng.uniform(1, 2, size=(3, 100_001)).astype(dtype)
    exact = x.astype(np.longdouble)
    result = code(x=x, y=np.zeros_like(x))
    eps = np.finfo(dtype).eps
    assert np.abs(result["s"] / exact.sum(axis=1) - 1).max() < 100_001 / 8 * eps
    assert np.abs(result["v"] / exact.var(axis=1) - 1).max() < 100_001 / 4 * eps


def test_infinities_in_a_sum() -> None:
    code = compile(rows)
    x: npt.NDArray[np.float64] = np.ones((3, 33))
    x[0, 5], x[1, 5], x[1, 20] = np.inf, np.inf, -np.inf
    result = code(x=x, y=np.zeros_like(x))["s"]
    assert result[0] == np.inf
    assert np.isnan(result[1])
    assert result[2] == 33


def test_rows_of_a_softmax_are_one_nest_whatever_the_order_of_their_axes() -> None:
    @define
    def softmax(z=Input("n h t s")):
        n, h, t, s = z.indices
        m = let("m[h,n,t]", amax(z[n, h, t, s], s))
        S = let("S[h,n,t]", Sum(exp(z[n, h, t, s] - m[h, n, t]), s))
        r = let("r[t,h,n]", 1 / S[h, n, t])
        return let("p[n,h,t,s]", exp(z[n, h, t, s] - m[h, n, t]) * r[t, h, n])

    plan = make_plan(softmax)
    check_plan(plan)
    (nest,) = plan.items
    assert isinstance(nest, Loop)
    assert {s.out.name for s in statements_in(nest)} == {"m", "S", "r", "p"}
    assert {b.name: b.kind for b in plan.buffers} == {
        "z": "input", "m": "scalar", "S": "scalar", "r": "scalar", "p": "output",
    }  # fmt: skip


def test_factors_that_a_sum_does_not_touch_are_taken_out() -> None:
    @define
    def spread(x=Input("n i"), m=Input("n"), g=Param("n")):
        n, i = x.indices
        return let("v[n]", Sum(g[n] * (x[n, i] / 64 - m[n] / 64), i))

    code = compile(spread)
    assert "added(v_n, -m_n + x[n, i])" in code.source


def test_what_a_guard_protects_stays_under_it() -> None:
    t, i = Index("t", 5), Index("i", 9)
    x, y = Tensor("x", (t,)), Tensor("y", (i,))
    guard = InRange(t - 1, sympy.Integer(5))
    assert taken_out(3 * x[t - 1] * y[i] * guard, frozenset([i])) == (3, x[t - 1] * y[i] * guard)
    assert taken_out(3 * x[t] * y[i], frozenset([i])) == (3 * x[t], y[i])


# ── function values that two loops need ──────────────────────────────────────────────────────────────────────────────


def computed_from(plan: Plan, function: Any) -> list[str]:
    """What a plan computes from values of a function, in order."""
    found = [s for item in plan.items if isinstance(item, Loop) for s in statements_in(item)]
    return [s.out.name for s in found if s.body.has(function)]


def test_the_exponentials_of_a_softmax_are_computed_once_and_kept_in_its_result() -> None:
    @define
    def softmax(z=Input("n k")):
        n, k = z.indices
        m = let("m[n]", amax(z[n, k], k))
        S = let("S[n]", Sum(exp(z[n, k] - m[n]), k))
        return let("p[n,k]", exp(z[n, k] - m[n]) / S[n]), S

    plan = make_plan(softmax)
    check_plan(plan)
    assert computed_from(plan, sympy.exp) == ["p", "S"]  # two statements of one block
    assert [b.name for b in plan.buffers if b.kind == "work"] == []
    z = np.array([[0.0, math.log(3.0)], [1.0, 1.0]])
    result = compile(softmax)(z=z)
    np.testing.assert_allclose(result["p"], [[0.25, 0.75], [0.5, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(result["S"], [4 / 3, 2], rtol=1e-15)


def test_a_variable_on_the_way_to_the_result_is_put_in() -> None:
    @define
    def slope(z=Input("n k"), y=Input("n k")):
        n, k = z.indices
        S = let("S[n]", Sum(exp(z[n, k]), k))
        p = let("p[n,k]", exp(z[n, k]) / S[n])
        return let("z_bar[n,k]", p[n, k] - y[n, k])

    plan = make_plan(slope)
    check_plan(plan)
    assert computed_from(plan, sympy.exp) == ["z_bar", "S"]
    z = np.array([[0.0, math.log(3.0)]])
    np.testing.assert_allclose(compile(slope)(z=z, y=z * 0 + 0.5)["z_bar"], [[-0.25, 0.25]], rtol=1e-15)


def test_a_function_value_that_has_no_place_is_computed_again() -> None:
    @define
    def entropy(z=Input("n k")):
        n, k = z.indices
        S = let("S[n]", Sum(exp(z[n, k]), k))
        return let("H[n]", Sum(z[n, k] * exp(z[n, k]) / S[n], k))

    plan = make_plan(entropy)
    check_plan(plan)
    assert computed_from(plan, sympy.exp) == ["S", "H"]


def test_a_function_of_what_has_changed_is_not_the_same() -> None:
    @define
    def twice(z=Input("n k")):
        n, k = z.indices
        s = let("s[n]", Sum(z[n, k], k))
        S = let("S[n]", Sum(tanh(s[n] * z[n, k]), k))
        a = let("a[n]", Sum(tanh(S[n] * z[n, k]), k))
        return let("p[n,k]", tanh(S[n] * z[n, k]) / a[n] + z[n, k])

    plan = make_plan(twice)
    check_plan(plan)
    assert computed_from(plan, sympy.tanh) == ["S", "p", "a"]
    z = np.array([[0.25, 0.5]])
    big = np.tanh(0.75 * z).sum()
    expected = np.tanh(big * z) / np.tanh(big * z).sum() + z
    np.testing.assert_allclose(compile(twice)(z=z)["p"], expected, rtol=1e-14)
