"""Tensors, their elements, and reductions over indices: the atoms of every equation.

SymPy only ever sees scalars. `Element` is one entry T[f(idx)] of a tensor, an atom for differentiation; `Reduction` is
a sum, maximum or product over bound indices. Both are ours, because SymPy's matrix and array derivatives are
silently wrong on basic networks, and its `Sum` captures indices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.symbol import Str

from symdl.core.indices import Index
from symdl.core.knowledge import Known, concluding
from symdl.errors import DefinitionError


class Role(StrEnum):
    """What a tensor is to a definition."""

    INPUT = "input"
    PARAMETER = "parameter"
    HYPERPARAMETER = "hyperparameter"
    INTERMEDIATE = "intermediate"


class Fact(StrEnum):
    """What an author states about the values of a tensor; used by rule R6 and printed as a condition."""

    SUMS_TO_ONE = "sums to 1 over its last index"
    NONNEGATIVE = "≥ 0"
    POSITIVE = "> 0"
    FRACTION = "between 0 and 1"
    BINARY = "0 or 1"
    SIGN = "−1 or 1"
    BOX = "the lower corner of a box, then the upper one, over its last index"


_ABOVE_ZERO = frozenset({Fact.POSITIVE, Fact.FRACTION})
_NOT_BELOW_ZERO = _ABOVE_ZERO | {Fact.NONNEGATIVE, Fact.BINARY}


@dataclass(frozen=True)
class Tensor:
    """A named array of real (or integer) numbers with one index for each axis.

    Args:
        name: as written in code; `w_bar` prints as w̄ if `cotangent_of` says so.
        indices: one `Index` an axis; their extents are its shape.
        role: input, parameter, hyperparameter or intermediate.
        integer: True for data that subscripts other tensors, or for labels.
        facts: what is known of its values.
        cotangent_of: the names of the target and the tensor, where this is ∂target/∂tensor.
        tangent_of: the name of the tensor, where this is its rate of change along a direction (forward mode).
        mask: where training draws it, 1 or 0 anew for each batch: the probability of 1, a number or the name of a
            scalar hyperparameter. Elsewhere it is that probability.
        start: the value that training starts a parameter from, unless it is told otherwise.

    >>> i = Index("i", 3)
    >>> w = Tensor("w", (i,))
    >>> w[i], w[0], w.shape
    (w[i], w[0], (3,))
    """

    name: str
    indices: tuple[Index, ...] = ()
    role: Role = Role.INTERMEDIATE
    integer: bool = False
    facts: frozenset[Fact] = field(default_factory=frozenset)
    cotangent_of: tuple[str, str] | None = None
    tangent_of: str | None = None
    mask: float | str | None = None
    start: float | None = field(default=None, compare=False)

    @property
    def shape(self) -> tuple[sympy.Expr, ...]:
        """The extents, one an axis."""
        return tuple(i.extent for i in self.indices)

    @property
    def rank(self) -> int:
        return len(self.indices)

    def __getitem__(self, subscript: Any) -> Element:
        parts = subscript if isinstance(subscript, tuple) else (subscript,)
        return Element(Head(self), *[_as_scalar(p) for p in parts])

    def element(self) -> Element:
        """The element at the tensor's own indices."""
        return Element(Head(self), *self.indices)

    def with_indices(self, indices: Iterable[Index]) -> Tensor:
        return replace(self, indices=tuple(indices))

    def _sympy_(self) -> Element:
        if self.indices:
            names = ", ".join(i.name for i in self.indices)
            raise DefinitionError(
                f"tensor {self.name} is used without its indices", why=f"it has {names}", remedy=f"{self.name}[{names}]"
            )
        return Element(Head(self))

    def __add__(self, other: Any) -> sympy.Expr:
        return self._sympy_() + _as_scalar(other)

    def __radd__(self, other: Any) -> sympy.Expr:
        return _as_scalar(other) + self._sympy_()

    def __sub__(self, other: Any) -> sympy.Expr:
        return self._sympy_() - _as_scalar(other)

    def __rsub__(self, other: Any) -> sympy.Expr:
        return _as_scalar(other) - self._sympy_()

    def __mul__(self, other: Any) -> sympy.Expr:
        return self._sympy_() * _as_scalar(other)

    def __rmul__(self, other: Any) -> sympy.Expr:
        return _as_scalar(other) * self._sympy_()

    def __truediv__(self, other: Any) -> sympy.Expr:
        return self._sympy_() / _as_scalar(other)

    def __rtruediv__(self, other: Any) -> sympy.Expr:
        return _as_scalar(other) / self._sympy_()

    def __pow__(self, other: Any) -> sympy.Expr:
        return self._sympy_() ** _as_scalar(other)

    def __neg__(self) -> sympy.Expr:
        return -self._sympy_()


def _as_scalar(value: Any) -> sympy.Expr:
    """A number, expression, index or 0-d tensor as a SymPy scalar; text is refused, since it would be parsed."""
    return sympy.sympify(value, strict=True)


class Head(sympy.AtomicExpr):  # type: ignore[misc]
    """A tensor as the first argument of its elements; equal where the tensors are equal."""

    __slots__ = ("tensor",)
    tensor: Tensor
    is_commutative = True

    def __new__(cls, tensor: Tensor) -> Head:
        self: Head = sympy.AtomicExpr.__new__(cls)
        self.tensor = tensor
        return self

    def __getnewargs__(self) -> tuple[Tensor]:
        return (self.tensor,)

    def _hashable_content(self) -> tuple[Any, ...]:
        # Only what SymPy can order: two tensors of one name within one expression are a bug that Definition refuses.
        # Facts belong here, since SymPy remembers by this key what it has concluded from them.
        t = self.tensor
        facts = tuple(sorted(str(f) for f in t.facts))
        slope = (t.cotangent_of or ("", ""), t.tangent_of or "")
        return (t.name, str(t.role), t.integer, facts, slope, tuple(i.dummy_index for i in t.indices))

    def _sympystr(self, printer: Any) -> str:
        return self.tensor.name

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (self.tensor.name,)), sympy.S.One.sort_key(), sympy.S.One


_REAL: Known = frozenset({("real", True)})


@lru_cache(maxsize=256)
def _known_of(integer: bool, facts: frozenset[Fact]) -> Known:
    known = {("integer", True)} if integer else set()
    if facts & _ABOVE_ZERO:
        known.add(("positive", True))
    if facts & _NOT_BELOW_ZERO:  # a sum of 1 says nothing about signs: (2, −1) sums to 1 as well
        known.add(("nonnegative", True))
    if facts & {*_ABOVE_ZERO, Fact.SIGN}:
        known.add(("zero", False))
    return _REAL | known


@concluding
class Element(sympy.Expr):  # type: ignore[misc]
    """One entry of a tensor, `T[f(idx)]`: an atom for differentiation, real, commutative."""

    _diff_wrt = True
    is_commutative = True
    is_number = False

    @property
    def tensor(self) -> Tensor:
        head: Head = self.args[0]
        return head.tensor

    @property
    def name(self) -> str:
        return self.tensor.name

    @property
    def subscripts(self) -> tuple[sympy.Expr, ...]:
        return tuple(self.args[1:])

    def _known(self) -> Known:
        return _known_of(self.tensor.integer, self.tensor.facts)

    def _eval_derivative(self, s: sympy.Expr) -> sympy.Expr:
        return sympy.S.One if self == s else sympy.S.Zero

    def _sympystr(self, printer: Any) -> str:
        inside = ", ".join(printer._print(a) for a in self.subscripts)
        return f"{self.name}[{inside}]" if inside else self.name


OPERATORS = ("sum", "max", "prod")


@concluding
class Reduction(sympy.Expr):  # type: ignore[misc]
    """op over bound indices of a body: Σ, max or Π. Build it with `reduction`, which renames the indices apart."""

    is_commutative = True
    is_number = False

    @property
    def op(self) -> str:
        name: str = self.args[0].name
        return name

    @property
    def body(self) -> sympy.Expr:
        return self.args[1]

    @property
    def bound(self) -> tuple[Index, ...]:
        return tuple(self.args[2])

    @property
    def ties(self) -> str:
        """For a maximum: how its slope is shared among ties; empty where no policy is stated."""
        name: str = self.args[3].name
        return name

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        return set(_free_in(self))

    @property
    def bound_symbols(self) -> list[Index]:
        return list(self.bound)

    def _known(self) -> Known:
        if self.body.is_positive:  # extents are at least 1
            return _REAL | {("positive", True)}
        return _REAL | {("nonnegative", True)} if self.body.is_nonnegative else _REAL

    def _eval_derivative(self, s: sympy.Symbol) -> sympy.Expr:
        if self.body.diff(s) == 0:
            return sympy.S.Zero
        if self.op != "sum":
            raise DefinitionError(f"a {self.op} is differentiated by symdl.derive, not by diff")
        return Reduction(Str("sum"), self.body.diff(s), sympy.Tuple(*self.bound), Str(""))

    def _sympystr(self, printer: Any) -> str:
        names = ", ".join(i.name for i in self.bound)
        return f"{self.op.capitalize()}_{{{names}}}({printer._print(self.body)})"


@lru_cache(maxsize=4096)
def _free_in(node: Reduction) -> frozenset[sympy.Basic]:
    return frozenset(node.body.free_symbols - set(node.bound))


def reduction(op: str, body: sympy.Expr, indices: Iterable[Index], ties: str = "") -> sympy.Expr:
    """`op` of `body` over `indices`, bound indices renamed apart; over no index, the body itself.

    >>> i = Index("i", 3); w = Tensor("w", (i,))
    >>> s = reduction("sum", w[i], [i])
    >>> s, s.bound[0] == i, s.free_symbols
    (Sum_{i}(w[i]), False, set())
    """
    bound = tuple(indices)
    if not bound:
        return body
    fresh = [i.fresh() for i in bound]
    body = rename(body, dict(zip(bound, fresh, strict=True)))
    return Reduction(Str(op), body, sympy.Tuple(*fresh), Str(ties))


def rename(expr: sympy.Expr, mapping: dict[Index, sympy.Expr]) -> sympy.Expr:
    """Replace free indices by index expressions. Bound indices are unique objects, so nothing can be captured."""
    return expr.xreplace(mapping) if mapping else expr


def refreshed(expr: sympy.Expr) -> sympy.Expr:
    """The same expression with every bound index renamed apart, for using one expression in two places."""
    if not expr.has(Reduction):
        return expr
    if isinstance(expr, Reduction):
        return reduction(expr.op, refreshed(expr.body), expr.bound, expr.ties)
    return expr.func(*[refreshed(a) if isinstance(a, sympy.Expr) else a for a in expr.args])


@lru_cache(maxsize=4096)
def _place(name: str, extent: sympy.Expr, height: int, number: int) -> Index:
    """The index that stands for the `number`-th bound index of a sum of that nesting height."""
    return Index(name, extent)


def aligned(expr: sympy.Expr) -> sympy.Expr:
    """Equal reductions made the same object: bound indices are replaced by fixed ones, chosen by nesting height.

    SymPy then sees that Σ_i x_i − Σ_i x_i is 0, whatever objects the two i were. Sums side by side share indices
    after this; before two of them are merged into one, they are `refreshed`.

    >>> i = Index("i", 3); x = Tensor("x", (i,))
    >>> a, b = reduction("sum", x[i], [i]), reduction("sum", x[i], [i])
    >>> a == b, aligned(a) == aligned(b)
    (False, True)
    """
    known: dict[sympy.Basic, tuple[sympy.Expr, int]] = {}

    def visit(node: sympy.Expr) -> tuple[sympy.Expr, int]:
        if node not in known:
            known[node] = walk(node)
        return known[node]

    def walk(node: sympy.Expr) -> tuple[sympy.Expr, int]:
        if isinstance(node, Element) or not node.has(Reduction):
            return node, 0
        if isinstance(node, Reduction):
            body, height = visit(node.body)
            places = [_place(i.name, i.extent, height, k) for k, i in enumerate(node.bound)]
            renamed = rename(body, dict(zip(node.bound, places, strict=True)))
            return Reduction(node.args[0], renamed, sympy.Tuple(*places), node.args[3]), height + 1
        parts = [visit(a) for a in node.args]
        return node.func(*[p for p, _ in parts]), max(h for _, h in parts)

    return visit(expr)[0]


def outermost_reductions(expr: sympy.Basic) -> Iterator[Reduction]:
    """The reductions in `expr` that stand in no other one, as often as each is written.

    >>> i = Index("i", 2); x = Tensor("x", (i,)); total = reduction("sum", x[i], [i])
    >>> list(outermost_reductions(1 + reduction("sum", x[i] * total, [i])))
    [Sum_{i}(x[i]*Sum_{i}(x[i]))]
    """
    if isinstance(expr, Reduction):
        yield expr
    elif not isinstance(expr, Element):
        for part in expr.args:
            yield from outermost_reductions(part)


@lru_cache(maxsize=4096)
def atoms_in(expr: sympy.Basic, *kinds: type) -> frozenset[Any]:
    """The distinct nodes of some classes in `expr`: `expr.atoms` without a generator for each level, and remembered.

    >>> i = Index("i", 3); w = Tensor("w", (i,))
    >>> atoms_in(w[i] * (1 + w[i]), Element) == {w[i]}, atoms_in(w[2], Index)
    (True, frozenset())
    """
    found, seen, left = set(), {expr}, [expr]
    while left:
        node = left.pop()
        if isinstance(node, kinds):
            found.add(node)
        for part in node.args:
            if part not in seen:
                seen.add(part)
                left.append(part)
    return frozenset(found)


def elements_in(expr: sympy.Basic) -> list[Element]:
    """The distinct elements in `expr`, gather subscripts included, in a fixed order."""
    return sorted(atoms_in(expr, Element), key=sympy.default_sort_key)
