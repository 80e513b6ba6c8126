"""Expressions as steps of a certified evaluation: what to do with a node is looked up once, not at every point.

The same expression is evaluated for every value of its indices, at many points and in two precisions. A step knows its
kind, its parts and its free indices; an index is known by the number of its dummy, whose hash is that of an integer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import sympy
from flint import arb, fmpq

from symdl.core.functions import Delta, InRange, Masked
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.errors import UnsupportedError
from symdl.verification.identities import indices_of
from symdl.verification.real import CONSTANTS, FUNCTIONS, UndefinedError, exact, power, unsupported, whole_power

#: Values of indices by the number of each index's dummy.
Values = dict[int, int]
GUARDS = (Delta, InRange)
_FOLDS = {"sum": arb.__add__, "prod": arb.__mul__, "max": arb.max}


def values_of(at: Mapping[Index, int]) -> Values:
    """Values of indices as steps know them."""
    return {i.dummy_index: value for i, value in at.items()}


class Evaluator(Protocol):
    """What a rule asks: `symdl.verification.balls.Evaluator`."""

    def at_step(self, step: Step, values: Values) -> arb:
        """The ball of a step."""

    def symbol(self, symbol: sympy.Symbol) -> arb:
        """The ball of an unknown number."""

    def entry(self, element: Element, subscripts: tuple[int, ...]) -> arb:
        """The ball of an entry of the tensor of an element."""

    def whole(self, step: Step, values: Values) -> int:
        """The value of a subscript or an extent."""

    def grid(self, extents: Iterable[Step], values: Values) -> Iterable[tuple[int, ...]]:
        """All values of indices with these extents."""

    def rule_of(self, expr: sympy.Expr) -> Callable[[Any, dict[Index, int]], arb] | None:
        """How a function that is none of the tables' is evaluated."""


Rule: TypeAlias = "Callable[[Evaluator, Step, Values], arb]"


class Step:
    """How the ball of an expression is computed.

    Args:
        expr: the expression.
        rule: computes it.
        parts: the steps of what it is made of; of an element, its subscripts.
        more: what else the rule needs to know.
    """

    __slots__ = ("expr", "indices", "is_index", "keys", "more", "parts", "rule")

    def __init__(self, expr: sympy.Expr, rule: Rule, parts: tuple[Step, ...] = (), more: Any = None) -> None:
        self.expr, self.rule, self.parts, self.more = expr, rule, parts, more
        self.is_index = isinstance(expr, Index)
        self.indices = indices_of(expr)
        self.keys = tuple(i.dummy_index for i in self.indices)

    def at(self, values: Values) -> dict[Index, int]:
        """The values of its free indices, by index."""
        return {i: values[k] for i, k in zip(self.indices, self.keys, strict=True) if k in values}


@lru_cache(maxsize=2**15)
def step_of(expr: sympy.Expr) -> Step:
    """The step of an expression; nothing is evaluated, and nothing is refused.

    >>> x = sympy.Symbol("x", real=True)
    >>> [str(p.expr) for p in step_of(x**2 + 1).parts]
    ['1', 'x**2']
    """
    if expr.is_Rational:
        return Step(expr, _number, more=fmpq(int(expr.p), int(expr.q)))
    if isinstance(expr, Index):
        return Step(expr, _index)
    if expr.is_Float and expr.is_finite:
        return Step(expr, _number, more=exact(expr))
    if expr in CONSTANTS:
        return Step(expr, _constant, more=CONSTANTS[expr])
    if expr.is_Symbol:
        return Step(expr, _symbol)
    if expr.is_Add:
        return Step(expr, _sum, _steps(expr.args))
    if expr.is_Mul:
        guards = tuple(step_of(g) for g in expr.args if isinstance(g, GUARDS))
        return Step(expr, _product, _steps(expr.args), guards)
    if expr.is_Pow and expr.exp.is_Integer:
        return Step(expr, _whole_power, _steps(expr.args[:1]), int(expr.exp))
    if expr.is_Pow:
        return Step(expr, _exponential if expr.base == sympy.E else _power, _steps(expr.args))
    if isinstance(expr, Element):
        return Step(expr, _element, _steps(expr.subscripts))
    if isinstance(expr, Reduction):
        masked = isinstance(expr.body, Masked)
        extents = _steps(tuple(i.extent for i in expr.bound))
        inside = _steps(expr.body.args if masked else (expr.body,))
        return Step(expr, _reduction, inside, (extents, [i.dummy_index for i in expr.bound], _FOLDS[expr.op]))
    if type(expr) in FUNCTIONS and expr.args:
        return Step(expr, _function, _steps(expr.args), FUNCTIONS[type(expr)])
    return Step(expr, _decided)


def _steps(parts: tuple[sympy.Expr, ...]) -> tuple[Step, ...]:
    return tuple(step_of(p) for p in parts)


def _number(evaluator: Evaluator, step: Step, values: Values) -> arb:
    return arb(step.more)


def _constant(evaluator: Evaluator, step: Step, values: Values) -> arb:
    constant: arb = step.more()
    return constant


def _index(evaluator: Evaluator, step: Step, values: Values) -> arb:
    return arb(position(step, values))


def position(step: Step, values: Values) -> int:
    """The value of a step that is an index.

    Raises:
        UnsupportedError: it has none.
    """
    number = values.get(step.keys[0])
    if number is None:
        raise UnsupportedError(f"index {step.expr.name} has no value", remedy="give it one")
    return number


def _symbol(evaluator: Evaluator, step: Step, values: Values) -> arb:
    return evaluator.symbol(step.expr)


def _sum(evaluator: Evaluator, step: Step, values: Values) -> arb:
    ball = evaluator.at_step
    first, *rest = step.parts
    total = ball(first, values)
    for part in rest:
        total = total + ball(part, values)
    return total


def _product(evaluator: Evaluator, step: Step, values: Values) -> arb:
    ball = evaluator.at_step
    for guard in step.more:
        if ball(guard, values) == 0:
            return arb(0)  # what a guard of 0 protects is not looked at
    first, *rest = step.parts
    total = ball(first, values)
    for part in rest:
        total = total * ball(part, values)
    return total


def _exponential(evaluator: Evaluator, step: Step, values: Values) -> arb:
    return evaluator.at_step(step.parts[1], values).exp()


def _whole_power(evaluator: Evaluator, step: Step, values: Values) -> arb:
    return whole_power(evaluator.at_step(step.parts[0], values), step.more)


def _power(evaluator: Evaluator, step: Step, values: Values) -> arb:
    base, exponent = (evaluator.at_step(part, values) for part in step.parts)
    return power(base, exponent, step.parts[1].expr)


def _element(evaluator: Evaluator, step: Step, values: Values) -> arb:
    return evaluator.entry(step.expr, tuple([evaluator.whole(part, values) for part in step.parts]))


def _reduction(evaluator: Evaluator, step: Step, values: Values) -> arb:
    ball, (body, *guards), (extents, keys, fold) = evaluator.at_step, step.parts, step.more
    inside, total = dict(values), None
    for place in evaluator.grid(extents, values):
        inside.update(zip(keys, place, strict=True))
        if guards and ball(guards[0], inside) == 0:
            continue
        part = ball(body, inside)
        total = part if total is None else fold(total, part)
    if total is None:
        raise UndefinedError("the maximum of nothing: every entry is masked")
    return total


def _function(evaluator: Evaluator, step: Step, values: Values) -> arb:
    found: arb = step.more(*[evaluator.at_step(part, values) for part in step.parts])
    return found


def _decided(evaluator: Evaluator, step: Step, values: Values) -> arb:
    """What hangs on a sign, or has a definition of its own."""
    rule = evaluator.rule_of(step.expr)
    if rule is None:
        raise unsupported(step.expr)
    return rule(step.expr, step.at(values))
