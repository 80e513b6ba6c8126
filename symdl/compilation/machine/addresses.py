"""Arrays whose lengths are written into the code, so that their steps are constants of it, and arrays on the stack.

LLVM knows that an array on the stack is nobody else's, and keeps what it can of it in registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

POINTER, FRESH = ir.IntType(8).as_pointer(), "symdl_fresh"
#: Bytes by which arrays on the stack are aligned: a vector register.
ALIGNMENT = 64


def _view(context, array, start, shape):  # type: ignore[no-untyped-def]
    if not isinstance(array, types.Array):
        return None
    result, count = types.Array(array.dtype, len(shape), "C"), len(shape)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        lengths = cgutils.unpack_tuple(builder, values[2], count)  # type: ignore[no-untyped-call]
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype)))
        made = context.make_array(result)(context, builder)
        place = builder.gep(data, [values[1]], inbounds=True)
        populate_array(made, **_described(builder, place, lengths, size))  # type: ignore[no-untyped-call]
        return made._getvalue()

    wanted = types.UniTuple(types.intp, count)  # type: ignore[no-untyped-call]
    return result(array, types.int64, wanted), emit


def _joined(context, array, shape):  # type: ignore[no-untyped-def]
    made = _view(context, array, types.int64, shape)  # type: ignore[no-untyped-call]
    if made is None:
        return None

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return made[1](context, builder, signature, [values[0], context.get_constant(types.int64, 0), values[1]])

    return made[0].return_type(array, made[0].args[2]), emit


def _stack(context, size):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = context.get_value_type(types.int8)
        with builder.goto_entry_block():
            room = builder.alloca(kind, size=context.get_constant(types.int64, size.literal_value))
            room.align = ALIGNMENT
        return builder.bitcast(room, context.get_value_type(types.voidptr))

    return types.voidptr(size), emit


def _carray(context, pointer, shape, kind):  # type: ignore[no-untyped-def]
    count = len(shape)
    result = types.Array(kind.dtype, count, "C")

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = context.make_array(result)(context, builder)
        lengths = cgutils.unpack_tuple(builder, values[1], count)  # type: ignore[no-untyped-call]
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(result.dtype)))
        given = _described(builder, values[0], lengths, size)
        given["data"] = builder.bitcast(values[0], made.data.type)
        populate_array(made, **given)  # type: ignore[no-untyped-call]
        return made._getvalue()

    wanted = types.UniTuple(types.intp, count)  # type: ignore[no-untyped-call]
    return result(types.voidptr, wanted, kind), emit


def _described(builder: Any, data: Any, lengths: list[Any], size: Any) -> dict[str, Any]:
    """What Numba keeps of a contiguous array, whose memory nobody counts."""
    steps = [size]
    for length in reversed(lengths[1:]):
        steps.insert(0, builder.mul(steps[0], length))
    return {"data": data, "shape": lengths, "strides": steps, "itemsize": size, "meminfo": None}


def _address(context, pointer):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ptrtoint(values[0], context.get_value_type(types.int64))

    return types.int64(types.voidptr), emit


def _uncounted(context: Any, builder: Any, array: Any, value: Any) -> Any:
    """An array to which nobody counts who refers."""
    made = context.make_array(array)(context, builder, value)
    made.meminfo = cgutils.get_null_value(made.meminfo.type)  # type: ignore[no-untyped-call]
    return made


def _apart(context, array):  # type: ignore[no-untyped-def]
    if not isinstance(array, types.Array):
        return None

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = _uncounted(context, builder, array, values[0])
        made.data = fresh(builder, made.data)
        return made._getvalue()

    return array(array), emit


def _strand(context, array, group, number, count):  # type: ignore[no-untyped-def]
    if not isinstance(array, types.Array):
        return None

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _uncounted(context, builder, array, values[0])._getvalue()

    return array(array, group, number, count), emit


def fresh(builder: Any, data: Any) -> Any:
    """A pointer, as one to what nothing else refers to."""
    pointer = builder.call(_fresh(builder.module), [builder.bitcast(data, POINTER)])
    # whoever knows of it may read it later: else what is written there would be left out
    builder.asm(ir.FunctionType(ir.VoidType(), [POINTER]), "", "r,~{memory}", [pointer], side_effect=True)
    return builder.bitcast(pointer, data.type)


def _fresh(module: Any) -> Any:
    """The identity, of which LLVM takes it that it returns memory of its own."""
    known = module.globals.get(FRESH)
    if known is not None:
        return known
    made = ir.Function(module, ir.FunctionType(POINTER, [POINTER]), FRESH)
    made.linkage = "internal"
    made.attributes.add("noinline")
    made.attributes.add("optnone")  # else what it returns would be seen to be what it is given
    made.return_value.add_attribute("noalias")
    builder = ir.IRBuilder(made.append_basic_block())
    builder.ret(made.args[0])
    return made


#: `view(array, start, shape)`: the entries of a contiguous array from `start` on as an array of that shape. Nobody
#: counts who refers to it, and it takes Numba less time than a slice that is given a shape.
view = intrinsic(_view)
#: `joined(array, shape)`: all entries of a contiguous array in another shape.
joined = intrinsic(_joined)
#: `stack(bytes)`: room on the stack of the function that calls it; a number that stands in the code.
stack = intrinsic(prefer_literal=True)(_stack)
#: `carray(pointer, shape, dtype)`: the numbers at a place as an array. Nobody counts who refers to it, and Numba has
#: nothing to compile for it, as it has for its own function of that name.
carray = intrinsic(_carray)
#: `address(pointer)`: the same as a number.
address = intrinsic(_address)
#: `apart(array)`: the same array, as one whose numbers nothing else in the function that asks refers to. Nobody counts
#: who refers to it.
apart = intrinsic(_apart)
#: `strand(array, group, number, count)`: the same array, for entries that those which are read and written through the
#: other strands of its group never are, anywhere in the function. Where Numba translates, nothing comes of it.
strand = intrinsic(_strand)
