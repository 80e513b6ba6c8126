"""What emitted code does to vectors beside arithmetic (see `lanetypes`): choosing, functions, arrays of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from symdl.compilation.machine.addresses import ALIGNMENT
from symdl.compilation.machine.lanetypes import INDEX, LanesType, MaskType, compare, lanes_of


def _called(builder: Any, name: str, *values: Any, more: str = "") -> Any:
    """A call of one of LLVM's functions on numbers or vectors."""
    kind = values[0].type
    count, number = (kind.count, kind.element) if isinstance(kind, ir.VectorType) else (0, kind)
    suffix = f"{f'v{count}' if count else ''}{'f32' if number == ir.FloatType() else 'f64'}"
    full = f"llvm.{name}.{suffix}{more}"
    known = builder.module.globals.get(full)
    function = known or ir.Function(builder.module, ir.FunctionType(kind, [v.type for v in values]), full)
    return builder.call(function, values)


def _of_llvm(name: str) -> Any:
    """One of LLVM's functions of one or two numbers, of vectors as well."""

    def typed(context, a):  # type: ignore[no-untyped-def]
        return a(a), lambda context, builder, signature, values: _called(builder, name, *values)

    return intrinsic(typed)


def _copysign_of(context, a, b):  # type: ignore[no-untyped-def]
    kind = lanes_of((a, b)) or a
    return kind(kind, kind), lambda context, builder, signature, values: _called(builder, "copysign", *values)


def _fused_of(context, a, b, c):  # type: ignore[no-untyped-def]
    kind = lanes_of((a, b, c)) or a
    return kind(kind, kind, kind), lambda context, builder, signature, values: _called(builder, "fma", *values)


def _chosen(context, test, a, b):  # type: ignore[no-untyped-def]
    kind = lanes_of((a, b)) or a
    if isinstance(test, MaskType) and not isinstance(kind, LanesType):
        kind = LanesType(kind, test.count)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return kind(test, kind, kind), emit


def _raised_of(context, value, n):  # type: ignore[no-untyped-def]
    kind = lanes_of((value, n)) or value

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number, power = values
        count = kind.count if isinstance(kind, LanesType) else 0
        name, size = ("ps", 32) if number.type in (ir.FloatType(), ir.VectorType(ir.FloatType(), count)) else ("pd", 64)
        if scales(count * size):
            function = f"llvm.x86.avx512.mask.scalef.{name}.{count * size}"
            mask = ir.IntType(max(count, 8))
            arguments = [number, power, ir.Constant(number.type, ir.Undefined), mask(-1)]
            arguments += [ir.IntType(32)(4)] if count * size == 512 else []  # rounding as it is set
            kinds = ir.FunctionType(number.type, [a.type for a in arguments])
            known = builder.module.globals.get(function) or ir.Function(builder.module, kinds, function)
            return builder.call(known, arguments)
        return _by_factors(builder, number, power, count)

    return kind(kind, kind), emit


def scales(bits: int) -> bool:
    """Whether the processor multiplies vectors of so many bits by powers of two at once."""
    features = llvmlite.binding.get_host_cpu_features()
    return bool((bits == 512 and features.get("avx512f")) or (bits == 256 and features.get("avx512vl")))


def _by_factors(builder: Any, number: Any, power: Any, count: int) -> Any:
    """number·2**n as two products, so that subnormals come out; by the bits of the factors."""
    single = (number.type.element if count else number.type) == ir.FloatType()
    word = ir.IntType(32 if single else 64)
    whole = ir.VectorType(word, count) if count else word
    is_number = compare("==")(builder, power, power) if count else builder.fcmp_ordered("==", power, power)
    bits = builder.fptosi(builder.select(is_number, power, ir.Constant(power.type, None)), whole)

    def same(value: int) -> Any:
        return ir.Constant(whole, [value] * count) if count else word(value)

    half = builder.ashr(bits, same(1))
    bias, place = (127, 23) if single else (1023, 52)
    for part in (half, builder.sub(bits, half)):
        factor = builder.shl(builder.add(part, same(bias)), same(place))
        number = builder.fmul(number, builder.bitcast(factor, number.type))
    return number


def _fraction_of(context, k):  # type: ignore[no-untyped-def]
    if not isinstance(k, LanesType):
        return k(k), lambda context, builder, signature, values: values[0]

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value, count = values[0], k.count
        whole, kind = ir.VectorType(INDEX, count), value.type
        table = ir.Constant(kind, [float(np.float32(2.0 ** (j / count))) for j in range(count)])
        name = {16: "llvm.x86.avx512.permvar.sf.512", 8: "llvm.x86.avx2.permps"}[count]
        known = builder.module.globals.get(name)
        function = known or ir.Function(builder.module, ir.FunctionType(kind, [kind, whole]), name)
        return builder.call(function, [table, builder.bitcast(value, whole)])

    return k(k), emit


def _total(context, a):  # type: ignore[no-untyped-def]
    if not isinstance(a, LanesType):  # which a variable is until its next value is known
        return a(a), lambda context, builder, signature, values: values[0]

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        value, count = values[0], a.count
        while count > 1:
            count //= 2
            halves = [
                builder.shuffle_vector(value, value, ir.Constant(ir.VectorType(INDEX, count), [*range(s, s + count)]))
                for s in (0, count)
            ]
            value = builder.fadd(*halves)
        return builder.extract_element(value, INDEX(0))

    return a.number(a), emit


def _any_lane(context, mask):  # type: ignore[no-untyped-def]
    if not isinstance(mask, MaskType):
        return types.boolean(mask), lambda context, builder, signature, values: values[0]

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = ir.IntType(mask.count)
        return builder.icmp_unsigned("!=", builder.bitcast(values[0], word), word(0))

    return types.boolean(mask), emit


def _array_of(context: Any, builder: Any, kind: Any, data: Any, lengths: list[Any]) -> Any:
    """A contiguous array at an address."""
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    steps = [size]
    for length in reversed(lengths[1:]):
        steps.insert(0, builder.mul(steps[0], length))
    made = context.make_array(kind)(context, builder)
    place = builder.bitcast(data, context.get_data_type(kind.dtype).as_pointer())
    populate_array(made, place, lengths, steps, size, None)  # type: ignore[no-untyped-call]
    return made._getvalue()


@cache
def rooms(dtype: str, count: int) -> Any:
    """`room(bytes, shape)` for a dtype and so many lanes: an array of vectors on the stack of whoever calls it."""
    kind = LanesType(getattr(types, dtype), count)

    def _room(context, size, shape):  # type: ignore[no-untyped-def]
        if not isinstance(shape, types.BaseTuple):
            return None
        result = types.Array(kind, len(shape), "C")

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            with builder.goto_entry_block():
                place = builder.alloca(ir.IntType(8), size=ir.IntType(64)(size.literal_value))
                place.align = ALIGNMENT
            lengths = cgutils.unpack_tuple(builder, values[1], len(shape))  # type: ignore[no-untyped-call]
            return _array_of(context, builder, result, place, lengths)

        return result(size, shape), emit

    return intrinsic(prefer_literal=True)(_room)


@cache
def views(dtype: str, count: int) -> Any:
    """`vectors(array)` for a dtype and so many lanes: a row of numbers as a row of vectors, wherever it stands."""
    kind = LanesType(getattr(types, dtype), count)

    def _vectors(context, array):  # type: ignore[no-untyped-def]
        if not isinstance(array, types.Array) or array.dtype != kind.number:
            return None
        result = types.Array(kind, 1, "C", aligned=False)

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            given = context.make_array(array)(context, builder, values[0])
            size = builder.extract_value(given.shape, 0)
            lengths = [builder.udiv(size, context.get_constant(types.intp, count))]
            return _array_of(context, builder, result, given.data, lengths)

        return result(array), emit

    return intrinsic(_vectors)


def _numbers(context, array):  # type: ignore[no-untyped-def]
    if not isinstance(array, types.Array) or not isinstance(array.dtype, LanesType):
        return None
    result = types.Array(array.dtype.number, array.ndim + 1, "C")

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        given = context.make_array(array)(context, builder, values[0])
        lengths = [*cgutils.unpack_tuple(builder, given.shape, array.ndim)]  # type: ignore[no-untyped-call]
        lengths.append(context.get_constant(types.intp, array.dtype.count))
        return _array_of(context, builder, result, given.data, lengths)

    return result(array), emit


def _turned(context, array, place, vectors, target, inner):  # type: ignore[no-untyped-def]
    if not isinstance(vectors, types.Array) or not isinstance(vectors.dtype, LanesType):
        return None
    width, number = vectors.dtype.count, vectors.dtype.number

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        count = inner.literal_value
        source, wanted = (_entry(context, builder, signature.args[k], values[k], values[k + 1]) for k in (0, 2))
        element = context.get_data_type(number)
        whole = builder.load(builder.bitcast(source, ir.VectorType(element, width * count).as_pointer()))
        whole.align = 4 if number == types.float32 else 8
        nothing = ir.Constant(whole.type, ir.Undefined)
        for k in range(count):
            order = ir.Constant(ir.VectorType(INDEX, width), [lane * count + k for lane in range(width)])
            builder.store(builder.shuffle_vector(whole, nothing, order), builder.gep(wanted, [INDEX(k)]))
        return context.get_dummy_value()

    return types.void(array, place, vectors, target, inner), emit


def _entry(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """The address of an entry of a contiguous array, whose last axes are not given."""
    made = context.make_array(kind)(context, builder, array)
    lengths = cgutils.unpack_tuple(builder, made.shape, kind.ndim)  # type: ignore[no-untyped-call]
    found = ir.IntType(64)(0)
    indices = cgutils.unpack_tuple(builder, place)  # type: ignore[no-untyped-call]
    for k, length in enumerate(lengths):
        found = builder.mul(found, length)
        found = builder.add(found, indices[k]) if k < len(indices) else found
    return builder.gep(made.data, [found])


#: `numbers(array)`: an array of vectors as one of numbers; its last axis runs over the lanes.
numbers = intrinsic(_numbers)
#: `turned(array, place, vectors, target, inner)`: numbers of an array from a place on, `inner` for each lane, as that
#: many vectors of another array from `target` on.
turned = intrinsic(prefer_literal=True)(_turned)
#: `chosen(test, a, b)`: in each lane a where the test holds, else b.
chosen = intrinsic(_chosen)
#: `floor_of(x)`, `size_of(x)`, `root_of(x)`: ⌊x⌋, |x|, √x of a number or a vector.
floor_of, size_of, root_of = _of_llvm("floor"), _of_llvm("fabs"), _of_llvm("sqrt")
#: `copysign_of(a, b)`: |a| with the sign of b.
copysign_of = intrinsic(_copysign_of)
#: `fused_of(a, b, c)`: a·b + c, rounded once; LLVM makes a product of its own of one that is used twice.
fused_of = intrinsic(_fused_of)
#: `raised_of(value, n)`: value·2ⁿ for whole numbers n, subnormal results included.
raised_of = intrinsic(_raised_of)
#: `fraction_of(k)`: 2**(j/lanes), where j is what the last bits of a number say; of 8 or 16 lanes in float32.
fraction_of = intrinsic(_fraction_of)
#: `total(x)`: the sum of all lanes, of halves of them first.
total = intrinsic(_total)
#: `any_lane(mask)`: whether it holds in a lane.
any_lane = intrinsic(_any_lane)
