"""Comparing two sides at many points with certified error: where a claim is refuted, or gains credit but no proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flint
import sympy
from flint import arb, fmpq

from symdl.core.deadlines import now
from symdl.core.definitions import Definition
from symdl.core.functions import Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, atoms_in, elements_in
from symdl.errors import BudgetError, UnsupportedError
from symdl.verification.balls import PRECISION, Evaluator, Fixed, evaluate
from symdl.verification.grids import LEAST, MOST, Grids, work
from symdl.verification.points import KINDS, Point, gather_limits
from symdl.verification.proofs import expose, kink_arguments
from symdl.verification.real import UnclearError, UndefinedError
from symdl.verification.verdict import Witness

#: How often numbers are drawn for a point that is to satisfy something, and how far apart those draws are: a number of
#: points after which their kinds repeat.
DRAWS, APART = 8, 1000


@dataclass
class Side:
    """One side of a claim: an expression, with the equations that it is read in, if any."""

    expr: sympy.Expr
    definition: Definition | None = None

    def expressions(self) -> list[sympy.Expr]:
        """Everything that is evaluated for it."""
        equations = self.definition.equations if self.definition else ()
        return [self.expr, *[t.body for eq in equations for t in eq.terms], *[eq.lhs for eq in equations]]

    def needed(self) -> Definition | None:
        """The equations that the expression depends on."""
        names = [e.name for e in elements_in(self.expr) if self.definition and e.name in self.definition.by_name]
        return self.definition.only(names) if self.definition and names else None


@dataclass
class Survey:
    """What a comparison at points has found.

    `one_sided` is a point at which exactly one side is defined, with certainty.
    """

    agreed: int = 0
    differed: Witness | None = None
    one_sided: Witness | None = None
    undefined: int = 0
    unclear: int = 0
    problem: str = ""

    @property
    def defined(self) -> int:
        return self.agreed + (self.differed is not None)


@dataclass
class Surveyor:
    """Draws points and compares both sides at them.

    Args:
        left, right: the sides; inputs are looked up in one point.
        free: the free indices, each with its values.
        extents: a number for each extent symbol.
        domain: relations that a point has to satisfy.
    """

    left: Side
    right: Side
    free: Sequence[Index] = ()
    extents: Mapping[sympy.Symbol, int] = field(default_factory=dict)
    domain: Sequence[Any] = ()
    seed: int = 0
    deadline: float = float("inf")

    def __post_init__(self) -> None:
        everything = [*self.left.expressions(), *self.right.expressions()]
        self.limits = gather_limits(everything)
        self.kinks = self._kinks(everything)
        self.needed = [side.needed() for side in (self.left, self.right)]
        self.work = max((work(d, self.extents) for d in self.needed if d is not None), default=0)

    def survey(self, points: int, into: Survey | None = None, first: int = 0, deadline: float | None = None) -> Survey:
        """Compare at `points` points; stops at the first difference, and at a deadline earlier than its own."""
        survey = into or Survey()
        stop = self.deadline if deadline is None else min(deadline, self.deadline)
        for number in range(first, first + points):
            if now() > stop:
                survey.problem = survey.problem or "out of time"
                break
            try:
                # of numbers that are to satisfy something others are drawn until they do: a claim that is wrong there
                # is refuted by few of them, and trying to prove it takes longer
                for again in range(DRAWS if self.domain else 1):
                    if self._compare(self._point(number + again * APART), survey, stop) or now() > stop:
                        break
            except (UnsupportedError, BudgetError) as error:
                survey.problem = error.what
                break
            except (ArithmeticError, ValueError, NotImplementedError, RecursionError) as error:
                survey.problem = f"SymPy gave up: {error}"
                break
            if survey.differed is not None:
                break
        return survey

    def _point(self, number: int) -> Point:
        kind = KINDS[number % len(KINDS)]
        point = Point(1_000_003 * self.seed + number, kind, self.extents, self.limits)
        if self.kinks and number % 2:
            argument, atom = self.kinks[(number // 2) % len(self.kinks)]
            place = self._on_kink(argument, atom, point)
            if place is not None:
                point.place(atom, place)
        return point

    def _kinks(self, expressions: list[sympy.Expr]) -> list[tuple[sympy.Expr, sympy.Expr]]:
        """Arguments of kinks with an unknown to solve for, where that is easy: plain scalars only."""
        found = []
        for expr in expressions:
            if expr.has(Switch, sympy.Abs, sympy.Max, sympy.Min, sympy.Piecewise) or atoms_in(expr, sympy.Function):
                for argument in kink_arguments(_exposed(expr)):
                    atoms = [a for a in argument.free_symbols | argument.atoms(Element) if _placed(a)]
                    for atom in sorted(atoms, key=sympy.default_sort_key)[:1]:
                        if argument.diff(atom).is_Rational:
                            found.append((argument, atom))
            if len(found) >= 8:
                break
        return found

    def _on_kink(self, argument: sympy.Expr, atom: sympy.Expr, point: Point) -> fmpq | None:
        slope = argument.diff(atom)
        rest = argument.xreplace({atom: sympy.S.Zero})
        elements = rest.atoms(Element)
        unknowns = (rest.free_symbols - {s for e in elements for s in e.free_symbols}) | elements
        if not all(_placed(u) for u in unknowns):
            return None
        number = rest.xreplace({u: _rational(point, u) for u in unknowns})
        if not number.is_Rational:
            return None
        value = -number / slope
        return fmpq(int(value.p), int(value.q))

    def _compare(self, point: Point, survey: Survey, deadline: float) -> bool:
        """Whether the point is one of those that the claim is about."""
        sides = [
            (side.expr, [Evaluator(point, side.definition, deadline, p) for p in (PRECISION, 4 * PRECISION)])
            for side in (self.left, self.right)
        ]
        self._fill([evaluators[0] for _, evaluators in sides])
        inside = False
        for where in self._places(point):
            indices = dict(zip(self.free, where, strict=True))
            if not self._inside(point, indices):
                if any(c.has(Index) for c in self.domain):
                    continue  # what is stated of w_j may hold at other places
                return inside
            inside = True
            left, right = (_value(expr, evaluators, indices) for expr, evaluators in sides)
            self._record(left, right, point, indices, survey)
            if survey.differed is not None:
                break
        return inside

    def _fill(self, evaluators: Sequence[Evaluator]) -> None:
        """Compute large tensors as a whole, what both sides have in common once."""
        if not LEAST <= self.work <= MOST:
            return
        before = flint.ctx.prec
        flint.ctx.prec = PRECISION
        try:
            grids = None
            for evaluator, definition in zip(evaluators, self.needed, strict=True):
                if definition is not None:
                    grids = Grids(evaluator, grids)
                    grids.fill(definition)
        finally:
            flint.ctx.prec = before

    def _places(self, point: Point) -> list[tuple[int, ...]]:
        """All values of the free indices where they are few, otherwise the corners and some in between."""
        ranges = [range(_number(i.extent, self.extents)) for i in self.free]
        total = 1
        for r in ranges:
            total *= len(r)
        if total <= 12:
            result: list[tuple[int, ...]] = [()]
            for r in ranges:
                result = [(*head, v) for head in result for v in r]
            return result
        drawn = {tuple(point.random.randrange(len(r)) for r in ranges) for _ in range(8)}
        return sorted({tuple(0 for _ in ranges), tuple(len(r) - 1 for r in ranges)} | drawn)

    def _inside(self, point: Point, indices: dict[Index, int]) -> bool:
        """True where the point satisfies the domain; only unknowns that occur are drawn."""
        evaluator = Evaluator(point, None, self.deadline)
        try:
            return all(evaluator.holds(condition, indices) for condition in self.domain)
        except (UndefinedError, UnclearError):
            return False

    def _record(
        self, left: arb | str, right: arb | str, point: Point, indices: dict[Index, int], survey: Survey
    ) -> None:
        texts = _written_apart(left, right)
        named = {**{i.name: str(v) for i, v in indices.items()}, **_extents_shown(self.extents), **point.shown}
        if isinstance(left, arb) and isinstance(right, arb):
            if not (left - right).contains(0):
                survey.differed = Witness(named, *texts)
            elif (left - right).rad() < (1 + abs(left)) * _SHARP:
                survey.agreed += 1
            else:
                survey.unclear += 1
        elif any(isinstance(v, str) and v.startswith("unclear") for v in (left, right)):
            survey.unclear += 1
        else:
            survey.undefined += 1
            if isinstance(left, arb) or isinstance(right, arb):
                survey.one_sided = survey.one_sided or Witness(named, *texts)


def _value(expr: sympy.Expr, evaluators: Sequence[Evaluator], indices: dict[Index, int]) -> arb | str:
    """The ball, at the first precision that gives one; or why there is none."""
    problem = ""
    for evaluator in evaluators:
        try:
            return evaluator.value(expr, indices)
        except UndefinedError as error:
            return f"undefined ({error.what})"
        except UnclearError as error:
            problem = f"unclear ({error.what})"
    return problem


#: Balls wider than this, relative to their size, agree with anything and count for nothing.
_SHARP = arb(2) ** -64


def _written_apart(left: arb | str, right: arb | str) -> list[str]:
    """Both values with as many digits as it takes to see that they differ."""
    for digits in (20, 40, 80, 300):
        texts = [v if isinstance(v, str) else v.str(digits) for v in (left, right)]
        if texts[0] != texts[1]:
            return texts
    return texts


def _exposed(expr: sympy.Expr) -> sympy.Expr:
    try:
        return expose(expr)
    except (UnsupportedError, ValueError, RecursionError):
        return expr  # its kinks are not aimed at; nothing else is lost


def _placed(atom: sympy.Expr) -> bool:
    if isinstance(atom, Element):
        return all(s.is_Integer for s in atom.subscripts)
    return not isinstance(atom, Index) and not atom.is_integer and atom.is_nonnegative is None


def _rational(point: Point, unknown: sympy.Expr) -> sympy.Rational:
    if isinstance(unknown, Element):
        value = point.element(unknown, tuple(int(s) for s in unknown.subscripts))
    else:
        value = point.symbol(unknown)
    return sympy.Rational(int(value.p), int(value.q))


def _number(extent: sympy.Expr, extents: Mapping[sympy.Symbol, int]) -> int:
    ball = evaluate(extent, Fixed(extents)).unique_fmpz()
    if ball is None:
        raise UnsupportedError(f"the extent {extent} is no number", remedy="give the extents numbers")
    return int(ball)


def _extents_shown(extents: Mapping[sympy.Symbol, int]) -> dict[str, str]:
    return {s.name: str(v) for s, v in extents.items()}
