"""Expressions of emitted code."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.core.dispatcher import Dispatcher

from symdl.compilation.machine.translation import arrays
from symdl.compilation.machine.translation.operations import (
    applied,
    cast,
    converted,
    kind_of,
    method,
    negated,
    raised,
)
from symdl.compilation.machine.translation.places import PLACES
from symdl.compilation.machine.translation.registries import context, typing
from symdl.compilation.machine.translation.values import Untranslatable, Value, number, plainly

_BINARY: Mapping[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_COMPARISONS: Mapping[type[ast.cmpop], Any] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
#: A value, or what a name of the module stands for.
Thing = Any
Call = Callable[[Any, Any, Sequence[Value]], Value]


class Expressions:
    """Writes the instructions of expressions.

    Args:
        builder: where they go.
        space: the names of the module.
        read: the value of a local name; None where there is none.
        calls: what calls a function of the module, which is told as Python has it.
    """

    def __init__(self, builder: Any, space: Mapping[str, Any], read: Callable[[str], Value | None], call: Call) -> None:
        self.builder, self.space, self.read, self.call = builder, space, read, call

    def value(self, node: ast.expr) -> Value:
        """The value of an expression.

        Raises:
            Untranslatable: it is none that emitted code is known to have.
        """
        thing = self.thing(node)
        if isinstance(thing, Value):
            return thing
        if isinstance(thing, (bool, int, float)):
            return number(thing)
        return Value(kind_of(thing), context().get_dummy_value())

    def thing(self, node: ast.expr) -> Thing:
        """The value of an expression, or what it stands for in the module, as Python has it."""
        write = getattr(self, f"_{type(node).__name__.lower()}", None)
        if write is None:
            raise Untranslatable(ast.unparse(node))
        return write(node)

    def truth(self, node: ast.expr) -> Any:
        """A condition, as LLVM's truth value."""
        found = self.value(node)
        if found.kind != types.boolean:
            found = applied(self.builder, kind_of(bool), found)
        return cast(self.builder, found, types.boolean)

    def binary(self, sign: type[ast.operator], left: Value, right: Value) -> Value:
        """left sign right."""
        if sign is ast.Pow:
            return raised(self.builder, left, right)
        if sign not in _BINARY:
            raise Untranslatable(sign.__name__)
        return applied(self.builder, kind_of(_BINARY[sign]), left, right)

    def subscripts(self, node: ast.expr) -> list[Value]:
        """What stands between brackets."""
        return [self.value(e) for e in (node.elts if isinstance(node, ast.Tuple) else [node])]

    def tuple_of(self, values: Sequence[Value]) -> Value:
        kind = types.BaseTuple.from_types([plainly(v.kind) for v in values])  # type: ignore[no-untyped-call]
        return Value(kind, entries=tuple(values))

    def taken_apart(self, value: Value) -> list[Value]:
        """The entries of a tuple."""
        if not isinstance(value.kind, types.BaseTuple):
            raise Untranslatable(f"entries of {value.kind}")
        if value.entries:
            return [*value.entries]
        codes = cgutils.unpack_tuple(self.builder, value.code, len(value.kind))  # type: ignore[no-untyped-call]
        kinds: list[Any] = [*value.kind]  # type: ignore[misc]
        return [Value(k, c) for k, c in zip(kinds, codes, strict=True)]

    def _constant(self, node: ast.Constant) -> Thing:
        if node.value is not None and not isinstance(node.value, (bool, int, float)):
            raise Untranslatable(repr(node.value))
        return node.value

    def _name(self, node: ast.Name) -> Thing:
        if (local := self.read(node.id)) is not None:
            return local
        try:
            return self.space[node.id] if node.id in self.space else self.space["__builtins__"][node.id]
        except KeyError as error:
            raise Untranslatable(node.id) from error

    def _tuple(self, node: ast.Tuple) -> Value:
        return self.tuple_of([self.value(e) for e in node.elts])

    def _attribute(self, node: ast.Attribute) -> Thing:
        if isinstance(node.value, ast.Attribute) and (node.value.attr, node.attr) == ("ctypes", "data"):
            return arrays.address(self.builder, self._array(node.value.value))
        of = self.thing(node.value)
        if isinstance(of, ModuleType):
            return getattr(of, node.attr)
        if isinstance(of, Value) and isinstance(of.kind, types.Array):
            return arrays.attribute(self.builder, of, node.attr)
        raise Untranslatable(ast.unparse(node))

    def _array(self, node: ast.expr) -> Value:
        found = self.value(node)
        if not isinstance(found.kind, types.Array):
            raise Untranslatable(ast.unparse(node))
        return found

    def _subscript(self, node: ast.Subscript) -> Value:
        of, at = self.value(node.value), self.subscripts(node.slice)
        if isinstance(of.kind, types.BaseTuple):
            if len(at) != 1 or not isinstance(at[0].known, int):
                raise Untranslatable(ast.unparse(node))
            return self.taken_apart(of)[at[0].known]
        if arrays.is_plain(of, at):
            return arrays.part(self.builder, of, at)
        return applied(self.builder, kind_of(operator.getitem), of, at[0] if len(at) == 1 else self.tuple_of(at))

    def _slice(self, node: ast.Slice) -> Value:
        if node.step is not None:
            raise Untranslatable(ast.unparse(node))
        nothing = Value(types.none, context().get_dummy_value())
        ends = [nothing if end is None else self.value(end) for end in (node.lower, node.upper)]
        return applied(self.builder, kind_of(slice), *ends)

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        operand = self.value(node.operand)
        if isinstance(node.op, ast.USub):
            return negated(self.builder, operand)
        if isinstance(node.op, ast.Not):
            return applied(self.builder, kind_of(operator.not_), operand)
        raise Untranslatable(ast.unparse(node))

    def _binop(self, node: ast.BinOp) -> Value:
        return self.binary(type(node.op), self.value(node.left), self.value(node.right))

    def _compare(self, node: ast.Compare) -> Value:
        """A chain ends where one of its comparisons does not hold."""
        left, rest = self.value(node.left), [*zip(node.ops, node.comparators, strict=True)]

        def compared(left: Value, rest: list[tuple[ast.cmpop, ast.expr]]) -> Value:
            (sign, node), *others = rest
            if type(sign) not in _COMPARISONS:
                raise Untranslatable(type(sign).__name__)
            right = self.value(node)
            found = applied(self.builder, kind_of(_COMPARISONS[type(sign)]), left, right)
            return self._unless(found, False, lambda: compared(right, others)) if others else found

        return compared(left, rest)

    def _boolop(self, node: ast.BoolOp) -> Value:
        ends = isinstance(node.op, ast.Or)

        def joined(nodes: list[ast.expr]) -> Value:
            first = self.value(nodes[0])
            return self._unless(first, ends, lambda: joined(nodes[1:])) if nodes[1:] else first

        return joined(node.values)

    def _unless(self, first: Value, ends: bool, rest: Callable[[], Value]) -> Value:
        """The first truth value where it is `ends`; else the other one, which is found only then."""
        if first.kind != types.boolean:
            raise Untranslatable(f"a condition of {first.kind}")
        builder, before = self.builder, self.builder.block
        going, after = builder.append_basic_block("going"), builder.append_basic_block("after")
        builder.cbranch(first.code, *((after, going) if ends else (going, after)))
        builder.position_at_end(going)
        found = rest()
        if found.kind != types.boolean:
            raise Untranslatable(f"a condition of {found.kind}")
        last = builder.block
        builder.branch(after)
        builder.position_at_end(after)
        phi = builder.phi(ir.IntType(1))
        phi.add_incoming(ir.Constant(ir.IntType(1), int(ends)), before)
        phi.add_incoming(found.code, last)
        return Value(types.boolean, phi)

    def _ifexp(self, node: ast.IfExp) -> Value:
        builder = self.builder
        ways = [builder.append_basic_block(name) for name in ("then", "else")]
        after = builder.append_basic_block("chosen")
        builder.cbranch(self.truth(node.test), *ways)
        found, ends = [], []
        for way, expression in zip(ways, (node.body, node.orelse), strict=True):
            builder.position_at_end(way)
            found.append(self.value(expression))
            ends.append(builder.block)
        kind = common([v.kind for v in found])
        codes = []
        for value, end in zip(found, ends, strict=True):
            builder.position_at_end(end)
            codes.append(cast(builder, value, kind))
            builder.branch(after)
        builder.position_at_end(after)
        phi = builder.phi(context().get_value_type(kind))
        for code, end in zip(codes, ends, strict=True):
            phi.add_incoming(code, end)
        return Value(kind, phi)

    def _call(self, node: ast.Call) -> Value:
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise Untranslatable(ast.unparse(node))
        if isinstance(node.func, ast.Attribute):
            of = self.thing(node.func.value)
            if isinstance(of, Value):
                return method(self.builder, of, node.func.attr, *[self.value(a) for a in node.args])
        function, given = self.thing(node.func), [self.value(a) for a in node.args]
        if isinstance(function, (Dispatcher, types.ExternalFunction)):
            return self.call(self.builder, function, given)
        if (place := PLACES.get(function)) is not None:
            return place(self.builder, *given)
        kind = kind_of(function)
        if isinstance(kind, types.NumberClass) and len(given) == 1:
            return converted(self.builder, kind.dtype, given[0])
        return applied(self.builder, kind, *given)


def common(kinds: Sequence[Any]) -> Any:
    """The type of what is one of several."""
    plain = [plainly(k) for k in kinds]
    found = plain[0] if all(k == plain[0] for k in plain) else typing().unify_types(*plain)
    if found is None or (isinstance(found, types.Float) and not all(isinstance(k, types.Float) for k in plain)):
        raise Untranslatable(f"one of {plain}")
    return found
