"""Recurrences: equations that need each other, at other times.

h[n,t,j] = f(h[n,t−1,·]) is one equation with time in it. Equations that need each other in this way form a `Group`:
evaluated together for each time in turn, forwards where they read what was before (t − c), backwards where they read
what comes after (t + c), which is what backpropagation through time makes of a forward recurrence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symdl.core.equations import Equation
from symdl.core.indices import Index
from symdl.core.tensors import Element, elements_in
from symdl.errors import DefinitionError


@dataclass(frozen=True)
class Group:
    """Equations that are evaluated together.

    Args:
        equations: in the order in which they are evaluated at one time.
        time: for each equation's tensor, which of its axes is time; empty for a plain equation.
        direction: +1 from the first time to the last, −1 from the last to the first, 0 for a plain equation.
    """

    equations: tuple[Equation, ...]
    time: Mapping[str, int] = field(default_factory=dict)
    direction: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(e.name for e in self.equations)

    def index(self, equation: Equation) -> Index:
        """The time index of one of its equations."""
        return equation.indices[self.time[equation.name]]

    @property
    def extent(self) -> sympy.Expr:
        """How many times there are."""
        return self.index(self.equations[0]).extent


def groups(equations: Iterable[Equation]) -> tuple[Group, ...]:
    """The equations in groups; those of a recurrence have to stand together.

    Raises:
        DefinitionError: equations that need each other at one and the same time, or at times before and after, or
            whose time can't be told.

    >>> from symdl.core.tensors import Tensor
    >>> from symdl.core.equations import equation
    >>> from symdl.core.functions import InRange
    >>> t = Index("t", sequential=True)
    >>> x, h = Tensor("x", (t,)), Tensor("h", (t,))
    >>> found = groups([equation(h, x[t] + h[t - 1] * InRange(t - 1, t.extent))])
    >>> [(g.names, g.direction) for g in found]
    [(('h',), 1)]
    """
    listed = tuple(equations)
    if not any(_reads_ahead(listed)):
        return tuple(Group((e,)) for e in listed)
    made: list[Group] = []
    for part in _components(listed):
        members = sorted(part)
        if members != list(range(members[0], members[-1] + 1)):
            raise DefinitionError(
                f"equation {listed[members[0]].lhs} needs {listed[members[-1]].name}, and others stand between them",
                why="the equations of a recurrence are evaluated together",
                remedy="write them one after the other",
            )
        made.append(_group(tuple(listed[k] for k in members)))
    return tuple(sorted(made, key=lambda g: listed.index(g.equations[0])))


def ordered(equations: Sequence[Equation]) -> tuple[Equation, ...]:
    """The equations with those of each recurrence next to each other, otherwise in the order in which they stand."""
    if not any(_reads_ahead(equations)):
        return tuple(equations)
    parts = [sorted(p) for p in sorted(_components(equations), key=min)]
    of = {equations[k].name: number for number, part in enumerate(parts) for k in part}
    placed: list[int] = []
    for number in range(len(parts)):
        _place(number, parts, equations, of, placed)
    return tuple(equations[k] for number in placed for k in parts[number])


def _place(
    number: int, parts: list[list[int]], equations: Sequence[Equation], of: Mapping[str, int], placed: list[int]
) -> None:
    """Put a part behind all that it needs and that is not there yet."""
    waiting = [number]
    while waiting:
        part = parts[waiting[-1]]
        needs = {of[n] for k in part for n in equations[k].used_names if n in of} - {waiting[-1]} - set(placed)
        if needs:
            waiting.append(min(needs))
        elif (done := waiting.pop()) not in placed:
            placed.append(done)


def _reads_ahead(equations: Sequence[Equation]) -> Iterable[bool]:
    """For each equation whether it reads itself, or what stands after it."""
    after = {e.name for e in equations}
    for eq in equations:
        yield not eq.used_names.isdisjoint(after)
        after.discard(eq.name)


def _components(equations: Sequence[Equation]) -> list[list[int]]:
    """The strongly connected components of "reads", each after those that it reads (Tarjan, without recursion)."""
    place = {e.name: k for k, e in enumerate(equations)}
    reads = [sorted(place[n] for n in e.used_names if n in place) for e in equations]
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    found: list[list[int]] = []
    for root in range(len(equations)):
        if root in number:
            continue
        work = [(root, iter(reads[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    cut = stack.index(node)
                    found.append(stack[cut:])
                    del stack[cut:]
            elif following not in number:
                number[following] = low[following] = len(number)
                stack.append(following)
                work.append((following, iter(reads[following])))
            elif following in stack:
                low[node] = min(low[node], number[following])
    return found


def _group(members: tuple[Equation, ...]) -> Group:
    names = {e.name: k for k, e in enumerate(members)}
    if len(members) == 1 and members[0].name not in members[0].used_names:
        return Group(members)
    time = {e.name: _time_axis(e) for e in members}
    offsets: dict[int, tuple[Equation, Element]] = {}
    for position, eq in enumerate(members):
        for element in (e for t in eq.terms for e in elements_in(t.body) if e.name in names):
            offset = _offset(eq, element, time)
            if offset == 0 and names[element.name] >= position:
                raise DefinitionError(
                    f"equation {eq.lhs} needs {element}, which is computed from it",
                    where="a recurrence",
                    why="both stand at the same time",
                    remedy=f"read an earlier time: {element.name}[…, {eq.indices[time[eq.name]].name} - 1, …]",
                )
            offsets.setdefault((offset > 0) - (offset < 0), (eq, element))
    if -1 in offsets and 1 in offsets:
        eq, element = offsets[1]
        raise DefinitionError(
            f"equation {eq.lhs} reads the future: {element}",
            where="a recurrence",
            why=f"{offsets[-1][0].lhs} reads the past, {offsets[-1][1]}, so there is no order to compute them in",
            remedy="read earlier times only, or later times only",
        )
    return Group(members, time, -1 if 1 in offsets else 1)


def _time_axis(eq: Equation) -> int:
    axes = [k for k, i in enumerate(eq.indices) if i.sequential]
    if len(axes) != 1:
        raise DefinitionError(
            f"equation {eq.lhs} is a recurrence with {'no' if not axes else 'more than one'} time index",
            why="it needs values of itself, so there has to be an order in which they are computed",
            remedy="declare one of its indices as time: sd.index('t', sequential=True)",
        )
    return axes[0]


def _offset(eq: Equation, element: Element, time: Mapping[str, int]) -> int:
    """c where the element is read at time t + c."""
    index = eq.indices[time[eq.name]]
    difference = sympy.expand(element.subscripts[time[element.name]] - index)
    if not difference.is_Integer:
        raise DefinitionError(
            f"{element} is read at a time that is not {index.name} plus a number",
            where=f"equation {eq.lhs}",
            why="the order in which a recurrence is computed has to be known",
            remedy=f"write {index.name} - 1",
        )
    return int(difference)
