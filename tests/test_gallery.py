"""derivations/ is what its sources say, down to the letter."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

spec = importlib.util.spec_from_file_location("derivations_generate", ROOT / "derivations" / "generate.py")
assert spec and spec.loader
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


@pytest.mark.parametrize("source", generate.sources(), ids=lambda path: path.parent.name)
def test_entry_is_up_to_date(source):
    for path, text in generate.texts(source).items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: make gallery"
