"""The points at which a function is tried: random ones, large, tiny, zeros, whole numbers on kinks, equal entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symdl.compilation.samples import sample, within_domain
from symdl.compilation.targets.reference import DIGITS
from symdl.core.tensors import Role
from symdl.errors import BudgetError, DefinitionError, DomainError, SymdlError, UnsupportedError
from symdl.testing.handwritten.arithmetic import EXTENDED
from symdl.testing.handwritten.extents import Shapes, affordable, trials
from symdl.testing.handwritten.subject import Subject
from symdl.testing.handwritten.truth import Truth, tied

Array = npt.NDArray[Any]
Change = Callable[[np.random.Generator, Array], Array]


@dataclass(frozen=True)
class Kind:
    """What the numbers of a point are like.

    Args:
        name: in words.
        scale: standard deviation of what is drawn.
        digits: of the arithmetic; 1 − tanh²(500) needs hundreds. Before anything is refuted, more are taken.
        change: made of what was drawn for a real input that no fact restricts; None: the numbers stay.
        far: numbers so large that what overflows there is noted and not held against a function.
        wide: float64 numbers that float32 does not have.
    """

    name: str
    scale: float = 1.0
    digits: int = DIGITS
    change: Change | None = None
    far: bool = False
    wide: bool = False


#: How often numbers of a kind are drawn where the formulas have no real value.
TRIALS = 3


def _halved(rng: np.random.Generator, drawn: Array) -> Array:
    return np.where(rng.random(drawn.shape) < 0.5, 0.0, drawn)


def _whole(rng: np.random.Generator, drawn: Array) -> Array:
    return rng.integers(-2, 3, size=drawn.shape).astype(float)


def _far_whole(rng: np.random.Generator, drawn: Array) -> Array:
    return rng.integers(-7, 8, size=drawn.shape).astype(float)


def _beside(rng: np.random.Generator, drawn: Array) -> Array:
    return _whole(rng, drawn) + drawn * 2.0**-9


RANDOM = Kind("random")
WIDE = Kind("random, to the last bit of float64", scale=1.5, digits=2 * DIGITS, wide=True)
SPARSE = Kind("random, half of the entries 0", change=_halved)
ZEROS = Kind("zeros", change=lambda rng, drawn: np.zeros_like(drawn))
WHOLE = Kind("small whole numbers", change=_whole)
FAR_WHOLE = Kind("whole numbers", digits=2 * DIGITS, change=_far_whole, far=True)
BESIDE = Kind("beside whole numbers", change=_beside)
EQUAL = Kind("equal entries", change=lambda rng, drawn: np.full_like(drawn, drawn.flat[0] if drawn.size else 0.0))
TINY = Kind("tiny", scale=2.0**-20)
LARGE = Kind("large", scale=30.0, digits=8 * DIGITS, far=True)
HUGE = Kind("huge", scale=1000.0, digits=8 * DIGITS, far=True)

#: What is tried with each family of shapes.
_KINDS: dict[str, tuple[Kind, ...]] = {
    "primes": (RANDOM, RANDOM, WIDE, SPARSE, WHOLE, BESIDE, ZEROS, WHOLE, FAR_WHOLE, EQUAL, TINY, LARGE, HUGE),
    "others": (RANDOM, WIDE, WHOLE, SPARSE),
    "square": (RANDOM,),
    "ones": (RANDOM, ZEROS, WHOLE),
}


@dataclass(frozen=True)
class Point:
    """Arrays for all inputs, and the exact gradient there.

    Args:
        kind: of the numbers.
        family: of the shapes.
        shapes: of the inputs.
        truth: exact values.
    """

    kind: Kind
    family: str
    shapes: Shapes
    truth: Truth

    @property
    def arrays(self) -> Mapping[str, Array]:
        return self.truth.arrays

    def __str__(self) -> str:
        return f"inputs: {self.kind.name}"


def points(subject: Subject, values: Mapping[str, Any], seed: int) -> Iterator[Point]:
    """The points, in an order in which the telling ones come first.

    Args:
        subject: whose inputs are drawn.
        values: numbers that stay as they are, by the name of an input.
        seed: of what is drawn.

    Raises:
        DefinitionError: there is no point at which the definition has real values.
    """
    families = list(trials(subject.gradient))
    plan = [(kind, family, shapes) for family, shapes in families for kind in _KINDS.get(family, (RANDOM,))]
    rng = np.random.default_rng([20261126, seed])
    made, first = 0, SymdlError("")
    for kind, family, shapes in plan:
        try:
            point = Point(kind, family, shapes, _truth(subject, kind, shapes, values, rng))
        except SymdlError as error:
            first = first if first.what else error
            continue
        made += 1
        yield point
    if isinstance(first, BudgetError) and not made:
        raise first
    if not made:
        raise DefinitionError(
            f"no numbers were found at which {subject.definition.name} has a real value",
            where="check_code",
            why=str(first),
            remedy="state what the inputs are, with facts or values={…}, or extents={…}",
        )


def telling(subject: Subject, values: Mapping[str, Any], seed: int, also: Kind | None) -> list[Point]:
    """Points for guesses: random ones, where extents differ and where they are equal, and of the kind `also`."""
    rng = np.random.default_rng([20261127, seed])
    families = {f: s for f, s in trials(subject.gradient) if f in ("primes", "others", "square")}
    plan = [(RANDOM, f, s) for f, s in families.items() for _ in range(3 if f == "square" else 2)]
    if also is not None and also is not RANDOM:
        plan = [(also, f, s) for f, s in families.items() for _ in range(2)] + plan
    found = []
    for kind, family, shapes in plan:
        try:
            found.append(Point(kind, family, shapes, _truth(subject, kind, shapes, values, rng)))
        except SymdlError:
            continue  # no such numbers: the others will do
    return found


def _truth(subject: Subject, kind: Kind, shapes: Shapes, values: Mapping[str, Any], rng: np.random.Generator) -> Truth:
    """The exact values at a point of that kind.

    Raises:
        SymdlError: there is no such point.
    """
    dtype = "float64" if kind.wide else "float32"
    digits = kind.digits if affordable(subject.gradient, shapes) else EXTENDED
    if digits == EXTENDED and (kind.far or (kind.change is not None and tied(subject.gradient))):
        raise UnsupportedError(f"{kind.name} numbers need more digits than extended precision has")

    def attempt(arrays: dict[str, Array]) -> Truth:
        _settle(subject, kind, values, arrays, rng)
        truth = Truth(subject, arrays, digits)
        _ = truth.exact
        return truth

    with np.errstate(all="ignore"):
        if kind.change is None:
            return within_domain(subject.gradient, shapes, kind.scale, dtype, rng, attempt)[1]
        for trial in range(TRIALS):
            try:
                return attempt(sample(subject.gradient, shapes, kind.scale, dtype, rng))
            except DomainError:
                if trial == TRIALS - 1:
                    raise
    raise AssertionError("unreachable")


def _settle(
    subject: Subject, kind: Kind, values: Mapping[str, Any], arrays: dict[str, Array], rng: np.random.Generator
) -> None:
    """Bring arrays that were drawn to the kind of point: upstream slopes stay random and of ordinary size."""
    upstream = set(subject.upstream.values())
    for t in subject.gradient.inputs:
        drawn = arrays[t.name]
        if t.integer:
            continue
        if t.name in values:  # to the last bit: a function may have the number in its text
            arrays[t.name] = np.array(np.broadcast_to(np.asarray(values[t.name], dtype=np.float64), np.shape(drawn)))
            continue
        if t.name in upstream:
            drawn = rng.normal(size=np.shape(drawn))
        elif kind.change is not None and not t.facts and t.role is not Role.HYPERPARAMETER:
            drawn = kind.change(rng, np.asarray(drawn, dtype=np.float64))
        narrow = drawn if kind.wide else np.asarray(drawn, dtype=np.float32)
        arrays[t.name] = np.array(narrow, dtype=np.float64)
    for name in values:
        if subject.gradient.tensors[name].integer:
            arrays[name] = np.broadcast_to(np.asarray(values[name]), arrays[name].shape).astype(np.int64)
