"""`symdl devices`: what there is, and what would make a GPU usable."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

import symdl as sd
from symdl.cli import main
from symdl.compilation import cuda_feed, devices
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
    monkeypatch.setattr(cuda_feed, "free_memory", lambda: 2**20)
    needs = cuda_feed.Needs(1000, {"models": 64_000}, row=16, stored=500, order=500_000, entries=2000)
    with pytest.raises(BudgetError, match=r"1000 model\(s\)") as caught:
        needs.chunk(50, streams=False)
    assert "order 3.8 MiB" in caught.value.why
    assert "fewer models" in caught.value.remedy
