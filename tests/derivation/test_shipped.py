"""The forms that come with the package are those that a search finds, and count only for the search that found them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy

from derivations.forms import Found, asked_of
from symdl.derivation.accurate import kept, shipped
from symdl.derivation.accurate.calls import value_search
from symdl.derivation.accurate.forms import find
from symdl.derivation.accurate.shipped import Shipped
from symdl.library.activations import ACTIVATIONS

X = sympy.Symbol("x", real=True)


class Watched(Found):
    """What comes with the package, and what was searched for beside it."""

    def get(self, key: str, default: str | None = None) -> str | None:
        return Shipped().get(key)


def test_nothing_of_the_library_is_searched_for() -> None:
    beside = Watched()
    asked_of(beside)
    assert not beside, "out of date: python -m derivations.forms"


def test_a_search_finds_what_is_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """silu: the form and how it was found, once from the file and once by searching."""
    asked = []
    monkeypatch.setattr(kept, "find", lambda name, *rest: asked.append(name) or find(name, *rest))
    found = []
    for shelf in (Shipped(), Found()):
        with kept.kept_on(shelf):
            found.append(value_search.__wrapped__(ACTIVATIONS["silu"](X).func))
    assert found[0].form is not None
    assert found[0] == found[1]
    assert asked == ["silu"]


def test_other_sources_have_no_forms_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: a file that was made with another search."""
    data = json.loads(shipped.FILE.read_text(encoding="utf-8"))
    key, *_ = data["found"]
    assert Shipped().get(key) == data["found"][key]
    planted = tmp_path / "shipped.json"
    planted.write_text(json.dumps({**data, "made_with": "another search"}), encoding="utf-8")
    monkeypatch.setattr(shipped, "FILE", planted)
    assert Shipped().get(key) is None


def test_nothing_is_shipped_where_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "FILE", tmp_path / "none.json")
    assert Shipped().get("any") is None
