"""The writers: complete LaTeX, Markdown and HTML, PDF through TeX, and files written whole or not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sympy

import symdl.rendering.writers.pdf as pdf
from symdl.derivation.derive import derive
from symdl.derivation.worked import work
from symdl.errors import MissingDependencyError, OutputError, UnsupportedError
from symdl.library.layers import dense, sequential
from symdl.rendering import describe, html, latex, markdown, write
from symdl.rendering.document import Code, Document, Figure, Formula, Heading, Items, Paragraph, Row, Table
from symdl.rendering.writers.html import to_html
from symdl.rendering.writers.markdown import to_markdown
from symdl.rendering.writers.mathml import mathml
from symdl.rendering.writers.tex import escaped, to_tex

NETWORK = sequential(dense(2, "relu"), dense(2), loss="l1", inputs=2)
UNIT = sequential(dense(1), loss="l2", inputs=3, name="unit")
HOSTILE = "50 % of a_b & c#1 {x} ~ ^ \\ <b>|\"' `code` *star* $x_1$ Σ ∂ ≥ ā δ 漢 --"

EVERYTHING = Document(
    HOSTILE,
    (
        Heading(HOSTILE),
        Paragraph(HOSTILE),
        Items((HOSTILE, "two")),
        Formula((Row("a", r"\left|b\right| < c", "why $x$ & so"), Row("", "d", relation=r"\approx"))),
        Formula((Row("a", " + ".join(["x_{n}"] * 80), HOSTILE),)),
        Figure(
            "<svg xmlns='http://www.w3.org/2000/svg'></svg>",
            r"\begin{tikzpicture}\draw (0,0)--(1,1);\end{tikzpicture}",
            HOSTILE,
        ),
        Table(("a|b", "$x$"), (("1_2", r"$\left|x\right|$"),), HOSTILE),
        Code("x = `1` # é Σ\n\\end{verbatim} </code>"),
    ),
)

needs_tex = pytest.mark.skipif(not any(map(shutil.which, pdf.ENGINES)), reason="no TeX on this machine")


class Balance(HTMLParser):
    """Every element that is opened is closed, and nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in ("meta", "br", "mspace"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def subjects() -> dict[str, Any]:
    chain = derive(UNIT)
    values = {"x": [[1, 1, 3]], "W": [[2, 2, 2]], "b": [4], "y": [[10]]}
    return {
        "definition": NETWORK,
        "chain": derive(NETWORK),
        "expand": derive(NETWORK, via="expand"),
        "worked": work(chain.gradient, values),
        "equation": NETWORK.equations[0],
        "expression": sympy.Symbol("x") ** 2,
        "document": EVERYTHING,
    }


SUBJECTS = subjects()


@pytest.mark.parametrize("name", SUBJECTS)
def test_html_is_one_file_that_fetches_nothing(name: str) -> None:
    text = html(SUBJECTS[name])
    page = Balance()
    page.feed(text)
    assert not page.open
    assert not page.fetched
    assert "<script" not in text
    assert 'name="viewport"' in text
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", text)


@needs_tex
@pytest.mark.parametrize("name", SUBJECTS)
def test_pdflatex_compiles_it(name: str, tmp_path: Path) -> None:
    path = write(SUBJECTS[name], tmp_path / "out.pdf")
    assert path.read_bytes().startswith(b"%PDF")


@needs_tex
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is absent")
def test_what_stands_in_the_pdf(tmp_path: Path) -> None:
    write(EVERYTHING, tmp_path / "out.pdf")
    text = subprocess.run(["pdftotext", tmp_path / "out.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "50 % of a_b & c#1 {x} ~ ^ \\ <b>|" in text
    assert "[U+6F22]" in text  # what the fonts lack is named, not dropped


def test_markdown_keeps_tables_and_formulas_apart() -> None:
    text = to_markdown(EVERYTHING)
    (row,) = [line for line in text.splitlines() if line.startswith("| 1")]
    assert row == r"| 1\_2 | $\left\vert x\right\vert{}$ |"
    assert text.count("\n$$\n") == 4
    assert r"\<b\>\|" in text


def test_a_derivation_is_one_chain_for_each_subject() -> None:
    """w̄ = A = B = C: the left side once, then one line for each rewriting, with its rule at the margin."""
    blocks = [b for b in describe(SUBJECTS["chain"]).blocks if isinstance(b, Formula)]
    chain = next(b for b in blocks if b.rows[0].left == r"\bar{W}^{(1)}_{ji}")
    assert [r.left for r in chain.rows[1:]] == [""] * (len(chain.rows) - 1)
    assert [r.note for r in chain.rows] == ["", "chain rule", "local slope", "δ picks one index"]
    assert chain.rows[-1].right == r"\sum_{n} \bar{s}^{(1)}_{nj} x_{ni}"


def test_the_legend_states_every_decision() -> None:
    text = markdown(SUBJECTS["chain"])
    assert (
        r"Decided for $\operatorname{ReLU}\left(s^{(1)}_{nj}\right)$ at $s^{(1)}_{nj} = 0$: the slope from the left"
        in text
    )
    assert r"= 0$: the mean of both slopes" in text


def test_a_worked_line_is_symbols_substitution_value() -> None:
    rows = [r for b in describe(SUBJECTS["worked"]).blocks if isinstance(b, Formula) for r in b.rows]
    text = " ".join(f"{r.left} {r.relation} {r.right}" for r in rows)
    assert r"2 \cdot 1 + 2 \cdot 1 + 2 \cdot 3 + 4 = 14" in text
    assert r"\left(10 - 14\right)^{2} = 16" in text


def test_mathml_refuses_what_it_would_leave_as_text() -> None:
    with pytest.raises(UnsupportedError):
        mathml(r"\undefined")


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"\.tex, \.md, \.html or \.pdf"):
        write(NETWORK, tmp_path / "out.docx")
    assert not list(tmp_path.iterdir())


def test_an_unknown_object_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no way to show dict"):
        latex({})


def test_without_tex_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="apt install"):
        write(NETWORK, tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()


@needs_tex
def test_a_document_that_tex_refuses(tmp_path: Path) -> None:
    bad = Document("bad", (Formula((Row("a", r"\nosuchcommand"),)),))
    with pytest.raises(OutputError, match="Undefined control sequence"):
        write(bad, tmp_path / "out.pdf")
    assert not list(tmp_path.iterdir())


@needs_tex
def test_tex_can_not_run_programs(tmp_path: Path) -> None:
    target = tmp_path / "made"
    bad = Document("bad", (Formula((Row("a", rf"\immediate\write18{{touch {target}}} b"),)),))
    write(bad, tmp_path / "out.pdf")
    assert not target.exists()


def test_every_writer_is_deterministic() -> None:
    for writer in (to_html, to_markdown, to_tex):
        assert writer(EVERYTHING) == writer(EVERYTHING)


def test_words_are_escaped() -> None:
    assert escaped("5 % ≥ ω_1") == r"5 \% $\ge$ $\omega$\_1"
    assert escaped("s\N{COMBINING MACRON}") == r"$\bar{s}$"
