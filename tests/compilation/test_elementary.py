"""The elementary functions of the emitted modules: errors in ulps against 50 digits, and every special value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from symdl.compilation.accuracy import ulp
from symdl.compilation.targets import elementary

numba = pytest.importorskip("numba")

#: What the module's docstring promises.
ULPS = {(dtype, name): 1.5 for dtype in ("float64", "float32") for name in ("exp", "tanh")}


def function(dtype: str, name: str) -> Callable[[Any], Any]:
    """The function over an array, compiled as in an emitted module."""
    options = {"error_model": "numpy", "fastmath": {"contract"}}
    space: dict[str, Any] = {"np": np, "math": __import__("math"), "real": getattr(np, dtype)}
    for each, source in elementary.SOURCES[dtype].items():
        exec(source, space)
        space[each] = numba.njit(forceinline=True, **options)(space[each])
    exec("def run(x, y):\n    for i in range(x.size):\n        y[i] = " + name + "(x[i])", space)
    run = numba.njit(**options)(space["run"])

    def call(values: Any) -> Any:
        x = np.array(values, dtype)
        y = np.empty_like(x)
        run(x, y)
        return y

    return call


@pytest.mark.parametrize(("dtype", "name"), ULPS)
def test_errors_in_ulps(dtype: str, name: str, rng: np.random.Generator) -> None:
    limit = 740.0 if dtype == "float64" else 103.0
    x = np.concatenate([rng.normal(size=1500) * s for s in (1e-3, 0.3, 1, 5, 40)] + [rng.uniform(-limit, limit, 1500)])
    x = x.astype(dtype)
    computed, worst = function(dtype, name)(x), 0.0
    with mpmath.workdps(50):
        for at, got in zip(x.tolist(), computed.tolist(), strict=True):
            exact = getattr(mpmath, name)(mpmath.mpf(at))
            if exact > float(np.finfo(dtype).max):
                assert got == np.inf
                continue
            worst = max(worst, float(abs(got - exact) / ulp(exact, dtype)))
    assert worst <= ULPS[dtype, name]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_special_values(dtype: str) -> None:
    exp, tanh = function(dtype, "exp"), function(dtype, "tanh")
    assert exp([0.0, -0.0, np.inf, -np.inf, 1e6, -1e6]).tolist() == [1.0, 1.0, np.inf, 0.0, np.inf, 0.0]
    assert tanh([np.inf, -np.inf, 1e6, -1e6]).tolist() == [1.0, -1.0, 1.0, -1.0]
    assert np.isnan(exp([np.nan]))[0] and np.isnan(tanh([np.nan]))[0]
    zeros = tanh([0.0, -0.0])
    assert (zeros == 0).all() and np.signbit(zeros).tolist() == [False, True]
    tiny = np.finfo(dtype).tiny / 8
    assert tanh([tiny, -tiny]).tolist() == np.array([tiny, -tiny], dtype).tolist()
    below = float(np.log(np.finfo(dtype).tiny)) - 3
    assert 0 < exp([below])[0] < np.finfo(dtype).tiny


def test_only_what_is_called_is_written() -> None:
    assert elementary.used("y = math.sqrt(x)") == []
    assert elementary.used("y = -exp(x)") == ["exp"]
    assert elementary.used("y = 2.0*tanh(x)") == ["exp", "tanh"]
