"""Collecting the equations of a definition while it is written, by `@define` or by a layer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sympy

from symdl.core.checks import check_equation
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, flatten, namer, unused
from symdl.core.functions import UNSTATED, Switch, kink_weight
from symdl.core.indices import Index
from symdl.core.recurrence import Group, groups, ordered
from symdl.core.tensors import Fact, Role, Tensor, _as_scalar
from symdl.errors import DefinitionError

_AXIS = re.compile(r"([A-Za-z]+[0-9]*)(?:=(?:([0-9]+)|([A-Za-z]+[0-9]*)))?")
_LHS = re.compile(r"\s*([A-Za-z]\w*)\s*(?:\[([^\]]*)\])?\s*")


@dataclass(frozen=True)
class Declared:
    """What stands in the signature of a definition: a tensor without its name."""

    axes: str
    role: Role
    integer: bool = False
    facts: frozenset[Fact] = frozenset()
    mask: float | str | None = None
    start: float | None = None


@dataclass
class Builder:
    """Collects equations while the body of a definition runs; also used by `sequential` to write one."""

    name: str
    indices: dict[str, Index] = field(default_factory=dict)
    inputs: list[Tensor] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    kinks: dict[str, Any] = field(default_factory=dict)
    time: str = ""
    states: dict[str, Tensor] = field(default_factory=dict)
    backwards: set[str] = field(default_factory=set)

    def index(self, name: str, extent: Any = None, *, sequential: bool = False) -> Index:
        """The index of that name, made at first use; a second extent for it is an error."""
        if name not in self.indices:
            self.indices[name] = Index(name, extent, sequential=sequential or name == self.time)
        known = self.indices[name]
        if extent is not None and known.extent != extent:
            raise DefinitionError(
                f"index {name} is given two extents",
                where=f"definition {self.name}",
                why=f"{known.extent} before, {extent} now",
                remedy="use another letter",
            )
        return known

    def new_index(self, name: str, extent: Any = None) -> Index:
        """An index of its own, called `name`, or `name2`, `name3`, … where that is taken."""
        return self.index(unused(name, self.indices), extent)

    def declare(self, name: str, declared: Declared) -> Tensor:
        """Make a tensor of what the signature declares and take it as an input."""
        indices: list[Index] = []
        for part in declared.axes.replace(",", " ").split():
            match = _AXIS.fullmatch(part)
            if match is None:
                raise DefinitionError(
                    f"'{part}' is not an axis",
                    where=f"{name} of {self.name}",
                    remedy="write names such as 'n i=3', or 'j k=j' for an index k of the extent of j",
                )
            indices.append(self.index(match[1], self._stated_extent(name, match[2], match[3])))
        role, integer, facts = declared.role, declared.integer, declared.facts
        tensor = Tensor(name, tuple(indices), role, integer, facts, mask=declared.mask, start=declared.start)
        self.inputs.append(tensor)
        return tensor

    def go_on_from(self, definition: Definition) -> None:
        """Start with the inputs, equations and index names of a definition."""
        self.inputs += definition.inputs
        self.equations += definition.equations
        for tensor in definition.tensors.values():
            for i in tensor.indices:
                self.indices.setdefault(i.name, i)

    def _stated_extent(self, name: str, number: str | None, alike: str | None) -> sympy.Expr | None:
        if alike is None:
            return sympy.Integer(number) if number else None
        if alike not in self.indices:
            raise DefinitionError(
                f"'={alike}' names no index", where=f"{name} of {self.name}", remedy="name one that stands before"
            )
        return self.indices[alike].extent

    @property
    def names(self) -> dict[str, Tensor]:
        defined = (*self.inputs, *(e.out for e in self.equations))
        return {**{t.name: t for t in defined}, **self.states}

    def state(self, left: str, *, backwards: bool = False) -> Tensor:
        """Announce a tensor that is defined later, so that its own past can stand in equations before."""
        out = self._left(left)
        self._refuse_twice(out.name)
        if not any(i.sequential for i in out.indices):
            raise DefinitionError(
                f"state {left.strip()} has no time index",
                where=f"definition {self.name}",
                why="what it needs of itself has to be at another time",
                remedy="say which index is time: @sd.define(time='t')",
            )
        self.states[out.name] = out
        if backwards:
            self.backwards.add(out.name)
        return out

    def let(self, left: str, right: Any, note: str = "", *, shorter: bool = False) -> Tensor:
        """Add `left = right`; nested reductions become equations of their own."""
        out = self._left(left)
        announced = self.states.get(out.name)
        if announced is None:
            self._refuse_twice(out.name)
        elif announced != out:
            raise DefinitionError(
                f"{out.element()} was announced as {announced.element()}",
                where=f"definition {self.name}",
                remedy="write the same indices in sd.state and sd.let",
            )
        body = self._with_policy(out.name, _as_scalar(right))
        for eq in flatten(out, body, namer({out.name, *self.names}), note):
            check_equation(eq, self.names, shorter=shorter)
            self.equations.append(eq)
        self.states.pop(out.name, None)
        return out

    def _left(self, left: str) -> Tensor:
        """The tensor that a left-hand side names."""
        match = _LHS.fullmatch(left)
        if match is None:
            raise DefinitionError(f"'{left}' can't stand on the left", where=self.name, remedy="write 's[n,j]' or 'L'")
        name, subscripts = match[1], [p for p in re.split(r"[\s,]+", match[2] or "") if p]
        unknown = [s for s in subscripts if s not in self.indices]
        if unknown:
            raise DefinitionError(
                f"unknown index {unknown[0]}",
                where=f"equation {left.strip()}",
                why=f"the indices of {self.name} are {', '.join(self.indices) or 'none'}",
                remedy=f"declare it with an input or sd.index('{unknown[0]}', extent)",
            )
        return Tensor(name, tuple(self.indices[s] for s in subscripts))

    def _refuse_twice(self, name: str) -> None:
        if name in self.names:
            raise DefinitionError(f"'{name}' is defined twice", where=f"definition {self.name}", remedy="rename one")

    def _with_policy(self, name: str, body: sympy.Expr) -> sympy.Expr:
        """Put the policy of `@define(kinks={name: …})` where the body leaves a kink open."""
        if name not in self.kinks:
            return body
        weight = kink_weight(self.kinks[name])
        return body.replace(
            lambda e: isinstance(e, Switch) and e.weight == UNSTATED, lambda e: Switch(*e.args[:3], weight)
        )

    def build(self, outputs: Iterable[str]) -> Definition:
        """The definition, the equations of each recurrence next to each other.

        Raises:
            DefinitionError: a state is never defined, or a recurrence reads the future without having said so.
        """
        if self.states:
            name = next(iter(self.states))
            raise DefinitionError(
                f"state {self.states[name].element()} is never defined",
                where=f"definition {self.name}",
                remedy=f"add sd.let('{self.states[name].element()}', …)",
            )
        equations = ordered(self.equations)
        for group in groups(equations):
            self._check_direction(group)
        return Definition(self.name, equations, tuple(self.inputs), tuple(outputs))

    def _check_direction(self, group: Group) -> None:
        stated = self.backwards.intersection(group.names)
        if group.direction < 0 and not stated:
            eq = group.equations[0]
            raise DefinitionError(
                f"the recurrence of {', '.join(group.names)} reads the future",
                where=f"equation {eq.lhs}",
                why=f"it needs values at {group.index(eq).name} + 1 and later",
                remedy="read t - 1; or, for one that runs from the last time to the first, "
                "sd.state('h[…]', backwards=True)",
            )
        if group.direction > 0 and stated:
            raise DefinitionError(
                f"the recurrence of {', '.join(group.names)} was said to run backwards, and reads the past",
                where=f"equation {group.equations[0].lhs}",
                remedy="leave out backwards=True",
            )
