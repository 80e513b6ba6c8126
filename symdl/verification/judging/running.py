"""What a row that begins with = goes on from: the row before it, or, past some words, a formula further up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from symdl.verification.documents import Span
from symdl.verification.judging.report import Link
from symdl.verification.judging.within import claims, last_side
from symdl.verification.meaning.stated import EQUALITIES, Place
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

_FAR = "past the words before it, it goes on from nothing that it is equal to here"


@dataclass
class Running:
    """The formulas so far, as far as rows may go on from them."""

    last: dict[int, Node] = field(default_factory=dict)
    section: tuple[int, ...] | None = None
    ends: tuple[Node, ...] = ()
    displayed: tuple[Node, ...] = ()

    def read(self, span: Span, place: Place, node: Node) -> None:
        """A formula that was judged."""
        closing = last_side(node)
        if closing is None:
            return
        self.last[span.block] = closing
        chains = [c.chain for c in claims(node) if not (c.passing or c.aside) and c.chain.relations]
        if place.passing or not chains or not set(chains[-1].relations) <= EQUALITIES:
            return
        head = chains[-1].sides[0]
        if self.section != span.section:
            self.displayed = ()
        begun = self.ends[-1:] if isinstance(head, tree.Empty) and self.section == span.section else ()
        self.section = span.section
        self.ends = (closing, *(begun if isinstance(head, tree.Empty) else (head,)))
        if span.kind == "display":
            self.displayed = self.ends

    def told(self, span: Span, node: Node, judged: Callable[[Node | None], Iterator[Link]]) -> list[Link]:
        """What is said of a formula, `judged` with the side that it goes on from.

        Past words it may be the last side, or the one that the formula before it began with, or those of the last one
        that stands by itself. Where none is equal to it, it goes on from something else perhaps, and is not refuted.
        """
        before = self.last.get(span.block)
        if before is not None or not self._begins_with_a_relation(node) or self.section != span.section:
            return list(judged(before))
        found: list[list[Link]] = []
        for side in dict.fromkeys((*self.ends, *self.displayed)):
            found.append(list(judged(side)))
            if not found[-1] or found[-1][0].verdict.status in (Status.PROVED, Status.CONSISTENT):
                return found[-1]
        return [_open(found[0][0]), *found[0][1:]] if found else list(judged(None))

    @staticmethod
    def _begins_with_a_relation(node: Node) -> bool:
        chain = next((c.chain for c in claims(node)), None)
        return chain is not None and isinstance(chain.sides[0], tree.Empty) and chain.relations[:1] == ("=",)


def _open(link: Link) -> Link:
    if link.verdict.status is not Status.REFUTED:
        return link
    verdict = Verdict(Status.UNDECIDED, "none", link.verdict.scope, reason=_FAR, seconds=link.verdict.seconds)
    return replace(link, verdict=verdict, suggestion="")
