"""Equations evaluated with arrays, as they stand: in float64, to find what mistake explains returned numbers, and in
extended precision, for exact slopes where extents are large.

No verdict rests on guesses: one is told where its numbers are those that a function returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath
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
    sympy.erf: lambda x: _special(math.erf, mpmath.erf, x),
    sympy.erfc: lambda x: _special(math.erfc, mpmath.erfc, x),
    cfunctions.log1p: np.log1p,
    cfunctions.expm1: np.expm1,
}
_REDUCE: dict[str, Callable[..., Any]] = {"sum": np.sum, "prod": np.prod, "max": np.max}


#: What is done to the result of each operation.
Shake = Callable[[Any], Any]


def _special(simple: Callable[[float], float], exact: Callable[[Any], Any], x: Any) -> Any:
    """A function that NumPy lacks, entry by entry: of longdouble in as many digits."""
    if np.asarray(x).dtype != np.longdouble:
        return np.vectorize(simple, otypes=[float])(x)
    with mpmath.workdps(30):
        flat = [np.longdouble(mpmath.nstr(exact(mpmath.mpf(str(v))), 25)) for v in np.ravel(x)]
    return np.array(flat, np.longdouble).reshape(np.shape(x))


def evaluate(
    equations: Iterable[Equation],
    values: Mapping[str, Array],
    sizes: Mapping[sympy.Symbol, int],
    *,
    number: type = np.float64,
    shake: Shake | None = None,
) -> dict[str, Array]:
    """The values of the equations' left sides, given those of all that they read.

    Args:
        equations: in any order in which they can be computed.
        values: of the tensors that they read, by name.
        sizes: of the extents that are symbols.
        number: float64 or longdouble.
        shake: applied to the result of every operation.

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
            _group(group, known, found, _Evaluator(known, sizes, number, shake))
    return found


def spread(eq: Equation, body: sympy.Expr, values: Mapping[str, Array], sizes: Mapping[sympy.Symbol, int]) -> Array:
    """A body at all values of the free indices of an equation and the bound ones of its only term, nothing summed."""
    (term,) = eq.terms
    with np.errstate(all="ignore"):
        found = _Evaluator(values, sizes).term(Term(body), (*eq.indices, *term.bound))
    return np.asarray(found)


def magnitudes(
    equations: Iterable[Equation], values: Mapping[str, Array], sizes: Mapping[sympy.Symbol, int]
) -> dict[str, Array]:
    """What each entry would be if nothing cancelled, here and in what is read: all summands with their absolute values.

    Args:
        equations, sizes: as for `evaluate`.
        values: of all tensors.

    >>> from symdl.library.definitions import definition
    >>> d = definition("linear").at(n=1, i=2, j=1)
    >>> given = {"x": np.ones((1, 2)), "W": np.array([[3.0, -3.0]]), "b": np.array([-1.0]), "y": np.array([[-1.0]])}
    >>> magnitudes(d.equations, given, {})["y"].tolist()
    [[7.0]]
    """
    known = {n: np.abs(np.asarray(v)) for n, v in values.items()}
    found: dict[str, Array] = {}
    evaluator = _Magnitudes({n: np.asarray(v) for n, v in values.items()}, sizes)
    evaluator.sums = known
    with np.errstate(all="ignore"):
        for group in groups(tuple(equations)):
            _group(group, known, found, evaluator)
    return found


def _group(group: Group, known: dict[str, Array], found: dict[str, Array], evaluator: _Evaluator) -> None:
    for eq in group.equations:
        shape = tuple(size_of(i, evaluator.sizes) for i in eq.indices)
        known[eq.name] = found[eq.name] = np.zeros(shape, evaluator.number)
    if not group.direction:
        (eq,) = group.equations
        known[eq.name][...] = evaluator.equation(eq)
        return
    length = size_of(next(e.indices[group.time[e.name]] for e in group.equations), evaluator.sizes)
    for time in range(length)[:: group.direction]:
        for eq in group.equations:
            axis = group.time[eq.name]
            at = tuple(time if k == axis else slice(None) for k in range(len(eq.indices)))
            evaluator.fixed = {eq.indices[axis]: time}
            known[eq.name][at] = np.take(evaluator.equation(eq), 0, axis=axis)
    evaluator.fixed = {}


def size_of(index: Index, sizes: Mapping[sympy.Symbol, int]) -> int:
    """The length of an axis."""
    return int(index.extent.xreplace({s: sympy.Integer(v) for s, v in sizes.items()}))


class _Evaluator:
    def __init__(
        self,
        values: Mapping[str, Array],
        sizes: Mapping[sympy.Symbol, int],
        number: type = np.float64,
        shake: Shake | None = None,
    ) -> None:
        self.values, self.sizes, self.number, self.shake = values, sizes, number, shake
        self.fixed: Mapping[Index, int] = {}
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
        whole = np.broadcast_to(self.body(term), lengths)
        axes = tuple(range(len(free), len(indices)))
        return _REDUCE[term.op](whole, axis=axes) if axes else whole

    def body(self, term: Term) -> Any:
        return self.value(term.body)

    def value(self, expr: sympy.Expr) -> Any:
        """The numbers that an expression is; a leaf as it is, the result of an operation shaken."""
        if isinstance(expr, Index):
            return self.at[expr].astype(self.number)
        if isinstance(expr, Element):
            return self.element(expr)
        if expr.is_Rational:
            return self.number(int(expr.p)) / self.number(int(expr.q))
        if expr.is_number:
            return self.number(str(expr.evalf(25)))
        if isinstance(expr, sympy.Symbol):
            return self.number(self.sizes[expr])
        if isinstance(expr, Delta | InRange):
            return self.guard(expr).astype(self.number)
        if isinstance(expr, ScalarFunction):
            return self.value(expr.defined())
        found = self.operation(expr, [self.value(a) for a in expr.args])
        negated = expr.is_Mul and len(expr.args) == 2 and expr.args[0] == -1  # exact
        return found if self.shake is None or negated or isinstance(expr, Switch | Masked) else self.shake(found)

    def operation(self, expr: sympy.Expr, parts: list[Any]) -> Any:
        if isinstance(expr, Switch):
            x, below, above, share = parts
            ends = np.where(share == 0, below, np.where(share == 1, above, (1 - share) * below + share * above))
            return np.where(x < 0, below, np.where(x > 0, above, ends))
        if isinstance(expr, Masked):
            return np.where(parts[1] != 0, parts[0], -np.inf)
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
        shake, self.shake = self.shake, None
        found = np.rint(self.value(expr))
        self.shake = shake
        return np.asarray(found).astype(np.int64)

    def guard(self, expr: sympy.Expr) -> Array:
        a, b = (self.whole(e) for e in expr.args)
        found = a == b if isinstance(expr, Delta) else (a >= 0) & (a < b)
        return np.asarray(found)


class _Magnitudes(_Evaluator):
    """Sums and products of absolute values; what is no polynomial is what it is."""

    sums: Mapping[str, Array]

    def body(self, term: Term) -> Any:
        return np.abs(self.value(term.body)) if term.op == "max" else self.size(term.body)

    def size(self, expr: sympy.Expr) -> Any:
        if isinstance(expr, Element):
            values, self.values = self.values, self.sums
            found = self.element(expr)
            self.values = values
            return found
        if isinstance(expr, sympy.Add):
            return sum(self.size(a) for a in expr.args)
        if isinstance(expr, sympy.Mul):
            return math.prod(self.size(a) for a in expr.args)
        if isinstance(expr, sympy.Pow) and expr.exp.is_Integer and expr.exp > 0:
            return self.size(expr.base) ** int(expr.exp)
        return np.abs(self.value(expr))
