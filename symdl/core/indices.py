"""Indices: what a tensor is subscripted with, and what a sum runs over.

An `Index` is a SymPy `Dummy` that carries its extent. Its identity is the object and never its name, so that
substituting one expression into another cannot capture an index (see docs/adr/0002). The names that a reader
sees are given when printing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sympy

from symdl.core.knowledge import Known, concluding
from symdl.errors import DefinitionError, ShapeError

_NAME = re.compile(r"[A-Za-z][A-Za-z]*[0-9]*'*")


def extent_symbol(name: str) -> sympy.Symbol:
    """The symbol for the extent of an index that has none stated: the capital of its name.

    >>> extent_symbol("n"), extent_symbol("j1")
    (N, J1)
    """
    return sympy.Symbol(name.upper(), integer=True, positive=True)


_COUNTS: Known = frozenset({("integer", True), ("nonnegative", True)})


@concluding
class Index(sympy.Dummy):  # type: ignore[misc]
    """An index with an extent; it runs over 0, 1, …, extent − 1.

    Args:
        name: letters, then digits (`n`, `j1`).
        extent: a positive integer, or an expression in extent symbols; without one, the capital of the name. ∞ is for
            the axes of unknowns in a proof, which are functions of all integers.
        sequential: True for time, whose values are computed in order.

    Raises:
        DefinitionError: the name is not a name, or the extent is not positive.

    >>> i = Index("i", 3)
    >>> i.extent, (2 * i + 1).subs(i, 2)
    (3, 5)
    >>> Index("i") == Index("i")
    False
    """

    __slots__ = ("extent", "sequential")
    extent: sympy.Expr
    sequential: bool

    def __new__(
        cls, name: str, extent: Any = None, *, sequential: bool = False, dummy_index: int | None = None
    ) -> Index:
        if not _NAME.fullmatch(name):
            raise DefinitionError(
                f"'{name}' is not an index name", why="an index is letters, then digits", remedy="write n, i or j1"
            )
        size = extent_symbol(name) if extent is None else sympy.sympify(extent, strict=True)
        if size != sympy.oo and (size.is_positive is False or size.is_integer is False):
            raise DefinitionError(
                f"index {name} has extent {size}", why="an extent is a positive integer", remedy="give 1 or more"
            )
        self: Index = sympy.Dummy.__new__(cls, name, dummy_index, integer=True, nonnegative=True)
        self.extent = size
        self.sequential = sequential
        return self

    def _known(self) -> Known:
        return _COUNTS

    def __getnewargs_ex__(self) -> Any:
        return (self.name, self.extent), {"sequential": self.sequential, "dummy_index": self.dummy_index}

    def __getstate__(self) -> None:
        return None

    def _sympystr(self, printer: Any) -> str:
        return str(self.name)

    def fresh(self) -> Index:
        """A new index of the same name and extent: how bound indices are renamed apart."""
        return Index(self.name, self.extent, sequential=self.sequential)

    def with_extent(self, extent: sympy.Expr) -> Index:
        """The index that is this one with another extent: the same object each time, so that elements agree.

        Raises:
            ShapeError: the extent is below 1, as H − R + 1 is where a window is larger than what it slides over.
        """
        if extent.is_nonpositive:
            raise ShapeError(
                f"index {self.name} has extent {extent}",
                why=f"its extent {self.extent} is below 1 at these sizes: the window is larger than the input",
                remedy="choose a smaller window or larger axes",
            )
        return _with_extent(self, extent)


@lru_cache(maxsize=65536)
def _with_extent(index: Index, extent: sympy.Expr) -> Index:
    return Index(index.name, extent, sequential=index.sequential)


def indices_in(expr: sympy.Basic) -> list[Index]:
    """The indices that occur free in `expr`, in a fixed order."""
    return sorted((s for s in expr.free_symbols if isinstance(s, Index)), key=lambda i: (i.name, i.dummy_index))


def value_range(expr: sympy.Expr, indices: Iterable[Index]) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Smallest and largest value of an affine index expression; None where it is not affine.

    Coefficients are numbers, or expressions in extents whose sign is known: c·H·W + h·W + w is a position in a
    flattened array.

    >>> u, r = Index("u", 5), Index("r", 3)
    >>> value_range(2 * u + r - 1, [u, r])
    (-1, 9)
    >>> c, h = Index("c"), Index("h")
    >>> value_range(c * h.extent + h, [c, h])
    (0, C*H - 1)
    """
    return _value_range(expr, tuple(indices))


@lru_cache(maxsize=65536)
def _value_range(expr: sympy.Expr, indices: tuple[Index, ...]) -> tuple[sympy.Expr, sympy.Expr] | None:
    whole = sympy.expand(expr)
    rest, least, most = whole, list[sympy.Expr](), list[sympy.Expr]()
    for index in indices:
        slope = whole.coeff(index, 1)
        if (whole - slope * index).expand().has(index) or indices_in(slope):
            return None
        end = slope * (index.extent - 1)
        if slope.is_nonnegative:
            most.append(end)
        elif slope.is_nonpositive:
            least.append(end)
        else:
            return None
        rest -= slope * index
    rest = rest.expand()
    return sympy.expand(sympy.Add(rest, *least)), sympy.expand(sympy.Add(rest, *most))


def provably_nonnegative(expr: sympy.Expr) -> bool:
    """True where `expr` ≥ 0 for all extents; extents are at least 1, so each is written as 1 + something ≥ 0.

    ⌊n/s⌋ lies between (n − s + 1)/s and n/s for whole n and s: the bound that makes `expr` smaller stands for it.

    >>> N = extent_symbol("n")
    >>> provably_nonnegative(N - 1), provably_nonnegative(N - 2)
    (True, False)
    >>> provably_nonnegative(N - 2 * sympy.floor(N / 2))
    True
    """
    return _provably_nonnegative(expr)


@lru_cache(maxsize=65536)
def _provably_nonnegative(expr: sympy.Expr) -> bool:
    expr = sympy.expand(expr)
    while floors := [f for f in expr.atoms(sympy.floor) if not any(g.has(f) for g in expr.atoms(sympy.floor) - {f})]:
        inside = floors[0].args[0]
        step = sympy.denom(sympy.together(inside))
        slope = expr.coeff(floors[0], 1)
        if slope.is_nonnegative:
            bound = inside - (step - 1) / step
        elif slope.is_nonpositive:
            bound = inside
        else:
            return False
        expr = sympy.expand(expr.xreplace({floors[0]: bound}))
    shifted = expr.subs({s: sympy.Dummy(s.name, integer=True, nonnegative=True) + 1 for s in expr.free_symbols})
    return bool(sympy.expand(shifted).is_nonnegative)
