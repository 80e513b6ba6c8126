"""A chapter read by itself, where a claim is refuted: what other chapters do with its names may not be meant here.

How a document uses its names is gathered from all of it, since shapes are often said late. In a collection of notes
that takes b for a vector where it speaks of layers, max(a, b) of another page would be read with that vector. So a
refutation has to stand when the chapter is read by itself, or with those before it where it rests on them. If it does
not, nothing is said: what the names are in a chapter alone proves nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from symdl.verification.documents import Document
from symdl.verification.judging.report import Judged, Link, worst
from symdl.verification.meaning.scope import CHAPTER
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unread import UnreadError
from symdl.verification.verdict import Status, Verdict

#: Formulas that are read again for a refutation, at most: each takes some hundredths of a second.
MOST = 150
#: What is told where a refutation does not stand.
TOLD = "not so as names are used in all of the document, but names of other chapters may mean something else here"

_HELD = frozenset({Status.PROVED, Status.CONSISTENT})
Trees = Mapping[int, Node | UnreadError]
#: Reads a document that has these trees, and judges the formulas for which a function says yes.
Walk = Callable[[Document, Trees, Callable[[int], bool]], Iterator[tuple[int, Judged | None]]]
_Section = tuple[int, ...]


def refuted(judged: Judged) -> bool:
    """Whether something of a formula is refuted."""
    return any(v.status is Status.REFUTED for v in (judged.verdict, *(link.verdict for link in judged.links)))


class Alone:
    """The chapters of a document, each read by itself or with those before it when that is asked for.

    Args:
        document, trees: all of it.
        walk: what reads and judges a part of it.
    """

    def __init__(self, document: Document, trees: Trees, walk: Walk) -> None:
        self.document, self.trees, self.walk = document, trees, walk
        self.sections = [span.section for span in document.spans]
        self.parts: dict[tuple[_Section, bool], _Part] = {}
        self.several = len({s[:CHAPTER] for s in self.sections}) > 1

    def confirmed(self, k: int, judged: Judged) -> Judged:
        """Formula k without refutations that do not stand in its own chapter."""
        if not self.several or not refuted(judged):
            return judged
        by_itself = self._part(k, earlier=False).verdict(k)
        if by_itself is None or refuted(by_itself):
            return judged
        if by_itself.status not in _HELD:  # it may rest on what was defined before
            with_earlier = self._part(k, earlier=True).verdict(k)
            if with_earlier is None or refuted(with_earlier):
                return judged
        return without_refutations(judged)

    def _part(self, k: int, earlier: bool) -> _Part:
        chapter = self.sections[k][:CHAPTER]
        if (chapter, earlier) not in self.parts:
            last = max(m for m, s in enumerate(self.sections) if s[:CHAPTER] == chapter)
            places = [m for m in sorted(self.trees) if m <= last and (earlier or _belongs(self.sections[m], chapter))]
            self.parts[chapter, earlier] = _Part(self, places)
        return self.parts[chapter, earlier]


class _Part:
    """Some formulas of a document, read from the first to the last."""

    def __init__(self, whole: Alone, places: list[int]) -> None:
        self.places, self.wanted = places, -1
        part = replace(whole.document, spans=tuple(whole.document.spans[k] for k in places))
        trees = {i: whole.trees[k] for i, k in enumerate(places)}
        is_short = len(places) <= MOST
        self.walked = whole.walk(part, trees, lambda i: places[i] == self.wanted) if is_short else iter(())

    def verdict(self, k: int) -> Judged | None:
        """What is said of formula k in this part; None where the part is too long. Asked for in order."""
        self.wanted = k
        return next((judged for i, judged in self.walked if self.places[i] == k), None)


def _belongs(section: _Section, chapter: _Section) -> bool:
    """Whether a section is in a chapter, or holds it."""
    return section[:CHAPTER] == chapter or chapter[: len(section)] == section


def without_refutations(judged: Judged) -> Judged:
    """A formula of which nothing is refuted: that stays open."""
    if not judged.links:
        return replace(judged, verdict=_open(judged.verdict), suggestion="")
    links = tuple(replace(link, verdict=_open(link.verdict), suggestion="") for link in judged.links)
    decisive: Link = worst(list(links))
    return replace(judged, verdict=decisive.verdict, links=links, suggestion=decisive.suggestion)


def _open(verdict: Verdict) -> Verdict:
    if verdict.status is not Status.REFUTED:
        return verdict
    return Verdict(Status.UNDECIDED, "none", "the formula as it stands", reason=TOLD, seconds=verdict.seconds)
