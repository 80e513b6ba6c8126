"""What follows from a definition and is written down beside it: slopes, stable forms, the steps of a derivation."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symdl.core.deadlines import now
from symdl.core.equations import Equation, equation
from symdl.core.functions import ScalarFunction
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, elements_in
from symdl.derivation.steps import Derivation, Partial, Step
from symdl.errors import SymdlError
from symdl.verification.decide import BUDGET, equal
from symdl.verification.partials import partial
from symdl.verification.totals import by_chain_rule, written_out
from symdl.verification.verdict import Status, Verdict


def check_function(cls: type[ScalarFunction], **options: Any) -> dict[str, Verdict]:
    """Decide each claim that a named function makes beside its definition.

    Args:
        cls: made by `scalar_function`.
        options: as for `equal` (`domain`, `budget`, …); the variable is the symbol x, parameters are a1, a2, …

    Returns:
        A verdict for each of `slope`, `stable`, `complement` and `logarithm` that it has. A slope is compared with the
        derivative of the definition, at kinks included: there the stated policy is the value.

    >>> from symdl.core.functions import scalar_function
    >>> square = scalar_function("square", lambda x: x**2, slope=lambda x: 2 * x)
    >>> print(check_function(square)["slope"])
    proved for all real x (normal form)
    """
    count = len(inspect.signature(cls.definition).parameters)
    names = ["x", *[f"a{k}" for k in range(1, count)]]
    arguments = [sympy.Symbol(name, real=True) for name in names]
    definition = sympy.sympify(cls.definition(*arguments), strict=True)
    expected = {
        "slope": definition.diff(arguments[0]),
        "stable": definition,
        "complement": 1 - definition,
        "logarithm": sympy.log(definition),
    }
    verdicts = {}
    for claim, truth in expected.items():
        written = getattr(cls, claim)
        if written is not None:
            verdicts[claim] = equal(written(*arguments), truth, **options)
    return verdicts


def recheck(derivation: Derivation, *, budget: float = BUDGET, **options: Any) -> list[tuple[Step, Verdict]]:
    """Decide every step of a derivation by itself: what stands before equals what stands after.

    ∂v/∂u is differentiated anew (by `symdl.verification.partials`), and both sides are compared first as they are,
    then with the equations put in: those of the definition, and those that the steps have arrived at for cotangents.
    Through a recurrence the whole target's slope is that by the chain rule, from the equations that read what it is a
    slope by; an expansion through time is written out.

    Args:
        derivation: by either possibility.
        budget: seconds for each step.
        options: as for `equal` (`seed`, `points`).
    """
    context = _Context(derivation)
    return [(step, context.verdict(step, budget, options)) for step in derivation.steps]


@dataclass
class _Context:
    """The equations that a step is read in."""

    derivation: Derivation
    forward: dict[str, Equation] = field(init=False)
    backward: dict[str, Equation] = field(init=False)
    time: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.forward = dict(self.derivation.source.by_name)
        self.backward = {n: e for n, e in self.derivation.gradient.by_name.items() if n not in self.forward}
        self.time = {n: a for g in groups(self.derivation.gradient.equations) for n, a in g.time.items()}
        for step in self.derivation.steps:
            if step.subject.name not in self.forward:
                self.backward[step.subject.name] = equation(step.subject.tensor, step.after)

    def verdict(self, step: Step, budget: float, options: dict[str, Any]) -> Verdict:
        started = now()
        try:
            return self._verdict(step, started, budget, options)
        except SymdlError as error:
            seconds = now() - started
            return Verdict(Status.UNDECIDED, "none", f"step {step.rule} of {step.subject}", None, str(error), seconds)

    def _verdict(self, step: Step, started: float, budget: float, options: dict[str, Any]) -> Verdict:
        total = isinstance(step.before, Partial) and step.before.of == self.derivation.of
        if self.time and self.derivation.via == "expand" and (total or step.rule == "E"):
            return written_out(self.derivation, step, budget, options)
        if total and self.time:
            return self._through_time(step, budget, options)
        before = self._opened(step.before, total)
        after = self._opened(step.after, total=False)
        if not total and step.rule != "D":
            plain = equal(before, after, budget=budget / 4, **options)
            if plain.proved:
                return plain
        kept = {p.by.name for p in (*step.before.atoms(Partial), *step.after.atoms(Partial))}
        sides = [self._inlined(side, kept) for side in (before, after)]
        return equal(*sides, budget=max(budget / 2, budget - (now() - started)), **options)

    def _through_time(self, step: Step, budget: float, options: dict[str, Any]) -> Verdict:
        """A total slope through a recurrence, by the chain rule over the equations that read what it is a slope by."""
        assert isinstance(step.before, Partial)
        total = by_chain_rule(self.derivation, step.before.by)
        verdict = equal(total, self._opened(step.after, total=False), budget=budget, **options)
        return replace(verdict, method=f"chain rule for each time, {verdict.method}") if verdict.proved else verdict

    def _opened(self, expr: sympy.Expr, total: bool) -> sympy.Expr:
        """∂v/∂u differentiated: of the whole target where `total`, else of the one equation of v."""
        return expr.xreplace({p: self._slope(p, total) for p in expr.atoms(Partial)})

    def _slope(self, node: Partial, total: bool) -> sympy.Expr:
        of: Element = node.of
        if total:
            return partial(self._inlined(of, {node.by.name}), node.by)
        return partial(self.forward[of.name].at(of.subscripts), node.by)

    def _past(self, element: Element) -> bool:
        """Whether an element of a recurrence is read at another time, t − 1."""
        axis = self.time.get(element.name)
        return axis is not None and not isinstance(element.subscripts[axis], Index)

    def _inlined(self, expr: sympy.Expr, kept: Iterable[str]) -> sympy.Expr:
        """All equations put in except those of `kept`; those of a recurrence only at the time that is spoken of."""
        stay = set(kept)
        for equations in (self.backward, self.forward):
            for _ in range(len(equations)):
                mine = [
                    e for e in elements_in(expr) if e.name in equations and e.name not in stay and not self._past(e)
                ]
                if not mine:
                    break
                expr = expr.xreplace({e: equations[e.name].at(e.subscripts) for e in mine})
        return expr
