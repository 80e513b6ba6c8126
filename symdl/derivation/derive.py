"""`derive`: the gradient of a definition's target, by expansion or by the chain rule."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation
from symdl.core.tensors import Element, Tensor
from symdl.derivation.chain import backpropagate
from symdl.derivation.cost import measure
from symdl.derivation.expand import expand_and_differentiate
from symdl.derivation.sharing import share_equal
from symdl.derivation.steps import Derivation, Step, Via
from symdl.errors import DefinitionError

_ELEMENT = re.compile(r"\s*(\w+)\s*(?:\[([^\]]*)\])?\s*")


def derive(
    definition: Definition,
    wrt: str | Iterable[str] | None = None,
    *,
    via: Via = "chain",
    of: str | None = None,
) -> Derivation:
    """Derive the gradient of `definition`.

    Args:
        definition: what to differentiate; its target (the first output) must be a scalar unless `of` says more.
        wrt: names of real-valued inputs, parameters or intermediates; None: all parameters (all real inputs of a
            definition without parameters).
        via: "expand" combines all functions and differentiates the one expression; "chain" goes back equation by
            equation.
        of: another tensor, or one of its elements: "w_bar[i]" keeps i free (a Jacobian; of a gradient: the Hessian),
            "w_bar[0]" is one element.

    Returns:
        A `Derivation`, ending in a gradient `Definition` that can be differentiated again.

    Raises:
        DefinitionError: the target is not a scalar, or a name is unknown.
        KinkError: a maximum without a policy for ties is in the way.

    >>> from symdl.core.define import define, Input, Param, Sum, let, mean
    >>> @define
    ... def neuron(x=Input("n i"), t=Input("n"), w=Param("i"), b=Param()):
    ...     n, i = x.indices
    ...     s = let("s[n]", Sum(w[i] * x[n, i], i) + b)
    ...     return let("L", mean((t[n] - s[n]) ** 2, n))
    >>> derive(neuron, "w").gradient.by_name["w_bar"]
    w_bar[i] = Sum_{n}(s_bar[n]*x[n, i])
    """
    if via not in ("chain", "expand"):
        raise DefinitionError(
            f"no way '{via}' to derive a gradient", remedy="say via='chain' or via='expand'; sd.jvp goes forward"
        )
    started = time.perf_counter()
    target = _target(definition, of)
    sources = chosen_sources(definition, wrt, target.tensor)
    forward = definition.only([target.name])
    if via == "chain":
        steps, backward = backpropagate(forward, target, sources)
    else:
        steps, backward = expand_and_differentiate(forward, target, sources)
    made = [*definition.inputs, *(e.out for e in backward)]
    names = {t.cotangent_of[1]: t.name for t in made if t.cotangent_of and t.cotangent_of[0] == target.name}
    outputs = [names[s.name] for s in sources]
    gradient = _gradient(definition, target, share_equal(backward, outputs), outputs)
    seconds = time.perf_counter() - started
    return Derivation(
        source=definition,
        of=target,
        wrt=tuple(s.name for s in sources),
        via=via,
        steps=tuple(_opening(forward, target) + list(steps)),
        gradient=gradient,
        names={s.name: names[s.name] for s in sources},
        cost=measure(gradient, seconds),
    )


def _opening(forward: Definition, target: Element) -> list[Step]:
    eq = forward.by_name.get(target.name)
    return [] if eq is None else [Step("D", eq.lhs, eq.lhs, eq.rhs)]


def _gradient(definition: Definition, target: Element, backward: list[Equation], outputs: list[str]) -> Definition:
    """Forward and backward equations in one definition, cut down to what the outputs need."""
    whole = Definition(
        f"{definition.name}_gradient", (*definition.equations, *backward), definition.inputs, (target.name, *outputs)
    )
    return whole.only([target.name, *outputs])


def _target(definition: Definition, of: str | None) -> Element:
    if of is None:
        target = definition.target
        if target.rank:
            raise DefinitionError(
                f"the target {target.element()} is not a scalar",
                where=f"definition {definition.name}",
                why="a gradient is of a scalar",
                remedy=f"return a mean or a sum of it, name an element, of='{target.element()}', or use sd.vjp",
            )
        return target.element()
    match = _ELEMENT.fullmatch(of)
    if match is None:
        raise DefinitionError(f"'{of}' is not an element", remedy="write 'w_bar[i]' or 'w_bar[0]'")
    tensor = definition[match[1]]
    parts = [p for p in re.split(r"[\s,]+", match[2] or "") if p]
    if len(parts) != tensor.rank:
        raise DefinitionError(f"'{of}' does not fit {tensor.element()}", remedy=f"write '{tensor.element()}'")
    return tensor[tuple(_subscript(tensor, axis, part) for axis, part in enumerate(parts))]


def _subscript(tensor: Tensor, axis: int, part: str) -> sympy.Expr:
    index = tensor.indices[axis]
    if not part.isdigit():
        return index.fresh()
    if index.extent.is_Integer and int(part) >= int(index.extent):
        raise DefinitionError(f"{tensor.name} has no element {part} on axis {index.name}", why=f"it has {index.extent}")
    return sympy.Integer(part)


def chosen_sources(definition: Definition, wrt: str | Iterable[str] | None, target: Tensor) -> list[Tensor]:
    """The tensors to differentiate by: those named, or all parameters, or all real inputs.

    Raises:
        DefinitionError: unknown names, integer-valued tensors, the target itself, or nothing at all.
    """
    if wrt is None:
        chosen = definition.parameters or definition.data
        names = [t.name for t in chosen if not (t.integer or t.cotangent_of or t.tangent_of)]
    else:
        names = [wrt] if isinstance(wrt, str) else list(wrt)
    if not names:
        raise DefinitionError("nothing to differentiate by", where=f"definition {definition.name}", remedy="wrt='w'")
    sources = [definition[name] for name in dict.fromkeys(names)]
    for tensor in sources:
        if tensor.integer:
            raise DefinitionError(
                f"{tensor.name} has no gradient",
                where=f"definition {definition.name}",
                why="it is integer-valued, and only real values have slopes",
                remedy="differentiate by what it subscripts, or declare it without integer=True",
            )
        if tensor == target:
            raise DefinitionError(f"{tensor.name} is the target itself", remedy="name an input or a parameter")
    return sources
