"""Instructions of GPUs that Numba has no function for, and the same in plain Python for Numba's simulator.

Vectors are 16 bytes, what a thread loads and stores at once: 4 numbers of float32, 2 of float64.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from symdl.compilation.devices import simulated
from symdl.compilation.targets.cuda_vectors import VECTOR


def _reciprocal(context, x):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, letter = ("f32", "f") if signature.args[0] == types.float32 else ("f64", "d")
        (value,) = values
        function = ir.FunctionType(value.type, [value.type])
        code = ir.InlineAsm(function, f"rcp.approx.ftz.{kind} $0, $1;", f"={letter},{letter}", side_effect=False)
        return builder.call(code, values)

    return x(x), emit


def _rounded_product(context, a, b):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, letter = ("f32", "f") if signature.args[0] == types.float32 else ("f64", "d")
        function = ir.FunctionType(values[0].type, [v.type for v in values])
        code = f"mul.rn.{kind} $0, $1, $2;"
        asm = ir.InlineAsm(function, code, f"={letter},{letter},{letter}", side_effect=False)
        return builder.call(asm, values)

    return a(a, a), emit


def _pointer(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Where a vector of an array begins."""
    array = context.make_array(signature.args[0])(context, builder, value=values[0])
    return builder.gep(array.data, [values[1]])


def _length(array: Any) -> int:
    return VECTOR // int(array.dtype.bitwidth // 8)


def _tuple(array: Any) -> Any:
    """The type of the numbers of a vector."""
    return types.UniTuple(array.dtype, _length(array))  # type: ignore[no-untyped-call]


def _vector(context, array, place):  # type: ignore[no-untyped-def]
    count = _length(array)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature, values)
        kind = ir.VectorType(pointer.type.pointee, count)
        vector = builder.load(builder.bitcast(pointer, kind.as_pointer()), align=VECTOR)
        numbers = [builder.extract_element(vector, ir.Constant(ir.IntType(32), k)) for k in range(count)]
        return context.make_tuple(builder, signature.return_type, numbers)

    return _tuple(array)(array, place), emit


def _put(context, array, place, numbers):  # type: ignore[no-untyped-def]
    count = _length(array)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = _pointer(context, builder, signature, values)
        kind = ir.VectorType(pointer.type.pointee, count)
        vector = ir.Constant(kind, ir.Undefined)
        for k in range(count):
            vector = builder.insert_element(vector, builder.extract_value(values[2], k), ir.Constant(ir.IntType(32), k))
        builder.store(vector, builder.bitcast(pointer, kind.as_pointer()), align=VECTOR)
        return context.get_dummy_value()

    return types.void(array, place, _tuple(array)), emit


def _aligned(context, array, place):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = builder.ptrtoint(_pointer(context, builder, signature, values), ir.IntType(64))
        rest = builder.and_(address, ir.Constant(ir.IntType(64), VECTOR - 1))
        return builder.icmp_unsigned("==", rest, ir.Constant(ir.IntType(64), 0))

    return types.boolean(array, place), emit


def _plain_reciprocal(x: Any) -> Any:
    return type(x)(1) / x


def _plain_product(a: Any, b: Any) -> Any:
    return a * b


def _plain_vector(array: Any, place: Any) -> tuple[Any, ...]:
    return tuple(array[int(place) + k] for k in range(VECTOR // array.dtype.itemsize))


def _plain_put(array: Any, place: Any, numbers: tuple[Any, ...]) -> None:
    for k, number in enumerate(numbers):
        array[int(place) + k] = number


def _plain_aligned(array: Any, place: Any) -> bool:
    return True


#: `reciprocal(x)`: 1/x for normal |x| up to 2**126, off by an ulp in float32 and by 2**−20 of it in float64.
reciprocal: Any = _plain_reciprocal
#: `rounded_product(a, b)`: a·b of two numbers of a dtype, rounded by itself even where a sum follows.
rounded_product: Any = _plain_product
#: `vector(array, place)`: the numbers that begin at an aligned place.
vector: Any = _plain_vector
#: `put(array, place, numbers)`: stores as many.
put: Any = _plain_put
#: `aligned(array, place)`: whether a vector may begin there.
aligned: Any = _plain_aligned
if not simulated():
    from numba.cuda.extending import intrinsic

    reciprocal, vector = intrinsic(_reciprocal), intrinsic(_vector)
    put, aligned = intrinsic(_put), intrinsic(_aligned)
    rounded_product = intrinsic(_rounded_product)

__all__ = ["aligned", "put", "reciprocal", "rounded_product", "vector"]
