"""Words that several formats share: marks, reasons, and text that can do a terminal no harm."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import symdl as sd

__all__ = ["MARKS", "clean", "reason", "told"]

#: One sign for each status. The word always stands beside it.
MARKS = {
    "refuted": "✗",
    "unread": "…",
    "undecided": "?",
    "conditional": "!",
    "consistent": "≈",
    "proved": "✓",
    "definition": "≔",
}

#: A number, and a radius where it is none exactly.
_BALL = re.compile(r"\[?(-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)( \+/- [^\]]*)?\]?")

#: Longer formulas are cut when they are told in a line.
_LONGEST = 300
#: A witness is told with so many values; the JSON has all of them.
_VALUES = 8


def clean(text: str, longest: int = _LONGEST) -> str:
    r"""In one line, without control characters and signs that turn the direction of writing, and not too long.

    >>> clean("w\u2080 =\n 2 \x1b[31m \u202e x")
    'w₀ = 2 �[31m � x'
    >>> clean("x" * 400, 5)
    'xxxx…'
    """
    text = " ".join(text.split())
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def reason(verdict: sd.Verdict) -> str:
    """Why, and the witness, as one line; empty where the status says all."""
    parts = (verdict.reason.rstrip(". "), _witness(verdict))
    return clean("; ".join(part for part in parts if part), 2 * _LONGEST)


def told(judged: sd.Judged) -> str:
    """All that is to be said of a claim that did not pass: the reason, its bad links, and what would be right."""
    parts = [reason(judged.verdict)]
    if len(judged.links) > 1:
        bad = [link for link in judged.links if link.verdict.status == judged.status]
        parts.insert(0, "; ".join(clean(link.text) for link in bad))
    if judged.suggested:
        parts.append(f"did you mean {clean(judged.suggested)}")
    return "; ".join(part for part in parts if part)


def _witness(verdict: sd.Verdict) -> str:
    if (witness := verdict.witness) is None:
        return ""
    told = [f"{name} = {value}" for name, value in witness.point.items()]
    rest = len(told) - _VALUES
    at = ", ".join([*told[:_VALUES], f"and {rest} more"] if rest > 1 else told)
    left, right = _rounded(witness.left), _rounded(witness.right)
    if left == right:
        left, right = witness.left, witness.right
    return f"{f'at {at}: ' if at else ''}left {left}, right {right}"


def _rounded(ball: str) -> str:
    """A value and its certified error as people write it; the whole of it is in the JSON.

    >>> [_rounded(ball) for ball in ("[0.25742299658789 +/- 1.39e-14]", "0.50000000000000", "16", "undefined")]
    ['≈ 0.257423', '0.5', '16', 'undefined']
    """
    found = _BALL.fullmatch(ball)
    if found is None:
        return ball
    short = f"{float(found[1]):.6g}"
    exact = not found[2] and math.isfinite(float(found[1])) and Decimal(short) == Decimal(found[1])
    return short if exact else f"≈ {short}"
