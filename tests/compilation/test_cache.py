"""The code cache: a second process neither derives nor compiles, and nothing is loaded that does not fit its record."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from symdl.compilation import cache, compile
from symdl.compilation.serialise import canonical
from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.core.definitions import Definition
from symdl.errors import OutputError
from symdl.library.layers import dense, sequential
from symdl.library.optimisers import sgd

SCRIPT = """
import json, sys
import numpy as np
from symdl.library.layers import dense, sequential
from symdl.library.optimisers import sgd
from symdl.compilation import compile
net = sequential(dense(5, "tanh"), dense(3), loss="softmax_cross_entropy", inputs=4)
code = compile(net, optimizer=sgd(0.1), extents={"n": 8})
rng = np.random.default_rng(0)
arrays = {"x": rng.normal(size=(9, 4)), "y": np.eye(3)[rng.integers(0, 3, 9)], "W1": rng.normal(size=(5, 4)),
          "b1": np.zeros(5), "W2": rng.normal(size=(3, 5)), "b2": np.zeros(3)}
done, losses = code.program.run_epoch(arrays, {}, {"lr": 0.1}, np.arange(9), 8, 0)
heavy = sorted({"numba", "scipy", "symdl.compilation.building", "symdl.derivation.derive"} & set(sys.modules))
print(json.dumps({"from_cache": code.from_cache, "path": code.path, "key": code.key, "loss": losses[0],
    "last": losses[-1], "heavy": heavy}))
"""


def run(folder: Path, seed: int = 0) -> dict[str, object]:
    environment = {**os.environ, "SYMDL_CACHE_DIR": str(folder), "PYTHONHASHSEED": str(seed)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_a_second_process_does_not_compile(tmp_path: Path) -> None:
    first, second = run(tmp_path, seed=1), run(tmp_path, seed=2)
    assert not first["from_cache"] and second["from_cache"]
    assert first["key"] == second["key"]
    assert first["heavy"] == ["numba", "scipy", "symdl.compilation.building", "symdl.derivation.derive"]
    assert second["heavy"] == []  # nothing that derives, plans, compiles or checks
    assert (first["loss"], first["last"]) == (second["loss"], second["last"])  # a whole batch, and one of one row


def test_a_changed_file_is_built_anew(tmp_path: Path) -> None:
    first = run(tmp_path)
    path = Path(str(first["path"]))
    path.write_text(path.read_text().replace("= tanh(", "= math.sinh("))
    second = run(tmp_path)
    assert not second["from_cache"]
    assert second["loss"] == first["loss"]
    code = path.parent / cache.MACHINE
    code.write_bytes(code.read_bytes()[:-1] + b"\1")
    assert not run(tmp_path)["from_cache"]
    assert run(tmp_path)["from_cache"]


def test_processes_at_once_leave_one_sound_entry(tmp_path: Path) -> None:
    environment = {**os.environ, "SYMDL_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.DEVNULL)
                 for _ in range(3)]  # fmt: skip
    assert [p.wait() for p in processes] == [0, 0, 0]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    assert run(tmp_path)["from_cache"]


def unit(name: str = "unit") -> Definition:
    @define
    def made(x=Input("n i"), w=Param("i")):
        n, i = x.indices
        s = let("s[n]", Sum(w[i] * x[n, i], i))
        return let("L", mean(s[n] ** 2, n))

    return made.renamed({}, name)


def test_the_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    compile(unit())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    with pytest.raises(OutputError, match="is not private"):
        compile(unit())


def test_an_entry_that_others_may_write_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    first = compile(unit())
    Path(first.path).chmod(0o666)
    assert not compile(unit()).from_cache
    assert compile(unit()).from_cache


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match="cannot use the code cache"):
        compile(unit())


def test_a_broken_record_is_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    code = compile(unit())
    (Path(code.path).parent / cache.RECORD).write_text("[]")
    assert cache.find(code.key) is None
    assert not compile(unit()).from_cache


def test_the_key_depends_on_everything_that_matters() -> None:
    base = compile(unit())
    others = [
        compile(unit("other")),
        compile(unit(), dtype="float32"),
        compile(unit(), wrt="w"),
        compile(unit(), optimizer=sgd(0.1)),
        compile(unit(), extents={"n": 64}),
    ]
    assert len({base.key, *(o.key for o in others)}) == 6
    assert compile(unit(), optimizer=sgd(0.2)).key == compile(unit(), optimizer=sgd(0.1)).key


def test_canonical_text_tells_definitions_apart() -> None:
    nets = [
        sequential(dense(u, a), dense(2), loss=loss) for u in (3, 4) for a in ("tanh", "relu") for loss in ("l1", "l2")
    ]
    assert len({canonical(n) for n in nets}) == len(nets)
