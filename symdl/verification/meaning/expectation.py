"""E[·] and Var(·): E is linear, Var(X) = E[X²] − E[X]². X, Y and Z are random, small letters beside them are not.

Of a distribution nothing is known, so E[X] is an unknown of its own: what is proved holds for all distributions, and
nothing is refuted. E[X Y] = E[X] E[Y] needs independence, and stays open.
"""

from __future__ import annotations

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.verification.meaning.unknown import UnknownFunction, unknown

#: What a variance is called.
VARIANCES = frozenset({"Var", "var"})
#: Letters that are random wherever they stand.
RANDOM = frozenset("XYZ")


def mean(expr: sympy.Expr, name: str = "E") -> sympy.Expr:
    """E of an expression, with numbers, sums and constant factors outside; `name` tells 𝔼_p from 𝔼_q.

    >>> from symdl.verification.meaning.scope import element
    >>> a, X = element("a"), element("X")
    >>> mean(a * X + 2), mean(X**2)
    (E(X)*a + 2, E(X**2))
    """
    said = any(_is_random(e) for e in expr.atoms(Element))
    return sympy.Add(*[_of_term(term, said, name) for term in sympy.Add.make_args(sympy.expand(expr))])


def variance(expr: sympy.Expr) -> sympy.Expr:
    """E[x²] − E[x]².

    >>> from symdl.verification.meaning.scope import element
    >>> sympy.factor(variance(element("a") * element("X") + element("b")))
    -(E(X)**2 - E(X**2))*a**2
    """
    return mean(expr**2) - mean(expr) ** 2


def _of_term(term: sympy.Expr, said: bool, name: str) -> sympy.Expr:
    """E of one term; `said`: letters in the whole say what is random, and what is not."""
    factors = sympy.Mul.make_args(term)
    random = [f for f in factors if any(_is_random(e) for e in _outside(f).atoms(Element))]
    if not random and (said or not _outside(term).atoms(Element)):
        return term
    if not random:
        number, rest = term.as_coeff_Mul()
        return number * _of_rest(rest, name)
    constant = sympy.Mul(*[f for f in factors if f not in random])
    inner = sympy.Mul(*random)
    return constant * _of_rest(inner, name)


def _of_rest(inner: sympy.Expr, name: str) -> sympy.Expr:
    """What is known of nothing else is an unknown; of a sum it is the sum of the means."""
    if isinstance(inner, Reduction) and inner.op == "sum":
        return Reduction(inner.args[0], mean(inner.body, name), *inner.args[2:])
    found: sympy.Expr = unknown(name)(inner)
    return found


def means_opened(expr: sympy.Expr) -> sympy.Expr:
    """An expression whose means are of what names were defined as: E[o] of o = Σ w x is Σ E[w x].

    >>> from symdl.verification.meaning.scope import element
    >>> a, b = element("a"), element("b")
    >>> means_opened(unknown("E")(a + 2 * b))
    E(a) + 2*E(b)
    """
    calls = {c for c in expr.atoms(UnknownFunction) if is_mean(c)}
    return expr.xreplace({c: mean(c.args[0], type(c).__name__) for c in calls})


def _outside(expr: sympy.Expr) -> sympy.Expr:
    """An expression without what stands in an E[·], which is a number."""
    return expr.xreplace({c: sympy.S.One for c in expr.atoms(UnknownFunction) if is_mean(c)})


def is_mean(call: UnknownFunction) -> bool:
    """Whether a value of an unknown function is a mean."""
    return type(call).__name__.partition("_")[0] == "E" and len(call.args) == 1


def _is_random(e: Element) -> bool:
    return e.name in RANDOM
