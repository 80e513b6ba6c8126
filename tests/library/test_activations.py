"""Activations against PyTorch and mpmath: values and slopes, at random points, at kinks and far out."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
import torch
from support.activations import activations, with_numbers
from torch.nn import functional as F

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, define, let
from symdl.core.definitions import Definition
from symdl.derivation.derive import derive
from symdl.derivation.seeds import vjp
from symdl.library.activations import ACTIVATIONS, Activation, activation
from symdl.library.definitions import definition

#: The activation with the parameters that PyTorch's function is called with, and that function.
PEERS = {
    "identity": ({}, lambda x: x * 1),
    "sigmoid": ({}, torch.sigmoid),
    "hard_sigmoid": ({}, lambda x: F.relu6(x + 3) / 6),  # F.hardsigmoid rounds its slope 1/6 to float32
    "log_sigmoid": ({}, F.logsigmoid),
    "tanh": ({}, torch.tanh),
    "hard_tanh": ({}, F.hardtanh),
    "hard_tanh of other ends": ({"min_val": -0.5, "max_val": 2}, lambda x: F.hardtanh(x, -0.5, 2)),
    "tanhshrink": ({}, F.tanhshrink),
    "softsign": ({}, F.softsign),
    "softplus": ({}, F.softplus),
    "softplus with another beta": ({"beta": 0.5}, lambda x: F.softplus(x, beta=0.5)),
    "relu": ({}, torch.relu),
    "relu6": ({}, F.relu6),
    "leaky_relu": ({}, F.leaky_relu),
    "leaky_relu of another slope": ({"alpha": 0.25}, lambda x: F.leaky_relu(x, 0.25)),
    "prelu": ({"alpha": 0.25}, lambda x: F.prelu(x, torch.tensor(0.25, dtype=x.dtype))),
    "rrelu": ({}, F.rrelu),
    "rrelu between other slopes": ({"lower": 0.25, "upper": 0.5}, lambda x: F.rrelu(x, 0.25, 0.5)),
    "elu": ({}, F.elu),
    "elu with another alpha": ({"alpha": 0.5}, lambda x: F.elu(x, 0.5)),
    "celu": ({}, F.celu),
    "celu with another alpha": ({"alpha": 2}, lambda x: F.celu(x, 2.0)),
    "selu": ({}, F.selu),
    "gelu": ({}, F.gelu),
    "gelu_tanh": ({}, lambda x: F.gelu(x, approximate="tanh")),
    "silu": ({}, F.silu),
    "swish": ({"beta": 1}, F.silu),
    "hard_swish": ({}, F.hardswish),
    "mish": ({}, F.mish),
    "softshrink": ({}, F.softshrink),
    "softshrink with another lambda": ({"lambda_": 2}, lambda x: F.softshrink(x, 2.0)),
    "hardshrink": ({}, F.hardshrink),
    "hardshrink with another lambda": ({"lambda_": 2}, lambda x: F.hardshrink(x, 2.0)),
    "threshold": ({}, lambda x: F.threshold(x, 1, 0)),
    "threshold elsewhere": ({"threshold": -0.5, "value": 20}, lambda x: F.threshold(x, -0.5, 20)),
    "sine": ({"omega": 30}, lambda x: torch.sin(30 * x)),
}
#: What PyTorch has no function for: value and slope in mpmath.
BY_HAND = {
    "binary_step": ({}, lambda x: mpmath.mpf(x >= 0), lambda x: mpmath.mpf(0)),
    "sine": ({}, mpmath.sin, mpmath.cos),
    "swish": (
        {"beta": 2},
        lambda x: x / (1 + mpmath.exp(-2 * x)),
        lambda x: 1 / (1 + mpmath.exp(-2 * x)) + 2 * x * mpmath.exp(-2 * x) / (1 + mpmath.exp(-2 * x)) ** 2,
    ),
    "snake": ({}, lambda x: x + mpmath.sin(x) ** 2, lambda x: 1 + 2 * mpmath.sin(x) * mpmath.cos(x)),
    "snake of another frequency": (
        {"a": 3},
        lambda x: x + (1 - mpmath.cos(6 * x)) / 6,
        lambda x: 1 + 2 * mpmath.sin(3 * x) * mpmath.cos(3 * x),
    ),
    "gaussian": ({}, lambda x: mpmath.exp(-x * x), lambda x: -2 * x * mpmath.exp(-x * x)),
    "squareplus": (
        {},
        lambda x: (x + mpmath.sqrt(x**2 + 4)) / 2,
        lambda x: (1 + x / mpmath.sqrt(x**2 + 4)) / 2,
    ),
    "squareplus of another size": (
        {"b": 1},
        lambda x: (x + mpmath.sqrt(x**2 + 1)) / 2,
        lambda x: (1 + x / mpmath.sqrt(x**2 + 1)) / 2,
    ),
}
KINKS = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0, 6.0)
FAR = (0.0, -0.0, 1e-300, -1e-300, 1e-9, -1e-9, 30.0, -30.0, 88.0, -104.0, 800.0, -800.0, 1e4, -1e4)


def chosen(case: str, options: dict[str, float]) -> Activation:
    return activation(case.split()[0], **options)


def applied(act: Activation) -> Definition:
    """a[n] = f(s[n])."""

    @define
    def values(s=Input("n")):
        (n,) = s.indices
        return let("a[n]", act(s[n]))

    return values


def value_and_slope(act: Activation, points: np.ndarray) -> list[np.ndarray]:
    """In 900 digits, so that 1 − tanh(800) is not 0, from the equations and from the derived gradient."""
    made = vjp(applied(act), wrt=["s"]).gradient
    found = evaluate(made.only(["a", "s_bar"]), {"s": points, "a_bar": np.ones(len(points))}, digits=900)
    return [found["a"], found["s_bar"]]


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(ours.tolist(), float), theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", PEERS)
def test_values_and_slopes_are_those_of_torch(case, rng):
    options, peer = PEERS[case]
    points = np.concatenate([rng.normal(0, 3, 12), KINKS, FAR])
    x = torch.tensor(points, requires_grad=True)
    y = peer(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    for ours, theirs in zip(value_and_slope(chosen(case, options), points), (y, slope), strict=True):
        close(ours, theirs.detach().numpy())


@pytest.mark.parametrize("case", BY_HAND)
def test_values_and_slopes_are_those_of_mpmath(case, rng):
    options, value, slope = BY_HAND[case]
    points = np.concatenate([rng.normal(0, 3, 12), KINKS, (0.0, 1e-300, -1e-300, 30.0, -30.0, 800.0, -800.0)])
    with mpmath.workdps(900):
        exact = [[f(mpmath.mpf(float(x))) for x in points] for f in (value, slope)]
    for ours, theirs in zip(value_and_slope(chosen(case, options), points), exact, strict=True):
        assert all(abs(a - b) <= abs(b) * mpmath.mpf("1e-40") for a, b in zip(ours.tolist(), theirs, strict=True))


def test_every_activation_has_a_peer():
    assert {case.split()[0] for case in (*PEERS, *BY_HAND)} == set(ACTIVATIONS)


@pytest.mark.parametrize("case", ["silu", "gelu", "gelu_tanh", "mish", "softplus", "elu", "log_sigmoid", "tanhshrink"])
def test_second_derivatives_are_those_of_torch(case):
    options, peer = PEERS[case]
    first = derive(chosen(case, options).definition(), "s").gradient
    second = derive(first, "s", of="s_bar").gradient
    for value in (-6.0, -1.3, 0.2, 4.0):
        x = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(peer(x), x, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, x)
        got = evaluate(second, {"s": np.array(value)})[second.outputs[-1]][()]
        assert float(got) == pytest.approx(float(curvature.detach()), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["prelu", "leaky_relu"])
def test_the_slope_of_a_learned_slope(name):
    """At 0 it is 0, as in PyTorch."""
    made = derive(definition(name), ["s", "alpha"])
    weight = torch.tensor([0.25], dtype=torch.float64, requires_grad=True)
    for value in (-2.0, 0.0, 1.5):
        F.prelu(torch.tensor([value], dtype=torch.float64), weight).backward()
        got = evaluate(made.gradient, {"s": np.array(value), "alpha": np.array(0.25)})["alpha_bar"][()]
        assert float(got) == weight.grad.item()
        weight.grad = None


# ── the compiled form ────────────────────────────────────────────────────────────────────────────────────────────────

POINTS = np.array([*KINKS, *FAR, -38.0, -7.0, -1.7, -0.3, -1e-3, 1e-3, 0.2, 1.1, 4.0, 13.0])


@pytest.fixture(scope="module")
def computed():
    """Values and slopes by row; compiled once for all of them, and for the suite of targets."""
    program = compile(activations, wrt=["x"], extents={"n": 2})  # as the suite of targets does: one compilation
    arrays = {"x": np.tile(POINTS, (len(ACTIVATIONS), 1)), "c": np.ones(len(ACTIVATIONS))}
    values, slopes = program(**arrays), program.gradient(**arrays)["x"]
    return {name: (values[f"a_{name}"], slopes[row]) for row, name in enumerate(ACTIVATIONS)}


@pytest.fixture(scope="module")
def exact():
    """Values and slopes at the points in 900 digits."""
    return {act.name: value_and_slope(act, POINTS) for act in with_numbers()}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_compiled_values_and_slopes_keep_their_digits_everywhere(name, computed, exact):
    for got, truth in zip(computed[name], exact[name], strict=True):
        true = np.array(truth.tolist(), float)
        away = np.abs(got - true) / np.maximum(np.abs(true), 1e-300)
        assert away.max() < 1e-13, (POINTS[away.argmax()], got[away.argmax()], true[away.argmax()])


def test_the_logarithm_of_a_sigmoid_is_taken_where_the_sigmoid_is_zero():
    """log σ(−800) is −800, and log(1 − σ(40)) is −40, whether they are written in one equation or in two."""

    @define
    def logs(s=Input()):
        p = let("p", ACTIVATIONS["sigmoid"](s.element()))
        return let("a", sympy.log(p.element()) + sympy.log(1 - p.element()))

    code = compile(logs)
    for value in (-800.0, -40.0, 0.25, 40.0):
        exact = evaluate(logs, {"s": np.array(value)}, digits=900)["a"][()]
        assert abs(code(s=np.array(value))["a"] / exact - 1) < 1e-15
