"""For which values a formula is meant, where its sentence says it: "the slope is 1 for $x > 0$ and 0 for $x < 0$".

Such a condition holds for its formula and no longer: the next one may be about other values. Where a document says of a
name one thing only ("for $\\beta > 0$"), it is kept from there on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from symdl.verification.documents import Document, Span
from symdl.verification.documents.spans import Position
from symdl.verification.judging.worded import names_said
from symdl.verification.meaning.names import INDEX_LETTERS
from symdl.verification.meaning.stated import Place
from symdl.verification.notation import UnreadError, parse, tree
from symdl.verification.notation.tree import walk

_ORDERS = frozenset({"<", "≤", ">", "≥", "≠"})
OPPOSITE = {"=": "≠", "≠": "=", "<": "≥", "≥": "<", ">": "≤", "≤": ">"}
_WORD = r"\b(?:for|if|when|whenever|where|at|on)(?: all| any| every| each| the case| the)?"
_LEADING = re.compile(rf"{_WORD} \$([^$]+)\$", re.IGNORECASE)
#: In front of a formula they give reasons; behind it they say where it is so.
_SINCE = (
    r"\b(?:since|because|as|given(?: that)?|provided(?: that)?|assuming(?: that)?|as long as|(?:only )?in the case)"
)
_TRAILING = re.compile(rf"\s*,?\s*(?:\(?(?:{_WORD}|{_SINCE}) \$([^$]+)\$|\(\$([^$]+)\$\))")
_BETWEEN = re.compile(rf"\s*,?\s*{_WORD}\s*")
_WORDS, _FORMULA = re.compile(r"[^\W\d_]{2}"), re.compile(r"\$[^$]*\$|\\[A-Za-z]+\*?(?:\{[A-Za-z*]*\})?|<!--.*?-->")
_ORDER = re.compile(r"[<>]|\\(?:leq?|geq?|lt|gt|leqslant|geqslant)\b")
#: Behind a formula that holds where none of the conditions of the formulas before it in its sentence does.
_OTHERWISE = re.compile(r"\s*,?\s*(?:otherwise|else|elsewhere|in all other cases)\b", re.IGNORECASE)
#: f'(x) = … in front of where it is so, which says nothing of x anywhere else.
_SLOPE = re.compile(r"'+\s*\(\s*([A-Za-z]|\\[A-Za-z]+)\s*\)[^=$]*=[^$]*\$\s*,?\s*$")
#: "for positive $x$" is "for $x > 0$".
_SIGNED = re.compile(r"\b(positive|negative|non-?negative|non-?positive|non-?zero) \$([^$<>=]+)\$", re.IGNORECASE)
_SIGNS = {"positive": ">", "negative": "<", "nonnegative": r"\ge", "nonpositive": r"\le", "nonzero": r"\ne"}
_INTRODUCED = re.compile(rf"(?:{_WORD}|{_SINCE})\s*$", re.IGNORECASE)
_INDICES = re.compile(r"\s*[a-z]\s*(?:=|≠|\\neq?(?![A-Za-z])|\\not\s*=|!=)\s*[a-z]\s*")
#: Where a sentence, or the part of it that one condition belongs to, ends.
SENTENCE_END = re.compile(r"[.;!?](?=\s|$)")
_ONE_HOT = (
    re.compile(r"one-?hot\b[^.;$]{0,60}\$([^$]+)\$", re.IGNORECASE),
    re.compile(r"\$([^$]+)\$[^.;$]{0,40}\bone-?hot\b", re.IGNORECASE),
    re.compile(r"exactly one (?:of (?:the )?)?\$([^$]+)\$[^.;$]{0,20}\b(?:is|equals) (?:1|one)\b", re.IGNORECASE),
)


class Conditions:
    """The conditions of a document; `varying`: names of which it states several, so that none of them stays.

    >>> from symdl.verification.documents import read_text
    >>> text = "For $x > 0$ it is $f(x) = x$. It is $f(x) = 0$ for $x < 0$."
    >>> document = read_text(text, "markdown")
    >>> [[str(c.relations) for c in Conditions(document).of(s)] for s in document.spans]
    [[], ["('>',)"], ["('<',)"], []]
    """

    def __init__(self, document: Document) -> None:
        self._passing: set[Position] = set()
        stated: dict[str, set[tree.Chain]] = {}
        inline = [s for s in document.spans if s.kind == "inline"]
        # "Case $i = j$" needs no word that is known here: two indices are the same, or not, in some cases only
        introduced = [s for s in inline if _is_introduced(s) or _INDICES.fullmatch(s.latex)]
        for span in introduced:
            chain = condition(span.latex)
            for name in names_of(chain) if chain is not None else ():
                stated.setdefault(name, set()).add(chain)  # type: ignore[arg-type]
        for chain in _beside(document):
            for name in names_of(chain):
                stated.setdefault(name, set()).add(chain)
        for span in inline:
            signed = condition_in_words(span)
            for chain in (*self._otherwise(span), *([] if signed is None else [signed])):
                for name in names_of(chain):
                    stated.setdefault(name, set()).add(chain)
        slopes = frozenset(name for span in introduced for name in _of_a_slope(span))
        self.varying = frozenset(n for n, chains in stated.items() if len(chains) > 1) | slopes
        for span in introduced:
            chain = condition(span.latex)
            if chain is not None and (of_indices(chain) or not names_of(chain).isdisjoint(self.varying)):
                self._passing.add(span.position)
        self._kept = {n for n, chains in stated.items() if len(chains) == 1} - slopes

    def passing(self, span: Span) -> bool:
        """Whether a formula is a condition of its sentence only."""
        return span.position in self._passing

    def of(self, span: Span) -> tuple[tree.Chain, ...]:
        """The conditions under which a formula is meant."""
        if self.passing(span):
            return ()
        texts = [m[1] for m in _LEADING.finditer(_tail(_with_signs(span.before)))]
        found = [c for c in map(condition, texts) if c is not None]
        leading = [c for c in found if of_indices(c) or not names_of(c) <= self._kept]
        leading += self._otherwise(span)
        after = _TRAILING.match(_with_signs(span.after))
        behind = condition(after[1] or after[2]) if after is not None else None  # one that is kept was not yet read
        if behind is not None and any(names_of(behind) == names_of(c) for c in leading):
            behind = None  # "for x > 0 it is 1, for x < 0 it is 0": the next formula's
        return (*leading, *([behind] if behind is not None else []))

    def _otherwise(self, span: Span) -> list[tree.Chain]:
        """What holds where a formula is meant that has "otherwise" behind it: none of what its sentence has said."""
        if not _OTHERWISE.match(span.after):
            return []
        before = SENTENCE_END.split(span.before)[-1]
        texts = [m[1] for m in _LEADING.finditer(_with_signs(before))]
        found = [c for c in map(condition, texts) if c is not None]
        if not found or len(found) != len(texts) or any(len(c.relations) != 1 for c in found):
            return []
        return [replace(c, relations=(OPPOSITE[c.relations[0]],)) for c in found]


@dataclass
class Lasting:
    """The condition that was spoken of last, for as long as it may hold: to the end of its section.

    Args:
        lines: of the document; of a notebook, none.
        conditions: it, or nothing.
        near: nothing but formulas stand between.
        end: the last line of the formula before.
    """

    lines: list[str] = field(default_factory=list)
    conditions: tuple[tree.Chain, ...] = ()
    section: tuple[int, ...] = ()
    near: bool = False
    end: int = 0

    def before(self, span: Span, place: Place) -> None:
        """With a formula that is read next."""
        if span.section != self.section:
            self.conditions = ()
        between = [span.before if span.kind == "inline" else "", *self.lines[self.end : span.line - 1]]
        apart = any(_WORDS.search(_FORMULA.sub(" ", text)) for text in between)
        self.near = any(c in place.under for c in self.conditions) or (self.near and not apart)
        self.end = span.line + span.source.count("\n")

    def read(self, span: Span, place: Place, found: tree.Node) -> None:
        """With a formula that was read."""
        if place.passing and isinstance(found, tree.Chain) and is_condition(found):
            self.conditions, self.section, self.near = (found,), span.section, True
        elif (signed := condition_in_words(span)) is not None:
            self.conditions, self.section, self.near = (signed,), span.section, True


def condition_in_words(span: Span) -> tree.Chain | None:
    """x > 0 where a formula is the x of "for positive $x$"."""
    text = f"{span.before} ${span.latex}$"
    found = next((m for m in _SIGNED.finditer(text) if m.end() == len(text)), None)
    introduced = found is not None and _INTRODUCED.search(text[: found.start()])
    return condition(_signed(found)[1:-1]) if found is not None and introduced else None


def _with_signs(text: str) -> str:
    """Words with "$x > 0$" for "positive $x$"."""
    return _SIGNED.sub(_signed, text)


def _signed(found: re.Match[str]) -> str:
    return f"${found[2]} {_SIGNS[found[1].lower().replace('-', '')]} 0$"


def _is_introduced(span: Span) -> bool:
    """Whether a formula stands behind a word for conditions, or alone in brackets."""
    in_brackets = span.before.endswith(("$ (", "$(")) and span.after.startswith(")")
    return _INTRODUCED.search(span.before) is not None or in_brackets


def _of_a_slope(span: Span) -> set[str]:
    """x of "$f'(x) = 1$ for $x > 0$"."""
    told = _INTRODUCED.search(span.before)
    slope = None if told is None else _SLOPE.search(span.before[: told.start()])
    chain = None if slope is None else condition(span.latex)
    if slope is None or chain is None:
        return set()
    try:
        of = parse(slope[1])
    except UnreadError:
        return set()
    return names_of(chain) & {n.name for n in walk(of) if isinstance(n, tree.Symbol)}


def _beside(document: Document) -> Iterator[tree.Chain]:
    """The orders that stand in a formula behind something else: "f'(x) = 1, x > 0", and those of its cases."""
    for text in dict.fromkeys(s.latex for s in document.spans if _ORDER.search(s.latex)):
        try:
            found = parse(text)
        except UnreadError:
            continue
        for node in walk(found):
            for _, told in node.rows if isinstance(node, tree.Cases) else ():
                if isinstance(told, tree.Chain) and set(told.relations) <= _ORDERS:
                    yield told
        for item in found.items[1:] if isinstance(found, tree.Statements) else ():
            if isinstance(item, tree.Chain) and set(item.relations) <= _ORDERS:
                yield item


def _tail(before: str) -> str:
    """What is said of a formula in front of it, behind the formula before it that is no condition."""
    sentence = SENTENCE_END.split(before)[-1]
    pieces = re.split(r"(\$[^$]+\$)", sentence)
    start, under, had = 0, False, False
    for k in range(1, len(pieces), 2):
        right_behind = k > 1 and start == k - 1 and _BETWEEN.fullmatch(pieces[k - 1]) is not None
        if not _INTRODUCED.search(pieces[k - 1]):
            start, under, had = k + 1, False, under
        elif right_behind and not had:
            start = k + 1  # a condition right behind another formula is that one's, if it had none in front
        else:
            under = True
    return "".join(pieces[start:])


def condition(latex: str) -> tree.Chain | None:
    """A formula as a condition: an order of numbers, or two indices that are, or are not, the same."""
    try:
        found = parse(latex)
    except UnreadError:
        return None
    return found if isinstance(found, tree.Chain) and is_condition(found) else None


def is_condition(chain: tree.Chain) -> bool:
    """Whether a formula may say where another one holds: an order, or two indices that are, or are not, the same."""
    return set(chain.relations) <= _ORDERS or (chain.relations == ("=",) and of_indices(chain))


def of_indices(chain: tree.Chain) -> bool:
    """Whether a condition is about two indices: i ≠ j, i = j."""
    letters = [s.name for s in chain.sides if isinstance(s, tree.Symbol) and s.name in INDEX_LETTERS]
    return len(chain.sides) == 2 and len(letters) == 2 and chain.relations[0] in ("=", "≠")


def names_of(chain: tree.Chain) -> set[str]:
    """The letters and words in a formula."""
    return {n.name for side in chain.sides for n in walk(side) if isinstance(n, tree.Symbol)}


def one_hot(document: Document) -> Iterator[tree.Node]:
    """The names of which the words say that they are one-hot.

    >>> from symdl.verification.documents import read_text
    >>> text = "With a one-hot target $y$, or $t$ in one-hot form."
    >>> [n.name for n in one_hot(read_text(text, "markdown"))]
    ['y', 't']
    """
    names = (node for node, _ in names_said(document, _ONE_HOT))
    yield from dict.fromkeys(n.sides[0] if isinstance(n, tree.Chain) else n for n in names)
