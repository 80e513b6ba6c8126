"""The elementary functions of the emitted modules: errors in ulps against 50 digits, and every special value."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import mpmath
import numpy as np
import pytest

import symdl as sd
from symdl.compilation.accuracy import ulp
from symdl.compilation.targets import compensated, helpers

numba = pytest.importorskip("numba")

#: What the docstrings of the modules promise.
LIMITS = {
    "exp": 1.5,
    "tanh": 1.5,
    "log": 1.5,
    "log1p": 1.5,
    "expm1": 2.0,
    "sech2": 3.5,
    "erf": 2.5,
    "erfc": 3.5,
    "erfcx": 3.0,
}
#: Exact values; beyond 1e3 the scaled function's series, whose second term is the last that matters.
EXACT = {
    **{name: getattr(mpmath, name) for name in LIMITS if name not in ("erfcx", "sech2")},
    "sech2": lambda x: mpmath.sech(x) ** 2,
    "erfcx": lambda x: (
        mpmath.exp(x * x) * mpmath.erfc(x)
        if x < 1e3
        else (1 - 1 / (2 * x**2) + 3 / (4 * x**4)) / (x * mpmath.sqrt(mpmath.pi))
    ),
}


def function(dtype: str, name: str, portable: bool = False) -> Callable[[Any], Any]:
    """The function over an array, compiled as in an emitted module, for this processor or for any."""
    run = compiled(dtype, name, portable)

    def call(values: Any) -> Any:
        x = np.array(values, dtype)
        y = np.empty_like(x)
        run(x, y)
        return y

    return call


@cache
def compiled(dtype: str, name: str, portable: bool = False) -> Any:
    sources = helpers.SOURCES[dtype] if portable else helpers.for_processor(dtype)
    options = {"error_model": "numpy", "fastmath": {"contract"}}
    space: dict[str, Any] = {"np": np, "math": __import__("math"), "real": getattr(np, dtype)}
    space |= {
        each: getattr(import_module(f"symdl.compilation.machine.{where}"), each)
        for each, where in helpers.MACHINE.items()
    }
    for each in helpers.used(f"{name}("):
        exec(sources[each], space)
        exact = each in compensated.EXACT
        space[each] = numba.njit(forceinline=True, **({"error_model": "numpy"} if exact else options))(space[each])
    exec("def run(x, y):\n    for i in range(x.size):\n        y[i] = " + name + "(x[i])", space)
    return numba.njit(**options)(space["run"])


@pytest.mark.parametrize(
    ("name", "portable"), [*((name, False) for name in LIMITS), ("exp", True), ("expm1", True), ("erfc", True)]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_errors_in_ulps(dtype: str, name: str, portable: bool, rng: np.random.Generator) -> None:
    limit = 740.0 if dtype == "float64" else 103.0
    info = np.finfo(dtype)
    spread = np.exp2(rng.uniform(np.log2(float(info.smallest_subnormal)), np.log2(float(info.max)) - 0.1, 1000))
    x = np.concatenate([rng.normal(size=1000) * s for s in (1e-3, 0.3, 1, 5, 40)] + [rng.uniform(-limit, limit, 1000)])
    x = np.concatenate([x, spread, -spread, 1 + 0.1 * x[:500], -1 + x[:500]]).astype(dtype)
    if name in ("log", "erfcx"):
        x = abs(x)
    if name == "log1p":
        x = x[x > -1]
    if name in ("exp", "expm1", "tanh", "sech2", "erf", "erfc"):
        x = np.clip(x, -1e3, 1e3)  # beyond, 50 digits take long; see the special values
    computed, worst = function(dtype, name, portable)(x), 0.0
    with mpmath.workdps(50):
        for at, got in zip(x.tolist(), computed.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpf(at))
            if abs(exact) > float(info.max):
                assert got == np.inf
                continue
            worst = max(worst, float(abs(got - exact) / ulp(exact, dtype)))
    assert worst <= LIMITS[name], f"{worst:.3f} ulps"


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loop_over_numbers_is_compiled_to_vectors(dtype: str, name: str) -> None:
    import llvmlite.binding as llvm

    run = compiled(dtype, name)
    run(np.ones(3, dtype), np.ones(3, dtype))
    (text,) = run.inspect_llvm().values()
    if "vector.body" not in text and not llvm.get_host_cpu_features().get("avx512dq"):
        pytest.skip("this processor has no vectors of 64-bit integers")
    assert "vector.body" in text


@pytest.mark.parametrize("name", ["mish", "gelu", "silu"])
def test_activations_with_many_pieces_are_compiled_to_vectors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value and slope in one loop, all pieces at once."""
    import llvmlite.binding as llvm

    from symdl.compilation.machine import making

    x, up = sd.Input("n"), sd.Input("n")

    @sd.define
    def applied(x: Any = x, up: Any = up) -> Any:
        (n,) = x.indices
        return sd.let("L", sd.Sum(up[n] * sd.activation(name)(x[n]), n))

    code = sd.compile(applied, wrt="x", dtype="float32")
    space: dict[str, Any] = {}
    exec(compile(code.source, "<emitted>", "exec"), space)
    texts, made = [], making._Library.made
    monkeypatch.setattr(making._Library, "made", lambda self: (made(self), texts.append(str(self._final_module)))[0])
    making.compiled(space["gradient"])
    (text,) = texts
    if "vector.body" not in text and not llvm.get_host_cpu_features().get("avx512dq"):
        pytest.skip("this processor has no vectors of 64-bit integers")
    assert "vector.body" in text


def same_number(got: Any, wanted: Any) -> None:
    """The same up to a rounding, the signs of zeros and what is no number included."""
    if np.isnan(wanted):
        assert np.isnan(got)
    elif np.isinf(wanted) or wanted == 0:
        assert got == wanted and np.signbit(got) == np.signbit(wanted)
    else:
        assert abs(float(got) - float(wanted)) <= 1e-6 * abs(float(wanted))


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
    limits = [0.0, -0.0, np.inf, -np.inf, np.nan]
    known = {"log1p": np.log1p, "expm1": np.expm1, "log": np.log}
    with np.errstate(all="ignore"):
        for name, of_numpy in known.items():
            at = np.array([*limits, -1, -2, tiny], dtype)
            for got, wanted in zip(function(dtype, name)(at), of_numpy(at), strict=True):
                same_number(got, wanted)
    for name in ("erf", "erfc"):
        for got, at in zip(function(dtype, name)(limits), limits, strict=True):
            same_number(got, getattr(math, name)(at))
    assert function(dtype, "erfcx")([0.0, np.inf]).tolist() == [1.0, 0.0]
    below = float(np.log(np.finfo(dtype).tiny)) - 3
    assert 0 < exp([below])[0] < np.finfo(dtype).tiny


def test_only_what_is_called_is_written() -> None:
    assert helpers.used("y = math.sqrt(x)") == []
    assert helpers.used("y = -exp(x)") == ["exp_core", "raised", "exp"]
    assert helpers.used("y = 2.0*tanh(x)") == ["exp_core", "raised", "twice_gap", "tanh"]
