"""What an author can write, and the one clear error for each thing that is wrong."""

from __future__ import annotations

import pickle

import pytest
import sympy
from hypothesis import given, strategies as st

from symdl.core.define import (
    Hyper,
    Input,
    Param,
    Sum,
    absolute,
    amax,
    define,
    exp,
    index,
    let,
    log,
    maximum,
    mean,
    minimum,
    switch,
)
from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange, Switch, kink_weight
from symdl.core.indices import Index, provably_nonnegative, value_range
from symdl.core.tensors import Role, Tensor, aligned, reduction, refreshed
from symdl.core.unroll import unroll, unrolled
from symdl.errors import DefinitionError, KinkError, ShapeError


@define
def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
    return let("L", mean((t[n] - s[n]) ** 2, n))


def test_what_a_definition_knows():
    assert [t.name for t in neuron.parameters] == ["w", "b"]
    assert [t.name for t in neuron.data] == ["x", "t"]
    assert neuron["w"].role is Role.PARAMETER
    assert neuron.target.name == "L"
    assert {k: str(v) for k, v in neuron.extents.items()} == {"n": "N", "i": "I"}
    assert len(neuron.by_name["s"].terms) == 2  # Σ w x, and b


def test_concrete_extents_write_it_out():
    written = dict(unrolled(neuron.at(n=1, i=3)))
    d = neuron.at(n=1, i=3)
    w, x = d["w"], d["x"]
    assert written[d["s"][0]] == w[0] * x[0, 0] + w[1] * x[0, 1] + w[2] * x[0, 2] + d["b"]._sympy_()


def test_nested_sums_get_names_and_equal_ones_share_them():
    @define
    def softmax_twice(z=Input("k")):
        (k,) = z.indices
        return let("L[k]", exp(z[k]) / Sum(exp(z[k]), k) + 1 / Sum(exp(z[k]), k))

    assert [e.name for e in softmax_twice.equations] == ["S", "L"]


def test_a_bound_index_is_never_the_free_one():
    i = Index("i", 2)
    x = Tensor("x", (i,))
    total = reduction("sum", x[i], [i])
    # the lecture's softmax: the sum's i is not the fraction's i
    assert unroll((x[i] / total).xreplace({i: sympy.Integer(1)})) == x[1] / (x[0] + x[1])


def test_definitions_survive_pickling_and_print():
    again = pickle.loads(pickle.dumps(neuron))
    assert repr(again) == repr(neuron)
    assert [e.name for e in again.equations] == ["s", "L"]


def wrong(body, kinks=None, **inputs):
    """Define something with `body` as its only equation."""
    arguments = {"x": Input("n i"), "w": Param("i"), "v": Param("k"), "c": Input("q=4"), **inputs}

    def function(**tensors):
        return body(**tensors)

    import inspect

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d) for n, d in arguments.items()]
    )
    return define(function, kinks=kinks)


CASES = {
    "extents": (
        lambda x, w, v, c: let("s", Sum(v[c.indices[0]] * c[c.indices], c.indices[0])),
        ShapeError,
        ["equation s", "index q", "extent 4", "axis k", "extent K"],
    ),
    "free index": (lambda x, w, v, c: let("s", w[x.indices[1]]), ShapeError, ["equation s", "index i", "sum over it"]),
    "too many subscripts": (
        lambda x, w, v, c: let("s[n]", w[x.indices]),
        ShapeError,
        ["2 subscripts", "w has 1 axes", "write w[i]"],
    ),
    "out of range": (
        lambda x, w, v, c: let("s", Sum(c[c.indices[0] + 1], c.indices[0])),
        ShapeError,
        ["q + 1", "from 1 to 4", "extent 4"],
    ),
    "not affine": (lambda x, w, v, c: let("s[k]", v[v.indices[0] ** 2]), ShapeError, ["not affine"]),
    "real subscript": (lambda x, w, v, c: let("s[k]", v[v[v.indices[0]]]), ShapeError, ["real-valued"]),
    "unknown tensor": (lambda x, w, v, c: let("s", Tensor("q")), DefinitionError, ["'q' is not defined"]),
    "unknown index": (lambda x, w, v, c: let("s[z]", 1), DefinitionError, ["unknown index z", "n, i, k, q"]),
    "bad left side": (lambda x, w, v, c: let("2s", 1), DefinitionError, ["can't stand on the left"]),
    "twice": (lambda x, w, v, c: let("w", 1), DefinitionError, ["'w' is defined twice"]),
    "no indices": (lambda x, w, v, c: let("s", w + 1), DefinitionError, ["without its indices", "w[i]"]),
    "text": (lambda x, w, v, c: let("s", "__import__('os')"), Exception, []),
    "kink": (lambda x, w, v, c: let("s", maximum(0, c[0])), KinkError, ["no policy", "kink='left'"]),
    "abs of SymPy": (lambda x, w, v, c: let("s", sympy.Abs(c[0])), KinkError, ["no policy", "sd.absolute"]),
    "max of SymPy": (lambda x, w, v, c: let("s", sympy.Max(c[0], 0)), KinkError, ["sd.maximum"]),
    "not returned": (lambda x, w, v, c: 3, DefinitionError, ["returns int", "sd.let"]),
    "sum over nothing": (lambda x, w, v, c: let("s", Sum(c[0])), DefinitionError, ["no index to reduce over"]),
    "sum over a tensor": (lambda x, w, v, c: let("s", Sum(c[0], c)), DefinitionError, ["not an index"]),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_say_what_where_why_and_the_remedy(case):
    body, kind, texts = CASES[case]
    with pytest.raises(kind) as caught:
        wrong(body)
    message = str(caught.value)
    for text in texts:
        assert text in message, message
    if texts:
        assert "\n" not in message and "Remedy:" in message


def test_two_extents_for_one_index():
    with pytest.raises(DefinitionError, match="two extents"):
        wrong(lambda a, b, **_: let("s", 1), a=Input("q=2"), b=Input("q=3"))


def test_arguments_need_declarations_and_let_a_definition():
    with pytest.raises(DefinitionError, match=r"sd\.Input"):

        @define
        def f(x):
            return x

    with pytest.raises(DefinitionError, match="outside a definition"):
        let("s", 1)


def test_policies_by_equation():
    d = wrong(lambda x, w, v, c: let("s", maximum(0, c[0])), kinks={"s": "left"})
    assert "left-hand slope" in d.kinks[0]
    with pytest.raises(DefinitionError, match="no equation"):
        wrong(lambda x, w, v, c: let("s", c[0]), kinks={"q": "left"})
    with pytest.raises(DefinitionError, match="unknown kink policy"):
        kink_weight("up")
    with pytest.raises(DefinitionError, match="between 0 and 1"):
        kink_weight(3)


def test_the_value_and_slope_at_a_kink():
    x = sympy.Symbol("x", real=True)
    for weight in (0, 1, sympy.Rational(1, 2), sympy.Rational(1, 3)):
        assert maximum(x, 0, kink=weight).diff(x).subs(x, 0) == weight
        assert absolute(x, kink=weight).diff(x).subs(x, 0) == 2 * weight - 1
        assert minimum(x, 0, kink=weight).diff(x).subs(x, 0) == 1 - weight
    assert switch(x, -1, 1, kink="mid").subs(x, 0) == 0
    assert Switch(x, x, x, 0) == x


def test_at_refuses_what_does_not_fit():
    with pytest.raises(DefinitionError, match="its indices are n, i"):
        neuron.at(q=2)
    with pytest.raises(DefinitionError, match="1 or more"):
        neuron.at(i=0)
    with pytest.raises(DefinitionError, match="fixed by the definition"):
        neuron.at(i=3).at(i=4)


def test_indices_that_share_an_extent_get_one_number():
    @define
    def pairs(x=Input("t")):
        (t,) = x.indices
        s = index("s", t.extent)
        return let("a[t,s]", x[t] * x[s])

    assert [int(e) for e in pairs.at(t=2)["a"].shape] == [2, 2]
    with pytest.raises(DefinitionError, match="given as 2 and as 3"):
        pairs.at(t=2, s=3)


def test_only_concrete_extents_are_written_out():
    with pytest.raises(DefinitionError, match="only concrete extents"):
        list(unrolled(neuron.at(i=3)))


def test_hyperparameters_and_named_indices():
    @define
    def scaled(x=Input("n"), rate=Hyper()):
        (n,) = x.indices
        r = index("r", 2)
        return let("y[n, r]", rate * x[n] * (r + 1))

    assert scaled.target.shape == (Index("n").extent, 2)
    assert scaled["rate"].role is Role.HYPERPARAMETER and not scaled.parameters


def test_maximum_over_an_index_keeps_its_policy():
    @define
    def top(x=Input("n k")):
        n, k = x.indices
        return let("m[n]", amax(x[n, k], k, ties="share"))

    assert top.by_name["m"].terms[0].ties == "share"
    assert top.kinks == ("m[n]: ties of the maximum: share",)
    with pytest.raises(DefinitionError, match="ties='share'"):
        amax(1, Index("k"), ties="all")


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-5, 5), st.integers(1, 5), st.integers(1, 5))
def test_value_range_by_counting(a, b, c, size_u, size_r):
    u, r = Index("u", size_u), Index("r", size_r)
    every = [a * i + b * j + c for i in range(size_u) for j in range(size_r)]
    assert value_range(a * u + b * r + c, [u, r]) == (min(every), max(every))


@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(-4, 4))
def test_nonnegative_is_never_claimed_wrongly(a, b, c):
    n, m = (Index(k).extent for k in "nm")
    if provably_nonnegative(a * n + b * m + c):
        assert all(a * p + b * q + c >= 0 for p in range(1, 9) for q in range(1, 9))


def test_deltas_and_guards():
    i, j = sympy.symbols("i j", integer=True)
    assert Delta(i, j) ** 2 == Delta(i, j) and Delta(i, j).diff(i) == 0
    assert InRange(sympy.Integer(-1), sympy.Integer(3)) == 0


def test_aligned_and_refreshed_are_inverse_in_meaning():
    i = Index("i", 2)
    x = Tensor("x", (i,))
    nested = log(reduction("sum", exp(x[i]), [i])) * reduction("sum", x[i] * reduction("sum", x[i], [i]), [i])
    assert unroll(aligned(nested)) == unroll(refreshed(aligned(nested))) == unroll(nested)
    assert aligned(nested) == aligned(refreshed(nested))


def test_only_keeps_what_outputs_need():
    cut = neuron.only(["s"])
    assert [e.name for e in cut.equations] == ["s"] and isinstance(cut, Definition)


def test_counts_of_different_axes_are_different_sums():
    """Σ_h 1 and Σ_w 1 differ in nothing but the extents of their indices."""

    @define
    def shares(x=Input("h w")):
        h, w = x.indices
        return let("y[h,w]", x[h, w] / (Sum(1, h) * Sum(1, w) ** 2))

    assert {tuple(str(i.extent) for i in e.terms[0].bound) for e in shares.equations[:2]} == {("H",), ("W",)}


def test_a_mask_of_several_guards_protects_what_it_masks():
    @define
    def largest(x=Input("h w")):
        h, w = x.indices
        r, s = index("r", 3), index("s", 3)
        guard = InRange(h + r - 1, h.extent) * InRange(w + s - 1, w.extent)
        return let("y[h,w]", amax(x[h + r - 1, w + s - 1], r, s, ties="share", where=guard))

    assert largest["y"].rank == 2


def test_an_index_over_a_part_of_an_axis_has_to_be_meant():
    def part(shorter):
        @define
        def head(x=Input("n k=6"), w=Param("i=3")):
            (n, _), (i,) = x.indices, w.indices
            return let("y[n]", Sum(w[i] * x[n, i], i), shorter=shorter)

        return head

    with pytest.raises(ShapeError, match="index i has extent 3, axis k has extent 6"):
        part(False)
    assert part(True).at(n=2)["y"].shape == (2,)
    with pytest.raises(ShapeError, match="index i has extent 7, axis k has extent 6"):

        @define
        def longer(x=Input("n k=6"), w=Param("i=7")):
            (n, _), (i,) = x.indices, w.indices
            return let("y[n]", Sum(w[i] * x[n, i], i), shorter=True)
