"""sin kx and cos kx of emitted modules, against mpmath with as many digits as whole turns take."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from symdl.compilation.accuracy import ulp
from symdl.compilation.targets import waves

numba = pytest.importorskip("numba")

CONSTANTS = (sympy.Integer(30), sympy.Rational(3, 10), sympy.sqrt(2))


def compiled(k: sympy.Expr, dtype: str) -> Any:
    """Both functions over an array, compiled as in an emitted module."""
    space: dict[str, Any] = {"np": np, "math": math, "real": getattr(np, dtype)}
    for name, source in waves.used("wave(", dtype).items():
        exec(source, space)
        space[name] = numba.njit(error_model="numpy")(space[name])
    lines = [f"        {out}[i] = wave(x[i], {waves.arguments(k, dtype)}, {j})" for j, out in enumerate("yz")]
    exec("\n".join(["def run(x, y, z):", "    for i in range(x.size):", *lines]), space)
    run = numba.njit(error_model="numpy")(space["run"])

    def call(x: Any) -> tuple[Any, Any]:
        y, z = np.empty_like(x), np.empty_like(x)
        run(x, y, z)
        return y, z

    return call


def worst(k: sympy.Expr, x: Any, found: tuple[Any, Any]) -> float:
    """The largest error of both in ulps."""
    errors = [0.0]
    with mpmath.workprec(2600):
        factor = k.evalf(790)._to_mpmath(2600)
        for at, *got in zip(x.tolist(), *(f.tolist() for f in found), strict=True):
            for value, function in zip(got, (mpmath.sin, mpmath.cos), strict=True):
                exact = function(factor * mpmath.mpf(at))
                errors.append(float(abs(value - exact) / ulp(exact, str(x.dtype))) if exact else abs(value))
    return max(errors)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("k", CONSTANTS, ids=str)
def test_errors_over_all_numbers_and_next_to_roots(k: sympy.Expr, dtype: str, rng: np.random.Generator) -> None:
    largest = float(np.finfo(dtype).max)
    top = math.log2(largest) - 1e-9
    sizes = 2.0 ** rng.uniform(-top, top, 150) * rng.choice([-1, 1], 150)
    roots = [j * math.pi / 2 / float(k) for j in [*range(-40, 40), *(7 * 2**e for e in range(0, 90, 3))]]
    ends = [0.0, 5e-324, 2.0**-149, 1e-310, largest, -largest, largest / 2]
    x = np.array([*sizes, *rng.normal(size=60), *roots, *ends], dtype)
    assert worst(k, x, compiled(k, dtype)(x)) <= 1.2


def test_ends_and_signs() -> None:
    sine, cosine = compiled(sympy.Integer(3), "float64")(np.array([-0.0, 0.0, math.inf, -math.inf, math.nan]))
    assert np.signbit(sine[:2]).tolist() == [True, False] and cosine[:2].tolist() == [1.0, 1.0]
    assert np.isnan(sine[2:]).all() and np.isnan(cosine[2:]).all()


def test_digits_of_the_constant_count(rng: np.random.Generator) -> None:
    """With the words of another constant a large number has another sine: the check above can fail."""
    x = np.array([1e300])
    assert worst(sympy.Integer(30), x, compiled(sympy.Rational("30.0000000000000000001"), "float64")(x)) > 1e6
