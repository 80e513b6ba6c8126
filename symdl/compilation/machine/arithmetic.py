"""Operations that processors have and Numba has no function for."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic


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


#: `fma(a, b, c)`: a·b + c, rounded once; a call of the C library where the processor has no instruction for it.
fma = intrinsic(_fma)
#: `ldexp(value, n)`: value·2ⁿ for n of 32 bits; an instruction on vectors of 64 bytes, else a call of the C library.
ldexp = intrinsic(_ldexp)
