"""x_1 + x_2 + … + x_n, read as the sum that it stands for."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


def without_dots(node: tree.Sum) -> Node | None:
    r"""A sum with an ellipsis as a sum with limits; None where the terms are not of one pattern.

    The last term says the pattern: w_n x_n, with a letter for n. The terms before the dots have to be it, with numbers
    that count up by one.

    >>> from symdl.verification.notation import latex, parse
    >>> latex(without_dots(parse(r"w_1 x_1 + w_2 x_2 + \dots + w_n x_n")))
    '\\sum_{i = 1}^{n} w_{i} x_{i}'
    """
    places = [k for k, (_, term) in enumerate(node.terms) if isinstance(term, tree.Dots)]
    if len(places) != 1 or not 1 <= places[0] <= len(node.terms) - 2:
        return None
    k = places[0]
    last, rest = node.terms[k + 1][1], node.terms[k + 2 :]
    taken = {n.name for n in walk(node) if isinstance(n, tree.Symbol)}
    letter = next((x for x in "ijklmpqrs" if x not in taken), "ι")
    for first in range(k):
        for end in ends_of(last):
            start = _counted(node.terms[first:k], last, end)
            if start is None or any(sign != "+" for sign, _ in node.terms[first + 1 : k + 2]):
                continue
            body = with_subscript(last, end, tree.Symbol(letter))
            big = tree.Big("sum", tree.Chain((tree.Symbol(letter), tree.Number(start)), ("=",)), end, body)
            terms = (*node.terms[:first], (node.terms[first][0], big), *rest)
            return big if terms == (("+", big),) else tree.Sum(terms)
    return None


def ends_of(last: Node) -> list[Node]:
    """What may be the number of the last term."""
    found: list[Node] = []
    for node in walk(last):
        sub = node.sub if isinstance(node, tree.Scripted) else None
        for inner in (sub.items if isinstance(sub, tree.List) else (sub,)) if sub is not None else ():
            if isinstance(inner, (tree.Symbol, tree.Number)) and inner not in found:
                found.append(inner)
    return found


def _counted(terms: tuple[tuple[str, Node], ...], last: Node, end: Node) -> str | None:
    """The number of the first term, where all of them are the last one with numbers that count up."""
    for start in ("0", "1"):
        if all(
            term == with_subscript(last, end, tree.Number(str(int(start) + j))) for j, (_, term) in enumerate(terms)
        ):
            return start
    return None


def with_subscript(node: Node, old: Node, new: Node) -> Node:
    """A node with another subscript in place of one."""
    if isinstance(node, tree.Scripted) and node.sub is not None:
        node = replace(node, sub=_replaced(node.sub, old, new))
    return tree.mapped(node, lambda inner: with_subscript(inner, old, new), but="sub")


def _replaced(sub: Node, old: Node, new: Node) -> Node:
    if sub == old:
        return new
    if isinstance(sub, tree.List):
        return replace(sub, items=tuple(new if i == old else i for i in sub.items))
    if isinstance(sub, tree.Product):
        return replace(sub, factors=tuple(new if f == old else f for f in sub.factors))
    return sub
