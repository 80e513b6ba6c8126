"""Long programs as functions of their own: shared between layers that differ in names, and right at their seams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.strict import run_strictly

from symdl.compilation import compile, machine
from symdl.compilation.cache import MACHINE, RECORD, VARIABLE
from symdl.compilation.targets import numba as target
from symdl.compilation.targets.kernels import SUFFIX, Kernels
from symdl.core.builder import Builder, Declared
from symdl.core.define import Sum, mean, tanh
from symdl.core.definitions import Definition
from symdl.core.tensors import Role
from symdl.library.definitions import definition
from symdl.library.optimisers import adam, sgd


def tower(depth: int) -> Definition:
    """Residual layers h ← h + tanh(W·h/√(mean h² + 1)), and a quadratic loss."""
    made = Builder("tower")
    h, y = (made.declare(name, Declared("n i", Role.INPUT)) for name in "xy")
    n, i = h.indices
    for k in range(depth):
        w = made.declare(f"W{k}", Declared("i j", Role.PARAMETER))
        j = w.indices[1]
        q = made.let(f"q{k}[n]", mean(h[n, i] ** 2, i))
        s = made.let(f"s{k}[n,j]", Sum(w[i, j] * h[n, i], i))
        h = made.let(f"h{k}[n,i]", h[n, i] + tanh(Sum(w[i, j] * s[n, j], j) / (q[n] + 1)))
    made.let("L", mean((h[n, i] - y[n, i]) ** 2, n, i))
    return made.build(["L"])


def functions(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.startswith("def ") and "_kernel(" in line]


@pytest.fixture(scope="module")
def compiled():
    return {depth: compile(tower(depth), optimizer=adam(0.1), extents={"n": 64, "i": 64}) for depth in (7, 9)}


def test_layers_of_one_kind_share_their_functions(compiled):
    shallow, deep = (functions(compiled[d].source) for d in (7, 9))
    assert shallow
    assert len(deep) == len(shallow)
    assert compiled[9].source.count("_kernel(") > compiled[7].source.count("_kernel(")


def test_a_long_program_computes_what_pytorch_does(compiled, rng):
    values = {f"W{k}": rng.normal(size=(4, 3)) for k in range(7)}
    x, y = rng.normal(size=(2, 6, 4))
    weights = {n: torch.tensor(v, requires_grad=True) for n, v in values.items()}
    h = torch.tensor(x)
    for w in weights.values():
        h = h + torch.tanh(h @ w @ w.T / ((h**2).mean(1, keepdim=True) + 1))
    loss = ((h - torch.tensor(y)) ** 2).mean()
    loss.backward()
    found = compiled[7].gradient(x=x, y=y, **values)
    np.testing.assert_allclose(found["L"], loss.item(), rtol=1e-13)
    for name, w in weights.items():
        np.testing.assert_allclose(found[name], w.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_callers_refer_to_their_functions_and_do_not_take_them_in(compiled):
    """Otherwise Numba optimises each of them again in every caller."""
    space = compiled[7].program.space.space
    kernels = {n: f for n, f in space.items() if n.endswith(SUFFIX)}
    assert len(kernels) == len(functions(compiled[7].source))
    for caller in ("gradient", "epoch"):
        made = machine.making.compiled(space[caller])
        assert not [name for name in made.defined if name.endswith(SUFFIX)]
        assert {k.symbol for k in kernels.values()} & set(made.needed)


SECOND = """
import numpy as np
from symdl.compilation import compile
from symdl.compilation.targets import numba
from symdl.library.definitions import definition
numba.FEW = 0
code = compile(definition("batch_norm"))
x = np.random.default_rng(5).normal(size=(4, 3))
print(code.from_cache, repr(float(code(x=x, gamma=np.ones(3), beta=np.ones(3), eps=0.1)["y"].sum())))
"""


def test_another_process_loads_them_or_builds_all_anew(tmp_path):
    """Code of callers knows its functions by symbols: one that is missing must not be met at a call."""
    environment = {**os.environ, VARIABLE: str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}

    def run():
        done = subprocess.run([sys.executable, "-c", SECOND], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    first, second = run(), run()
    assert (first[0], second[0]) == ("False", "True")
    entry = next(p for p in tmp_path.iterdir() if not p.name.startswith("."))
    (entry / MACHINE).unlink()
    record = json.loads((entry / RECORD).read_text())
    record["files"] = {n: h for n, h in record["files"].items() if (entry / n).exists()}
    (entry / RECORD).write_text(json.dumps(record))
    third = run()
    assert third[0] == "False"
    assert first[1] == second[1] == third[1]


@pytest.mark.parametrize("layer", ["attention", "lstm", "batch_norm"])
def test_every_program_may_be_cut(layer, monkeypatch, tmp_path):
    """The cross-check refuses what is wrong at a seam."""
    monkeypatch.setattr(target, "FEW", 0)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    code = compile(definition(layer))
    assert functions(code.source)


def test_states_of_all_parameters_stand_in_one_array(compiled):
    """As one step of Adam: m = 0.1 g, v = 0.001 g², whatever they are called and wherever they stand."""
    rng = np.random.default_rng(8)
    arrays = {"x": rng.normal(size=(6, 4)), "y": rng.normal(size=(6, 4))}
    arrays |= {f"W{k}": rng.normal(size=(4, 3)) / 4 for k in range(7)}
    slopes = compiled[7].gradient(**arrays)
    states = {s: np.zeros((4, 3)) for s in compiled[7].program.epoch.states}
    assert len(states) == 14
    compiled[7].epoch(arrays, states, order=np.arange(6), batch_size=6)
    for k in range(7):
        np.testing.assert_allclose(states[f"W{k}", "m"], 0.1 * slopes[f"W{k}"], rtol=1e-12)
        np.testing.assert_allclose(states[f"W{k}", "v"], 0.001 * slopes[f"W{k}"] ** 2, rtol=1e-12)


def test_a_long_program_may_be_trained_without_states(monkeypatch, tmp_path):
    monkeypatch.setattr(target, "FEW", 0)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    code = compile(tower(1), optimizer=sgd(0.5))
    arrays = {"x": np.ones((2, 3)), "y": np.zeros((2, 3)), "W0": np.full((3, 2), 0.1)}
    slope = code.gradient(**arrays)["W0"]
    code.epoch(arrays, order=np.arange(2), batch_size=2)
    np.testing.assert_allclose(arrays["W0"], 0.1 - 0.5 * slope, rtol=1e-13)


def typed(names):
    return {n: "float64[::1]" if n in "abpq" else "float64" for n in names}


def test_names_only_are_what_may_differ():
    made = Kernels()
    first = made.call("a", [], ["for n in range(N):", "    a[n] = b[n]*c"], typed("abcN"))
    same = made.call("p", [], ["for t in range(T):", "    p[t] = q[t]*r"], typed("pqrT"))
    twice = made.call("p", [], ["for t in range(T):", "    p[t] = q[t]*q[t]"], typed("pqrT"))
    number = made.call("s", [], ["for t in range(T):", "    s += q[t]*r"], typed("sqrT"))
    assert (first, same) == (["a_kernel(N, a, b, c)"], ["a_kernel(T, p, q, r)"])
    assert twice == ["p_kernel(T, p, q)"]
    assert number == ["s = s_kernel(T, s, q, r)"]
    assert len(made.sources) == 3


def test_a_number_that_is_set_there_is_not_passed():
    made = Kernels()
    assert made.call("s", [], ["s = q[0]"], typed("sq")) == ["s = s_kernel(q)"]
    assert made.call("t", [], ["t = t + q[0]"], typed("tq")) == ["t = t_kernel(t, q)"]


def test_cut_programs_stay_within_their_arrays(monkeypatch, rng):
    monkeypatch.setattr(target, "FEW", 0)
    net = tower(2)
    arrays = {"x": rng.normal(size=(3, 4)), "y": rng.normal(size=(3, 4))}
    arrays |= {f"W{k}": rng.normal(size=(4, 2)) for k in range(2)}
    h = arrays["x"]
    for k in range(2):
        w = arrays[f"W{k}"]
        h = h + np.tanh(h @ w @ w.T / ((h**2).mean(1, keepdims=True) + 1))
    np.testing.assert_allclose(run_strictly(net, arrays)["L"], ((h - arrays["y"]) ** 2).mean(), rtol=1e-13)
