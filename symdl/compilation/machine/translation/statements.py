"""Statements of emitted functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from numba import types
from numba.core import cgutils

from symdl.compilation.machine.lanetypes import LanesType, MaskType
from symdl.compilation.machine.translation import arrays
from symdl.compilation.machine.translation.expressions import Call, Expressions, common
from symdl.compilation.machine.translation.operations import cast
from symdl.compilation.machine.translation.registries import context
from symdl.compilation.machine.translation.values import WORD, Untranslatable, Value, number, plainly


class Body:
    """Writes the body of a function.

    Args:
        builder: at the beginning of the function, before all blocks but this one.
        tree: what is written.
        space: the names of its module.
        call: what calls other functions.
        give: what returns a value; None of it where there is nothing to return.
        vectors: the types of variables that are vectors although they begin as numbers; those that are found are added.
    """

    def __init__(
        self,
        builder: Any,
        tree: ast.FunctionDef,
        space: Mapping[str, Any],
        call: Call,
        give: Callable[[Any], None],
        vectors: dict[str, Any],
    ) -> None:
        self.builder, self.tree, self.give, self._vectors = builder, tree, give, vectors
        self._assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self._slots: dict[str, tuple[Any, Any]] = {}
        self._bound: dict[str, Value] = {}
        self._outside: frozenset[str] = frozenset()
        self._loops: list[tuple[Any, Any]] = []
        self.expressions = Expressions(builder, space, self._read, call)

    def write(self, arguments: Mapping[str, Value]) -> None:
        """All statements, where the arguments have these values.

        Raises:
            Untranslatable: something that is left to Numba.
        """
        for name, value in arguments.items():
            self._set(name, value)
        self._block(self.tree.body)
        if not self.builder.block.is_terminated:
            self.give(None)

    def _read(self, name: str) -> Value | None:
        if name in self._slots:
            kind, slot = self._slots[name]
            return Value(kind, self.builder.load(slot))
        if name in self._assigned and name not in self._bound:
            raise Untranslatable(f"{name} before it has a value")
        return self._bound.get(name)

    def _set(self, name: str, value: Value) -> None:
        """A variable takes a value; arrays and tuples are no variables, but names of what they are."""
        kind = plainly(value.kind)
        if isinstance(kind, types.Array | types.BaseTuple) or name not in self._assigned:
            if name in self._slots or name in self._outside:
                raise Untranslatable(f"{name} is another array elsewhere")
            is_array = isinstance(kind, types.Array) and kind.layout == "C"
            parts = arrays.parts_of(self.builder, value) if is_array else None
            self._bound[name] = replace(value, kind=kind, known=None, parts=parts)
            return
        if name in self._bound:
            raise Untranslatable(f"{name} is an array elsewhere")
        if name not in self._slots:
            self._make_room(name, common([kind, self._vectors.get(name, kind)]))
        known, _ = self._slots[name]
        if (wanted := common([known, kind])) != known:
            if not isinstance(wanted, LanesType | MaskType):
                raise Untranslatable(f"{name} is {known} and {kind}")
            self._vectors[name] = wanted
            self._make_room(name, wanted)  # for what follows; all of it is written once more
        known, slot = self._slots[name]
        self.builder.store(cast(self.builder, value, known), slot)

    def _make_room(self, name: str, kind: Any) -> None:
        code = context().get_value_type(kind)
        self._slots[name] = kind, cgutils.alloca_once(self.builder, code)  # type: ignore[no-untyped-call]

    def _block(self, statements: list[ast.stmt]) -> None:
        """Statements one after the other; none follows what leaves."""
        for statement in statements:
            if self.builder.block.is_terminated:
                return
            write = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if write is None:
                raise Untranslatable(ast.unparse(statement))
            write(statement)

    def _inside(self, statements: list[ast.stmt]) -> None:
        """A block of its own: names of arrays that it gives are known in it only."""
        bound, outside = dict(self._bound), self._outside
        self._outside = outside | frozenset(bound)
        self._block(statements)
        self._bound, self._outside = bound, outside

    def _expr(self, statement: ast.Expr) -> None:
        if not (isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)):
            self.expressions.value(statement.value)

    def _assign(self, statement: ast.Assign) -> None:
        if len(statement.targets) != 1:
            raise Untranslatable(ast.unparse(statement))
        target, given = statement.targets[0], statement.value
        if not isinstance(target, ast.Tuple):
            self._give(target, self.expressions.value(given))
            return
        if isinstance(given, ast.Tuple):
            values = [self.expressions.value(e) for e in given.elts]
        else:
            values = self.expressions.taken_apart(self.expressions.value(given))
        for part, value in zip(target.elts, values, strict=True):
            self._give(part, value)

    def _give(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._set(target.id, value)
            return
        array, where = self._place(target)
        arrays.store(self.builder, array, where, value)

    def _place(self, target: ast.expr) -> tuple[Value, Any]:
        """An array, and the address of the entry that is told."""
        if not isinstance(target, ast.Subscript):
            raise Untranslatable(ast.unparse(target))
        array, at = self.expressions.value(target.value), self.expressions.subscripts(target.slice)
        if not arrays.is_plain(array, at) or len(at) < array.kind.ndim:
            raise Untranslatable(ast.unparse(target))
        return array, arrays.place(self.builder, array, at)

    def _augassign(self, statement: ast.AugAssign) -> None:
        target, sign = statement.target, type(statement.op)
        if isinstance(target, ast.Name):
            before = self.expressions.value(target)
            self._set(target.id, self.expressions.binary(sign, before, self.expressions.value(statement.value)))
            return
        array, where = self._place(target)
        before = arrays.load(self.builder, array, where)
        after = self.expressions.binary(sign, before, self.expressions.value(statement.value))
        arrays.store(self.builder, array, where, after)

    def _return(self, statement: ast.Return) -> None:
        self.give(None if statement.value is None else self.expressions.value(statement.value))

    def _if(self, statement: ast.If) -> None:
        builder = self.builder
        then, other, after = (builder.append_basic_block(n) for n in ("then", "otherwise", "after"))
        builder.cbranch(self.expressions.truth(statement.test), then, other)
        for block, statements in ((then, statement.body), (other, statement.orelse)):
            builder.position_at_end(block)
            self._inside(statements)
            if not builder.block.is_terminated:
                builder.branch(after)
        builder.position_at_end(after)

    def _while(self, statement: ast.While) -> None:
        if statement.orelse:
            raise Untranslatable("else of a loop")
        builder = self.builder
        test, body, after = (builder.append_basic_block(n) for n in ("test", "body", "after"))
        builder.branch(test)
        builder.position_at_end(test)
        builder.cbranch(self.expressions.truth(statement.test), body, after)
        builder.position_at_end(body)
        self._repeat(statement.body, test, after)
        is_endless = isinstance(statement.test, ast.Constant) and bool(statement.test.value)
        if is_endless and not any(isinstance(n, ast.Break) for n in ast.walk(statement)):
            builder.unreachable()

    def _repeat(self, statements: list[ast.stmt], again: Any, after: Any) -> None:
        """The body of a loop, then back; what comes is after the loop."""
        self._loops.append((again, after))
        self._inside(statements)
        if not self.builder.block.is_terminated:
            self.builder.branch(again)
        self._loops.pop()
        self.builder.position_at_end(after)

    def _break(self, statement: ast.Break) -> None:
        self.builder.branch(self._loops[-1][1])

    def _continue(self, statement: ast.Continue) -> None:
        self.builder.branch(self._loops[-1][0])

    def _pass(self, statement: ast.Pass) -> None:
        """Nothing."""

    def _for(self, statement: ast.For) -> None:
        """A loop over a range: how often is found before, so that LLVM knows it as well."""
        builder, (start, stop, step) = self.builder, self._range(statement)
        count, here = (cgutils.alloca_once(builder, WORD) for _ in range(2))  # type: ignore[no-untyped-call]
        builder.store(self._count(start.code, stop.code, step), count)
        builder.store(start.code, here)
        test, body, after = (builder.append_basic_block(n) for n in ("for", "body", "after"))
        builder.branch(test)
        builder.position_at_end(test)
        left = builder.load(count)
        builder.cbranch(builder.icmp_signed(">", left, WORD(0)), body, after)
        builder.position_at_end(body)
        value = builder.load(here)
        builder.store(builder.sub(left, WORD(1), flags=["nsw"]), count)
        builder.store(builder.add(value, step.code), here)
        self._give(statement.target, Value(types.int64, value))
        self._repeat(statement.body, test, after)

    def _range(self, statement: ast.For) -> tuple[Value, Value, Value]:
        """Start, stop and step of a loop."""
        call = statement.iter
        if statement.orelse or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise Untranslatable(ast.unparse(statement.iter))
        if self.expressions.thing(call.func) is not range or call.keywords:
            raise Untranslatable(ast.unparse(call))
        given = [self.expressions.value(a) for a in call.args]
        if not all(v.kind is types.int64 for v in given):
            raise Untranslatable(ast.unparse(call))
        start, stop = given[:2] if len(given) > 1 else (number(0), given[0])
        return start, stop, given[2] if len(given) > 2 else number(1)

    def _count(self, start: Any, stop: Any, step: Value) -> Any:
        """How many values a range has; none where the step is 0."""
        builder = self.builder
        apart = builder.sub(stop, start)
        if step.known == 1:
            return builder.select(builder.icmp_signed(">", apart, WORD(0)), apart, WORD(0))
        goes_up, is_up = (builder.icmp_signed(">", v, WORD(0)) for v in (step.code, apart))
        is_none = builder.or_(builder.xor(goes_up, is_up), builder.icmp_signed("==", step.code, WORD(0)))
        divisor = builder.select(is_none, WORD(1), step.code)
        whole, left = builder.sdiv(apart, divisor), builder.srem(apart, divisor)
        more = builder.add(whole, builder.zext(builder.icmp_signed("!=", left, WORD(0)), WORD))
        return builder.select(is_none, WORD(0), more)
