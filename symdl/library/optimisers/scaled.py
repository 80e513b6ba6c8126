"""Steps scaled by the size that gradients have had: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from symdl.core.define import Hyper, Input, Param, define, let, maximum, sqrt
from symdl.library.optimisers.record import Optimizer, Setting, above_zero, made, not_negative, share


@define
def _adagrad(theta=Param(), g=Input(), s=Input(), rate=Hyper(), eps=Hyper()):  # type: ignore[no-untyped-def]
    s_new = let("s_new", s + g**2)
    return let("theta_new", theta - rate * g / (sqrt(s_new) + eps)), s_new


@define
def _rate(t=Input(integer=True), lr=Hyper(), lr_decay=Hyper()):  # type: ignore[no-untyped-def]
    return let("rate", lr / (1 + (t - 1) * lr_decay))


@define
def _adadelta(theta=Param(), g=Input(), s=Input(), d=Input(), lr=Hyper(), rho=Hyper(), eps=Hyper()):  # type: ignore[no-untyped-def]
    s_new = let("s_new", rho * s + (1 - rho) * g**2)
    delta = let("delta", sqrt(d + eps) / sqrt(s_new + eps) * g)
    d_new = let("d_new", rho * d + (1 - rho) * delta**2)
    return let("theta_new", theta - lr * delta), s_new, d_new


@define
def _rmsprop(theta=Param(), g=Input(), s=Input(), lr=Hyper(), alpha=Hyper(), eps=Hyper()):  # type: ignore[no-untyped-def]
    s_new = let("s_new", alpha * s + (1 - alpha) * g**2)
    return let("theta_new", theta - lr * g / (sqrt(s_new) + eps)), s_new


@define
def _centred(theta=Param(), g=Input(), s=Input(), c=Input(), lr=Hyper(), alpha=Hyper(), eps=Hyper()):  # type: ignore[no-untyped-def]
    s_new = let("s_new", alpha * s + (1 - alpha) * g**2)
    c_new = let("c_new", alpha * c + (1 - alpha) * g)
    # a variance, which rounding alone can bring below 0
    variance = let("variance", maximum(s_new - c_new**2, 0, kink="left"))
    return let("theta_new", theta - lr * g / (sqrt(variance) + eps)), s_new, c_new


@define
def _rmsprop_momentum(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), s=Input(), v=Input(), lr=Hyper(), alpha=Hyper(), mu=Hyper(), eps=Hyper()
):
    s_new = let("s_new", alpha * s + (1 - alpha) * g**2)
    v_new = let("v_new", mu * v + g / (sqrt(s_new) + eps))
    return let("theta_new", theta - lr * v_new), s_new, v_new


@define
def _centred_momentum(  # type: ignore[no-untyped-def]
    theta=Param(), g=Input(), s=Input(), c=Input(), v=Input(), lr=Hyper(), alpha=Hyper(), mu=Hyper(), eps=Hyper()
):
    s_new = let("s_new", alpha * s + (1 - alpha) * g**2)
    c_new = let("c_new", alpha * c + (1 - alpha) * g)
    variance = let("variance", maximum(s_new - c_new**2, 0, kink="left"))
    v_new = let("v_new", mu * v + g / (sqrt(variance) + eps))
    return let("theta_new", theta - lr * v_new), s_new, c_new, v_new


def adagrad(
    lr: Setting = 0.01,
    *,
    lr_decay: float = 0.0,
    initial: float = 0.0,
    eps: float = 1e-10,
    weight_decay: Setting = 0.0,
) -> Optimizer:
    """s ← s + g², θ ← θ − lr/(1 + (t − 1)·lr_decay) · g/(√s + ε); s starts at `initial`.

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "adagrad",
        _adagrad,
        {
            "lr": above_zero("lr", lr),
            "lr_decay": not_negative("lr_decay", lr_decay),
            "eps": above_zero("eps", eps),
        },
        state={"s": "s_new"},
        step=_rate,
        start={"s": not_negative("initial", initial)},
        weight_decay=weight_decay,
        source="Duchi, Hazan and Singer 2011, in the form of PyTorch",
    )


def adadelta(lr: Setting = 1.0, rho: Setting = 0.9, *, eps: float = 1e-6, weight_decay: Setting = 0.0) -> Optimizer:
    """s ← ρs + (1 − ρ)g², Δ = √(d + ε)/√(s + ε) · g, d ← ρd + (1 − ρ)Δ², θ ← θ − lr·Δ.

    Raises:
        DefinitionError: a number out of range.
    """
    return made(
        "adadelta",
        _adadelta,
        {"lr": above_zero("lr", lr), "rho": share("rho", rho), "eps": above_zero("eps", eps)},
        state={"s": "s_new", "d": "d_new"},
        weight_decay=weight_decay,
        source="Zeiler 2012 (arXiv 1212.5701), algorithm 1",
    )


def rmsprop(
    lr: Setting = 0.01,
    alpha: Setting = 0.99,
    *,
    eps: float = 1e-8,
    mu: Setting = 0.0,
    centered: bool = False,
    weight_decay: Setting = 0.0,
) -> Optimizer:
    """s ← αs + (1 − α)g², θ ← θ − lr·g/(√s + ε).

    Args:
        lr: the learning rate.
        alpha: of the moving averages.
        eps: a number above 0 that keeps the quotient finite.
        mu: with a momentum, v ← μv + g/(√s + ε) and θ ← θ − lr·v.
        centered: s − c² in the place of s, with c the moving average of g: the variance, and not the second moment.
        weight_decay: λ of a term λθ that is added to the gradient.

    Raises:
        DefinitionError: a number out of range.
    """
    update = {
        (False, False): _rmsprop,
        (False, True): _rmsprop_momentum,
        (True, False): _centred,
        (True, True): _centred_momentum,
    }[centered, mu != 0]
    settings = {"lr": above_zero("lr", lr), "alpha": share("alpha", alpha), "eps": above_zero("eps", eps)}
    settings |= {"mu": share("mu", mu)} if mu != 0 else {}
    names = [t.name for t in update.inputs]
    return made(
        "rmsprop",
        update,
        settings,
        state={s: f"{s}_new" for s in ("s", "c", "v") if s in names},
        weight_decay=weight_decay,
        source="Tieleman and Hinton 2012, lecture 6.5; centred: Graves 2013 (arXiv 1308.0850), in the form of PyTorch",
    )
