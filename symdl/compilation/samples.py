"""Random inputs for a cross-check: of several scales, true to the facts that an author states."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.tensors import Element, Fact, Role, Tensor, elements_in

Array = npt.NDArray[Any]


def sample(
    definition: Definition, shapes: dict[str, tuple[int, ...]], scale: float, dtype: str, rng: np.random.Generator
) -> dict[str, Array]:
    """One random value for every input.

    Args:
        definition: whose inputs are drawn.
        shapes: by name.
        scale: standard deviation of what no fact restricts.
        dtype: of the real-valued ones; integer tensors are int64, within the axes that they subscript.
    """
    limits = _limits(definition, shapes)
    return {t.name: _draw(t, shapes[t.name], limits.get(t.name, 4), scale, dtype, rng) for t in definition.inputs}


def _draw(
    tensor: Tensor, shape: tuple[int, ...], limit: int, scale: float, dtype: str, rng: np.random.Generator
) -> Array:
    if tensor.integer:
        return np.asarray(rng.integers(0, limit, size=shape), dtype=np.int64)
    values = rng.normal(size=shape) * (1.0 if tensor.role is Role.HYPERPARAMETER else scale)
    return np.asarray(_true_to(tensor, values, rng), dtype=dtype)


def _true_to(tensor: Tensor, values: Array, rng: np.random.Generator) -> Array:
    """The values, or others that are true to the facts of the tensor."""
    facts, shape = tensor.facts, np.shape(values)
    if Fact.SUMS_TO_ONE in facts:
        return _shares(shape, rng, least=int(Fact.POSITIVE in facts))
    if Fact.BINARY in facts:
        return np.asarray(rng.integers(0, 2, size=shape))
    if Fact.SIGN in facts:
        return np.asarray(2 * rng.integers(0, 2, size=shape) - 1)
    if Fact.FRACTION in facts:
        # not so near the ends that float32 would round it to them
        return np.clip(1 / (1 + np.exp(-values)), 2.0**-20, 1 - 2.0**-20)
    if Fact.BOX in facts:
        corner, size = np.split(values, 2, axis=-1)
        return np.concatenate([corner, corner + np.abs(size) + 1e-3], axis=-1)
    if facts & {Fact.POSITIVE, Fact.NONNEGATIVE} or tensor.role is Role.HYPERPARAMETER:
        return np.abs(values) + 1e-3
    return values


def _shares(shape: tuple[int, ...], rng: np.random.Generator, least: int) -> Array:
    """Eighths, or smaller parts where there are many, so that they sum to 1 exactly over the last axis."""
    count = shape[-1]
    whole = max(8, 1 << (2 * least * count).bit_length())
    drawn = rng.multinomial(whole - least * count, np.full(count, 1 / count), size=shape[:-1])
    return np.asarray((drawn + least) / whole)


def _limits(definition: Definition, shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    """For each integer tensor the extent of the shortest axis that it subscripts."""
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, shapes, resizing=True)
    found: dict[str, int] = {}
    for eq in definition.equations:
        for element in (e for t in eq.terms for e in elements_in(t.body)):
            for axis, subscript in zip(element.tensor.indices, element.subscripts, strict=True):
                limit = axes.size(axis, sizes) if isinstance(subscript, Element) else None
                if limit is not None:
                    found[subscript.name] = min(limit, found.get(subscript.name, limit))
    return found
