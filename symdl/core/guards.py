"""Guards that the ranges of their indices decide: [0 ≤ u + r < U + R − 1] is always 1, δ(u, −1 − r) always 0.

Extents are at least 1, whatever they are, and an index runs from 0 to its extent − 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import sympy

from symdl.core.functions import Delta, InRange, Masked
from symdl.core.indices import Index, indices_in, provably_nonnegative, value_range
from symdl.core.tensors import Element, Reduction


def decided(guard: sympy.Expr) -> bool | None:
    """Whether a guard always holds (True), never holds (False), or depends on its indices (None).

    >>> from symdl.core.indices import Index
    >>> u, r = Index("u", 5), Index("r", 3)
    >>> decided(InRange(u + r, 7)), decided(InRange(u + r - 8, 7)), decided(InRange(u + r - 1, 7))
    (True, False, None)
    >>> decided(Delta(u + 5, r))
    False
    """
    if not isinstance(guard, (Delta, InRange)):
        return bool(guard) if guard in (0, 1) else None
    return _decided(guard)


@lru_cache(maxsize=65536)
def _decided(guard: sympy.Expr) -> bool | None:
    if guard.atoms(Element):
        return None
    if isinstance(guard, Delta):
        difference = guard.args[0] - guard.args[1]
        bounds = value_range(difference, indices_in(difference))
        apart = bounds and (provably_nonnegative(bounds[0] - 1) or provably_nonnegative(-1 - bounds[1]))
        return False if apart else None
    e, extent = guard.args
    bounds = value_range(e, indices_in(e))
    if bounds is None:
        return None
    low, high = bounds
    if provably_nonnegative(low) and provably_nonnegative(extent - 1 - high):
        return True
    outside = provably_nonnegative(low - extent) or provably_nonnegative(-1 - high)
    return False if outside else None


def settled(expr: sympy.Expr) -> sympy.Expr:
    """The expression with every guard that is decided put in as 1 or 0.

    >>> from symdl.core.indices import Index
    >>> u = Index("u", 5)
    >>> settled(InRange(u, 5) * InRange(u + 1, 5))
    InRange(u + 1, 5)
    """
    found = {g: sympy.Integer(d) for g in expr.atoms(Delta, InRange) if (d := decided(g)) is not None}
    return _without_empty(expr.xreplace(found) if found else expr)


def _without_empty(expr: sympy.Expr) -> sympy.Expr:
    """Σ 0 is 0: what is left of a sum whose guard is never 1."""
    while empty := [r for r in expr.atoms(Reduction) if r.body == 0 and r.op == "sum"]:
        expr = expr.xreplace(dict.fromkeys(empty, sympy.S.Zero))
    return expr


def without_implied(product: sympy.Expr) -> sympy.Expr:
    """A product without the guards that its δs imply: δ(p, e) says that e is a position of p's axis.

    A guard of a gather stays: a sum over p leaves δ(p, c) out, taking it that c is a position unless a guard says so.

    >>> from symdl.core.indices import Index
    >>> p, u = Index("p", 9), Index("u", 5)
    >>> without_implied(InRange(2 * u - 1, 9) * Delta(p, 2 * u - 1))
    Delta(p, 2*u - 1)
    """
    factors = sympy.Mul.make_args(product)
    known = [d for d in factors if isinstance(d, Delta)]
    guards = [f for f in factors if isinstance(f, InRange) and not f.atoms(Element)]
    idle = [f for f in guards if any(_implies(d, f) for d in known)]
    return sympy.Mul(*[f for f in factors if f not in idle]) if idle else product


def _implies(delta: Delta, guard: InRange) -> bool:
    return any(
        sympy.expand(e - guard.args[0]) == 0 and sympy.expand(size - guard.args[1]) == 0 for e, size in _bounded(delta)
    )


def stays_within(subscript: sympy.Expr, extent: sympy.Expr, guards: Iterable[sympy.Expr] = ()) -> bool:
    """Whether 0 ≤ subscript < extent wherever the guards are 1, by the ranges of indices.

    What a guard bounds counts as an index of that extent: [0 ≤ p − r < U] keeps p − r + q within U + Q − 1.

    >>> from symdl.core.indices import Index
    >>> p, r, q = Index("p", 9), Index("r", 3), Index("q", 3)
    >>> stays_within(p - r + q, sympy.Integer(9)), stays_within(p - r + q, sympy.Integer(9), [InRange(p - r, 7)])
    (False, True)
    """
    if decided(InRange(subscript, extent)) is True:
        return True
    for e, size in (bound for g in guards for bound in _bounded(g)):
        index = next(iter(indices_in(e)), None)
        if index is None:
            continue
        slope = subscript.coeff(index, 1) / sympy.expand(e).coeff(index, 1)
        inside = sympy.expand(subscript - slope * e + slope * _standing_for(size))
        if decided(InRange(inside, extent)) is True:
            return True
    return False


@lru_cache(maxsize=4096)
def _standing_for(extent: sympy.Expr) -> Index:
    return Index("v", extent)


def _bounded(guard: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """What a guard that is 1 bounds: expressions, each with the extent that it stays within."""
    if isinstance(guard, InRange):
        yield guard.args[0], guard.args[1]
    elif isinstance(guard, Delta):
        for i, e in (guard.args, reversed(guard.args)):
            if isinstance(i, Index):
                yield e, i.extent


def guarded(
    body: sympy.Expr, around: frozenset[sympy.Expr] = frozenset(), deltas: bool = False
) -> Iterator[tuple[Any, frozenset[sympy.Expr]]]:
    """Every mention of an element with the guards that protect it: where one of them is 0, it is never read.

    A guard protects the other factors of its product, and a mask what it masks. With `deltas`, every δ comes as well.

    >>> from symdl.core.indices import Index
    >>> from symdl.core.tensors import Tensor
    >>> u = Index("u", 5); x = Tensor("x", (u,)); inside = InRange(u - 1, 5)
    >>> [(e, set(g)) for e, g in guarded(x[u - 1] * inside + x[u])]
    [(x[u - 1], {InRange(u - 1, 5)}), (x[u], set())]
    """
    if isinstance(body, Element):
        yield body, around
        parts: tuple[sympy.Basic, ...] = body.subscripts
    elif isinstance(body, Delta):
        if deltas:
            yield body, around
        parts = body.args
    elif isinstance(body, Masked):
        yield from guarded(body.args[1], around, deltas)
        parts, around = body.args[:1], around | frozenset(sympy.Mul.make_args(body.args[1]))
    elif body.is_Mul:
        own = frozenset(f for f in body.args if isinstance(f, (InRange, Delta)))
        for guard in own:
            yield from guarded(guard, around)  # none of them is known to be looked at first
        if deltas:
            yield from ((guard, around | own - {guard}) for guard in own if isinstance(guard, Delta))
        parts, around = tuple(f for f in body.args if f not in own), around | own
    else:
        parts = body.args
    for part in parts:
        if isinstance(part, sympy.Expr):
            yield from guarded(part, around, deltas)


def gathers(bodies: Iterable[sympy.Expr]) -> dict[tuple[str, str, Index], bool]:
    """The integer tensors that subscript others, with the other and the axis: whether a guard watches every such place.

    δ(k, c) takes it that c is a position of the axis of k as well; then no tensor is named.

    >>> from symdl.core.tensors import Tensor
    >>> n, k = Index("n"), Index("k"); x, c = Tensor("x", (k,)), Tensor("c", (n,), integer=True)
    >>> list(gathers([x[c[n]] * InRange(c[n], k.extent)]).values()), list(gathers([x[c[n]]]).values())
    ([True], [False])
    >>> gathers([Delta(k, c[n]) + 1])
    {('c', '', k): False}
    """
    found: dict[tuple[str, str, Index], bool] = {}
    for subscript, tensor, axis, guards in (place for body in bodies for place in _places(body)):
        key = (subscript.name, tensor, axis)
        found[key] = found.get(key, True) and InRange(subscript, axis.extent) in guards
    return found


def _places(body: sympy.Expr) -> Iterator[tuple[Element, str, Index, frozenset[sympy.Expr]]]:
    """What stands for a position: the element, the tensor and the axis that it is a position of, and its guards."""
    for node, guards in guarded(body, deltas=True):
        if isinstance(node, Element):
            for axis, subscript in zip(node.tensor.indices, node.subscripts, strict=True):
                if isinstance(subscript, Element):
                    yield subscript, node.name, axis, guards
        else:
            for axis, place in (node.args, node.args[::-1]):
                if isinstance(axis, Index) and isinstance(place, Element):
                    yield place, "", axis, guards
