"""Optimisers: data. One entry is the equations of one update of one parameter, for every element of any shape.

>>> sgd(0.1).update
sgd(theta, g, lr) -> theta_new:
    theta_new = -g*lr + theta
>>> [e.name for e in adam().update.equations]
['m_new', 'v_new', 'theta_new']
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from symdl.core.define import Hyper, Input, Param, define, let, sqrt
from symdl.core.definitions import Definition
from symdl.errors import DefinitionError


@dataclass(frozen=True)
class Optimizer:
    """How a parameter changes in one step.

    Args:
        update: scalar equations from `theta` (the parameter), `g` (its gradient), state and hyperparameters to
            `theta_new`; a hyperparameter `t` without a value is the number of the step, counted from 1.
        hyper: the values of the hyperparameters.
        state: for each state input the equation that gives its next value; states start at 0.
        source: where the formula is from.
    """

    update: Definition
    hyper: Mapping[str, float] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        known = {t.name for t in self.update.inputs}
        given = {"theta", "g", "t", *self.state, *self.hyper}
        if missing := sorted(known - given):
            raise DefinitionError(
                f"optimiser {self.name}: '{missing[0]}' has no value", remedy="give it in hyper or state"
            )
        for name, value in self.hyper.items():
            if name not in known or not math.isfinite(value):
                raise DefinitionError(
                    f"optimiser {self.name}: {name} = {value}", why="it is not finite, or not in its equations"
                )

    @property
    def name(self) -> str:
        return self.update.name


def _above_zero(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise DefinitionError(f"{name} = {value}", why="it has to be a finite number above 0", remedy=f"try {name}=0.1")
    return float(value)


def _share(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise DefinitionError(f"{name} = {value}", why="it has to be from 0 to below 1", remedy=f"try {name}=0.9")
    return float(value)


@define
def _sgd(theta=Param(), g=Input(), lr=Hyper()):  # type: ignore[no-untyped-def]
    return let("theta_new", theta - lr * g)


@define
def _momentum(theta=Param(), g=Input(), v=Input(), lr=Hyper(), mu=Hyper()):  # type: ignore[no-untyped-def]
    v_new = let("v_new", mu * v + g)
    return let("theta_new", theta - lr * v_new), v_new


@define
def _adam(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), v=Input(), lr=Hyper(), beta1=Hyper(), beta2=Hyper(), eps=Hyper(), t=Hyper()
):
    m_new = let("m_new", beta1 * m + (1 - beta1) * g)
    v_new = let("v_new", beta2 * v + (1 - beta2) * g**2)
    unbiased = m_new / (1 - beta1**t)
    return let("theta_new", theta - lr * unbiased / (sqrt(v_new / (1 - beta2**t)) + eps)), m_new, v_new


def sgd(lr: float = 0.01) -> Optimizer:
    """θ ← θ − lr·g.

    Raises:
        DefinitionError: lr is not a finite number above 0.
    """
    return Optimizer(_sgd.renamed({}, "sgd"), {"lr": _above_zero("lr", lr)}, source="the lecture")


def momentum(lr: float = 0.01, mu: float = 0.9) -> Optimizer:
    """v ← μ·v + g, θ ← θ − lr·v, as PyTorch has it."""
    hyper = {"lr": _above_zero("lr", lr), "mu": _share("mu", mu)}
    return Optimizer(_momentum.renamed({}, "momentum"), hyper, {"v": "v_new"}, "Polyak 1964, in the form of PyTorch")


def adam(lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Moving averages of the gradient and its square, unbiased; θ ← θ − lr·m̂ / (√v̂ + ε)."""
    hyper = {
        "lr": _above_zero("lr", lr),
        "beta1": _share("beta1", beta1),
        "beta2": _share("beta2", beta2),
        "eps": _above_zero("eps", eps),
    }
    return Optimizer(_adam.renamed({}, "adam"), hyper, {"m": "m_new", "v": "v_new"}, "Kingma and Ba 2015, algorithm 1")


OPTIMISERS = {"sgd": sgd, "momentum": momentum, "adam": adam}
