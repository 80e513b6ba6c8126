"""Files: notebooks, what is no document, places of spans in the text, and texts that nobody meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings, strategies as st
from support.clocks import processor_seconds

from symdl.errors import DataError
from symdl.verification.documents import Document, assembling, read, read_text
from symdl.verification.documents.spans import DocumentKind
from symdl.verification.documents.values import stated


def test_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# One\n", "with $\\newcommand{\\g}{\\gamma} \\g = 2$"]},
        {"cell_type": "code", "source": "x = '$no$'"},
        {"cell_type": "raw", "source": "$no$"},
        {"cell_type": "markdown", "source": "## Two\r\n\r\n$$\r\na = \\g\r\n$$"},
        {"cell_type": "markdown", "source": "# Three\n<!-- symdl: x -->"},
    ]
    document = read_text(json.dumps({"cells": cells, "nbformat": 4}), "notebook", "n.ipynb")
    assert [(s.cell, s.line, s.column, s.section, s.latex) for s in document.spans] == [
        (1, 2, 7, (1,), r"\gamma = 2"),
        (4, 4, 1, (1, 1), r"a = \gamma"),
    ]
    assert [(p.position, p.section) for p in document.pragmas] == [((5, 2, 1), (2,))]
    assert [s.title for s in document.sections] == ["One", "Two", "Three"]


def test_notebook_of_format_3() -> None:
    text = json.dumps({"worksheets": [{"cells": [{"cell_type": "markdown", "source": "$a$"}]}], "nbformat": 3})
    assert [span.latex for span in read_text(text, "notebook").spans] == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "[" * 100_000,
        '{"cells": 3}',
        '{"cells": [3]}',
        '{"cells": [{"cell_type": "markdown", "source": 3}]}',
        '{"cells": [{"cell_type": "markdown", "source": [3]}]}',
        '{"cells": ' + "9" * 5_000 + "}",
    ],
)
def test_broken_notebook(text: str) -> None:
    with pytest.raises(DataError, match=r"no Jupyter notebook; in n\.ipynb: .*Remedy") as caught:
        read_text(text, "notebook", "n.ipynb")
    assert "\n" not in str(caught.value)


def test_half_a_surrogate_pair_is_replaced() -> None:
    document = read_text('{"cells": [{"cell_type": "markdown", "source": "$a\\ud800$"}]}', "notebook")
    document.spans[0].latex.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.md", b"good\nbad \xff\n", "not UTF-8.*line 2.*0xff"),
        ("a.md", "a".encode("utf-16"), "not UTF-8"),
        ("a.pdf", b"%PDF", r"cannot be told from its name.*\.md.*\.tex"),
        ("missing.md", None, "cannot be read.*No such file"),
    ],
)
def test_bad_file(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(path)


def test_folder_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "a.md")


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "a.MD"
    path.write_bytes(b"\xef\xbb\xbf$x$\r\n\r\n$$\r\ny\r\n$$\r\n")
    assert [(s.file, s.line, s.column, s.latex) for s in read(path).spans] == [
        (str(path), 1, 2, "x"),
        (str(path), 4, 1, "y"),
    ]


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────

PIECES = st.sampled_from([
    "$", "$$", "\\(", "\\)", "\\[", "\\]", "\\\\(", "\\\\)", "\\begin{align}", "\\end{align}", "\\begin{aligned}",
    "\\end{aligned}", "\\\\", "&", "\n", "\n\n", "> ", "- ", "# ", "    ", "```", "```math\n", "`", "<!--", "-->",
    "symdl: x", "\\newcommand{\\a}{", "\\def\\a#1{", "\\a", "{", "}", "%", "x", " = ", "2.5", "w_0", "words and words",
    "\\$", "<b>", "|", "+ ", "\\left(", "\\right.", "\\label{a}", "\\section{", "\\begin{document}", "\\end{document}",
    "\\begin{verbatim}", "\\end{verbatim}", "\\verb|", "\r\n", "\r", "\u2028", "é", "𝐱", "[a](b", ")", "---\n", "===\n",
    "x₁w₁ = 2", "L = (10 − 14)² ≈ 16", "\\iffalse", "\\fi", "\\be", "\\def\\be{\\begin{equation}}", ".", ",", "~~~",
])  # fmt: skip
KINDS = [kind for kind in get_args(DocumentKind) if kind != "notebook"]


def check_places(document: Document) -> None:
    lines = document.text.split("\n")
    for span in document.spans:
        first, *rest = span.source.split("\n")
        assert lines[span.line - 1][span.column - 1 :].startswith(first)
        for line, expected in zip(lines[span.line :], rest, strict=False):
            assert line.startswith(expected)
        assert span.latex == " ".join(span.latex.split()) != ""
        assert span.source == span.source.strip()
    assert [span.position for span in document.spans] == sorted(span.position for span in document.spans)
    assert [each.position for each in stated(document)] == sorted(each.position for each in stated(document))
    keys = [(span.block, span.row) for span in document.spans]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=st.lists(PIECES, max_size=40))
def test_source_stands_at_line_and_column(kind: DocumentKind, pieces: list[str]) -> None:
    check_places(read_text("".join(pieces), kind))


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=300))
def test_any_text_is_read(kind: DocumentKind, text: str) -> None:
    check_places(read_text(text, kind))


@given(content=st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    for suffix in (".md", ".tex", ".ipynb", ".txt"):
        path = tmp_path_factory.getbasetemp() / f"any{suffix}"
        path.write_bytes(content)
        try:
            check_places(read(path))
        except DataError as error:
            assert str(path) in str(error)


REPEATED = [
    "$", "$$", "$x", "$x$ ", "${", "$\\text{$", "\\(", "\\[", "\\[ab cd ef ", "\\begin{align}", "\\begin{aligned}",
    "`", "`` ` ", "<pre", "<b a", "](a", "](a(", "<!--", "{", "}", "\\newcommand{\\a}{", "\\def\\a", " ", "\n ", "\t",
    "> ", "\n> ", "```\n", "\\section[", "\\section{", "\\verb|", "\\iffalse", "\\be ", "\\label{", "$a,,,,",
    "$\\label{", "- ", "\n- $x$\n", "\n\n    a\n", "|", "\\\\", "x = 2\n", "x₁ ", "(", "√", "(x = ", "x^", "a b = ",
    "\\", "&", "=\n", "%", "% symdl: a\n", "# $a$\n", "|-|\n", "| $a$ | 2 |\n",
    "\\begin{tabular}", "bias ", "1% train ", "a & 2 \\\\", "\\begin{tabular}{l}a & 2 \\\\\\end{tabular}",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_time_is_bounded(kind: DocumentKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """No piece of text is walked over and over: twice the text may take twice the time, and not four times."""
    monkeypatch.setattr(assembling, "MOST_FORMULAS", 100)  # what comes after the scan is no question here
    slow = {}
    for piece in REPEATED:
        for text in (piece * (20_000 // len(piece)), "$$" + piece * (5_000 // len(piece)) + "$$"):
            seconds = _seconds(text, kind)
            if seconds > 1.5 and seconds > 3 * _seconds(text[: len(text) // 2], kind):
                slow[text[:20]] = round(seconds, 2)
    assert not slow


def _seconds(text: str, kind: DocumentKind) -> float:
    whole = "\\def\\be{\\begin{equation}}" * (kind == "latex") + text
    return processor_seconds(lambda: stated(read_text(whole, kind)))


def test_too_many_formulas_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembling, "MOST_FORMULAS", 3)
    document = read_text("$x$ " * 8, "markdown")
    assert len(document.spans) == 3
    assert [(problem.column, "more than 3" in problem.text) for problem in document.problems] == [(13, True)]


def test_formulas_of_published_documents(reference: Path) -> None:
    """Each formula of the reference, put into a document of its kind, is found again, with nothing noted."""
    documents: dict[str, list[dict[str, str]]] = {}
    for line in (reference / "equations" / "equations.jsonl").read_text(encoding="utf-8").splitlines():
        formula = json.loads(line)
        documents.setdefault(formula["file"], []).append(formula)
    for file, formulas in documents.items():
        shown = {"inline": "so ${}$ is", "display": "so\n\n$$\n{}\n$$\n", "env": "so\n\n$$\n{}\n$$\n"}
        text = "\n\n".join(shown[each["kind"]].replace("{}", each["latex"]) for each in formulas)
        document = read_text(text, "latex" if file.endswith(".tex") else "markdown")
        assert document.problems == ()
        assert len({span.block for span in document.spans}) == len(formulas)
        inline = [span.latex for span in document.spans if span.kind == "inline"]
        given = [" ".join(each["latex"].split()) for each in formulas if each["kind"] == "inline"]
        changed = ("%", "&", ".", ",", ";", "~", r"\tag", r"\_", r"\ \ ")  # numbers, escapes, ends of sentences
        plain = {latex for latex in given if not any(mark in latex for mark in changed)}
        assert plain <= set(inline), plain - set(inline)
