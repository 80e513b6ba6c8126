"""What words, tables and pragmas say of names, as statements that stand among the formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symdl.verification.documents import Document, Pragma, Span, Stated, stated
from symdl.verification.documents.spans import Position
from symdl.verification.judging.conditions import SENTENCE_END, Conditions, condition_in_words, names_of
from symdl.verification.meaning.stated import Place
from symdl.verification.meaning.usage import range_of
from symdl.verification.notation import UnreadError, parse, tree
from symdl.verification.notation.tree import Node

#: Words next to a formula by which it says when something holds, or what is wished for.
_BEFORE = re.compile(
    r"\b(if|when|where|whenever|unless|until|such that|so that|suppose|supposing|assume|assuming|provided|require|want"
    r"|need|solve|impose)( that)?\s*$",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\s*(is|are|be) (wanted|required|needed|assumed|imposed|the condition)", re.IGNORECASE)

#: One of several: "$x = 1$ or $x = 2$" sets x to neither.
_EITHER = (re.compile(r"(?:\$\s*,?\s*or|\beither)\s*$", re.IGNORECASE), re.compile(r"\s*,?\s*or\s+\$", re.IGNORECASE))

#: Words by which a sentence says that its formula leaves something out, or is so for some of what it speaks of.
_LOOSELY = re.compile(
    r"\b(?:ignor(?:e|es|ing)|neglect(?:s|ing)?|disregard(?:s|ing)?|omit(?:s|ting)?|leav(?:e|es|ing) out|dropping"
    r"|up to (?:a |an |the )?(?:\w+ )?(?:constant|factor|sign|scale)s?|as (?:a )?constants?"
    r"|for (?:very )?(?:large|small)|approximately|roughly|to (?:the )?(?:first|leading) order)\b"
    r"|\b(?:if|when|whenever)\b[^$.;]{0,30}\$[^$]+\$\s+(?:is|are|was|were)\s+(?:the|an?)\b",
    re.IGNORECASE,
)


_RANGE = (
    re.compile(r"\s*,?\s*\(?for (?:all |each |every |any )?\$([^$]+)\$", re.IGNORECASE),
    re.compile(r"\bfor (?:all |each |every |any )?\$([^$]+)\$[^$]*$", re.IGNORECASE),
)


class Said:
    """What is said beside the formulas of a document, given out in the order of reading."""

    def __init__(self, document: Document) -> None:
        words = stated(document)
        self.named = {s.span.position: s.value for s in words if s.kind == "function" and s.span is not None}
        self.conditions = {
            s.span.position for s in words if s.kind == "domain" and s.span is not None and s.value == s.span.latex
        }
        found: list[tuple[Position, Node]] = []
        self.conditions_of = Conditions(document)
        words = [s for s in words if not self._of_one_case(s)]
        texts = [(s.position, _of_words(s)) for s in words] + [(p.position, _of_pragma(p)) for p in document.pragmas]
        for position, text in texts:
            node = _tree(text) if text else None
            if node is not None:
                found.append((position, node))
        self.ahead = sorted(found, key=lambda pair: pair[0])

    def _of_one_case(self, said: Stated) -> bool:
        """Whether "for positive $x$" says of which x its own sentence speaks, since others speak of another one."""
        told = None if said.kind != "domain" or said.span is None else condition_in_words(said.span)
        return told is not None and not names_of(told).isdisjoint(self.conditions_of.varying)

    def until(self, span: Span) -> Iterator[Node]:
        """What is said before a formula, or of it, and was not given out yet."""
        while self.ahead and self.ahead[0][0] <= span.position:
            yield self.ahead.pop(0)[1]

    def place(self, span: Span) -> Place:
        """Where a formula stands, with what is said of it."""
        told = _BEFORE.search(span.before) or _AFTER.match(span.after)
        either = span.kind == "inline" and (_EITHER[0].search(span.before) or _EITHER[1].match(span.after))
        condition = span.position in self.conditions or bool(told)
        passing = self.conditions_of.passing(span) or bool(either and _sets(span.latex))
        under = self.conditions_of.of(span)
        named, varying = self.named.get(span.position, ""), self.conditions_of.varying
        loosely = bool(_LOOSELY.search(SENTENCE_END.split(span.before)[-1]))
        ranges = _ranges(span)
        return Place(span.section, span.line, span.before, named, condition, passing, under, varying, loosely, ranges)


def _sets(latex: str) -> bool:
    """Whether a formula is a name and a number: x = 1."""
    found = _tree(latex)
    if not isinstance(found, tree.Chain) or found.relations != ("=",):
        return False
    name, value = found.sides
    named = isinstance(name, (tree.Symbol, tree.Scripted, tree.Accented))
    return named and not any(isinstance(n, (tree.Symbol, tree.Text)) for n in tree.walk(value))


def _of_words(said: Stated) -> str:
    """A statement in LaTeX; empty where nothing follows for the formulas, or where the formula says it itself."""
    if said.kind in ("value", "column"):
        return f"{said.name} = {said.value}"
    if said.kind == "shape" and (said.span is None or "\\in" not in said.span.latex):
        return rf"{said.name} \in \mathbb{{R}}^{{{said.value}}}"
    if said.kind == "domain" and (said.span is None or said.value != said.span.latex):
        return said.value
    return ""


def _ranges(span: Span) -> tuple[tree.Chain, ...]:
    """What indices run over in a formula, by the words right behind it, or its sentence: "for $i = 1, \\dots, n$"."""
    found = (_RANGE[0].match(span.after), _RANGE[1].search(SENTENCE_END.split(span.before)[-1]))
    nodes = [_tree(m[1]) for m in found if m is not None]
    return tuple(n for n in nodes if isinstance(n, tree.Chain) and range_of(n) is not None)


def _of_pragma(pragma: Pragma) -> str:
    """`assume x > 0`, `shape W: m × n`, `let a = 2`."""
    kind, _, text = pragma.text.strip().partition(" ")
    if kind in ("assume", "let"):
        return text.strip()
    if kind == "shape":
        name, _, shape = text.partition(":")
        extents = re.sub("[×x*]", r" \\times ", shape).strip()
        return rf"{name.strip()} \in \mathbb{{R}}^{{{extents}}}"
    return ""


def _tree(text: str) -> Node | None:
    try:
        found = parse(text)
    except UnreadError:
        return None
    return found if isinstance(found, (tree.Chain, tree.Statements)) else None
