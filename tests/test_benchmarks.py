"""The page that `make bench` writes its figures into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.workloads import page
from symdl.errors import DataError


def results(median: float) -> dict[str, Any]:
    """A run with one workload, in which symdl loses to one peer and wins against another."""
    times = {"median": median, "least": 0.5 * median, "most": 2.0 * median}
    peers = {"JAX scan": {k: 0.5 * v for k, v in times.items()}, "NumPy 1T": {k: 30 * v for k, v in times.items()}}
    found = {
        "workload": "W1",
        "dtype": "float32",
        "microseconds": {"symdl": times, **peers},
        "best_peer": "JAX scan",
        "ratio": 0.5,
        "ratio_of_least": 0.5,
        "compile_seconds": 2.46,
        "counts": {"operations": 860, "moved": 4610},
        "roofline": {"of_peak": 0.02, "of_copy": 0.47},
    }
    machine = {"time": "2026-11-26 15:27 UTC", "processor": "a processor", "usable_cores": 2, "python": "3.11.7"}
    return {"machine": machine | {"packages": {"jax": "0.10"}, "load": (0.9, 1.0, 1.0)}, "found": [found]}


def test_figures_take_the_place_of_those_of_the_last_run(tmp_path: Path) -> None:
    made = tmp_path / "speed.md"
    made.write_text(f"before\n{page.BEGIN}\nan earlier run\n{page.END}\nafter\n", encoding="utf-8")
    page.replaced(made, results(0.2))
    page.replaced(made, results(0.1))
    text = made.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "an earlier run" not in text
    assert "| W1 | 0.100 (0.0500 to 0.200) | JAX scan | 0.0500 (0.0250 to 0.100) | 0.50 | 0.50 |" in text
    assert "0.200 (0.100" not in text
    assert "<svg" in (tmp_path / page.PICTURE).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["nothing", page.BEGIN, f"{page.END} {page.BEGIN}", 2 * (page.BEGIN + page.END)])
def test_a_page_without_a_place_stays_as_it_is(tmp_path: Path, text: str) -> None:
    made = tmp_path / "speed.md"
    made.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="no place for figures"):
        page.replaced(made, results(0.1))
    assert made.read_text(encoding="utf-8") == text
    assert not (tmp_path / page.PICTURE).exists()
