"""Loops over axes that stand side by side in all arrays as one: z[u, v, n] for all v and n is a row of V·N numbers.

LLVM makes vectors of a loop that it takes for long: four vectors at a time, and what is left over one by one. Of a loop
over 32 numbers, that is all. Nothing of the plan changes; arrays are looked at with fewer axes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sympy

from symdl.compilation.extents import Axes
from symdl.compilation.fusion import Loop
from symdl.compilation.statements import Statement
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Tensor, elements_in

#: In emitted code: an array with its last axes as one.
JOINED = "joined"
#: Numbers of a loop that LLVM makes vectors of as it stands.
LONG = 128


@dataclass(frozen=True)
class Row:
    """One loop in place of several.

    Args:
        loop: the nest with it.
        run: the indices that it stands for.
        tensors: with their last axes as one, by those that they stand for.
    """

    loop: Loop
    run: tuple[Index, ...]
    tensors: dict[Tensor, Tensor]


def row_of(loop: Loop, axes: Axes, is_cut: Callable[[Index], bool]) -> Row | None:
    """The loops of a nest as one; None where something is not read or written along them, or they are long as it is.

    `is_cut`: whether a loop does not run over all values.
    """
    run, node = [loop.index], loop
    while len(node.children) == 1 and isinstance(node.children[0], Loop):
        node = node.children[0]
        run.append(node.index)
        if node.direction:
            return None
    statements = [c for c in node.children if isinstance(c, Statement) and not (c.guards or c.guarded)]
    short = len(run) > 1 and axes.expected_size(run[-1]) < LONG
    if not short or loop.direction or len(statements) < len(node.children) or any(map(is_cut, run)):
        return None
    elements = list(dict.fromkeys(e for s in statements for e in (*s.reads, s.out)))
    along = [e for e in elements if set(indices_in(e)) & set(run)]
    if not all(_stands_along(e, run, axes) for e in along) or any(_is_counted(s, run) for s in statements):
        return None
    index = Index(run[-1].name, sympy.Mul(*[i.extent for i in run]))
    tensors = {e.tensor: e.tensor.with_indices((*e.tensor.indices[: -len(run)], index)) for e in along}
    places = {e: tensors[e.tensor][(*e.subscripts[: -len(run)], index)] for e in along}
    children = tuple(_along(s, places, run, index) for s in statements)
    return Row(Loop(index, children), tuple(run), tensors)


def _stands_along(element: Element, run: list[Index], axes: Axes) -> bool:
    """Whether the loops are the last subscripts of an element, each over a whole axis."""
    before, last = element.subscripts[: -len(run)], element.subscripts[-len(run) :]
    whole = zip(element.tensor.indices[-len(run) :], run, strict=False)
    plain = last == tuple(run) and all(axes.key(a) == axes.key(i) for a, i in whole)
    return plain and not any(set(indices_in(s)) & set(run) for s in before)


def _is_counted(statement: Statement, run: list[Index]) -> bool:
    """Whether a value depends on a loop by itself, not by what it reads."""
    elements = dict.fromkeys(elements_in(statement.body), sympy.S.Zero)
    return bool(set(indices_in(statement.body.xreplace(elements))) & set(run))


def _along(statement: Statement, places: dict[Element, Element], run: list[Index], index: Index) -> Statement:
    loops = (*(i for i in statement.loops if i not in run), index)
    return replace(
        statement, out=places.get(statement.out, statement.out), body=statement.body.xreplace(places), loops=loops
    )
