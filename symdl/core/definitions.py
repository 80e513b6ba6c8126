"""A `Definition`: a named list of equations in evaluation order, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy

from symdl.core.checks import check_definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import switches_in
from symdl.core.indices import Index
from symdl.core.tensors import Head, Role, Tensor
from symdl.errors import DefinitionError, one_of


@dataclass(frozen=True)
class Definition:
    """Equations in evaluation order, with what goes in and what comes out.

    Args:
        name: what a reader calls it.
        equations: in flat form; each tensor is defined once and before it is used.
        inputs: data, parameters and hyperparameters, in the order of the author.
        outputs: the names of the tensors that it computes; the first one is the target.
        kinks: where a function has no derivative and what was decided for that point, one line each.
        general: what `at` was called on, where that made this definition.
        careful: whether it is compiled with twice the digits and without overflow unless asked otherwise.
        named: equations that are a function written out, each with the same one that calls the function by its name:
            so it is compiled, in the form that keeps its digits.

    Raises:
        DefinitionError, ShapeError, KinkError: with the equation, the index and both extents.
    """

    name: str
    equations: tuple[Equation, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    kinks: tuple[str, ...] = field(default=(), compare=False)
    general: General | None = field(default=None, compare=False, repr=False)
    careful: bool = field(default=False, compare=False)
    named: Mapping[Equation, Equation] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_definition(self.name, self.inputs, self.equations, self.outputs)
        if not self.kinks:
            object.__setattr__(self, "kinks", _stated_kinks(self.equations))

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """Every tensor by name: inputs first, then the defined ones in order."""
        return {t.name: t for t in (*self.inputs, *(e.out for e in self.equations))}

    @cached_property
    def by_name(self) -> Mapping[str, Equation]:
        """Every equation by the name of the tensor it defines."""
        return {e.name: e for e in self.equations}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.tensors:
            raise DefinitionError(
                f"no tensor '{name}'", where=f"definition {self.name}", remedy=one_of(name, self.tensors)
            )
        return self.tensors[name]

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """The tensors that training changes."""
        return tuple(t for t in self.inputs if t.role is Role.PARAMETER)

    @property
    def data(self) -> tuple[Tensor, ...]:
        """The tensors that hold data: inputs and targets."""
        return tuple(t for t in self.inputs if t.role is Role.INPUT and t.mask is None)

    @property
    def masks(self) -> tuple[Tensor, ...]:
        """The inputs that training draws, 1 or 0 for each batch."""
        return tuple(t for t in self.inputs if t.mask is not None)

    @property
    def target(self) -> Tensor:
        """The first output; gradients are taken of it."""
        return self.tensors[self.outputs[0]]

    @cached_property
    def extents(self) -> Mapping[str, sympy.Expr]:
        """Extent by index name, over all tensors and sums."""
        found: dict[str, sympy.Expr] = {}
        for tensor in self.tensors.values():
            for index in tensor.indices:
                found.setdefault(index.name, index.extent)
        for eq in self.equations:
            for index in (i for t in eq.terms for i in t.bound):
                found.setdefault(index.name, index.extent)
        return found

    def by_names(self) -> Definition:
        """The definition with functions by name where its equations have them written out; itself where none are."""
        if not any(e in self.named for e in self.equations):
            return self
        return replace(self, equations=tuple(self.named.get(e, e) for e in self.equations), kinks=(), named={})

    def only(self, outputs: Iterable[str], name: str = "") -> Definition:
        """The definition cut down to what `outputs` need."""
        outputs = tuple(outputs)
        wanted, pending = set(outputs), list(outputs)
        while pending:  # not in one pass from the end: a recurrence needs what stands after it
            eq = self.by_name.get(pending.pop())
            new = eq.used_names - wanted if eq is not None else ()
            wanted.update(new)
            pending.extend(new)
        kept = tuple(e for e in self.equations if e.name in wanted)
        general = self.general and General(self.general.definition.only(outputs, name), self.general.extents)
        return replace(self, name=name or self.name, equations=kept, outputs=outputs, kinks=(), general=general)

    def at(self, **extents: int) -> Definition:
        """The same definition with concrete extents, given by index name.

        Raises:
            DefinitionError: no index of that name, its extent is fixed already, or the number is not positive.
        """
        values: dict[sympy.Expr, sympy.Expr] = {}
        for name, size in extents.items():
            extent = self._extent(name)
            if not isinstance(size, int) or size < 1:
                raise DefinitionError(
                    f"index {name} can't have extent {size!r}", where=f"definition {self.name}", remedy="1 or more"
                )
            if extent == size:
                continue
            if not extent.is_Symbol:
                raise DefinitionError(
                    f"index {name} has extent {extent}, not {size}",
                    where=f"definition {self.name}",
                    why="it is fixed by the definition",
                    remedy=f"leave out {name}={size}",
                )
            if values.setdefault(extent, sympy.Integer(size)) != size:
                raise DefinitionError(
                    f"extent {extent} is given as {values[extent]} and as {size}",
                    where=f"definition {self.name}",
                    why=f"index {name} shares it with another index",
                    remedy="give one number",
                )
        if not values:
            return self
        origin = self.general or General(self, {})
        return replace(self._with_extents(values), general=General(origin.definition, {**origin.extents, **extents}))

    def _extent(self, name: str) -> sympy.Expr:
        if name not in self.extents:
            raise DefinitionError(
                f"no index '{name}'",
                where=f"definition {self.name}",
                remedy=f"its indices are {', '.join(self.extents) or 'none'}",
            )
        return self.extents[name]

    def _with_extents(self, values: Mapping[sympy.Expr, sympy.Expr]) -> Definition:
        renaming = _Renaming(values)
        return replace(
            self,
            equations=tuple(renaming.equation(e) for e in self.equations),
            inputs=tuple(renaming.tensor(t) for t in self.inputs),
            general=None,
        )

    def renamed(self, names: Mapping[str, str], name: str = "") -> Definition:
        """The same definition with tensors renamed; names not mentioned stay."""
        renaming = _Renaming({}, names)
        general = self.general and General(self.general.definition.renamed(names, name), self.general.extents)
        return replace(
            self,
            name=name or self.name,
            equations=tuple(renaming.equation(e) for e in self.equations),
            inputs=tuple(renaming.tensor(t) for t in self.inputs),
            outputs=tuple(names.get(o, o) for o in self.outputs),
            general=general,
        )

    def __repr__(self) -> str:
        inputs = ", ".join(str(t.element()) for t in self.inputs)
        lines = "\n".join(f"    {e!r}" for e in self.equations)
        return f"{self.name}({inputs}) -> {', '.join(self.outputs)}:\n{lines}"


@dataclass(frozen=True)
class General:
    """A definition with symbolic extents, and the numbers that another one has for them.

    In `mean`, an extent that is a number is a mere 1/64, and nothing tells that it belongs to an axis; here it does.
    """

    definition: Definition
    extents: Mapping[str, int]


class _Renaming:
    """Carries indices, tensors and expressions over to other extents or names, each index object once."""

    def __init__(self, values: Mapping[Any, Any], names: Mapping[str, str] | None = None) -> None:
        self.values, self.names = dict(values), dict(names or {})
        self.indices: dict[Index, Index] = {}
        self.seen: dict[Tensor, Tensor] = {}

    def index(self, index: Index) -> Index:
        if index not in self.indices:
            extent = index.extent.xreplace(self.values)
            self.indices[index] = index if extent == index.extent else index.with_extent(extent)
        return self.indices[index]

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor not in self.seen:
            of = tensor.cotangent_of
            self.seen[tensor] = replace(
                tensor,
                name=self.names.get(tensor.name, tensor.name),
                indices=tuple(self.index(i) for i in tensor.indices),
                cotangent_of=of and (self.names.get(of[0], of[0]), self.names.get(of[1], of[1])),
                tangent_of=tensor.tangent_of and self.names.get(tensor.tangent_of, tensor.tangent_of),
                mask=self.names.get(tensor.mask, tensor.mask) if isinstance(tensor.mask, str) else tensor.mask,
            )
        return self.seen[tensor]

    def expr(self, expr: sympy.Expr) -> sympy.Expr:
        mapping: dict[sympy.Basic, sympy.Basic] = dict(self.values)
        mapping.update({i: self.index(i) for i in expr.atoms(Index)})
        mapping.update({h: Head(self.tensor(h.tensor)) for h in expr.atoms(Head)})
        return expr.xreplace(mapping)

    def term(self, term: Term) -> Term:
        return replace(term, bound=tuple(self.index(i) for i in term.bound), body=self.expr(term.body))

    def equation(self, eq: Equation) -> Equation:
        return replace(eq, out=self.tensor(eq.out), terms=tuple(self.term(t) for t in eq.terms))


def _stated_kinks(equations: Iterable[Equation]) -> tuple[str, ...]:
    """One line for each kink: the equation, the place, and what was decided."""
    lines: dict[str, None] = {}
    for eq in equations:
        for term in eq.terms:
            for _, node in switches_in(term.body):
                side = _SIDES.get(node.weight, f"the right-hand slope counts {node.weight}")
                lines[f"{eq.lhs}: at {node.args[0]} = 0 {side}"] = None
            if term.op == "max" and term.ties:
                lines[f"{eq.lhs}: ties of the maximum: {term.ties}"] = None
    return tuple(lines)


_SIDES = {
    sympy.S.Zero: "the left-hand slope counts",
    sympy.S.One: "the right-hand slope counts",
    sympy.Rational(1, 2): "the mean of both slopes counts",
}
