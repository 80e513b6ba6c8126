"""What is wrong with an activation or a loss of one's own is said where it is written: what, where, why, remedy."""

from __future__ import annotations

import math

import pytest
import sympy

import symdl as sd

OWN = {"activation": sd.activation, "loss": sd.loss}


@pytest.mark.parametrize(
    ("kind", "function", "words"),
    [
        ("activation", lambda s: s * sympy.I, "no real number; in activation own"),
        ("activation", lambda s: 1 / (s - s), "no real number"),
        ("activation", lambda s: math.exp(s), "its function fails"),
        ("activation", lambda s: s > 0, "no scalar expression"),
        ("activation", lambda s: s * sd.symbol("q"), "q has no value.*lambda s, q"),
        ("activation", lambda *s: s[0], "it takes"),
        ("activation", 3, "3 is no function"),
        ("loss", 5, "5 is no function; in loss own"),
        ("loss", lambda y: y**2, "compares a target with a prediction"),
        ("loss", lambda t, y: None, "None, which is no scalar expression; in loss own"),
        ("loss", lambda t, y: 1, "does not depend on y.*target first"),
        ("loss", lambda t, y: t, "does not depend on y"),
        ("loss", lambda t, y: 1j * y, "no real number"),
        ("loss", lambda t, y: y * sd.symbol("q"), "q has no value.*lambda t, y, q=1"),
        ("loss", lambda t, y: sd.nothing(y), "No symdl attribute nothing.*in loss own"),
        ("loss", lambda t, y: y if y > t else t, "cannot determine truth value"),
    ],
)
def test_a_definition_that_is_none(kind, function, words):
    with pytest.raises(sd.DefinitionError, match=words):
        OWN[kind]("own", function)


@pytest.mark.parametrize(("kind", "function"), [("activation", lambda s: abs(s)), ("loss", lambda t, y: abs(t - y))])
def test_a_kink_needs_a_decision(kind, function):
    with pytest.raises(sd.KinkError, match="say kink="):
        OWN[kind]("own", function)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("activation", "relu", "'relu' is in the library"),
        ("activation", "Heaviside", "in the library, as binary_step"),
        ("activation", "two words", "is not a name"),
        ("loss", "huber", "'huber' is in the library"),
        ("loss", "MSE", "in the library, as l2"),
        ("loss", "two words", "is not a name"),
    ],
)
def test_a_name_that_is_taken_or_none(kind, name, words):
    function = {"activation": lambda s: 2 * s, "loss": lambda t, y: (t - y) ** 4}[kind]
    with pytest.raises(sd.DefinitionError, match=words):
        OWN[kind](name, function)


def test_a_function_that_has_no_balls_is_named_with_a_remedy():
    with pytest.raises(sd.UnsupportedError, match=r"zeta can't be evaluated.*Remedy: write it with exp"):
        sd.activation("own", lambda s: sympy.zeta(s + 2))


def test_a_fact_of_nothing():
    with pytest.raises(sd.DefinitionError, match=r"no argument 'q'.*its arguments are t, y"):
        sd.loss("own", lambda t, y: (t - y) ** 4, facts={"q": "positive"})


def test_a_constant_is_a_function():
    made, s = sd.activation("own_constant", lambda s: 2), sd.symbol("s")
    assert made(s).diff(s) == 0 and made.defined(s) == 2


def test_a_loss_shows_its_equations():
    assert repr(sd.loss("l2", reduction="sum")).endswith("L = Sum_{n}((t[n] - y_hat[n])**2)")
