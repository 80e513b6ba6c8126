"""Guards in emitted code: as the bounds of a loop where that is simple, else as conditions as far outside as can be.

A loop with a condition inside is not vectorised, and [0 ≤ p − r < U] within a loop over p only says from where to where
p runs: range(max(0, r), min(P, U + r)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

import sympy

from symdl.compilation.fusion import Item, Loop, Node, statements_in
from symdl.compilation.ranges import bounds
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, elements_in


def common(node: Item) -> list[sympy.Expr]:
    """The guards of every statement in a nest, in the order in which the first one tests them."""
    every = [s.guards for s in statements_in(node)]
    shared: set[sympy.Expr] = reduce(lambda a, b: a & b, (set(g) for g in every))
    return [g for g in every[0] if g in shared]


def testable(guards: Iterable[sympy.Expr], around: Iterable[Index]) -> list[sympy.Expr]:
    """Those guards that the loops around decide, up to the first that they do not: their order protects reads."""
    known, found = set(around), list[sympy.Expr]()
    for guard in guards:
        if set(indices_in(guard)) <= known:
            found.append(guard)
        elif guard.atoms(Element):
            break
    return found


def loop_range(
    loop: Loop, extent: str, guards: Iterable[sympy.Expr], printed: Callable[[sympy.Expr], str]
) -> tuple[str, list[sympy.Expr]]:
    """The values of a loop as source, and the guards that hold at all of them."""
    if loop.direction:
        return f"range({extent})" if loop.direction > 0 else f"range({extent} - 1, -1, -1)", []
    index = loop.index
    held: list[sympy.Expr] = []
    low: dict[str, None] = {}
    high: dict[str, None] = {}
    for guard in guards:
        found = bounds(guard, index)
        if found is None:
            continue
        held.append(guard)
        if found[0] != 0:
            low[printed(found[0])] = None
        if found[1] != index.extent:
            high[printed(found[1])] = None
    if not low and not high:
        return f"range({extent})", held
    after = f"min({extent}, {', '.join(high)})" if high else extent
    return f"range({_first(list(low))}, {after})", held


def _first(low: list[str]) -> str:
    """The largest of 0 and the given starts, as source."""
    least = max([0, *(int(e) for e in low if e.isdigit())])
    rest = [e for e in low if not e.isdigit()]
    return f"max({least}, {', '.join(rest)})" if rest else str(least)


def gathers_in(children: Iterable[Node]) -> list[Element]:
    """The elements that are subscripts of others, or stand in guards, in a fixed order."""
    found: dict[Element, None] = {}
    for statement in (s for child in children for s in statements_in(child)):
        places = [s for e in (*statement.reads, statement.out) for s in e.subscripts]
        for place in (*places, *statement.guards):
            found.update(dict.fromkeys(e for e in elements_in(place) if e.tensor.integer))
    return list(found)
