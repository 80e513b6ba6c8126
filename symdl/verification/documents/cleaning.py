r"""A formula as its file has it → the LaTeX that is meant.

>>> cleaned(r"W\_{0} &= 3.57% \tag{2},", Macros(), markdown=True)
'W_{0} = 3.57\\%'
"""

from __future__ import annotations

import html
import re

from symdl.verification.documents.macros import DEFINING, Macros
from symdl.verification.documents.rows import ALIGNED, DROPPED

_ENTITY = re.compile(r"&(?:lt|gt|amp);")
_WORDS = re.compile(r"\\(?:text[a-z]*|mbox|mathrm|operatorname\*?)\s*\{[^{}]*\}")
_ESCAPE = re.compile(r"\\([_*])")
_TWICE = re.compile(r"\\\\([!-/:-@\[-`{-~])")
_COMMENT = re.compile(r"(\\.)|(?<=\d)(%)|%[^\n]*(?:\n[ \t]*|\Z)", re.DOTALL)
_STRICT_COMMENT = re.compile(r"(\\.)|()%[^\n]*(?:\n[ \t]*|\Z)", re.DOTALL)
_DROPPED = re.compile(rf"(?:{DROPPED}|\\hline\b)")
_EMPTY = re.compile(r"[_^]\s*\{\s*\}")
_ASIDE = re.compile(r"(?:\\q?quad|\\ )\s*//.*", re.DOTALL)
_NUMBER = re.compile(r"(?:\\q?quad|\\ )\s*(?:\\q?quad|\\ )\s*\(\d+\)(?:\s|\\ |\\q?quad)*\Z")
"""A remark behind // at the end of a row, and a number of the formula that is set by hand."""
_REOPENED = re.compile(r"\\right\s*\.(?:\s|\\\\|&|\\q?quad\b|\\[,;:! ])*\\left\s*\.")
_BREAK = re.compile(r"\\\\(?:\\\\)?\*?(?:\s*\[\s*-?[\d.]*\s*(?:pt|em|ex|mm|cm|in|mu)\s*\])?")
_CASE = re.compile(r"&\s*(if|otherwise|else|for|when)(?![A-Za-z])(?:\\[ ,;:]|~|\s)*")
_MARK = re.compile(r"\\(begin|end)\s*\{[^{}]*\}|\\\\|\\.|[{}&]", re.DOTALL)
_RELATION_BEFORE = re.compile(r"(?:[=<>≈≤≥]|\\(?:approx|leq?|geq?|neq?|equiv|propto|sim|in|to|leftarrow|gets))\s*\Z")
RELATION_AFTER = re.compile(r"\s*(?:[=<>≈≤≥]|\\(?:approx|leq?|geq?|neq?|equiv|propto|sim|in|to|leftarrow|gets)\b)")
"""What a formula begins with that goes on with the one before it."""
_ENDS = (r"\,", r"\;", r"\!", r"\ ", r"\quad", r"\qquad", ".", ",", ";", "~", " ", "\\")


def cleaned(
    raw: str,
    macros: Macros | None,
    *,
    markdown: bool = False,
    escaped: bool = False,
    environment: str = "",
) -> str:
    """The LaTeX of one formula or row.

    Args:
        raw: as it stands in the file.
        macros: those known so far, to which definitions in `raw` are added; None to leave all as they are.
        markdown: the escapes of Markdown are undone, and a % after a digit is a percent sign.
        escaped: every backslash before a punctuation mark is written twice.
        environment: the one it is a row of.

    Raises:
        ExpansionError: its macros do not end, or make it too long.
    """
    text = _without_escapes(raw, escaped=escaped) if markdown else raw
    text = (_COMMENT if markdown else _STRICT_COMMENT).sub(_uncommented, text)
    if "\\" in text:
        text = macros.expand(text) if macros else text
        if r"\begin{cases}" in text:  # words that were forgotten to be set as such
            text = _CASE.sub(r"& \\text{\1 } ", text)
        text = _REOPENED.sub("", _EMPTY.sub("", _DROPPED.sub("", text)))
    text = _without_marks(text, aligned=environment in ALIGNED)
    text = _NUMBER.sub("", _ASIDE.sub("", " ".join(text.split())))
    return _without_end(text)


def _without_end(text: str) -> str:
    """Without the gaps, and the full stop or comma of the sentence, at its end."""
    while end := next((end for end in _ENDS if text.endswith(end)), ""):
        if end == "." and text.endswith((r"\right.", r"\left.")):
            break
        text = text[: -len(end)]
    return text


def is_definition(raw: str) -> bool:
    """Whether it begins with the definition of a macro."""
    return DEFINING.match(raw.lstrip()) is not None


def _without_escapes(text: str, *, escaped: bool) -> str:
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    text = _TWICE.sub(r"\\\1", text) if escaped else text.replace(r"\\\\", r"\\")
    parts, at = [], 0
    for words in _WORDS.finditer(text):
        parts += [_ESCAPE.sub(r"\1", text[at : words.start()]), words[0]]
        at = words.end()
    return "".join(parts) + _ESCAPE.sub(r"\1", text[at:])


def _uncommented(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return r"\%" if found[2] else ""


def _without_marks(text: str, *, aligned: bool) -> str:
    r"""Without the marks `&` and the breaks `\\` of the display itself; those of a matrix in it stay."""
    if "&" not in text and r"\\" not in text:
        return text
    parts, at, depth, marks = [], 0, 0, 0
    for found in _MARK.finditer(text):
        depth += {"begin": 1, "end": -1}.get(found[1] or "", {"{": 1, "}": -1}.get(found[0], 0))
        if depth > 0 or found[0] not in {"&", r"\\"} or found.start() < at:
            continue
        parts.append(text[at : found.start()])
        at = found.end()
        if found[0] == "&":
            marks += 1
            parts.append(_divider("".join(parts[-1:]), text, at) if aligned and marks % 2 == 0 else " ")
        else:
            gap = _BREAK.match(text, found.start())
            at = gap.end() if gap else at
            marks = 0
            parts.append(" ")
    return "".join(parts) + text[at:]


def _divider(before: str, text: str, at: int) -> str:
    """What a column mark means: a gap between formulas, unless a relation stands there."""
    if not before.strip() or _RELATION_BEFORE.search(before) or RELATION_AFTER.match(text, at) or not text[at:].strip():
        return " "
    return r" \quad "
