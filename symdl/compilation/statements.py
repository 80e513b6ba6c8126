"""Equations as statements: stores and accumulations over loops, and matrix products.

`out = P + Σ …` becomes `out = P` and `out += …`; a sum of products of two tensors becomes a `Contraction` where that
pays. Loop indices are fresh in every statement, so that fusing two of them can only identify, never capture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symdl.compilation.extents import Axes
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Tensor, elements_in


@dataclass(frozen=True)
class Statement:
    """`out op= body` for all values of the loops; op is "" for a plain store.

    Args:
        out: the element that is written; its subscripts are loop indices.
        body: a scalar over tensor elements.
        op: "", "sum", "max" or "prod".
        loops: outermost first.
        source: the equation it came from, for the reader.
    """

    out: Element
    body: sympy.Expr
    op: str
    loops: tuple[Index, ...]
    source: str

    @cached_property
    def reads(self) -> tuple[Element, ...]:
        """The elements that it needs, its own accumulator included."""
        own = (self.out,) if self.op else ()
        return (*elements_in(self.body), *own)

    def renamed(self, mapping: dict[Index, Index]) -> Statement:
        return replace(
            self,
            out=self.out.xreplace(mapping),
            body=self.body.xreplace(mapping),
            loops=tuple(mapping.get(i, i) for i in self.loops),
        )

    @property
    def guarded(self) -> bool:
        return bool(self.body.has(InRange, Delta))


@dataclass(frozen=True)
class Operand:
    """A tensor read as a matrix: `leading` axes flattened into rows, the others into columns, transposed or not.

    `at` subscripts the axes before those: the loops around the product that it depends on.
    """

    tensor: Tensor
    leading: int
    transposed: bool = False
    at: tuple[sympy.Expr, ...] = ()


@dataclass(frozen=True)
class Contraction:
    """`out[loops, M, N] = Σ_K left[…, M, K] · right[…, K, N]` for all loops; no N: a matrix times a vector.

    `loops`, `rows`, `columns` and `inner` are indices of the axes, for their extents.
    """

    out: Tensor
    left: Operand
    right: Operand
    rows: tuple[Index, ...]
    columns: tuple[Index, ...]
    inner: tuple[Index, ...]
    source: str
    loops: tuple[Index, ...] = ()

    @property
    def result(self) -> Operand:
        """Where it is written."""
        return Operand(self.out, len(self.rows), at=self.loops)


Unit = Statement | Contraction


def reads_of(unit: Unit) -> set[str]:
    """The names of the tensors that it reads."""
    if isinstance(unit, Contraction):
        return {unit.left.tensor.name, unit.right.tensor.name}
    return {e.name for e in unit.reads}


def statement(axes: Axes, out: Tensor, body: sympy.Expr, op: str, bound: Iterable[Index], source: str) -> Statement:
    """A statement with fresh loops in the order that memory likes best."""
    made = Statement(out.element(), body, op, loop_order(out.indices, tuple(bound), body), source)
    return made.renamed({i: axes.fresh(i) for i in made.loops})


def loop_order(free: tuple[Index, ...], bound: tuple[Index, ...], body: sympy.Expr) -> tuple[Index, ...]:
    """Innermost the index that is last in most accesses (writes count double), the others as in the largest access.

    Σ_n s[n,j] x[n,i] → j, n, i; Σ_k e[n,k] → n, k; Σ_n z[n,k] → n, k.
    """
    accesses = [free, free] if free else []
    accesses += [tuple(s for s in e.subscripts if isinstance(s, Index)) for e in elements_in(body)]
    every = list(dict.fromkeys((*free, *bound)))
    if len(every) < 2:
        return tuple(every)

    def strided(index: Index) -> int:
        return sum(index in a and a[-1] != index for a in accesses)

    contiguous = {i: sum(bool(a) and a[-1] == i for a in accesses) for i in every}
    innermost = max(every, key=lambda i: (-strided(i), contiguous[i], i in free))
    widest = max(accesses, key=lambda a: len(set(a)), default=())
    order = widest if set(widest) == set(every) else (*free, *widest, *every)
    return (*(i for i in dict.fromkeys(order) if i in every and i != innermost), innermost)


def pointwise_part(eq: Equation) -> sympy.Expr:
    return sympy.Add(*[t.body for t in eq.terms if not t.bound])


def reductions(eq: Equation) -> list[Term]:
    return [t for t in eq.terms if t.bound]


IDENTITY = {"sum": sympy.S.Zero, "prod": sympy.S.One, "max": sympy.S.NegativeInfinity}


def free_in(expr: sympy.Expr) -> frozenset[Index]:
    return frozenset(indices_in(expr))
