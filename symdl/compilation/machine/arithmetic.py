"""Operations that processors have and Numba has no function for."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from symdl.compilation.machine.lanetypes import LanesType, MaskType, lanes_of


def _fma(context, a, b, c):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return a(a, a, a), emit


def _ldexp(context, value, n):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number, power = values
        name = f"llvm.ldexp.{'f32' if number.type == ir.FloatType() else 'f64'}.i32"
        kind = ir.FunctionType(number.type, [number.type, power.type])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.call(function, [number, power])

    return value(value, types.int32), emit


def _chosen(context, test, a, b):  # type: ignore[no-untyped-def]
    kind = lanes_of((a, b)) or a
    if isinstance(test, MaskType) and not isinstance(kind, LanesType):
        kind = LanesType(kind, test.count)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return kind(test, kind, kind), emit


#: `chosen(test, a, b)`: a where the test holds, else b, in each lane of vectors. Both are computed, and no branch is
#: made of it, to which LLVM would copy what follows.
chosen = intrinsic(_chosen)
#: `fma(a, b, c)`: a·b + c, rounded once; a call of the C library where the processor has no instruction for it.
fma = intrinsic(_fma)
#: `ldexp(value, n)`: value·2ⁿ for n of 32 bits; an instruction on vectors of 64 bytes, else a call of the C library.
ldexp = intrinsic(_ldexp)
