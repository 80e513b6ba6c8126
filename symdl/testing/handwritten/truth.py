"""The exact gradient at a point, in 50 digits or more; what rounding does to it; and what else is right at a kink."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy

from symdl.compilation.targets.reference import DIGITS, evaluate
from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import elements_in
from symdl.errors import SymdlError
from symdl.testing.handwritten.subject import Subject
from symdl.verification.truth import opened

Array = npt.NDArray[Any]

#: How often the equations are evaluated with every operation off by one rounding.
ROUNDINGS = 3
#: Steps away from a kink, in directions drawn at random.
DIRECTIONS = 10
#: How many ways to decide the kinks of several equations are tried.
POLICIES = 27
_STEP = mpmath.mpf(10) ** -30


@dataclass(frozen=True)
class Exact:
    """Exact numbers as two arrays of float64 whose sum is good to 30 digits: `high + low`."""

    high: Array
    low: Array

    @classmethod
    def of(cls, numbers: Array) -> Exact:
        """From an array of mpmath numbers."""
        with mpmath.workdps(DIGITS):
            flat = [mpmath.mpf(v) for v in numbers.ravel().tolist()]
            high = np.array([float(v) for v in flat])
            rest = [float(v - h) if np.isfinite(h) else 0.0 for v, h in zip(flat, high.tolist(), strict=True)]
        return cls(high.reshape(numbers.shape), np.array(rest).reshape(numbers.shape))

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
        digits: of the arithmetic.
    """

    subject: Subject
    arrays: Mapping[str, Array]
    digits: int = DIGITS
    _moved: dict[str, dict[str, float]] = field(default_factory=dict)

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every tensor: inputs as they are, what is computed as mpmath numbers.

        Raises:
            DomainError: the equations have no real value there.
        """
        found = evaluate(self.subject.gradient, self.arrays, digits=self.digits, keep=True)
        return {**self.arrays, **found}

    @cached_property
    def exact(self) -> dict[str, Exact]:
        """The slopes, by the name of what is differentiated by."""
        return {source: Exact.of(self.values[slope]) for source, slope in self.subject.slopes.items()}

    def other(self, name: str) -> Exact:
        """A forward value that a function returns."""
        return Exact.of(self.values[name])

    def moved(self, name: str, dtype: str) -> float:
        """How far the largest change of an entry is when every operation is off by one rounding, up or down.

        Args:
            name: of a tensor of the gradient.
            dtype: whose roundings.
        """
        if dtype not in self._moved:
            self._moved[dtype] = self._shaken(dtype)
        return self._moved[dtype].get(name, 0.0)

    def _shaken(self, dtype: str) -> dict[str, float]:
        rng = np.random.default_rng(1)
        moved: dict[str, float] = {}
        with mpmath.workdps(self.digits):
            eps = mpmath.mpf(float(np.finfo(dtype).eps))
            factors = (1 - eps, 1 + eps)
            for _ in range(ROUNDINGS):
                try:
                    run = evaluate(
                        self.subject.gradient,
                        self.arrays,
                        digits=self.digits,
                        keep=True,
                        rounding=lambda v: v * factors[rng.integers(2)],
                    )
                except SymdlError:
                    continue  # a rounding left the domain: the others say how far it goes
                for name, numbers in run.items():
                    pairs = zip(numbers.ravel().tolist(), self.values[name].ravel().tolist(), strict=True)
                    far = max((float(abs(a - b)) for a, b in pairs), default=0.0)
                    moved[name] = max(moved.get(name, 0.0), far)
        return moved

    @cached_property
    def alternatives(self) -> dict[str, list[Array]]:
        """Slopes that are as right as the definition's where the point lies on kinks; nothing where it does not.

        They are what other policies for the kinks give, and what is so a little beside the point, in many directions.
        """
        nothing: dict[str, list[Array]] = {s: [] for s in self.subject.slopes}
        if not kinked(self.subject.gradient):
            return nothing
        beside = list(self._beside())
        if all(self._same(s, numbers) for slopes in beside for s, numbers in slopes.items()):
            return nothing  # no kink here, whatever a policy says
        return {s: [slopes[s] for slopes in itertools.chain(beside, self._by_policy())] for s in nothing}

    def _same(self, source: str, numbers: Array) -> bool:
        exact = self.exact[source].high
        return bool(np.all(np.abs(numbers - exact) <= 1e-12 * float(np.max(np.abs(exact), initial=0.0)) + 1e-25))

    def _by_policy(self) -> Iterator[dict[str, Array]]:
        for definition in policies(self.subject):
            yield from self._slopes(definition, self.arrays)

    def _beside(self) -> Iterator[dict[str, Array]]:
        rng = np.random.default_rng(5)
        fixed = set(self.subject.upstream.values())
        free = [
            t for t in self.subject.gradient.inputs if not (t.integer or t.name in fixed or t.role == "hyperparameter")
        ]
        for direction in range(DIRECTIONS + 2):
            given = dict(self.arrays)
            for t in free:
                size = np.size(given[t.name])
                along = np.arange(size, 0, -1) if direction == 0 else np.arange(1, size + 1)
                steps = along if direction < 2 else rng.normal(size=size) * rng.choice([0.05, 1.0, 20.0])
                given[t.name] = _stepped(given[t.name], steps, self.digits)
            yield from self._slopes(self.subject.gradient, given)

    def _slopes(self, definition: Definition, arrays: Mapping[str, Any]) -> Iterator[dict[str, Array]]:
        outputs = definition.only(self.subject.slopes.values())
        try:
            found = evaluate(outputs, arrays, digits=max(self.digits, 2 * DIGITS))
        except SymdlError:
            return  # no real value there: not an alternative
        yield {s: found[o].astype(np.float64) for s, o in self.subject.slopes.items()}


def _stepped(array: Array, steps: Array, digits: int) -> Array:
    made = np.empty(np.size(array), dtype=object)
    with mpmath.workdps(max(digits, 2 * DIGITS)):
        flat = np.ravel(array).tolist()
        made[:] = [mpmath.mpf(v) + _STEP * float(s) for v, s in zip(flat, steps.tolist(), strict=True)]
    return made.reshape(np.shape(array))


def kinked(definition: Definition) -> bool:
    """Whether any equation has a kink."""
    terms = [t for e in definition.equations for t in e.terms]
    return any((t.op == "max" and t.ties) or _switching(t.body) for t in terms)


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
