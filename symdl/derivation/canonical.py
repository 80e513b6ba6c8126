"""The canonical form of index expressions.

An expression becomes a polynomial: a sum of monomials with rational coefficients. A monomial is a product of atoms to
rational powers; sums are distributed over their summands, factors that do not depend on a bound index move out, and
each connected group of factors (connected through shared bound indices) becomes one sum with its indices renamed in a
fixed order. Independent sums therefore stay factors, Σ_i a_i · Σ_j b_j, and cancel against their own reciprocals.
Guards and δs are decided by the one rule of `symdl.derivation.summation`, so that it does not matter which index of a
convolution was eliminated.

exp(a + b) is E(a) E(b), log of a product of positive factors is a sum of logs, and `Switch` is written by its step
function, so that the usual identities are polynomial identities. What is equal in canonical form is equal; what is not
may still be, and `symdl.verification` goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import sympy

from symdl.core.deadlines import in_time
from symdl.core.functions import Delta, InRange, ScalarFunction, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Fact, Reduction, _as_scalar
from symdl.derivation.affine import Row, circuits, echelon, minus, primitive, reduced_echelon, row_of, solved
from symdl.derivation.guards import Bounds, delta_of, guard_of, plain
from symdl.derivation.ordering import named_text, orders
from symdl.derivation.summation import System
from symdl.derivation.systems import among_free, groups
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


def canonical(
    expr: sympy.Expr,
    *,
    facts: bool = True,
    open_kinks: bool = True,
    named: Callable[[sympy.Expr], sympy.Expr] | None = None,
) -> sympy.Expr:
    """The canonical form.

    Args:
        expr: a scalar expression, with free indices or without.
        facts: apply what is stated of tensors (Σ_k y_k = 1).
        open_kinks: write named functions with a kink (ReLU) by their pieces; False leaves them as atoms, which is
            much shorter, and enough where both sides use the same functions.
        named: called with each reduction, each factor and each argument that is a sum, once they have their form; what
            it returns (an unknown, say) stands for them.

    Raises:
        UnsupportedError: the form would have more than `LARGEST` monomials.
        BudgetError: the deadline has passed, where one is open (`symdl.core.deadlines`).

    >>> from symdl.core.tensors import Tensor, reduction
    >>> i, j = Index("i"), Index("j", Index("i").extent)
    >>> x = Tensor("x", (i,))
    >>> canonical(reduction("sum", x[i], [i]) ** 2 - reduction("sum", x[i], [i]) * reduction("sum", x[j], [j]))
    0
    """
    maker = _Canonical(facts, open_kinks, named)
    form = maker.form(expr)
    if not form.has(Delta, InRange):
        return form
    joined = sympy.Add(*[maker.joined(m) for m in sympy.Add.make_args(form)])
    return sympy.Add(*[maker.fixed(m) for m in sympy.Add.make_args(joined)])


class _Canonical:
    def __init__(self, facts: bool, open_kinks: bool, named: Callable[[sympy.Expr], sympy.Expr] | None) -> None:
        self.facts, self.open_kinks, self.named = facts, open_kinks, named
        self.known: dict[sympy.Expr, sympy.Expr] = {}

    def form(self, expr: sympy.Expr) -> sympy.Expr:
        if expr.is_Atom or isinstance(expr, (Element, E, Step)):
            return expr
        if expr not in self.known:
            in_time()
            self.known[expr] = self._form(expr)
        return self.known[expr]

    def _form(self, expr: sympy.Expr) -> sympy.Expr:
        if expr.is_Add:
            return sympy.Add(*[self.form(a) for a in expr.args])
        if expr.is_Mul:
            return _product([self._as_named(self.form(a)) for a in expr.args])
        if expr.is_Pow and expr.base != sympy.E:
            return self._power(self._as_named(self.form(expr.base)), self.form(expr.exp))
        if isinstance(expr, Reduction):
            return self._reduction(expr)
        if isinstance(expr, sympy.exp) or (expr.is_Pow and expr.base == sympy.E):
            return _exponential(self.form(expr.exp))
        if isinstance(expr, sympy.log):
            return _logarithm(self.form(expr.args[0]))
        if isinstance(expr, Switch):
            return self._switch(expr)
        if isinstance(expr, (Delta, InRange)):
            return _guard(expr)
        if self.open_kinks and isinstance(expr, ScalarFunction) and expr.defined().has(Switch):
            return self.form(expr.defined())
        if isinstance(expr, sympy.Function):
            return expr.func(*[self._as_named(self.form(a)) for a in expr.args])
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
        return sympy.Add(below, _product([jump, Step(self._as_named(x), weight)]))

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
            return self._as_named(_relabel(expr.op, {i: i.extent for i in expr.bound}, [body], [], expr.ties))
        return _limited(sympy.Add(*[self._sum(m, expr.bound) for m in sympy.Add.make_args(body)]))

    def _sum(self, monomial: sympy.Expr, bound: Sequence[Index]) -> sympy.Expr:
        """Σ of one monomial over `bound`."""
        return self._within(System({i: i.extent for i in bound}), monomial) if monomial != 0 else monomial

    def _within(self, system: System, monomial: sympy.Expr) -> sympy.Expr:
        """Σ of one monomial under the equations of a system, split into groups of factors that share bound indices."""
        in_time()
        factors, inner = _open_sums(monomial)
        system.bounds.update((i, i.extent) for i in inner)
        if not system.rows and plain(factors, system.bounds):
            for factor in factors:
                (system.atoms if system.hangs(factor) else system.outside).append(factor)
        else:
            for factor in factors:
                system.add(factor)
            if not system.settle():
                return sympy.S.Zero
        if self.facts:
            _apply_facts(system)
        product = sympy.Mul(*system.atoms)
        body = self.form(product) if system.substituted else product
        if body != product:
            # indices have become one: factors may cancel, or fall apart into several monomials
            parts = [self._within(System(dict(system.bounds), list(system.rows)), m) for m in sympy.Add.make_args(body)]
            return _product([*map(self.form, system.outside), sympy.Add(*parts)])
        split = groups(system)
        used = {v for indices, _, _ in split for v in indices}
        counted = [e for v, e in system.bounds.items() if v not in used and e is not None]
        return sympy.Mul(*system.outside, *counted, *[self._group(*g) for g in split])

    def _group(self, indices: Bounds, members: list[sympy.Expr], rows: list[Row]) -> sympy.Expr:
        return self._as_named(_relabel("sum", indices, members, rows))

    def _as_named(self, form: sympy.Expr) -> sympy.Expr:
        whole = isinstance(form, Reduction) or form.is_Add
        return self.named(form) if self.named is not None and whole else form

    def joined(self, monomial: sympy.Expr) -> sympy.Expr:
        """A monomial with what its guards of free indices and its sums say together."""
        factors = sympy.Mul.make_args(monomial)
        guarded = any(isinstance(f, (Delta, InRange)) for f in factors)
        sums = any(isinstance(f.as_base_exp()[0], Reduction) and f.has(Delta, InRange) for f in factors)
        return self._within(System(), monomial) if guarded and sums else monomial

    def fixed(self, monomial: sympy.Expr) -> sympy.Expr:
        """What guards of free indices say, put into the other factors: f(i) δ(i, j) = f(j) δ(i, j)."""
        guards = [f for f in sympy.Mul.make_args(monomial) if isinstance(f, (Delta, InRange))]
        found = among_free(guards) if guards else (sympy.S.One, {})
        if found is None:
            return sympy.S.Zero
        kept, values = found
        rest = sympy.Mul(*[f for f in sympy.Mul.make_args(monomial) if f not in guards])
        return _product([kept, self.form(rest.xreplace(values)) if values else rest])


def _apply_facts(system: System) -> None:
    """Leave out Σ_k y[…, k] = 1 where nothing else hangs on k."""
    for index, extent in list(system.bounds.items()):
        hanging = [a for a in system.atoms if index in a.free_symbols]
        tied = any(index in row for row in system.rows)
        if len(hanging) == 1 and not tied and _sums_to_one(hanging[0], index, extent):
            system.atoms.remove(hanging[0])
            del system.bounds[index]


def _sums_to_one(factor: sympy.Expr, index: sympy.Dummy, extent: sympy.Expr | None) -> bool:
    return (
        isinstance(factor, Element)
        and Fact.SUMS_TO_ONE in factor.tensor.facts
        and factor.subscripts[-1] == index
        and factor.tensor.indices[-1].extent == extent
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


def _relabel(op: str, bounds: Bounds, atoms: list[sympy.Expr], rows: list[Row], ties: str = "") -> sympy.Expr:
    """Rename the bound indices in an order that their places decide: one name for all equal sums."""
    shortest = list(circuits(rows, list(bounds)))
    found = [_placed(op, order, bounds, atoms, rows, ties) for order in orders(bounds, atoms, shortest)]
    return found[0] if len(found) == 1 else min(found, key=named_text)


def _placed(
    op: str, order: list[sympy.Dummy], bounds: Bounds, atoms: list[sympy.Expr], rows: list[Row], ties: str
) -> sympy.Expr:
    """One sum with its indices in the given order, and its equations in echelon form for that order."""
    height = 1 + max((_height(r) for a in atoms for r in a.atoms(Reduction)), default=0)
    kept = [v for v in order if bounds[v] is not None]
    places = [_place(bounds[v], height, k) for k, v in enumerate(kept)]
    names: dict[sympy.Basic, sympy.Basic] = dict(zip(kept, places, strict=True))
    tied, rest = echelon(rows, [v for v in order if bounds[v] is None])
    equations = reduced_echelon(rest, kept)
    for v, row in reversed(tied):
        value = row
        for column, equation in equations:
            if column in value and equation[column] in (1, -1):
                value = minus(value, equation, value[column] * equation[column])
        names[v] = solved(value, v).xreplace(names)
    placed = [_with_guards(a.xreplace(names)) if tied else a.xreplace(names) for a in atoms]
    body = sympy.Mul(*placed, *[delta_of(row).xreplace(names) for _, row in equations])
    if not places:
        return body
    return Reduction(sympy.core.symbol.Str(op), body, sympy.Tuple(*places), sympy.core.symbol.Str(ties))


def _with_guards(expr: sympy.Expr) -> sympy.Expr:
    """The guards inside a factor in their normal form."""
    return expr.xreplace({g: _guard(g) for g in expr.atoms(Delta, InRange)})


def _guard(expr: sympy.Expr) -> sympy.Expr:
    if isinstance(expr, InRange):
        return guard_of(*expr.args)
    row = row_of(expr.args[0] - expr.args[1])
    return expr if row is None else delta_of(primitive(row))


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
        monomials = sympy.Add.make_args(sympy.Add(*[p for m in monomials for p in _each(m, parts)]))
    return sympy.Add(*monomials)


def _each(monomial: sympy.Expr, parts: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    in_time()
    return [monomial * p for p in parts]


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
