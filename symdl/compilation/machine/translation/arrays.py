"""Arrays in emitted code, whose entries stand side by side, the last axis innermost: places and lengths.

Numba has a structure of seven and more numbers for each, which is made here only for what Numba itself does to an array
(see `structures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.cpython import slicing

from symdl.compilation.machine.translation.operations import cast
from symdl.compilation.machine.translation.registries import context
from symdl.compilation.machine.translation.structures import size_of
from symdl.compilation.machine.translation.values import WORD, Parts, Untranslatable, Value

#: Of an array as an argument: who counts its references, which object it is, how many entries, the size of one; then
#: where they stand, the lengths, the strides.
LEADING = 5


def array(builder: Any, kind: Any, data: Any, lengths: Sequence[Any]) -> Value:
    """The array of some type whose entries stand at a place."""
    steps = [WORD(1)]
    for length in reversed(lengths[1:]):
        steps.insert(0, builder.mul(length, steps[0]) if len(steps) > 1 else length)
    return Value(kind, parts=Parts(data, tuple(lengths), tuple(steps)))


def of_axes(dtype: Any, count: int) -> Any:
    """The type of such an array."""
    return types.Array(dtype, count, "C")


def given(builder: Any, kind: Any, raw: Sequence[Any]) -> Value:
    """An argument, from the numbers that it comes as."""
    return array(builder, kind, raw[LEADING - 1], raw[LEADING : LEADING + kind.ndim])


def width(kind: Any) -> int:
    """How many numbers an argument of that type is."""
    return LEADING + 2 * int(kind.ndim)


def as_arguments(builder: Any, value: Value) -> list[Any]:
    """The numbers that an array is as an argument."""
    parts, size = parts_of(builder, value), size_of(value.kind)
    nobody = ir.Constant(context().get_data_type(types.voidptr), None)
    strides = [builder.mul(step, size) if not isinstance(step, ir.Constant) else size for step in parts.steps]
    return [nobody, nobody, _count(builder, parts), size, parts.data, *parts.lengths, *strides]


def _count(builder: Any, parts: Parts) -> Any:
    if not parts.lengths:
        return WORD(1)
    length, step = parts.lengths[0], parts.steps[0]
    return length if isinstance(step, ir.Constant) and step.constant == 1 else builder.mul(length, step)


def parts_of(builder: Any, value: Value) -> Parts:
    """What subscripts need of an array."""
    if value.parts is not None:
        return value.parts
    if value.kind.layout != "C":
        raise Untranslatable(f"entries of {value.kind}")
    fields = context().data_model_manager[value.kind]
    data, shape = (builder.extract_value(value.code, fields.get_field_position(n)) for n in ("data", "shape"))
    found = array(builder, value.kind, data, [builder.extract_value(shape, k) for k in range(value.kind.ndim)]).parts
    assert found is not None
    return found


def attribute(builder: Any, value: Value, name: str) -> Value:
    """`array.size` or `array.shape`.

    Raises:
        Untranslatable: any other.
    """
    parts = parts_of(builder, value)
    if name == "size":
        return Value(types.int64, _count(builder, parts))
    if name == "shape":
        kind: Any = types.UniTuple(types.int64, value.kind.ndim)  # type: ignore[no-untyped-call]
        return Value(kind, entries=tuple(Value(types.int64, length) for length in parts.lengths))
    raise Untranslatable(f"array.{name}")


def address(builder: Any, value: Value) -> Value:
    """`array.ctypes.data`."""
    return Value(types.uint64, builder.ptrtoint(parts_of(builder, value).data, WORD))


def is_plain(value: Value, at: Sequence[Value]) -> bool:
    """Whether subscripts say one entry of an array, or all that stand under its first ones."""
    fits = isinstance(value.kind, types.Array) and value.kind.layout == "C" and 0 < len(at) <= value.kind.ndim
    return fits and all(isinstance(v.kind, types.Integer) for v in at)


def part(builder: Any, value: Value, at: Sequence[Value]) -> Value:
    """The entry, or the array under the first subscripts."""
    where = place(builder, value, at)
    if len(at) == value.kind.ndim:
        return load(builder, value, where)
    parts, held = parts_of(builder, value), len(at)
    kind = of_axes(value.kind.dtype, value.kind.ndim - held)
    return Value(kind, parts=Parts(where, parts.lengths[held:], parts.steps[held:], parts.strand))


def place(builder: Any, value: Value, at: Sequence[Value]) -> Any:
    """The address of an entry; a subscript with a sign may count from the end."""
    parts = parts_of(builder, value)
    found = None
    for subscript, length, step in zip(at, parts.lengths, parts.steps, strict=False):
        here = _from_start(builder, subscript, length)
        if not (isinstance(step, ir.Constant) and step.constant == 1):
            here = builder.mul(here, step)
        found = here if found is None else builder.add(found, here)
    return builder.gep(parts.data, [found])


def _from_start(builder: Any, subscript: Value, length: Any) -> Any:
    if not subscript.kind.signed:
        return cast(builder, subscript, types.uint64)
    here = cast(builder, subscript, types.int64)
    if subscript.known is not None and subscript.known >= 0:
        return here
    return slicing.fix_index(builder, here, length)  # type: ignore[no-untyped-call]


def load(builder: Any, value: Value, where: Any) -> Value:
    """The number at an address of an array."""
    number = context().unpack_value(builder, value.kind.dtype, where)
    _told(builder, value, number)
    return Value(value.kind.dtype, number)


def store(builder: Any, value: Value, where: Any, entry: Value) -> None:
    """A number to an address of an array."""
    context().pack_value(builder, value.kind.dtype, cast(builder, entry, value.kind.dtype), where)
    _told(builder, value, builder.block.instructions[-1])


def _told(builder: Any, value: Value, access: Any) -> None:
    """Says of a load or a store through a strand that those through the others of its group never touch its entry.

    Names of scopes are those of one array in one function: LLVM takes scopes of one name for the same one, and copies
    them when it inlines the function.
    """
    parts = value.parts
    if parts is None or parts.strand is None or getattr(access, "opname", "") not in ("load", "store"):
        return
    group, own, count = parts.strand
    module, name = builder.module, f"{builder.function.name} {parts.data.get_reference()} {group}"
    domain = module.add_metadata([name])
    scopes = [module.add_metadata([f"{name} {k}", domain]) for k in range(count)]
    access.set_metadata("alias.scope", module.add_metadata([scopes[own]]))
    access.set_metadata("noalias", module.add_metadata([s for k, s in enumerate(scopes) if k != own]))
