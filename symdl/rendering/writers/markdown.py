"""Documents as Markdown with `$$` blocks, as GitHub and notebooks show them."""

from __future__ import annotations

import re

from symdl.rendering.document import (
    Code,
    Document,
    Figure,
    Formula,
    Heading,
    Items,
    Link,
    Paragraph,
    Row,
    Table,
    pieces,
)
from symdl.rendering.writers.tex import SIGNS

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$])")


def to_markdown(document: Document) -> str:
    r"""Markdown of a document; formulas stand in `$$` blocks on lines of their own.

    >>> print(to_markdown(Document("A unit", (Formula((Row("s", "w x"),)),))), end="")
    # A unit
    <BLANKLINE>
    $$
    s = w x
    $$
    """
    parts = [f"# {_words(document.title)}"]
    parts += [_block(block) for block in document.blocks]
    return "\n\n".join(p for p in parts if p) + "\n"


def _block(block: object) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_words(text)}"
        case Paragraph(text):
            return _words(text)
        case Items(entries):
            return "\n".join(f"- {_words(e)}" for e in entries)
        case Link(text, target):
            return f"[{_words(text)}]({target})"
        case Formula(rows):
            return f"$$\n{_math(aligned(rows))}\n$$"
        case Figure(svg, _, caption, link):
            picture = f"![{_words(caption)}]({link})" if link else re.sub(r"\n\s*\n", "\n", svg.strip())
            return picture + (f"\n\n*{_words(caption)}*" if caption else "")
        case Table(head, rows, caption):
            lines = [head, tuple("---" for _ in head), *rows]
            text = "\n".join("| " + " | ".join(c if c == "---" else _words(c) for c in line) + " |" for line in lines)
            return text + (f"\n\n*{_words(caption)}*" if caption else "")
        case Code(text, language):
            fence = "`" * max(3, 1 + max((len(m) for m in re.findall(r"`+", text)), default=0))
            return f"{fence}{language}\n{text.rstrip()}\n{fence}"
    raise AssertionError(f"no way to write {block!r}")


def aligned(rows: tuple[Row, ...]) -> str:
    """The rows as one piece of display mathematics; the names of the rules in a column of their own."""
    if len(rows) == 1 and not rows[0].note:
        return f"{rows[0].left} {rows[0].relation} {rows[0].right}".strip()
    lines = []
    for row in rows:
        note = rf" && \text{{{_note(row.note)}}}" if row.note else ""
        lines.append(f"{row.left} &{row.relation} {row.right}{note}".strip())
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _note(text: str) -> str:
    """Words inside \\text{}: formulas and signs go on between dollar signs, and braces and signs are escaped."""
    return "".join(
        f"${t}$" if is_math else "".join(f"${SIGNS[c]}$" if c in SIGNS else rf"\{c}" if c in "#%&_{}" else c for c in t)
        for is_math, t in pieces(text)
    )


def _math(text: str) -> str:
    """`|` would divide a table and `<` begin a tag."""
    return re.sub(r"<(?=\S)", "< ", text.replace(r"\left|", r"\left\vert ").replace(r"\right|", r"\right\vert{}"))


def _words(text: str) -> str:
    return "".join(
        f"${_math(t)}$" if is_math else _SPECIAL.sub(r"\\\1", " ".join(t.split("\n"))) for is_math, t in pieces(text)
    )
