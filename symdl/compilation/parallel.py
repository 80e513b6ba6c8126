"""What of a plan many threads can do at once: an index that an accumulation or a store has for a subscript is theirs.

A statement writes another element for each value of such an index, so its values may be taken by different threads in
any order. What an element adds up stays with one thread (or with a team that adds up its parts), so nothing depends on
which thread comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from symdl.compilation.statements import Recurrence, Statement, Unit
from symdl.core.indices import Index


def owned(statement: Statement) -> tuple[Index, ...]:
    """The loops whose values write different elements, in the order of the axes.

    >>> from symdl.core.tensors import Tensor
    >>> n, j = Index("n", 4), Index("j", 3)
    >>> s, x = Tensor("s", (n,)), Tensor("x", (n, j))
    >>> owned(Statement(s[n], x[n, j], "sum", (n, j), ""))
    (n,)
    """
    return tuple(i for i in statement.out.subscripts if isinstance(i, Index) and i in statement.loops)


def spread(units: Iterable[Unit], length: Callable[[Index], int]) -> list[Unit]:
    """The units with the loops that threads share outermost, and within them the longest first."""
    return [_spread(unit, length) for unit in units]


def _spread(unit: Unit, length: Callable[[Index], int]) -> Unit:
    if isinstance(unit, Recurrence):
        return replace(unit, units=tuple(_ordered(s, length) if isinstance(s, Statement) else s for s in unit.units))
    return _ordered(unit, length) if isinstance(unit, Statement) else unit


def _ordered(statement: Statement, length: Callable[[Index], int]) -> Statement:
    outer = owned(statement)
    inner = sorted((i for i in statement.loops if i not in outer), key=lambda i: -length(i))
    return replace(statement, loops=(*outer, *inner))


def may_join(unit: Statement, depth: int, first: Statement) -> bool:
    """Whether a statement that could share `depth` loops with a nest may do so: the same threads do both.

    Joined within fewer loops, what many threads could do would be left to few.
    """
    plain = all(isinstance(i, Index) for s in (unit, first) for i in s.out.subscripts)
    return plain and len(owned(unit)) == len(owned(first)) <= depth
