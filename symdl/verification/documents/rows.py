r"""The rows of a display: one formula each, though a formula may run over several of them.

>>> text = r"\begin{aligned} a &= b \\ &\quad + c \\ &= d \end{aligned}"
>>> [text[start:end] for start, end in rows(text, 0, len(text), "")[0]]
['a &= b \\\\ &\\quad + c', '&= d']
"""

from __future__ import annotations

import re

from symdl.verification.documents.braces import group_end, optional

JOINED = {"multline", "multlined", "dmath"}
"""Environments whose rows are one formula."""
ALIGNED = {"align", "aligned", "alignat", "alignedat", "flalign", "xalignat"}
"""Environments whose second, fourth, … mark `&` stands between formulas."""
ROWED = ALIGNED | JOINED | {"split", "gather", "gathered", "eqnarray", "IEEEeqnarray", "array", "equation", "darray"}
"""Environments that hold formulas, one a row."""
_TABLES = {"array", "darray"}
_WITH_ARGUMENT = {"alignat", "alignedat", "xalignat", "array", "darray", "IEEEeqnarray"}
ENVIRONMENTS = (ROWED - {"array", "darray"}) | {"displaymath", "math"}
"""Environments that are formulas by themselves, with or without a star."""

DROPPED = (
    r"\\(?:label|tag\*?|eqno|raisetag|vspace\*?)\s*\{(?:[^{}]|\{[^{}]*\})*\}|\\(?:tag|eqno)\s*(?:\d+|\([^()]*\))"
    r"|\\(?:nonumber|notag|displaystyle|allowdisplaybreaks|hfill)\b"
)
"""What a display carries that is no part of its formula."""
_LEAD = re.compile(rf"(?:\s|{DROPPED}|%[^\n]*\n)*")
_TRAIL = re.compile(rf"(?:\s|{DROPPED}|[.,;]|\\[,;!\\]|\\q?quad\b|%[^\n]*(?:\n|\Z))*")
_BEGIN = re.compile(r"\\begin\s*\{([A-Za-z]+)\*?\}")
_NEST = re.compile(r"\\(begin|end)\s*\{([A-Za-z]+)\*?\}|\\.|%[^\n]*", re.DOTALL)
_LENGTH = r"(?:\s*\[\s*-?[\d.]*\s*(?:pt|em|ex|mm|cm|in|mu|\\[A-Za-z]+)\s*\])?"
_LEFT_SIDE = (
    r"[ \t]*(?:\\[A-Za-z]+(?:\s*\{[^{}]*\}){0,2}|[A-Za-z])(?:\s*[_^']\s*(?:\{[^{}]*\}|[\w+*]|\\[A-Za-z]+)){0,4}"
    r"[ \t]*&?[ \t]*="
)
_PART = re.compile(
    rf"(?P<new>(?:(?<=\d)|(?<=[\d,] )|(?<=\d,))\n(?={_LEFT_SIDE}))"
    r"|(?P<words>\\(?:short)?intertext\s*)(?=\{)"
    rf"|(?P<row>(?:\\\\\\\\|\\\\|\\(?:newline|cr)\b)\*?{_LENGTH})"
    r"|\\(?P<nest>begin|end)\s*\{[^{}]*\}|\\.|[{}]|%[^\n]*",
    re.DOTALL,
)
_INDENT = re.compile(r"(?:\s|&|\\q?quad\b|\\[,;:!> ]|\{\}|\\h?phantom\s*\{[^{}]*\}|\\hspace\*?\s*\{[^{}]*\})*")
_GOES_ON = re.compile(r"\+|\*|\\(?:cdot|times|odot|pm|mp|right|circ)(?![A-Za-z])|\\left\s*\.|[)\]]")
_SIDE = re.compile(r"\\(left|right)(?![A-Za-z])")
_MINUS = re.compile(r"[-−]")
_RELATION = re.compile(r"[=<>≈≤≥≠∈]|\\(?:approx|leq?|geq?|neq?|equiv|propto|sim|in|to|leftarrow|gets)(?![A-Za-z])")
_UNFINISHED = re.compile(r"(?:[-+=*(−≈]|\\(?:cdot|times|odot|approx|leq?|geq?|equiv|pm|left\s*[(\[|.]))\s*\Z")


def rows(text: str, start: int, end: int, environment: str) -> tuple[list[tuple[int, int]], str]:
    """Where the formulas of text[start:end] lie, without blanks around them, and the environment that they stand in.

    Args:
        environment: the one that the text is the body of, "" if none.
    """
    start, end, environment = _unwrapped(text, start, end, environment.rstrip("*"))
    parts = [(start, end)] if environment in JOINED else _joined(text, _split(text, start, end))
    trimmed = (_trimmed(text, *part) for part in parts)
    return [part for part in trimmed if part[0] < part[1]], environment


def _unwrapped(text: str, start: int, end: int, environment: str) -> tuple[int, int, str]:
    """Past the arguments of the environment, and into those that hold the whole of it."""
    start = _past_arguments(text, start, end, environment)
    for _ in range(8):
        lead = _LEAD.match(text, start, end)
        begin = _BEGIN.match(text, lead.end() if lead else start, end)
        if begin is None or begin[1] not in ROWED:
            return start, end, environment
        closed = _closing(text, begin.end(), end)
        if closed is None or not _TRAIL.fullmatch(text, closed[1], end):
            return start, end, environment
        if begin[1] in _TABLES and not _RELATION.search(text, begin.end(), closed[0]):
            return start, end, environment
        environment = begin[1]
        start, end = _past_arguments(text, begin.end(), closed[0], environment), closed[0]
    return start, end, environment


def _past_arguments(text: str, start: int, end: int, environment: str) -> int:
    if environment not in ROWED or environment == "equation":
        return start
    if re.compile(r"\s*\[[tbc]\]").match(text, start, end):
        start = optional(text, start)[1]
    if environment in _WITH_ARGUMENT and (brace := re.compile(r"\s*\{").match(text, start, end)):
        start = group_end(text, brace.end() - 1, end)
    return start


def _closing(text: str, at: int, limit: int) -> tuple[int, int] | None:
    r"""Where the `\end` that belongs to a `\begin` before `at` starts and ends."""
    depth = 1
    for found in _NEST.finditer(text, at, limit):
        if found[1]:
            depth += 1 if found[1] == "begin" else -1
            if depth == 0:
                return found.start(), found.end()
    return None


def _split(text: str, start: int, end: int) -> list[tuple[int, int]]:
    parts, depth, at = [], 0, start
    for found in _PART.finditer(text, start, end):
        if found.start() < at:
            continue
        if found["words"] and depth <= 0:
            parts.append((at, found.start()))
            at = group_end(text, found.end(), end)
        elif found["new"] and depth <= 0 and _RELATION.search(text, at, found.start()):
            # w_1 = 0.4 and w_2 = 0.5 below it, without a break between them: no product of 0.4 and w_2
            parts.append((at, found.start()))
            at = found.end()
        elif found["row"] and depth <= 0:
            parts.append((at, found.start()))
            at = found.end()
        elif found["nest"]:
            depth += 1 if found["nest"] == "begin" else -1
        elif found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
    return [*parts, (at, end)]


def _joined(text: str, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The rows that only go on with the formula before them, joined to it."""
    made: list[tuple[int, int]] = []
    unclosed = 0
    for start, end in parts:
        start, end = _trimmed(text, start, end)
        if start >= end:
            continue
        if made and (
            unclosed > 0 or _goes_on(text[max(made[-1][0], made[-1][1] - 200) : made[-1][1]], text[start:end])
        ):
            made[-1] = (made[-1][0], end)
        else:
            made.append((start, end))
            unclosed = 0
        unclosed += sum(1 if side[1] == "left" else -1 for side in _SIDE.finditer(text, start, end))
    return made


def _goes_on(before: str, row: str) -> bool:
    """Whether the row is no formula by itself: it begins with a sum's next term, or the one before ends in a sign."""
    indent = _INDENT.match(row)
    head = row[indent.end() if indent else 0 :]
    if _GOES_ON.match(head) or _UNFINISHED.search(before.rstrip("& \n\t")):
        return True
    return bool(_MINUS.match(head) and not _RELATION.search(head))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without blanks, labels and comments in front, and without blanks behind."""
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
