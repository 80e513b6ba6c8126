"""The words around a formula, and the numbers of the sections."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from symdl.verification.documents.regions import Region, Scan
from symdl.verification.documents.rows import DROPPED

REACH = 500
"""How many characters on each side of a formula are looked at."""


class Prose:
    """The words of one text between its formulas; `scan` says where those and everything else lie."""

    def __init__(self, text: str, scan: Scan) -> None:
        self._text = text
        marked = [(r.start, r.end, _shown(text[r.inner : r.outer])) for r in scan.regions]
        marked += [(start, end, " ") for start, end in (*scan.hidden, *scan.definitions)]
        self._marked = sorted(marked)
        self._starts = [mark[0] for mark in self._marked]
        self._breaks = sorted({0, *scan.breaks, len(text)})
        self._walls = sorted({0, *(h.start for h in scan.headings), len(text)})

    def before(self, region: Region) -> str:
        """The words in front of it, in its paragraph or, where there are none, in the one before."""
        wall = self._walls[max(0, bisect_right(self._walls, region.start) - 1)]
        place = bisect_right(self._breaks, region.start) - 1
        for step in range(3 if region.kind == "display" else 1):
            start = self._breaks[max(0, place - step)]
            words = self._words(max(start, wall, region.start - REACH), region.start)
            if words or start <= wall:
                break
        return words

    def after(self, region: Region) -> str:
        """The words behind it, in its paragraph or, where there are none, in the next."""
        wall = self._walls[min(len(self._walls) - 1, bisect_left(self._walls, region.end))]
        place = bisect_left(self._breaks, region.end)
        for step in range(3 if region.kind == "display" else 1):
            end = self._breaks[min(len(self._breaks) - 1, place + step)]
            words = self._words(region.end, min(end, wall, region.end + REACH))
            if words or end >= wall:
                break
        return words

    def _words(self, start: int, end: int) -> str:
        parts, at = [], start
        for i in range(max(0, bisect_right(self._starts, start) - 1), bisect_left(self._starts, end)):
            first, last, shown = self._marked[i]
            if last <= at or first < at:
                at = max(at, last)
                continue
            parts += [self._text[at:first], shown]
            at = last
        parts.append(self._text[at:end] if at < end else "")
        return tidy("".join(parts))


def _shown(formula: str) -> str:
    return f"${re.sub(DROPPED, '', formula).strip()}$" if len(formula) < REACH else "$…$"


_COMMAND = re.compile(r"\\(?:cite[a-z]*|ref|eqref|label|footnote|index|url)\s*\*?(?:\[[^\]]*\])?\{[^{}]*\}")
_STYLE = re.compile(r"\\(?:emph|textbf|textit|textsc|texttt|underline)\s*\{([^{}]*)\}")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|:(?:label|eqlabel|numref|cite):`[^`]*`")


def tidy(words: str) -> str:
    r"""Without mark-up and on one line.

    >>> tidy(r"the \emph{loss}\label{x} of  **one** <b>sample</b>")
    'the loss of one sample'
    """
    words = _STYLE.sub(r"\1", _COMMAND.sub(" ", _TAG.sub(" ", words)))
    words = re.sub(r"\*\*|__|^[ \t]*(?:>[ \t]?)+|^[ \t]*#{1,6}[ \t]", "", words, flags=re.MULTILINE)
    words = " ".join(words.replace("~", " ").split())
    return re.sub(r" (?=[.,;:!?)])", "", words)


class Numbering:
    """Numbers of the headings as they come.

    >>> numbering = Numbering()
    >>> [numbering.next(level) for level in (1, 2, 2, 4, 1, 3)]
    [(1,), (1, 1), (1, 2), (1, 2, 1), (2,), (2, 1)]
    """

    def __init__(self) -> None:
        self._levels: list[int] = []
        self._numbers: list[int] = []
        self.current: tuple[int, ...] = ()

    def next(self, level: int) -> tuple[int, ...]:
        """The number of a heading of that level, which is then the current section."""
        number = 0
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
            number = self._numbers.pop()
        self._levels.append(level)
        self._numbers.append(number + 1)
        self.current = tuple(self._numbers)
        return self.current
