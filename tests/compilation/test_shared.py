"""The product of matrices that programs share: compiled and checked once, then loaded, or built anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import symdl as sd
from symdl.compilation import cache, shared
from symdl.compilation.targets import products
from symdl.errors import CrossCheckError

pytestmark = pytest.mark.skipif(products.tiles("float64") is None, reason="BLAS multiplies on this processor")

SCRIPT = """
import json
import numpy as np
import symdl as sd
from symdl.compilation import shared
built = []
build = shared._built
shared._built = lambda *given: built.append("float64" if "in float64 for" in given[0] else "") or build(*given)
@sd.define
def both(x=sd.Input("n i"), W=sd.Param("k i")):
    (n, i), (k, _) = x.indices, W.indices
    return sd.let("s[n,k]", sd.Sum(x[n, i] * W[k, i], i))
code = sd.compile(both, extents={"n": 33, "i": 20, "k": 18})
rng = np.random.default_rng(4)
found = code(x=rng.normal(size=(33, 20)), W=rng.normal(size=(18, 20)))
print(json.dumps([built, code.from_cache, float(found["s"].sum())]))
"""


def processes(folder: Path, count: int) -> list[Any]:
    """What so many processes, started at once, built, whether they had the program already, and what they found."""
    environment = {**os.environ, cache.VARIABLE: str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    started = [subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE)
               for _ in range(count)]  # fmt: skip
    told = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * count
    return [json.loads(text) for text in told]


def entry_of_product(folder: Path) -> Path:
    (found,) = [p.parent for p in folder.glob("*/program.py") if f"def {products.PRODUCT}(" in p.read_text()]
    return found


def test_processes_that_fill_one_cache_at_once_and_those_after_them(tmp_path: Path) -> None:
    first = processes(tmp_path, 2)
    assert any(built == ["float64"] for built, *_ in first)
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
    second = processes(tmp_path, 1)
    assert second[0][:2] == [[], True]
    code = entry_of_product(tmp_path) / cache.MACHINE
    code.write_bytes(code.read_bytes()[:-1] + b"\1")
    third = processes(tmp_path, 1)
    assert third[0][:2] == [["float64"], True]  # the program is there, and refers to the product by the same symbol
    assert len({total for *_, total in (*first, *second, *third)}) == 1


def test_a_fault_is_refused_before_a_program_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = products.source
    monkeypatch.setattr(products, "source", lambda dtype: written(dtype).replace("*b_inner, b_inner", ", b_inner"))
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    net = sd.sequential(sd.dense(20), sd.dense(18), loss="mse", inputs=19)
    with pytest.raises(CrossCheckError, match="matrix product"):
        sd.compile(net, extents={"n": 33})
    assert not list(tmp_path.iterdir())


def test_without_room_for_packing_it_multiplies_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no memory is left, the left operand is multiplied as it stands; the check reaches that branch."""
    written = products.source
    assert "room = allocated(" in written("float32")
    monkeypatch.setattr(products, "source", lambda dtype: written(dtype).replace("room = allocated(", "room = 0*("))
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert shared.shared_product("float32")
    (entry,) = tmp_path.iterdir()
    assert json.loads((entry / cache.RECORD).read_text())["checked"] == 12
