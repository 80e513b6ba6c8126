"""Adam and what was made of it: moving averages of the gradient and of its square, without their bias."""

from __future__ import annotations

import sympy

from symdl.core.define import Hyper, Input, Param, define, let, maximum, sqrt, switch
from symdl.library.optimisers.record import Optimizer, Setting, above_zero, decay, made, not_negative, share

#: Of NAdam: μ_t = β₁ (1 − ½ · 0.96^{tψ}).
_WARMING = sympy.Rational(96, 100)
#: Of RAdam: below it the variance of the adaptive rate is not finite (or not to be relied on).
_TRACTABLE = 5


@define
def _adam(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), v=Input(), lr=Hyper(), beta1=Hyper(), beta2=Hyper(), eps=Hyper(), t=Hyper()
):
    m_new = let("m_new", beta1 * m + (1 - beta1) * g)
    v_new = let("v_new", beta2 * v + (1 - beta2) * g**2)
    unbiased = m_new / (1 - beta1**t)
    return let("theta_new", theta - lr * unbiased / (sqrt(v_new / (1 - beta2**t)) + eps)), m_new, v_new


@define
def _adamw(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), v=Input(),
    lr=Hyper(), beta1=Hyper(), beta2=Hyper(), eps=Hyper(), weight_decay=Hyper(), t=Hyper(),
):  # fmt: skip
    m_new = let("m_new", beta1 * m + (1 - beta1) * g)
    v_new = let("v_new", beta2 * v + (1 - beta2) * g**2)
    adaptive = m_new / (1 - beta1**t) / (sqrt(v_new / (1 - beta2**t)) + eps)
    return let("theta_new", theta - lr * weight_decay * theta - lr * adaptive), m_new, v_new


@define
def _amsgrad(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), v=Input(), v_max=Input(),
    lr=Hyper(), beta1=Hyper(), beta2=Hyper(), eps=Hyper(), t=Hyper(),
):  # fmt: skip
    m_new = let("m_new", beta1 * m + (1 - beta1) * g)
    v_new = let("v_new", beta2 * v + (1 - beta2) * g**2)
    v_max_new = let("v_max_new", maximum(v_max, v_new, kink="mid"))
    scaled = m_new / (1 - beta1**t) / (sqrt(v_max_new / (1 - beta2**t)) + eps)
    return let("theta_new", theta - lr * scaled), m_new, v_new, v_max_new


@define
def _nadam(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), v=Input(),
    lr=Hyper(), beta1=Hyper(), beta2=Hyper(), eps=Hyper(), mu=Hyper(), mu_next=Hyper(), product_new=Hyper(), t=Hyper(),
):  # fmt: skip
    m_new = let("m_new", beta1 * m + (1 - beta1) * g)
    v_new = let("v_new", beta2 * v + (1 - beta2) * g**2)
    ahead = mu_next * m_new / (1 - product_new * mu_next) + (1 - mu) * g / (1 - product_new)
    return let("theta_new", theta - lr * ahead / (sqrt(v_new / (1 - beta2**t)) + eps)), m_new, v_new


@define
def _nadam_step(t=Input(integer=True), beta1=Hyper(), psi=Hyper(), product=Input()):  # type: ignore[no-untyped-def]
    mu = let("mu", beta1 * (1 - _WARMING ** (t * psi) / 2))
    mu_next = let("mu_next", beta1 * (1 - _WARMING ** ((t + 1) * psi) / 2))
    return let("product_new", product * mu), mu, mu_next


@define
def _radam(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), m=Input(), v=Input(),
    lr=Hyper(), beta1=Hyper(), beta2=Hyper(), eps=Hyper(), rho=Hyper(), r=Hyper(), t=Hyper(),
):  # fmt: skip
    m_new = let("m_new", beta1 * m + (1 - beta1) * g)
    v_new = let("v_new", beta2 * v + (1 - beta2) * g**2)
    unbiased = m_new / (1 - beta1**t)
    adapted = r * sqrt(1 - beta2**t) / (sqrt(v_new) + eps)
    return let("theta_new", theta - lr * unbiased * switch(rho - _TRACTABLE, 1, adapted, kink="left")), m_new, v_new


@define
def _radam_step(t=Input(integer=True), beta2=Hyper()):  # type: ignore[no-untyped-def]
    longest = let("longest", 2 / (1 - beta2) - 1)
    rho = let("rho", longest - 2 * t * beta2**t / (1 - beta2**t))
    rectified = sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
    return rho, let("r", switch(rho - _TRACTABLE, 0, rectified, kink="left"))


_STATE = {"m": "m_new", "v": "v_new"}


def _settings(lr: Setting, beta1: Setting, beta2: Setting, eps: float) -> dict[str, Setting]:
    return {
        "lr": above_zero("lr", lr),
        "beta1": share("beta1", beta1),
        "beta2": share("beta2", beta2),
        "eps": above_zero("eps", eps),
    }


def adam(
    lr: Setting = 1e-3,
    beta1: Setting = 0.9,
    beta2: Setting = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: Setting = 0.0,
) -> Optimizer:
    """Moving averages of the gradient and its square, unbiased; θ ← θ − lr·m̂ / (√v̂ + ε).

    Args:
        lr: the learning rate: a number above 0, or a schedule.
        beta1: of the average of g.
        beta2: of the average of g².
        eps: a number above 0 that keeps the quotient finite.
        weight_decay: λ of a term λθ that is added to the gradient (`adamw` keeps it out of the averages).

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "adam",
        _adam,
        _settings(lr, beta1, beta2, eps),
        state=_STATE,
        weight_decay=weight_decay,
        source="Kingma and Ba 2015, algorithm 1",
    )


def adamw(
    lr: Setting = 1e-3, beta1: Setting = 0.9, beta2: Setting = 0.999, eps: float = 1e-8, *, weight_decay: Setting = 0.01
) -> Optimizer:
    """θ ← (1 − lr·λ)θ − lr·m̂ / (√v̂ + ε): Adam with a decay that does not pass through the averages.

    Raises:
        DefinitionError: a number out of range.
    """
    settings = _settings(lr, beta1, beta2, eps) | {"weight_decay": decay(weight_decay)}
    source = "Loshchilov and Hutter 2019 (arXiv 1711.05101), algorithm 2, with λ scaled by lr as in PyTorch"
    return made("adamw", _adamw, settings, state=_STATE, source=source)


def amsgrad(
    lr: Setting = 1e-3,
    beta1: Setting = 0.9,
    beta2: Setting = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: Setting = 0.0,
) -> Optimizer:
    """Adam with the largest v so far in the place of v, so that steps don't grow again.

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "amsgrad",
        _amsgrad,
        _settings(lr, beta1, beta2, eps),
        state={**_STATE, "v_max": "v_max_new"},
        weight_decay=weight_decay,
        source="Reddi, Kale and Kumar 2018, with the bias corrections of PyTorch",
    )


def nadam(
    lr: Setting = 2e-3,
    beta1: Setting = 0.9,
    beta2: Setting = 0.999,
    eps: float = 1e-8,
    *,
    psi: float = 4e-3,
    weight_decay: Setting = 0.0,
) -> Optimizer:
    """Adam with Nesterov's look ahead, and μ_t = β₁(1 − ½·0.96^{tψ}) that grows to β₁.

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "nadam",
        _nadam,
        _settings(lr, beta1, beta2, eps) | {"psi": not_negative("psi", psi)},
        state=_STATE,
        step=_nadam_step,
        step_state={"product": "product_new"},
        start={"product": 1.0},
        weight_decay=weight_decay,
        source="Dozat 2016, in the form of PyTorch",
    )


def radam(
    lr: Setting = 1e-3,
    beta1: Setting = 0.9,
    beta2: Setting = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: Setting = 0.0,
) -> Optimizer:
    """Adam with a rate that is rectified once ρ_t > 5, and no adaptive rate at all before; at ρ_t = 5 there is none.

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "radam",
        _radam,
        _settings(lr, beta1, beta2, eps),
        state=_STATE,
        step=_radam_step,
        weight_decay=weight_decay,
        source="Liu et al. 2020 (arXiv 1908.03265), algorithm 2, in the form of PyTorch",
    )
