"""f(0, 0), ∇f(0, 0) and the second derivatives of an f of several numbers that the document defines."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symdl.core.tensors import Element
from symdl.verification.meaning import calculus
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.literals import literal
from symdl.verification.meaning.names import Parts
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import element
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: Of more arguments than that, no second derivatives are written out.
_MOST = 6


@dataclass(frozen=True)
class Placed:
    """The body of a function, what stands for its arguments there, and what is put in for them."""

    body: sympy.Expr
    places: tuple[Element, ...]
    values: tuple[sympy.Expr, ...]

    def at(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression in the arguments, with the values."""
        return expr.xreplace(dict(zip(self.places, self.values, strict=True)))


def value_at_numbers(reader: Reader, parts: Parts, nodes: list[Node]) -> Array | None:
    """f(0, 0) of f(x_1, x_2) = …; None of anything else."""
    placed = _of_formula(reader, parts.name, nodes)
    return None if placed is None else scalar(placed.at(placed.body))


def derivatives(reader: Reader, of: Node, order: int) -> Array | None:
    """The gradient of f(a, b) by what stands in the brackets, or with order 2 the matrix of second derivatives.

    None of anything else, and of a gradient by names, which is one without any place.
    """
    if not isinstance(of, tree.Product) or len(of.factors) != 2 or not isinstance(of.factors[1], tree.Group):
        return None
    parts, inner = reader.parts(of.factors[0]), of.factors[1].body
    nodes = list(inner.items) if isinstance(inner, tree.List) else [inner]
    plain = parts is not None and not parts.subscripts and not parts.primes and parts.power is None
    if parts is None or not plain or not 2 <= len(nodes) <= _MOST:
        return None
    placed = _of_formula(reader, parts.name, nodes)
    if placed is None and order == 2:
        placed = _of_function(reader, parts.name, nodes)
    if placed is None:
        return None
    first = [calculus.slope(placed.body, p) for p in placed.places]
    if order == 1:
        return literal([[placed.at(s) for s in first]])
    return literal([[placed.at(calculus.slope(s, p)) for p in placed.places] for s in first], matrix=True)


def _of_formula(reader: Reader, name: str, nodes: list[Node]) -> Placed | None:
    """Of f(x_1, x_2) = …, where numbers stand in the brackets."""
    formula = reader.scope.formulas.get((name, 0))
    if formula is None or len(formula.places) != len(nodes):
        return None
    try:
        values = tuple(reader.number(node) for node in nodes)
    except MeaningError:
        return None
    body, places = formula.value.body, formula.places
    names = {p.name for p in places}
    others = {e for e in body.atoms(Element) if e not in places}
    through = any(reader.scope.depends(e.name, len(e.subscripts), n) for e in others for n in names)
    if any(v.atoms(Element) for v in values) or names & {e.name for e in others} or through:
        return None
    return Placed(body, places, values)


def _of_function(reader: Reader, name: str, nodes: list[Node]) -> Placed | None:
    function = reader.scope.functions.get(name)
    if function is None or len(function.parameters) != len(nodes) or function.value.axes:
        return None
    values = tuple(reader.number(node) for node in nodes)
    return Placed(function.value.fresh().body, tuple(map(element, function.parameters)), values)
