"""What the names of a document stand for, as far as it was read: formulas, functions, values, shapes, conditions.

Later statements shadow earlier ones. A formula binds a name to an expression in other names, a value to numbers; the
two are kept apart, so that a claim can be judged for all values first and at the stated ones after that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Head, Reduction, Tensor, atoms_in, refreshed
from symdl.errors import UnsupportedError
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.unknown import UnknownFunction

#: Definitions are put into each other at most so deep, and an expression grows to at most so many nodes.
DEEPEST, LARGEST = 60, 50_000

#: A chapter is what has so many numbers: # and ##. Its parts speak of the same arrays.
CHAPTER = 2


@lru_cache(maxsize=4096)
def tensor(name: str, rank: int, facts: frozenset[Fact] = frozenset(), whole: bool = False) -> Tensor:
    """The tensor that a name with so many subscripts stands for; its axes have no known end."""
    return Tensor(name, tuple(Index(f"a{k}", sympy.oo) for k in range(rank)), integer=whole, facts=facts)


def element(
    name: str, subscripts: Iterable[sympy.Expr] = (), facts: frozenset[Fact] = frozenset(), *, whole: bool = False
) -> Element:
    """An entry of a name, or the name itself where it is a number; a whole one where names are chosen by it.

    >>> element("w", [sympy.Integer(0)]), element("b")
    (w[0], b)
    """
    subs = tuple(subscripts)
    return Element(Head(tensor(name, len(subs), facts, whole)), *subs)


def count(name: str) -> sympy.Symbol:
    """The symbol for a number of things."""
    return sympy.Symbol(name, integer=True, positive=True)


@dataclass(frozen=True)
class Formula:
    """What a name was defined as.

    Args:
        value: an array whose axes are the name's, or the body of a function.
        starts: the subscript at which each axis begins.
        parameters: of a function, the names that stand for its arguments.
        places: of f(x_1, x_2), the entries that do.
        given: numbers that were stated, and not a formula.
        recurrent: made of other entries of the name itself: h_t of h_{t−1}.
        section, line: where.
    """

    value: Array
    starts: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    places: tuple[Element, ...] = ()
    given: bool = False
    recurrent: bool = False
    section: tuple[int, ...] = ()
    line: int = 0

    def made_of(self, name: str, places: tuple[sympy.Expr, ...]) -> bool:
        """Whether the entry with certain numbers below it stands in the formula: x_0 in x_t = a^t x_0."""
        entries = (e for e in self.value.body.atoms(Element) if e.name == name) if self.value.axes else ()
        return all(p.is_Integer for p in places) and any(e.subscripts == places for e in entries)


@dataclass(frozen=True)
class Slope:
    """∂target/∂name, that was given a name of its own in some section."""

    target: str
    name: str
    section: tuple[int, ...]


@dataclass
class Scope:
    """The names so far.

    Args:
        formulas: by name and number of subscripts.
        entries: what single entries were defined as, by name and subscripts.
        functions: by name.
        counts: names that count something (n in Σ_{i=1}^{n}): they are whole numbers of 1 or more.
        base: the subscript that entries begin with, by name.
        sizes: numbers of things, where values say them.
        domain: conditions that were stated.
        declared: names of which the shape was stated, with the section.
        numbers: names that were said to be numbers, with the section: in others they may stand for vectors.
        sums_to_one: names of which it was stated that they sum to 1 over their last subscript.
        opaque: names that were given a meaning which is not understood, with the section.
        slopes: names that stand for a slope, S̄ = ∂L/∂S, with their numbers of subscripts.
        ahead: those of them that are named further on, since what runs backwards reads what is named later.
        former: names of slopes of something that was given another formula since, and what they were slopes of.
        bars: names, without what stands above them, that were given to slopes; with the section.
        extents: how long the axes of names are; `where`: in which chapter that was seen, since it counts there only;
            `past`: how long they were in chapters before.
        section: that is read now.
        nested: the u of f(u, v) is the function u(a, b), wherever u stands.
        one_chapter: what chapters before have named still stands for that.
        functionals: names of functions of vectors and of several numbers of which nothing is known.
    """

    formulas: dict[tuple[str, int], Formula] = field(default_factory=dict)
    entries: dict[tuple[str, tuple[sympy.Expr, ...]], Formula] = field(default_factory=dict)
    functions: dict[str, Formula] = field(default_factory=dict)
    counts: set[str] = field(default_factory=set)
    ranks: dict[str, set[int]] = field(default_factory=dict)
    base: Callable[[str], int] = field(default=lambda name: 0)
    sizes: dict[sympy.Symbol, int] = field(default_factory=dict)
    domain: list[sympy.Basic] = field(default_factory=list)
    declared: dict[str, tuple[int, ...]] = field(default_factory=dict)
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    sums_to_one: set[str] = field(default_factory=set)
    opaque: dict[str, tuple[int, ...]] = field(default_factory=dict)
    slopes: dict[tuple[str, int], Slope] = field(default_factory=dict)
    ahead: list[tuple[tuple[str, int], Slope]] = field(default_factory=list)
    former: dict[tuple[str, int], Slope] = field(default_factory=dict)
    bars: dict[str, tuple[int, ...]] = field(default_factory=dict)
    extents: dict[tuple[str, int, int], sympy.Expr] = field(default_factory=dict)
    where: dict[tuple[str, int, int], tuple[int, ...]] = field(default_factory=dict)
    past: dict[tuple[str, int, int], dict[tuple[int, ...], sympy.Expr]] = field(default_factory=dict)
    section: tuple[int, ...] = ()
    nested: bool = False
    one_chapter: bool = False
    functionals: frozenset[str] = frozenset()
    merged: dict[sympy.Symbol, sympy.Expr] = field(default_factory=dict)
    made: set[sympy.Symbol] = field(default_factory=set)

    # ── extents ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def extent(self, name: str, axis: int, rank: int) -> sympy.Expr:
        """How long an axis of a name is: a symbol of its own until something says more."""
        key = (name, axis, rank)
        if key not in self.extents or self.chapter_over(self.where.get(key, ())):
            if key in self.extents:
                self.past[key] = {**self.past.get(key, {}), self.where.get(key, ()): self.extents[key]}
            self.where[key] = self.section[:CHAPTER]
            self.extents[key] = self.new_extent(f"n_{name}" if rank == 1 else f"n_{name}{axis + 1}")
        return self.root(self.extents[key])

    def new_extent(self, name: str) -> sympy.Symbol:
        """A number of things that nobody named."""
        made = count(name)
        k = 1
        while made in self.made:
            k += 1
            made = count(f"{name}.{k}")
        self.made.add(made)
        return made

    def root(self, extent: sympy.Expr) -> sympy.Expr:
        """The extent that stands for all that are known to be equal."""
        while extent in self.merged:
            extent = self.merged[extent]
        return extent

    def fit(self, a: sympy.Expr, b: sympy.Expr) -> bool:
        """Whether two extents are one; one that nobody named becomes the other."""
        a, b = self.root(a), self.root(b)
        if a == b:
            return True
        for free, other in ((a, b), (b, a)):
            if free in self.made:
                self.merged[free] = other
                return True
        return False

    def settled(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression with one symbol for each extent, by all that is known now."""
        return resized(expr, self.root)

    # ── what names stand for ─────────────────────────────────────────────────────────────────────────────────────────

    def bind(self, name: str, formula: Formula) -> None:
        """A name, or all entries of it, from now on."""
        rank = formula.value.rank
        self.functions.pop(name, None)
        before = self.formulas.get((name, rank))
        anew = before is not None and not before.given and not self.chapter_over(before.section)
        if self.slopes.pop((name, rank), None) is None and anew:  # slopes were named when it was something else
            kept = {n for n, s in self.slopes.items() if self.chapter_over(s.section) or self._of_any(n, s, name)}
            self.former = {**self.former, **{n: s for n, s in self.slopes.items() if n not in kept}}
            self.slopes = {n: s for n, s in self.slopes.items() if n in kept}
        self.former = {n: s for n, s in self.former.items() if n != (name, rank)}
        self.ahead = [(n, s) for n, s in self.ahead if n != (name, rank) or self.chapter_over(s.section)]
        used = {(e.name, len(e.subscripts)) for e in formula.value.body.atoms(Element)}  # L = Σ_t L_t needs L_t
        for old in [k for k, f in self.formulas.items() if k[0] == name and _elsewhere(f.section, formula.section)]:
            if old not in used or old[1] == rank:
                del self.formulas[old]
        for key in [k for k in self.entries if k[0] == name and len(k[1]) == rank]:
            del self.entries[key]
        self.formulas[name, rank] = formula
        self.ranks.setdefault(name, set()).add(rank)
        if formula.recurrent:
            self._close_circles(name, rank)

    def _close_circles(self, name: str, rank: int) -> None:
        """h_t of a_t is made of h_{t−1} once a_t is: each of the names in such a circle is made of its own entries."""
        for (n, r), other in list(self.formulas.items()):
            open_ = r and n != name and not (other.recurrent or other.given)
            if open_ and self.depends(name, rank, n) and self.depends(n, r, name):
                self.formulas[n, r] = replace(other, recurrent=True)

    def _of_any(self, key: tuple[str, int], slope: Slope, name: str) -> bool:
        """Whether δ = ∂C/∂z was said of any C, and C is what is set anew."""
        formula = self.formulas.get(key)
        return (
            slope.target == name
            and formula is not None
            and any("∂" in e.name for e in atoms_in(formula.value.body, Element))
        )

    def bind_function(self, name: str, function: Formula) -> None:
        """A function, which is no number any more."""
        self.formulas.pop((name, 0), None)
        self.functions[name] = function

    def bind_entry(self, name: str, subscripts: tuple[sympy.Expr, ...], formula: Formula) -> None:
        """One entry of a name."""
        self.entries[name, subscripts] = formula
        self.ranks.setdefault(name, set()).add(len(subscripts))

    def forget(self, name: str) -> None:
        """A name that was given a meaning which is not understood: the one before it counts no more."""
        self.functions.pop(name, None)
        for key in [k for k in self.formulas if k[0] == name]:
            del self.formulas[key]
        for place in [k for k in self.entries if k[0] == name]:
            del self.entries[place]

    def formula_of(self, e: Element) -> Formula | None:
        """What an entry was defined as."""
        found = self.entries.get((e.name, e.subscripts)) or self.formulas.get((e.name, len(e.subscripts)))
        return found if found is not None or e.subscripts else self.inner_function(e.name)

    def inner_function(self, name: str) -> Formula | None:
        """u(a, b) as a formula for u, where another function takes u, f(u, v), and names are read so."""
        function = self.functions.get(name) if self.nested else None
        taken = function is not None and any(name in f.parameters for f in self.functions.values() if f is not function)
        return function if taken else None

    def written_out(self, e: Element, formula: Formula) -> sympy.Expr | None:
        """The value of an entry by its formula; None where its subscript is not known well enough."""
        if (e.name, e.subscripts) in self.entries or not formula.value.axes:
            return refreshed(formula.value.body)
        if formula.given and not all(s.is_Integer for s in e.subscripts):
            return None
        places = tuple(s - start for s, start in zip(e.subscripts, formula.starts, strict=True))
        if formula.made_of(e.name, e.subscripts):
            return None  # x_0, of which x_t = a^t x_0 is made
        if formula.recurrent and any(place.as_coeff_Add()[0].is_negative for place in places):
            return None  # h_{t−1} is what it was
        if formula.recurrent and any(p.as_coeff_Add()[0].is_positive for p in places) and _runs_back(e.name, formula):
            return None  # and so is δ_{t+1}, where δ_t is made of it
        return formula.value.at(places)

    def depends(self, name: str, rank: int, on: str, seen: frozenset[tuple[str, int]] = frozenset()) -> bool:
        """Whether a name is defined by another one, directly or not."""
        if (name, rank) in seen:
            return False
        seen |= {(name, rank)}
        for formula in self.all_of(name, rank):
            used = {(e.name, len(e.subscripts)) for e in atoms_in(formula.value.body, Element)}
            if any(n == on or self.depends(n, r, on, seen) for n, r in used):
                return True
        return False

    def copy(self) -> Scope:
        """The same names, to be changed apart."""
        return replace(
            self,
            formulas=dict(self.formulas),
            entries=dict(self.entries),
            functions=dict(self.functions),
            merged=dict(self.merged),
            extents=dict(self.extents),
            where=dict(self.where),
        )

    def where_open(self, names: Collection[str]) -> Scope:
        """The scope with some names as if nothing had been said of them."""
        made = self.copy()
        made.ranks = {n: r for n, r in made.ranks.items() if n not in names}
        made.opaque = {n: s for n, s in made.opaque.items() if n not in names}
        for name in names:
            made.forget(name)
        return made

    def take(self, other: Scope, before: Scope) -> None:
        """What another copy has anew since `before`."""
        self.formulas.update({k: f for k, f in other.formulas.items() if before.formulas.get(k) is not f})
        self.entries.update({k: f for k, f in other.entries.items() if before.entries.get(k) is not f})

    def reduced(self, section: tuple[int, ...]) -> Scope | None:
        """The scope without what was defined in sections that are over; None where nothing was."""
        kept = {k: f for k, f in self.formulas.items() if not _elsewhere(f.section, section)}
        entries = {k: f for k, f in self.entries.items() if not _elsewhere(f.section, section)}
        functions = {k: f for k, f in self.functions.items() if len(k) > 1 or not _elsewhere(f.section, section)}
        opaque = {n: s for n, s in self.opaque.items() if not _elsewhere(s, section)}
        declared = {n: s for n, s in self.declared.items() if not _elsewhere(s, section)}
        gone = len(self.formulas) - len(kept) + len(self.entries) - len(entries)
        gone += len(self.opaque) - len(opaque) + len(self.declared) - len(declared)
        if not gone:
            return None
        ranks = {n: set(r) for n, r in self.ranks.items() if n in declared}
        for name, rank in [*kept, *((n, len(subs)) for n, subs in entries)]:
            ranks.setdefault(name, set()).add(rank)
        same = replace(self.copy(), formulas=kept, entries=entries, functions=functions)
        return replace(same, opaque=opaque, declared=declared, ranks=ranks)

    def restrict(self, conditions: Iterable[sympy.Basic]) -> None:
        """What holds of names from here on, instead of what it can't hold along with: x < 0 after x > 0."""
        for condition in conditions:
            self.domain = [c for c in self.domain if not _excluded(c, condition)]
            self.domain.append(condition)

    def as_before(self) -> Scope | None:
        """The scope with names as long as in the chapter that defined them; None where that is this one."""
        formulas = [(k, f) for k, f in self.formulas.items()]
        formulas += [((n, len(subs)), f) for (n, subs), f in self.entries.items()]
        past: dict[tuple[str, int, int], sympy.Expr] = {}
        for name, formula in formulas:
            if self.chapter_over(formula.section):
                used = {name, *((e.name, len(e.subscripts)) for e in atoms_in(formula.value.body, Element))}
                chapter = formula.section[:CHAPTER]
                past |= {k: e[chapter] for k, e in self.past.items() if (k[0], k[2]) in used and chapter in e}
        if not past:
            return None
        made = self.copy()
        made.extents.update(past)
        made.where.update(dict.fromkeys(past, self.section[:CHAPTER]))
        return made

    def chapter_over(self, section: tuple[int, ...]) -> bool:
        """Whether a section is part of a chapter that is over."""
        return not self.one_chapter and _elsewhere(section[:CHAPTER], self.section)

    def is_stated(self, name: str) -> bool:
        """Whether the shape of a name was stated where that still counts."""
        section = self.declared.get(name)
        return section is not None and not _elsewhere(section, self.section)

    def name_slope(self, key: tuple[str, int], slope: Slope) -> None:
        """A name stands for a slope from now on."""
        self.slopes[key] = slope
        self.former = {n: s for n, s in self.former.items() if n != key}
        self.bars[key[0].partition("^")[0]] = slope.section

    def as_once_named(self) -> Scope | None:
        """The scope with names of slopes of a number that was given other formulas since; None where there are none."""
        former = {n: s for n, s in self.former.items() if not self.chapter_over(s.section)}
        return replace(self.copy(), slopes={**former, **self.slopes}) if former else None

    def named_slopes(self) -> dict[tuple[str, int], Slope]:
        """The names of slopes in this chapter, with those that are named further on."""
        every = [*self.ahead, *self.slopes.items()]
        return {name: slope for name, slope in every if not self.chapter_over(slope.section)}

    def replaced(self, expr: sympy.Expr, mapping: Mapping[sympy.Basic, sympy.Expr]) -> sympy.Expr:
        """Values for elements, each with bound indices of its own."""
        return _each(expr, mapping) if mapping else expr

    def is_over(self, name: str, rank: int, section: tuple[int, ...]) -> bool:
        """Whether a name was defined in sections that are over, and nowhere else."""
        return all(_elsewhere(f.section, section) for f in self.all_of(name, rank))

    def used(self) -> set[tuple[str, int]]:
        """All names that stand in some definition, with their numbers of subscripts."""
        every = [*self.formulas.values(), *self.entries.values(), *self.functions.values()]
        return {(e.name, len(e.subscripts)) for f in every for e in atoms_in(f.value.body, Element)}

    def all_of(self, name: str, rank: int) -> list[Formula]:
        """What a name and its entries were defined as."""
        found = [f for (n, subs), f in self.entries.items() if n == name and len(subs) == rank]
        whole = self.formulas.get((name, rank)) or (None if rank else self.inner_function(name))
        return found if whole is None else [*found, whole]

    def expanded(self, expr: sympy.Expr, wanted: Callable[[Element, Formula], bool]) -> sympy.Expr:
        """The expression with definitions put in for the names that are wanted, as deep as they go.

        Raises:
            UnsupportedError: names that are defined by themselves, or an expression that grows too large.
        """
        for _ in range(DEEPEST):
            mapping: dict[sympy.Basic, sympy.Expr] = {}
            for e in atoms_in(expr, Element):
                formula = self.formula_of(e)
                if formula is not None and wanted(e, formula):
                    value = self.written_out(e, formula)
                    if value is not None:
                        mapping[e] = value
            for call in atoms_in(expr, UnknownFunction):
                function = self.functions.get(type(call).__name__)
                if function is not None and len(function.parameters) == len(call.args):
                    places = dict(zip(map(element, function.parameters), call.args, strict=True))
                    mapping[call] = refreshed(function.value.body).xreplace(places)
            if not mapping:
                return expr
            expr = _each(expr, mapping)
            if _size(expr) > LARGEST:
                raise UnsupportedError("the definitions put in are too large an expression")
        raise UnsupportedError("a name is defined by itself", why=f"after {DEEPEST} definitions there are more")


def _runs_back(name: str, formula: Formula) -> bool:
    """Whether a recurrence goes from the last entry to the first: δ_t of δ_{t+1}."""
    own = [axis + start for axis, start in zip(formula.value.axes, formula.starts, strict=True)]
    entries = [
        e.subscripts for e in formula.value.body.atoms(Element) if e.name == name and len(e.subscripts) == len(own)
    ]
    return any((s - p).is_Integer and s - p > 0 for subs in entries for s, p in zip(subs, own, strict=True))


def _excluded(one: sympy.Basic, other: sympy.Basic) -> bool:
    """Whether two conditions on one name, each between it and a number, can't hold at once."""
    names = one.atoms(Element) | other.atoms(Element)
    plain = len(names) == 1 and all(isinstance(c, sympy.core.relational.Relational) for c in (one, other))
    if not plain or any(not s.is_Rational and s not in names for c in (one, other) for s in c.args):
        return False
    x = sympy.Symbol("x", real=True)
    (name,) = names
    return bool(sympy.And(one.xreplace({name: x}), other.xreplace({name: x})).as_set() == sympy.S.EmptySet)


def _elsewhere(section: tuple[int, ...], now: tuple[int, ...]) -> bool:
    """Whether a section is over."""
    return now[: len(section)] != section


def _each(expr: sympy.Expr, mapping: Mapping[sympy.Basic, sympy.Expr]) -> sympy.Expr:
    """Values for elements, each with bound indices of its own."""
    if expr in mapping:
        return refreshed(mapping[expr])
    if not expr.args or isinstance(expr, Element) or not expr.has(*mapping):
        return expr
    if isinstance(expr, Reduction):
        return Reduction(expr.args[0], _each(expr.body, mapping), *expr.args[2:])
    if isinstance(expr, sympy.Piecewise):
        return sympy.Piecewise(*[(_each(value, mapping), told.xreplace(dict(mapping))) for value, told in expr.args])
    return expr.func(*[_each(a, mapping) if isinstance(a, sympy.Expr) else a for a in expr.args])


def _size(expr: sympy.Expr) -> int:
    return sum(1 for _ in sympy.preorder_traversal(expr))


def resized(expr: sympy.Expr, extent: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """The expression with other extents: of its indices, bound ones included, and where they stand as numbers."""
    mapping: dict[sympy.Basic, sympy.Basic] = {}
    for index in atoms_in(expr, Index):
        new = index.extent.xreplace({s: extent(s) for s in index.extent.free_symbols})
        if new != index.extent:
            mapping[index] = index.with_extent(new)
    for symbol in atoms_in(expr, sympy.Symbol):
        if not isinstance(symbol, sympy.Dummy) and extent(symbol) != symbol:
            mapping[symbol] = extent(symbol)
    return expr.xreplace(mapping) if mapping else expr
