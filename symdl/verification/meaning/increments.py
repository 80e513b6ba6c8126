"""Δw as one name, the change of w, in documents where Δ never stands by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

DELTA = "Δ"


def stands_alone(formulas: Iterable[Node]) -> bool:
    """Whether Δ is a quantity of its own somewhere, as a margin is: then Δ w may be a product.

    >>> from symdl.verification.notation import parse
    >>> [stands_alone([parse(text)]) for text in (r"\\Delta w", r"s_j + \\Delta")]
    [False, True]
    """
    for formula in formulas:
        nodes = list(walk(formula))
        every = sum(_is_delta(n) for n in nodes)
        before = sum(len(_places(n)) for n in nodes if isinstance(n, tree.Product))
        if every > before:
            return True
    return False


def changes_joined(node: Node) -> Node:
    """A formula with Δw for Δ w.

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(changes_joined(parse(r"C + g \\Delta w_j"))), changes_joined(parse(r"\\Delta C")).name
    ('C + g Δwⱼ', 'ΔC')
    """
    node = tree.mapped(node, changes_joined)
    if not isinstance(node, tree.Product) or not (places := _places(node)):
        return node
    factors: list[Node] = []
    ops: list[str] = []
    for k, factor in enumerate(node.factors):
        if k in places:
            continue
        if factors:
            ops.append(node.ops[k - 2] if k - 1 in places else node.ops[k - 1])
        factors.append(_named(factor) if k - 1 in places else factor)
    return factors[0] if len(factors) == 1 else replace(node, factors=tuple(factors), ops=tuple(ops))


def _is_delta(node: Node) -> bool:
    return isinstance(node, tree.Symbol) and node.name == DELTA and not node.accents


def _places(node: tree.Product) -> set[int]:
    """Where a Δ stands right before a name."""
    pairs = enumerate(zip(node.factors, node.factors[1:], node.ops, strict=False))
    return {k for k, (a, b, op) in pairs if _is_delta(a) and op == "" and _name_of(b) is not None}


def _name_of(node: Node) -> tree.Symbol | None:
    base = node.base if isinstance(node, tree.Scripted) else node
    return base if isinstance(base, tree.Symbol) and not _is_delta(base) else None


def _named(node: Node) -> Node:
    base = _name_of(node)
    assert base is not None
    named = replace(base, name=DELTA + base.name)
    return replace(node, base=named) if isinstance(node, tree.Scripted) else named
