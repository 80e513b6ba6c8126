"""Indices that stand for a guard alone: [0 ≤ e < U] is an index v below U with v = e. They are written in one way.

Of the two ends of a guard, one that the ranges of the other indices imply is not stated: [0 ≤ t − 1 < T] says t ≥ 1, as
[0 ≤ t − 1 < T − 1] does, and both become the range that t − 1 really has. What is left may be read from either end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sympy

from symdl.core.indices import Index
from symdl.derivation.affine import ONE, Row, at_least_zero, expr_of, limits, minus
from symdl.derivation.inequalities import implied

#: Ends of guards are moved by less than this. What could be moved without end says of extents that it never holds.
MOST_SPARE = 16

Extents = Mapping[sympy.Dummy, sympy.Expr | None]


def narrowed(row: Row, extent: sympy.Expr, extents: Extents) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Where 0 ≤ row < extent starts, and how long it is, once the ends that the range of the row implies are its own.

    None where that changes nothing.

    >>> T = sympy.Symbol("T", integer=True, positive=True)
    >>> narrowed({Index("t", T): ONE, ONE: -ONE}, T, {})
    (0, T - 1)
    """
    known = limits(row, extents)
    if known is None:
        return None
    low = known[0] if at_least_zero(known[0]) else sympy.S.Zero
    last = known[1] if at_least_zero(sympy.expand(extent - 1 - known[1])) else extent - 1
    size = sympy.expand(last - low + 1)
    return None if low == 0 and sympy.expand(size - extent) == 0 else (low, size)


def facing(row: Row, extent: sympy.Expr, bound: Collection[sympy.Dummy] = ()) -> Row:
    """e or extent − 1 − e, whose guards are the same: that with fewer negative slopes; names of `bound` don't count."""
    return min(row, minus({ONE: extent - 1}, row), key=lambda r: _text(r, bound))


def _text(row: Row, bound: Collection[sympy.Dummy]) -> tuple[int, list[str], str, list[tuple[str, str, int]]]:
    slopes = [c for k, c in row.items() if k != 1]
    named = [(str(c), k.name, k.dummy_index) for k, c in row.items() if isinstance(k, Index) and k not in bound]
    negative = sum(bool(c.could_extract_minus_sign()) for c in slopes)
    return negative, sorted(map(str, slopes)), str(row.get(ONE, sympy.S.Zero)), sorted(named)


def turned(index: sympy.Dummy, extent: sympy.Expr, found: Iterable[Row], bound: Collection[sympy.Dummy]) -> bool:
    """Whether everything that is said of an index reads better of extent − 1 − index."""
    here, there = [], []
    for row in found:
        if index in row:
            sign = 1 if row[index].could_extract_minus_sign() else -1
            times, value = -sign * row[index], {k: sign * c for k, c in row.items() if k != index}
            here.append(_text(value, bound))
            there.append(_text(minus({ONE: times * (extent - 1)}, value), bound))
    return sorted(there) < sorted(here)


def equations(found: Iterable[Row], slacks: Collection[sympy.Dummy]) -> dict[sympy.Dummy, list[Row]]:
    """Each index of `slacks` with all that equals it, by the rows that have no other one of them, shortest first."""
    told: dict[sympy.Dummy, list[Row]] = {}
    for row in sorted(found, key=lambda r: (len(r), sorted(map(str, r.values())), sorted(map(_key, r)))):
        mine = [k for k in row if k in slacks]
        if len(mine) == 1 and row[mine[0]] in (1, -1):
            value = {k: -c * row[mine[0]] for k, c in row.items() if k != mine[0]}
            told.setdefault(mine[0], []).append(value)
    return told


def _key(key: sympy.Expr) -> str:
    return f"{key.name}.{key.dummy_index}" if isinstance(key, sympy.Dummy) else str(key)


def shared_range(row: Row, v: sympy.Dummy, w: sympy.Dummy, extents: Extents) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Where v starts and how long it runs when w is in its range too, by a row that says v = ±w + constant.

    None where the row says something else, or where it is not certain which ends count.

    >>> A = sympy.Symbol("A", integer=True, positive=True)
    >>> v, w = Index("v", A + 1), Index("w", A)
    >>> shared_range({v: ONE, w: -ONE, ONE: ONE}, v, w, {v: A + 1, w: A})  # v = w − 1
    (0, A - 1)
    """
    n, m = extents[v], extents[w]
    if not row.keys() <= {v, w, ONE} or row[v] not in (1, -1) or row[w] not in (1, -1) or n is None or m is None:
        return None
    shift = -row.get(ONE, sympy.S.Zero) * row[v]
    start = shift if row[v] != row[w] else shift - m + 1
    low = _larger(start, sympy.S.Zero)
    less = _larger(-n, -start - m)
    return None if low is None or less is None else (low, sympy.expand(-less - low))


def _larger(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
    difference = sympy.expand(a - b)
    return a if at_least_zero(difference) else b if at_least_zero(-difference) else None


def replaced(rows: Iterable[Row], index: sympy.Dummy, value: Row) -> list[Row]:
    """The rows with `value` for the index."""
    made = []
    for row in rows:
        c = row.get(index, sympy.S.Zero)
        made.append(minus(minus(row, {index: ONE}, c), value, -c) if c != 0 else row)
    return [r for r in made if r]


def stated(rows: Iterable[Row], extents: Extents, near: Row, extent: sympy.Expr) -> set[sympy.Expr]:
    """What the rows and ranges say, as expressions that are ≥ 0, of what hangs together with the unknowns of `near`.

    Where there are none, [0 ≤ 0 < extent] is a condition on extents alone: what is said of the same extents counts.
    """
    rows = list(rows)
    known = {k for k in near if k != 1}
    if not known:
        symbols = extent.free_symbols
        known = {v for v, size in extents.items() if size is not None and symbols & size.free_symbols}
    while more := {k for r in rows if known & r.keys() for k in r if k != 1} - known:
        known |= more
    told = {e for r in rows if known & r.keys() for e in (expr_of(r), -expr_of(r))}
    for v in known & set(extents):
        size = extents[v]
        told |= {v, size - 1 - v} if size is not None else set()
    return told


def spare(expr: sympy.Expr, given: Collection[sympy.Expr]) -> int:
    """The largest number that an expression is certain to reach, where all of `given` is ≥ 0; 0 beyond `MOST_SPARE`.

    >>> i, j = Index("i"), Index("j")
    >>> spare(i + j, {i - 2, j - 1}), spare(i - j, {i - 2})
    (3, 0)
    """
    for k in range(1, MOST_SPARE):
        if not implied(expr - k, given):
            return k - 1
    return 0
