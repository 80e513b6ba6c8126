"""Machine code that is linked again: nothing is linked that refers to what nobody has, and Numba loads it otherwise."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from symdl.compilation import compile, machine
from symdl.compilation.cache import VARIABLE
from symdl.compilation.objects import DATA, LENGTHS, Linker
from symdl.core.define import Input, Param, Sum, define, let, mean
from symdl.library.optimisers import adam


@define
def fitted(x=Input("n i"), y=Input("n"), w=Param("i"), b=Param()):
    n, i = x.indices
    return let("L", mean((y[n] - Sum(w[i] * x[n, i], i) - b) ** 2, n))


def test_arrays_are_laid_out_as_entries_read_them(rng: np.random.Generator) -> None:
    array = rng.normal(size=(3, 5, 7))
    assert ctypes.c_int64.from_address(id(array) + DATA).value == array.ctypes.data
    lengths = ctypes.c_int64.from_address(id(array) + LENGTHS).value
    assert tuple((ctypes.c_int64 * 3).from_address(lengths)) == array.shape


def test_symbols_that_nothing_has_are_told() -> None:
    linker = Linker()
    assert linker.missing(["memset", "symdl_no_such_symbol", "PyErr_Clear"]) == ["symdl_no_such_symbol"]


def test_what_runs_is_what_is_kept_however_it_is_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """The same bits just compiled, linked again, linked once Numba has told what it has, and compiled anew."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    x, y = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    prepared: list[bool] = []
    lacking: list[str] = []  # what each question for missing symbols finds
    missing = Linker.missing

    def asked(linker: Linker, symbols: Iterable[str]) -> list[str]:
        return [lacking.pop()] if lacking else missing(linker, symbols)

    monkeypatch.setattr(machine.entries, "prepare", lambda: prepared.append(True))
    monkeypatch.setattr(Linker, "missing", asked)
    found = []
    for times, known in [(0, False), (0, True), (1, True), (2, False)]:
        lacking += ["symdl_no_such_symbol"] * times
        code = compile(fitted, optimizer=adam(0.1), dtype="float32")
        arrays = {"x": x, "y": y, "w": np.zeros(3, np.float32), "b": np.zeros((), np.float32)}
        steps, losses = code.epoch(arrays, order=np.arange(10)[::2] // 2, batch_size=2)
        made = code.gradient(**arrays)
        found.append([steps, *losses.tolist(), *made["w"].tolist(), float(made["b"])])
        assert code.from_cache == known
    assert found[0] == found[1] == found[2] == found[3]
    assert len(prepared) == 2
