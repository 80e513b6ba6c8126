"""The text of a document as HTML blocks: as much of Markdown and LaTeX as it takes to read the words around formulas.

Formulas are taken out first and stand as signs of their own in the text, so nothing here can change one. All else is
escaped: what a document holds is shown, never run.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symdl.cli.reports.regions import Page

__all__ = ["Block", "blocks", "numbers"]

#: A formula in the text is its number between two signs, and code a third; a document has none of them, since they are
#: taken out of its text first (private use).
_OPEN, _CLOSE, _CODE = "\ue000", "\ue001", "\ue002"
_FORMULA = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_ITEM = re.compile(r"(\s*)([-*+]|[0-9]{1,9}[.)])\s+(.*)$")
_RULER = re.compile(r"\s*\|?[\s|:-]*-[\s|:-]*$")
_PRAGMA = re.compile(r"\s*<!--\s*symdl:.*?-->\s*")
_COMMENT = re.compile(r"<!--(?!\s*symdl:).*?-->", re.DOTALL)

#: Settings at the head of a document, between two lines of dashes, are no text.
_FRONT = re.compile(r"\A---[ \t]*\n(?:.*\n)*?---[ \t]*(?:\n|\Z)")
#: A sign that stands for itself: as an entity, so that nothing else takes it for more.
_ESCAPED = re.compile(r"\\([!#$%()*+,./:=?@\[\\\]^_`{|}~-])")

_INLINE = (
    (re.compile(r"!?\[([^\]\n]*)\]\((?:[^()\n]|\([^()\n]*\))*\)"), r"\1"),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", re.DOTALL), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*<>]+?)(?<=\S)\*(?![\w*])"), r"<em>\1</em>"),
)

_SECTIONS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
_LATEX = (
    (re.compile(r"(?<!\\)%(?! *symdl:)[^\n]*\n?"), ""),
    (re.compile(r"\A.*?\\begin\{document\}", re.DOTALL), ""),
    (re.compile(r"\\item\b\s*(?:\[[^\]\n]*\])?"), "\n- "),
    (re.compile(r"\\(?:begin|end)\s*\{[A-Za-z]+\*?\}(?:\[[^\]\n]*\])?"), "\n"),
    (re.compile(r"\\label\s*\{[^{}]*\}"), ""),
    (re.compile(r"\\(?:emph|textit)\s*\{([^{}]*)\}"), r"*\1*"),
    (re.compile(r"\\textbf\s*\{([^{}]*)\}"), r"**\1**"),
    (re.compile(r"\\(?:maketitle|tableofcontents|noindent|centering|newpage|clearpage)\b"), ""),
    (re.compile(r"\\([%&#_$])"), r"\1"),
    (re.compile(r"~"), "\N{NO-BREAK SPACE}"),
)
_LATEX_SECTION = re.compile(rf"\\({'|'.join(_SECTIONS)})\*?\s*\{{([^{{}}]*)\}}")


@dataclass(frozen=True)
class Block:
    """A part of the page. `text` is HTML in which a formula still is its sign; `tag` is the element around it."""

    tag: str
    text: str


def numbers(text: str) -> list[int]:
    """The formulas in a block, as numbers of regions of its page."""
    return [int(found) for found in _FORMULA.findall(text)]


def filled(text: str, formulas: list[str]) -> str:
    """The text with its formulas, as HTML."""
    return _FORMULA.sub(lambda found: formulas[int(found[1])], text)


def blocks(page: Page) -> Iterator[Block]:
    """The blocks of a page in order; each display is a block of its own, `div`."""
    text = _marked(page)
    if page.kind == "code":
        yield Block("pre", f"<code>{html.escape(text)}</code>")
        return
    if page.kind == "latex":
        text = _from_latex(text)
    displays = {n for n, region in enumerate(page.regions) if region.display}
    if page.kind == "plain":
        for part in re.split(r"\n\s*\n", text):
            yield from _apart(Block("p", part), displays, lambda words: html.escape(words).replace("\n", "<br>\n"))
        return
    for block in _markdown(text):
        if block.tag in ("pre", "table"):
            yield block
        else:
            yield from _apart(block, displays, _inline)


def _marked(page: Page) -> str:
    parts, end = [], 0
    for number, region in enumerate(page.regions):
        parts += [page.text[end : region.start].translate(_NO_SIGNS), f"{_OPEN}{number}{_CLOSE}"]
        end = region.end
    return "".join([*parts, page.text[end:].translate(_NO_SIGNS)])


_NO_SIGNS = dict.fromkeys(map(ord, (_OPEN, _CLOSE, _CODE)))


def _apart(block: Block, displays: set[int], words: Callable[[str], str]) -> Iterator[Block]:
    """Displays taken out of the paragraph that they stand in; what is left as HTML, by `words`."""
    end, tag = 0, block.tag
    for found in _FORMULA.finditer(block.text):
        if int(found[1]) in displays:
            if before := block.text[end : found.start()].strip():
                yield Block(tag, words(before))
            yield Block("div", found[0])
            end, tag = found.end(), "p" if block.tag == "li" else block.tag
    if (rest := block.text[end:].strip()) and rest not in ".,;:":
        yield Block(tag, words(rest))


def _from_latex(text: str) -> str:
    text = _LATEX_SECTION.sub(lambda found: f"\n\n{'#' * _SECTIONS[found[1]]} {found[2]}\n\n", text)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return text


def _markdown(text: str) -> Iterator[Block]:
    """Blocks whose text is Markdown still, but for code and tables."""
    lines = _COMMENT.sub("", _FRONT.sub("", text)).split("\n")
    words: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        special = _special(lines, at)
        if special is None and line.strip():
            words.append(line)
            at += 1
            continue
        yield from _paragraph(words)
        words = []
        if special is None:
            at += 1
        else:
            block, at = special
            yield block
    yield from _paragraph(words)


def _special(lines: list[str], at: int) -> tuple[Block, int] | None:
    """A block that begins at this line and is no paragraph, and the line after it."""
    line = lines[at]
    if _PRAGMA.fullmatch(line):
        return Block("p", line.strip()), at + 1
    if heading := _HEADING.match(line):
        return Block(f"h{min(6, len(heading[1]) + 1)}", heading[2]), at + 1
    if fence := _FENCE.match(line):
        end = at + 1
        while end < len(lines) and not lines[end].strip().startswith(fence[1]):
            end += 1
        return Block("pre", f"<code>{html.escape(chr(10).join(lines[at + 1 : end]))}</code>"), end + 1
    if item := _ITEM.match(line):
        end = at + 1
        while end < len(lines) and lines[end].strip() and _special_starts(lines[end]) is None:
            end += 1
        body = "\n".join([item[3], *lines[at + 1 : end]])
        return Block("li", f"{'•' if item[2] in '-*+' else item[2]} {body}"), end
    if line.lstrip().startswith("|"):
        end = at
        while end < len(lines) and lines[end].lstrip().startswith("|"):
            end += 1
        return Block("table", _table(lines[at:end])), end
    return None


def _special_starts(line: str) -> str | None:
    starts = _HEADING.match(line) or _FENCE.match(line) or _ITEM.match(line)
    return starts[0] if starts else None


def _table(lines: list[str]) -> str:
    rows = [line.strip().strip("|").split("|") for line in lines if not _RULER.match(line)]
    return "\n".join("<tr>" + "".join(f"<td>{_inline(cell.strip())}</td>" for cell in row) + "</tr>" for row in rows)


def _paragraph(words: list[str]) -> Iterator[Block]:
    text = "\n".join(line.removeprefix("> ") for line in words).strip()
    if text and not re.fullmatch(r"[-=*_\s]+", text):
        yield Block("p", text)


def _inline(text: str) -> str:
    """Code, emphasis and the words of links; no link leads out of the page."""
    parts = re.split(r"(`[^`\n]+`|<!--.*?-->)", text, flags=re.DOTALL)
    codes = [f"<code>{html.escape(part.strip('`'))}</code>" for part in parts[1::2]]
    text = html.escape("".join(_CODE if odd % 2 else part for odd, part in enumerate(parts)))
    text = _ESCAPED.sub(lambda found: f"&#{ord(found[1])};", text)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return "".join(part + code for part, code in zip(text.split(_CODE), [*codes, ""], strict=True))
