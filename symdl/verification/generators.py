"""Rational functions in generators: what a scalar becomes once exp, log, roots, sine and cosine are taken apart.

A generator is an unknown (x), the exponential, logarithm or root of something, or a function that is not understood
further. Some obey a relation g^q = base, with base in the generators before it: √2² = 2, sin² = 1 − cos², |x|² = x².
Every relation is a true identity, so a normal form that is zero is a proof; one that is not proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sympy
from flint import Ordering, fmpz, fmpz_mpoly, fmpz_mpoly_ctx

from symdl.core.deadlines import now
from symdl.core.indices import indices_in
from symdl.errors import BudgetError
from symdl.verification.real import UndefinedError
from symdl.verification.relabel import ordered

#: A product of more terms than this is not multiplied out.
LARGEST = 400_000


FLIPPED = str.maketrans("+-", "-+")


class Refine(Exception):
    """The normal form starts again with finer generators (exp(x/2) in place of exp(x)) or with more of them."""


@dataclass(frozen=True)
class Frac:
    """num/den, coprime unless said otherwise; den is not zero."""

    num: fmpz_mpoly
    den: fmpz_mpoly


@dataclass
class Generator:
    """One unknown of the algebra.

    `sign` is "+" (positive), "0+" (nonnegative) or "" (not known). `relation` is (q, base): g^q = base.
    """

    kind: str
    expr: sympy.Expr
    sign: str = ""
    relation: tuple[int, Frac] | None = None
    data: Any = None


@dataclass
class Memory:
    """What survives a restart: how fine each root, angle and exponential has to be, and signs that are given."""

    capacity: int = 24
    fineness: dict[Any, int] = field(default_factory=dict)
    units: dict[Any, sympy.Rational] = field(default_factory=dict)
    facts: list[tuple[sympy.Expr, str]] = field(default_factory=list)
    #: Signs that follow from how a sum is written, by its text without the names of free indices.
    shapes: dict[str, str] = field(default_factory=dict)
    deadline: float = float("inf")
    #: The extents of the axes that integer tensors hold positions of: what the claim is about.
    positions: dict[str, sympy.Expr] = field(default_factory=dict)
    #: Write |f| by the step function of f, so that it meets other kinks; otherwise it is a root of f².
    steps: bool = False

    def refine(self, key: Any, denominator: int) -> int:
        """The fineness of `key`, if it is a multiple of `denominator`; otherwise start again with one that is."""
        if denominator > 10_000:
            raise BudgetError("a power with a large denominator")
        known = self.fineness.setdefault(key, denominator)
        if known % denominator == 0:
            return known
        self.fineness[key] = int(sympy.ilcm(known, denominator))
        raise Refine

    def unit(self, key: Any, coefficient: sympy.Rational) -> sympy.Rational:
        """The number of which each coefficient of `key` so far is a whole multiple, if it fits this one as well.

        Otherwise start again with one that does. exp(0.044715 x³) is a generator then, and no power of exp(x³/10⁶).
        """
        known = self.units.setdefault(key, abs(coefficient))
        shared = sympy.Rational(sympy.igcd(known.p * coefficient.q, coefficient.p * known.q), known.q * coefficient.q)
        if abs(coefficient) / shared > 10_000:
            raise BudgetError("a power with a large denominator")
        if shared == known:
            return known
        self.units[key] = shared
        raise Refine


class Table:
    """The generators of one run, with arithmetic on rational functions in them."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        names = tuple(f"g{k}" for k in range(memory.capacity))
        self.context = fmpz_mpoly_ctx.get(names, Ordering.lex)
        self.variables = self.context.gens()
        self.generators: list[Generator] = []
        self.index: dict[Any, int] = {}
        self.signs: dict[str, str] = {}
        self.divisors: dict[str, fmpz_mpoly] = {}
        self.steps = 0

    # ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def number(self, value: Any) -> Frac:
        rational = sympy.Rational(value)
        return Frac(self.context.constant(int(rational.p)), self.context.constant(int(rational.q)))

    def poly(self, value: fmpz_mpoly) -> Frac:
        return Frac(value, self.context.constant(1))

    def generator(self, key: Any, make: Any) -> tuple[Frac, Generator]:
        """The generator under `key`, made by `make()` if it is new."""
        if key not in self.index:
            made = make()
            if len(self.generators) >= self.memory.capacity:
                self.memory.capacity *= 2
                raise Refine
            self.generators.append(made)
            self.index[key] = len(self.generators) - 1
        k = self.index[key]
        return self.poly(self.variables[k]), self.generators[k]

    # ── arithmetic ───────────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, size: int = 0) -> None:
        self.steps += 1
        if size > LARGEST:
            raise BudgetError(f"a product of about {size} terms")
        if self.steps % 16 == 0 and now() > self.memory.deadline:
            raise BudgetError("out of time")

    def add(self, a: Frac, b: Frac) -> Frac:
        if a.den == b.den:
            self.tick(len(a.num) + len(b.num))
            return self.cancel(a.num + b.num, a.den)
        self.tick(len(a.num) * len(b.den) + len(b.num) * len(a.den))
        shared = a.den.gcd(b.den)
        left, right = _exact(b.den, shared), _exact(a.den, shared)
        return self.cancel(a.num * left + b.num * right, a.den * left)

    def mul(self, a: Frac, b: Frac) -> Frac:
        self.tick(len(a.num) * len(b.num) + len(a.den) * len(b.den))
        if not a.num or not b.num:
            return self.number(0)
        if is_one(a.den) and is_one(b.den):
            return Frac(a.num * b.num, a.den)
        return self.cancel(a.num * b.num, a.den * b.den)

    def neg(self, a: Frac) -> Frac:
        return Frac(-a.num, a.den)

    def inverse(self, a: Frac) -> Frac:
        a = self.reduced(a)
        if not a.num:
            raise UndefinedError("division by zero")
        if not a.num.is_constant():
            self.divisors[str(a.num)] = a.num
        return Frac(a.den, a.num) if a.num.leading_coefficient() > 0 else Frac(-a.den, -a.num)

    def power(self, a: Frac, exponent: int) -> Frac:
        if exponent < 0:
            return self.power(self.inverse(a), -exponent)
        for part in (a.num, a.den):
            if len(part) > 1:
                self.tick(_terms_of_power(len(part), exponent))
        if exponent > 100_000:
            raise BudgetError(f"the power {exponent}")
        return Frac(a.num**exponent, a.den**exponent)

    def cancel(self, num: fmpz_mpoly, den: fmpz_mpoly) -> Frac:
        """num/den in lowest terms, the leading coefficient of den positive."""
        if not num:
            return self.number(0)
        shared = num.gcd(den)
        if not is_one(shared):
            num, den = _exact(num, shared), _exact(den, shared)
        return Frac(-num, -den) if den.leading_coefficient() < 0 else Frac(num, den)

    def combine(self, parts: Iterable[Frac], product: bool) -> Frac:
        """Sum or product, as a balanced tree."""
        row = list(parts)
        if not row:
            return self.number(1 if product else 0)
        while len(row) > 1:
            paired = [(self.mul if product else self.add)(row[k], row[k + 1]) for k in range(0, len(row) - 1, 2)]
            row = paired + ([row[-1]] if len(row) % 2 else [])
        return row[0]

    # ── relations ────────────────────────────────────────────────────────────────────────────────────────────────────

    def reduced(self, a: Frac) -> Frac:
        """`a` with every relation applied."""
        if not any(g.relation for g in self.generators):
            return a
        num, den = self._reduced(a.num), self._reduced(a.den)
        if not den.num:
            raise UndefinedError("division by zero")
        if is_one(num.den) and is_one(den.den):
            return self.cancel(num.num, den.num)
        return self.cancel(num.num * den.den, num.den * den.num)

    def _reduced(self, poly: fmpz_mpoly) -> Frac:
        result = self.poly(poly)
        relations = [(k, g.relation) for k, g in enumerate(self.generators) if g.relation is not None]
        powers = poly.degrees()
        if not poly or all(powers[k] < relation[0] for k, relation in relations):
            return result  # as most are, and only these degrees were needed
        degrees = _degrees(result)
        for k, relation in reversed(relations):
            while degrees[k] >= relation[0]:
                top = self._reduce_by(result.num, k, *relation)
                bottom = self._reduce_by(result.den, k, *relation)
                result = Frac(top.num * bottom.den, top.den * bottom.num)
                degrees = _degrees(result)
        return result

    def _reduce_by(self, poly: fmpz_mpoly, k: int, q: int, base: Frac) -> Frac:
        if not poly or poly.degrees()[k] < q:
            return self.poly(poly)
        by_power: dict[int, dict[tuple[int, ...], fmpz]] = {}
        for monomial, coefficient in poly.to_dict().items():
            turns, rest = divmod(int(monomial[k]), q)
            lowered = (*monomial[:k], rest, *monomial[k + 1 :])
            by_power.setdefault(turns, {})[lowered] = coefficient
        most = max(by_power)
        total = self.context.constant(0)
        for turns, terms in by_power.items():
            part = self.context.from_dict(terms)
            self.tick(len(part) * _terms_of_power(len(base.num), turns))
            total += part * base.num**turns * base.den ** (most - turns)
        return Frac(total, base.den**most)

    def is_zero(self, a: Frac) -> bool:
        return not self.reduced(a).num

    # ── signs ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def sign(self, poly: fmpz_mpoly) -> str:
        """ "+", "-", "0+", "0-" or "" where it is not known."""
        if poly.is_constant():
            return "+" if poly.leading_coefficient() > 0 else "-"
        if poly.leading_coefficient() < 0:
            return self.sign(-poly).translate(FLIPPED)
        text = str(poly)
        if text not in self.signs:
            self.signs[text] = self._sign(poly) or self._noted_sign(poly)
        return self.signs[text]

    def note_sign(self, poly: fmpz_mpoly, sign: str) -> None:
        """Keep the sign of a polynomial, under this name of its indices and any other."""
        for side, its in ((poly, sign), (-poly, sign.translate(FLIPPED))):
            _, primitive = side.primitive()
            self.memory.shapes[self._shape(primitive)] = its
            self.signs[str(primitive)] = self.signs[str(side)] = its

    def _noted_sign(self, poly: fmpz_mpoly) -> str:
        return self.memory.shapes.get(self._shape(poly), "") if self.memory.shapes else ""

    def _shape(self, poly: fmpz_mpoly) -> str:
        expr = self.poly_expr(poly)
        return ordered(expr, indices_in(expr))[0]

    def _sign(self, poly: fmpz_mpoly) -> str:
        strict, signs = False, set()
        for monomial, coefficient in poly.to_dict().items():
            kind = self._monomial_sign(monomial)
            if not kind:
                return self._univariate_sign(poly)
            strict |= kind == "+"
            signs.add(coefficient > 0)
        if len(signs) > 1:
            return self._univariate_sign(poly)
        return ("" if strict else "0") + ("+" if signs.pop() else "-")

    def _monomial_sign(self, monomial: tuple[int, ...]) -> str:
        strict = True
        for k, exponent in enumerate(monomial):
            sign = self.generators[k].sign if exponent else "+"
            if not sign and exponent % 2:
                return ""
            strict &= sign == "+"
        return "+" if strict else "0+"

    def _univariate_sign(self, poly: fmpz_mpoly) -> str:
        """A polynomial in one generator without a root where that generator lives has the sign of any of its values."""
        used = [k for k, degree in enumerate(poly.degrees()) if degree]
        if len(used) != 1 or poly.degrees()[used[0]] > 40:
            return ""
        x = sympy.Dummy()
        terms = {(int(m[used[0]]),): sympy.Integer(int(c)) for m, c in poly.to_dict().items()}
        univariate = sympy.Poly.from_dict(terms, x, domain="ZZ")
        low = 0 if self.generators[used[0]].sign else None
        if univariate.count_roots(low, None) - (1 if low == 0 and univariate.eval(0) == 0 else 0):
            return ""
        if low == 0 and univariate.eval(0) == 0:
            return "+" if self.generators[used[0]].sign == "+" and univariate.eval(1) > 0 else ""
        return "+" if univariate.eval(1) > 0 else "-"

    def rational(self, a: Frac) -> sympy.Rational | None:
        """The number that `a` is, if it is one."""
        if not (a.num.is_constant() and a.den.is_constant()):
            return None
        top = int(a.num.leading_coefficient()) if a.num else 0
        return sympy.Rational(top, int(a.den.leading_coefficient()))

    # ── back to SymPy ────────────────────────────────────────────────────────────────────────────────────────────────

    def to_expr(self, a: Frac) -> sympy.Expr:
        return self.poly_expr(a.num) / self.poly_expr(a.den)

    def poly_expr(self, poly: fmpz_mpoly) -> sympy.Expr:
        terms = [
            sympy.Mul(sympy.Integer(int(c)), *[self.generators[k].expr ** int(e) for k, e in enumerate(m) if e])
            for m, c in poly.to_dict().items()
        ]
        return sympy.Add(*terms)

    def lone_generator(self, poly: fmpz_mpoly) -> int | None:
        """The position of the generator that `poly` is, if it is one to the power 1 without a factor."""
        if len(poly) != 1 or poly.leading_coefficient() != 1:
            return None
        used = self.used(poly)
        return used[0] if len(used) == 1 and poly.degrees()[used[0]] == 1 else None

    def used(self, poly: fmpz_mpoly) -> list[int]:
        return [k for k, degree in enumerate(poly.degrees()) if degree] if poly else []


def _degrees(a: Frac) -> list[int]:
    """The degree in each generator of what stands above and below, the larger one."""
    above, below = (tuple(map(int, p.degrees())) if p else (0,) * p.context().nvars() for p in (a.num, a.den))
    return list(map(max, above, below))


def is_one(poly: fmpz_mpoly) -> bool:
    return bool(poly.is_one())


def _exact(a: fmpz_mpoly, b: fmpz_mpoly) -> fmpz_mpoly:
    return a if is_one(b) else divmod(a, b)[0]


def _terms_of_power(terms: int, exponent: int) -> int:
    """An upper bound of the number of terms of a power, cut off where it is too large anyway."""
    if terms <= 1 or exponent == 0:
        return 1
    size = 1
    for k in range(1, min(exponent, terms - 1) + 1):
        size = size * (exponent + terms - k) // k
        if size > LARGEST:
            return LARGEST + 1
    return size
