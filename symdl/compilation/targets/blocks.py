"""Straight-line code: the statements of one loop body, with their common subexpressions shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.compilation.statements import Statement
from symdl.compilation.targets.names import Names
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.accurate import PRINTED
from symdl.core.functions import ScalarFunction, Switch
from symdl.core.indices import Index


def computed(expr: sympy.Expr, printed: tuple[Any, ...] = PRINTED) -> sympy.Expr:
    """Named functions replaced by the forms that are safe to compute, at any depth, but for those that are `printed`.

    >>> from symdl.library.activations import relu
    >>> x = sympy.Symbol("x", real=True)
    >>> computed(1 + relu(x))
    Switch(x, 0, x, 0) + 1
    """
    while calls := {c for c in expr.atoms(ScalarFunction) if not isinstance(c, printed)}:
        expr = expr.replace(lambda e: e in calls, lambda e: e.computed())
    return expr


@dataclass(frozen=True)
class Line:
    """`name = value` of a block; where `name` is empty, `value` belongs to the statement at `position`."""

    name: str
    value: sympy.Expr
    position: int = -1


def share(values: list[sympy.Expr], names: Names) -> list[Line]:
    """Joint common-subexpression elimination over the values of a block, each shared value before its first use."""
    fresh = (sympy.Symbol(names.new("t"), real=True) for _ in iter(int, 1))
    replacements, reduced = sympy.cse([upright(v) for v in values], symbols=fresh, order="none")
    pending = dict(replacements)
    lines: list[Line] = []

    def emit(expr: sympy.Expr) -> None:
        for symbol in [s for s, _ in replacements if s in pending and s in expr.free_symbols]:
            if symbol in pending:
                value = pending.pop(symbol)
                emit(value)
                lines.append(Line(symbol.name, value))

    for position, value in enumerate(reduced):
        emit(value)
        lines.append(Line("", value, position))
    return lines


def upright(expr: sympy.Expr) -> sympy.Expr:
    """Switches at −s as switches at s: |−s| is |s| then, whose exponential σ(s) and σ(−s) share.

    >>> s = sympy.Symbol("s", real=True)
    >>> upright(Switch(-s, s, -s, sympy.Rational(1, 2)) + Switch(-s, 0, 1, 1))
    Switch(s, 1, 0, 0) + Switch(s, -s, s, 1/2)
    """

    def turned(e: Any) -> sympy.Expr:
        x, below, above, weight = e.args
        return Switch(-x, above, below, 1 - weight)

    def is_turned(e: sympy.Basic) -> bool:
        return isinstance(e, Switch) and e.weight.is_Number and bool(e.args[0].could_extract_minus_sign())

    return expr.replace(is_turned, turned) if expr.has(Switch) else expr


class Invariants:
    """Subexpressions that a loop does not change (2/N, log S, 1 − βᵗ), computed once before it.

    Only what costs something is lifted: divisions, powers and functions.
    """

    def __init__(self, constant: Callable[[sympy.Symbol], bool], names: Names) -> None:
        self.constant, self.names = constant, names
        self.found: dict[sympy.Expr, sympy.Symbol] = {}

    def lift(self, expr: sympy.Expr) -> sympy.Expr:
        if expr.is_Atom:
            return expr
        if self._fixed(expr):
            return self._name(expr)
        if expr.is_Mul or expr.is_Add:
            fixed = [a for a in expr.args if self._fixed(a)]
            rest = [self.lift(a) for a in expr.args if not self._fixed(a)]
            return expr.func(*rest, self._name(expr.func(*fixed)))
        return expr.func(*[self.lift(a) if isinstance(a, sympy.Expr) else a for a in expr.args])

    def _fixed(self, expr: sympy.Expr) -> bool:
        return all(self.constant(s) for s in expr.free_symbols) and not expr.has(Index)

    def _name(self, expr: sympy.Expr) -> sympy.Expr:
        if expr.is_Atom or not expr.free_symbols or not expr.has(sympy.Pow, sympy.Function, sympy.exp):
            return expr
        if expr not in self.found:
            self.found[expr] = sympy.Symbol(self.names.new(f"c{len(self.found) + 1}"), real=True)
        return self.found[expr]

    def lines(self, printer: ScalarPrinter) -> list[str]:
        return [f"{symbol.name} = {printer.doprint(expr)}" for expr, symbol in self.found.items()]


def assignment(statement: Statement, target: str, value: str) -> list[str]:
    """The lines that put `value` into `target`. A maximum passes NaN on, which Python's `max` would lose."""
    if statement.op == "":
        return [f"{target} = {value}"]
    if statement.op == "sum":
        return [f"{target} += {value}"]
    if statement.op == "prod":
        return [f"{target} *= {value}"]
    lines = [] if value.isidentifier() else [f"value = {value}"]
    name = value if value.isidentifier() else "value"
    return [*lines, f"if {name} > {target} or {name} != {name}:", f"    {target} = {name}"]
