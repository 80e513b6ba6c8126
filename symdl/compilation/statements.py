"""Equations as statements: stores and accumulations over loops, and matrix products.

`out = P + Σ …` becomes `out = P` and `out += …`; a sum of products of two tensors becomes a `Contraction` where that
pays. Loop indices are fresh in every statement, so that fusing two of them can only identify, never capture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symdl.compilation.extents import Axes
from symdl.compilation.places import Part
from symdl.core.functions import Delta, InRange, Switch
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Tensor, elements_in


@dataclass(frozen=True)
class Statement:
    """`out op= body` for all values of the loops at which all guards hold; op is "" for a plain store.

    Args:
        out: the element that is written. A store has loop indices for subscripts; an accumulation may have a computed
            place, such as y[2·u + r] or y[tok[n]].
        body: a scalar over tensor elements.
        op: "", "sum", "max" or "prod".
        loops: outermost first.
        source: the equation it came from, for the reader.
        guards: conditions on indices. Where one does not hold, nothing is read or written.
    """

    out: Element
    body: sympy.Expr
    op: str
    loops: tuple[Index, ...]
    source: str
    guards: tuple[sympy.Expr, ...] = ()

    @cached_property
    def reads(self) -> tuple[Element, ...]:
        """The elements that it needs, its own accumulator and what computes its place included."""
        own = (self.out,) if self.op else ()
        places = (e for s in (*self.out.subscripts, *self.guards) for e in elements_in(s))
        return (*dict.fromkeys((*elements_in(self.body), *places)), *own)

    def renamed(self, mapping: dict[Index, Index]) -> Statement:
        return replace(
            self,
            out=self.out.xreplace(mapping),
            body=self.body.xreplace(mapping),
            loops=tuple(mapping.get(i, i) for i in self.loops),
            guards=tuple(g.xreplace(mapping) for g in self.guards),
        )

    @property
    def guarded(self) -> bool:
        return bool(self.body.has(InRange, Delta))

    @cached_property
    def pointwise(self) -> bool:
        """Whether it computes a function of each entry of whole arrays of one shape."""
        out = self.out.subscripts
        if self.op or self.guards or self.guarded or len(out) < 2 or set(out) != set(self.loops):
            return False
        same = all(e.subscripts in ((), out) for e in elements_in(self.body)) and not indices_in(
            self.body.xreplace(dict.fromkeys(elements_in(self.body), sympy.S.Zero))
        )
        return same and any(not isinstance(f, Switch) for f in self.body.atoms(sympy.Function))


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


@dataclass(frozen=True)
class Windowed:
    """`out = Σ left · right` for all loops, rows and columns, where operands are read at sums of indices.

    Args:
        out, left, right: elements; the right one is what a window slides over.
        loops: indices of the result around the product.
        row: an index of the result that the right operand does not have.
        columns: those of the result that the left one does not have; none where they are `run`.
        inner: what is summed over, `run` aside.
        run: indices along which entries stand side by side, in both operands or in the right one and the result: the
            lanes of vectors.
        guards: each says from where to where an inner index runs, for given loops.
        source: the equation it came from.
    """

    out: Element
    left: Element
    right: Element
    loops: tuple[Index, ...]
    row: Index
    columns: tuple[Index, ...]
    inner: tuple[Index, ...]
    run: tuple[Index, ...]
    guards: tuple[sympy.Expr, ...]
    source: str

    #: What a statement has as well: it stores all of the result.
    op = ""
    guarded = pointwise = False

    @property
    def body(self) -> sympy.Expr:
        return self.left * self.right

    @property
    def reads(self) -> tuple[Element, ...]:
        return (self.left, self.right)

    def renamed(self, mapping: dict[Index, Index]) -> Windowed:
        def changed(indices: tuple[Index, ...]) -> tuple[Index, ...]:
            return tuple(mapping.get(i, i) for i in indices)

        out, left, right = (e.xreplace(mapping) for e in (self.out, self.left, self.right))
        loops, columns, inner, run = (changed(i) for i in (self.loops, self.columns, self.inner, self.run))
        guards = tuple(g.xreplace(mapping) for g in self.guards)
        row = mapping.get(self.row, self.row)
        return Windowed(out, left, right, loops, row, columns, inner, run, guards, self.source)

    @property
    def across(self) -> bool:
        """Whether lanes are columns of the result."""
        return not self.columns

    @property
    def result(self) -> Element:
        """Where it is written."""
        return self.out

    @property
    def indices(self) -> tuple[Index, ...]:
        """All of them."""
        return (*self.loops, self.row, *self.columns, *self.inner, *self.run)


#: What is multiplied by a call.
Multiplied = Contraction | Windowed


@dataclass(frozen=True)
class Recurrence:
    """Statements that run together for each value of a time index, which all of them have on the left.

    Args:
        time: the index; the loops of the statements do not hold it.
        units: what runs at one time, in order.
        direction: +1 from the first time to the last, −1 from the last to the first.
    """

    time: Index
    units: tuple[Statement | Windowed, ...]
    direction: int


Unit = Statement | Multiplied | Recurrence


def reads_of(unit: Unit) -> set[str]:
    """The names of the tensors that it reads; of a recurrence, those that it does not write itself."""
    if isinstance(unit, Multiplied):
        return {unit.left.tensor.name, unit.right.tensor.name}
    if isinstance(unit, Recurrence):
        return {e.name for s in unit.units for e in s.reads} - writes_of(unit)
    return {e.name for e in unit.reads}


def writes_of(unit: Unit) -> set[str]:
    """The names of the tensors that it writes."""
    return {s.out.name for s in unit.units} if isinstance(unit, Recurrence) else {unit.out.name}


def statement(
    axes: Axes, out: Tensor, body: sympy.Expr, op: str, bound: Iterable[Index], source: str, at: Fixed | None = None
) -> Statement:
    """A statement at the tensor's own indices, with fresh loops in the order that memory likes best."""
    return placed(axes, out, Part(out.indices, body, op, out.indices, tuple(bound)), source, at)


#: Indices that are fixed from outside, such as time, and what stands for them there.
Fixed = Mapping[Index, Index]


def placed(axes: Axes, out: Tensor, part: Part, source: str, at: Fixed | None = None) -> Statement:
    """A statement for a part of an equation, with fresh loops in the order that memory likes best."""
    fixed = dict(at or {})
    free = tuple(i for i in part.free if i not in fixed)
    loops = loop_order(part.place, free, part.bound, part.body, axes.expected_size)
    made = Statement(out[part.place], part.body, part.op, loops, source, part.guards)
    return made.renamed({**{i: axes.fresh(i) for i in made.loops}, **fixed})


#: Steps along the last axis up to which neighbouring entries still share cache lines.
SHORT_STEP = 4
#: The length from which a loop pays to be vectorised.
LONG = 8


def loop_order(
    place: tuple[sympy.Expr, ...],
    free: tuple[Index, ...],
    bound: tuple[Index, ...],
    body: sympy.Expr,
    length: Callable[[Index], int] = lambda index: LONG,
) -> tuple[Index, ...]:
    """Innermost the index that runs along memory in most accesses (writes count double), the others as in the largest.

    Σ_n s[n,j] x[n,i] → j, n, i; Σ_k e[n,k] → n, k; Σ_n z[n,k] → n, k; Σ_{c,r} w[o,c,r] x[n,c,u+r] → n, o, c, r, u.
    An index that is too short to be vectorised (a kernel of 3) does not go innermost where another one could.
    """
    every = list(dict.fromkeys((*free, *bound)))
    if len(every) < 2:
        return tuple(every)
    accesses = [_Access.of(place)] * (2 if place else 0)
    accesses += [_Access.of(e.subscripts) for e in elements_in(body)]

    def rank(index: Index) -> tuple[bool, int, int, bool]:
        strided = sum(index in a.strided for a in accesses)
        windowed = strided == 0 and length(index) >= LONG
        return windowed, -strided, sum(index in a.contiguous for a in accesses), index in free

    innermost = max(every, key=rank)
    widest = max(accesses, key=lambda a: len(set(a.indices)), default=_Access())
    order = widest.indices if set(widest.indices) == set(every) else (*free, *widest.indices, *every)
    return (*(i for i in dict.fromkeys(order) if i in every and i != innermost), innermost)


@dataclass(frozen=True)
class _Access:
    """The indices of an access in the order of its axes; those that move along memory by one, and those by far."""

    indices: tuple[Index, ...] = ()
    contiguous: frozenset[Index] = frozenset()
    strided: frozenset[Index] = frozenset()

    @staticmethod
    def of(subscripts: tuple[sympy.Expr, ...]) -> _Access:
        found = tuple(i for s in subscripts for i in indices_in(s))
        if not found:
            return _Access()
        last = subscripts[-1]
        steps = {i: sympy.expand(last).coeff(i, 1) for i in indices_in(last) if not isinstance(last, Element)}
        outside = {i for s in subscripts[:-1] for i in indices_in(s)}
        near = {i for i, step in steps.items() if step.is_Integer and 0 < abs(step) <= SHORT_STEP} - outside
        return _Access(found, frozenset(i for i in near if abs(steps[i]) == 1), frozenset(set(found) - near))


IDENTITY = {"sum": sympy.S.Zero, "prod": sympy.S.One, "max": sympy.S.NegativeInfinity}


def free_in(expr: sympy.Expr) -> frozenset[Index]:
    return frozenset(indices_in(expr))
