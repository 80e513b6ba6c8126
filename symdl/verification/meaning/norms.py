"""‖x‖, ‖A‖_F and ⟨a, b⟩."""

from __future__ import annotations

from symdl.verification.meaning import arrays
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree


def value_of(reader: Reader, node: tree.Norm | tree.Scripted) -> Array:
    """The value of a norm, with what stands below and above it.

    Raises:
        MeaningError: another norm than those of order 1, 2, ∞ and F.
    """
    body, sub, sup = (node, None, None) if isinstance(node, tree.Norm) else (node.base, node.sub, node.sup)
    assert isinstance(body, tree.Norm)
    order = "2"
    if isinstance(sub, tree.Number):
        order = sub.text
    elif isinstance(sub, tree.Symbol):
        order = sub.name
    elif sub is not None:
        raise MeaningError("a norm of that kind")
    whole = reader.value(body.body)
    if whole.rank == 2 and sub is None:
        order = "F"
    found = scalar(arrays.norm(whole, order))
    return found if sup is None else reader.raised(found, sup)


def inner_product(reader: Reader, node: tree.List) -> Array:
    """⟨a, b⟩ of two vectors, or of two matrices entry by entry.

    Raises:
        MeaningError: numbers, or arrays of different shapes.
    """
    a, b = (reader.value(item) for item in node.items)
    if not a.axes:
        raise MeaningError("an inner product of numbers")
    return scalar(arrays.total(arrays.product(a.fresh(), b.fresh(), "⊙", reader.scope.fit)))
