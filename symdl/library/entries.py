"""What an entry of the library is, and how the definition of one is made with options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.core.builder import Builder, Declared
from symdl.core.define import writing
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError


@dataclass(frozen=True)
class Entry:
    """A definition of the library: its kind, one line on what it is, and how it is made when asked for.

    The keyword arguments of `make` are the options of `sd.definition(name, …)`; each has a default.
    """

    name: str
    kind: str
    summary: str
    make: Callable[..., Definition]
    values: Mapping[str, Any] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options with their defaults."""
        return {p.name: p.default for p in inspect.signature(self.make).parameters.values()}

    def definition(self, **options: Any) -> Definition:
        """The definition with these options.

        Raises:
            DefinitionError: an option that this entry does not have; the message lists those that it has.
        """
        self.refuse_unknown(options, f"sd.definition('{self.name}')")
        return self.make(**options)

    def refuse_unknown(self, options: Mapping[str, Any], where: str) -> None:
        """Raise a DefinitionError for the first option that this entry does not have."""
        for name in options:
            if name not in self.options:
                known = ", ".join(f"{n}={v!r}" for n, v in self.options.items())
                raise DefinitionError(
                    f"{self.name} has no option '{name}'",
                    where=where,
                    remedy=f"its options are {known}" if known else "leave it out",
                )


def written(
    name: str,
    declared: Mapping[str, Declared | None],
    body: Callable[..., Tensor | tuple[Tensor, ...]],
    extents: Mapping[str, Any] | None = None,
    *,
    time: str = "",
) -> Definition:
    """A definition whose signature depends on options: `body` is called with the declared tensors, in order.

    Args:
        name: of the definition.
        declared: what `Input`, `Param` and `Hyper` give, by name; None leaves the argument out (`body` gets None).
        body: writes equations with `let`, returns the target, or a tuple of outputs, the target first.
        extents: extents that are expressions (2·J), by index name.
        time: the name of the index that is time, as for `define`.

    >>> from symdl.core.define import Input, Param, let
    >>> def layer(x, b):
    ...     (n,) = x.indices
    ...     return let("y[n]", x[n] if b is None else x[n] + b)
    >>> written("shift", {"x": Input("n"), "b": None}, layer)
    shift(x[n]) -> y:
        y[n] = x[n]
    """
    with writing(Builder(name, time=time)) as builder:
        for index, extent in (extents or {}).items():
            builder.index(index, extent)
        made = body(*[d if d is None else builder.declare(n, d) for n, d in declared.items()])
        outputs = made if isinstance(made, tuple) else (made,)
        return builder.build([o.name for o in outputs])


def same_extent(a: Index, b: Index, first: Tensor, second: Tensor, where: str) -> None:
    """Refuse two axes of different extents.

    Raises:
        ShapeError: naming both tensors, axes and extents.
    """
    if sympy.expand(a.extent - b.extent) != 0:
        raise ShapeError(
            f"axis {a.name} of {first.name} and axis {b.name} of {second.name} differ",
            where=where,
            why=f"they have the extents {a.extent} and {b.extent}",
            remedy="give both the same extent",
        )
