"""The value of a formula: its tree, read with what its names stand for, as an array of scalar expressions.

Where notation is open (a superscript, f(x)) one reading is taken by what the document says elsewhere; `doubts` counts
the places where another one was possible. Nothing here is text that gets evaluated: each kind of node has its method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symdl.core.define import absolute
from symdl.verification.meaning import (
    addition,
    application,
    arrays,
    boundary,
    calculus,
    cases,
    integrals,
    matrices,
    norms,
    operators,
    placing,
    sums,
)
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.entries import NameReader
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.literals import MOST_BITS, literal, power, rows_of
from symdl.verification.meaning.names import (
    is_transpose,
    letters_apart,
)
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


@dataclass
class Interpreter(NameReader):
    """Reads the formulas of one statement: its names as `NameReader` does, and all else that is written.

    >>> from symdl.verification.meaning.scope import Scope
    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import parse
    >>> Interpreter(Scope(), Usage()).number(parse("2 + 3"))
    5
    """

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: Node) -> Array:
        """What a node stands for.

        Raises:
            MeaningError: it has no meaning that is known here.
        """
        method: Callable[[Any], Array] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise MeaningError(f"{type(node).__name__.lower()} has no value here")
        found = method(node)
        body = found.body
        if body.is_Rational and max(int(body.p).bit_length(), int(body.q).bit_length()) > MOST_BITS:
            raise MeaningError(f"a number of more than {MOST_BITS} bits")
        return found

    def _number(self, node: tree.Number) -> Array:
        if 3 * len(node.text) > MOST_BITS:
            raise MeaningError(f"a number of {len(node.text):,} digits")
        value = sympy.Rational(node.text)
        _, point, decimals = node.text.partition(".")
        if self.figures is None or not point:
            return scalar(value)
        symbol = sympy.Symbol(f"figure {len(self.figures)}", real=True)
        self.figures[symbol] = value, sympy.Rational(1, 2 * 10 ** len(decimals))
        return scalar(symbol)

    def _percent(self, node: tree.Percent) -> Array:
        return self.value(node.body).mapped(lambda x: x / 100)

    def _empty(self, node: tree.Empty) -> Array:
        raise MeaningError("nothing stands there")

    def _group(self, node: tree.Group) -> Array:
        if isinstance(node.body, tree.List):
            inner = node.open == "⟨" and len(node.body.items) == 2
            return norms.inner_product(self, node.body) if inner else self._list(node.body)
        if isinstance(node.body, tree.Chain):
            return cases.indicator(self, node.body) if node.open == "[" else self._claimed()
        return self.value(node.body)

    def _claimed(self) -> Array:
        raise MeaningError("a claim stands where a value is needed")

    def _list(self, node: tree.List) -> Array:
        rows = rows_of(node)
        if rows:
            if len({len(row) for row in rows}) != 1:
                raise MeaningError("a matrix whose rows differ in length")
            return literal([[self.number(cell) for cell in row] for row in rows], matrix=True)
        entries = [self.number(item) for item in node.items]
        return literal([entries]) if len(entries) > 1 else scalar(entries[0])

    def _noted(self, node: tree.Noted) -> Array:
        if node.kind == "cancel":
            raise MeaningError("what is crossed out has no value")
        return self.value(node.body)

    def _symbol(self, node: tree.Symbol) -> Array:
        return self._named(node)

    def _accented(self, node: tree.Accented) -> Array:
        return self._named(node)

    def _scripted(self, node: tree.Scripted) -> Array:
        told = operators.indicated(node)
        if told is not None:
            return cases.indicator(self, told)
        if isinstance(node.base, (tree.Symbol, tree.Accented)):
            return self._named(node)
        if isinstance(node.base, tree.Norm):
            return self._norm(node)
        if node.primes:
            raise MeaningError("a prime after brackets")
        base = self.value(node.base)
        if node.sub is not None:
            if not base.axes:
                base = self.spread(node.base, len(letters_apart(node.sub, 1)))
            places = [self.subscript(s) for s in letters_apart(node.sub, base.rank)]
            if len(places) != base.rank:
                raise MeaningError(f"{len(places)} subscripts of {base.kind}")
            base = scalar(base.at(tuple(self.placed(p, i) for p, i in zip(places, base.axes, strict=True))))
        if is_transpose(node.sup):
            base = application.as_matrix(self, node.base, base)
        return base if node.sup is None else self.raised(base, node.sup)

    # ── arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _sum(self, node: tree.Sum) -> Array:
        return addition.value_of(self, node)

    def _quotient(self, node: tree.Quotient) -> Array:
        over, under = self.value(node.over), self.value(node.under)
        if under.axes:
            raise MeaningError(f"a division by {under.kind}")
        return over.mapped(lambda x: x / under.body)

    def _root(self, node: tree.Root) -> Array:
        index = sympy.Integer(2) if node.index is None else self.number(node.index)
        return scalar(power(self.number(node.body), 1 / index))

    def _floor(self, node: tree.Floor) -> Array:
        return scalar(sympy.floor(self.number(node.body)))

    def _ceil(self, node: tree.Ceil) -> Array:
        return scalar(sympy.ceiling(self.number(node.body)))

    def _abs(self, node: tree.Abs) -> Array:
        parts = self.parts(node.body)
        if parts is not None and parts.name in self.usage.sets and parts.power is None:
            return scalar(sums.size(self, parts))
        found = self.value(node.body)
        if found.rank == 2:  # the norm of a matrix has two bars
            return scalar(matrices.determinant(self, found))
        return found.mapped(lambda x: absolute(x, kink="mid")) if not found.axes else scalar(arrays.norm(found))

    def _norm(self, node: tree.Norm | tree.Scripted) -> Array:
        return norms.value_of(self, node)

    def _factorial(self, node: tree.Factorial) -> Array:
        n = self.number(node.body)
        if n.has(sympy.Dummy) and n.is_integer:  # of a series
            return scalar(sympy.factorial(n))
        if not (n.is_Integer and 0 <= n <= 1000):
            raise MeaningError(f"{n}!")
        return scalar(sympy.factorial(n))

    def _binomial(self, node: tree.Binomial) -> Array:
        n, k = self.number(node.over), self.number(node.under)
        if not (k.is_Integer and 0 <= k <= 100):
            raise MeaningError(f"{n} over {k}")
        factors = [n - j for j in range(int(k))]
        return scalar(sympy.Mul(*factors) / sympy.factorial(k))

    def _matrix(self, node: tree.Matrix) -> Array:
        if node.kind == "vmatrix":
            return scalar(matrices.determinant(self, self.value(replace(node, kind="matrix"))))
        if node.kind == "Vmatrix":
            raise MeaningError("a norm of a matrix that is written out")
        rows = [[self.number(cell) for cell in row] for row in node.rows]
        if len({len(row) for row in rows}) != 1:
            raise MeaningError("a matrix whose rows differ in length")
        return literal(rows, matrix=True)

    def _cases(self, node: tree.Cases) -> Array:
        return scalar(cases.value_of(self, node))

    def _product(self, node: tree.Product) -> Array:
        return application.product(self, node)

    def _applied(self, node: tree.Applied) -> Array:
        return operators.applied(self, node)

    def _derivative(self, node: tree.Derivative) -> Array:
        return calculus.derivative(self, node)

    def _gradient(self, node: tree.Gradient) -> Array:
        found = placing.derivatives(self, node.of, node.order) if node.by is None else None
        return calculus.gradient(self, node) if found is None else found

    def _evaluated(self, node: tree.Evaluated) -> Array:
        return calculus.evaluated(self, node)

    def _big(self, node: tree.Big) -> Array:
        parts = self.parts(node)
        if parts is not None:
            return self.entry(parts)
        if node.op == "E" and node.sup is None:
            return application.expected(self, node.body, node.sub)
        if node.op == "int":
            return integrals.value_of(self, node)
        return boundary.value_of(self, node) if node.op == "lim" else sums.value_of(self, node)
