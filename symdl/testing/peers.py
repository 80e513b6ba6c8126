"""The same functions in PyTorch, which is not needed for anything but this comparison."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Call = Callable[[Array], Array]
#: Tensors by name → a tensor.
Peer = Callable[..., Any]

#: Names of torch.nn.functional, or else of torch, with options, by the names of the library.
FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigmoid": ("sigmoid", {}),
    "hard_sigmoid": ("hardsigmoid", {}),
    "log_sigmoid": ("logsigmoid", {}),
    "tanh": ("tanh", {}),
    "hard_tanh": ("hardtanh", {}),
    "tanhshrink": ("tanhshrink", {}),
    "softsign": ("softsign", {}),
    "softplus": ("softplus", {}),
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "leaky_relu": ("leaky_relu", {}),
    "prelu": ("prelu", {"weight": 0.25}),
    "rrelu": ("rrelu", {}),
    "threshold": ("threshold", {"threshold": 1, "value": 0}),
    "elu": ("elu", {}),
    "celu": ("celu", {}),
    "selu": ("selu", {}),
    "gelu": ("gelu", {}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "silu": ("silu", {}),
    "swish": ("silu", {}),
    "hard_swish": ("hardswish", {}),
    "mish": ("mish", {}),
    "softshrink": ("softshrink", {}),
    "hardshrink": ("hardshrink", {}),
    "sine": ("sin", {}),
}


def installed() -> bool:
    """Whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def functions(name: str, dtype: str) -> dict[str, Call]:
    """PyTorch's value and slope, on the processor and in the dtype; empty where it has no such function."""
    if name not in FUNCTIONS or not installed():
        return {}
    import torch

    operation, options = FUNCTIONS[name]
    if "weight" in options:
        options = {**options, "weight": torch.tensor(options["weight"], dtype=getattr(torch, dtype))}
    function = partial(getattr(torch.nn.functional, operation, None) or getattr(torch, operation), **options)

    def value(x: Array) -> Array:
        with torch.no_grad():
            made: Array = function(torch.from_numpy(np.array(x, dtype))).numpy()
            return made

    def slope(x: Array) -> Array:
        at = torch.from_numpy(np.array(x, dtype)).requires_grad_()
        (found,) = torch.autograd.grad(function(at).sum(), at)
        made: Array = found.numpy()
        return made

    return {"value": value, "slope": slope}


def _by_position(operation: str, *names: str, **options: Any) -> Callable[[Any], Peer]:
    """A function of torch.nn.functional that takes tensors of these names, in that order."""

    def of(functional: Any) -> Peer:
        def call(**given: Any) -> Any:
            return getattr(functional, operation)(*[given[n] for n in names], **options)

        return call

    return of


def _positions(marks: Any) -> Any:
    """Labels as PyTorch's margin for several takes them: the places of the ones of each row, then −1."""
    import torch

    count = marks.shape[-1]
    places = torch.where(marks == 1, torch.arange(count), count).sort(-1).values
    return torch.where(places == count, -1, places)


_RAW = {"reduction": "none"}
#: Functions of several numbers, by name and options.
FIELDS: dict[tuple[str, ...], Callable[[Any], Peer]] = {
    ("softmax",): _by_position("softmax", "z", dim=-1),
    ("log_softmax",): _by_position("log_softmax", "z", dim=-1),
    ("softmin",): _by_position("softmin", "z", dim=-1),
    ("glu",): _by_position("glu", "x", dim=-1),
    ("maxout",): lambda F: lambda s: s.amax(-1),
    ("l1",): _by_position("l1_loss", "y_hat", "t", **_RAW),
    ("l2",): _by_position("mse_loss", "y_hat", "t", **_RAW),
    ("huber",): _by_position("huber_loss", "y_hat", "t", **_RAW),
    ("smooth_l1",): _by_position("smooth_l1_loss", "y_hat", "t", **_RAW),
    ("poisson_nll",): _by_position("poisson_nll_loss", "y_hat", "t", **_RAW),
    ("gaussian_nll",): lambda F: lambda t, y_hat, v: F.gaussian_nll_loss(y_hat, t, v, **_RAW),
    ("binary_cross_entropy",): _by_position("binary_cross_entropy", "p", "t", **_RAW),
    ("binary_cross_entropy_logits",): _by_position("binary_cross_entropy_with_logits", "z", "t", **_RAW),
    ("hinge_embedding",): _by_position("hinge_embedding_loss", "d", "t", **_RAW),
    ("softmax_cross_entropy",): _by_position("cross_entropy", "z", "y", **_RAW),
    ("softmax_cross_entropy", "target=classes"): _by_position("cross_entropy", "z", "c", **_RAW),
    ("nll",): _by_position("nll_loss", "x", "c", **_RAW),
    ("multi_margin",): _by_position("multi_margin_loss", "x", "c", **_RAW),
    ("multilabel_margin",): lambda F: lambda y, x: F.multilabel_margin_loss(x, _positions(y), **_RAW),
    ("margin_ranking",): lambda F: lambda t, x1, x2: F.margin_ranking_loss(x1, x2, t, **_RAW),
    ("cosine_embedding",): lambda F: lambda t, x1, x2: F.cosine_embedding_loss(x1, x2, t, **_RAW),
    ("triplet_margin",): lambda F: lambda a, p, q: F.triplet_margin_loss(a, p, q, **_RAW),
    ("kl_divergence",): _by_position("kl_div", "x", "t", **_RAW),
}


def field(name: str, options: Mapping[str, Any]) -> Peer | None:
    """PyTorch's function of several numbers; None where it has none with these options."""
    made = FIELDS.get((name, *(f"{n}={v}" for n, v in options.items())))
    if made is None or not installed():
        return None
    import torch

    return made(torch.nn.functional)


def run_peer(peer: Peer, seed: str, wrt: Sequence[str], problem: Mapping[str, Array]) -> list[Array]:
    """The value, and the slopes of its product with `seed` by each of `wrt`."""
    import torch

    given = {n: torch.from_numpy(np.array(a)) for n, a in problem.items()}
    for name in wrt:
        given[name].requires_grad_()
    weights = given.pop(seed)
    value = peer(**given)
    found = torch.autograd.grad((value * weights.reshape(value.shape)).sum(), [given[n] for n in wrt])
    return [value.detach().numpy(), *[f.numpy() for f in found]]
