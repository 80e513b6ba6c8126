"""A layer against PyTorch: value and gradients for any loss, and the two ways of deriving against each other.

The equations are evaluated by the reference target, in 50-digit arithmetic that rounds nothing away, so a comparison
at 1e-9 is one of the mathematics; the compiled code is then compared with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.definitions import Definition
from symdl.derivation.seeds import vjp
from symdl.derivation.steps import Derivation
from symdl.verification import Verdict, equal

#: The largest allowed difference to PyTorch in float64, as a part of the largest entry (or of 1).
AGREEMENT = 1e-9


def real_inputs(definition: Definition) -> list[str]:
    return [t.name for t in definition.inputs if not t.integer]


def numbers(array: Any) -> np.ndarray:
    return np.asarray(np.vectorize(float, otypes=[float])(array))


def close(found: Any, wanted: Any, name: str = "") -> None:
    found, wanted = numbers(found), np.asarray(wanted, dtype=float)
    assert found.shape == wanted.shape, f"{name}: {found.shape} is not {wanted.shape}"
    limit = AGREEMENT * max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=limit, err_msg=name)


def agrees_with_torch(
    definition: Definition,
    arrays: Mapping[str, np.ndarray],
    peer: Callable[..., torch.Tensor],
    rng: np.random.Generator,
    *,
    compiled: bool = False,
    wrt: list[str] | None = None,
) -> Derivation:
    """Assert that the layer and its gradients by `wrt` (every real input) agree with `peer`, called by names.

    `compiled` also compiles the gradient for the Numba target (which cross-checks it) and compares that.
    """
    wrt = wrt or real_inputs(definition)
    given = {n: torch.tensor(a, requires_grad=n in wrt) for n, a in arrays.items()}
    out = peer(**given)
    bar = rng.normal(size=tuple(out.shape))
    (torch.tensor(bar) * out).sum().backward()
    derivation = vjp(definition, wrt)
    (seed,) = (t.name for t in derivation.gradient.inputs if t.cotangent_of)
    values = {**arrays, seed: bar}
    exact = evaluate(derivation.gradient, values, keep=True)
    target = definition.target.name
    close(exact[target], out.detach().numpy(), target)
    wanted = {derivation.names[n]: _slope(given[n]) for n in wrt}
    for name, slope in wanted.items():
        close(exact[name], slope, name)
    if compiled:
        results = compile(derivation.gradient)(**values)
        for name, slope in wanted.items():
            close(results[name], slope, f"compiled {name}")
    return derivation


def _slope(tensor: torch.Tensor) -> np.ndarray:
    """The gradient that PyTorch left; none means that the output does not depend on it."""
    return np.zeros(tuple(tensor.shape)) if tensor.grad is None else tensor.grad.numpy()


#: Seconds for a proof. They pass while others use the machine as well; the slowest takes 3 of its own.
PATIENCE = 120.0


def both_ways(definition: Definition, wrt: list[str] | None = None) -> Verdict:
    """The verdict on the chain rule against expansion, by `wrt` (every real input), for any loss."""
    wrt = wrt or real_inputs(definition)
    return equal(vjp(definition, wrt, via="chain"), vjp(definition, wrt, via="expand"), budget=PATIENCE)
