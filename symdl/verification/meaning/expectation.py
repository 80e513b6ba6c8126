"""E[·], Var(·) and Cov(·, ·): E is linear, Var(X) = E[X²] − E[X]². X, Y and Z are random, small letters are not.

Of a distribution nothing is known, so E[X] is an unknown of its own: what is proved holds for all distributions, and
nothing is refuted. E[X Y] = E[X] E[Y] needs independence, and stays open. Where Y is given, E[Y X | Y] = Y E[X | Y],
and the mean of that over all Y is E[Y X].
"""

from __future__ import annotations

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.verification.meaning.unknown import UnknownFunction, unknown

#: What a variance is called, and a covariance.
VARIANCES, COVARIANCES = frozenset({"Var", "var"}), frozenset({"Cov", "cov"})
#: Letters that are random wherever they stand; and those that are no constant beside them.
RANDOM, NOISE = frozenset("XYZ"), frozenset("εϵξ")
#: What stands before the names that are given, in the name of a mean.
GIVEN = "|"


def mean(expr: sympy.Expr, name: str = "E") -> sympy.Expr:
    """E of an expression, with numbers, sums and constant factors outside.

    Args:
        expr: a scalar expression.
        name: tells 𝔼_p from 𝔼_q, and E[· | Y] from E[·].

    >>> from symdl.verification.meaning.scope import element
    >>> a, X, Y = map(element, "aXY")
    >>> mean(a * X + 2), mean(X**2)
    (E(X)*a + 2, E(X**2))
    >>> mean(Y * X, "E_|Y"), mean(mean(Y * X, "E_|Y"))
    (E_|Y(X)*Y, E(X*Y))
    """
    said = any(e.name in RANDOM for e in expr.atoms(Element))
    return sympy.Add(*[_of_term(term, said, name) for term in sympy.Add.make_args(sympy.expand(expr))])


def variance(expr: sympy.Expr, name: str = "E") -> sympy.Expr:
    """E[x²] − E[x]².

    >>> from symdl.verification.meaning.scope import element
    >>> sympy.factor(variance(element("a") * element("X") + element("b")))
    -(E(X)**2 - E(X**2))*a**2
    """
    return covariance(expr, expr, name)


def covariance(expr: sympy.Expr, other: sympy.Expr, name: str = "E") -> sympy.Expr:
    """E[x y] − E[x] E[y].

    >>> from symdl.verification.meaning.scope import element
    >>> covariance(element("X"), element("Y"))
    E(X*Y) - E(X)*E(Y)
    """
    return mean(expr * other, name) - mean(expr, name) * mean(other, name)


def under(name: str, given: frozenset[str]) -> str:
    """The name of a mean where some names are given.

    >>> under("E", frozenset("YX")), sorted(given_in("E_|X,Y")), sorted(given_in("E_p"))
    ('E_|X,Y', ['X', 'Y'], [])
    """
    return f"{name}_{GIVEN}{','.join(sorted(given))}" if given else name


def given_in(name: str) -> frozenset[str]:
    """The names that are given, by the name of a mean."""
    told = name.partition(GIVEN)[2]
    return frozenset(told.split(",")) if told else frozenset()


def _of_term(term: sympy.Expr, said: bool, name: str) -> sympy.Expr:
    """E of one term; `said`: letters in the whole say what is random, and what is not."""
    given = given_in(name)
    factors = sympy.Mul.make_args(term)
    known = sympy.Mul(*[f for f in factors if _names(f) and _names(f) <= given])
    rest = sympy.Mul(*[f for f in factors if not _names(f) or not _names(f) <= given])
    if not said and not _outside(rest, given).atoms(Element):
        return known * rest
    if not said:
        number, rest = rest.as_coeff_Mul()
        return known * number * _of_rest(rest, name)
    random = [f for f in sympy.Mul.make_args(rest) if _is_random(_outside(f, given))]
    constant = sympy.Mul(*[f for f in sympy.Mul.make_args(rest) if f not in random])
    return known * constant * (_of_rest(sympy.Mul(*random), name) if random else sympy.S.One)


def _averaged(expr: sympy.Expr, name: str) -> sympy.Expr | None:
    """E[Y X] of Y E[X | Y], the mean of a mean where Y is given; None of anything else."""
    factors = sympy.Mul.make_args(expr)
    inner = [f for f in factors if isinstance(f, UnknownFunction) and is_mean(f) and given_in(type(f).__name__)]
    if len(inner) != 1 or type(inner[0]).__name__.partition(f"_{GIVEN}")[0] != name:
        return None
    given = given_in(type(inner[0]).__name__)
    beside = [f for f in factors if f is not inner[0]]
    if any(not _names(f) <= given for f in beside):
        return None
    return mean(sympy.Mul(*beside, inner[0].args[0]), name)


def _names(expr: sympy.Expr) -> set[str]:
    return {e.name for e in expr.atoms(Element)} | {type(c).__name__ for c in expr.atoms(UnknownFunction)}


def _of_rest(inner: sympy.Expr, name: str) -> sympy.Expr:
    """What is known of nothing else is an unknown; of a sum it is the sum of the means."""
    if isinstance(inner, Reduction) and inner.op == "sum":
        return Reduction(inner.args[0], mean(inner.body, name), *inner.args[2:])
    averaged = _averaged(inner, name)
    found: sympy.Expr = unknown(name)(inner) if averaged is None else averaged
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


def _outside(expr: sympy.Expr, given: frozenset[str] = frozenset()) -> sympy.Expr:
    """An expression without what stands in an E[·], which is a number; where others are given, that is random."""
    numbers = {c for c in expr.atoms(UnknownFunction) if is_mean(c) and given_in(type(c).__name__) <= given}
    return expr.xreplace(dict.fromkeys(numbers, sympy.S.One))


def is_mean(call: UnknownFunction) -> bool:
    """Whether a value of an unknown function is a mean."""
    return type(call).__name__.partition("_")[0] == "E" and len(call.args) == 1


def _is_random(expr: sympy.Expr) -> bool:
    """Whether a factor is no constant: a random name stands in it, or a mean where others are given."""
    return any(e.name in RANDOM | NOISE for e in expr.atoms(Element)) or any(map(is_mean, expr.atoms(UnknownFunction)))
