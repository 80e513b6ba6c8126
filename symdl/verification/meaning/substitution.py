"""w x + b = 2 · 3 + 4: numbers in the places of names, which says what the names are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import sympy

from symdl.verification.meaning.names import Labels, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def substituted(labels: Labels, left: Node, right: Node) -> dict[Node, sympy.Rational] | None:
    """The number that stands in the place of each name; None where the right side is not the left one with numbers.

    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import latex, parse
    >>> found = substituted(Usage(), parse("w x + b"), parse("2 \\\\cdot (-3) + 4"))
    >>> {latex(k): v for k, v in found.items()}
    {'w': 2, 'x': -3, 'b': 4}
    """
    found: dict[Node, sympy.Rational] = {}
    return found if _match(labels, left, right, found) and found else None


def with_slopes(node: Node, worth: Mapping[Node, Node]) -> Node:
    """A formula with numbers for the derivatives inside it of which the document has worked out the values.

    >>> from symdl.verification.notation import latex, parse
    >>> slope = parse(r"\\frac{\\partial L}{\\partial w}")
    >>> latex(with_slopes(parse(r"w - \\eta \\frac{\\partial L}{\\partial w}"), {slope: parse("0.2")}))
    'w - \\\\eta 0.2'
    """
    if not worth:
        return node

    def change(inner: Node) -> Node:
        return worth[inner] if isinstance(inner, tree.Derivative) and inner in worth else with_slopes(inner, worth)

    return tree.mapped(node, change)


def _match(labels: Labels, left: Node, right: Node, found: dict[Node, sympy.Rational]) -> bool:
    number = _number(right)
    if number is not None and parts_of(left, labels) is not None and not _powered(labels, left):
        return bool(found.setdefault(left, number) == number)
    if isinstance(left, tree.Group) and not isinstance(right, tree.Group):
        return _match(labels, left.body, right, found)
    if isinstance(left, tree.Sum) and isinstance(right, tree.Sum):
        terms = tuple(_terms(left)), tuple(_terms(right))
        return _same(labels, terms[0], terms[1], found)
    if isinstance(left, tree.Product) and isinstance(right, tree.Product):
        same = len(left.factors) == len(right.factors)
        return same and all(_match(labels, a, b, found) for a, b in zip(left.factors, right.factors, strict=True))
    if type(left) is not type(right):
        return False
    return all(_same(labels, getattr(left, f.name), getattr(right, f.name), found) for f in fields(left) if f.compare)


def _terms(node: tree.Sum) -> Iterator[tuple[str, Node]]:
    """The terms of a sum, with those of (a + b) + c as a, b and c."""
    for sign, term in node.terms:
        inner = term.body if isinstance(term, tree.Group) else None
        if sign == "+" and isinstance(inner, tree.Sum):
            yield from _terms(inner)
        else:
            yield sign, term


def _same(labels: Labels, a: Any, b: Any, found: dict[Node, sympy.Rational]) -> bool:
    if isinstance(a, Node) and isinstance(b, Node):
        return _match(labels, a, b, found)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_same(labels, x, y, found) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _powered(labels: Labels, node: Node) -> bool:
    parts = parts_of(node, labels)
    return parts is not None and (parts.power is not None or parts.transposed or bool(parts.primes))


def _number(node: Node) -> sympy.Rational | None:
    if isinstance(node, tree.Group):
        return _number(node.body)
    if isinstance(node, tree.Sum) and len(node.terms) == 1:
        inner = _number(node.terms[0][1])
        return None if inner is None else -inner if node.terms[0][0] == "-" else inner
    return sympy.Rational(node.text) if isinstance(node, tree.Number) else None
