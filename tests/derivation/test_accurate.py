"""Forms that keep their digits: what is found for naive definitions, its proofs, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import cosh, exp, log, sqrt, tanh

from symdl.compilation.targets.formcode import parts
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.accurate import quotient, scaled_exp
from symdl.derivation.accurate.formats import Single
from symdl.derivation.accurate.forms import find
from symdl.derivation.accurate.prices import price
from symdl.derivation.accurate.records import HARD
from symdl.derivation.accurate.rounding import Analysis
from symdl.derivation.accurate.series import polynomial, root_between
from symdl.derivation.accurate.settling import fading, settled

X = sympy.Symbol("x", real=True)

# Well-known definitions, as an author would write them, and a point at which that loses everything in float64.
NAIVE = {
    "log of a sum": (log(1 + exp(X)), -40.0),
    "sigmoid": (1 / (1 + exp(-X)), -720.0),
    "tanh by exponentials": ((exp(X) - exp(-X)) / (exp(X) + exp(-X)), 720.0),
    "mish": (X * tanh(log(1 + exp(X))), -40.0),
    "1 − sigmoid": (1 - 1 / (1 + exp(-X)), 40.0),
    "squareplus": ((X + sqrt(X**2 + 4)) / 2, -1e9),
    "log cosh": (log(cosh(X)), 1e-9),
    "x − tanh x": (X - tanh(X), 1e-5),
    "normal tail": ((1 + sympy.erf(X / sqrt(2))) / 2, -12.0),
}


@pytest.mark.parametrize("name", NAIVE)
def test_a_form_is_found_for_a_naive_definition(name):
    expr, at = NAIVE[name]
    assert Analysis(expr, X).ulps(at) > 1e6
    found = find("f", expr, X)
    assert found.needed and found.form is not None and found.form.worst <= HARD
    values = sympy.lambdify(X, expr, "mpmath")
    with mpmath.workdps(700):
        for point in (at, -at, 0.3, -0.9, 5.0):
            piece = next(p for p in found.form.pieces if p.low <= point < p.high)
            wanted = values(mpmath.mpf(point))
            if piece.near:
                poly = dict(piece.near)["float64"]
                t = mpmath.mpf(point) - mpmath.mpf(poly.centre.p) / poly.centre.q
                got = t**poly.order * sum(mpmath.mpf(a.p) / a.q * t**k for k, a in enumerate(poly.coefficients))
                assert abs(got / wanted - 1) <= poly.bound
            else:  # an identity, exactly
                got = piece.expr.doit().replace(lambda e: hasattr(e, "defined"), lambda e: e.defined())
                got = mpmath.mpf(str(got.subs(X, sympy.Rational(point)).evalf(400)))
                assert abs(got - wanted) <= mpmath.mpf(10) ** -300 * abs(wanted)


def test_the_rounding_of_a_point_by_hand():
    """1 − tanh²(12): half an ulp of 1 against 1.5e-10; and a sum of exact numbers of one sign."""
    ulp_of_one, value = 2.0**-53, 1 - float(mpmath.tanh(12)) ** 2
    assert Analysis(1 - tanh(X) ** 2, X).ulps(12.0) > 0.3 * ulp_of_one / np.spacing(value)
    assert Analysis(X + 1, X).ulps(3.0) <= 0.5
    assert Analysis(exp(X), X).ulps(800.0) == 0.0  # it overflows as it has to
    assert Analysis(exp(X) / (1 + exp(X)), X).ulps(800.0) == np.inf


SHARED = [
    X / (1 + X**2),
    (X**2 + 3 * X + 2) / (X**2 + 1) ** 2,
    (1 + X) / (1 - X) + X * (1 + X),
    sqrt(1 + X**2) / (X + sqrt(1 + X**2)),
]


@pytest.mark.parametrize("expr", SHARED, ids=str)
def test_the_bound_holds_for_what_is_computed(expr, rng):
    """In float32, operation by operation as it is printed; the truth has 40 digits. Common parts err once."""
    run = eval(
        "lambda x: " + ScalarPrinter("float32").doprint(expr.xreplace({X: sympy.Symbol("x", real=True)})),
        {"real": np.float32, "math": SimpleNamespace(sqrt=np.sqrt)},
    )
    analysis, worst = Analysis(expr, X), 0.0
    for at in rng.uniform(0.1, 8, 60).astype(np.float32).tolist():
        exact = expr.subs(X, sympy.Rational(at)).evalf(40)
        spacing = float(np.spacing(np.float32(abs(float(exact)))))
        found = abs(float(sympy.Float(float(run(np.float32(at))), 40) - exact)) / spacing
        bound = analysis.ulps(Single(at))
        assert found <= bound * 1.001
        worst = max(worst, found / bound)
    assert worst > 0.15  # and it is no idle one


def test_common_parts_err_once():
    """An error of E is worth half of itself in E/(1 + E) next to E = 1, and nothing in E + (1 − E)."""
    e, at = exp(-X), 2.0**-20
    # an ulp of E, a quarter of it in the result (half an ulp there), as much from 1 + E, and the division
    assert 1.4 < Analysis(e / (1 + e), X).ulps(at) < 1.50001
    assert Analysis(quotient(e, 3) * quotient(3, e), X).ulps(1.0) < 3.5


def test_the_cheap_one_of_two_safe_forms_is_taken():
    """tanh(log(1 + e^x)) by logarithm and tanh, or as a fraction in one exponential."""
    (form,) = (find("f", X * tanh(log(1 + exp(X))), X).form,)
    assert form is not None and not any(p.expr.has(tanh, log) for p in form.pieces)
    assert price(sum(p.expr for p in form.pieces)) < price(X * tanh(log(1 + exp(X))))


def test_what_needs_no_form_gets_none():
    assert find("f", X**2 + 1, X).form is None
    assert not find("f", exp(X), X).needed
    assert find("f", tanh(X), X).form is None


def test_that_nothing_was_found_is_said():
    """sin x at its far roots is exact work for the library; sin x + cos x is not, and no rule helps."""
    found = find("f", sympy.sin(X) + sympy.cos(X), X)
    assert found.needed and (found.form is None or found.form.worst > HARD)


def test_waves_that_vanish_twice_are_fractions():
    """1 + sin x is cos² x/(1 − sin x) where it is small; a sine is right to the last digit at its own roots."""
    found = find("f", 1 + sympy.sin(X), X)
    assert found.needed and found.form is not None and found.form.worst <= HARD


@pytest.mark.parametrize("wave", [sympy.sin(30 * X), 1 - sympy.cos(X / 3), 3 * sympy.cos(3 * X)])
def test_waves_know_their_number_to_all_digits(wave):
    """30 x is rounded, and a wave far from 0 is then another one; what is computed takes no product."""
    assert Analysis(wave, X).ulps(2.0**500 - 2.0**448) > 1e6
    found = find("f", wave, X)
    assert found.form is not None and found.form.worst <= HARD
    assert all(p.near or not p.expr.has(sympy.sin, sympy.cos) for p in found.form.pieces)


def test_a_product_overflows_where_its_number_comes_first():
    """1.7 x e⁻ˣ at the largest x: compiled code multiplies from the left."""
    assert Analysis(sympy.Rational(17, 10) * X * exp(-X), X).ulps(1.7e308) == np.inf


def test_polynomials_are_proved_and_a_degree_too_low_is_not(rng):
    made: Any = polynomial(X - tanh(X), X, -0.5, 0.5, sympy.S.Zero, 3, 57)
    assert made.bound < 2.0**-57 and made.order == 3
    with mpmath.workdps(60):
        for at in rng.uniform(-0.5, 0.5, 40):
            t = mpmath.mpf(at)
            value = t**3 * sum(mpmath.mpf(a.p) / a.q * t**k for k, a in enumerate(made.coefficients))
            assert abs(value / (t - mpmath.tanh(t)) - 1) <= made.bound
    # a pole within the interval: nothing can be proved there, and nothing is returned
    assert polynomial(1 / X, X, -0.5, 0.5, sympy.S.Zero, 0, 20) is None
    assert polynomial(sympy.sqrt(X), X, 0.0, 0.5, sympy.Rational(1, 4), 0, 50) is None


def test_roots_and_their_parts():
    root = root_between(exp(X) - 2, X, 0.5, 1.0)
    with mpmath.workdps(50):
        assert abs(mpmath.mpf(root.p) / root.q - mpmath.log(2)) < mpmath.mpf(2) ** -110
    assert abs(sum(parts(root)) - root) < sympy.Rational(1, 2**105)
    for part in parts(root):
        assert sympy.Rational(float(np.float32(float(part)))) == part
    assert root_between(exp(X), X, 0.5, 1.0) is None


def test_where_a_function_fades_into_a_power_of_e():
    """log(1 + E)/β is E/β to the last bit from where E²/2 < 2⁻⁵⁶ E on: for β = 1/10 from x = −55 log(2)/β = −381 on."""
    start, target = fading(10 * log(1 + exp(X / 10)), X, -1, 900.0)
    assert target == scaled_exp(10, X / 10)
    assert 381 < start <= 2**0.5 * 512
    with mpmath.workdps(60):
        at = mpmath.mpf(-start)
        assert abs(10 * mpmath.log1p(mpmath.exp(at / 10)) / (10 * mpmath.exp(at / 10)) - 1) < mpmath.mpf(2) ** -56
    assert fading(10 * log(1 + exp(X / 10)), X, -1, 300.0) is None  # not yet
    assert fading(10 * log(1 + exp(X / 10)), X, 1, 900.0) is None  # grows there
    assert fading(log(2 + exp(X)), X, -1, 900.0) is None  # fades into a number
    assert fading(X * exp(X), X, -1, 900.0) is None  # no function of the power alone
    assert fading(exp(X) / (1 - exp(X) * 2**50), X, -1, 30.0) is None  # a pole at x = −34.7


def test_where_a_function_settles():
    silu = X / (1 + exp(-X))
    start, target = settled(silu, X, 1, 300.0)
    assert target == X and 36 < start < 64  # e^−x below 2^−56
    assert settled(X * exp(X) / (1 + exp(X)), X, -1, 2000.0)[1] == 0
    assert settled(silu, X, 1, 8.0) is None
    assert settled(sympy.sin(X), X, 1, 300.0) is None
