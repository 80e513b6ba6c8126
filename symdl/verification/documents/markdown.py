r"""Markdown: where its formulas, headings, remarks and blocks of code lie.

Formulas are $…$, $$…$$, `\( \)`, `\[ \]` (also with the backslash written twice), fenced blocks with the word math,
and bare environments such as `\begin{align}`. Dollars that are money are none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from symdl.verification.documents.regions import Heading, Region, Scan
from symdl.verification.documents.scanning import DEFINES, State, begin, bracket, define, dollar, line_end, passed

_TOKEN = re.compile(
    r"""
      (?P<fence>^(?:[ \t]*+>)*+[ \t]*+(?:[-*+][ \t]++|\d++[.)][ \t]++)?(?P<mark>`{3,}|~{3,})(?P<word>[^`\n]*)$)
    | (?P<heading>^[ ]{0,3}\#{1,6}[ \t]+(?=\S))
    | (?P<under>^[ ]{0,3}(?:=+|-{2,})[ \t]*$)
    | (?P<comment><!--)
    | (?P<raw><(?P<tag>script|style|pre|code|textarea)\b[^<>\n]{0,500}>)
    | (?P<address><[a-z]+:[^<>\s]*>)
    | (?P<html></?[A-Za-z][\w-]*(?:\s+[\w:-]+(?:\s*=\s*(?:"[^"\n]*"|'[^'\n]*'|[^\s"'=<>`$]+))?){0,30}\s*/?>)
    | (?P<code>`+)
    | (?P<link>\]\([^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*[\s)])
    | (?P<bracket>\\{1,2}[(\[])
    | (?P<begin>\\begin\s*\{(?P<name>[A-Za-z]+\*?)\})
    | (?P<define>"""
    + DEFINES
    + r""")
    | (?P<escape>\\.)
    | (?P<dollar>\$\$?)
    """,
    re.VERBOSE | re.MULTILINE,
)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_BREAK = re.compile(r"\n(?=[ \t]*(?:>[ \t]*)*\n)|\n(?=[ \t]*(?:>[ \t]*)*(?:[-*+]|\d+[.)])[ \t])|\n(?=[ \t]*\|)")
_ITEM = re.compile(r"[ \t]*(?:>[ \t]?)*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|\Z)")


@dataclass
class _State(State):
    code: deque[tuple[int, int]] = field(default_factory=deque)
    """Blocks of indented code that are still to come."""
    runs: dict[int, list[int]] = field(default_factory=dict)
    runs_of: int = -1
    """Where the runs of backticks of each length begin in the paragraph that ends at `runs_of`."""


def scan_markdown(text: str) -> Scan:
    """What lies where in a Markdown text."""
    scan = Scan()
    scan.breaks = [found.start() for found in _BREAK.finditer(text)]
    state = _State(text, scan, code=deque(_indented_code(text)))
    front = _FRONT_MATTER.match(text)
    at = front.end() if front else 0
    if front:
        scan.hidden.append((0, at))
    scan.hidden += state.code
    while found := _TOKEN.search(text, at):
        inside = _code_at(state.code, found.start())
        at = inside if inside > found.start() else _HANDLERS[found.lastgroup or ""](state, found)
    scan.regions = [_quoted(text, region) for region in scan.regions]
    scan.headings.sort(key=lambda heading: heading.start)
    return scan


_QUOTE = re.compile(r"[ \t]*>")


def _quoted(text: str, region: Region) -> Region:
    """Noted as quoted where its line is."""
    if "\n" not in text[region.start : region.end]:
        return region
    return replace(region, quoted=_QUOTE.match(text, text.rfind("\n", 0, region.start) + 1) is not None)


def _code_at(code: deque[tuple[int, int]], at: int) -> int:
    """The end of the block of code that `at` lies in, or `at`. Blocks that are passed are taken off the list."""
    while code and code[0][1] <= at:
        code.popleft()
    return code[0][1] if code and code[0][0] <= at else at


def _indented_code(text: str) -> list[tuple[int, int]]:
    """Blocks that are indented by four blanks, outside of lists."""
    blocks: list[tuple[int, int]] = []
    at, blank, listed, going = 0, True, False, False
    for line in text.split("\n"):
        end = at + len(line)
        if line.strip():
            indented = line.startswith(("    ", "\t"))
            if indented and not listed and (blank or going):
                if going:
                    blocks[-1] = (blocks[-1][0], end)
                else:
                    blocks.append((at, end))
                going = True
            else:
                going = False
                listed = bool(_ITEM.match(line)) or (listed and line[0] in " \t")
            blank = False
        else:
            blank = True
        at = end + 1
    return blocks


# ── one function for each kind of token: notes what it is, returns where to go on ────────────────────────────────────


#: Options of a directive: ":label: eq:loss", a line each.
_OPTIONS = re.compile(r"(?:[ \t]*:[a-z-]+:[^\n]*\n)*")


def _fence(state: _State, found: re.Match[str]) -> int:
    text, mark = state.text, found["mark"]
    stop = outer = len(text)
    if found.end() < state.absent.get(mark, stop + 1):
        closing = re.compile(rf"^[ \t]*(?:>[ \t]?)*{mark}{mark[0]}*[ \t]*$", re.MULTILINE).search(text, found.end())
        if closing:
            outer, stop = closing.span()
        else:
            state.absent[mark] = found.end()
    if found["word"].strip().lower() in {"math", "{math}"}:
        inner = min(found.end() + 1, outer)
        inner = min(_OPTIONS.match(text, inner).end(), outer)  # type: ignore[union-attr]
        state.scan.regions.append(Region(found.start(), inner, outer, stop, "display"))
        state.scan.breaks += [found.start(), stop]
    else:
        state.scan.hidden.append((found.start(), stop))
    return stop


def _heading(state: _State, found: re.Match[str]) -> int:
    end = line_end(state.text, found.end())
    title = state.text[found.end() : end].strip().rstrip("#").strip()
    state.scan.headings.append(Heading(found.start(), found[0].count("#"), title))
    state.scan.breaks.append(end)
    return found.end()


def _under(state: _State, found: re.Match[str]) -> int:
    """A line of = or - below a line of text makes that a heading."""
    start = state.text.rfind("\n", 0, max(0, found.start() - 1)) + 1
    title = state.text[start : max(start, found.start() - 1)].strip()
    if title and not title.startswith(("|", ">", "#", "$$")) and not _ITEM.match(title) and start < found.start():
        state.scan.headings.append(Heading(start, 1 if "=" in found[0] else 2, title))
        state.scan.breaks.append(found.end())
    return found.end()


def _comment(state: _State, found: re.Match[str]) -> int:
    end = state.find("-->", found.end())
    stop = end + 3 if end >= 0 else len(state.text)
    if end < 0:
        state.scan.problems.append((found.start(), "a comment that never ends: the rest of the document is not read"))
    else:
        state.remark(found.start(), state.text[found.end() : end])
    state.scan.hidden.append((found.start(), stop))
    return stop


def _raw(state: _State, found: re.Match[str]) -> int:
    closing = f"</{found['tag']}>"
    end = state.find(closing, found.end())
    if end < 0:
        return found.end()
    if found["tag"] != "code":
        state.scan.hidden.append((found.start(), end))
    return end + len(closing)


def _code(state: _State, found: re.Match[str]) -> int:
    """A span of code ends at the next run of as many backticks in the same paragraph."""
    limit = state.paragraph_end(found.end())
    if state.runs_of != limit:
        state.runs, state.runs_of = {}, limit
        for run in re.compile("`+").finditer(state.text, found.start(), limit):
            state.runs.setdefault(len(run[0]), []).append(run.start())
    starts = state.runs.get(len(found[0]), [])
    next_run = bisect_right(starts, found.start())
    return starts[next_run] + len(found[0]) if next_run < len(starts) else found.end()


_HANDLERS: dict[str, Callable[[_State, re.Match[str]], int]] = {
    "fence": _fence,
    "heading": _heading,
    "under": _under,
    "comment": _comment,
    "raw": _raw,
    "address": passed,
    "html": passed,
    "code": _code,
    "link": passed,
    "bracket": bracket,
    "begin": begin,
    "define": define,
    "escape": passed,
    "dollar": dollar,
}
