"""The canonical form of index expressions.

An expression becomes a polynomial: a sum of monomials with rational coefficients. A monomial is a product of atoms to
rational powers; sums are distributed over their summands, factors that do not depend on a bound index move out, and
each connected group of factors (connected through shared bound indices) becomes one sum with its indices renamed in a
fixed order. Independent sums therefore stay factors, Σ_i a_i · Σ_j b_j, and cancel against their own reciprocals.

exp(a + b) is E(a) E(b), log of a product of positive factors is a sum of logs, and `Switch` is written by its step
function, so that the usual identities are polynomial identities. What is equal in canonical form is equal; what is not
may still be, and `symdl.verification` goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import permutations

import sympy

from symdl.core.functions import Delta, InRange, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Reduction, _as_scalar
from symdl.derivation.deltas import contract, eliminate
from symdl.errors import UnsupportedError

#: More monomials than this are a sign that the caller wants numbers, not algebra.
LARGEST = 20_000


class E(sympy.Function):  # type: ignore[misc]
    """e to the power of one canonical monomial, kept apart so that SymPy does not merge it with its neighbours."""

    nargs = 1
    is_real = True
    is_positive = True


class Step(sympy.Function):  # type: ignore[misc]
    """1 where x > 0, 0 where x < 0, w at 0: what is left of `Switch` once its pieces are pulled out."""

    nargs = 2
    is_real = True
    is_nonnegative = True

    def _eval_power(self, exponent: sympy.Expr) -> sympy.Expr | None:
        return self if exponent.is_Integer and exponent.is_positive and self.args[1] in (0, 1) else None


@lru_cache(maxsize=4096)
def _place(extent: sympy.Expr, height: int, number: int) -> Index:
    """The index that stands for the `number`-th bound index of a sum of that nesting height."""
    return Index(f"q{'h' * height}{number}", extent)


def canonical(expr: sympy.Expr, *, facts: bool = True, open_kinks: bool = True) -> sympy.Expr:
    """The canonical form.

    Args:
        expr: a scalar expression, with free indices or without.
        facts: apply what is stated of tensors (Σ_k y_k = 1).
        open_kinks: write named functions with a kink (ReLU) by their pieces; False leaves them as atoms, which is
            much shorter, and enough where both sides use the same functions.

    Raises:
        UnsupportedError: the form would have more than `LARGEST` monomials.

    >>> from symdl.core.tensors import Tensor, reduction
    >>> i, j = Index("i"), Index("j", Index("i").extent)
    >>> x = Tensor("x", (i,))
    >>> canonical(reduction("sum", x[i], [i]) ** 2 - reduction("sum", x[i], [i]) * reduction("sum", x[j], [j]))
    0
    """
    return _Canonical(facts, open_kinks).form(contract(expr))


class _Canonical:
    def __init__(self, facts: bool, open_kinks: bool) -> None:
        self.facts, self.open_kinks = facts, open_kinks
        self.known: dict[sympy.Expr, sympy.Expr] = {}

    def form(self, expr: sympy.Expr) -> sympy.Expr:
        if expr.is_Atom or isinstance(expr, (Element, E, Step, Delta, InRange)):
            return expr
        if expr not in self.known:
            self.known[expr] = self._form(expr)
        return self.known[expr]

    def _form(self, expr: sympy.Expr) -> sympy.Expr:
        if expr.is_Add:
            return sympy.Add(*[self.form(a) for a in expr.args])
        if expr.is_Mul:
            return _product([self.form(a) for a in expr.args])
        if expr.is_Pow and expr.base != sympy.E:
            return self._power(self.form(expr.base), self.form(expr.exp))
        if isinstance(expr, Reduction):
            return self._reduction(expr)
        if isinstance(expr, sympy.exp) or (expr.is_Pow and expr.base == sympy.E):
            return _exponential(self.form(expr.exp))
        if isinstance(expr, sympy.log):
            return _logarithm(self.form(expr.args[0]))
        if isinstance(expr, Switch):
            return self._switch(expr)
        if self.open_kinks and isinstance(expr, ScalarFunction) and expr.defined().has(Switch):
            return self.form(expr.defined())
        if isinstance(expr, sympy.Function):
            return expr.func(*[self.form(a) for a in expr.args])
        return expr

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if exponent.is_Integer and exponent.is_positive:
            if not base.is_Add:
                return base**exponent
            result: sympy.Expr = sympy.S.One
            for _ in range(int(exponent)):
                result = _product([result, base])
            return result
        if base.is_Add:
            content, primitive = base.as_content_primitive()
            # 1/(E a + E b) → E⁻¹/(a + b): pull out exponentials that every summand has
            shared = _shared_factor(primitive)
            rest = sympy.Add(*[a / shared for a in primitive.args])
            return content**exponent * sympy.Pow(shared, exponent) * sympy.Pow(rest, exponent)
        if base.is_Mul and all(f.is_positive or exponent.is_Integer for f in base.args):
            return sympy.Mul(*[sympy.Pow(f, exponent) for f in base.args])
        return base**exponent

    def _switch(self, expr: Switch) -> sympy.Expr:
        x, below, above, weight = expr.args
        x, below, above = self.form(x), self.form(below), self.form(above)
        content, _ = x.as_content_primitive() if x.is_Add else (sympy.Abs(x.as_coeff_Mul()[0]), None)
        x = sympy.expand_mul(x / content, deep=False) if content not in (0, 1) else x
        if x.could_extract_minus_sign():
            x, below, above, weight = sympy.expand_mul(-x, deep=False), above, below, 1 - weight
        jump = sympy.expand_mul(above - below, deep=False)
        if weight != 0 and self._closes(jump, x):
            weight = sympy.S.Zero  # no jump at the kink: the weight says nothing
        return sympy.Add(below, _product([jump, Step(x, weight)]))

    def _closes(self, jump: sympy.Expr, x: sympy.Expr) -> bool:
        """True where `jump` is 0 wherever x is, by solving x = 0 for one of its atoms."""
        for part in sympy.Add.make_args(x):
            factor, atom = part.as_coeff_Mul()
            rest = x - part
            if (atom.is_Atom or isinstance(atom, Element | Reduction)) and not rest.has(atom):
                return bool(self.form(jump.xreplace({atom: sympy.expand_mul(-rest / factor, deep=False)})) == 0)
        return False

    def _reduction(self, expr: Reduction) -> sympy.Expr:
        body = self.form(expr.body)
        if expr.op != "sum":
            return _relabel(expr.op, body, expr.bound, expr.ties)
        parts = []
        for monomial in sympy.Add.make_args(body):
            product, bound = eliminate(monomial, expr.bound)
            parts.append(self._sum(product, bound))
        return _limited(sympy.Add(*parts))

    def _sum(self, monomial: sympy.Expr, bound: tuple[Index, ...]) -> sympy.Expr:
        """Σ of one monomial, split into groups of factors that share bound indices."""
        outside: list[sympy.Expr] = []
        groups: list[tuple[set[Index], list[sympy.Expr]]] = []
        left = set(bound)
        opened = _open_sums(monomial)
        factors, inner = opened
        left |= set(inner)
        for factor in factors:
            mine = left & factor.free_symbols
            if not mine:
                outside.append(factor)
                continue
            touching = [g for g in groups if g[0] & mine]
            groups = [g for g in groups if not g[0] & mine]
            indices = mine.union(*[g[0] for g in touching])
            groups.append((indices, [f for g in touching for f in g[1]] + [factor]))
        used = set().union(*[g[0] for g in groups])
        outside += [i.extent for i in left - used]
        for indices, members in groups:
            outside.append(self._group(indices, members))
        return sympy.Mul(*outside)

    def _group(self, indices: set[Index], members: list[sympy.Expr]) -> sympy.Expr:
        if self.facts and len(members) == 1 and len(indices) == 1 and _sums_to_one(members[0], next(iter(indices))):
            return sympy.S.One
        return _relabel("sum", sympy.Mul(*members), sorted(indices, key=lambda i: (i.name, i.dummy_index)), "")


def _sums_to_one(factor: sympy.Expr, index: Index) -> bool:
    return (
        isinstance(factor, Element)
        and Fact.SUMS_TO_ONE in factor.tensor.facts
        and factor.subscripts[-1] == index
        and not any(s.has(index) for s in factor.subscripts[:-1])
    )


def _open_sums(monomial: sympy.Expr) -> tuple[list[sympy.Expr], list[Index]]:
    """The factors of a monomial, its sums opened: Σ_i a·Σ_j b → a·b with i and j free (renamed apart)."""
    factors: list[sympy.Expr] = []
    bound: list[Index] = []
    for factor in sympy.Mul.make_args(monomial):
        power = 1
        node = factor
        if factor.is_Pow and isinstance(factor.base, Reduction) and factor.exp.is_Integer and factor.exp > 0:
            node, power = factor.base, int(factor.exp)
        if not (isinstance(node, Reduction) and node.op == "sum"):
            factors.append(factor)
            continue
        for _ in range(power):
            fresh = [i.fresh() for i in node.bound]
            body = node.body.xreplace(dict(zip(node.bound, fresh, strict=True)))
            factors.extend(sympy.Mul.make_args(body))
            bound.extend(fresh)
    return factors, bound


def _relabel(op: str, body: sympy.Expr, bound: Iterable[Index], ties: str) -> sympy.Expr:
    """Rename the bound indices in the order that makes the body smallest: one name for all equal sums."""
    indices = list(bound)
    height = 1 + max((_height(r) for r in body.atoms(Reduction)), default=0)
    if not indices:
        return body
    if len(indices) > 6:
        raise UnsupportedError(f"a sum over {len(indices)} connected indices", remedy="name a part of it with sd.let")
    best: tuple[str, sympy.Expr, list[Index]] | None = None
    for order in permutations(range(len(indices))):
        places = [_place(indices[k].extent, height, position) for position, k in enumerate(order)]
        renamed = body.xreplace({indices[k]: place for k, place in zip(order, places, strict=True)})
        key = sympy.srepr(sympy.Tuple(*[p.extent for p in places])) + _text(renamed)
        if best is None or key < best[0]:
            best = (key, renamed, places)
    assert best is not None
    return Reduction(sympy.core.symbol.Str(op), best[1], sympy.Tuple(*best[2]), sympy.core.symbol.Str(ties))


def _text(expr: sympy.Expr) -> str:
    """A text that tells index objects apart by place, for ordering only."""
    return str(sympy.Tuple(*sorted(sympy.Mul.make_args(expr), key=str)))


def _height(node: Reduction) -> int:
    return 1 + max((_height(r) for r in node.body.atoms(Reduction)), default=0)


def _product(factors: list[sympy.Expr]) -> sympy.Expr:
    sums = [len(f.args) for f in factors if f.is_Add]
    size = 1
    for s in sums:
        size *= s
    if size > LARGEST:
        raise UnsupportedError(f"a canonical form of {size} monomials", remedy="compare at concrete extents")
    monomials: list[sympy.Expr] = [sympy.S.One]
    for factor in factors:
        parts = sympy.Add.make_args(factor)
        monomials = sympy.Add.make_args(sympy.Add(*[m * p for m in monomials for p in parts]))
    return sympy.Add(*monomials)


def _limited(expr: sympy.Expr) -> sympy.Expr:
    if expr.is_Add and len(expr.args) > LARGEST:
        raise UnsupportedError(f"a canonical form of {len(expr.args)} monomials", remedy="compare at concrete extents")
    return expr


def _exponential(exponent: sympy.Expr) -> sympy.Expr:
    factors: list[sympy.Expr] = []
    for part in sympy.Add.make_args(exponent):
        coefficient, monomial = part.as_coeff_Mul(rational=True)
        if monomial == 1:
            factors.append(sympy.exp(coefficient))
        elif isinstance(monomial, sympy.log):
            factors.append(sympy.Pow(monomial.args[0], coefficient))
        else:
            factors.append(E(monomial) ** coefficient)
    return sympy.Mul(*factors)


def _logarithm(argument: sympy.Expr) -> sympy.Expr:
    if argument.is_Add:
        shared = _shared_factor(argument)
        if shared != 1:
            rest = sympy.Add(*[a / shared for a in argument.args])
            return _logarithm(shared) + sympy.log(rest)
        return sympy.log(argument)
    parts: list[sympy.Expr] = []
    unsplit: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(argument):
        base, exponent = factor.as_base_exp()
        if isinstance(base, E):
            parts.append(exponent * base.args[0])
        elif base.is_positive and base != 1:
            parts.append(exponent * sympy.log(base))
        else:
            unsplit.append(factor)
    if unsplit:
        parts.append(sympy.log(sympy.Mul(*unsplit)))
    return sympy.Add(*parts)


def _shared_factor(add: sympy.Expr) -> sympy.Expr:
    """The exponentials that every summand has, at the power nearest to zero, smallest first; 1 if none."""
    powers: dict[sympy.Expr, list[sympy.Expr]] = {}
    for part in add.args:
        for factor in sympy.Mul.make_args(part):
            base, exponent = factor.as_base_exp()
            if isinstance(base, E):
                powers.setdefault(base, []).append(exponent)
    shared: list[sympy.Expr] = []
    for base, exponents in powers.items():
        least = min([*exponents, *([sympy.S.Zero] if len(exponents) < len(add.args) else [])])
        if least != 0:
            shared.append(base**least)
    return sympy.Mul(*shared)


def is_zero(expr: sympy.Expr) -> bool:
    """True where the canonical form is 0: a proof. False says nothing.

    Named functions with a kink stay closed at first, and are opened only where that did not decide.
    """
    value = _as_scalar(expr)
    if canonical(value, open_kinks=False) == 0:
        return True
    kinked = any(f.defined().has(Switch) for f in value.atoms(ScalarFunction))
    return bool(kinked and canonical(value) == 0)
