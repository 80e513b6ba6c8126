"""What the scanners of Markdown, LaTeX and plain text share: a state, and formulas in their delimiters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from symdl.verification.documents.dollars import dollars, looks_like_words
from symdl.verification.documents.macros import definition_end
from symdl.verification.documents.regions import Region, Scan
from symdl.verification.documents.rows import ENVIRONMENTS
from symdl.verification.documents.spans import SpanKind

DEFINES = (
    r"\\(?:(?:new|renew|provide)command|DeclareRobustCommand|DeclareMathOperator|DeclarePairedDelimiter)\b"
    r"|\\(?:[gex]?def|let)(?=\s*\\[A-Za-z])"
)
"""How the definition of a macro begins."""
REMARK = re.compile(r"\s*symdl\s*:\s*(.*?)\s*\Z", re.DOTALL)
_PARAGRAPH_END = re.compile(r"\n[ \t]*(?:>[ \t]*)*(?=\n)|\n(?=[ \t]*(?:>[ \t]?)*(?:```|~~~|#{1,6}[ \t]))")
_CLOSING = {"(": ")", "[": "]"}


@dataclass
class State:
    """A text while it is scanned, and what has been found in it."""

    text: str
    scan: Scan = field(default_factory=Scan)
    absent: dict[str, int] = field(default_factory=dict)
    """For an end that was looked for in vain, from where on: it is looked for once, not once for each beginning."""
    paragraph: tuple[int, int] = (0, -1)
    """The last paragraph whose end was asked for, from where it was asked to its end."""

    def find(self, wanted: str, at: int) -> int:
        """`text.find`, whose failures are remembered."""
        if at >= self.absent.get(wanted, len(self.text) + 1):
            return -1
        found = self.text.find(wanted, at)
        if found < 0:
            self.absent[wanted] = at
        return found

    def closing(self, found: re.Match[str], ends: str) -> re.Match[str] | None:
        """The first place after `found` that `ends` matches, unless what was found there begins once more before it."""
        if found.end() >= self.absent.get(ends, len(self.text) + 1):
            return None
        end = re.compile(f"{re.escape(found[0])}(?![A-Za-z])|{ends}").search(self.text, found.end())
        if end is None:
            self.absent[ends] = found.end()
        return end if end and end[0] != found[0] else None

    def paragraph_end(self, at: int) -> int:
        """Where the paragraph ends that `at` lies in."""
        start, end = self.paragraph
        if not start <= at <= end:
            found = _PARAGRAPH_END.search(self.text, at)
            end = found.start() if found else len(self.text)
            self.paragraph = at, end
        return end

    def remark(self, at: int, text: str) -> None:
        """Note a comment, if it speaks to the checker."""
        if remark := REMARK.match(text):
            self.scan.remarks.append((at, " ".join(remark[1].split())))


# ── one function for each kind of token: notes what it is, returns where to go on ────────────────────────────────────


def passed(state: State, found: re.Match[str]) -> int:
    """Nothing of interest."""
    return found.end()


def define(state: State, found: re.Match[str]) -> int:
    """The definition of a macro outside of formulas."""
    end = definition_end(state.text, found.start())
    state.scan.definitions.append((found.start(), end))
    return end


def bracket(state: State, found: re.Match[str]) -> int:
    r"""`\(…\)` is a formula, and so is `\[…\]`, unless it holds plain words or the number of a reference."""
    escaped, display = len(found[0]) == 3, found[0][-1] == "["
    closing = state.closing(found, re.escape(found[0][:-1] + _CLOSING[found[0][-1]]))
    if closing is None or (not display and closing.start() > state.paragraph_end(found.end())):
        return found.end()
    body = state.text[found.end() : closing.start()]
    if looks_like_words(body) or (display and re.fullmatch(r"[\d,\s–-]*", body)):
        return found.end()
    kind: SpanKind = "display" if display else "inline"
    state.scan.regions.append(Region(found.start(), found.end(), *closing.span(), kind, "", escaped))
    return closing.end()


def begin(state: State, found: re.Match[str]) -> int:
    r"""`\begin{…}` of an environment that is a formula by itself."""
    name = found["name"]
    if name.rstrip("*") not in ENVIRONMENTS:
        return found.end()
    closing = state.closing(found, rf"\\end\s*\{{{re.escape(name)}\}}")
    if closing is None:
        state.scan.problems.append((found.start(), f"\\begin{{{name}}} has no \\end{{{name}}}"))
        return found.end()
    state.scan.regions.append(Region(found.start(), found.end(), *closing.span(), "display", name))
    return closing.end()


def dollar(state: State, found: re.Match[str]) -> int:
    """A dollar, which may be money."""
    region, end, problem = dollars(state.text, found.start(), state.find, state.paragraph_end)
    if problem:
        state.scan.problems.append((found.start(), problem))
    if region:
        state.scan.regions.append(region)
    return end


def line_end(text: str, at: int) -> int:
    """Where the line ends that `at` lies in."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end
