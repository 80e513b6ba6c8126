"""What Numba's registries say of functions: the types of their results, and the instructions that they are."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.errors import NumbaError

from symdl.compilation.machine.translation.registries import context, typing
from symdl.compilation.machine.translation.structures import whole
from symdl.compilation.machine.translation.values import Untranslatable, Value, plainly

#: The signature of a function for arguments of some types, and what writes its instructions.
_KNOWN: dict[tuple[Any, tuple[Any, ...]], tuple[Any, Any]] = {}
#: What types numbers are made of that stand in the source.
_FLOATS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def kind_of(thing: Any) -> Any:
    """The type of a function or a class that emitted code names."""
    for _ in range(2):
        try:
            return typing().resolve_value_type(thing)
        except ValueError:  # it may have been declared since Numba was asked last
            typing().refresh()
    raise Untranslatable(str(thing))


def applied(builder: Any, function: Any, *given: Value) -> Value:
    """The value of a function, which is told as its type, at values."""
    kinds = tuple(v.asked for v in given)
    found, implementation = _found(function, kinds)
    return Value(found.return_type, implementation(builder, _as_wanted(builder, given, found.args)))


def method(builder: Any, this: Value, name: str, *given: Value) -> Value:
    """The value of a method of a value."""
    function = typing().resolve_getattr(this.kind, name)
    if not isinstance(function, types.BoundFunction):
        raise Untranslatable(name)
    found, implementation = _found(function, tuple(v.asked for v in given))
    codes = _as_wanted(builder, given, found.args)
    return Value(found.return_type, implementation(builder, [whole(builder, this), *codes]))


def _as_wanted(builder: Any, given: Sequence[Value], kinds: Sequence[Any]) -> list[Any]:
    """Arguments in the types of a signature; any number of them is one tuple."""
    if len(kinds) == 1 and isinstance(kinds[0], types.StarArgTuple | types.StarArgUniTuple):
        codes = [cast(builder, v, kind) for v, kind in zip(given, kinds[0], strict=True)]
        return [context().make_tuple(builder, kinds[0], codes)]
    return [cast(builder, v, kind) for v, kind in zip(given, kinds, strict=True)]


def _found(function: Any, kinds: tuple[Any, ...]) -> tuple[Any, Any]:
    key = (function, kinds)
    if key not in _KNOWN:
        try:
            found = typing().resolve_function_type(function, kinds, {})
            if found is None:
                raise Untranslatable(f"{function} of {kinds}")
            _KNOWN[key] = found, context().get_function(function, found)
        except (NumbaError, NotImplementedError) as error:
            raise Untranslatable(f"{function} of {kinds}") from error
    return _KNOWN[key]


def cast(builder: Any, value: Value, kind: Any) -> Any:
    """LLVM's value of another type."""
    code = whole(builder, value)
    if value.kind in (kind, plainly(kind)):
        return code
    try:
        return context().cast(builder, code, value.kind, kind)
    except NotImplementedError as error:
        raise Untranslatable(f"{value.kind} as {kind}") from error


def converted(builder: Any, kind: Any, value: Value) -> Value:
    """`np.float32(value)` and the like; `kind` is the type that is made."""
    if value.known is not None and kind in _FLOATS:
        with np.errstate(over="ignore"):  # what is too large is infinite
            exact = float(np.float32(value.known)) if kind == types.float32 else float(value.known)
        return Value(kind, ir.Constant(_FLOATS[kind], exact), exact)
    if _bits(kind) == _bits(value.kind) != 0:
        return Value(kind, value.code)
    return applied(builder, types.NumberClass(kind), value)


def _bits(kind: Any) -> int:
    """Of a whole number, which is the same with a sign or without; 0 of anything else."""
    return int(getattr(kind, "bitwidth", 0)) if isinstance(kind, types.Integer) else 0


def negated(builder: Any, value: Value) -> Value:
    """−value; a number that stands in the source stays one."""
    if value.known is not None and value.kind in _FLOATS:
        return Value(value.kind, ir.Constant(_FLOATS[value.kind], -value.known), -value.known)
    if value.known is not None:
        return Value(value.kind, ir.Constant(value.code.type, -value.known), -value.known)
    return applied(builder, kind_of(operator.neg), value)


def raised(builder: Any, value: Value, power: Value) -> Value:
    """value**power; a power that stands in the source is so many products, as Numba multiplies them."""
    if not (isinstance(power.known, int) and isinstance(value.kind, types.Float)):
        return applied(builder, kind_of(operator.pow), value, power)
    left, square, found = abs(power.known), value.code, None
    while left:
        if left & 1:
            found = square if found is None else builder.fmul(found, square)
        left >>= 1
        square = builder.fmul(square, square) if left else square
    one = ir.Constant(value.code.type, 1.0)
    found = one if found is None else found
    return Value(value.kind, builder.fdiv(one, found) if power.known < 0 else found)
