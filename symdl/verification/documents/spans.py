"""What is read from a document: formulas where they stand, headings, pragmas, and what could not be read.

Lines and columns count from 1, as editors show them; a column counts characters. In a notebook they count within the
source of the cell `cell` (1, 2, …); elsewhere `cell` is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DocumentKind = Literal["markdown", "latex", "notebook", "plain"]
SpanKind = Literal["inline", "display"]
Position = tuple[int, int, int]


@dataclass(frozen=True)
class Span:
    r"""One formula: an inline one, or one row of a display.

    Args:
        file: the document's name, as it was given.
        line, column: where the formula begins, past its delimiters.
        kind: "inline" or "display".
        latex: what it says: macros expanded; labels, tags, comments, alignment marks and the full stop of the sentence
            removed.
        source: the text of the file, as it is, from (line, column) on.
        section: numbers of the headings around it, outermost first: (2, 1) is the first part of the second chapter.
        block: number of the display or inline formula in the document; the rows of one display share it.
        row: 0, 1, … within the block.
        before, after: the words around it, with the other formulas in $…$; a display that stands alone has those of
            the paragraphs next to it.
        cell: number of the notebook's cell.
    """

    file: str
    line: int
    column: int
    kind: SpanKind
    latex: str
    source: str
    section: tuple[int, ...] = ()
    block: int = 0
    row: int = 0
    before: str = ""
    after: str = ""
    cell: int = 0

    @property
    def position(self) -> Position:
        """(cell, line, column): the order of reading."""
        return self.cell, self.line, self.column


@dataclass(frozen=True)
class Pragma:
    """A remark to the checker: `<!-- symdl: assume x > 0 -->`, or `% symdl: assume x > 0`; `text` is "assume x > 0"."""

    file: str
    line: int
    column: int
    section: tuple[int, ...]
    text: str
    cell: int = 0

    @property
    def position(self) -> Position:
        """(cell, line, column): the order of reading."""
        return self.cell, self.line, self.column


@dataclass(frozen=True)
class Section:
    """A heading; the section reaches to the next heading of the same level or of one further out."""

    number: tuple[int, ...]
    title: str
    line: int
    cell: int = 0


@dataclass(frozen=True)
class Problem:
    """Something in the document that is not read: a display without an end, a macro that grows without bound."""

    line: int
    column: int
    text: str
    cell: int = 0


@dataclass(frozen=True)
class Document:
    """A document that was read; `text` has line ends `\\n` whatever the file has, and for a notebook is its JSON."""

    file: str
    kind: DocumentKind
    text: str
    spans: tuple[Span, ...]
    pragmas: tuple[Pragma, ...] = ()
    sections: tuple[Section, ...] = ()
    problems: tuple[Problem, ...] = ()
