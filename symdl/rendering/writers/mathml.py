"""LaTeX to MathML: latex2mathml, and what it leaves undone.

Checked by looking at every construct in a browser: limits belong under Σ and max, a named function is an identifier
and not an operator, `log p` needs a space, and a bar over one letter must not stretch.
"""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

from symdl.errors import UnsupportedError

_LIMITS = re.compile(r"<msub><mo>(&#x02211;|&#x0220F;|max|min)</mo>(.*?)</msub>")
_NAMED = re.compile(r"<mo>([A-Za-z]{2,})</mo>")
_BARE_LOG = re.compile(r"<mi>log</mi>(?!<mrow><mo stretchy)")
_FUNCTION_AFTER = re.compile(r"(</(?:mi|mn|msub|msup|msubsup|mfrac|mrow)>)(?=(?:<msup>)?<mi>[A-Za-z]{2,}</mi>)")
_ACCENT = re.compile(r'<mo stretchy="true">(&#x000AF;|&#x0005E;|&#x002DC;|\^|~)</mo></mover>')
_SPLIT_WORD = re.compile(r'<mrow>((?:<mi mathvariant="normal">[A-Za-z]</mi>){2,})</mrow>')
_FENCED = re.compile(
    r'<mrow><mo stretchy="true" fence="true" form="prefix">([^<]*)</mo>'
    r'((?:(?!stretchy="true" fence).)*?)<mo stretchy="true" fence="true" form="postfix">([^<]*)</mo></mrow>'
)
_PREFIX_MINUS = re.compile(
    r'(<mrow>|<mo>(?:=|&#x0003D;|&#x02248;|&#x02190;|&#x0002C;)</mo>|<mo [^>]*form="prefix"[^>]*>[^<]*</mo>)'
    r"<mo>&#x02212;</mo>"
)
_TIGHT = re.compile(r"<m[oi]>(&#x0002F;|&#x02026;|:)</m[oi]>")
#: n′: fonts raise and shrink the sign by themselves; as a superscript in a subscript it would be a speck.
_PRIME = re.compile(r"<msup>(<mi>[^<]*</mi>)<mi>(&#x0203[2-4];|&#x02057;)</mi></msup>")
_TALL = re.compile(r"<(mfrac|munder|munderover|mtable|msqrt)\b")
_THIN = '<mspace width="0.17em"/>'


def mathml(latex: str, *, block: bool = False) -> str:
    r"""A `<math>` element for a formula; `block` sets it in display style.

    Raises:
        UnsupportedError: latex2mathml does not read it.

    >>> mathml(r"\log p")
    '<math><mrow><mi>log</mi><mspace width="0.17em"/><mi>p</mi></mrow></math>'
    """
    try:
        text = convert(latex.replace(r"\mathbf{1}", "\N{MATHEMATICAL BOLD DIGIT ONE}"))
    except Exception as error:
        raise UnsupportedError("a formula can't be turned into MathML", where=latex[:200], why=str(error)) from error
    if "\\" in html.unescape(re.sub(r"<[^>]*>", "", text)):
        raise UnsupportedError(
            "a formula can't be turned into MathML", where=latex[:200], why="latex2mathml leaves a command unread"
        )
    style = ' displaystyle="true"' if block else ""
    text = re.sub(r"^<math[^>]*>", f"<math{style}>", text)
    text = _PRIME.sub(r'\1<mo lspace="0" rspace="0">\2</mo>', text)
    text = _TIGHT.sub(r'<mo lspace="0" rspace="0">\1</mo>', text)
    text = text.replace('<mo accent="true">&#x02015;</mo>', "<mo>&#x000AF;</mo>")  # \\overline
    text = _LIMITS.sub(_under, text)
    text = _NAMED.sub(r"<mi>\1</mi>", text)
    text = _SPLIT_WORD.sub(lambda m: f"<mi>{re.sub(r'<[^>]*>', '', m[1])}</mi>", text)
    text = _BARE_LOG.sub(f"<mi>log</mi>{_THIN}", text)
    text = _FUNCTION_AFTER.sub(rf"\1{_THIN}", text)
    text = _ACCENT.sub(r'<mo stretchy="false">\1</mo></mover>', text)
    return _PREFIX_MINUS.sub(r'\1<mo form="prefix">&#x02212;</mo>', _fenced(text))


def _under(match: re.Match[str]) -> str:
    name, below = match[1], match[2]
    return f'<munder><mo movablelimits="true">{name}</mo>{below}</munder>' + (_THIN if name.isalpha() else "")


def _fenced(text: str) -> str:
    """Fences from the inside out: tight ones, which grow only around what is tall."""
    while (inner := _FENCED.search(text)) is not None:
        left, body, right = inner.groups()
        grows = "true" if _TALL.search(body) else "false"
        made = (
            f'<mrow><mo stretchy="{grows}" form="prefix" lspace="0" rspace="0">{left}</mo>{body}'
            f'<mo stretchy="{grows}" form="postfix" lspace="0" rspace="0">{right}</mo></mrow>'
        )
        text = text[: inner.start()] + made + text[inner.end() :]
    return text
