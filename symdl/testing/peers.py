"""The same functions in PyTorch, which is not needed for anything but this comparison."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Call = Callable[[Array], Array]

#: Names of torch.nn.functional, with options, by the names of the library.
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
    function = partial(getattr(torch.nn.functional, operation), **options)

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
