"""Differences of unit vectors, as sums of products of two entries each.

    u_d/|u| − v_d/|v| = Σ_j (u_d v_j − v_d u_j)(u_d v_j + v_d u_j) / ((u_d |v| + v_d |u|) |u| |v|)

Two directions from one far point are nearly the same, and what is left of them when they are subtracted is in no digit
of theirs. In the products, what u and v have in common cancels in symbols: with u = m + x and v = m + y it is
u_d v_j − v_d u_j = m_d (y_j − x_j) − m_j (y_d − x_d) + x_d y_j − y_d x_j. The form holds where u_d and v_d have one
sign; elsewhere nothing cancels.

>>> from symdl.core.define import Input, Sum, define, let, sqrt
>>> @define
... def turned(a=Input("n d"), p=Input("n d"), q=Input("n d")):
...     n, d = a.indices
...     one = let("A[n]", sqrt(Sum((a[n, d] - p[n, d]) ** 2, d)))
...     other = let("B[n]", sqrt(Sum((a[n, d] - q[n, d]) ** 2, d)))
...     return let("r[n,d]", (a[n, d] - p[n, d]) / one[n] - (a[n, d] - q[n, d]) / other[n])
>>> factored = with_factored_unit_vectors(turned)
>>> [eq.name for eq in factored.equations]
['S', 'A', 'S2', 'B', 'V', 'r']
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import sympy

from symdl.core.definitions import Definition
from symdl.core.equations import Equation, Term, unused
from symdl.core.functions import Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element, Tensor, rename
from symdl.derivation.roots import squares
from symdl.derivation.tidy import put_in

#: Longer summands are not looked into.
LONGEST = 400


@dataclass(frozen=True)
class _Unit:
    """factor · u[index] / root, a summand of an equation; u is over the index that its squares are summed over."""

    factor: sympy.Expr
    root: Element
    index: Index
    bound: Index
    u: sympy.Expr

    def at(self, index: Index) -> sympy.Expr:
        return rename(self.u, {self.bound: index})

    @property
    def expr(self) -> sympy.Expr:
        return self.factor * self.at(self.index) / self.root


def with_factored_unit_vectors(definition: Definition) -> Definition:
    """The definition with every such difference factored; equal to it for all real values."""
    names, by_name = set(definition.tensors), dict(definition.by_name)
    made: list[Equation] = []
    for eq in definition.equations:
        parts = [p for t in eq.terms for p in sympy.Add.make_args(t.body)] if eq.pointwise or _flat(eq) else []
        units = {p: u for p in parts if (u := _unit(p, eq, by_name)) is not None}
        for one, other in combinations(units, 2):
            found = _difference(units[one], units[other])
            if found is None:
                continue
            first, second, share = found
            rest = _products(first, second, eq.indices, unused("V", names))
            names.add(rest.name)
            left = [p for p in parts if p not in (one, other)]
            made.append(rest)
            eq = replace(eq, terms=(Term(sympy.Add(*left, _joined(first, second, share, rest.out))),))
            break
        made.append(eq)
    changed = len(made) > len(definition.equations)
    return replace(definition, equations=tuple(made), kinks=(), general=None) if changed else definition


def _flat(eq: Equation) -> bool:
    return not any(t.bound for t in eq.terms)


def _unit(part: sympy.Expr, eq: Equation, by_name: dict[str, Equation]) -> _Unit | None:
    """A summand as a multiple of an entry of a unit vector."""
    pointwise = [e for e in by_name.values() if _flat(e) and not squares(e.out.element(), by_name)]
    opened = put_in(part, pointwise) if part.has(Element) else part
    if opened.count_ops() > LONGEST:
        return None
    for root in sorted((f.base for f in opened.atoms(sympy.Pow) if f.exp == -1), key=sympy.default_sort_key):
        term = squares(root, by_name)
        if term is None or len(term.bound) != 1:
            continue
        places = dict(zip(by_name[root.name].indices, root.subscripts, strict=True))
        u, (bound,) = rename(term.body.base, places), term.bound
        factors = sympy.Mul.make_args(opened * root)
        for index in eq.indices:
            if index.extent != bound.extent or index in root.subscripts:
                continue
            for k, factor in enumerate(factors):
                if (ratio := _ratio(factor, rename(u, {bound: index}))) is not None:
                    rest = sympy.Mul(ratio, *factors[:k], *factors[k + 1 :])
                    if not any(index in e.free_symbols for e in rest.atoms(Element)):
                        return _Unit(_outside(rest), root, index, bound, u)
    return None


def _ratio(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
    """The number r with a = r b, where a and b are sums of terms."""
    first, second = (sympy.expand(e).as_coefficients_dict() for e in (a, b))
    if set(first) != set(second) or not any(isinstance(e, Element) for e in first):
        return None
    ratios = {first[e] / second[e] for e in first}
    return ratios.pop() if len(ratios) == 1 else None


def _outside(expr: sympy.Expr) -> sympy.Expr:
    """What a switch between 0 and something multiplies put outside of it, so that opposite ones are seen to be.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> _outside(Switch(x, 0, -Switch(y, 1, 0, 0), 1))
    -Switch(x, 0, 1, 1)*Switch(y, 1, 0, 0)
    """
    if isinstance(expr, Switch):
        x, below, above, weight = expr.args
        if below == 0 and above != 0:
            return Switch(x, 0, 1, weight) * _outside(above)
        if above == 0 and below != 0:
            return Switch(x, 1, 0, weight) * _outside(below)
        return expr
    return sympy.Mul(*map(_outside, expr.args)) if expr.is_Mul else expr


def _difference(one: _Unit, other: _Unit) -> tuple[_Unit, _Unit, sympy.Expr] | None:
    """c·u/|u| and −c·w·v/|v| with c, a share w (1, or a switch between 0 and 1), and the sign put into v."""
    if one.root == other.root or one.index != other.index:
        return None
    for first, second in ((one, other), (other, one)):
        share = -second.factor / first.factor
        sign = -1 if share.as_coeff_Mul()[0] < 0 else 1
        share = share * sign
        if share == 1 or (isinstance(share, Switch) and set(share.args[1:3]) == {sympy.S.Zero, sympy.S.One}):
            return first, replace(second, factor=sign * second.factor, u=sign * second.u), share
    return None


def _products(one: _Unit, other: _Unit, indices: tuple[Index, ...], name: str) -> Equation:
    """Σ_j (u_d v_j − v_d u_j)(u_d v_j + v_d u_j), with what is in both of u and v put outside of differences."""
    d, j = one.index, one.bound
    u, v = (sympy.expand(e).as_coefficients_dict() for e in (one.u, rename(other.u, {other.bound: j})))
    common = {e: c for e, c in u.items() if v.get(e) == c}
    m = sympy.Add(*[c * e for e, c in common.items()])
    x, y = (sympy.Add(*[c * e for e, c in side.items() if e not in common]) for side in (u, v))
    (m_j, x_j, y_j), (m_d, x_d, y_d) = (m, x, y), (rename(e, {j: d}) for e in (m, x, y))
    apart = m_d * (y_j - x_j) - m_j * (y_d - x_d) + x_d * y_j - y_d * x_j
    along = 2 * m_d * m_j + m_d * (x_j + y_j) + m_j * (x_d + y_d) + x_d * y_j + y_d * x_j
    return Equation(Tensor(name, indices), (Term(apart * along, (j,), "sum"),), "stable: difference of unit vectors")


def _joined(one: _Unit, other: _Unit, share: sympy.Expr, products: Tensor) -> sympy.Expr:
    """c·(u/|u| − w v/|v|) by the products where w is 1 and both have one sign."""
    u, v = one.at(one.index), other.at(other.index)
    below = (u * other.root + v * one.root) * one.root * other.root
    whole = Switch(u * v, u / one.root - v / other.root, products.element() / below, 0)
    if share == 1:
        return one.factor * whole
    x, low, high, weight = share.args
    sides = [whole if s == 1 else u / one.root for s in (low, high)]
    return one.factor * Switch(x, *sides, weight)
