r"""What the words of a document say of its names: values, domains, shapes, what they stand for.

A formula such as $w_0 = 2$ says its value itself, and is not repeated here.

>>> from symdl.verification.documents import read_text
>>> text = r"The learning rate $\eta$ of 0.5 and, for $x > 0$, $W \in \mathbb{R}^{m \times n}$."
>>> for each in stated(read_text(text, "markdown")):
...     print(each.kind, each.name, "|", each.value)
meaning \eta | learning rate
value \eta | 0.5
domain x | x > 0
shape W | m \times n
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from symdl.verification.documents.listings import settings
from symdl.verification.documents.names import FUNCTION, NAME, SPOKEN, is_name
from symdl.verification.documents.reading import scanned
from symdl.verification.documents.regions import Lines, blanked
from symdl.verification.documents.spans import Document, Position, Span
from symdl.verification.documents.tables import entries

StatedKind = Literal["value", "column", "domain", "shape", "meaning", "function"]


@dataclass(frozen=True)
class Stated:
    r"""One thing that is said of a name.

    Args:
        kind: "value": the name has this value; "column": it has these values, one in each row of a table, as "(0, 1)";
            "domain": what holds of it, a relation or a set; "shape": extents, with `\times` between them; "meaning":
            the words that it stands for; "function": the entry of the library that a definition claims to be.
        name: the name in LaTeX; `\text{learning rate}` where words are used that no name in the document stands for.
        value: LaTeX, or words.
        span: the formula that says it, or of which it is said. Of a domain that is a formula by itself ("for $x > 0$"),
            the span is that formula, which then is a condition and no claim.
    """

    kind: StatedKind
    name: str
    value: str
    line: int
    column: int
    section: tuple[int, ...]
    cell: int = 0
    span: Span | None = None

    @property
    def position(self) -> Position:
        """(cell, line, column): the order of reading."""
        return self.cell, self.line, self.column


def stated(document: Document) -> list[Stated]:
    """What the words and tables of the document say, in the order of reading."""
    found = []
    defined: set[tuple[int, ...]] = set()
    titles = {section.number: section.title for section in document.sections}
    for span in document.spans:
        for kind, name, value in _said(span):
            found.append(Stated(kind, name, value, span.line, span.column, span.section, span.cell, span))
        found += _function(span, titles.get(span.section, ""), defined)
    meanings = {each.value.lower(): each.name for each in found if each.kind == "meaning"}
    found += _outside(document, meanings)
    return sorted(found, key=lambda each: each.position)


# ── said of one formula, by itself and by the words next to it ───────────────────────────────────────────────────────

_NUMBER = r"[-−]?\d+(?:\.\d+)?(?:[eE][-−]?\d+)?"
_END = r"(?=\s*(?:[,;:)]|\.(?!\d)|\Z)|\s+(?:and|with|for|in|then|so|which|or|at|on|we|the)\b)"
_IS = re.compile(rf"\s*(?:is|equals|is (?:set|fixed|chosen) (?:to|as)|has the value)\s+\$?({_NUMBER})\$?{_END}")
_OF = re.compile(rf"\s*(?:of|with value)\s+\$?({_NUMBER})\$?{_END}")
_TO = re.compile(rf"\s*(?:to|as|at|with)\s+\$?({_NUMBER})\$?{_END}")
_SETS = re.compile(
    r"\b(?:set|sets|setting|fix|fixing|choose|choosing|initiali[sz]e|initiali[sz]ing)\b[^.]{0,40}\Z", re.I
)
_AFTER_PREPOSITION = re.compile(r"\b(?:at|of|to|in|by|on|for|from|than|times|per|respect)\s*\Z")
_MEANS = re.compile(r"\s*(?:is|are|denotes?|stands? for|represents?)\s+(?:the|an?)\s+([a-z][a-zA-Z -]{1,60}[a-z])")
_NAMED_BY = re.compile(
    r"\b(learning rate|step size|batch size|momentum|weight decay|dropout rate|temperature|bias|target"
    r"|number of (?:samples|classes|epochs|units|inputs|layers))\s+(?:of|is|called|denoted by)\s*\Z",
    re.I,
)
_TITLE = re.compile(r"\b(?:the|an?|its|our|their|of|with|and|where)\s+((?:[a-z][a-z-]*\s+){0,2}[a-z][a-z-]+)\Z", re.I)
_NO_TITLE = frozenset(
    re.findall(
        r"\w+",
        "a an all and any are as at be by each every for from have if in is let of on or same set such that the then "
        "this value values to we where when with which has given number matrix vector real respect function that",
    )
)
_MEMBER = re.compile(rf"({NAME}(?:\s*,\s*{NAME}){{0,9}})\s*\\in\s*(?:\\mathbb\s*(?:\{{\s*R\s*\}}|R)|\\R)\s*\^\s*(.+)")
_RELATION = re.compile(r"[<>]|\\(?:leq?|geq?|neq?|in|leqslant|geqslant)(?![A-Za-z])")
_CONDITION = re.compile(
    r"\b(?:for|if|when|whenever|where|assume|assuming|provided|given|let|suppose|with|over|unless)"
    r"(?:\s+(?:that|an?|the|all|any|every|each|some|real|scalar|number|constant|and))*\Z",
    re.I,
)
_FIRST_NAME = re.compile(rf"(?<![\\A-Za-z_^{{]){NAME}")
_ASSUMES = re.compile(
    r"\b(?:if|when|whenever|where|with|assume|assuming|suppose|provided|given|such|requires?|requiring|wants?|needs?|unless"
    r"|solve|solving)(?:\s+(?:that|we|have|all|and))*\Z",
    re.I,
)
_WANTED = re.compile(r"\s*(?:is|are|be)\s+(?:wanted|required|needed|desired|assumed|demanded)\b")
_GIVES_A_VALUE = re.compile(rf"{NAME}\s*(?:\(\s*{NAME}(?:\s*,\s*{NAME}){{0,9}}\s*\))?\s*(?::?=)(?!\s*0\s*\Z)")
_SLOPE = r"(?:\\[dt]?frac\s*\{\s*(?:d|\\partial|\\mathrm\s*\{?d)(?![a-z])|\\nabla|[A-Za-z\\]+'+\s*\()"
#: "The sigmoid is …, with" says more of it; that a slope is 0 says where.
_GIVES_A_SLOPE, _BESIDE = re.compile(rf"{_SLOPE}[^=]*=(?!\s*0\s*\Z)"), re.compile(r"\b(?:with|where)\s*\Z", re.I)
_ADJECTIVE = re.compile(
    r"\b(positive|negative|non-?negative|non-?zero|non-?positive)(?:\s+(?:real|scalar|constant|number|integer|input))*\Z"
)
_IS_ADJECTIVE = re.compile(r"\s*is(?: strictly| always)?\s+(positive|negative|non-?negative|non-?zero|non-?positive)\b")
_SIGNS = {"positive": "> 0", "negative": "< 0", "nonnegative": r"\ge 0", "nonzero": r"\ne 0", "nonpositive": r"\le 0"}
_EXTENTS = re.compile(r"[^=<>,+]{1,40}\\times[^=<>,+]{1,60}")
_MATRIX = re.compile(rf"[\s-]*(?:[a-z]+ )?(?:matrix|tensor|array)\s+\$({NAME})\$")
_IS_MATRIX = re.compile(r"\s*is\s+(?:an?|the)\s+\$([^$]{1,80})\$[\s-]*(?:[a-z]+ )?(?:matrix|tensor|array)\b")
_LENGTH = re.compile(r"\s*(?:of|has)\s+(?:length|dimension)\s+\$?([^$\s,.;]{1,40})\$?")
_SHAPE = re.compile(r"\s*(?:has|is|of|with)\s+(?:the |a )?(?:shape|size)\s+\$?\(([^()$]{1,80})\)\$?")


def _said(span: Span) -> Iterator[tuple[StatedKind, str, str]]:
    latex, before, after = span.latex, span.before, span.after
    if is_name(latex):
        adjective = _ADJECTIVE.search(before)
        if not adjective and (title := _title(before)):
            yield "meaning", latex, title
        elif found := _MEANS.match(after):
            yield "meaning", latex, found[1].strip()
        if (value := _value(before, after)) is not None:
            yield "value", latex, value.replace("−", "-")
        if found := adjective or _IS_ADJECTIVE.match(after):
            yield "domain", latex, f"{latex} {_SIGNS[found[1].replace('-', '')]}"
        if found := _IS_MATRIX.match(after):
            yield "shape", latex, found[1].strip()
        elif found := _LENGTH.match(after):
            yield "shape", latex, found[1]
        elif found := _SHAPE.match(after):
            yield "shape", latex, r" \times ".join(part.strip() for part in found[1].split(",") if part.strip())
    elif found := _MEMBER.fullmatch(latex):
        extents = _ungrouped(found[2].strip())
        for name in re.findall(NAME, found[1]):
            yield "shape", name, extents
    elif _EXTENTS.fullmatch(latex) and (found := _MATRIX.match(after)):
        yield "shape", found[1], latex
    elif _is_condition(latex, before, after):
        first = _FIRST_NAME.search(latex)
        yield "domain", first[0] if first else "", latex


def _is_condition(latex: str, before: str, after: str) -> bool:
    """Whether the words make it a condition: for x > 0, where Σ y = 1, such that f(x) = 0, n v = 2 is wanted."""
    if "=" not in latex:
        return bool(_RELATION.search(latex) and (_CONDITION.search(before) or _WANTED.match(after)))
    if _GIVES_A_VALUE.match(latex) or (_GIVES_A_SLOPE.match(latex) and _BESIDE.search(before)):
        return False
    return bool(_ASSUMES.search(before) or _WANTED.match(after))


def _title(before: str) -> str:
    """The words for a name that stand in front of it: "the learning rate"."""
    if named := _NAMED_BY.search(before[-80:]):
        return " ".join(named[1].lower().split())
    found = _TITLE.search(before[-80:])
    words = found[1].split() if found else []
    while words and words[0].lower() in _NO_TITLE:
        words.pop(0)
    return " ".join(words) if words and not _NO_TITLE & {word.lower() for word in words} else ""


def _value(before: str, after: str) -> str | None:
    if found := _OF.match(after):
        return found[1]
    if (found := _IS.match(after)) and not _AFTER_PREPOSITION.search(before[-20:]):
        return found[1]
    if (found := _TO.match(after)) and _SETS.search(before[-80:]):
        return found[1]
    return None


def _ungrouped(text: str) -> str:
    return (
        text[1:-1].strip() if text.startswith("{") and text.endswith("}") and text.find("}") == len(text) - 1 else text
    )


# ── definitions of functions that the words name ─────────────────────────────────────────────────────────────────────

_KIND = r"(?:\s+(?:function|activation|unit|nonlinearity|activation function))?"
_AS = r"(?:\s+(?:is|reads|has the form)(?:\s+(?:defined|given))?(?:\s+(?:as|by))?)?"
_NAMED = re.compile(rf"(?:(?:the|an?)\s+)?({FUNCTION}){_KIND}(?:\s+\([^)]*\))?(?:\s+\$[^$]*\$)?{_AS}\Z", re.I)
_ENTITLED = re.compile(rf"(?:the\s+)?({FUNCTION}){_KIND}(?:\s+\([^)]*\))?\Z", re.I)
_UNNAMED = re.compile(
    rf"(?:it|this|(?:the\s+|its\s+)?(?:function|activation|formula|definition|definition is))?{_AS}\Z", re.I
)
_DEFINES = re.compile(rf"({NAME})\s*(?:\\left)?\(\s*{NAME}\s*(?:\\right)?\)\s*(?:=|:=|\\coloneqq)\s*.+")


def _function(span: Span, title: str, defined: set[tuple[int, ...]]) -> list[Stated]:
    """What function a definition f(x) = … claims to be, by the words right before it, or by the title of its section.

    By the title, only the first definition of the section is; `defined` remembers where there has been one.
    """
    found = _DEFINES.fullmatch(span.latex)
    if found is None or "'" in found[1]:
        return []
    first = span.section not in defined
    defined.add(span.section)
    sentence = re.split(r"[.!?:;]\s+", span.before.rstrip(" :,"))[-1]
    named = _NAMED.fullmatch(sentence) or (
        _ENTITLED.fullmatch(title) if first and _UNNAMED.fullmatch(sentence) else None
    )
    if named is None:
        return []
    entry = SPOKEN[named[1].lower()]
    return [Stated("function", found[1], entry, span.line, span.column, span.section, span.cell, span)]


# ── said in words alone, or in a table ───────────────────────────────────────────────────────────────────────────────

_WORDS = (
    "learning rate|step size|batch size|momentum|weight decay|dropout rate|dropout probability|temperature|bias|target"
    "|number of (?:samples|classes|epochs|units|inputs|layers)"
)
_WORD_VALUE = re.compile(rf"\b({_WORDS})\s*(?:of|is|=|:|is set to|was|equals)\s*\$?({_NUMBER})\$?{_END}", re.I)


def _outside(document: Document, meanings: dict[str, str]) -> Iterator[Stated]:
    starts = [(section.cell, section.line) for section in document.sections]
    for cell, text, scan in scanned(document.text, document.kind, document.file):
        lines = Lines(text)
        words = blanked(
            text, [*((r.start, r.end) for r in scan.regions if not _is_number(text[r.inner : r.outer])), *scan.hidden]
        )
        hits: list[tuple[StatedKind, str, str, int]] = []
        for found in _WORD_VALUE.finditer(words):
            name = meanings.get(words_of := " ".join(found[1].lower().split()), rf"\text{{{words_of}}}")
            hits.append(("value", name, found[2].replace("−", "-"), found.start()))
        for entry in entries(blanked(text, scan.hidden), latex=document.kind == "latex"):
            values = entry.values
            value = values[0] if len(values) == 1 else f"({', '.join(values)})"
            hits.append(("value" if len(values) == 1 else "column", entry.name, value, entry.offset))
        if document.kind in ("markdown", "notebook"):
            hits += [("value", name, value, offset) for name, value, offset in settings(text, scan.hidden)]
        for kind, name, value, offset in hits:
            line, column = lines.at(offset)
            place = bisect_right(starts, (cell, line))
            section = document.sections[place - 1].number if place else ()
            yield Stated(kind, name, value, line, column, section, cell)


def _is_number(text: str) -> bool:
    return re.fullmatch(_NUMBER, text.strip()) is not None
