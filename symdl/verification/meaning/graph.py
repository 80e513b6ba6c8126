"""The chain rule over the names of a document: every name that is made from u passes its own slope on to u.

Texts of backpropagation write ∂p/∂z for what z does in the formula of p, with all other names held fixed, and name the
slope of the loss by each name, S̄ = ∂L/∂S. So read, ∂L/∂z = Σ v̄ ∂v/∂z over the names v whose formulas z stands in,
and that holds where a state is made from the one before it as well, which no formula put in for names ever ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, reduction
from symdl.verification.meaning import calculus
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
    """

    scope: Scope
    target: str
    visiting: set[Name] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.names = self._reached()
        if (self.target, 0) not in self.names:
            raise MeaningError(f"{self.target} is not defined here")
        named = self.scope.named_slopes()
        self.slopes = {(s.name, rank): bar for (bar, rank), s in named.items() if s.target == self.target}

    def formula(self, name: Name) -> Formula | None:
        """What a name is made from, in this chapter."""
        found = self.scope.formulas.get(name)
        return None if found is None or found.given or self.scope.chapter_over(found.section) else found

    def _reached(self) -> dict[Name, Formula]:
        """Every name that the target is made from and that is made from others.

        Raises:
            MeaningError: of one of them it is not known what it is made from.
        """
        found: dict[Name, Formula] = {}
        ahead: list[Name] = [(self.target, 0)]
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
            if all(p == 0 for p in passed):
                raise MeaningError(f"{self.target} does not hang on {place.name} by the formulas here")
            return sympy.Add(*passed)
        finally:
            self.visiting.discard(mine)

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

    def put_in(self, expr: sympy.Expr) -> sympy.Expr:
        """With each slope that has a name by what it is made from."""
        names = {bar: name for name, bar in self.slopes.items()}
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
        value, by = self.entry(of), self.value(node.by[0][0])
        if value.axes or by.axes or not isinstance(value.body, Element) or not isinstance(by.body, Element):
            return super()._derivative(node)
        if of.name in self.graphs and not of.subscripts:
            return scalar(self.graphs[of.name].by(by.body))
        return scalar(self._local(value.body, by.body))

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
