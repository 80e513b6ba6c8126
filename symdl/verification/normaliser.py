"""From a scalar to a rational function in generators: the rules for sums, products, powers, exp, log and roots.

What a function needs in order to be defined (log u: u > 0) is collected as a condition; identities are used there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
from flint import fmpz_mpoly

from symdl.core.functions import Switch
from symdl.core.guards import settled
from symdl.core.tensors import Element
from symdl.errors import UnsupportedError
from symdl.verification.generators import FLIPPED, Frac, Generator, Refine, Table, is_one
from symdl.verification.real import UndefinedError

#: A rule gives the normal form of an expression of its kind.
Rule = Callable[["Normaliser", Any], Frac]

CONSTANTS = (sympy.pi, sympy.EulerGamma, sympy.Catalan, sympy.GoldenRatio)


@dataclass(frozen=True)
class Condition:
    """What an expression needs in order to be defined: `expr` > 0, or ≥ 0 where not `strict`."""

    expr: sympy.Expr
    strict: bool

    def __str__(self) -> str:
        return f"{self.expr} {'>' if self.strict else '≥'} 0"


@dataclass
class Normaliser:
    """One run: expressions to rational functions in the generators of one table."""

    table: Table
    rules: Mapping[Any, Rule]
    conditions: set[Condition] = field(default_factory=set)
    known: dict[sympy.Expr, tuple[Frac, frozenset[Condition]]] = field(default_factory=dict)

    def note_facts(self) -> None:
        """Take over the signs that are given."""
        for expr, sign in self.table.memory.facts:
            form = self.reduced(self.form(expr))
            if form.den.is_constant() and not form.num.is_constant():
                _, primitive = form.num.primitive()
                flipped = primitive.leading_coefficient() < 0
                text = sign.translate(FLIPPED) if flipped else sign
                self.table.signs[str(-primitive if flipped else primitive)] = text

    def form(self, expr: sympy.Expr) -> Frac:
        """The normal form of one expression; what it needs is added to `conditions`."""
        if expr not in self.known:
            outer, self.conditions = self.conditions, set()
            try:
                self.known[expr] = self._form(expr), frozenset(self.conditions)
            finally:
                self.conditions = outer
        result, needed = self.known[expr]
        self.conditions |= needed
        return result

    def note_sign(self, expr: sympy.Expr) -> None:
        """Keep the sign that a sum has by the way it is written, Σ (x − m)² + ε, before it is multiplied out."""
        sign = "" if expr.is_Atom else "+" if expr.is_positive else "0+" if expr.is_nonnegative else ""
        if not sign or isinstance(expr, Element):
            return
        form = self.reduced(self.form(expr))
        if self.table.sign(form.den) == "+" and form.num and not form.num.is_constant():
            known = self.table.sign(form.num)
            if known in ("", "0+"):
                self.table.note_sign(form.num, sign)

    def reduced(self, a: Frac) -> Frac:
        return self.table.reduced(a)

    def _form(self, expr: sympy.Expr) -> Frac:
        self.table.tick()
        if expr.is_Rational:
            return self.table.number(expr)
        if expr.is_Float and expr.is_finite:
            return self.table.number(sympy.Rational(expr))
        if expr.is_Add:
            return self.table.combine([self.form(a) for a in expr.args], product=False)
        if expr.is_Mul:
            return self.table.combine([self.form(a) for a in expr.args], product=True)
        if expr == sympy.E:
            return self.exponential(self.table.number(1))
        if expr.is_Symbol or isinstance(expr, Element):
            return self.atom(expr)
        if expr.is_Pow:
            return self._power(expr.base, expr.exp)
        for kind, rule in self.rules.items():
            if isinstance(expr, kind):
                return rule(self, expr)
        if expr in CONSTANTS:
            return self.atom(expr)
        raise UnsupportedError(f"'{type(expr).__name__}' has no normal form", why=f"it stands in {expr}")

    # ── atoms and functions that are not understood further ──────────────────────────────────────────────────────────

    def atom(self, expr: sympy.Expr) -> Frac:
        def make() -> Generator:
            return Generator("atom", expr, "+" if expr.is_positive else "0+" if expr.is_nonnegative else "")

        return self.table.generator(expr, make)[0]

    def opaque(
        self, function: Any, arguments: list[Frac], sign: str = "", relation: Callable[[], Any] | None = None
    ) -> Frac:
        """A function of arguments in normal form, as a generator of its own."""
        arguments = [self.reduced(a) for a in arguments]
        key = (function, *[f"{a.num}/{a.den}" for a in arguments])

        def make() -> Generator:
            expr = function(*[self.table.to_expr(a) for a in arguments])
            return Generator("opaque", expr, sign, relation and relation())

        return self.table.generator(key, make)[0]

    def odd(self, function: Any, argument: Frac) -> Frac:
        """f(−u) = −f(u)."""
        argument = self.reduced(argument)
        if not argument.num:
            return self.table.number(0)
        if argument.num.leading_coefficient() < 0:
            return self.table.neg(self.opaque(function, [self.table.neg(argument)]))
        return self.opaque(function, [argument])

    # ── exponentials ─────────────────────────────────────────────────────────────────────────────────────────────────

    def exponential(self, argument: Frac) -> Frac:
        """exp(Σ c_k m_k) = Π exp(m_k)^c_k; exp(c log u) = u^c."""
        factors = []
        for coefficient, key in self.parts(self.reduced(argument)):
            logged = self._generator_of(key)
            if logged is not None and logged.kind == "log":
                factors.append(self.absolute_power(logged.data, coefficient))
            else:
                factors.append(self._exp_of(key, coefficient))
        return self.table.combine(factors, product=True)

    def _exp_of(self, key: Frac, coefficient: sympy.Rational) -> Frac:
        expr = self.table.to_expr(key)
        unit = self.table.memory.unit(str(expr), coefficient)

        def make() -> Generator:
            share = self.table.mul(key, self.table.number(unit))
            return Generator("exp", sympy.exp(expr * unit), "+", data=share)

        power, _ = self.table.generator(("exp", str(key.num), str(key.den)), make)
        return self.table.power(power, int(coefficient / unit))

    def parts(self, a: Frac) -> list[tuple[sympy.Rational, Frac]]:
        """`a` as Σ c_k m_k with rational c_k and each m_k a monomial over a divisor, in a fixed form."""
        whole, rest = divmod(a.num, a.den) if not a.den.is_constant() else (a.num, self.table.context.constant(0))
        found = []
        if a.den.is_constant():
            found += self._monomials(whole, self.table.context.constant(1), int(a.den.leading_coefficient()))
            return found
        found += self._monomials(whole, self.table.context.constant(1), 1)
        found += self._monomials(rest, a.den, 1)
        return found

    def _monomials(self, poly: fmpz_mpoly, den: fmpz_mpoly, scale: int) -> list[tuple[sympy.Rational, Frac]]:
        content, primitive = den.primitive()
        found = []
        for monomial, coefficient in poly.to_dict().items():
            key = self.table.cancel(self.table.context.from_dict({monomial: 1}), primitive)
            found.append((sympy.Rational(int(coefficient), scale * int(content)), key))
        return found

    def _generator_of(self, key: Frac) -> Generator | None:
        """The generator that `key` is, if it is one to the power 1."""
        found = self.table.lone_generator(key.num) if is_one(key.den) else None
        return None if found is None else self.table.generators[found]

    # ── logarithms, roots ────────────────────────────────────────────────────────────────────────────────────────────

    def factors(self, a: Frac) -> list[tuple[fmpz_mpoly, int]]:
        """`a` as Π f^e up to sign: irreducible polynomials and prime numbers."""
        found: list[tuple[fmpz_mpoly, int]] = []
        for part, direction in ((a.num, 1), (a.den, -1)):
            content, factors = part.factor()
            found += [(f, direction * int(e)) for f, e in factors]
            found += [(self.table.context.constant(p), direction * e) for p, e in _primes(abs(int(content)))]
        return found

    def logarithm(self, argument: Frac) -> Frac:
        """log u = Σ e log|f| over the factors of u, where u > 0."""
        argument = self.require(argument, strict=True)
        parts = [self.table.mul(self.table.number(e), self._log_of(f)) for f, e in self.factors(argument)]
        return self.table.combine(parts, product=False)

    def _log_of(self, factor: fmpz_mpoly) -> Frac:
        known = self._generator_of(self.table.poly(factor))
        if known is not None and known.kind == "exp":
            exponent: Frac = known.data
            return exponent
        if known is not None and known.kind == "root":
            base, fine = known.data
            return self.table.mul(self.table.number(sympy.Rational(1, fine)), self._log_of(base))

        def make() -> Generator:
            return Generator("log", sympy.log(self._absolute(factor)), data=factor)

        return self.table.generator(("log", str(factor)), make)[0]

    def _absolute(self, factor: fmpz_mpoly) -> sympy.Expr:
        expr, sign = self.table.poly_expr(factor), self.table.sign(factor)
        return expr if sign.endswith("+") else -expr if sign.endswith("-") else sympy.Abs(expr)

    def require(self, argument: Frac, *, strict: bool) -> Frac:
        """Note that `argument` has to be positive (or nonnegative), unless that is known."""
        argument = self.reduced(argument)
        if not argument.num:
            if strict:
                raise UndefinedError("the logarithm of zero, or zero to a negative power")
            return argument
        sign, odd = 1, self.table.context.constant(1)
        for part in (argument.num, argument.den):
            content, factors = part.factor()
            sign *= 1 if content > 0 else -1
            for f, e in factors:
                known = self.table.sign(f)
                if known.endswith("-"):
                    sign *= -1 if e % 2 else 1
                elif e % 2 and not known:
                    odd = odd * f
                if strict and known not in ("+", "-") and (known or not e % 2):
                    self.table.divisors[str(f)] = f  # log x²: everywhere but at 0
        if not odd.is_constant() or sign < 0:
            self.conditions.add(Condition(sign * self.table.poly_expr(odd), strict))
        return argument

    def root(self, base: Frac, exponent: sympy.Rational) -> Frac:
        """u^(p/q) = Π |f|^(e p/q) over the factors of u, where u ≥ 0."""
        base = self.require(base, strict=exponent < 0)
        if not base.num:
            return base
        parts = [self.absolute_power(f, e * exponent) for f, e in self.factors(base)]
        return self.table.combine(parts, product=True)

    def absolute_power(self, factor: fmpz_mpoly, exponent: sympy.Rational) -> Frac:
        """|f|^r of an irreducible polynomial or a prime."""
        known = self._generator_of(self.table.poly(factor))
        if known is not None and known.kind == "exp":
            return self.exponential(self.table.mul(known.data, self.table.number(exponent)))
        if known is not None and known.kind == "root":
            base, fine = known.data
            return self.absolute_power(base, exponent / fine)
        sign = self.table.sign(factor)
        if exponent.is_Integer and (sign or exponent % 2 == 0):
            plain = self.table.power(self.table.poly(factor), int(exponent))
            return self.table.neg(plain) if sign.endswith("-") and exponent % 2 else plain
        fine = self.table.memory.refine(("root", str(self.table.poly_expr(factor))), int(exponent.q))
        power, generator = self.table.generator(("root", str(factor)), lambda: self._root(factor, fine))
        assert generator.relation is not None
        degree, base_form = generator.relation
        turns, rest = divmod(int(exponent * fine), degree)
        return self.table.mul(self.table.power(base_form, turns), self.table.power(power, rest))

    def _root(self, factor: fmpz_mpoly, fine: int) -> Generator:
        """r = |f|^(1/q): r^q = f where the sign of f is known, else r^2q = f²."""
        sign = self.table.sign(factor)
        expr = self._absolute(factor) ** sympy.Rational(1, fine)
        strict = "+" if sign in ("+", "-") else "0+"
        signed = self.table.poly(-factor if sign.endswith("-") else factor)
        relation = (fine, signed) if sign else (2 * fine, self.table.power(signed, 2))
        return Generator("root", expr, strict, relation, (factor, fine))

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Frac:
        if exponent.is_Float:
            exponent = sympy.Rational(exponent)
        if not (exponent.is_Integer and exponent > 0):
            self.note_sign(base)
        if exponent.is_Integer:
            return self.table.power(self.form(base), int(exponent))
        if exponent.is_Rational:
            return self.root(self.form(base), exponent)
        if base == sympy.E:
            return self.exponential(self.form(exponent))
        below, above = self.reduced(self.form(base)), self.reduced(self.form(exponent))
        number = self.table.rational(above)
        if number is not None:
            return self._power(self.table.to_expr(below), number)
        if exponent.is_integer and not (self.table.sign(below.num) == "+" and self.table.sign(below.den) == "+"):
            return self.opaque(sympy.Pow, [below, above])
        return self.exponential(self.table.mul(above, self.logarithm(below)))

    def absolute(self, argument: Frac) -> Frac:
        argument = self.reduced(argument)
        if not argument.num:
            return argument
        if self.table.memory.steps:
            return self.switch(argument, self.table.neg(argument), argument, self.table.number(0))
        return self.table.combine([self.absolute_power(f, sympy.Integer(e)) for f, e in self.factors(argument)], True)

    # ── kinks ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def switched(self, expr: Switch) -> Frac:
        """The normal form of a switch; each side has to be defined everywhere."""
        self.note_sign(expr.args[0])
        arguments = [self.form(expr.args[0])]
        before = set(self.conditions)
        arguments += [self.form(a) for a in expr.args[1:]]
        if self.conditions - before:
            raise UnsupportedError("a side of a kink is not defined everywhere", remedy="decide each side by itself")
        return self.switch(*arguments)

    def switch(self, x: Frac, below: Frac, above: Frac, weight: Frac) -> Frac:
        """below + (above − below)·step(x), step being 0, w, 1 where x is negative, zero, positive."""
        x = self.reduced(x)
        jump = self.reduced(self.table.add(above, self.table.neg(below)))
        meet = bool(x.num) and not divmod(jump.num, x.num)[1]
        if meet:
            weight = self.table.number(0)  # the sides meet at the kink, where the weight then has no effect
        signs = self.table.sign(x.num) if x.num else "zero", self.table.sign(x.den)
        if meet:
            signs = signs[0].removeprefix("0"), signs[1]  # |y| = y where y ≥ 0: at 0 either side will do
        table = self.table
        if signs[0] == "zero":
            step = weight
        elif signs[0] in ("+", "-") and signs[1] in ("+", "-"):
            step = table.number(1 if signs[0] == signs[1] else 0)
        else:
            step = self._step(x, weight)
        return table.add(below, table.mul(jump, step))

    def _step(self, x: Frac, weight: Frac) -> Frac:
        if self.table.sign(x.den) not in ("+", "-"):
            side = x.num * x.den
        else:
            side = x.num if self.table.sign(x.den) == "+" else -x.num
        _, side = side.primitive()
        if side.leading_coefficient() < 0:
            mirrored = self.table.add(self.table.number(1), self.table.neg(weight))
            other = self._step(self.table.poly(-side), mirrored)
            return self.table.add(self.table.number(1), self.table.neg(other))
        arguments = [self.table.poly(side), self.reduced(weight)]
        crisp = self.table.rational(arguments[1]) in (0, 1)
        return self.opaque(_step_expr, arguments, "0+", self._idempotent if crisp else None)

    def _idempotent(self) -> tuple[int, Frac]:
        # The generator that is being made comes next: its square is itself.
        position = len(self.table.generators)
        if position >= self.table.memory.capacity:
            self.table.memory.capacity *= 2
            raise Refine
        return 2, self.table.poly(self.table.variables[position])

    def guard(self, function: Any, *arguments: Frac) -> Frac:
        reduced = [self.reduced(a) for a in arguments]
        plain = settled(function(*[self.table.to_expr(a) for a in reduced]))
        if not isinstance(plain, function):
            return self.table.number(plain)
        return self.table.generator(plain, lambda: Generator("guard", plain, "0+", self._idempotent()))[0]


def _step_expr(x: sympy.Expr, weight: sympy.Expr) -> sympy.Expr:
    return Switch(x, sympy.S.Zero, sympy.S.One, weight)


def _primes(number: int) -> list[tuple[int, int]]:
    """Factors of a positive integer; one too large to factor quickly stays whole."""
    if number <= 1:
        return []
    if number.bit_length() > 80:
        return [(number, 1)]
    return [(int(p), int(e)) for p, e in sympy.factorint(number).items()]
