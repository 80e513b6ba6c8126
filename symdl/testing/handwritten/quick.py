"""Equations evaluated in float64, quickly and without care: for trying out what mistake explains returned numbers.

No verdict rests on it: a guess is told where its numbers are those that a function returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy.codegen import cfunctions

from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element
from symdl.errors import UnsupportedError

Array = npt.NDArray[Any]

_FUNCTIONS: dict[type, Callable[..., Any]] = {
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.tanh: np.tanh,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.atan: np.arctan,
    sympy.floor: np.floor,
    sympy.erf: np.vectorize(math.erf, otypes=[float]),
    sympy.erfc: np.vectorize(math.erfc, otypes=[float]),
    cfunctions.log1p: np.log1p,
    cfunctions.expm1: np.expm1,
}
_REDUCE: dict[str, Callable[..., Any]] = {"sum": np.sum, "prod": np.prod, "max": np.max}


def evaluate(
    equations: Iterable[Equation], values: Mapping[str, Array], sizes: Mapping[sympy.Symbol, int]
) -> dict[str, Array]:
    """The values of the equations' left sides, given those of all that they read.

    Raises:
        UnsupportedError: a function that is unknown here.
        IndexError: a subscript without a guard leaves its axis.

    >>> from symdl.library.definitions import definition
    >>> d = definition("linear").at(n=2, i=2, j=2)
    >>> given = {"x": np.eye(2), "W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([0.0, 10.0])}
    >>> evaluate(d.equations, given, {})["y"].tolist()
    [[1.0, 13.0], [2.0, 14.0]]
    """
    known = {n: np.asarray(v) for n, v in values.items()}
    found: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for group in groups(tuple(equations)):
            _group(group, known, found, sizes)
    return found


def spread(eq: Equation, body: sympy.Expr, values: Mapping[str, Array], sizes: Mapping[sympy.Symbol, int]) -> Array:
    """A body at all values of the free indices of an equation and the bound ones of its only term, nothing summed."""
    (term,) = eq.terms
    with np.errstate(all="ignore"):
        found = _Evaluator(values, sizes, {}).term(Term(body), (*eq.indices, *term.bound))
    return np.asarray(found)


def _group(group: Group, known: dict[str, Array], found: dict[str, Array], sizes: Mapping[sympy.Symbol, int]) -> None:
    for eq in group.equations:
        shape = tuple(size_of(i, sizes) for i in eq.indices)
        known[eq.name] = found[eq.name] = np.zeros(shape)
    if not group.direction:
        (eq,) = group.equations
        known[eq.name][...] = _Evaluator(known, sizes, {}).equation(eq)
        return
    length = size_of(next(e.indices[group.time[e.name]] for e in group.equations), sizes)
    for time in range(length)[:: group.direction]:
        for eq in group.equations:
            axis = group.time[eq.name]
            at = tuple(time if k == axis else slice(None) for k in range(len(eq.indices)))
            part = _Evaluator(known, sizes, {eq.indices[axis]: time}).equation(eq)
            known[eq.name][at] = np.take(part, 0, axis=axis)


def size_of(index: Index, sizes: Mapping[sympy.Symbol, int]) -> int:
    """The length of an axis."""
    return int(index.extent.xreplace({s: sympy.Integer(v) for s, v in sizes.items()}))


class _Evaluator:
    def __init__(
        self, values: Mapping[str, Array], sizes: Mapping[sympy.Symbol, int], fixed: Mapping[Index, int]
    ) -> None:
        self.values, self.sizes, self.fixed = values, sizes, fixed
        self.at: dict[Index, Array] = {}

    def equation(self, eq: Equation) -> Any:
        return sum(self.term(t, eq.indices) for t in eq.terms)

    def term(self, term: Term, free: tuple[Index, ...]) -> Any:
        indices = (*free, *term.bound)
        lengths = []
        for axis, index in enumerate(indices):
            run = [self.fixed[index]] if index in self.fixed else range(size_of(index, self.sizes))
            shape = [1] * len(indices)
            shape[axis] = len(run)
            self.at[index] = np.array(run, dtype=np.int64).reshape(shape)
            lengths.append(len(run))
        whole = np.broadcast_to(self.value(term.body), lengths)
        axes = tuple(range(len(free), len(indices)))
        return _REDUCE[term.op](whole, axis=axes) if axes else whole

    def value(self, expr: sympy.Expr) -> Any:
        if isinstance(expr, Index):
            return self.at[expr].astype(float)
        if isinstance(expr, Element):
            return self.element(expr)
        if expr.is_number:
            return float(expr)
        if isinstance(expr, sympy.Symbol):
            return float(self.sizes[expr])
        if isinstance(expr, Delta | InRange):
            return self.guard(expr).astype(float)
        if isinstance(expr, Switch):
            x, below, above, share = map(self.value, expr.args)
            ends = np.where(share == 0, below, np.where(share == 1, above, (1 - share) * below + share * above))
            return np.where(x < 0, below, np.where(x > 0, above, ends))
        if isinstance(expr, Masked):
            return np.where(self.value(expr.args[1]) != 0, self.value(expr.args[0]), -np.inf)
        if isinstance(expr, ScalarFunction):
            return self.value(expr.defined())
        parts = [self.value(a) for a in expr.args]
        if isinstance(expr, sympy.Add):
            return sum(parts[1:], start=parts[0])
        if isinstance(expr, sympy.Mul):
            return math.prod(parts[1:], start=parts[0])
        if isinstance(expr, sympy.Pow):
            return np.power(parts[0], parts[1])
        if type(expr) in _FUNCTIONS:
            return _FUNCTIONS[type(expr)](*parts)
        raise UnsupportedError(f"{type(expr).__name__} can't be evaluated", where=str(expr)[:60])

    def element(self, element: Element) -> Any:
        array = self.values[element.name]
        if not element.subscripts:
            return array[()]
        places = [self.whole(s) for s in element.subscripts]
        # what a guard makes 0 is read somewhere inside the axis
        inside = [np.clip(p, 0, n - 1) for p, n in zip(places, array.shape, strict=True)]
        return array[tuple(inside)]

    def whole(self, expr: sympy.Expr) -> Any:
        if isinstance(expr, Index):
            return self.at[expr]
        if isinstance(expr, Element):
            return np.asarray(self.element(expr)).astype(np.int64)
        found = self.value(expr)
        return np.asarray(np.rint(found)).astype(np.int64)

    def guard(self, expr: sympy.Expr) -> Array:
        a, b = (self.whole(e) for e in expr.args)
        found = a == b if isinstance(expr, Delta) else (a >= 0) & (a < b)
        return np.asarray(found)
