"""Arguments that may end before brackets: tanh x (1 − x) is tanh of x (1 − x) to some, and a product to others."""

from __future__ import annotations

from dataclasses import replace

from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import function_letter
from symdl.verification.meaning.stated import Meaning
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node
from symdl.verification.verdict import Status, Verdict


def with_shorter_arguments(judge: Judging, link: Meaning) -> Verdict | None:
    """The verdict with every argument that may end before brackets ended there; None where none may."""
    reader = judge.reading.reader()
    sides = [_shortened(reader, side) for side in (link.left, link.right)]
    if sides == [link.left, link.right]:
        return None
    found = judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
    return replace(found, scope=f"{found.scope}; tanh x (…) and its like as products")


def in_either_reading(judge: Judging, link: Meaning, refuted: Verdict) -> Verdict:
    """What was refuted, unless it is not so in the other reading."""
    other = with_shorter_arguments(judge, link)
    if other is None or other.status is Status.REFUTED:
        return refuted
    if other.proved or other.status is Status.CONSISTENT:
        return other
    reason = "not so where the function is of the brackets too, and undecided where it is not"
    return Verdict(Status.UNDECIDED, "none", refuted.scope, reason=reason)


def _shortened(reader: Interpreter, node: Node) -> Node:
    """tanh x times the brackets, of tanh applied to both."""
    node = tree.mapped(node, lambda inner: _shortened(reader, inner))
    argument = node.argument if isinstance(node, tree.Applied) else None
    if not isinstance(node, tree.Applied) or not isinstance(argument, tree.Product):
        return node
    for k, (before, group, op) in enumerate(argument.neighbours):
        if op == "" and _holds_a_sum(group) and not _may_be_a_function(reader, before):
            first = argument.factors[: k + 1]
            inner = first[0] if k == 0 else tree.Product(first, argument.ops[:k])
            factors = (replace(node, argument=inner), *argument.factors[k + 1 :])
            return tree.Product(factors, argument.ops[k:])
    return node


def _holds_a_sum(node: Node) -> bool:
    return isinstance(node, tree.Group) and isinstance(node.body, tree.Sum) and len(node.body.terms) > 1


def _may_be_a_function(reader: Interpreter, node: Node) -> bool:
    parts = reader.parts(node)
    if parts is None:
        return False
    return parts.name in reader.scope.functions or (function_letter(parts.name) and not reader.known(parts.name))
