"""Plain text: formulas between delimiters as in Markdown, and those that are typed in a line or among words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from symdl.verification.documents.amid import typed_formulas
from symdl.verification.documents.regions import Heading, Region, Scan
from symdl.verification.documents.scanning import DEFINES, State, begin, bracket, define, dollar, line_end, passed

LONGEST_LINE = 2_000
"""A longer one is searched for formulas between delimiters only."""
_TOKEN = re.compile(
    r"(?P<comment><!--)|(?P<remark>^[ \t]*[%#]+(?=[ \t]*symdl[ \t]*:))|(?P<bracket>\\{1,2}[(\[])"
    r"|(?P<begin>\\begin\s*\{(?P<name>[A-Za-z]+\*?)\})|(?P<define>" + DEFINES + r")|(?P<escape>\\.)|(?P<dollar>\$\$?)"
    r"|(?P<under>^(?:={3,}|-{3,})[ \t]*$)",
    re.MULTILINE,
)
_BREAK = re.compile(r"\n(?=[ \t]*\n)|\n(?=[ \t]*(?:[-*•]|\d+[.)])[ \t])")
_GOES_ON = re.compile(r"[ \t]*(?:=|≈|≤|≥|<=|>=)")
_STOP = re.compile(r"[ \t]*[.,;]?[ \t]*\Z")


def scan_plain(text: str) -> Scan:
    """What lies where in a plain text."""
    state = State(text)
    state.scan.breaks = [found.start() for found in _BREAK.finditer(text)]
    at = 0
    while found := _TOKEN.search(text, at):
        at = _HANDLERS[found.lastgroup or ""](state, found)
    state.scan.regions += _typed(text, state.scan)
    state.scan.regions.sort(key=lambda region: region.start)
    return state.scan


def _typed(text: str, scan: Scan) -> list[Region]:
    """The formulas outside of delimiters; lines that begin with = go on with the formula of the line above."""
    made: list[Region] = []
    for start, end in _open_lines(text, scan):
        line = text[start:end]
        for first, last in typed_formulas(line):
            whole = not line[:first].strip() and bool(_STOP.match(line, last))
            region = Region(
                start + first,
                start + first,
                start + last,
                start + last,
                "display" if whole else "inline",
                translate=True,
            )
            above = made[-1] if made else None
            if above and _GOES_ON.match(line, first) and _follows(text, above, region):
                region = Region(above.start, above.inner, region.outer, region.end, above.kind, translate=True)
                made.pop()
            made.append(region)
    return made


def _follows(text: str, above: Region, region: Region) -> bool:
    """Whether nothing but the end of a line stands between them."""
    return re.fullmatch(r"[ \t]*[.,;]?[ \t]*\n[ \t]*", text[above.end : region.start]) is not None


def _open_lines(text: str, scan: Scan) -> Iterator[tuple[int, int]]:
    """The parts of lines that lie in no formula, comment or definition."""
    taken = sorted([(r.start, r.end) for r in scan.regions] + scan.hidden + scan.definitions)
    starts = [start for start, _ in taken]
    at = 0
    while at <= len(text):
        end = line_end(text, at)
        place = max(0, bisect_right(starts, at) - 1)
        if end - at <= LONGEST_LINE:
            for first, last in taken[place : bisect_right(starts, end)]:
                if last <= at:
                    continue
                if first > at:
                    yield at, min(first, end)
                at = max(at, last)
            if at < end:
                yield at, end
        at = max(at, end) if at > end else end
        at = line_end(text, at) + 1 if at > end else at + 1


# ── one function for each kind of token: notes what it is, returns where to go on ────────────────────────────────────


def _comment(state: State, found: re.Match[str]) -> int:
    end = state.find("-->", found.end())
    if end < 0:
        return found.end()
    state.remark(found.start(), state.text[found.end() : end])
    state.scan.hidden.append((found.start(), end + 3))
    return end + 3


def _remark(state: State, found: re.Match[str]) -> int:
    end = line_end(state.text, found.end())
    state.remark(found.start(), state.text[found.end() : end])
    state.scan.hidden.append((found.start(), end))
    return end


def _under(state: State, found: re.Match[str]) -> int:
    """A line of = or - below a line of text makes that a heading."""
    start = state.text.rfind("\n", 0, max(0, found.start() - 1)) + 1
    title = state.text[start : max(start, found.start() - 1)].strip()
    if title:
        state.scan.headings.append(Heading(start, 1 if "=" in found[0] else 2, title))
        state.scan.breaks.append(found.end())
    state.scan.hidden.append(found.span())
    return found.end()


_HANDLERS: dict[str, Callable[[State, re.Match[str]], int]] = {
    "comment": _comment,
    "remark": _remark,
    "bracket": bracket,
    "begin": begin,
    "define": define,
    "escape": passed,
    "dollar": dollar,
    "under": _under,
}
