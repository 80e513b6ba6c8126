"""What authors are told of their own functions: an example to check by hand, and what is computed instead."""

from __future__ import annotations

import math
import warnings

import mpmath
import numpy as np
import pytest

import symdl as sd


@pytest.fixture(autouse=True)
def _errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_naive_function_warns_with_an_example_and_a_form():
    with pytest.warns(sd.DigitsWarning, match=r"as written it gives") as caught:
        made = sd.activation("own_softplus", lambda s: sd.log(1 + sd.exp(s)))
    assert caught[0].filename == __file__
    report = sd.digits(made)
    (loss,) = report.losses[:1]
    assert loss.part == "value" and loss.mended and str(report) in str(caught[0].message)
    with np.errstate(all="ignore"):
        assert loss.written == math.log(1 + np.exp(loss.at))  # what anyone gets who types it in
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(loss.truth) / mpmath.log1p(mpmath.exp(loss.at)) - 1) < 1e-18
    assert "log1p(exp(x))  for -inf ≤ x < 0" in str(report)


def test_snake_as_its_author_would_write_it():
    """Its slope 1 + 2 sin(as) cos(as) is 1 + sin(2as), which vanishes twice at its roots."""
    with pytest.warns(sd.DigitsWarning):
        mine = sd.activation("own_snake", lambda s, a: s + sd.sin(a * s) ** 2 / a, a=1)
    report = sd.digits(mine)
    assert all(loss.mended for loss in report.losses) and "none found" not in str(report)
    sd.sweep(mine, points=250).require()


def test_that_no_form_was_found_is_said_plainly():
    """sin + cos has roots without end, and no rule of ours for them."""
    with pytest.warns(sd.DigitsWarning, match="none found"):
        made = sd.activation("own_wave", lambda s: sd.sin(s) + sd.cos(s))
    report = sd.digits(made)
    assert not report.keeps and not report.losses[0].mended
    assert "none found" in str(report)


def test_a_function_that_keeps_its_digits_says_so_without_a_warning():
    made = sd.activation("own_square", lambda s: s**2)
    assert sd.digits(made).keeps and "keeps its digits" in str(sd.digits(made))


@pytest.mark.parametrize(("name", "values"), [("softplus", {"beta": 3}), ("sine", {"omega": 30})])
def test_other_values_of_parameters_are_within_four_ulps(name, values):
    found = sd.sweep(sd.activation(name, **values), points=40, dtypes=["float32"])
    assert found.passed, found


def test_a_function_with_two_values_of_its_parameter_in_one_definition():
    @sd.define
    def both(s=sd.Input("n")):
        (n,) = s.indices
        parts = [sd.activation("swish", beta=beta)(s[n]) for beta in (1.7, 0.3)]
        return sd.let("a[n]", parts[0] + 2 * parts[1])

    assert sd.compile(both).report.worst < 10


def test_a_stated_stable_form_is_taken():
    made = sd.activation("own_decay", lambda s: sd.exp(s) - 1, stable=_expm1)
    assert all(loss.part == "slope" for loss in sd.digits(made).losses)


def _expm1(s):
    from sympy.codegen.cfunctions import expm1

    return expm1(s)


def test_ones_own_is_within_four_ulps_where_a_form_was_found():
    with pytest.warns(sd.DigitsWarning):
        mine = sd.activation("own_mish", lambda s: s * sd.tanh(sd.log(1 + sd.exp(s))))
    sd.sweep(mine, points=250).require()
    with pytest.warns(sd.DigitsWarning):
        root = sd.activation("own_squareplus", lambda s: (s + sd.sqrt(s**2 + 4)) / 2)
    sd.sweep(root, points=250, dtypes=["float32"]).require()


# ── losses ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_naive_loss_warns_with_an_example_and_a_form_that_is_then_computed():
    with pytest.warns(sd.DigitsWarning, match=r"8 digits are lost") as caught:
        made = sd.loss("own_logistic", lambda t, z: sd.log(1 + sd.exp(-t * z)), facts={"t": "sign"})
    assert caught[0].filename == __file__
    words = str(caught[0].message)
    assert "with x = t*z:" in words and "log1p(exp(-x))  for 0 ≤ x < inf" in words
    (value, slope) = sd.digits(made).losses
    assert value.mended and slope.mended
    assert value.at == {"t": 1.0, "z": 20.0}
    sd.sweep(made, points=60, dtypes=["float64"]).require()


def test_a_loss_with_a_function_for_each_class():
    with pytest.warns(sd.DigitsWarning, match=r"-log1p\(-x\)"):
        made = sd.loss(
            "own_bce",
            lambda t, p: -t * sd.log(p) - (1 - t) * sd.log(1 - p),
            facts={"t": "binary", "p": "fraction"},
        )
    sd.sweep(made, points=60, dtypes=["float32"]).require()
    network = sd.sequential(sd.dense(3, "tanh"), sd.dense(1, "sigmoid"), loss=made)
    peer = sd.sequential(sd.dense(3, "tanh"), sd.dense(1, "sigmoid"), loss="binary_cross_entropy")
    assert network.outputs == peer.outputs


def test_that_no_form_of_a_loss_was_found_is_said_plainly():
    with pytest.warns(sd.DigitsWarning, match="none found"):
        sd.loss("own_odd", lambda t, y: sd.exp(y) - 1 - y - t**2 * y**2 / 7)


def test_a_loss_that_keeps_its_digits_says_so_without_a_warning():
    assert sd.digits(sd.loss("own_quartic", lambda t, y: (t - y) ** 4)).keeps


@pytest.mark.parametrize(
    ("name", "function", "truth"),
    [
        # a fraction of polynomials: x² overflows from 1e154 on, and its slope is a difference as it is derived
        ("own_geman", lambda s: s**2 / (1 + s**2), lambda x: x**2 / (1 + x**2)),
        # exponents that differ by a constant
        (
            "own_difference",
            lambda s: 1 / (1 + sd.exp(-s)) - 1 / (1 + sd.exp(1 - s)),
            lambda x: 1 / (1 + mpmath.exp(-x)) - 1 / (1 + mpmath.exp(1 - x)),
        ),
    ],
)
def test_fractions_and_shifted_exponents_keep_their_digits(name, function, truth):
    with pytest.warns(sd.DigitsWarning, match="a stable form: found"):
        made = sd.activation(name, function)
    code = sd.compile(made.definition(), wrt=["s"])
    with mpmath.workdps(400):
        for x in (-700.0, -3e160, -40.5, -5.5, -1e-3, 0.75, 20.0, 1e9, 3e160):
            if name == "own_difference" and abs(x) > 700:
                continue
            value, found = code(s=x)["a"], code.gradient(s=x)["s"]
            slope = mpmath.diff(truth, mpmath.mpf(x), h=mpmath.mpf(10) ** -100 * max(1, abs(x)))
            for ours, want in ((value, truth(mpmath.mpf(x))), (found, slope)):
                unit = max(math.ulp(float(want)), math.ulp(0.0))
                assert abs(mpmath.mpf(float(ours)) - want) <= 5 * unit, (x, float(ours), float(want))


def test_where_there_is_no_form_is_said_by_stretches():
    with pytest.warns(sd.DigitsWarning, match="none found for"):
        made = sd.activation("own_tanhexp", lambda s: s * sd.tanh(sd.exp(s)))
    (slope,) = (loss for loss in sd.digits(made).losses if loss.part == "slope")
    assert slope.form.lost and all(a <= b for a, b in slope.form.lost)
    assert f"{slope.form.lost[0][0]:.6g}".replace("-", "−") in str(slope)


@pytest.mark.parametrize(
    ("name", "at", "truth", "slope"),
    [
        ("sigmoid", 30.0, lambda x: 1 / (1 + mpmath.exp(-x)), lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2),
        ("tanh", 30.0, mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
        ("elu", -1e-10, mpmath.expm1, mpmath.exp),
    ],
)
def test_an_entry_by_itself_is_compiled_in_the_form_that_keeps_its_digits(name, at, truth, slope):
    """Its definition has the formula written out, which overflows in a slope or cancels."""
    definition = sd.activation(name).definition()
    code = sd.compile(definition, wrt=["s"])
    assert code.definition == definition
    with mpmath.workdps(60):
        for ours, want in ((code(s=at)["a"], truth(mpmath.mpf(at))), (code.gradient(s=at)["s"], slope(mpmath.mpf(at)))):
            assert abs(mpmath.mpf(float(ours)) - want) <= 4 * math.ulp(float(want))
