"""Recurrences: which ones have an order, and what is said of those that have none."""

from __future__ import annotations

import pytest

import symdl as sd
from symdl.core.recurrence import groups


def _network(read, *, time="t", backwards=False, guard=None):
    @sd.define(time=time)
    def net(x=sd.Input("n t"), a=sd.Hyper()):
        n, t = x.indices
        h = sd.state("h[n,t]", backwards=backwards)
        at = read(t)
        return sd.let("h[n,t]", x[n, t] + a * h[n, at] * (guard or sd.in_range)(at, t.extent))

    return net


def test_a_recurrence_is_a_group_with_a_direction():
    assert [(g.names, g.direction) for g in groups(_network(lambda t: t - 1).equations)] == [(("h",), 1)]
    assert [(g.names, g.direction) for g in groups(_network(lambda t: t + 2, backwards=True).equations)] == [
        (("h",), -1)
    ]


def test_the_gradient_of_a_recurrence_runs_the_other_way():
    @sd.define(time="t", extends=_network(lambda t: t - 1))
    def loss(h):
        n, t = h.indices
        return sd.let("L", sd.Sum(h[n, t] ** 2, n, t))

    found = groups(sd.derive(loss, "x").gradient.equations)
    assert [(g.names, g.direction) for g in found if g.direction] == [(("h",), 1), (("h_bar",), -1)]


def test_equations_of_a_recurrence_are_brought_together():
    @sd.define(time="t")
    def net(x=sd.Input("t")):
        (t,) = x.indices
        h = sd.state("h[t]")
        s = sd.let("s[t]", x[t] + h[t - 1] * sd.in_range(t - 1, t.extent))
        sd.let("y[t]", h[t] * 2)
        sd.let("h[t]", sd.tanh(s[t]))
        return sd.let("L", sd.Sum(s[t], t))

    assert [e.name for e in net.equations] == ["s", "h", "y", "L"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: _network(lambda t: t + 1), ["reads the future", "h[n, t]", "backwards=True"]),
        (lambda: _network(lambda t: t - 1, backwards=True), ["run backwards", "reads the past"]),
        (lambda: _network(lambda t: 2 * t - 1), ["a time that is not t plus a number", "t - 1"]),
        (lambda: _network(lambda t: t, guard=lambda e, x: 1), ["computed from it", "same time"]),
        (lambda: _network(lambda t: t - 1, time=""), ["no time index", "@sd.define(time='t')"]),
        (lambda: _network(lambda t: t - 1, guard=lambda e, x: 1), ["can leave axis t", "sd.in_range(t - 1, T)"]),
    ],
)
def test_what_has_no_order_is_refused(make, words):
    with pytest.raises(sd.DefinitionError) as error:
        make()
    assert all(word in str(error.value) for word in words), str(error.value)


def test_both_directions_in_one_recurrence_are_refused():
    with pytest.raises(sd.DefinitionError, match="reads the future"):

        @sd.define(time="t")
        def net(x=sd.Input("t")):
            (t,) = x.indices
            h, g = sd.state("h[t]"), sd.state("g[t]")
            sd.let("h[t]", x[t] + g[t - 1] * sd.in_range(t - 1, t.extent))
            sd.let("g[t]", h[t + 1] * sd.in_range(t + 1, t.extent))
            return sd.let("L", sd.Sum(h[t], t))


def test_a_state_that_is_never_defined_is_refused():
    with pytest.raises(sd.DefinitionError, match="never defined"):

        @sd.define(time="t")
        def net(x=sd.Input("t")):
            (t,) = x.indices
            h = sd.state("h[t]")
            return sd.let("L", sd.Sum(h[t - 1] * sd.in_range(t - 1, t.extent), t))


def test_expansion_needs_a_number_of_times():
    @sd.define(time="t", extends=_network(lambda t: t - 1))
    def loss(h):
        n, t = h.indices
        return sd.let("L", sd.Sum(h[n, t] ** 2, n, t))

    with pytest.raises(sd.UnsupportedError, match=r"at\(t=3\)"):
        sd.derive(loss, "x", via="expand")
    full = sd.derive(loss.at(t=3), "x", via="expand")
    # h_0 = x_0, h_1 = x_1 + a x_0, h_2 = x_2 + a x_1 + a² x_0; by hand, n = 1: ∂(Σ h²)/∂x_0 = 2(h_0 + a h_1 + a² h_2)
    worked = full.at({"x": [[1, 2, 3]], "a": 2})
    assert [worked[f"x_bar[0, {t}]"] for t in range(3)] == [2 * (1 + 2 * 4 + 4 * 11), 2 * (4 + 2 * 11), 2 * 11]
