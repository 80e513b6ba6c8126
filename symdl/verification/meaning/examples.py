"""x^{(i)} beside x: the examples that a document counts, for each of which holds what is said of x."""

from __future__ import annotations

from collections.abc import Collection

import sympy

from symdl.core.tensors import Element, Reduction
from symdl.verification.meaning.entries import NameReader
from symdl.verification.meaning.names import Labels, letter_of, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node


def at_example(labels: Labels, node: Node, letter: str, names: Collection[str]) -> Node:
    """A formula for one example: with x^{(i)} for x, of names that have examples.

    >>> from symdl.verification.meaning.usage import Usage
    >>> from symdl.verification.notation import latex, parse
    >>> latex(at_example(Usage(), parse(r"w x + b"), "i", {"x"}))
    'w x^{(i)} + b'
    """
    if isinstance(node, (tree.Symbol, tree.Accented, tree.Scripted)):
        parts = parts_of(node, labels)
        plain = not isinstance(node, tree.Scripted) or (node.sup is None and not node.primes)
        base, sub = (node.base, node.sub) if isinstance(node, tree.Scripted) else (node, None)
        whole = parts_of(base, labels)  # x of x_d
        known = {p.name for p in (parts, whole) if p is not None}
        if not plain or known.isdisjoint(names):
            return node
        sup = tree.Group(tree.Symbol(letter))
        return tree.Scripted(base, sub=sub, sup=sup)
    return tree.mapped(node, lambda inner: at_example(labels, inner, letter, names))


def of_one_example(reader: NameReader, side: Node, value: Node) -> sympy.Expr | None:
    """What C comes to for one example, where C = C_x is said of a C = (1/n) Σ_x (…); None of anything else.

    Only of sums in which nothing has the letter below it: what is summed is that of one example as it stands.
    """
    left, right = reader.parts(side), reader.parts(value)
    letter = letter_of(value.sub) if isinstance(value, tree.Scripted) and value.sub is not None else ""
    plain = left is not None and right is not None and not left.subscripts and left.power is right.power is None
    if left is None or right is None or not plain or left.name != right.name or not letter:
        return None
    whole = reader.scope.formulas.get((left.name, 0))
    if whole is None or whole.given or whole.value.axes or (left.name, 1) in reader.scope.formulas:
        return None
    factors = sympy.Mul.make_args(whole.value.body)
    sums = [f for f in factors if isinstance(f, Reduction) and f.op == "sum" and len(f.bound) == 1]
    if len(sums) != 1 or sums[0].bound[0].name != letter or sums[0].body.has(sums[0].bound[0]):
        return None
    before = sympy.Mul(*[f for f in factors if f is not sums[0]])
    counts = before.atoms(Element) | before.free_symbols
    number = before * counts.pop() if len(counts) == 1 else before
    return number * sums[0].body if number.is_number else None
