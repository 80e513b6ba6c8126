"""Functions with case distinctions, piece by piece.

>>> from symdl.library.activations import relu6
>>> x = sympy.Symbol("x", real=True)
>>> pieces((relu6(x),), [])
[[x < 0], [x > 0, x - 6 < 0], [x > 0, x - 6 > 0]]
>>> [resolved(relu6(x), conditions, conditions) for conditions in pieces((relu6(x),), [])]
[0, x, 6]
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import sympy

from symdl.core.functions import ScalarFunction, Switch
from symdl.core.tensors import Element
from symdl.verification.coq.domains import has_switch, possible, signed, variables_of
from symdl.verification.coq.writer import plain


class Side(Enum):
    """Where the argument of a switch lies."""

    BELOW = -1
    AT = 0
    ABOVE = 1


def branch_on(turn: sympy.Expr, side: Side) -> sympy.Basic:
    """The condition as a relation with 0."""
    made = {Side.BELOW: sympy.StrictLessThan, Side.ABOVE: sympy.StrictGreaterThan, Side.AT: sympy.Eq}[side]
    return made(turn, 0, evaluate=False)


def pieces(expressions: Sequence[sympy.Expr], relations: Sequence[sympy.Basic]) -> list[list[sympy.Basic]]:
    """Every open piece on which no switch turns, as the conditions that say on which side of each switch it lies."""
    found: list[list[sympy.Basic]] = []
    waiting: list[list[sympy.Basic]] = [[]]
    while waiting:
        conditions = waiting.pop()
        known = [*relations, *conditions]
        turn = first_condition([resolved(e, conditions, known) for e in expressions])
        if turn is None:
            found.append(conditions)
            continue
        sides = ([*conditions, branch_on(turn, side)] for side in (Side.ABOVE, Side.BELOW))
        waiting += [c for c in sides if possible([*relations, *c])]
    return found


def first_condition(expressions: Sequence[sympy.Expr]) -> sympy.Expr | None:
    """The argument of the first switch that has to be decided, without a switch in itself."""
    for expr in expressions:
        for node in sympy.preorder_traversal(expr):
            if isinstance(node, Switch):
                inner = first_condition([node.args[0]])
                return node.args[0] if inner is None else inner
    return None


def resolved(expr: sympy.Expr, conditions: Sequence[sympy.Basic], known: Sequence[sympy.Basic]) -> sympy.Expr:
    """The expression with each switch by the side on which it lies, where conditions or signs say so.

    Functions that hold switches are written out; others stay.
    """
    expr = _written_out(expr)
    symbols = signed(variables_of(expr), known)
    for _ in range(len(conditions) + 8):
        sides = {}
        for switch in expr.atoms(Switch):
            side = _side(switch.args[0], conditions, symbols)
            if side is not None:
                _, below, above, weight = switch.args
                sides[switch] = {
                    Side.BELOW: below,
                    Side.ABOVE: above,
                    Side.AT: (1 - weight) * below + weight * above,
                }[side]
        if not sides:
            return expr
        expr = expr.xreplace(sides)
    return expr


def _side(turn: sympy.Expr, conditions: Sequence[sympy.Basic], symbols: dict[sympy.Expr, sympy.Symbol]) -> Side | None:
    """On which side of 0 the argument of a switch lies, if that follows."""
    if turn.has(Switch):
        return None
    seen = turn.xreplace(symbols)
    if seen.is_positive:
        return Side.ABOVE
    if seen.is_negative:
        return Side.BELOW
    if seen.is_zero:
        return Side.AT
    for condition in conditions:
        known = condition.args[0]
        if condition.rel_op == "==" and sympy.expand(turn - known) == 0:
            return Side.AT
        for bound, sign in ((known, condition.rel_op), (-known, {">": "<", "<": ">"}.get(condition.rel_op, ""))):
            beyond = sympy.expand(turn - bound).xreplace(symbols)
            if sign == ">" and (beyond.is_nonnegative or beyond == 0):
                return Side.ABOVE
            if sign == "<" and (beyond.is_nonpositive or beyond == 0):
                return Side.BELOW
    return None


def _written_out(expr: sympy.Expr) -> sympy.Expr:
    """Kinked functions by switches, and functions that hold switches by their definitions."""
    node = plain(expr)
    if isinstance(node, ScalarFunction) and has_switch(node.defined()):
        return _written_out(node.defined())
    if isinstance(node, Element) or not node.args:
        return node
    arguments = [_written_out(a) for a in node.args]
    return node if all(a is b for a, b in zip(arguments, node.args, strict=True)) else node.func(*arguments)
