"""Points at which two sides are compared: exact rationals, drawn when they are first asked for.

Small integers (kinks, zeros, ones) come first, then rationals of several scales and both signs. What is known of an
unknown is respected: its sign, integers, Σ_k y_k = 1, and the range of a tensor that subscripts another one.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import copy
from typing import Any

import sympy
from flint import fmpq

from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, atoms_in
from symdl.errors import UnsupportedError

#: How the numbers of one point are drawn; the rounds repeat.
KINDS = ("mixed", "positive", "integers", "small", "mixed", "large", "integers", "mixed")

#: Extents are distinct, so that a transposed or misplaced index can't hide (1 never, since it hides sums).
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)


class Point:
    """A random point that remembers what it has given.

    >>> p = Point(seed=0, kind="integers")
    >>> p.symbol(sympy.Symbol("x")) == p.symbol(sympy.Symbol("x"))
    True
    """

    def __init__(
        self,
        seed: int,
        kind: str,
        extents: Mapping[sympy.Symbol, int] | None = None,
        limits: Mapping[str, sympy.Expr] | None = None,
    ) -> None:
        self.random = random.Random(f"{seed}/{kind}")
        self.kind = kind
        self.extents = dict(extents or {})
        self.limits = dict(limits or {})
        self.given: dict[Any, fmpq] = {}
        self.shown: dict[str, str] = {}

    def symbol(self, symbol: sympy.Symbol) -> fmpq:
        if symbol in self.extents:
            return fmpq(self.extents[symbol])
        if symbol not in self.given:
            self.place(symbol, self._draw(symbol))
        return self.given[symbol]

    def element(self, element: Element, subscripts: tuple[int, ...]) -> fmpq:
        key = (element.name, subscripts)
        if key not in self.given:
            for name, value in self._elements(element, subscripts):
                self.given[(element.name, name)] = value
        self._show(_written(element.name, subscripts), self.given[key])
        return self.given[key]

    def place(self, unknown: sympy.Symbol | Element, value: fmpq) -> None:
        """Give an unknown a chosen value, such as one at a kink."""
        if isinstance(unknown, Element):
            subscripts = tuple(int(s) for s in unknown.subscripts)
            self.given[(unknown.name, subscripts)] = value
        else:
            self.given[unknown] = value
            self._show(unknown.name, value)

    def moved(self, key: tuple[str, tuple[int, ...]], value: fmpq) -> Point:
        """The same point with another value for an entry, by name and subscripts."""
        other = copy(self)
        other.given, other.shown = {**self.given, key: value}, {**self.shown, _written(*key): str(value)}
        return other

    def _elements(self, element: Element, subscripts: tuple[int, ...]) -> list[tuple[tuple[int, ...], fmpq]]:
        tensor = element.tensor
        if Fact.SUMS_TO_ONE in tensor.facts and subscripts:
            extent = self._extent(tensor.indices[-1].extent)
            # a sum of 1 leaves the signs open, unless they are stated too
            unsigned = tensor.facts & {Fact.NONNEGATIVE, Fact.POSITIVE} or self.kind == "positive"
            weights = [self.random.randint(0 if unsigned else -4, 9) for _ in range(extent)]
            weights[self.random.randrange(extent)] += 1
            weights[0] += not sum(weights)
            if Fact.POSITIVE in tensor.facts:
                weights = [w + 1 for w in weights]
            total = sum(weights)
            return [((*subscripts[:-1], k), fmpq(w, total)) for k, w in enumerate(weights)]
        if Fact.BOX in tensor.facts:
            return self._box(element, subscripts)
        if element.name in self.limits:
            return [(subscripts, fmpq(self.random.randrange(self._extent(self.limits[element.name]))))]
        return [(subscripts, self._draw(element))]

    def _box(self, element: Element, subscripts: tuple[int, ...]) -> list[tuple[tuple[int, ...], fmpq]]:
        """The whole box: its lower corner, then its upper one."""
        size = self._extent(element.tensor.indices[-1].extent) // 2
        lower = [self._draw(element) for _ in range(size)]
        upper = [low + (abs(self._draw(element)) or fmpq(1)) for low in lower]
        return [((*subscripts[:-1], k), value) for k, value in enumerate([*lower, *upper])]

    def _extent(self, extent: sympy.Expr) -> int:
        number = extent.xreplace({s: sympy.Integer(v) for s, v in self.extents.items()})
        if not number.is_Integer:
            raise UnsupportedError(f"the extent {extent} has no value", remedy="give the extents numbers")
        return int(number)

    def _show(self, name: str, value: fmpq) -> None:
        self.shown[name] = str(value)

    def _draw(self, unknown: sympy.Expr) -> fmpq:
        facts = unknown.tensor.facts if isinstance(unknown, Element) else ()
        if Fact.BINARY in facts:
            return fmpq(self.random.randint(0, 1))
        if Fact.SIGN in facts:
            return fmpq(self.random.choice((-1, 1)))
        if Fact.FRACTION in facts:
            return fmpq(self.random.randint(1, 100), 101)
        value = self._integer() if unknown.is_integer else self._rational()
        if unknown.is_positive or (unknown.is_nonzero and unknown.is_nonnegative):
            return abs(value) or fmpq(1)
        if unknown.is_negative:
            return -(abs(value) or fmpq(1))
        if unknown.is_nonnegative:
            return abs(value)
        if unknown.is_nonpositive:
            return -abs(value)
        if unknown.is_nonzero:
            return value or fmpq(1)
        return abs(value) if self.kind == "positive" else value

    def _integer(self) -> fmpq:
        return fmpq(self.random.randint(-3, 5))

    def _rational(self) -> fmpq:
        r = self.random
        if self.kind == "integers":
            return self._integer()
        if self.kind == "small":
            return fmpq(r.randint(-60, 60), 997)
        if self.kind == "large":
            return fmpq(r.randint(-2400, 2400), 97)
        return fmpq(r.randint(-300, 300) or 1, 101)


def _written(name: str, subscripts: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, subscripts))}]" if subscripts else name


def gather_limits(expressions: list[sympy.Expr]) -> dict[str, sympy.Expr]:
    """For each integer tensor that subscripts another one, or is compared with an index: what its values stay below."""
    limits: dict[str, sympy.Expr] = {}
    for expr in expressions:
        for delta in atoms_in(expr, Delta):
            terms = sympy.Add.make_args(sympy.expand(delta.args[0] - delta.args[1]))
            label = next((e for t in terms for e in (t, -t) if isinstance(e, Element) and e.is_integer), None)
            index = next((i for t in terms for i in (t, -t) if isinstance(i, Index)), None)
            if len(terms) == 2 and label is not None and index is not None:
                limits[label.name] = sympy.Min(limits.get(label.name, index.extent), index.extent)
        for element in atoms_in(expr, Element):
            for axis, subscript in zip(element.tensor.indices, element.subscripts, strict=True):
                for inner in atoms_in(subscript, Element) if axis.extent.is_finite is not False else ():
                    known = limits.get(inner.name, axis.extent)
                    limits[inner.name] = sympy.Min(known, axis.extent)
    return limits


def small_extents(expressions: list[sympy.Expr], shift: int = 0, *, turned: bool = False) -> dict[sympy.Symbol, int]:
    """Numbers for the extent symbols: distinct primes where there are few, 2, 3, 5 in turn where there are many.

    Where an extent such as H − R + 1 would be below 1, what makes it larger is enlarged. With another `shift` they are
    others: 1/n and 1/2 are one at n = 2. `turned`: the first one is the largest.

    >>> H, R = sympy.symbols("H R", integer=True, positive=True)
    >>> u, r = Index("u", H - R + 1), Index("r", R)
    >>> {s.name: n for s, n in small_extents([u + r]).items()}
    {'H': 3, 'R': 3}
    """
    extents = _extents(expressions)
    names = sorted({s for e in extents for s in e.free_symbols}, key=lambda s: s.name, reverse=turned)
    several = len(names) > 4
    sizes = {s: PRIMES[(k + shift) % 3] if several else PRIMES[k + shift] for k, s in enumerate(names)}
    composite = [e for e in sorted(extents, key=str) if not e.is_Atom]
    for _ in range(_LARGEST):
        low = next((e for e in composite if _number(e, sizes) < 1), None)
        if low is None:
            return sizes
        for symbol in low.free_symbols:
            if _number(low, {**sizes, symbol: sizes[symbol] + _LARGEST}) > _number(low, sizes):
                sizes[symbol] += 1
    raise UnsupportedError(f"no small extents make {low} at least 1", remedy="give the extents numbers")


_LARGEST = 64


def _number(extent: sympy.Expr, sizes: Mapping[sympy.Symbol, int]) -> sympy.Expr:
    return extent.xreplace({s: sympy.Integer(n) for s, n in sizes.items()})


def extent_symbols(expressions: list[sympy.Expr]) -> set[sympy.Symbol]:
    """The symbols in the extents of indices, free or bound, and of the axes of tensors."""
    return {s for extent in _extents(expressions) for s in extent.free_symbols}


def _extents(expressions: list[sympy.Expr]) -> set[sympy.Expr]:
    from_indices = {i.extent for e in expressions for i in atoms_in(e, Index)}
    from_axes = {
        axis.extent for e in expressions for element in atoms_in(e, Element) for axis in element.tensor.indices
    }
    return from_indices | from_axes
