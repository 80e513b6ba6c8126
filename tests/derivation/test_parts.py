"""δ-elimination, stable form, reading exponentials off, costs, and what `derive` refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from support.oracles import random_values, run

from symdl.core.define import Input, Param, Sum, define, exp, let, log, mean, sin
from symdl.core.functions import Delta, ScalarFunction, sech2
from symdl.core.indices import Index
from symdl.core.tensors import Tensor, reduction
from symdl.core.unroll import unroll
from symdl.derivation.cost import operations, shared_operations
from symdl.derivation.deltas import contract, eliminate
from symdl.derivation.derive import derive
from symdl.derivation.seeds import vjp
from symdl.derivation.stable import stabilise
from symdl.errors import DataError, DefinitionError, ShapeError
from symdl.library.definitions import definition, definitions
from symdl.library.layers import dense, sequential
from symdl.verification import check_function


@settings(max_examples=100)
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(-3, 3), st.sampled_from([1, -1, 2, -2]))
def test_delta_elimination_by_counting(data, size_i, size_p, shift, slope):
    """Σ_i x_i δ(p, slope·i + shift), the δ solved or kept as a guard, against the sum written out, for every p."""
    i, p = Index("i", size_i), Index("p", size_p)
    x = Tensor("x", (i,))
    at = data.draw(st.integers(0, size_p - 1))
    want = sum((x[v] for v in range(size_i) if slope * v + shift == at), sympy.S.Zero)
    body, left = eliminate(Delta(p, slope * i + shift) * x[i], (i,))
    assert body == 0 or abs(slope) == 2 or not left
    got = unroll(reduction("sum", body, left)).xreplace({p: sympy.Integer(at)})
    assert got == want


def test_delta_in_a_sum_of_products():
    n, i = Index("n"), Index("i")
    k = i.fresh()
    x, y = Tensor("x", (n, i)), Tensor("y", (n,))
    expr = reduction("sum", y[n] * reduction("sum", (Delta(i, k) - x[n, i]) * x[n, i], [i]), [n])
    assert not contract(expr).has(Delta)


def test_stable_softmax_without_the_fact():
    @define
    def scores(z=Param("n k"), y=Input("n k")):
        n, k = z.indices
        p = let("p[n,k]", exp(z[n, k]) / Sum(exp(z[n, k]), k))
        return let("L", mean(-Sum(y[n, k] * log(p[n, k]), k), n))

    gradient = stabilise(derive(scores).gradient).at(n=1, k=3)
    got = run(gradient, {"z": np.array([[1000.0, 0, -1000]]), "y": np.array([[0.0, 2.0, 1.0]])})
    assert got["L"] == pytest.approx(2 * 1000 + 2000)
    np.testing.assert_allclose(got["z_bar"], [[3.0, -2.0, -1.0]])


def test_a_sum_of_exponentials_with_signs_keeps_its_logarithm():
    """S = Σ y e^z may be negative, and log(S²) is not 2 log S."""

    @define
    def signed(z=Input("k=2"), y=Input("k")):
        (k,) = z.indices
        total = let("S", Sum(y[k] * exp(z[k]), k))
        return let("L", log(total**2))

    values = {"z": np.array([0.0, 1.0]), "y": np.array([1.0, -2.0])}
    want = np.log((1 - 2 * np.e) ** 2)
    assert run(signed, values)["L"] == pytest.approx(want)
    assert run(stabilise(signed), values)["L"] == pytest.approx(want)


def test_stable_form_is_the_same_function(rng):
    for name in ("network", "softmax_cross_entropy", "sigmoid"):
        made = derive(definition(name)).gradient
        extents = dict.fromkeys(made.extents, 2)
        values = random_values(made.at(**extents), rng)
        before, after = run(made.at(**extents), values), run(stabilise(made).at(**extents), values)
        for output in made.outputs:
            np.testing.assert_allclose(after[output], before[output], rtol=1e-12)


@pytest.mark.parametrize(
    ("activation", "want"),
    # with s = 40 and target 0: 2 σ² σ(−40) and 2 tanh sech² = 8 e^{−80}; a (1 − a) and 1 − a² would be 0
    [("sigmoid", 2 * np.exp(-40.0)), ("tanh", 8 * np.exp(-80.0))],
)
def test_slopes_of_saturated_units_keep_their_digits(activation, want):
    net = sequential(dense(None, activation), loss="l2").at(n=1, i=1, k=1)
    values = {"x": np.ones((1, 1)), "y": np.zeros((1, 1)), "W": np.array([[40.0]]), "b": np.zeros(1)}
    gradient = stabilise(derive(net).gradient)
    # as compiled code computes it: every named function in its stable form
    computed = replace(
        gradient,
        equations=tuple(
            e.map(lambda body: body.replace(lambda f: isinstance(f, ScalarFunction), lambda f: f.computed()))
            for e in gradient.equations
        ),
    )
    assert run(computed, values)["b_bar"][0] == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(("name", "want"), [("sigmoid", "(1 - a)*a"), ("tanh", "1 - a**2")])
def test_the_lectures_closed_forms_are_reached(name, want):
    made = derive(definition(name))
    assert str(made.gradient.by_name["s_bar"].rhs) == want


@pytest.mark.parametrize("entry", definitions(), ids=lambda e: e.name)
def test_every_entry_derives_both_ways(entry):
    """A recurrence is expanded for a number of times, here one; a network of many layers is too large for it."""
    made = entry.make()
    wrt = [t.name for t in made.inputs if not t.integer]
    gradient = vjp if made.target.rank else derive
    if entry.kind == "recurrent":
        made, wrt = made.at(t=1), ["h0", *[p.name for p in made.parameters]]
    for via in ("chain",) if len(made.equations) >= 15 else ("chain", "expand"):
        assert set(gradient(made, wrt, via=via).names) == set(wrt)


def test_sech2_is_what_it_says():
    assert {claim: str(v.status) for claim, v in check_function(sech2).items()} == {
        "slope": "proved",
        "stable": "proved",
    }


def test_operations_by_hand():
    x, y = sympy.symbols("x y")
    assert operations(x * y + x / y - 3) == 4
    assert operations(1 / x) == 1
    assert operations(-x) == 0
    assert operations((x + y) ** 2 + sin(x + y)) == 5
    assert shared_operations([(x + y) ** 2 + sympy.sin(x + y)]) == 4


REFUSED = {
    "target": (lambda d: derive(d, of=None), DefinitionError, ["not a scalar", "mean"]),
    "wrt": (lambda d: derive(d, "q", of="s[0]"), DefinitionError, ["no tensor 'q'", "x, w"]),
    "of": (lambda d: derive(d, of="q[0]"), DefinitionError, ["no tensor 'q'"]),
    "of shape": (lambda d: derive(d, of="s"), DefinitionError, ["does not fit s[n]"]),
    "of text": (lambda d: derive(d, of="s[n"), DefinitionError, ["not an element"]),
    "via": (lambda d: derive(d, via="magic", of="s[0]"), DefinitionError, ["no way 'magic'"]),
    "target by itself": (lambda d: derive(d, "s", of="s[0]"), DefinitionError, ["the target itself"]),
    "values shape": (lambda d: derive(d, of="s[0]").at({"w": [[1]]}), ShapeError, ["2 axes"]),
    "values extent": (lambda d: derive(d, of="s[0]").at({"w": [1, 2], "x": [[1, 2, 3]]}), ShapeError, ["3 values"]),
    "values ragged": (lambda d: derive(d, of="s[0]").at({"x": [[1], [2, 3]]}), ShapeError, ["different lengths"]),
    "values nan": (lambda d: derive(d, of="s[0]").at({"w": [float("nan")], "x": [[1]]}), DataError, ["finite"]),
    "values text": (lambda d: derive(d, of="s[0]").at({"w": ["__import__('os')"]}), DataError, ["finite"]),
    "values unknown": (lambda d: derive(d, of="s[0]").at({"q": 1}), DefinitionError, ["no tensor 'q'"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_derive_refuses(case):
    @define
    def sums(x=Input("n i"), w=Param("i")):
        n, i = x.indices
        return let("s[n]", Sum(w[i] * x[n, i], i))

    act, kind, texts = REFUSED[case]
    with pytest.raises(kind) as caught:
        act(sums)
    for text in texts:
        assert text in str(caught.value)
    assert "\n" not in str(caught.value)
