"""Slopes of contrasts where keys meet: what is left is a difference of keys, and keeps its digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import symdl as sd
from symdl.compilation.gradients import programs_for
from symdl.derivation.meeting import with_differences


def test_the_rewriting_is_an_identity():
    """Decided by the checker, for all extents."""
    definition = sd.derive(sd.definition("info_nce"), wrt="q").gradient
    made = with_differences(definition)
    assert made.by_name["q_bar"] != definition.by_name["q_bar"]
    sd.equal(definition.only(["q_bar"]), made.only(["q_bar"])).require()


def test_it_is_for_careful_code_only():
    definition = sd.definition("info_nce")
    plain, careful = (programs_for(definition, ("q",), False, c).stable["gradient"] for c in (False, True))
    assert "s_bar" in plain.by_name["q_bar"].used_names and "s_bar" not in careful.by_name["q_bar"].used_names


def test_where_keys_are_nearly_the_same(rng):
    """Without it these differences are what is left of numbers 10¹⁶ times as large, and lose all of their digits."""
    q, k = rng.normal(size=(3, 2)), np.ones((3, 2)) * 1e200
    k[1, 0] = np.nextafter(k[1, 0], 0)
    code = sd.compile(sd.definition("info_nce"), wrt=["q"])
    got = code.gradient(q=q * 1e-200, k=k, tau=1.0)["q"]
    with mpmath.workdps(700):
        exact = [[mpmath.mpf(v) for v in row] for row in k]
        small = [[mpmath.mpf(v) for v in row] for row in (q * 1e-200).tolist()]
        for n in range(3):
            scores = [sum(a * b for a, b in zip(small[n], key, strict=True)) for key in exact]
            powers = [mpmath.exp(s - max(scores)) for s in scores]
            for d in range(2):
                want = sum(p * (key[d] - exact[n][d]) for p, key in zip(powers, exact, strict=True)) / sum(powers) / 3
                assert abs(mpmath.mpf(float(got[n, d])) - want) <= abs(want) * mpmath.mpf(2) ** -52


def test_other_sums_stay():
    @sd.define
    def plain(s=sd.Input("n m"), y=sd.Input("m")):
        n, m = s.indices
        total = sd.let("S[n]", sd.Sum(sd.exp(s[n, m]), m))
        share = sd.let("p[n,m]", sd.exp(s[n, m]) / total[n])
        more = sd.let("b[n,m]", 2 * share[n, m] - sd.delta(n, m))  # does not add up to 0
        return sd.let("q[n]", sd.Sum(more[n, m] * y[m], m))

    assert with_differences(plain) is plain


@pytest.mark.parametrize("shift", ["n", "m"])
def test_shares_over_another_index_do_not_count(shift):
    """Σ over n of e^s/S is no 1 where S is a sum over m."""

    @sd.define
    def made(s=sd.Input("n m=n"), y=sd.Input("n")):
        n, m = s.indices
        total = sd.let("S[n]", sd.Sum(sd.exp(s[n, m]), m))
        share = sd.let("p[n,m]", sd.exp(s[n, m]) / total[n])
        less = sd.let("b[n,m]", share[n, m] - sd.delta(n, m))
        if shift == "n":
            return sd.let("q[m]", sd.Sum(less[n, m] * y[n], n))
        return sd.let("q[n]", sd.Sum(less[n, m] * y[m], m))

    assert (with_differences(made) == made) == (shift == "n")
    sd.equal(made, with_differences(made)).require()
