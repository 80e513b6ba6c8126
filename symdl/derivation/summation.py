"""Σ of a product, with its δs, guards and subscripts as one system of linear equations between bound indices.

One rule decides every guard and δ. Each subscript that is not an index of its axis, and each guard, gets a bound index
of its own, tied to it by an equation: x[2u + r] is Σ_h x[h] δ(h, 2u + r), and [0 ≤ p − r < U] is Σ_u δ(u, p − r).
Then nothing is left but factors with plain indices, the range of each index, and equations, whichever index was
eliminated before. Two indices that the equations make one become one; an index that the free indices fix is put in
(with a guard where it can leave its range); one that nothing else needs, and whose range is certain, goes.

An element is read only where its subscripts are in range (a `Definition` is checked for that), so that a guard beside
the element that it protects says nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy

from symdl.core.deadlines import in_time
from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.derivation.affine import (
    ONE,
    Row,
    at_an_end,
    at_least_zero,
    circuits,
    cleared,
    content,
    digits,
    echelon,
    expr_of,
    inside,
    limits,
    minus,
    rank,
    row_of,
    solved,
)
from symdl.derivation.guards import Bounds, delta_of, guard_of, turned

#: The value of a subscript, with the extent of its axis.
Slot = tuple[frozenset[tuple[sympy.Expr, sympy.Expr]], sympy.Expr | None]


@dataclass
class System:
    """Σ over `bounds` of Π `atoms`, where every row is 0, times what is `outside`.

    `bounds` gives each index its extent, or None where it runs over all integers: then a row ties it to the others.
    """

    bounds: Bounds = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    atoms: list[sympy.Expr] = field(default_factory=list)
    outside: list[sympy.Expr] = field(default_factory=list)
    slots: dict[Slot, sympy.Dummy] = field(default_factory=dict)
    substituted: bool = False

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

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
        return self._slot(row, extent if read or gathered else None)

    def _part(self, row: Row) -> Row:
        """A row whose bound indices, where there are several, are one index for their sum."""
        mine = {k: c for k, c in row.items() if k in self.bounds}
        if len(mine) < 2:
            return row
        shared = content(mine)
        value = self._slot({k: sympy.cancel(c / shared) for k, c in mine.items()}, None)
        return {**{k: c for k, c in row.items() if k not in mine}, value: shared}

    # ── solving ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self) -> bool:
        """Apply the rule until nothing changes; False where the sum is 0."""
        self.rows += [{v: ONE} for v, extent in self.bounds.items() if extent == 1]
        while True:
            in_time()
            self._normal_rows()
            found = self._shortest()
            if any(self._impossible(c) for c in [*found, *self.rows]):
                return False
            if not (
                self._split(found)
                or self._same_gathers()
                or any(self._solve(c) for c in found)
                or self._loosened(found)
                or any(self._tightened(c) for c in found)
                or self._unused(found)
                or self._merged_digits()
                or self._faced(found)
            ):
                self.outside += [delta_of(r) for r in self.rows if not any(k in self.bounds for k in r)]
                self.rows = [r for r in self.rows if any(k in self.bounds for k in r)]
                self._move_out()
                return True

    def imply(self, ends: set[sympy.Dummy]) -> bool:
        """Find what the rows say together, and drop those indices of `ends` whose range is certain; False: never."""
        self.bounds = {**{v: self.bounds[v] for v in ends}, **self.bounds}
        while True:
            self._normal_rows()
            found = self._shortest()
            if any(self._impossible(c) for c in [*found, *self.rows]):
                return False
            if not (self._split(found) or self._unused(found, ends)):
                return True

    def _shortest(self) -> list[Row]:
        """What the rows say of the fewest bound indices, and of the fewest indices of either kind."""
        columns = self.columns()
        found = list(circuits(self.rows, columns))
        free = sorted({k for r in self.rows for k in r if k not in self.bounds and k != 1}, key=sympy.default_sort_key)
        if len(self.rows) > 1 and free:
            found += [r for r in circuits(self.rows, [*columns, *free]) if r not in found]
        return found

    def columns(self) -> list[sympy.Dummy]:
        return sorted(self.bounds, key=lambda v: self.bounds[v] is not None)

    def _normal_rows(self) -> None:
        done, rest = echelon(self.rows, self.columns())
        fixed = list({frozenset(r.items()): r for r in rest}.values())
        self.rows = [r for _, r in done] + fixed

    def _impossible(self, row: Row) -> bool:
        slopes = [c for k, c in row.items() if k != 1]
        constant = row.get(ONE, sympy.S.Zero)
        shared = sympy.igcd(0, 0, *slopes) if all(c.is_Integer for c in slopes) else 1
        if constant.is_Integer and (constant % shared if shared else constant) != 0:
            return True
        known = limits(row, self.bounds)
        return known is not None and (at_least_zero(known[0] - 1) or at_least_zero(-known[1] - 1))

    def _split(self, found: list[Row]) -> bool:
        for row in found:
            parts = digits(row, self.bounds) or at_an_end(row, self.bounds)
            if parts and rank([*self.rows, *parts]) > rank(self.rows):
                self.rows += parts
                return True
        return False

    def _same_gathers(self) -> bool:
        """δ(g, tok[n]) δ(h, tok[n]) makes g and h one."""
        seen: dict[sympy.Expr, sympy.Dummy] = {}
        for atom in self._gathers():
            value, gather = _gathered(atom)
            if not self.hangs(gather):
                self.atoms.remove(atom)
                self.rows.append({value: ONE, gather: -ONE})
                return True
            if gather in seen and seen[gather] != value:
                self.atoms.remove(atom)
                self.rows.append({value: ONE, seen[gather]: -ONE})
                return True
            seen[gather] = value
        return False

    def _gathers(self) -> list[Delta]:
        return [a for a in self.atoms if isinstance(a, Delta) and any(isinstance(x, Element) for x in a.args)]

    def _solve(self, row: Row) -> bool:
        mine = [k for k in row if k in self.bounds]
        units = [k for k in mine if row[k] in (1, -1)]
        if len(mine) == 1 and units:
            value, extent = solved(row, mine[0]), self.bounds[mine[0]]
            if extent is not None and not self._read_there(mine[0], value):
                self.outside.append(guard_of(value, extent))
            self._put_in(mine[0], value, row)
            return True
        if len(mine) != 2:
            return False
        free = [k for k in units if self.bounds[k] is None]
        if len(row) == 2 and row[mine[0]] == -row[mine[1]] and units:
            return self._merge(mine[0], mine[1], row)
        bounded = [k for k in mine if self.bounds[k] is not None]
        if free and bounded:
            self._put_in(free[0], solved(row, free[0]), row)
            return True
        return False

    def _read_there(self, index: sympy.Dummy, value: sympy.Expr) -> bool:
        """A gather subscripts the axis that it is put on: data are checked to stay within that."""
        return isinstance(value, Element) and any(
            s == index and axis.extent == self.bounds[index]
            for atom in self.atoms
            for e in atom.atoms(Element)
            for s, axis in zip(e.subscripts, e.tensor.indices, strict=True)
        )

    def _merge(self, a: sympy.Dummy, b: sympy.Dummy, row: Row) -> bool:
        """Two indices that are always equal: the one with the smaller range stays, where that is known."""
        for gone, kept in ((a, b), (b, a)):
            large, small = self.bounds[gone], self.bounds[kept]
            if large is None or (small is not None and at_least_zero(sympy.expand(large - small))):
                self._put_in(gone, kept, row)
                return True
        return False

    def _put_in(self, index: sympy.Dummy, value: sympy.Expr, row: Row) -> None:
        del self.bounds[index]
        self.rows = [r for r in (cleared(r, row, index) for r in self.rows) if r]
        touched = [a for a in self.atoms if index in a.free_symbols]
        self.atoms = [a.xreplace({index: value}) for a in self.atoms]
        self.substituted |= any(a.has(sympy.Add, sympy.Function, Reduction) for a in touched) or len(touched) > 1

    def _move_out(self) -> None:
        self.outside += [a for a in self.atoms if not self.hangs(a)]
        self.atoms = [a for a in self.atoms if self.hangs(a)]

    def _loosened(self, found: list[Row]) -> bool:
        """A range that the equations imply, of an index that no axis has for its own, is not stated."""
        read = {s for a in self.atoms for e in a.atoms(Element) for s in e.subscripts}
        sure: dict[sympy.Dummy, list[Row]] = {}
        for v, extent in self.bounds.items():
            if extent is not None and v not in read:
                by = [r for r in found if r.get(v) in (1, -1) and self._certain(r, v, extent)]
                if by:
                    sure[v] = by
        loose = [v for v, by in sure.items() if any(sure.keys().isdisjoint(set(r) - {v}) for r in by)]
        endless = [v for v, extent in self.bounds.items() if extent is None] + loose
        tied, _ = echelon(self.rows, endless)
        if len(tied) < len(endless) or any(row[v] not in (1, -1) for v, row in tied):
            return False
        self.bounds.update(dict.fromkeys(loose))
        return bool(loose)

    def _tightened(self, row: Row) -> bool:
        """h = 1 − b, with b below 2, is below 2 as well, whatever its axis."""
        mine = [k for k in row if k in self.bounds]
        if len(mine) != 2 or len(row) > 3 or set(row) - {ONE} != set(mine):
            return False
        for v in mine:
            extent = self.bounds[v]
            known = limits({k: -c * row[v] for k, c in row.items() if k != v}, self.bounds)
            if extent is None or row[v] not in (1, -1) or known is None or known[0] != 0:
                continue
            if extent != known[1] + 1 and at_least_zero(sympy.expand(extent - 1 - known[1])):
                self.bounds[v] = sympy.expand(known[1] + 1)
                return True
        return False

    # ── indices that nothing needs ───────────────────────────────────────────────────────────────────────────────────

    def _unused(self, found: list[Row], among: set[sympy.Dummy] | None = None) -> bool:
        for index, extent in list(self.bounds.items()):
            if among is not None and index not in among:
                continue
            holders = [a for a in self.atoms if index in a.free_symbols]
            mine = [r for r in found if index in r]
            if extent is None and not mine and len(holders) == 1 and holders[0] in self._gathers():
                self.atoms.remove(holders[0])  # Σ over all integers of δ(g, tok[n])
                del self.bounds[index]
                return True
            if holders:
                continue
            if not mine:
                assert extent is not None, "an index over all integers that nothing ties"
                self.outside.append(extent)
                del self.bounds[index]
                return True
            for row in mine:
                if row[index] in (1, -1) and (extent is None or self._certain(row, index, extent)):
                    self.rows = [r for r in (cleared(r, row, index) for r in self.rows) if r]
                    del self.bounds[index]
                    return True
        return False

    def _certain(self, row: Row, index: sympy.Dummy, extent: sympy.Expr) -> bool:
        rest = {k: -c * row[index] for k, c in row.items() if k != index}
        return inside(rest, extent, self.bounds) is True

    def _faced(self, found: list[Row]) -> bool:
        """[0 ≤ e < U] and [0 ≤ U − 1 − e < U] are one guard: an index that only stands for one faces one way."""
        used = {s for a in self.atoms for s in a.free_symbols}
        for v, extent in self.bounds.items():
            mine = [c for c in found if c.get(v) in (1, -1)]
            if v in used or extent is None or not mine:
                continue
            facing = [{k: -c * r[v] for k, c in r.items() if k != v} for r in mine]
            shortest = min(facing, key=lambda r: (len(r), sorted(map(str, r.values()))))
            if turned(shortest, extent) != shortest:
                self.rows = [self._turned_round(r, v, extent) for r in self.rows]
                return True
        return False

    def _turned_round(self, row: Row, v: sympy.Dummy, extent: sympy.Expr) -> Row:
        """The row with extent − 1 − v for v."""
        c = row.get(v, sympy.S.Zero)
        return minus(minus(row, {v: ONE}, 2 * c), {ONE: extent - 1}, -c) if c != 0 else row

    def _merged_digits(self) -> bool:
        """Σ_{c,w} δ(k, cW + w), with c and w nowhere else, is one sum over 0, …, CW − 1."""
        used = {s for a in self.atoms for s in a.free_symbols}
        for row in self.rows:
            lone = [k for k in row if k in self.bounds and k not in used and sum(k in r for r in self.rows) == 1]
            for low in lone:
                size = self.bounds[low]
                if size is None or row[low] not in (1, -1):
                    continue
                high = next((k for k in lone if k != low and sympy.expand(row[k] - row[low] * size) == 0), None)
                if high is not None and self.bounds[high] is not None:
                    self._merge_digits(row, low, high, sympy.expand(size * self.bounds[high]))
                    return True
        return False

    def _merge_digits(self, row: Row, low: sympy.Dummy, high: sympy.Dummy, extent: sympy.Expr) -> None:
        changed = {k: c for k, c in row.items() if k not in (low, high)}
        del self.bounds[low], self.bounds[high]
        changed[self.new(extent)] = row[low]
        self.rows = [changed if r is row else r for r in self.rows]


def _gathered(atom: Delta) -> tuple[sympy.Dummy, Element]:
    a, b = atom.args
    return (b, a) if isinstance(a, Element) else (a, b)
