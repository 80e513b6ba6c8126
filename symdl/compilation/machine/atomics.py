"""Words of memory that threads share: read, written and exchanged as a whole, in one order that all of them see.

Addresses are integers, in bytes, of words of 64 bits.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

WORD = ir.IntType(64)
ORDER = "seq_cst"
#: What tells a processor that a loop waits, by the beginning of its name, and its argument.
PAUSES = {"x86": ("llvm.x86.sse2.pause", None), "AMD64": ("llvm.x86.sse2.pause", None), "a": ("llvm.aarch64.hint", 1)}


def _place(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, WORD.as_pointer())


def _load(context, address):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(_place(builder, values[0]), ORDER, 8)

    return types.int64(types.int64), emit


def _store(context, address, value):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store_atomic(values[1], _place(builder, values[0]), ORDER, 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


def _exchanged(context, address, old, new):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        both = builder.cmpxchg(_place(builder, values[0]), values[1], values[2], ORDER, ORDER)
        return builder.extract_value(both, 1)

    return types.boolean(types.int64, types.int64, types.int64), emit


def _added(context, address, value):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.atomic_rmw("add", _place(builder, values[0]), values[1], ORDER)

    return types.int64(types.int64, types.int64), emit


def _pause(context):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        for start, (name, argument) in PAUSES.items():
            if platform.machine().startswith(start):
                given = [] if argument is None else [ir.Constant(ir.IntType(32), argument)]
                kind = ir.FunctionType(ir.VoidType(), [g.type for g in given])
                builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), given)
                break
        return context.get_dummy_value()

    return types.void(), emit


def _cycles(context):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if not platform.machine().startswith(("x86", "AMD64")):
            return ir.Constant(WORD, 0)  # elsewhere, that may be for the system alone
        kind, name = ir.FunctionType(WORD, []), "llvm.readcyclecounter"
        return builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), [])

    return types.int64(), emit


def _cell(context):  # type: ignore[no-untyped-def]
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        name = "symdl_cell"
        made = builder.module.globals.get(name)
        if made is None:
            made = ir.GlobalVariable(builder.module, WORD, name)
            made.initializer, made.linkage = ir.Constant(WORD, 0), "internal"
        return builder.ptrtoint(made, WORD)

    return types.int64(), emit


#: `load(address)`, `store(address, value)`.
load, store = intrinsic(_load), intrinsic(_store)
#: `exchanged(address, old, new)`: whether `old` stood there, and now `new` does.
exchanged = intrinsic(_exchanged)
#: `added(address, value)`: what stood there before the value was added.
added = intrinsic(_added)
#: `pause()`: in a loop that waits.
pause = intrinsic(_pause)
#: `cycles()`: a clock, of whatever rate; 0 where there is none.
cycles = intrinsic(_cycles)
#: `cell()`: the address of a word of the function that calls it, 0 at first.
cell = intrinsic(_cell)
