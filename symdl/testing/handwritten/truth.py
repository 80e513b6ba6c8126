"""The exact gradient at a point, in 50 digits or more; what rounding does to it; and what else is right at a kink."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symdl.compilation.targets.reference import DIGITS
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import Role, elements_in
from symdl.errors import SymdlError
from symdl.testing.handwritten import arithmetic, quick
from symdl.testing.handwritten.subject import Subject
from symdl.verification.truth import opened

Array = npt.NDArray[Any]

#: Steps away from a kink, in directions drawn at random.
DIRECTIONS = 10
#: How many ways to decide the kinks of several equations are tried.
POLICIES = 27


@dataclass(frozen=True)
class Exact:
    """Exact numbers as two arrays of float64 whose sum is good to 30 digits: `high + low`."""

    high: Array
    low: Array

    @classmethod
    def of(cls, numbers: Array) -> Exact:
        """From an array of mpmath numbers or longdouble."""
        return cls(*arithmetic.pair(numbers))

    @property
    def size(self) -> float:
        """The largest absolute value."""
        return float(np.max(np.abs(self.high), initial=0.0))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.high.shape

    def less(self, got: Array) -> Array:
        """got − exact, in float64."""
        with np.errstate(all="ignore"):
            return np.asarray((got.astype(np.float64) - self.high) - self.low)


@dataclass
class Truth:
    """All that is known of one point.

    Args:
        subject: whose gradient it is.
        arrays: every input of the gradient, by name.
        digits: of the arithmetic; 0: extended precision.
    """

    subject: Subject
    arrays: Mapping[str, Array]
    digits: int = DIGITS
    _moved: dict[str, dict[str, float]] = field(default_factory=dict)

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every tensor: inputs as they are, what is computed as mpmath numbers or longdouble.

        Raises:
            DomainError: the equations have no real value there.
        """
        return {**self.arrays, **arithmetic.values(self.subject.gradient, self.arrays, self.digits)}

    @cached_property
    def exact(self) -> dict[str, Exact]:
        """The slopes, by the name of what is differentiated by."""
        return {source: Exact.of(self.values[slope]) for source, slope in self.subject.slopes.items()}

    def other(self, name: str) -> Exact:
        """A forward value that a function returns."""
        return Exact.of(self.values[name])

    def certain(self, name: str) -> bool:
        """Whether more digits say the same of a tensor: so many may have cancelled that 50 are not enough."""
        if self.digits == arithmetic.EXTENDED:
            return True
        try:
            more = arithmetic.values(self.subject.gradient.only([name]), self.arrays, 3 * self.digits)[name]
        except SymdlError:
            return False
        high, _ = arithmetic.pair(more)
        return arithmetic.alike(high, Exact.of(self.values[name]).high)

    def moved(self, name: str, dtype: str) -> float:
        """How far the largest change of an entry is when every operation is off by one rounding, up or down.

        Args:
            name: of a tensor of the gradient.
            dtype: whose roundings.
        """
        if dtype not in self._moved:
            gradient = self.subject.gradient
            self._moved[dtype] = arithmetic.moved(gradient, self.arrays, self.values, self.digits, dtype)
        return self._moved[dtype].get(name, 0.0)

    def magnitude(self, name: str) -> float:
        """The largest entry of a tensor if nothing cancelled on the way to it."""
        return float(np.max(self._magnitudes.get(name, np.zeros(())), initial=0.0))

    @cached_property
    def _magnitudes(self) -> dict[str, Array]:
        gradient = self.subject.gradient
        values = {n: np.asarray(v).astype(np.float64) for n, v in self.values.items()}
        sizes = arithmetic.sizes_of(gradient, {t.name: values[t.name] for t in gradient.inputs})
        try:
            return quick.magnitudes(gradient.equations, values, sizes)
        except (SymdlError, IndexError):
            return {}  # no larger tolerance then

    @cached_property
    def alternatives(self) -> dict[str, list[Array]]:
        """Slopes that are as right as the definition's where the point lies on kinks; nothing where it does not.

        They are what other policies for the kinks give, and what is so a little beside the point, in many directions.
        """
        nothing: dict[str, list[Array]] = {s: [] for s in self.subject.slopes}
        if not kinked(self.subject.gradient):
            return nothing
        # beside a kink is not near enough in extended precision: there, policies tell whether it is one
        near = list(self._by_policy() if self.digits == arithmetic.EXTENDED else self._beside())
        if all(arithmetic.alike(a, self.exact[s].high) for slopes in near for s, a in slopes.items()):
            return nothing  # no kink here, whatever a policy says
        more = [] if self.digits == arithmetic.EXTENDED else list(self._by_policy())
        return {s: [slopes[s] for slopes in (*near, *more)] for s in nothing} if near else nothing

    def _by_policy(self) -> Iterator[dict[str, Array]]:
        for definition in policies(self.subject):
            yield from self._slopes(definition, {})

    def _beside(self) -> Iterator[dict[str, Array]]:
        rng = np.random.default_rng(5)
        fixed = set(self.subject.upstream.values())
        free = [
            t
            for t in self.subject.gradient.inputs
            if not (t.integer or t.name in fixed or t.role is Role.HYPERPARAMETER)
        ]
        for direction in range(DIRECTIONS + 2):
            steps = {}
            for t in free:
                shape, size = np.shape(self.arrays[t.name]), np.size(self.arrays[t.name])
                ordered = np.arange(size, 0, -1) if direction == 0 else np.arange(1, size + 1)
                drawn = rng.normal(size=size) * rng.choice([0.05, 1.0, 20.0])
                steps[t.name] = np.reshape(ordered if direction < 2 else drawn, shape)
            yield from self._slopes(self.subject.gradient, steps)

    def _slopes(self, definition: Definition, steps: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
        ends = definition.only(self.subject.slopes.values())
        try:
            found = arithmetic.beside(ends, self.arrays, steps, self.digits, self.subject.slopes.values())
        except SymdlError:
            return  # no real value there: not an alternative
        yield {s: found[o] for s, o in self.subject.slopes.items()}


def tied(definition: Definition) -> bool:
    """Whether an equation has a maximum whose slope ties share."""
    return any(t.op == "max" and bool(t.ties) for e in definition.equations for t in e.terms)


def kinked(definition: Definition) -> bool:
    """Whether any equation has a kink."""
    return tied(definition) or any(_switching(t.body) for e in definition.equations for t in e.terms)


def _switching(body: sympy.Expr) -> bool:
    return body.has(Switch) or (bool(body.atoms(ScalarFunction)) and opened(body).has(Switch))


def policies(subject: Subject) -> Iterator[Definition]:
    """The gradient with the kinks of its backward equations decided in other ways, each equation by itself.

    What tells the largest entries of a maximum is no kink: it is 1 there whatever lies beside.
    """
    forward = subject.definition.by_name
    equations = subject.gradient.equations
    kinks = [
        e.name
        for e in equations
        if e.name not in forward and any(not _tells(subject, s) for t in e.terms for s in opened(t.body).atoms(Switch))
    ]
    sides = (sympy.S.Zero, sympy.S.One, sympy.Rational(1, 2))
    every = list(itertools.islice(itertools.product(sides, repeat=len(kinks)), POLICIES + 1))
    if len(every) > POLICIES:
        every = [(side,) * len(kinks) for side in sides]
    for chosen in every if kinks else ():
        by_name = dict(zip(kinks, chosen, strict=True))
        changed = tuple(_decided(subject, e, by_name[e.name]) if e.name in by_name else e for e in equations)
        yield replace(subject.gradient, equations=changed, kinks=())


def _tells(subject: Subject, switch: Switch) -> bool:
    """Whether a switch compares the entries of a maximum with it."""
    elements = elements_in(switch.args[0])
    for e in elements:
        equation = subject.definition.by_name.get(e.name)
        for term in equation.terms if equation is not None else ():
            read = {other.name for other in elements_in(term.body)}
            if term.op == "max" and {other.name for other in elements} - {e.name} == read:
                return True
    return False


def _decided(subject: Subject, equation: Equation, side: sympy.Expr) -> Equation:
    def decide(*arguments: sympy.Expr) -> sympy.Expr:
        switch = Switch(*arguments)
        if not isinstance(switch, Switch) or _tells(subject, switch):
            return switch
        return Switch(*arguments[:3], side)

    def change(body: sympy.Expr) -> sympy.Expr:
        return opened(body).replace(Switch, decide)

    return equation.map(change)
