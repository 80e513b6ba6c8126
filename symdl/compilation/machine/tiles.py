"""A tile of a matrix product in registers, and how its operands are packed; both as Numba intrinsics.

A product of matrices that stand in memory with any steps is made of tiles of some rows and some vectors: for each
inner index, one number of the left operand for each row, in every lane, times the vectors of the right one. The sums
of a tile stay in registers; there are enough of them to hide the time that a multiply-add takes (Goto and van de Geijn,
Anatomy of high-performance matrix multiplication, 2008). Addresses and steps are integers, in bytes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from symdl.compilation.machine.vectors import WORD, Lanes, counted


def tile(dtype: str, lanes: int, rows: int, vectors: int, masked: bool) -> Any:
    """`tile(a, a_row, a_inner, b, b_inner, c, c_row, inner, held, last, add)`: one tile of c = a·b, or of c + a·b.

    Columns of b and c stand side by side. `held` rows of the tile are stored (the others repeat the last one); where it
    is `masked`, its last vector has `last` lanes. `add` is 0 or 1.
    """

    def typed(context, a, a_row, a_inner, b, b_inner, c, c_row, inner, held, last, add):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _tile(Lanes(builder, dtype, lanes), rows, vectors, masked, values)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 11), emit

    return intrinsic(typed)


def _tile(to: Lanes, rows: int, vectors: int, masked: bool, values: list[Any]) -> None:
    a, a_row, a_inner, b, b_inner, c, c_row, inner, held, last, add = values
    builder = to.builder
    mask = to.first(last) if masked else None
    masks = [None] * (vectors - 1) + [mask]
    highest = builder.sub(held, to.word(1))
    steps = []  # from the first row to each
    for row in range(rows):
        inside = builder.icmp_signed("<", to.word(row), held)
        steps.append(builder.mul(builder.select(inside, to.word(row), highest), a_row))

    def body(k: Any, carried: list[Any]) -> list[Any]:
        left, right, *sums = carried
        columns = [to.load(to.offset(right, v * to.count), m) for v, m in enumerate(masks)]
        found = []
        for row, step in enumerate(steps):
            number = to.everywhere(to.load_number(builder.add(left, step)))
            found += [to.fma(number, column, sums[row * vectors + v]) for v, column in enumerate(columns)]
        return [builder.add(left, a_inner), builder.add(right, b_inner), *found]

    _, _, *sums = counted(builder, inner, [a, b, *[to.zero] * (rows * vectors)], body)
    with builder.if_else(builder.icmp_signed("!=", add, to.word(0))) as (adding, storing):
        for way, adds in ((adding, True), (storing, False)):
            with way:
                _stored(to, sums, c, c_row, held, masks, adds)


def _stored(to: Lanes, sums: list[Any], c: Any, c_row: Any, held: Any, masks: list[Any], adds: bool) -> None:
    """The first rows of the sums to memory, with what stands there added or not."""
    for row in range(len(sums) // len(masks)):
        start = to.builder.add(c, to.builder.mul(c_row, to.word(row)))
        with to.builder.if_then(to.builder.icmp_signed("<", to.word(row), held)):
            for v, mask in enumerate(masks):
                place, value = to.offset(start, v * to.count), sums[row * len(masks) + v]
                to.store(to.builder.fadd(value, to.load(place, mask)) if adds else value, place, mask)


def packed(dtype: str, lanes: int, vectors: int = 1) -> Any:
    """`packed(source, step, target, gap, inner, held)`: target[k, j] = source[k, j] for j < `held` ≤ lanes · vectors.

    The rest of those lanes is 0. The source has its columns side by side and its rows `step` apart, the target has its
    rows `gap` apart.
    """

    def typed(context, source, step, target, gap, inner, held):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            source, step, target, gap, inner, held = values
            to = Lanes(builder, dtype, lanes)
            masks = [to.first(builder.sub(held, to.word(v * lanes))) for v in range(vectors)]

            def body(k: Any, carried: list[Any]) -> list[Any]:
                here, there = carried
                for v, mask in enumerate(masks):
                    to.store(to.load(to.offset(here, v * lanes), mask), to.offset(there, v * lanes))
                return [builder.add(here, step), builder.add(there, gap)]

            counted(builder, inner, [source, target], body)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), emit

    return intrinsic(typed)


def turned(dtype: str, lanes: int) -> Any:
    """`turned(source, step, target, gap, inner, held)`: target[k, j] = source[j, k] for j < `held` ≤ lanes.

    The source has its inner index side by side. A square of `lanes` by `lanes` numbers is turned in registers.
    """

    def typed(context, source, step, target, gap, inner, held):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _turned(Lanes(builder, dtype, lanes), values)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), emit

    return intrinsic(typed)


def _turned(to: Lanes, values: list[Any]) -> None:
    source, step, target, gap, inner, held = values
    builder, count = to.builder, to.count
    highest = builder.sub(held, to.word(1))
    steps = []
    for row in range(count):
        inside = builder.icmp_signed("<", to.word(row), held)
        steps.append(builder.mul(builder.select(inside, to.word(row), highest), step))

    def square(here: Any, there: Any, left: Any) -> None:
        """One square, of which `left` inner indices are there; None: all."""
        mask = to.first(left) if left is not None else None
        columns = _transposed(to, [to.load(builder.add(here, s), mask) for s in steps])
        for k, column in enumerate(columns):
            place = builder.add(there, builder.mul(gap, to.word(k)))
            if left is None:
                to.store(column, place)
            else:
                with builder.if_then(builder.icmp_signed("<", to.word(k), left)):
                    to.store(column, place)

    def body(k: Any, carried: list[Any]) -> list[Any]:
        here, there = carried
        square(here, there, None)
        return [to.offset(here, count), builder.add(there, builder.mul(gap, to.word(count)))]

    here, there = counted(builder, builder.sdiv(inner, to.word(count)), [source, target], body)
    left = builder.srem(inner, to.word(count))
    with builder.if_then(builder.icmp_signed(">", left, ir.Constant(WORD, 0))):
        square(here, there, left)


def _transposed(to: Lanes, rows: list[Any]) -> list[Any]:
    """A square of vectors turned: in each stage, vectors that are `far` apart exchange halves of blocks."""
    count, far = to.count, to.count // 2
    while far:
        keep = [j if not j & far else j - far + count for j in range(count)]
        take = [j + far if not j & far else j + count for j in range(count)]
        for k in range(count):
            if not k & far:
                a, b = rows[k], rows[k + far]
                rows[k], rows[k + far] = to.shuffled(a, b, keep), to.shuffled(a, b, take)
        far //= 2
    return rows
