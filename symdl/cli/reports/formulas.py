r"""Formulas of a stranger's document as MathML that can do nothing but show them.

latex2mathml passes on what stands in `\text{…}`, `\href{…}` and colours as it is, so its output is read again and only
elements and attributes that set mathematics are written; whatever else looks like an element is shown as text.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import symdl as sd

__all__ = ["formula"]

#: Longer formulas, and those that are no LaTeX to latex2mathml, are shown as they were written.
_LONGEST = 2000

_ELEMENTS = frozenset(
    (
        *("math", "mrow", "mi", "mn", "mo", "mtext", "ms", "mspace", "mstyle", "mpadded", "mphantom", "menclose"),
        *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts"),
        *("mtable", "mtr", "mtd"),
    )
)

#: Attributes with what their values may be.
_WORD, _LENGTH = re.compile(r"[A-Za-z0-9 \-]*"), re.compile(r"-?[0-9.]*[a-z%]*")
_ATTRIBUTES = {
    **dict.fromkeys(("displaystyle", "stretchy", "fence", "form", "accent", "movablelimits", "largeop"), _WORD),
    **dict.fromkeys(("mathvariant", "columnalign", "rowalign", "columnlines", "rowlines", "notation"), _WORD),
    **dict.fromkeys(("lspace", "rspace", "width", "height", "depth", "minsize", "maxsize", "linethickness"), _LENGTH),
    **dict.fromkeys(("scriptlevel", "rowspacing", "columnspacing", "voffset"), _LENGTH),
}


def formula(latex: str, *, block: bool = False) -> str:
    r"""HTML that shows a formula: MathML, or its LaTeX where that fails.

    >>> formula("x")
    '<math><mrow><mi>x</mi></mrow></math>'
    >>> formula(r"\text{<b>}")
    '<math><mrow><mtext>&lt;b&gt;</mtext></mrow></math>'
    >>> formula("^")
    '<code>^</code>'
    """
    made = _mathml(latex, block) if len(latex) <= _LONGEST else None
    return made or f"<code>{html.escape(latex)}</code>"


def _mathml(latex: str, block: bool) -> str | None:
    try:
        text = sd.rendering.mathml(latex, block=block)
    except sd.UnsupportedError:
        return None
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return None if reader.open else "".join(reader.made)


class _Reader(HTMLParser):
    """Writes again what may be there. `open` is not empty at the end where elements do not nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made: list[str] = []
        self.open: list[str] = []

    def set_cdata_mode(self, *_: object, **__: object) -> None:
        """No element of a formula holds anything but elements and text."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, closed=False)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, closed=True)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _ELEMENTS:
            self.handle_data(f"</{tag}>")
        elif self.open and self.open[-1] == tag:
            self.open.pop()
            self.made.append(f"</{tag}>")
        else:
            self.open.append(tag)  # never closed: the formula is refused

    def handle_data(self, data: str) -> None:
        self.made.append(html.escape(data, quote=False))

    def handle_comment(self, data: str) -> None:
        self.handle_data(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.handle_data(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.handle_data(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.handle_data(f"<![{data}]>")

    def _start(self, tag: str, attrs: list[tuple[str, str | None]], closed: bool) -> None:
        if tag not in _ELEMENTS:
            self.handle_data(html.unescape(self.get_starttag_text() or ""))
            return
        kept = "".join(
            f' {name}="{html.escape(value)}"'
            for name, value in attrs
            if value is not None and name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value)
        )
        self.made.append(f"<{tag}{kept}></{tag}>" if closed else f"<{tag}{kept}>")
        if not closed:
            self.open.append(tag)
