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
from symdl.core.functions import Delta, InRange, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor
from symdl.errors import UnsupportedError

Array = npt.NDArray[Any]
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
    rounding: Callable[[Any], Any] | None = None,
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
        for eq in concrete.equations:
            values[eq.name] = _Evaluator(values, rounding).equation(eq)
    names = [*concrete.outputs, *(concrete.by_name if keep else ())]
    return {n: values[n] for n in names}


def _exact(array: Array) -> Array:
    """The same numbers, as Python integers or mpmath numbers."""
    if array.dtype.kind in "iub":
        return np.array([int(v) for v in array.ravel()], dtype=object).reshape(array.shape)
    exact = np.empty(array.size, dtype=object)
    exact[:] = [v if isinstance(v, (mpmath.mpf, int)) else mpmath.mpf(float(v)) for v in array.ravel()]
    return exact.reshape(array.shape)


class _Evaluator:
    """Evaluates bodies; `self.at` holds the value of every index."""

    def __init__(self, values: Mapping[str, Array], rounding: Callable[[Any], Any] | None = None) -> None:
        self.values, self.rounding = values, rounding
        self.at: dict[Index, int] = {}

    def equation(self, eq: Equation) -> Array:
        out = np.empty(tuple(int(s) for s in eq.out.shape), dtype=object)
        for position in itertools.product(*[range(n) for n in out.shape]):
            self.at = dict(zip(eq.indices, position, strict=True))
            total = mpmath.mpf(0)
            for term in eq.terms:
                total += self._term(term)
            out[position] = total
        return out

    def _term(self, term: Term) -> Any:
        if not term.bound:
            return self.value(term.body)
        found: list[Any] = []
        outside = self.at
        for position in itertools.product(*[range(int(i.extent)) for i in term.bound]):
            self.at = {**outside, **dict(zip(term.bound, position, strict=True))}
            found.append(self.value(term.body))
        self.at = outside
        if term.op == "sum":
            return mpmath.fsum(found)
        return mpmath.fprod(found) if term.op == "prod" else max(found)

    def value(self, expr: sympy.Expr) -> Any:
        """The number that an expression is, at the current values of the indices."""
        if isinstance(expr, sympy.Integer):
            return mpmath.mpf(int(expr))
        if isinstance(expr, sympy.Rational):
            return mpmath.mpf(expr.p) / expr.q
        if isinstance(expr, sympy.Float | sympy.NumberSymbol):
            return mpmath.mpmathify(expr.evalf(mpmath.mp.dps + 5))
        if isinstance(expr, Index):
            return mpmath.mpf(self.at[expr])
        if isinstance(expr, Element):
            return self._entry(expr.tensor, tuple(self._whole(s) for s in expr.subscripts))
        result = self._operation(expr)
        return result if self.rounding is None else self.rounding(result)

    def _operation(self, expr: sympy.Expr) -> Any:
        if isinstance(expr, sympy.Add):
            return mpmath.fsum([self.value(a) for a in expr.args])
        if isinstance(expr, sympy.Mul):
            return self._product(expr)
        if isinstance(expr, sympy.Pow):
            return self._power(expr.base, expr.exp)
        return self._function(expr)

    def _entry(self, tensor: Tensor, position: tuple[int, ...]) -> Any:
        array = self.values[tensor.name]
        if any(not 0 <= p < n for p, n in zip(position, array.shape, strict=True)):
            raise UnsupportedError(f"{tensor.name}{list(position)} lies outside its shape {array.shape}")
        return mpmath.mpf(array[position])

    def _whole(self, subscript: sympy.Expr) -> int:
        return int(self.value(subscript))

    def _product(self, expr: sympy.Expr) -> Any:
        """A guard that is 0 makes the product 0, whatever it guards."""
        guards = [a for a in expr.args if isinstance(a, (Delta, InRange))]
        if any(self.value(g) == 0 for g in guards):
            return mpmath.mpf(0)
        return mpmath.fprod([self.value(a) for a in expr.args if a not in guards])

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Any:
        if exponent.is_Integer:
            return self.value(base) ** int(exponent)
        return mpmath.power(self.value(base), self.value(exponent))

    def _function(self, expr: sympy.Expr) -> Any:
        if isinstance(expr, Switch):
            return self._switch(expr)
        if isinstance(expr, ScalarFunction):
            return self.value(expr.defined())
        if isinstance(expr, Delta):
            return mpmath.mpf(int(self._whole(expr.args[0]) == self._whole(expr.args[1])))
        if isinstance(expr, InRange):
            return mpmath.mpf(int(0 <= self._whole(expr.args[0]) < self._whole(expr.args[1])))
        if type(expr) not in _FUNCTIONS:
            raise UnsupportedError(
                f"{type(expr).__name__} can't be evaluated", where=str(expr)[:60], remedy="write it with exp, log, …"
            )
        return _FUNCTIONS[type(expr)](*[self.value(a) for a in expr.args])

    def _switch(self, expr: Switch) -> Any:
        x, below, above, weight = expr.args
        sign = mpmath.sign(self.value(x))
        if sign < 0:
            return self.value(below)
        if sign > 0:
            return self.value(above)
        share = self.value(weight)
        return (1 - share) * self.value(below) + share * self.value(above)
