"""How compiled functions are called from Python: by their machine code alone, which another process can link as well.

An entry takes arrays as the objects that they are, and reads where their numbers stand and how long their axes are, as
NumPy lays them out (the beginning of `PyArrayObject` in `numpy/ndarraytypes.h`, the same in all its versions). Numba's
own way in needs the types of the function, and with them most of Numba, in every process that calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import llvmlite.binding  # type: ignore[import-untyped]
from llvmlite import ir
from numba import typeof, types
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.np.arrayobj import populate_array

from symdl.compilation.machine.linking import is_apart
from symdl.compilation.objects import DATA, FAILED, LENGTHS, Code

WORD, BYTE = ir.IntType(64), ir.IntType(8)


def called_with(dispatcher: Any, name: str, arguments: Sequence[Any]) -> tuple[Code, Any, bytes]:
    """The entry of a function for arguments of these types, the library that has the function, and the way into it."""
    kinds = tuple(typeof(a) for a in arguments)  # type: ignore[no-untyped-call]
    if kinds not in dispatcher.overloads:
        dispatcher.compile(kinds)
    made = dispatcher.overloads[kinds]
    symbol = f"symdl_entry_{name}_{made.fndesc.mangled_name}"
    return Code(symbol, tuple(_told(k) for k in kinds)), made.library, _way_in(made, symbol)


def libraries_apart(space: Mapping[str, Any]) -> list[Any]:
    """The libraries of a module's functions that callers refer to by symbols (see `linking`)."""
    return [made.library for f in space.values() if is_apart(f) for made in f.overloads.values()]


def object_of(library: Any) -> bytes:
    """The machine code of a library of Numba's, as it stands in its cache: an object file."""
    _, _, (code, _) = library.serialize_using_object_code()
    return bytes(code)


def symbols_of(library: Any) -> tuple[set[str], set[str]]:
    """What a library just compiled defines, and what it refers to beside itself; nothing if Numba's cache had it."""
    module = library._final_module
    named = [n for n in (*module.functions, *module.global_variables) if not n.name.startswith("llvm.")]
    return {n.name for n in named if not n.is_declaration}, {n.name for n in named if n.is_declaration}


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


def _way_in(made: Any, symbol: str) -> bytes:
    """A function that is called with arrays as Python objects, and numbers; it returns a whole number."""
    context, fndesc = made.target_context, made.fndesc
    library = context.codegen().create_library(symbol)
    module = library.create_ir_module(symbol)
    kind = context.call_conv.get_function_type(fndesc.restype, fndesc.argtypes)
    callee = ir.Function(module, kind, fndesc.llvm_func_name)
    given = [WORD if isinstance(t, types.Array) else context.get_value_type(t) for t in fndesc.argtypes]
    entry = ir.Function(module, ir.FunctionType(WORD, given), symbol)
    builder = ir.IRBuilder(entry.append_basic_block("entry"))
    values = [
        _array(context, builder, t, v) if isinstance(t, types.Array) else v
        for t, v in zip(fndesc.argtypes, entry.args, strict=True)
    ]
    status, result = context.call_conv.call_function(builder, callee, fndesc.restype, fndesc.argtypes, values)
    whole = result if isinstance(fndesc.restype, types.Integer) else ir.Constant(WORD, 0)
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
