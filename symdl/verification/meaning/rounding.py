"""Which figures of a document may be rounded, and which stand for themselves.

In v = 0.9 · 2.8 + 1 = 3.52, after μ = 0.9 was stated and 2.8 worked out exactly, nothing is rounded: 3.42 in its place
is wrong, though there are numbers that round to 0.9 and 2.8 for which it is right. 0.62 · 0.38 is another matter where
the document says σ(0.5) = 0.62.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sympy

from symdl.errors import SymdlError
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import parts_of
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.usage import Usage
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: A figure of so many significant digits may be a rounded one, unless the document works it out exactly: where it says
#: that a name has this value, and where it says nothing.
STATED, UNSAID = 3, 2
_EQUAL = frozenset({"=", "≈", "≃", "≅", "≐"})


@dataclass
class Rounding:
    """What a document shows of its figures.

    Args:
        stated: values that names are set to, and nothing else is said of.
        exact: values that arithmetic ends in, without a rest.
        rounded: values that a side ends in which has functions or names in it, or more digits than are shown.
    """

    stated: set[sympy.Rational] = field(default_factory=set)
    exact: set[sympy.Rational] = field(default_factory=set)
    rounded: set[sympy.Rational] = field(default_factory=set)

    def may_round(self, value: sympy.Rational, half: sympy.Rational) -> bool:
        """Whether a figure with half a unit of its last digit may stand for a longer number.

        >>> found = Rounding(rounded={sympy.Rational("0.62")})
        >>> [found.may_round(sympy.Rational(t), sympy.Rational(1, 200)) for t in ("0.62", "0.25", "3.25")]
        [True, True, True]
        >>> Rounding(stated={sympy.Rational("0.25")}).may_round(sympy.Rational("0.25"), sympy.Rational(1, 200))
        False
        """
        if abs(value) in self.rounded:
            return True
        least = STATED if abs(value) in self.stated else UNSAID
        return abs(value) not in self.exact and _digits(value, half) >= least

    def settled(self, value: sympy.Rational) -> bool:
        """Whether the document says where a figure comes from, so that it can't be a rounded one."""
        return abs(value) not in self.rounded and abs(value) in self.stated | self.exact


def _digits(value: sympy.Rational, half: sympy.Rational) -> int:
    """Significant digits: of 0.050 there are two."""
    return len(str(abs(value) / (2 * half)))


def rounding_of(formulas: Iterable[Node]) -> Rounding:
    """One pass over the formulas of a document.

    >>> from symdl.verification.notation import parse
    >>> found = rounding_of([parse("a = 0.5"), parse("0.5 * 0.5 = 0.25"), parse("e^{0.5} = 1.65")])
    >>> [sorted(map(float, s)) for s in (found.stated, found.exact, found.rounded)]
    [[0.5], [0.25], [1.65]]
    """
    found = Rounding()
    chains = [node for formula in formulas for node in walk(formula) if isinstance(node, tree.Chain)]
    # what is worked out somewhere is not stated by saying what it comes to
    worked_out = {c.sides[0] for c in chains if len(c.sides) > 1 and not figures(c.sides[1])}
    for chain in chains:
        _chain(chain, found, worked_out)
    return found


def _chain(node: tree.Chain, found: Rounding, worked_out: set[Node]) -> None:
    for k, relation in enumerate(node.relations):
        values = {abs(v) for v in figures(node.sides[k + 1])}
        if not values or relation not in _EQUAL:
            continue
        before = node.sides[k]
        parts = parts_of(before, Usage())
        if parts is not None and parts.power is None and k == 0 and relation == "=":
            (found.rounded if before in worked_out else found.stated).update(values)
        else:
            exact = relation == "=" and {_rational(before)} == set(figures(node.sides[k + 1]))
            (found.exact if exact else found.rounded).update(values)


def figures(node: Node) -> list[sympy.Rational]:
    """The figures with decimals that a side is made of: one, or the entries of a list or a matrix."""
    if isinstance(node, (tree.Noted, tree.Group)):
        return figures(node.body)
    if isinstance(node, tree.Scripted) and isinstance(node.base, (tree.Group, tree.Matrix)):
        return figures(node.base)
    if isinstance(node, tree.List):
        return [v for item in node.items for v in figures(item)]
    if isinstance(node, tree.Matrix):
        return [v for row in node.rows for item in row for v in figures(item)]
    if isinstance(node, tree.Sum) and len(node.terms) == 1:
        return [-v if node.terms[0][0] == "-" else v for v in figures(node.terms[0][1])]
    return [sympy.Rational(node.text)] if isinstance(node, tree.Number) and "." in node.text else []


def _rational(node: Node) -> sympy.Rational | None:
    """The value of a side that is made of numbers only."""
    if any(isinstance(n, (tree.Symbol, tree.Applied, tree.Big)) for n in walk(node)):
        return None
    try:
        value = Interpreter(Scope(), Usage()).number(node)
    except SymdlError:
        return None
    return value if value.is_Rational else None
