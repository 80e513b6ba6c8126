"""The verdict on one link of a chain: first for all values of its names, then at the values that the document states.

Names are opened by their definitions. Where that proves the link, it holds for all values. Else the stated values are
put in for names that the link does not show, and last for all names: what then holds is proved at these values, and the
scope says so. What is refuted may rest on a reading or on a name that was never defined; then it is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import sympy

from symdl.core.deadlines import now
from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.library.activations import ACTIVATIONS
from symdl.verification.decide import equal
from symdl.verification.judging import assumptions, orders
from symdl.verification.judging.abstraction import without_functions
from symdl.verification.judging.called import taken_for_numbers
from symdl.verification.judging.chains import by_graph
from symdl.verification.judging.corners import has_corners, with_convention
from symdl.verification.judging.counting import counted
from symdl.verification.judging.customs import with_identity, with_means
from symdl.verification.judging.doubts import (
    CONDITIONS,
    Pair,
    across,
    defined_by_others,
    doubt,
    doubt_of_values,
    of_lists,
    only_given,
    says_when,
    says_which_function,
    unheard,
)
from symdl.verification.judging.either import with_either_sign
from symdl.verification.judging.entries import decide_entries
from symdl.verification.judging.entropies import by_entropies
from symdl.verification.judging.graphs import for_every_loss, of_entries
from symdl.verification.judging.induction import INDUCTION, by_induction
from symdl.verification.judging.kinds import of_its_kind
from symdl.verification.judging.otherwise_written import meant_otherwise
from symdl.verification.judging.placed import at_given_places
from symdl.verification.judging.readings import (
    otherwise_proved,
    under_what_was_said,
    without_what_is_over,
)
from symdl.verification.judging.rules import refuted_for_some
from symdl.verification.judging.shorter import in_either_reading
from symdl.verification.judging.solved import by_equations
from symdl.verification.judging.totals import as_a_target, where_it_sums_to_one
from symdl.verification.judging.unrolling import by_unrolling
from symdl.verification.judging.withinaxes import within_axes
from symdl.verification.judging.worked import (
    as_condition,
    at_values,
    decide_figures,
    fixed_numbers,
    has_figures,
    relations_of,
    sums_slopes,
    undecided,
)
from symdl.verification.meaning.arrays import Array, transposed
from symdl.verification.meaning.calculus import checked_to_be_there
from symdl.verification.meaning.errors import BEYOND, MeaningError, ShapesError, reason_of
from symdl.verification.meaning.expectation import is_mean, means_opened
from symdl.verification.meaning.naming import head, names_in
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import ORDERS, PROPORTIONS, Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import is_open, opened, valued
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk
from symdl.verification.verdict import Status, Verdict, weakest

#: Seconds of processor time for one formula; the part of them that one decision may take, since several follow each
#: other; and the part after which no other one begins, so that what was found can still be told.
SECONDS, DECISION, ENOUGH = 10.0, 0.4, 0.85

#: The method of an undecided verdict on sides whose shapes do not go together.
SHAPES = "shapes"

EXACT = frozenset({"=", "≡"})
_EQUAL = frozenset({"=", "≡", "≈", "≃", "≅", "≐", ":=", "≜"})


@dataclass
class Judge:
    """Judges links in the scope as it is now.

    `quick` is for whoever asks for a proof only: what would hold on a condition is not looked for.
    """

    reading: Reading
    seed: int = 0
    budget: float = DECISION * SECONDS
    end: float = float("inf")
    quick: bool = False
    zeros: list[Array] = field(default_factory=list)

    def begin(self, seconds: float) -> None:
        """With another formula, for which there are so many seconds."""
        self.zeros = []
        self.budget, self.end = DECISION * seconds, now() + ENOUGH * seconds

    @property
    def seconds(self) -> float:
        """For the next decision."""
        return min(self.budget, self.end - now())

    def verdict(self, link: Meaning) -> Verdict:
        """What is to be said of a link; a definition is one too."""
        started = now()
        found = self._judged(link)
        if found.status in (Status.UNDECIDED, Status.REFUTED) and not self.quick:
            closed = by_unrolling(self, link) or by_induction(self, link)
            found = found if closed is None else closed
        if found.status is Status.UNDECIDED and link.relation in _EQUAL | ORDERS | PROPORTIONS:
            other = None if self.quick else of_its_kind(self, link)
            other = other if other is not None else otherwise_proved(self, link)
            other = other if other is not None else refuted_for_some(self, link)
            other = other if other is not None else with_either_sign(self, link)
            found = other if other is not None else found
            if found.status is Status.UNDECIDED and link.values is None and says_which_function(self.reading, link):
                found = as_condition("so for some functions only")
        elif found.status is Status.CONDITIONAL and not self.quick:
            found = for_every_loss(self, link) or found
        elif found.status is Status.REFUTED and found.method != INDUCTION:
            other = under_what_was_said(self, link)
            other = by_equations(self, link) if other is None and not self.quick else other
            other = of_entries(self, link) if other is None and not self.quick else other
            found = other if other is not None else found
            found = in_either_reading(self, link, found) if found.status is Status.REFUTED else found
        if not (found.proved or link.defines or self.quick or found.status is Status.CONSISTENT):
            other = meant_otherwise(self, link)
            found = other if other is not None else found
        if found.status in (Status.UNDECIDED, Status.REFUTED):
            found = at_given_places(self, link, found)
        if not link.defines and (why := unheard(self.reading, link) or taken_for_numbers(self.reading, link)):
            found = undecided(why, found)
        notes = "; ".join(link.notes)
        if notes:
            found = replace(found, reason=f"{found.reason}; {notes}" if found.reason else notes)
        return replace(found, seconds=now() - started)

    def _judged(self, link: Meaning) -> Verdict:
        try:
            found = self._verdict(link)
        except BEYOND as error:
            found = undecided(reason_of(error))
        return counted(found, link.free, link.starts)

    def _verdict(self, link: Meaning) -> Verdict:
        if link.named:
            return self._named(link)
        if link.solves is not None and (found := by_equations(self, link)) is not None:
            return found
        if link.defines:
            return Verdict(Status.DEFINITION, "definition", link.defines, reason=link.reason)
        if (found := by_entropies(self, link)) is not None:
            return found
        if link.relation in EXACT and (found := by_graph(self.reading, link, self.seed, self.seconds / 2)):
            return found
        if link.values is None or link.relation not in _EQUAL | ORDERS:
            told = undecided(link.reason or f"{link.relation} is not decided")
            return replace(told, method=SHAPES) if link.unfit else told
        try:
            left, right = self._aligned(link)
        except ShapesError as error:
            return self._turned_only(link) or replace(undecided(str(error)), method=SHAPES)
        of_entries = decide_entries(self.reading.scope, (link.left, link.right), link.values, link.relation)
        if of_entries is not None and link.relation in _EQUAL:
            why = doubt_of_values(self.reading, link) if of_entries.status is Status.REFUTED else ""
            return undecided(why, of_entries) if why else of_entries
        found = self._levels(link, *assumptions.of_pairs(self.reading, link, (left, right)))
        if found.status in (Status.PROVED, Status.CONSISTENT) and across(link):
            return replace(found, status=Status.CONDITIONAL, reason="equal if a row is no other than its column")
        return found

    # ── definitions that say which function they are ─────────────────────────────────────────────────────────────────

    def _named(self, link: Meaning) -> Verdict:
        """a(x) = …, of which the words before it say that it is the sigmoid."""
        found = head(self.reading.reader(), link.left)
        function = found and self.reading.scope.functions.get(found[0].name)
        if not function:
            return Verdict(Status.DEFINITION, "definition", link.defines)
        verdict = self.is_the_named(link, function.parameters[0], function.value.body)
        told = f"the words before it say that it is the {link.named}"
        if verdict.status in (Status.REFUTED, Status.PROVED):
            return replace(verdict, reason=told if verdict.proved else f"{told}, which it is not")
        return Verdict(Status.DEFINITION, "definition", link.defines)

    def is_the_named(self, link: Meaning, parameter: str, body: sympy.Expr) -> Verdict:
        """Whether what stands for a function of `parameter` is the one that the words name."""
        defined = ACTIVATIONS[link.named].defined(element(parameter))
        body = opened(self.reading.scope, body)
        domain = self.domain(body, defined)  # "for x > 0" behind it: that is one case of several
        return equal(body, defined, domain=domain, seed=self.seed, budget=self.seconds)

    def of_one_example(self, link: Meaning) -> bool:
        """Whether C = ½ ‖y − a‖² is what C = 1/n Σ_x C_x was the mean of."""
        if link.values is None:
            return False
        scope = self.reading.scope
        mean, one = (opened(scope, v.body) for v in link.values)
        factors = sympy.Mul.make_args(mean)
        sums = [f for f in factors if isinstance(f, Reduction) and f.op == "sum" and len(f.bound) == 1]
        if len(sums) != 1 or link.values[0].axes or link.values[1].axes:
            return False
        counted = sympy.Mul(*[f for f in factors if f not in sums])  # 1/n
        known = {sums[0].body, sums[0].body * counted.as_coeff_Mul()[0]}
        return any(self.decided(link, body, one).proved for body in known)

    # ── levels ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _aligned(self, link: Meaning) -> Pair:
        assert link.values is not None
        a, b = link.values
        scope = self.reading.scope
        for e in (e for side in link.values for e in side.body.atoms(Element)):
            slope = scope.slopes.get((e.name, len(e.subscripts)))
            if slope is not None:  # g_i of g_i = ∂L/∂y_i is there where y_i is
                checked_to_be_there(scope, element(slope.name, e.subscripts))
        if a.axes and b.axes:
            if a.rank != b.rank:
                raise MeaningError(f"{a.kind} and {b.kind}")
            for i, j in zip(a.axes, b.axes, strict=True):
                if not scope.fit(i.extent, j.extent):
                    raise ShapesError(f"an axis of {i.extent} and an axis of {j.extent}")
            return a.body, b.at(a.axes)
        if a.axes or b.axes:
            number = a if b.axes else b
            if number.body.atoms(Element) or number.body.free_symbols:
                raise MeaningError(f"{a.kind} and {b.kind}")
        return a.body, b.body

    def _levels(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict:
        scope = self.reading.scope
        forms = opened(scope, left), opened(scope, right)
        ranging = assumptions.ranging(self.reading)
        numbers = valued(scope, forms[0], ranging), valued(scope, forms[1], ranging)
        numbers = assumptions.without_small(numbers)
        worked_out = not any(is_open(n) for n in numbers)
        if worked_out and (link.relation not in _EQUAL or not (is_open(left) and is_open(right))):
            found = decide_figures(self.reading, link, numbers)
            if found.status is Status.REFUTED and (is_open(left) or is_open(right)) and says_when(link):
                why = "not so at the stated values: read as a condition"
                return as_condition(why) if only_given(self.reading, link) else undecided(why, found)
            why = doubt_of_values(self.reading, link) if found.status is Status.REFUTED else ""
            return undecided(why, found) if why else found
        verdict = self.decided(link, *forms)
        if verdict.proved:
            return verdict
        formulas = [scope.formula_of(e) for f in forms for e in f.atoms(Element)]
        if verdict.status is Status.UNDECIDED and any(f is not None and f.recurrent for f in formulas):
            raw = self._with_states_open(link, scope.settled(left), scope.settled(right))
            if raw is not None:
                return raw
        shown_names = names_in(self.reading.reader(), (link.left, link.right))
        partly = valued(scope, forms[0], shown_names), valued(scope, forms[1], shown_names)
        if partly != forms and any(is_open(p) for p in partly):
            found = self.decided(link, *partly)
            if found.proved or (found.status is Status.CONDITIONAL and verdict.status is Status.REFUTED):
                return at_values(found, forms, partly)
        alone = self._with_numbers_of_one_side(link, forms)
        if alone is not None:
            return alone
        if worked_out and (has_figures(link) or (link.relation in EXACT and of_lists(self.reading, link))):
            found = decide_figures(self.reading, link, numbers)
            if found.status in (Status.PROVED, Status.CONSISTENT):
                return found
        return self._sound(link, verdict, forms)

    def decided(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict:
        if left.has(UnknownFunction) or right.has(UnknownFunction):
            return self._for_every_function(link, left, right)
        (left, right), domain, _ = assumptions.with_signs((left, right), self.domain(left, right))
        for one, other in ((left, right), (right, left)):
            if isinstance(one, sympy.Piecewise) and not other.has(sympy.Piecewise):
                return self._by_case(link, one, other)
        if link.relation in ORDERS:
            return orders.decide(left, right, link.relation, domain, self.seed, self.seconds)
        return equal(left, right, domain=domain, seed=self.seed, budget=self.seconds)

    def _for_every_function(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict:
        names = sorted({type(c).__name__.split("′")[0] for e in (left, right) for c in e.atoms(UnknownFunction)})
        forms = without_functions((means_opened(left), means_opened(right)))
        found = self.decided(link, *forms)
        for pair in (forms, (self.reading.scope.settled(forms[0]), self.reading.scope.settled(forms[1]))):
            if found.status is Status.REFUTED:  # nothing is refuted of functions that nobody defines
                found = self._normalised(link, found, pair)
        if found.proved or found.status is Status.CONDITIONAL:
            scope = f"every function {', '.join(names)}"
            return replace(found, scope=scope if found.scope == "these numbers" else f"{found.scope}; {scope}")
        if found.status is Status.DEFINITION and says_which_function(self.reading, link):
            return as_condition("so for some functions only")
        if all(is_mean(c) for e in (left, right) for c in e.atoms(UnknownFunction)):
            return undecided("not so for every distribution, and too little is said of this one")
        return undecided(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not defined here")

    def _by_case(self, link: Meaning, cases: sympy.Piecewise, other: sympy.Expr) -> Verdict:
        """Cases against a formula: each of them where it applies; where none does, nothing is claimed."""
        found = []
        before: list[sympy.Basic] = []
        for value, condition in cases.args:
            told = [*before, *relations_of(condition)]
            verdict = equal(
                other, value, domain=[*self.domain(other, value), *told], seed=self.seed, budget=self.seconds
            )
            found.append((f"the case {condition}" if told else "the last case", verdict))
            before += [c.negated for c in relations_of(condition)] if len(relations_of(condition)) == 1 else []
        return weakest(found, sum(v.seconds for _, v in found))

    def domain(self, left: sympy.Expr, right: sympy.Expr) -> list[sympy.Basic]:
        """What the document states of the names on both sides, as relations."""
        return assumptions.domain(self.reading, (left, right))

    def _with_states_open(self, link: Meaning, left: sympy.Expr, right: sympy.Expr) -> Verdict | None:
        """What is proved of the names of a recurrence for any numbers, or says only of which ones the text speaks."""
        found = self.decided(link, left, right)
        if found.proved or found.status is Status.DEFINITION:
            return found
        return as_condition("so for some values only") if found.status is Status.REFUTED and says_when(link) else None

    def _with_numbers_of_one_side(self, link: Meaning, forms: Pair) -> Verdict | None:
        """(a − y) x = a is so at the stated x = 1 and y = 0: with numbers for names that stand on one side only."""
        scope, reader = self.reading.scope, self.reading.reader()
        sides = names_in(reader, [link.left]), names_in(reader, [link.right])
        given = {n for n in sides[0] ^ sides[1] if (f := scope.formulas.get((n, 0))) is not None and f.given}
        if not given or link.relation not in EXACT:
            return None
        kept = (sides[0] | sides[1]) - given
        partly = valued(scope, forms[0], kept), valued(scope, forms[1], kept)
        if partly == forms or not any(is_open(p) for p in partly):
            return None
        found = self.decided(link, *partly)
        return at_values(found, forms, partly) if found.proved else None

    def _sound(self, link: Meaning, verdict: Verdict, forms: Pair) -> Verdict:
        """What was refuted, unless it rests on something that the document leaves open."""
        if verdict.status is Status.CONSISTENT:
            return self._away_from_kinks(link, forms) or verdict
        if verdict.status is not Status.REFUTED:
            return verdict
        fixed = cache(lambda: fixed_numbers(link, verdict, forms, lambda *pair: self.decided(link, *pair)))
        condition = link.condition and link.relation not in ORDERS and not defined_by_others(link, forms)
        if self.reading.wished or (condition and fixed() is None):
            why = "so for some values only"
            return undecided(f"{why}: a condition, or wrong") if sums_slopes(link) else as_condition(why)
        hot = assumptions.one_hot(self.reading, forms)
        if hot is not None:
            found = self.decided(link, *hot[0])
            if found.status is not Status.REFUTED:
                return replace(found, scope=f"{found.scope}, {', '.join(hot[1])} one-hot")
            verdict = found
        current = assumptions.of_this_section(self.reading, forms)
        if current != forms:
            return self._sound(link, self.decided(link, *current), current)
        less = None if self.quick else assumptions.hanging_on_less(forms)
        other = self.decided(link, *less[0]) if less is not None else None
        if less is not None and other is not None and other.proved:
            return replace(other, status=Status.CONDITIONAL, reason=less[1])
        claim = replace(link, condition=False) if condition else link
        why = doubt(self.reading, claim, forms, never=lambda: fixed() is not None)
        if why and why not in CONDITIONS and says_when(link):
            other = self._normalised(link, verdict, forms)  # Σ_a π_a (Q_a − V) = 0, since Σ_a π_a = 1
            if other.proved:
                return other
        if why:
            return as_condition(why) if why in CONDITIONS else undecided(why, verdict)
        if assumptions.with_signs(forms, self.domain(*forms))[2]:
            return undecided("what is stated of all entries may matter here", verdict)
        off = self._away_from_kinks(link, forms)
        if off is not None:
            return off
        for pair, told in within_axes(self.reading.scope, forms, link.free):
            if (other := self.decided(link, *pair)).proved:
                reason = f"so where {told}"
                return replace(other, status=Status.CONDITIONAL, reason=reason, witness=verdict.witness)
        for reading in () if self.quick else (without_what_is_over, with_identity, with_means):
            other = reading(self, link)
            if other is not None and other.status is not Status.REFUTED:
                return other
        if link.relation in ORDERS or fixed() is not None:
            return verdict  # nothing makes two different numbers one: not a vector that sums to 1 either
        other = None if self.quick else self._turned_only(link)
        if other is not None:
            return replace(other, witness=verdict.witness)
        if self.quick and not self.reading.scope.sums_to_one:
            return verdict
        left, right = map(self.reading.scope.settled, self._aligned(link))
        for pair in (forms, (left, right)):
            verdict = self._normalised(link, verdict, pair)
        return self._of_a_target(link, verdict) if verdict.status is Status.REFUTED and not self.quick else verdict

    def read_in(self, reading: Reading, link: Meaning, over: str = "") -> Verdict:
        """The verdict in another reading; `over`: what is left open there."""
        judge = replace(self, reading=reading)
        reader = judge.reading.reader()
        try:
            values = reader.value(link.left), reader.value(link.right)
        except SymdlError:
            return undecided(f"{over} may mean something else here")
        again = replace(link, values=values, free=tuple(reader.free.values()), starts=())
        found = judge._judged(again)
        return replace(found, reason=found.reason or (f"{over} left open" if over else ""))

    def _away_from_kinks(self, link: Meaning, forms: Pair) -> Verdict | None:
        """Proved wherever no corner is: what holds at the corner itself is a convention."""
        if not any(map(has_corners, forms)):
            return None
        for weight in (sympy.S.Zero, sympy.S.One):
            left, right = (with_convention(f, weight) for f in forms)
            found = self.decided(link, left, right)
            if not found.proved:
                return None
        reason = "at the corner itself the two are different conventions"
        return replace(found, scope=f"{found.scope}, away from corners", reason=reason)

    def _normalised(self, link: Meaning, verdict: Verdict, forms: Pair) -> Verdict:
        """Whether it is so where some vector sums to 1, as targets and probabilities do."""
        if verdict.status is not Status.REFUTED:
            return verdict
        found = where_it_sums_to_one(self.reading, link, verdict, forms, lambda pair: self.decided(link, *pair))
        return verdict if found is None else found

    def _of_a_target(self, link: Meaning, verdict: Verdict) -> Verdict:
        """The same, where such a vector was set to something else before."""

        def read(reading: Reading) -> Pair:
            reader = reading.reader()
            judge = replace(self, reading=reading)
            pair = judge._aligned(replace(link, values=(reader.value(link.left), reader.value(link.right))))
            return opened(reading.scope, pair[0]), opened(reading.scope, pair[1])

        for reading, forms, told in as_a_target(self.reading, link, read):
            judge = replace(self, reading=reading)
            found = where_it_sums_to_one(reading, link, verdict, forms, lambda p, j=judge: j.decided(link, *p), told)  # type: ignore[misc]
            if found is not None:
                return found
        return verdict

    def _turned_only(self, link: Meaning) -> Verdict | None:
        """The verdict on what holds in the other layout only."""
        other = self._turned(link)
        if other is None or not other.proved:
            return None
        reason = "equal to the transpose: right in the numerator layout"
        return replace(other, status=Status.CONDITIONAL, reason=reason)

    def _turned(self, link: Meaning) -> Verdict | None:
        """∂L/∂W in the other layout: the transpose of what is claimed."""
        assert link.values is not None
        derived = any(isinstance(n, (tree.Derivative, tree.Gradient)) for n in walk(link.left))
        a, b = link.values
        if not derived or a.rank != 2 or b.rank != 2:
            return None
        try:
            left, right = self._aligned(replace(link, values=(transposed(a), b)))
        except MeaningError:
            return None
        return self.decided(link, opened(self.reading.scope, left), opened(self.reading.scope, right))
