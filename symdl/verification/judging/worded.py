"""Names of which the words around formulas say something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from symdl.verification.documents import Document
from symdl.verification.notation import UnreadError, parse
from symdl.verification.notation.tree import Node

#: A formula among words, as the group of a pattern.
NAMED = r"\$\s*([^$]+?)\s*\$"
#: Of such a formula something is said, and not only for the case that it is so.
ASSERTED = "".join(
    rf"(?<!\b{words} )"
    for words in ("if", "if the", "if the function", "if all", "when", "when the", "whenever", "unless", "whether")
)
_FORMULA, _EMPHASIS = re.compile(NAMED), re.compile(r"(\$[^$]*\$)|\*")


def said(
    document: Document, patterns: tuple[re.Pattern[str], ...]
) -> Iterator[tuple[list[Node | None], tuple[int, ...]]]:
    """What patterns find, each time all formulas in their groups together, with the section.

    A group is a formula, or holds some between dollars. What can't be read is None.

    >>> from symdl.verification.documents import read_text
    >>> text = read_text("Let $a$ and $b$ be *large*.", "markdown")
    >>> [[node.name for node in nodes] for nodes, _ in said(text, (re.compile("(.*) be large"),))]
    [['a', 'b']]
    """
    seen = set()
    for span in document.spans:
        text = _EMPHASIS.sub(lambda found: found[1] or "", f"{span.before} ${span.latex}$ {span.after}")
        for found in (f for pattern in patterns for f in pattern.finditer(text)):
            formulas = tuple(f for group in found.groups() if group for f in _FORMULA.findall(group) or [group])
            if (formulas, span.section) not in seen:
                seen.add((formulas, span.section))
                yield [_parsed(f) for f in formulas], span.section


def names_said(document: Document, patterns: Iterable[re.Pattern[str]]) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """What patterns find, formula by formula, each with its section and each once.

    >>> from symdl.verification.documents import read_text
    >>> text = read_text("Let $a$ and $b$ be large.", "markdown")
    >>> [node.name for node, _ in names_said(text, [re.compile("(.*) be large")])]
    ['a', 'b']
    """
    found = ((node, section) for nodes, section in said(document, tuple(patterns)) for node in nodes)
    yield from dict.fromkeys((node, section) for node, section in found if node is not None)


def _parsed(latex: str) -> Node | None:
    try:
        return parse(latex)
    except UnreadError:
        return None
