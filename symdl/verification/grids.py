"""All entries of a definition's tensors at one point, in balls: for tensors too large to go entry by entry.

Equation by equation, as a program would, an operation for a whole list of index values at once; a δ says where its
product goes, so that nothing is looked for in places where it is 0. What is undefined or unclear in some entry is left
out, with all that reads it: `symdl.verification.balls.Evaluator` then looks at the entries that are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import sympy
from flint import arb

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Masked, ScalarFunction, Switch
from symdl.core.indices import Index, indices_in
from symdl.core.recurrence import groups
from symdl.core.tensors import Element, rename
from symdl.errors import UnsupportedError
from symdl.verification.balls import Evaluator
from symdl.verification.real import FUNCTIONS, UnclearError, UndefinedError, power, sign_of, whole_power

Array = Any  # of NumPy, which is loaded when the first grid is made
#: Definitions that compute fewer products than this are evaluated entry by entry.
LEAST = 20_000
#: Those that compute more than this are not evaluated as a whole.
MOST = 20_000_000
#: Products that are computed at a time.
_TOGETHER = 1 << 18


def work(definition: Definition, extents: Mapping[sympy.Symbol, int]) -> int:
    """How many products the equations compute; 0 where one of them is a recurrence."""
    if any(group.direction for group in groups(definition.equations)):
        return 0
    numbers = {s: sympy.Integer(n) for s, n in extents.items()}

    def size(indices: tuple[Index, ...]) -> int:
        found = [i.extent.xreplace(numbers) for i in indices]
        return prod(int(e) for e in found) if all(e.is_Integer for e in found) else 0

    return sum(size((*eq.indices, *t.bound)) for eq in definition.equations for t in eq.terms)


@dataclass(frozen=True)
class _Points:
    """A list of points: how many there are, and the value of every index at each."""

    count: int
    at: Mapping[Index, Array]

    def only(self, chosen: Array) -> _Points:
        at = {i: v[chosen] for i, v in self.at.items()}
        return _Points(int(chosen.sum()) if chosen.dtype == bool else len(chosen), at)


class Grids:
    """Fills the arrays of an evaluator.

    Args:
        evaluator: at whose point and precision everything is computed.
        other: what was computed at the same point for another definition; equations that are the same there, down to
            the inputs, are not computed again.
    """

    def __init__(self, evaluator: Evaluator, other: Grids | None = None) -> None:
        import numpy

        self.np = numpy
        self.evaluator, self.other = evaluator, other
        self.arrays: dict[str, Array] = evaluator.arrays
        self.winners: dict[str, Array] = {}
        self.filled: dict[str, Equation] = {}

    def fill(self, definition: Definition) -> None:
        """Compute what can be computed of all equations.

        Raises:
            BudgetError: the time is up.
        """
        same = {t.name for t in definition.inputs}
        for eq in definition.equations:
            other = self.other
            if other is not None and other.filled.get(eq.name) == eq and eq.used_names <= same:
                same.add(eq.name)
                array, winner = other.arrays[eq.name], other.winners.get(eq.name)
            else:
                try:
                    array, winner = self._equation(eq)
                except (UndefinedError, UnclearError, UnsupportedError):
                    continue
            self.filled[eq.name] = eq
            self.arrays[eq.name] = array
            if winner is not None:
                self.winners[eq.name] = winner

    # ── equations ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _equation(self, eq: Equation) -> tuple[Array, Array | None]:
        shape = tuple(self._number(i.extent) for i in eq.indices)
        if any(t.op == "max" for t in eq.terms):
            if len(eq.terms) != 1:
                raise UnsupportedError("a maximum beside other terms")
            return self._maximum(eq, eq.terms[0], shape)
        out = self.np.full(prod(shape), arb(0), dtype=object)
        for term in eq.terms:
            if term.op == "prod":
                out += self._products(eq, term)
            else:
                for product in sympy.Add.make_args(term.body):
                    self._add(eq, product, term, shape, out)
        return out.reshape(shape), None

    def _add(self, eq: Equation, product: sympy.Expr, term: Term, shape: tuple[int, ...], out: Array) -> None:
        """Add a product for all values of its indices, each to the entry that it belongs to."""
        np = self.np
        loops, solved, factors = self._solved([*eq.indices, *term.bound], list(sympy.Mul.make_args(product)))
        guards = sorted((f for f in factors if isinstance(f, (Delta, InRange))), key=lambda g: bool(g.atoms(Element)))
        body = sympy.Mul(*[f for f in factors if f not in guards])
        for points in self._grid(loops):
            held = np.ones(points.count, dtype=bool)
            at = dict(points.at)
            for index, value in reversed(solved):
                at[index] = self._whole(value, _Points(points.count, at))
                held &= (at[index] >= 0) & (at[index] < self._number(index.extent))
            points = _Points(points.count, at).only(held)
            for guard in guards:
                points = points.only(self._holds(guard, points))
            if not points.count:
                continue
            place = np.zeros(points.count, dtype=np.int64)
            for index, length in zip(eq.indices, shape, strict=True):
                place = place * length + points.at[index]
            found = np.broadcast_to(self._value(body, points), points.count)
            order = np.argsort(place, kind="stable")
            places, starts = np.unique(place[order], return_index=True)
            out[places] += np.add.reduceat(found[order], starts)

    def _solved(
        self, loops: list[Index], factors: list[sympy.Expr]
    ) -> tuple[list[Index], list[tuple[Index, sympy.Expr]], list[sympy.Expr]]:
        """The indices that are left to loop over, the values of the others by the δs, and the other factors."""
        solved: list[tuple[Index, sympy.Expr]] = []
        for delta in [f for f in factors if isinstance(f, Delta) and not f.atoms(Element)]:
            difference = sympy.expand(rename(delta.args[0] - delta.args[1], dict(solved)))
            index = next((i for i in loops if difference.coeff(i, 1) in (1, -1)), None)
            if index is None:
                continue
            slope = difference.coeff(index, 1)
            value = sympy.expand(index - difference / slope)
            loops = [i for i in loops if i is not index]
            solved = [(i, sympy.expand(rename(v, {index: value}))) for i, v in solved] + [(index, value)]
            factors = [f for f in factors if f is not delta]
        return loops, solved, factors

    def _products(self, eq: Equation, term: Term) -> Array:
        found = self._segments(eq, term, term.body)
        return self.np.multiply.reduceat(found[0], found[1])

    def _maximum(self, eq: Equation, term: Term, shape: tuple[int, ...]) -> tuple[Array, Array | None]:
        """The largest entries, and the places that they are taken from, −1 where that is not clear."""
        np = self.np
        body = term.body.args[0] if isinstance(term.body, Masked) else term.body
        values, starts, points = self._segments(eq, term, body)
        ends = [*starts[1:].tolist(), len(values)]
        best = [max(range(a, b), key=lambda k: values[k].mid()) for a, b in zip(starts.tolist(), ends, strict=True)]
        largest = np.frompyfunc(arb.max, 2, 1).reduceat(values, starts)
        if not isinstance(body, Element) or body.name not in self.arrays:
            return largest.reshape(shape), None
        place = self._place(body, points)
        clear = [
            all(values[k] < values[w] or place[k] == place[w] for k in range(a, b))
            for a, b, w in zip(starts.tolist(), ends, best, strict=True)
        ]
        return largest.reshape(shape), np.where(clear, place[best], -1).reshape(shape)

    def _segments(self, eq: Equation, term: Term, body: sympy.Expr) -> tuple[Array, Array, _Points]:
        """Values for all indices, those of one entry together, and where each entry begins."""
        np = self.np
        size = prod(self._number(i.extent) for i in eq.indices)
        each = prod(self._number(i.extent) for i in term.bound)
        if size * each > 4 * _TOGETHER:
            raise UnsupportedError("too many entries at once")
        points = self._points([*eq.indices, *term.bound])
        entry = np.repeat(np.arange(size), each)
        for guard in sympy.Mul.make_args(term.body.args[1]) if isinstance(term.body, Masked) else ():
            held = self._holds(guard, points)
            points, entry = points.only(held), entry[held]
        starts = np.searchsorted(entry, np.arange(size))
        if (np.diff([*starts, len(entry)]) == 0).any():
            raise UndefinedError("the maximum of nothing: every entry is masked")
        return np.broadcast_to(self._value(body, points), points.count), starts, points

    # ── points ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _grid(self, loops: list[Index]) -> Any:
        """All values of the indices, so many at a time."""
        sizes = [self._number(i.extent) for i in loops]
        each = prod(sizes[1:])
        if prod(sizes) <= _TOGETHER or each == 0:
            yield self._points(loops)
            return
        step = max(1, _TOGETHER // each)
        for start in range(0, sizes[0], step):
            self.evaluator.tick(128)
            yield self._points(loops, range(start, min(start + step, sizes[0])))

    def _points(self, loops: list[Index], first: range | None = None) -> _Points:
        np = self.np
        ranges = [range(self._number(i.extent)) for i in loops]
        if first is not None:
            ranges[0] = first
        spread = np.meshgrid(*[np.arange(r.start, r.stop) for r in ranges], indexing="ij") if loops else []
        return _Points(prod(len(r) for r in ranges), {i: v.ravel() for i, v in zip(loops, spread, strict=True)})

    def _number(self, extent: sympy.Expr) -> int:
        found = self.evaluator.ball(extent, {}).unique_fmpz()
        if found is None:
            raise UnsupportedError(f"the extent {extent} has no value")
        return int(found)

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _value(self, expr: sympy.Expr, points: _Points) -> Array:
        """The balls of an expression, one for each point, or one for all."""
        np = self.np
        if isinstance(expr, Element):
            return self._array(expr).reshape(-1)[self._place(expr, points)]
        if not indices_in(expr) and not expr.has(Element):
            return np.array([self.evaluator.ball(expr, {})], dtype=object)
        if isinstance(expr, Index):
            return np.array([arb(int(v)) for v in points.at[expr]], dtype=object)
        if expr.is_Mul and any(isinstance(f, (Delta, InRange)) for f in expr.args):
            return self._guarded(expr, points)
        if expr.is_Add or expr.is_Mul:
            first, *others = (self._value(a, points) for a in expr.args)
            for other in others:
                first = first + other if expr.is_Add else first * other
            return first
        if expr.is_Pow and expr.exp.is_Integer:
            number = int(expr.exp)
            return self._each(lambda b: whole_power(b, number), points, expr.base)
        if expr.is_Pow and expr.base != sympy.E:
            return self._each(lambda b, e: power(b, e, expr.exp), points, expr.base, expr.exp)
        if isinstance(expr, (Delta, InRange)):
            return np.array([arb(int(h)) for h in self._holds(expr, points)], dtype=object)
        if isinstance(expr, Switch):
            return self._switch(expr, points)
        if isinstance(expr, ScalarFunction):
            return self._value(expr.defined(), points)
        if expr.is_Pow:
            return self._each(arb.exp, points, expr.exp)
        if type(expr) not in FUNCTIONS:
            raise UnsupportedError(f"'{type(expr).__name__}' is left to the other evaluator")
        return self._each(FUNCTIONS[type(expr)], points, *expr.args)

    def _each(self, function: Any, points: _Points, *arguments: sympy.Expr) -> Array:
        self.evaluator.tick(128)
        return self.np.frompyfunc(function, len(arguments), 1)(*[self._value(a, points) for a in arguments])

    def _guarded(self, expr: sympy.Expr, points: _Points) -> Array:
        """What a guard of 0 protects is not looked at."""
        found = self.np.full(points.count, arb(0), dtype=object)
        held = self.np.ones(points.count, dtype=bool)
        guards = [f for f in expr.args if isinstance(f, (Delta, InRange))]
        for guard in sorted(guards, key=lambda g: bool(g.atoms(Element))):
            held[held] = self._holds(guard, points.only(held))
        if held.any():
            found[held] = self._value(sympy.Mul(*[f for f in expr.args if f not in guards]), points.only(held))
        return found

    def _switch(self, expr: Switch, points: _Points) -> Array:
        """Either side is computed only where it is the value."""
        np = self.np
        x, below, above, weight = expr.args
        same = self._same(x, points)
        balls = np.broadcast_to(self._value(x, points), points.count)
        sign = np.array([0 if s else sign_of(b) for s, b in zip(same, balls, strict=True)])
        found = np.full(points.count, arb(0), dtype=object)
        for chosen, side in ((sign < 0, below), (sign > 0, above), (sign == 0, (1 - weight) * below + weight * above)):
            if chosen.any():
                found[chosen] = self._value(side, points.only(chosen))
        return found

    def _same(self, x: sympy.Expr, points: _Points) -> Array:
        """Where x is a maximum minus the entry that it is."""
        np = self.np
        parts = [a.as_coeff_Mul() for a in x.args] if x.is_Add and len(x.args) == 2 else []
        if len(parts) == 2 and parts[0][0] == -parts[1][0] and all(isinstance(e, Element) for _, e in parts):
            for (_, top), (_, entry) in (parts, parts[::-1]):
                equation = self.evaluator.definition and self.evaluator.definition.by_name.get(top.name)
                body = equation.terms[0].body if equation and top.name in self.winners else None
                taken = body.args[0] if isinstance(body, Masked) else body
                if isinstance(taken, Element) and taken.tensor == entry.tensor:
                    winner = self.winners[top.name].reshape(-1)[self._place(top, points)]
                    return winner == self._place(entry, points)
        return np.zeros(points.count, dtype=bool)

    def _array(self, element: Element) -> Array:
        """All entries of its tensor; of an input, drawn now."""
        name, tensor = element.name, element.tensor
        if name not in self.arrays:
            if self.evaluator.definition and name in self.evaluator.definition.by_name:
                raise UnsupportedError(f"{name} was left out")
            shape = tuple(self._number(e) for e in tensor.shape)
            made = self.np.empty(shape, dtype=object)
            for place in self.np.ndindex(shape):
                made[place] = self.evaluator.entry(element, tuple(map(int, place)))
            self.arrays[name] = made
        return self.arrays[name]

    def _place(self, element: Element, points: _Points) -> Array:
        """The positions in the flattened tensor."""
        np = self.np
        place = np.zeros(points.count, dtype=np.int64)
        for subscript, length in zip(element.subscripts, self._array(element).shape, strict=True):
            at = np.broadcast_to(self._whole(subscript, points), points.count)
            if ((at < 0) | (at >= length)).any():
                raise UnsupportedError(f"{element} is read outside its axes")
            place = place * length + at
        return place

    def _whole(self, expr: sympy.Expr, points: _Points) -> Array:
        """The whole numbers that a subscript is."""
        if isinstance(expr, Index):
            return points.at[expr]
        if isinstance(expr, Element):
            return self.np.array([int(v.unique_fmpz()) for v in self._value(expr, points)], dtype=self.np.int64)
        if expr.is_Add:
            return sum(self._whole(a, points) for a in expr.args)
        if expr.is_Mul:
            return prod(self._whole(a, points) for a in expr.args)
        return self._number(expr)

    def _holds(self, guard: sympy.Expr, points: _Points) -> Array:
        if isinstance(guard, Delta):
            a, b = (self._whole(e, points) for e in guard.args)
            found = a == b
        elif isinstance(guard, InRange):
            e, extent = (self._whole(e, points) for e in guard.args)
            found = (e >= 0) & (e < extent)
        else:
            found = self._whole(guard, points) != 0
        return self.np.broadcast_to(found, points.count)
