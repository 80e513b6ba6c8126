"""Guards in the checker's own normal form: it comes to what the canonical form comes to, by another way."""

from __future__ import annotations

import random

import pytest
import sympy
from hypothesis import given, settings, strategies as st

import symdl as sd
from symdl.core.define import Sum
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, extent_symbol
from symdl.core.tensors import Tensor, reduction
from symdl.verification import Status, equal
from symdl.verification.normal_form import is_zero
from symdl.verification.relabel import ordered

R, U, H = map(extent_symbol, "ruh")
r, u, h, p = Index("r"), Index("u"), Index("h"), Index("p", U + R - 1)
v, half = Index("v", H - R + 1), Index("v", sympy.floor((H - R) / 2) + 1)
w, y, x = Tensor("w", (r,)), Tensor("y", (u,)), Tensor("x", (h,))
z, g = Tensor("z", (v,)), Tensor("g", (half,))

FULL = Sum(w[r] * y[p - r] * InRange(p - r, U), r)
ONE_FORM = {
    "by the other index": (FULL, Sum(w[p - u] * y[u] * InRange(p - u, R), u)),
    "by δ": (FULL, Sum(w[r] * y[u] * Delta(u, p - r), r, u)),
    "without padding": (Sum(w[r] * x[v + r], r), Sum(w[h - v] * x[h] * InRange(h - v, R), h)),
    "a guard that is always 1": (Sum(w[r] * x[v + r] * InRange(v + r, H), r), Sum(w[r] * x[v + r], r)),
    "stride": (
        Sum(w[r] * z[v] * Delta(h, 2 * v + r - 1), r, v),
        Sum(w[h - 2 * v + 1] * z[v] * InRange(h - 2 * v + 1, R), v),
    ),
    "rounded down": (
        Sum(w[r] * x[2 * half + r] * g[half] * InRange(2 * half + r, H), r, half),
        Sum(w[r] * x[2 * half + r] * g[half], r, half),
    ),
}


@pytest.mark.parametrize("name", ONE_FORM)
def test_one_form(name):
    first, second = ONE_FORM[name]
    assert is_zero(first - second)
    assert equal(first, second).proved


@pytest.mark.parametrize(
    "wrong",
    [
        Sum(w[r] * y[p - r] * InRange(p - r, U - 1), r),
        Sum(w[p - u] * y[u] * InRange(p - u, R - 1), u),
        Sum(w[r] * y[u] * Delta(u, p - r - 1), r, u),
        Sum(w[r] * y[p - r], r),
    ],
)
def test_a_planted_fault_is_refuted_with_a_witness(wrong):
    assert not is_zero(FULL - wrong)
    verdict = equal(FULL, wrong)
    assert verdict.status is Status.REFUTED
    assert verdict.witness is not None


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_order_does_not_depend_on_names(seed):
    rng = random.Random(seed)
    indices = [Index("a", rng.choice([2, 3])) for _ in range(rng.randint(2, 8))]
    factors = []
    for k in range(rng.randint(2, 6)):
        chosen = rng.sample(indices, min(len(indices), rng.randint(1, 3)))
        factors.append(Tensor(f"T{rng.randint(0, 2)}{len(chosen)}", tuple(chosen))[tuple(chosen)] ** (1 + k % 2))
    body = sympy.Mul(*factors)
    used = [i for i in indices if i in body.free_symbols]
    fresh = [Index(rng.choice("abcz"), i.extent) for i in used]
    rng.shuffle(order := list(range(len(used))))
    other = body.xreplace({used[k]: fresh[k] for k in order})
    assert ordered(body, used)[0] == ordered(other, [fresh[k] for k in order])[0]
    assert is_zero(reduction("sum", body, used) - reduction("sum", other, [fresh[k] for k in order]))


def test_masked_maxima_and_guards_of_zero():
    n, t = Index("n"), Index("t")
    score = Tensor("q", (n, t))
    top = sd.amax(score[n, t], t, where=sd.in_range(t - 1, t.extent))
    shifted = sd.amax(score[n, t] + 1, t, where=sd.in_range(t - 1, t.extent))
    assert equal(top + 2, 2 + top).proved
    assert equal(top, sd.amax(score[n, t], t)).status is Status.REFUTED
    assert equal(shifted, top + 1).status is not Status.REFUTED
    # what a guard of 0 protects is never looked at: log of a negative number there is no problem
    kept = Sum(sd.log(t - sympy.Rational(1, 2)) * sd.in_range(t - 1, t.extent) * score[n, t], t)
    assert equal(kept, kept + 0 * n).proved
