"""How compiled functions are called from Python: by their machine code alone, which another process can link as well.

An entry takes arrays as the objects that they are, and reads where their numbers stand and how long their axes are, as
NumPy lays them out (the beginning of `PyArrayObject` in `numpy/ndarraytypes.h`, the same in all its versions). Numba's
own way in needs the types of the function, and with them most of Numba, in every process that calls it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.np.arrayobj import populate_array

from symdl.compilation.machine.units import Unit
from symdl.compilation.objects import DATA, FAILED, LENGTHS, Code

WORD, BYTE = ir.IntType(64), ir.IntType(8)


def code_of(unit: Unit) -> Code:
    """The entry of a unit that Python calls."""
    return Code(f"{unit.symbol}_entry", tuple(map(_told, unit.sig.args)))


def prepare() -> None:
    """Have Numba tell LLVM the addresses of the functions that compiled code may call, such as those of BLAS."""
    context = cpu_target.target_context
    context.refresh()
    rtsys.initialize(context)


def _told(kind: Any) -> str:
    """The type of an argument: "float32" for a number, "float32 2" for an array with two axes, C-contiguous."""
    if isinstance(kind, types.Array):
        return f"{kind.dtype} {kind.ndim}"
    return str(kind)


def way_in(unit: Unit) -> bytes:
    """An object file with the entry of a unit: it is called with arrays as Python objects, and numbers.

    It returns a whole number.
    """
    context, result, kinds = cpu_target.target_context, unit.sig.return_type, unit.sig.args
    symbol = code_of(unit).symbol
    module = context.codegen().create_library(symbol).create_ir_module(symbol)
    callee = ir.Function(module, context.call_conv.get_function_type(result, kinds), unit.symbol)
    given = [WORD if isinstance(t, types.Array) else context.get_value_type(t) for t in kinds]
    entry = ir.Function(module, ir.FunctionType(WORD, given), symbol)
    builder = ir.IRBuilder(entry.append_basic_block("entry"))
    values = [
        _array(context, builder, t, v) if isinstance(t, types.Array) else v
        for t, v in zip(kinds, entry.args, strict=True)
    ]
    status, found = context.call_conv.call_function(builder, callee, result, kinds, values)
    whole = found if isinstance(result, types.Integer) else ir.Constant(WORD, 0)
    builder.ret(builder.select(status.is_error, ir.Constant(WORD, FAILED), whole))
    parsed = llvmlite.binding.parse_assembly(str(module))
    parsed.verify()
    return bytes(_plainly().emit_object(parsed))


@cache
def _plainly() -> Any:
    """What writes machine code of the kind that Numba writes, without looking for the best: an entry runs once a call.

    With sixty arrays LLVM takes seven times as long for the best.
    """
    options: dict[str, Any] = {"opt": 0}
    cpu_target.target_context.codegen()._customize_tm_options(options)
    target = llvmlite.binding.Target.from_triple(llvmlite.binding.get_process_triple())
    return target.create_target_machine(**options)


def _array(context: Any, builder: Any, kind: Any, place: Any) -> Any:
    """A contiguous array of NumPy's as Numba's code wants it; nobody counts who refers to it."""

    def word(start: Any, offset: int) -> Any:
        return builder.load(builder.inttoptr(builder.add(start, ir.Constant(WORD, offset)), WORD.as_pointer()))

    size = ir.Constant(WORD, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    shape = word(place, LENGTHS)
    lengths = [word(shape, 8 * k) for k in range(kind.ndim)]
    steps = [size]
    for length in reversed(lengths[1:]):
        steps.insert(0, builder.mul(steps[0], length))
    made = context.make_array(kind)(context, builder)
    data = builder.inttoptr(word(place, DATA), context.get_data_type(kind.dtype).as_pointer())
    given = {"data": data, "shape": lengths, "strides": steps, "itemsize": size, "meminfo": None}
    populate_array(made, **given)  # type: ignore[no-untyped-call]
    return made._getvalue()
