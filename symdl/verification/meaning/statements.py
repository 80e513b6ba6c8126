"""What a formula states: a definition, a claim, a condition, a shape, an update; and what it leaves in the scope.

An equation whose left side is a name that nobody has defined yet defines it, in a chain by the first side that is not
such a name; the other links claim something. A name that has a meaning in the same section is not defined again: the
equation claims something of it. Given numbers may be given anew.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from symdl.errors import SymdlError
from symdl.verification.meaning import binding, cases, naming, newness, values
from symdl.verification.meaning.arrays import scalar
from symdl.verification.meaning.bycases import Told, in_one_case
from symdl.verification.meaning.claiming import claims_of
from symdl.verification.meaning.connections import made_of_more
from symdl.verification.meaning.equations import Equation, equated, letters, set_equation, solution_of
from symdl.verification.meaning.errors import MeaningError, OpenError
from symdl.verification.meaning.examples import at_example, of_one_example
from symdl.verification.meaning.generic import generalised
from symdl.verification.meaning.graph import named_slope
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.known import Known
from symdl.verification.meaning.layers import at_layer
from symdl.verification.meaning.letters import letters_of, subscripting
from symdl.verification.meaning.names import INDEX_LETTERS, letter_of
from symdl.verification.meaning.pairs import over_pairs
from symdl.verification.meaning.rounding import figures
from symdl.verification.meaning.scope import Formula, Scope, Slope
from symdl.verification.meaning.stated import (
    DEFINITIONS,
    EQUALITIES,
    KINDS,
    ORDERS,
    PROPORTIONS,
    Meaning,
    Place,
    hanging,
    links,
    subscripted,
)
from symdl.verification.meaning.telling import (
    ASSUMED,
    claims_nothing,
    moment_of,
    without_dots_between,
    without_list_before,
)
from symdl.verification.meaning.usage import range_of
from symdl.verification.notation import tree, unicode
from symdl.verification.notation.tree import Node, walk


def _bound_of_an_index(chain: tree.Chain) -> tuple[str, str, int] | None:
    """k, ≠ and 0 of k ≠ 0, of a letter that usually is an index; k, ≥ and 1 of k > 0 and of k = 1, …, K."""
    if len(chain.sides) != 2 or chain.relations[0] not in ("≠", ">", "≥"):
        return None
    letter, number = letter_of(chain.sides[0]), chain.sides[1]
    if letter not in INDEX_LETTERS or not isinstance(number, tree.Number) or not number.text.isdigit():
        return None
    strictly = chain.relations[0] == ">"
    return letter, "≥" if strictly else chain.relations[0], int(number.text) + strictly


@dataclass
class Reading(Known):
    """Goes through the statements of a document, from the first to the last."""

    def finish(self, *, updates: bool = False) -> None:
        """What a statement sets anew counts from here on: its own links were about the old values.

        With `updates`, so do updates w ← w − η g: those that follow each other are all made of the old values.
        """
        self.worth |= self.worked_out
        self.worked_out = {}
        pending, self.pending = self.pending, []
        for each in pending:
            self._bind(self.scope, *each)
        slopes, ahead = dict(self.scope.slopes), list(self.scope.ahead)
        deeper, self.deeper = self.deeper, []
        for each in deeper:
            self._bind(self.scope, *each)
        if deeper:  # the names stand for what they stood for
            self.scope.slopes, self.scope.ahead = slopes, ahead
        if updates and self.updates:
            before = self.scope.copy()
            for each in self.updates:
                new = before.copy()
                self._bind(new, *each, update=True)
                self.scope.take(new, before)
            self.updates = []

    def _bind(self, scope: Scope, side: Node, value: Node, place: Place, *, update: bool = False) -> None:
        reader = replace(self.reader(), scope=scope)
        try:
            binding.defined(reader, side, value, place.section, place.line)
            self._understood(reader, side)
        except SymdlError as error:
            if isinstance(error, OpenError) and newness.is_lone_function(reader, value):
                self._left_open(reader, side)
            elif update:  # it is what it is then
                for name in naming.heads(reader, side):
                    self.scope.forget(name)
            else:
                self._not_understood(reader, side)

    def statement(self, node: tree.Chain, place: Place, previous: Node | None = None) -> list[Meaning]:
        """The links of a chain, each with its meaning; definitions are in the scope from then on.

        Args:
            previous: the last side of the row before, for a row that begins with a relation.

        After its links have been judged, call `finish`.
        """
        if not (node.relations and node.relations[0] == "←"):
            self.finish(updates=True)  # updates one after another are all from the old values
        self.finish()
        self.merged = dict(self.scope.merged)
        node = replace(node, sides=tuple(over_pairs(without_list_before(list(node.sides), node.relations))))
        sides = list(node.sides)
        if isinstance(sides[0], tree.Empty) and previous is not None:
            sides[0] = previous
        relations = node.relations
        if isinstance(sides[-1], tree.Empty):
            sides, relations = sides[:-1], relations[:-1]
        sides, relations = without_dots_between(sides, relations)
        if not relations:
            return []
        self.section, self.wished, self.through = place.section, place.condition, []
        self.scope.section = place.section
        self._put_under(place.under)
        self.apart += [
            (letter, "≥", int(first.text))
            for chain in place.ranges
            if (ends := range_of(chain)) is not None
            and isinstance(first := ends[0], tree.Number)
            and first.text.isdigit()
            for letter in map(letter_of, chain.sides[:1])
        ]
        self.unclear |= place.loosely
        if place.passing:
            return [Meaning(a, b, r, defines="a condition of its sentence") for a, b, r in links(sides, relations)]
        if isinstance(node.sides[0], tree.Empty) and previous is not None:
            self.heads |= letters_of(self.reader(), sides[0], heads_only=True)
        else:
            self.heads = letters_of(self.reader(), sides[0], heads_only=True)
        self.indices = dict.fromkeys(self.heads & self.usage.letters | self.usage.classes, "") | subscripting(
            self.reader(), sides
        )
        continued = self.formal if sides[0] is not node.sides[0] else set()
        self.formal = continued | naming.formal_arguments(self.reader(), sides)
        if len(sides) == 2 and relations[0] in EQUALITIES and hanging(sides[0], sides[1]):
            return [Meaning(sides[0], sides[1], relations[0], defines="what it hangs on")]
        told = claims_nothing(self.reader(), sides, relations)
        if told and not (told == ASSUMED and self._distribution_said(sides[:-1])):
            found = [Meaning(a, b, r, defines=told) for a, b, r in links(sides, relations)]
            if told == ASSUMED:
                self.equations += [Equation(m, place.section, True) for m in found]
            return found
        if relations[0] in KINDS | PROPORTIONS:
            return self._kinds(sides, relations)
        if relations[-1] in KINDS and set(relations[:-1]) <= EQUALITIES | DEFINITIONS:
            kind = self._kinds(sides[-2:], relations[-1:])
            return [*self._chain(sides[:-1], relations[:-1], place, continued=sides[0] is not node.sides[0]), *kind]
        if relations[0] == "←":
            found = self._update(sides, relations, place)
        elif set(relations) <= EQUALITIES | ORDERS | DEFINITIONS:
            if isinstance(sides[0], tree.Derivative) and isinstance(sides[-1], tree.Number):
                self.worked_out = {sides[0]: sides[-1]}
            if figures(sides[-1]) and set(relations) <= EQUALITIES | DEFINITIONS:
                self.shown[sides[0]] = (*self.shown.get(sides[0], ()), sides[-1])
            found = equated(self._chain(sides, relations, place, continued=sides[0] is not node.sides[0]), sides, place)
        else:
            reason = f"{next(r for r in relations if r not in EQUALITIES | ORDERS)} is not decided"
            found = [Meaning(a, b, r, reason=reason) for a, b, r in links(sides, relations)]
        return found

    def _distribution_said(self, sides: list[Node]) -> bool:
        """Whether words say already what mean and variance the name in E[w] has: then E[w] = 0 is a claim."""
        inner = [moment_of(side) for side in sides]
        names = [self.reader().parts(node) for node in inner if node is not None]
        parts = [self.reader().parts(n) for n, _, section in self.moments.variances if section[:1] == self.section[:1]]
        said = {p.name for p in parts if p is not None}
        return len(names) == len(sides) and all(p is not None and p.name in said for p in names)

    def assume(self, link: Meaning, place: Place) -> None:
        """∂L/∂w = 0, set so: what comes after it may follow from it."""
        found = set_equation(self.reader(), link, place)
        if found is not None:
            self.equations.append(found)

    def under_what_was_said(self) -> Reading | None:
        """The reading under the condition that the words before spoke of; None where there is none."""
        if not self.lately:
            return None
        made = replace(self, under=[], pairs=[], unclear=False)
        made._put_under((*self.conditions, *self.lately))
        return None if made.unclear else made

    def _put_under(self, conditions: tuple[tree.Chain, ...]) -> None:
        """The conditions of the sentence: relations between numbers, and indices that are the same or are not."""
        self.under, self.pairs, self.unclear, self.conditions, self.apart = [], [], False, conditions, []
        for chain in conditions:
            if bound := _bound_of_an_index(chain):
                self.apart.append(bound)
                continue
            letters = [letter_of(side) for side in chain.sides]
            if len(letters) == 2 and all(letters) and chain.relations[0] in ("=", "≠"):
                self.pairs.append((letters[0], letters[1], chain.relations[0] == "="))
                continue
            try:
                self.under += cases.condition(self.reader(), chain)
            except MeaningError:
                self.unclear = True

    def _kinds(self, sides: list[Node], relations: tuple[str, ...]) -> list[Meaning]:
        made = []
        for a, b, relation in links(sides, relations):
            told = binding.declared(self.reader(), a, b) if relation == "∈" else ""
            if relation in PROPORTIONS and not newness.is_open(self.reader(), a):
                made.append(Meaning(a, b, relation, reason=f"{relation} is not decided"))
                continue
            made.append(Meaning(a, b, relation, defines=told or "what kind of thing it is"))
        return made

    def _update(self, sides: list[Node], relations: tuple[str, ...], place: Place) -> list[Meaning]:
        """w ← w − η g = 1.68: the new value is worked out with the old ones, and counts from now on."""
        rest = claims_of(self, self.reader(), sides[1:], relations[1:])
        self.updates.append((sides[0], sides[1], place))
        return [Meaning(sides[0], sides[1], "←", defines="a new value"), *rest]

    def _chain(self, sides: list[Node], relations: tuple[str, ...], place: Place, *, continued: bool) -> list[Meaning]:
        reader = self.reader()
        if relations[0] in ORDERS:
            return self._ordered(reader, sides, relations, place)
        if not (place.under or continued) and relations == ("=",) and newness.says_which(reader, sides):
            return [Meaning(sides[0], sides[1], "=", defines="a condition")]
        inside = None if continued or relations[0] not in {"=", *DEFINITIONS} else newness.logged(reader, sides[0])
        if inside is not None and self._is_new(inside, [inside, *sides[1:]], place):
            return self._by_its_logarithm(inside, sides, relations, place)
        if len(sides) == 2 and relations == ("=",) and not continued:
            one = of_one_example(reader, *sides)
            if one is not None:
                (name,) = naming.heads(reader, sides[0])
                self.scope.bind(name, Formula(scalar(one), section=place.section, line=place.line))
                return [Meaning(sides[0], sides[1], "=", defines=f"{name}, of one example")]
        if not continued and relations[0] in {"=", *DEFINITIONS}:
            is_new = self._names(sides, relations, place)
            told_so_far = in_one_case(reader, sides, place, self.told_by_cases, is_new=is_new)
            if told_so_far is not None:
                return self._case(told_so_far, sides, relations, place)
        leading = 0
        generic = None if continued or relations[0] != "=" else generalised(sides[0], sides[1])
        if generic is not None and not self._said_of(generic):
            return self._at_any_place(generic, sides, relations, place)
        if not continued and (relations[0] in DEFINITIONS or self._names(sides, relations, place)):
            leading = 1
            while leading < len(sides) - 1 and self._also_named(sides[leading], sides):
                leading += 1
        if leading == 1 and (solved := self._solved(reader, sides, relations, place)):
            return solved
        if leading and all(relations[k] in EQUALITIES | DEFINITIONS for k in range(leading)):
            return self._definition(reader, sides, relations, place, leading)
        told = binding.own_entries(reader, sides[0], sides[1]) if len(sides) == 2 and relations[0] in EQUALITIES else ""
        if told:
            return [Meaning(sides[0], sides[1], relations[0], defines=told)]
        found = claims_of(self, reader, sides, relations)
        if not continued and relations[0] in {"=", "≡"} and newness.redefinable(self.reader(), sides[0], sides[1]):
            found[0] = replace(found[0], redefines=True)
        return [*found[:1], *self._of_another_example(found[1:], sides[1:], sides[:1], place)]

    def _solved(
        self, reader: Interpreter, sides: list[Node], relations: tuple[str, ...], place: Place
    ) -> list[Meaning]:
        """What is said of an unknown of equations that were set: μ̂ = (1/n) Σ_i x_i, after ∂ℓ/∂μ = 0.

        It follows from them, or it is what the name stands for from here on.
        """
        parts = reader.parts(unknown := solution_of(sides[0]))
        if relations[0] != "=" or parts is None or parts.transposed:
            return []
        if newness.bound_to(reader, parts) is not None and not newness.solved_again(reader, sides, self.solved):
            return []
        own = [e for e in self.equations if e.sure or e.section[:1] == place.section[:1]]
        names = {name for e in own for side in e.sides for name in letters(side)}
        if letters(unknown).isdisjoint(names) or letters(sides[1]).isdisjoint(names):
            return []
        self.pending.append((sides[0], sides[1], place))
        self.solved |= {(name, place.line) for name in naming.heads(reader, sides[0])}
        told = Meaning(sides[0], sides[1], "=", solves=unknown, defines=unicode(sides[0]))
        return [told, *claims_of(self, self.reader(), sides[1:], relations[1:])]

    def _case(self, told: Told, sides: list[Node], relations: tuple[str, ...], place: Place) -> list[Meaning]:
        """f(x) = x for x > 0, which says nothing of f elsewhere; with the cases that were told before."""
        self.told_by_cases[sides[0]] = told
        rest = claims_of(self, self.reader(), sides[1:], relations[1:])
        reader, problem, text = self.reader(), "", unicode(sides[0])
        try:
            text = binding.defined(reader, sides[0], told.value, place.section, place.line)
            self._understood(reader, sides[0])
        except SymdlError as error:
            problem = str(error)
            self._not_understood(reader, sides[0])
        named = place.named if newness.applied_to_one(reader, sides[0]) else ""
        return [Meaning(sides[0], sides[1], relations[0], defines=text, reason=problem, named=named), *rest]

    def _names(self, sides: list[Node], relations: tuple[str, ...], place: Place) -> bool:
        return relations[0] != "≈" and self._is_new(sides[0], sides, place)

    def _by_its_logarithm(
        self, inside: Node, sides: list[Node], relations: tuple[str, ...], place: Place
    ) -> list[Meaning]:
        """log p(x) = −x²/2, of a p of which nothing was said."""
        value = tree.Applied(tree.Symbol("exp", "rm"), tree.Group(sides[1]))
        problem = ""
        try:
            binding.defined(self.reader(), inside, value, place.section, place.line)
            self._understood(self.reader(), inside)
        except SymdlError as error:
            problem = str(error)
            self._not_understood(self.reader(), inside)
        rest = claims_of(self, self.reader(), sides[1:], relations[1:])
        return [Meaning(sides[0], sides[1], relations[0], defines=unicode(sides[0]), reason=problem), *rest]

    def _said_of(self, generic: tuple[Node, Node]) -> bool:
        """Whether f(t) is known to be that already."""
        reader = self.reader()
        try:
            left, right = reader.value(generic[0]), reader.value(generic[1])
            return bool(values.opened(self.scope, left.body) == values.opened(self.scope, right.body))
        except SymdlError:
            return False

    def _at_any_place(
        self, generic: tuple[Node, Node], sides: list[Node], relations: tuple[str, ...], place: Place
    ) -> list[Meaning]:
        """f(x + ε) = g(x + ε), of an f that is another one than before, or of which nothing was said."""
        binding.defined(self.reader(), *generic, place.section, place.line)
        rest = claims_of(self, self.reader(), sides[1:], relations[1:])
        return [Meaning(sides[0], sides[1], "=", defines="f at any place"), *rest]

    def _also_named(self, side: Node, sides: list[Node]) -> bool:
        """b of a = b = 2, where nothing was said of b, or another number."""
        return newness.is_unbound(self.reader(), side) or newness.is_given(self.reader(), side, sides)

    def redefine(self, link: Meaning, place: Place) -> None:
        """Give the name on the left another meaning, and those that were set to it, once `finish` is called."""
        self.pending += [(link.left, link.right, place), *self.through]

    def is_slope(self, side: Node) -> bool:
        """Whether a side is a name that was given in this chapter to a slope, at all places or of something open."""
        slopes = self.scope.named_slopes().items()
        named = {name for (name, rank), s in slopes if rank or not self.scope.all_of(s.target, 0)}
        named -= {name for (name, _), s in slopes if s.target in self.scope.opaque}
        return not named.isdisjoint(naming.heads(self.reader(), side))

    def deepen(self, link: Meaning, place: Place) -> None:
        """A name that was shown to be what is written now is made of the names there, once `finish` is called."""
        self.deeper += [(side, value, place) for side, value in made_of_more(self.reader(), link)]

    def _definition(
        self, reader: Interpreter, sides: list[Node], relations: tuple[str, ...], place: Place, leading: int
    ) -> list[Meaning]:
        made = []
        value = sides[leading]
        rest = claims_of(self, self.reader(), sides[leading:], relations[leading:])
        rest = self._of_another_example(rest, sides[leading:], sides[:leading], place)
        for k in range(leading):
            told, problem, named = binding.own_entries(reader, sides[k], value), "", ""
            if told:
                made.append(Meaning(sides[k], sides[k + 1], relations[k], defines=told))
                continue
            if naming.made_of_itself(reader, sides[k], value) and not subscripted(sides[k]):
                self.pending.append((sides[k], value, place))
                self.anew[sides[k]] = value
                made.append(Meaning(sides[k], sides[k + 1], relations[k], defines="a new value"))
                continue
            try:
                told = binding.defined(reader, sides[k], value, place.section, place.line)
                self.sources[sides[k]] = value
                self._understood(reader, sides[k])
                binding.over_ranges(reader, sides[k], place.ranges)
                self._at_other_layers(sides[k], value, place)
                self._at_examples(sides[k], value, place)
                named = place.named if newness.applied_to_one(reader, sides[k]) else ""
            except SymdlError as error:
                unlisted = isinstance(error, OpenError) or any(isinstance(n, tree.Dots) for n in walk(value))
                if unlisted and newness.is_lone_function(reader, value):
                    told = self._left_open(reader, sides[k])
                    self.hidden |= dict.fromkeys(naming.heads(reader, sides[k]), newness.hangs_on(reader, value))
                else:
                    problem = str(error)
                    self._not_understood(reader, sides[k])
                    self.unread[sides[k]] = value
                    self.hidden |= dict.fromkeys(naming.heads(reader, sides[k]), newness.hangs_on(reader, value))
            slope = named_slope(reader, sides[k], value)
            if slope is not None:
                self.scope.name_slope(slope[0], Slope(*slope[1:], place.section))
            text = told or f"a name whose value is not understood here ({problem})"
            notes = tuple(dict.fromkeys(reader.notes))
            made.append(
                Meaning(sides[k], sides[k + 1], relations[k], defines=text, reason=problem, named=named, notes=notes)
            )
        return made + rest

    def _of_another_example(
        self, found: list[Meaning], sides: list[Node], before: list[Node], place: Place
    ) -> list[Meaning]:
        """y = f(x) = …, which may be another f than the one so far: then y is that one too."""
        if not found or found[0].relation not in {"=", "≡"} or not newness.is_example(self.reader(), sides[0]):
            return found
        if not newness.redefinable(self.reader(), sides[0], sides[1]):
            return found
        self.through = [(side, sides[0], place) for side in before if naming.heads(self.reader(), side)]
        return [replace(found[0], redefines=True), *found[1:]]

    def _left_open(self, reader: Interpreter, side: Node) -> str:
        """L of L = l(o, y), with an l that nobody defines: of L no more is known than what it hangs on."""
        names = naming.heads(reader, side)
        self._understood(reader, side)
        for name in names:
            self.scope.forget(name)
        return f"{', '.join(sorted(names))}, of which no more is known than what it hangs on"

    def _at_other_layers(self, side: Node, value: Node, place: Place) -> None:
        """zˡ = Wˡ aˡ⁻¹ + bˡ for the other layers that the document speaks of, where nothing else is said of them."""
        for layer in self.usage.layers.others(side):
            head, body = at_layer(side, layer), at_layer(value, layer)
            if not self._is_new(head, [head, body], place):
                continue
            with suppress(MeaningError):
                binding.defined(self.reader(), head, body, place.section, place.line)
                slope = named_slope(self.reader(), head, body)
                if slope is not None:
                    self.scope.name_slope(slope[0], Slope(*slope[1:], place.section))

    def _at_examples(self, side: Node, value: Node, place: Place) -> None:
        """y = wᵀx + b for each example y^{(i)} that the document speaks of, where nothing else is said of it."""
        if not isinstance(side, (tree.Symbol, tree.Accented, tree.Scripted)):
            return  # l(y, ŷ) says what l is, of whatever example
        for letter, names in self.usage.examples().items():
            head, body = (at_example(self.reader(), node, letter, names) for node in (side, value))
            if head == side or body == value or not self._is_new(head, [head, body], place):
                continue
            with suppress(SymdlError):
                binding.defined(self.reader(), head, body, place.section, place.line)

    def doubt(self, link: Meaning) -> None:
        """The name that a link defines does not stand for what is written there, as far as is seen."""
        self.scope.opaque |= dict.fromkeys(naming.heads(self.reader(), link.left), self.section)

    def _understood(self, reader: Interpreter, side: Node) -> None:
        for name in naming.heads(reader, side):
            self.scope.opaque.pop(name, None)
            self.unread = {h: v for h, v in self.unread.items() if name not in naming.heads(reader, h)}

    def _not_understood(self, reader: Interpreter, side: Node) -> None:
        """A name whose value is not understood: nothing is known of it from here on."""
        names = naming.heads(reader, side)
        self.scope.opaque |= dict.fromkeys(names, self.section)
        for name in names:
            self.scope.forget(name)

    def introduces(self, node: tree.Chain) -> bool:
        """Whether a formula does nothing but to say what a name is that nothing was said of."""
        if node.relations == ("∈",):
            parts = self.reader().parts(node.sides[0])
            return parts is not None and parts.name not in self.scope.declared
        plain = len(node.sides) == 2 and node.relations[0] in EQUALITIES - {"≈"} | DEFINITIONS
        return plain and newness.is_unbound(self.reader(), node.sides[0])

    def _is_new(self, side: Node, sides: list[Node], place: Place) -> bool:
        """Whether a left side is a name to be defined here."""
        return newness.is_new(self.reader(), side, sides, place.section, place.before)

    def _ordered(
        self, reader: Interpreter, sides: list[Node], relations: tuple[str, ...], place: Place
    ) -> list[Meaning]:
        found = claims_of(self, reader, sides, relations)
        names = [s for s in sides if naming.head(self.reader(), naming.inside(s)) is not None]
        lone = all(newness.is_unbound(self.reader(), naming.inside(s)) for s in names)
        apart = set(relations) == {"≠"} and len(names) == len(sides)
        if apart:
            return [replace(m, defines="a condition", condition=False) for m in found]
        open_ = names and lone and all(m.condition for m in found)
        if (open_ or place.condition) and set(relations) <= ORDERS:
            try:
                self.scope.restrict(cases.condition(self.reader(), tree.Chain(tuple(sides), relations)))
            except SymdlError as error:
                return [replace(m, reason=str(error)) for m in found]
            return [replace(m, defines="a condition", condition=False) for m in found]
        return found
