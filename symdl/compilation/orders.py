"""Which axis of a program's own tensors stands last in memory, where windows slide over the others.

x[n, c, u + r, v + s] is read along rows of an image: short ones, cut anew for each r and s. With the samples n last,
x[c, u + r, v + s, n] is read along n, whose entries stand side by side whatever the window does; everything else that
is computed of such tensors (activations, pooling, their slopes) runs along n as well. Inputs and outputs stay as they
are for whoever calls; an input is copied once, where a window slides over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sympy

from symdl.compilation.extents import Axes, Key
from symdl.core.equations import Equation, Term
from symdl.core.indices import Index, indices_in
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Tensor, elements_in

#: The shortest axis that is worth standing last: numbers in a vector register.
FEWEST = 16


def samples_last(
    equations: Sequence[Equation], kept: Iterable[str], axes: Axes, size: Callable[[Index], int]
) -> list[Equation]:
    """The equations with the axis of samples last in every tensor that is neither an input nor one of the `kept` ones.

    That axis is one that a window leaves alone: n in Σ_{c,r,s} K[a,c,r,s] x[n,c,u+r,v+s]. Nothing changes where there
    is no window.
    """
    found = [i for eq in equations for term in eq.terms for i in _samples(eq, term)]
    key = next((axes.key(i) for i in found if size(i) >= FEWEST), None)
    return list(equations) if key is None else _in_order(equations, kept, axes, key, first=False)


def time_first(equations: Sequence[Equation], kept: Iterable[str], axes: Axes) -> list[Equation]:
    """The equations with the axis of time first in every tensor that is neither an input nor one of the `kept` ones.

    What a loop over time visits at once then stands side by side. With samples first, the rows of one time are T·J
    numbers apart, which is often a power of 2: they evict each other from the cache.
    """
    times = [group.index(eq) for group in groups(tuple(equations)) if group.direction for eq in group.equations]
    for key in dict.fromkeys(axes.key(i) for i in times):
        equations = _in_order(equations, kept, axes, key, first=True)
    return list(equations)


def _in_order(
    equations: Sequence[Equation], kept: Iterable[str], axes: Axes, key: Key, *, first: bool
) -> list[Equation]:
    """The equations with the axis of that length first or last in their tensors, but for those that are kept."""
    keep = set(kept)
    moved = {eq.name: made for eq in equations if eq.name not in keep and (made := _moved(eq.out, key, axes, first))}

    def turned(body: sympy.Expr) -> sympy.Expr:
        return body.xreplace({e: _element(e, moved) for e in elements_in(body) if e.name in moved})

    return [Equation(moved.get(eq.name, eq.out), eq.map(turned).terms, eq.note) for eq in equations]


def _samples(eq: Equation, term: Term) -> list[Index]:
    """The free indices of a sum of products that only subscript what a window slides over, by themselves."""
    elements = elements_in(term.body)
    if term.op != "sum" or len(elements) < 2 or any(i.sequential for i in (*eq.indices, *term.bound)):
        return []
    bound, found = set(term.bound), list[Index]()
    for element in elements:
        slides = any(not isinstance(s, Index) and {*indices_in(s)} & bound for s in element.subscripts)
        others = {i for e in elements if e != element for i in indices_in(e)}
        if slides:
            alone = [s for s in element.subscripts if isinstance(s, Index) and s in eq.indices and s not in others]
            found += [s for s in alone if sum(s in indices_in(p) for p in element.subscripts) == 1]
    return found


def _moved(tensor: Tensor, key: Key, axes: Axes, first: bool) -> Tensor | None:
    """The tensor with its axis of that length there; None where it has none, or more, or it is there already."""
    at = [i for i in tensor.indices if axes.key(i) == key]
    if len(at) != 1:
        return None
    rest = [i for i in tensor.indices if i != at[0]]
    order = (*at, *rest) if first else (*rest, *at)
    return None if order == tensor.indices else tensor.with_indices(order)


def _element(element: Element, moved: dict[str, Tensor]) -> Element:
    places = dict(zip(element.tensor.indices, element.subscripts, strict=True))
    tensor = moved[element.name]
    return tensor[tuple(places[i] for i in tensor.indices)]
