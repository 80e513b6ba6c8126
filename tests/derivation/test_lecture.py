"""The lecture's worked example, figure by figure (L2, L3, L4, L7 to L11), and the softmax whose index it shadows."""

from __future__ import annotations

import pytest
import sympy

from symdl.core.define import Input, Param, Sum, define, exp, let
from symdl.derivation.derive import derive
from symdl.library import schedules
from symdl.library.losses import l1, l2
from symdl.library.optimisers import clip_norm, nadam, sgd

GIVEN = {"x": [[1, 1, 3]], "w": [2, 2, 2], "b": 4, "t": [10]}


@define
def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
    y = let("y_hat[n]", s[n])
    return let("L", l2(t[n], y[n], n))


@pytest.mark.parametrize("via", ["chain", "expand"])
def test_gradients(via):
    worked = derive(neuron, via=via).at(GIVEN)
    figures = [worked[e] for e in ("L", "w_bar[0]", "w_bar[1]", "w_bar[2]", "b_bar")]
    assert figures == [16, 8, 8, 24, 8]


def test_forward_and_backward_figures():
    worked = derive(neuron).at(GIVEN)
    assert [worked["s[0]"], worked["y_hat[0]"], worked["y_hat_bar[0]"], worked["s_bar[0]"]] == [14, 14, 8, 8]


@pytest.mark.parametrize("via", ["chain", "expand"])
def test_update_and_second_pass(via):
    worked = derive(neuron, via=via).at(GIVEN, update=sgd(lr=0.04))
    new = {"w": [worked[f"w_new[{k}]"] for k in range(3)], "b": worked["b_new"]}
    assert [float(v) for v in (*new["w"], new["b"])] == [1.68, 1.68, 1.04, 3.68]
    again = derive(neuron).at({**GIVEN, "w": [str(v) for v in new["w"]], "b": str(new["b"])})
    assert again["y_hat[0]"] == sympy.Rational("10.16")
    assert again["L"] == sympy.Rational("0.0256")


def test_the_first_update_with_what_all_entries_share():
    """A scheduled rate, 1/10 of 0.4 in the warm-up; slopes (8, 8, 24, 8) clipped to a norm of 1; NAdam's first step."""
    scheduled = derive(neuron).at(GIVEN, update=sgd(schedules.warmup(0.4, steps=10, share=0.1)))
    assert float(scheduled["w_new[2]"]) == pytest.approx(1.04, rel=1e-14)
    clipped = derive(neuron).at(GIVEN, update=clip_norm(sgd(0.04), 1.0))
    norm = (64 + 64 + 576 + 64) ** 0.5
    assert float(clipped["w_new[2]"]) == pytest.approx(2 - 0.04 * 24 / (norm + 1e-6), rel=1e-14)
    mu, mu_next = (0.9 * (1 - 0.5 * 0.96 ** (k * 0.004)) for k in (1, 2))
    ahead = mu_next * 0.1 / (1 - mu * mu_next) + 1  # in units of the slope, which its root divides by
    stepped = derive(neuron).at(GIVEN, update=nadam(0.04))
    assert float(stepped["b_new"]) == pytest.approx(4 - 0.04 * ahead, rel=1e-8)


def test_first_possibility_leaves_the_weights_open():
    worked = derive(neuron, via="expand").at({"x": [[1, 1, 3]], "t": [10]})
    value = worked["L"]
    w = [worked.definition["w"][k] for k in range(3)]
    b = worked.definition["b"].element()
    assert sympy.expand(value - (10 - (1 * w[0] + 1 * w[1] + 3 * w[2] + b)) ** 2) == 0


def test_l1_and_l2_at_the_lectures_point():
    @define
    def losses(t=Input("n"), y=Input("n")):
        (n,) = t.indices
        return let("a", l1(t[n], y[n], n)), let("b", l2(t[n], y[n], n))

    worked = derive(losses, "y").at({"t": [10], "y": [14]})
    assert worked["a"] == 4 and worked["y_bar[0]"] == 1
    worked = derive(losses, "y", of="b").at({"t": [10], "y": [14]})
    assert worked["b"] == 16 and worked["y_bar[0]"] == 8


def test_a_softmax_that_reuses_its_letter_does_not_shadow_it():
    @define
    def softmax(y=Input("i=2")):
        (i,) = y.indices
        return let("p[i]", exp(y[i]) / Sum(exp(y[i]), i))

    jacobian = derive(softmax, "y", of="p[i]")
    worked = jacobian.at({"y": [0, 0]})
    # ∂p_i/∂y_k = p_i (δ_ik − p_k)
    assert [float(worked[f"y_bar[{i},{k}]"]) for i in range(2) for k in range(2)] == [0.25, -0.25, -0.25, 0.25]
