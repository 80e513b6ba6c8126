"""∫_a^b f dx where an antiderivative is known term by term: powers, and exp, sin and cos of something linear in x."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import element
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: The antiderivative of a function of a linear expression, but for its slope.
_PRIMITIVE = {sympy.exp: sympy.exp, sympy.sin: lambda u: -sympy.cos(u), sympy.cos: sympy.sin}


def value_of(reader: Reader, node: tree.Big) -> Array:
    """A definite integral between numbers, by the fundamental theorem.

    Raises:
        MeaningError: no limits, no dx, or no antiderivative that is known here.
    """
    found = parted(node.body)
    if found is None or node.sub is None or node.sup is None:
        raise MeaningError("an integral without limits, or without dx")
    name, integrand = found
    low, high = reader.number(node.sub), reader.number(node.sup)
    x = element(name)
    outer = dict(reader.arguments)
    reader.arguments[name] = scalar(x)
    try:
        body = reader.number(integrand)
    finally:
        reader.arguments = outer
    whole = _primitive(body, x)
    return scalar(whole.xreplace({x: high}) - whole.xreplace({x: low}))


def parted(body: Node) -> tuple[str, Node] | None:
    """x and f of f dx, wherever dx stands: behind the function that it is written after, or over a fraction.

    >>> from symdl.verification.notation import parse, unicode
    >>> texts = ("x^2 dx", chr(92) + "tanh x dx", chr(92) + "frac{dx}{1 + x^2}")
    >>> [(x, unicode(f)) for x, f in (parted(parse(text)) for text in texts)]
    [('x', 'x²'), ('x', 'tanh x'), ('x', '1/(1 + x²)')]
    """
    if isinstance(body, tree.Quotient) and (over := parted(body.over)) is not None:
        return over[0], replace(body, over=over[1])
    if isinstance(body, tree.Applied) and isinstance(body.argument, tree.Product | tree.Applied):
        inner = parted(body.argument)
        return None if inner is None else (inner[0], replace(body, argument=inner[1]))
    if not isinstance(body, tree.Product):
        return None
    factors = body.factors
    for k, (d, x) in enumerate(pairwise(factors)):
        if isinstance(d, tree.Symbol) and d.name == "d" and isinstance(x, tree.Symbol):
            rest = (*factors[:k], *factors[k + 2 :])
            inside = tree.Product(rest, ("",) * (len(rest) - 1)) if len(rest) > 1 else rest[0] if rest else None
            return x.name, tree.Number("1") if inside is None else inside
    last = parted(factors[-1])
    return None if last is None else (last[0], replace(body, factors=(*factors[:-1], last[1])))


def _primitive(body: sympy.Expr, x: Element) -> sympy.Expr:
    """An antiderivative by x.

    >>> x = element("x")
    >>> _primitive(3 * x**2 + sympy.exp(2 * x), x)
    exp(2*x)/2 + x**3
    """
    terms = sympy.Add.make_args(sympy.expand(body))
    return sympy.Add(*[_of_term(term, x) for term in terms])


def _of_term(term: sympy.Expr, x: Element) -> sympy.Expr:
    constant, rest = term.as_independent(x, as_Add=False)
    if rest.has(Reduction) or constant.has(x):
        raise MeaningError("an integral of a sum")
    if rest == 1:
        return constant * x
    base, power = rest.as_base_exp() if not isinstance(rest, sympy.exp) else (rest, sympy.S.One)
    if base == x and power.is_Integer and power >= 0:
        return constant * x ** (power + 1) / (power + 1)
    linear = rest.args[0] if type(rest) in _PRIMITIVE else None
    if linear is not None and linear.is_polynomial(x) and sympy.degree(linear, x) == 1:
        return constant * _PRIMITIVE[type(rest)](linear) / sympy.Poly(linear, x).LC()
    raise MeaningError(f"no antiderivative of {rest} is known here")
