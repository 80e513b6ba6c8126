"""Labels of drawings: one mathematical name or number, as LaTeX for TikZ and as spans for SVG."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.core.functions import Switch
from symdl.core.tensors import Element
from symdl.rendering.names import GREEK, joined, parse_name
from symdl.rendering.numerals import decimal
from symdl.rendering.piecewise import switch_form

_ACCENTS = {
    "hat": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "bar": "\N{COMBINING MACRON}",
    "tilde": "\N{COMBINING TILDE}",
    "dot": "\N{COMBINING DOT ABOVE}",
    "widehat": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "overline": "\N{COMBINING OVERLINE}",
    "widetilde": "\N{COMBINING TILDE}",
}
_ACCENTED = re.compile(rf"\\({'|'.join(_ACCENTS)})\{{([^{{}}]*)\}}")
_DIGITS, _LONG = 4, 6


@dataclass(frozen=True)
class Label:
    """Text for a drawing: `spans` are (text, place, italic), place one of "", "sub", "sup"."""

    tex: str
    spans: tuple[tuple[str, str, bool], ...]

    def __add__(self, other: Label) -> Label:
        return Label(self.tex + other.tex, self.spans + other.spans)


def name_label(element: Element) -> Label:
    """The name of an element; subscripts of axes with one entry are left out."""
    tensor = element.tensor
    kept = [str(s) for s, i in zip(element.subscripts, tensor.indices, strict=True) if i.extent != 1]
    name = parse_name(tensor.name, layered=tensor.rank > 0)
    stem, upright = _plain(name.stem)
    below = joined([_plain(name.subscript)[0], *kept]) if name.subscript else joined(kept)
    spans = [(stem, "", not upright)]
    spans += [(_plain(name.superscript)[0], "sup", False)] if name.superscript else []
    spans += [(below, "sub", False)] if below else []
    return Label(name.tex(*kept), tuple(spans))


def _plain(tex: str) -> tuple[str, bool]:
    """A printed stem as Unicode text, and whether it stands upright."""
    upright = r"\mathrm" in tex
    text = re.sub(r"\\mathrm\{([^{}]*)\}", r"\1", tex).replace("^{2}", "²")
    text = text.replace(r"\varepsilon", "ε").replace(r"\ell", "ℓ").replace(r"\prime", "′")
    for name in GREEK:
        text = re.sub(rf"\\{name}(?![A-Za-z])", lambda _, n=name: _greek(n), text)  # type: ignore[misc]
    while _ACCENTED.search(text):
        text = _ACCENTED.sub(_accented, text)
    return text, upright


def _accented(match: re.Match[str]) -> str:
    """An accent over one letter, an overline over each letter of a word, any other accent over its middle."""
    accent, word = _ACCENTS[match[1]], match[2]
    if match[1] == "overline":
        return "".join(c + accent for c in word)
    place = (len(word) + 1) // 2
    return unicodedata.normalize("NFC", word[:place] + accent + word[place:])


def _greek(name: str) -> str:
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {case} LETTER {'LAMDA' if name.lower() == 'lambda' else name.upper()}")


def number_label(value: Any) -> Label:
    r"""A number, to four significant digits where it does not end.

    >>> number_label(sympy.Rational(-1, 3)).spans
    (('−0.3333', '', False),)
    """
    text, _ = decimal(value, _DIGITS, _LONG)
    shown = text.replace("-", "\N{MINUS SIGN}").replace(r" \cdot 10^{", "e").replace("}", "")
    return Label(text, ((shown, "", False),))


def text_label(tex: str, plain: str) -> Label:
    return Label(tex, ((plain, "", False),))


def function_label(call: sympy.Basic) -> Label | None:
    r"""The sign of a function, such as σ or tanh; None for what has none."""
    if isinstance(call, Switch):
        return next((text_label(rf"\{n}", n) for n in ("max", "min") if switch_form(call, str).text[1:4] == n), None)
    written = getattr(type(call), "latex_name", "") or (
        rf"\{type(call).__name__}" if isinstance(call, sympy.Function) else ""
    )
    if not written:
        return None
    plain = _plain(re.sub(r"\\operatorname\{([^{}]*)\}", r"\1", written))[0].replace("\\", "")
    return Label(written, ((plain, "", False),))


def svg_spans(label: Label) -> str:
    """The label as tspans; `dy` moves sub- and superscripts, since baseline-shift is not drawn everywhere.

    A subscript after a superscript is drawn beneath it.
    """
    parts: list[str] = []
    level, before, width, gap = 0.0, "", 0.0, 0.0
    for text, place, italic in label.spans:
        scale = 0.7 if place else 1.0
        back = width if (before, place) == ("sup", "sub") else -gap
        moves = f' dx="{-back / scale:.2f}em"' if abs(back) > 0.01 else ""
        target = {"sub": 0.28, "sup": -0.38}.get(place, 0.0)
        moves += f' dy="{(target - level) / scale:.2f}em"' if target != level else ""
        size = ' font-size="70%"' if place else ""
        style = ' font-style="italic"' if italic else ""
        parts.append(f"<tspan{moves}{size}{style}>{html.escape(text)}</tspan>")
        own = scale * sum(0.33 if c in "()," else 0.5 for c in text)
        gap = max(0.0, width - own) if (before, place) == ("sup", "sub") else 0.0
        level, before, width = target, place, own
    return "".join(parts)
