"""Evaluate a definition without the code under test's derivatives: PyTorch's autograd, or plain floats.

The equations are written out at concrete extents and walked node by node; no lambdify, no printer, no plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange, ScalarFunction, Switch
from symdl.core.tensors import Element
from symdl.core.unroll import elements, unrolled


class Floats:
    """Python floats."""

    exp, log, tanh, erf, sin, cos = math.exp, math.log, math.tanh, math.erf, math.sin, math.cos

    @staticmethod
    def number(value: sympy.Expr) -> float:
        return float(value)

    @staticmethod
    def choose(x: float, below: Any, above: Any, weight: float) -> Any:
        return above() if x > 0 else below() if x < 0 else (1 - weight) * below() + weight * above()


class Torch(Floats):
    """PyTorch scalars in float64, with autograd."""

    import torch

    exp, log, tanh, erf, sin, cos = torch.exp, torch.log, torch.tanh, torch.erf, torch.sin, torch.cos

    @staticmethod
    def number(value: sympy.Expr) -> Any:
        import torch

        return torch.tensor(float(value), dtype=torch.float64)


def evaluate(expr: sympy.Expr, known: Mapping[Element, Any], numbers: type[Floats]) -> Any:
    """The value of a written-out scalar."""
    if isinstance(expr, Element):
        return known[expr]
    if expr.is_Number or expr.is_NumberSymbol:
        return numbers.number(expr)
    if isinstance(expr, Switch):
        x = evaluate(expr.args[0], known, numbers)
        weight = float(expr.args[3])
        below, above = (lambda e=e: evaluate(e, known, numbers) for e in expr.args[1:3])
        return numbers.choose(x, below, above, weight)
    if isinstance(expr, ScalarFunction):
        return evaluate(expr.defined(), known, numbers)
    assert not isinstance(expr, Delta | InRange), f"{expr} is left in a written-out expression"
    arguments = [evaluate(a, known, numbers) for a in expr.args]
    if expr.is_Add:
        return sum(arguments[1:], arguments[0])
    if expr.is_Mul:
        return math.prod(arguments[1:], start=arguments[0])
    if expr.is_Pow and expr.base != sympy.E:
        return arguments[0] ** arguments[1]
    return getattr(numbers, type(expr).__name__)(arguments[-1])


def _given(definition: Definition, values: Mapping[str, np.ndarray], numbers: type[Floats]) -> dict[Element, Any]:
    known = {}
    for tensor in definition.inputs:
        for element in elements(tensor):
            where = tuple(int(s) for s in element.subscripts)
            known[element] = numbers.number(np.asarray(values[tensor.name])[where])
    return known


def run(definition: Definition, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every tensor of a definition with concrete extents, by plain floats."""
    known = _given(definition, values, Floats)
    for element, expr in unrolled(definition):
        known[element] = evaluate(expr, known, Floats)
    return {
        name: np.array([known[e] for e in elements(t)]).reshape([int(s) for s in t.shape])
        for name, t in definition.tensors.items()
    }


def autograd(definition: Definition, values: Mapping[str, np.ndarray], wrt: list[str]) -> dict[str, np.ndarray]:
    """The gradients of the target by PyTorch's autograd."""
    import torch

    known = _given(definition, values, Torch)
    sources = {name: list(elements(definition[name])) for name in wrt}
    for element in (e for group in sources.values() for e in group):
        known[element] = known[element].clone().requires_grad_(True)
    for element, expr in unrolled(definition):
        known[element] = evaluate(expr, known, Torch)
    leaves = [known[e] for group in sources.values() for e in group]
    target = known[definition.target.element()]
    if not target.requires_grad:  # it depends on no source, at this point or at all
        return {name: np.zeros([int(s) for s in definition[name].shape]) for name in wrt}
    slopes = torch.autograd.grad(target, leaves, allow_unused=True)
    found = iter(0.0 if s is None else float(s) for s in slopes)
    return {
        name: np.array([next(found) for _ in group]).reshape([int(s) for s in definition[name].shape])
        for name, group in sources.items()
    }


_TRUE_TO = {
    "FRACTION": lambda v: 1 / (1 + np.exp(-v)),
    "BINARY": lambda v: (v > 0).astype(float),
    "SIGN": lambda v: np.where(v > 0, 1.0, -1.0),
    "POSITIVE": np.abs,
    "NONNEGATIVE": np.abs,
    "BOX": lambda v: np.cumsum(np.abs(v.reshape(*v.shape[:-1], 2, -1)), axis=-2).reshape(v.shape),
}


def random_values(definition: Definition, rng: np.random.Generator, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Random inputs, true to the facts that are stated of them."""
    values = {}
    for tensor in definition.inputs:
        shape = [int(s) for s in tensor.shape]
        value = rng.normal(size=shape) * scale
        if any(f.name == "SUMS_TO_ONE" for f in tensor.facts):
            value = np.exp(value) / np.exp(value).sum(axis=-1, keepdims=True)
        for fact, true_to in _TRUE_TO.items():
            if any(f.name == fact for f in tensor.facts):
                value = true_to(value)
        values[tensor.name] = value
    return values
