"""Emitted functions as they are translated: what Python itself computes, and what is left to Numba."""

from __future__ import annotations

import ast
import math
import operator
from typing import Any

import numpy as np
import pytest

from symdl.compilation import building
from symdl.compilation.functions import Functions, units_of
from symdl.compilation.helpers import Crew
from symdl.compilation.machine import making
from symdl.compilation.machine.translation import expressions
from symdl.compilation.runtime import load_source
from symdl.core.define import Input, Param, Sum, define, let, mean, tanh
from symdl.errors import CrossCheckError
from symdl.library.optimisers import adam

HEAD = """
import math
import numpy as np
from symdl.compilation.machine.addresses import apart, carray, joined, stack, strand, view
from symdl.compilation.machine.compiling import njit
from symdl.compilation.machine.units import entry_point

real = np.float64
at = np.uint64


@njit(forceinline=True, error_model="numpy")
def split(x, k):
    whole = x//k
    return whole, x - whole*k


@entry_point("int64(int64, float64, float64[:, ::1], float64[::1])")
def f(n, x, a, out):
"""
#: What is written, and what it leaves in `out` for n = 5, x = 0.75 and a of 3 by 4; worked out by Python below.
BODIES = {
    "loops up, down and in steps": """for i in range(2, n): out[0] += i
for i in range(n, -3, -2): out[1] = 10*out[1] + i""",
    "steps that only the call knows": "s = n - 7\nfor i in range(6, 0, s): out[0] = 10*out[0] + i\nout[1] = i",
    "loops that end at once": "out[0] = 2\nfor i in range(3, 3): out[0] = 1\nfor i in range(2, n, -1): out[0] = 1",
    "leaving loops": """k = 0
while True:
    k += 1
    if k % 2: continue
    if k > n: break
    out[0] += k
out[1] = k""",
    "whole numbers below 0": "out[0], out[1] = -n//3, -n % 3\nout[2] = n//-3\nout[3] = n % -3",
    "subscripts from the end": "out[-1] = a[-1, -2]\nout[n - 6] += a[1 - 2, 0]",
    "subscripts without a sign": "k = at(2)\nout[k] = a[at(1), k]",
    "chains and conditions": """out[0] = 1.0 if 0 <= n < 6 and not x > 1.0 or n == 7 else 2.0
out[1] = -x if n != 5 else x""",
    "powers": "out[0] = x**2 + x**5 - x**-3 + x**0\nout[1] = math.sqrt(x) + math.exp(-x) + abs(-x)",
    "several values": "p, q = split(n, 3)\np, q = q, p\nout[0], out[1] = p, 10*q",
    "least and most": "out[0] = min(n, 3) + max(n, 7)*10\nout[1] = min(x, 0.5)",
    "bits": """out[0] = (n << 3 | 2) & 60
out[1] = n >> 1
bad = False
bad |= x > 0.5
out[2] = 3.0 if bad else 4.0""",
    "rows": """b = a[1]
out[0] = b[2]
for row in range(3):
    c = a[row]
    out[1] += c.size*c[row]
out[2] = a.shape[1]""",
}
#: The same where arrays are shaped anew, with what they must leave: a is 0, 1, … 11.
SHAPED = {
    """v = view(out, 1, (2, 2))
w = apart(v)
for i in range(2):
    for j in range(2): w[i, j] = 10*i + j""": [0, 0, 1, 10, 11],
    "j = joined(a, (2, 6))\nout[0] = j[1, 2]\nout[1] = j.shape[0]": [8, 2, 0, 0, 0],
    """p, q = strand(out, 0, 0, 2), strand(out, 0, 1, 2)
for i in range(2):
    p[2*i] += a[i, 0] + 1
    q[2*i + 1] += p[2*i]*2""": [1, 2, 5, 10, 0],
    "s = carray(stack(32), (2, 2), real)\ns[1, 0] = x\nout[2] = s[1, 0]": [0, 0, 0.75, 0, 0],
}
#: What has no place in emitted code so far, and Numba compiles.
OTHERS = {
    "for i, v in enumerate(out): out[i] = v + i": [0, 1, 2, 3, 4],
    "y = 1\nif n > 3: y = 0.5\nout[0] = y": [0.5, 0, 0, 0, 0],
    "b = out\nif n > 3: b = out[1:]\nb[0] = x": [0, 0.75, 0, 0, 0],
    "p = strand(out, 0, 0, 1)\nfor i, v in enumerate(p): p[i] = v + i": [0, 1, 2, 3, 4],
    "out[1:3] = x": [0, 0.75, 0.75, 0, 0],
}


def loaded(body: str) -> dict[str, Any]:
    lines = [*body.split("\n"), "return n"]
    return load_source(HEAD + "".join(f"    {line}\n" for line in lines), "translation.py", "translation")


def run(space: dict[str, Any]) -> list[float]:
    crew, out = Crew([]), np.zeros(5)
    crew.start(("", "", ""), units_of(space))
    assert Functions(space, crew)["f"](5, 0.75, np.arange(12.0).reshape(3, 4), out) == 5
    return list(out.tolist())


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba compiles nothing."""
    monkeypatch.setattr(making, "compile_extra", None)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_it_computes_what_python_does(body: str) -> None:
    out = np.zeros(5)
    names = {"math": math, "at": int, "split": divmod}
    exec(body, {**names, "n": 5, "x": 0.75, "a": np.arange(12.0).reshape(3, 4), "out": out})
    np.testing.assert_allclose(run(loaded(body)), out, rtol=1e-15)
    assert out.any()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("body", "expected"), SHAPED.items())
def test_arrays_take_other_shapes(body: str, expected: list[float]) -> None:
    assert run(loaded(body)) == expected


@pytest.mark.parametrize(("body", "expected"), OTHERS.items())
def test_what_it_does_not_know_is_left_to_numba(
    body: str, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, compiled = [], making.compile_extra
    monkeypatch.setattr(making, "compile_extra", lambda *a, **k: (asked.append(a), compiled(*a, **k))[1])
    assert run(loaded(body)) == expected
    assert len(asked) == 1


@define
def network(x=Input("n i"), t=Input("n"), W=Param("j i"), v=Param("j")):
    (n, i), (j, _) = x.indices, W.indices
    h = let("h[n,j]", tanh(Sum(W[j, i] * x[n, i], i)))
    return let("L", mean((t[n] - Sum(v[j] * h[n, j], j)) ** 2, n))


def built(key: str) -> Any:
    """Anew, whatever the cache has."""
    wanted = building.Wanted(network, ("W", "v"), adam(), "float32", "numba", {})
    return building.built(wanted, key, True, False, False)


def trained(code: Any) -> list[Any]:
    rng = np.random.default_rng(3)
    given = {"x": rng.normal(size=(40, 3)), "t": rng.normal(size=40)}
    parameters = {"W": rng.normal(size=(6, 3)), "v": rng.normal(size=6)}
    arrays = {n: a.astype("float32") for n, a in (given | parameters).items()}
    return [code.epoch(arrays, order=np.arange(40), batch_size=8)[1], arrays["W"], arrays["v"]]


def test_programs_compute_what_numba_makes_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(making, "compile_extra", None)
        translated = trained(built("a" * 64))
    monkeypatch.setattr(making, "_translated", lambda *given: None)
    for found, expected in zip(translated, trained(built("b" * 64)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_wrong_translation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**expressions._BINARY, ast.Sub: operator.add}
    monkeypatch.setattr(expressions, "_BINARY", wrong)
    with pytest.raises(CrossCheckError, match="disagrees with the equations"):
        built("c" * 64)
