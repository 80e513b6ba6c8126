"""Normalisation: batch, group, instance, layer and RMS norm of activations, weight norm of parameters.

All but weight norm are one pattern: mean μ, variance σ², r = 1/√(σ² + ε), x̂ = (x − μ) r, y = γ x̂ + β; they differ in
the indices that the mean is over. Layouts are PyTorch's: x[n, c, h, w].

>>> from symdl.core.define import Hyper, Input, Param, define
>>> @define
... def norm(x=Input("n i"), gamma=Param("i"), beta=Param("i"), eps=Hyper(facts=["positive"])):
...     return layer_norm(x, gamma, beta, eps)
>>> norm
norm(x[n, i], gamma[i], beta[i], eps) -> y:
    mu[n] = Sum_{i}(x[n, i]/I)
    sigma2[n] = Sum_{i}((-mu[n] + x[n, i])**2/I)
    r[n] = 1/sqrt(eps + sigma2[n])
    x_hat[n, i] = (-mu[n] + x[n, i])*r[n]
    y[n, i] = beta[i] + gamma[i]*x_hat[n, i]
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import sympy

from symdl.core.define import Hyper, Input, Param, Sum, delta, index, mean, sqrt
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError, ShapeError
from symdl.library.entries import Entry, written
from symdl.library.naming import Scribe


def batch_norm(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: Any, *, name: str = "y", label: str = ""
) -> Tensor:
    """Batch norm as it is while training: each channel c is normalised over the batch and all places.

    Args:
        x: [n, c, …], real.
        gamma, beta: [c], scale and shift; None leaves them out.
        eps: ε > 0, a scalar hyperparameter or a number.
        name: of the output.
        label: what the names of all that it writes bear, for a second layer in one definition ("2": `mu2`, `y2`).

    Returns:
        The tensor `name`, of x's shape; μ[c] and σ²[c], which the running statistics need, are `mu` and `sigma2`.

    Raises:
        ShapeError: x has no channel axis, or gamma or beta do not fit it.
    """
    return _normalised(x, _but(x, [1]), gamma, beta, eps, name, label)


def batch_norm_inference(
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    eps: Any,
    m: Tensor,
    v: Tensor,
    *,
    name: str = "y",
    label: str = "",
) -> Tensor:
    """Batch norm as it is after training: the running mean m[c] and variance v[c] are data; else `batch_norm`."""
    c = _axis(x, 1)
    write = Scribe(label)
    r = write("r", [c], 1 / sqrt(v[c] + eps))
    x_hat = write("x_hat", x.indices, (x.element() - m[c]) * r[c])
    return write(name, x.indices, _affine(x_hat, gamma, beta))


def running_statistics(x: Tensor, m: Tensor, v: Tensor, alpha: Any, *, label: str = "") -> tuple[Tensor, Tensor]:
    """The running mean and variance after one more batch: m ← (1 − α) m + α μ, and v with the unbiased variance.

    Args:
        x: [n, c, …] with more than one value for each channel, since the unbiased variance divides by M − 1.
        m, v: [c], the running mean and variance so far.
        alpha: how much the new batch counts; PyTorch calls it momentum.

    Returns:
        The tensors `m_new` and `v_new`, [c].
    """
    write = Scribe(label)
    c, over = _axis(x, 1), _but(x, [1])
    count = sympy.Mul(*[i.extent for i in over])
    mu = write("mu", [c], mean(x.element(), *over))
    s2 = write("s2", [c], Sum((x.element() - mu[c]) ** 2 / (count - 1), *over))
    return (
        write("m_new", [c], (1 - alpha) * m[c] + alpha * mu[c]),
        write("v_new", [c], (1 - alpha) * v[c] + alpha * s2[c]),
    )


def layer_norm(
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    eps: Any,
    *,
    axes: int = 1,
    name: str = "y",
    label: str = "",
) -> Tensor:
    """Layer norm: each example is normalised over its last `axes` axes, those of gamma and beta; else `batch_norm`."""
    if not 1 <= axes <= x.rank:
        raise DefinitionError(f"axes={axes!r}", where=f"layer_norm of {x.name}", remedy=f"1 to {x.rank}")
    return _normalised(x, x.indices[-axes:], gamma, beta, eps, name, label)


def instance_norm(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, eps: Any, *, name: str = "y", label: str = ""
) -> Tensor:
    """Instance norm: each channel of each example is normalised over its places; arguments as for `batch_norm`."""
    if x.rank < 3:
        raise ShapeError(f"{x.name} has no places to normalise over", where="instance_norm", remedy="x[n, c, h, …]")
    return _normalised(x, x.indices[2:], gamma, beta, eps, name, label)


def group_norm(
    x: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    eps: Any,
    groups: Any,
    *,
    name: str = "y",
    label: str = "",
) -> Tensor:
    """Group norm: the channels c = g·M + m of a group g are normalised together, with all places.

    Args:
        groups: how many groups the channels fall into; the rest as for `batch_norm`.

    Raises:
        ShapeError: the groups do not divide the channels.
    """
    c, places, batch = _axis(x, 1), x.indices[2:], x.indices[:1]
    each = sympy.expand(c.extent / sympy.sympify(groups))
    if not each.is_integer:
        raise ShapeError(
            f"{c.extent} channels can't be split into {groups} groups",
            where=f"group_norm of {x.name}",
            why="each group has as many",
            remedy=f"make the extent of {c.name} a multiple of {groups}",
        )
    g, q, write = index("g", groups), index("q", each), Scribe(label)
    # [n, c, …] as [n, g, q, …] and, below, the way back: index maps
    u = write("u", (*batch, g, q, *places), x[(*batch, g * each + q, *places)])
    x_hat = _standardised(u, (*batch, g), (q, *places), eps, write)
    spread = Sum(x_hat.element() * delta(c, g * each + q), g, q)
    scaled = spread if gamma is None else gamma[c] * spread
    return write(name, x.indices, scaled if beta is None else scaled + beta[c])


def rms_norm(x: Tensor, gamma: Tensor | None, eps: Any, *, name: str = "y", label: str = "") -> Tensor:
    """RMS norm over the last axis: r = 1/√(mean x² + ε), y = γ x r; arguments as for `batch_norm`."""
    *kept, i = x.indices
    write = Scribe(label)
    s = write("s", kept, mean(x.element() ** 2, i))
    r = write("r", kept, 1 / sqrt(s.element() + eps))
    x_hat = write("x_hat", x.indices, x.element() * r.element())
    return write(name, x.indices, _affine(x_hat, gamma, None))


def weight_norm(V: Tensor, g: Tensor, *, name: str = "W", label: str = "") -> Tensor:
    """Weight norm: W[j,…] = g[j] V[j,…]/‖V[j]‖, direction and length as parameters of their own.

    Args:
        V: [j, …], with rows that are not all 0.
        g: [j], the lengths.
    """
    j, *rest = V.indices
    write = Scribe(label)
    q = write("q", [j], Sum(V.element() ** 2, *rest))
    r = write("r", [j], 1 / sqrt(q.element()))
    return write(name, V.indices, g[j] * r[j] * V.element())


def _normalised(
    x: Tensor,
    over: Iterable[Index],
    gamma: Tensor | None,
    beta: Tensor | None,
    eps: Any,
    name: str,
    label: str,
) -> Tensor:
    kept, write = [i for i in x.indices if i not in over], Scribe(label)
    x_hat = _standardised(x, kept, over, eps, write)
    return write(name, x.indices, _affine(x_hat, gamma, beta))


def _standardised(x: Tensor, kept: Iterable[Index], over: Iterable[Index], eps: Any, write: Scribe) -> Tensor:
    """x̂ = (x − μ) r with one μ and one r for each of `kept`."""
    kept, over = tuple(kept), tuple(over)
    mu = write("mu", kept, mean(x.element(), *over))
    sigma2 = write("sigma2", kept, mean((x.element() - mu.element()) ** 2, *over))
    r = write("r", kept, 1 / sqrt(sigma2.element() + eps))
    return write("x_hat", x.indices, (x.element() - mu.element()) * r.element())


def _affine(x_hat: Tensor, gamma: Tensor | None, beta: Tensor | None) -> sympy.Expr:
    """γ x̂ + β; either is left out where it is None."""
    scaled = x_hat.element() if gamma is None else gamma.element() * x_hat.element()
    return scaled if beta is None else scaled + beta.element()


def _axis(x: Tensor, number: int) -> Index:
    if x.rank <= number:
        raise ShapeError(f"{x.name} has no channel axis", where=f"a norm of {x.name}", remedy="x[n, c, …]")
    return x.indices[number]


def _but(x: Tensor, kept: Iterable[int]) -> tuple[Index, ...]:
    """The indices to take means over: all but those on the axes `kept`."""
    for axis in kept:
        _axis(x, axis)
    return tuple(i for k, i in enumerate(x.indices) if k not in kept)


_PLACES = {0: "", 1: "h", 2: "h w", 3: "d h w"}


def _declared(axes: str, inside: str, affine: bool) -> dict[str, Any]:
    parameters = {"gamma": Param(inside), "beta": Param(inside)} if affine else {"gamma": None, "beta": None}
    return {"x": Input(axes), **parameters, "eps": Hyper(facts=["positive"])}


def _places(number: int, where: str, least: int = 0) -> str:
    if number not in _PLACES or number < least:
        raise DefinitionError(f"spatial={number!r}", where=where, remedy=f"{least} to 3 axes beside batch and channel")
    return _PLACES[number]


def _batch_norm(*, spatial: int = 0, affine: bool = True) -> Definition:
    axes = f"n c {_places(spatial, 'batch_norm')}"
    return written("batch_norm", _declared(axes, "c", affine), batch_norm)


def _batch_norm_inference(*, spatial: int = 0, affine: bool = True) -> Definition:
    declared = _declared(f"n c {_places(spatial, 'batch_norm_inference')}", "c", affine)
    statistics = {"m": Input("c"), "v": Input("c", facts=["nonnegative"])}
    return written("batch_norm_inference", {**declared, **statistics}, batch_norm_inference)


def _batch_norm_running(*, spatial: int = 0) -> Definition:
    axes = f"n c {_places(spatial, 'batch_norm_running')}"
    declared = {"x": Input(axes), "m": Input("c"), "v": Input("c", facts=["nonnegative"]), "alpha": Hyper()}
    return written("batch_norm_running", declared, running_statistics)


def _layer_norm(*, axes: int = 1, affine: bool = True) -> Definition:
    letters = {1: "i", 2: "t i", 3: "c h w"}
    if axes not in letters:
        raise DefinitionError(f"axes={axes!r}", where="layer_norm", remedy="1, 2 or 3")
    declared = _declared(f"n {letters[axes]}", letters[axes], affine)
    return written("layer_norm", declared, partial(layer_norm, axes=axes))


def _instance_norm(*, spatial: int = 2, affine: bool = True) -> Definition:
    axes = f"n c {_places(spatial, 'instance_norm', 1)}"
    return written("instance_norm", _declared(axes, "c", affine), instance_norm)


def _group_norm(*, groups: int | None = None, spatial: int = 2, affine: bool = True) -> Definition:
    if groups is not None and (not isinstance(groups, int) or groups < 1):
        raise DefinitionError(f"groups={groups!r}", where="group_norm", remedy="1 or more")
    G, Q = (sympy.Symbol(letter, integer=True, positive=True) for letter in "GQ")
    count = G if groups is None else sympy.Integer(groups)
    declared = _declared(f"n c {_places(spatial, 'group_norm')}", "c", affine)
    return written("group_norm", declared, partial(group_norm, groups=count), {"c": count * Q})


def _rms_norm(*, affine: bool = True) -> Definition:
    declared = {"x": Input("n i"), "gamma": Param("i") if affine else None, "eps": Hyper(facts=["positive"])}
    return written("rms_norm", declared, rms_norm)


def _weight_norm() -> Definition:
    return written("weight_norm", {"V": Param("j i"), "g": Param("j")}, weight_norm)


def _entry(name: str, summary: str, make: Any) -> Entry:
    return Entry(name, "normalisation", summary, make)


#: Ioffe and Szegedy 2015, Ba et al. 2016, Ulyanov et al. 2016, Wu and He 2018, Zhang and Sennrich 2019, Salimans and
#: Kingma 2016.
ENTRIES = (
    _entry("batch_norm", "batch norm while training: mean and variance of each channel over the batch", _batch_norm),
    _entry("batch_norm_inference", "batch norm after training, by running statistics", _batch_norm_inference),
    _entry("batch_norm_running", "the running statistics of batch norm after one more batch", _batch_norm_running),
    _entry("layer_norm", "layer norm: each example over its own last axes", _layer_norm),
    _entry("instance_norm", "instance norm: each channel of each example over its places", _instance_norm),
    _entry("group_norm", "group norm: each group of channels of each example", _group_norm),
    _entry("rms_norm", "RMS norm: divided by the root of the mean square", _rms_norm),
    _entry("weight_norm", "weight norm: direction and length of each row as parameters", _weight_norm),
)
