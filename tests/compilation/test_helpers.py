"""Processes that compile beside this one: the same bytes as without them, and nothing is lost where they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symdl.compilation import compile, helpers, machine, team
from symdl.compilation.cache import MACHINE, VARIABLE
from symdl.compilation.functions import Functions, units_of
from symdl.compilation.helpers import Crew, Helper
from symdl.compilation.runtime import load_source
from symdl.core.define import Input, Param, define, let, mean, tanh
from symdl.errors import DefinitionError

SOURCE = """
import math
from symdl.compilation.machine.compiling import njit
from symdl.compilation.machine.units import entry_point, kernel


@njit(forceinline=True)
def least(x):
    return min(max(x, 0), 3) + math.exp(x)


@kernel("float64(float64[::1], int64)")
def sum_kernel(x, n):
    total = 0.0
    for i in range(n):
        total += least(x[i])
    return total


@entry_point("void(float64[::1], float64[::1])")
def twice(x, out):
    out[0] = 2*sum_kernel(x, x.size)


@entry_point("void(float64[::1], float64[::1])")
def thrice(x, out):
    out[0] = 3*sum_kernel(x, x.size)
"""


def loaded(path: Path, key: str, source: str = SOURCE) -> tuple[tuple[str, str, str], dict[str, Any]]:
    """A module, as source, path and key; and loaded here."""
    path.write_text(source)
    return (source, str(path), key), load_source(source, str(path), key)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def all_by_helpers(crew: Crew) -> None:
    """Wait until nothing is left to do here."""
    until(lambda: not crew._waiting and all(h._doing is None for h in crew._helpers))


def called(functions: Functions) -> list[float]:
    x, out = np.array([0.0, 1.0, 5.0]), np.empty(1)
    found = []
    for name in ("twice", "thrice"):
        functions[name](x, out)
        found.append(float(out[0]))
    return found


#: Σ min(max(x, 0), 3) + eˣ.
SUM = (0 + 1) + (1 + np.e) + (3 + np.e**5)


def test_a_helper_compiles_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, space = loaded(tmp_path / "program.py", "helped")
    with helpers.crew(0) as nobody:
        nobody.start(module, units_of(space))
        alone = Functions(space, nobody)
        np.testing.assert_allclose(called(alone), [2 * SUM, 3 * SUM], rtol=1e-14)
    with helpers.crew(1) as crew:
        crew.start(module, units_of(space))
        all_by_helpers(crew)
        helped = Functions(space, crew)
        with monkeypatch.context() as patch:
            patch.setattr(machine.making, "compiled", None)  # nothing is compiled here
            assert called(helped) == called(alone)
    assert helped.stored() == alone.stored()
    assert [h._process.poll() for h in crew._helpers] != [None]


def test_a_helper_that_ends_or_stops_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, space = loaded(tmp_path / "program.py", "left_alone")
    monkeypatch.setattr(helpers, "PATIENCE", 0.1)
    signals = [signal.SIGTERM, *([signal.SIGSTOP] if hasattr(signal, "SIGSTOP") else [])]
    next_one = Helper._next
    for number in signals:

        def disturbed(helper: Helper, waiting: Any, number: signal.Signals = number) -> str | None:
            os.kill(helper._process.pid, number)  # it will not do what it takes
            return next_one(helper, waiting)

        monkeypatch.setattr(Helper, "_next", disturbed)
        with helpers.crew(1) as crew:
            crew.start(module, units_of(space))
            until(lambda crew=crew: len(crew._waiting) < 3)
            np.testing.assert_allclose(called(Functions(space, crew)), [2 * SUM, 3 * SUM], rtol=1e-14)
        assert crew._helpers[0]._process.returncode is not None


def test_helpers_are_gone_after_an_error(tmp_path: Path) -> None:
    module, space = loaded(tmp_path / "program.py", "untyped", SOURCE.replace("2*sum_kernel", "'2'*sum_kernel"))
    with pytest.raises(Exception, match=r"twice|nopython"), helpers.crew(1) as crew:
        crew.start(module, units_of(space))
        called(Functions(space, crew))
    assert crew._helpers[0]._process.returncode is not None


def test_a_helper_ends_with_whoever_started_it() -> None:
    done = subprocess.run([sys.executable, "-m", "symdl.compilation.helper"], stdin=subprocess.DEVNULL, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    assert done.returncode == 0


@define
def unit(x=Input("n"), y=Input("n"), w=Param()):
    (n,) = x.indices
    return let("L", mean((y[n] - tanh(w * x[n])) ** 2, n))


def test_a_program_is_the_same_with_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    start = Crew.start

    def waiting(crew: Crew, module: tuple[str, str, str], units: dict[str, Any]) -> None:
        start(crew, module, units)
        all_by_helpers(crew) if crew._helpers else None

    monkeypatch.setattr(Crew, "start", waiting)
    for count in ("0", "1"):
        (tmp_path / count).mkdir(mode=0o700)
        monkeypatch.setenv(helpers.VARIABLE, count)
        monkeypatch.setenv(VARIABLE, str(tmp_path / count))
        code = compile(unit, wrt="w", extents={"n": 4})
        assert not code.from_cache
        found.append((Path(code.path).parent / MACHINE).read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "variables, cores, running, expected",
    [
        ({}, 1, 1, 0),
        ({}, 2, 1, 1),
        ({}, 2, 2, 0),
        ({}, 8, 6, 2),
        ({}, 8, 20, 0),
        ({}, 32, 1, helpers.MOST),
        ({"SYMDL_HELPERS": "0"}, 8, 1, 0),
        ({"SYMDL_HELPERS": "2"}, 1, 9, 2),
        ({"OMP_NUM_THREADS": "1"}, 8, 1, 0),
        ({"SYMDL_THREADS": "2", "OMP_NUM_THREADS": "1"}, 8, 1, 1),
    ],
)
def test_there_are_as_many_as_cores_are_idle(
    variables: dict[str, str], cores: int, running: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (helpers.VARIABLE, *team.VARIABLES):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for where, what in ((team, "cores"), (os, "cpu_count")):
        monkeypatch.setattr(where, what, lambda: cores)
    monkeypatch.setattr(helpers, "running", lambda: running)
    assert helpers.count() == expected


def test_this_process_is_among_those_that_run() -> None:
    assert helpers.running() >= 1


def test_what_is_no_number_of_helpers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(helpers.VARIABLE, "many")
    with pytest.raises(DefinitionError, match="SYMDL_HELPERS is 'many'"):
        helpers.count()
