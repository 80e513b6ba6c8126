"""What stands beside the definition of an activation is proved, and both ways of deriving agree."""

from __future__ import annotations

import inspect

import pytest
import sympy

from symdl.core.functions import ScalarFunction, scalar_function
from symdl.derivation.derive import derive
from symdl.library.activations import ACTIVATIONS, Activation
from symdl.library.definitions import definition
from symdl.verification import Status, check_function, equal

X = sympy.Symbol("x", real=True)
#: What is assumed of the parameters of a named function, which have the symbols a1, a2, …
DOMAINS = {"length": [sympy.Symbol("a1", real=True) > 0], "squareplus": [sympy.Symbol("a1", real=True) > 0]}
#: f'(x) as textbooks have it, of f(x) as a network has it.
SLOPES = {
    "sigmoid": lambda f: f * (1 - f),
    "tanh": lambda f: 1 - f**2,
    "log_sigmoid": lambda f: 1 - sympy.exp(f),
    "softplus": lambda f: 1 - sympy.exp(-f),
    "tanhshrink": lambda f: (X - f) ** 2,
    "gaussian": lambda f: -2 * X * f,
}


def symbols(act: Activation) -> list[sympy.Symbol]:
    facts = {name: dict.fromkeys(act.facts.get(name, "").split(), True) for name in act.parameters}
    return [sympy.Symbol(name, real=True, **facts[name]) for name in act.parameters]


def functions_of(act: Activation) -> set[type[ScalarFunction]]:
    """Every named function that the activation, its slope or its stable form is written with."""
    found: set[type[ScalarFunction]] = set()
    rest = [act(X, *symbols(act))]
    while rest:
        for call in rest.pop().atoms(ScalarFunction):
            if type(call) not in found:
                found.add(type(call))
                rest += [call.defined(), call.computed(), call.diff(X)]
    return found


_FOUND = {f.__name__: f for act in ACTIVATIONS.values() for f in functions_of(act)}
FUNCTIONS = {name: _FOUND[name] for name in sorted(_FOUND)}  # one order in every process


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_name_and_the_formula_are_the_same(name):
    act = ACTIVATIONS[name]
    equal(act(X, *symbols(act)), act.defined(X, *symbols(act))).require()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_claim_is_proved(name):
    for claim, verdict in check_function(FUNCTIONS[name], domain=DOMAINS.get(name)).items():
        assert verdict.proved, f"{claim}: {verdict}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_slope_stands_beside_every_definition(name):
    assert FUNCTIONS[name].slope is not None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_slope_and_a_wrong_stable_form_are_refuted(name):
    right = FUNCTIONS[name]
    wrong = scalar_function(
        "wrong",
        right.definition,
        slope=lambda *a: right.slope(*a) + a[0] ** 2 / 10**6,
        stable=lambda *a: right(*a) * (1 + sympy.Rational(1, 10**9)) + sympy.Rational(1, 10**9),
    )
    for claim, verdict in check_function(wrong, domain=DOMAINS.get(name)).items():
        assert verdict.status is Status.REFUTED, claim


@pytest.mark.parametrize("name", SLOPES)
def test_the_slope_in_the_function_itself(name):
    act = ACTIVATIONS[name]
    equal(act(X).diff(X), SLOPES[name](act(X))).require()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_both_ways_of_deriving_are_proved_equal(name):
    made = definition(name)
    wrt = [t.name for t in made.inputs]
    equal(derive(made, wrt, via="expand"), derive(made, wrt, via="chain")).require()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_said_of_an_activation(name):
    act = ACTIVATIONS[name]
    assert act.source
    assert bool(act.kink) == bool(act.definition().kinks)
    assert list(inspect.signature(act.formula).parameters)[1:] == list(act.parameters)
    assert set(act.facts) <= set(act.parameters)
    assert all(f.latex_name and f.source for f in functions_of(act))
