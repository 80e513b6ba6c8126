"""Examples at which functions of several numbers are tried: one over its whole range, the others at a few scales.

An example is what a definition takes for one position of its first axis. Labels (classes, 0 or 1, −1 or 1, shares of
1) go through all that they can be; every other number in turn runs over a logarithmic grid of both signs, within what
is stated of it, while the others are near 0, of size 1, or large.

>>> from symdl.library.losses import LOSSES
>>> made = examples(LOSSES["hinge"].chosen(reduction="none").definition(), "float64", 40)
>>> sorted(made), sorted(set(made["t"].tolist()))
(['t', 'z'], [-1.0, 1.0])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.core.definitions import Definition
from symdl.core.guards import gathers
from symdl.core.tensors import Fact, Role, Tensor
from symdl.testing.floats import edges, last, number

Array = npt.NDArray[Any]

#: Entries of an axis whose extent is not fixed.
WIDTH = 3
#: What the numbers that stay are multiplied by, and what they are before.
SCALES = (0.0, 2.0**-12, 1.0, 24.0, 9000.0)
PATTERN = (0.9, -0.7, 0.3, -1.8, 0.6, 0.4)
#: Probabilities that stay.
SHARES = (0.5, 2.0**-10, 1 - 2.0**-10, 0.25)
LABELS = frozenset({Fact.BINARY, Fact.SIGN, Fact.SUMS_TO_ONE})


def width(extent: Any) -> int:
    """The extent of an axis in the examples."""
    symbols = sorted(extent.free_symbols, key=lambda s: str(s.name))
    return int(extent.subs(dict.fromkeys(symbols, WIDTH)))


def examples(definition: Definition, dtype: str, points: int, together: bool = False) -> dict[str, Array]:
    """Values of every input, one position of the first axis for each example; parameters as they are.

    Args:
        definition: whose inputs have the examples as their first axis.
        dtype: of the real-valued ones.
        points: about how many examples.
        together: an example is a whole array, and the examples are a further axis before it: where the value at one
            position of the first axis depends on other positions.
    """
    data = [t for t in definition.inputs if t.role is Role.INPUT]
    labels = [t for t in data if _is_label(t, data)]
    free = [t for t in data if t not in labels]
    sizes = {t.name: tuple(width(i.extent) for i in t.indices[not together :]) for t in data}
    choices = list(product(*[_labels(t, sizes[t.name], definition) for t in labels])) or [()]
    places = [(t, k) for t in free for k in range(int(np.prod(sizes[t.name])))]
    count = max(points // max(len(places) * len(SCALES) * min(len(choices), 3), 1), 12)
    rows: list[dict[str, Array]] = []
    for t, k in places:
        for scale, value in product(range(len(SCALES)), numbers(t, dtype, count)):
            for chosen in _some(choices, len(rows)):
                row = {o.name: _still(o, sizes[o.name], scale, at) for at, o in enumerate(free)}
                row[t.name] = _placed(t, row[t.name], k, value)
                rows.append(row | dict(zip((x.name for x in labels), chosen, strict=True)))
    made = {t.name: np.array([r[t.name] for r in rows], np.int64 if t.integer else dtype) for t in data}
    return made | {t.name: fixed(t, dtype) for t in definition.inputs if t.role is not Role.INPUT}


def _some(choices: list[tuple[Any, ...]], start: int) -> list[tuple[Any, ...]]:
    """All of a few labels, three of many in turn."""
    return choices if len(choices) <= 3 else [choices[(start + k) % len(choices)] for k in range(3)]


def fixed(t: Tensor, dtype: str) -> Array:
    """A parameter: the part of a unit matrix that begins with the row of its name, so that its sums are exact.

    A number is 1, or 1/4 where it has to be a fraction.
    """
    shape = tuple(width(i.extent) for i in t.indices)
    if Fact.FRACTION in t.facts:
        return np.full(shape, 0.25, dtype)
    if len(shape) != 2:
        return np.ones(shape, dtype)
    return np.eye(shape[0], shape[1], k=sum(map(ord, t.name)) % shape[1], dtype=dtype)


def _is_label(t: Tensor, data: list[Tensor]) -> bool:
    alike = all(o.facts == t.facts and o.integer == t.integer for o in data)
    return t.integer or (bool(t.facts & LABELS) and not alike)


def slopes_by(definition: Definition) -> list[str]:
    """The inputs that a sweep differentiates by: those that are no labels, and no counts beside what predicts them."""
    data = [t for t in definition.inputs if t.role is Role.INPUT]
    kept = [t for t in data if not _is_label(t, data)]
    counts = [t for t in kept if t.facts == {Fact.NONNEGATIVE}]
    return [t.name for t in kept if t not in counts or len(kept) == 1]


def _labels(t: Tensor, size: tuple[int, ...], definition: Definition) -> list[Array]:
    """All that a label can be; of shares that are a target, those that are all for one class."""
    if t.integer:
        bodies = (term.body for eq in definition.equations for term in eq.terms)
        limits = [width(axis.extent) for name, _, axis in gathers(bodies) if name == t.name]
        return [np.array(k) for k in range(min(limits, default=2 if Fact.BINARY in t.facts else WIDTH))]
    if Fact.SUMS_TO_ONE in t.facts:
        (k,) = size
        return [*np.eye(k)]
    values = (0.0, 1.0) if Fact.BINARY in t.facts else (-1.0, 1.0)
    return [np.array(v).reshape(size) for v in product(values, repeat=int(np.prod(size)))]


def numbers(t: Tensor, dtype: str, count: int) -> list[float]:
    """About so many numbers within what is stated of a tensor: over all exponents, near 1, and ends."""
    info = np.finfo(dtype)
    if t.facts & {Fact.FRACTION, Fact.SUMS_TO_ONE}:
        lowest = info.nmant if Fact.SUMS_TO_ONE in t.facts else -int(np.log2(info.smallest_subnormal))
        low = np.exp2(-np.linspace(1, lowest, count // 2).astype(int)).tolist()
        return [*low, *(1 - np.exp2(-np.linspace(2, info.nmant, count // 2).astype(int))).tolist()]
    signs = 1 if t.facts & {Fact.POSITIVE, Fact.NONNEGATIVE} else 2
    third = max(count // (3 * signs), 3)
    positive = [
        *number(np.linspace(1, last(dtype), third).astype(np.int64), dtype).tolist(),
        *np.exp2(np.linspace(-30, 12, third)).astype(dtype).tolist(),
        *np.linspace(0.3, float(np.log(info.max)) * 1.1, third).astype(dtype).tolist(),
        *[e for e in edges(dtype) if e > 0][: max(count // (4 * signs), 4)],
    ]
    some = np.unique(np.array(positive, dtype))
    kept = [v for v in some.tolist() if np.isfinite(v)]
    if Fact.POSITIVE in t.facts:
        return kept
    return [0.0, *kept] if Fact.NONNEGATIVE in t.facts else [0.0, *kept, *[-v for v in kept]]


def _still(t: Tensor, size: tuple[int, ...], scale: int, place: int) -> Array:
    """The entries of an input that stay."""
    count = int(np.prod(size))
    if t.facts & {Fact.FRACTION, Fact.SUMS_TO_ONE}:
        values = np.array([SHARES[(scale + place + k) % len(SHARES)] for k in range(count)])
        if Fact.SUMS_TO_ONE in t.facts:
            values = np.array([values[0], *[(1 - values[0]) * 2.0 ** -max(count - 2, 0)] * (count - 1)])
        return values.reshape(size)
    values = SCALES[scale] * np.array([PATTERN[(k + 2 * place) % len(PATTERN)] for k in range(count)])
    if Fact.BOX in t.facts:
        low, high = np.split(values, 2)
        return np.concatenate([np.minimum(low, high), np.maximum(low, high) + 2.0**-8])
    if t.facts & {Fact.POSITIVE, Fact.NONNEGATIVE}:
        values = np.abs(values) + 2.0**-14
    return values.reshape(size)


def _placed(t: Tensor, values: Array, k: int, value: float) -> Array:
    """The entries with one of them changed; a box stays a box, and shares go on adding up to 1."""
    made = values.copy().ravel()
    made[k] = value
    if Fact.BOX in t.facts:
        half = len(made) // 2
        made = np.concatenate([np.minimum(made[:half], made[half:]), np.maximum(made[:half], made[half:])])
    if Fact.SUMS_TO_ONE in t.facts:
        others = [j for j in range(len(made)) if j != k]
        made[others] = 0.0
        made[others[0]] = 1 - value
    return made.reshape(values.shape)


def each(arrays: Mapping[str, Array], definition: Definition, together: bool = False) -> Iterator[dict[str, Array]]:
    """The examples, one after the other, each as arrays that the definition takes."""
    data = [t.name for t in definition.inputs if t.role is Role.INPUT]
    for k in range(len(arrays[data[0]])):
        yield {n: (a[k] if together else a[k : k + 1]) if n in data else a for n, a in arrays.items()}
