"""Formulas that differ from a given one by one small slip: a sign, a factor, an exponent, an index, a bound, a digit.

Used both ways: to look for what an author may have meant, and to plant slips that the checker has to find.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, replace
from typing import Any

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node

_PAIRS = {"sin": "cos", "cos": "sin", "tanh": "coth", "sinh": "cosh", "cosh": "sinh", "max": "min", "min": "max"}
_TWO = tree.Number("2")


def edits(node: Node, letters: Collection[str] = ()) -> Iterator[tuple[str, Node]]:
    """Every formula that is one slip away, with the kind of slip in words.

    Args:
        letters: of indices, which may have been mixed up.

    >>> from symdl.verification.notation.tree import Number, Sum, Symbol
    >>> [kind for kind, _ in edits(Sum((("+", Symbol("a")), ("-", Symbol("b")))))][:2]
    ['sign', 'term']
    """
    return _everywhere(node, lambda inner: _here(inner, letters))


def further(node: Node, letters: Collection[str] = ()) -> Iterator[tuple[str, Node]]:
    """More formulas that are one slip away, of kinds that also make other statements of right ones.

    A square that is missing, a letter that is off by one in an exponent or a limit, 1 − u for u, and one index for
    another one throughout. Only what is known to be wrong is looked at in this way.
    """
    yield from _everywhere(node, _elsewhere)
    for old in letters:
        for new in letters:
            if new != old:
                yield "index", _renamed(node, old, new)


def fitting(node: Node, matrices: Collection[str]) -> Iterator[tuple[str, Node]]:
    """More formulas that are one slip away where shapes do not go together: one of these names transposed, though it is
    not in bold type, and two neighbours of a longer product in the other order.

    >>> from symdl.verification.notation import parse, unicode
    >>> [unicode(n) for _, n in fitting(parse("2 X X^T"), {"X"})][:2]
    ['2XᵀX', '2XᵀXᵀ']
    """

    if not matrices:
        return

    def here(inner: Node) -> Iterator[tuple[str, Node]]:
        if isinstance(inner, tree.Product) and len(inner.factors) > 2 and not any(inner.ops):
            for k in range(len(inner.factors) - 1):
                pair = inner.factors[k + 1], inner.factors[k]
                if not any(isinstance(f, tree.Number) for f in pair):
                    yield "order", replace(inner, factors=(*inner.factors[:k], *pair, *inner.factors[k + 2 :]))
        elif isinstance(inner, tree.Symbol) and inner.name in matrices:
            yield "transpose", tree.Scripted(inner, sup=tree.Symbol("⊤"))

    yield from _everywhere(node, here)


_Here = Callable[[Node], Iterator[tuple[str, Node]]]


def _everywhere(node: Node, here: _Here) -> Iterator[tuple[str, Node]]:
    yield from here(node)
    for part in fields(node):
        value = getattr(node, part.name)
        if isinstance(value, Node):
            for kind, other in _everywhere(value, here):
                yield kind, _with(node, part.name, other)
        elif isinstance(value, tuple):
            for kind, changed in _inside(value, here):
                yield kind, _with(node, part.name, changed)


def _with(node: Node, name: str, value: Any) -> Node:
    changes: dict[str, Any] = {name: value}
    return replace(node, **changes)


def _inside(values: tuple[Any, ...], here: _Here) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for k, value in enumerate(values):
        if isinstance(value, Node):
            for kind, other in _everywhere(value, here):
                yield kind, (*values[:k], other, *values[k + 1 :])
        elif isinstance(value, tuple):
            for kind, changed in _inside(value, here):
                yield kind, (*values[:k], changed, *values[k + 1 :])


def _elsewhere(node: Node) -> Iterator[tuple[str, Node]]:
    """The further slips at one place."""
    if isinstance(node, tree.Symbol) and len(node.name) == 1 and node.name.isalpha():
        yield "exponent", tree.Scripted(node, sup=_TWO)
    elif isinstance(node, (tree.Scripted, tree.Big)) and isinstance(node.sup, tree.Symbol) and node.sup.name != "⊤":
        for sign in ("+", "-"):
            yield "off by one", replace(node, sup=tree.Sum((("+", node.sup), (sign, tree.Number("1")))))
    if isinstance(node, tree.Scripted) and node.base == tree.Symbol("e") and isinstance(node.sup, tree.Symbol):
        yield "sign", replace(node, sup=tree.Sum((("-", node.sup),)))
    if isinstance(node, tree.Sum) and len(node.terms) == 2 and node.terms[0] == ("+", tree.Number("1")):
        yield "complement", node.terms[1][1]


def _renamed(node: Node, old: str, new: str) -> Node:
    """One letter for another one in all subscripts."""
    if isinstance(node, tree.Scripted) and node.sub is not None:
        node = replace(node, sub=_in_place(node.sub, old, new))
    return tree.mapped(node, lambda inner: _renamed(inner, old, new))


def _in_place(sub: Node, old: str, new: str) -> Node:
    if isinstance(sub, tree.Symbol) and sub.name == old:
        return replace(sub, name=new)
    if isinstance(sub, tree.Product):
        return replace(sub, factors=tuple(_in_place(f, old, new) for f in sub.factors))
    if isinstance(sub, tree.List):
        return replace(sub, items=tuple(_in_place(f, old, new) for f in sub.items))
    return sub


def _here(node: Node, letters: Collection[str]) -> Iterator[tuple[str, Node]]:
    if isinstance(node, tree.Sum):
        yield from _of_sum(node)
    elif isinstance(node, tree.Product):
        yield from _of_product(node)
    elif isinstance(node, tree.Quotient):
        if isinstance(node.over, tree.Number) and node.over.text == "1":
            yield "factor", node.under
        yield "a fraction turned over", tree.Quotient(node.under, node.over)
    elif isinstance(node, tree.Scripted):
        yield from _of_scripts(node, letters)
    elif isinstance(node, tree.Number):
        yield from _of_number(node)
    elif isinstance(node, tree.Applied) and isinstance(node.function, tree.Symbol):
        other = _PAIRS.get(node.function.name)
        if other is not None:
            yield "function", replace(node, function=replace(node.function, name=other))
    elif isinstance(node, tree.Group) and not isinstance(node.body, tree.List):
        yield "exponent", tree.Scripted(node, sup=_TWO)
    elif isinstance(node, tree.Big):
        yield "missing sum", node.body
    elif isinstance(node, tree.Symbol) and node.face in ("bf", "bm") and node.name:
        yield "transpose", tree.Scripted(node, sup=tree.Symbol("⊤"))


def _of_sum(node: tree.Sum) -> Iterator[tuple[str, Node]]:
    for k, (sign, term) in enumerate(node.terms):
        turned = {"+": "-", "-": "+"}.get(sign)
        if turned is not None:
            yield "sign", replace(node, terms=(*node.terms[:k], (turned, term), *node.terms[k + 1 :]))
        if len(node.terms) > 1:
            yield "term", replace(node, terms=(*node.terms[:k], *node.terms[k + 1 :]))


def _of_product(node: tree.Product) -> Iterator[tuple[str, Node]]:
    for k in range(len(node.factors)):
        applied = k < len(node.ops) and node.ops[k] == "" and isinstance(node.factors[k + 1], tree.Group)
        if applied and isinstance(node.factors[k], (tree.Symbol, tree.Scripted)):
            continue  # f(x) without f is no slip
        factors = (*node.factors[:k], *node.factors[k + 1 :])
        ops = node.ops[:-1] if k == len(node.ops) else (*node.ops[:k], *node.ops[k + 1 :])
        yield "factor", factors[0] if len(factors) == 1 else replace(node, factors=factors, ops=ops)
    if len(node.factors) == 2:
        yield "order", replace(node, factors=node.factors[::-1])
        yield "transpose", replace(node, factors=tuple(_turned(f) for f in node.factors[::-1]))


def _is_matrix(node: Node) -> bool:
    return isinstance(node, tree.Symbol) and (node.face in ("bf", "bm") or node.name.isupper())


def _turned(node: Node) -> Node:
    """The transpose of a factor: of one that is transposed, what it is the transpose of."""
    top = tree.Symbol("⊤")
    if isinstance(node, tree.Scripted) and isinstance(node.sup, tree.Symbol) and node.sup.name in ("⊤", "T"):
        return replace(node, sup=None) if node.sub is not None or node.primes else node.base
    if isinstance(node, tree.Scripted) and node.sup is None and not node.primes:
        return replace(node, sup=top)
    return tree.Scripted(
        node if isinstance(node, (tree.Symbol, tree.Accented, tree.Group)) else tree.Group(node), sup=top
    )


def _of_scripts(node: tree.Scripted, letters: Collection[str]) -> Iterator[tuple[str, Node]]:
    sup = node.sup
    if isinstance(sup, tree.Symbol) and sup.name in ("⊤", "T"):
        yield "transpose", node.base if node.sub is None else replace(node, sup=None)
    elif isinstance(sup, tree.Number):
        yield "exponent", node.base if node.sub is None and not node.primes else replace(node, sup=None)
        yield "exponent", replace(node, sup=tree.Number(str(int(sup.text) + 1)) if sup.text.isdigit() else _TWO)
    elif sup is not None and _is_matrix(node.base):  # W^{l+1}, which is no power
        yield "transpose", replace(node, sup=tree.Product((sup, tree.Symbol("⊤")), ("",)))
    elif sup is None and not node.primes:
        yield "exponent", replace(node, sup=_TWO)
        if _is_matrix(node.base):
            yield "transpose", replace(node, sup=tree.Symbol("⊤"))
    if isinstance(node.sub, tree.Symbol) and node.sub.name in letters:
        yield from (
            ("index", replace(node, sub=replace(node.sub, name=letter)))
            for letter in letters
            if letter != node.sub.name
        )
    if isinstance(node.sub, tree.Product) and len(node.sub.factors) == 2:
        yield "index", replace(node, sub=replace(node.sub, factors=node.sub.factors[::-1]))


def _of_number(node: tree.Number) -> Iterator[tuple[str, Node]]:
    digits = node.text
    if digits.isdigit() and len(digits) <= 2:
        for other in (int(digits) + 1, int(digits) - 1):
            if other >= 0:
                yield "digit", replace(node, text=str(other))
    for k in range(len(digits) - 1):
        if digits[k] != digits[k + 1] and digits[k : k + 2].isdigit():
            yield "digits", replace(node, text=digits[:k] + digits[k + 1] + digits[k] + digits[k + 2 :])


def scaled(node: Node) -> Iterator[tuple[str, Node]]:
    """The whole formula with another sign or factor."""
    inner = tree.Group(node) if isinstance(node, tree.Sum) else node
    yield "sign", tree.Sum((("-", inner),))
    yield "factor", tree.Product((_TWO, inner), ("·",))
    yield "factor", tree.Product((tree.Quotient(tree.Number("1"), _TWO), inner), ("·",))
