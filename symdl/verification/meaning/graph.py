"""The chain rule over the names of a document: every name that is made from u passes its own slope on to u.

Texts of backpropagation write ∂p/∂z for what z does in the formula of p, with all other names held fixed, and name the
slope of the loss by each name, S̄ = ∂L/∂S. So read, ∂L/∂z = Σ v̄ ∂v/∂z over the names v whose formulas z stands in,
and that holds where a state is made from the one before it as well, which no formula put in for names ever ends.

Of a number that nobody defines, or of which the formulas lead elsewhere, all names of the chapter pass on slopes, and
what goes into nothing has an open one: so read, a formula holds for every loss that hangs on those alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, reduction
from symdl.verification.meaning import calculus, cotangents
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.scope import Formula, Scope, element
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

Name = tuple[str, int]


@dataclass
class Graph:
    """What a number is made from, name by name.

    Args:
        scope: with formulas, and the names of slopes.
        target: the number.
        every: it may be any number that hangs on what goes into nothing else, and on no other name.
        states: names that are made from themselves, with what stands for their slopes: ∂L/∂h_t of ∂L/∂h_{t+1}.
        ends: the names by which it has an open slope, as far as was asked.
    """

    scope: Scope
    target: str
    every: bool = False
    visiting: set[Name] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    states: dict[Name, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = self.scope.named_slopes()
        self.slopes = {
            (s.name, r): bar
            for (bar, rank), s in named.items()
            if s.target == self.target
            for r in self._ranks(s.name, rank)
        }
        for (name, rank), bar in self.slopes.items():
            for k in range(rank):
                self.scope.fit(self.scope.extent(name, k, rank), self.scope.extent(bar, k, rank))
        unclear = self.every and self.target in self.scope.opaque
        self.own = {} if unclear else self._reached([(self.target, 0)])
        if self.every:
            self.names = self._passing()
            states = [key for key, formula in self.names.items() if formula.recurrent and key not in self.slopes]
            self.states = {key: cotangents.slope_name(self.target, key[0]) for key in states}
            self.slopes |= self.states
        elif (self.target, 0) in self.own:
            self.names = self.own
        else:
            raise MeaningError(f"{self.target} is not defined here")

    def _ranks(self, name: str, rank: int) -> list[int]:
        """How many subscripts a name has that stands with so many: 𝐚_t has one more, since it is a vector itself."""
        known = self.scope.ranks.get(name, set())
        deeper = sorted(r for r in known if r >= rank) if rank not in known else [rank]
        return deeper if rank and deeper else [rank] if rank else sorted(known) or [0]

    def in_time(self) -> bool:
        """Whether something that it is made from is made from itself, a step before."""
        return any(formula.recurrent for formula in self.names.values())

    def shown(self, names: set[str]) -> bool:
        """Whether its own formulas are made from one of some names, beside those that an open one has slopes by."""
        made = {e.name for f in self.own.values() for e in f.value.body.atoms(Element)}
        return not names.isdisjoint(made & {bar_of for bar_of, _ in self.slopes})

    def formula(self, name: Name) -> Formula | None:
        """What a name is made from, in this chapter."""
        found = self.scope.formulas.get(name)
        return None if found is None or found.given or self.scope.chapter_over(found.section) else found

    def _passing(self) -> dict[Name, Formula]:
        """Every name of the chapter that is made from others, but for slopes and what is made from the number."""
        bars = set(self.slopes.values())
        found = {}
        for name in self.scope.formulas:
            formula = self.formula(name)
            if formula is None or name[0] == self.target or name[0] in bars:
                continue
            made = self._made_of(name, set())
            if self.target not in made and made.isdisjoint(bars) and not any(map(cotangents.is_slope, made)):
                found[name] = formula
        return found

    def _made_of(self, name: Name, seen: set[Name]) -> set[str]:
        """The names that a name is made of in this chapter, directly or not, and itself."""
        if name in seen:
            return set()
        seen.add(name)
        formula = self.formula(name)
        used = (
            {(e.name, len(e.subscripts)) for e in formula.value.body.atoms(Element)} if formula is not None else set()
        )
        return {name[0]}.union(*[self._made_of(u, seen) for u in used])

    def _reached(self, ahead: list[Name]) -> dict[Name, Formula]:
        """Every name that some names are made from and that is made from others.

        Raises:
            MeaningError: of one of them it is not known what it is made from.
        """
        found: dict[Name, Formula] = {}
        while ahead:
            name = ahead.pop()
            formula = self.formula(name)
            entries = [f for (n, subs), f in self.scope.entries.items() if (n, len(subs)) == name and not f.given]
            if any(not self.scope.chapter_over(f.section) for f in entries):
                raise MeaningError(f"the entries of {name[0]} are made from different things")
            if formula is None:
                if name[0] in self.scope.opaque:
                    raise MeaningError(f"what {name[0]} stands for is not understood here")
                continue
            found[name] = formula
            used = {(e.name, len(e.subscripts)) for e in formula.value.body.atoms(Element)}
            ahead += [u for u in used if u not in found]
        return found

    def by(self, place: Element) -> sympy.Expr:
        """The slope of the target by an entry, by the slopes of what is made from it.

        Raises:
            MeaningError: nothing is made from it here, so that the text knows of a way that its formulas do not show.
        """
        mine = place.name, len(place.subscripts)
        if mine in self.visiting:
            raise MeaningError(f"{place.name} is made from itself, and its slope has no name")
        self.visiting.add(mine)
        try:
            passed = [self._through(name, formula, place) for name, formula in self.names.items()]
            if not all(p == 0 for p in passed):
                self._only_through(mine)
                return sympy.Add(*passed)
            if self.every:
                return self._open(place)
            raise MeaningError(f"{self.target} does not hang on {place.name} by the formulas here")
        finally:
            self.visiting.discard(mine)

    def _open(self, place: Element) -> sympy.Expr:
        """The slope by something that goes into nothing else here."""
        if cotangents.is_slope(place.name) or place.name in self.slopes.values():
            raise MeaningError(f"{self.target} by a slope")
        self.ends.add(place.name)
        return element(cotangents.slope_name(self.target, place.name), place.subscripts)

    def _only_through(self, mine: Name) -> None:
        """What the formulas of the number itself show must be no other way than those that are followed here.

        Raises:
            MeaningError: it is.
        """
        made = {(e.name, len(e.subscripts)) for f in self.own.values() for e in f.value.body.atoms(Element)}
        if self.every and mine in made:
            raise MeaningError(f"{self.target} hangs on {mine[0]} by formulas of its own")

    def _through(self, name: Name, formula: Formula, place: Element) -> sympy.Expr:
        """What the entries of one name pass on."""
        mine = place.name, len(place.subscripts)
        value = formula.value.fresh()
        if not any((e.name, len(e.subscripts)) == mine for e in value.body.atoms(Element)):
            return sympy.S.Zero
        local = calculus.slope(value.body, place)
        if name == (self.target, 0):
            return local
        if local == 0:
            return sympy.S.Zero
        places = [axis + start for axis, start in zip(value.axes, formula.starts, strict=True)]
        return reduction("sum", self.slope(name, places) * local, list(value.axes))

    def slope(self, name: Name, places: list[sympy.Expr]) -> sympy.Expr:
        """The slope by an entry: its name where it has one."""
        if name in self.slopes:
            return element(self.slopes[name], places)
        return self.by(element(name[0], places))

    def put_in(self, expr: sympy.Expr, but: Collection[str] = ()) -> sympy.Expr:
        """With each slope that has a name by what it is made from, `but` for some of them."""
        names = {bar: name for name, bar in self.slopes.items() if bar not in but}
        mapping = {e: self.by(element(names[e.name][0], e.subscripts)) for e in expr.atoms(Element) if e.name in names}
        return self.scope.replaced(expr, mapping)


@dataclass
class GraphReader(Interpreter):
    """Reads ∂L/∂u by the graph, and ∂v/∂u with all other names held fixed."""

    graphs: dict[str, Graph] = field(default_factory=dict)

    def _derivative(self, node: tree.Derivative) -> Array:
        of = None if node.of is None else self.parts(node.of)
        plain = of is not None and of.power is None and not of.primes and not of.transposed
        if of is None or not plain or len(node.by) != 1 or node.by[0][1] != 1:
            return super()._derivative(node)
        value, by = self.entry(of), self.value(node.by[0][0]).fresh()
        if not isinstance(value.body, Element) or not isinstance(by.body, Element):
            return super()._derivative(node)
        if of.name in self.graphs and not of.subscripts:
            graph = self.graphs[of.name]
            bars = graph.slopes if graph.in_time() else graph.states
            bar = bars.get((by.body.name, len(by.body.subscripts)))
            body = graph.by(by.body) if bar is None else element(bar, by.body.subscripts)
            return Array(by.axes, body, row=by.row)
        if value.axes or by.axes:
            key = value.body.name, len(value.body.subscripts)
            if not any(key in graph.states for graph in self.graphs.values()):
                return super()._derivative(node)
            value = value.fresh()
            assert isinstance(value.body, Element)
            return Array((*value.axes, *by.axes), self._local(value.body, by.body))
        return scalar(self._local(value.body, by.body))

    def _gradient(self, node: tree.Gradient) -> Array:
        """∇_a C, a vector over a."""
        of = self.parts(node.of)
        by = None if node.by is None or isinstance(node.by, tree.List) else self._of_last_layer(node.by).fresh()
        if of is None or of.name not in self.graphs or of.subscripts or of.power is not None or by is None:
            return super()._gradient(node)
        if node.order != 1 or not isinstance(by.body, Element):
            return super()._gradient(node)
        return Array(by.axes, self.graphs[of.name].by(by.body), row=by.row)

    def _of_last_layer(self, node: Node) -> Array:
        """a of ∇_a C is the a^L that C is worked out from, where nothing else is called a."""
        parts = self.parts(node)
        if parts is None or parts.subscripts or self.known(parts.name):
            return self.value(node)
        marks = [n.sup for n in self.usage.layers.last_of(node)]
        return self.value(tree.Scripted(node, sup=marks[0]) if len(marks) == 1 else node)

    def _local(self, of: Element, by: Element) -> sympy.Expr:
        for graph in self.graphs.values():
            formula = graph.names.get((of.name, len(of.subscripts)))
            if formula is None:
                continue
            places = tuple(s - start for s, start in zip(of.subscripts, formula.starts, strict=True))
            for index, axis in zip(places, formula.value.axes, strict=True):
                if isinstance(index, Index):
                    self.scope.fit(index.extent, axis.extent)
            found = calculus.slope(formula.value.at(places), by)
            if found != 0:
                return found
        raise MeaningError(f"{of} is not made from {by.name} directly")


def named_slope(reader: Interpreter, side: Node, value: Node) -> tuple[Name, str, str] | None:
    """Of S̄_n = ∂L/∂S_n the new name, what is differentiated, and by what; None of anything else."""
    if not isinstance(value, tree.Derivative) or value.of is None or len(value.by) != 1 or value.by[0][1] != 1:
        return None
    name, of, by = reader.parts(side), reader.parts(value.of), reader.parts(value.by[0][0])
    if name is None or of is None or by is None or any(p.power is not None or p.primes for p in (name, of, by)):
        return None
    letters = [letter_of(s) for s in by.subscripts]
    same = letters == [letter_of(s) for s in name.subscripts]
    if not same or of.subscripts or len(set(letters) - {""}) != len(letters):
        return None
    return (name.name, len(letters)), of.name, by.name
