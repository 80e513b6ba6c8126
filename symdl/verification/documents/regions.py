"""Where things lie in a text, before any of it is understood: what a scanner of one format finds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from symdl.verification.documents.spans import SpanKind


@dataclass(frozen=True)
class Region:
    """A formula with its delimiters: text[start:end], the formula itself text[inner:outer].

    `environment` is the name of a LaTeX environment that it stands in ("align*"); `escaped` says that Markdown's
    escapes stand in it twice, as after a delimiter `\\\\(`; `translate` that it is no LaTeX, but a line of plain text;
    `quoted` that its lines may begin with the > of a quotation. `meant` is what words say that are no formula.
    """

    start: int
    inner: int
    outer: int
    end: int
    kind: SpanKind
    environment: str = ""
    escaped: bool = False
    translate: bool = False
    quoted: bool = False
    meant: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading at `start`; a `level` of 1 is outermost."""

    start: int
    level: int
    title: str


@dataclass
class Scan:
    """What a scanner found, each list in the order of the text.

    `definitions` are macros defined outside of formulas, `hidden` what is no prose either (code, comments, addresses),
    `breaks` where a paragraph ends, all as offsets.
    """

    regions: list[Region] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    definitions: list[tuple[int, int]] = field(default_factory=list)
    hidden: list[tuple[int, int]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


class Lines:
    """Line and column of an offset.

    >>> Lines("ab\\ncd").at(4)
    (2, 2)
    """

    def __init__(self, text: str) -> None:
        self._starts = [0]
        position = text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = text.find("\n", position + 1)

    def at(self, offset: int) -> tuple[int, int]:
        """Both count from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, offset: int) -> int:
        """Offset of the first character of the line that `offset` lies in."""
        return self._starts[bisect_right(self._starts, offset) - 1]


def blanked(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    r"""The text with what is in those places made unreadable (`\1`), line ends kept."""
    parts, at = [], 0
    for start, end in sorted(ranges):
        if end > at:
            start = max(start, at)
            parts += [text[at:start], re.sub(r"[^\n]", "\1", text[start:end])]
            at = end
    return "".join(parts) + text[at:]
