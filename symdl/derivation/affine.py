"""Linear equations between index expressions: what δs and guards say, in a form that forgets how they were written.

A `Row` maps unknowns (indices, or elements that are read as numbers: a gather) to coefficients, with 1 for the
constant; it stands for the equation Σ coefficient·unknown = 0. Coefficients are integers or expressions in extents.
What a set of rows says of integers depends on the space that they span alone, so rows are combined freely.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb

import sympy

from symdl.core.deadlines import in_time
from symdl.core.indices import Index, provably_nonnegative
from symdl.core.tensors import Element

Row = dict[sympy.Expr, sympy.Expr]
ONE = sympy.S.One

#: Shortest combinations of rows are looked for among at most this many.
MOST_CIRCUITS = 500


def row_of(expr: sympy.Expr) -> Row | None:
    """The row of an affine index expression; None where it is not affine.

    >>> u = Index("u")
    >>> row_of(2 * u - 1) == {u: 2, ONE: -1}, row_of(u**2)
    (True, None)
    """
    if isinstance(expr, sympy.Dummy):
        return {expr: ONE}
    row: Row = {}
    for part in sympy.Add.make_args(sympy.expand(expr)):
        hanging = [f for f in sympy.Mul.make_args(part) if f.has(sympy.Dummy, Element)]
        if len(hanging) > 1 or (hanging and not isinstance(hanging[0], sympy.Dummy | Element)):
            return None
        key = hanging[0] if hanging else ONE
        row[key] = row.get(key, sympy.S.Zero) + (part / key if hanging else part)
    return {k: c for k, c in row.items() if c != 0}


def expr_of(row: Row) -> sympy.Expr:
    """The expression that the row says is 0."""
    return sympy.Add(*[k * c for k, c in row.items()])


def minus(a: Row, b: Row, factor: sympy.Expr = ONE) -> Row:
    """a − factor·b."""
    result = dict(a)
    for key, c in b.items():
        value = result.get(key, sympy.S.Zero) - factor * c
        value = value if value.is_Integer else sympy.expand(value)
        if value == 0:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def content(row: Row) -> sympy.Expr:
    """The greatest common divisor of the coefficients, positive."""
    values = list(row.values())
    if ONE in values or sympy.S.NegativeOne in values:
        return ONE
    if all(v.is_Integer for v in values):
        return sympy.Integer(sympy.igcd(0, 0, *values))
    return _shared(frozenset(values))


@lru_cache(maxsize=4096)
def _shared(values: frozenset[sympy.Expr]) -> sympy.Expr:
    shared = sympy.gcd_list(list(values))
    return -shared if shared.could_extract_minus_sign() else shared


def primitive(row: Row) -> Row:
    """The row divided by its content (extents are not 0)."""
    shared = content(row) if row else ONE
    if shared == 1:
        return row
    return {k: sympy.expand(sympy.cancel(c / shared)) for k, c in row.items()}


def cleared(row: Row, pivot: Row, key: sympy.Expr) -> Row:
    """`row` without `key`, by a multiple of `pivot`."""
    if key not in row:
        return row
    unit = pivot[key]
    if unit in (1, -1):
        return primitive(minus(row, pivot, row[key] * unit))
    scaled = {k: sympy.expand(c * unit) for k, c in row.items()}
    return primitive(minus(scaled, pivot, row[key]))


def solved(row: Row, key: sympy.Expr) -> sympy.Expr:
    """The value of `key`, whose coefficient is ±1, by the row."""
    return -expr_of({k: c * row[key] for k, c in row.items() if k != key})


def echelon(rows: Iterable[Row], columns: Iterable[sympy.Expr]) -> tuple[list[tuple[sympy.Expr, Row]], list[Row]]:
    """Rows with one column each that the later ones lack, and the rows that have none of the columns."""
    rest = [primitive(r) for r in rows if r]
    done: list[tuple[sympy.Expr, Row]] = []
    for column in columns:
        having = [r for r in rest if column in r]
        if not having:
            continue
        pivot = min(having, key=lambda r: (r[column] not in (1, -1), len(r)))
        rest = [r for r in (cleared(r, pivot, column) for r in rest if r is not pivot) if r]
        done.append((column, pivot))
    return done, rest


def reduced_echelon(
    rows: Iterable[Row], columns: Sequence[sympy.Expr], solved_for: Collection[sympy.Expr] = ()
) -> list[tuple[sympy.Expr, Row]]:
    """The one echelon form, up to factors, in which no row has the column of another.

    The rows of the columns `solved_for` keep their coefficient there, even where another column then stays.
    """
    done, _ = echelon(rows, columns)
    for k in range(len(done) - 1, -1, -1):
        column, pivot = done[k]
        for j in range(k):
            own, row = done[j]
            if own not in solved_for or row.get(column, sympy.S.Zero) % pivot[column] != 0:
                done[j] = own, row if own in solved_for else cleared(row, pivot, column)
            else:
                done[j] = own, minus(row, pivot, sympy.cancel(row.get(column, sympy.S.Zero) / pivot[column]))
    return done


def blocks(rows: Iterable[Row], columns: Collection[sympy.Expr]) -> list[list[Row]]:
    """Rows in echelon form, those together that share one of the columns."""
    groups: list[tuple[set[sympy.Expr], list[Row]]] = []
    for row in rows:
        mine = {k for k in row if k in columns}
        touching = [g for g in groups if g[0] & mine]
        groups = [g for g in groups if not g[0] & mine]
        groups.append((mine.union(*[g[0] for g in touching]), [*[r for g in touching for r in g[1]], row]))
    return [members for _, members in groups]


def circuits(rows: Iterable[Row], columns: Sequence[sympy.Expr]) -> Iterator[Row]:
    """The combinations of rows that have the fewest of the columns: they do not depend on the rows that span them."""
    done = reduced_echelon(rows, columns)
    for block in blocks([r for _, r in done], columns):
        present = [c for c in columns if any(c in r for r in block)]
        if len(block) == 1 or comb(len(present), len(block) - 1) > MOST_CIRCUITS:
            yield from block
            continue
        seen: set[frozenset[tuple[sympy.Expr, sympy.Expr]]] = set()
        for zeroed in combinations(present, len(block) - 1):
            in_time()
            _, rest = echelon(block, zeroed)
            if len(rest) != 1 or frozenset(rest[0].items()) in seen:
                continue
            seen.add(frozenset(rest[0].items()))
            seen.add(frozenset((k, -c) for k, c in rest[0].items()))
            yield rest[0]


def rank(rows: Iterable[Row]) -> int:
    """How many rows say something that the others do not."""
    listed = list(rows)
    keys = list(dict.fromkeys(k for r in listed for k in r))
    return len(echelon(listed, keys)[0])


# ── ranges ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def limits(row: Row, extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> tuple[sympy.Expr, sympy.Expr] | None:
    """The smallest and largest value of a row; None where it is not known. `extents` overrides those of indices."""
    in_time()
    low = high = sympy.S.Zero
    for key, c in row.items():
        if key == 1:
            low, high = low + c, high + c
            continue
        extent = extents[key] if key in extents else key.extent if isinstance(key, Index) else None
        if extent is None or not (c.is_positive or c.is_negative):
            return None
        low, high = (low, high + c * (extent - 1)) if c.is_positive else (low + c * (extent - 1), high)
    return sympy.expand(low), sympy.expand(high)


@lru_cache(maxsize=16384)
def at_least_zero(expr: sympy.Expr) -> bool:
    """True where an expression in extents is provably ≥ 0; floor(x/s) lies between (x − s + 1)/s and x/s.

    >>> H, R = sympy.symbols("H R", integer=True, positive=True)
    >>> at_least_zero(H - R - 2 * sympy.floor((H - R) / 2))
    True
    """
    if expr.is_Integer:
        return bool(expr >= 0)
    for part in expr.atoms(sympy.floor):
        slope = sympy.expand(expr).coeff(part)
        above, below = sympy.fraction(sympy.together(part.args[0]))
        if slope.is_nonpositive:
            expr = expr.xreplace({part: above / below})
        elif slope.is_nonnegative and below.is_positive:
            expr = expr.xreplace({part: (above - below + 1) / below})
        else:
            return False
    return provably_nonnegative(sympy.expand(expr))


def inside(row: Row, extent: sympy.Expr, extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> bool | None:
    """Whether 0 ≤ row < extent: True always, False never, None otherwise or unknown."""
    known = limits(row, extents)
    if known is None:
        return None
    low, high = known
    if at_least_zero(low) and at_least_zero(sympy.expand(extent - 1 - high)):
        return True
    if at_least_zero(sympy.expand(-high - 1)) or at_least_zero(sympy.expand(low - extent)):
        return False
    return None


def digits(row: Row, extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> tuple[Row, Row] | None:
    """m·A + B = 0, where m·k is the only multiple of m that B can be, says that B = m·k and A = −k.

    So the digits of a number in a mixed radix are its own.
    """
    moduli = {-c if c.could_extract_minus_sign() else c for k, c in row.items() if k != 1}
    for m in sorted(moduli - {ONE}, key=sympy.default_sort_key):
        high = {k: q for k, c in row.items() if k != 1 and (q := _quotient(c, m)) is not None}
        low = {k: c for k, c in row.items() if k not in high}
        if not high or not set(low) - {ONE}:
            continue
        known = limits(low, extents)
        if known is None:
            continue
        for k in _multiples(known[0], m, low.get(ONE, sympy.S.Zero)):
            in_time()
            below, above = known[0] - m * k, known[1] - m * k
            if at_least_zero(sympy.expand(m - 1 - above)) and at_least_zero(sympy.expand(m - 1 + below)):
                return minus(high, {ONE: -k}), minus(low, {ONE: m * k})
    return None


@lru_cache(maxsize=16384)
def _quotient(c: sympy.Expr, m: sympy.Expr) -> sympy.Expr | None:
    """c/m where it is an integer, whatever the extents are."""
    quotient = sympy.cancel(c / m)
    above, below = sympy.fraction(quotient)
    return quotient if below == 1 and above.is_integer else None


def _multiples(lowest: sympy.Expr, m: sympy.Expr, constant: sympy.Expr) -> list[sympy.Expr]:
    """The k for which m·k may be the only multiple of m in a range that starts at `lowest`."""
    if lowest.is_Integer and m.is_Integer:
        return [sympy.ceiling(lowest / m)]
    shared = _quotient(constant, m)
    return list(dict.fromkeys([*([] if shared is None else [shared]), *map(sympy.Integer, (0, 1, -1))]))


def at_an_end(row: Row, extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> list[Row]:
    """Where 0 is the least or the largest value, each index is at one of its ends: i + j = 0 says i = 0 and j = 0."""
    known = limits(row, extents)
    if known is None or 0 not in known:
        return []
    least = known[0] == 0
    made = []
    for key, c in row.items():
        if key != 1:
            extent: sympy.Expr = extents.get(key, getattr(key, "extent", None))
            made.append({key: ONE} if bool(c.is_positive) == least else minus({key: ONE, ONE: ONE}, {ONE: extent}))
    return made


def only_end(row: Row, extents: Mapping[sympy.Dummy, sympy.Expr | None]) -> list[Row]:
    """Where an index can only be at one of its ends, among the integers: 2 i + 3 j + k = 1 says i = 0 and j = 0.

    >>> i, j, k = Index("i"), Index("j"), Index("k")
    >>> [*map(expr_of, only_end({i: 2 * ONE, j: 3 * ONE, k: ONE, ONE: -ONE}, {}))]
    [i, j]
    """
    made = []
    for key, c in row.items():
        extent = extents.get(key, getattr(key, "extent", None))
        if key == 1 or extent is None or not c.is_Integer:
            continue
        rest = limits({k: -v if c > 0 else v for k, v in row.items() if k != key}, extents)
        if rest is None:
            continue
        if rest[1].is_Integer and rest[1] < abs(c):  # |c| · index ≤ what the rest is at most
            made.append({key: ONE})
        elif (spare := sympy.expand(abs(c) * (extent - 1) - rest[0])).is_Integer and spare < abs(c):
            made.append(minus({key: ONE, ONE: ONE}, {ONE: extent}))
    return made
