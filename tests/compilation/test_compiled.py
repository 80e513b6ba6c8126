"""Calls of compiled code: results, and one clear error for each kind of wrong argument."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symdl.compilation import Compiled, compile
from symdl.compilation.shapes import MOST, Known, ReadyCalls
from symdl.core.define import Hyper, Input, Param, Sum, define, delta, exp, index, let, log, mean
from symdl.errors import DataError, DefinitionError, ShapeError, SymdlError, UnsupportedError
from symdl.library.layers import dense, sequential
from symdl.library.optimisers import momentum, sgd


@define
def line(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param(), a=Hyper()):
    n, i = x.indices
    y = let("y[n]", Sum(w[i] * x[n, i], i) + b)
    return let("L", mean((t[n] - y[n]) ** 2, n) + a * b**2), y


@pytest.fixture(scope="module")
def code() -> Compiled:
    return compile(line, wrt=["w", "b"])


GIVEN = {"x": np.ones((4, 3)), "t": np.zeros(4), "w": np.ones(3), "b": 1.0, "a": 0.5}


def test_outputs_and_gradients(code: Compiled) -> None:
    assert {n: v.shape for n, v in code(**GIVEN).items()} == {"L": (), "y": (4,)}
    result = code.gradient(**GIVEN)
    assert (float(result["L"]), result["w"].tolist(), float(result["b"])) == (16.5, [8.0, 8.0, 8.0], 9.0)


def test_arguments_of_any_layout_and_dtype(code: Compiled) -> None:
    want = code(**GIVEN)["y"]
    x = np.asfortranarray(np.ones((4, 3), np.float32))
    frozen = np.zeros(8, np.int32)[::2]
    frozen.flags.writeable = False
    assert (code(**{**GIVEN, "x": x, "t": frozen, "w": [1, 1, 1]})["y"] == want).all()


def test_machine_code_takes_no_array_of_another_kind(code: Compiled) -> None:
    """It would read memory that is not the array's."""
    inputs = [np.ones((4, 3)), np.zeros(4), np.ones(3), np.ones(1), 0.5]
    code(**GIVEN)
    evaluate, right = code.program.space["evaluate"], [*inputs, np.empty(1), np.empty(4), np.empty(64)]
    evaluate(*right)
    for k, wrong in [(0, np.ones((4, 3), np.float32)), (0, np.ones((8, 3))[::2]), (0, np.ones(12)), (2, [1, 1, 1])]:
        with pytest.raises(TypeError, match=f"argument {k} of compiled code is no contiguous array of float64"):
            evaluate(*right[:k], wrong, *right[k + 1 :])


def test_shapes_are_remembered_up_to_a_number() -> None:
    """Batches of ever new sizes, as a service gets them, take no more memory; the last ones are known."""
    ready = ReadyCalls((line["x"],), ("x",), "float64")
    for rows in range(1, 3 * MOST):
        shapes = ready.shapes({"x": np.ones((rows, 2))})
        assert shapes == ((rows, 2),)
        ready.learn(shapes, Known(len, (("y", (rows,)),), rows))
    assert len(ready.known) == MOST
    assert ready.known[((3 * MOST - 1, 2),)].work == 3 * MOST - 1


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"x": np.ones((4, 2))}, ShapeError, "axis i of w has extent 3"),
        ({"t": np.ones(3)}, ShapeError, "axis n of t has extent 3; in definition line: x has 4 there"),
        ({"x": np.ones(4)}, ShapeError, "x has 1 axes, not 2"),
        ({"w": ["a", "b", "c"]}, DataError, "w is not numeric"),
        ({"w": np.ones(3, complex)}, DataError, "w is not numeric"),
        ({"w": [[1], [1, 2]]}, DataError, "w is ragged"),
        ({"z": 1}, DataError, "there is no input 'z'"),
        ({"x": np.ones((0, 3)), "t": np.ones(0)}, ShapeError, "axis n of x is empty"),
    ],
)
def test_wrong_arguments(code: Compiled, change: dict[str, object], kind: type[SymdlError], says: str) -> None:
    with pytest.raises(kind, match=re.escape(says)) as caught:
        code(**{**GIVEN, **change})
    assert "\n" not in str(caught.value)


def test_a_missing_argument(code: Compiled) -> None:
    with pytest.raises(DataError, match="'b' is missing"):
        code(**{n: v for n, v in GIVEN.items() if n != "b"})


def test_what_was_not_asked_for_is_not_there() -> None:
    with pytest.raises(DefinitionError, match="no compiled gradient"):
        compile(line).gradient(**GIVEN)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"wrt": "q"}, "no input 'q'"),
        ({"dtype": "float16"}, "no dtype 'float16'"),
        ({"extents": {"q": 3}}, "no index 'q'"),
        ({"extents": {"n": 0}}, "can't have extent 0"),
        ({"target": "fortran"}, "no target 'fortran'"),
    ],
)
def test_wrong_options(options: dict[str, object], says: str) -> None:
    with pytest.raises(SymdlError, match=says):
        compile(line, **options)  # type: ignore[arg-type]


def test_a_target_that_is_no_scalar() -> None:
    @define
    def rows(x=Input("n"), w=Param()):
        (n,) = x.indices
        return let("y[n]", w * x[n])

    with pytest.raises(DefinitionError, match="is not a scalar"):
        compile(rows, wrt="w")


def test_training_needs_data_with_an_axis() -> None:
    @define
    def bare(w=Param()):
        return let("L", w**2)

    with pytest.raises(UnsupportedError, match="no data to take batches of"):
        compile(bare, optimizer=sgd(0.1))


def test_a_fixed_batch_is_no_batch() -> None:
    @define
    def fixed(x=Input("n=4"), w=Param()):
        (n,) = x.indices
        return let("L", mean((w * x[n]) ** 2, n))

    with pytest.raises(DefinitionError, match="its number of rows is fixed"):
        compile(fixed, optimizer=sgd(0.1))


def test_predictions_need_no_target() -> None:
    network = sequential(dense(3, "relu"), dense(2), inputs=2)
    code = compile(network, optimizer=momentum(0.1))
    given = {"W1": np.ones((3, 2)), "b1": np.zeros(3), "W2": np.ones((2, 3)), "b2": np.zeros(2)}
    assert code.predict(x=np.ones((5, 2)), **given)["y_hat"].tolist() == [[6.0, 6.0]] * 5


def test_subscripts_out_of_range_are_refused() -> None:
    @define
    def embedding(tok=Input("n", integer=True), E=Param("v d")):
        (n,) = tok.indices
        _, d = E.indices
        e = let("e[n,d]", E[tok[n], d])
        return let("L", mean(e[n, d] ** 2, n, d)), e

    code = compile(embedding, optimizer=sgd(0.1))
    E = np.ones((3, 2))
    assert code(tok=[0, 2], E=E)["L"] == 1
    for tok in ([0, 3], [-1, 0]):
        with pytest.raises(DataError, match="which runs from 0 to 2"):
            code(tok=tok, E=E)
    with pytest.raises(DataError, match="has fractions"):
        code(tok=[0.5, 1], E=E)
    with pytest.raises(DataError, match="which runs from 0 to 2"):
        code.epoch({"tok": np.array([0, 3]), "E": E}, order=np.arange(2), batch_size=1)


@define
def classifier(tok=Input("n t", integer=True), y=Input("n", integer=True), E=Param("v d"), W=Param("k d")):
    """Gathers from a parameter and from an intermediate; the labels are data of a batch."""
    n, t = tok.indices
    (k, d), _ = W.indices, E.indices
    s = let("s[n,k]", Sum(W[k, d] * E[tok[n, t], d], t, d))
    p = let("p[n,k]", exp(s[n, k]) / Sum(exp(s[n, k]), k))
    return let("L", mean(-log(p[n, y[n]]), n)), p


@pytest.fixture(scope="module")
def trained() -> Compiled:
    return compile(classifier, optimizer=sgd(0.5))


LABELLED = {
    "tok": np.array([[0, 1], [2, 2], [1, 0]]),
    "y": np.array([0, 1, 0]),
    "E": np.eye(3, 4),
    "W": np.zeros((2, 4)),
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tok": np.array([[0, 1], [2, 7], [1, 0]])}, r"tok[1, 1] is 7; in row 1 of tok (counted from 0)"),
        ({"tok": np.array([[0, 1], [2, 2], [-1, 0]])}, r"axis v of E, which runs from 0 to 2"),
        ({"y": np.array([0, 2, 0])}, r"y[1] is 2; in row 1 of y (counted from 0): it subscripts axis k of p"),
    ],
)
def test_data_that_subscripts_is_checked_by_row(trained: Compiled, change: dict[str, object], says: str) -> None:
    given = {**LABELLED, **change}
    calls = [trained, trained.gradient, lambda **a: trained.epoch(a, order=np.arange(3), batch_size=2)]
    for call in calls:
        with pytest.raises(DataError, match=re.escape(says)):
            call(**given)
    if "tok" in change:
        with pytest.raises(DataError, match=re.escape(says)):
            trained.predict(tok=given["tok"], E=given["E"], W=given["W"])


def test_integer_labels_are_data_of_a_batch(trained: Compiled) -> None:
    given = {n: np.array(a) for n, a in LABELLED.items()}
    losses = np.concatenate([trained.epoch(given, order=np.arange(3), batch_size=2)[1] for _ in range(40)])
    assert np.isclose(losses[0], np.log(2)) and losses[-1] < 0.1
    predicted = trained.predict(tok=given["tok"], E=given["E"], W=given["W"])["p"]
    assert predicted.argmax(axis=1).tolist() == [0, 1, 0]


def test_subscripts_stay_within_composite_extents() -> None:
    @define
    def shifted(tok=Input("n", integer=True), E=Param("v")):
        (n,), (v,) = tok.indices, E.indices
        w = index("w", v.extent + 1)
        F = let("F[w]", Sum(E[v] * delta(w, v + 1), v))
        return let("L", Sum(F[tok[n]] ** 2, n))

    code = compile(shifted, wrt="E")
    assert code.gradient(tok=[0, 2, 2], E=[3.0, 4.0])["E"].tolist() == [0.0, 16.0]
    with pytest.raises(DataError, match=re.escape("tok[0] is 3")):
        code(tok=[3], E=[3.0, 4.0])


def test_a_gather_at_a_gather() -> None:
    @define
    def twice(outer=Input("n", integer=True), inner=Input("m", integer=True), E=Param("v")):
        (n,) = outer.indices
        return let("L", Sum(E[inner[outer[n]]], n))

    code = compile(twice, wrt="E")
    assert code.gradient(outer=[1, 1], inner=[0, 2], E=[1.0, 2.0, 3.0])["E"].tolist() == [0.0, 0.0, 2.0]
    with pytest.raises(DataError, match=re.escape("outer[1] is 2")):
        code(outer=[0, 2], inner=[0, 2], E=[1.0, 2.0, 3.0])


def test_an_epoch_changes_parameters_in_place() -> None:
    code = compile(line, optimizer=sgd(0.125))
    given = {**GIVEN, "w": np.zeros(3), "b": np.zeros(()), "t": np.ones(4), "a": 0.0}
    done, losses = code.epoch(given, order=np.arange(4), batch_size=2)
    assert done == 2 and losses.tolist() == [1.0, 0.0]
    assert given["w"].tolist() == [0.25] * 3 and float(given["b"]) == 0.25  # type: ignore[index, arg-type]
    with pytest.raises(DataError, match="can't be changed in place"):
        code.epoch({**given, "w": [0, 0, 0]}, order=np.arange(4), batch_size=2)
    with pytest.raises(DataError, match="out of range"):
        code.epoch(given, order=np.array([0, 4]), batch_size=2)
    with pytest.raises(DefinitionError, match="can't train"):
        compile(line).epoch(given, order=np.arange(4), batch_size=2)


def test_float32_stays_float32() -> None:
    @define
    def growth(x=Input("n"), w=Param()):
        (n,) = x.indices
        y = let("y[n]", exp(w * x[n]) / 3)
        return let("L", mean(y[n] ** 2, n)), y

    code = compile(growth, wrt="w", dtype="float32")
    results = {**code(x=[1.0], w=2.0), **code.gradient(x=[1.0], w=2.0)}
    assert {str(v.dtype) for v in results.values()} == {"float32"}
