"""Regularisers: terms of the objective that keep parameters small. Their gradients follow by the chain rule.

>>> from symdl.core.define import Input, Param, Sum, define, let, mean
>>> @define
... def line(x=Input("n i"), t=Input("n"), w=Param("i")):
...     n, i = x.indices
...     y = let("y[n]", Sum(w[i] * x[n, i], i))
...     return let("L", mean((t[n] - y[n]) ** 2, n)), y
>>> regularised(line, l2(0.1))
line(x[n, i], t[n], w[i], lambda2) -> J, y, L:
    y[n] = Sum_{i}(w[i]*x[n, i])
    L = Sum_{n}((t[n] - y[n])**2/N)
    R2 = Sum_{i}(w[i]**2/2)
    J = L + R2*lambda2
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy

from symdl.core.builder import Builder
from symdl.core.define import Hyper, Sum, absolute, let, writing
from symdl.core.definitions import Definition
from symdl.core.equations import unused
from symdl.core.tensors import Tensor
from symdl.errors import DefinitionError
from symdl.library.numbers import above_zero
from symdl.library.weights import weights

#: The hyperparameters that weigh the two terms.
ABSOLUTE, SQUARED = "lambda1", "lambda2"


@dataclass(frozen=True)
class Penalty:
    """λ₁ Σ |w| + λ₂ Σ w²/2 over some parameters.

    Args:
        hyper: λ₁ and λ₂, those that are not 0.
        on: the names of the parameters; None: all weights, which are those that are summed over.
    """

    hyper: dict[str, float]
    on: tuple[str, ...] | None = None


def l1(weight: float, *, on: Iterable[str] | None = None) -> Penalty:
    """λ Σ |w| (the lasso): slope ±λ, and 0 at w = 0.

    Raises:
        DefinitionError: a weight that is not a finite number above 0.
    """
    return Penalty({ABSOLUTE: _above_zero(weight)}, _names(on))


def l2(weight: float, *, on: Iterable[str] | None = None) -> Penalty:
    """λ/2 Σ w² (ridge): slope λw, which is what the weight decay of SGD adds to the gradient.

    Raises:
        DefinitionError: a weight that is not a finite number above 0.
    """
    return Penalty({SQUARED: _above_zero(weight)}, _names(on))


def elastic_net(weight: float, *, share: float = 0.5, on: Iterable[str] | None = None) -> Penalty:
    """λ(ρ Σ |w| + (1 − ρ)/2 Σ w²), with ρ = `share`, as scikit-learn's ElasticNet has it.

    Raises:
        DefinitionError: a weight that is not a finite number above 0, or a share outside of 0 to 1, both excluded.
    """
    if not 0 < share < 1:
        raise DefinitionError(f"share = {share!r}", why="it lies between 0 and 1", remedy="for 0 or 1 take l2 or l1")
    return Penalty({ABSOLUTE: share * _above_zero(weight), SQUARED: (1 - share) * weight}, _names(on))


def regularised(definition: Definition, penalty: Penalty) -> Definition:
    """The definition with the target J = L + penalty; λ₁ and λ₂ are hyperparameters, `lambda1` and `lambda2`.

    Its outputs are J, then those that it had, L last.

    Raises:
        DefinitionError: a target that is not a scalar, no weights, or parameters that the definition does not have.
    """
    if definition.general is not None:
        general = definition.general
        return regularised(general.definition, penalty).at(**general.extents)
    target = definition.target
    if target.rank:
        raise DefinitionError(
            f"the target {target.element()} is not a scalar",
            where=f"regularising {definition.name}",
            remedy="return a loss first",
        )
    chosen = _chosen(definition, penalty)
    builder = Builder(definition.name)
    builder.go_on_from(definition)
    taken = set(builder.names)
    with writing(builder):
        total = target.element()
        for name, letter, size in ((ABSOLUTE, "R1", _absolute), (SQUARED, "R2", _half_square)):
            if name in penalty.hyper:
                factor = builder.declare(name, Hyper())
                parts = [Sum(size(w.element()), *w.indices) if w.rank else size(w.element()) for w in chosen]
                total += factor * let(unused(letter, taken), sympy.Add(*parts))
        objective = let(unused("J", taken), total)
    return builder.build([objective.name, *definition.outputs[1:], target.name])


def _absolute(w: sympy.Expr) -> sympy.Expr:
    return absolute(w, kink="mid")


def _half_square(w: sympy.Expr) -> sympy.Expr:
    return w**2 / 2


def _chosen(definition: Definition, penalty: Penalty) -> tuple[Tensor, ...]:
    known = {p.name: p for p in definition.parameters}
    if penalty.on is None:
        if not (found := weights(definition)):
            raise DefinitionError(f"{definition.name} sums over no parameter", remedy="name them: on=['w']")
        return found
    for name in penalty.on:
        if name not in known:
            raise DefinitionError(
                f"no parameter '{name}'",
                where=f"regularising {definition.name}",
                remedy=f"some of {', '.join(known)}",
            )
    return tuple(known[n] for n in penalty.on)


def _names(on: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if on is None else (on,) if isinstance(on, str) else tuple(on)


def _above_zero(value: Any) -> float:
    return above_zero("weight", value, where="a regulariser", remedy="try 0.01")
