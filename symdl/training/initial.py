"""Parameters to start from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, elements_in
from symdl.errors import DataError, ShapeError

Array = npt.NDArray[Any]


def initial_parameters(
    definition: Definition,
    shapes: Mapping[str, tuple[int, ...]],
    rng: np.random.Generator,
    dtype: str = "float64",
    given: Mapping[str, npt.ArrayLike] | None = None,
) -> dict[str, Array]:
    """Parameters by Glorot and Bengio's uniform distribution (2010), ±√(6 / (fan in + fan out)).

    An axis that the definition sums over counts as fan in, any other as fan out. A parameter without a summed axis is a
    bias and starts at 0 where it is only added, is a gain and starts at 1 where it multiplies (γ of a normalisation),
    and is drawn with its last axis as fan in where data subscript it (an embedding).

    Args:
        definition: whose parameters are drawn, in its order.
        shapes: of the data, by name: they fix what the definition leaves open.
        rng: the same state gives the same parameters.
        dtype: of the result.
        given: parameters to start from instead; copied.

    Raises:
        DataError: a given parameter that is unknown, not finite or not numeric.
        ShapeError: a shape that does not fit, or that nothing determines.

    >>> from symdl.library.layers import dense, sequential
    >>> net = sequential(dense(3, "tanh"), dense(2), inputs=4)
    >>> start = initial_parameters(net, {}, np.random.default_rng(0))
    >>> {n: a.shape for n, a in start.items()}, bool(abs(start["W1"]).max() < (6 / 7) ** 0.5)
    ({'W1': (3, 4), 'b1': (3,), 'W2': (2, 3), 'b2': (2,)}, True)
    """
    copies = {n: _copied(definition, n, a, dtype) for n, a in (given or {}).items()}
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, {**shapes, **{n: a.shape for n, a in copies.items()}})
    found: dict[str, Array] = {}
    for tensor in definition.parameters:
        shape = tuple(_extent(axes, sizes, tensor, i) for i in tensor.indices)
        use = _use(definition, tensor)
        fan_in = math.prod(shape[a] for a in use.summed)
        fan_out = math.prod(s for a, s in enumerate(shape) if a not in use.summed)
        limit = math.sqrt(6 / (fan_in + fan_out)) if use.summed else 0.0
        # drawn in any case, so that giving one leaves the others alone
        drawn = rng.uniform(-limit, limit, shape) + (1.0 if use.multiplies and not use.summed else 0.0)
        found[tensor.name] = copies.get(tensor.name, np.asarray(drawn, dtype))
    return found


def _copied(definition: Definition, name: str, value: npt.ArrayLike, dtype: str) -> Array:
    if name not in [p.name for p in definition.parameters]:
        names = ", ".join(p.name for p in definition.parameters)
        raise DataError(f"'{name}' is no parameter", where=f"definition {definition.name}", remedy=f"one of {names}")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise DataError(f"the initial {name} holds something that is not a finite number", remedy="start from numbers")
    return np.array(array, dtype=dtype, order="C")


def _extent(axes: Axes, sizes: Mapping[Any, int], tensor: Tensor, index: Index) -> int:
    size = axes.size(index, sizes)
    if size is None:
        raise ShapeError(
            f"nothing determines axis {index.name} of {tensor.name}",
            where=f"definition {axes.definition.name}",
            why=f"its extent is {index.extent}, and no data have it",
            remedy=f"fix it (sd.dense(32)), or pass initial={{'{tensor.name}': …}}",
        )
    return size


@dataclass(frozen=True)
class _Use:
    """What a definition does with a parameter: the axes that it sums over, and whether it multiplies anything."""

    summed: frozenset[int]
    multiplies: bool


def _use(definition: Definition, tensor: Tensor) -> _Use:
    summed: set[int] = set()
    multiplies = gathered = False
    for eq in definition.equations:
        for term in eq.terms:
            for element in (e for e in elements_in(term.body) if e.name == tensor.name):
                gathered |= any(s.atoms(Element) for s in element.subscripts)
                if term.op == "sum":
                    summed |= {a for a, s in enumerate(element.subscripts) if s.free_symbols & set(term.bound)}
                multiplies |= any(_scales(element, part) for part in sympy.Add.make_args(term.body))
    if gathered and not summed:
        summed = {tensor.rank - 1}
    return _Use(frozenset(summed), multiplies)


def _scales(element: Element, part: sympy.Expr) -> bool:
    """Whether a summand is the element times something that is computed or given."""
    return bool(part.is_Mul) and element in part.args and bool((part / element).atoms(Element))
