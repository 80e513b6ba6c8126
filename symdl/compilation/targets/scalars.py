"""Runs of statements as lines: values with shared parts, conditions around them, elements as variables or accesses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby

import sympy

from symdl.compilation.statements import Statement
from symdl.compilation.targets.accumulators import Accumulator
from symdl.compilation.targets.blocks import Invariants, assignment, computed, share
from symdl.compilation.targets.names import Names
from symdl.compilation.targets.printer import ScalarPrinter
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element

INDENT = "    "
#: In emitted code: a whole number without a sign.
UNSIGNED = "at"


class ScalarEmitter:
    """Emits statements; names, arrays and conditions around them are set by who emits what is around."""

    printer: ScalarPrinter
    names: Names
    arrays: dict[str, str]
    locals: dict[Element, str]
    gathered: dict[Element, str]
    running: dict[Element, Accumulator]
    invariants: Invariants
    lifting: Invariants
    held: set[sympy.Expr]
    cut: set[Index]
    #: Names for entries that are never those of the other names of their array (see `machine.addresses.strand`).
    strands: dict[Element, str]

    @contextmanager
    def _holding(self, guards: Iterable[sympy.Expr]) -> Iterator[None]:
        """Guards that have been tested around what is emitted within."""
        outside, self.held = self.held, self.held | set(guards)
        yield
        self.held = outside

    def _untested(self, guards: Iterable[sympy.Expr]) -> tuple[sympy.Expr, ...]:
        return tuple(g for g in guards if g not in self.held)

    def _tested(self, guards: Iterable[sympy.Expr], lines: list[str], known: dict[Element, str]) -> list[str]:
        """The lines under a condition, where there is one."""
        tests = " and ".join(self._condition(g, known) for g in guards)
        return [f"if {tests}:", *indented(lines)] if tests else lines

    def _condition(self, guard: sympy.Expr, known: dict[Element, str]) -> str:
        whole = isinstance(guard, (InRange, Delta))
        return self.printer.condition(self._gathered(guard) if whole else self._scalar(guard, known))

    def _block(
        self, statements: list[Statement], known: dict[Element, str], variables: dict[Element, str]
    ) -> list[str]:
        """One run of statements with shared subexpressions; guarded ones stand alone, since a guard protects a read."""
        lines: list[str] = []
        for (guards, alone), group in groupby(statements, lambda s: (self._untested(s.guards), s.guarded)):
            some = list(group)
            inner = self._guarded(some, known, variables) if alone else self._straight(some, known, variables)
            lines += self._tested(guards, inner, known)
            known = {**known, **{s.out: variables[s.out] for s in some if s.out in variables}}
        return lines

    def _guarded(
        self, statements: list[Statement], known: dict[Element, str], variables: dict[Element, str]
    ) -> list[str]:
        lines: list[str] = []
        for statement in statements:
            value = self.printer.doprint(self._scalar(statement.body, known))
            lines += self._assignment(statement, self._target(statement, known, variables), value)
            if statement.out in variables:
                known = {**known, statement.out: variables[statement.out]}
        return lines

    def _straight(
        self, statements: list[Statement], known: dict[Element, str], variables: dict[Element, str]
    ) -> list[str]:
        values: list[sympy.Expr] = []
        targets: list[str] = []
        for statement in statements:
            values.append(self.lifting.lift(self.invariants.lift(self._scalar(statement.body, known))))
            targets.append(self._target(statement, known, variables))
            if statement.out in variables:
                known = {**known, statement.out: variables[statement.out]}
        lines: list[str] = []
        for line in share(values, self.names):
            text = self.printer.doprint(line.value)
            if line.name:
                lines.append(f"{line.name} = {text}")
            else:
                lines += self._assignment(statements[line.position], targets[line.position], text)
        return lines

    def _assignment(self, statement: Statement, target: str, value: str) -> list[str]:
        running = self.running.get(statement.out)
        return running.step(value) if running is not None else assignment(statement, target, value)

    def _target(self, statement: Statement, known: dict[Element, str], variables: dict[Element, str]) -> str:
        out = statement.out
        return self.locals.get(out) or variables.get(out) or known.get(out) or self.access(out)

    def _scalar(self, body: sympy.Expr, known: dict[Element, str]) -> sympy.Expr:
        """A body with elements replaced by symbols that print as variables or as array accesses."""
        body = computed(body, self.printer.named)
        return body.xreplace({e: sympy.Symbol(self._read(e, known), real=True) for e in body.atoms(Element)})

    def _read(self, element: Element, known: dict[Element, str]) -> str:
        return self.locals.get(element) or self.gathered.get(element) or known.get(element) or self.access(element)

    def access(self, element: Element) -> str:
        inside = ", ".join(self._place(s) for s in element.subscripts)
        return f"{self.strands.get(element, self.arrays[element.name])}[{inside}]"

    def _place(self, subscript: sympy.Expr) -> str:
        """A subscript; unsigned where Numba would else ask whether to count from the end, which nothing here does.

        That question keeps a loop from being vectorised. Of a loop that starts at 0 the answer is known.
        """
        text = self._subscript(subscript)
        plain = subscript.is_Integer or (isinstance(subscript, Index) and subscript not in self.cut)
        return text if plain else f"{UNSIGNED}({text})"

    def _subscript(self, subscript: sympy.Expr) -> str:
        return self.printer.integer(self._gathered(subscript))

    def _gathered(self, expr: sympy.Expr) -> sympy.Expr:
        """An index expression with gathers replaced by symbols that print as array accesses."""
        gathers = {e: sympy.Symbol(self._read(e, {}), integer=True) for e in expr.atoms(Element)}
        return expr.xreplace(gathers)


def indented(lines: list[str]) -> list[str]:
    return [INDENT + line if line else line for line in lines]
