"""Which indices label whole matrices, and which run along their rows and columns.

Y[n,t,d] is one matrix Y_n for every n, or one vector y_nt for every n and t. An index that labels is replaced by a
`Label` before a formula is recognised, so that only rows and columns are left as indices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations

import sympy

from symdl.core.equations import Equation
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction


class Label(sympy.Dummy):  # type: ignore[misc]
    """Stands for an index that labels matrices; made by `label_of`."""

    __slots__ = ("index",)
    index: Index


@lru_cache(maxsize=4096)
def label_of(index: Index) -> Label:
    """The label that stands for an index: the same one each time."""
    label: Label = Label(index.name, integer=True, nonnegative=True)
    label.index = index
    return label


def labelled(expr: sympy.Expr, indices: Iterable[Index]) -> sympy.Expr:
    """The expression with these indices as labels."""
    return expr.xreplace({i: label_of(i) for i in indices})


def unlabelled(expr: sympy.Expr) -> sympy.Expr:
    """The expression with indices again, as it is printed.

    >>> n = Index("n")
    >>> unlabelled(labelled(n + 1, [n])) == n + 1
    True
    """
    return expr.xreplace({a: a.index for a in expr.atoms(Label)})


def frames(eq: Equation) -> Iterator[tuple[Index, ...]]:
    """Sets of indices of the left side to take as labels, the best first, leaving at most a row and a column.

    What happens in time, or is read at one time, is written for one time and one example, s_nt = W x_nt + U h_{n,t−1};
    anything else with as few labels as can be.
    """
    indices = eq.indices
    in_time = any(i.sequential for i in indices)
    at_one_time = any(i.sequential for t in eq.uses for i in t.indices) and not eq.rhs.has(Reduction)
    if in_time or at_one_time:
        yield indices[:-1]
    many = in_time or any(t.rank > 2 for t in (eq.out, *eq.uses))
    for size in range(max(0, len(indices) - 2), len(indices) + 1 if many else 1):
        yield from combinations(indices, size)


def outer_sums(node: Reduction, row: Index | None, col: Index | None) -> Iterator[tuple[Index, ...]]:
    """Sets of bound indices to sum over outside of a product of matrices, the best first.

    As few as can be, Σ_r X_{u+r} K_rᵀ; in time all of them, Σ_nt s̄_nt x_ntᵀ.
    """
    bound = node.bound
    in_time = any(i.sequential for i in bound)
    elements = node.atoms(Element)
    if not in_time and all(e.tensor.rank <= 2 for e in elements):
        return
    sizes = range(1, len(bound) + (row is not None or col is not None))
    for size in reversed(sizes) if in_time else sizes:
        for outer in combinations(bound, size):
            if all(_axes(e, set(outer)) <= 2 for e in elements):
                yield outer


def _axes(element: Element, labels: set[Index]) -> int:
    """How many axes of an element stay rows or columns; more than two where an axis is neither that nor a label."""
    count = 0
    for subscript in element.subscripts:
        inside = set(indices_in(subscript)) - labels
        count += (1 if isinstance(subscript, Index) else 3) if inside else 0
    return count
