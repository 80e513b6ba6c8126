"""Scalars, vectors and matrices as one scalar expression in indices: how W x, xᵀy and ‖x‖² become sums.

Everything that a document writes in matrix form is put into index form, so that one canonical form decides it for all
extents. A vector is a column unless it was transposed; what does not fit is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy

from symdl.core.define import absolute
from symdl.core.indices import Index
from symdl.core.tensors import reduction, refreshed, rename
from symdl.verification.meaning.errors import KindsError, MeaningError, ShapesError

#: The products that are taken element by element.
ELEMENTWISE = frozenset({"⊙", "∘", "*"})

#: Whether two extents are one; it may decide that they are from now on.
Fit = Callable[[sympy.Expr, sympy.Expr], bool]


def same(a: sympy.Expr, b: sympy.Expr) -> bool:
    """Extents that are written alike are one."""
    return bool(a == b)


@dataclass(frozen=True)
class Array:
    """An expression with the indices that it has left free as axes; `row` for a vector that lies down.

    >>> i = Index("i", 3)
    >>> Array((), sympy.Integer(2)).rank, Array((i,), sympy.Integer(0)).kind
    (0, 'a column')
    """

    axes: tuple[Index, ...]
    body: sympy.Expr
    row: bool = False

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        if self.rank == 1:
            return "a row" if self.row else "a column"
        return {0: "a number", 2: "a matrix"}.get(self.rank, f"an array of {self.rank} axes")

    def fresh(self) -> Array:
        """The same with new indices, for using one value in two places."""
        axes = tuple(i.fresh() for i in self.axes)
        return replace(self, axes=axes, body=refreshed(rename(self.body, dict(zip(self.axes, axes, strict=True)))))

    def at(self, subscripts: tuple[sympy.Expr, ...]) -> sympy.Expr:
        """The entry at some subscripts."""
        return refreshed(rename(self.body, dict(zip(self.axes, subscripts, strict=True))))

    def mapped(self, function: Callable[[sympy.Expr], sympy.Expr]) -> Array:
        """A scalar function of each entry."""
        return replace(self, body=function(self.body))


def scalar(value: sympy.Expr | int) -> Array:
    """A number or a scalar expression."""
    return Array((), sympy.sympify(value, strict=True))


def entrywise(
    a: Array, b: Array, combine: Callable[[sympy.Expr, sympy.Expr], sympy.Expr], word: str, fit: Fit = same
) -> Array:
    """Two arrays of one shape, entry by entry; a number goes with every entry.

    Raises:
        MeaningError: the shapes differ.

    >>> i, j = Index("i", 3), Index("j", 3)
    >>> entrywise(Array((i,), 2 * i), Array((j,), 1 - j), lambda a, b: a + b, "added").body
    i + 1
    """
    if not a.axes or not b.axes:
        whole = a if a.axes else b
        return replace(whole, body=combine(a.body, b.body))
    if a.rank != b.rank or a.row != b.row:
        raise KindsError(f"{b.kind} is {word} to {a.kind}" if word == "added" else f"{a.kind} and {b.kind} {word}")
    _meet(a.axes, b.axes, word, fit)
    return replace(a, body=combine(a.body, b.at(a.axes)))


def repeated(vector: Array, matrix: Array, axis: int | None) -> Array:
    """A vector as a matrix of the shape of another: in each of its rows (axis 1) or columns (axis 0) the same.

    Raises:
        MeaningError: it is not known along which axis.
    """
    if axis is None:
        raise MeaningError("a column is added to a matrix", remedy="declare the shapes, or write 𝟏bᵀ")
    axes = tuple(i.fresh() for i in matrix.axes)
    (place,) = vector.axes
    kept = axes[axis].with_extent(place.extent)
    return Array((axes[0], kept) if axis else (kept, axes[1]), vector.at((kept,)))


def product(a: Array, b: Array, op: str = "", fit: Fit = same) -> Array:
    """a b in matrix form: numbers scale, a matrix meets what stands right of it, ⊙ goes entry by entry.

    Raises:
        MeaningError: shapes that do not meet.

    >>> i, j, k = Index("i", 2), Index("j", 3), Index("k", 3)
    >>> found = product(Array((i, j), i + j), Array((k,), 2 * k))
    >>> found.kind, found.axes[0].extent, found.body
    ('a column', 2, Sum_{j}(2*j*(i + j)))
    """
    if not a.axes or not b.axes:
        return entrywise(a, b, lambda x, y: x * y, "multiplied")
    if op in ELEMENTWISE:
        return entrywise(a, b, lambda x, y: x * y, "multiplied entry by entry", fit)
    columns = a.rank == b.rank == 1 and a.row == b.row
    if columns and op == "·":
        return _contracted(a, b, fit, row=False)
    if columns and op == "⊗":
        return _outer(a, b)
    if columns:
        raise KindsError(f"{a.kind} times {b.kind}", remedy="write ⊙, or transpose one of them")
    if a.rank == 1 and not a.row:
        if b.rank == 1:
            return _outer(a, b)
        raise KindsError("a column times a matrix", remedy="transpose the column, or turn the order round")
    if b.rank == 1 and b.row:
        raise KindsError(f"{a.kind} times a row", remedy="transpose the row")
    return _contracted(a, b, fit, row=a.rank == 1)


def _outer(a: Array, b: Array) -> Array:
    b = b.fresh()
    return Array((*a.axes, *b.axes), a.body * b.body)


def _contracted(a: Array, b: Array, fit: Fit, *, row: bool) -> Array:
    a, b = a.fresh(), b.fresh()
    last, first = a.axes[-1], b.axes[0]
    _meet((last,), (first,), "multiplied", fit)
    body = reduction("sum", a.body * rename(b.body, {first: last}), [last])
    axes = (*a.axes[:-1], *b.axes[1:])
    return Array(axes, body, row=row and len(axes) == 1)


def _meet(first: tuple[Index, ...], second: tuple[Index, ...], word: str, fit: Fit) -> None:
    for i, j in zip(first, second, strict=True):
        if not fit(i.extent, j.extent):
            raise ShapesError(
                f"an axis of {i.extent} and an axis of {j.extent} {word}", remedy="check the order and the transposes"
            )


def transposed(a: Array) -> Array:
    """aᵀ: a row for a column, a column for a row."""
    if a.rank == 0:
        return a
    if a.rank == 1:
        return replace(a, row=not a.row)
    if a.rank > 2:
        raise MeaningError(f"the transpose of {a.kind}")
    return replace(a, axes=a.axes[::-1])


def total(a: Array) -> sympy.Expr:
    """The sum of all entries."""
    return reduction("sum", a.body, list(a.axes))


def norm(a: Array, order: str = "2") -> sympy.Expr:
    """‖a‖: the root of the sum of squares (of a matrix: Frobenius), ‖a‖₁ the sum of absolute values, ‖a‖_∞ the largest.

    Raises:
        MeaningError: another norm; that of a number is its absolute value.
    """
    a = a.fresh()
    if order == "1" and a.rank < 2:
        return reduction("sum", absolute(a.body, kink="mid"), list(a.axes))
    if order == "∞" and a.rank < 2:
        return reduction("max", absolute(a.body, kink="mid"), list(a.axes), "share")
    if a.rank == 0:
        return absolute(a.body, kink="mid")
    if order not in ("2", "F") or (order == "2" and a.rank > 2):
        raise MeaningError(f"a norm of order {order} of {a.kind}")
    return sympy.sqrt(reduction("sum", a.body**2, list(a.axes)))
