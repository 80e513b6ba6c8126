"""Wide numbers against 400 digits, and what is compiled with them: squares that overflow, differences that cancel."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import symdl as sd
from symdl.compilation.targets import wide
from symdl.compilation.targets.numba import APART, EXACTLY
from symdl.core.define import Input, Sum, define, exp, let, sqrt
from symdl.derivation.roots import with_factored_roots
from symdl.testing.conditions import magnitude

ONE_NUMBER = {
    "root": lambda x: mpmath.sqrt(abs(x)),
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "tanh": mpmath.tanh,
    "log": lambda x: mpmath.log(abs(x)),
    "log1p": lambda x: mpmath.log1p(abs(x)),
    "erfc": mpmath.erfc,
}
POSITIVE = ("root", "log", "log1p")
TWO_NUMBERS = {
    "plus": lambda x, y: x + y,
    "times": lambda x, y: x * y,
    "over": lambda x, y: x / y,
    "powered": lambda x, y: abs(x) ** y,
}


@pytest.fixture(scope="module")
def space() -> dict[str, Any]:
    """The functions, and one that calls them all."""
    calls = [f"{n}({'magnitude(a)' if n in POSITIVE else 'a'})" for n in ONE_NUMBER]
    calls += [f"{n}({'magnitude(a)' if n == 'powered' else 'a'}, b)" for n in TWO_NUMBERS]
    every = f"({', '.join(calls)}, total((a, b, minus(a))))"
    test = f"@njit\ndef every(x, y):\n    a, b = wide(x), wide(y)\n    return {every}"
    parts = wide.used(test + "narrow(a)", APART, EXACTLY)
    head = "import math\nimport numpy as np\nfrom numba import njit\nreal = np.float64"
    made: dict[str, Any] = {}
    exec("\n\n\n".join([head, *parts, test]), made)
    return made


def value(number: tuple[float, float, float]) -> Any:
    return (mpmath.mpf(number[0]) + mpmath.mpf(number[1])) * mpmath.mpf(2) ** int(number[2])


def test_wide_numbers_have_twice_the_digits(space: dict[str, Any], rng: np.random.Generator) -> None:
    with mpmath.workdps(400):
        for scale in (1.0, 30.0, 700.0, 1e-3, 1e-16, 1e-300, 1e300):
            for _ in range(4):
                x, y = float(rng.uniform(-1, 1) * scale), float(rng.uniform(-1, 1) * rng.choice([1.0, 30.0, 1e-8]))
                *found, cancelled = space["every"](x, y)
                assert value(cancelled) == y
                exact = [f(mpmath.mpf(x)) if abs(x) < 1e3 or n in POSITIVE else None for n, f in ONE_NUMBER.items()]
                exact += [f(mpmath.mpf(x), mpmath.mpf(y)) for f in TWO_NUMBERS.values()]
                for name, got, truth in zip([*ONE_NUMBER, *TWO_NUMBERS], found, exact, strict=True):
                    assert truth is None or abs(value(got) / truth - 1) < 1e-20, (name, x, y)


def test_ends(space: dict[str, Any]) -> None:
    """Overflow where the value overflows, and only there; NaN where there is no value."""
    wide_of, narrow = space["wide"], space["narrow"]
    assert narrow(space["root"](space["times"](wide_of(1e308), wide_of(1e308)))) == 1e308
    assert narrow(space["exp"](wide_of(1e300))) == math.inf and narrow(space["exp"](wide_of(-1e300))) == 0
    assert narrow(space["log"](space["exp"](wide_of(1e6)))) == 1e6
    assert math.isnan(narrow(space["log"](wide_of(-1.0)))) and narrow(space["log"](wide_of(0.0))) == -math.inf
    assert math.isnan(narrow(space["plus"](wide_of(math.inf), wide_of(-math.inf))))
    assert narrow(wide_of(5e-324)) == 5e-324


@define
def cancelling(t=Input("n"), y=Input("n")):
    (n,) = t.indices
    return let("L[n]", exp(y[n]) - t[n] * exp(y[n]) ** 2 / exp(y[n]))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_difference_keeps_its_digits_where_it_is_asked_for(dtype: Any) -> None:
    """(1 − t) e^y beside t = 1 − 2⁻²³, and e^{2y} that overflows."""
    t, y = np.full(2, 1 - 2.0**-23), np.array([1.0, 80.0 if dtype == "float32" else 600.0])
    code = sd.compile(cancelling, dtype=dtype, careful=True)
    np.testing.assert_allclose(code(t=t, y=y)["L"], 2.0**-23 * np.exp(y), rtol=4 * np.finfo(dtype).eps)
    assert "wide(t[n])" in code.source and "wide(" not in sd.compile(cancelling, dtype=dtype).source


def test_definitions_ask_for_it_and_callers_decide() -> None:
    loss = sd.definition("triplet_margin", reduction="none", margin=1)
    assert loss.careful and sd.definition("triplet_margin").at(d=3).careful and not sd.definition("l2").careful
    far = {"a": [[1e200, 0.0]], "p": [[0.0, 3.0]], "q": [[0.0, 1.0]]}
    assert sd.compile(loss)(**far)["L"] == [1.0]
    assert not np.isfinite(sd.compile(loss, careful=False)(**far)["L"]).all()
    assert not sd.loss("mine", lambda t, y: (t - y) ** 2).careful
    assert sd.loss("mine", lambda t, y: (t - y) ** 2, careful=True).definition().careful


@define
def apart(a=Input("n d"), p=Input("n d"), q=Input("n d")):
    n, d = a.indices
    return let("R[n]", Sum((a[n, d] - p[n, d]) ** 2, d) - Sum((a[n, d] - q[n, d]) ** 2, d))


def test_factored_roots_are_the_difference() -> None:
    """Proved in two steps: R = A² − B², and (A² − B²)/(A + B) = A − B; and the whole at 120 points."""
    triplet = sd.definition("triplet_margin", reduction="none", margin=1)
    factored = with_factored_roots(triplet)
    assert sd.equal(factored, triplet).status == "consistent"

    @define
    def nearer(a=Input("n d"), p=Input("n d"), q=Input("n d")):
        n, d = a.indices
        first, other = (let(f"{m}[n]", sqrt(Sum((a[n, d] - x[n, d]) ** 2, d))) for m, x in (("A", p), ("B", q)))
        return let("L[n]", first[n] - other[n])

    rest = with_factored_roots(nearer).only(["R"])
    assert sd.equal(rest, apart).require().status == "proved"
    x, y = sympy.symbols("x y", positive=True)
    assert sympy.cancel((x**2 - y**2) / (x + y) - (x - y)) == 0


def test_the_terms_of_a_difference() -> None:
    x, y = sympy.symbols("x y", real=True)
    assert magnitude(x**2 - 3 * y).subs({x: 2, y: -1}) == 7
