"""Other meanings of what is written, where it is not so as it is read first: log to base 2, I beside numbers, (1, 2)ᵀ.

Each of them proves a link, or says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symdl.errors import SymdlError
from symdl.verification.judging.rules import Judging
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.values import counted
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Status, Verdict

_LOG, _BASES = tree.Symbol("log", "rm"), ("2", "10")
_TRANSPOSED = frozenset({"T", "⊤", "t"})


def meant_otherwise(judge: Judging, link: Meaning) -> Verdict | None:
    """The first proof in another meaning; of a logarithm it is a condition that its base is another one."""
    for reading in (with_identity_among_numbers, with_lists_as_columns, with_another_base):
        found = reading(judge, link)
        if found is not None and (found.proved or found.status is Status.CONDITIONAL):
            return found
    return None


def with_another_base(judge: Judging, link: Meaning) -> Verdict | None:
    """log 8 = 3, which is so of logarithms to base 2."""
    for base in _BASES:
        sub = tree.Number(base)
        found = _with(judge, link, lambda node, sub=sub: tree.Scripted(_LOG, sub=sub) if node == _LOG else node)  # type: ignore[misc]
        if found is not None and found.status in (Status.PROVED, Status.CONSISTENT):
            return replace(found, status=Status.CONDITIONAL, reason=f"so where log is the logarithm to base {base}")
    return None


def with_lists_as_columns(judge: Judging, link: Meaning) -> Verdict | None:
    """C (2, 1)ᵀ, where the list in a line is written for the row whose transpose is meant."""

    def column(node: Node) -> Node:
        listed = isinstance(node, tree.Scripted) and isinstance(node.base, tree.Group)
        if not listed or not isinstance(node, tree.Scripted) or not isinstance(node.base, tree.Group):
            return node
        above = isinstance(node.sup, tree.Symbol) and node.sup.name in _TRANSPOSED and node.sub is None
        return node.base if above and isinstance(node.base.body, tree.List) else node

    found = _with(judge, link, column)
    return None if found is None else replace(found, scope=f"{found.scope}; (…)ᵀ for a column")


def with_identity_among_numbers(judge: Judging, link: Meaning) -> Verdict | None:
    """A − λ I of a matrix of numbers, with I as the identity matrix of its size, where nothing is said of I."""
    reader = judge.reading.reader()
    identity = tree.Symbol("I")
    every = [n for side in (link.left, link.right) for n in walk(side) if isinstance(n, tree.Symbol) and n.name == "I"]
    if not every or reader.known("I"):
        return None

    def written(node: Node) -> Node:
        terms = [term for _, term in node.terms] if isinstance(node, tree.Sum) else []
        size = next((n for term in terms if (n := _size(reader, term))), 0)
        if not isinstance(node, tree.Sum) or not size:
            return node
        numbers = (tree.Number("0"), tree.Number("1"))
        unit = tree.Matrix(tuple(tuple(numbers[i == j] for j in range(size)) for i in range(size)), "pmatrix")

        def put(inner: Node) -> Node:
            plain = isinstance(inner, tree.Symbol) and inner.name == identity.name
            return unit if plain else tree.mapped(inner, put) if isinstance(inner, tree.Product) else inner

        return replace(node, terms=tuple((sign, put(term)) for sign, term in node.terms))

    found = _with(judge, link, written)
    return None if found is None else replace(found, scope=f"{found.scope}; I for the identity matrix")


def _size(reader: Interpreter, term: Node) -> int:
    """How many rows and columns a square matrix of numbers has; 0 of anything else."""
    if any(isinstance(n, tree.Symbol) and n.name == "I" for n in walk(term)):
        return 0
    try:
        value = reader.value(term)
    except SymdlError:
        return 0
    extents = {counted(reader.scope, reader.scope.root(axis.extent)) for axis in value.axes}
    if len(value.axes) != 2 or len(extents) != 1:
        return 0
    (extent,) = extents
    return int(extent) if extent.is_Integer and extent <= 8 else 0


def _with(judge: Judging, link: Meaning, change: Callable[[Node], Node]) -> Verdict | None:
    """The verdict with every part of a link changed; None where nothing is."""

    def everywhere(node: Node) -> Node:
        return change(tree.mapped(node, everywhere))

    sides = [everywhere(side) for side in (link.left, link.right)]
    if sides == [link.left, link.right]:
        return None
    return judge.read_in(judge.reading, replace(link, left=sides[0], right=sides[1]))
