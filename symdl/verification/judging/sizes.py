"""Inverses and determinants of matrices of no stated size: at the smallest sizes that tell them apart.

(A B)⁻¹ = B⁻¹ A⁻¹ and the hat matrix X (XᵀX)⁻¹ Xᵀ are worked out entry by entry, with names for the entries. What is so
there is proved for these sizes, which the scope tells, and nothing is refuted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations, product

import sympy

from symdl.core.tensors import Element
from symdl.errors import SymdlError
from symdl.verification.judging.graphs import Judging
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.matrices import is_inverse
from symdl.verification.meaning.scope import Scope
from symdl.verification.meaning.stated import Meaning
from symdl.verification.meaning.values import opened, written_out
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk
from symdl.verification.verdict import Status, Verdict

#: The sizes that are tried for one number of rows, and for two.
SIZES = (2, 3)
#: Names that stand for no array.
_OPERATORS = frozenset({"det", "ln", "log", "tr", "Tr", "trace"})


def at_small_sizes(judge: Judging, link: Meaning) -> Verdict | None:
    """The proof at small sizes; None where there is none, or where nothing is inverted."""
    sides = link.left, link.right
    inner = [node for side in sides for node in _inverted(side)]
    if link.values is not None or link.relation not in ("=", "≡") or not inner:
        return None
    try:
        scope = _squared(judge, inner)
        open_ = _extents(replace(judge.reading, scope=scope).reader(), sides)
    except SymdlError:
        return None
    proved: list[str] = []
    last: Verdict | None = None
    for sizes in _choices(len(open_)):
        made = scope.copy()
        made.merged |= dict(zip(open_, map(sympy.Integer, sizes), strict=True))
        try:
            found = _decided(judge, made, link)
        except SymdlError:  # singular: of fewer rows than columns
            continue
        if found is None or not found.proved:
            return None
        proved.append(" and ".join(map(str, sizes)))
        last = found
    if last is None or not open_:
        return None
    told = f"matrices of {', or of '.join(proved)} rows and columns, where they have an inverse"
    return replace(last, scope=f"{last.scope}; {told}", reason="")


def _inverted(side: Node) -> Iterator[Node]:
    """A of A⁻¹, A⁻ᵀ and det A."""
    for node in walk(side):
        if isinstance(node, tree.Scripted) and is_inverse(node.sup):
            yield replace(node, sup=None) if node.sub is not None else node.base
        elif isinstance(node, tree.Applied) and node.function == tree.Symbol("det", "rm"):
            yield node.argument.body if isinstance(node.argument, tree.Group) else node.argument


def _squared(judge: Judging, nodes: list[Node]) -> Scope:
    """The scope in which everything that is inverted is square."""
    scope = judge.reading.scope.copy()
    reader = replace(judge.reading, scope=scope).reader()
    for node in nodes:
        value = reader.value(node)
        parts = reader.parts(node)
        value = reader.as_array(parts, 2) if not value.axes and parts is not None else value
        if value.rank == 2:
            scope.fit(value.axes[0].extent, value.axes[1].extent)
    return scope


def _extents(reader: Interpreter, sides: tuple[Node, Node]) -> list[sympy.Symbol]:
    """The numbers of rows and columns that nobody states."""
    found: dict[sympy.Symbol, None] = {}
    every = [n for side in sides for n in walk(side)]
    parts_of = (part for s in every if isinstance(s, tree.Scripted) for part in (s.sub, s.sup) if part is not None)
    scripts = {id(n) for part in parts_of for n in walk(part)}
    for node in (n for n in every if isinstance(n, tree.Symbol) and id(n) not in scripts):
        parts = reader.parts(node)
        if parts is None or node.name in _OPERATORS:
            continue
        value = reader.value(node)
        inverted = not value.axes and node.name.isupper() and not node.accents
        for axis in reader.as_array(parts, 2).axes if inverted else value.axes:
            root = reader.scope.root(axis.extent)
            if isinstance(root, sympy.Symbol):
                found[root] = None
    return list(found)


def _choices(count: int) -> Iterator[tuple[int, ...]]:
    if count == 1:
        yield from product(SIZES)
    elif count == 2:
        yield from permutations(SIZES)


def _decided(judge: Judging, scope: Scope, link: Meaning) -> Verdict | None:
    """The weakest verdict on all entries."""
    reader = replace(judge.reading, scope=scope).reader()
    left, right = reader.value(link.left), reader.value(link.right)
    if left.rank != right.rank or left.row != right.row:
        return None
    if not all(scope.fit(i.extent, j.extent) for i, j in zip(left.axes, right.axes, strict=True)):
        return None
    found: Verdict | None = None
    lengths = [range(int(scope.root(axis.extent))) for axis in left.axes]
    for place in product(*lengths):
        at = tuple(map(sympy.Integer, place))
        pair = [_entry(scope, value, at) for value in (left, right)]
        found = _rational(*pair) or judge.decided(replace(link, relation="="), pair[0], pair[1])
        if found.status is not Status.PROVED:
            return None
    return found


def _rational(left: sympy.Expr, right: sympy.Expr) -> Verdict | None:
    """The proof that two quotients of polynomials in entries are one: such quotients are large."""
    names = {e: sympy.Dummy() for side in (left, right) for e in side.atoms(Element)}
    difference = (left - right).xreplace(names)
    if not difference.is_rational_function(*names.values()) or difference.free_symbols - {*names.values()}:
        return None
    if sympy.expand(sympy.fraction(sympy.together(difference))[0]) != 0:
        return None
    told = ", ".join(sorted({e.name for e in names}))
    return Verdict(Status.PROVED, "polynomials", f"all real {told}")


def _entry(scope: Scope, value: Array, place: tuple[sympy.Integer, ...]) -> sympy.Expr:
    expr = scope.settled(opened(scope, value.at(place)))
    while (written := written_out(expr)) != expr:  # a sum within a sum is written out before it
        expr = written
    return expr
