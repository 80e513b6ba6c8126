"""Both sides of a link under what the document assumes of their names: in words, by its sections, or by custom."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Tensor, atoms_in
from symdl.verification.judging.doubts import Pair
from symdl.verification.meaning.cotangents import is_slope, loss_of, slope_of
from symdl.verification.meaning.scope import Scope, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.meaning.sums import new_index
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.meaning.values import is_open, opened

#: More places than these are not left out one by one.
MOST_LEFT_OUT = 12

#: Names of small numbers that keep a root or a quotient away from 0: nobody says that they are positive.
SMALL = frozenset({"ε", "ϵ"})


def positive(forms: Pair) -> list[sympy.Basic]:
    """ε > 0, where it stands."""
    small = {e for side in forms for e in atoms_in(side, Element) if e.name in SMALL and not e.subscripts}
    return [sympy.Gt(e, 0) for e in sorted(small, key=str)]


def opened_condition(scope: Scope, condition: sympy.Basic) -> sympy.Basic:
    """A condition in the names that its own are made of: with d = ‖a − b‖, d < m says something of a and b.

    With d = 1/0 or d = log(−1) it says nothing of others, and stays as it is.
    """
    if not isinstance(condition, sympy.core.relational.Relational):
        return condition
    sides = [opened(scope, side) for side in (condition.lhs, condition.rhs)]
    return condition if any(s.has(sympy.zoo, sympy.nan, sympy.I) for s in sides) else condition.func(*sides)


def domain(reading: Reading, forms: Pair) -> list[sympy.Basic]:
    """What the document states of the names on both sides, as relations."""
    used = _kinds(forms[0]) | _kinds(forms[1])
    every = (*reading.scope.domain, *reading.under)
    stated = [c if _kinds(c) <= used else opened_condition(reading.scope, c) for c in every]
    stated = [at for c in stated if _kinds(c) & used for at in _at_places(c, forms)]
    return list(dict.fromkeys(stated)) + positive(forms)


def ranging(reading: Reading) -> set[str]:
    """x of "f'(x) = 1 for x > 0": it stands for any such number there, and not for the one that x was set to."""
    bounded = {e.name for c in reading.under for e in c.atoms(Element) if not e.subscripts}
    return bounded & reading.formal


def with_signs(forms: Pair, stated: list[sympy.Basic]) -> tuple[Pair, list[sympy.Basic], bool]:
    """Both sides with the signs that are stated of entries under a sum, as facts of their names.

    Returns:
        Both sides, the rest of what is stated, and whether something was left out that is so of all entries.
    """
    own = {i for f in forms for i in f.free_symbols}
    of_all = [c for c in stated if any(i not in own for i in c.free_symbols if isinstance(i, Index))]
    if not of_all:
        return forms, stated, False
    facts: dict[str, Fact] = {}
    left_out = False
    for c in of_all:
        entry, fact = _sign_of(c)
        if entry is None:
            left_out = True
        elif facts.get(entry.name) is not Fact.POSITIVE:
            facts[entry.name] = fact
    mapping = {e: _with_fact(e, facts[e.name]) for f in forms for e in f.atoms(Element) if e.name in facts}
    rest = [c.xreplace(mapping) for c in stated if c not in of_all]
    kept = [c for c in rest if c is not sympy.true]
    return (forms[0].xreplace(mapping), forms[1].xreplace(mapping)), kept, left_out


def _sign_of(condition: sympy.Basic) -> tuple[Element | None, Fact]:
    """π_k and ≥ 0 of π_k ≥ 0; None of anything else."""
    sides: tuple[sympy.Basic, ...] = condition.args if isinstance(condition, sympy.core.relational.Relational) else ()
    above = {sympy.Ge: Fact.NONNEGATIVE, sympy.Gt: Fact.POSITIVE}.get(type(condition))
    below = {sympy.Le: Fact.NONNEGATIVE, sympy.Lt: Fact.POSITIVE}.get(type(condition))
    if len(sides) != 2:
        return None, Fact.NONNEGATIVE
    first, second = sides
    for fact, larger, smaller in ((above, first, second), (below, second, first)):
        if fact is not None and isinstance(larger, Element) and larger.subscripts and smaller == 0:
            return larger, fact
    return None, Fact.NONNEGATIVE


def _with_fact(e: Element, fact: Fact) -> Element:
    return element(e.name, e.subscripts, frozenset({fact}))


def _at_places(condition: sympy.Basic, forms: Pair) -> list[sympy.Basic]:
    """|w_j| < 1, which is said of every j, at the places at which w stands in a link."""
    letters = {i for i in condition.free_symbols if isinstance(i, Index)}
    own = {e for e in condition.atoms(Element) if e.subscripts}
    if len(letters) != 1 or len(own) != 1:
        return [condition]
    (letter,), (entry,) = letters, own
    moved = [s - letter for s in entry.subscripts]
    if len(moved) != 1 or not moved[0].is_Integer:
        return [condition]
    places = {e.subscripts[0] - moved[0] for f in forms for e in f.atoms(Element) if _is_like(e, entry)}
    at = [condition.xreplace({letter: place}) for place in sorted(places, key=str)]
    return at or [condition]


def _is_like(e: Element, entry: Element) -> bool:
    return e.name == entry.name and len(e.subscripts) == len(entry.subscripts)


def _kinds(expr: sympy.Basic) -> set[tuple[str, int]]:
    """Names with their numbers of subscripts: what is said of z says nothing of z_i."""
    return {(e.name, len(e.subscripts)) for e in atoms_in(expr, Element)}


def without_small(numbers: Pair) -> Pair:
    """0 for ε, where everything else is a number: it is there for the case of a division by 0."""
    names = {e for n in numbers for e in n.atoms(Element)}
    only = names and all(e.name in SMALL and not e.subscripts for e in names)
    if not only or all(is_open(n) for n in numbers) or any(n.has(UnknownFunction) for n in numbers):
        return numbers
    none = dict.fromkeys(names, sympy.S.Zero)
    return numbers[0].xreplace(none), numbers[1].xreplace(none)


def of_pairs(reading: Reading, link: Meaning, forms: Pair) -> Pair:
    """Both sides for indices that are the same, or 0 where those are that are not: "for i ≠ j", "for k ≠ 0"."""
    free = {i.name: i for i in link.free}
    left, right = forms
    for position, index in _left_out(reading, link):
        left, right = left * (1 - Delta(index, position)), right * (1 - Delta(index, position))
    for a, b, same in reading.pairs:
        if a not in free or b not in free:
            continue
        i, j = free[a], free[b]
        reading.scope.fit(i.extent, j.extent)
        if same:
            left, right = left.xreplace({j: i}), right.xreplace({j: i})
        else:
            left, right = left * (1 - Delta(i, j)), right * (1 - Delta(i, j))
    return left, right


def _left_out(reading: Reading, link: Meaning) -> Iterator[tuple[sympy.Integer, Index]]:
    """The first places of indices that the words leave out, counted from 0."""
    for index, start in zip(link.free, link.starts, strict=False):
        for number in sorted({n for letter, how, n in reading.apart if letter == index.name and how == "≠"}):
            if number >= start:
                yield sympy.Integer(number - start), index
        least = max((n for letter, how, n in reading.apart if letter == index.name and how == "≥"), default=start)
        yield from ((sympy.Integer(k), index) for k in range(min(least - start, MOST_LEFT_OUT)))


def one_hot(reading: Reading, forms: Pair) -> tuple[Pair, list[str]] | None:
    """Both sides with δ(k, c) for y_k that the words call one-hot, and the names; None where there is none."""
    scope, mapping = reading.scope, dict[Element, sympy.Expr]()
    for name in reading.one_hot:
        hot = new_index("c", scope.extent(name, 0, 1))
        for e in {e for f in forms for e in f.atoms(Element) if e.name == name}:
            if len(e.subscripts) != 1:
                return None
            mapping[e] = Delta(e.subscripts[0] - scope.base(name), hot)
    if not mapping:
        return None
    return (forms[0].xreplace(mapping), forms[1].xreplace(mapping)), sorted({e.name for e in mapping})


def of_this_section(reading: Reading, forms: Pair) -> Pair:
    """An undefined loss hangs on nothing of sections that are over, where one side of a link speaks of it only."""
    slopes = [{e for e in f.atoms(Element) if is_slope(e.name)} for f in forms]
    kept = {e.name for e in slopes[0]} & {e.name for e in slopes[1]}
    over = {
        e: sympy.S.Zero
        for e in slopes[0] | slopes[1]
        if kept and e.name not in kept and reading.scope.is_over(slope_of(e.name), len(e.subscripts), reading.section)
    }
    return forms[0].xreplace(over), forms[1].xreplace(over)


def hanging_on_less(forms: Pair) -> tuple[Pair, str] | None:
    """Both sides for a loss that hangs only on what both speak of, and that in words; None where none is left out."""
    slopes = [{e for e in f.atoms(Element) if is_slope(e.name)} for f in forms]
    names = [{e.name for e in side} for side in slopes]
    extra = names[0] ^ names[1]
    if not extra or not names[0] & names[1]:
        return None
    none = {e: sympy.S.Zero for e in slopes[0] | slopes[1] if e.name in extra}
    kept = ", ".join(sorted(map(slope_of, names[0] & names[1])))
    told = f"where {', '.join(sorted(set(map(loss_of, extra))))} hangs on {kept} only"
    return (forms[0].xreplace(none), forms[1].xreplace(none)), told


def summing_to_one(name: str, forms: Pair, base: int) -> Pair | None:
    """Both sides with a name of which it is stated that it sums to 1, if its last subscripts run over one range."""
    mapping: dict[Element, Element] = {}
    stated: Tensor | None = None
    for e in {e for f in forms for e in f.atoms(Element) if e.name == name and e.subscripts}:
        *first, last = e.subscripts
        place = last - base
        if not isinstance(place, Index) or (stated is not None and stated.indices[-1].extent != place.extent):
            return None
        if stated is None:
            axes = (*e.tensor.indices[:-1], Index("k", place.extent))
            stated = Tensor(name, axes, facts=frozenset({Fact.SUMS_TO_ONE}))
        if len(stated.indices) != len(e.subscripts):
            return None
        mapping[e] = stated[(*first, place)]
    return forms[0].xreplace(mapping), forms[1].xreplace(mapping)
