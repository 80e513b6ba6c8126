"""The verdict on one claim left = right: refuted at a point, proved by the normal form, or neither.

Points come first because they are fast and certain; the proof second; more points last, for credit without proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symdl.core.deadlines import now, until
from symdl.core.functions import ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Tensor, atoms_in
from symdl.errors import BudgetError, SymdlError, UnsupportedError
from symdl.verification.balls import PRECISION
from symdl.verification.points import extent_symbols, gather_limits
from symdl.verification.proofs import Claim, Proof, prove, solved
from symdl.verification.real import UndefinedError
from symdl.verification.surveys import Side, Survey, Surveyor
from symdl.verification.verdict import Status, Verdict

#: Points before a proof is tried, and in all where there is none.
FIRST_POINTS, ALL_POINTS = 6, 40
#: Where even they take longer than this, or than this share of the time, the proof is tried before them.
SECONDS_FOR_FIRST_POINTS, SHARE_FOR_FIRST_POINTS = 2.0, 0.25
#: The share of the time that a proof leaves while no point has been compared.
_KEPT_FOR_POINTS = 0.15
#: Agreement at fewer points than this is not worth a word.
FEWEST_POINTS = 8

#: How a prover says that it has written out sums of a few lengths.
FEW_EXTENTS = " and extents "

Prover = Callable[[float], "tuple[Proof, str, str] | None"]


@dataclass
class Question:
    """One claim on its way to a verdict.

    `prover` returns the proof, its method and the extents it holds for, in words. `elsewhere` looks at other extents,
    which counts where that is not all of them.
    """

    surveyor: Surveyor
    prover: Prover
    scope: str
    started: float
    deadline: float
    points: int = ALL_POINTS
    first: int = FIRST_POINTS
    conditional: Callable[[], str | None] = lambda: None
    elsewhere: Callable[[], Iterable[Surveyor]] = tuple

    def verdict(self) -> Verdict:
        """The answer."""
        soon = now() + max(SECONDS_FOR_FIRST_POINTS, SHARE_FOR_FIRST_POINTS * (self.deadline - now()))
        survey = self.surveyor.survey(min(self.first, self.points), deadline=soon)
        if survey.differed is not None:
            return self._refuted(survey)
        left = self.deadline - now()  # where nothing is known yet, some of it is kept for points
        proof, problem = self._proof(self.deadline - (0 if survey.defined else _KEPT_FOR_POINTS * left))
        if proof is not None and survey.defined == 0 and not survey.problem:
            survey = self.surveyor.survey(self.points, survey, self.first)
            if survey.differed is not None:
                return self._refuted(survey)
        if proof is None or proof[2].startswith(FEW_EXTENTS):
            other = self._refuted_elsewhere(self.first if proof is None else self.points)
            if other is not None:
                return other
        if proof is not None and (survey.defined or survey.problem):
            return self._proved(survey, *proof)
        if survey.problem == "out of time":
            again = self.surveyor.survey(self.points)  # from the first one on: they had little time
            survey = again if again.differed is not None or again.defined >= survey.defined else survey
        else:
            survey = self.surveyor.survey(self.points - self.first, survey, self.first)
        if survey.differed is not None:
            return self._refuted(survey)
        return self._open(survey, problem)

    def _refuted_elsewhere(self, points: int) -> Verdict | None:
        """Refuted at other extents than those that are tried first.

        Where nothing but that is between the claim and a proof, at all points: a third entry is seldom the largest.
        """
        for surveyor in self.elsewhere():
            survey = surveyor.survey(points)
            if survey.differed is not None:
                return self._refuted(survey)
        return None

    def _proof(self, deadline: float) -> tuple[tuple[Proof, str, str] | None, str]:
        try:
            with until(deadline):
                return self.prover(deadline), ""
        except (UnsupportedError, BudgetError, UndefinedError) as error:
            return None, str(error)
        except RecursionError:
            return None, "the expression is nested too deeply"
        except (ArithmeticError, ValueError, NotImplementedError) as error:  # from SymPy: never a proof
            return None, f"SymPy gave up: {error}"

    def _answer(self, status: Status, method: str, **more: Any) -> Verdict:
        scope = more.pop("scope", self.scope)
        return Verdict(status, method, scope, seconds=now() - self.started, **more)

    def _refuted(self, survey: Survey) -> Verdict:
        assumption = self.conditional()
        if assumption is not None:
            return self._answer(
                Status.CONDITIONAL,
                "normal form under the assumption, ball arithmetic outside it",
                witness=survey.differed,
                reason=f"equal where {assumption}, which is not stated",
            )
        return self._answer(Status.REFUTED, "ball arithmetic", witness=survey.differed)

    def _proved(self, survey: Survey, proof: Proof, method: str, extents: str) -> Verdict:
        left, right = {str(c) for c in proof.left}, {str(c) for c in proof.right}
        if left != right:
            survey = self.surveyor.survey(self.points, survey, self.first)
            if survey.one_sided is not None:
                assumption = " and ".join(sorted(left ^ right))
                return self._answer(
                    Status.CONDITIONAL,
                    method,
                    witness=survey.one_sided,
                    reason=f"equal where both sides are defined; one of them needs {assumption}",
                )
        scope = self.scope + extents + _where(proof)
        told = f"{method}, {proof.cases} cases" if proof.cases > 1 else method
        return self._answer(Status.PROVED, told, scope=scope)

    def _open(self, survey: Survey, problem: str) -> Verdict:
        if survey.agreed >= FEWEST_POINTS:
            method = f"ball arithmetic at {survey.agreed} points, {PRECISION} bits"
            return self._answer(Status.CONSISTENT, method, reason=problem or "no proof was found")
        reasons = [problem or "no proof was found", survey.problem]
        if not survey.defined:
            reasons.append(
                f"no point was found where both sides are defined ({survey.undefined} undefined, "
                f"{survey.unclear} unclear)"
            )
        return self._answer(Status.UNDECIDED, "none", reason="; ".join(r for r in reasons if r))


def _where(proof: Proof) -> str:
    conditions = sorted({str(c) for c in proof.left | proof.right})
    conditions += sorted(f"{d} ≠ 0" for d in map(str, proof.divisors))
    if not conditions:
        return ""
    if len(conditions) > 4 or any(len(c) > 60 for c in conditions):
        return ", where both sides are defined"
    return f", where {', '.join(conditions)}"


def decide_scalars(
    left: sympy.Expr,
    right: sympy.Expr,
    *,
    domain: Sequence[Any] = (),
    seed: int = 0,
    points: int = ALL_POINTS,
    deadline: float,
    started: float,
) -> Verdict:
    """The verdict on two scalars whose unknowns are symbols and elements with numbers for subscripts."""
    left, right, domain = unified(left, right, domain)
    claim = with_domain(left, right, domain)

    def prover(until: float) -> tuple[Proof, str, str] | None:
        proof = prove(claim, until)
        return None if proof is None else (proof, "normal form", "")

    surveyor = Surveyor(Side(left), Side(right), domain=domain, seed=seed, deadline=deadline)
    scope = scope_of(sympy.Tuple(left, right), domain)
    question = Question(surveyor, prover, scope, started, deadline, points)
    question.conditional = lambda: positivity(left, right, domain, deadline)
    return question.verdict()


def unified(
    left: sympy.Expr, right: sympy.Expr, domain: Iterable[Any]
) -> tuple[sympy.Expr, sympy.Expr, tuple[Any, ...]]:
    """One real symbol for each name: Symbol("x") and Symbol("x", real=True) are the same unknown to a reader."""
    conditions = tuple(domain)
    by_name: dict[str, list[sympy.Symbol]] = {}
    for part in (left, right, *conditions):
        for symbol in part.free_symbols:
            if type(symbol) is sympy.Symbol:
                by_name.setdefault(symbol.name, []).append(symbol)
    mapping = {}
    for name, symbols in by_name.items():
        assumptions: dict[str, bool] = {"real": True}
        for symbol in symbols:
            given = {k: v for k, v in symbol.assumptions0.items() if k in _KEPT and v is not None}
            assumptions |= given
        one = sympy.Symbol(name, **assumptions)
        mapping.update({s: one for s in symbols if s != one})
    if not mapping:
        return left, right, conditions
    return left.xreplace(mapping), right.xreplace(mapping), tuple(c.xreplace(mapping) for c in conditions)


_KEPT = ("positive", "negative", "nonnegative", "nonpositive", "nonzero", "integer")


def with_domain(left: sympy.Expr, right: sympy.Expr, domain: Sequence[Any]) -> Claim:
    """The claim with the domain put in: x > 1 as x = 1 + p with p > 0, anything else as a fact."""
    claim = Claim(left, right)
    pending = list(domain)
    while pending:
        condition = pending.pop(0)
        kind = _SIGNS.get(type(condition))
        if kind is None:
            continue  # x ≠ 0 and the like: true outside of a set that the proof names in its scope
        argument = condition.lhs - condition.rhs
        claim = claim if kind == "0" else claim.also(argument, kind)
        mapping = solved(argument, kind)
        if mapping is not None:
            claim = claim.substituted(mapping)
            pending = [c.xreplace(mapping) for c in pending]
            pending = [c for c in pending if c not in (True, sympy.true, False, sympy.false)]
    return claim


_SIGNS: dict[type, str] = {
    sympy.StrictGreaterThan: "+",
    sympy.GreaterThan: "0+",
    sympy.StrictLessThan: "-",
    sympy.LessThan: "0-",
    sympy.Equality: "0",
}


def positivity(left: sympy.Expr, right: sympy.Expr, domain: Sequence[Any], deadline: float) -> str | None:
    """The signs of unknowns under which a refuted claim holds: √x² = x for x ≥ 0.

    Asked only where absolute values, roots or logarithms stand in it: a wrong branch of a ReLU is wrong, and not
    conditional.
    """
    both = sympy.Tuple(left, right)
    kinked = both.has(Switch, sympy.Max, sympy.Min, sympy.Piecewise, sympy.Heaviside)
    kinked = kinked or any(f.defined().has(Switch) for f in both.atoms(ScalarFunction))
    rooted = any(p.exp.is_Rational and not p.exp.is_Integer for p in both.atoms(sympy.Pow))
    if kinked or not (rooted or both.has(sympy.Abs, sympy.log)):
        return None
    unknowns = [s for s in _unknowns(both) if s.is_nonnegative is None and s.is_nonpositive is None]
    if not 1 <= len(unknowns) <= 6:
        return None
    inside = {a.args[0] for a in both.atoms(sympy.Abs, sympy.log)}
    inside |= {p.base for p in both.atoms(sympy.Pow) if not p.exp.is_Integer}
    others = sorted((a for a in inside if a not in unknowns and a.is_polynomial()), key=sympy.default_sort_key)
    subsets = [[u] for u in unknowns] + ([unknowns] if len(unknowns) > 1 else []) + [[a] for a in others[:6]]
    for subset in subsets:
        conditions = [*domain, *[sympy.Ge(u, 0, evaluate=False) for u in subset]]
        try:
            if prove(with_domain(left, right, conditions), deadline) is not None:
                return " and ".join(f"{u} ≥ 0" for u in subset)
        except SymdlError:
            continue
    return None


def _unknowns(expr: sympy.Basic) -> list[sympy.Expr]:
    elements = atoms_in(expr, Element)
    inside = {s for e in elements for s in e.free_symbols}
    symbols = {s for s in expr.free_symbols if not isinstance(s, Index) and s not in inside}
    return sorted(symbols | elements, key=sympy.default_sort_key)


def scope_of(
    expr: sympy.Expr,
    domain: Sequence[Any] = (),
    inputs: Sequence[Tensor] | None = None,
    limits: Mapping[str, sympy.Expr] | None = None,
) -> str:
    """The values that a verdict is about, in words.

    `limits` gives for each integer tensor that subscripts another one the extent that its values stay below.

    >>> i = Index("i"); x, tok = Tensor("x", (i,)), Tensor("tok", (i,), integer=True)
    >>> scope_of(x[tok[i]] + tok[i])
    'all real x[i] and all integer tok[i] with 0 ≤ tok < I'
    """
    extents = extent_symbols([expr])
    limits = gather_limits([expr]) if limits is None else limits
    symbols = sorted(
        {s.name: s for s in expr.free_symbols if not isinstance(s, Index) and s not in extents}.values(),
        key=lambda s: s.name,
    )
    tensors = (
        inputs if inputs is not None else sorted({e.tensor for e in atoms_in(expr, Element)}, key=lambda t: t.name)
    )
    real = [_described(s.name, s) for s in symbols if not s.is_integer]
    real += [_described_tensor(t) for t in tensors if not t.integer]
    whole = [_described(s.name, s) for s in symbols if s.is_integer]
    whole += [_described_tensor(t) for t in tensors if t.integer]
    kinds = [f"all {kind} {_listed(names)}" for kind, names in (("real", real), ("integer", whole)) if names]
    facts = [f"0 ≤ {t.name} < {limits[t.name]}" for t in tensors if t.name in limits]
    facts += [str(c) for c in domain]
    facts += [f"Σ {t.name} = 1 over {t.indices[-1].name}" for t in tensors if Fact.SUMS_TO_ONE in t.facts]
    facts += [f"{t.name} {fact}" for t in tensors for fact in sorted(t.facts - SIGNS) if fact is not Fact.SUMS_TO_ONE]
    return (" and ".join(kinds) or "these numbers") + (f" with {', '.join(facts)}" if facts else "")


def _listed(names: list[str]) -> str:
    return ", ".join([*names[:11], f"{len(names) - 11} more"] if len(names) > 12 else names)


def _described(name: str, unknown: sympy.Expr) -> str:
    if unknown.is_positive:
        return f"{name} > 0"
    if unknown.is_nonnegative:
        return f"{name} ≥ 0"
    return name


#: Facts that are told as a sign.
SIGNS = frozenset({Fact.POSITIVE, Fact.NONNEGATIVE})


def _described_tensor(tensor: Tensor) -> str:
    sign = " > 0" if Fact.POSITIVE in tensor.facts else " ≥ 0" if Fact.NONNEGATIVE in tensor.facts else ""
    return f"{tensor.element()}{sign}"


def weaker(proof: Proof, other: Proof) -> Proof:
    """What two proofs rest on together."""
    return replace(
        proof,
        left=proof.left | other.left,
        right=proof.right | other.right,
        divisors=proof.divisors | other.divisors,
        cases=proof.cases + other.cases,
    )
