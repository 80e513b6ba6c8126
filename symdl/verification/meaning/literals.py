"""Values that are written out: lists, matrices, and powers of numbers."""

from __future__ import annotations

import sympy

from symdl.verification.meaning import sums
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: Numbers with more digits than this are not written out: 9^{9^{9}} is a claim about a number, not a number.
MOST_BITS = 12_000


def literal(rows: list[list[sympy.Expr]], *, matrix: bool = False) -> Array:
    """Numbers that are written out: a list or a column is a vector, rows are a matrix."""
    if not matrix or len(rows[0]) == 1:
        entries = rows[0] if not matrix else [row[0] for row in rows]
        i = sums.new_index("a0", sympy.Integer(len(entries)))
        return Array((i,), sums.listed(entries, i))
    if len(rows) == 1:
        i = sums.new_index("a0", sympy.Integer(len(rows[0])))
        return Array((i,), sums.listed(rows[0], i), row=True)
    i, j = (sums.new_index(f"a{k}", sympy.Integer(n)) for k, n in enumerate((len(rows), len(rows[0]))))
    return Array((i, j), sums.listed([sums.listed(row, j) for row in rows], i))


def rows_of(node: tree.List) -> list[tuple[Node, ...]]:
    """The rows of a matrix that is written as programs do, [[1, 2], [3, 4]] or [1, 2; 3, 4]; nothing of another list.

    >>> from symdl.verification.notation import parse
    >>> [len(rows_of(parse(text).body)) for text in ("[[1, 2], [3, 4]]", "[1, 2; 3, 4]", "[1, 2]", "[1; 2]")]
    [2, 2, 0, 0]
    """
    inner = [item.body for item in node.items if isinstance(item, tree.Group) and item.open == "["]
    rows = [body.items for body in inner if isinstance(body, tree.List) and set(body.separators) == {","}]
    if len(rows) == len(node.items) and set(node.separators) == {","}:
        return rows
    if set(node.separators) != {",", ";"}:
        return []
    found: list[tuple[Node, ...]] = [node.items[:1]]
    for item, separator in zip(node.items[1:], node.separators, strict=True):
        found = [*found, (item,)] if separator == ";" else [*found[:-1], (*found[-1], item)]
    return found


def power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """base to an exponent, unless that is a number too long to write out.

    Raises:
        MeaningError: such a number, or 0 to a negative power.
    """
    if base.is_Rational and exponent.is_Rational:
        if base == 0 and exponent.is_negative:
            raise MeaningError("a division by 0")
        bits = max(int(abs(base.p)).bit_length(), int(base.q).bit_length())
        if abs(exponent) * bits > MOST_BITS:
            raise MeaningError(f"a number of more than {MOST_BITS} bits")
    if exponent.is_Rational and abs(exponent) > 1000 and not base.is_Rational:
        raise MeaningError(f"a power of {exponent}")
    return sympy.Pow(base, exponent)
