"""Work in parts as threads hand it to each other: the address of a function, and that of what it is given."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from symdl.compilation.machine.units import Unit

WORD = ir.IntType(64)
#: What does one part of some work: from the address of what it is given, the number of the part and how many there are.
ENTRY = ir.FunctionType(ir.VoidType(), [WORD, WORD, WORD])


def _work_of(context, function, arguments):  # type: ignore[no-untyped-def]
    if not isinstance(function, (types.Dispatcher, Unit)) or not isinstance(arguments, types.BaseTuple):
        return None
    kinds_given: list[Any] = [*arguments]  # type: ignore[misc]
    kinds = tuple(types.int64 if isinstance(t, types.Integer) else t for t in kinds_given)
    called = function.get_call_type(context, (types.int64, types.int64, *kinds), {})
    if called is None:
        return None
    wanted = called.args

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        inner = _descriptor(context, function, wanted)
        pack = ir.LiteralStructType([context.get_value_type(t) for t in wanted[2:]])
        with builder.goto_entry_block():  # such as a loop may come by many times
            room = builder.alloca(pack)
        given = cgutils.unpack_tuple(builder, values[1], len(kinds))  # type: ignore[no-untyped-call]
        for k, (value, kind) in enumerate(zip(given, kinds_given, strict=True)):
            place = builder.gep(room, [ir.IntType(32)(0), ir.IntType(32)(k)], inbounds=True)
            builder.store(context.cast(builder, value, kind, wanted[2 + k]), place)
        entry = _entry(context, builder.module, inner, called, pack)
        both = [builder.ptrtoint(p, WORD) for p in (entry, room)]
        return context.make_tuple(builder, signature.return_type, both)

    return types.UniTuple(types.int64, 2)(function, arguments), emit  # type: ignore[no-untyped-call]


def _descriptor(context: Any, function: Any, kinds: tuple[Any, ...]) -> Any:
    """What says how a function is called, which is linked in unless it is known by its symbol."""
    if isinstance(function, Unit):
        return function.descriptor
    inner = function.dispatcher.overloads[kinds]
    context.add_linking_libs([inner.library])
    return inner.fndesc


def _entry(context: Any, module: Any, inner: Any, called: Any, pack: Any) -> Any:
    """A function that takes its arguments from memory."""
    made = ir.Function(module, ENTRY, module.get_unique_name("symdl_part"))
    made.linkage = "internal"
    builder = ir.IRBuilder(made.append_basic_block())
    room = builder.inttoptr(made.args[0], pack.as_pointer())
    index = ir.IntType(32)
    given = [builder.load(builder.gep(room, [index(0), index(k)])) for k in range(len(pack.elements))]
    context.call_internal_no_propagate(builder, inner, called, (made.args[1], made.args[2], *given))
    builder.ret_void()
    return made


def _called(context, address, given, number, parts):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        entry = builder.inttoptr(values[0], ENTRY.as_pointer())
        builder.call(entry, values[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), emit


#: `work_of(function, (a, b, …))`: the address of what calls `function(number, parts, a, b, …)`, and that of a and b,
#: which stay where they are until the function that asks returns.
work_of = intrinsic(_work_of)
#: `called(address, given, number, parts)`: does one part.
called = intrinsic(_called)
