"""Subscripts and attributes of arrays, whose entries stand side by side in emitted code, the last axis innermost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.cpython import slicing

from symdl.compilation.machine.translation.operations import cast, context
from symdl.compilation.machine.translation.values import WORD, Parts, Untranslatable, Value


def parts_of(builder: Any, array: Value) -> Parts:
    """What an array has, read from the structure that Numba keeps of it."""
    if array.parts is not None:
        return array.parts
    data, shape = (_field(builder, array, name) for name in ("data", "shape"))
    lengths = tuple(cgutils.unpack_tuple(builder, shape, array.kind.ndim))  # type: ignore[no-untyped-call]
    steps = [ir.Constant(WORD, 1)]
    for length in reversed(lengths[1:]):
        steps.insert(0, builder.mul(length, steps[0]) if len(steps) > 1 else length)
    return Parts(data, lengths, tuple(steps))


def _field(builder: Any, array: Value, name: str) -> Any:
    position = context().data_model_manager[array.kind].get_field_position(name)
    return builder.extract_value(array.code, position)


def attribute(builder: Any, array: Value, name: str) -> Value:
    """`array.size` or `array.shape`.

    Raises:
        Untranslatable: any other.
    """
    if name == "size":
        return Value(types.int64, _field(builder, array, "nitems"))
    if name == "shape":
        kind: Any = types.UniTuple(types.int64, array.kind.ndim)  # type: ignore[no-untyped-call]
        return Value(kind, _field(builder, array, "shape"))
    raise Untranslatable(f"array.{name}")


def address(builder: Any, array: Value) -> Value:
    """`array.ctypes.data`."""
    return Value(types.uint64, builder.ptrtoint(parts_of(builder, array).data, WORD))


def is_entry(array: Value, at: Sequence[Value]) -> bool:
    """Whether subscripts say one entry of an array."""
    plain = isinstance(array.kind, types.Array) and array.kind.layout == "C" and len(at) == array.kind.ndim > 0
    return plain and all(isinstance(v.kind, types.Integer) for v in at)


def place(builder: Any, array: Value, at: Sequence[Value]) -> Any:
    """The address of an entry; a subscript with a sign may count from the end."""
    parts = parts_of(builder, array)
    found = None
    for subscript, length, step in zip(at, parts.lengths, parts.steps, strict=True):
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


def load(builder: Any, array: Value, where: Any) -> Value:
    """The number at an address of an array."""
    return Value(array.kind.dtype, context().unpack_value(builder, array.kind.dtype, where))


def store(builder: Any, array: Value, where: Any, value: Value) -> None:
    """A number to an address of an array."""
    context().pack_value(builder, array.kind.dtype, cast(builder, value, array.kind.dtype), where)
