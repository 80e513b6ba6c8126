r"""Markdown: where its formulas, headings, remarks and blocks of code lie.

Formulas are $…$, $$…$$, `\( \)`, `\[ \]` (also with the backslash written twice), fenced blocks with the word math,
and bare environments such as `\begin{align}`. Dollars that are money are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from symdl.verification.documents.dollars import dollars, looks_like_words
from symdl.verification.documents.macros import definition_end
from symdl.verification.documents.regions import Heading, Region, Scan
from symdl.verification.documents.rows import ENVIRONMENTS

_TOKEN = re.compile(
    r"""
      (?P<fence>^[ \t]*(?:>[ \t]?)*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(?P<mark>`{3,}|~{3,})(?P<word>[^`\n]*)$)
    | (?P<heading>^[ ]{0,3}\#{1,6}[ \t]+(?=\S))
    | (?P<under>^[ ]{0,3}(?:=+|-{2,})[ \t]*$)
    | (?P<comment><!--)
    | (?P<raw><(?P<tag>script|style|pre|code|textarea)\b[^>\n]*>)
    | (?P<address><[a-z]+:[^<>\s]*>)
    | (?P<html></?[A-Za-z][\w-]*(?:\s+[\w:-]+(?:\s*=\s*(?:"[^"\n]*"|'[^'\n]*'|[^\s"'=<>`$]+))?){0,30}\s*/?>)
    | (?P<code>`+)
    | (?P<link>\]\((?=[^\s)]))
    | (?P<bracket>\\{1,2}[(\[])
    | (?P<begin>\\begin\s*\{(?P<name>[A-Za-z]+\*?)\})
    | (?P<define>\\(?:(?:new|renew|provide)command|DeclareMathOperator|DeclarePairedDelimiter)\b
        |\\(?:[gex]?def|let)(?=\s*\\[A-Za-z]))
    | (?P<escape>\\.)
    | (?P<dollar>\$\$?)
    """,
    re.VERBOSE | re.MULTILINE,
)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_BREAK = re.compile(r"\n(?=[ \t]*(?:>[ \t]*)*\n)|\n(?=[ \t]*(?:>[ \t]*)*(?:[-*+]|\d+[.)])[ \t])|\n(?=[ \t]*\|)")
_ITEM = re.compile(r"[ \t]*(?:>[ \t]?)*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|\Z)")
_REMARK = re.compile(r"\s*symdl\s*:\s*(.*?)\s*\Z", re.DOTALL)
_CLOSING = {"(": ")", "[": "]"}


@dataclass
class _State:
    text: str
    scan: Scan
    code: list[tuple[int, int]]
    absent: dict[str, int] = field(default_factory=dict)
    """For an end that was looked for in vain, from where on: it is looked for once, not once for each beginning."""

    def find(self, wanted: str, at: int) -> int:
        """`text.find`, whose failures are remembered."""
        if at >= self.absent.get(wanted, len(self.text) + 1):
            return -1
        found = self.text.find(wanted, at)
        if found < 0:
            self.absent[wanted] = at
        return found


def scan_markdown(text: str) -> Scan:
    """What lies where in a Markdown text."""
    scan = Scan()
    scan.breaks = [found.start() for found in _BREAK.finditer(text)]
    state = _State(text, scan, _indented_code(text))
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


def _code_at(code: list[tuple[int, int]], at: int) -> int:
    """The end of the block of code that `at` lies in, or `at`. Blocks that are passed are taken off the list."""
    while code and code[0][1] <= at:
        code.pop(0)
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
        state.scan.regions.append(Region(found.start(), inner, outer, stop, "display"))
        state.scan.breaks += [found.start(), stop]
    else:
        state.scan.hidden.append((found.start(), stop))
    return stop


def _heading(state: _State, found: re.Match[str]) -> int:
    end = _line_end(state.text, found.end())
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
    elif remark := _REMARK.match(state.text[found.end() : end]):
        state.scan.remarks.append((found.start(), " ".join(remark[1].split())))
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


def _passed(state: _State, found: re.Match[str]) -> int:
    return found.end()


def _code(state: _State, found: re.Match[str]) -> int:
    """A span of code ends at the next run of as many backticks in the same paragraph."""
    limit = _paragraph_end(state.text, found.end())
    closing = re.compile(rf"(?<!`){found[0]}(?!`)").search(state.text, found.end(), limit)
    return closing.end() if closing else found.end()


def _link(state: _State, found: re.Match[str]) -> int:
    depth = 1
    for mark in re.compile(r"\\.|[()\s]").finditer(state.text, found.end()):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if depth == 0 or mark[0].isspace():
            return mark.end()
    return found.end()


def _bracket(state: _State, found: re.Match[str]) -> int:
    """`\\(…\\)` is a formula, and so is `\\[…\\]`, unless it holds plain words or the number of a reference."""
    text, escaped = state.text, len(found[0]) == 3
    closing = found[0][:-1] + _CLOSING[found[0][-1]]
    display = found[0][-1] == "["
    end = state.find(closing, found.end())
    if end < 0 or (not display and end > _paragraph_end(text, found.end())):
        return found.end()
    body = text[found.end() : end]
    if looks_like_words(body) or (display and re.fullmatch(r"[\d,\s–-]*", body)):
        return found.end()
    region = Region(
        found.start(), found.end(), end, end + len(closing), "display" if display else "inline", "", escaped
    )
    state.scan.regions.append(region)
    return region.end


def _begin(state: _State, found: re.Match[str]) -> int:
    name = found["name"]
    if name.rstrip("*") not in ENVIRONMENTS:
        return found.end()
    closing = f"\\end{{{name}}}"
    end = state.find(closing, found.end())
    if end < 0:
        state.scan.problems.append((found.start(), f"\\begin{{{name}}} has no \\end{{{name}}}"))
        return found.end()
    region = Region(found.start(), found.end(), end, end + len(closing), "display", name)
    state.scan.regions.append(region)
    return region.end


def _define(state: _State, found: re.Match[str]) -> int:
    end = definition_end(state.text, found.start())
    state.scan.definitions.append((found.start(), end))
    return end


def _dollar(state: _State, found: re.Match[str]) -> int:
    region, end, problem = dollars(state.text, found.start(), state.find, _paragraph_end)
    if problem:
        state.scan.problems.append((found.start(), problem))
    if region:
        state.scan.regions.append(region)
    return end


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


_PARAGRAPH_END = re.compile(r"\n[ \t]*(?:>[ \t]*)*(?=\n)|\n(?=[ \t]*(?:>[ \t]?)*(?:```|~~~|#{1,6}[ \t]))")


def _paragraph_end(text: str, at: int) -> int:
    found = _PARAGRAPH_END.search(text, at)
    return found.start() if found else len(text)


_HANDLERS: dict[str, Callable[[_State, re.Match[str]], int]] = {
    "fence": _fence,
    "heading": _heading,
    "under": _under,
    "comment": _comment,
    "raw": _raw,
    "address": _passed,
    "html": _passed,
    "code": _code,
    "link": _link,
    "bracket": _bracket,
    "begin": _begin,
    "define": _define,
    "escape": _passed,
    "dollar": _dollar,
}
