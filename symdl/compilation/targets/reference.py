"""The reference target: the equations as they stand, evaluated entry by entry in 50-digit arithmetic.

It shares nothing with the other targets: no plan, no lambdify, no stable forms; a named function is computed by its
definition. It is slow and meant to be obviously right: every operation is applied to a list of points, each of which is
one value of every index.

>>> from symdl.core.define import define, Input, Sum, let, exp
>>> @define
... def d(x=Input("i")):
...     (i,) = x.indices
...     return let("s", Sum(exp(x[i]), i))
>>> print(mpmath.nstr(evaluate(d, {"x": np.array([0.0, 1.0])})["s"][()], 30))
3.71828182845904523536028747135
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy
from sympy.codegen import cfunctions

from symdl.compilation.extents import resized
from symdl.compilation.targets import exactsums
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.pauses import collection_paused
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element
from symdl.errors import DomainError, UnsupportedError

Array = npt.NDArray[Any]
Whole = Any  # an integer, or an array of integers
Rounding = Callable[[Array], Array]
#: How much to add to sums of products, given the name of their equation and Σ |a b| of each of them.
Shift = Callable[[str, Array], Array]
DIGITS = 50
#: How many points are evaluated at once: enough to make little of the overhead, few enough for the memory.
_TOGETHER = 1 << 18

_FUNCTIONS: dict[type, Callable[..., Any]] = {
    sympy.exp: mpmath.exp,
    sympy.log: mpmath.log,
    sympy.tanh: mpmath.tanh,
    sympy.sinh: mpmath.sinh,
    sympy.cosh: mpmath.cosh,
    sympy.sin: mpmath.sin,
    sympy.cos: mpmath.cos,
    sympy.tan: mpmath.tan,
    sympy.atan: mpmath.atan,
    sympy.asinh: mpmath.asinh,
    sympy.erf: mpmath.erf,
    sympy.erfc: mpmath.erfc,
    cfunctions.log1p: mpmath.log1p,
    cfunctions.expm1: mpmath.expm1,
}
_ZERO = mpmath.mpf(0)
_ENTRY = Index("entry")  # of `entrywise`


def evaluate(
    definition: Definition,
    arrays: Mapping[str, Any],
    *,
    digits: int = DIGITS,
    keep: bool = False,
    rounding: Rounding | None = None,
    known: MutableMapping[Equation, Array] | None = None,
    shift: Shift | None = None,
) -> dict[str, Array]:
    """The outputs of a definition at given inputs.

    Args:
        definition: with symbolic or integer extents; the shapes of the arrays decide.
        arrays: every input by name: numbers or arrays of floats, ints or mpmath numbers.
        digits: decimal digits of the arithmetic.
        keep: return every tensor that is computed, not only the outputs.
        rounding: applied to the results of every operation, an array, to see what rounding does.
        known: values of equations at these very inputs and digits, which are not computed again; those that are
            computed are added. A gradient shares the forward equations with its definition.

    Returns:
        Object arrays of mpmath numbers, by name; integers where a tensor is integer-valued.

    Raises:
        DomainError: something has no real value there: a logarithm of a negative number, a division by 0.
        ShapeError: shapes that do not fit the definition.
        UnsupportedError: a function that is unknown here.
    """
    given = {n: np.asarray(a) for n, a in arrays.items()}
    concrete = resized(definition, {t.name: given[t.name].shape for t in definition.inputs if t.name in given})
    found: MutableMapping[Equation, Array] = {} if known is None else known
    with mpmath.workdps(digits), collection_paused():  # numbers refer to nothing: there is no garbage to look for
        values = {n: _exact(a) for n, a in given.items()}
        for group in groups(concrete.equations):
            written = [definition.by_name[n] for n in group.names]
            if all(eq in found for eq in written):
                values.update((eq.name, found[eq]) for eq in written)
                continue
            _evaluate(group, values, rounding, shift)
            found.update((eq, values[eq.name]) for eq in written)
    names = [*concrete.outputs, *(concrete.by_name if keep else ())]
    return {n: values[n] for n in names}


def shaken(eps: Any, rng: np.random.Generator) -> Rounding:
    """A rounding that moves every number by one part in 1/eps, up or down at random."""
    factors = _objects([1 - mpmath.mpf(eps), 1 + mpmath.mpf(eps)])
    return lambda values: values * factors[rng.integers(2, size=len(values))]


def entrywise(definition: Definition, arrays: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Array]:
    """Equations between numbers, as the update of an optimiser has, applied to every entry of arrays.

    Args:
        definition: all of whose tensors are numbers.
        arrays: for every input an array of that shape, or one number for all entries.
        shape: of the arrays.

    Returns:
        Every tensor that is computed, by name, as an array of that shape; in `DIGITS` digits.

    Raises:
        DomainError: something has no real value at an entry.
    """
    count = math.prod(shape)
    with mpmath.workdps(DIGITS), collection_paused():
        exact = {n: _exact(np.asarray(a)) for n, a in arrays.items()}
        values = {n: a.ravel() if a.size == count else _filled(a[()], count) for n, a in exact.items()}
        evaluator, points = _Evaluator(values), _Points(count, {_ENTRY: np.arange(count)})
        for eq in definition.equations:
            evaluator.where = eq
            terms = [evaluator.value(t.body, points) for t in eq.terms]
            values[eq.name] = sum(terms[1:], start=terms[0])
    return {eq.name: values[eq.name].reshape(shape) for eq in definition.equations}


def _evaluate(group: Group, values: dict[str, Array], rounding: Rounding | None, shift: Shift | None) -> None:
    """A plain equation as a whole; the equations of a recurrence one after the other, for each time in turn."""
    evaluator = _Evaluator(values, rounding, group.names if group.direction else (), shift)
    for eq in group.equations:
        values[eq.name] = np.empty(tuple(int(s) for s in eq.out.shape), dtype=object)
    if not group.direction:
        (eq,) = group.equations
        evaluator.equation(eq, values[eq.name], {})
        return
    for time in range(int(group.extent))[:: group.direction]:
        for eq in group.equations:
            evaluator.equation(eq, values[eq.name], {group.time[eq.name]: time})


def _exact(array: Array) -> Array:
    """The same numbers, as Python integers or mpmath numbers."""
    if array.dtype.kind in "iub":
        return np.array([int(v) for v in array.ravel()], dtype=object).reshape(array.shape)
    exact = np.empty(array.size, dtype=object)
    exact[:] = [v if isinstance(v, int) else mpmath.mpf(v) for v in array.ravel().tolist()]
    return exact.reshape(array.shape)


@dataclass(frozen=True)
class _Points:
    """A list of points: how many there are, and the value of every index at each."""

    count: int
    at: Mapping[Index, npt.NDArray[np.int64]]

    def only(self, chosen: npt.NDArray[Any]) -> _Points:
        """Some of them, by a mask or by positions, which may repeat."""
        at = {i: v[chosen] for i, v in self.at.items()}
        return _Points(int(chosen.sum()) if chosen.dtype == bool else len(chosen), at)

    def beside(self, other: _Points) -> _Points:
        """Point by point, indices of both."""
        return _Points(self.count, {**self.at, **other.at})


def _grid(indices: Iterable[Index], extents: Iterable[range]) -> _Points:
    """All values of some indices, the last one fastest."""
    axes = [np.arange(r.start, r.stop) for r in extents]
    count = math.prod(len(a) for a in axes)
    spread = np.meshgrid(*axes, indexing="ij") if axes else []
    return _Points(count, {i: v.ravel() for i, v in zip(indices, spread, strict=True)})


class _Evaluator:
    """Computes bodies at lists of points: one result for each."""

    def __init__(
        self,
        values: Mapping[str, Array],
        rounding: Rounding | None = None,
        growing: Container[str] = (),
        shift: Shift | None = None,
    ) -> None:
        """`growing`: names of tensors that are not complete yet."""
        self.values, self.rounding, self.growing, self.shift = values, rounding, growing, shift
        self.where: Equation | None = None
        self._integers: dict[str, bool] = {}
        self._whole: dict[str, exactsums.Whole | None] = {}

    def equation(self, eq: Equation, out: Array, fixed: Mapping[int, int]) -> None:
        """Fill in `out`: all of it, or where `fixed` says the value of an axis, that part."""
        self.where = eq
        ranges = [range(fixed[a], fixed[a] + 1) if a in fixed else range(n) for a, n in enumerate(out.shape)]
        points = _grid(eq.indices, ranges)
        most = max(math.prod(int(i.extent) for i in t.bound) for t in eq.terms)
        step = max(1, _TOGETHER // most)
        for start in range(0, points.count, step):
            some = points.only(np.arange(start, min(start + step, points.count)))
            total = _filled(_ZERO, some.count)
            for term in eq.terms:
                total = total + self._term(term, some)
            out[tuple(some.at[i] for i in eq.indices)] = total if eq.indices else total[0]

    def _term(self, term: Term, points: _Points) -> Array:
        if not term.bound:
            return self.value(term.body, points)
        together = {"sum": mpmath.fsum, "prod": mpmath.fprod, "max": max}[term.op]
        inner = _grid(term.bound, [range(int(i.extent)) for i in term.bound])
        outside, inside = np.divmod(np.arange(points.count * inner.count), inner.count)
        every = points.only(outside).beside(inner.only(inside))
        if term.op == "sum":  # what a guard makes 0 adds nothing
            held = self._holding(_guards(term.body), every)
            every, outside = every.only(held), outside[held]
        ends = np.searchsorted(outside, np.arange(points.count + 1)).tolist()
        factors = [a for a in sympy.Mul.make_args(term.body) if not isinstance(a, (Delta, InRange))]
        if term.op == "sum" and len(factors) > 1 and self.rounding is None:
            found = self._sum_of_products(factors[:-1], factors[-1:], every, ends)
            return found if self.shift is None else found + self._shifted(term, every, ends, self.shift)
        found = self.value(term.body, every)
        return _objects([together(found[a:b].tolist()) for a, b in itertools.pairwise(ends)])

    def _sum_of_products(
        self, left: list[sympy.Expr], right: list[sympy.Expr], points: _Points, ends: list[int]
    ) -> Array:
        """The sums from each of `ends` up to the next."""
        products = [sympy.Mul(*factors, evaluate=False) for factors in (left, right)]
        a, b = (self._whole_numbers(p, points) for p in products)
        if a is not None and b is not None:
            return _objects(exactsums.sums_of_products(a, b, ends))
        x, y = (self.value(p, points).tolist() for p in products)
        return _objects([mpmath.fdot(x[i:j], y[i:j]) for i, j in itertools.pairwise(ends)])

    def _shifted(self, term: Term, points: _Points, ends: list[int], shift: Shift) -> Array:
        """By how much each sum is off."""
        assert self.where is not None
        sizes = [abs(v) for v in self.value(term.body, points).tolist()]
        return shift(self.where.name, _objects([mpmath.fsum(sizes[a:b]) for a, b in itertools.pairwise(ends)]))

    def _whole_numbers(self, expr: sympy.Expr, points: _Points) -> exactsums.Whole | None:
        """What an expression is, as whole numbers; those of a tensor are made once."""
        if not isinstance(expr, Element) or expr.name in self.growing or not expr.subscripts:
            return exactsums.whole(self.value(expr, points))
        if expr.name not in self._whole:
            self._whole[expr.name] = exactsums.whole(self.values[expr.name])
        found = self._whole[expr.name]
        return None if found is None else found._replace(entries=self._entries(expr, points, found.entries))

    def value(self, expr: sympy.Expr, points: _Points) -> Array:
        """The numbers that an expression is, one for each point."""
        if isinstance(expr, sympy.Integer | sympy.Rational | sympy.Float | sympy.NumberSymbol):
            return _filled(_number(expr), points.count)
        if isinstance(expr, Index):
            return _objects([mpmath.mpf(v) for v in points.at[expr].tolist()])
        if isinstance(expr, Element):
            entries = self._entries(expr, points)
            if not self._has_integers(expr.name):
                return entries
            return _objects([mpmath.mpf(v) if isinstance(v, int) else v for v in entries.tolist()])
        found = self._operation(expr, points)
        # a minus sign is exact: z − max z is 0 where z is the maximum
        signed = expr.is_Mul and len(expr.args) == 2 and expr.args[0] == -1
        return found if self.rounding is None or signed else self.rounding(found)

    def _operation(self, expr: sympy.Expr, points: _Points) -> Array:
        if isinstance(expr, sympy.Add):
            first, *others = expr.args
            return sum((self.value(a, points) for a in others), start=self.value(first, points))
        if isinstance(expr, sympy.Mul):
            return self._product(expr, points)
        if isinstance(expr, sympy.Pow):
            return self._power(expr, points)
        return self._function(expr, points)

    def _has_integers(self, name: str) -> bool:
        """Whether a tensor has integers among its numbers; one that is being computed has none."""
        if name not in self._integers:
            self._integers[name] = any(isinstance(v, int) for v in self.values[name].ravel().tolist())
        return self._integers[name]

    def _entries(self, element: Element, points: _Points, among: Array | None = None) -> Array:
        """The entries of a tensor, or of an array that stands for it."""
        array = self.values[element.name] if among is None else among
        if len(element.subscripts) < array.ndim:
            return array[points.at[_ENTRY]]
        at = [np.broadcast_to(self.whole(s, points), points.count) for s in element.subscripts]
        for place, length in zip(at, array.shape, strict=True):
            wrong = (place < 0) | (place >= length)
            if wrong.any():
                position = [int(p[wrong.argmax()]) for p in at]
                raise UnsupportedError(f"{element.name}{position} lies outside its shape {array.shape}")
        return array[tuple(at)] if at else _filled(array[()], points.count)

    def whole(self, expr: sympy.Expr, points: _Points) -> Whole:
        """The whole numbers that a subscript is."""
        if isinstance(expr, sympy.Integer):
            return int(expr)
        if isinstance(expr, Index):
            return points.at[expr]
        if isinstance(expr, Element):
            return self._entries(expr, points).astype(np.int64)
        parts = [self.whole(a, points) for a in _whole_parts(expr)]
        if isinstance(expr, sympy.Add):
            return sum(parts)
        if isinstance(expr, sympy.Mul):
            return math.prod(parts)
        return parts[0] // parts[1]

    def holds(self, guard: sympy.Expr, points: _Points) -> npt.NDArray[np.bool_]:
        """Where a guard is 1, or a mask is not 0."""
        if isinstance(guard, Delta):
            a, b = (self.whole(e, points) for e in guard.args)
            found = a == b
        elif isinstance(guard, InRange):
            e, extent = (self.whole(e, points) for e in guard.args)
            found = (e >= 0) & (e < extent)
        else:
            found = self.value(guard, points) != 0
        return np.array(np.broadcast_to(found, points.count), dtype=bool)

    def _holding(self, guards: Iterable[sympy.Expr], points: _Points) -> npt.NDArray[np.bool_]:
        """Where all guards are 1. One that reads a tensor is asked last: its subscript may need the others."""
        held = np.ones(points.count, dtype=bool)
        for guard in sorted(guards, key=lambda g: bool(g.atoms(Element))):
            held[held] = self.holds(guard, points.only(held))
        return held

    def _product(self, expr: sympy.Expr, points: _Points) -> Array:
        """A guard that is 0 makes the product 0, whatever it guards."""
        guards = _guards(expr)
        if guards:
            held = self._holding(guards, points)
            rest = expr.func(*[a for a in expr.args if a not in guards])
            found = _filled(_ZERO, points.count)
            found[held] = self.value(rest, points.only(held))
            return found
        return math.prod((self.value(a, points) for a in expr.args[1:]), start=self.value(expr.args[0], points))

    def _power(self, expr: sympy.Expr, points: _Points) -> Array:
        below = self.value(expr.base, points)
        if expr.exp.is_Integer:
            number = int(expr.exp)
            return self._applied(expr, lambda b: b**number, below)
        return self._applied(expr, mpmath.power, below, self.value(expr.exp, points))

    def _function(self, expr: sympy.Expr, points: _Points) -> Array:
        if isinstance(expr, Switch):
            return self._switch(expr, points)
        if isinstance(expr, ScalarFunction):
            return self.value(expr.defined(), points)
        if isinstance(expr, (Delta, InRange)):
            return _objects([mpmath.mpf(int(h)) for h in self.holds(expr, points)])
        if isinstance(expr, Masked):
            seen = self.holds(expr.args[1], points)
            found = _filled(mpmath.mpf("-inf"), points.count)
            found[seen] = self.value(expr.args[0], points.only(seen))
            return found
        if isinstance(expr, sympy.floor):
            whole = np.broadcast_to(self.whole(expr, points), points.count)
            return _objects([mpmath.mpf(v) for v in whole.tolist()])
        if type(expr) not in _FUNCTIONS:
            raise UnsupportedError(
                f"{type(expr).__name__} can't be evaluated", where=str(expr)[:60], remedy="write it with exp, log, …"
            )
        return self._applied(expr, _FUNCTIONS[type(expr)], *(self.value(a, points) for a in expr.args))

    def _switch(self, expr: Switch, points: _Points) -> Array:
        """Either side is computed only where it is the value."""
        x, below, above, share = expr.args
        sign = _each(lambda v: mpmath.libmp.mpf_sign(v._mpf_), self.value(x, points))
        found = _filled(_ZERO, points.count)
        for chosen, side in ((sign < 0, below), (sign > 0, above), (sign == 0, (1 - share) * below + share * above)):
            mask = chosen.astype(bool)
            found[mask] = self.value(side, points.only(mask))
        return found

    def _applied(self, expr: sympy.Expr, function: Callable[..., Any], *arguments: Array) -> Array:
        """A function at every point.

        Raises:
            DomainError: it has no real value somewhere.
        """

        def real(*numbers: Any) -> Any:
            try:
                value = function(*numbers)
            except (ZeroDivisionError, ValueError):
                value = None
            if isinstance(value, mpmath.mpf) and (mpmath.isfinite(value) or not all(map(mpmath.isfinite, numbers))):
                return value
            at = " and ".join(mpmath.nstr(n, 5) for n in numbers)
            raise DomainError(
                f"{expr} has no real value",
                where="" if self.where is None else repr(self.where),
                why=f"what stands there is {at}",
                remedy="pass numbers for which it has one",
                within=expr,
            )

        return _each(real, *arguments)


def _objects(values: list[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _filled(value: Any, count: int) -> Array:
    found = np.empty(count, dtype=object)
    found.fill(value)
    return found


def _each(function: Callable[..., Any], *arrays: Array) -> Array:
    return _objects([function(*values) for values in zip(*(a.tolist() for a in arrays), strict=True)])


def _guards(body: sympy.Expr) -> list[sympy.Expr]:
    return [a for a in sympy.Mul.make_args(body) if isinstance(a, (Delta, InRange))]


def _number(expr: sympy.Expr) -> Any:
    if isinstance(expr, sympy.Rational):
        return mpmath.mpf(expr.p) / expr.q
    return mpmath.mpmathify(expr.evalf(mpmath.mp.dps + 5))


def _whole_parts(expr: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The summands or factors of an index expression; the quotient that is rounded down, as two whole numbers."""
    if isinstance(expr, sympy.floor):
        above, below = sympy.fraction(sympy.together(expr.args[0]))
        return above, below
    if not isinstance(expr, sympy.Add | sympy.Mul):
        raise UnsupportedError(f"{expr} is no whole number", where="a subscript")
    return tuple(expr.args)
