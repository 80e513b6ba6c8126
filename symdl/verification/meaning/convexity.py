"""What words say of how a function bends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


@dataclass(frozen=True)
class Bent:
    """A convex function, or a concave one.

    Args:
        name: of the function.
        upward: it is convex.
        place: of the argument in which it is.
    """

    name: str
    upward: bool
    place: int = 0


def fractions(formulas: Iterable[Node]) -> Iterator[str]:
    """The letters that formulas put between 0 and 1: λ of λ ∈ [0, 1], and of 0 ≤ λ ≤ 1.

    >>> from symdl.verification.notation import parse
    >>> list(fractions(map(parse, (r"a \\in [0, 1]", r"0 \\le b \\le 1", r"c \\in [0, 2]"))))
    ['a', 'b']
    """
    for chain in (n for formula in formulas for n in walk(formula) if isinstance(n, tree.Chain)):
        sides = chain.sides
        if chain.relations == ("∈",) and isinstance(sides[1], tree.Group) and isinstance(sides[0], tree.Symbol):
            items = sides[1].body.items if isinstance(sides[1].body, tree.List) else ()
            if [n.text for n in items if isinstance(n, tree.Number)] == ["0", "1"] and len(items) == 2:
                yield sides[0].name
        ends = (sides[0], sides[-1]) == (tree.Number("0"), tree.Number("1"))
        if len(sides) == 3 and ends and set(chain.relations) <= {"≤", "<"} and isinstance(sides[1], tree.Symbol):
            yield sides[1].name
