"""Steps along the gradient, with or without a memory of it: SGD, momentum, Nesterov's, and the sign of it: Lion."""

from __future__ import annotations

import sympy

from symdl.core.define import Hyper, Input, Param, define, let, switch
from symdl.library.optimisers.record import Optimizer, Setting, above_zero, decay, made, share

#: Between the first step and the second.
_AFTER_FIRST = sympy.Rational(3, 2)


@define
def _sgd(theta=Param(), g=Input(), lr=Hyper()):  # type: ignore[no-untyped-def]
    return let("theta_new", theta - lr * g)


@define
def _momentum(theta=Param(), g=Input(), v=Input(), lr=Hyper(), mu=Hyper()):  # type: ignore[no-untyped-def]
    v_new = let("v_new", mu * v + g)
    return let("theta_new", theta - lr * v_new), v_new


@define
def _dampened(theta=Param(), g=Input(), v=Input(), lr=Hyper(), mu=Hyper(), gain=Hyper()):  # type: ignore[no-untyped-def]
    v_new = let("v_new", mu * v + gain * g)
    return let("theta_new", theta - lr * v_new), v_new


@define
def _gain(t=Input(integer=True), dampening=Hyper()):  # type: ignore[no-untyped-def]
    return let("gain", switch(t - _AFTER_FIRST, 1, 1 - dampening.element(), kink="right"))


@define
def _nesterov(theta=Param(), g=Input(), v=Input(), lr=Hyper(), mu=Hyper()):  # type: ignore[no-untyped-def]
    v_new = let("v_new", mu * v + g)
    return let("theta_new", theta - lr * (g + mu * v_new)), v_new


@define
def _lion(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), lr=Hyper(), beta1=Hyper(), beta2=Hyper(), weight_decay=Hyper()
):
    c = let("c", beta1 * m + (1 - beta1) * g)
    sign = switch(c, -1, 1, kink="mid")
    m_new = let("m_new", beta2 * m + (1 - beta2) * g)
    return let("theta_new", theta - lr * (sign + weight_decay * theta)), m_new


def sgd(lr: Setting = 0.01, *, weight_decay: Setting = 0.0) -> Optimizer:
    """θ ← θ − lr·g.

    Args:
        lr: the learning rate: a number above 0, or a schedule.
        weight_decay: λ of a term λθ that is added to the gradient.

    Raises:
        DefinitionError: a number out of range.
    """
    return made("sgd", _sgd, {"lr": above_zero("lr", lr)}, weight_decay=weight_decay, source="the lecture")


def momentum(
    lr: Setting = 0.01, mu: Setting = 0.9, *, dampening: float = 0.0, weight_decay: Setting = 0.0
) -> Optimizer:
    """v ← μ·v + (1 − dampening)·g, θ ← θ − lr·v, as PyTorch has it: the first step is not dampened.

    Raises:
        DefinitionError: a number out of range.
    """
    settings = {"lr": above_zero("lr", lr), "mu": share("mu", mu)}
    source = "Polyak 1964, in the form of PyTorch"
    if dampening == 0:
        return made("momentum", _momentum, settings, state={"v": "v_new"}, weight_decay=weight_decay, source=source)
    settings["dampening"] = share("dampening", dampening)
    return made(
        "momentum", _dampened, settings, state={"v": "v_new"}, step=_gain, weight_decay=weight_decay, source=source
    )


def nesterov(lr: Setting = 0.01, mu: Setting = 0.9, *, weight_decay: Setting = 0.0) -> Optimizer:
    """v ← μ·v + g, θ ← θ − lr·(g + μ·v): Nesterov's momentum, in the variables of PyTorch (θ is the point ahead).

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "nesterov",
        _nesterov,
        {"lr": above_zero("lr", lr), "mu": share("mu", mu)},
        state={"v": "v_new"},
        weight_decay=weight_decay,
        source="Nesterov 1983, in the form of PyTorch (Sutskever et al. 2013, with the point ahead as the variable)",
    )


def lion(lr: Setting = 1e-4, beta1: Setting = 0.9, beta2: Setting = 0.99, *, weight_decay: Setting = 0.0) -> Optimizer:
    """θ ← θ − lr·(sign(β₁m + (1 − β₁)g) + λθ), m ← β₂m + (1 − β₂)g; sign(0) is 0.

    Raises:
        DefinitionError: a number out of range.
    """
    settings = {
        "lr": above_zero("lr", lr),
        "beta1": share("beta1", beta1),
        "beta2": share("beta2", beta2),
        "weight_decay": decay(weight_decay),
    }
    source = "Chen et al. 2023 (arXiv 2302.06675), algorithm 2"
    return made("lion", _lion, settings, state={"m": "m_new"}, source=source)
