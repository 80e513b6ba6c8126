"""Equations that a document sets, ∂L/∂w = 0 and Σ_k π_k = 1: they say which values are meant, and claim nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symdl.verification.meaning import naming
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.stated import Meaning, Place
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

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

    @property
    def sides(self) -> tuple[Node, ...]:
        """What stands in it."""
        slope = self.link.equated
        return (self.link.left, self.link.right) if slope is None else (self.link.left, self.link.right, slope)


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


def solution_of(node: Node) -> Node:
    """μ of μ̂, w* and β_OLS: the unknown that a name gives the solution for; any other node as it is.

    >>> from symdl.verification.notation import parse, unicode
    >>> [unicode(solution_of(parse(t))) for t in (r"\\hat{\\beta}_{OLS}", "w^*", "b_1", r"\\hat{b}_1", r"\\hat{s}^2")]
    ['β', 'w', 'b₁', 'b₁', 's²']
    """
    base = node.base if isinstance(node, tree.Scripted) else node
    if not isinstance(base, tree.Symbol):
        return node
    if base.accents[-1:] == ("hat",):
        base = replace(base, accents=base.accents[:-1])
    if not isinstance(node, tree.Scripted):
        return base
    sub = None if node.sub is not None and _is_label(node.sub) else node.sub
    sup = None if isinstance(node.sup, tree.Symbol) and node.sup.name in ("*", "∗", "⋆") else node.sup
    return base if sub is None and sup is None else replace(node, base=base, sub=sub, sup=sup)


def _is_label(sub: Node) -> bool:
    """MLE, OLS and ridge, below a name: no index."""
    if isinstance(sub, tree.Product):
        return len(sub.factors) > 1 and all(isinstance(f, tree.Symbol) and f.name.isupper() for f in sub.factors)
    return isinstance(sub, tree.Text) or (isinstance(sub, tree.Symbol) and len(sub.name) > 1 and sub.face == "rm")


def letters(node: Node) -> set[str]:
    """The letters that stand in a formula, whatever stands above and below them."""
    return {n.name for n in walk(node) if isinstance(n, tree.Symbol)}


def is_zero(node: Node) -> bool:
    """Whether the number 0 stands there, or a vector of it in bold type."""
    return (isinstance(node, tree.Number) and not node.text.strip("0.")) or (
        isinstance(node, tree.Symbol) and node.name == "0"
    )


def _sentence(before: str) -> str:
    return _END.split(before)[-1]
