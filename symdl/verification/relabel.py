"""Bound indices in an order that does not depend on their names, and guards moved to where the text is smallest.

An index is known by the factors that it stands in and by the indices beside it there; what that leaves tied is tried
in every order. The checker has this of its own: it does not borrow from the canonical form that it checks.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import sympy

from symdl.core.deadlines import in_time
from symdl.core.functions import InRange
from symdl.core.guards import settled
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction
from symdl.errors import UnsupportedError

#: Orders of tied indices that are tried, and ways of moving guards.
MOST_ORDERS, MOST_WAYS = 720, 40

Colours = dict[Index, str]


def ordered(body: sympy.Expr, indices: Iterable[Index]) -> tuple[str, list[Index]]:
    """The smallest text of a product over bound indices, and the order of the indices in which it has that text.

    Raises:
        UnsupportedError: too many indices that nothing tells apart.
    """
    bound = sorted(indices, key=lambda i: (i.name, i.dummy_index))
    factors = [(f, [i for i in bound if i in f.free_symbols]) for f in sympy.Mul.make_args(body)]
    start = _refined(factors, {i: str(i.extent) for i in bound})
    best: tuple[str, list[Index]] | None = None
    for count, order in enumerate(_orders(factors, start)):
        in_time()
        if count >= MOST_ORDERS:
            raise UnsupportedError(f"a sum over {len(bound)} indices that nothing tells apart")
        numbers = {i: f"#{k:02d}" for k, i in enumerate(order)}
        named = sorted(_written(f, tuple((i, numbers[i]) for i in mine)) for f, mine in factors)
        text = " ".join([*(str(i.extent) for i in order), *named])
        if best is None or text < best[0]:
            best = text, order
    assert best is not None
    return best


def _orders(factors: list[tuple[sympy.Expr, list[Index]]], colours: Colours) -> Iterator[list[Index]]:
    count = Counter(colours.values())
    tied = min((c for c in count if count[c] > 1), default=None)
    if tied is None:
        yield sorted(colours, key=lambda i: colours[i])
        return
    for chosen in [i for i in colours if colours[i] == tied]:
        yield from _orders(factors, _refined(factors, {**colours, chosen: f"{tied}!"}))


def _refined(factors: list[tuple[sympy.Expr, list[Index]]], colours: Colours) -> Colours:
    """Colours split by where each index stands, until none splits further; each is a rank, so that texts stay short."""
    while True:
        ranks = {c: f"{k:03d}" for k, c in enumerate(sorted(set(colours.values())))}
        colours = {i: ranks[c] for i, c in colours.items()}
        if len(ranks) == len(colours):
            return colours
        seen: dict[Index, list[str]] = {i: [] for i in colours}
        for factor, mine in factors:
            for i in mine:
                seen[i].append(_written(factor, tuple((k, "@" if k == i else f"c{colours[k]}") for k in mine)))
        finer = {i: " ".join([colours[i], *sorted(texts)]) for i, texts in seen.items()}
        if len(set(finer.values())) == len(ranks):
            return colours
        colours = finer


@lru_cache(maxsize=65536)
def _written(factor: sympy.Expr, names: tuple[tuple[Index, str], ...]) -> str:
    """The text of a factor with its indices under these names."""
    return _text(factor, dict(names))


def _text(node: sympy.Basic, names: Mapping[sympy.Basic, str]) -> str:
    """A text that does not depend on the order of summands and factors, which hangs on how indices are called."""
    if not node.args:
        return names.get(node) or (node.name if node.is_Symbol else str(node))
    if isinstance(node, Element):
        return f"{node.name}[{', '.join([_text(s, names) for s in node.subscripts])}]"
    parts = [_text(a, names) for a in node.args]
    if node.is_Add or node.is_Mul:
        parts.sort()
    return f"{type(node).__name__}({', '.join(parts)})"


# ── guards ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def placed(body: sympy.Expr, indices: frozenset[Index]) -> tuple[sympy.Expr, tuple[Index, ...]]:
    """The product with its guards where its text is smallest, and its bound indices in order.

    Σ_r w[r] y[p − r] [0 ≤ p − r < U] is Σ_u w[p − u] y[u] [0 ≤ p − u < R]: whatever stands in a guard, or subscripts
    an axis, may be the bound index in place of one that it holds. Every way that leads to is compared.
    """
    if not any(isinstance(f, InRange) for f in sympy.Mul.make_args(body)):
        return body, tuple(ordered(body, indices)[1])  # a move from here would only put a guard in
    seen: dict[str, tuple[sympy.Expr, tuple[Index, ...]]] = {}
    ahead, met = [(body, list(indices))], set[tuple[sympy.Expr, frozenset[Index]]]()
    while ahead:
        product, bound = ahead.pop()
        if (product, frozenset(bound)) in met:
            continue
        met.add((product, frozenset(bound)))
        text, order = ordered(product, bound)
        if text in seen:
            continue
        seen[text] = product, tuple(order)
        if len(seen) > MOST_WAYS:
            raise UnsupportedError("guards that can be moved in too many ways", remedy="compare smaller parts")
        ahead += _moved(product, bound)
    return seen[min(seen, key=lambda t: (t.count("InRange"), len(t), t))]


def _moved(product: sympy.Expr, bound: list[Index]) -> Iterator[tuple[sympy.Expr, list[Index]]]:
    around = frozenset([*bound, *indices_in(product)])
    for e, extent in sorted(_placements(product, set(bound)), key=str):
        for index in bound:
            slope = e.coeff(index, 1)
            if slope not in (1, -1) or e == index:
                continue
            new = _another(index.name, extent, around)
            value = sympy.expand(index - slope * (e - new))
            if value.has(index):
                continue
            guard = InRange(value, index.extent)
            left = sympy.Mul(*[f for f in sympy.Mul.make_args(product) if f != InRange(e, extent)])
            moved = _flat(left.xreplace({index: value})) * guard
            yield settled(moved), [*(i for i in bound if i != index), new]


def _another(name: str, extent: sympy.Expr, taken: frozenset[Index]) -> Index:
    """An index that is not among those: the same one each time, so that what was found out about it is known."""
    return next(i for k in itertools.count() if (i := _standing(name, extent, k)) not in taken)


@lru_cache(maxsize=4096)
def _standing(name: str, extent: sympy.Expr, number: int) -> Index:
    return Index(name, extent)


def _flat(expr: sympy.Expr) -> sympy.Expr:
    """Subscripts and guards multiplied out, so that p − (p − u) is u."""
    mapping: dict[sympy.Basic, sympy.Basic] = {}
    for element in expr.atoms(Element):
        if not all(s.is_Atom for s in element.subscripts):
            mapping[element] = element.func(element.args[0], *[sympy.expand(s) for s in element.subscripts])
    for guard in expr.atoms(InRange):
        mapping[guard] = InRange(sympy.expand(guard.args[0]), guard.args[1])
    return expr.xreplace(mapping)


def _placements(product: sympy.Expr, bound: set[Index]) -> set[tuple[sympy.Expr, sympy.Expr]]:
    """Expressions that may become a bound index: what stands in a guard, and what subscripts an axis for certain."""
    found = {
        (sympy.expand(f.args[0]), f.args[1])
        for f in sympy.Mul.make_args(product)
        if isinstance(f, InRange) and f.free_symbols & bound
    }
    for factor in sympy.Mul.make_args(product):
        element = factor.as_base_exp()[0]
        if not isinstance(element, Element):
            continue
        for e, axis in zip(element.subscripts, element.tensor.indices, strict=True):
            plain = e.is_Atom or e.atoms(Element) or e.has(Reduction)
            if not plain and e.free_symbols & bound and settled(InRange(e, axis.extent)) == 1:
                found.add((sympy.expand(e), axis.extent))
    return {(e, extent) for e, extent in found if len(indices_in(e)) > 1}
