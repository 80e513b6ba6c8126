"""Source of a product of what a window slides over: loops around a call of a tile product (see `targets.slides`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symdl.compilation.ranges import bounds
from symdl.compilation.statements import Windowed
from symdl.compilation.targets.kernels import wrapped
from symdl.compilation.targets.names import Names
from symdl.compilation.targets.slides import DOTS, SPREAD
from symdl.compilation.windows import ACROSS, ALONG, COLUMNS
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element


@dataclass(frozen=True)
class Printing:
    """What an emitter lends.

    Args:
        text: names of indices, which are added to.
        names: of variables.
        arrays: by tensor name.
        extent_of: the length of an index, as text.
        printed: a whole number, as text.
    """

    text: dict[sympy.Symbol, str]
    names: Names
    arrays: Mapping[str, str]
    extent_of: Callable[[Index], str]
    printed: Callable[[sympy.Expr], str]


def window_lines(item: Windowed, to: Printing, part: tuple[Index, str, str] | None = None) -> list[str]:
    """The lines of a product; `part` says which values of one of its indices, from a name to another."""
    around: list[str] = []
    for index in (*item.loops, item.row):
        to.text[index] = to.names.loop(index.name, around)
        around.append(to.text[index])
    starts = dict.fromkeys((*item.inner, *item.columns, *item.run), sympy.S.Zero)
    lengths = {i: to.extent_of(i) for i in item.indices}
    divided, first, last = part or (None, "", "")
    starts[item.row] = sympy.Symbol(first, integer=True) if item.row == divided else sympy.S.Zero
    lengths[item.row] = f"{last} - {first}" if item.row == divided else lengths[item.row]
    lines: list[str] = []
    for index in item.inner:
        cut = [b for g in item.guards if index in indices_in(g) and (b := bounds(g, index)) is not None]
        if cut:
            begin, end = (to.names.new(f"{index.name}_{word}") for word in ("first", "after"))
            low = dict.fromkeys(to.printed(b[0]) for b in cut if b[0] != 0)
            high = dict.fromkeys(to.printed(b[1]) for b in cut if b[1] != index.extent)
            lines.append(f"{begin} = max(0, {', '.join(low)})" if low else f"{begin} = 0")
            lines.append(f"{end} = min({lengths[index]}, {', '.join(high)})" if high else f"{end} = {lengths[index]}")
            starts[index], lengths[index] = sympy.Symbol(begin, integer=True), f"{end} - {begin}"
    lines += _call(item, to, starts, lengths)
    for index, name in reversed([*zip(item.loops, around, strict=False)]):
        values = f"{first}, {last}" if index == divided else to.extent_of(index)
        lines = [f"for {name} in range({values}):", *(f"    {line}" for line in lines)]
    return lines


def _call(item: Windowed, to: Printing, starts: Mapping[Index, sympy.Expr], lengths: Mapping[Index, str]) -> list[str]:
    """The call for given loops."""

    def place(element: Element) -> str:
        return to.printed(sympy.expand(_offset(element, to).xreplace(dict(starts))))

    def steps(element: Element, indices: Sequence[Index], count: int) -> list[str]:
        """How far an element moves with each index; with those that are not there, not at all."""
        found = [to.printed(_offset(element, to).coeff(i, 1)) for i in indices]
        return ["0"] * (count - len(found)) + found

    def sizes(indices: Sequence[Index], count: int) -> list[str]:
        return ["1"] * (count - len(indices)) + [lengths[i] for i in indices]

    left, right, out = ([f"{to.arrays[e.name]}.ctypes.data", place(e)] for e in (item.left, item.right, item.out))
    row, run = [item.row], "*".join(lengths[i] for i in item.run)
    if item.across:
        arguments = [
            *(*left, *steps(item.left, row, 1), *steps(item.left, item.inner, ACROSS)),
            *(*right, *steps(item.right, item.inner, ACROSS)),
            *(*out, *steps(item.out, row, 1), lengths[item.row], run),
            *sizes(item.inner, ACROSS),
        ]
        return wrapped(f"{SPREAD}(", arguments, ")")
    arguments = [
        *(*left, *steps(item.left, row, 1), *steps(item.left, item.inner, ALONG)),
        *(*right, *steps(item.right, item.inner, ALONG), *steps(item.right, item.columns, COLUMNS)),
        *(*out, *steps(item.out, row, 1), *steps(item.out, item.columns[-1:], 1), lengths[item.row]),
        *(*sizes(item.columns, COLUMNS), *sizes(item.inner, ALONG), run),
    ]
    return wrapped(f"{DOTS}(", arguments, ")")


def _offset(element: Element, to: Printing) -> sympy.Expr:
    """How many numbers stand before an element."""
    found, step = sympy.S.Zero, sympy.S.One
    for axis, subscript in reversed([*zip(element.tensor.indices, element.subscripts, strict=True)]):
        found += subscript * step
        step *= sympy.Symbol(to.extent_of(axis), integer=True)
    return sympy.expand(found)
