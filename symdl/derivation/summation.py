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

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy

from symdl.core.deadlines import in_time
from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Reduction
from symdl.derivation.affine import (
    ONE,
    Row,
    at_an_end,
    at_least_zero,
    circuits,
    cleared,
    digits,
    echelon,
    expr_of,
    limits,
    minus,
    primitive,
    rank,
    solved,
)
from symdl.derivation.guards import delta_of, guard_of
from symdl.derivation.inequalities import implied
from symdl.derivation.reading import Reading
from symdl.derivation.slacks import equations, narrowed, replaced, shared_range, stated, turned


@dataclass
class System(Reading):
    """A product under a sum, solved as far as one rule goes."""

    substituted: bool = False
    faced: set[sympy.Dummy] = field(default_factory=set)

    def settle(self) -> bool:
        """Apply the rule until nothing changes; False where the sum is 0."""
        self.rows += [{v: ONE} for v, extent in self.bounds.items() if extent == 1]
        while True:
            in_time()
            self._normal_rows()
            found, slacks = self._shortest(), self._slacks()
            if any(self._impossible(c) for c in [*found, *self.rows]):
                return False
            if not (
                self._split(found)
                or self._same_gathers()
                or any(self._solve(c) for c in found)
                or self._loosened(found)
                or any(self._narrowed(c) for c in found)
                or self._unused(found)
                or self._merged_digits()
                or self._implied(found, slacks)
                or self._met(found, slacks)
                or self._faced(found)
                or any(self._solve(c, last=True) for c in found)
            ):
                self.outside += [delta_of(r) for r in self.rows if not any(k in self.bounds for k in r)]
                self.rows = [r for r in self.rows if any(k in self.bounds for k in r)]
                self._widened()
                self._move_out()
                return True

    def imply(self, ends: set[sympy.Dummy]) -> list[sympy.Dummy] | None:
        """Find what the rows say together, and drop those indices of `ends` whose range is certain.

        Returns:
            The indices that stand for guards now; None where the guards never hold together.
        """
        self.bounds = {**{v: self.bounds[v] for v in ends}, **self.bounds}
        while True:
            self._normal_rows()
            found = self._shortest()
            if any(self._impossible(c) for c in [*found, *self.rows]):
                return None
            ends &= self.bounds.keys()
            if not (
                self._split(found) or self._unused(found, ends) or self._implied(found, ends) or self._met(found, ends)
            ):
                return [v for v in self.bounds if v in ends]

    def _shortest(self) -> list[Row]:
        """What the rows say of the fewest bound indices, and of the fewest indices of either kind."""
        columns = self.columns()
        found = list(circuits(self.rows, columns))
        free = sorted({k for r in self.rows for k in r if k not in self.bounds and k != 1}, key=sympy.default_sort_key)
        if len(self.rows) > 1 and free:
            found += [r for r in circuits(self.rows, [*columns, *free]) if r not in found]
        # of two ways to write an index, the one by bound indices comes first
        return sorted(found, key=lambda r: sum(k not in self.bounds and k != 1 for k in r))

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

    def _solve(self, row: Row, *, last: bool = False) -> bool:
        """An index that the row fixes is put in; what is only a guard of free indices stays for others until `last`."""
        mine = [k for k in row if k in self.bounds]
        units = [k for k in mine if row[k] in (1, -1)]
        if len(mine) == 1 and units:
            value, extent = solved(row, mine[0]), self.bounds[mine[0]]
            said = len(row) > 1 or (extent is not None and not extent.is_Integer)
            if not last and said and mine[0] not in self._used():
                return False
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
                sure[v] = list(self._certain([r for r in found if v in r], v, extent))
        sure = {v: by for v, by in sure.items() if by}
        loose = [v for v, by in sure.items() if any(sure.keys().isdisjoint(set(r) - {v}) for r in by)]
        endless = [v for v, extent in self.bounds.items() if extent is None] + loose
        tied, _ = echelon(self.rows, endless)
        if len(tied) < len(endless) or any(row[v] not in (1, -1) for v, row in tied):
            return False
        self.bounds.update(dict.fromkeys(loose))
        return bool(loose)

    def _narrowed(self, row: Row) -> bool:
        """An index whose range the others narrow has that range: h = 1 − b, with b below 2, is below 2 as well.

        One that only stands for a guard may start later, too: the end that the others imply is not stated.
        """
        used = self._used()
        for v in [k for k in row if k in self.bounds and row[k] in (1, -1)]:
            extent = self.bounds[v]
            rest = {k: -c * row[v] for k, c in row.items() if k != v}
            found = narrowed(rest, extent, self.bounds) if extent is not None else None
            if found is None or found[1] == extent or (v in used and found[0] != 0):
                continue
            low, size = found
            if v in used:
                self.bounds[v] = size
                return True
            del self.bounds[v]
            start: Row = {ONE: low} if low != 0 else {}
            self.rows = replaced(self.rows, v, start if size == 1 else {self.new(size): ONE, **start})
            return True
        return False

    def _widened(self) -> None:
        """An index that is read on an axis has that axis's range, where the equations say the rest.

        Which narrower ranges are found hangs on the equations at hand, this doesn't.
        """
        axes: dict[sympy.Basic, set[sympy.Expr]] = {}
        for e in (e for a in self.atoms for e in a.atoms(Element)):
            for s, axis in zip(e.subscripts, e.tensor.indices, strict=True):
                axes.setdefault(s, set()).add(axis.extent)
        for v in [v for v in axes if any(v in r for r in self.rows)]:
            extent, whole = self.bounds.get(v), axes[v]
            if extent is None or len(whole) != 1 or extent in whole or sympy.oo in whole:
                continue
            (size,) = whole
            if not at_least_zero(sympy.expand(size - extent)):
                continue
            wide = Index(v.name, size)  # a new one: v says of itself that it is below its extent
            rows = replaced(self.rows, v, {wide: ONE})
            if implied(extent - 1 - wide, stated(rows, {**self.bounds, wide: size}, {wide: ONE}, size)):
                self.bounds = {wide if k is v else k: size if k is v else n for k, n in self.bounds.items()}
                self.rows, self.atoms = rows, [a.xreplace({v: wide}) for a in self.atoms]

    def _implied(self, found: list[Row], slacks: set[sympy.Dummy]) -> bool:
        """A guard that everything else together implies goes."""
        for v, value in equations(found, slacks):
            extent = self.bounds[v]
            assert extent is not None
            others = replaced(self.rows, v, value)
            given = stated(others, {w: e for w, e in self.bounds.items() if w != v}, value, extent)
            last = minus({ONE: extent - 1}, value)
            if implied(expr_of(value), given) and implied(expr_of(last), given):
                del self.bounds[v]
                self.rows = [primitive(r) for r in others]
                return True
        return False

    def _met(self, found: list[Row], slacks: set[sympy.Dummy]) -> bool:
        """Two guards of one expression are one, where it is certain which of their ends counts."""
        for row in found:
            pair = [k for k in row if k in slacks]
            both = shared_range(row, pair[0], pair[1], self.bounds) if len(pair) == 2 else None
            if both is None:
                continue
            low, size = both
            made = self.new(size)
            slacks.add(made)
            start: Row = {ONE: low} if low != 0 else {}
            rows = [r for r in (cleared(r, row, pair[1]) for r in self.rows) if r]
            self.rows = replaced(rows, pair[0], {made: ONE, **start})
            for index in pair:
                del self.bounds[index]
                slacks.discard(index)
            return True
        return False

    def _slacks(self) -> set[sympy.Dummy]:
        """Indices that only stand for a guard."""
        used = self._used()
        return {v for v, extent in self.bounds.items() if extent is not None and v not in used}

    def _used(self) -> set[sympy.Basic]:
        return {s for a in self.atoms for s in a.free_symbols}

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
                if row[index] in (1, -1) and (extent is None or any(self._certain(mine, index, extent))):
                    self.rows = [r for r in (cleared(r, row, index) for r in self.rows) if r]
                    del self.bounds[index]
                    return True
        return False

    def _certain(self, rows: list[Row], index: sympy.Dummy, extent: sympy.Expr) -> Iterator[Row]:
        """Rows that together imply the range of an index: one that says it, or two that say an end each."""
        starts, ends = [], []
        for row in rows:
            if row[index] not in (1, -1):
                continue
            rest = {k: -c * row[index] for k, c in row.items() if k != index}
            known = limits(rest, self.bounds)
            starts += [row] if known and at_least_zero(known[0]) else []
            ends += [row] if known and at_least_zero(sympy.expand(extent - 1 - known[1])) else []
        both = [r for r in starts if r in ends]
        yield from both or ([{**starts[0], **ends[0]}] if starts and ends else [])

    def _faced(self, found: list[Row]) -> bool:
        """[0 ≤ e < U] and [0 ≤ U − 1 − e < U] are one guard: an index that only stands for one faces one way."""
        slacks = self._slacks()
        for v in slacks - self.faced:
            extent = self.bounds[v]
            mine = [r for r in found if v in r]
            alone = [r for r in mine if slacks.isdisjoint(set(r) - {v})]
            self.faced.add(v)
            if extent is not None and turned(v, extent, alone or mine, self.bounds):
                self.rows = replaced(self.rows, v, {ONE: extent - 1, v: -ONE})
                return True
        return False

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
