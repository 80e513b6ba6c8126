"""Vectors of numbers in LLVM IR: loads and stores of a whole vector or of its first lanes, a number in every lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]

WORD, INDEX = ir.IntType(64), ir.IntType(32)


@dataclass(frozen=True)
class Lanes:
    """What builds instructions on vectors of `count` numbers of a dtype; addresses are integers, in bytes."""

    builder: Any
    dtype: str
    count: int

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return 4 if self.dtype == "float32" else 8

    @property
    def number(self) -> Any:
        return ir.FloatType() if self.dtype == "float32" else ir.DoubleType()

    @property
    def vector(self) -> Any:
        return ir.VectorType(self.number, self.count)

    @property
    def zero(self) -> Any:
        return ir.Constant(self.vector, [0.0] * self.count)

    def word(self, value: int) -> Any:
        return ir.Constant(WORD, value)

    def offset(self, address: Any, numbers: int) -> Any:
        """The address so many numbers further on."""
        return self.builder.add(address, self.word(numbers * self.size)) if numbers else address

    def first(self, count: Any) -> Any:
        """A mask of the first `count` lanes, an integer that may be larger than there are."""
        ramp = ir.Constant(ir.VectorType(WORD, self.count), list(range(self.count)))
        return self.builder.icmp_signed("<", ramp, self._everywhere(count, ramp.type))

    def everywhere(self, number: Any) -> Any:
        """A vector with the number in every lane."""
        return self._everywhere(number, self.vector)

    def _everywhere(self, value: Any, kind: Any) -> Any:
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(nothing, value, ir.Constant(INDEX, 0))
        return self.builder.shuffle_vector(
            one, nothing, ir.Constant(ir.VectorType(INDEX, self.count), [0] * self.count)
        )

    def load_number(self, address: Any) -> Any:
        return self.builder.load(self.builder.inttoptr(address, self.number.as_pointer()), align=self.size)

    def load(self, address: Any, mask: Any = None) -> Any:
        """A vector from memory; lanes that the mask leaves out are not read, and are 0."""
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.size)
        function = self._intrinsic("masked.load", ".p0", self.vector, [pointer.type, INDEX, mask.type, self.vector])
        return self.builder.call(function, [pointer, ir.Constant(INDEX, self.size), mask, self.zero])

    def store(self, value: Any, address: Any, mask: Any = None) -> None:
        """A vector to memory, but for the lanes that the mask leaves out."""
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self.size)
            return
        kinds = [self.vector, pointer.type, INDEX, mask.type]
        function = self._intrinsic("masked.store", ".p0", ir.VoidType(), kinds)
        self.builder.call(function, [value, pointer, ir.Constant(INDEX, self.size), mask])

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a·b + c, rounded once."""
        return self.builder.call(self._intrinsic("fma", "", self.vector, [self.vector] * 3), [a, b, c])

    def _intrinsic(self, name: str, end: str, result: Any, kinds: list[Any]) -> Any:
        bits = 8 * self.size
        full = f"llvm.{name}.v{self.count}f{bits}{end}"
        known = self.builder.module.globals.get(full)
        return known or ir.Function(self.builder.module, ir.FunctionType(result, kinds), full)

    def shuffled(self, a: Any, b: Any, order: list[int]) -> Any:
        """Lanes of a (from 0) and b (from `count`) in that order."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INDEX, len(order)), order))


def counted(builder: Any, count: Any, start: list[Any], body: Callable[[Any, list[Any]], list[Any]]) -> list[Any]:
    """A loop from 0 to `count` with values that `body(k, values)` gives anew each time; what they are at the end."""
    before = builder.block
    loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", count, ir.Constant(WORD, 0)), loop, after)
    builder.position_at_end(loop)
    k, carried = builder.phi(WORD), [builder.phi(v.type) for v in start]
    for phi, value in zip([k, *carried], [ir.Constant(WORD, 0), *start], strict=True):
        phi.add_incoming(value, before)
    changed = [builder.add(k, ir.Constant(WORD, 1)), *body(k, carried)]
    for phi, value in zip([k, *carried], changed, strict=True):
        phi.add_incoming(value, builder.block)
    last = builder.block
    builder.cbranch(builder.icmp_signed("<", changed[0], count), loop, after)
    builder.position_at_end(after)
    found = [builder.phi(v.type) for v in start]
    for phi, early, late in zip(found, start, changed[1:], strict=True):
        phi.add_incoming(early, before)
        phi.add_incoming(late, last)
    return found
