"""An axis whose entries are treated alike, so that code can have a vector in place of a number (see `targets.lanes`).

Things beside each other, such as networks, have an axis that no equation mixes: every tensor has it once, every
equation reads at one place of it what it writes there, and only the target adds up over it. Without that axis the
equations are those of one of the things. Parts of one thing, such as the units of a layer, have an axis over which
equations add up as well; then a sum over the lanes of a vector stands there, and what has no such axis is a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symdl.compilation.composite import integers
from symdl.compilation.extents import Axes, Key
from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import scalar_function
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Tensor, elements_in

#: The sum over all lanes of a vector.
total: Any = scalar_function("total", lambda x: x, source="the sum over all lanes")


@dataclass(frozen=True)
class Beside:
    """What is treated alike.

    Args:
        one: the equations without the axis.
        count: how many entries the axis has.
        axes: by the name of a tensor, which of its axes that is; −1 where none.
        apart: whether they are things beside each other, and not parts of one.
    """

    one: Definition
    count: int
    axes: dict[str, int]
    apart: bool = True


def beside(definition: Definition, axes: Axes) -> Beside | None:
    """The equations of one of the things that a definition has beside each other; None where there is no such axis.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def lines(x=Input("n g=64"), w=Param("g")):
    ...     n, g = x.indices
    ...     y = let("y[n,g]", w[g] * x[n, g])
    ...     return let("L", Sum(y[n, g] ** 2, n, g))
    >>> found = beside(lines, Axes(lines))
    >>> found.count, found.one.equations
    (64, (y[n] = w*x[n], L = Sum_{n}(y[n]**2)))
    """
    wanted = [t for t in definition.tensors.values() if t in definition.parameters or t not in definition.inputs]
    needed = [t for t in wanted if t != definition.target]
    for key in _candidates(definition, axes):
        everywhere = all(_times(t, key, axes) == 1 for t in needed)
        if everywhere and all(_is_alike(eq, key, axes, (definition.target.name,)) for eq in definition.equations):
            return _without_axis(definition, key, axes, apart=True)
    return None


def inside(definition: Definition, axes: Axes) -> Iterator[Beside]:
    """The equations without an axis of parts of one thing, for each axis that allows it.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def unit(x=Input("n"), v=Param("j=8"), w=Param("j=8")):
    ...     (n,), (j,) = x.indices, v.indices
    ...     y = let("y[n]", Sum(w[j] * v[j] * x[n], j))
    ...     return let("L", Sum(y[n] ** 2, n))
    >>> [(found.count, found.one.equations) for found in inside(unit, Axes(unit))]
    [(8, (y[n] = total(v*w*x[n]), L = Sum_{n}(y[n]**2)))]
    """
    names = tuple(eq.name for eq in definition.equations)
    for key in _candidates(definition, axes):
        used = any(_times(t, key, axes) for t in definition.parameters)
        if used and all(_is_alike(eq, key, axes, names) for eq in definition.equations):
            yield _without_axis(definition, key, axes, apart=False)


def _candidates(definition: Definition, axes: Axes) -> Iterator[Key]:
    """The groups of axes of a known length that no tensor has twice."""
    tensors = list(definition.tensors.values())
    target = definition.target
    if target.rank or any(target in eq.uses for eq in definition.equations) or any(t.integer for t in tensors):
        return
    for key in dict.fromkeys(axes.key(i) for t in tensors for i in t.indices):
        known = axes.size(_index_of(definition, axes, key), axes.expected) is not None
        if known and max(_times(t, key, axes) for t in tensors) == 1:
            yield key


def _times(tensor: Tensor, key: Key, axes: Axes) -> int:
    return [axes.key(i) for i in tensor.indices].count(key)


def _index_of(definition: Definition, axes: Axes, key: Key) -> Index:
    return next(i for t in definition.tensors.values() for i in t.indices if axes.key(i) == key)


def _is_alike(eq: Equation, key: Key, axes: Axes, adding: tuple[str, ...]) -> bool:
    """Whether an equation uses nothing of another entry than the one that it is for, or adds up over all of them."""
    own = [i for i in eq.indices if axes.key(i) == key]
    for term in eq.terms:
        summed = [i for i in term.bound if axes.key(i) == key]
        here = own + summed
        if len(here) > 1 or (summed and (term.op != "sum" or eq.name not in adding)):
            return False
        if len(adding) == 1 and not here:  # of things beside each other, none is there for all
            return False
        for element in elements_in(term.body):
            if not _reads_at(element, here, key, axes):
                return False
        if here and here[0] in indices_in(_without(term.body, key, axes)):
            return False
    return True


def _reads_at(element: Element, here: list[Index], key: Key, axes: Axes) -> bool:
    pairs = zip(element.tensor.indices, element.subscripts, strict=True)
    return all(
        (s in here) if axes.key(a) == key else not any(axes.key(i) == key for i in indices_in(s)) for a, s in pairs
    )


def _without_axis(definition: Definition, key: Key, axes: Axes, apart: bool) -> Beside:
    """The equations without that axis."""
    size = axes.size(_index_of(definition, axes, key), axes.expected)
    assert size is not None, "asked for before"
    number = integers({key: size}) if not isinstance(key, Index) else {}

    def kept(indices: tuple[Index, ...]) -> tuple[Index, ...]:
        return tuple(i for i in indices if axes.key(i) != key)

    def tensor(t: Tensor) -> Tensor:
        return t.with_indices(kept(t.indices))

    def term(t: Term) -> Term:
        bound = kept(t.bound)
        body = _without(t.body, key, axes).xreplace(number)
        body = body if apart or bound == t.bound else total(body)
        return replace(t, body=body, bound=bound, op=t.op if bound else "")

    equations = tuple(Equation(tensor(e.out), tuple(map(term, e.terms)), e.note) for e in definition.equations)
    inputs = tuple(map(tensor, definition.inputs))
    one = Definition(definition.name, equations, inputs, definition.outputs, definition.kinks)
    places = {
        n: next((k for k, i in enumerate(t.indices) if axes.key(i) == key), -1) for n, t in definition.tensors.items()
    }
    return Beside(one, size, places, apart)


def _without(body: sympy.Expr, key: Key, axes: Axes) -> sympy.Expr:
    """A body whose elements have no subscript on that axis."""
    found = {}
    for element in elements_in(body):
        pairs = [(a, s) for a, s in zip(element.tensor.indices, element.subscripts, strict=True) if axes.key(a) != key]
        found[element] = element.tensor.with_indices(a for a, _ in pairs)[tuple(s for _, s in pairs)]
    return body.xreplace(found)
