"""Fractions that are derivatives: ∂L/∂w, d²f/dx², d/dx."""

from __future__ import annotations

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.notation.unread import refuse


def quotient(over: Node, under: Node, *, slash: bool, start: int, end: int) -> Node:
    """A fraction, or the derivative that it is.

    >>> d, x, y = tree.Symbol("d"), tree.Symbol("x"), tree.Symbol("y")
    >>> found = quotient(tree.Product((d, y), ("",)), tree.Product((d, x), ("",)), slash=False, start=0, end=0)
    >>> found.kind, found.of.name, found.by[0][0].name
    ('d', 'y', 'x')
    """
    by = _variables(under)
    top = _operator(over)
    if by is not None and top is None and (first := _first(over)) and is_differential(first) == by[0]:
        found = _of_a_letter(over, first, by)
        if found is not None:
            return tree.Derivative(by[0], found[0], ((found[1], 0),), letter=found[2], start=start, end=end)
        refuse(start, by[0], "a derivative of an order that is no figure")
    if by is None or top is None or by[0] != top[0]:
        return tree.Quotient(over, under, slash, start=start, end=end)
    kind, order, of = top
    variables = _ordered(by[1], order)
    if variables is None:
        return tree.Quotient(over, under, slash, start=start, end=end)
    return tree.Derivative(kind, of, variables, start=start, end=end)


def _of_a_letter(
    over: Node, first: Node, by: tuple[str, tuple[Node, ...]]
) -> tuple[Node | None, Node, tree.Symbol] | None:
    """f, x and n of dⁿf/dxⁿ."""
    letter = first.sup if isinstance(first, tree.Scripted) else None
    variable = by[1][0] if len(by[1]) == 1 else None
    if not isinstance(letter, tree.Symbol) or not isinstance(variable, tree.Scripted) or variable.sup != letter:
        return None
    if not isinstance(over, tree.Product):
        return None, _without_order(variable), letter
    return None if over.ops[0] else (product(over.factors[1:], over.ops[1:]), _without_order(variable), letter)


def is_differential(node: Node) -> str:
    """ "d" or "∂" if the node is that sign (with an order above it, perhaps), else ""."""
    base = node.base if isinstance(node, tree.Scripted) and node.sub is None and not node.primes else node
    if (
        isinstance(base, tree.Symbol)
        and not base.accents
        and (base.name == "∂" or (base.name == "d" and base.face in ("", "rm", "it")))
    ):
        return base.name
    return ""


def _first(over: Node) -> Node | None:
    return over.factors[0] if isinstance(over, tree.Product) else over


def _order(node: Node) -> int | None:
    """The figure above d or ∂; None where something else stands there."""
    if not isinstance(node, tree.Scripted):
        return 1
    if isinstance(node.sup, tree.Number) and node.sup.text.isdigit() and 1 <= int(node.sup.text) <= 9:
        return int(node.sup.text)
    return None


def _operator(over: Node) -> tuple[str, int, Node | None] | None:
    """∂²L: the sign, the order, and what is derived."""
    first, rest = (over.factors[0], over) if isinstance(over, tree.Product) else (over, None)
    kind, order = is_differential(first), _order(first)
    if not kind or order is None:
        return None
    if rest is None:
        return kind, order, None
    assert isinstance(rest, tree.Product)
    if rest.ops[0]:
        return None
    return kind, order, product(rest.factors[1:], rest.ops[1:])


def _variables(under: Node) -> tuple[str, tuple[Node, ...]] | None:
    """∂x ∂y: the sign, and what follows each."""
    if not isinstance(under, tree.Product):
        return None
    kind = is_differential(under.factors[0])
    if not kind or isinstance(under.factors[0], tree.Scripted):
        return None
    places = [
        i
        for i, factor in enumerate(under.factors)
        if is_differential(factor) == kind and isinstance(factor, tree.Symbol)
    ]
    found = []
    for place, stop in zip(places, [*places[1:], len(under.factors)], strict=True):
        if place + 1 >= stop or any(under.ops[i] for i in range(place, min(stop, len(under.ops)))):
            return None
        found.append(product(under.factors[place + 1 : stop], under.ops[place + 1 : stop - 1]))
    return kind, tuple(found)


def _ordered(variables: tuple[Node, ...], order: int) -> tuple[tuple[Node, int], ...] | None:
    """Each variable with its order: x² in d²/dx² is x twice, in d/dx² it is x²."""
    plain = tuple((variable, 1) for variable in variables)
    if order == len(variables):
        return plain
    found = []
    for variable in variables:
        if (
            isinstance(variable, tree.Scripted)
            and isinstance(variable.sup, tree.Number)
            and variable.sup.text.isdigit()
        ):
            found.append((_without_order(variable), int(variable.sup.text)))
        else:
            found.append((variable, 1))
    return tuple(found) if sum(times for _, times in found) == order else None


def _without_order(variable: tree.Scripted) -> Node:
    if variable.sub is None and not variable.primes:
        return variable.base
    return tree.Scripted(variable.base, variable.sub, None, variable.primes, start=variable.start, end=variable.end)


def product(factors: tuple[Node, ...], ops: tuple[str, ...]) -> Node:
    """A product, or its one factor."""
    if len(factors) == 1:
        return factors[0]
    return tree.Product(factors, ops, start=factors[0].start, end=factors[-1].end)
