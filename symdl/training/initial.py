"""Parameters to start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DataError, ShapeError, one_of
from symdl.library.initialisers import INITIALISERS, Initialiser, glorot_uniform, zeros
from symdl.library.spelling import known
from symdl.library.weights import use_of

Array = npt.NDArray[Any]
Init = str | Initialiser | Mapping[str, str | Initialiser] | None


def initial_parameters(
    definition: Definition,
    shapes: Mapping[str, tuple[int, ...]],
    rng: np.random.Generator,
    dtype: str = "float64",
    given: Mapping[str, npt.ArrayLike] | None = None,
    init: Init = None,
) -> dict[str, Array]:
    """Parameters by Glorot and Bengio's uniform distribution (2010), ±√(6 / (fan in + fan out)).

    An axis that the definition sums over counts as fan in, any other as fan out, the taps of a kernel as both. A
    parameter without a summed axis is a bias and starts at 0 where it is only added, is a gain and starts at 1 where it
    multiplies (γ of a normalisation), and is drawn with its last axis as fan in where data subscript it (an embedding).
    A parameter that is declared with a start has that value.

    Args:
        definition: whose parameters are drawn, in its order.
        shapes: of the data, by name: they fix what the definition leaves open.
        rng: the same state gives the same parameters.
        dtype: of the result.
        given: parameters to start from instead; copied.
        init: another distribution for weights, by name or from `sd.initialisers`; or a table of that by parameter.

    Raises:
        DataError: a given parameter that is unknown, not finite or not numeric; an unknown initialiser.
        ShapeError: a shape that does not fit, or that nothing determines.

    >>> from symdl.library.layers import dense, sequential
    >>> net = sequential(dense(3, "tanh"), dense(2), inputs=4)
    >>> start = initial_parameters(net, {}, np.random.default_rng(0))
    >>> {n: a.shape for n, a in start.items()}, bool(abs(start["W1"]).max() < (6 / 7) ** 0.5)
    ({'W1': (3, 4), 'b1': (3,), 'W2': (2, 3), 'b2': (2,)}, True)
    """
    copies = {n: _copied(definition, n, a, dtype) for n, a in (given or {}).items()}
    chosen = _chosen(definition, init)
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, {**shapes, **{n: a.shape for n, a in copies.items()}})
    found: dict[str, Array] = {}
    for tensor in definition.parameters:
        shape = tuple(_extent(axes, sizes, tensor, i) for i in tensor.indices)
        use = use_of(definition, tensor)
        by = chosen.get(tensor.name)
        if by is None:
            by = (chosen.get(WEIGHTS) or glorot_uniform()) if use.summed else zeros()
        # drawn in any case, so that giving one leaves the others alone
        drawn = by.draw(rng, shape, use)
        if tensor.name not in chosen and tensor.start is not None:
            drawn = np.full(shape, tensor.start)
        elif tensor.name not in chosen and use.multiplies and not use.summed:
            drawn = drawn + 1.0
        found[tensor.name] = copies.get(tensor.name, np.asarray(drawn, dtype))
    return found


#: What stands for all weights in a table of initialisers.
WEIGHTS = ""


def _chosen(definition: Definition, init: Init) -> dict[str, Initialiser]:
    """Initialisers by parameter; under "" what holds for all weights."""
    table = init if isinstance(init, Mapping) else {} if init is None else {WEIGHTS: init}
    for name in table:
        if name != WEIGHTS and name not in [p.name for p in definition.parameters]:
            names = ", ".join(p.name for p in definition.parameters)
            raise DataError(
                f"'{name}' is no parameter", where=f"definition {definition.name}", remedy=f"one of {names}"
            )
    return {n: _by_name(i) for n, i in table.items()}


def _by_name(init: str | Initialiser) -> Initialiser:
    if isinstance(init, Initialiser):
        return init
    name = known(init, INITIALISERS) if isinstance(init, str) else init
    if name not in INITIALISERS:
        raise DataError(f"no initialiser '{init}'", remedy=one_of(str(init), INITIALISERS))
    return INITIALISERS[name]()


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
