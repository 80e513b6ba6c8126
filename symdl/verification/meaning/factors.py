"""f(z_1) w_2 f(z_2) … f(z_5), read as the product that it stands for."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

#: How many factors one that ends a step may be written with, f and (z_2), and how many steps dots may stand for.
_PARTS, _MOST = 3, 30

Factors = tuple[Node, ...]


def written_out(node: tree.Product) -> tree.Product | None:
    r"""A product with an ellipsis with all of its factors; None where they are of no pattern that is seen.

    What stands right behind the dots is what stands right before them with another number. Where the same stands once
    more before that with the number one step away, all between the two is the step that is repeated.

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(written_out(parse(r"f(z_1) w_2 f(z_2) \dots f(z_4) g")))
    'f(z₁)w₂f(z₂)w₃f(z₃)w₄f(z₄)g'
    >>> unicode(written_out(parse(r"x_5 x_4 \cdots x_1")))
    'x₅x₄x₃x₂x₁'
    >>> written_out(parse(r"x_1 y_2 \cdots x_4")) is None
    True
    """
    places = [k for k, factor in enumerate(node.factors) if isinstance(factor, tree.Dots)]
    ops = {"" if op == "·" else op for op in node.ops}
    if len(places) != 1 or ops != {""}:
        return None
    before, after = node.factors[: places[0]], node.factors[places[0] + 1 :]
    for parts in range(1, _PARTS + 1):
        ending = before[-parts:]
        count = _apart(ending, after[:parts]) if len(before) > parts and len(after) >= parts else 0
        if not 1 <= abs(count) <= _MOST:
            continue
        sign = 1 if count > 0 else -1
        for period in range(parts, len(before) - parts + 1):
            if _moved(before[-period - parts : len(before) - period], sign) == ending:
                steps = [_moved(before[-period:], sign * k) for k in range(1, abs(count) + 1)]
                factors = (*before, *(f for step in steps for f in step), *after[parts:])
                return replace(node, factors=factors, ops=("",) * (len(factors) - 1))
    return None


def _apart(first: Factors, second: Factors) -> int:
    """By how much the numbers below the names of some factors have to count up to make them others; 0 where none do."""
    numbers = [[n for f in each for n in _numbers(f)] for each in (first, second)]
    if not numbers[0] or not numbers[1]:
        return 0
    count = numbers[1][0] - numbers[0][0]
    return count if _moved(first, count) == second else 0


def _numbers(node: Node) -> list[int]:
    """The numbers below the names of a formula."""
    sub = node.sub if isinstance(node, tree.Scripted) else None
    own = [int(sub.text)] if isinstance(sub, tree.Number) and sub.text.isdigit() else []
    return own + [n for child in tree.children(node) for n in _numbers(child)]


def _moved(factors: Factors, count: int) -> Factors:
    """Factors with all numbers below their names counted up, or down."""
    return tuple(_counted(factor, count) for factor in factors)


def _counted(node: Node, count: int) -> Node:
    if isinstance(node, tree.Scripted) and isinstance(node.sub, tree.Number) and node.sub.text.isdigit():
        node = replace(node, sub=tree.Number(str(int(node.sub.text) + count)))
    return tree.mapped(node, lambda inner: _counted(inner, count), but="sub")
