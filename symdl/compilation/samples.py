"""Random inputs for a cross-check: of several scales, true to the facts that an author states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sympy

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.tensors import Element, Fact, Role, Tensor, elements_in
from symdl.errors import DomainError

Array = npt.NDArray[Any]
Narrowing = Callable[[Array], Array]
Result = TypeVar("Result")


#: What an input is drawn from where a formula has no real value for any number: next, positive ones, then (0, 1).
NARROWER: tuple[Narrowing, ...] = (
    lambda v: v,
    lambda v: v,
    lambda v: np.abs(v) + 1e-3,
    lambda v: 0.5 + 0.45 * np.tanh(v),
)


def within_domain(
    definition: Definition,
    shapes: dict[str, tuple[int, ...]],
    scale: float,
    dtype: str,
    rng: np.random.Generator,
    attempt: Callable[[dict[str, Array]], Result],
) -> tuple[dict[str, Array], Result]:
    """Random inputs at which the equations have real values, and what `attempt` makes of them.

    Where they have none (a logarithm of a negative number), the inputs that the formula depends on are drawn again,
    then made positive, then taken from (0, 1).

    Raises:
        DomainError: none of that helps.
    """
    narrowed: dict[str, int] = {}
    while True:
        arrays = sample(definition, shapes, scale, dtype, rng)
        arrays |= {n: NARROWER[k](arrays[n]).astype(dtype) for n, k in narrowed.items()}
        try:
            return arrays, attempt(arrays)
        except DomainError as error:
            last = len(NARROWER) - 1
            names = [n for n in _inputs_of(definition, error) if narrowed.get(n, 0) < last]
            narrowed |= {n: narrowed.get(n, 0) + 1 for n in names}
            if not names:
                raise DomainError(
                    error.what,
                    where=f"the cross-check of {definition.name}, {error.where}",
                    why=f"no random inputs were found for which it has one; at the last ones {error.why}",
                    remedy='state what the inputs are, such as facts=["positive"], or rewrite the formula',
                    within=error.within,
                ) from error


def _inputs_of(definition: Definition, error: DomainError) -> list[str]:
    """The inputs that may be drawn in another way: those in the formula, or else all that it depends on."""
    free = [t.name for t in definition.inputs if not (t.integer or t.facts or t.role is Role.HYPERPARAMETER)]
    read = {e.name for e in elements_in(error.within)} if isinstance(error.within, sympy.Expr) else set()
    inside = [n for n in free if n in read]
    if inside:
        return inside
    cut = definition.only([n for n in read if n in definition.by_name] or [definition.equations[-1].name])
    above = {t.name for e in cut.equations for t in e.uses}
    return [n for n in free if n in above] or free


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
