"""Slopes beside what stands next to them: ∂L/∂z ∂z/∂w as a chain, ∇_x of all that follows, and what may be a slope."""

from __future__ import annotations

from dataclasses import replace

from symdl.core.tensors import Element, aligned
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.names import is_bold, is_transpose
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


def is_row(node: Node) -> bool:
    """xᵀ, or a matrix in bold type."""
    transposed = isinstance(node, tree.Scripted) and is_transpose(node.sup)
    name = node.base if isinstance(node, tree.Scripted) else node
    return transposed or (is_bold(name) and isinstance(name, tree.Symbol) and name.name.isupper())


def links_of_a_chain(reader: Reader, node: tree.Product, k: int) -> tuple[Node, ...]:
    """∂L/∂z ∂z/∂w from factor k on: slopes of which each is by what the next one is of."""
    found: list[Node] = []
    for op, factor in zip(("", *node.ops[k:]), node.factors[k:], strict=False):
        if not isinstance(factor, tree.Derivative) or len(factor.by) != 1 or factor.by[0][1] != 1:
            break
        before = found[-1] if found else None
        if isinstance(before, tree.Derivative):
            if (
                op not in ("", "·", "*", "×")
                or factor.of is None
                or not _stands_for(reader, factor.of, before.by[0][0])
            ):
                break
            factor = replace(factor, of=before.by[0][0])
        found.append(factor)
    return tuple(found)


def _stands_for(reader: Reader, node: Node, name: Node) -> bool:
    """Whether a formula is a name, or what the name was defined as: W x + b in the place of z."""
    if node == name or reader.parts(node) is not None:
        return node == name
    try:
        whole, found = reader.value(name).fresh(), reader.value(node)
    except MeaningError:
        return False
    formula = reader.scope.formula_of(whole.body) if isinstance(whole.body, Element) else None
    if formula is None or formula.given or not formula.value.rank == found.rank == whole.rank > 0:
        return False
    both = [aligned(reader.scope.settled(value.at(whole.axes))) for value in (formula.value, found)]
    return bool(both[0] == both[1])


def may_be_slope(node: Node) -> bool:
    """(d y)/(d x) that was not read as one, so that what follows may be where it is taken."""
    return isinstance(node, tree.Quotient) and all(
        any(isinstance(n, tree.Symbol) and n.name[:1] in ("d", "∂") for n in walk(side))
        for side in (node.over, node.under)
    )
