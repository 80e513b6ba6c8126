"""The order of loops where a number of the code is a vector: memory is read a vector at a time in any order, so that
what counts is that sums stay in registers, and that nests share their outer loops."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

from symdl.compilation.extents import Axes, Key
from symdl.compilation.parallel import owned
from symdl.compilation.statements import Recurrence, Statement, Unit

#: Sums that an innermost loop keeps in registers side by side.
SUMS = 8


def in_lanes(units: list[Unit], axes: Axes) -> list[Unit]:
    """The units with their loops in one order: outermost the axes that most statements write other entries along, and
    few sum over; sums innermost, but for those few that fit into registers side by side.

    Of a layer that is j (units), n (rows), i (inputs): h[n, j] by j, n; Σ_n s̄[n, j] x[n, i] by j, n, i where i is
    short.
    """
    rank = Counter[Key]()
    for statement in (s for u in units for s in (u.units if isinstance(u, Recurrence) else (u,))):
        if isinstance(statement, Statement):
            kept = owned(statement)
            rank.update(axes.key(i) for i in kept)
            rank.subtract(axes.key(i) for i in statement.loops if i not in kept)
    places = {key: place for place, (key, _) in enumerate(rank.most_common())}

    def ordered(unit: Unit) -> Unit:
        if isinstance(unit, Recurrence):
            return replace(unit, units=tuple(ordered(s) for s in unit.units))  # type: ignore[misc]
        return _ordered(unit, axes, places) if isinstance(unit, Statement) else unit

    return [ordered(u) for u in units]


def _ordered(statement: Statement, axes: Axes, places: dict[Key, int]) -> Statement:
    loops = sorted(statement.loops, key=lambda i: places[axes.key(i)])
    kept = owned(statement)
    summed = [i for i in loops if i not in kept]
    if summed:
        inside = loops[loops.index(summed[0]) :]
        side_by_side = math.prod(axes.expected_size(i) for i in inside if i in kept)
        if side_by_side > min(SUMS, math.prod(axes.expected_size(i) for i in summed)):
            loops = [*(i for i in loops if i in kept), *summed]
    return replace(statement, loops=tuple(loops))
