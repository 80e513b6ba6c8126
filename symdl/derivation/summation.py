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

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symdl.core.deadlines import in_time
from symdl.core.functions import Delta
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
    limits,
    only_end,
    rank,
    solved,
)
from symdl.derivation.ends import Ends
from symdl.derivation.guards import delta_of, guard_of
from symdl.derivation.reach import pinned, reach


@dataclass
class System(Ends):
    """A product under a sum, solved as far as one rule goes."""

    substituted: bool = False

    def settle(self) -> bool:
        """Apply the rule until nothing changes; False where the sum is 0."""
        self.rows += [{v: ONE} for v, extent in self.bounds.items() if extent == 1]
        while True:
            in_time()
            self._normal_rows()
            found, slacks = self._shortest(), self._slacks()
            places = reach(found, self.bounds)
            if places is None or any(self._impossible(c) for c in [*found, *self.rows]):
                return False
            if not (
                self._split(found)
                or self._more(pinned(places))
                or self._same_gathers()
                or any(self._solve(c) for c in found)
                or self._loosened(found)
                or any(self._narrowed(c) for c in found)
                or self._unused(found)
                or self._merged_digits()
                or self._implied(found, slacks)
                or self._tightened(found, slacks)
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
            if self._more(digits(row, self.bounds) or at_an_end(row, self.bounds) or only_end(row, self.bounds)):
                return True
        return False

    def _more(self, rows: Sequence[Row]) -> bool:
        """Take rows that follow, where they say what those there do not."""
        if rows and rank([*self.rows, *rows]) > rank(self.rows):
            self.rows += rows
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
