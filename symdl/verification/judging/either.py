"""± and ∓: what is claimed of the upper signs, and of the lower ones."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Status, Verdict, weakest

_BOTH = frozenset({"±", "∓"})


def with_either_sign(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict for the upper signs and for the lower ones; None where no such sign stands in a link.

    Nothing is refuted where figures stand beside them, which may be rounded, or where one side alone has two values.
    """
    sides = link.left, link.right
    signed = [any(_BOTH & {sign for sign, _ in n.terms} for n in walk(s) if isinstance(n, tree.Sum)) for s in sides]
    if not any(signed):
        return None
    if (apart := _part_by_part(judge, link)) is not None:
        return apart
    found = []
    for upper in (True, False):
        left, right = (_signed(side, upper=upper) for side in sides)
        found.append(judge.read_in(judge.reading, replace(link, left=left, right=right)))
    if all(v.proved for v in found):
        return replace(found[0], scope=f"{found[0].scope}; for the upper and the lower signs")
    figures = any(isinstance(n, tree.Number) and "." in n.text for side in sides for n in walk(side))
    if all(signed) and not figures and all(v.status is Status.REFUTED for v in found):
        return found[0]
    return None


def _part_by_part(judge: Judging, link: Meaning) -> Verdict | None:
    """The weaker verdict on the middle and on the width of 0.85 ± 0.0495 ≈ 0.85 ± 0.05, where both are so."""
    pairs = [side.terms for side in (link.left, link.right) if isinstance(side, tree.Sum) and len(side.terms) == 2]
    if len(pairs) != 2 or [p[0][0] for p in pairs] != ["+", "+"] or [p[1][0] for p in pairs] != ["±", "±"]:
        return None
    found = [judge.read_in(judge.reading, replace(link, left=pairs[0][k][1], right=pairs[1][k][1])) for k in (0, 1)]
    if any(v.status not in (Status.PROVED, Status.CONSISTENT) for v in found):
        return None
    return weakest([("the middle", found[0]), ("the width", found[1])], sum(v.seconds for v in found))


def _signed(node: Node, *, upper: bool) -> Node:
    node = tree.mapped(node, lambda inner: _signed(inner, upper=upper))
    if not isinstance(node, tree.Sum):
        return node
    plain = {"±": "+" if upper else "-", "∓": "-" if upper else "+"}
    return replace(node, terms=tuple((plain.get(sign, sign), term) for sign, term in node.terms))
