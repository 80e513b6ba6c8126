"""Certified evaluation: every value is a ball (midpoint and radius) that contains the true one.

Written on python-flint's `arb` and on nothing else of ours but the node types, so that what the checker calls refuted
does not rest on SymPy's numerics. A node that is not in the tables raises; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any, Protocol

import flint
import sympy
from flint import arb, fmpq

from symdl.core.deadlines import now
from symdl.core.definitions import Definition
from symdl.core.functions import UNSTATED, Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.errors import BudgetError, UnsupportedError
from symdl.verification.real import (
    CONSTANTS,
    FUNCTIONS,
    LARGEST_EXPONENT,
    RELATIONS,
    UnclearError,
    UndefinedError,
    as_ball,
    as_rational,
    exact,
    finite,
    power,
    sign_of,
    total_of,
)

#: Bits of the working precision.
PRECISION = 256
#: More nodes than this are not evaluated at one point.
LARGEST = 2_000_000

_GUARDS = (Delta, InRange)


class PointLike(Protocol):
    """Where the evaluator looks up its unknowns; `symdl.verification.points.Point` is one."""

    def symbol(self, symbol: sympy.Symbol) -> Any: ...

    def element(self, element: Element, subscripts: tuple[int, ...]) -> Any: ...


class Fixed:
    """A point given as a mapping: symbols to numbers, (name, subscripts) to numbers."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self.values = dict(values)

    def symbol(self, symbol: sympy.Symbol) -> Any:
        return self._get(symbol)

    def element(self, element: Element, subscripts: tuple[int, ...]) -> Any:
        return self._get((element.name, subscripts))

    def _get(self, key: Any) -> Any:
        if key not in self.values:
            raise UnsupportedError(f"{key} has no value at this point", remedy="give one")
        return self.values[key]


def evaluate(
    expr: Any,
    point: Mapping[Any, Any] | PointLike,
    *,
    precision: int = PRECISION,
    definition: Definition | None = None,
    indices: Mapping[Index, int] | None = None,
    deadline: float | None = None,
) -> arb:
    """The ball of an expression at a point.

    Args:
        expr: a scalar expression; reductions need extents that are numbers at the point.
        point: values by symbol and by (tensor name, subscripts).
        precision: bits.
        definition: its equations give the values of the tensors it defines.
        indices: values of the free indices.
        deadline: in seconds of `symdl.core.deadlines.now`.

    Raises:
        UndefinedError, UnclearError, BudgetError, UnsupportedError.

    >>> x = sympy.Symbol("x", real=True)
    >>> evaluate(sympy.exp(x) - 1, {x: 0})
    0
    >>> evaluate(sympy.sqrt(x), {x: 2}).contains(fmpq(141421356, 100000000))
    False
    """
    place = Fixed(point) if isinstance(point, Mapping) else point
    return Evaluator(place, definition, deadline, precision).value(sympy.sympify(expr, strict=True), indices or {})


@lru_cache(maxsize=2**14)
def _indices_in(expr: sympy.Expr) -> tuple[Index, ...]:
    """The free indices of an expression, in one order: the same at every point."""
    return tuple(sorted((s for s in expr.free_symbols if isinstance(s, Index)), key=lambda i: i.dummy_index))


class Evaluator:
    """Evaluates many expressions at one point and remembers the tensors that it has computed."""

    def __init__(
        self,
        point: PointLike,
        definition: Definition | None = None,
        deadline: float | None = None,
        precision: int = PRECISION,
    ) -> None:
        self.point, self.definition, self.deadline, self.precision = point, definition, deadline, precision
        self.nodes = 0
        self.computed: dict[tuple[str, tuple[int, ...]], arb] = {}
        self.known: dict[tuple[sympy.Expr, tuple[int, ...]], arb] = {}

    def value(self, expr: sympy.Expr, indices: Mapping[Index, int] | None = None) -> arb:
        """The ball of `expr`, finite."""
        before = flint.ctx.prec
        flint.ctx.prec = self.precision
        try:
            return finite(self._value(expr, dict(indices or {})))
        finally:
            flint.ctx.prec = before

    def _value(self, expr: sympy.Expr, at: dict[Index, int]) -> arb:
        key = (expr, tuple([at[i] for i in _indices_in(expr) if i in at]))
        known = self.known.get(key)
        if known is not None:
            return known
        self.nodes += 1
        if self.nodes > LARGEST:
            raise BudgetError(f"more than {LARGEST} nodes at one point")
        if self.deadline is not None and self.nodes % 128 == 0 and now() > self.deadline:
            raise BudgetError("out of time")
        result = self._node(expr, at)
        self.known[key] = result
        return result

    def _node(self, expr: sympy.Expr, at: dict[Index, int]) -> arb:
        if expr.is_Rational:
            return arb(fmpq(int(expr.p), int(expr.q)))
        if isinstance(expr, Index):
            if expr not in at:
                raise UnsupportedError(f"index {expr.name} has no value", remedy="give it one")
            return arb(at[expr])
        if expr.is_Float and expr.is_finite:
            return arb(exact(expr))
        if expr in CONSTANTS:
            return CONSTANTS[expr]()
        if expr.is_Symbol:
            return self._symbol(expr)
        if expr.is_Mul and any(self._value(g, at) == 0 for g in expr.args if isinstance(g, _GUARDS)):
            return arb(0)  # what a guard of 0 protects is not looked at
        if expr.is_Add or expr.is_Mul:
            parts = [self._value(a, at) for a in expr.args]
            total = parts[0]
            for part in parts[1:]:
                total = total + part if expr.is_Add else total * part
            return total
        if expr.is_Pow:
            return self._power(expr, at)
        if isinstance(expr, Element):
            return self._element(expr, at)
        if isinstance(expr, Reduction):
            return self._reduction(expr, at)
        return self._function(expr, at)

    def _symbol(self, symbol: sympy.Symbol) -> arb:
        if symbol == UNSTATED:
            raise UnsupportedError("a kink has no policy", remedy="say kink='left', 'right' or 'mid'")
        return as_ball(self.point.symbol(symbol))

    def _element(self, element: Element, at: dict[Index, int]) -> arb:
        subscripts = tuple(self._integer(s, at) for s in element.subscripts)
        equation = self.definition and self.definition.by_name.get(element.name)
        if not equation:
            return as_ball(self.point.element(element, subscripts))
        key = (element.name, subscripts)
        if key not in self.computed:
            inner = dict(zip(equation.indices, subscripts, strict=True))
            self.computed[key] = self._value(equation.rhs, inner)
        return self.computed[key]

    def _integer(self, expr: sympy.Expr, at: dict[Index, int]) -> int:
        if isinstance(expr, Index) and expr in at:
            return at[expr]
        number = self._value(expr, at).unique_fmpz()
        if number is None or abs(int(number)) > LARGEST_EXPONENT:
            raise UnclearError(f"the subscript {expr} is no integer here")
        return int(number)

    def _reduction(self, node: Reduction, at: dict[Index, int]) -> arb:
        ranges = [range(self._integer(i.extent, at)) for i in node.bound]
        total: arb | None = None
        step = {"sum": arb.__add__, "prod": arb.__mul__, "max": arb.max}[node.op]
        body, guard = node.body.args if isinstance(node.body, Masked) else (node.body, None)
        for values in product(*ranges):
            inside = {**at, **dict(zip(node.bound, values, strict=True))}
            if guard is not None and self._value(guard, inside) == 0:
                continue
            part = self._value(body, inside)
            total = part if total is None else step(total, part)
        if total is None:
            raise UndefinedError("the maximum of nothing: every entry is masked")
        return total

    def _power(self, expr: sympy.Expr, at: dict[Index, int]) -> arb:
        if expr.base == sympy.E:
            return self._value(expr.exp, at).exp()
        base, exponent = self._value(expr.base, at), self._value(expr.exp, at)
        return power(base, exponent, expr.exp)

    def _function(self, expr: sympy.Expr, at: dict[Index, int]) -> arb:
        if isinstance(expr, ScalarFunction):
            return self._value(expr.defined(), at)
        if isinstance(expr, Switch):
            return self._switch(expr, at)
        if isinstance(expr, sympy.Piecewise):
            return self._piecewise(expr, at)
        if type(expr) not in FUNCTIONS or len(expr.args) == 0:
            raise UnsupportedError(f"'{type(expr).__name__}' can't be evaluated with certainty")
        return FUNCTIONS[type(expr)](*[self._value(a, at) for a in expr.args])

    def _switch(self, expr: Switch, at: dict[Index, int]) -> arb:
        x, below, above, weight = expr.args
        sign = self._side(x, at)
        if sign:
            return self._value(above if sign > 0 else below, at)
        w = self._value(weight, at)
        # A side with no weight is not evaluated: it may be undefined at the kink.
        total = arb(0)
        if w != 1:
            total += (1 - w) * self._value(below, at)
        if w != 0:
            total += w * self._value(above, at)
        return total

    def _side(self, x: sympy.Expr, at: dict[Index, int]) -> int:
        """The sign of the argument of a kink; in exact arithmetic where its ball holds 0."""
        ball = self._value(x, at)
        if ball.contains(0):
            number = self._rational(x, at)
            if number is not None:
                return int(number > 0) - int(number < 0)
        return sign_of(ball)

    def _rational(self, expr: sympy.Expr, at: dict[Index, int]) -> fmpq | None:
        """The exact value of a polynomial in unknowns, which are rational; None for anything else."""
        if expr.is_Rational:
            return exact(expr)
        if isinstance(expr, Index):
            return fmpq(at[expr])
        if expr.is_Symbol:
            return as_rational(self.point.symbol(expr))
        if isinstance(expr, Element):
            where = tuple(self._integer(s, at) for s in expr.subscripts)
            equation = self.definition and self.definition.by_name.get(expr.name)
            if equation:
                return self._rational(equation.rhs, dict(zip(equation.indices, where, strict=True)))
            return as_rational(self.point.element(expr, where))
        if expr.is_Pow and expr.exp.is_Integer and 0 < expr.exp < 50:
            base = self._rational(expr.base, at)
            return None if base is None else base ** int(expr.exp)
        if isinstance(expr, Reduction) and expr.op == "sum":
            ranges = [range(self._integer(i.extent, at)) for i in expr.bound]
            inner = [{**at, **dict(zip(expr.bound, values, strict=True))} for values in product(*ranges)]
            return total_of([self._rational(expr.body, values) for values in inner], product_of=False)
        if expr.is_Add or expr.is_Mul:
            return total_of([self._rational(a, at) for a in expr.args], product_of=bool(expr.is_Mul))
        return None

    def _piecewise(self, expr: sympy.Piecewise, at: dict[Index, int]) -> arb:
        for value, condition in expr.args:
            if self._holds(condition, at):
                return self._value(value, at)
        raise UndefinedError(f"no case of {expr} holds here")

    def _holds(self, condition: Any, at: dict[Index, int]) -> bool:
        if condition in (True, False, sympy.true, sympy.false):
            return bool(condition)
        if isinstance(condition, (sympy.And, sympy.Or)):
            combine = all if isinstance(condition, sympy.And) else any
            return combine(self._holds(c, at) for c in condition.args)
        if isinstance(condition, sympy.Not):
            return not self._holds(condition.args[0], at)
        if type(condition) not in RELATIONS:
            raise UnsupportedError(f"the condition {condition} is not a comparison")
        return RELATIONS[type(condition)](self._side(condition.lhs - condition.rhs, at))

    def holds(self, condition: Any) -> bool:
        """True where a comparison is certain to hold at the point."""
        before = flint.ctx.prec
        flint.ctx.prec = self.precision
        try:
            return self._holds(condition, {})
        finally:
            flint.ctx.prec = before
