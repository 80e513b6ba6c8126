"""Tiles of products whose operands are read at sums of indices, as windows are; as Numba intrinsics.

As in `tiles`, sums of a tile stay in registers. What differs is the inner index: three loops, each with steps of its
own in both operands, so that a window that slides over an array is multiplied where it stands. In one kind of tile the
lanes of a vector are columns of the result, in the other they are values of the innermost inner index.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from symdl.compilation.machine.tiles import _stored
from symdl.compilation.machine.vectors import WORD, Lanes, counted


def spread(dtype: str, lanes: int, rows: int, vectors: int, masked: bool) -> Any:
    """`spread(a, a_row, b, c, c_row, held, last, n0, n1, n2, a0, a1, a2, b0, b1, b2)`: c = Σ a·b, one tile.

    Columns of b and c stand side by side; each of the three inner indices has its length and its steps in a and b.
    `held` rows are stored (the others repeat the last one); where it is `masked`, its last vector has `last` lanes.
    """

    def typed(context, a, a_row, b, c, c_row, held, last, n0, n1, n2, a0, a1, a2, b0, b1, b2):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _spread(Lanes(builder, dtype, lanes), rows, vectors, masked, values)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 16), emit

    return intrinsic(typed)


def _spread(to: Lanes, rows: int, vectors: int, masked: bool, values: list[Any]) -> None:
    a, a_row, b, c, c_row, held, last = values[:7]
    lengths, left_steps, right_steps = values[7:10], values[10:13], values[13:16]
    masks = [None] * (vectors - 1) + [to.first(last) if masked else None]
    steps = _row_steps(to, rows, held, a_row)

    def multiplied(left: Any, right: Any, sums: list[Any]) -> list[Any]:
        columns = [to.load(to.offset(right, v * to.count), m) for v, m in enumerate(masks)]
        found = []
        for row, step in enumerate(steps):
            number = to.everywhere(to.load_number(to.builder.add(left, step)))
            found += [to.fma(number, column, sums[row * vectors + v]) for v, column in enumerate(columns)]
        return found

    sums = _nested(to, [*zip(lengths, left_steps, right_steps, strict=True)], a, b, multiplied, rows * vectors)
    _stored(to, sums, c, c_row, held, masks, False)


def _row_steps(to: Lanes, rows: int, held: Any, a_row: Any) -> list[Any]:
    """How far each row is from the first; those that are not there stand where the last one does."""
    highest, found = to.builder.sub(held, to.word(1)), []
    for row in range(rows):
        inside = to.builder.icmp_signed("<", to.word(row), held)
        found.append(to.builder.mul(to.builder.select(inside, to.word(row), highest), a_row))
    return found


def _nested(to: Lanes, levels: list[tuple[Any, Any, Any]], a: Any, b: Any, body: Any, count: int) -> list[Any]:
    """Sums of `body(left, right, sums)` over loops within each other, outermost first, each with its steps."""

    def run(left: Any, right: Any, sums: list[Any], rest: list[tuple[Any, Any, Any]]) -> list[Any]:
        if not rest:
            found: list[Any] = body(left, right, sums)
            return found
        length, left_step, right_step = rest[0]

        def once(k: Any, carried: list[Any]) -> list[Any]:
            here, there, *inner = carried
            inner = run(here, there, inner, rest[1:])
            return [to.builder.add(here, left_step), to.builder.add(there, right_step), *inner]

        return counted(to.builder, length, [left, right, *sums], once)[2:]

    return run(a, b, [to.zero] * count, levels)


def dots(dtype: str, lanes: int, rows: int, columns: int) -> Any:
    """`dots(a, a_row, held, places, c, c_row, c_column, width, n0, n1, a0, a1, b0, b1, length)`: c = Σ a·b, one tile.

    `places` is the address of those of the columns of b. The innermost inner index has its `length` entries side by
    side in both operands, and each of the two others its length and its steps. `held` rows and `width` columns are
    stored.
    """

    def typed(context, a, a_row, held, places, c, c_row, c_column, width, n0, n1, a0, a1, b0, b1, length):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _dots(Lanes(builder, dtype, lanes), rows, columns, values)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 15), emit

    return intrinsic(typed)


def _dots(to: Lanes, rows: int, columns: int, values: list[Any]) -> None:
    a, a_row, held, places, c, c_row, c_column, width, n0, n1, a0, a1, b0, b1, length = values
    builder, vector = to.builder, to.word(to.count * to.size)
    steps = _row_steps(to, rows, held, a_row)
    pointers = [builder.inttoptr(builder.add(places, to.word(8 * k)), WORD.as_pointer()) for k in range(columns)]
    starts = [builder.load(p) for p in pointers]
    whole, rest = builder.sdiv(length, to.word(to.count)), builder.srem(length, to.word(to.count))
    mask = to.first(rest)

    def multiplied(left: Any, right: Any, found: list[Any], mask: Any = None) -> list[Any]:
        first = [to.load(builder.add(left, step), mask) for step in steps]
        made = list(found)
        for column, start in enumerate(starts):
            value = to.load(builder.add(right, start), mask)
            for row, number in enumerate(first):
                made[row * columns + column] = to.fma(number, value, made[row * columns + column])
        return made

    def side(left: Any, right: Any, found: list[Any]) -> list[Any]:
        def once(k: Any, carried: list[Any]) -> list[Any]:
            here, there, *inner = carried
            return [builder.add(here, vector), builder.add(there, vector), *multiplied(here, there, inner)]

        here, there, *found = counted(builder, whole, [left, right, *found], once)
        before = builder.block
        with builder.if_then(builder.icmp_signed(">", rest, to.word(0))):
            more = multiplied(here, there, found, mask)
            last = builder.block
        joined = [builder.phi(to.vector) for _ in found]
        for phi, without, added in zip(joined, found, more, strict=True):
            phi.add_incoming(without, before)
            phi.add_incoming(added, last)
        return joined

    levels = [(n0, a0, b0), (n1, a1, b1)]
    for k, total in enumerate(_nested(to, levels, a, to.word(0), side, rows * columns)):
        row, column = to.word(k // columns), to.word(k % columns)
        place = builder.add(c, builder.add(builder.mul(c_row, row), builder.mul(c_column, column)))
        there = [builder.icmp_signed("<", row, held), builder.icmp_signed("<", column, width)]
        with builder.if_then(builder.and_(*there)):
            pointer = builder.inttoptr(place, to.number.as_pointer())
            builder.store(_added_up(to, total), pointer, align=to.size)


def _added_up(to: Lanes, value: Any) -> Any:
    """The sum of the lanes of a vector, by halves."""
    count, nothing = to.count, ir.Constant(to.vector, ir.Undefined)
    while count > 1:
        count //= 2
        upper = [k + count if k < count else 0 for k in range(to.count)]
        value = to.builder.fadd(value, to.shuffled(value, nothing, upper))
    return to.builder.extract_element(value, ir.Constant(ir.IntType(32), 0))
