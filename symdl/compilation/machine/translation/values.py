"""What an expression is while it is translated: a value with its type, and what can't be one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

WORD = ir.IntType(64)


class Untranslatable(Exception):
    """Emitted code has something that only Numba compiles."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What subscripts need of a contiguous array: where its numbers stand, its lengths, how far entries are apart.

    Args:
        strand: which of several places that never meet (see `addresses.strand`): the group, the place, how many.
    """

    data: Any
    lengths: tuple[Any, ...]
    steps: tuple[Any, ...]
    strand: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A value of emitted code.

    Args:
        kind: its type, as Numba has it.
        code: LLVM's value; None of an array or a tuple of which only its parts are known (see `structures`).
        known: the number that it is, where that stands in the source.
        parts: of an array.
        entries: of a tuple.
    """

    kind: Any
    code: Any = None
    known: float | None = None
    parts: Parts | None = None
    entries: tuple[Value, ...] = ()

    @property
    def asked(self) -> Any:
        """The type by which functions are looked up: some take whole numbers that stand in the source only."""
        return types.literal(self.known) if isinstance(self.known, int) and self.kind is types.int64 else self.kind


def number(value: float) -> Value:
    """A number or truth value that stands in the source."""
    if isinstance(value, bool):
        return Value(types.boolean, ir.Constant(ir.IntType(1), int(value)))
    if isinstance(value, int):
        return Value(types.int64, ir.Constant(WORD, value), value)
    return Value(types.float64, ir.Constant(ir.DoubleType(), value), value)


def plainly(kind: Any) -> Any:
    """The type of a variable, which may have other values later."""
    return types.unliteral(kind)  # type: ignore[no-untyped-call]
