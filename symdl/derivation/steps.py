"""What a derivation is: re-checkable steps, each under a rule, ending in a gradient `Definition`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from symdl.core.definitions import Definition
from symdl.core.display import Displayed
from symdl.core.tensors import Element, Tensor
from symdl.core.unroll import elements, unroll
from symdl.derivation.inline import inline
from symdl.derivation.worked import UpdateRule, Worked, updated, work

Via = Literal["chain", "expand", "forward"]

#: The rules by their key, as DESIGN.md §4 numbers them, with the sentence that a reader is given.
RULES: dict[str, str] = {
    "D": "definition: the target and what it is made of",
    "E": "expand: every equation is put into the target",
    "E'": "differentiate the one expression",
    "R1": "local slope",
    "R2": "pullback: multiply by the local slope and sum over the indices that are bound here",
    "R3": "δ-elimination: a sum over δ picks one index",
    "R4": "maximum: the slope goes to the largest entry, by the policy for ties",
    "R4*": "the slope through the maximum cancels (proved), so no policy for ties is needed",
    "R5": "reuse: a forward value that is on hand",
    "R6": "facts about the data",
    "F": "pushforward: every slope times the rate of change of what it is a slope by, added up",
    "R7": "time: what is read at t − 1 sends its slope back from t + 1 (backpropagation through time)",
    "Z": "a sum that is zero by the definition of what it sums (proved)",
    "S": "simplify: put in what is known and collect",
}


class Partial(sympy.Expr):  # type: ignore[misc]
    """∂v/∂u of two elements, v by its own equation with everything else held: what stands before a slope is put in."""

    is_commutative = True
    is_real = True
    is_number = False

    @property
    def of(self) -> Element:
        of: Element = self.args[0]
        return of

    @property
    def by(self) -> Element:
        by: Element = self.args[1]
        return by

    def _sympystr(self, printer: Any) -> str:
        return f"∂{printer._print(self.of)}/∂{printer._print(self.by)}"


@dataclass(frozen=True)
class Step:
    """One rewriting: `before` equals `after`, by `rule`, given the equations that stand before it.

    Args:
        rule: a key of `RULES`.
        subject: what the line computes, such as w_bar[i].
        before, after: expressions over tensor elements; bound indices are in `Reduction` nodes.
        note: what a reader should know (the condition Σ_k y_k = 1, say).
    """

    rule: str
    subject: Element
    before: sympy.Expr
    after: sympy.Expr
    note: str = ""


@dataclass(frozen=True)
class Cost:
    """What a derivation cost and how large its result is.

    `operations` counts each elementary operation of the result once a mention, `operations_shared` after common
    subexpressions are shared; sums of symbolic extent count their body once.
    """

    operations: int
    operations_shared: int
    seconds: float


@dataclass(frozen=True)
class Derivation(Displayed):
    """The gradient of a definition's target, with the way to it.

    Args:
        source: the definition that was differentiated.
        of: the element that was differentiated (the target, with its free indices for a Jacobian).
        wrt: the names of the tensors it was differentiated by.
        via: "chain", "expand", or "forward" for rates of change along a direction.
        steps: in the order of reasoning.
        gradient: a `Definition` whose outputs are the target and the gradients.
        names: gradient output by parameter name, such as {"w": "w_bar"}.
        cost: of this derivation.
    """

    source: Definition
    of: Element
    wrt: tuple[str, ...]
    via: Via
    steps: tuple[Step, ...]
    gradient: Definition
    names: Mapping[str, str]
    cost: Cost

    def at(
        self, values: Mapping[str, Any] | None = None, *, update: UpdateRule | None = None, **extents: int
    ) -> Worked:
        """The derivation with numbers: symbols = substitution = value for every element, forward and back.

        Args:
            values: by tensor name, numbers or nested lists; what is not given stays a symbol.
            update: an optimiser (`sd.sgd(lr=0.04)`) whose first update of every parameter is added at the end.
            extents: by index name, as in `at(i=3)`; those that values tell need not be given.

        An expanded derivation is written out as the one expression that it is, and its derivatives.
        """
        given = dict(values or {})
        made = work(self.gradient, given, extents=extents, name=self.source.name)
        if self.via == "expand":
            whole = _whole_expressions(made.definition)
            made = work(made.definition, given, equations=whole, name=self.source.name)
        return made if update is None else updated(made, self.names, update)

    def __repr__(self) -> str:
        gradients = ", ".join(str(self[name].element()) for name in self.wrt)
        return f"Derivation of {self.source.name} by {self.via}, {len(self.steps)} steps: {gradients}"

    def __getitem__(self, name: str) -> Tensor:
        """The tensor that holds the gradient by the parameter `name`."""
        return self.gradient[self.names[name]]


def _whole_expressions(gradient: Definition) -> Iterator[tuple[Element, sympy.Expr]]:
    """Each output of an expanded gradient as one expression over the inputs, element by element."""
    for name in gradient.outputs:
        for element in elements(gradient[name]):
            yield element, unroll(inline(gradient, element))
