"""Which integers the equations leave to each index, as far as numbers say it.

A row Σ c·v + c₀ = 0 bounds each of its indices by the others, rounded to integers: 2 a + h = 3 with h ≥ 0 says a ≤ 1.
Where all indices of a row have few places, its solutions are tried: 3 a + 3 b = 2 c + 2 with a, b ≤ 1 says c = 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

import sympy

from symdl.core.indices import Index
from symdl.derivation.affine import ONE, Row, minus

#: So many places of the indices of one row are tried.
MOST_TRIED = 200

#: Bounds that are still moving after so many rounds move without end: there is no solution, or none that numbers tell.
_ROUNDS = 12


@dataclass(frozen=True)
class Range:
    """The integers from `low` to `high`; None: without an end."""

    low: int | None = None
    high: int | None = None

    @property
    def empty(self) -> bool:
        return self.low is not None and self.high is not None and self.low > self.high

    def within(self, other: Range) -> Range:
        low = self.low if other.low is None else other.low if self.low is None else max(self.low, other.low)
        high = self.high if other.high is None else other.high if self.high is None else min(self.high, other.high)
        return Range(low, high)

    def times(self, c: int) -> Range:
        low, high = (None if end is None else c * end for end in (self.low, self.high))
        return Range(low, high) if c > 0 else Range(high, low)

    def plus(self, other: Range) -> Range:
        ends = ((self.low, other.low), (self.high, other.high))
        low, high = (None if a is None or b is None else a + b for a, b in ends)
        return Range(low, high)

    def over(self, c: int) -> Range:
        """The integers v with c v in here, for c > 0."""
        low = None if self.low is None else -(-self.low // c)
        return Range(low, None if self.high is None else self.high // c)


Reach = Mapping[sympy.Expr, Range]


def reach(rows: Iterable[Row], extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> dict[sympy.Expr, Range] | None:
    """The range of every index by numbers; None where there is no solution. `extents` overrides those of indices.

    >>> a, h, w = Index("a"), Index("h"), Index("w")
    >>> found = reach([{a: 2 * ONE, h: ONE, ONE: -3 * ONE}, {w: ONE, a: -ONE, ONE: ONE}], {})
    >>> found[a], found[h]
    (Range(low=1, high=1), Range(low=1, high=1))
    >>> reach([{a: 3 * ONE, h: 5 * ONE, ONE: -ONE}], {}) is None
    True
    """
    whole = [{k: int(c) for k, c in row.items()} for row in rows if all(c.is_Integer for c in row.values())]
    known = {k: _start(k, extents) for row in whole for k in row if k != 1}
    for _ in range(_ROUNDS):
        before = dict(known)
        for row in whole:
            for key, range_ in (*_by_others(row, known), *_tried(row, known)):
                known[key] = known[key].within(range_)
                if known[key].empty:
                    return None
        if known == before:
            break
    return known


def pinned(found: Reach) -> list[Row]:
    """What has one place left is there."""
    ends = ((k, r.low) for k, r in found.items() if r.low is not None and r.low == r.high)
    return [minus({k: ONE}, {ONE: sympy.Integer(place)}) if place else {k: ONE} for k, place in ends]


def told(found: Reach) -> set[sympy.Expr]:
    """The ends as expressions that are ≥ 0."""
    low = {k - r.low for k, r in found.items() if r.low is not None}
    return low | {r.high - k for k, r in found.items() if r.high is not None}


def _start(key: sympy.Expr, extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> Range:
    if not isinstance(key, sympy.Dummy):
        return Range(1) if key.is_positive else Range(0) if key.is_nonnegative else Range()
    extent = extents[key] if key in extents else key.extent if isinstance(key, Index) else None
    if extent is None:
        return Range()
    return Range(0, int(extent) - 1 if extent.is_Integer else None)


def _by_others(row: Mapping[sympy.Expr, int], known: Reach) -> Iterator[tuple[sympy.Expr, Range]]:
    for key, c in row.items():
        if key != 1:
            rest = Range(row.get(ONE, 0), row.get(ONE, 0))
            for other, d in row.items():
                if other not in (key, 1):
                    rest = rest.plus(known[other].times(d))
            yield key, (rest.times(-1) if c > 0 else rest).over(abs(c))


def _tried(row: Mapping[sympy.Expr, int], known: Reach) -> Iterator[tuple[sympy.Expr, Range]]:
    """The ends of what solves a row, where its indices have few places; an empty range where nothing does."""
    keys = [k for k in row if k != 1]
    ends = [(known[k].low, known[k].high) for k in keys]
    places = [range(low, high + 1) for low, high in ends if low is not None and high is not None]
    if len(places) < len(keys) or not keys or prod(map(len, places)) > MOST_TRIED:
        return
    constant = row.get(ONE, 0)
    solutions = [at for at in product(*places) if sum(row[k] * v for k, v in zip(keys, at, strict=True)) == -constant]
    for place, key in enumerate(keys):
        values = [at[place] for at in solutions]
        yield key, Range(min(values), max(values)) if values else Range(1, 0)
