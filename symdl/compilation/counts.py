"""What a plan costs, counted from its loops: operations, numbers kept, numbers moved.

It is how a derived gradient is compared with one that was written by hand: both are definitions, both are planned by
the same rules, and both are counted here, not timed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from symdl.compilation.extents import Key, sizes_from_names
from symdl.compilation.fusion import Item, Loop
from symdl.compilation.plan import Plan, make_plan
from symdl.compilation.statements import Contraction, Multiplied, Operand, Statement
from symdl.compilation.targets.blocks import computed
from symdl.core.definitions import Definition
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, elements_in
from symdl.derivation.stable import stabilise
from symdl.errors import DefinitionError


@dataclass(frozen=True)
class PlanCost:
    """The cost of a plan at concrete extents.

    Args:
        operations: additions, multiplications, divisions, comparisons and calls of functions, each counted as one; a
            sign is none. A matrix product counts 2·M·N·K.
        memory: numbers held at the same time in work space and outputs; inputs are not counted.
        traffic: numbers read from and written to arrays by the loops and products, caches aside.
    """

    operations: int
    memory: int
    traffic: int


def plan_cost(definition: Definition, **extents: int) -> PlanCost:
    """Count what the compiled form of a definition does at the given extents, without compiling it.

    Args:
        definition: forward equations, or a gradient.
        extents: length by index name, for every symbolic extent.

    Raises:
        DefinitionError: an extent that is missing, unknown or not positive.
        UnsupportedError: an equation that no target compiles.

    >>> from symdl.core.define import define, Input, Param, Sum, let
    >>> @define
    ... def layer(x=Input("n i"), W=Param("j i"), b=Param("j")):
    ...     n, i = x.indices
    ...     j, _ = W.indices
    ...     return let("s[n,j]", Sum(W[j, i] * x[n, i], i) + b[j])
    >>> plan_cost(layer, n=10, i=20, j=30)
    PlanCost(operations=12300, memory=300, traffic=2000)
    """
    plan = make_plan(stabilise(definition), extents, windows=True)  # as for processors whose vectors are known
    return PlanCost(operations(plan, extents), memory(plan, extents), traffic(plan, extents))


def operations(plan: Plan, extents: Mapping[str, int]) -> int:
    """Scalar operations of a plan.

    A block of statements shares its common subexpressions, and what an inner loop does not change is counted once
    outside of it, as the compiler does it.
    """
    return _Counter(plan, extents).operations()


def memory(plan: Plan, extents: Mapping[str, int]) -> int:
    """Numbers in the work space, where tensors that never live at the same time share a slot, and in the outputs."""
    lengths = _Lengths(plan, extents)
    slots: dict[int, int] = {}
    kept = 0
    for buffer in plan.buffers:
        if buffer.kind == "output":
            kept += lengths.product(buffer.tensor.indices)
        elif buffer.slot is not None:
            slots[buffer.slot] = max(slots.get(buffer.slot, 0), lengths.product(buffer.tensor.indices))
    return kept + sum(slots.values())


def traffic(plan: Plan, extents: Mapping[str, int]) -> int:
    """Numbers read and written by loops and products; local variables and repeated reads of one block are free."""
    return _Counter(plan, extents).traffic()


class _Lengths:
    """Extents of axes as numbers."""

    def __init__(self, plan: Plan, extents: Mapping[str, int]) -> None:
        self.plan = plan
        self.sizes: dict[Key, int] = sizes_from_names(plan.axes, extents)
        self.symbols = {k: sympy.Integer(v) for k, v in self.sizes.items() if not isinstance(k, Index)}

    def __call__(self, index: Index) -> int:
        key = self.plan.axes.key(index)
        if isinstance(key, Index):
            return int(key.extent)
        size = self.sizes.get(key) or key.xreplace(self.symbols)
        if not getattr(size, "is_Integer", True):
            raise DefinitionError(
                f"index {index.name} has no length",
                where=f"plan_cost of {self.plan.definition.name}",
                why=f"its extent {key} is not known",
                remedy=f"give {index.name}=…",
            )
        return int(size)

    def product(self, indices: Iterable[Index]) -> int:
        return math.prod(self(i) for i in indices)


class _Counter:
    """Walks the loops of a plan; both counts are sums over blocks, weighted by the loops around."""

    def __init__(self, plan: Plan, extents: Mapping[str, int]) -> None:
        self.plan, self.lengths = plan, _Lengths(plan, extents)
        self.local = {b.name for b in plan.buffers if b.kind == "scalar"}
        self.reads = Counter(e.name for _, run in self._blocks() for s in run for e in s.reads)
        self.reads.update(o.tensor.name for _, c in self._products() for o in (c.left, c.right))

    def operations(self) -> int:
        return sum(self._total(around, *_block_depths(run, around)) for around, run in self._blocks()) + sum(
            2 * self.lengths.product((*around, *_indices(c))) for around, c in self._products()
        )

    def traffic(self) -> int:
        return sum(self._total(around, *self._moved(run, around)) for around, run in self._blocks()) + sum(
            self.lengths.product((*around, *(c.loops if isinstance(c, Contraction) else ())))
            * sum(self._numbers(o) for o in (c.left, c.right, c.result))
            for around, c in self._products()
        )

    def _numbers(self, operand: Operand | Element) -> int:
        if isinstance(operand, Element):
            return self.lengths.product(operand.tensor.indices)
        return self.lengths.product(operand.tensor.indices[len(operand.at) :])

    def _total(self, around: tuple[Index, ...], *depths: int) -> int:
        return sum(self.lengths.product(around[:depth]) for depth in depths)

    def _moved(self, run: tuple[Statement, ...], around: tuple[Index, ...]) -> list[int]:
        """The depth of every distinct array element that a block reads or writes."""
        read: dict[Element, None] = {}
        written: dict[Element, None] = {}
        for statement in run:
            read.update(dict.fromkeys(e for e in statement.reads if e not in written))
            written[statement.out] = None
        kept = [e for e in written if self._needed_outside(e.name, run)]
        arrays = [e for e in (*read, *kept) if e.tensor.rank and e.name not in self.local]
        return [_depth(indices_in(e), around) for e in arrays]

    def _needed_outside(self, name: str, run: tuple[Statement, ...]) -> bool:
        inside = sum(e.name == name for s in run for e in s.reads)
        return name in self.plan.definition.outputs or self.reads[name] > inside

    def _blocks(self) -> list[tuple[tuple[Index, ...], tuple[Statement, ...]]]:
        """Statements that run one after the other, with the loops around them."""
        return [(around, node) for around, node in _parts(self.plan.items, ()) if isinstance(node, tuple)]

    def _products(self) -> list[tuple[tuple[Index, ...], Multiplied]]:
        return [(around, node) for around, node in _parts(self.plan.items, ()) if isinstance(node, Multiplied)]


def _indices(product: Multiplied) -> tuple[Index, ...]:
    if isinstance(product, Contraction):
        return (*product.loops, *product.rows, *product.columns, *product.inner)
    return product.indices


Part = tuple[tuple[Index, ...], "tuple[Statement, ...] | Multiplied"]


def _parts(items: tuple[Item, ...], around: tuple[Index, ...]) -> list[Part]:
    found: list[Part] = []
    run: list[Statement] = []
    for item in (*items, None):
        if isinstance(item, Statement):
            run.append(item)
            continue
        if run:
            found.append((around, tuple(run)))
            run = []
        if isinstance(item, Loop):
            found += _parts(item.children, (*around, item.index))
        elif item is not None:
            found.append((around, item))
    return found


def _depth(indices: Iterable[Index], around: tuple[Index, ...]) -> int:
    """How many of the loops a value stands in that depends on these indices."""
    return max((around.index(i) + 1 for i in indices if i in around), default=0)


def _block_depths(run: tuple[Statement, ...], around: tuple[Index, ...]) -> list[int]:
    """The depth of every operation of a block, shared ones once."""
    bodies = [computed(s.body) for s in run]
    elements = {e: sympy.Dummy(e.name, real=True) for body in bodies for e in elements_in(body)}
    shared, reduced = sympy.cse([b.xreplace(elements) for b in bodies], order="none")
    counter = _Depths({s: _depth(indices_in(e), around) for e, s in elements.items()}, around)
    for symbol, value in shared:
        counter.known[symbol] = counter.visit(value)
    for value in reduced:
        counter.visit(value)
    return counter.found + [len(around) for s in run if s.op]


class _Depths:
    """Finds the depth of each operation of an expression; factors and summands of outer loops are joined first."""

    def __init__(self, known: dict[sympy.Symbol, int], around: tuple[Index, ...]) -> None:
        self.known, self.around = known, around
        self.found: list[int] = []

    def visit(self, expr: sympy.Expr) -> int:
        """The depth of a value; the depths of its operations are noted."""
        if isinstance(expr, Index):
            return _depth([expr], self.around)
        if expr.is_Atom or isinstance(expr, Delta | InRange):
            return self.known.get(expr, _depth(indices_in(expr), self.around))
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow and expr.base != sympy.E:
            return self._power(expr.base, expr.exp)
        depths = [self.visit(a) for a in expr.args]
        if expr.is_Add:
            return self._joined(depths)
        self.found.append(max(depths, default=0))
        return max(depths, default=0)

    def _joined(self, depths: list[int]) -> int:
        self.found += sorted(depths)[1:]
        return max(depths)

    def _product(self, expr: sympy.Expr) -> int:
        """One operation for each factor after the first: a division is one, a sign is none."""
        factors = [f for f in expr.args if f != -1]
        below = [f for f in factors if f.is_Pow and f.exp.is_number and f.exp.is_negative]
        above = [self.visit(f) for f in factors if f not in below]
        divisors = [self._power(f.base, -f.exp) for f in below]
        return self._joined([*(above or [0]), *divisors])

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> int:
        """Powers by squaring, a root as one call, any other power as one call."""
        depth = self.visit(base)
        if not exponent.is_number:
            depth = max(depth, self.visit(exponent))
            count = 1
        else:
            whole, half = int(abs(exponent) // 1), abs(exponent) % 1 == sympy.S.Half
            if half or exponent.is_Integer:
                multiplied = whole.bit_length() + whole.bit_count() - 2 if whole else 0
                count = multiplied + (1 + bool(whole) if half else 0) + bool(exponent.is_negative)
            else:
                count = 1
        self.found += [depth] * count
        return depth
