"""What a hand-written function is judged by: the gradient that symdl derives, with the upstream slopes it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Element, Head, Role, Tensor
from symdl.derivation.derive import chosen_sources, derive
from symdl.derivation.seeds import seeded
from symdl.errors import DefinitionError, ShapeError


@dataclass(frozen=True)
class Subject:
    """A definition and its derived gradient.

    Args:
        definition: without upstream slopes.
        gradient: the equations of the definition and those of the gradient.
        slopes: by the name of what is differentiated by, the tensor of the gradient that is the slope.
        upstream: by the name of an output, the input of `gradient` that is the slope of the loss by it.
    """

    definition: Definition
    gradient: Definition
    slopes: Mapping[str, str]
    upstream: Mapping[str, str]

    @property
    def wrt(self) -> tuple[str, ...]:
        return tuple(self.slopes)

    @property
    def known(self) -> tuple[str, ...]:
        """The names of all that a function may be given: inputs, forward values, upstream slopes."""
        return (*self.definition.tensors, *self.upstream.values())

    def tensor(self, name: str) -> Tensor:
        return self.gradient.tensors[name]


def subject(definition: Definition, wrt: Iterable[str], upstream: Iterable[str]) -> Subject:
    """Derive the gradient by `wrt`; for a function that gets slopes by the outputs `upstream`, of any loss.

    Raises:
        DefinitionError: without upstream slopes, the target is no scalar.
    """
    return _derived(definition, tuple(wrt), tuple(upstream))


@lru_cache(maxsize=16)
def _derived(definition: Definition, wrt: tuple[str, ...], upstream: tuple[str, ...]) -> Subject:
    """Tests check several functions against one definition."""
    with_seeds = seeded(definition, upstream) if upstream else definition
    derivation = derive(with_seeds, wrt)
    names = {o: t.name for t in with_seeds.inputs if t.cotangent_of for o in upstream if t.cotangent_of[1] == o}
    # what the gradient does not need of the forward values, a function may be given all the same
    own = set(definition.by_name)
    backward = tuple(e for e in derivation.gradient.equations if e.name not in own)
    whole = replace(derivation.gradient, equations=(*definition.equations, *backward), kinks=())
    return Subject(definition, whole, dict(derivation.names), names)


def sources(definition: Definition, wrt: str | Iterable[str] | None) -> tuple[str, ...]:
    """The names to differentiate by, checked; None: as `symdl.derive` has it."""
    return tuple(t.name for t in chosen_sources(definition, wrt, definition.target))


def lifted(definition: Definition) -> Definition:
    """A definition between numbers, as an activation is, for arrays of one axis; others as they are.

    Parameters and hyperparameters stay numbers.

    >>> from symdl.core.define import Hyper, Input, define, let, tanh
    >>> @define
    ... def unit(s=Input(), c=Hyper()):
    ...     return let("a", tanh(c * s))
    >>> lifted(unit)
    unit(s[n], c) -> a:
        a[n] = tanh(c*s[n])
    """
    scalar = all(t.rank == 0 for t in definition.tensors.values()) and not any(
        term.bound for e in definition.equations for term in e.terms
    )
    if not scalar or not definition.data:
        return definition
    n = Index("n")
    kept = {t.name for t in definition.inputs if t.role is not Role.INPUT}
    wide = {t.name: t.with_indices([n]) for t in definition.tensors.values() if t.name not in kept}

    def change(body: sympy.Expr) -> sympy.Expr:
        elements = [e for e in body.atoms(Element) if e.name in wide]
        return body.xreplace({e: Element(Head(wide[e.name]), n) for e in elements})

    return replace(
        definition,
        equations=tuple(replace(e.map(change), out=wide[e.name]) for e in definition.equations),
        inputs=tuple(wide.get(t.name, t) for t in definition.inputs),
        general=None,
        kinks=(),
    )


def fixed(definition: Definition, values: Mapping[str, Any], extents: Mapping[str, int]) -> Definition:
    """The definition with extents put in, those of arrays among the values too.

    Raises:
        DefinitionError: a value for what is no input.
        ShapeError: an array that does not fit.
    """
    inputs = {t.name: t for t in definition.inputs}
    known: dict[str, int] = dict(extents)
    for name, value in values.items():
        if name not in inputs:
            raise DefinitionError(
                f"'{name}' is no input of {definition.name}", where="values", remedy=f"one of {', '.join(inputs)}"
            )
        tensor, shape = inputs[name], np.shape(value)
        if shape and len(shape) != tensor.rank:
            raise ShapeError(
                f"{name} has {len(shape)} axes, not {tensor.rank}",
                where="values",
                why=f"it is {tensor.element()}",
                remedy="give one number, or an array of that many axes",
            )
        for index, length in zip(tensor.indices, shape, strict=False):
            if known.setdefault(index.name, length) != length:
                raise ShapeError(
                    f"axis {index.name} of {name} has extent {length}", where="values", why=f"it is {known[index.name]}"
                )
    return definition.at(**known) if known else definition


def missing(subject: Subject, given: Iterable[str]) -> tuple[str, ...]:
    """The inputs that the slopes depend on, other than through what is given.

    >>> from symdl.library.definitions import definition
    >>> about = subject(definition("layer_norm"), ["gamma"], ["y"])
    >>> missing(about, ["x_hat", "y_bar"]), missing(about, ["x", "y_bar"])
    ((), ('eps',))
    """
    gradient, known = subject.gradient, set(given)
    inputs = {t.name for t in gradient.inputs}
    seen: set[str] = set()
    pending = [s for s in subject.slopes.values() if s not in known]
    while pending:
        name = pending.pop()
        if name in seen or name in known:
            continue
        seen.add(name)
        if name not in inputs:
            pending.extend(gradient.by_name[name].used_names)
    return tuple(t.name for t in gradient.inputs if t.name in seen)
