"""What an optimiser is, and how one is put together from equations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symdl.core.define import Hyper, Input, Param, define, let
from symdl.core.definitions import Definition
from symdl.core.tensors import Head, Tensor
from symdl.errors import DefinitionError
from symdl.library import numbers
from symdl.library.schedules import Plateau, Schedule

Setting = float | Schedule
#: Inputs that are there without having been given: in both kinds of equations, and in those of the step.
TIME, SQUARES = "t", "gg"


@dataclass(frozen=True)
class Optimizer:
    """How a parameter changes in one step.

    Args:
        update: scalar equations from `theta` (the parameter), `g` (its gradient), state and hyperparameters to
            `theta_new`; a hyperparameter `t` without a value is the number of the step, counted from 1.
        hyper: the values of the hyperparameters.
        state: for each state input the equation that gives its next value.
        source: where the formula is from.
        step: equations of what is the same for all entries in a step, from `t` (integer), `gg` (Σ g² over all entries
            of all parameters), hyperparameters and states of its own; its tensors are inputs of `update`. Schedules
            and clipping by the norm are such equations. They are computed in float64 whatever the dtype.
        step_state: for each state input of `step` the equation that gives its next value.
        start: where states start, unless at 0.
        plateaus: hyperparameters that a training loop changes on account of the validation loss.
    """

    update: Definition
    hyper: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    step: Definition | None = None
    step_state: Mapping[str, str] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    plateaus: tuple[Plateau, ...] = ()

    def __post_init__(self) -> None:
        own = () if self.step is None else self.step.inputs
        shared = set() if self.step is None else set(self.step.by_name)
        known = {t.name for t in (*self.update.inputs, *own)}
        given = {"theta", "g", TIME, SQUARES, *self.state, *self.step_state, *self.hyper, *shared}
        if missing := sorted(known - given):
            raise DefinitionError(
                f"optimiser {self.name}: '{missing[0]}' has no value", remedy="give it in hyper or state"
            )
        self._check_results()
        for name, value in self.hyper.items():
            if name not in known or not math.isfinite(value):
                raise DefinitionError(
                    f"optimiser {self.name}: {name} = {value}", why="it is not finite, or not in its equations"
                )

    def _check_results(self) -> None:
        """What the equations have to define: θ of the next step, and the next value of every state."""
        of_the_step = {} if self.step is None else self.step.by_name
        wanted = {"theta_new": self.update.by_name, **dict.fromkeys(self.state.values(), self.update.by_name)}
        for result, defined in (wanted | dict.fromkeys(self.step_state.values(), of_the_step)).items():
            if result not in defined or defined[result].out.rank:
                raise DefinitionError(
                    f"optimiser {self.name}: no equation gives the number '{result}'",
                    remedy=f"write sd.let('{result}', …)",
                )

    @property
    def name(self) -> str:
        return self.update.name

    @property
    def shared(self) -> tuple[str, ...]:
        """The tensors of `step` that `update` takes."""
        names = set() if self.step is None else set(self.step.by_name)
        return tuple(t.name for t in self.update.inputs if t.name in names)

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={v:g}" for n, v in self.hyper.items())
        return f"Optimizer({self.name}, {values})"


def composed(name: str, parts: Iterable[Definition], outputs: Iterable[str]) -> Definition:
    """Scalar definitions one after the other: what an earlier one defines, a later one may take as an input.

    >>> @define
    ... def double(x=Input()):
    ...     return let("y", 2 * x.element())
    >>> @define
    ... def square(y=Input()):
    ...     return let("z", y.element() ** 2)
    >>> composed("both", [double, square], ["z"])
    both(x) -> z:
        y = 2*x
        z = y**2
    """
    parts = list(parts)
    defined: dict[str, Tensor] = {e.name: e.out for p in parts for e in p.equations}
    inputs: dict[str, Tensor] = {}
    for tensor in (t for p in parts for t in p.inputs if t.name not in defined):
        inputs.setdefault(tensor.name, tensor)
    known = {**inputs, **defined}
    equations = [
        e.map(lambda body: body.xreplace({h: Head(known[h.tensor.name]) for h in body.atoms(Head)}))
        for p in parts
        for e in p.equations
    ]
    return Definition(name, tuple(equations), tuple(inputs.values()), tuple(outputs))


def preceded(optimizer: Optimizer, front: Definition, hyper: Mapping[str, float], step: Definition | None) -> Optimizer:
    """The optimiser with another gradient: the target of `front`, which takes `g` and whatever it needs.

    Args:
        optimizer: whose equations follow.
        front: from `g` and perhaps `theta` to the gradient that the optimiser sees.
        hyper: values of what is new.
        step: more equations of the step, for what `front` needs.
    """
    seen = front.target.name
    update = composed(optimizer.name, [front, optimizer.update.renamed({"g": seen})], optimizer.update.outputs)
    whole = [p for p in (optimizer.step, step) if p is not None]
    together = composed("step", whole, [e.name for p in whole for e in p.equations]) if whole else None
    return replace(optimizer, update=update, hyper={**optimizer.hyper, **hyper}, step=together)


@define
def _decay(theta=Param(), g=Input(), weight_decay=Hyper()):  # type: ignore[no-untyped-def]
    return let("g_decayed", g + weight_decay * theta)


def made(
    name: str,
    update: Definition,
    settings: Mapping[str, Setting],
    *,
    state: Mapping[str, str] | None = None,
    step: Definition | None = None,
    step_state: Mapping[str, str] | None = None,
    start: Mapping[str, float] | None = None,
    weight_decay: Setting = 0.0,
    source: str = "",
) -> Optimizer:
    """An optimiser of its equations and settings; a setting that is a schedule becomes an equation of the step.

    With `weight_decay`, λθ is added to the gradient before anything else: the gradient of (λ/2) Σ θ².
    """
    decays = isinstance(decay(weight_decay), Schedule) or weight_decay != 0
    settings = {**settings, **({"weight_decay": weight_decay} if decays else {})}
    schedules = [s.called(n) for n, s in settings.items() if isinstance(s, Schedule)]
    hyper = {n: float(s) for n, s in settings.items() if not isinstance(s, Schedule)}
    hyper |= {n: v for s in schedules for n, v in s.hyper.items()}
    parts = [s.equations for s in schedules] + ([step] if step is not None else [])
    together = composed("step", parts, [e.name for p in parts for e in p.equations]) if parts else None
    if decays:
        renamed = update.renamed({"g": "g_decayed"})
        update = composed(name, [_decay, renamed], update.outputs)
    return Optimizer(
        update.renamed({}, name),
        hyper,
        state or {},
        source,
        together,
        step_state or {},
        start or {},
        tuple(s.plateau for s in schedules if s.plateau is not None),
    )


def above_zero(name: str, value: Any) -> Setting:
    """A finite number above 0, or a schedule."""
    return value if isinstance(value, Schedule) else numbers.above_zero(name, value)


def not_negative(name: str, value: Any) -> float:
    """A finite number from 0."""
    return numbers.from_zero(name, value, remedy=f"try {name}=0.01")


def decay(value: Any) -> Setting:
    """A weight decay: a finite number from 0, or a schedule."""
    return value if isinstance(value, Schedule) else not_negative("weight_decay", value)


def share(name: str, value: Any) -> Setting:
    """A number from 0 to below 1, or a schedule."""
    if isinstance(value, Schedule):
        return value
    if not numbers.is_finite(value) or not 0 <= value < 1:
        raise DefinitionError(f"{name} = {value!r}", why="it has to be from 0 to below 1", remedy=f"try {name}=0.9")
    return float(value)
