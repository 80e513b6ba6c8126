"""Vectors of numbers as values of emitted code: `a*b + c` is one instruction for all lanes, and so is a comparison.

LLVM makes vectors of loops only where it does not unroll them first, and keeps none in registers from one loop to the
next. Where all lanes do the same, as networks beside each other do, code is written for one of them with a vector in
place of each number. What decides by comparing is `chosen`; loops and subscripts are the same for all lanes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import extending, types
from numba.core import typeconv
from numba.core.datamodel import models
from numba.core.typing import templates

INDEX = ir.IntType(32)
#: Numba tells nobody their types.
infer_global: Any = templates.infer_global
signature: Any = templates.signature
lower_builtin: Any = extending.lower_builtin
lower_cast: Any = extending.lower_cast
PROMOTE: Any = typeconv.Conversion.promote  # type: ignore[attr-defined]


class LanesType(types.Type):
    """A vector of `count` numbers of a type; a number becomes one with that number in every lane."""

    def __init__(self, number: Any, count: int) -> None:
        self.number, self.count = number, count
        super().__init__(name=f"lanes({number}, {count})")

    def can_convert_from(self, context: Any, other: Any) -> Any:
        return PROMOTE if other == self.number else None

    def unify(self, context: Any, other: Any) -> Any:
        return self if other == self.number else None


class MaskType(types.Type):
    """A truth value for each lane."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"mask({count})")

    def can_convert_from(self, context: Any, other: Any) -> Any:
        return PROMOTE if other == types.boolean else None

    def unify(self, context: Any, other: Any) -> Any:
        return self if other == types.boolean else None


@extending.register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: LanesType) -> None:
        number = ir.FloatType() if kind.number == types.float32 else ir.DoubleType()
        super().__init__(manager, kind, ir.VectorType(number, kind.count))  # type: ignore[no-untyped-call]


@extending.register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: MaskType) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), kind.count))  # type: ignore[no-untyped-call]


def _everywhere(builder: Any, value: Any, count: int) -> Any:
    kind = ir.VectorType(value.type, count)
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, value, INDEX(0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(INDEX, count), [0] * count))


def _spread(context: Any, builder: Any, given: Any, wanted: Any, value: Any) -> Any:
    return _everywhere(builder, value, wanted.count)


lower_cast(types.Float, LanesType)(_spread)
lower_cast(types.Boolean, MaskType)(_spread)


def lanes_of(arguments: tuple[Any, ...]) -> Any:
    """The type of vectors among the arguments, where the others are numbers that fit."""
    found = next((a for a in arguments if isinstance(a, LanesType)), None)
    fits = found is not None and all(a in (found, found.number) for a in arguments)
    return found if fits else None


def _define(functions: tuple[Any, ...], build: Callable[[Any, Any, Any], Any], compares: bool = False) -> None:
    """Operators of two vectors, or of a vector and a number."""

    def result(kind: LanesType) -> Any:
        return MaskType(kind.count) if compares else kind

    for function in functions:

        class Template(templates.AbstractTemplate):
            def generic(self, arguments: Any, names: Any) -> Any:
                kind = lanes_of(arguments)
                return signature(result(kind), kind, kind) if kind is not None and len(arguments) == 2 else None

        infer_global(function)(Template)

        def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return build(builder, *values)

        lower_builtin(function, LanesType, LanesType)(lower)


def _of_one(function: Any, build: Callable[[Any, Any], Any]) -> None:
    class Template(templates.AbstractTemplate):
        def generic(self, arguments: Any, names: Any) -> Any:
            one = len(arguments) == 1 and isinstance(arguments[0], LanesType)
            return signature(arguments[0], arguments[0]) if one else None

    infer_global(function)(Template)

    def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, values[0])

    lower_builtin(function, LanesType)(lower)


def compare(sign: str) -> Callable[[Any, Any, Any], Any]:
    def build(builder: Any, a: Any, b: Any) -> Any:
        # a vector of comparisons has as many lanes as what it compares: llvmlite takes them for one
        made = builder.fcmp_unordered(sign, a, b) if sign == "!=" else builder.fcmp_ordered(sign, a, b)
        made.type = ir.VectorType(ir.IntType(1), a.type.count)
        return made

    return build


_define((operator.add, operator.iadd), lambda builder, a, b: builder.fadd(a, b))
_define((operator.sub, operator.isub), lambda builder, a, b: builder.fsub(a, b))
_define((operator.mul, operator.imul), lambda builder, a, b: builder.fmul(a, b))
_define((operator.truediv, operator.itruediv), lambda builder, a, b: builder.fdiv(a, b))
for sign, function in (
    ("<", operator.lt), ("<=", operator.le), (">", operator.gt), (">=", operator.ge), ("==", operator.eq),
    ("!=", operator.ne),
):  # fmt: skip
    _define((function,), compare(sign), compares=True)
_of_one(operator.neg, lambda builder, a: builder.fneg(a))


class _Masks(templates.AbstractTemplate):
    def generic(self, arguments: Any, names: Any) -> Any:
        kind = next((a for a in arguments if isinstance(a, MaskType)), None)
        fits = kind is not None and len(arguments) == 2 and all(a in (kind, types.boolean) for a in arguments)
        return signature(kind, kind, kind) if fits else None


for function in (operator.or_, operator.ior):
    infer_global(function)(_Masks)
    lower_builtin(function, MaskType, MaskType)(lambda context, builder, signature, values: builder.or_(*values))
