"""A formula's tree as nested brackets, short enough to write by hand in a test."""

from __future__ import annotations

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def shape(node: Node | None) -> str:
    """`(op part …)` for a node with parts, the text of a leaf, `-` for what is not there.

    Accents and faces stand before a name (`hat:y`, `bf:x`), primes behind a base, `_` and `^` head scripts; signs stand
    before terms, operators between factors unless nothing does.
    """
    if node is None:
        return "-"
    if isinstance(node, tree.Symbol):
        return ":".join([*reversed(node.accents), *([node.face] if node.face else []), node.name])
    name = type(node).__name__.lower()
    match node:
        case tree.Number(text) | tree.Text(text):
            return text if isinstance(node, tree.Number) else f"“{text}”"
        case tree.Empty():
            return "∅"
        case tree.Dots():
            return "…"
        case tree.Scripted(base, sub, sup, primes):
            text = shape(base) + "'" * primes
            head = ("_" if sub is not None else "") + ("^" if sup is not None else "")
            return _node(head, text, *(shape(s) for s in (sub, sup) if s is not None)) if head else text
        case tree.Sum(terms):
            return _node("sum", *(part for sign, term in terms for part in (sign, shape(term))))
        case tree.Product(factors, ops):
            parts = [shape(factors[0])]
            for op, factor in zip(ops, factors[1:], strict=True):
                parts += ([op] if op else []) + [shape(factor)]
            return _node("*", *parts)
        case tree.Quotient(over, under, slash):
            return _node("//" if slash else "/", shape(over), shape(under))
        case tree.Group(body, first, last):
            return _node(first + last, shape(body))
        case tree.List(items, separators):
            return _node(separators, *map(shape, items))
        case tree.Applied(function, argument):
            return _node("call", shape(function), shape(argument))
        case tree.Big(op, sub, sup, body):
            return _node(op, shape(sub), shape(sup), shape(body))
        case tree.Derivative(kind, of, by, below):
            variables = (shape(v) + ("" if times == 1 else f"×{times}") for v, times in by)
            return _node(f"{kind}/{kind}" + ("_" if below else ""), shape(of), *variables)
        case tree.Gradient(of, by, order):
            return _node("∇" * order, shape(of), *([shape(by)] if by is not None else []))
        case tree.Matrix(rows, kind):
            return _node(kind, *(_node("row", *map(shape, row)) for row in rows))
        case tree.Cases(rows):
            return _node(name, *(_node("row", shape(value), shape(condition)) for value, condition in rows))
        case tree.Chain(sides, relations):
            return _alternating("chain", sides, relations)
        case tree.Statements(items, separators):
            return _alternating(
                "claims", items, tuple("⎵" if s == " " else "↵" if s == "\n" else s for s in separators)
            )
        case tree.Noted(body, note, kind):
            return _node(kind, shape(body), shape(note))
        case tree.Accented(body, accent):
            return _node(accent, shape(body))
        case _:
            return _node(name, *map(shape, tree.children(node)))


def _node(*parts: str) -> str:
    return f"({' '.join(parts)})"


def _alternating(name: str, items: tuple[Node, ...], marks: tuple[str, ...]) -> str:
    parts = [shape(items[0])]
    for mark, item in zip(marks, items[1:], strict=True):
        parts += [mark, shape(item)]
    return _node(name, *parts)
