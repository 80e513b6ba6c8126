"""Searches as text: what is asked of `forms.find`, told apart for good, and what it found, to be read in another
process.

What was found is data: numbers, and expressions as lists of a name and arguments, made of the functions in `_HEADS`
and nothing else. Expressions are built anew by calling these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import sympy
from sympy.codegen import cfunctions

from symdl.core.accurate import NODES
from symdl.core.functions import ScalarFunction, Switch
from symdl.derivation.accurate.records import Form, Piece, Search
from symdl.derivation.accurate.series import Polynomial

_HEADS: dict[str, Any] = {
    head.__name__: head
    for head in (
        *(sympy.Add, sympy.Mul, sympy.Pow, sympy.exp, sympy.log, sympy.erf, sympy.erfc, sympy.atan, sympy.asinh),
        *(sympy.sin, sympy.cos, sympy.tan, sympy.sinh, sympy.cosh, sympy.tanh),
        *(cfunctions.log1p, cfunctions.expm1, Switch, *NODES),
    )
}
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
_VARIABLE = "x"


class UnwritableError(Exception):
    """An expression has something that texts have no name for."""


def request(name: str, definition: sympy.Expr, given: Iterable[sympy.Expr]) -> str:
    """A hash of what `forms.find` is asked: the same for the same question in any process, and for no other one.

    Named functions count with what they are defined and computed by, since two may have one name.
    """
    prints = _Prints()
    return prints.hashed(name, prints.of(definition), *map(prints.of, given))


class _Prints:
    """Hashes of expressions, each found once."""

    def __init__(self) -> None:
        self.known: dict[sympy.Basic, str] = {}

    def of(self, expr: sympy.Basic) -> str:
        if expr not in self.known:
            self.known[expr] = self._made(expr)
        return self.known[expr]

    def _made(self, expr: sympy.Basic) -> str:
        if not expr.args:
            return self.hashed("leaf", sympy.srepr(expr))
        parts = [self.of(a) for a in expr.args]
        if isinstance(expr, ScalarFunction) and not isinstance(expr, NODES):
            parts += [self.of(expr.defined()), self.of(expr.computed())]
        return self.hashed(type(expr).__name__, *parts)

    @staticmethod
    def hashed(*parts: str) -> str:
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def written(search: Search) -> str:
    """What was found, as text for `read`.

    Raises:
        UnwritableError: it has a function without a name there.
    """
    form = search.form
    return json.dumps([float(search.worst), float(search.at), None if form is None else _form(form)])


def read(text: str, x: sympy.Symbol) -> Search:
    """What was found for a function of x, from `written`.

    >>> x = sympy.Symbol("x", real=True)
    >>> found = Search(20.5, 1.0, Form("f", x, (Piece(0.0, 1.0, sympy.exp(-x) / 3),), (), 4.0, 0.5))
    >>> written(found)
    '[20.5, 1.0, ["f", [[0.0, 1.0, ["Mul", "1/3", ["exp", ["Mul", "-1", "x"]]], []]], [], 4.0, 0.5, []]]'
    >>> read(written(found), x) == found
    True
    """
    worst, at, form = json.loads(text)
    return Search(worst, at, None if form is None else _form_read(form, x))


def _form(form: Form) -> list[Any]:
    pieces = [[float(p.low), float(p.high), _tree(p.expr, form.x), _near(p)] for p in form.pieces]
    kinks = [[float(at), _tree(value, form.x)] for at, value in form.kinks]
    lost = [[float(a), float(b)] for a, b in form.lost]
    return [form.name, pieces, kinks, float(form.worst), float(form.at), lost]


def _form_read(data: list[Any], x: sympy.Symbol) -> Form:
    name, pieces, kinks, worst, at, lost = data
    return Form(
        name,
        x,
        tuple(Piece(low, high, _expr(tree, x), _near_read(near)) for low, high, tree, near in pieces),
        tuple((place, _expr(tree, x)) for place, tree in kinks),
        worst,
        at,
        tuple((a, b) for a, b in lost),
    )


def _near(piece: Piece) -> list[Any]:
    """The polynomials of a piece."""
    return [
        [dtype, str(p.centre), p.order, [str(a) for a in p.coefficients], p.low, p.high, p.bound]
        for dtype, p in piece.near
    ]


def _near_read(data: list[Any]) -> tuple[tuple[str, Polynomial], ...]:
    return tuple(
        (dtype, Polynomial(_number(centre), order, tuple(map(_number, coefficients)), low, high, bound))
        for dtype, centre, order, coefficients, low, high, bound in data
    )


def _tree(expr: sympy.Expr, x: sympy.Symbol) -> Any:
    """A number or a letter as a string, anything else as a list of the name of a function and its arguments."""
    if expr.is_Rational:
        return str(expr)
    if expr == x:
        return _VARIABLE
    if (name := next((n for n, c in _CONSTANTS.items() if c == expr), None)) is not None:
        return name
    head = type(expr)
    if _HEADS.get(head.__name__) is not head:
        raise UnwritableError(head.__name__)
    return [head.__name__, *(_tree(a, x) for a in expr.args)]


def _expr(tree: Any, x: sympy.Symbol) -> sympy.Expr:
    if isinstance(tree, str):
        return x if tree == _VARIABLE else _CONSTANTS[tree] if tree in _CONSTANTS else _number(tree)
    name, *parts = tree
    return _HEADS[name](*(_expr(part, x) for part in parts))


def _number(text: str) -> sympy.Rational:
    """A rational number; SymPy's own way to read one looks for much else."""
    above, _, below = text.partition("/")
    return sympy.Rational(int(above), int(below or 1))
