"""Matrices of which the words say that they are symmetric: for symmetric A, (A + Aᵀ) x = 2 A x."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from symdl.errors import SymdlError
from symdl.verification.documents import Document, Span
from symdl.verification.judging.conditions import SENTENCE_END
from symdl.verification.judging.rules import Judging
from symdl.verification.judging.worded import NAMED, names_said
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.scope import Formula, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.sums import new_index
from symdl.verification.notation import UnreadError, parse
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

_WHERE = r"\b(?:for|if|when|whenever|where|assuming|provided|in case of|since|as|because)"
_OF_NAME = rf"symmetric (?:[\w-]+ ){{0,3}}{NAMED}"
_NAME_IS = rf"{NAMED} (?:is|be)(?: an?| the)?(?: [\w-]+)?(?<! not) symmetric\b"
_SAID = (
    re.compile(rf"(?<!not )(?<!skew-)(?<!anti-)\b{_OF_NAME}", re.IGNORECASE),
    re.compile(_NAME_IS, re.IGNORECASE),
)
#: "For symmetric $A$" and "if $A$ is symmetric" say so of what stands in their sentence, and not of the rest.
_IN_A_CASE = (
    re.compile(rf"{_WHERE} (?:an?y? |all |the )?{_OF_NAME}", re.IGNORECASE),
    re.compile(rf"{_WHERE} {_NAME_IS}", re.IGNORECASE),
)


def symmetric(document: Document) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """The names of which the words say that they are symmetric, each with its section.

    >>> from symdl.verification.documents import read_text
    >>> text = "For symmetric $A$ and where $B$ is not symmetric, $C$ is symmetric, and a skew-symmetric $D$."
    >>> [node.name for node, _ in symmetric(read_text(text, "markdown"))]
    ['A', 'C']
    """
    return names_said(document, _SAID)


def in_some_case(document: Document) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """Those of which they say so for some sentence only."""
    return names_said(document, _IN_A_CASE)


def here(span: Span) -> Iterator[Node]:
    """Those of which the sentence around a formula says so."""
    before, after = SENTENCE_END.split(span.before)[-1], SENTENCE_END.split(span.after)[0]
    if span.kind == "display" and not after.lstrip()[:1].islower():
        after = ""  # a sentence of its own
    text = f"{before} ${span.latex}$ {after}"
    for found in (f for pattern in _IN_A_CASE for f in pattern.finditer(text)):
        with suppress(UnreadError):
            yield parse(found[1])


def where_symmetric(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict for symmetric matrices alone, where the words of the chapter say so of some; None where of none."""
    reading = judge.reading
    said = {name for name, section in reading.symmetric if section[:1] == reading.section[:1]}
    cases = {name for name, section in reading.symmetric_cases if section[:1] == reading.section[:1]}
    elsewhere = cases - reading.symmetric_here
    here = said & names_in(reading.reader(), (link.left, link.right))
    names = sorted(n for n in here if not any(reading.scope.all_of(n, rank) for rank in (0, 2)))
    if not names:
        return None
    scope = reading.scope.copy()
    for name in names:
        rows, columns = (new_index(f"a{k}", scope.extent(name, k, 2)) for k in range(2))
        if not scope.fit(rows.extent, columns.extent):
            return None
        base = scope.base(name)
        body = sum(element(f"{name}₂", [i + base, j + base]) for i, j in ((rows, columns), (columns, rows)))
        scope.ranks = {**scope.ranks, name: {2}}
        scope.formulas[name, 2] = Formula(Array((rows, columns), body / 2), (base, base), section=reading.section)
    try:
        found = judge.read_in(replace(reading, scope=scope), link)
    except SymdlError:
        return None
    told = f"for symmetric {', '.join(names)}"
    if found.proved and any(name in elsewhere for name in names):
        return replace(found, status=Status.CONDITIONAL, reason=f"so {told}, of which other words speak")
    return replace(found, scope=f"{found.scope}; {told}")
