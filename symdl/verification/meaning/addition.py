"""a + b − c of numbers, vectors and matrices, and what is added to a matrix that is none."""

from __future__ import annotations

from dataclasses import replace

import sympy

from symdl.core.tensors import Element
from symdl.verification.meaning import arrays, sums
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.ellipsis import without_dots
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def value_of(reader: Reader, node: tree.Sum) -> Array:
    """The value of a sum.

    Raises:
        MeaningError: shapes that do not go together, or dots of no pattern.
    """
    if any(isinstance(term, tree.Dots) for _, term in node.terms):
        written = without_dots(node)
        if written is None:
            raise MeaningError("the dots stand for terms of no pattern that is seen here")
        return reader.value(written)
    terms = sums.with_their_scope(reader, node).terms
    if any(sign not in ("+", "-") for sign, _ in terms):
        raise MeaningError(f"{next(s for s, _ in terms if s not in ('+', '-'))} stands for two values")
    beside_number = any(isinstance(term, tree.Number) for _, term in terms)
    values = [_squares(reader, term) if beside_number else reader.value(term) for _, term in terms]
    rank = max(v.rank for v in values)
    whole: Array | None = None
    for (sign, term), value in zip(terms, values, strict=True):
        value = _of_rank(reader, term, value, rank)
        value = value.mapped(lambda x: -x) if sign == "-" else value
        if whole is None:
            whole = value
            continue
        if whole.rank == 2 and value.rank == 1 and not value.row:
            value = arrays.repeated(value, whole, _bias_axis(reader, terms[0][1], whole, value))
        whole, value = _same_rows(reader, whole, value), _same_rows(reader, value, whole)
        whole = arrays.entrywise(whole, value, lambda a, b: a + b, "added", reader.scope.fit)
    assert whole is not None
    return whole


def _squares(reader: Reader, term: Node) -> Array:
    """h² of 1 − h², where h is a vector: the squares of its entries, since a number is added to each of them."""
    parts = reader.parts(term)
    power = parts.power if parts is not None and not parts.transposed and not parts.primes else None
    if not isinstance(power, tree.Number) or not isinstance(term, tree.Scripted):
        return reader.value(term)
    base = reader.value(term.base if term.sub is None else replace(term, sup=None))
    return reader.value(term) if base.rank != 1 else base.mapped(lambda x: x ** sympy.Rational(power.text))


def _same_rows(reader: Reader, bias: Array, whole: Array) -> Array:
    """b ∈ ℝ^{1×h} added to X W ∈ ℝ^{n×h}: the same in every row."""
    if not bias.rank == whole.rank == 2:
        return bias
    rows = [reader.scope.root(a.axes[0].extent) for a in (bias, whole)]
    if rows[0] != 1 or rows[1] == 1 or rows[1] in reader.scope.made:
        return bias
    every, column = whole.axes[0].fresh(), bias.axes[1]
    return Array((every, column), bias.at((sympy.S.Zero, column)), bias.row)


def _of_rank(reader: Reader, node: Node, value: Array, rank: int) -> Array:
    """𝐩 − y, where the document has y_k elsewhere and nothing else is y: y is a vector too."""
    parts = reader.parts(node)
    if value.axes or not rank or parts is None or parts.subscripts or parts.power is not None:
        return value
    scope = reader.scope
    unset = isinstance(value.body, Element) and scope.formula_of(value.body) is None
    if unset and parts.name not in reader.arguments and rank in reader.usage.ranks.get(parts.name, ()):
        return reader.as_array(parts, rank)
    return value


def _bias_axis(reader: Reader, first: Node, whole: Array, bias: Array) -> int | None:
    """Along which axis of a matrix the entries of a bias stand: as the shapes say, or beside the weights.

    In X W + b each row is an example, and so is each column in W X + b.
    """
    extents = [reader.scope.root(i.extent) for i in (*whole.axes, *bias.axes)]
    said = [k for k in (0, 1) if extents[k] == extents[2]]
    if len(said) == 1:
        return said[0]
    factors = first.factors if isinstance(first, tree.Product) else ()
    named = [reader.parts(f) for f in factors]
    weights = [p is not None and p.name[:1] in "WΘUV" for p in named]
    if extents[2] not in reader.scope.made or len(factors) != 2 or weights.count(True) != 1:
        return None
    return weights.index(True)
