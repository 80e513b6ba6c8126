"""Matrices of which the words say that they are symmetric: for symmetric A, (A + Aᵀ) x = 2 A x."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from symdl.errors import SymdlError
from symdl.verification.documents import Document
from symdl.verification.judging.rules import Judging
from symdl.verification.judging.worded import names_said
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.naming import names_in
from symdl.verification.meaning.scope import Formula, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.sums import new_index
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Verdict

_NAMED = r"\$\s*([^$]+?)\s*\$"
_SAID = (
    re.compile(rf"(?<!not )(?<!skew-)(?<!anti-)\bsymmetric (?:[\w-]+ ){{0,3}}{_NAMED}", re.IGNORECASE),
    re.compile(rf"{_NAMED} (?:is|be)(?: an?| the)?(?: [\w-]+)?(?<! not) symmetric\b", re.IGNORECASE),
)


def symmetric(document: Document) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """The names of which the words say that they are symmetric, each with its section.

    >>> from symdl.verification.documents import read_text
    >>> text = "For symmetric $A$ and where $B$ is not symmetric, $C$ is symmetric, and a skew-symmetric $D$."
    >>> [node.name for node, _ in symmetric(read_text(text, "markdown"))]
    ['A', 'C']
    """
    return names_said(document, _SAID)


def where_symmetric(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict for symmetric matrices alone, where the words of the chapter say so of some; None where of none."""
    reading = judge.reading
    said = {name for name, section in reading.symmetric if section[:1] == reading.section[:1]}
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
    return replace(found, scope=f"{found.scope}; for symmetric {', '.join(names)}")
