"""How functions call each other, as Numba's do: arrays are the numbers that they have, the result is a status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.callconv import excinfo_t

from symdl.compilation.machine.parts import ENTRY
from symdl.compilation.machine.translation import arrays
from symdl.compilation.machine.translation.operations import cast
from symdl.compilation.machine.translation.registries import context
from symdl.compilation.machine.translation.values import Value

_INDEX = ir.IntType(32)


def received(builder: Any, kinds: Sequence[Any], function: Any) -> list[Value]:
    """The arguments of a function that begins."""
    raw, found = list(context().call_conv.get_arguments(function)), []
    for kind in kinds:
        if isinstance(kind, types.Array):
            held = arrays.width(kind)
            found.append(arrays.given(builder, kind, raw[:held]))
        else:
            packer = context().get_arg_packer((kind,))
            held = len(packer.argument_types)
            (code,) = packer.from_arguments(builder, raw[:held])
            found.append(Value(kind, code))
        raw = raw[held:]
    return found


def passed(builder: Any, values: Sequence[Value], kinds: Sequence[Any]) -> list[Any]:
    """Values as the arguments of a function that takes these types."""
    flat: list[Any] = []
    for value, kind in zip(values, kinds, strict=True):
        if isinstance(kind, types.Array) and value.kind == kind:
            flat += arrays.as_arguments(builder, value)
        else:
            flat += context().get_arg_packer((kind,)).as_arguments(builder, [cast(builder, value, kind)])
    return flat


def called(builder: Any, function: Any, flat: Sequence[Any], result: Any) -> Any:
    """Call a function, and return where it fails; its result, of one of LLVM's types, comes by way of memory."""
    room = cgutils.alloca_once(builder, result)  # type: ignore[no-untyped-call]
    status = _status(builder, function, room, flat)
    failed = builder.icmp_signed("!=", status, status.type(0))
    with cgutils.if_unlikely(builder, failed):  # type: ignore[no-untyped-call]
        builder.ret(status)
    return builder.load(room)


def _status(builder: Any, function: Any, room: Any, flat: Sequence[Any]) -> Any:
    problem = cgutils.alloca_once(builder, ir.PointerType(excinfo_t))  # type: ignore[no-untyped-call]
    return builder.call(function, [builder.bitcast(room, function.args[0].type), problem, *flat])


def packed(builder: Any, values: Sequence[Value], kinds: Sequence[Any]) -> Any:
    """Values of some types in memory, which stays until the function returns: its address."""
    flat: list[Any] = []
    for value, kind in zip(values, kinds, strict=True):
        if isinstance(kind, types.Array):
            parts = arrays.parts_of(builder, value)
            flat += [parts.data, *parts.lengths]
        else:
            flat.append(cast(builder, value, kind))
    room = cgutils.alloca_once(builder, ir.LiteralStructType([v.type for v in flat]))  # type: ignore[no-untyped-call]
    for k, value in enumerate(flat):
        builder.store(value, builder.gep(room, [_INDEX(0), _INDEX(k)], inbounds=True))
    return room


def part_of_work(module: Any, function: Any, pack: Any, kinds: Sequence[Any]) -> Any:
    """What does one part of some work: it takes from memory what `packed` has put there (see `parts`)."""
    name = f"{function.name}_part"
    if name in module.globals:
        return module.globals[name]
    made = ir.Function(module, ENTRY, name)
    made.linkage = "internal"
    builder = ir.IRBuilder(made.append_basic_block())
    room = builder.inttoptr(made.args[0], pack.as_pointer())
    flat = [builder.load(builder.gep(room, [_INDEX(0), _INDEX(k)])) for k in range(len(pack.elements))]
    values = [Value(types.int64, made.args[1]), Value(types.int64, made.args[2])]
    for kind in kinds[2:]:
        held = 1 + kind.ndim if isinstance(kind, types.Array) else 1
        is_array = isinstance(kind, types.Array)
        values.append(arrays.array(builder, kind, flat[0], flat[1:held]) if is_array else Value(kind, flat[0]))
        flat = flat[held:]
    result = builder.alloca(function.args[0].type.pointee)
    _status(builder, function, result, passed(builder, values, kinds))
    builder.ret_void()
    return made
