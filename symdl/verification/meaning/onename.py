"""f(x) as one name, in documents that take means of it: there f stands before (x) everywhere, and is nowhere changed.

What holds for every number f(x) holds for the value of every function, so that E[(y − f(x))²] may be opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symdl.verification.meaning.names import FUNCTION_LETTERS, text_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


@dataclass(frozen=True)
class Values:
    """Functions that are applied to one name only.

    Args:
        of_names: each function, with the name that it is applied to.
    """

    of_names: frozenset[tuple[tree.Symbol, tree.Symbol]]

    @property
    def told(self) -> str:
        """What is read so, in words."""
        return ", ".join(sorted(f"{text_of(f)}({text_of(x)})" for f, x in self.of_names)) + " as names"

    def of(self, node: Node) -> Node:
        """A formula with a name for each f(x).

        >>> from symdl.verification.notation import parse, unicode
        >>> unicode(Values(frozenset({(tree.Symbol("f"), tree.Symbol("x"))})).of(parse("y = f(x) + e")))
        'y = f(x) + e'
        """
        node = tree.mapped(node, self.of)
        if not isinstance(node, tree.Product):
            return node
        factors: list[Node] = []
        ops: list[str] = []
        for k, factor in enumerate(node.factors):
            if k and (call := _call(node, k - 1)) in self.of_names and call is not None:
                factors[-1] = tree.Symbol(f"{text_of(call[0])}({text_of(call[1])})")
                continue
            ops += [node.ops[k - 1]] if factors else []
            factors.append(factor)
        return factors[0] if len(factors) == 1 else tree.Product(tuple(factors), tuple(ops))


def values_of(formulas: Iterable[Node]) -> Values | None:
    """What a document with means shows of such functions; None where it shows none.

    >>> from symdl.verification.notation import parse
    >>> [values_of([parse(t)]) is None for t in (r"\\mathbb{E}[f(x) + e]", r"\\mathbb{E}[f(x) + f(z)]", "f(x) + e")]
    [False, True, True]
    """
    nodes = [node for formula in formulas for node in walk(formula)]
    if not any(isinstance(n, tree.Big) and n.op == "E" for n in nodes):
        return None
    products = [n for n in nodes if isinstance(n, tree.Product)]
    calls = [call for p in products for k in range(len(p.factors) - 1) if (call := _call(p, k)) is not None]
    every = [n for n in nodes if isinstance(n, tree.Symbol)]
    changed = any(isinstance(n, (tree.Derivative, tree.Gradient)) for n in nodes)
    changed |= any(isinstance(n, tree.Big) and n.op == "int" for n in nodes)
    found = set()
    for f, x in set(calls):
        once = sum(call[0] == f for call in calls) == sum(call == (f, x) for call in calls)
        alone = every.count(f) == sum(call[0] == f for call in calls)
        if once and alone and f.name in FUNCTION_LETTERS:
            found.add((f, x))
    return Values(frozenset(found)) if found and not changed else None


def _call(node: tree.Product, k: int) -> tuple[tree.Symbol, tree.Symbol] | None:
    """f and x of f(x), from factor k on."""
    name, group = node.factors[k], node.factors[k + 1]
    if node.ops[k] != "" or not isinstance(name, tree.Symbol) or not isinstance(group, tree.Group):
        return None
    inside = group.body
    return (name, inside) if isinstance(inside, tree.Symbol) and len(inside.name) == 1 and group.open == "(" else None
