"""A neutral document: blocks of words, formulas, figures and tables, which every writer turns into its own text.

Words may hold inline formulas between dollar signs; everything else in them is taken literally, whatever the target.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A heading; level 2 is a section, 3 a subsection (level 1 is the title)."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Words with inline formulas between dollar signs."""

    text: str


@dataclass(frozen=True)
class Lead(Paragraph):
    """Words that lead to the formula after them and are read with it."""


@dataclass(frozen=True)
class Items:
    """A list of short paragraphs."""

    entries: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """Words that lead to another file of the same kind of text; what is printed on paper shows its name."""

    text: str
    target: str


@dataclass(frozen=True)
class Row:
    """One line of a formula, `left relation right`, and the rule named at its margin. No left side: it goes on."""

    left: str
    right: str
    note: str = ""
    relation: str = "="


@dataclass(frozen=True)
class Formula:
    """Lines that are aligned at their relations."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Figure:
    """A drawing in both of its forms; with a `link`, Markdown points there instead of holding the SVG itself."""

    svg: str
    tikz: str
    caption: str = ""
    link: str = ""


@dataclass(frozen=True)
class Table:
    """Words in rows and columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Code:
    """A program text, as it is."""

    text: str
    language: str = "python"


Block = Heading | Paragraph | Items | Link | Formula | Figure | Table | Code


@dataclass(frozen=True)
class Document:
    """A title and blocks."""

    title: str
    blocks: tuple[Block, ...]


_MATH = re.compile(r"\$([^$]+)\$")


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    r"""The words and the inline formulas of a text, in order: (is a formula, text).

    >>> list(pieces("at $s = 0$: left"))
    [(False, 'at '), (True, 's = 0'), (False, ': left')]
    """
    for number, part in enumerate(_MATH.split(text)):
        if part:
            yield number % 2 == 1, part


def visible_length(math: str) -> int:
    r"""About how many characters wide a formula is.

    >>> visible_length(r"\frac{1}{N} \sum_{n} x_{n}")
    5
    """
    text = re.sub(r"\\(left|right|mathrm|operatorname|bar|hat|tilde|mathbf|text|,|;|quad)", "", math)
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: max(m[1], m[2], key=len), text)
    text = re.sub(r"\\[A-Za-z]+", "M", text)
    return len(re.sub(r"[\s{}_^&\\]", "", text))
