"""Vectors and matrices of numbers, entry by entry: z = W x + b = (−0.5, −1)ᵀ."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.verification.judging.figures import Side, decide_numbers, half_unit
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.names import is_transpose
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.values import counted, valued
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Status, Verdict

#: Larger arrays are not gone through.
MOST = 256
Place = tuple[int, ...]


def written_out(node: Node) -> dict[Place, Node]:
    """The entries of a list or a matrix that is written out, by their places from 0; none of anything else.

    >>> from symdl.verification.notation import parse
    >>> sorted(written_out(parse(r"(0.5, 2)^\\top"))), sorted(written_out(parse("w x")))
    ([(0,), (1,)], [])
    """
    if isinstance(node, tree.Scripted) and node.sub is None and is_transpose(node.sup):
        entries = written_out(node.base)
        return {place[::-1]: entry for place, entry in entries.items()}
    if isinstance(node, (tree.Noted, tree.Group)) and not isinstance(node.body, tree.List):
        return written_out(node.body)
    if isinstance(node, tree.Group) and isinstance(node.body, tree.List):
        return {(k,): item for k, item in enumerate(node.body.items)}
    if not isinstance(node, tree.Matrix):
        return {}
    if all(len(row) == 1 for row in node.rows):
        return {(k,): row[0] for k, row in enumerate(node.rows)}
    if len(node.rows) == 1:
        return {(k,): cell for k, cell in enumerate(node.rows[0])}
    return {(i, j): cell for i, row in enumerate(node.rows) for j, cell in enumerate(row)}


def decide_entries(
    scope: Scope, nodes: tuple[Node, Node], values: tuple[Array, Array], relation: str
) -> Verdict | None:
    """The verdict on two arrays of numbers, one of which is written out; None where they are something else.

    Figures are as good as their digits, each for itself; a product of matrices that are written out has none.
    """
    literal = [written_out(node) for node in nodes]
    if (
        not (any(literal) or any(map(_of_whole_numbers, nodes)))
        or values[0].rank != values[1].rank
        or not values[0].axes
    ):
        return None
    found: list[tuple[Place, Verdict]] = []
    for place in _places(scope, values[0]) or ():
        sides = []
        for value, entries in zip(values, literal, strict=True):
            exact = valued(scope, scope.settled(value.at(tuple(map(sympy.Integer, place)))))
            if exact.atoms(Element, Reduction) or exact.free_symbols:
                return None
            sides.append(Side(exact, exact, {}, half_unit(entries[place]) if place in entries else None))
        found.append((place, decide_numbers(sides[0], sides[1], relation)))
    verdict = _together(found) if found else None
    named = any(isinstance(n, tree.Symbol) and not is_transpose(n) for node in nodes for n in walk(node))
    return verdict if any(literal) or not named or verdict is None or verdict.proved else None


def _of_whole_numbers(node: Node) -> bool:
    """Whether a side is worked out from matrices and lists of whole numbers, as A [1 2; 3 4] and ½ (3, 4) are."""
    every = list(walk(node))
    rounded = any(isinstance(n, tree.Number) and "." in n.text for n in every)
    return any(isinstance(n, tree.Matrix) or _is_times_a_list(n) for n in every) and not rounded


def _is_times_a_list(node: Node) -> bool:
    last = node.factors[-1] if isinstance(node, tree.Product) else None
    plain = isinstance(node, tree.Product) and isinstance(node.factors[0], (tree.Number, tree.Quotient, tree.Group))
    return plain and isinstance(last, tree.Group) and isinstance(last.body, tree.List)


def _places(scope: Scope, value: Array) -> Iterator[Place] | None:
    sizes = [counted(scope, scope.root(axis.extent)) for axis in value.axes]
    if not all(size.is_Integer for size in sizes) or sympy.prod(sizes) > MOST:
        return None
    return itertools.product(*[range(int(size)) for size in sizes])


def _together(found: list[tuple[Place, Verdict]]) -> Verdict:
    """The weakest verdict, with its place; a refuted entry refutes the whole."""
    for status in (Status.REFUTED, Status.UNDECIDED, Status.CONSISTENT):
        for place, verdict in found:
            if verdict.status is status:
                where = f"entry {', '.join(str(k + 1) for k in place)}"
                told = f"{where}: {verdict.reason}" if verdict.reason else where
                return Verdict(status, verdict.method, "these numbers", verdict.witness, told)
    method = next((v.method for _, v in found if "rounded" in v.method), found[0][1].method)
    return Verdict(Status.PROVED, method, f"all {len(found)} entries")
