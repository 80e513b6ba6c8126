"""Recurrences: equal for any number of times by induction, or written out in time, and faults with a witness."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import symdl as sd
from symdl.core.define import Hyper, Input, Param, define
from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange
from symdl.verification import Status, equal, recheck


@define(time="t")
def rnn(x=Input("n t i"), W=Param("j i"), U=Param("j k=j"), b=Param("j"), v=Param("j")):
    (n, t, i), (j, k) = x.indices, U.indices
    h = sd.state("h[n,t,j]")
    past = sd.Sum(U[j, k] * h[n, t - 1, k] * sd.in_range(t - 1, t.extent), k)
    sd.let("h[n,t,j]", sd.tanh(sd.Sum(W[j, i] * x[n, t, i], i) + past + b[j]))
    return sd.let("L", sd.Sum(h[n, t, j] * v[j], n, t, j))


def by_hand(fault: str = "") -> Definition:
    """Backpropagation through time as it is written on paper, in one tensor δh, its axes in another order."""

    @define(time="t")
    def bptt(x=Input("n t i"), W=Param("j i"), U=Param("j k=j"), b=Param("j"), v=Param("j")):
        (n, t, i), (j, k) = x.indices, U.indices
        g = sd.state("g[t,j,n]")
        past = sd.Sum(U[j, k] * g[t - 1, k, n] * sd.in_range(t - 1, t.extent), k)
        sd.let("g[t,j,n]", sd.tanh(past + sd.Sum(W[j, i] * x[n, t, i], i) + b[j]))
        d = sd.state("d[n,t,j]", backwards=True)
        weight = U[j, k] if fault == "a swapped index" else U[k, j]
        slope = 1 - g[t + 1, k, n] ** (1 if fault == "a lost square" else 2)
        until = t.extent - 1 if fault == "a guard that is off by one" else t.extent
        sd.let("d[n,t,j]", v[j] + sd.Sum(weight * slope * d[n, t + 1, k] * sd.in_range(t + 1, until), k))
        sd.let("W_bar[j,i]", sd.Sum(d[n, t, j] * (1 - g[t, j, n] ** 2) * x[n, t, i], n, t))
        before = g[t - 1, k, n] * sd.in_range(t - 1, t.extent)
        sd.let("U_bar[j,k]", sd.Sum(d[n, t, j] * (1 - g[t, j, n] ** 2) * before, n, t))
        return sd.let("x_bar[n,t,i]", sd.Sum(d[n, t, j] * (1 - g[t, j, n] ** 2) * W[j, i], j))

    return replace(bptt, outputs=("W_bar", "U_bar", "x_bar"))


def test_backpropagation_through_time_is_proved_for_any_length():
    verdict = equal(sd.derive(rnn, wrt=["W", "U", "x"], via="chain"), by_hand())
    assert verdict.proved
    assert "structural induction" in verdict.method
    assert "all extents" in verdict.scope


@pytest.mark.parametrize("fault", ["a swapped index", "a lost square", "a guard that is off by one"])
def test_a_fault_is_refuted_with_a_witness(fault):
    verdict = equal(sd.derive(rnn, wrt=["W", "U", "x"], via="chain"), by_hand(fault))
    assert verdict.status is Status.REFUTED
    assert verdict.witness is not None


def test_both_possibilities_agree_for_three_times():
    short = rnn.at(t=3, n=1, i=1, j=2)
    wrt = ["W", "U", "b", "x"]
    verdict = equal(sd.derive(short, wrt=wrt, via="expand"), sd.derive(short, wrt=wrt, via="chain"))
    assert verdict.proved
    assert "written out in time" in verdict.method


def test_states_by_other_names_and_split_in_another_way():
    @define(time="t")
    def cell(x=Input("n t"), a=Hyper()):
        n, t = x.indices
        c, h = sd.state("c[n,t]"), sd.state("h[n,t]")
        past = sd.in_range(t - 1, t.extent)
        sd.let("c[n,t]", a * c[n, t - 1] * past + x[n, t] * sd.sigmoid(h[n, t - 1] * past))
        sd.let("h[n,t]", sd.tanh(c[n, t]))
        return sd.let("y[n]", sd.Sum(h[n, t], t))

    @define(time="t")
    def memory(x=Input("n t"), a=Hyper()):
        n, t = x.indices
        m = sd.state("m[n,t]")
        past = sd.in_range(t - 1, t.extent)
        sd.let("m[n,t]", x[n, t] * sd.sigmoid(sd.tanh(m[n, t - 1]) * past) + past * m[n, t - 1] * a)
        return sd.let("y[n]", sd.Sum(sd.tanh(m[n, t]), t))

    verdict = equal(cell, memory)
    assert verdict.proved
    assert "structural induction" in verdict.method


def test_an_output_with_a_time_axis_is_decided():
    """By induction for any number of times; otherwise, and beside an expansion, written out for few of them."""

    @define(time="t")
    def summed(x=Input("n t"), a=Hyper()):
        n, t = x.indices
        s = sd.index("s", t.extent)
        return sd.let("h[n,t]", sd.Sum(a ** (t - s) * x[n, s] * sd.in_range(t - s, t.extent), s))

    @define(time="t")
    def stepped(x=Input("n t"), a=Hyper()):
        n, t = x.indices
        h = sd.state("h[n,t]")
        return sd.let("h[n,t]", x[n, t] + a * h[n, t - 1] * sd.in_range(t - 1, t.extent))

    slopes = [sd.derive(sd.seeded(d), wrt=["x"], via="chain") for d in (stepped, summed)]
    assert "all extents" in equal(slopes[0], slopes[0]).require().scope
    for pair in ((stepped, summed), slopes):
        assert "extents N = 2, T = 3" in equal(*pair).require().scope
    short = sd.seeded(stepped).at(t=3)
    ways = [sd.derive(short, wrt=["x"], via=via) for via in ("chain", "expand")]
    for pair in (ways, (sd.seeded(stepped).at(t=3), sd.seeded(summed).at(t=3)), (slopes[1], slopes[1])):
        assert equal(*pair).proved
    wrong = replace(slopes[1].gradient, equations=tuple(e.map(lambda v: 2 * v) for e in slopes[1].gradient.equations))
    assert equal(slopes[0], replace(slopes[1], gradient=wrong)).status is Status.REFUTED


@pytest.mark.parametrize("layer", ["elman", "gru"])
def test_every_step_back_through_time_is_proved_for_any_length(layer):
    derivation = sd.derive(sd.seeded(sd.definition(layer)), wrt=["x", "h0"], via="chain")
    verdicts = recheck(derivation)
    for step, verdict in verdicts:
        assert verdict.proved, f"{step.rule} {step.subject}: {verdict}"
        assert "=" not in verdict.scope, verdict.scope
    assert any("chain rule for each time" in v.method for _, v in verdicts)


def test_every_step_of_an_expansion_through_time_is_proved():
    derivation = sd.derive(rnn.at(t=2, n=1, i=1), wrt=["W", "x"], via="expand")
    verdicts = {(s.rule, s.subject.name): v for s, v in recheck(derivation)}
    for key, verdict in verdicts.items():
        assert verdict.proved, f"{key}: {verdict}"
    assert "J = 2" in verdicts["E'", "x_bar"].scope


@pytest.mark.parametrize(
    ("via", "rule", "fault"),
    [
        ("chain", "R2", lambda e: 2 * e),
        ("chain", "R2", lambda e: e.args[0] if e.is_Add else sympy.S.Zero),
        ("chain", "R2", lambda e: e.replace(InRange, lambda i, t: InRange(i, t - 1))),
        ("expand", "E", lambda e: e / 2),
        ("expand", "E'", lambda e: -e),
        ("expand", "E'", lambda e: e.replace(Delta, lambda a, b: sympy.S.One)),
    ],
)
def test_a_wrong_step_through_time_is_refuted(via, rule, fault):
    definition = rnn if via == "chain" else rnn.at(t=2, n=1, i=1, j=1)
    derivation = sd.derive(definition, wrt=["x"], via=via)
    position = next(k for k, s in enumerate(derivation.steps) if s.rule == rule and fault(s.after) != s.after)
    wrong = replace(derivation.steps[position], after=fault(derivation.steps[position].after))
    steps = (*derivation.steps[:position], wrong, *derivation.steps[position + 1 :])
    verdict = recheck(replace(derivation, steps=steps))[position][1]
    assert verdict.status is Status.REFUTED, verdict
    assert verdict.witness is not None
