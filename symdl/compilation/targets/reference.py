"""The reference target: the equations as they stand, evaluated entry by entry in 50-digit arithmetic.

It shares nothing with the other targets: no plan, no lambdify, no stable forms; a named function is computed by its
definition. It is slow and meant to be obviously right.

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
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy
from sympy.codegen import cfunctions

from symdl.compilation.extents import resized
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element
from symdl.errors import UnsupportedError

Array = npt.NDArray[Any]
Value = Callable[[], Any]
Rounding = Callable[[Any], Any]
DIGITS = 50

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


def evaluate(
    definition: Definition,
    arrays: Mapping[str, Any],
    *,
    digits: int = DIGITS,
    keep: bool = False,
    rounding: Rounding | None = None,
) -> dict[str, Array]:
    """The outputs of a definition at given inputs.

    Args:
        definition: with symbolic or integer extents; the shapes of the arrays decide.
        arrays: every input by name: numbers or arrays of floats, ints or mpmath numbers.
        digits: decimal digits of the arithmetic.
        keep: return every tensor that is computed, not only the outputs.
        rounding: applied to the result of every operation, to see what rounding does.

    Returns:
        Object arrays of mpmath numbers, by name; integers where a tensor is integer-valued.

    Raises:
        ShapeError: shapes that do not fit the definition.
        UnsupportedError: a function that is unknown here.
    """
    given = {n: np.asarray(a) for n, a in arrays.items()}
    concrete = resized(definition, {t.name: given[t.name].shape for t in definition.inputs if t.name in given})
    with mpmath.workdps(digits):
        values = {n: _exact(a) for n, a in given.items()}
        for group in groups(concrete.equations):
            _evaluate(group, values, rounding)
    names = [*concrete.outputs, *(concrete.by_name if keep else ())]
    return {n: values[n] for n in names}


def _evaluate(group: Group, values: dict[str, Array], rounding: Rounding | None) -> None:
    """A plain equation as a whole; the equations of a recurrence one after the other, for each time in turn."""
    evaluator = _Evaluator(values, rounding)
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
    exact[:] = [v if isinstance(v, (mpmath.mpf, int)) else mpmath.mpf(float(v)) for v in array.ravel()]
    return exact.reshape(array.shape)


class _Evaluator:
    """Turns bodies into functions without arguments, once an equation; `self.at` holds the value of every index."""

    def __init__(self, values: Mapping[str, Array], rounding: Rounding | None = None) -> None:
        self.values, self.rounding = values, rounding
        self.at: dict[Index, int] = {}

    def equation(self, eq: Equation, out: Array, fixed: Mapping[int, int]) -> None:
        """Fill in `out`: all of it, or where `fixed` says the value of an axis, that part."""
        terms = [self._term(t) for t in eq.terms]
        for position in itertools.product(*[[fixed[a]] if a in fixed else range(n) for a, n in enumerate(out.shape)]):
            self.at.update(zip(eq.indices, position, strict=True))
            total = mpmath.mpf(0)
            for term in terms:
                total += term()
            out[position] = total

    def _term(self, term: Term) -> Value:
        body = self.value(term.body)
        if not term.bound:
            return body
        together = {"sum": mpmath.fsum, "prod": mpmath.fprod, "max": max}[term.op]
        ranges = [range(int(i.extent)) for i in term.bound]

        def reduced() -> Any:
            found = []
            for position in itertools.product(*ranges):
                self.at.update(zip(term.bound, position, strict=True))
                found.append(body())
            return together(found)

        return reduced

    def value(self, expr: sympy.Expr) -> Value:
        """How to get the number that an expression is, at the current values of the indices."""
        if isinstance(expr, sympy.Integer | sympy.Rational | sympy.Float | sympy.NumberSymbol):
            number = _number(expr)
            return lambda: number
        if isinstance(expr, Index):
            return lambda: mpmath.mpf(self.at[expr])
        if isinstance(expr, Element):
            return self._entry(expr)
        operation, rounding = self._operation(expr), self.rounding
        return operation if rounding is None else lambda: rounding(operation())

    def _operation(self, expr: sympy.Expr) -> Value:
        if isinstance(expr, sympy.Add):
            summands = [self.value(a) for a in expr.args]
            return lambda: mpmath.fsum([s() for s in summands])
        if isinstance(expr, sympy.Mul):
            return self._product(expr)
        if isinstance(expr, sympy.Pow):
            return self._power(expr.base, expr.exp)
        return self._function(expr)

    def _entry(self, element: Element) -> Value:
        array = self.values[element.name]
        subscripts = [self.whole(s) for s in element.subscripts]

        def entry() -> Any:
            position = tuple(s() for s in subscripts)
            if any(not 0 <= p < n for p, n in zip(position, array.shape, strict=True)):
                raise UnsupportedError(f"{element.name}{list(position)} lies outside its shape {array.shape}")
            return mpmath.mpf(array[position])

        return entry

    def whole(self, expr: sympy.Expr) -> Callable[[], int]:
        """How to get the whole number that a subscript is."""
        if isinstance(expr, sympy.Integer):
            number = int(expr)
            return lambda: number
        if isinstance(expr, Index):
            return lambda: self.at[expr]
        if isinstance(expr, Element):
            entry = self._entry(expr)
            return lambda: int(entry())
        parts = [self.whole(a) for a in _whole_parts(expr)]
        if isinstance(expr, sympy.Add):
            return lambda: sum(p() for p in parts)
        if isinstance(expr, sympy.Mul):
            return lambda: math.prod(p() for p in parts)
        return lambda: parts[0]() // parts[1]()

    def holds(self, guard: sympy.Expr) -> Callable[[], bool]:
        """How to find out whether a guard is 1, or a mask is not 0."""
        if isinstance(guard, Delta):
            a, b = (self.whole(e) for e in guard.args)
            return lambda: a() == b()
        if isinstance(guard, InRange):
            e, extent = (self.whole(e) for e in guard.args)
            return lambda: 0 <= e() < extent()
        mask = self.value(guard)
        return lambda: bool(mask() != 0)

    def _product(self, expr: sympy.Expr) -> Value:
        """A guard that is 0 makes the product 0, whatever it guards."""
        guards = [self.holds(a) for a in expr.args if isinstance(a, (Delta, InRange))]
        factors = [self.value(a) for a in expr.args if not isinstance(a, (Delta, InRange))]

        def product() -> Any:
            if not all(g() for g in guards):
                return mpmath.mpf(0)
            return mpmath.fprod([f() for f in factors])

        return product

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Value:
        below = self.value(base)
        if exponent.is_Integer:
            number = int(exponent)
            return lambda: below() ** number
        above = self.value(exponent)
        return lambda: mpmath.power(below(), above())

    def _function(self, expr: sympy.Expr) -> Value:
        if isinstance(expr, Switch):
            return self._switch(expr)
        if isinstance(expr, ScalarFunction):
            return self.value(expr.defined())
        if isinstance(expr, (Delta, InRange)):
            test = self.holds(expr)
            return lambda: mpmath.mpf(int(test()))
        if isinstance(expr, Masked):
            masked, seen = self.value(expr.args[0]), self.holds(expr.args[1])
            return lambda: masked() if seen() else mpmath.mpf("-inf")
        if isinstance(expr, sympy.floor):
            rounded = self.whole(expr)
            return lambda: mpmath.mpf(rounded())
        if type(expr) not in _FUNCTIONS:
            raise UnsupportedError(
                f"{type(expr).__name__} can't be evaluated", where=str(expr)[:60], remedy="write it with exp, log, …"
            )
        function, arguments = _FUNCTIONS[type(expr)], [self.value(a) for a in expr.args]
        return lambda: function(*[a() for a in arguments])

    def _switch(self, expr: Switch) -> Value:
        x, below, above, share = (self.value(a) for a in expr.args)

        def switched() -> Any:
            sign = mpmath.sign(x())
            if sign < 0:
                return below()
            if sign > 0:
                return above()
            return (1 - share()) * below() + share() * above()

        return switched


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
