"""For which values a formula is meant, where its sentence says it: "the slope is 1 for $x > 0$ and 0 for $x < 0$".

Such a condition holds for its formula and no longer: the next one may be about other values. Where a document says of a
name one thing only ("for $\\beta > 0$"), it is kept from there on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from symdl.verification.documents import Document, Span
from symdl.verification.documents.spans import Position
from symdl.verification.meaning.names import INDEX_LETTERS
from symdl.verification.notation import UnreadError, parse, tree
from symdl.verification.notation.tree import walk

_ORDERS = frozenset({"<", "≤", ">", "≥", "≠"})
_WORD = r"\b(?:for|if|when|whenever|where|at|on)(?: all| any| every| each| the case| the)?"
_LEADING = re.compile(rf"{_WORD} \$([^$]+)\$", re.IGNORECASE)
_TRAILING = re.compile(rf"\s*,?\s*{_WORD} \$([^$]+)\$")
_BETWEEN = re.compile(rf"\s*,?\s*{_WORD}\s*")
_INTRODUCED = re.compile(rf"{_WORD}\s*$", re.IGNORECASE)
#: Where a sentence, or the part of it that one condition belongs to, ends.
SENTENCE_END = re.compile(r"[.;!?](?=\s|$)")
_ONE_HOT = (
    re.compile(r"one-?hot\b[^.;$]{0,60}\$([^$]+)\$", re.IGNORECASE),
    re.compile(r"\$([^$]+)\$[^.;$]{0,40}\bone-?hot\b", re.IGNORECASE),
)


class Conditions:
    """The conditions of a document.

    >>> from symdl.verification.documents import read_text
    >>> text = "For $x > 0$ it is $f(x) = x$. It is $f(x) = 0$ for $x < 0$."
    >>> document = read_text(text, "markdown")
    >>> [[str(c.relations) for c in Conditions(document).of(s)] for s in document.spans]
    [[], ["('>',)"], ["('<',)"], []]
    """

    def __init__(self, document: Document) -> None:
        self._passing: set[Position] = set()
        stated: dict[str, set[tree.Chain]] = {}
        introduced = [s for s in document.spans if s.kind == "inline" and _INTRODUCED.search(s.before)]
        for span in introduced:
            chain = condition(span.latex)
            for name in _names(chain) if chain is not None else ():
                stated.setdefault(name, set()).add(chain)  # type: ignore[arg-type]
        for span in introduced:
            chain = condition(span.latex)
            if chain is not None and (_indices(chain) or any(len(stated[n]) > 1 for n in _names(chain))):
                self._passing.add(span.position)
        self._kept = {n for n, chains in stated.items() if len(chains) == 1}

    def passing(self, span: Span) -> bool:
        """Whether a formula is a condition of its sentence only."""
        return span.position in self._passing

    def of(self, span: Span) -> tuple[tree.Chain, ...]:
        """The conditions under which a formula is meant."""
        if self.passing(span):
            return ()
        texts = [m[1] for m in _LEADING.finditer(_tail(span.before))]
        after = _TRAILING.match(span.after)
        texts += [after[1]] if after is not None else []
        found = [c for c in map(condition, texts) if c is not None]
        return tuple(c for c in found if _indices(c) or not _names(c) <= self._kept)


def _tail(before: str) -> str:
    """What is said of a formula in front of it, behind the formula before it that is no condition."""
    sentence = SENTENCE_END.split(before)[-1]
    pieces = re.split(r"(\$[^$]+\$)", sentence)
    start = 0
    for k in range(1, len(pieces), 2):
        # a condition right behind another formula is that one's
        if not _INTRODUCED.search(pieces[k - 1]) or (k > 1 and start == k - 1 and _BETWEEN.fullmatch(pieces[k - 1])):
            start = k + 1
    return "".join(pieces[start:])


def condition(latex: str) -> tree.Chain | None:
    """A formula as a condition: an order of numbers, or two indices that are, or are not, the same."""
    try:
        found = parse(latex)
    except UnreadError:
        return None
    if not isinstance(found, tree.Chain):
        return None
    if set(found.relations) <= _ORDERS or (found.relations == ("=",) and _indices(found)):
        return found
    return None


def _indices(chain: tree.Chain) -> bool:
    """Whether a condition is about two indices: i ≠ j, i = j."""
    letters = [s.name for s in chain.sides if isinstance(s, tree.Symbol) and s.name in INDEX_LETTERS]
    return len(chain.sides) == 2 and len(letters) == 2 and chain.relations[0] in ("=", "≠")


def _names(chain: tree.Chain) -> set[str]:
    return {n.name for side in chain.sides for n in walk(side) if isinstance(n, tree.Symbol)}


def one_hot(document: Document) -> Iterator[tree.Node]:
    """The names of which the words say that they are one-hot.

    >>> from symdl.verification.documents import read_text
    >>> text = "With a one-hot target $y$, or $t$ in one-hot form."
    >>> [n.name for n in one_hot(read_text(text, "markdown"))]
    ['y', 't']
    """
    seen = set()
    for text in dict.fromkeys(f"{s.before} ${s.latex}$ {s.after}" for s in document.spans):
        for pattern in _ONE_HOT:
            for latex in pattern.findall(text):
                try:
                    node = parse(latex)
                except UnreadError:
                    continue
                name = node.sides[0] if isinstance(node, tree.Chain) else node
                if name not in seen:
                    seen.add(name)
                    yield name
