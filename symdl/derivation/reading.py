"""A product under a sum, read as linear equations between indices: see `symdl.derivation.summation`."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.derivation.affine import ONE, Row, content, expr_of, minus, row_of
from symdl.derivation.guards import Bounds, delta_of

#: The value of a subscript, with the extent of its axis.
Slot = tuple[frozenset[tuple[sympy.Expr, sympy.Expr]], sympy.Expr | None]


@dataclass
class Reading:
    """Σ over `bounds` of Π `atoms`, where every row is 0, times what is `outside`.

    `bounds` gives each index its extent, or None where it runs over all integers: then a row ties it to the others.
    """

    bounds: Bounds = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    atoms: list[sympy.Expr] = field(default_factory=list)
    outside: list[sympy.Expr] = field(default_factory=list)
    slots: dict[Slot, sympy.Dummy] = field(default_factory=dict)

    def add(self, factor: sympy.Expr) -> None:
        """Take a factor in: as a row, or as an atom whose subscripts are indices of their own."""
        guard = isinstance(factor, (Delta, InRange)) and self.bounds and not factor.atoms(Element)
        if not self.hangs(factor) and not guard:
            self.outside.append(factor)
            return
        row = None
        if isinstance(factor, Delta):
            row = row_of(factor.args[0] - factor.args[1])
        elif isinstance(factor, InRange):
            row = row_of(factor.args[0])
            if row is not None:
                row = minus(self._numbers(row), {self.new(factor.args[1]): ONE})
        if row is None:
            self.atoms.append(self._slotted(factor))
        else:
            self.rows.append(self._numbers(row))

    def hangs(self, expr: sympy.Expr) -> bool:
        return not self.bounds.keys().isdisjoint(expr.free_symbols)

    def new(self, extent: sympy.Expr | None) -> sympy.Dummy:
        made = sympy.Dummy("h", integer=True) if extent is None else Index("h", extent)
        self.bounds[made] = extent
        return made

    def _numbers(self, row: Row) -> Row:
        """Gathers in a row get an index for their value: δ(v, tok[n]) becomes δ(v, g) with a factor δ(g, tok[n])."""
        result = dict(row)
        for key in row:
            if isinstance(key, Element) and self.hangs(key):
                value = self._slot({key: ONE}, None)
                result = minus(result, {key: ONE, value: -ONE}, row[key])
        return result

    def _slot(self, row: Row, extent: sympy.Expr | None) -> sympy.Dummy:
        """The index that stands for the value of a row."""
        key = (frozenset(row.items()), extent)
        if key not in self.slots:
            self.slots[key] = made = self.new(extent)
            gather = next((k for k in row if isinstance(k, Element)), None)
            if len(row) == 1 and gather is not None and row[gather] == 1:
                self.atoms.append(Delta(made, self._slotted(gather), evaluate=False))
            else:
                self.rows.append({**row, made: -ONE})
        return self.slots[key]

    def _slotted(self, factor: sympy.Expr) -> sympy.Expr:
        read = not factor.has(InRange, Delta)
        return self._visit(factor, frozenset(), read)

    def _visit(self, node: sympy.Expr, inner: frozenset[sympy.Dummy], read: bool) -> sympy.Expr:
        if node.is_Atom or not self.hangs(node):
            return node
        if isinstance(node, Element):
            axes = node.tensor.indices
            placed = [self._subscript(s, a.extent, inner, read) for s, a in zip(node.subscripts, axes, strict=True)]
            return node.func(node.args[0], *placed)
        if isinstance(node, Reduction):
            body = self._visit(node.body, inner | frozenset(node.bound), read)
            return Reduction(node.args[0], body, *node.args[2:])
        if isinstance(node, Delta):
            row = row_of(node.args[0] - node.args[1])
            return node if row is None else delta_of(self._part(row))
        if isinstance(node, InRange):
            row = row_of(node.args[0])
            return node if row is None else InRange(expr_of(self._part(row)), node.args[1])
        return node.func(*[self._visit(a, inner, read) for a in node.args])

    def _subscript(self, e: sympy.Expr, extent: sympy.Expr, inner: frozenset[sympy.Dummy], read: bool) -> sympy.Expr:
        if e.is_Atom and (e not in self.bounds or self.bounds[e] == extent):
            return e
        row = row_of(e)
        if row is None or not self.hangs(e):
            return e
        if inner and not inner.isdisjoint(e.free_symbols):
            return expr_of(self._part(row))
        row = self._numbers(row)
        if len(row) == 1 and self.bounds.get(next(iter(row))) == extent and row[next(iter(row))] == 1:
            return next(iter(row))
        gathered = any(isinstance(k, Element) for k in row_of(e) or ())
        return self._slot(row, extent if (read or gathered) and extent != sympy.oo else None)

    def _part(self, row: Row) -> Row:
        """A row whose bound indices, where there are several, are one index for their sum."""
        mine = {k: c for k, c in row.items() if k in self.bounds}
        if len(mine) < 2:
            return row
        shared = content(mine)
        value = self._slot({k: sympy.cancel(c / shared) for k, c in mine.items()}, None)
        return {**{k: c for k, c in row.items() if k not in mine}, value: shared}
