"""The two pages of the lecture: every statement is there, and the pages differ where the lecture is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symdl.verification.documents import Document, read

DERIVATIONS = Path(__file__).parents[3] / "derivations"


@pytest.fixture(scope="module")
def pages() -> tuple[Document, Document]:
    return read(DERIVATIONS / "lecture.md"), read(DERIVATIONS / "lecture-corrected.md")


def test_every_statement_is_there(pages: tuple[Document, Document]) -> None:
    for page in pages:
        assert {int(n) for n in re.findall(r"^\*\*L(\d+)\.\*\*", page.text, re.MULTILINE)} == set(range(1, 24))
        assert page.problems == ()
        assert len({span.section for span in page.spans}) > 8


def test_pages_differ_where_the_lecture_is_wrong(pages: tuple[Document, Document]) -> None:
    printed, right = ([span.latex for span in page.spans] for page in pages)
    assert [latex for latex in printed if latex not in right] == [
        r"\frac{\partial L}{\partial w_0} = x_0 \cdot 1 \cdot 2 \cdot \sum_{i=1}^{n} (\tilde{y}_i - \hat{y}_i)^2",
        r"a(x) = 1 - \frac{1}{1 + e^{-x}}",
        r"a(x) = 1 - \frac{1}{e^{2x} + 1}",
        r"\hat{y}_i = \frac{e^{y_i}}{\sum_{i=1}^{n} e^{y_i}}",
        r"80\% + 20\% + 20\% = 100\%",
    ]
    assert len([latex for latex in right if latex not in printed]) == 6  # those, and that tanh is odd
