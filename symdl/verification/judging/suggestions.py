"""Small edits that would make a refuted link true: "did you mean"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symdl.core.deadlines import now
from symdl.errors import SymdlError
from symdl.verification.judging.edits import edits, scaled
from symdl.verification.judging.figures import digits_of, half_unit
from symdl.verification.judging.links import Judge
from symdl.verification.meaning.statements import EQUALITIES, Meaning
from symdl.verification.meaning.values import is_open, valued
from symdl.verification.notation import latex, tree
from symdl.verification.notation.tree import Node, walk

#: For all edits of one link and for each of them: the part of the seconds of a decision. How many are tried.
ALL, EACH, MOST = 0.5, 0.1, 120
#: The same for all edits where shapes do not go together: few of them mend that, and each may take a proof.
LONGER = 2.0


def suggestion(judging: Judge, link: Meaning) -> str:
    """The link with one small edit that is proved, as LaTeX; empty where none is found.

    Args:
        judging: in the scope in which the link was refuted.
        link: with two sides that were understood.
    """
    if (link.values is None and not link.unfit) or link.relation not in EQUALITIES - {"≈"}:
        return ""
    figure = _rounded(judging, link)
    if figure is not None:
        return _written(link, link.left, figure)
    deadline = now() + (LONGER if link.unfit else ALL) * judging.seconds
    quick = judging if link.unfit else replace(judging, budget=EACH * judging.budget)
    for left, right in _candidates(link):
        if now() > deadline:
            return ""
        if _holds(quick, link, left, right):
            return _written(link, left, right)
    return ""


def _candidates(link: Meaning) -> Iterator[tuple[Node, Node]]:
    """The right side edited, then the left one where it is no derivative and no name; whole factors first."""
    letters = {i.name for i in link.free} | {
        n.name for n in walk(link.right) if isinstance(n, tree.Symbol) and n.name in "ijkmn"
    }
    made = [*scaled(link.right), *edits(link.right, sorted(letters))]
    seen: set[Node] = {link.right}
    for _, right in made[:MOST]:
        if right not in seen:
            seen.add(right)
            yield link.left, right


def _holds(judging: Judge, link: Meaning, left: Node, right: Node) -> bool:
    reader = judging.reading.reader()
    try:
        values = reader.value(left), reader.value(right)
    except SymdlError:
        return False
    edited = replace(link, left=left, right=right, values=values, free=tuple(reader.free.values()), notes=(), named="")
    return judging.verdict(edited).proved


def _rounded(judging: Judge, link: Meaning) -> Node | None:
    """The right side, where it is one figure, with the digits that it should have."""
    half = half_unit(link.right)
    if half is None or not isinstance(link.right, tree.Number) or link.values is None:
        return None
    value = valued(judging.reading.scope, link.values[0].body)
    if is_open(value):
        return None
    if half == 0:
        return tree.Number(str(value)) if value.is_Integer and value >= 0 else None
    written = digits_of(value, len(link.right.text.partition(".")[2]))
    return None if written is None else tree.Number(written)


def _written(link: Meaning, left: Node, right: Node) -> str:
    return latex(tree.Chain((left, right), (link.relation,)))
