"""Whether an equation that is not so gives the name on its left side another meaning, or is a slip."""

from __future__ import annotations

import sympy

from symdl.core.functions import Switch
from symdl.core.tensors import Element, Reduction
from symdl.errors import SymdlError
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.naming import head
from symdl.verification.meaning.values import opened
from symdl.verification.notation.tree import Node


def made_of_head(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether z = ln a is said of a z that a is made of: it gives z no other meaning."""
    made = {(e.name, len(e.subscripts)) for e in body_of(reader, value).atoms(Element)}
    heads = {parts.name for parts, _ in filter(None, [head(reader, side)])}
    return any(reader.scope.depends(name, rank, h) for name, rank in made for h in heads - {name})


def of_other_functions(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether two formulas of a name are made of other functions: α_0 e^{−kt} and α_0/(1 + kt).

    exp, log, kinks and trigonometric functions are independent of each other, so that no sign, index or exponent turns
    one formula into the other.
    """
    try:
        kinds = [_kinds(opened(reader.scope, body_of(reader, node))) for node in (side, value)]
    except SymdlError:  # what goes on without an end says nothing
        return False
    return kinds[0] != kinds[1]


def body_of(reader: Interpreter, node: Node) -> sympy.Expr:
    try:
        return reader.value(node).body
    except SymdlError:
        return sympy.S.Zero


def _kinds(expr: sympy.Expr) -> set[str]:
    """The kinds of functions in a formula: those that are made of exp are one kind."""
    found = {type(f).__name__ for f in expr.atoms(sympy.Function)} - {"Delta"}
    found |= {"kink"} if expr.has(Switch, sympy.Piecewise) else set()
    found |= {r.op for r in expr.atoms(Reduction) if r.op != "sum"}
    return {_KIND.get(name, name) for name in found}


_KIND = {
    **dict.fromkeys(("exp", "tanh", "sinh", "cosh", "sigmoid"), "exp"),
    **dict.fromkeys(("sin", "cos", "tan"), "sin"),
    **dict.fromkeys(("Max", "Min", "Abs", "relu", "Switch", "max", "min", "leaky_relu"), "kink"),
}
