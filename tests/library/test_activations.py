"""Activations against PyTorch: values, slopes and second derivatives; what is claimed of them is proved."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.define import Input, define, let
from symdl.core.functions import ScalarFunction
from symdl.derivation.derive import derive
from symdl.library.activations import ACTIVATIONS
from symdl.library.definitions import definition
from symdl.verification import check_function

PEERS = {
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}


@pytest.mark.parametrize("name", PEERS)
def test_values_and_slopes_are_those_of_torch(name):
    first = derive(definition(name), "s").gradient
    chain = (definition(name), first, derive(first, "s", of="s_bar").gradient)
    for value in (-6.0, -1.3, 0.0, 0.2, 4.0):
        x = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        y = PEERS[name](x)
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, x)
        for made, theirs in zip(chain, (y, slope, curvature), strict=True):
            got = evaluate(made, {"s": np.array(value)})[made.outputs[-1]][()]
            assert float(got) == pytest.approx(float(theirs.detach()), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", PEERS)
def test_every_claim_is_proved(name):
    functions = {ACTIVATIONS[name].call}
    for function in list(functions):
        x = sympy.Symbol("x", real=True)
        functions |= {type(f) for f in function(x).defined().atoms(ScalarFunction)}
    for function in functions:
        for claim, verdict in check_function(function).items():
            assert verdict.proved, f"{function.__name__} {claim}: {verdict}"


@pytest.mark.parametrize("name", PEERS)
def test_the_stable_form_keeps_its_digits_where_the_function_vanishes(name):
    """GELU at −7 is 9e-12: 1 + erf would have lost twelve digits of it."""

    @define
    def applied(s=Input()):
        return let("a", ACTIVATIONS[name](s.element()))

    exact = evaluate(applied, {"s": np.array(-7.0)})["a"][()]
    assert abs(compile(applied, wrt=["s"])(s=np.array(-7.0))["a"] / exact - 1) < 1e-13


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


def test_claims_of_the_sigmoid_are_proved():
    for claim, verdict in check_function(type(ACTIVATIONS["sigmoid"](sympy.Symbol("x", real=True)))).items():
        assert verdict.proved, f"{claim}: {verdict}"
