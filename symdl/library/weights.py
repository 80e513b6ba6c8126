"""What a definition does with its parameters: which are weights, and how many numbers each of their sums adds up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Term
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, elements_in


@dataclass(frozen=True)
class Use:
    """What a definition does with a parameter.

    Args:
        summed: the axes that it sums over; none: a bias or a gain.
        windows: those of them that shift another subscript, x[n,c,u + r]: the taps of a kernel.
        multiplies: whether it multiplies anything.
    """

    summed: frozenset[int]
    windows: frozenset[int]
    multiplies: bool

    def fans(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """How many entries of the parameter a sum adds up, and in how many sums an input stands (strides aside)."""
        fan_in = math.prod(shape[a] for a in self.summed)
        fan_out = math.prod(s for a, s in enumerate(shape) if a not in self.summed or a in self.windows)
        return fan_in, fan_out


def use_of(definition: Definition, tensor: Tensor) -> Use:
    """What a definition does with one of its parameters.

    >>> from symdl.core.define import Input, Param, Sum, define, let
    >>> @define
    ... def layer(x=Input("n i"), W=Param("j i"), b=Param("j")):
    ...     (n, i), (j, _) = x.indices, W.indices
    ...     return let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
    >>> use_of(layer, layer["W"])
    Use(summed=frozenset({1}), windows=frozenset(), multiplies=True)
    >>> use_of(layer, layer["b"]).multiplies, use_of(layer, layer["W"]).fans((5, 3))
    (False, (3, 5))
    """
    summed: set[int] = set()
    windows: set[int] = set()
    multiplies = gathered = False
    for element, term in _places(definition, tensor):
        gathered |= any(s.atoms(Element) for s in element.subscripts)
        if term.op == "sum":
            shifting = _shifting(term)
            for axis, subscript in enumerate(element.subscripts):
                bound = subscript.free_symbols & set(term.bound)
                summed |= {axis} if bound else set()
                windows |= {axis} if bound & shifting else set()
        multiplies |= any(_scales(element, part) for part in sympy.Add.make_args(term.body))
    if gathered and not summed:
        summed = {tensor.rank - 1}
    return Use(frozenset(summed), frozenset(windows), multiplies)


def weights(definition: Definition) -> tuple[Tensor, ...]:
    """The parameters that are summed over: no biases, no gains."""
    return tuple(p for p in definition.parameters if use_of(definition, p).summed)


def _places(definition: Definition, tensor: Tensor) -> Iterator[tuple[Element, Term]]:
    for eq in definition.equations:
        for term in eq.terms:
            yield from ((e, term) for e in elements_in(term.body) if e.name == tensor.name)


def _shifting(term: Term) -> set[Index]:
    """Bound indices that stand beside another index in a subscript, or in an index map."""
    places = [s for e in elements_in(term.body) for s in e.subscripts]
    places += [a for d in term.body.atoms(Delta) for a in d.args]
    found: set[Index] = set()
    for place in places:
        indices = place.atoms(Index)
        if len(indices) > 1:
            found |= indices & set(term.bound)
    return found


def _scales(element: Element, part: sympy.Expr) -> bool:
    """Whether a summand is the element times something that is computed or given."""
    return bool(part.is_Mul) and element in part.args and bool((part / element).atoms(Element))
