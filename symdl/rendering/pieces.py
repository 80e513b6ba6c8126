"""A piece of LaTeX and how tightly it binds: what parentheses depend on."""

from __future__ import annotations

import re
from dataclasses import dataclass

# From loosest to tightest. OPEN reaches to the right as far as its product: Σ_i a b, log x.
ADD, OPEN, MUL, POWER, ATOM = range(5)
_WORD = re.compile(r"(?:\\[a-z]+\{)?\\mathrm")  # accents included


@dataclass(frozen=True)
class Tex:
    """LaTeX with its level; `number` says that it is a numeral, before which a product needs a dot."""

    text: str
    level: int
    number: bool = False


def wrapped(part: Tex, level: int = ATOM + 1) -> str:
    """The text, in parentheses where it binds less tightly than `level`."""
    return part.text if part.level >= level else rf"\left({part.text}\right)"


def fraction(upper: str, lower: str) -> str:
    return rf"\frac{{{upper}}}{{{lower}}}"


def product(parts: list[Tex]) -> Tex:
    """Factors side by side, with a dot where two numbers would meet."""
    parts = [p for p in parts if p.text]
    if len(parts) <= 1:
        return parts[0] if parts else Tex("", ATOM)
    text, before, last = "", "", len(parts) - 1
    for k, part in enumerate(parts):
        piece = wrapped(part, OPEN if k == last else MUL)
        if part.number or re.match(r"[0-9]", piece):
            between = r" \cdot "
        else:  # words need a space of their own: lr w
            between = r" \, " if _WORD.match(piece) or _WORD.match(before) else " "
        text += between + piece if k else piece
        before = piece
    return Tex(text, OPEN if parts[-1].level == OPEN else MUL)
