"""What the parts of the interpreter ask of each other."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import sympy

from symdl.core.indices import Index
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.names import Parts
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.usage import Usage
from symdl.verification.notation.tree import Node


class Reader(Protocol):
    """`symdl.verification.meaning.interpret.Interpreter`, as its parts see it."""

    scope: Scope
    usage: Usage
    letters: dict[str, sympy.Expr]
    arguments: dict[str, Array]
    free: dict[str, Index]
    notes: list[str]

    def bound(self, letter: str) -> bool: ...

    def matrix(self, name: str) -> bool: ...

    def has_rank(self, name: str, rank: int) -> bool: ...

    def labelled(self, name: str, *, bold: bool = False) -> bool: ...

    def layer(self, letter: str) -> bool: ...

    def last(self, name: str, letter: str) -> bool: ...

    def squared(self, name: str) -> bool: ...

    def label(self, name: str, letter: str) -> bool: ...

    def value(self, node: Node) -> Array: ...

    def number(self, node: Node) -> sympy.Expr: ...

    def subscript(self, node: Node) -> sympy.Expr: ...

    def parts(self, node: Node) -> Parts | None: ...

    def entry(self, parts: Parts) -> Array: ...

    def as_array(self, parts: Parts, rank: int | None = None) -> Array: ...

    def known(self, name: str) -> bool: ...

    def spread(self, node: Node, rank: int) -> Array: ...

    def placed(self, place: sympy.Expr, axis: Index) -> sympy.Expr: ...

    def raised(self, base: Array, sup: Node) -> Array: ...

    def binding(self, letters: dict[str, sympy.Expr]) -> AbstractContextManager[None]: ...
