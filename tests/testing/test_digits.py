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
