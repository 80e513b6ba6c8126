"""Certified evaluation: every value is a ball (midpoint and radius) that contains the true one.

Written on python-flint's `arb` and on nothing else of ours but the node types, so that what the checker calls refuted
does not rest on SymPy's numerics. A node that is not in the tables raises; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, Protocol

import flint
import sympy
from flint import arb, fmpq

from symdl.core.deadlines import now
from symdl.core.definitions import Definition
from symdl.core.functions import UNSTATED, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.errors import BudgetError, UnsupportedError
from symdl.verification.identities import Identities, number_of
from symdl.verification.real import (
    LARGEST_EXPONENT,
    RELATIONS,
    UnclearError,
    UndefinedError,
    as_ball,
    as_rational,
    finite,
    sign_of,
)
from symdl.verification.steps import GUARDS, Step, Values, position, step_of, values_of

#: Bits of the working precision.
PRECISION = 256
#: More nodes than this are not evaluated at one point.
LARGEST = 2_000_000

_DECIDED_EXACTLY = (Switch, sympy.Piecewise, sympy.floor, *GUARDS)


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
        self.known: dict[tuple[Any, ...], arb] = {}
        self.identities = Identities(self)
        #: All entries of some tensors, where they were computed together (`symdl.verification.grids`).
        self.arrays: dict[str, Any] = {}

    def value(self, expr: sympy.Expr, indices: Mapping[Index, int] | None = None) -> arb:
        """The ball of `expr`, finite."""
        before = flint.ctx.prec
        flint.ctx.prec = self.precision
        try:
            return finite(self.ball(expr, dict(indices or {})))
        finally:
            flint.ctx.prec = before

    def ball(self, expr: sympy.Expr, at: Mapping[Index, int]) -> arb:
        """The ball of `expr` at values of its indices, finite or not, in the precision that is set."""
        return self.at_step(step_of(expr), values_of(at))

    def at_step(self, step: Step, values: Values) -> arb:
        """The same of what was looked up."""
        key = (step, *map(values.get, step.keys))
        known = self.known.get(key)
        if known is None:
            self.tick()
            known = self.known[key] = step.rule(self, step, values)
        return known

    def tick(self, many: int = 1) -> None:
        """Counts nodes; the clock is looked at for every 128.

        Raises:
            BudgetError: there were too many, or the time is up.
        """
        before = self.nodes // 128
        self.nodes += many
        if self.nodes > LARGEST:
            raise BudgetError(f"more than {LARGEST} nodes at one point")
        if self.deadline is not None and self.nodes // 128 > before and now() > self.deadline:
            raise BudgetError("out of time")

    def symbol(self, symbol: sympy.Symbol) -> arb:
        """The ball of an unknown number."""
        if symbol == UNSTATED:
            raise UnsupportedError("a kink has no policy", remedy="say kink='left', 'right' or 'mid'")
        return as_ball(self.point.symbol(symbol))

    def entry(self, element: Element, subscripts: tuple[int, ...]) -> arb:
        """The ball of an entry of the tensor of an element."""
        if element.name in self.arrays:
            found: arb = self.arrays[element.name][subscripts]
            return found
        equation = self.definition and self.definition.by_name.get(element.name)
        if not equation:
            return as_ball(self.point.element(element, subscripts))
        key = (element.name, subscripts)
        if key not in self.computed:
            inner = dict(zip(equation.indices, subscripts, strict=True))
            self.computed[key] = self.ball(equation.rhs, inner)
        return self.computed[key]

    def whole(self, step: Step, values: Values) -> int:
        """The value of a subscript or an extent.

        Raises:
            UnclearError: it may be another number than an integer.
        """
        if step.is_index:
            return position(step, values)
        number = self.at_step(step, values).unique_fmpz()
        if number is None or abs(int(number)) > LARGEST_EXPONENT:
            raise UnclearError(f"the subscript {step.expr} is no integer here")
        return int(number)

    def grid(self, extents: Iterable[Step], values: Values) -> Iterable[tuple[int, ...]]:
        """All values of indices with these extents."""
        return product(*[range(self.whole(extent, values)) for extent in extents])

    def places(self, node: Reduction, at: Mapping[Index, int]) -> list[dict[Index, int]]:
        """All values of the indices that a reduction binds, beside those around it."""
        values = values_of(at)
        grid = self.grid([step_of(i.extent) for i in node.bound], values)
        return [{**at, **dict(zip(node.bound, place, strict=True))} for place in grid]

    def rule_of(self, expr: sympy.Expr) -> Callable[[Any, dict[Index, int]], arb] | None:
        """How a function that is none of the tables' is evaluated."""
        if isinstance(expr, ScalarFunction):
            return self._named
        if isinstance(expr, Switch):
            return self._switch
        if isinstance(expr, sympy.Piecewise):
            return self._piecewise
        return self._rounded_down if isinstance(expr, sympy.floor) else None

    def _named(self, call: ScalarFunction, at: dict[Index, int]) -> arb:
        variables, body = call.body()
        if body.has(*_DECIDED_EXACTLY):  # by what the arguments are, not by their balls
            return self.ball(call.defined(), at)
        point = Fixed({v: self.ball(argument, at) for v, argument in variables.items()})
        return Evaluator(point, deadline=self.deadline, precision=self.precision).ball(body, {})

    def _switch(self, expr: Switch, at: dict[Index, int]) -> arb:
        x, below, above, weight = expr.args
        sign = self.side(x, at)
        if sign:
            return self.ball(above if sign > 0 else below, at)
        w = self.ball(weight, at)
        # A side with no weight is not evaluated: it may be undefined at the kink.
        total = arb(0)
        if w != 1:
            total += (1 - w) * self.ball(below, at)
        if w != 0:
            total += w * self.ball(above, at)
        return total

    def _rounded_down(self, call: sympy.floor, at: dict[Index, int]) -> arb:
        """In exact arithmetic where that is possible: 6/3 is 2, and a ball around 2 is neither above nor below."""
        (expr,) = call.args
        found = self.identities.polynomial(expr, at)
        number = None if found is None else number_of(found)
        whole = self.ball(expr, at).floor().unique_fmpz() if number is None else number.floor()
        if whole is None:
            raise UnclearError("what is rounded down may be on either side of a whole number")
        return arb(whole)

    def side(self, expr: sympy.Expr, at: dict[Index, int]) -> int:
        """The sign of the argument of a kink; 0 where it is identical to 0 though its ball is none."""
        ball = self.ball(expr, at)
        if ball.contains(0):
            found = self.identities.polynomial(expr, at)
            number = None if found is None else number_of(found)
            if number is not None:
                return int(number > 0) - int(number < 0)
        return sign_of(ball)

    def opened(self, expr: sympy.Expr, at: dict[Index, int]) -> tuple[sympy.Expr, dict[Index, int]] | fmpq | None:
        """What a symbol or an element stands for: an expression at values of its indices, or a number."""
        if not isinstance(expr, Element):
            return as_rational(self.point.symbol(expr))
        values = values_of(at)
        where = tuple(self.whole(step_of(s), values) for s in expr.subscripts)
        equation = self.definition and self.definition.by_name.get(expr.name)
        if equation:
            return equation.rhs, dict(zip(equation.indices, where, strict=True))
        return as_rational(self.point.element(expr, where))

    def _piecewise(self, expr: sympy.Piecewise, at: dict[Index, int]) -> arb:
        for value, condition in expr.args:
            if self._holds(condition, at):
                return self.ball(value, at)
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
        return RELATIONS[type(condition)](self.side(condition.lhs - condition.rhs, at))

    def holds(self, condition: Any, at: dict[Index, int] | None = None) -> bool:
        """True where a comparison is certain to hold at the point, with values for its free indices."""
        before = flint.ctx.prec
        flint.ctx.prec = self.precision
        try:
            return self._holds(condition, at or {})
        finally:
            flint.ctx.prec = before
