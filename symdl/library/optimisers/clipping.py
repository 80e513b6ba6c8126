"""Gradients kept from being too large, before an optimiser sees them."""

from __future__ import annotations

from symdl.core.define import Hyper, Input, define, let, maximum, minimum, sqrt
from symdl.errors import DefinitionError
from symdl.library.optimisers.record import SQUARES, Optimizer, above_zero, preceded

#: Added to the norm, as PyTorch does.
_SMALL = 1e-6


@define
def _by_value(g=Input(), clip_value=Hyper()):  # type: ignore[no-untyped-def]
    below = minimum(g.element(), clip_value.element(), kink="mid")
    return let("g_clipped", maximum(below, -clip_value.element(), kink="mid"))


@define
def _by_norm(g=Input(), clip_scale=Hyper()):  # type: ignore[no-untyped-def]
    return let("g_scaled", clip_scale * g)


@define
def _scale(gg=Input(facts=["nonnegative"]), clip_norm=Hyper(), clip_small=Hyper()):  # type: ignore[no-untyped-def]
    norm = let("g_norm", sqrt(gg))
    return let("clip_scale", minimum(clip_norm / (norm + clip_small), 1, kink="mid"))


def clip_value(optimizer: Optimizer, limit: float) -> Optimizer:
    """The optimiser with every entry of the gradient kept within ±limit (torch.nn.utils.clip_grad_value_).

    Raises:
        DefinitionError: a limit that is not a finite number above 0; an optimiser that clips by the norm already, or
            that is none of equations (L-BFGS).
    """
    _needs_gradients(optimizer)
    if optimizer.step is not None and SQUARES in {t.name for t in optimizer.step.inputs}:
        raise DefinitionError(
            "clipping by value before clipping by the norm",
            where=f"optimiser {optimizer.name}",
            why="the norm is that of the gradient before it is changed",
            remedy="clip_norm(clip_value(optimizer, …), …)",
        )
    return preceded(optimizer, _by_value, {"clip_value": float(above_zero("limit", limit))}, None)  # type: ignore[arg-type]


def clip_norm(optimizer: Optimizer, limit: float) -> Optimizer:
    """The optimiser with all gradients scaled by min(1, limit/(‖g‖ + 10⁻⁶)) (torch.nn.utils.clip_grad_norm_).

    ‖g‖ is the Euclidean norm over all entries of all parameters.

    Raises:
        DefinitionError: a limit that is not a finite number above 0; an optimiser that is none of equations (L-BFGS).
    """
    _needs_gradients(optimizer)
    hyper = {"clip_norm": float(above_zero("limit", limit)), "clip_small": _SMALL}  # type: ignore[arg-type]
    return preceded(optimizer, _by_norm, hyper, _scale)


def _needs_gradients(optimizer: object) -> None:
    if not isinstance(optimizer, Optimizer):
        name = getattr(optimizer, "name", repr(optimizer))
        raise DefinitionError(
            f"{name} has no gradient to clip",
            where="clipping",
            why="it stands in front of an optimiser that takes a step for each gradient; a line search would be misled",
            remedy="clip sd.sgd(0.1), sd.adam() and the like",
        )
