"""Which names a formula is about, and which stand in it."""

from __future__ import annotations

from collections.abc import Iterable

from symdl.verification.meaning.functions import ELEMENTARY
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.names import Parts
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


def head(reader: Interpreter, node: Node) -> tuple[Parts, tuple[Node, ...] | None] | None:
    """The name that a left side is about, and its arguments where it is f(x)."""
    node = node.body if isinstance(node, tree.Noted) else node
    parts = reader.parts(node)
    if parts is not None:
        parts = reader.renamed(parts)
        plain = parts.power is None and not parts.transposed and not parts.primes
        return (parts, None) if plain else None
    if isinstance(node, tree.Product) and len(node.factors) == 2 and node.ops == ("",):
        first, second = node.factors
        parts = reader.parts(first)
        if parts is None or not isinstance(second, tree.Group) or parts.power is not None or parts.transposed:
            return None
        if parts.name == "E" and (second.open == "[" or reader.usage.moments):  # E[z] is a mean
            return None
        items = second.items
        items = tuple(_member(i) for i in items if not isinstance(i, tree.Dots))  # L(x_1, …, x_T)
        named = [reader.parts(i) for i in items]
        if parts.primes or any(p is None or p.power is not None for p in named):
            return None
        if parts.subscripts:  # L_i(w) says what L_i hangs on, where it is not known yet
            new = (parts.name, len(parts.subscripts)) not in reader.scope.formulas
            return (parts, None) if new and len(items) == 1 else None
        return parts, tuple(items)
    if isinstance(node, tree.Applied) and isinstance(node.function, tree.Symbol):
        inner = node.argument.body if isinstance(node.argument, tree.Group) else node.argument
        parts = reader.parts(inner)
        if parts is not None and parts.power is None and node.function.name not in ELEMENTARY:
            return Parts(node.function.name), (inner,)
    return None


def _member(node: Node) -> Node:
    """α of {α}, the set of all of them."""
    return node.body if isinstance(node, tree.Group) and node.open == "{" else node


def heads(reader: Interpreter, node: Node) -> set[str]:
    """The name that a left side is about, as a set."""
    found = head(reader, node)
    return set() if found is None else {found[0].name}


def names_in(reader: Interpreter, nodes: Iterable[Node]) -> set[str]:
    """All names that stand in some nodes."""
    found: set[str] = set()
    for node in nodes:
        inside: set[int] = set()
        for inner in walk(node):
            if id(inner) in inside or not isinstance(inner, (tree.Symbol, tree.Scripted)):
                continue
            parts = reader.parts(inner)
            if parts is not None:
                found.add(parts.name)
            if isinstance(inner, tree.Scripted):
                inside.add(id(inner.base))
                if parts is not None and inner.sub is not None:
                    inside.update(id(n) for n in walk(inner.sub))
    return found


def applied_names(reader: Interpreter, nodes: Iterable[Node]) -> set[str]:
    """The names that stand in front of brackets, and of which a derivative is taken."""
    found: set[str] = set()
    for node in (n for each in nodes for n in walk(each)):
        named = [node.of] if isinstance(node, tree.Derivative) and node.of is not None else []
        if isinstance(node, tree.Product):
            named = [a for a, b in zip(node.factors, node.factors[1:], strict=False) if isinstance(b, tree.Group)]
        found |= {parts.name for n in named if (parts := reader.parts(n)) is not None}
    return found


def made_of_itself(reader: Interpreter, side: Node, value: Node) -> bool:
    """Whether a name stands in what it is set to; C of C = Σ_x C_x does not, since C_x is one of many."""
    found = head(reader, side)
    if found is None:
        return bool(heads(reader, side) & names_in(reader, [value]))
    parts, inside = found[0], set[int]()
    for node in walk(value):
        if isinstance(node, tree.Scripted):
            inside.add(id(node.base))
        other = (
            reader.parts(node) if isinstance(node, (tree.Symbol, tree.Scripted)) and id(node) not in inside else None
        )
        if other is not None and other.name == parts.name and len(other.subscripts) == len(parts.subscripts):
            return True
    return False


def formal_arguments(reader: Interpreter, sides: list[Node]) -> set[str]:
    """Names that stand for the arguments of a function of the document, as x does in a'(x), whatever x is elsewhere."""
    found: set[str] = set()
    for name, arguments in (pair for side in sides for n in walk(side) for pair in _calls(reader, n)):
        function = reader.scope.functions.get(name)
        if function is None or len(function.parameters) != len(arguments):
            continue
        if len(arguments) == 1 and isinstance(arguments[0], tree.Sum):  # x of f(x + ε)
            arguments = tuple(term for _, term in arguments[0].terms)
        named = [reader.parts(a) for a in arguments]
        # f(𝐱) is of no number x
        plain = {p.name for p in named if p is not None and not p.subscripts and not p.bold and p.power is None}
        found |= plain & set(function.parameters) if set(function.parameters) <= plain else set()
    return found


def _calls(reader: Interpreter, node: Node) -> list[tuple[str, tuple[Node, ...]]]:
    """The names that stand in front of brackets, with what stands in these."""
    pairs = list(zip(node.factors, node.factors[1:], strict=False)) if isinstance(node, tree.Product) else []
    pairs += [(node.function, node.argument)] if isinstance(node, tree.Applied) else []
    found = []
    for first, second in pairs:
        parts = reader.parts(first) if isinstance(second, tree.Group) else None
        if parts is not None and isinstance(second, tree.Group):
            items = second.items
            found.append((parts.name, items))
    return found


def inside(node: Node) -> Node:
    """What stands in |x| or ‖x‖."""
    return node.body if isinstance(node, (tree.Abs, tree.Norm)) else node
