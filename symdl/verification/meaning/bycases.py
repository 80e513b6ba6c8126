"""Functions that a text defines case by case: "$f(x) = x$ for $x > 0$ and $f(x) = 0$ otherwise"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.naming import head, names_in
from symdl.verification.meaning.stated import ORDERS, Place
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


@dataclass(frozen=True)
class Told:
    """The cases that were told of a name so far, and the section where."""

    rows: tuple[tuple[Node, Node], ...]
    section: tuple[int, ...]

    @property
    def value(self) -> tree.Cases:
        """All of them in one formula."""
        return tree.Cases(self.rows)


def in_one_case(
    reader: Interpreter, sides: list[Node], place: Place, told: Mapping[Node, Told], *, is_new: bool
) -> Told | None:
    """What is told of the name on the left with the case that is defined here; None where none is.

    Only conditions that do not hold for the rest of the document make a case, and of f(x) only those on x.
    """
    conditions = [c for c in place.under if set(c.relations) <= ORDERS]
    found = head(reader, sides[0])
    if not conditions or len(conditions) != len(place.under) or found is None:
        return None
    parts, arguments = found
    of_conditions = names_in(reader, conditions)
    if parts.subscripts or parts.name in of_conditions or of_conditions.isdisjoint(place.varying):
        return None
    if arguments is not None and of_conditions.isdisjoint(names_in(reader, arguments)):
        return None
    condition = conditions[0] if len(conditions) == 1 else tree.List(tuple(conditions), "," * (len(conditions) - 1))
    before = told.get(sides[0])
    row = (sides[1], condition)
    if before is not None and before.section == place.section:
        repeated = any(condition == c for _, c in before.rows)
        return None if repeated else Told((*before.rows, row), place.section)
    return Told((row,), place.section) if is_new else None
