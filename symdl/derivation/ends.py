"""The ends of guards and ranges: which others imply, and where they stand in the canonical form.

[0 ≤ e < U] is an index of extent U that only stands for the guard and is equal to e. Its range is left out where
everything else implies it, and an end is where what is implied begins, so that it does not matter how a guard was
written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy

from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.derivation.affine import ONE, Row, at_least_zero, cleared, echelon, expr_of, limits, minus, primitive
from symdl.derivation.inequalities import implied
from symdl.derivation.reach import reach, told
from symdl.derivation.reading import Reading
from symdl.derivation.slacks import equations, narrowed, replaced, shared_range, spare, stated, turned


@dataclass
class Ends(Reading):
    """A product under a sum, with rules about the ranges of its indices."""

    faced: set[sympy.Dummy] = field(default_factory=set)

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
        for v, values in equations(found, slacks).items():
            extent = self.bounds[v]
            assert extent is not None
            places = self._told_without(v, found)
            for value in values:
                others = replaced(self.rows, v, value)
                given = self._given(v, value, places)
                last = minus({ONE: extent - 1}, value)
                if implied(expr_of(value), given) and implied(expr_of(last), given):
                    del self.bounds[v]
                    self.rows = [primitive(r) for r in others]
                    return True
        return False

    def _without(self, index: sympy.Dummy) -> dict[sympy.Dummy, sympy.Expr | None]:
        return {v: extent for v, extent in self.bounds.items() if v != index}

    def _told_without(self, index: sympy.Dummy, found: list[Row]) -> set[sympy.Expr]:
        """What numbers say of the other indices, as expressions that are ≥ 0."""
        return told(reach([r for r in found if index not in r], self._without(index)) or {})

    def _given(self, index: sympy.Dummy, value: Row, places: set[sympy.Expr]) -> set[sympy.Expr]:
        """What everything but the range of an index says of its value, as expressions that are ≥ 0."""
        extent = self.bounds[index]
        assert extent is not None
        given = stated(replaced(self.rows, index, value), self._without(index), value, extent)
        unknowns = {s for e in given for s in e.free_symbols}
        return given | {e for e in places if e.free_symbols <= unknowns}

    def _tightened(self, found: list[Row], slacks: set[sympy.Dummy]) -> bool:
        """A guard with an end that everything else implies has that end as close as it is implied.

        [0 ≤ e < A] and [0 ≤ e < A + 2] are one where e < A − 1 follows from other guards.
        """
        for v, values in equations(found, slacks).items():
            extent = self.bounds[v]
            assert extent is not None
            low = high = 0
            places = self._told_without(v, found)
            for value in values:  # what follows of integers is seen in one way of writing and not in another
                e = expr_of(value)
                if not e.is_number:
                    given = self._given(v, value, places)
                    low, high = max(low, spare(e, given)), max(high, spare(extent - 1 - e, given))
            if low or high:
                del self.bounds[v]
                start: Row = {ONE: sympy.Integer(low)} if low else {}
                self.rows = replaced(self.rows, v, {self.new(sympy.expand(extent - low - high)): ONE, **start})
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

    def _slacks(self) -> set[sympy.Dummy]:
        """Indices that only stand for a guard."""
        used = self._used()
        return {v for v, extent in self.bounds.items() if extent is not None and v not in used}

    def _used(self) -> set[sympy.Basic]:
        return {s for a in self.atoms for s in a.free_symbols}

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
