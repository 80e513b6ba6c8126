"""Arrays whose lengths are written into the code, so that their steps are constants of it, and arrays on the stack.

LLVM knows that an array on the stack is nobody else's, and keeps what it can of it in registers.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

#: Bytes by which arrays on the stack are aligned: a vector register.
ALIGNMENT = 64


def _pointer(context, array, start):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, values[0]).data
        place = builder.gep(data, [values[1]], inbounds=True)
        return builder.bitcast(place, context.get_value_type(types.voidptr))

    return types.voidptr(array, types.int64), emit


def _stack(context, size):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = context.get_value_type(types.int8)
        with builder.goto_entry_block():
            room = builder.alloca(kind, size=context.get_constant(types.int64, size.literal_value))
            room.align = ALIGNMENT
        return builder.bitcast(room, context.get_value_type(types.voidptr))

    return types.voidptr(size), emit


def _address(context, pointer):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ptrtoint(values[0], context.get_value_type(types.int64))

    return types.int64(types.voidptr), emit


#: `pointer(array, start)`: the address of the entry `start` of a contiguous array, as `numba.carray` takes it.
pointer = intrinsic(_pointer)
#: `stack(bytes)`: room on the stack of the function that calls it; a number that stands in the code.
stack = intrinsic(prefer_literal=True)(_stack)
#: `address(pointer)`: the same as a number.
address = intrinsic(_address)
