"""Square matrices of a stated size: their powers, their inverses and their determinants.

What is worked out here is worked out entry by entry, from numbers or from names. Of a matrix of which nobody says how
large it is, or which is larger than what people write out, there is none of these.
"""

from __future__ import annotations

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction, atoms_in
from symdl.verification.meaning import arrays
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.literals import literal
from symdl.verification.meaning.names import is_transpose
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import Formula, Scope
from symdl.verification.meaning.values import counted, written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: How large a matrix of numbers may be, and one with names in it; and the highest power of one.
OF_NUMBERS, OF_NAMES, HIGHEST = 8, 3, 8


#: The superscript of an inverse.
MINUS_ONE = tree.Sum((("-", tree.Number("1")),))


def is_inverse(sup: Node | None) -> bool:
    """Whether what stands above a matrix is −1, or −⊤.

    >>> from symdl.verification.notation import parse
    >>> [is_inverse(parse(text).sup) for text in ("A^{-1}", r"A^{-\\top}", "A^2")]
    [True, True, False]
    """
    minus = sup.terms[0] if isinstance(sup, tree.Sum) and len(sup.terms) == 1 else None
    return sup == MINUS_ONE or (minus is not None and minus[0] == "-" and is_transpose(minus[1]))


def power(reader: Reader, matrix: Array, exponent: sympy.Expr) -> Array:
    """Aⁿ, the product of n matrices A, and A⁻ⁿ, that of n inverses.

    Raises:
        MeaningError: A is not square as far as is known, or has no inverse, or n is no such number.
    """
    times = int(exponent) if exponent.is_Integer and 0 < abs(exponent) <= HIGHEST else 0
    rows, columns = (_length(reader.scope, axis.extent) for axis in matrix.axes)
    if not times or rows != columns:
        raise MeaningError(f"a matrix to the power {exponent}", remedy="write ⊙ for entries, or say that it is square")
    one = inverse(reader, matrix) if times < 0 else matrix
    whole = one
    for _ in range(abs(times) - 1):
        whole = arrays.product(whole, one.fresh(), "", reader.scope.fit)
    return whole


def inverse(reader: Reader, matrix: Array) -> Array:
    """A⁻¹ by its cofactors.

    Raises:
        MeaningError: the determinant is 0, or there is none that is known.
    """
    cells = _cells(reader, matrix)
    whole = cells.det(method="berkowitz")
    if whole.expand() == 0:
        raise MeaningError("a matrix that has no inverse")
    entries = cells.adjugate() / whole
    return literal([list(entries.row(k)) for k in range(entries.rows)], matrix=True)


def determinant(reader: Reader, matrix: Array) -> sympy.Expr:
    """det A.

    Raises:
        MeaningError: A is not square, or its size is not known.
    """
    found: sympy.Expr = _cells(reader, matrix).det(method="berkowitz")
    return found


def _cells(reader: Reader, matrix: Array) -> sympy.Matrix:
    """The entries of a square matrix, with what the document says of arrays put in."""
    sizes = [_length(reader.scope, axis.extent) for axis in matrix.axes]
    if matrix.rank != 2 or sizes[0] != sizes[1] or not sizes[0].is_Integer:
        raise MeaningError(f"the determinant or inverse of {matrix.kind} of no stated size")
    size = int(sizes[0])
    if size > OF_NUMBERS:
        raise MeaningError(f"the determinant or inverse of {size} × {size} numbers")
    cells = sympy.Matrix(size, size, lambda i, j: _entry(reader.scope, matrix.at((sympy.Integer(i), sympy.Integer(j)))))
    if size > OF_NAMES and not all(cell.is_number for cell in cells):
        raise MeaningError(f"the determinant or inverse of {size} × {size} names")
    return cells


def _entry(scope: Scope, expr: sympy.Expr) -> sympy.Expr:
    def wanted(e: Element, formula: Formula) -> bool:
        return bool(formula.value.axes) or not formula.given

    while True:
        before = expr
        expr = scope.expanded(written_out(counted(scope, scope.settled(expr))), wanted)
        if expr == before:
            break
    if atoms_in(expr, Reduction) or any(isinstance(s, Index) for s in expr.free_symbols):
        raise MeaningError("the determinant or inverse of a matrix whose entries are not written out")
    return expr


def _length(scope: Scope, extent: sympy.Expr) -> sympy.Expr:
    return counted(scope, scope.root(extent))
