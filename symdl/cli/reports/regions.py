"""Where the formulas of a document stand in its text, delimiters included: the rest is shown around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symdl.verification.documents import Document, Span

__all__ = ["Page", "Region", "pages"]

#: What may stand before a formula, and what ends it then.
_OPENERS = re.compile(
    r"""(?: (?P<dollars>\$`|\$\$|\$) | (?P<slash>\\\\?)(?P<bracket>[(\[]) | (?P<fence>`{3,}|~{3,})[ ]*\{?math\}?[^\n]*
          | \\begin\s*\{(?P<name>[A-Za-z]+\*?)\}(?:\s*\{[^{}\n]*\}|\s*\[[^\[\]\n]*\])* )\s*\Z""",
    re.VERBOSE,
)

#: How far from a formula its delimiters are looked for, and how many of them.
_NEAR, _FAR, _NESTED = 200, 2000, 4


@dataclass(frozen=True)
class Region:
    """An inline formula, or a display with its rows: text[start:end] is replaced by them."""

    start: int
    end: int
    display: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Page:
    """A text and its formulas; a notebook has a page for each cell, numbered from 1.

    `kind` is "markdown", "latex", "plain" or "code".
    """

    kind: str
    text: str
    regions: tuple[Region, ...]
    cell: int = 0


def pages(document: Document) -> Iterator[Page]:
    """The document, or the cells of a notebook, in order."""
    if document.kind != "notebook":
        yield Page(document.kind, document.text, _regions(document.text, document.spans))
        return
    for number, cell in enumerate(json.loads(document.text).get("cells", ()), 1):
        kind = "markdown" if cell.get("cell_type") == "markdown" else "code"
        text = _source(cell)
        spans = tuple(span for span in document.spans if span.cell == number)
        yield Page(kind if spans or kind == "code" else "markdown", text, _regions(text, spans), number)


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    text = source if isinstance(source, str) else "".join(map(str, source))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _regions(text: str, spans: tuple[Span, ...]) -> tuple[Region, ...]:
    """In order and apart; a block that would overlap the one before it is left in the text."""
    lines = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    found: list[Region] = []
    for _, group in groupby(spans, key=lambda span: span.block):
        rows = tuple(group)
        starts = [lines[min(row.line, len(lines) - 1) - 1] + row.column - 1 for row in rows]
        end = max(start + len(row.source) for start, row in zip(starts, rows, strict=True))
        region = _widened(text, Region(min(starts), min(end, len(text)), rows[0].kind == "display", rows))
        if not found or region.start >= found[-1].end:
            found.append(region)
    return tuple(found)


def _widened(text: str, region: Region) -> Region:
    """With the delimiters around it, from the inside out."""
    start, end = region.start, region.end
    for _ in range(_NESTED):
        opener = _OPENERS.search(text, max(0, start - _NEAR), start)
        if opener is None:
            break
        closer = _closer(opener).search(text, end, end + _FAR)
        if closer is None:
            break
        start, end = opener.start(), closer.end()
    return Region(start, end, region.display, region.spans)


def _closer(opener: re.Match[str]) -> re.Pattern[str]:
    if opener["dollars"]:
        return re.compile(re.escape(opener["dollars"][::-1]))
    if opener["bracket"]:
        return re.compile(re.escape(opener["slash"]) + {"(": r"\)", "[": r"\]"}[opener["bracket"]])
    if opener["fence"]:
        return re.compile(rf"^[ \t>]*{re.escape(opener['fence'])}[^\n]*$", re.MULTILINE)
    return re.compile(rf"\\end\s*\{{{re.escape(opener['name'])}\}}")
