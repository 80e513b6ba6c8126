"""Schedules: data. One entry is one equation that gives a hyperparameter as a function of the number of the step.

`t` counts steps from 1, over all epochs; with `every=m` the value changes every m steps only (the steps of an epoch,
for a schedule that is meant by the epoch). Any hyperparameter of an optimiser may be a schedule.

>>> step(0.1, size=30).equations
step(t, start, factor) -> value:
    value = factor**floor(t/30 - 1/30)*start
>>> [round(cosine(0.1, steps=4).at(t), 6) for t in (1, 3, 5, 6)]
[0.1, 0.05, 0.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from symdl.core.builder import Builder
from symdl.core.define import Hyper, Input, cos, let, maximum, minimum, switch, writing
from symdl.core.definitions import Definition
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError
from symdl.library.numbers import from_zero

#: The number of the step in the equations, counted from 1.
STEP = "t"
VALUE = "value"


@dataclass(frozen=True)
class Plateau:
    """When a validation loss counts as no longer falling: what a training loop needs beside the equation.

    Args:
        counted: the hyperparameter that counts how often that was.
        patience: epochs without a better loss that are let pass.
        threshold: a loss is better if it is below (1 − threshold) times the best.
        cooldown: epochs after a change that are not counted.
    """

    counted: str
    patience: int
    threshold: float
    cooldown: int


@dataclass(frozen=True)
class Schedule:
    """A hyperparameter as an equation of the step.

    Args:
        equations: from `t` (integer, from 1) and hyperparameters to `value`.
        hyper: the values of the hyperparameters.
        source: whose schedule this is.
        plateau: where the equation needs what only a validation loss tells.
    """

    equations: Definition
    hyper: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    plateau: Plateau | None = None

    @property
    def name(self) -> str:
        return self.equations.name

    def at(self, t: int) -> float:
        """The value at step t, counted from 1 (before any plateau)."""
        known: dict[sympy.Basic, sympy.Basic] = {}
        for tensor in self.equations.inputs:
            number = t if tensor.name == STEP else self.hyper[tensor.name]
            known[tensor.element()] = sympy.sympify(number)
        return float(self.equations.by_name[VALUE].rhs.xreplace(known))

    def called(self, name: str) -> Schedule:
        """The same for a hyperparameter of an optimiser: `lr` from t, lr_start, …"""
        names = {n: f"{name}_{n}" for n in self.hyper}
        counted = self.plateau and Plateau(names[self.plateau.counted], *_rest(self.plateau))
        hyper = {names[n]: v for n, v in self.hyper.items()}
        return Schedule(self.equations.renamed({**names, VALUE: name}), hyper, self.source, counted)


def _rest(plateau: Plateau) -> tuple[int, float, int]:
    return plateau.patience, plateau.threshold, plateau.cooldown


def constant(value: float) -> Schedule:
    """The same at every step.

    Raises:
        DefinitionError: a value that is not a finite number from 0.
    """
    return _made("constant", {"start": _number("value", value)}, lambda k, start: start, 1, "")


def step(start: float, *, size: int, factor: float = 0.1, every: int = 1) -> Schedule:
    """start · factor^⌊(t − 1)/size⌋: times `factor` after every `size` steps (PyTorch's StepLR).

    Raises:
        DefinitionError: a size or `every` that is not a whole number from 1, or values that are not finite from 0.
    """
    size = _whole("size", size)
    hyper = {"start": _number("start", start), "factor": _number("factor", factor)}
    return _made("step", hyper, lambda k, a, f: a * f ** sympy.floor(k / size), every, "PyTorch's StepLR")


def exponential(start: float, *, factor: float, every: int = 1) -> Schedule:
    """start · factor^(t − 1) (PyTorch's ExponentialLR).

    Raises:
        DefinitionError: as for `step`.
    """
    hyper = {"start": _number("start", start), "factor": _number("factor", factor)}
    return _made("exponential", hyper, lambda k, a, f: a * f**k, every, "PyTorch's ExponentialLR")


def cosine(start: float, *, steps: int, end: float = 0.0, every: int = 1) -> Schedule:
    """end + (start − end)(1 + cos(π (t − 1)/steps))/2, and `end` after `steps` steps.

    Raises:
        DefinitionError: as for `step`.
    """
    hyper = {"start": _number("start", start), "end": _number("end", end), "steps": float(_whole("steps", steps))}

    def rule(k: Any, a: Any, b: Any, n: Any) -> Any:
        return b + (a - b) * (1 + cos(sympy.pi * minimum(k / n, 1, kink="left"))) / 2

    source = "Loshchilov and Hutter 2017 (arXiv 1608.03983), equation 5, without restarts; PyTorch's CosineAnnealingLR"
    return _made("cosine", hyper, rule, every, source)


def linear(start: float, *, end: float, steps: int, every: int = 1) -> Schedule:
    """From start to end in equal parts over `steps` steps, and `end` after that (PyTorch's LinearLR).

    Raises:
        DefinitionError: as for `step`.
    """
    hyper = {"start": _number("start", start), "end": _number("end", end), "steps": float(_whole("steps", steps))}

    def rule(k: Any, a: Any, b: Any, n: Any) -> Any:
        return a + (b - a) * minimum(k / n, 1, kink="left")

    return _made("linear", hyper, rule, every, "PyTorch's LinearLR")


def warmup(then: Schedule | float, *, steps: int, share: float = 0.0) -> Schedule:
    """A straight line from share · then(1) to then(1) over `steps` steps; after that `then`, from its beginning.

    It is PyTorch's SequentialLR of LinearLR and another one.

    Raises:
        DefinitionError: as for `step`.
    """
    after = then if isinstance(then, Schedule) else constant(then)
    count = _whole("steps", steps)
    if after.plateau is not None:
        raise DefinitionError("a plateau can't be warmed up", remedy="warm up another schedule, such as a cosine")
    with writing(Builder("warmup")) as builder:
        builder.inputs += after.equations.inputs
        low = builder.declare("warm_share", Hyper())
        t = after.equations[STEP].element()
        value = after.equations.by_name[VALUE].rhs
        first, shifted = value.xreplace({t: sympy.S.One}), value.xreplace({t: t - count})
        line = first * (low + (1 - low) * (t - 1) / sympy.Integer(count))
        let(VALUE, switch(t - 1 - count, line, shifted, kink="right"))
        equations = builder.build([VALUE])
    hyper = {**after.hyper, "warm_share": _number("share", share)}
    return Schedule(equations, hyper, f"a linear warm-up, then {after.name}")


def one_cycle(
    peak: float, *, steps: int, rising: float = 0.3, start: float | None = None, end: float | None = None
) -> Schedule:
    """Along a cosine from start up to peak over a share `rising` of the steps, then down to end (PyTorch's OneCycleLR).

    Args:
        peak: the largest value.
        steps: of the whole cycle; its value stays at `end` after them.
        rising: the share of the steps on the way up, between 0 and 1.
        start: peak/25 where it is None.
        end: start/10000 where it is None.

    For a momentum that goes the other way, give `start` above `peak` and an `end`.

    Raises:
        DefinitionError: fewer than 3 steps, a share that leaves no step to one of the two parts, or as for `step`.
    """
    count = _whole("steps", steps, least=3)
    first = _number("start", start) if start is not None else _number("peak", peak) / 25
    up, whole = rising * count - 1, count - 1
    if not 0 < rising < 1 or not 0 < up < whole:
        raise DefinitionError(
            f"rising = {rising} of {count} steps",
            where="the schedule one_cycle",
            why="both parts need a step",
            remedy="try rising=0.3 with more steps",
        )
    hyper = {
        "peak": _number("peak", peak),
        "start": first,
        "end": _number("end", end) if end is not None else first / 1e4,
        "up": up,
        "down": whole - up,
    }

    def rule(k: Any, peak: Any, start: Any, end: Any, up: Any, down: Any) -> Any:
        rise = peak + (start - peak) * (1 + cos(sympy.pi * k / up)) / 2
        fall = end + (peak - end) * (1 + cos(sympy.pi * minimum((k - up) / down, 1, kink="left"))) / 2
        return switch(k - up, rise, fall, kink="left")

    return _made("one_cycle", hyper, rule, 1, "Smith and Topin 2017 (arXiv 1708.07120), in the form of PyTorch")


def plateau(
    start: float,
    *,
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    cooldown: int = 0,
    least: float = 0.0,
) -> Schedule:
    """max(start · factor^c, least), with c how often the validation loss stopped falling (PyTorch's ReduceLROnPlateau).

    c grows by one after an epoch that is the (patience + 1)-th in a row without a loss below (1 − threshold) times the
    best one; the `cooldown` epochs after that are not counted. Training with it needs validation data.

    Raises:
        DefinitionError: numbers out of range.
    """
    _whole("patience", patience, least=0)
    _whole("cooldown", cooldown, least=0)
    if not (0 < factor < 1 and 0 <= threshold < 1):
        raise DefinitionError(
            f"factor = {factor}, threshold = {threshold}", why="both are below 1, and a factor is above 0"
        )
    hyper = {"start": _number("start", start), "factor": factor, "least": _number("least", least), "drops": 0.0}

    def rule(k: Any, a: Any, f: Any, low: Any, drops: Any) -> Any:
        return maximum(a * f**drops, low, kink="left")

    made = _made("plateau", hyper, rule, 1, "PyTorch's ReduceLROnPlateau, relative threshold")
    return Schedule(made.equations, made.hyper, made.source, Plateau("drops", patience, threshold, cooldown))


def _made(name: str, hyper: Mapping[str, float], rule: Callable[..., Any], every: int, source: str) -> Schedule:
    """`rule` takes how often `every` steps have passed, and the hyperparameters in order."""
    size = _whole("every", every)
    with writing(Builder(name)) as builder:
        t = builder.declare(STEP, Input(integer=True))
        given: list[Tensor] = [builder.declare(n, Hyper()) for n in hyper]
        passed = t.element() - 1
        counted = passed if size == 1 else sympy.floor(passed / sympy.Integer(size))
        let(VALUE, rule(counted, *[g.element() for g in given]))
        return Schedule(builder.build([VALUE]), dict(hyper), source)


def _number(name: str, value: float) -> float:
    return from_zero(name, value, where="a schedule")


def _whole(name: str, value: int, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DefinitionError(
            f"{name} = {value!r}",
            where="a schedule",
            why=f"it has to be a whole number from {least}",
            remedy=f"try {name}={max(least, 10)}",
        )
    return value


SCHEDULES = {made.__name__: made for made in (constant, step, exponential, cosine, linear, warmup, one_cycle, plateau)}
