"""Slopes as texts write them that speak of the entries of vectors: ∂h/∂z for the list of all ∂h_i/∂z_i.

That is right of functions that are taken entry by entry, where the Jacobian is 0 beside its diagonal. Nowhere else
is it read so.
"""

from __future__ import annotations

from itertools import pairwise

import sympy

from symdl.core.functions import Delta
from symdl.errors import SymdlError
from symdl.verification.decide import equal
from symdl.verification.judging.chains import slopes_alone
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.values import opened
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

Sides = tuple[Node, Node]

_ENTRYWISE = frozenset({"⊙", "∘"})


def on_the_diagonal(reading: Reading, sides: Sides) -> Sides | None:
    """Both sides with diag(∂h/∂z) for ∂h/∂z, where that stands alone or in a product of entries; else None."""
    reader = slopes_alone(reading)
    found = tuple(_diagonals(reading, reader, side, alone=True) for side in sides)
    return None if found == sides else (found[0], found[1])


def _diagonals(reading: Reading, reader: Interpreter, node: Node, *, alone: bool) -> Node:
    if isinstance(node, tree.Derivative):
        return tree.Applied(_DIAG, tree.Group(node)) if alone and _is_diagonal(reading, reader, node) else node
    inner = isinstance(node, tree.Product) and not _ENTRYWISE.isdisjoint(node.ops) and set(node.ops) <= _ENTRYWISE
    inside = inner or (alone and isinstance(node, (tree.Group, tree.Noted)))
    if not inside and not any(isinstance(n, tree.Product) and not _ENTRYWISE.isdisjoint(n.ops) for n in walk(node)):
        return node
    return tree.mapped(node, lambda child: _diagonals(reading, reader, child, alone=inside))


_DIAG = tree.Symbol("diag", "rm")


def _is_diagonal(reading: Reading, reader: Interpreter, node: tree.Derivative) -> bool:
    """Whether a slope is a square matrix that is 0 beside its diagonal, for all values."""
    try:
        found = reader.value(node)
        if found.rank != 2:
            return False
        i, j = found.axes
        body = opened(reading.scope, found.body)
        return bool(equal(body, body * Delta(i, j)).proved) and body != sympy.S.Zero
    except SymdlError:
        return False


def in_full(reading: Reading, sides: Sides) -> Sides | None:
    """Both sides with ∂L/∂h for a δ of that name, where ∂h/∂w comes after it; None where it does nowhere."""
    found = tuple(_in_full(reading, side) for side in sides)
    return None if found == sides else (found[0], found[1])


def _in_full(reading: Reading, node: Node) -> Node:
    node = tree.mapped(node, lambda child: _in_full(reading, child))
    if not isinstance(node, tree.Product):
        return node
    reader, slopes = reading.reader(), {name: s for (name, _), s in reading.scope.named_slopes().items()}
    factors = list(node.factors)
    for k, (first, second) in enumerate(pairwise(factors)):
        parts = reader.parts(first.body if isinstance(first, tree.Group) else first)
        of = reader.parts(second.of) if isinstance(second, tree.Derivative) and second.of is not None else None
        slope = slopes.get(parts.name) if parts is not None and parts.power is None and not parts.transposed else None
        if slope is None or of is None or of.name != slope.name or parts is None or of.subscripts != parts.subscripts:
            continue
        assert isinstance(second, tree.Derivative) and second.of is not None
        factors[k] = tree.Derivative("∂", tree.Symbol(slope.target), ((second.of, 1),))
    return node if factors == [*node.factors] else tree.Product(tuple(factors), node.ops)
