"""Terms → parts: where each product of a term is added, and under which conditions.

A factor δ(k, f) with a free index k of the equation says that only the entry k = f gets anything. Instead of looking
for it in every entry, the part runs over the other indices and adds to the place f (a scatter). The remaining guards of
a sum are conditions: where one is 0, nothing is added and nothing is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy

from symdl.core.equations import Equation, Term
from symdl.core.functions import Delta, InRange, Masked
from symdl.core.guards import decided
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, elements_in, rename


@dataclass(frozen=True)
class Part:
    """`out[place] op= body` over the indices of the place, the body and `bound`, where all guards hold.

    Args:
        place: a subscript for each axis of the equation's tensor.
        body: a scalar.
        op: "" for an unconditional value at the equation's own indices; else "sum", "max" or "prod".
        free: the indices of the equation that are left to loop over.
        bound: those that are reduced over.
        guards: conditions, each InRange or Delta, or a number that is not 0 where it holds.
    """

    place: tuple[sympy.Expr, ...]
    body: sympy.Expr
    op: str
    free: tuple[Index, ...]
    bound: tuple[Index, ...] = ()
    guards: tuple[sympy.Expr, ...] = ()


def parts(eq: Equation, term: Term) -> list[Part]:
    """The term as parts whose values add up to it; a maximum or a product is one part.

    >>> from symdl.core.tensors import Tensor
    >>> k, u, r = Index("k", 9), Index("u", 4), Index("r", 3)
    >>> y, w, x = Tensor("y", (k,)), Tensor("w", (r,)), Tensor("x", (u,))
    >>> eq = Equation(y, (Term(x[u] * w[r] * Delta(k, 2 * u + r), (u, r), "sum"),))
    >>> [(p.place, p.body, p.free, p.guards) for p in parts(eq, eq.terms[0])]
    [((r + 2*u,), w[r]*x[u], (), ())]
    """
    if term.op == "max" and isinstance(term.body, Masked):
        value, guard = term.body.args
        return [Part(eq.indices, value, "max", eq.indices, term.bound, _in_order([*sympy.Mul.make_args(guard)]))]
    if term.op in ("max", "prod"):
        return [Part(eq.indices, term.body, term.op, eq.indices, term.bound)]
    return list(_of_sum(eq, term))


#: How many values of short windows are written out: loops over two by two places read and write the result four times.
FEW = 4


def written_out(part: Part) -> list[Part]:
    """A part whose windows have few places, for each of them; their lengths are those of no array, and so fixed.

    >>> from symdl.core.tensors import Tensor
    >>> u, r = Index("u", 4), Index("r", 2)
    >>> x = Tensor("x", (Index("p", 8),))
    >>> [p.body for p in written_out(Part((u,), x[2 * u + r], "max", (u,), (r,)))]
    [x[2*u], x[2*u + 1]]
    """
    subscripts = [s for e in elements_in(part.body) for s in e.subscripts]
    computed = {i for s in (*subscripts, *part.place) if not isinstance(s, Index) for i in indices_in(s)}
    short = [i for i in part.bound if i in computed and i.extent.is_Integer]
    plain = {s for s in (*subscripts, *part.place) if isinstance(s, Index)}
    short = [i for i in short if i not in plain and i.extent <= FEW]
    if not short or math.prod(int(i.extent) for i in short) > FEW:
        return [part]
    found = [part]
    for index in short:
        found = [_at(p, index, value) for p in found for value in range(int(index.extent))]
    return found


def _at(part: Part, index: Index, value: int) -> Part:
    """The part at one value of an index that is reduced over."""
    fixed = {index: sympy.Integer(value)}
    place, guards = tuple(rename(s, fixed) for s in part.place), tuple(rename(g, fixed) for g in part.guards)
    bound = tuple(i for i in part.bound if i != index)
    return replace(part, place=place, body=rename(part.body, fixed), bound=bound, guards=guards)


def never_meet(first: tuple[sympy.Expr, ...], second: tuple[sympy.Expr, ...]) -> bool:
    """Whether two places are never the same one, whatever their indices are: 2u + 1 and 2v are not.

    >>> u, v = Index("u", 4), Index("v", 4)
    >>> never_meet((2 * u,), (2 * v + 1,)), never_meet((2 * u,), (2 * v + 2,)), never_meet((u,), (u + 1,))
    (True, False, False)
    """
    return any(_differ(a, b) for a, b in zip(first, second, strict=True))


def _differ(first: sympy.Expr, second: sympy.Expr) -> bool:
    """Whether two subscripts differ by no multiple of what the steps of their indices have in common."""
    if first.has(Element) or second.has(Element):
        return False
    steps, rests = list[sympy.Expr](), list[sympy.Expr]()
    for subscript in (first, second):
        rest = sympy.expand(subscript)
        for index in indices_in(subscript):
            steps.append(step := rest.coeff(index, 1))
            rest = sympy.expand(rest - step * index)
        rests.append(rest)
    apart = sympy.expand(rests[0] - rests[1])
    if not steps or not all(s.is_Integer and s != 0 for s in steps) or not apart.is_Integer:
        return False
    return int(apart) % math.gcd(*map(int, steps)) != 0


def _of_sum(eq: Equation, term: Term) -> Iterator[Part]:
    """Products with guards each for itself, all others together."""
    plain: list[sympy.Expr] = []
    for product in sympy.Add.make_args(term.body):
        part = _scatter(eq, product, term.bound)
        if (part.guards and term.op == "sum") or part.place != eq.indices:
            yield part
        else:
            plain.append(product)
    if plain:
        yield Part(eq.indices, sympy.Add(*plain), term.op, eq.indices, term.bound)


def _scatter(eq: Equation, product: sympy.Expr, bound: tuple[Index, ...]) -> Part:
    """The product with every δ that says where its value goes put into its place."""
    place: dict[Index, sympy.Expr] = {i: i for i in eq.indices}
    factors = list(sympy.Mul.make_args(product))
    left = list(eq.indices)
    ranges: list[sympy.Expr] = []
    while found := _next(factors, left):
        delta, index, value = found
        left.remove(index)
        factors = [rename(f, {index: value}) for f in factors if f is not delta]
        place = {i: rename(e, {index: value}) for i, e in place.items()}
        inside = InRange(value, index.extent)
        ranges = [rename(g, {index: value}) for g in ranges]
        if decided(inside) is not True:
            ranges.append(inside)
    conditions = [*ranges, *(f for f in factors if isinstance(f, (Delta, InRange)))]
    body = sympy.Mul(*[f for f in factors if not isinstance(f, (Delta, InRange))])
    return Part(tuple(place.values()), body, "sum", tuple(left), bound, _in_order(conditions))


def _in_order(conditions: list[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    """Conditions on indices alone first: they may protect what the others read."""
    return tuple(sorted(dict.fromkeys(conditions), key=lambda g: bool(g.atoms(Element))))


def _next(factors: list[sympy.Expr], free: list[Index]) -> tuple[sympy.Expr, Index, sympy.Expr] | None:
    """The next δ that one of the free indices can be solved for, the index, and what it has to be."""
    for delta in (f for f in factors if isinstance(f, Delta)):
        difference = sympy.expand(delta.args[0] - delta.args[1])
        for index in free:
            slope = difference.coeff(index, 1)
            rest = sympy.expand(difference - slope * index)
            if slope in (1, -1) and not rest.has(index):
                return delta, index, sympy.expand(-rest / slope)
    return None
