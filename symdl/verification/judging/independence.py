"""What words say of random quantities: that ε is independent, so that 𝔼[ε g] is 𝔼[ε] 𝔼[g]."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import sympy

from symdl.core.tensors import Element
from symdl.verification.documents import Document
from symdl.verification.judging.worded import NAMED, said
from symdl.verification.meaning.expectation import is_mean, mean
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.notation.tree import Node

_ARE = r"(?:is|are)\b(?![^.;$]{0,30}\bnot\b)[^.;$]{0,30}\bindependent\b"
#: Of several entries of one name: each is independent of the others, and not of everything else.
_OF_EACH_OTHER = r"(?! of (?:each other|one another)| and identically)"
_SAID = (
    re.compile(rf"{NAMED},? and {NAMED} {_ARE}(?! of (?:\w+ )?\$)", re.IGNORECASE),
    re.compile(
        rf"(?<!\$ and ){NAMED} (?![^.;$]{{0,30}}\bmutually\b){_ARE}{_OF_EACH_OTHER}(?! of (?:\w+ )?\$)", re.IGNORECASE
    ),
    re.compile(
        rf"(?<!not )\bindependent (?:[\w-]+ ){{0,2}}(?:noise|errors?|random variables?) (?:[\w-]+ )?{NAMED}"
        rf"(?:,? and {NAMED})?",
        re.IGNORECASE,
    ),
)
#: Of these names and of nothing else.
_OF_SOME = (re.compile(rf"{NAMED} {_ARE} of (?:\w+ )?{NAMED}(?: and {NAMED}(?! is\b))?", re.IGNORECASE),)


def independent(document: Document) -> Iterator[tuple[Node, ...]]:
    """The names of which the words say that they are independent: of each other, or one of everything else.

    >>> from symdl.verification.documents import read_text
    >>> text = "Since $e$ is independent of the weights. $u$ and $v$ are not independent. Let $u$ and $w$ be 1."
    >>> [[n.name for n in names] for names in independent(read_text(text, "markdown"))]
    [['e']]
    >>> text = "Here $a$ is independent of $b$ and $c$."
    >>> [[n.name for n in names] for names in independent(read_text(text, "markdown"))]
    [['a', 'b'], ['a', 'c']]
    """
    groups = [tuple(nodes) for nodes, _ in said(document, _SAID)]
    groups += [(one, other) for (one, *others), _ in said(document, _OF_SOME) for other in others]
    yield from dict.fromkeys(tuple(n for n in nodes if n is not None) for nodes in groups if None not in nodes)


def factored(expressions: Sequence[sympy.Expr], groups: Sequence[frozenset[str]]) -> Iterator[tuple[str, sympy.Expr]]:
    """𝔼[ε g] − 𝔼[ε] 𝔼[g], which is 0, for the means that stand in some expressions, with the names that say so."""
    calls = {c for e in expressions for c in e.atoms(UnknownFunction) if is_mean(c)}
    for call in sorted(calls, key=str):
        factors = sympy.Mul.make_args(call.args[0])
        for group in groups:
            for name in sorted(group):
                own = [f for f in factors if _names(f) == {name}]
                rest = [f for f in factors if f not in own]
                others = {n for f in rest for n in _names(f)}
                apart = name not in others and (len(group) == 1 or others <= group)
                if own and others and apart:
                    called = type(call).__name__
                    product = mean(sympy.Mul(*own), called) * mean(sympy.Mul(*rest), called)
                    yield f"{' and '.join(sorted(group))} independent", call - product


def _names(expr: sympy.Expr) -> set[str]:
    called = {type(c).__name__ for c in expr.atoms(UnknownFunction)}
    return {e.name for e in expr.atoms(Element)} | called
