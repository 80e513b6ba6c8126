"""Parameters to start from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor, elements_in
from symdl.errors import DataError, ShapeError

Array = npt.NDArray[Any]


def initial_parameters(
    definition: Definition,
    shapes: Mapping[str, tuple[int, ...]],
    rng: np.random.Generator,
    dtype: str = "float64",
    given: Mapping[str, npt.ArrayLike] | None = None,
) -> dict[str, Array]:
    """Parameters by Glorot and Bengio's uniform distribution (2010), ±√(6 / (fan in + fan out)); biases are 0.

    An axis that the definition sums over counts as fan in, any other as fan out; a parameter without a summed axis is
    taken for a bias.

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
        summed = _summed_axes(definition, tensor)
        fan_in = math.prod(shape[a] for a in summed)
        fan_out = math.prod(s for a, s in enumerate(shape) if a not in summed)
        limit = math.sqrt(6 / (fan_in + fan_out)) if summed else 0.0
        drawn = rng.uniform(-limit, limit, shape)  # drawn in any case, so that giving one leaves the others alone
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
    key = axes.key(index)
    if key in sizes:
        return sizes[key]
    extent = index.extent.xreplace({k: v for k, v in sizes.items() if k.is_Symbol})
    if not extent.is_Integer:
        raise ShapeError(
            f"nothing determines axis {index.name} of {tensor.name}",
            where=f"definition {axes.definition.name}",
            why=f"its extent is {extent}, and no data have it",
            remedy=f"fix it (sd.dense(32)), or pass initial={{'{tensor.name}': …}}",
        )
    return int(extent)


def _summed_axes(definition: Definition, tensor: Tensor) -> set[int]:
    """The axes of a parameter that some equation sums over."""
    found: set[int] = set()
    for eq in definition.equations:
        for term in eq.terms:
            for element in elements_in(term.body):
                if element.name == tensor.name and term.op == "sum":
                    found |= {a for a, s in enumerate(element.subscripts) if s.free_symbols & set(term.bound)}
    return found
