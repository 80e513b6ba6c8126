"""Emitted functions as LLVM's: a unit, and those of its module that it calls and that are no units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import fastmathpass
from numba.core.callconv import RETCODE_OK
from numba.core.cpu_options import FastMathOptions
from numba.core.dispatcher import Dispatcher
from numba.core.funcdesc import ExternalFunctionDescriptor

from symdl.compilation.machine import compiling
from symdl.compilation.machine.translation import calls
from symdl.compilation.machine.translation.operations import cast
from symdl.compilation.machine.translation.registries import context
from symdl.compilation.machine.translation.statements import Body
from symdl.compilation.machine.translation.values import Untranslatable, Value, plainly
from symdl.compilation.machine.trees import tree_of

_BYTE = types.int8


#: The types of variables of a function that turned out to be vectors, by name.
Vectors = dict[str, Any]


def translated(library: Any, unit: Any, fastmath: Any) -> Any:
    """A unit, and all that it needs of its module, as a module of LLVM's for a library of Numba's.

    Raises:
        Untranslatable: something of that is left to Numba.
    """
    vectors: dict[Any, Vectors] = {}
    while True:
        known = {key: dict(found) for key, found in vectors.items()}
        module = _Translation(library, vectors).unit(unit, fastmath)
        if all(found == known.get(key, {}) for key, found in vectors.items()):
            return module


class _Translation:
    """A module of LLVM's with a unit and what it calls."""

    def __init__(self, library: Any, vectors: dict[Any, Vectors]) -> None:
        self.module = library.create_ir_module(library.name)
        self._vectors = vectors
        self._inner: dict[tuple[Any, tuple[Any, ...]], tuple[Any, Any]] = {}

    def unit(self, unit: Any, fastmath: Any) -> Any:
        """The module with all that the unit needs."""
        descriptor = unit.descriptor
        made = context().declare_function(self.module, descriptor)
        result = unit.sig.return_type
        builder = ir.IRBuilder(made.append_basic_block("entry"))

        def give(value: Value | None) -> None:
            if value is None and result is not types.void:
                raise Untranslatable("nothing is returned")
            code = context().get_dummy_value() if value is None else cast(builder, value, result)
            context().call_conv.return_value(builder, code)

        self._write(made, builder, unit.function, unit.sig.args, give, fastmath)
        return self.module

    def _write(self, made: Any, builder: Any, function: Any, kinds: Sequence[Any], give: Any, fastmath: Any) -> None:
        set.add(made.attributes, compiling.WIDE)  # its own `add` knows only attributes that are words
        tree = tree_of(function)
        if tree is None:
            raise Untranslatable(f"{function.__name__}, whose source is not known")
        vectors = self._vectors.setdefault((function, tuple(kinds)), {})
        body = Body(builder, tree, function.__globals__, self._call, give, vectors)
        start = builder.append_basic_block("start")  # variables are before it
        builder.branch(start)
        builder.position_at_end(start)
        names = [a.arg for a in tree.args.args]
        body.write(dict(zip(names, calls.received(builder, kinds, made), strict=True)))
        flags = FastMathOptions(fastmath).flags  # type: ignore[no-untyped-call]
        for visitor in (fastmathpass.FastFloatBinOpVisitor, fastmathpass.FastFloatCallVisitor):
            visitor(flags).visit_Function(made)

    def _call(self, builder: Any, function: Any, given: Sequence[Value]) -> Value:
        """A call of another function of the module."""
        if isinstance(function, Dispatcher):
            return self._call_inner(builder, function, given)
        signature = function.sig
        if hasattr(function, "descriptor"):
            called = context().declare_function(self.module, function.descriptor)
            flat, result = calls.passed(builder, given, signature.args), called.args[0].type.pointee
            return Value(signature.return_type, calls.called(builder, called, flat, result))
        codes = [cast(builder, v, kind) for v, kind in zip(given, signature.args, strict=True)]
        descriptor: Any = ExternalFunctionDescriptor(function.symbol, signature.return_type, signature.args)  # type: ignore[no-untyped-call]
        called = context().declare_external_function(self.module, descriptor)
        found = context().call_external_function(builder, called, signature.args, codes)
        return Value(signature.return_type, found)

    def _call_inner(self, builder: Any, function: Any, given: Sequence[Value]) -> Value:
        """A call of a function that LLVM puts in place of the call."""
        kinds = tuple(plainly(v.kind) for v in given)
        if (function, kinds) not in self._inner:
            self._inner[function, kinds] = self._inner_function(function, kinds)
        called, result = self._inner[function, kinds]
        flat = calls.passed(builder, given, kinds)
        return Value(result, calls.called(builder, called, flat, context().get_value_type(result)))

    def _inner_function(self, function: Any, kinds: tuple[Any, ...]) -> tuple[Any, Any]:
        """The function for arguments of some types, and the type of its result."""
        options = function.targetoptions
        convention = context().call_conv
        kind = convention.get_function_type(_BYTE, kinds)
        made = ir.Function(self.module, kind, self.module.get_unique_name(f"{function.py_func.__name__}_inner"))
        made.linkage = "internal"
        convention.decorate_function(made, [f"a{k}" for k in range(len(kinds))], kinds, noalias=False)
        if options.get("forceinline"):
            made.attributes.add("alwaysinline")
        builder = ir.IRBuilder(made.append_basic_block("entry"))
        results: list[Any] = []

        def give(value: Value | None) -> None:
            value = value or Value(types.none, context().get_dummy_value())
            result = plainly(value.kind)
            results.append(result)
            if result != results[0]:
                raise Untranslatable(f"{result} and {results[0]} are returned")
            place = builder.bitcast(made.args[0], context().get_value_type(result).as_pointer())
            builder.store(cast(builder, value, result), place)
            convention._return_errcode_raw(builder, RETCODE_OK)

        self._write(made, builder, function.py_func, kinds, give, options.get("fastmath", False))
        return made, results[0]
