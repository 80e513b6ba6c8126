"""Large products that several threads compute: the same bits, whoever comes, and after a fork as before it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.routines import called_from_c
from support.threads import two_threads as two_threads

import symdl as sd
from symdl.compilation import shared, team
from symdl.compilation.crosscheck_products import check_sharing, large
from symdl.compilation.runtime import load_source
from symdl.compilation.targets import teams
from symdl.compilation.targets.products import PRODUCT, Tiles, tiles
from symdl.compilation.targets.teams import SERVE, SHARE, SLEEPING, THREADS
from symdl.core.definitions import Definition
from symdl.errors import CrossCheckError, DefinitionError

pytestmark = pytest.mark.skipif(
    tiles("float32") is None or not teams.shares(), reason="products are not shared on this system"
)
ROWS, INPUTS, UNITS = 96, 100, 130


def network() -> Definition:
    return sd.sequential(sd.dense(UNITS, "relu"), sd.dense(3), loss="mse", inputs=INPUTS)


def trained(code: Any, rng: np.random.Generator) -> dict[str, Any]:
    shapes = {"x": (3 * ROWS, INPUTS), "y": (3 * ROWS, 3), "W1": (UNITS, INPUTS), "b1": (UNITS,)}
    shapes |= {"W2": (3, UNITS), "b2": (3,)}
    arrays = {n: rng.normal(size=s).astype("float32") / 8 for n, s in shapes.items()}
    _, losses = code.epoch(arrays, order=np.arange(3 * ROWS), batch_size=ROWS)
    return {**arrays, "losses": losses}


def test_two_threads_give_the_bits_of_one(two_threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    code = sd.compile(network(), optimizer=sd.sgd(0.1), dtype="float32", extents={"n": ROWS})
    assert f"{teams.SHARING}(" in code.source
    found = [trained(code, np.random.default_rng(5)) for _ in range(3)]
    assert any(made._word(THREADS).value == 2 for made in team._TEAMS.values())
    for made in team._TEAMS.values():
        made.stop()
    monkeypatch.setenv(team.VARIABLES[0], "1")
    wanted = trained(code, np.random.default_rng(5))
    assert not any(made.ended for made in team._TEAMS.values())
    for name, value in wanted.items():
        assert all(f[name].tobytes() == value.tobytes() for f in found), name


def test_callers_at_once_do_not_wait_for_each_other(two_threads: None) -> None:
    """Whoever finds the team busy computes alone; with threads of one's own nobody is asked."""
    code = sd.compile(network(), optimizer=sd.sgd(0.1), dtype="float32", extents={"n": ROWS})
    wanted = trained(code, np.random.default_rng(6))
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: trained(code, np.random.default_rng(6)), range(12)):
            assert all(found[n].tobytes() == wanted[n].tobytes() for n in wanted)
    with team.alone():
        assert all(made._word(THREADS).value == 1 for made in team._TEAMS.values())
        found = trained(code, np.random.default_rng(6))
        assert all(made._word(THREADS).value == 1 for made in team._TEAMS.values())
    assert all(found[n].tobytes() == wanted[n].tobytes() for n in wanted)


def test_idle_threads_sleep(two_threads: None) -> None:
    for dtype in ("float32", "float64"):
        shared.team_product(dtype)
    team.expect()
    polls = 0
    while not all(made._word(SLEEPING).value for made in team._TEAMS.values()) and polls < 10**7:
        os.sched_yield()
        polls += 1
    assert all(made._word(SLEEPING).value == 1 for made in team._TEAMS.values())


FORKED = """
import os, sys
sys.path[:0] = [PATH, PATH + "/tests"]
from compilation.test_teams import ROWS, network, trained
import numpy as np, symdl as sd
from symdl.compilation import team
from symdl.compilation.targets.teams import THREADS
code = sd.compile(network(), optimizer=sd.sgd(0.1), dtype="float32", extents={"n": ROWS})
first = trained(code, np.random.default_rng(7))
(made,) = team._TEAMS.values()
assert made._word(THREADS).value == 2
child = os.fork()
if not child:
    assert made._word(THREADS).value == 1 and not made.ended
second = trained(code, np.random.default_rng(7))
assert made._word(THREADS).value == 2
same = all(first[n].tobytes() == second[n].tobytes() for n in first)
if not child:
    os._exit(0 if same else 1)
assert same and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("both")
"""


def test_a_forked_process_starts_its_own(cache_dir: Path) -> None:
    """And a process ends while its threads wait for work."""
    script = FORKED.replace("PATH", repr(str(Path(__file__).parents[2])))
    environment = {**os.environ, team.VARIABLES[0]: "2", "SYMDL_CACHE_DIR": str(cache_dir)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "both\n"), done.stderr


def test_the_number_of_threads_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in team.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5})
    assert team.threads() == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    assert team.threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert team.threads() == 3
    monkeypatch.setenv("SYMDL_THREADS", "1")
    assert team.threads() == 1
    monkeypatch.setenv("SYMDL_THREADS", "many")
    with pytest.raises(DefinitionError, match="SYMDL_THREADS is 'many'"):
        team.threads()


@pytest.mark.parametrize("made", [Tiles(16, 8), Tiles(8, 8), Tiles(8, 4), Tiles(4, 4), Tiles(2, 8)])
def test_what_is_checked_is_large_enough_to_be_shared(made: Tiles) -> None:
    for dtype in ("float32", "float64"):
        assert all(np.prod(sizes) >= teams.LARGE for sizes in large(made, dtype))


def loaded(folder: Path, change: Callable[[str], str]) -> dict[str, Any]:
    source = teams.source("float32", shared.symbol_of("shared_product", "float32"))
    assert change(source) != source
    path = folder / "program.py"
    path.write_text(change(source))
    return called_from_c(load_source(change(source), str(path), f"test_team_{folder.name}"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("return first, min(first + step, size)", "return first, min(first + step, size - 1)"),
        ("number % threads*(parts//threads) + number//threads", "number % threads*(parts//threads)"),
        ("called(code, given, number, parts)\n", "pass\n"),
        ("a, c, rows = a + first*a_row,", "a, c, rows = a,"),
        ("b, c, columns = b + first*b_column,", "b, c, columns = b,"),
        ("rows*columns*inner >= 524288", "rows*columns*inner >= 1 << 21"),
        ("if number >= parts:", "if number >= parts - 1:\n            added(team + 128, 1)"),
    ],
)
def test_a_planted_fault_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    space = loaded(tmp_path, lambda source: source.replace(right, wrong))
    with pytest.raises(CrossCheckError, match=r"matrix product|not shared|parts"):
        check_sharing(*(space[n] for n in (SERVE, PRODUCT, SHARE)), "float32")
