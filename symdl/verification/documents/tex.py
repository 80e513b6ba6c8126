r"""LaTeX: where the formulas, headings and remarks of a document lie.

Before `\begin{document}` only macros are read. A macro that stands for `\begin{equation}` begins one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from symdl.verification.documents.braces import group_end
from symdl.verification.documents.dollars import closing_dollar, looks_like_words
from symdl.verification.documents.regions import Heading, Region, Scan
from symdl.verification.documents.rows import ENVIRONMENTS
from symdl.verification.documents.scanning import DEFINES, State, begin, bracket, define, line_end, passed
from symdl.verification.documents.spans import SpanKind

_TOKEN = re.compile(
    r"""
      (?P<comment>%)
    | (?P<verbatim>\\begin\s*\{(?P<listing>verbatim\*?|Verbatim|lstlisting|minted|comment|filecontents\*?)\})
    | (?P<verb>\\(?:verb\*?|lstinline)(?P<fence>[^A-Za-z\s{*]))
    | (?P<skipped>\\iffalse\b)
    | (?P<heading>\\(?P<level>part|chapter|section|subsection|subsubsection|paragraph|subparagraph)\*?\s*
        (?:\[[^\]\[\n]*\]\s*)?(?=\{))
    | (?P<begin>\\begin\s*\{(?P<name>[A-Za-z]+\*?)\})
    | (?P<stop>\\end\s*\{document\})
    | (?P<define>"""
    + DEFINES
    + r"""|\\(?:New|Renew)DocumentCommand\b)
    | (?P<file>\\(?:input|include|subfile)\b\s*\{?(?P<path>[^{}\s%]*)\}?)
    | (?P<item>\\(?:item|par)\b)
    | (?P<bracket>\\[(\[])
    | (?P<command>\\(?P<word>[A-Za-z]+))
    | (?P<escape>\\.)
    | (?P<dollar>\$\$?)
    """,
    re.VERBOSE | re.DOTALL,
)
_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_BREAK = re.compile(r"\n(?=[ \t]*\n)")
_START = re.compile(r"\\begin\s*\{document\}")
_SHORT = re.compile(r"\{\s*\\(begin|end)\s*\{([A-Za-z]+\*?)\}\s*\}")


@dataclass
class _State(State):
    short: dict[str, tuple[str, str]] = field(default_factory=dict)
    r"""Macros that stand for `\begin{…}` or `\end{…}`: be → ("begin", "equation")."""


def scan_latex(text: str) -> Scan:
    """What lies where in a LaTeX document, or in a part of one."""
    state = _State(text)
    state.scan.breaks = [found.start() for found in _BREAK.finditer(text)]
    start = _START.search(text)
    body = start.end() if start else 0
    at = 0
    while found := _TOKEN.search(text, at):
        group = found.lastgroup or ""
        if group == "stop":
            state.scan.hidden.append((found.start(), len(text)))
            break
        preamble = found.start() < body and group not in {"comment", "define", "verbatim", "skipped"}
        at = found.end() if preamble else _HANDLERS[group](state, found)
    state.scan.hidden.append((0, body))
    return state.scan


# ── one function for each kind of token: notes what it is, returns where to go on ────────────────────────────────────


def _comment(state: _State, found: re.Match[str]) -> int:
    end = line_end(state.text, found.end())
    state.remark(found.start(), state.text[found.end() : end].lstrip("%"))
    state.scan.hidden.append((found.start(), end))
    return end


def _verbatim(state: _State, found: re.Match[str]) -> int:
    end = state.find(f"\\end{{{found['listing']}}}", found.end())
    stop = end if end >= 0 else len(state.text)
    state.scan.hidden.append((found.start(), stop))
    return stop


def _verb(state: _State, found: re.Match[str]) -> int:
    end = state.text.find(found["fence"], found.end(), line_end(state.text, found.end()))
    return found.end() if end < 0 else end + 1


def _skipped(state: _State, found: re.Match[str]) -> int:
    end = state.find("\\fi", found.end())
    stop = end if end >= 0 else len(state.text)
    state.scan.hidden.append((found.start(), stop))
    return stop


def _heading(state: _State, found: re.Match[str]) -> int:
    end = group_end(state.text, found.end(), min(len(state.text), found.end() + 1_000))
    title = state.text[found.end() + 1 : end - 1]
    state.scan.headings.append(Heading(found.start(), _LEVELS.index(found["level"]), title))
    state.scan.breaks.append(end)
    return found.end() + 1


def _define(state: _State, found: re.Match[str]) -> int:
    end = define(state, found)
    short = _SHORT.search(state.text, found.end(), end)
    name = re.compile(r"\*?\s*\{?\s*\\([A-Za-z]+)").match(state.text, found.end())
    if short and name and short[2].rstrip("*") in ENVIRONMENTS:
        state.short[name[1]] = short[1], short[2]
    return end


def _command(state: _State, found: re.Match[str]) -> int:
    """A macro that begins an environment; other commands are passed."""
    way, environment = state.short.get(found["word"], ("", ""))
    if way != "begin":
        return found.end()
    ends = [rf"\\{name}(?![A-Za-z])" for name, meaning in state.short.items() if meaning == ("end", environment)]
    closing = state.closing(found, "|".join([*ends, rf"\\end\{{{re.escape(environment)}\}}"]))
    if closing is None:
        state.scan.problems.append((found.start(), f"{found[0]} begins a formula that never ends"))
        return found.end()
    state.scan.regions.append(Region(found.start(), found.end(), *closing.span(), "display", environment))
    return closing.end()


def _file(state: _State, found: re.Match[str]) -> int:
    state.scan.problems.append((found.start(), f"the file {found['path']!r} is not read: give it by itself"))
    state.scan.hidden.append(found.span())
    return found.end()


def _item(state: _State, found: re.Match[str]) -> int:
    state.scan.breaks.append(found.start())
    return found.end()


def _dollar(state: _State, found: re.Match[str]) -> int:
    """In LaTeX every dollar begins a formula; one that does not end in its paragraph is an error there as well."""
    mark = found[0]
    end = closing_dollar(state.text, found.end(), state.paragraph_end(found.end()), mark)
    if end < 0 or looks_like_words(state.text[found.end() : end], most=5):
        state.scan.problems.append((found.start(), f"{mark} begins a formula that does not end in its paragraph"))
        return found.end()
    kind: SpanKind = "inline" if mark == "$" else "display"
    state.scan.regions.append(Region(found.start(), found.end(), end, end + len(mark), kind))
    return end + len(mark)


_HANDLERS: dict[str, Callable[[_State, re.Match[str]], int]] = {
    "comment": _comment,
    "verbatim": _verbatim,
    "verb": _verb,
    "skipped": _skipped,
    "heading": _heading,
    "begin": begin,
    "define": _define,
    "file": _file,
    "item": _item,
    "bracket": bracket,
    "command": _command,
    "escape": passed,
    "dollar": _dollar,
}
