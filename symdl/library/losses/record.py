"""What a loss is: one value for each entry or for each example, and how these values become one number.

>>> from symdl.core.define import Input
>>> squared = Loss("squared", {"t": Input("n"), "y": Input("n")}, lambda t, y: (t.element() - y.element()) ** 2)
>>> squared.definition()
squared(t[n], y[n]) -> L:
    L = Sum_{n}((t[n] - y[n])**2/N)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

import sympy

from symdl.core.builder import Declared
from symdl.core.define import Sum, let, mean
from symdl.core.definitions import Definition
from symdl.core.indices import Index
from symdl.core.tensors import Role, Tensor
from symdl.errors import DefinitionError
from symdl.library.activations import softmax
from symdl.library.entries import Entry, written
from symdl.library.naming import left

#: PyTorch's reductions; "batchmean" is the sum of an example's entries, then the mean over the examples.
REDUCTIONS = ("mean", "batchmean", "sum", "none")


def reduced(value: Any, indices: Sequence[Index], reduction: str = "mean", *, weight: Any = None) -> Tensor:
    """Write the loss L, of one value for each position of `indices`, the first of which counts the examples.

    Args:
        value: the expression of one value.
        indices: what its values are numbered by.
        reduction: "mean" divides by the number of values, or by the sum of their weights where they have some;
            "batchmean" by the number of examples; "sum" by nothing; "none" leaves L[n, …] as it is.
        weight: how much each value counts in a mean: it is divided by Σ weight.

    Raises:
        DefinitionError: an unknown reduction.
    """
    checked(reduction)
    if reduction == "none":
        return let(left("L", indices), value)
    if reduction == "mean" and weight is not None:
        total = let("Z", Sum(weight, *indices))
        return let("L", Sum(value / total, *indices))
    if reduction == "mean":
        return let("L", mean(value, *indices))
    count = indices[0].extent if reduction == "batchmean" else 1
    return let("L", Sum(value / count, *indices))


def checked(reduction: str) -> str:
    """The reduction, if there is one of that name.

    Raises:
        DefinitionError: there is none.
    """
    if reduction not in REDUCTIONS:
        raise DefinitionError(f"no reduction '{reduction}'", remedy=f"one of {', '.join(REDUCTIONS)}")
    return reduction


@dataclass(frozen=True, repr=False)
class Loss:
    """A loss with its options chosen: what a network ends in, and a definition of its own.

    Args:
        name: as in `sd.sequential(…, loss="huber")`.
        inputs: the target, the prediction, then what else it needs (class weights, say), by name.
        value: these tensors, by position → the value of one entry, or of one example if not `pointwise`; or that and
            its weight in a mean. It may write equations.
        pointwise: True where every entry of the prediction has a value of its own.
        reduction: one of `REDUCTIONS`.
        between_examples: True where the value of an example depends on other examples.
        probabilities: True where the prediction is the softmax of the last layer's sums.
        source: where the formula is from.
        kink: the decision at a kink, in words.
        careful: True where the loss by itself is compiled with twice the digits (see `symdl.compile`), since its value
            or slope is what is left of large numbers. A network that ends in it is not.
    """

    name: str
    inputs: Mapping[str, Declared]
    value: Callable[..., Any]
    pointwise: bool = True
    reduction: str = "mean"
    between_examples: bool = False
    probabilities: bool = False
    source: str = ""
    kink: str = ""
    careful: bool = False

    @property
    def target(self) -> Declared:
        """How the target is declared."""
        return next(iter(self.inputs.values()))

    @property
    def prediction(self) -> Declared:
        """How the prediction is declared."""
        return list(self.inputs.values())[1]

    @property
    def extra(self) -> Mapping[str, Declared]:
        """What it needs beside the target and the prediction."""
        return dict(list(self.inputs.items())[2:])

    def __repr__(self) -> str:
        return str(self.definition())

    def write(self, *tensors: Tensor, reduction: str = "") -> Tensor:
        """Write the equations of the loss into the definition that is being written, and return L.

        Args:
            tensors: as `inputs` names them, the prediction being probabilities where the loss is of such.
            reduction: in place of the loss's own.
        """
        made = self.value(*tensors)
        value, weight = made if isinstance(made, tuple) else (made, None)
        if isinstance(value, str) or not isinstance(sympy.sympify(value), sympy.Expr):
            raise DefinitionError(f"loss {self.name} gives a {type(value).__name__}", remedy="return an expression")
        indices = tensors[1].indices if self.pointwise else tensors[0].indices[:1]
        return reduced(value, indices, reduction or self.reduction, weight=weight)

    def entries(self) -> Definition:
        """The loss by itself, one value for each entry or example."""
        return replace(self, reduction="none").definition()

    def definition(self) -> Definition:
        """The loss by itself: its inputs, and the target L; of scores z where its prediction is a softmax."""
        return replace(self._definition(), careful=self.careful)

    def _definition(self) -> Definition:
        inputs = dict(self.inputs)
        if not self.probabilities:
            return _used(written(self.name, inputs, self.write))
        target, prediction, *rest = inputs
        scores = replace(inputs[prediction], facts=frozenset())  # probabilities are positive, scores need not be
        declared = {"z": scores, target: inputs[target], **{name: inputs[name] for name in rest}}

        def body(z: Tensor, y: Tensor, *others: Tensor) -> Tensor:
            n, k = z.indices
            p = let(left(prediction, (n, k)), softmax(z[n, k], k))
            return self.write(y, p, *others)

        return _used(written(self.name, declared, body))


def _used(definition: Definition) -> Definition:
    """The definition without hyperparameters that its options have left without use."""
    used = {t.name for e in definition.equations for t in e.uses}
    inputs = tuple(t for t in definition.inputs if t.name in used or t.role is not Role.HYPERPARAMETER)
    return Definition(definition.name, definition.equations, inputs, definition.outputs)


@dataclass(frozen=True)
class Family:
    """A loss of the library before its options are chosen.

    Args:
        name: of the loss and of its entry.
        summary: one line.
        make: options → the loss; a number that is None stays a hyperparameter of its name.
        usual: numbers that a network takes where none are given.
    """

    name: str
    summary: str
    make: Callable[..., Loss]
    usual: Mapping[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """The loss by itself as an entry of the library."""
        return Entry(self.name, "loss", self.summary, self._definition())

    def _definition(self) -> Callable[..., Definition]:
        @wraps(self.make)
        def make(**options: Any) -> Definition:
            return self.make(**options).definition()

        return make

    def chosen(self, **options: Any) -> Loss:
        """The loss with these options, and with what is usual for the others.

        Raises:
            DefinitionError: an unknown option.
        """
        self.entry.refuse_unknown(options, f"sd.loss('{self.name}')")
        return self.make(**{**self.usual, **options})
