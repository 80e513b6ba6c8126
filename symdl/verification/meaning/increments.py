"""Δw as one name, the change of w, in documents where Δ never stands by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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


def changes_named(formulas: Iterable[Node]) -> set[str]:
    """The names that stand behind Δ in formulas that are no more than that: of such a name, Δw is the change.

    >>> from symdl.verification.notation import parse
    >>> sorted(changes_named(parse(text) for text in (r"\\Delta b_1", r"2 \\Delta w", r"x + \\Delta")))
    ['b']
    """
    products = [f for f in formulas if isinstance(f, tree.Product) and len(f.factors) == 2 and 0 in _places(f)]
    return {base.name for p in products if (base := _name_of(p.factors[1])) is not None}


def changes_joined(node: Node, only: Collection[str] | None = None) -> Node:
    """A formula with Δw for Δ w; `only` of some names.

    >>> from symdl.verification.notation import parse, unicode
    >>> unicode(changes_joined(parse(r"C + g \\Delta w_j"))), changes_joined(parse(r"\\Delta C")).name
    ('C + g Δwⱼ', 'ΔC')
    """
    node = tree.mapped(node, lambda inner: changes_joined(inner, only))
    if not isinstance(node, tree.Product):
        return node
    named = {k: _name_of(node.factors[k + 1]) for k in _places(node)}
    places = {k for k, base in named.items() if only is None or (base is not None and base.name in only)}
    if not places:
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
    pairs = enumerate(node.neighbours)
    return {k for k, (a, b, op) in pairs if _is_delta(a) and op == "" and _name_of(b) is not None}


def _name_of(node: Node) -> tree.Symbol | None:
    base = node.base if isinstance(node, tree.Scripted) else node
    return base if isinstance(base, tree.Symbol) and not _is_delta(base) else None


def _named(node: Node) -> Node:
    base = _name_of(node)
    assert base is not None
    named = replace(base, name=DELTA + base.name)
    return replace(node, base=named) if isinstance(node, tree.Scripted) else named
