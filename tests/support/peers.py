"""Layers against PyTorch: values, and gradients for a random slope of the loss, in float64.

The equations are evaluated in 50-digit arithmetic, so that what differs is not rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from symdl.compilation import compile
from symdl.compilation.targets.reference import evaluate
from symdl.core.definitions import Definition
from symdl.core.tensors import Role
from symdl.derivation.seeds import vjp
from symdl.derivation.steps import Derivation
from symdl.verification import Verdict, equal

TOLERANCE = 1e-9

Arrays = Mapping[str, Any]


def drawn(axes: int, seed: int, least: int = 1, most: int = 5) -> tuple[int, ...]:
    """A random shape; the same in every run, so that a failure can be looked at. Another seed draws another one."""
    return tuple(int(n) for n in np.random.default_rng(seed).integers(least, most, axes, endpoint=True))


def real_inputs(definition: Definition) -> list[str]:
    """What a layer is differentiated by: every input and parameter that is not integer-valued."""
    return [t.name for t in definition.inputs if t.role is not Role.HYPERPARAMETER and not t.integer]


def torch_values(
    peer: Callable[..., Any], arrays: Arrays, wrt: list[str], slopes: Arrays
) -> tuple[list[Any], dict[str, Any]]:
    """The peer's outputs, and the gradients of Σ slope · output over all outputs."""
    given = {n: torch.tensor(np.asarray(a)) for n, a in arrays.items()}
    for name in wrt:
        given[name].requires_grad_(True)
    made = peer(**given)
    outputs = list(made) if isinstance(made, tuple) else [made]
    total = sum((torch.tensor(s) * o).sum() for s, o in zip(slopes.values(), outputs, strict=True))
    found = torch.autograd.grad(total, [given[n] for n in wrt], allow_unused=True)
    gradients = {n: np.zeros(np.shape(arrays[n])) if g is None else g.numpy() for n, g in zip(wrt, found, strict=True)}
    return [o.detach().numpy() for o in outputs], gradients


def agree(
    definition: Definition,
    peer: Callable[..., Any],
    arrays: Arrays,
    rng: np.random.Generator,
    *,
    wrt: list[str] | None = None,
    derivation: Derivation | None = None,
    compiled: bool = False,
) -> None:
    """Outputs and gradients of a layer are those of `peer(**tensors)`, which returns as many outputs.

    `compiled` runs machine code for the gradient instead of the reference target.
    """
    wrt = real_inputs(definition) if wrt is None else wrt
    outputs = list(definition.outputs)
    made = vjp(definition, wrt, outputs=outputs) if derivation is None else derivation
    values = evaluate(definition, arrays)
    bars = {f"{n}_bar": rng.normal(size=values[n].shape) for n in outputs}
    theirs, gradients = torch_values(peer, arrays, wrt, bars)
    for name, want in zip(outputs, theirs, strict=True):
        close(values[name], want, name)
    run = compile(made.gradient) if compiled else None
    got = run(**arrays, **bars) if run else evaluate(made.gradient, {**arrays, **bars})
    for name in wrt:
        close(got[made.names[name]], gradients[name], f"slope by {name}")


def close(got: Any, want: Any, what: str) -> None:
    got = np.array([float(v) for v in np.ravel(got)]).reshape(np.shape(got))
    np.testing.assert_allclose(got, want, rtol=TOLERANCE, atol=TOLERANCE, err_msg=what)


def both_ways(definition: Definition, wrt: list[str] | None = None, budget: float = 120.0) -> Verdict:
    """Whether the chain rule and expansion give the same gradient."""
    wrt = real_inputs(definition) if wrt is None else wrt
    outputs = list(definition.outputs)
    chain = vjp(definition, wrt, outputs=outputs)
    return equal(chain, vjp(definition, wrt, outputs=outputs, via="expand"), budget=budget)
