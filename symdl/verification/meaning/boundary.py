"""lim: the value that an expression has where it can't be put in, found by continuity and the rule of l'Hôpital.

(f(x + h) − f(x))/h has the limit f′(x) for every differentiable f: the rule is used once there, which is what a
derivative is. At infinity SymPy's algorithm (Gruntz) is asked, and believed only where numbers far out agree.
"""

from __future__ import annotations

import sympy

from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import Element, Reduction
from symdl.verification.decide import equal
from symdl.verification.meaning import calculus
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.notation import tree
from symdl.verification.verdict import Status

#: How often numerator and denominator are differentiated.
STEPS = 3
#: Places far out at which a limit at infinity is compared, and how near the last has to be.
FAR, NEAR = (10**2, 10**4, 10**8), 1e-3

_JUMPS = (Switch, sympy.floor, sympy.ceiling)


def value_of(reader: Reader, node: tree.Big) -> Array:
    """The value of lim_{h → a} of a number.

    Raises:
        MeaningError: what goes where is not understood, or there is no limit that is found.
    """
    sub = node.sub
    if not (isinstance(sub, tree.Chain) and sub.relations == ("→",) and len(sub.sides) == 2):
        raise MeaningError("a limit without h → a below it")
    parts = reader.parts(sub.sides[0])
    if parts is None or parts.subscripts or parts.power is not None:
        raise MeaningError("a limit in something that is no name")
    place = element(f"→{parts.name}")
    outer = dict(reader.arguments)
    reader.arguments[parts.name] = scalar(place)
    try:
        body = reader.number(node.body)
    finally:
        reader.arguments = outer
    far = _infinite(sub.sides[1])
    if far:
        return scalar(_far_out(body, place, far))
    return scalar(limit(body, place, reader.number(sub.sides[1])))


def _infinite(node: tree.Node) -> int:
    """1 for ∞, −1 for −∞, 0 for a number."""
    if isinstance(node, tree.Sum) and len(node.terms) == 1:
        return -_infinite(node.terms[0][1]) if node.terms[0][0] == "-" else _infinite(node.terms[0][1])
    return int(isinstance(node, tree.Symbol) and node.name == "∞")


def limit(expr: sympy.Expr, place: Element, at: sympy.Expr) -> sympy.Expr:
    """The limit of an expression where `place` goes to a finite value.

    Raises:
        MeaningError: it has none that is found.

    >>> h = element("h")
    >>> limit(sympy.sin(3 * h) / h, h, sympy.S.Zero)
    3
    """
    if expr.has(Reduction, sympy.Piecewise):
        raise MeaningError("a limit of sums or cases")
    if any(call.defined().has(Switch) for call in expr.atoms(ScalarFunction)) or expr.has(*_JUMPS):
        raise MeaningError("a limit of something with corners or jumps")
    over, under = sympy.fraction(sympy.together(expr))
    for _ in range(STEPS + 1):
        above, below = _at(over, place, at), _at(under, place, at)
        if not _is_zero(below):
            return above / below
        if not _is_zero(above):
            raise MeaningError("a limit that is not finite")
        over, under = calculus.slope(over, place), calculus.slope(under, place)
    raise MeaningError("a limit that is not found")


def _at(expr: sympy.Expr, place: Element, at: sympy.Expr) -> sympy.Expr:
    found = expr.xreplace({place: at})
    if found.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        raise MeaningError("a limit of a form that is not known here")
    return found


def _is_zero(expr: sympy.Expr) -> bool:
    """Whether an expression is 0 for all values; that of unknown functions may be anything.

    Raises:
        MeaningError: that is not known.
    """
    calls = sorted(expr.atoms(UnknownFunction), key=str)
    plain = expr.xreplace({c: sympy.Dummy(f"c{k}", real=True) for k, c in enumerate(calls)})
    plain = plain.xreplace({e: sympy.Dummy("e", real=True) for e in plain.atoms(Element)})
    found = equal(plain, sympy.S.Zero, budget=1.0)
    if found.proved:
        return True
    if found.status is Status.REFUTED:
        return False
    raise MeaningError("whether a denominator is 0 in a limit is not known")


def _far_out(expr: sympy.Expr, place: Element, sign: int) -> sympy.Expr:
    x = sympy.Symbol("x", real=True)
    plain = expr.xreplace({place: sign * x})
    if plain.atoms(Element) or plain.has(UnknownFunction, Reduction):
        raise MeaningError("a limit at infinity with other names in it")
    try:
        found = sympy.limit(plain, x, sympy.oo)
    except (NotImplementedError, ValueError, TypeError) as error:
        raise MeaningError("a limit that is not found") from error
    if not (found.is_real and found.is_finite and found.is_number):
        raise MeaningError("a limit that is not finite")
    apart = [abs(complex(sympy.N(plain.xreplace({x: sympy.Integer(far)}) - found, 30))) for far in FAR]
    if not apart[-1] <= NEAR or apart[-1] > apart[0] + NEAR:
        raise MeaningError("a limit that numbers do not confirm")
    return found
