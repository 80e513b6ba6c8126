"""Layers without a loss: the gradient for any loss, from its slope by the layer's outputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy

from symdl.core.definitions import Definition, General
from symdl.core.equations import equation, unused
from symdl.core.tensors import Role, Tensor, reduction
from symdl.derivation.derive import derive
from symdl.derivation.steps import Derivation, Via
from symdl.errors import DefinitionError


def seeded(definition: Definition, outputs: str | Iterable[str] | None = None) -> Definition:
    """The definition with a loss that is any loss: L = Σ ȳ·y, where the input ȳ is the loss's slope by the output y.

    Args:
        definition: a layer with outputs of any shape.
        outputs: names of the outputs that the loss depends on; None: the first one.

    Returns:
        A definition with the target L and further inputs `y_bar`, one for each output, of its shape.

    Raises:
        DefinitionError: an unknown name, or an output that is an input.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def layer(x=Input("n i"), W=Param("j i")):
    ...     (n, i), (j, _) = x.indices, W.indices
    ...     return let("y[n,j]", Sum(W[j, i] * x[n, i], i))
    >>> seeded(layer).by_name["L"]
    L = Sum_{n, j}(y[n, j]*y_bar[n, j])
    """
    names = [outputs] if isinstance(outputs, str) else list(outputs or definition.outputs[:1])
    taken = set(definition.tensors)
    target = Tensor(unused("L", taken))
    inputs, total = list(definition.inputs), sympy.S.Zero
    for name in names:
        output = definition[name]
        if name not in definition.by_name:
            raise DefinitionError(
                f"{name} is an input of {definition.name}",
                why="no loss is needed to know its slope",
                remedy="name an output",
            )
        bar = Tensor(unused(f"{name}_bar", taken), output.indices, Role.INPUT, cotangent_of=(target.name, name))
        taken.add(bar.name)
        inputs.append(bar)
        total += reduction("sum", bar.element() * output.element(), output.indices)
    return replace(
        definition,
        equations=(*definition.equations, equation(target, total)),
        inputs=tuple(inputs),
        outputs=(target.name, *definition.outputs),
        kinks=(),
        general=definition.general
        and General(seeded(definition.general.definition, names), definition.general.extents),
    )


def vjp(
    definition: Definition,
    wrt: str | Iterable[str] | None = None,
    *,
    via: Via = "chain",
    outputs: str | Iterable[str] | None = None,
) -> Derivation:
    """The gradient of a layer for any loss (vector–Jacobian product): its inputs are those of the layer and `y_bar`.

    Args:
        definition, outputs: as for `seeded`.
        wrt, via: as for `derive`.

    Raises:
        DefinitionError, KinkError: as for `derive`.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def layer(x=Input("n i"), W=Param("j i")):
    ...     (n, i), (j, _) = x.indices, W.indices
    ...     return let("y[n,j]", Sum(W[j, i] * x[n, i], i))
    >>> vjp(layer, wrt=["x", "W"]).gradient.equations[-2:]
    (x_bar[n, i] = Sum_{j}(W[j, i]*y_bar[n, j]), W_bar[j, i] = Sum_{n}(x[n, i]*y_bar[n, j]))
    """
    return derive(seeded(definition, outputs), wrt, via=via)
