"""Proof that two scalars are equal: the normal form of their difference is zero, case by case where there are kinks.

A branch in which an argument of a kink is positive is entered by substitution where the argument is linear in an
unknown (x − y > 0: x = y + p with p > 0), so that everything in it simplifies; otherwise its sign is kept as a fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import sympy

from symdl.core.deadlines import deadline as open_deadline, until
from symdl.core.functions import UNSTATED, Delta, ScalarFunction, Switch
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction
from symdl.errors import UnsupportedError
from symdl.verification.generators import Memory, Table
from symdl.verification.normal_form import Outcome, normalise
from symdl.verification.normaliser import Condition
from symdl.verification.piecewise import as_switches

#: Kinks deeper than this are not taken apart: each one makes three branches.
DEEPEST = 6


@dataclass
class Proof:
    """What a proof rests on: where each side is defined, which divisors must not vanish, how many cases there were."""

    left: set[Condition] = field(default_factory=set)
    right: set[Condition] = field(default_factory=set)
    divisors: set[sympy.Expr] = field(default_factory=set)
    cases: int = 0


@dataclass(frozen=True)
class Claim:
    """left = right, given the signs of some expressions ("+", "0+", "-", "0-").

    `positions` names integer tensors whose values are positions of an axis of the extent that stands beside each.
    """

    left: sympy.Expr
    right: sympy.Expr
    facts: tuple[tuple[sympy.Expr, str], ...] = ()
    positions: tuple[tuple[str, sympy.Expr], ...] = ()

    def substituted(self, mapping: dict[sympy.Expr, sympy.Expr]) -> Claim:
        facts = tuple((e.xreplace(mapping), s) for e, s in self.facts)
        return replace(self, left=self.left.xreplace(mapping), right=self.right.xreplace(mapping), facts=facts)

    def also(self, expr: sympy.Expr, sign: str) -> Claim:
        return replace(self, facts=(*self.facts, (expr, sign)))


def prove(claim: Claim, deadline: float = float("inf")) -> Proof | None:
    """A proof of the claim where both sides are defined, or None: that says nothing.

    Raises:
        BudgetError: out of time, or too large.

    >>> x = sympy.Symbol("x", real=True)
    >>> prove(Claim(sympy.Max(0, x), (x + sympy.Abs(x)) / 2)).cases
    3
    """
    found = Proof()
    with until(deadline):
        return found if _prove(claim, found, open_deadline(), 0) else None


def _prove(claim: Claim, found: Proof, deadline: float, depth: int) -> bool:
    problem = None
    try:
        if _by_normal_form(claim, found, deadline):
            found.cases += 1
            return True
    except UnsupportedError as error:
        problem = error
    exposed = replace(claim, left=expose(claim.left), right=expose(claim.right))
    argument = next(kink_arguments(exposed.left, exposed.right), None)
    if argument is None or depth >= DEEPEST:
        if problem is not None:
            raise problem
        return False
    return all(_prove_branch(exposed, argument, sign, found, deadline, depth + 1) for sign in ("0", "-", "+"))


#: What SymPy makes of a sum or product in which something is divided by 0.
_NO_VALUE = {sympy.nan, sympy.zoo}


def _prove_branch(claim: Claim, argument: sympy.Expr, sign: str, found: Proof, deadline: float, depth: int) -> bool:
    mapping = solved(argument, sign)
    if mapping is not None:
        placed = claim.substituted(mapping)
        if {placed.left, placed.right} & _NO_VALUE:  # divided by 0 wherever the argument is 0: nothing is claimed there
            found.divisors.add(argument)
            return True
        return _prove(_resolved(placed), found, deadline, depth)
    chosen = _chosen(claim, argument, sign)
    if sign != "0":
        return _prove(chosen.also(argument, sign), found, deadline, depth)
    return _by_normal_form(chosen, found, deadline, vanishing=argument)


def _by_normal_form(claim: Claim, found: Proof, deadline: float, vanishing: sympy.Expr | None = None) -> bool:
    """Zero difference, first with the given signs, then with what both sides need in order to be defined."""
    memory = Memory(facts=list(claim.facts), positions=dict(claim.positions), deadline=deadline)
    expressions = [claim.left, claim.right] + ([vanishing] if vanishing is not None else [])
    for _ in range(3):
        outcome = normalise(expressions, memory)
        if _vanishes(outcome, deadline):
            found.left |= outcome.conditions[0]
            found.right |= outcome.conditions[1]
            found.divisors |= _divisors(outcome.table)
            return True
        needed = [(c.expr, "+" if c.strict else "0+") for c in outcome.conditions[0] | outcome.conditions[1]]
        new = [fact for fact in needed if fact not in memory.facts]
        if not new and (memory.steps or not _mixes_kinks(claim)):
            return False
        memory.steps = not new
        memory.facts += sorted(new, key=str)
    return False


def _mixes_kinks(claim: Claim) -> bool:
    """True where absolute values stand in sums: there is no case distinction that reaches them."""
    sums = [r for side in (claim.left, claim.right) for r in side.atoms(Reduction)]
    return any(r.has(sympy.Abs) for r in sums)


def _vanishes(outcome: Outcome, deadline: float) -> bool:
    table, (left, right, *rest) = outcome.table, outcome.forms
    difference = table.reduced(table.add(left, table.neg(right)))
    if not difference.num:
        return True
    if rest:
        divisor = table.reduced(rest[0]).num
        return bool(divisor) and not divmod(difference.num, divisor)[1]
    guards = [table.generators[k] for k in table.used(difference.num) if table.generators[k].kind == "guard"]
    if not guards:
        return False
    return _guard_cases(table.to_expr(table.poly(difference.num)), guards[0].expr, deadline, 0)


def _guard_cases(difference: sympy.Expr, guard: sympy.Expr, deadline: float, depth: int) -> bool:
    """δ(i, j) with free indices: once as 0, and once as 1 with i = j put in everywhere."""
    if depth > DEEPEST:
        return False
    branches = [difference.xreplace({guard: sympy.S.Zero})]
    index, value = _index_solved(guard) if isinstance(guard, Delta) else (None, None)
    one = difference.xreplace({guard: sympy.S.One})
    branches.append(one if index is None else one.xreplace({index: value}))
    for branch in branches:
        outcome = normalise([branch], Memory(deadline=deadline))
        table, form = outcome.table, outcome.table.reduced(outcome.forms[0])
        if not form.num:
            continue
        more = [table.generators[k] for k in table.used(form.num) if table.generators[k].kind == "guard"]
        rest = [g for g in more if g.expr != guard]
        if not rest or not _guard_cases(table.to_expr(table.poly(form.num)), rest[0].expr, deadline, depth + 1):
            return False
    return True


def _index_solved(guard: Delta) -> tuple[Index | None, sympy.Expr | None]:
    difference = sympy.expand(guard.args[0] - guard.args[1])
    for index in indices_in(difference):
        slope = difference.coeff(index, 1)
        value = sympy.expand(-(difference - slope * index) / slope) if slope in (1, -1) else None
        if value is not None and not value.has(index):
            return index, value
    return None, None


def _divisors(table: Table) -> set[sympy.Expr]:
    """Factors of divisors that may vanish somewhere."""
    found: set[sympy.Expr] = set()
    for poly in table.divisors.values():
        for factor, _ in poly.factor()[1]:
            if table.sign(factor) not in ("+", "-"):
                found.add(table.poly_expr(factor))
    return found


# ── kinks ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_SYMPY_KINKS = (sympy.Abs, sympy.Max, sympy.Min, sympy.Piecewise, sympy.sign, sympy.Heaviside)


def expose(expr: sympy.Expr) -> sympy.Expr:
    """Every kink outside of reductions as a `Switch`, named functions with kinks by their definitions."""
    if expr.is_Atom or isinstance(expr, (Element, Reduction)):
        return expr
    if isinstance(expr, ScalarFunction) and expr.defined().has(Switch, *_SYMPY_KINKS):
        return expose(expr.defined())
    if isinstance(expr, sympy.Piecewise):
        return expose(as_switches(expr))
    arguments = [expose(a) if isinstance(a, sympy.Expr) else a for a in expr.args]
    rebuilt = expr.func(*arguments) if list(expr.args) != arguments else expr
    return expose(as_switches(rebuilt)) if isinstance(rebuilt, _SYMPY_KINKS) else rebuilt


def kink_arguments(*expressions: sympy.Expr) -> Iterator[sympy.Expr]:
    """The arguments of the kinks outside of reductions, the innermost and simplest first."""
    found = {s for e in expressions for s in _switches(e)}
    arguments = {s.args[0] for s in found if s.weight != UNSTATED and not s.args[0].has(Switch)}
    yield from sorted(arguments, key=lambda a: (sympy.count_ops(a), sympy.default_sort_key(a)))


def _switches(expr: sympy.Expr) -> Iterator[Switch]:
    if isinstance(expr, Reduction):
        return
    if isinstance(expr, Switch):
        yield expr
    for argument in expr.args:
        if isinstance(argument, sympy.Expr):
            yield from _switches(argument)


def solved(argument: sympy.Expr, sign: str) -> dict[sympy.Expr, sympy.Expr] | None:
    """The substitution that gives `argument` a sign ("+", "-", "0", "0+", "0-"), if it is linear in an unknown."""
    for atom in _unknowns(argument):
        slope = argument.diff(atom)
        if not slope.is_Rational or slope == 0:
            continue
        rest = argument.xreplace({atom: sympy.S.Zero})
        if rest.has(atom):
            continue
        return {atom: (_of_sign(sign) - rest) / slope}
    return None


def _unknowns(expr: sympy.Expr) -> list[sympy.Expr]:
    """Unknowns that stand in `expr` by themselves, those of which nothing is known first."""
    elements = expr.atoms(Element)
    inside = {s for e in elements for s in e.free_symbols}
    atoms = [s for s in expr.free_symbols if not isinstance(s, Index) and s not in inside] + list(elements)
    usable = [a for a in atoms if not a.is_integer]
    free = [a for a in usable if a.is_nonnegative is None and a.is_nonpositive is None]
    return sorted(free, key=sympy.default_sort_key) or (
        [expr.as_coeff_Mul()[1]] if expr.as_coeff_Mul()[1] in usable else []
    )


def _of_sign(sign: str) -> sympy.Expr:
    if sign == "0":
        return sympy.S.Zero
    size = sympy.Dummy("p", positive=True) if sign in "+-" else sympy.Dummy("p", nonnegative=True)
    return -size if sign.endswith("-") else size


def _resolved(claim: Claim) -> Claim:
    """Evaluate switches whose arguments have a sign once they are multiplied out."""
    mapping = {}
    for switch in {*_switches(claim.left), *_switches(claim.right)}:
        expanded = sympy.expand(switch.args[0])
        if expanded != switch.args[0]:
            mapping[switch] = switch.func(expanded, *switch.args[1:])
    return claim.substituted(mapping) if mapping else claim


def _chosen(claim: Claim, argument: sympy.Expr, sign: str) -> Claim:
    """Put in the side of every switch over a multiple of `argument`."""
    mapping = {}
    for switch in {*_switches(claim.left), *_switches(claim.right)}:
        ratio = sympy.cancel(switch.args[0] / argument) if switch.args[0] != argument else sympy.S.One
        if ratio.is_Rational and ratio != 0:
            x = {"+": sympy.S.One, "-": sympy.S.NegativeOne, "0": sympy.S.Zero}[sign] * ratio
            mapping[switch] = Switch(x, *switch.args[1:])
    return claim.substituted(mapping)
