"""Random inputs for a cross-check: of several scales, true to the facts that an author states."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import sympy

from symdl.compilation.extents import Axes, sizes_from_shapes
from symdl.core.definitions import Definition
from symdl.core.guards import gathers
from symdl.core.tensors import Fact, Role, Tensor, elements_in
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


#: How often integers are drawn again where no real input can be.
AGAIN = 5


def within_domain(
    definition: Definition,
    shapes: dict[str, tuple[int, ...]],
    scale: float,
    dtype: str,
    rng: np.random.Generator,
    attempt: Callable[[dict[str, Array]], Result],
    inside: Container[str] = (),
) -> tuple[dict[str, Array], Result]:
    """Random inputs at which the equations have real values, and what `attempt` makes of them.

    Where they have none (a logarithm of a negative number), the inputs that the formula depends on are drawn again,
    then made positive, then taken from (0, 1). `inside` is as for `sample`.

    Raises:
        DomainError: none of that helps.
    """
    narrowed: dict[str, int] = {}
    again = AGAIN if any(t.integer for t in definition.inputs) else 0
    while True:
        arrays = sample(definition, shapes, scale, dtype, rng, inside)
        arrays |= {n: NARROWER[k](arrays[n]).astype(dtype) for n, k in narrowed.items()}
        try:
            return arrays, attempt(arrays)
        except DomainError as error:
            last = len(NARROWER) - 1
            names = [n for n in _inputs_of(definition, error) if narrowed.get(n, 0) < last]
            narrowed |= {n: narrowed.get(n, 0) + 1 for n in names}
            if not names and again:
                again -= 1  # other integers may do: where all of them are watched out of their axes, nothing is left
            elif not names:
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
    definition: Definition,
    shapes: dict[str, tuple[int, ...]],
    scale: float,
    dtype: str,
    rng: np.random.Generator,
    inside: Container[str] = (),
) -> dict[str, Array]:
    """One random value for every input.

    Args:
        definition: whose inputs are drawn.
        shapes: by name.
        scale: standard deviation of what no fact restricts.
        dtype: of the real-valued ones; integer tensors are int64, within the axes that they subscript, or just outside
            too where guards watch that.
        inside: names of inputs that are kept off the ends of their range: shares that sum to 1 are not 0 there.
    """
    ranges = _ranges(definition, shapes)
    drawn = {}
    for t in definition.inputs:
        if t.integer:
            span = ranges.get(t.name, (0, 2 if Fact.BINARY in t.facts else 4))
            drawn[t.name] = np.asarray(rng.integers(*span, size=shapes[t.name]), dtype=np.int64)
            continue
        values = rng.normal(size=shapes[t.name]) * (1.0 if t.role is Role.HYPERPARAMETER else scale)
        drawn[t.name] = np.asarray(_true_to(t, values, rng, t.name in inside), dtype=dtype)
    return drawn


def _true_to(tensor: Tensor, values: Array, rng: np.random.Generator, inside: bool) -> Array:
    """The values, or others that are true to the facts of the tensor."""
    facts, shape = tensor.facts, np.shape(values)
    if Fact.SUMS_TO_ONE in facts:
        return _shares(shape, rng, least=int(inside or Fact.POSITIVE in facts))
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


def _ranges(definition: Definition, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, int]]:
    """For each integer tensor the range of the shortest axis that it subscripts, wider by one where guards watch it."""
    axes = Axes(definition)
    sizes = sizes_from_shapes(axes, shapes, resizing=True)
    limits: dict[str, int] = {}
    free: dict[str, bool] = {}
    for (name, _, axis), watched in gathers(t.body for eq in definition.equations for t in eq.terms).items():
        limit = axes.size(axis, sizes)
        if limit is not None:
            limits[name] = min(limit, limits.get(name, limit))
            free[name] = watched and free.get(name, True)
    return {n: (-1, limit + 1) if free[n] else (0, limit) for n, limit in limits.items()}
