"""`symdl devices`: what there is, and what would make a GPU usable."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import symdl as sd
from symdl.cli import main
from symdl.compilation import cuda_session, devices
from symdl.compilation.cuda_models import Batch
from symdl.errors import BudgetError


def test_every_device_is_listed_with_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("numba: ")
    assert "cuda: " in told


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [d["target"] for d in found] == [d.target for d in sd.devices()]
    assert all(d["usable"] or (d["why"] and d["remedy"]) for d in found)


def test_a_gpu_that_can_not_be_opened_is_listed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise RuntimeError("Error at driver init:\nCUDA driver version is insufficient for CUDA runtime version:")

    monkeypatch.setattr(devices, "numba_cuda", lambda: SimpleNamespace(list_devices=refuse))
    monkeypatch.setattr(devices, "version", lambda name: "0.30")
    assert main(["devices"]) == 0
    told = capsys.readouterr().out
    assert "not usable: CUDA driver version is insufficient" in told
    assert "remedy: update NVIDIA's driver" in told


def test_too_little_memory_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_session, "free_memory", lambda: 2**20)
    made = object.__new__(cuda_session.Session)
    made.program = SimpleNamespace(dtype="float32")  # type: ignore[assignment]
    made.batch = Batch({"w": np.zeros((1000, 8), np.float32)}, {}, {}, {})
    made.plan = SimpleNamespace(kept=16, whole=0, rows=500)  # type: ignore[assignment]
    made.signature = SimpleNamespace(data=("x",), fixed=())  # type: ignore[assignment]
    made.scratch, made.blocks, made.steps = 0, 1, 10
    with pytest.raises(BudgetError, match=r"1000 model\(s\)") as caught:
        made._check_memory({"x": np.zeros((500, 4), np.float32)})
    assert "order 4 MiB" in caught.value.why
    assert "fewer models" in caught.value.remedy
