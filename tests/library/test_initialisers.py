"""Initialisers: their statistics beside their formulas, fans beside PyTorch's, orthonormal rows, the same seed."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import sympy

from symdl.core.define import Input, Param, Sum, define, let
from symdl.core.definitions import Definition
from symdl.errors import DataError, DefinitionError, ShapeError
from symdl.library import initialisers
from symdl.library.definitions import definition
from symdl.library.initialisers import INITIALISERS, Initialiser
from symdl.library.weights import Use, use_of, weights
from symdl.training.initial import initial_parameters

ROWS, COLUMNS = 300, 200
MATRIX = Use(frozenset({1}), frozenset(), True)


@define
def dense(x=Input("n i"), W=Param("j i"), b=Param("j")):
    (n, i), (j, _) = x.indices, W.indices
    y = let("y[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
    return let("L", Sum(y[n, j] ** 2, n, j))


MADE = {name: make() for name, make in INITIALISERS.items()} | {
    "he_normal, tanh, fan out": initialisers.he_normal(gain=initialisers.gain("tanh"), mode="fan_out"),
    "glorot_uniform, gain": initialisers.glorot_uniform(gain=0.5),
    "orthogonal, gain": initialisers.orthogonal(gain=2.0),
}


@pytest.mark.parametrize("name", MADE)
def test_mean_and_variance_of_what_is_drawn(name: str, rng: np.random.Generator) -> None:
    """Within five standard errors; the fourth moment of a uniform or normal entry is at most 3 σ⁴."""
    made = MADE[name]
    drawn = made.draw(rng, (ROWS, COLUMNS), MATRIX)
    variance = float(made.variance(sympy.Integer(COLUMNS), sympy.Integer(ROWS)))
    assert drawn.shape == (ROWS, COLUMNS) and drawn.dtype == np.float64
    assert abs(drawn.mean()) <= 5 * math.sqrt(variance / drawn.size)
    assert abs(drawn.var() - variance) <= 5 * variance * math.sqrt(2 / drawn.size)
    if "uniform" in name:
        limit = math.sqrt(3 * variance)
        assert 0.99 * limit < np.abs(drawn).max() <= limit


@pytest.mark.parametrize("shape", [(6, 6), (3, 7), (7, 3)])
def test_orthonormal_rows_or_columns(shape: tuple[int, int], rng: np.random.Generator) -> None:
    q = initialisers.orthogonal().draw(rng, shape, MATRIX)
    gram = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-14)


def test_an_orthogonal_kernel(rng: np.random.Generator) -> None:
    """Its rows are what is not summed over, whatever the order of the axes."""
    kernel = Use(frozenset({0, 2, 3}), frozenset({2, 3}), True)
    q = initialisers.orthogonal().draw(rng, (2, 5, 3, 3), kernel)
    rows = q.transpose(1, 0, 2, 3).reshape(5, 18)
    np.testing.assert_allclose(rows @ rows.T, np.eye(5), atol=1e-14)


def test_pytorch_has_the_same_limits() -> None:
    torch = pytest.importorskip("torch")
    weight = torch.empty(40, 30, dtype=torch.float64)
    for name, make, gain in (
        ("relu", "kaiming_uniform_", initialisers.gain("relu")),
        ("tanh", "xavier_uniform_", initialisers.gain("tanh")),
    ):
        options = {"nonlinearity": name} if "kaiming" in make else {"gain": torch.nn.init.calculate_gain(name)}
        getattr(torch.nn.init, make)(weight, **options)
        ours = initialisers.he_uniform() if "kaiming" in make else initialisers.glorot_uniform(gain=gain)
        limit = math.sqrt(3 * ours.variance(30, 40))
        assert 0.99 * limit < weight.abs().max().item() <= limit * (1 + 1e-12)
    for name in ("sigmoid", "tanh", "relu", "selu"):
        assert initialisers.gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-15)
    slope = torch.nn.init.calculate_gain("leaky_relu", 0.2)
    assert initialisers.gain("leaky_relu", 0.2) == pytest.approx(slope, rel=1e-15)


def test_the_taps_of_a_kernel_count_for_both_fans() -> None:
    """As PyTorch counts: a kernel of 5 outputs, 2 inputs and 3 by 3 taps has the fans 18 and 45."""
    conv = definition("conv2d", kernel=(3, 3))
    kernel = next(p for p in weights(conv) if p.rank == 4)
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(5, 2, 3, 3))
    assert use_of(conv, kernel).fans((5, 2, 3, 3)) == theirs == (18, 45)


def start(model: Definition, init: Any, seed: int = 0) -> dict[str, Any]:
    return initial_parameters(model, {"x": (4, 30), "b": (20,)}, np.random.default_rng(seed), init=init)


def test_which_parameters_are_drawn_how() -> None:
    model = dense.at(j=20)
    plain = start(model, None)
    assert (plain["b"] == 0).all() and np.abs(plain["W"]).max() <= math.sqrt(6 / 50)
    assert start(model, "he_normal")["W"].tobytes() == start(model, initialisers.he_normal())["W"].tobytes()
    assert start(model, "he_normal")["W"].tobytes() != start(model, "he_normal", seed=1)["W"].tobytes()
    assert (start(model, "he_normal")["b"] == 0).all()
    table = start(model, {"b": initialisers.uniform(2.0), "W": "zeros"})
    assert (table["W"] == 0).all() and 1 < np.abs(table["b"]).max() <= 2


@pytest.mark.parametrize(
    ("other", "ours"),
    [("xavier_uniform", "glorot_uniform"), ("Xavier normal", "glorot_normal"), ("kaiming_normal_", "he_normal")],
)
def test_names_that_other_libraries_have(other: str, ours: str) -> None:
    model = dense.at(j=20)
    assert np.array_equal(start(model, other)["W"], start(model, ours)["W"])


@pytest.mark.parametrize(
    ("init", "kind", "says"),
    [
        ("he", DataError, "no initialiser 'he'"),
        ({"V": "zeros"}, DataError, "'V' is no parameter"),
        ({"b": "glorot_normal"}, ShapeError, "glorot_normal needs a weight"),
    ],
)
def test_what_cannot_be_drawn(init: Any, kind: Any, says: str) -> None:
    with pytest.raises(kind, match=re.escape(says)):
        start(dense.at(j=20), init)


@pytest.mark.parametrize(
    "make",
    [
        lambda: initialisers.uniform(0),
        lambda: initialisers.normal(-1.0),
        lambda: initialisers.he_normal(gain=math.inf),
        lambda: initialisers.he_normal(mode="fan"),
        lambda: initialisers.gain("swish"),
    ],
)
def test_numbers_out_of_range(make: Any) -> None:
    with pytest.raises(DefinitionError, match="Remedy: "):
        make()


def test_all_are_here() -> None:
    names = "zeros uniform normal glorot_uniform glorot_normal he_uniform he_normal orthogonal"
    assert set(INITIALISERS) == set(names.split())
    assert all(isinstance(made, Initialiser) for made in MADE.values())
