"""Forms that were found stay in the code cache: found once for a function, told apart from others, checked as ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sympy
from sympy.codegen import cfunctions

from symdl.compilation import cache, compile
from symdl.compilation.searches import FOUND, Searches
from symdl.core.define import Input, define, let
from symdl.core.functions import scalar_function
from symdl.derivation.accurate import forms, kept
from symdl.derivation.accurate.records import Form, Piece, Search
from symdl.derivation.accurate.written import UnwritableError, read, request, written
from symdl.errors import CrossCheckError

X = sympy.Symbol("x", real=True)
SUM = sympy.log(1 + sympy.exp(X))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the functions whose forms were searched for; searches in the scope of the test are kept."""
    names: list[str] = []

    def counted(name: str, *rest: Any) -> Search:
        names.append(name)
        return forms.find(name, *rest)

    monkeypatch.setattr(kept, "find", counted)
    with kept.kept_on(Searches()):
        yield names


def search(name: str = "sum", definition: sympy.Expr = SUM) -> Search:
    return kept.searched(name, definition, X, [definition])


def test_what_was_found_is_not_searched_for_again(folder: Path, asked: list[str]) -> None:
    first, second = search(), search()
    assert asked == ["sum"]
    assert first == second
    assert first.form is not None
    assert [p.expr for p in first.form.pieces] == [
        cfunctions.log1p(sympy.exp(X)), X + cfunctions.log1p(sympy.exp(-X)),
    ]  # fmt: skip
    assert [entry.name for entry in folder.glob("*/*.json")].count(FOUND) == 1


def test_functions_of_one_name_are_told_apart(folder: Path, asked: list[str]) -> None:
    """By what they are, and by what they call: of two authors' functions both may be called `inner`."""
    inner = [scalar_function("inner", lambda x, k=k: sympy.log(1 + sympy.exp(k * x))) for k in (1, 2)]
    search("sum", SUM)
    search("sum", sympy.log(1 + sympy.exp(2 * X)))
    assert asked == ["sum", "sum"]
    requests = {request("outer", inner[k](X) + 1, []) for k in (0, 1)}
    assert len(requests) == 2
    assert request("outer", inner[0](X), []) != request("other", inner[0](X), [])


def test_what_keeps_its_digits_is_not_written(folder: Path, asked: list[str]) -> None:
    assert search("square", X**2).form is None
    assert not list(folder.glob(f"*/{FOUND}"))


def test_a_changed_file_is_no_entry(folder: Path, asked: list[str]) -> None:
    first = search()
    (file,) = folder.glob(f"*/{FOUND}")
    file.write_text(file.read_text().replace("log1p", "expm1"))
    assert search() == first
    assert asked == ["sum", "sum"]


def test_numbers_and_expressions_are_read_as_they_were_written() -> None:
    root = sympy.sqrt(2) / sympy.pi * sympy.exp(-(X**2) / 3) + sympy.E
    pieces = (Piece(float("-inf"), 0.1, root), Piece(0.1, float("inf"), X))
    found = Search(float("inf"), -0.3, Form("f", X, pieces, ((0.1, sympy.Rational(1, 3)),), 2.5, 1e-300, ((0.1, 3.0),)))
    assert read(written(found), X) == found


def test_a_function_without_a_name_there_is_not_written() -> None:
    with pytest.raises(UnwritableError, match="gamma"):
        written(Search(20.0, 1.0, Form("f", X, (Piece(0.0, 1.0, sympy.gamma(X)),), (), 1.0, 1.0)))


def test_a_wrong_form_in_the_cache_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is data like any other: what is computed by it is compared with the definition."""
    naive: Any = scalar_function("naive", lambda x: sympy.log(1 + sympy.exp(x)))

    @define
    def applied(x=Input("n")):  # type: ignore[no-untyped-def]
        return let("y[n]", naive(x[x.indices[0]]))

    def wrong(self: Searches, key: str) -> str:
        form = Form("naive", X, (Piece(float("-inf"), float("inf"), sympy.exp(X)),), (), 1.0, 0.0)
        return written(Search(20.0, 1.0, form))

    monkeypatch.setattr(Searches, "get", wrong)
    with pytest.raises(CrossCheckError):
        compile(applied)
