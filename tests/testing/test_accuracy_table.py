"""derivations/accuracy: every activation is in the table, every line keeps the bound, some are measured again."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symdl as sd
from derivations.accuracy.__main__ import OPTIONS, PAGE, figure, page
from symdl.library.activations import ACTIVATIONS
from symdl.testing.records import LIMIT

ROW = re.compile(r"^\| `([^`]+)`\*? \| (.*) \|$", re.MULTILINE)
#: Another C library and another processor may round a last digit otherwise.
DRIFT = 1.0


def rows() -> dict[str, list[float]]:
    found = {}
    for name, cells in ROW.findall(PAGE.read_text(encoding="utf-8")):
        found[name] = [float(c.split()[0].replace("†", "inf")) for c in cells.split(" | ")]
    return found


def with_options(name: str) -> str:
    return ", ".join([name, *(f"{option}={value}" for option, value in OPTIONS[name].items())])


def test_a_line_of_several_numbers_measured_again(rng: np.random.Generator) -> None:
    found, dtype = rows(), str(rng.choice(["float64", "float32"]))
    name = str(rng.choice(["softmax", "log_softmax", "softmax_cross_entropy", "huber", "dice", "hinge"]))
    for r in sd.sweep(name, points=90, dtypes=[dtype]).require().rows:
        noted = found[name][2 * (dtype == "float32") + (r.part != "value")]
        assert r.worst <= noted + DRIFT, f"{name}, {r.part} in {r.dtype}"


def test_the_table_lists_every_activation_and_keeps_the_bound() -> None:
    found = rows()
    expected = [line for n in sd.swept() for line in (n, *([with_options(n)] if n in OPTIONS else []))]
    assert list(found) == expected, "out of date: python -m derivations.accuracy"
    for name, errors in found.items():
        assert len(errors) == 4 and max(errors) <= LIMIT, name


def test_some_lines_measured_again(rng: np.random.Generator) -> None:
    found = rows()
    for name in rng.choice(list(ACTIVATIONS), 2, replace=False).tolist():
        for r, noted in zip(sd.sweep(name, points=200).rows, found[name], strict=True):
            assert r.passed, r
            assert r.worst <= noted + DRIFT, f"{name}, {r.part} in {r.dtype}"


def test_a_line_beyond_the_bound_would_be_seen(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """The planted fault: an error of 4.1."""
    text = PAGE.read_text(encoding="utf-8")
    (first, *_) = ROW.findall(text)
    planted = tmp_path / "accuracy.md"
    planted.write_text(text.replace(first[1].split()[0], "4.1", 1), encoding="utf-8")
    monkeypatch.setitem(globals(), "PAGE", planted)
    assert max(max(errors, default=0.0) for errors in rows().values()) > LIMIT
    assert figure(4.01) == "4.1" and figure(4.0) == "4.0"
    assert page([]).startswith("# Accuracy")
