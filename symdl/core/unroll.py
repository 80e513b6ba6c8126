"""Written out: concrete extents, every sum as its summands, every element with numbers for subscripts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import sympy

from symdl.core.deadlines import in_time
from symdl.core.definitions import Definition
from symdl.core.functions import Switch
from symdl.core.indices import Index
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, Reduction, Tensor, rename
from symdl.errors import DefinitionError

#: More elements than this are not written out: nobody reads them, and SymPy is not a numerical library.
LARGEST = 200_000


def subscripts(indices: tuple[Index, ...]) -> Iterator[tuple[sympy.Integer, ...]]:
    """All subscripts of a tensor with these indices, the last one fastest.

    Raises:
        DefinitionError: an extent is not a number, or there are too many.
    """
    count = 1
    for index in indices:
        if not index.extent.is_Integer:
            raise DefinitionError(
                f"index {index.name} has the symbolic extent {index.extent}",
                why="only concrete extents can be written out",
                remedy=f"give a number: at({index.name}=3)",
            )
        count *= int(index.extent)
    if count > LARGEST:
        raise DefinitionError(f"{count} elements are too many to write out", remedy="choose smaller extents")
    return product(*[[sympy.Integer(v) for v in range(int(i.extent))] for i in indices])


def elements(tensor: Tensor) -> Iterator[Element]:
    """The elements of a tensor with concrete extents.

    >>> list(elements(Tensor("w", (Index("i", 3),))))
    [w[0], w[1], w[2]]
    """
    for where in subscripts(tensor.indices):
        yield tensor[where]


def unroll(expr: sympy.Expr) -> sympy.Expr:
    """Write every reduction out. All extents in it must be numbers.

    >>> from symdl.core.tensors import reduction
    >>> i = Index("i", 2); w = Tensor("w", (i,)); x = Tensor("x", (i,))
    >>> unroll(reduction("sum", w[i] * x[i], [i]))
    w[0]*x[0] + w[1]*x[1]
    """
    if not expr.has(Reduction):
        return expr
    in_time()
    if not isinstance(expr, Reduction):
        return expr.func(*[unroll(a) if isinstance(a, sympy.Expr) else a for a in expr.args])
    parts = [unroll(rename(expr.body, dict(zip(expr.bound, values, strict=True)))) for values in subscripts(expr.bound)]
    if expr.op == "max":
        largest, *rest = [p for p in parts if p != -sympy.oo] or parts[:1]  # what is masked out does not count
        for part in rest:
            largest = Switch(largest - part, part, largest, 1)
        return largest
    return (sympy.Add if expr.op == "sum" else sympy.Mul)(*parts)


def unrolled(definition: Definition) -> Iterator[tuple[Element, sympy.Expr]]:
    """The equations of a definition with concrete extents, one for each element, in evaluation order.

    >>> from symdl.core.define import Hyper, Input, define, in_range, let, state
    >>> @define(time="t")
    ... def decay(x=Input("t=2"), a=Hyper()):
    ...     (t,) = x.indices
    ...     h = state("h[t]")
    ...     s = let("s[t]", a * h[t - 1] * in_range(t - 1, 2))
    ...     return let("h[t]", x[t] + s[t])
    >>> [f"{lhs} = {rhs}" for lhs, rhs in unrolled(decay)]
    ['s[0] = 0', 'h[0] = s[0] + x[0]', 's[1] = a*h[0]', 'h[1] = s[1] + x[1]']
    """
    for group in groups(definition.equations):
        if not group.direction:
            (eq,) = group.equations
            for where in subscripts(eq.indices):
                yield eq.out[where], unroll(eq.at(where))
            continue
        for time in range(int(group.extent))[:: group.direction]:
            for eq in group.equations:
                axis = group.time[eq.name]
                for where in subscripts(eq.indices):
                    if where[axis] == time:
                        yield eq.out[where], unroll(eq.at(where))
