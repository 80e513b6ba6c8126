"""Emitted functions as LLVM's: a unit, and those of its module that it calls and that are no units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils, fastmathpass
from numba.core.dispatcher import Dispatcher
from numba.core.funcdesc import ExternalFunctionDescriptor
from numba.core.callconv import RETCODE_OK
from numba.core.cpu_options import FastMathOptions

from symdl.compilation.machine import compiling
from symdl.compilation.machine.translation.operations import cast, context
from symdl.compilation.machine.translation.statements import Body
from symdl.compilation.machine.trees import tree_of
from symdl.compilation.machine.translation.values import Untranslatable, Value, plainly

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
        codes = context().call_conv.decode_arguments(builder, kinds, made)
        values = [Value(k, c) for k, c in zip(kinds, codes, strict=True)]
        vectors = self._vectors.setdefault((function, tuple(kinds)), {})
        body = Body(builder, tree, function.__globals__, self._call, give, vectors)
        start = builder.append_basic_block("start")  # variables are before it
        builder.branch(start)
        builder.position_at_end(start)
        body.write(dict(zip([a.arg for a in tree.args.args], values, strict=True)))
        flags = FastMathOptions(fastmath).flags  # type: ignore[no-untyped-call]
        for visitor in (fastmathpass.FastFloatBinOpVisitor, fastmathpass.FastFloatCallVisitor):
            visitor(flags).visit_Function(made)

    def _call(self, builder: Any, function: Any, given: Sequence[Value]) -> Value:
        """A call of another function of the module."""
        if isinstance(function, Dispatcher):
            return self._call_inner(builder, function, given)
        signature = function.sig
        codes = [cast(builder, v, kind) for v, kind in zip(given, signature.args, strict=True)]
        if hasattr(function, "descriptor"):
            return Value(
                signature.return_type, context().call_internal(builder, function.descriptor, signature, codes)
            )
        descriptor: Any = ExternalFunctionDescriptor(function.symbol, signature.return_type, signature.args)  # type: ignore[no-untyped-call]
        called = context().declare_external_function(self.module, descriptor)
        found = context().call_external_function(builder, called, signature.args, codes)
        return Value(signature.return_type, found)

    def _call_inner(self, builder: Any, function: Any, given: Sequence[Value]) -> Value:
        """A call of a function that LLVM puts in place of the call; its result comes by way of memory till then."""
        kinds = tuple(plainly(v.kind) for v in given)
        if (function, kinds) not in self._inner:
            self._inner[function, kinds] = self._inner_function(function, kinds)
        called, result = self._inner[function, kinds]
        convention = context().call_conv
        codes = convention._get_arg_packer(kinds).as_arguments(builder, [cast(builder, v, k) for v, k in zip(given, kinds, strict=True)])
        room = cgutils.alloca_once(builder, context().get_value_type(result))
        problem = cgutils.alloca_once(builder, ir.PointerType(called.args[1].type.pointee.pointee))
        returned = builder.call(called, [builder.bitcast(room, called.args[0].type), problem, *codes])
        status = convention._get_return_status(builder, returned, builder.load(problem))
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return Value(result, builder.load(room))

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
