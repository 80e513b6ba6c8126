"""Equations in flat form: out[idx] = Σ over terms of (op over bound indices of a scalar body).

Reductions that an author nests deeper (a sum inside an exponential, in a denominator) become named equations of
their own (`flatten`), so that every body is an ordinary SymPy scalar whose atoms are tensor elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from symdl.core.functions import Delta, InRange, Masked
from symdl.core.guards import guarded, stays_within
from symdl.core.indices import Index, indices_in
from symdl.core.tensors import Element, Reduction, Tensor, elements_in, reduction, refreshed, rename


@dataclass(frozen=True)
class Term:
    """One summand: `op` over `bound` of `body`; op is "" where nothing is bound. `ties` belongs to a maximum."""

    body: sympy.Expr
    bound: tuple[Index, ...] = ()
    op: str = ""
    ties: str = ""

    @cached_property
    def expr(self) -> sympy.Expr:
        """The term as one expression."""
        return reduction(self.op, self.body, self.bound, self.ties) if self.bound else self.body


@dataclass(frozen=True)
class Equation:
    """`out[indices] = Σ terms`.

    Args:
        out: the tensor that it defines; its own indices are the free indices of the right-hand side.
        terms: the summands, at least one.
        note: the rule or the words that a derivation attaches to it.

    >>> i, n = Index("i", 3), Index("n")
    >>> w, x, b = Tensor("w", (i,)), Tensor("x", (n, i)), Tensor("b")
    >>> s = equation(Tensor("s", (n,)), reduction("sum", w[i] * x[n, i], [i]) + b)
    >>> s
    s[n] = b + Sum_{i}(w[i]*x[n, i])
    >>> [(t.op, len(t.bound)) for t in s.terms]
    [('', 0), ('sum', 1)]
    """

    out: Tensor
    terms: tuple[Term, ...]
    note: str = ""

    @property
    def name(self) -> str:
        return self.out.name

    @property
    def indices(self) -> tuple[Index, ...]:
        """The free indices."""
        return self.out.indices

    @cached_property
    def rhs(self) -> sympy.Expr:
        """The right-hand side as one expression, with `Reduction` nodes."""
        return sympy.Add(*[t.expr for t in self.terms])

    @property
    def lhs(self) -> Element:
        return self.out.element()

    @cached_property
    def uses(self) -> frozenset[Tensor]:
        """The tensors on the right-hand side, subscripts included."""
        return frozenset(e.tensor for t in self.terms for e in elements_in(t.body))

    @cached_property
    def used_names(self) -> frozenset[str]:
        """The names of the tensors on the right-hand side."""
        return frozenset(t.name for t in self.uses)

    @cached_property
    def pointwise(self) -> bool:
        """True where nothing is reduced."""
        return all(not t.bound for t in self.terms)

    def at(self, subscripts: tuple[sympy.Expr, ...]) -> sympy.Expr:
        """The right-hand side at given subscripts, with its bound indices renamed apart: what inlining inserts."""
        return rename(refreshed(self.rhs), dict(zip(self.indices, subscripts, strict=True)))

    def map(self, change: Callable[[sympy.Expr], sympy.Expr]) -> Equation:
        """The equation with `change` applied to every body."""
        return replace(self, terms=tuple(replace(t, body=change(t.body)) for t in self.terms))

    def __repr__(self) -> str:
        return f"{self.lhs} = {self.rhs}"


def terms_of(expr: sympy.Expr) -> tuple[Term, ...]:
    """Split a right-hand side into flat terms; factors in front of a sum move into its body.

    Reductions that stay nested inside a body are the caller's to name first (`flatten` does).
    """
    terms: list[Term] = []
    plain: list[sympy.Expr] = []
    for part in sympy.Add.make_args(expr):
        term = _as_term(part)
        if term.bound:
            terms.append(term)
        else:
            plain.append(part)
    if plain or not terms:
        terms.insert(0, Term(sympy.Add(*plain)))
    return tuple(terms)


def _as_term(part: sympy.Expr) -> Term:
    """c·Σ_i f → Σ_i c·f, and Σ_i Σ_j f → Σ_{i,j} f; a maximum or product stays alone."""
    factors = sympy.Mul.make_args(part)
    sums = [f for f in factors if isinstance(f, Reduction)]
    if len(sums) != 1 or (sums[0].op != "sum" and len(factors) > 1):
        return Term(part)
    inner = sums[0]
    if inner.op != "sum":
        return Term(inner.body, inner.bound, inner.op, inner.ties)
    rest = sympy.Mul(*[f for f in factors if f is not inner])
    deeper = _as_term(rest * inner.body)
    if deeper.op == "sum":
        return Term(deeper.body, inner.bound + deeper.bound, "sum")
    return Term(rest * inner.body, inner.bound, "sum")


def equation(out: Tensor, rhs: sympy.Expr, note: str = "") -> Equation:
    """An equation from its right-hand side, split into flat terms."""
    return Equation(out, terms_of(rhs), note)


def unused(stem: str, taken: Iterable[str]) -> str:
    """`stem`, or `stem2`, `stem3`, … if that is taken.

    >>> unused("S", {"S", "S2"})
    'S3'
    """
    names, count = set(taken), 1
    while (name := stem if count == 1 else f"{stem}{count}") in names:
        count += 1
    return name


def namer(taken: set[str]) -> Callable[[Reduction], str]:
    """Gives reductions that need a name S, m or P, by what they do, and adds each name to `taken`."""

    def name_for(node: Reduction) -> str:
        found = unused({"sum": "S", "max": "m", "prod": "P"}[node.op], taken)
        taken.add(found)
        return found

    return name_for


#: Reductions that have a name already: their text with place holders → the tensor, and the order of its axes.
Named = dict[sympy.Expr, tuple[Tensor, tuple[int, ...]]]


def flatten(
    out: Tensor,
    rhs: sympy.Expr,
    name_for: Callable[[Reduction], str],
    note: str = "",
    known: Named | None = None,
) -> list[Equation]:
    """The flat equations for `out[idx] = rhs`, the nested reductions first, each under a name of its own.

    The same reduction written twice gets one name; pass one `known` for several equations to share names among them.

    >>> k, n = Index("k", 3), Index("n")
    >>> z = Tensor("z", (n, k))
    >>> p = sympy.exp(z[n, k]) / reduction("sum", sympy.exp(z[n, k]), [k])
    >>> flatten(Tensor("p", (n, k)), p, lambda r: "S")
    [S[n] = Sum_{k}(exp(z[n, k])), p[n, k] = exp(z[n, k])/S[n]]
    """
    known = {} if known is None else known
    made: list[Equation] = []

    def summands(expr: sympy.Expr) -> sympy.Expr:
        parts = sympy.Add.make_args(expr)
        if len(parts) == 1:
            return summand(expr)
        # a maximum or a product stands alone in its equation, so that the tensor on the left is its value
        return sympy.Add(*[nested(p) if isinstance(p, Reduction) and p.op != "sum" else summand(p) for p in parts])

    def summand(expr: sympy.Expr, guards: tuple[sympy.Expr, ...] = ()) -> sympy.Expr:
        """Keep the one sum that a flat term may have, as c·Σ_i c'·Σ_j f; name every other reduction."""
        if not _as_term(expr).bound:
            return nested(expr, guards)
        factors = sympy.Mul.make_args(expr)
        inner = next(f for f in factors if isinstance(f, Reduction))
        if set(indices_in(inner)) < set(out.indices):
            return nested(expr, guards)  # the same for all values of some index: computed once, by a name of its own
        own = _guards_among(factors)
        beside = guards + own
        return sympy.Mul(
            *own, *[kept(f, beside) if isinstance(f, Reduction) else nested(f, beside) for f in factors if f not in own]
        )

    def kept(node: Reduction, guards: tuple[sympy.Expr, ...] = ()) -> sympy.Expr:
        body = summand(node.body, guards) if node.op == "sum" else nested(node.body, guards)
        return Reduction(node.args[0], body, *node.args[2:])

    def nested(expr: sympy.Expr, guards: tuple[sympy.Expr, ...] = ()) -> sympy.Expr:
        if isinstance(expr, Element) or not expr.has(Reduction):
            return expr
        if isinstance(expr, Reduction):
            return named(kept(expr, guards), guards)
        if expr.is_Mul:
            own = _guards_among(expr.args)
            return sympy.Mul(*own, *[nested(f, guards + own) for f in expr.args if f not in own])
        if isinstance(expr, Masked):
            entry, mask = expr.args
            return Masked(nested(entry, guards + _guards_among(sympy.Mul.make_args(mask))), mask)
        return expr.func(*[nested(a, guards) for a in expr.args])

    def named(node: Reduction, guards: tuple[sympy.Expr, ...]) -> sympy.Expr:
        node, back = _over_guarded(node, guards)
        free = indices_in(node)
        key = _anonymous(node, free)
        if key not in known:
            # the axes in the order in which the left-hand side has them
            place = {i: out.indices.index(i) if i in out.indices else out.rank for i in free}
            order = tuple(sorted(range(len(free)), key=lambda k: place[free[k]]))
            fresh = [free[k].fresh() for k in order]
            tensor = Tensor(name_for(node), tuple(fresh))
            known[key] = tensor, order
            renaming = dict(zip([free[k] for k in order], fresh, strict=True))
            made.append(equation(tensor, rename(refreshed(node), renaming)))
        tensor, order = known[key]
        return rename(tensor[tuple(free[k] for k in order)], back)

    final = summands(rhs)
    return [*made, equation(out, final, note)]


def _guards_among(factors: Iterable[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    return tuple(f for f in factors if isinstance(f, (InRange, Delta)))


def _over_guarded(node: Reduction, guards: tuple[sympy.Expr, ...]) -> tuple[Reduction, dict[Index, sympy.Expr]]:
    """A reduction of p − r that stands beside [0 ≤ p − r < U], as one of an index v below U, and what v stands for.

    Named by p and r it would be computed, and would read, where the guard is 0.

    >>> p, r, q = Index("p", 9), Index("r", 3), Index("q", 3)
    >>> x = Tensor("x", (p,))
    >>> _over_guarded(reduction("sum", x[p - r + q], [q]), (InRange(p - r, sympy.Integer(7)),))
    (Sum_{q}(x[q + v]), {v: p - r})
    """
    back: dict[Index, sympy.Expr] = {}
    renamed: dict[Index, sympy.Expr] = {}
    ranges = [g for g in reversed(guards) if isinstance(g, InRange)]  # what stands nearest says most of it
    left = []
    for written in ranges:
        guard = InRange(sympy.expand(rename(written.args[0], renamed)), written.args[1])
        moved = _moved(node, guard)
        if moved is None or _cost(moved[0]) >= _cost(node):
            left.append(guard)
            continue
        node, v, index, value = moved
        back[v] = written.args[0]
        renamed = {i: rename(e, {index: value}) for i, e in renamed.items()} | {index: value}
    for guard in left:
        beside = node.func(node.args[0], _guarded_body(node, guard), *node.args[2:])
        node = beside if _unsafe(beside) < _unsafe(node) else node
    return node, back


def _cost(node: Reduction) -> tuple[int, int]:
    """The subscripts that can leave their axes, and the indices that it would be computed for."""
    return _unsafe(node), len(indices_in(node))


def _unsafe(node: Reduction) -> int:
    """The subscripts in it that its own guards do not keep within their axes."""
    return sum(
        not (isinstance(s, Index) or s.atoms(Element) or stays_within(s, axis.extent, guards))
        for e, guards in guarded(node.body)
        for axis, s in zip(e.tensor.indices, e.subscripts, strict=True)
    )


def _moved(node: Reduction, guard: InRange) -> tuple[Reduction, Index, Index, sympy.Expr] | None:
    """The reduction over v = e, where all that it knows of the indices in e is e itself; v; and an index solved for."""
    e = sympy.expand(guard.args[0])
    inside = indices_in(e)
    for i in (i for i in inside if e.coeff(i, 1) in (1, -1) and i in node.free_symbols):
        v, slope = Index("v", guard.args[1]), e.coeff(i, 1)
        value = sympy.expand((v - e + slope * i) / slope)
        moved = rename(node, {i: value})
        moved = moved.func(moved.args[0], _expanded_subscripts(moved.body), *moved.args[2:])
        if not moved.free_symbols & set(inside):
            return moved, v, i, value
    return None


def _guarded_body(node: Reduction, guard: InRange) -> sympy.Expr:
    if node.op != "max":
        return guard * node.body
    entry, own = node.body.args if isinstance(node.body, Masked) else (node.body, sympy.S.One)
    return Masked(entry, guard * own)


def _expanded_subscripts(expr: sympy.Expr) -> sympy.Expr:
    return expr.xreplace({e: e.func(e.args[0], *map(sympy.expand, e.subscripts)) for e in expr.atoms(Element)})


def _anonymous(node: Reduction, free: list[Index]) -> sympy.Expr:
    """The reduction with place holders for indices, to recognise it when it is written twice."""
    holders = {i: _holder("bound", k, i) for k, i in enumerate(node.bound)}
    holders.update({i: _holder("free", k, i) for k, i in enumerate(free)})
    bound = [holders[i] for i in node.bound]  # Σ_h 1 and Σ_w 1 differ in nothing else
    return sympy.Tuple(sympy.Symbol(node.op), node.body.xreplace(holders), *bound)


def _holder(kind: str, number: int, index: Index) -> sympy.Symbol:
    return sympy.Symbol(f"{kind}{number}:{index.extent}")
