"""Forward mode: rates of change along a direction, equation by equation, from the same local slopes as the chain rule.

ẏ = Σ ∂y/∂x ẋ for every equation in order. Of a gradient it gives the product of the Hessian with a direction, without
the Hessian.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, equation, flatten, namer, unused
from symdl.core.recurrence import groups
from symdl.core.tensors import Role, Tensor, elements_in, reduction, refreshed, rename
from symdl.derivation.chain import active_names
from symdl.derivation.cost import measure
from symdl.derivation.derive import chosen_sources, derive
from symdl.derivation.slopes import local_slope
from symdl.derivation.steps import Derivation, Partial, Step
from symdl.derivation.tidy import collect, reuse


def jvp(
    definition: Definition,
    wrt: str | Iterable[str] | None = None,
    *,
    of: str | Iterable[str] | None = None,
) -> Derivation:
    """The rate of change of outputs while inputs change at given rates (Jacobian–vector product, forward mode).

    Args:
        definition: its outputs may have any shape.
        wrt: what changes, as for `derive`; each `x` gets an input `x_dot` of its shape, the rate at which it does.
        of: the outputs whose rates are wanted; None: the first one.

    Returns:
        A `Derivation` with via="forward"; `derivation["y"]` is the tensor y_dot. Its gradient definition has the
        outputs and their rates as outputs, and can be differentiated again.

    Raises:
        DefinitionError: unknown names.
        KinkError: a maximum without a policy for ties is in the way.

    >>> from symdl.core.define import define, Input, Param, Sum, let, tanh
    >>> @define
    ... def layer(x=Input("i"), w=Param("i")):
    ...     (i,) = x.indices
    ...     s = let("s", Sum(w[i] * x[i], i))
    ...     return let("y", tanh(s))
    >>> jvp(layer, "x").gradient
    layer_rates(x[i], w[i], x_dot[i]) -> y, y_dot:
        s = Sum_{i}(w[i]*x[i])
        s_dot = Sum_{i}(w[i]*x_dot[i])
        y = tanh(s)
        y_dot = (1 - y**2)*s_dot
    """
    started = time.perf_counter()
    names = [of] if isinstance(of, str) else list(of or definition.outputs[:1])
    targets = [definition[n] for n in names]
    sources = chosen_sources(definition, wrt, targets[0])
    forward = definition.only(names)
    state = _Forward(forward, sources)
    equations = [made for group in groups(forward.equations) for made in state.group(group.equations)]
    for target in (t for t in targets if t.name not in state.rates):
        equations.append(equation(state.rate(target), sympy.S.Zero))  # it does not depend on what changes
    outputs = (*names, *(state.rates[n].name for n in names))
    inputs = (*definition.inputs, *(state.rates[s.name] for s in sources if s.name not in forward.by_name))
    gradient = Definition(f"{definition.name}_rates", tuple(equations), inputs, outputs).only(outputs)
    return Derivation(
        source=definition,
        of=targets[0].element(),
        wrt=tuple(names),
        via="forward",
        steps=tuple(state.steps),
        gradient=gradient,
        names={n: state.rates[n].name for n in names},
        cost=measure(gradient, time.perf_counter() - started),
    )


def hvp(definition: Definition, wrt: str | Iterable[str] | None = None) -> Derivation:
    """The Hessian of the target times a direction: the rate of change of the gradient.

    Args:
        definition: with a scalar target.
        wrt: as for `derive`; each `w` gets an input `w_dot`, the direction.

    Returns:
        A `Derivation` with via="forward"; `derivation["w_bar"]` is the tensor for the product, w_bar_dot.

    Raises:
        DefinitionError, KinkError: as for `derive`.

    >>> from symdl.core.define import define, Param, Sum, let
    >>> @define
    ... def cube(w=Param("i")):
    ...     (i,) = w.indices
    ...     return let("L", Sum(w[i] ** 3, i))
    >>> hvp(cube, "w").gradient.by_name["w_bar_dot"]
    w_bar_dot[i] = 6*w[i]*w_dot[i]
    """
    first = derive(definition, wrt)
    return jvp(first.gradient, first.wrt, of=list(first.names.values()))


class _Forward:
    """The rates made so far, and the steps that led to them."""

    def __init__(self, definition: Definition, sources: list[Tensor]) -> None:
        self.definition = definition
        self.active = active_names(definition, tuple(sources))
        self.names = set(definition.tensors)
        self.rates: dict[str, Tensor] = {}
        self.steps: list[Step] = []
        for tensor in sources:
            self.rate(tensor, Role.INPUT)

    def rate(self, tensor: Tensor, role: Role = Role.INTERMEDIATE) -> Tensor:
        if tensor.name not in self.rates:
            name = unused(f"{tensor.name}_dot", self.names)
            self.names.add(name)
            self.rates[tensor.name] = Tensor(name, tensor.indices, role, tangent_of=tensor.name)
        return self.rates[tensor.name]

    def group(self, equations: Iterable[Equation]) -> list[Equation]:
        """The equations of a group, and after them those for their rates."""
        listed = list(equations)
        made = [*listed]
        for eq in listed:
            if eq.name in self.active and eq.name not in self.rates:
                self.rate(eq.out)
        for eq in listed:
            if eq.name in self.active:
                made += self._pushed(eq)
        return made

    def _pushed(self, eq: Equation) -> list[Equation]:
        rate = self.rate(eq.out)
        sloped, used = sympy.S.Zero, dict[Tensor, None]()
        for term in eq.terms:
            for element in elements_in(term.body):
                if element.name not in self.rates or element.tensor.integer:
                    continue
                used[element.tensor] = None
                body = local_slope(eq, term, element) * self.rates[element.name][element.subscripts]
                sloped += reduction("sum", refreshed(body), term.bound)
        partial = sympy.Add(*[self._partial(eq, t) for t in used])
        self._step("F", rate, partial, sloped)
        value = collect(reuse(sloped, self.definition.equations))
        self._step("R5", rate, sloped, value)
        return flatten(rate, value, namer(self.names), "forward")

    def _partial(self, eq: Equation, tensor: Tensor) -> sympy.Expr:
        """Σ ∂lhs/∂x[k] ẋ[k] over all entries of x."""
        fresh = [i.fresh() for i in tensor.indices]
        at = dict(zip(tensor.indices, fresh, strict=True))
        by, rate = rename(tensor.element(), at), rename(self.rates[tensor.name].element(), at)
        return reduction("sum", Partial(eq.lhs, by) * rate, fresh)

    def _step(self, rule: str, rate: Tensor, before: sympy.Expr, after: sympy.Expr) -> None:
        if before != after:
            self.steps.append(Step(rule, rate.element(), before, after))
