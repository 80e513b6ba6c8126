"""Equations that a document sets, ∂L/∂w = 0 and Σ_k π_k = 1: they say which values are meant, and claim nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symdl.verification.meaning import naming
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.stated import Meaning, Place
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: Words by which a sentence sets its formula to 0.
_TO_ZERO = re.compile(
    r"\b(?:set(?:s|ting)?|equat(?:e|es|ed|ing)|put(?:ting)?|becom(?:es|ing)|mak(?:e|es|ing))\b[^.]{0,60}?"
    r"(?:\bzero\b|\$0\$|\b0\b)"
    r"|\bstationar|\bfirst[- ]order condition|\bnormal equations?\b"
    r"|\b(?:at|for) (?:the|a|an) (?:optimum|minimum|maximum)",
    re.IGNORECASE,
)
#: Words by which it states what has to hold.
_CONSTRAINT = re.compile(r"\b(?:subject to|constraint|such that|s\.t\.|satisf|requir)", re.IGNORECASE)
_END = re.compile(r"[.;!?](?=\s|$)")


@dataclass(frozen=True)
class Equation:
    """An equation that was set.

    Args:
        link: its two sides.
        section: where.
        sure: words or a slope say that it was set, and it is no claim.
    """

    link: Meaning
    section: tuple[int, ...]
    sure: bool


def set_equation(reader: Interpreter, link: Meaning, place: Place) -> Equation | None:
    """The equation that a link sets; None where it is anything else."""
    if link.relation != "=" or link.defines or place.under or place.passing:
        return None
    constraint = bool(_CONSTRAINT.search(_sentence(place.before))) and link.condition
    stated = link.condition and isinstance(link.right, tree.Number)
    zero = is_zero(link.right) and naming.head(reader, link.left) is None
    if not (zero or stated or constraint):
        return None
    return Equation(link, place.section, link.equated is not None)


def equated(found: list[Meaning], sides: list[Node], place: Place) -> list[Meaning]:
    """The links of a chain, with what is set to 0 in those that say so: ∂L/∂w of ∂L/∂w = X w − y = 0."""
    slope = sides[0] if isinstance(sides[0], (tree.Derivative, tree.Gradient)) else None
    if slope is None and not _TO_ZERO.search(_sentence(place.before)):
        return found
    return [replace(m, equated=slope or m.left) if m.relation == "=" and is_zero(m.right) else m for m in found]


def is_zero(node: Node) -> bool:
    """Whether the number 0 stands there, or a vector of it in bold type."""
    return (isinstance(node, tree.Number) and not node.text.strip("0.")) or (
        isinstance(node, tree.Symbol) and node.name == "0"
    )


def _sentence(before: str) -> str:
    return _END.split(before)[-1]
