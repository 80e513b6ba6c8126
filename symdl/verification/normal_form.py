"""The normal form of a scalar: a rational function in generators (see `generators.py`) by true identities only.

Named functions are written out by their definitions; hyperbolic functions by exponentials; exponentials, sines and
cosines of sums by the structure of their arguments; logarithms and roots by the factors of theirs. What a function
needs in order to be defined (log u: u > 0) is collected as a condition: identities are used on that domain, and the
conditions of both sides are reported with the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.codegen import cfunctions

from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.tensors import Reduction
from symdl.errors import UnsupportedError
from symdl.verification.circular import circular
from symdl.verification.generators import Frac, Memory, Refine, Table
from symdl.verification.normaliser import Condition, Normaliser, Rule
from symdl.verification.piecewise import as_switches
from symdl.verification.sums import reduce_over

#: How often a normal form may start again with finer generators.
RESTARTS = 60


@dataclass
class Outcome:
    """The normal forms of several expressions in one table, with what each needs in order to be defined."""

    forms: list[Frac]
    conditions: list[set[Condition]]
    table: Table


def normalise(expressions: Sequence[sympy.Expr], memory: Memory | None = None) -> Outcome:
    """Bring expressions to normal form over common generators.

    Raises:
        UnsupportedError, UndefinedError, BudgetError.

    >>> x = sympy.Symbol("x", real=True)
    >>> is_zero(1 / (1 + sympy.exp(-x)) - (1 + sympy.tanh(x / 2)) / 2)
    True
    """
    memory = memory or Memory()
    for _ in range(RESTARTS):
        try:
            return _run(Normaliser(Table(memory), RULES), expressions)
        except Refine:
            continue
    raise UnsupportedError("the normal form does not settle", remedy="split the claim")


def is_zero(expr: sympy.Expr, memory: Memory | None = None) -> bool:
    """True where the normal form is zero: a proof, where the expression is defined. False says nothing."""
    outcome = normalise([expr], memory)
    return outcome.table.is_zero(outcome.forms[0])


def _run(normaliser: Normaliser, expressions: Sequence[sympy.Expr]) -> Outcome:
    normaliser.note_facts()
    forms, conditions = [], []
    for expr in expressions:
        normaliser.conditions = set()
        forms.append(normaliser.form(expr))
        conditions.append(normaliser.conditions)
    return Outcome(forms, conditions, normaliser.table)


def _hyperbolic(numerator: int, denominator: int) -> Rule:
    """sinh, cosh and their quotients: +1 stands for e^u + e^−u, −1 for e^u − e^−u, 0 for 2."""

    def rule(self: Normaliser, expr: sympy.Expr) -> Frac:
        t = self.table
        u = self.form(expr.args[0])
        e = self.exponential(u)
        sides = {0: t.number(2), 1: t.add(e, t.inverse(e)), -1: t.add(e, t.neg(t.inverse(e)))}
        return t.mul(sides[numerator], t.inverse(sides[denominator]))

    return rule


def _circular(numerator: int | None, denominator: int | None) -> Rule:
    """cos (0), sin (1) and their quotients; None stands for 1."""

    def rule(self: Normaliser, expr: sympy.Expr) -> Frac:
        both = circular(self, self.form(expr.args[0]))
        top = self.table.number(1) if numerator is None else both[numerator]
        return top if denominator is None else self.table.mul(top, self.table.inverse(both[denominator]))

    return rule


def _written(expression: Callable[[sympy.Expr], sympy.Expr]) -> Rule:
    """A function by another expression of its argument."""

    def rule(self: Normaliser, expr: sympy.Expr) -> Frac:
        return self.form(expression(expr.args[0]))

    return rule


def _one(method: Callable[[Normaliser, Frac], Frac]) -> Rule:
    """A rule that looks at the normal form of its one argument."""
    return lambda self, expr: method(self, self.form(expr.args[0]))


def _logarithm(self: Normaliser, expr: sympy.Expr) -> Frac:
    self.note_sign(expr.args[0])
    return self.logarithm(self.form(expr.args[0]))


def _odd(function: Any) -> Rule:
    return lambda self, expr: self.odd(function, self.form(expr.args[0]))


def _arcsine(self: Normaliser, expr: sympy.Expr) -> Frac:
    argument = self.form(expr.args[0])
    square = self.table.power(argument, 2)
    self.require(self.table.add(self.table.number(1), self.table.neg(square)), strict=False)
    return self.odd(sympy.asin, argument)


def _guard(self: Normaliser, expr: sympy.Expr) -> Frac:
    return self.guard(type(expr), *[self.form(a) for a in expr.args])


def _opaque(self: Normaliser, expr: sympy.Expr) -> Frac:
    return self.opaque(expr.func, [self.form(a) for a in expr.args])


RULES: dict[Any, Rule] = {
    Reduction: reduce_over,
    ScalarFunction: lambda self, expr: self.form(expr.defined()),
    Switch: Normaliser.switched,
    sympy.exp: _one(Normaliser.exponential),
    sympy.log: _logarithm,
    cfunctions.log1p: _written(lambda u: sympy.log(1 + u)),
    cfunctions.expm1: _written(lambda u: sympy.exp(u) - 1),
    sympy.tanh: _hyperbolic(-1, 1),
    sympy.coth: _hyperbolic(1, -1),
    sympy.sinh: _hyperbolic(-1, 0),
    sympy.cosh: _hyperbolic(1, 0),
    sympy.sech: _hyperbolic(0, 1),
    sympy.csch: _hyperbolic(0, -1),
    sympy.cos: _circular(0, None),
    sympy.sin: _circular(1, None),
    sympy.tan: _circular(1, 0),
    sympy.cot: _circular(0, 1),
    sympy.sec: _circular(None, 0),
    sympy.csc: _circular(None, 1),
    sympy.erf: _odd(sympy.erf),
    sympy.erfc: _written(lambda u: 1 - sympy.erf(u)),
    sympy.atan: _odd(sympy.atan),
    sympy.asin: _arcsine,
    sympy.acos: _written(lambda u: sympy.pi / 2 - sympy.asin(u)),
    sympy.asinh: _written(lambda u: sympy.log(u + sympy.sqrt(u**2 + 1))),
    sympy.acosh: _written(lambda u: sympy.log(u + sympy.sqrt(u - 1) * sympy.sqrt(u + 1))),
    sympy.atanh: _written(lambda u: sympy.log((1 + u) / (1 - u)) / 2),
    sympy.Abs: _one(Normaliser.absolute),
    (Delta, InRange): _guard,
    (sympy.Max, sympy.Min, sympy.Piecewise, sympy.sign, sympy.Heaviside): (
        lambda self, expr: self.form(as_switches(expr))
    ),
    (
        sympy.core.function.AppliedUndef,
        sympy.gamma,
        sympy.loggamma,
        sympy.digamma,
        sympy.polygamma,
        sympy.erfi,
        sympy.LambertW,
        sympy.floor,
        Masked,
    ): _opaque,
}
