"""The sweep: its true values against mpmath, its grid, and planted faults that it has to catch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import symdl as sd
from symdl.cli import main
from symdl.library.activations import ACTIVATIONS
from symdl.testing.floats import around, crossings, grid, last, number, ordinal
from symdl.testing.sweep import measure, truths_of
from symdl.testing.ulps import FORMATS, ulps
from symdl.verification.truth import Truth

# The definitions once more, in mpmath: nothing of ours.
MPMATH: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
}
AT = (-700.25, -38.0, -12.5, -1.278464542761074, -0.75, -1e-9, 0.0, 3e-310, 1e-3, 0.5, 2.25, 17.0, 600.0)


@pytest.mark.parametrize("name", MPMATH)
def test_the_truth_has_the_digits_of_mpmath(name):
    truths = truths_of(ACTIVATIONS[name])
    with mpmath.workdps(1200):  # so that a difference at −700 keeps fifty
        for at in AT:
            x = mpmath.mpf(at)
            value = MPMATH[name](x)
            step = mpmath.mpf(10) ** -400
            slope = (MPMATH[name](x + step) - MPMATH[name](x - step)) / (2 * step)
            for part, wanted in (("value", value), ("slope", slope)):
                got = mpmath.mpf(
                    truths[part](at, lambda b: b.rad() * 2**180 < max(abs(b.mid()), 1e-300)).str(60, radius=False)
                )
                assert abs(got - wanted) <= mpmath.mpf(10) ** -50 * max(abs(wanted), mpmath.mpf("1e-300")), (part, at)


def test_ulps_by_hand():
    """Distances that can be counted: half a unit, subnormal numbers, zero, and both sides of the overflow."""
    x = sympy.Symbol("x", real=True)

    def off(computed: float, expr: Any, dtype: str) -> tuple[float, bool]:
        return ulps(computed, Truth(sympy.sympify(expr), x)(0, FORMATS[dtype].tight), dtype)

    third = sympy.Rational(1, 3)
    assert off(1.0, 1 + sympy.Rational(1, 2**52), "float64") == (1.0, False)
    assert off(1.0, 1 - sympy.Rational(1, 2**53), "float64") == (1.0, False)  # the finer spacing below 1
    assert off(float(np.float32(1 / 3)), third, "float32")[0] < 0.5
    assert off(0.0, sympy.Rational(3, 2**1074), "float64") == (3.0, False)
    assert off(5e-324, 0, "float64") == (1.0, False)
    assert off(-0.0, 0, "float32") == (0.0, False)
    top = sympy.Integer(2) ** 128
    assert off(float("inf"), top, "float32") == (0.0, False)
    assert off(float("inf"), top - top / 2**24, "float32") == (float("inf"), True)
    assert off(float(np.finfo("float32").max), top, "float32") == (1.0, False)
    assert off(float("-inf"), top, "float32") == (float("inf"), False)
    assert off(float("nan"), 1, "float32") == (float("inf"), True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_grid_reaches_every_kind_of_number(dtype, rng):
    x, info = grid(dtype, 600), np.finfo(dtype)
    assert x.dtype == dtype and np.isfinite(x).all() and (np.diff(x) >= 0).all()
    assert {0.0, 1.0, -0.5, info.max, -info.max, info.tiny, info.smallest_subnormal} <= set(x.tolist())
    assert np.signbit(x[x == 0]).tolist() == [True, False]
    assert ((x != 0) & (abs(x) < info.tiny)).sum() > 20  # subnormal
    assert np.nextafter(info.max, 0, dtype=dtype) in x
    exponents = np.unique(np.frexp(x[x != 0])[1])
    assert (np.diff(exponents) <= 22).all()
    places = rng.integers(-last(dtype), last(dtype), 200)
    assert ordinal(number(places, dtype)).tolist() == places.tolist()
    near = around([1.0], dtype)
    assert {1.0, float(np.nextafter(near.dtype.type(1), near.dtype.type(2)))} <= set(near.tolist())


def test_roots_are_found_to_the_last_number():
    (root,) = crossings(lambda v: int(v * v > 2) - int(v * v < 2), np.linspace(0.1, 3, 8))
    assert root**2 < 2 < np.nextafter(root, 3) ** 2


def naive(x: Any) -> Any:
    with np.errstate(all="ignore"):
        return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        pytest.param(lambda x: naive(x) * (1 - naive(x)), "slope", id="cancels"),
        pytest.param(lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, "slope", id="NaN"),
        pytest.param(lambda x: naive(x) * (1 + (np.abs(x - 3) < 1e-3) * 2e-15), "value", id="one narrow place"),
        pytest.param(lambda x: np.where(np.abs(naive(x)) < 1e-307, 0, naive(x)), "value", id="subnormal results gone"),
    ],
)
def test_planted_faults_are_caught(fault, part):
    with np.errstate(all="ignore"):
        found = measure(part, fault, truths_of(ACTIVATIONS["sigmoid"]), "float64", 600)
    assert not found.passed and found.worst > 4


def test_a_kink_that_is_off_by_one_number_is_caught():
    entry = sd.activation("bent", lambda s: sd.switch(s - sympy.Rational(1, 3), 0, 1, kink="left"))
    place = np.nextafter(1 / 3, 1)
    found = measure("value", lambda x: np.where(x > place, 1.0, 0.0), truths_of(entry), "float64", 600)
    assert not found.passed and found.at == place
    right = measure("value", lambda x: np.where(x > 1 / 3, 1.0, 0.0), truths_of(entry), "float64", 600)
    assert right.passed


def test_the_command(capsys):
    assert main(["accuracy", "relu", "sigmoid", "--points", "60", "--dtype", "float64"]) == 0
    out = capsys.readouterr().out
    assert "sigmoid" in out and "slope" in out and "PyTorch" in out
    assert main(["accuracy", "hinge", "--points", "60", "--dtype", "float64"]) == 0
    assert "slope by z" in capsys.readouterr().out
    assert main(["accuracy"]) == 2 and "NAME" not in capsys.readouterr().err
    assert main(["accuracy", "nothing"]) == 2
