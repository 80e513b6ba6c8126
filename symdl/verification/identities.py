"""Numbers that are equal because they are the same expression: what balls, which are never exact, can't tell.

A maximum minus one of its own entries is 0, whatever square roots and exponentials stand in them. At a point of
rationals every number is a polynomial with rational coefficients in atoms: powers and functions of such polynomials.
Equal polynomials are equal numbers; different ones may still be.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Protocol

import sympy
from flint import arb, fmpq

from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.verification.real import CONSTANTS, FUNCTIONS, exact

#: Atoms with their exponents.
Monomial = frozenset[tuple[int, Fraction]]
#: The coefficients of a polynomial; a number without a monomial is 0.
Polynomial = dict[Monomial, fmpq]
Place = dict[Index, int]

_PLAIN: Monomial = frozenset()
#: A product of more monomials than this is an atom.
_MOST = 64
_LARGEST_POWER = 50


def number_of(polynomial: Polynomial) -> fmpq | None:
    """The number, where no atoms are in it.

    >>> number_of({}), number_of({_PLAIN: fmpq(1, 2)}), number_of({frozenset({(0, Fraction(1))}): fmpq(1)})
    (0, 1/2, None)
    """
    if not polynomial:
        return fmpq(0)
    return polynomial.get(_PLAIN) if len(polynomial) == 1 else None


@lru_cache(maxsize=2**14)
def indices_of(expr: sympy.Expr) -> tuple[Index, ...]:
    """The free indices of an expression, in one order: the same at every point."""
    return tuple(sorted((s for s in expr.free_symbols if isinstance(s, Index)), key=lambda i: i.dummy_index))


class Certified(Protocol):
    """What is certain at a point: `symdl.verification.balls.Evaluator`."""

    def ball(self, expr: sympy.Expr, at: Place) -> arb:
        """The value of an expression at values of its indices."""

    def side(self, expr: sympy.Expr, at: Place) -> int:
        """The sign of an expression."""

    def opened(self, expr: sympy.Expr, at: Place) -> tuple[sympy.Expr, Place] | fmpq | None:
        """What a symbol or an element stands for: an expression at values of its indices, or a number."""

    def places(self, node: Reduction, at: Place) -> list[Place]:
        """All values of the indices that a reduction binds, beside those around it."""

    def tick(self) -> None:
        """Counts a node.

        Raises:
            BudgetError: there were too many, or the time is up.
        """


class Identities:
    """The polynomials of expressions at one point."""

    def __init__(self, evaluator: Certified) -> None:
        self.evaluator = evaluator
        self.atoms: dict[Hashable, int] = {}
        self.bases: dict[int, fmpq] = {}
        self.known: dict[tuple[sympy.Expr, tuple[int, ...]], Polynomial | None] = {}

    def polynomial(self, expr: sympy.Expr, at: Place) -> Polynomial | None:
        """The polynomial of an expression; None where it is of a kind that has none."""
        key = (expr, tuple([at[i] for i in indices_of(expr) if i in at]))
        if key not in self.known:
            self.evaluator.tick()
            self.known[key] = self._made(expr, at)
        return self.known[key]

    def _made(self, expr: sympy.Expr, at: Place) -> Polynomial | None:
        if expr.is_Rational or (expr.is_Float and expr.is_finite):
            return _constant(exact(expr))
        if isinstance(expr, Index):
            return _constant(fmpq(at[expr]))
        if isinstance(expr, (Delta, InRange)):
            return _constant(fmpq(int(self.evaluator.ball(expr, at) != 0)))
        if expr in CONSTANTS:
            return self._atom(("constant", expr))
        if expr.is_Symbol or isinstance(expr, Element):
            return self._opened(expr, at)
        if expr.is_Add:
            return self._sum([(a, at) for a in expr.args])
        if expr.is_Mul:
            guards = [a for a in expr.args if isinstance(a, (Delta, InRange))]
            if any(self.evaluator.ball(g, at) == 0 for g in guards):
                return {}
            return self._product([(a, at) for a in expr.args if a not in guards])
        if expr.is_Pow:
            return self._power(expr, at)
        if isinstance(expr, Reduction):
            return self._reduction(expr, at)
        return self._function(expr, at)

    def _opened(self, expr: sympy.Expr, at: Place) -> Polynomial | None:
        found = self.evaluator.opened(expr, at)
        if isinstance(found, tuple):
            return self.polynomial(*found)
        return None if found is None else _constant(found)

    def _sum(self, parts: list[tuple[sympy.Expr, Place]]) -> Polynomial | None:
        total: Polynomial = {}
        for part in parts:
            found = self.polynomial(*part)
            if found is None:
                return None
            total = _plus(total, found)
        return total

    def _product(self, parts: list[tuple[sympy.Expr, Place]]) -> Polynomial | None:
        found = [self.polynomial(*part) for part in parts]
        made = [f for f in found if f is not None]
        return self._times(made) if len(made) == len(found) else None

    def _times(self, factors: list[Polynomial]) -> Polynomial:
        total, large = _constant(fmpq(1)), []
        for factor in sorted(factors, key=len):
            if len(total) * len(factor) > _MOST:
                large.append(self._numbered(factor))
            else:
                total = self._multiplied(total, factor)
        return self._multiplied(total, self._atom(("product", tuple(sorted(large))))) if large else total

    def _multiplied(self, a: Polynomial, b: Polynomial) -> Polynomial:
        total: Polynomial = {}
        for (m, c), (n, d) in product(a.items(), b.items()):
            together, factor = self._merged(m, n)
            total = _plus(total, {together: c * d * factor})
        return total

    def _merged(self, m: Monomial, n: Monomial) -> tuple[Monomial, fmpq]:
        """The product of two monomials; whole powers of what is a number go into the factor."""
        exponents = dict(m)
        for atom, exponent in n:
            exponents[atom] = exponents.get(atom, Fraction(0)) + exponent
        factor = fmpq(1)
        for atom in [a for a, e in exponents.items() if a in self.bases and self._is_number(a, e)]:
            factor *= self.bases[atom] ** int(exponents.pop(atom))
        return frozenset((a, e) for a, e in exponents.items() if e), factor

    def _is_number(self, atom: int, exponent: Fraction) -> bool:
        """Whether a power of what is a number is one; 1/0 is none."""
        small = exponent.denominator == 1 and abs(exponent) < _LARGEST_POWER
        return small and (exponent >= 0 or bool(self.bases[atom]))

    def _power(self, expr: sympy.Expr, at: Place) -> Polynomial | None:
        if expr.base == sympy.E:
            return self._applied("exp", [expr.exp], at)
        base = self.polynomial(expr.base, at)
        if base is None or not expr.exp.is_Rational:
            return None if base is None else self._applied("power", list(expr.args), at)
        exponent, value = Fraction(int(expr.exp.p), int(expr.exp.q)), number_of(base)
        if (
            exponent.denominator == 1
            and value is not None
            and abs(exponent) <= _LARGEST_POWER
            and (value or exponent > 0)
        ):
            return _constant(value ** int(exponent))
        if exponent.denominator == 1 and 0 < exponent <= _LARGEST_POWER:
            return self._times([base] * int(exponent))
        number = self._numbered(base)
        atom = self.atoms.setdefault(("base", number), len(self.atoms))
        if value is not None:
            self.bases[atom] = value
        return {frozenset({(atom, exponent)}): fmpq(1)}

    def _reduction(self, node: Reduction, at: Place) -> Polynomial | None:
        places = self.evaluator.places(node, at)
        body, guard = node.body.args if isinstance(node.body, Masked) else (node.body, sympy.S.One)
        parts = [(body, inside) for inside in places if guard == 1 or self.evaluator.ball(guard, inside) != 0]
        if node.op == "max":
            return self._largest(parts)
        return self._sum(parts) if node.op == "sum" else self._product(parts)

    def _largest(self, parts: list[tuple[sympy.Expr, Place]]) -> Polynomial | None:
        """Of the entry that is certainly above all that are not the same."""
        balls = [self.evaluator.ball(*part) for part in parts]
        best = max(range(len(parts)), key=lambda k: float(balls[k].mid()), default=None)
        found = None if best is None else self.polynomial(*parts[best])
        if best is None or found is None:
            return None
        below = (balls[best] > ball or self.polynomial(*part) == found for part, ball in zip(parts, balls, strict=True))
        return found if all(below) else None

    def _function(self, expr: sympy.Expr, at: Place) -> Polynomial | None:
        if isinstance(expr, Switch):
            x, below, above, weight = expr.args
            side = self.evaluator.side(x, at)
            if side:
                return self.polynomial(above if side > 0 else below, at)
            return self._sum([(below, at)]) if weight == 0 else self._sum([(above, at)]) if weight == 1 else None
        if isinstance(expr, ScalarFunction) and expr.defined().has(Switch):
            return self.polynomial(expr.defined(), at)
        if isinstance(expr, ScalarFunction) or type(expr) in FUNCTIONS:
            return self._applied(type(expr).__name__, list(expr.args), at)
        return None

    def _applied(self, function: Hashable, arguments: list[sympy.Expr], at: Place) -> Polynomial | None:
        found = [self.polynomial(a, at) for a in arguments]
        if any(f is None for f in found):
            return None
        return self._atom((function, *[self._numbered(f) for f in found if f is not None]))

    def _numbered(self, polynomial: Polynomial) -> int:
        return self.atoms.setdefault(frozenset(polynomial.items()), len(self.atoms))

    def _atom(self, key: Hashable) -> Polynomial:
        return {frozenset({(self.atoms.setdefault(key, len(self.atoms)), Fraction(1))}): fmpq(1)}


def _is_whole(exponent: Fraction) -> bool:
    return exponent.denominator == 1 and abs(exponent) <= _LARGEST_POWER


def _constant(number: fmpq | None) -> Polynomial:
    return {_PLAIN: number} if number else {}


def _plus(a: Polynomial, b: Polynomial) -> Polynomial:
    total = dict(a)
    for monomial, coefficient in b.items():
        value = total.get(monomial, fmpq(0)) + coefficient
        if value == 0:
            total.pop(monomial, None)
        else:
            total[monomial] = value
    return total
