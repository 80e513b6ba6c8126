"""φ′(a) of a φ that the document says what it is further on: h = φ(a), and then "if φ = tanh"."""

from __future__ import annotations

import sympy

from symdl.verification.meaning import calculus
from symdl.verification.meaning.scope import Scope, element
from symdl.verification.meaning.unknown import UnknownFunction

#: What stands behind the name of a function for its derivative.
_PRIME = "′"


def primes_opened(scope: Scope, expr: sympy.Expr) -> sympy.Expr:
    """An expression with the derivatives of functions of one number that are known by now.

    >>> from symdl.verification.meaning.arrays import scalar
    >>> from symdl.verification.meaning.scope import Formula
    >>> from symdl.verification.meaning.unknown import unknown
    >>> scope, a = Scope(), element("a")
    >>> scope.bind_function("φ", Formula(scalar(element("x") ** 2), parameters=("x",)))
    >>> primes_opened(scope, 3 * unknown("φ′")(a + 1)), primes_opened(scope, unknown("ψ′")(a))
    (6*a + 6, ψ′(a))
    """
    mapping = {call: slope for call in expr.atoms(UnknownFunction) if (slope := _slope(scope, call)) is not None}
    return scope.replaced(expr, mapping) if mapping else expr


def _slope(scope: Scope, call: UnknownFunction) -> sympy.Expr | None:
    name = type(call).__name__
    function = scope.functions.get(name.rstrip(_PRIME))
    if not name.endswith(_PRIME) or function is None or len(function.parameters) != 1 or len(call.args) != 1:
        return None
    place, slope = element(function.parameters[0]), function.value.body
    if function.value.axes:
        return None
    for _ in range(len(name) - len(name.rstrip(_PRIME))):
        slope = calculus.slope(slope, place)
    found: sympy.Expr = slope.xreplace({place: call.args[0]})
    return found
