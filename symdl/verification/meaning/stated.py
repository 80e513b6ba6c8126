"""One link of a formula as the judge gets it, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from symdl.core.indices import Index
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.names import letter_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

EQUALITIES = frozenset({"=", "≡", "≈", "≃", "≅", "≐"})
DEFINITIONS = frozenset({":=", "≜"})
ORDERS = frozenset({"<", "≤", ">", "≥", "≠", "≪", "≫"})
#: Relations that say what kind of thing a name is.
KINDS = frozenset({"∈", "∼", "⊂", "⊆", "→", "↦", ":"})
#: Relations that say of a name that nothing else is said of what it grows with, or that it is positive definite.
PROPORTIONS = frozenset({"∝", "≻", "≽", "⪰"})


@dataclass(frozen=True)
class Place:
    """Where a statement stands, and what the words around it say of it.

    Args:
        section, line: where.
        before: the words before it.
        named: the entry of the library that they say the function it defines is.
        condition: they say that it is a condition.
        passing: it is a condition of its own sentence, and of nothing else.
        under: conditions that its sentence puts it under.
        varying: names of which the document states several conditions, so that none of them stays.
        loosely: its sentence says that something is left out, or is so nearly.
        ranges: what indices run over in it, i = 1, …, n.
    """

    section: tuple[int, ...] = ()
    line: int = 0
    before: str = ""
    named: str = ""
    condition: bool = False
    passing: bool = False
    under: tuple[tree.Chain, ...] = ()
    varying: frozenset[str] = frozenset()
    loosely: bool = False
    ranges: tuple[tree.Chain, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """One link of a chain.

    Args:
        left, right: the nodes.
        relation: between them.
        values: what they stand for; None where that is not known.
        defines: what it introduces, in words; empty where it claims something.
        reason: why nothing is claimed, or why it is not known what.
        free: the indices for all of which it is claimed.
        starts: the number that each of them counts from in the document.
        named: the function of the library that the words before it name, where it defines that.
        notes: what a reader should know of the reading.
        condition: read as a condition on names that are open, and not as a claim.
        redefines: where it is not so, it gives the name on the left another meaning: f(x) = … of the next example.
        unfit: the right side has no value since shapes in it do not go together.
        misfit: a side has no value since vectors and matrices in it do not go together as they are written.
        solves: the unknown of equations that were set before, of which it says what it is: μ of μ̂ = x̄.
        equated: what is set to 0 here, so that it says which values are meant: a slope, or the left side.
    """

    left: Node
    right: Node
    relation: str
    values: tuple[Array, Array] | None = None
    defines: str = ""
    reason: str = ""
    free: tuple[Index, ...] = ()
    starts: tuple[int, ...] = ()
    named: str = ""
    notes: tuple[str, ...] = ()
    condition: bool = False
    redefines: bool = False
    unfit: bool = False
    misfit: bool = False
    equated: Node | None = None
    solves: Node | None = None


def subscripted(side: Node) -> bool:
    """Whether a left side is an entry of a name, h_t, and not a whole that is given a new value."""
    return isinstance(side, tree.Scripted) and side.sub is not None and any(letter_of(n) for n in walk(side.sub))


def hanging(left: Node, right: Node) -> bool:
    """y = y(x)."""
    applied = isinstance(right, tree.Product) and right.ops == ("",) and isinstance(right.factors[1], tree.Group)
    return applied and isinstance(right, tree.Product) and right.factors[0] == left


def links(sides: list[Node], relations: tuple[str, ...]) -> list[tuple[Node, Node, str]]:
    return list(zip(sides, sides[1:], relations, strict=False))
