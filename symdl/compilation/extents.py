"""Extents: which axes have the same length, where a program reads it at run time, and small sizes for a check.

A symbolic extent is its own key. An integer extent says nothing of which axes belong together (64 inputs and 64 units
are two things), so axes with integer extents are grouped by what subscripts them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import sympy

from symdl.compilation.composite import check_divisors, check_extents, divisors, enlarged, integers, solved
from symdl.core.definitions import Definition, _Renaming
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, elements_in
from symdl.errors import DefinitionError, ShapeError

#: A symbolic extent, or the representative of the axes that share an integer one.
Key: TypeAlias = Any

#: The extent that decisions assume where none is given.
ASSUMED = 32
#: Small extents in turn, so that neighbouring axes differ; the later ones for definitions with many entries to compute.
_SMALL = ((2, 5, 3, 7, 11), (2, 4, 3, 5), (2, 3))
#: How many bodies a check may evaluate at one point before it takes smaller extents.
_BUDGET = 1500


class Axes:
    """The axes of a definition, grouped by length.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def unit(x=Input("n i=4"), w=Param("i")):
    ...     n, i = x.indices
    ...     return let("s[n]", Sum(w[i] * x[n, i], i))
    >>> axes = Axes(unit)
    >>> axes.key(unit["x"].indices[1]) == axes.key(unit.equations[0].terms[0].bound[0])
    True
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.expected: Mapping[Key, int] = {}  # lengths that decisions go by
        self._parent: dict[Index, Index] = {}
        self._pinned: set[Index] = set()
        for eq in definition.equations:
            for term in eq.terms:
                self._pinned.update(_counted(term))
                for element in elements_in(term.body):
                    self._relate(element)
                for guard in term.body.atoms(InRange, Delta):
                    self._relate_guard(guard)

    def _relate(self, element: Element) -> None:
        for axis, subscript in zip(element.tensor.indices, element.subscripts, strict=True):
            if isinstance(subscript, Index) and subscript.extent == axis.extent:
                self._parent[self._root(subscript)] = self._root(axis)
            else:
                self._pinned.add(axis)
                self._pinned.update(i for i in subscript.free_symbols if isinstance(i, Index))

    def _relate_guard(self, guard: sympy.Expr) -> None:
        """δ(i, j) of two indices of one length ties their axes; any other guard relies on the lengths as they are."""
        a, b = guard.args
        if isinstance(guard, Delta) and isinstance(a, Index) and isinstance(b, Index) and a.extent == b.extent:
            self._parent[self._root(a)] = self._root(b)
        else:
            self._pinned.update(i for i in guard.free_symbols if isinstance(i, Index))

    def _root(self, index: Index) -> Index:
        while (above := self._parent.get(index, index)) is not index:
            index = above
        return index

    def key(self, index: Index) -> Key:
        """What two axes of one length have in common."""
        return self._root(index) if index.extent.is_Integer else _expanded(index.extent)

    def size(self, index: Index, sizes: Mapping[Key, int]) -> int | None:
        """The length of an axis, from the sizes of groups; None where they do not say."""
        key = self.key(index)
        if key in sizes:
            return sizes[key]
        value = index.extent.xreplace(integers({k: v for k, v in sizes.items() if k.is_Symbol}))
        return int(value) if value.is_Integer else None

    def expected_size(self, index: Index) -> int:
        """The length of an axis that decisions go by."""
        return self.size(index, self.expected) or ASSUMED

    @cached_property
    def composite(self) -> list[Index]:
        """One index for each extent that is no symbol and no number."""
        found = {i.extent: i for i in _all_indices(self.definition) if not i.extent.is_Atom}
        return list(found.values())

    @cached_property
    def divisors(self) -> list[tuple[sympy.Expr, Equation]]:
        """What equations divide by that depends on extents only and may be 0."""
        return divisors(self.definition)

    def fresh(self, index: Index) -> Index:
        """A new index of the same length: a loop of one statement."""
        made = index.fresh()
        self._parent[made] = self._root(index)
        return made

    def pinned(self) -> set[Key]:
        """Axes with an integer extent that a subscript such as 2·u + r, a guard or a number (1/8 in a mean) needs."""
        return {self.key(i) for i in self._pinned if i.extent.is_Integer}


def _counted(term: Term) -> set[Index]:
    """The bound indices whose integer extent shows as a number in the body, as 1/8 does in a mean over 8.

    A derivation may rely on it: Σ_i (x_i − mean) is 0 for that extent only.
    """
    numbers = [q for q in term.body.atoms(sympy.Rational) if q != 0]

    def shows(extent: int) -> bool:
        return extent > 1 and any(q.p % extent == 0 or q.q % extent == 0 for q in numbers)

    return {i for i in term.bound if i.extent.is_Integer and shows(int(i.extent))}


def _normalised(definition: Definition) -> set[Key]:
    """The extents that more than one mean divides by, as a mean and a variance do.

    Of two numbers the normalised ones are 1 and −1 whatever they are, and what is left of a slope is rounding.
    """
    counts: dict[Key, set[str]] = {}
    for eq in definition.equations:
        for term in eq.terms:
            for index in term.bound:
                if index.extent.is_Symbol and term.body.has(1 / index.extent):
                    counts.setdefault(index.extent, set()).add(eq.name)
    return {extent for extent, names in counts.items() if len(names) > 1}


def input_axes(definition: Definition) -> list[tuple[Tensor, int]]:
    """Every axis of every input, in order."""
    return [(t, a) for t in definition.inputs for a in range(t.rank)]


def sizes_from_shapes(axes: Axes, shapes: Mapping[str, tuple[int, ...]], *, resizing: bool = False) -> dict[Key, int]:
    """The length of every group of axes, from the shapes of the inputs.

    `resizing` lets an extent that the definition fixes be another one: only for checking the same code on small shapes.

    Raises:
        ShapeError: the wrong number of axes, two lengths for one extent, or another than the definition fixes; names
            the tensor and both extents. Or something divides by 0, as the N − 1 of a variance of one number.
    """
    sizes: dict[Key, int] = {}
    first: dict[Key, str] = {}
    definition = axes.definition
    for tensor in definition.inputs:
        if tensor.name not in shapes:
            continue
        shape = shapes[tensor.name]
        if len(shape) != tensor.rank:
            raise ShapeError(
                f"{tensor.name} has {len(shape)} axes, not {tensor.rank}",
                where=f"definition {definition.name}",
                why=f"it is {tensor.element()}" if tensor.rank else "it is a scalar",
                remedy="pass an array of that many axes",
            )
        for index, size in zip(tensor.indices, shape, strict=True):
            key = axes.key(index)
            if size < 1:
                raise ShapeError(f"axis {index.name} of {tensor.name} is empty", remedy="pass at least one entry")
            if index.extent.is_Integer and size != index.extent and not resizing:
                raise ShapeError(
                    f"axis {index.name} of {tensor.name} has extent {size}",
                    where=f"definition {definition.name}",
                    why=f"the definition fixes it to {index.extent}",
                    remedy="pass an array of that extent, or leave it open in the definition",
                )
            if sizes.setdefault(key, size) != size:
                raise ShapeError(
                    f"axis {index.name} of {tensor.name} has extent {size}",
                    where=f"definition {definition.name}",
                    why=f"{first[key]} has {sizes[key]} there",
                    remedy="pass arrays whose axes agree",
                )
            first.setdefault(key, tensor.name)
    sizes = solved(sizes, definition.name)
    check_extents(axes.composite, sizes, definition.name)
    check_divisors(axes.divisors, sizes, definition.name)
    return sizes


def sizes_from_names(axes: Axes, extents: Mapping[str, int]) -> dict[Key, int]:
    """Lengths by index name, for decisions of the plan.

    Raises:
        DefinitionError: no index of that name, or not a positive integer.
    """
    named = {i.name: i for i in _all_indices(axes.definition)}
    sizes: dict[Key, int] = {}
    for name, size in extents.items():
        if name not in named:
            raise DefinitionError(
                f"no index '{name}'", where=f"definition {axes.definition.name}", remedy=f"one of {', '.join(named)}"
            )
        if not isinstance(size, int) or size < 1:
            raise DefinitionError(f"index {name} can't have extent {size!r}", remedy="give 1 or more")
        if named[name].extent.is_Integer and size != named[name].extent:
            raise ShapeError(
                f"index {name} has extent {named[name].extent}, not {size}",
                where=f"definition {axes.definition.name}",
                why="it is fixed by the definition",
                remedy=f"leave out {name}={size}",
            )
        sizes[axes.key(named[name])] = size
    return sizes


def _all_indices(definition: Definition) -> list[Index]:
    found = [i for t in definition.tensors.values() for i in t.indices]
    return found + [i for eq in definition.equations for t in eq.terms for i in t.bound]


def small_shapes(axes: Axes, *, resizing: bool = True) -> dict[str, tuple[int, ...]]:
    """Shapes of the inputs on small extents, neighbouring axes on different primes, for a cross-check.

    Extents that a subscript relies on keep their size where they are integers; without `resizing` all integers do.
    """
    for small in _SMALL:
        symbols = _small_sizes(axes, small, resizing)
        if _bodies(axes, symbols) <= _BUDGET:
            break
    return {
        t.name: tuple(int(axes.key(i).xreplace(integers(symbols))) for i in t.indices) for t in axes.definition.inputs
    }


def _small_sizes(axes: Axes, small: tuple[int, ...], resizing: bool) -> dict[Key, int]:
    symbols: dict[Key, int] = {}
    pinned, normalised = axes.pinned(), _normalised(axes.definition)
    enough = next(n for n in (4, 6) if n not in small)
    for _, _, index in _named_axes(axes.definition):
        key = axes.key(index)
        for part in [key] if isinstance(key, Index) else sorted(key.free_symbols, key=str):
            if part not in symbols:
                integer = isinstance(part, Index) and (part in pinned or not resizing)
                symbols[part] = int(part.extent) if integer else small[len(symbols) % len(small)]
                if part in normalised:
                    symbols[part] = symbols[part] if symbols[part] > 2 else enough
    return enlarged(symbols, [i.extent for i in axes.composite], axes.definition.name)


def _bodies(axes: Axes, sizes: Mapping[Key, int]) -> int:
    """How many bodies the equations evaluate; one with a δ is 0 nearly everywhere, and costs little there."""

    def count(indices: Iterable[Index]) -> int:
        return math.prod(axes.size(i, sizes) or 1 for i in indices)

    return sum(
        count((*eq.indices, *t.bound)) // (8 if t.body.has(Delta) else 1)
        for eq in axes.definition.equations
        for t in eq.terms
    )


def _named_axes(definition: Definition) -> list[tuple[Tensor, int, Index]]:
    return [(t, a, t.indices[a]) for t, a in input_axes(definition)]


@lru_cache(maxsize=4096)
def _expanded(extent: sympy.Expr) -> sympy.Expr:
    return sympy.expand(extent)


class _Resizing(_Renaming):
    """Carries a definition over to concrete sizes, integer extents included."""

    def __init__(self, axes: Axes, sizes: Mapping[Key, int]) -> None:
        super().__init__({k: sympy.Integer(v) for k, v in sizes.items() if not isinstance(k, Index)})
        self.axes, self.sizes = axes, sizes

    def index(self, index: Index) -> Index:
        if index not in self.indices:
            size = self.sizes.get(self.axes.key(index))
            extent = index.extent.xreplace(self.values) if size is None else sympy.Integer(size)
            self.indices[index] = index if extent == index.extent else index.with_extent(extent)
        return self.indices[index]


def resized(definition: Definition, shapes: Mapping[str, tuple[int, ...]]) -> Definition:
    """The same equations on other extents, those of arrays with `shapes`; numbers in the bodies stay as they are.

    >>> from symdl.core.define import define, Input, Sum, let
    >>> @define
    ... def total(x=Input("i=64")):
    ...     (i,) = x.indices
    ...     return let("s", Sum(x[i] / 64, i))
    >>> resized(total, {"x": (3,)}).equations[0].terms[0].bound[0].extent
    3

    Raises:
        ShapeError: shapes that do not fit, or do not say every extent.
    """
    return _resized(definition, tuple((n, tuple(s)) for n, s in shapes.items()))


@lru_cache(maxsize=32)
def _resized(definition: Definition, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> Definition:
    """A cross-check asks for the same few again and again."""
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, dict(shapes), resizing=True)
    for index in _all_indices(definition):
        if axes.size(index, sizes) is None:
            raise _unreadable(index.extent, definition.name)
    resizing = _Resizing(axes, sizes)
    return replace(
        definition,
        equations=tuple(resizing.equation(e) for e in definition.equations),
        inputs=tuple(resizing.tensor(t) for t in definition.inputs),
        general=None,
    )


@dataclass(frozen=True)
class Extent:
    """How a program gets a length: `(tensor.shape[axis] + rest) // step`, or `rest` alone where `tensor` is empty."""

    key: Key
    tensor: str = ""
    axis: int = 0
    rest: sympy.Expr = sympy.S.Zero
    step: sympy.Expr = sympy.S.One


def runtime_extents(axes: Axes, needed: Iterable[Key]) -> list[Extent]:
    """The extents that a program needs, in an order in which each can be computed.

    Raises:
        ShapeError: an extent that no input has.
    """
    found: dict[Key, Extent] = {}
    for tensor, axis in input_axes(axes.definition):
        key = axes.key(tensor.indices[axis])
        if key.is_Symbol:
            found.setdefault(key, Extent(key, tensor.name, axis))
    for tensor, axis in input_axes(axes.definition):
        _solve(axes.key(tensor.indices[axis]), tensor.name, axis, found)
    for key in needed:
        if key in found:
            continue
        if isinstance(key, Index):
            found[key] = Extent(key, rest=key.extent)
        elif key.free_symbols <= set(found):
            found[key] = Extent(key, rest=key)
        else:
            raise _unreadable(key, axes.definition.name)
    return list(found.values())


def unreadable(definition: Definition) -> tuple[str, ...]:
    """The indices whose length no input says: the g of x[n, g·M + m], where only G·M is an axis."""
    axes = Axes(definition)
    found = {e.key for e in runtime_extents(axes, [])}
    lost = (i.name for i in _all_indices(definition) if i.extent.is_Symbol and axes.key(i) not in found)
    return tuple(dict.fromkeys(lost))


def _unreadable(extent: sympy.Expr, name: str) -> ShapeError:
    return ShapeError(
        f"extent {extent} can't be read from the inputs",
        where=f"definition {name}",
        why="no input has an axis that says how long it is",
        remedy="give an input that axis, or state the extent: definition.at(name=…) or extents={name: …}",
    )


def _solve(key: Key, tensor: str, axis: int, found: dict[Key, Extent]) -> None:
    """U from an input with extent U + R − 1, or with extent 2·U."""
    unknown = [] if key.is_Symbol else sorted(key.free_symbols - set(found), key=str)
    if len(unknown) != 1:
        return
    step = key.coeff(unknown[0], 1)
    rest = sympy.expand(key - step * unknown[0])
    if step.is_positive and not rest.has(unknown[0]) and not step.has(unknown[0]):
        found[unknown[0]] = Extent(unknown[0], tensor, axis, -rest, step)
