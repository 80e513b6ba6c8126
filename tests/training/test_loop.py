"""Training: what is learned, bit for bit again, beside PyTorch, through divergence, and from bad data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symdl.compilation import compile
from symdl.core.define import Hyper, Input, Param, Sum, define, exp, let, mean
from symdl.core.definitions import Definition
from symdl.errors import DataError, DefinitionError, ShapeError, SymdlError
from symdl.library.layers import dense, sequential
from symdl.library.optimisers import adam, momentum, sgd
from symdl.training.data import load_digits, split
from symdl.training.fit import Fit, load_parameters
from symdl.training.initial import initial_parameters
from symdl.training.loop import train


def digits_network() -> Definition:
    return sequential(dense(32, "tanh"), dense(10), loss="softmax_cross_entropy", inputs=64, name="digits")


@define
def line(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    y = let("y[n]", Sum(w[i] * x[n, i], i) + b)
    return let("L", mean((t[n] - y[n]) ** 2, n)), y


def points(rng: np.random.Generator, rows: int = 50) -> tuple[Any, Any]:
    x = rng.normal(size=(rows, 2))
    return x, x @ [2.0, -3.0] + 0.5


def test_a_line_is_found(rng: np.random.Generator) -> None:
    x, t = points(rng)
    for optimizer in (sgd(0.1), momentum(0.05, 0.5), adam(0.1)):
        fit = train(line, x, t, epochs=150, batch_size=10, optimizer=optimizer, progress=False)
        np.testing.assert_allclose(fit.parameters["w"], [2.0, -3.0], atol=1e-3)
        np.testing.assert_allclose(fit.parameters["b"], 0.5, atol=1e-3)
        np.testing.assert_allclose(fit.predict(x), t, atol=1e-2)
        assert fit.diverged_at is None and fit.history.epochs == 150 and fit.history.steps == 750


def test_the_same_seed_gives_the_same_bits(rng: np.random.Generator) -> None:
    x, t = points(rng)
    one, two, other = (train(line, x, t, epochs=3, batch_size=7, seed=s, progress=False) for s in (4, 4, 5))
    assert one.parameters["w"].tobytes() == two.parameters["w"].tobytes()
    assert one.history.step_loss.tobytes() == two.history.step_loss.tobytes()
    assert one.history.step_loss.tobytes() != other.history.step_loss.tobytes()


def test_a_short_last_batch_counts_its_own_rows(rng: np.random.Generator) -> None:
    x, t = points(rng, 5)
    fit = train(line, x, t, epochs=1, batch_size=3, shuffle=False, initial={"w": [0, 0], "b": 0.0}, progress=False)
    w, b, losses = np.zeros(2), 0.0, []
    for rows in (slice(0, 3), slice(3, 5)):
        error = x[rows] @ w + b - t[rows]
        losses.append(np.mean(error**2))
        w, b = w - 0.1 * 2 * x[rows].T @ error / len(error), b - 0.1 * 2 * np.mean(error)
    np.testing.assert_allclose(fit.history.step_loss, losses, rtol=1e-13)
    np.testing.assert_allclose(fit.parameters["w"], w, rtol=1e-13)


def test_a_batch_larger_than_the_data(rng: np.random.Generator) -> None:
    x, t = points(rng, 5)
    fit = train(line, x, t, epochs=2, batch_size=1000, progress=False)
    assert fit.history.steps == 2 and fit.diverged_at is None


def test_digits_are_learned() -> None:
    X, y = load_digits()
    parts = split(X, y, train=0.8, validation=0.1, test=0.1, seed=0, stratify=True)
    fit = train(
        digits_network(),
        parts.X_train,
        parts.y_train,
        epochs=60,
        optimizer=sgd(0.5),
        validation=(parts.X_validation, parts.y_validation),
        progress=False,
    )
    assert fit.metrics["validation_accuracy"] > 0.95
    assert np.mean(fit.labels(parts.X_test) == parts.y_test) >= 0.97
    assert fit.history.training_loss[-1] < 0.05 < fit.history.training_loss[0]
    outputs = fit.evaluate(parts.X_test, np.eye(10)[parts.y_test])
    assert set(outputs) == {"L", "p"}
    assert np.allclose(outputs["p"].sum(axis=1), 1)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_digits_follow_the_same_curve_as_pytorch(name: str) -> None:
    """Same start, same batches, float64: the losses of 100 steps agree to 1e-10."""
    torch = pytest.importorskip("torch")
    X, y = load_digits()
    rows = 4 * 32 * 25
    X, y = np.resize(X, (rows, 64)), np.resize(y, rows)
    start = initial_parameters(digits_network(), {}, np.random.default_rng(3))
    ours = {"sgd": sgd(0.5), "momentum": momentum(0.1, 0.9), "adam": adam(1e-3)}[name]
    fit = train(digits_network(), X, y, epochs=1, optimizer=ours, initial=start, shuffle=False, progress=False)

    tensors = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    theirs = {
        "sgd": lambda p: torch.optim.SGD(p, 0.5),
        "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, 1e-3),
    }[name](list(tensors.values()))
    losses = []
    for at in range(0, rows, 32):
        x, t = torch.tensor(X[at : at + 32]), torch.tensor(y[at : at + 32])
        h = torch.tanh(x @ tensors["W1"].T + tensors["b1"])
        loss = torch.nn.functional.cross_entropy(h @ tensors["W2"].T + tensors["b2"], t)
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        losses.append(loss.item())
    assert len(losses) == 100
    np.testing.assert_allclose(fit.history.step_loss, losses, rtol=1e-10)


# ── divergence ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_divergence_keeps_the_last_finite_parameters(rng: np.random.Generator) -> None:
    x, t = points(rng)
    fit = train(line, x, t, epochs=400, batch_size=10, optimizer=sgd(50.0), progress=False)
    assert fit.diverged_at is not None and fit.diverged_at > 1
    assert all(np.isfinite(p).all() for p in fit.parameters.values())
    assert fit.history.steps == fit.diverged_at
    assert np.isfinite(fit.history.step_loss[:-1]).all()


def test_the_step_that_diverges_is_undone() -> None:
    """The parameters are those before the step whose loss is not finite; even and odd steps, states included."""

    @define
    def explosive(x=Input("n"), w=Param()):
        (n,) = x.indices
        return let("L", mean(exp(w * x[n]), n))

    for good in (1, 2, 3):
        x = np.array([-1.0] * good + [2000.0, -1.0])
        options: dict[str, Any] = {"batch_size": 1, "shuffle": False, "initial": {"w": 1.0}, "progress": False}
        diverged = train(explosive, x, epochs=1, optimizer=momentum(0.1), **options)
        before = train(explosive, x[:good], epochs=1, optimizer=momentum(0.1), **options)
        assert diverged.diverged_at == good + 1
        assert diverged.parameters["w"] == before.parameters["w"]
        assert np.isposinf(diverged.history.step_loss[-1])
        assert diverged.history.epochs == 0


def test_an_update_that_is_not_finite_is_undone() -> None:
    @define
    def steep(x=Input("n"), w=Param()):
        (n,) = x.indices
        return let("L", Sum(w * x[n], n))

    fit = train(steep, np.full(2, 1e308), epochs=1, batch_size=1, optimizer=sgd(10.0), progress=False)
    assert fit.diverged_at == 1
    assert np.isfinite(fit.parameters["w"])


# ── options and errors ───────────────────────────────────────────────────────────────────────────────────────────────


def test_compiled_code_is_taken_as_it_is(rng: np.random.Generator) -> None:
    x, t = points(rng)
    code = compile(line, optimizer=sgd(0.1), dtype="float32")
    fit = train(code, x, t, epochs=2, progress=False)
    assert fit.compiled is code and fit.parameters["w"].dtype == np.float32
    assert fit.report is code.report
    with pytest.raises(DefinitionError, match="two optimisers"):
        train(code, x, t, epochs=1, optimizer=sgd(0.1))
    with pytest.raises(DefinitionError, match="can't train"):
        train(compile(line), x, t, epochs=1)


def test_hyperparameters_are_given() -> None:
    @define
    def ridge(x=Input("n"), t=Input("n"), w=Param(), decay=Hyper()):
        (n,) = x.indices
        return let("L", mean((t[n] - w * x[n]) ** 2, n) + decay * w**2)

    x = np.ones(4)
    fit = train(ridge, x, x, epochs=300, hyper={"decay": 1.0}, progress=False)
    assert np.isclose(fit.parameters["w"], 0.5)
    with pytest.raises(DataError, match="'decay' has no value"):
        train(ridge, x, x, epochs=1)
    with pytest.raises(DataError, match="'q' is no hyperparameter"):
        train(ridge, x, x, epochs=1, hyper={"decay": 1.0, "q": 2.0})


def test_a_bar_can_be_forced(rng: np.random.Generator, capfd: pytest.CaptureFixture[str]) -> None:
    x, t = points(rng)
    train(line, x, t, epochs=2, seed=17, progress="force")
    assert "seed 17" in capfd.readouterr().err
    train(line, x, t, epochs=2)
    assert capfd.readouterr().err == ""


X_GOOD, T_GOOD = np.ones((6, 2)), np.ones(6)


@pytest.mark.parametrize(
    ("X", "y", "options", "kind", "says"),
    [
        (np.full((6, 2), np.nan), T_GOOD, {}, DataError, "X contains NaN; in row 0, column 0"),
        (X_GOOD, [1, 1, np.inf, 1, 1, 1], {}, DataError, "y contains infinity"),
        (X_GOOD, T_GOOD[:5], {}, DataError, "X and y differ in their number of rows"),
        (np.ones((0, 2)), np.ones(0), {}, DataError, "X is empty"),
        ([["a"]], [1], {}, DataError, "X is not numeric"),
        (T_GOOD, T_GOOD, {}, DataError, "X has 1 axis"),
        (X_GOOD, None, {}, DataError, "y is missing"),
        (X_GOOD, T_GOOD, {"epochs": 0}, DataError, "epochs is 0"),
        (X_GOOD, T_GOOD, {"batch_size": 0}, DataError, "batch_size is 0"),
        (X_GOOD, T_GOOD, {"batch_size": 2.5}, DataError, "batch_size is 2.5"),
        (X_GOOD, T_GOOD, {"seed": -1}, DataError, "seed is -1"),
        (X_GOOD, T_GOOD, {"initial": {"q": 1}}, DataError, "'q' is no parameter"),
        (X_GOOD, T_GOOD, {"initial": {"b": np.nan}}, DataError, "the initial b"),
        (X_GOOD, T_GOOD, {"initial": {"w": np.ones(3)}}, ShapeError, "extent 3"),
        (X_GOOD, T_GOOD, {"validation": (np.ones((3, 5)), np.ones(3))}, ShapeError, "rows of x have the shape (5,)"),
        (X_GOOD, T_GOOD, {"dtype": "int8"}, DefinitionError, "no dtype 'int8'"),
    ],
)
def test_bad_input_is_one_clear_error(X: Any, y: Any, options: Any, kind: type[SymdlError], says: str) -> None:
    with pytest.raises(kind, match=re.escape(says)) as caught:
        train(line, X, y, **{"epochs": 1, "progress": False, **options})
    assert "\n" not in str(caught.value)


def test_labels_out_of_range() -> None:
    network = sequential(dense(3), loss="softmax_cross_entropy", inputs=2)
    with pytest.raises(DataError, match="7"):
        train(network, np.ones((3, 2)), [0, 7, 1], epochs=1)


def test_an_extent_that_nothing_determines() -> None:
    with pytest.raises(ShapeError, match="nothing determines axis j of W1"):
        train(sequential(dense(None, "tanh"), dense(1)), np.ones((3, 2)), np.ones((3, 1)), epochs=1)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fit(rng: np.random.Generator) -> Fit:
    x, t = points(rng)
    return train(line, x, t, epochs=2, progress=False)


def test_parameters_are_saved_and_loaded(fit: Fit, tmp_path: Path) -> None:
    path = fit.save(tmp_path / "line.safetensors")
    loaded = load_parameters(path, line)
    assert {n: a.tobytes() for n, a in loaded.items()} == {n: a.tobytes() for n, a in fit.parameters.items()}
    assert loaded["b"].shape == ()
    assert '"seed": 0' in path.with_suffix(".json").read_text()
    again = train(line, *points(np.random.default_rng(0)), epochs=1, initial=loaded, progress=False)
    assert again.history.epochs == 1


def test_files_that_do_not_fit(fit: Fit, tmp_path: Path) -> None:
    path = fit.save(tmp_path / "line.safetensors")
    with pytest.raises(DataError, match="has no parameter 'W1'"):
        load_parameters(path, digits_network())
    with pytest.raises(DataError, match="cannot read"):
        load_parameters(tmp_path / "absent.safetensors")
    (tmp_path / "text").write_text("not safetensors at all")
    with pytest.raises(DataError, match="is not a safetensors file"):
        load_parameters(tmp_path / "text")


def test_an_extent_that_the_definition_fixes_is_enforced():

    net = sequential(dense(3, "tanh"), dense(2), loss="l2", inputs=5)
    X, y = np.zeros((8, 6)), np.zeros((8, 2))
    with pytest.raises(ShapeError, match=r"axis i of x has extent 6.*fixes it to 5"):
        train(net, X, y, epochs=1, progress=False)
    with pytest.raises(ShapeError, match="fixes it to 3"):
        train(net, X[:, :5], y, epochs=1, progress=False, initial={"b1": np.zeros(4)})


def test_gains_start_at_one_biases_at_zero_and_embeddings_anywhere():
    @define
    def net(tok=Input("n", integer=True), E=Param("v d"), gamma=Param("d"), beta=Param("d")):
        (n,), (_, d) = tok.indices, E.indices
        y = let("y[n,d]", gamma[d] * exp(E[tok[n], d]) + beta[d])
        return let("L", Sum(y[n, d] ** 2, n, d))

    start = initial_parameters(net, {"tok": (3,), "E": (7, 5)}, np.random.default_rng(0), given={"E": np.ones((7, 5))})
    assert (start["gamma"] == 1).all() and (start["beta"] == 0).all()
    free = initial_parameters(net.at(v=7, d=5), {"tok": (3,)}, np.random.default_rng(0))
    assert len(np.unique(free["E"])) == 35 and abs(free["E"]).max() <= (6 / 12) ** 0.5
