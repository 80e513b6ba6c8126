"""a for a^L, where the document speaks of a^L and says nothing of an a without a layer: C = ½ Σ_j (y_j − a_j)²."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy

from symdl.core.tensors import Element
from symdl.verification.meaning.scope import Formula, element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.statements import Reading
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Verdict


def at_the_last_layer(reading: Reading, link: Meaning, read: Callable[[Reading, Meaning], Verdict]) -> Verdict | None:
    """The verdict with the last layer for names that are written without one, here and in what was set to them."""
    marks = _marks(reading, link)
    if not marks:
        return None
    reader = reading.reader()
    names = {}
    for base, marked in marks.items():
        short, long = reader.parts(base), reader.parts(marked)
        if short is None or long is None or reader.known(short.name) or short.name in reading.scope.opaque:
            return None
        names[short.name] = long.name
    scope = reading.scope.copy()
    scope.formulas = {key: _renamed(formula, names) for key, formula in scope.formulas.items()}
    left, right = (_with_layer(side, marks) for side in (link.left, link.right))
    if (left, right) == (link.left, link.right) and scope.formulas == reading.scope.formulas:
        return None
    found = read(replace(reading, scope=scope), replace(link, left=left, right=right))
    told = ", ".join(f"{short} for {long}" for short, long in names.items())
    return replace(found, scope=f"{found.scope}; {told}")


def _marks(reading: Reading, link: Meaning) -> dict[Node, Node]:
    """a^L of each a that stands in a link with a layer or without."""
    bases = {
        n.base if isinstance(n, tree.Scripted) else n
        for side in (link.left, link.right)
        for n in walk(side)
        if isinstance(n, (tree.Symbol, tree.Scripted))
    }
    found: dict[Node, Node] = {}
    for base in (b for b in bases if isinstance(b, tree.Symbol)):
        marks = {n.sup for n in reading.usage.layers.last_of(base)}
        if len(marks) == 1:
            found[base] = tree.Scripted(base, sup=marks.pop())
    return found


def _renamed(formula: Formula, names: Mapping[str, str]) -> Formula:
    body = formula.value.body
    mapping: dict[sympy.Basic, sympy.Basic] = {
        e: element(names[e.name], e.subscripts) for e in body.atoms(Element) if e.name in names
    }
    return replace(formula, value=replace(formula.value, body=body.xreplace(mapping))) if mapping else formula


def _with_layer(node: Node, marks: Mapping[Node, Node]) -> Node:
    """A formula with the layer above each name that has none."""
    if node in marks:
        return marks[node]
    if isinstance(node, tree.Scripted) and node.base in marks:
        marked = marks[node.base]
        assert isinstance(marked, tree.Scripted)
        return replace(node, sup=marked.sup) if node.sup is None and not node.primes else node
    return tree.mapped(node, lambda inner: _with_layer(inner, marks))
