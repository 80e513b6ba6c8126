"""What emitted code does to arrays as a whole: views, arrays on the stack, work in parts (see `addresses`, `parts`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from numba import types

from symdl.compilation.machine import addresses, parts
from symdl.compilation.machine.translation import arrays, calls
from symdl.compilation.machine.translation.operations import cast
from symdl.compilation.machine.translation.registries import context
from symdl.compilation.machine.translation.values import WORD, Parts, Untranslatable, Value


def _view(builder: Any, array: Value, start: Value, shape: Value) -> Value:
    whole = arrays.parts_of(builder, array)
    place = builder.gep(whole.data, [cast(builder, start, types.int64)], inbounds=True)
    return arrays.array(builder, _shaped(array.kind.dtype, shape), place, _lengths(builder, shape))


def _joined(builder: Any, array: Value, shape: Value) -> Value:
    data = arrays.parts_of(builder, array).data
    return arrays.array(builder, _shaped(array.kind.dtype, shape), data, _lengths(builder, shape))


def _carray(builder: Any, pointer: Value, shape: Value, kind: Value) -> Value:
    dtype = kind.kind.dtype
    data = builder.bitcast(pointer.code, context().get_data_type(dtype).as_pointer())
    return arrays.array(builder, _shaped(dtype, shape), data, _lengths(builder, shape))


def _apart(builder: Any, array: Value) -> Value:
    found = arrays.parts_of(builder, array)
    data = addresses.fresh(builder, found.data)
    return Value(array.kind, parts=Parts(data, found.lengths, found.steps))


def _strand(builder: Any, array: Value, group: Value, number: Value, count: Value) -> Value:
    known = [v.known for v in (group, number, count)]
    if not all(isinstance(k, int) for k in known):
        raise Untranslatable("a strand whose number does not stand in the source")
    group_of, own, of = (int(k) for k in known if k is not None)
    return Value(array.kind, parts=replace(arrays.parts_of(builder, array), strand=(group_of, own, of)))


def _shaped(dtype: Any, shape: Value) -> Any:
    return arrays.of_axes(dtype, len(shape.kind))


def _lengths(builder: Any, shape: Value) -> list[Any]:
    if not shape.entries:
        raise Untranslatable("lengths that do not stand in the source")
    return [cast(builder, e, types.int64) for e in shape.entries]


def _work_of(builder: Any, unit: Value, arguments: Value) -> Value:
    descriptor = getattr(unit.kind, "descriptor", None)
    if descriptor is None or not arguments.entries:
        raise Untranslatable("work of what is no unit")
    function = context().declare_function(builder.module, descriptor)
    room = calls.packed(builder, arguments.entries, unit.kind.sig.args[2:])
    entry = calls.part_of_work(builder.module, function, room.type.pointee, unit.kind.sig.args)
    both = tuple(Value(types.int64, builder.ptrtoint(p, WORD)) for p in (entry, room))
    kind: Any = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
    return Value(kind, entries=both)


#: What is done here, and not by what Numba is told of it.
PLACES: Mapping[Any, Callable[..., Value]] = {
    addresses.view: _view,
    addresses.joined: _joined,
    addresses.carray: _carray,
    addresses.apart: _apart,
    addresses.strand: _strand,
    parts.work_of: _work_of,
}
