"""Equal recurrences: what two definitions compute over time is the same for any number of times, by induction.

A recurrence is cut down to its states: tensors of it that, once they stay names, let every other tensor of it be put
in. If the equation of each state of one side is that of a state of the other, with the states renamed into each
other, then so are all their values: those of the first time have equal equations without a past, and those of every
later time have equal equations in equal pasts (structural induction over equal recurrences).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, permutations

import sympy

from symdl.core.deadlines import in_time
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups
from symdl.core.tensors import Element, Tensor, elements_in, refreshed
from symdl.core.unroll import unrolled
from symdl.errors import BudgetError, SymdlError

#: Recurrences of more states than this are not matched.
MOST_STATES = 3

#: An element of more operations than this, written out by inputs, is left alone.
MOST_OPERATIONS = 6_000

Where = tuple[sympy.Expr, ...]
Same = Callable[[sympy.Expr, sympy.Expr], bool]


@dataclass
class Matched:
    """States that stay names on both sides, and what each of the second side is called on the first.

    `elements` maps the name of a state of the second side to its tensor on the first and the order of its axes there.
    """

    left: set[str] = field(default_factory=set)
    right: set[str] = field(default_factory=set)
    elements: dict[str, tuple[Tensor, tuple[int, ...]]] = field(default_factory=dict)

    def __call__(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression of the second side with its states by their names on the first."""
        mapping: dict[sympy.Basic, sympy.Basic] = {}
        for element in elements_in(expr):
            if element.name in self.elements:
                tensor, axes = self.elements[element.name]
                mapping[element] = tensor[tuple(element.subscripts[k] for k in axes)]
        return expr.xreplace(mapping) if mapping else expr


def has_recurrence(definition: Definition) -> bool:
    """Whether some of its equations need their own values at other times."""
    return any(g.direction for g in groups(definition.equations))


def opened(definition: Definition, expr: sympy.Expr, keep: Iterable[str]) -> sympy.Expr | None:
    """All equations put in but those of `keep`; None where a recurrence has no state among them."""
    kept = set(keep)
    for group in reversed(groups(definition.equations)):
        by_name = {e.name: e for e in group.equations if e.name not in kept}
        if group.direction and not _falls_apart(group, kept):
            if any(e.name in by_name for e in elements_in(expr)):
                return None
            continue
        while mine := [e for e in elements_in(expr) if e.name in by_name]:
            expr = expr.xreplace({e: by_name[e.name].at(e.subscripts) for e in mine})
    return expr


def matched(a: Definition, b: Definition, translate: Callable[[sympy.Expr], sympy.Expr], same: Same) -> Matched:
    """The states of recurrences of two definitions that are equal, in the order in which they are computed."""
    found = Matched()
    left = [g for g in groups(a.equations) if g.direction]
    for group in (g for g in groups(b.equations) if g.direction):
        for candidate in left:
            states = _equal_states(a, b, candidate, group, found, translate, same)
            if states is not None:
                found.elements.update(states)
                found.left |= {t.name for t, _ in states.values()}
                found.right |= set(states)
                break
    return found


def _equal_states(
    a: Definition,
    b: Definition,
    first: Group,
    second: Group,
    known: Matched,
    translate: Callable[[sympy.Expr], sympy.Expr],
    same: Same,
) -> dict[str, tuple[Tensor, tuple[int, ...]]] | None:
    if first.direction != second.direction:
        return None
    for states in _cuts(second):
        for others in _cuts(first):
            for order in permutations(others) if len(others) == len(states) else ():
                for pairing in _pairings(first, second, order, states, translate):
                    trial = Matched(known.left | set(order), known.right | set(states), {**known.elements, **pairing})
                    if all(_agree(a, b, n, trial, translate, same) for n in states):
                        return pairing
    return None


def _cuts(group: Group) -> Iterator[tuple[str, ...]]:
    """The smallest sets of tensors that a recurrence falls apart without."""
    for size in range(1, min(MOST_STATES, len(group.names)) + 1):
        made = [c for c in combinations(group.names, size) if _falls_apart(group, set(c))]
        if made:
            yield from made
            return


def _falls_apart(group: Group, kept: set[str]) -> bool:
    """Whether the tensors that are not kept can be put in one after the other, at whatever times they are read."""
    left = {e.name: e.used_names for e in group.equations if e.name not in kept}
    while free := [n for n, used in left.items() if used.isdisjoint(left)]:
        for name in free:
            del left[name]
    return not left


def _pairings(
    first: Group,
    second: Group,
    order: tuple[str, ...],
    states: tuple[str, ...],
    translate: Callable[[sympy.Expr], sympy.Expr],
) -> Iterator[dict[str, tuple[Tensor, tuple[int, ...]]]]:
    """Ways to read each state of the second side as one of the first: axes of equal extents, time as time."""
    made: list[dict[str, tuple[Tensor, tuple[int, ...]]]] = [{}]
    for mine, other in zip(order, states, strict=True):
        out, theirs = _equation(first, mine).out, _equation(second, other).out
        ways = [
            axes
            for axes in permutations(range(theirs.rank))
            if out.rank == theirs.rank
            and axes[first.time[mine]] == second.time[other]
            and all(
                sympy.expand(i.extent - translate(theirs.indices[k].extent)) == 0
                for i, k in zip(out.indices, axes, strict=True)
            )
        ]
        made = [{**m, other: (out, axes)} for m in made for axes in ways]
    yield from made


def _equation(group: Group, name: str) -> Equation:
    return next(e for e in group.equations if e.name == name)


def _agree(
    a: Definition, b: Definition, state: str, trial: Matched, translate: Callable[[sympy.Expr], sympy.Expr], same: Same
) -> bool:
    """Whether the equation of a state is, with names exchanged, that of its partner."""
    tensor, axes = trial.elements[state]
    mine, theirs = a.by_name[tensor.name], b.by_name[state]
    places = dict(zip(axes, mine.indices, strict=True))
    at = tuple(places[k] for k in range(theirs.out.rank))
    left = opened(a, refreshed(mine.rhs), trial.left)
    right = opened(b, theirs.at(at), trial.right)
    if left is None or right is None:
        return False
    try:
        return same(left, trial(translate(right)))
    except SymdlError:
        return False


def written_over_time(definition: Definition, name: str, numbers: Mapping[sympy.Expr, int]) -> dict[Where, sympy.Expr]:
    """The elements of one output by inputs alone, for extents that are numbers, in the order of time.

    Raises:
        BudgetError: an element is too large.
    """
    needed = definition.only([name])
    sizes = {i.name: numbers[i.extent] for t in needed.tensors.values() for i in t.indices if i.extent in numbers}
    sizes |= {i.name: numbers[i.extent] for e in needed.equations for i in e.rhs.atoms(Index) if i.extent in numbers}
    values: dict[sympy.Basic, sympy.Expr] = {}
    heights: dict[sympy.Basic, int] = {}
    for left, right in unrolled(needed.at(**sizes)):
        in_time()
        used = [e for e in right.atoms(Element) if e in values]
        heights[left] = right.count_ops() + sum(heights[e] for e in used)
        if heights[left] > MOST_OPERATIONS:
            raise BudgetError("too large to write out")
        values[left] = right.xreplace(values)
    return {tuple(e.subscripts): v for e, v in values.items() if isinstance(e, Element) and e.name == name}
