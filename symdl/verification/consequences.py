"""What follows from equations: whether an expression is 0 wherever some others are.

Each equation is a polynomial in generators (see `generators.py`) that is set to 0. One after the other is solved for a
generator in which it is linear, c g + d = 0, and g = −d/c is put into the others and into what is to be shown: if that
is 0 then, it is 0 wherever the equations hold and no c is 0. Each step is an identity of polynomials, so that the
relations that generators obey change nothing. This is elimination, and no Gröbner basis: what it does not find stays
open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy
from flint import fmpz, fmpz_mpoly

from symdl.core.deadlines import now
from symdl.verification.generators import Memory, Table
from symdl.verification.normal_form import normalise

#: Orders in which equations are solved, and terms of a polynomial, before this gives up.
ORDERS, TERMS = 24, 2_000


@dataclass(frozen=True)
class Consequence:
    """A proof that an expression is 0 where some equations hold.

    Args:
        used: the positions of the equations that were solved.
        apart: what may not be 0, and is not known to be something else.
    """

    used: tuple[int, ...]
    apart: tuple[sympy.Expr, ...]


def follows(
    zeros: Sequence[sympy.Expr],
    claimed: sympy.Expr,
    deadline: float = float("inf"),
    signs: Sequence[tuple[sympy.Expr, str]] = (),
) -> Consequence | None:
    """Whether `claimed` is 0 wherever all of `zeros` are; None where that is not found.

    Args:
        zeros: scalars, sums over indices among them; those that are 0 by themselves say nothing.
        claimed: the difference of two sides.
        deadline: on the clock of `symdl.core.deadlines`.
        signs: of some expressions, as in `generators.Memory`.

    Raises:
        UnsupportedError, UndefinedError, BudgetError: there is no normal form.

    >>> x, y, n = sympy.symbols("x y n", real=True)
    >>> follows([2 * x - n * y], 3 * n * y - 6 * x)
    Consequence(used=(0,), apart=())
    >>> follows([n * x - y], x - y / n).apart, follows([n * x - n * y], x - y).apart
    ((), (n,))
    >>> follows([2 * x - y], x - y) is None
    True
    """
    outcome = normalise([*zeros, claimed], Memory(facts=list(signs), deadline=deadline))
    table = outcome.table
    *given, target = (table.reduced(f) for f in outcome.forms)
    system = _System(table, {k: f.num for k, f in enumerate(given) if f.num}, deadline)
    if not target.num or any(p.is_constant() for p in system.polys.values()):
        return None
    divided = [f for form in (*given, target) for f, _ in form.den.factor()[1]]
    divided += [f for p in table.divisors.values() for f, _ in p.factor()[1]]
    best: Consequence | None = None
    for used, left, divisors in system.solved(target.num):
        if left:
            continue
        open_ = [f for f in divisors if f not in divided and -f not in divided and table.sign(f) not in ("+", "-")]
        found = Consequence(used, tuple(dict.fromkeys(table.poly_expr(f) for f in open_)))
        if not found.apart:
            return found
        best = best or found
    return best


@dataclass
class _System:
    table: Table
    polys: dict[int, fmpz_mpoly]
    deadline: float

    def solved(self, target: fmpz_mpoly) -> Iterator[tuple[tuple[int, ...], fmpz_mpoly, list[fmpz_mpoly]]]:
        """What is left of the target, for several orders of solving, with the equations and what was divided by."""
        tried = 0
        ahead: list[tuple[dict[int, fmpz_mpoly], fmpz_mpoly, tuple[int, ...], list[fmpz_mpoly]]]
        ahead = [(self.polys, target, (), [])]
        while ahead and tried < ORDERS and now() < self.deadline:
            polys, left, used, divisors = ahead.pop()
            tried += 1
            if not left:
                yield used, left, divisors
                continue
            ahead += reversed(list(self._next(polys, left, used, divisors)))

    def _next(
        self, polys: dict[int, fmpz_mpoly], left: fmpz_mpoly, used: tuple[int, ...], divisors: list[fmpz_mpoly]
    ) -> Iterator[tuple[dict[int, fmpz_mpoly], fmpz_mpoly, tuple[int, ...], list[fmpz_mpoly]]]:
        """One equation solved for one generator, those whose divisors are numbers first."""
        for _, k, g in sorted(self._pivots(polys, left)):
            factor, rest = _linear(polys[k], g)
            others = {m: _without(p, g, factor, rest) for m, p in polys.items() if m != k}
            others = {m: p for m, p in others.items() if p}
            target = _without(left, g, factor, rest)
            if any(self._too_much(p, polys[m], rest) for m, p in others.items()) or len(target) > TERMS:
                continue
            factors = [f for f, _ in factor.factor()[1]]
            if any(not _without(f, g, factor, rest) for f in factors):
                continue
            yield others, target, (*used, k), [*divisors, *factors]

    @staticmethod
    def _too_much(poly: fmpz_mpoly, before: fmpz_mpoly, rest: fmpz_mpoly) -> bool:
        """Whether equations contradict each other, or leave a product that is 0, or lead nowhere.

        x + y = 0 and x = y leave 2 y = 0: rather than that y is 0, one of both is not as it is written. Where x = 0 is
        put in, that is what is said.
        """
        return poly.is_constant() or (len(poly) == 1 < len(before) and bool(rest)) or len(poly) > TERMS

    def _pivots(self, polys: dict[int, fmpz_mpoly], left: fmpz_mpoly) -> Iterator[tuple[tuple[int, int], int, int]]:
        wanted = set(self.table.used(left))
        for k, poly in polys.items():
            degrees = poly.degrees()
            for g in self.table.used(poly):
                if degrees[g] != 1:
                    continue
                factor, _ = _linear(poly, g)
                yield (0 if factor.is_constant() else len(factor), 0 if g in wanted else 1), k, g


def _linear(poly: fmpz_mpoly, g: int) -> tuple[fmpz_mpoly, fmpz_mpoly]:
    """c and d of c g + d."""
    parts: tuple[dict[tuple[int, ...], fmpz], ...] = {}, {}
    for monomial, coefficient in poly.to_dict().items():
        powers = tuple(map(int, monomial))
        parts[powers[g]][(*powers[:g], 0, *powers[g + 1 :])] = coefficient
    rest, factor = (poly.context().from_dict(p) for p in parts)
    return factor, rest


def _without(poly: fmpz_mpoly, g: int, factor: fmpz_mpoly, rest: fmpz_mpoly) -> fmpz_mpoly:
    """A polynomial times a power of c, with −d for c g."""
    by_power: dict[int, dict[tuple[int, ...], fmpz]] = {}
    for monomial, coefficient in poly.to_dict().items():
        powers = tuple(map(int, monomial))
        by_power.setdefault(powers[g], {})[(*powers[:g], 0, *powers[g + 1 :])] = coefficient
    most = max(by_power, default=0)
    total = poly.context().constant(0)
    for power, terms in by_power.items():
        total += poly.context().from_dict(terms) * (-rest) ** power * factor ** (most - power)
    return total.primitive()[1] if total else total
