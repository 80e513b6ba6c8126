"""R5 once more: an exponential expressed by the forward value that was computed from it.

The sigmoid a = 1/(1 + e^{−s}) has the slope e^{−s}/(1 + e^{−s})². Solving the equation for e^{−s} = (1 − a)/a and
putting that in gives a (1 − a). It works wherever a is a quotient of two linear functions of one exponential.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.core.equations import Equation
from symdl.core.tensors import Element, elements_in
from symdl.derivation.tidy import weight


def solve_out(expr: sympy.Expr, equations: Iterable[Equation]) -> sympy.Expr:
    """`expr` with exponentials replaced by the forward values they can be read off from, where all of them can.

    >>> from symdl.core.define import define, Input, let
    >>> @define
    ... def logistic(s=Input()):
    ...     return let("a", 1 / (1 + sympy.exp(-s.element())))
    >>> s = logistic["s"].element()
    >>> solve_out(sympy.exp(-s) / (1 + sympy.exp(-s)) ** 2, logistic.equations)
    (1 - a)*a
    """
    if not expr.has(sympy.exp):
        return expr
    present = set(elements_in(expr))
    for eq in equations:
        if not eq.pointwise or not eq.rhs.has(sympy.exp) or len(elements_in(eq.rhs)) != 1:
            continue
        (source,) = elements_in(eq.rhs)
        for element in (e for e in present if e.tensor == source.tensor):
            mapping = dict(zip(source.subscripts, element.subscripts, strict=True))
            if set(mapping) != set(eq.indices):
                continue
            solved = _solved(expr, eq.rhs.xreplace(mapping), eq.lhs.xreplace(mapping), element)
            if solved is not None:
                return solved
    return expr


def _solved(expr: sympy.Expr, body: sympy.Expr, value: Element, source: Element) -> sympy.Expr | None:
    power, a = sympy.Dummy("E", positive=True), sympy.Dummy("a", real=True)
    rational = [_in_powers(e, source, power) for e in (body, expr)]
    if rational[0] is None or rational[1] is None:
        return None
    base, slope = rational
    for degree in (1, 2):
        v = sympy.Dummy("V", positive=True)
        roots = [_in_root(r, power, degree, v) for r in (base, slope)]
        if roots[0] is None or roots[1] is None:
            continue
        above, below = sympy.fraction(sympy.cancel(roots[0]))
        difference = sympy.Poly(above - a * below, v)
        if difference.degree() != 1:
            continue
        lead, rest = difference.all_coeffs()
        read_off = sympy.factor(sympy.cancel(roots[1].xreplace({v: -rest / lead})))
        forms = [_signs(read_off, a), sympy.expand(read_off)]
        return min(forms, key=weight).xreplace({a: value})
    return None


def _in_powers(expr: sympy.Expr, source: Element, power: sympy.Symbol) -> sympy.Expr | None:
    """The expression with e^{k·source} as power^k; None where source stands anywhere else, or in other functions."""
    replaced = {}
    for node in expr.atoms(sympy.exp):
        multiple = node.exp / source
        if not multiple.is_Integer:
            return None
        replaced[node] = power**multiple
    rational = expr.xreplace(replaced)
    return None if rational.has(source) or rational.has(sympy.Function) else sympy.cancel(rational)


def _in_root(rational: sympy.Expr, power: sympy.Symbol, degree: int, v: sympy.Symbol) -> sympy.Expr | None:
    """The rational function of power as one of v = power^degree, where only such powers occur."""
    parts = []
    for side in sympy.fraction(rational):
        poly = sympy.Poly(side, power)
        if any(k % degree for (k,) in poly.monoms()):
            return None
        parts.append(sympy.Add(*[c * v ** (k // degree) for (k,), c in poly.terms()]))
    return parts[0] / parts[1]


def _signs(factored: sympy.Expr, a: sympy.Symbol) -> sympy.Expr:
    """−a (a − 1) → a (1 − a): a minus sign in front goes into a factor that has one."""
    if not factored.could_extract_minus_sign() or not factored.is_Mul:
        return factored
    factors = list(factored.args)
    for k, factor in enumerate(factors):
        if factor.is_Add and factor.coeff(a, 0).is_negative:
            return sympy.Mul(-1, *factors[:k], -factor, *factors[k + 1 :])
    return factored
