"""The machine code of units: an object file for each, which depends on nothing but the module that the unit is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import Flags, compile_extra
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from symdl.compilation.machine.compiling import HEAVY, INSIDE, Plain, allocates
from symdl.compilation.machine.translation import functions as translation, registries
from symdl.compilation.machine.translation.values import Untranslatable
from symdl.compilation.machine.units import Unit

#: NaN and infinities keep their meaning, and nothing is reordered: the only freedom is a fused multiply-add.
OPTIONS = {
    "nopython": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    **INSIDE,  # `way_in` has one that needs nothing of Numba's
}

#: What names of variables begin with that have the Python objects a function may need: none here does. Numba's own
#: functions count in them how many were compiled before.
ENVIRONMENT = "_ZN08NumbaEnv"


@dataclass(frozen=True)
class Made:
    """The machine code of a unit.

    Args:
        data: an object file.
        defined, needed: the symbols that it has, and those that it refers to beside these.
    """

    data: bytes
    defined: tuple[str, ...]
    needed: tuple[str, ...]


def compiled(unit: Unit) -> Made:
    """The machine code of a unit; it depends on nothing but the module that the unit is from."""
    context = cpu_target.target_context
    library = _Library(context.codegen(), unit.function.__name__)
    flags = cast(Any, Flags)()
    options = OPTIONS if unit.from_c is None else {**OPTIONS, "fastmath": False}
    cast(Any, cpu_target.options).parse_as_flags(flags, options | {"_nrt": allocates(unit.function)})
    flags.no_compile = True  # which would link it into Numba's engine
    with global_compiler_lock:
        if (module := _translated(unit, library, options["fastmath"])) is not None:
            library.add_ir_module(module)
        else:
            compile_extra(  # type: ignore[no-untyped-call]
                cpu_target.typing_context, context, unit.function, unit.sig.args, unit.sig.return_type, flags, {},
                library=library, pipeline_class=Plain,
            )  # fmt: skip
        if unit.from_c is not None:
            library.add_from_c(unit)
        return library.made()


def _translated(unit: Unit, library: Any, fastmath: Any) -> Any:
    """A unit as a module of LLVM's; None where that is left to Numba."""
    heavy = any(name.endswith(HEAVY) for name in unit.function.__code__.co_names)
    if allocates(unit.function) or heavy:  # Numba optimises a form by itself first, and GELU is faster for it
        return None
    try:
        with registries.context().push_code_library(library):
            return translation.translated(library, unit, fastmath)
    except Untranslatable:
        return None


class _Library(cast(Any, CPUCodeLibrary)):  # type: ignore[misc]
    """Where Numba puts the code of a function together; without an engine that it goes into."""

    def _optimize_functions(self, module: Any) -> None:
        """As Numba's own, which sets LLVM's passes up for each function that is only declared as well."""
        module.data_layout = self._codegen._data_layout
        for function in module.functions:
            if not function.is_declaration:
                passes, builder = self._codegen._function_pass_manager()
                passes.run(function, builder)

    def add_from_c(self, unit: Unit) -> None:
        """What calls a unit of this library as C calls functions; nothing else can then."""
        context = cpu_target.target_context
        module = self.create_ir_module(unit.from_c)
        called = ir.Function(module, context.call_conv.get_function_type(types.void, unit.sig.args), unit.symbol)
        kinds = [context.get_value_type(k) for k in unit.sig.args]
        made = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), unit.from_c)
        builder = ir.IRBuilder(made.append_basic_block())
        context.call_conv.call_function(builder, called, types.void, unit.sig.args, made.args)
        builder.ret_void()
        self.add_ir_module(module)
        self._final_module.get_function(unit.symbol).linkage = "internal"

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def made(self) -> Made:
        self._ensure_finalized()
        for variable in self._final_module.global_variables:
            if variable.name.startswith(ENVIRONMENT):
                variable.linkage = "private"
        defined, needed = symbols_of(self)
        data = bytes(self._codegen._tm.emit_object(self._final_module))
        return Made(data, tuple(sorted(defined)), tuple(sorted(needed)))


def symbols_of(library: Any) -> tuple[set[str], set[str]]:
    """What a library just compiled defines, and what it refers to beside itself; nothing if Numba's cache had it."""
    module = library._final_module
    named = [n for n in (*module.functions, *module.global_variables) if not n.name.startswith(("llvm.", ENVIRONMENT))]
    return {n.name for n in named if not n.is_declaration}, {n.name for n in named if n.is_declaration}
