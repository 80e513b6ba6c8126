"""Σ without an end: the geometric series, Σ_{k=a}^∞ c rᵏ = c rᵃ/(1 − r) where |r| < 1, and that of exp, Σ c rᵏ/k!."""

from __future__ import annotations

import sympy

from symdl.core.tensors import Element
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree
from symdl.verification.notation.tree import walk

#: The last term that a series of exp may begin with.
_LATEST = 20


def endless(node: tree.Big) -> bool:
    """Whether a sum goes on without an end."""
    return node.sup is not None and any(isinstance(n, tree.Symbol) and n.name == "∞" for n in walk(node.sup))


def value_of(reader: Reader, node: tree.Big) -> Array:
    """The value of a geometric series, or of one whose terms are those of exp.

    Raises:
        MeaningError: another series, or another operator.
    """
    sub = node.sub
    letter = letter_of(sub.sides[0]) if isinstance(sub, tree.Chain) and sub.relations == ("=",) else ""
    if node.op != "sum" or not letter or not isinstance(sub, tree.Chain):
        raise MeaningError(f"a {node.op} that has no end")
    first = reader.number(sub.sides[1])
    k = sympy.Dummy(letter, integer=True)
    with reader.binding({letter: k}):
        body = reader.number(node.body)
    inside = any(k in e.free_symbols for e in body.atoms(Element))
    ratio = sympy.powsimp(sympy.combsimp(body.xreplace({k: k + 1}) / body))
    if body.has(sympy.factorial) and not inside and first.is_Integer and 0 <= first <= _LATEST:
        return scalar(_exponential(body, ratio, k, int(first)))
    if inside or ratio.has(k) or (ratio.is_number and not -1 < ratio < 1):
        raise MeaningError(f"a sum over {letter} that has no end", why="it is no geometric series that converges")
    if not ratio.is_number:
        reader.notes.append("where the series converges")
    return scalar(body.xreplace({k: first}) / (1 - ratio))


def _exponential(body: sympy.Expr, ratio: sympy.Expr, k: sympy.Dummy, first: int) -> sympy.Expr:
    """Σ c rᵏ/k! from some term on, as c exp r without the terms before it.

    Raises:
        MeaningError: the terms are of another kind.
    """
    argument = sympy.powsimp(sympy.expand(ratio * (k + 1)))
    if argument.has(k):
        raise MeaningError("a sum that has no end", why="it is no series whose value is known here")
    terms = [body.xreplace({k: sympy.Integer(n)}) for n in range(first + 1)]
    return sympy.Add(body.xreplace({k: sympy.S.Zero}) * sympy.exp(argument), *[-t for t in terms[:first]])
