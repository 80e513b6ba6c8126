"""Names of which the words around formulas say something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from symdl.verification.documents import Document
from symdl.verification.notation import UnreadError, parse
from symdl.verification.notation.tree import Node

_NAMED = re.compile(r"\$\s*([^$]+?)\s*\$")


def names_said(document: Document, patterns: Iterable[re.Pattern[str]]) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """What patterns find, each with its section; their one group is a formula, or holds some between dollars.

    >>> from symdl.verification.documents import read_text
    >>> text = read_text("Let $a$ and $b$ be large.", "markdown")
    >>> [node.name for node, _ in names_said(text, [re.compile("(.*) be large")])]
    ['a', 'b']
    """
    seen = set()
    for span in document.spans:
        text = f"{span.before} ${span.latex}$ {span.after}".replace("*", "")
        for found in (f for pattern in patterns for f in pattern.findall(text)):
            for latex in _NAMED.findall(found) or [found]:
                try:
                    said = parse(latex), span.section
                except UnreadError:
                    continue
                if said not in seen:
                    seen.add(said)
                    yield said
