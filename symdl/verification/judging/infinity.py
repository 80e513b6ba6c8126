"""−log 0 = ∞: the limit of the logarithm where its argument comes down to 0, as texts write it for short."""

from __future__ import annotations

import sympy

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.graphs import Judging
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict

_INFINITY = tree.Symbol("∞")
_LOGARITHMS = (tree.Symbol("log", "rm"), tree.Symbol("ln", "rm"))
#: What stands for an argument that comes down to 0.
_PLACE = "0⁺"


def at_infinity(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof that a formula in logarithms of 0, and in numbers, goes to ∞ or −∞; None of anything else."""
    target = _target(link.right)
    if link.relation not in ("=", "→") or target is None or judge.reading.unclear:
        return None
    reader = judge.reading.reader()
    side = _approached(link.left)
    if side == link.left:
        return None
    try:
        value = reader.value(side)
    except SymdlError:
        return None
    small = sympy.Symbol("t", positive=True)
    body = value.body.xreplace({element(_PLACE): small})
    if value.axes or body.atoms(Element) or body.free_symbols != {small} or sympy.limit(body, small, 0, "+") != target:
        return None
    return Verdict(Status.PROVED, "limit", "the argument of the logarithm coming down to 0")


def _target(node: Node) -> sympy.Expr | None:
    """∞ or −∞; None of anything else."""
    if node == _INFINITY:
        return sympy.oo
    terms = node.terms if isinstance(node, tree.Sum) else ()
    if len(terms) != 1 or terms[0][1] != _INFINITY:
        return None
    return -sympy.oo if terms[0][0] == "-" else sympy.oo


def _approached(node: Node) -> Node:
    """A formula with a name for the 0 in each log 0."""
    if isinstance(node, tree.Applied) and node.function in _LOGARITHMS:
        inner = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
        if isinstance(inner, tree.Number) and not inner.text.strip("0."):
            return tree.Applied(node.function, tree.Group(tree.Symbol(_PLACE)))
    return tree.mapped(node, _approached)
