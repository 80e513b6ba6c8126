"""What a settled system falls apart into, and what guards of free indices say together."""

from __future__ import annotations

import sympy

from symdl.core.functions import Delta, InRange
from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.derivation.affine import ONE, Row, echelon, minus, reduced_echelon, row_of, solved
from symdl.derivation.guards import Bounds, delta_of, guard_of
from symdl.derivation.summation import System


def groups(system: System) -> list[tuple[Bounds, list[sympy.Expr], list[Row]]]:
    """A settled system taken apart: indices, factors and rows that hang together."""
    bound = set(system.bounds)
    links: list[tuple[set[sympy.Dummy], sympy.Expr | None, Row | None]] = []
    links += [(bound & a.free_symbols, a, None) for a in system.atoms]
    columns = system.columns()
    endless = [v for v in columns if system.bounds[v] is None]
    links += [(bound & set(r), None, r) for _, r in reduced_echelon(system.rows, columns, endless)]
    made: list[tuple[set[sympy.Dummy], list[sympy.Expr], list[Row]]] = []
    for mine, atom, row in links:
        touching = [g for g in made if g[0] & mine]
        made = [g for g in made if not g[0] & mine]
        atoms = [a for g in touching for a in g[1]] + ([] if atom is None else [atom])
        rows = [r for g in touching for r in g[2]] + ([] if row is None else [row])
        made.append((mine.union(*[g[0] for g in touching]), atoms, rows))
    return [({v: system.bounds[v] for v in mine}, atoms, rows) for mine, atoms, rows in made]


def among_free(guards: list[sympy.Expr]) -> tuple[sympy.Expr, dict[sympy.Expr, sympy.Expr]] | None:
    """What δs and guards of free indices say together: a product of guards, and values to put in for some indices.

    None where the product is 0.

    >>> f = Index("f")
    >>> among_free([InRange(1 - 2 * f, sympy.Integer(2))])
    (Delta(0, f), {f: 0})
    """
    system, ends = System(), []
    for guard in guards:
        row = row_of(guard.args[0] - (guard.args[1] if isinstance(guard, Delta) else 0))
        if row is None:
            return sympy.Mul(*guards), {}
        system.bounds.update((k, k.extent) for k in row if isinstance(k, Index))
        if isinstance(guard, InRange):
            ends.append(system.new(guard.args[1]))
            row = minus(row, {ends[-1]: ONE})
        system.rows.append(row)
    kept_ends = system.imply(set(ends))
    if kept_ends is None:
        return None
    tied, rest = echelon(system.rows, kept_ends)
    if any(row[v] not in (1, -1) for v, row in tied):
        return sympy.Mul(*guards), {}
    free = [k for k in system.bounds if k not in kept_ends]
    gathers = dict.fromkeys(k for r in rest for k in r if isinstance(k, Element))
    single = {k for r in rest for k, c in r.items() if c in (1, -1)}
    ordered = sorted(free, key=lambda i: (i in single, i.name, i.dummy_index), reverse=True)
    equations = reduced_echelon(rest, [*ordered, *gathers])
    values = {k: solved(r, k) for k, r in equations if r[k] in (1, -1)}
    kept = [delta_of(r) for _, r in equations]
    ranges = _equal(values)
    kept += [guard_of(solved(row, v).xreplace(values), system.bounds[v], ranges) for v, row in tied]
    return sympy.Mul(*kept), values


def _equal(values: dict[sympy.Expr, sympy.Expr]) -> list[Bounds]:
    """The extents that an index has by the others that it equals."""
    return [{v: k.extent} for k, v in values.items() if isinstance(k, Index) and isinstance(v, Index)]
