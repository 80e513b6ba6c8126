"""Cases and conditions: what holds where."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import sympy

from symdl.core.functions import Delta, Switch
from symdl.core.indices import Index
from symdl.core.tensors import Element
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError, ShapesError
from symdl.verification.meaning.guards import joined
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

_RELATIONS = {
    "<": sympy.StrictLessThan,
    "≤": sympy.LessThan,
    ">": sympy.StrictGreaterThan,
    "≥": sympy.GreaterThan,
    "=": sympy.Equality,
    "≠": sympy.Unequality,
}
#: Those that compare arrays entry by entry.
_ORDERS = frozenset({"<", "≤", ">", "≥"})


def condition(reader: Reader, node: Node) -> list[sympy.Basic]:
    """The relations that a condition states, all of which have to hold.

    Raises:
        MeaningError: it is none between numbers.
    """
    if isinstance(node, tree.Group):
        return condition(reader, node.body)
    if isinstance(node, (tree.Statements, tree.List)):
        return [c for item in node.items for c in condition(reader, item)]
    if not isinstance(node, tree.Chain) or not set(node.relations) <= _RELATIONS.keys():
        raise MeaningError("a condition that is not understood", remedy="write x > 0 and the like")
    values = [reader.number(side) for side in node.sides]
    return [
        _RELATIONS[relation](a, b, evaluate=False)
        for a, b, relation in zip(values, values[1:], node.relations, strict=False)
    ]


def value_of(reader: Reader, node: tree.Cases) -> sympy.Expr:
    """A value with cases. Two that meet at one point are a switch, whose value there the conditions say."""
    rows = [
        (reader.number(v), c if c is None else _without_settings(condition(reader, _told(c)))) for v, c in node.rows
    ]
    for joint in (_switch, _by_place):
        found = joint(rows)
        if found is not None:
            return found
    pairs = [(value, sympy.And(*c) if c is not None else sympy.true) for value, c in rows]
    return sympy.Piecewise(*pairs, evaluate=False)


def _told(node: Node) -> Node:
    """x ≤ 0 of "x ≤ 0, α is a parameter": the words behind a condition say nothing of where it holds."""
    items = node.items if isinstance(node, (tree.Statements, tree.List)) else ()
    if not any(isinstance(item, tree.Text) for item in items):
        return node
    relations = [_before_words(item) for item in takewhile(lambda item: isinstance(item, tree.Chain), items)]
    return tree.List(tuple(relations), "," * (len(relations) - 1)) if relations else node


def _before_words(relation: Node) -> Node:
    """x ≤ 0 of x ≤ 0, α, where words go on behind α."""
    last = relation.sides[-1] if isinstance(relation, tree.Chain) else None
    if not isinstance(relation, tree.Chain) or not isinstance(last, tree.List):
        return relation
    return replace(relation, sides=(*relation.sides[:-1], last.items[0]))


def _without_settings(told: list[sympy.Basic]) -> list[sympy.Basic]:
    """x ≤ 0 of "x ≤ 0, α = 0.1": beside an inequality, a name that is set to a number is no case of its own."""
    ordered = [c for c in told if not isinstance(c, (sympy.Equality, sympy.Unequality))]
    places = {e for c in ordered for e in c.atoms(Element)}

    def sets(c: sympy.Basic) -> bool:
        name, number = c.args if isinstance(c, sympy.Equality) else (None, None)
        plain = isinstance(name, Element) and not name.subscripts and isinstance(number, sympy.Number)
        return plain and name not in places

    return [c for c in told if not sets(c)] if ordered else told


def _switch(rows: list[tuple[sympy.Expr, list[sympy.Basic] | None]]) -> sympy.Expr | None:
    """Two cases on the two sides of a point."""
    if len(rows) != 2 or rows[0][1] is None or len(rows[0][1]) != 1:
        return None
    (first, told), (second, other) = rows
    assert told is not None
    found = _side(told[0])
    if found is None:
        return None
    x, above, closed = found
    if other is not None:
        opposite = _side(other[0]) if len(other) == 1 else None
        if opposite is None or sympy.expand(opposite[0] - x) != 0 or opposite[1] == above:
            return None
        if closed == opposite[2]:
            return None  # the point between belongs to both of them, or to neither
    weight = sympy.Integer(above == closed)
    return Switch(x, second if above else first, first if above else second, weight)


def _by_place(rows: list[tuple[sympy.Expr, list[sympy.Basic] | None]]) -> sympy.Expr | None:
    """One case where i = j and another one where i ≠ j, of two indices."""
    if len(rows) != 2 or any(told is not None and len(told) != 1 for _, told in rows):
        return None
    (first, told), (second, other) = rows
    relations = [told[0] if told else None, other[0] if other else None]
    places = {frozenset(r.args) for r in relations if r is not None}
    kinds = [type(r) for r in relations if r is not None]
    if len(places) != 1 or not set(kinds) <= {sympy.Equality, sympy.Unequality} or len(set(kinds)) != len(kinds):
        return None
    if relations[0] is None or not all(a.has(Index) for a in relations[0].args):
        return None
    same, apart = (first, second) if kinds[0] is sympy.Equality else (second, first)
    return apart + Delta(*relations[0].args) * (same - apart)


def _side(relation: sympy.Basic) -> tuple[sympy.Expr, bool, bool] | None:
    """x with the condition x > 0 or x < 0; whether it is above; whether 0 belongs to it."""
    if isinstance(relation, (sympy.Equality, sympy.Unequality)) or not isinstance(relation, sympy.core.relational.Rel):
        return None
    above = isinstance(relation, (sympy.StrictGreaterThan, sympy.GreaterThan))
    closed = isinstance(relation, (sympy.LessThan, sympy.GreaterThan))
    return relation.lhs - relation.rhs, above, closed


def indicator(reader: Reader, node: tree.Chain) -> Array:
    """[a = b] as 1 or 0, for subscripts and for numbers; 𝟙[𝐳 > 0] of a vector or matrix is one for each entry.

    Raises:
        MeaningError: it is no condition between numbers, or the shapes of its sides are not one.
    """
    values = [reader.value(side) for side in node.sides] if set(node.relations) <= _ORDERS else []
    whole = next((v for v in values if v.axes), None)
    if whole is None:
        return scalar(joined(condition(reader, node)))
    for value in values:
        if value.axes and (value.rank != whole.rank or value.row != whole.row):
            raise MeaningError(f"{whole.kind} compared with {value.kind}")
        for i, j in zip(whole.axes, value.axes, strict=False):
            if not reader.scope.fit(i.extent, j.extent):
                raise ShapesError(f"an axis of {i.extent} compared with an axis of {j.extent}")
    entries = [v.at(whole.axes) if v.axes else v.body for v in values]
    relations = [
        _RELATIONS[relation](a, b, evaluate=False)
        for a, b, relation in zip(entries, entries[1:], node.relations, strict=False)
    ]
    return replace(whole, body=joined(relations))
