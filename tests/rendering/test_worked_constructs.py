"""Worked numbers and graphs of recurrences, gathers, windows and masks, against calculations by hand."""

from __future__ import annotations

import pytest
import sympy

from symdl.core.define import Input, Param, Sum, amax, define, in_range, index, let, state
from symdl.derivation.seeds import vjp
from symdl.derivation.worked import Worked, work
from symdl.errors import ShapeError
from symdl.rendering import markdown
from symdl.rendering.graph import Layout, layout


@define(time="t")
def decay(x=Input("t"), a=Param()):  # type: ignore[no-untyped-def]
    (t,) = x.indices
    h = state("h[t]")
    past = let("s[t]", a * h[t - 1] * in_range(t - 1, t.extent))
    return let("h[t]", x[t] + past[t])


@define
def lookup(tok=Input("n", integer=True), E=Param("v d")):  # type: ignore[no-untyped-def]
    (n,), (_, d) = tok.indices, E.indices
    return let("y[n,d]", E[tok[n], d])


@define
def pool(x=Input("p")):  # type: ignore[no-untyped-def]
    (p,) = x.indices
    u, r = index("u", sympy.floor((p.extent - 1) / 2) + 1), index("r", 3)
    at = 2 * u + r - 1
    return let("y[u]", amax(x[at], r, ties="share", where=in_range(at, p.extent)))


@define
def convolution(x=Input("h"), K=Param("r")):  # type: ignore[no-untyped-def]
    (h,), (r,) = x.indices, K.indices
    u = index("u", h.extent - r.extent + 1)
    return let("y[u]", Sum(K[r] * x[u + r], r))


TEXTS = {
    "decay": (decay, {"x": [1, 2, 3], "a": 0.5, "h_bar": [0, 0, 1]}),
    "lookup": (lookup, {"tok": [2, 0], "E": [[1, 2], [3, 4], [5, 6]], "y_bar": [[1, 10], [100, 1000]]}),
    "pool": (pool, {"x": [1, 5, 3, 4], "y_bar": [1, 2]}),
    "convolution": (convolution, {"x": [1, 2, 3, 4], "K": [1, -1], "y_bar": [1, 1, 1]}),
}


def worked(name: str) -> Worked:
    definition, values = TEXTS[name]
    return vjp(definition, [t.name for t in definition.inputs if not t.integer]).at(values)


def drawn(name: str) -> Layout:
    made = worked(name)
    return layout(made.definition, made.values)


def column(made: Worked, name: str) -> list[sympy.Expr]:
    return [v for e, v in made.values.items() if e.name == name]


def test_a_recurrence_is_calculated_in_the_order_of_time() -> None:
    """h = 1, 2 + 1/2, 3 + 5/4; the last h depends on x by 1/4, 1/2, 1, on a by h_1 + a h_0 = 5/2 + 1/2."""
    made = worked("decay")
    assert column(made, "h") == [1, sympy.Rational(5, 2), sympy.Rational(17, 4)]
    assert column(made, "x_bar") == [sympy.Rational(1, 4), sympy.Rational(1, 2), 1]
    assert made["a_bar"] == 3


def test_a_gather_reads_the_row_that_the_data_name() -> None:
    made = worked("lookup")
    assert column(made, "y") == [5, 6, 1, 2]
    assert column(made, "E_bar") == [100, 1000, 0, 0, 1, 10]
    text = markdown(made)
    assert r"y_{00} &= E_{\mathrm{tok}_{0},0} = 5" in text
    # which row a place of the text adds to, in symbols and in numbers: tok = (2, 0)
    rule = r"\left[\mathrm{tok}_{0} = 0\right] \bar{y}_{00} + \left[\mathrm{tok}_{1} = 0\right] \bar{y}_{10}"
    assert rule + r" = \left[2 = 0\right] \cdot 1 + \left[0 = 0\right] \cdot 100 = 100" in text.replace(" \\\\\n&", "")


def test_a_maximum_of_entries_names_them_in_order() -> None:
    @define
    def pool(x=Input("i=2")):  # type: ignore[no-untyped-def]
        (i,) = x.indices
        return let("y", amax(x[i], i, ties="share"))

    assert r"\max\left(x_{0}, x_{1}\right) = \max\left(4, 7\right) = 7" in markdown(work(pool, {"x": [4, 7]}))


def test_a_window_looks_only_at_what_is_there() -> None:
    """Windows (x_0, x_1) and (x_1, x_2, x_3): x_1 = 5 is the largest of both."""
    made = worked("pool")
    assert column(made, "y") == [5, 5]
    assert column(made, "x_bar") == [0, 3, 0, 0]


def test_a_convolution_tells_the_extent_of_its_output() -> None:
    made = worked("convolution")
    assert column(made, "y") == [-1, -1, -1]
    assert column(made, "K_bar") == [1 + 2 + 3, 2 + 3 + 4]
    with pytest.raises(ShapeError, match="axis u of y_bar has 2 values"):
        work(made.definition, {**TEXTS["convolution"][1], "y_bar": [1, 1]})


@pytest.mark.parametrize("name", TEXTS)
def test_every_construct_has_a_graph(name: str) -> None:
    plan = drawn(name)
    assert len(plan.nodes) >= 5
    labels = [n.label.tex for n in plan.nodes]
    assert not any("tok" in label for label in labels)  # an index is no signal


def test_a_graph_names_the_maximum() -> None:
    assert {n.sign.tex for n in drawn("pool").nodes if n.sign} == {r"\max", r"\Sigma"}


def test_the_slopes_of_a_recurrence_are_those_that_came_back_through_time() -> None:
    plan = drawn("decay")
    below = {e.below.tex for e in plan.edges if e.below}
    assert {"0.25", "0.5", "1"} <= below
