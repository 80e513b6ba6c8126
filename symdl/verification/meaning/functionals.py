"""f(𝐱), ∇f(𝐱) and L(w_1, …, w_N) of functions of several numbers that nobody defines, with three entries for a vector.

Of f is known that it can be differentiated, and no more: its slopes by its first, second and third number are unknown
functions of the same numbers, in whatever order they are taken.
"""

from __future__ import annotations

import sympy

from symdl.verification.meaning import sums
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.lengths import LENGTH
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.unknown import UnknownFunction, unknown
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk


def items_of(group: tree.Group) -> tuple[Node, ...]:
    """The arguments in brackets."""
    return group.items


def applied(reader: Reader, name: str, nodes: tuple[Node, ...]) -> Array:
    """f of numbers and vectors, as one of all their entries.

    Raises:
        MeaningError: it is of something else.
    """
    return scalar(_call(reader, name, nodes)[0])


def gradient(reader: Reader, node: tree.Gradient) -> Array | None:
    """∇f(…) and ∇²f(…) at any place, by everything that f is of; None of what is no such function."""
    parts = _applied_name(reader, node.of)
    if parts is None or node.order > 2:
        return None
    name, group = parts
    if node.by is not None:  # ∇_x L(x_0) is that by what L is of, at x_0
        items = items_of(group)
        if len(items) > 1 and node.order == 1 and items.count(node.by) == 1:  # ∇_x f(i, x)
            call, groups = _call(reader, name, items)
            return _listed([call.fdiff(k) for k in groups[items.index(node.by)]])
        if node.order != 1 or len(items) != 1 or (node.by != items[0] and _stands_in(reader, node.by, items[0])):
            return None
    call, groups = _call(reader, name, items_of(group))
    places = [k for some in groups for k in some]
    if node.order == 1:
        return _listed([call.fdiff(k) for k in places])
    rows, columns = (sums.new_index(letter, sympy.Integer(len(places))) for letter in "kj")
    body = sums.listed([sums.listed([call.fdiff(k).fdiff(j) for j in places], columns) for k in places], rows)
    return Array((rows, columns), body)


def _stands_in(reader: Reader, name: Node, node: Node) -> bool:
    """Whether a name stands in a formula, where x does not stand in x_0."""
    parts = [(n, reader.parts(n)) for n in walk(node) if isinstance(n, tree.Scripted)]
    labelled = {id(n.base) for n, p in parts if p is not None and not p.subscripts and p.power is None}
    return any(n == name and id(n) not in labelled for n in walk(node))


def slope_at(reader: Reader, node: tree.Derivative, group: tree.Group) -> Array | None:
    """∂f/∂u (u(a, b), v(a, b)): by the argument that is u, or made of it; None of what is no such function."""
    parts = reader.parts(node.of) if node.of is not None else None
    if parts is None or parts.name not in reader.scope.functionals or len(node.by) != 1 or node.by[0][1] != 1:
        return None
    nodes = items_of(group)
    by = node.by[0][0]
    which = [k for k, item in enumerate(nodes) if item == by or _head(item) == by]
    if len(which) != 1:
        raise MeaningError("a slope by something that is no argument")
    call, groups = _call(reader, parts.name, nodes)
    places = groups[which[0]]
    return scalar(call.fdiff(places[0])) if len(places) == 1 else _listed([call.fdiff(k) for k in places])


def slope_by_argument(reader: Reader, node: tree.Derivative) -> Array | None:
    """∂f(x, h, w)/∂h, with the other arguments held fixed, whatever they are made of; None of anything else."""
    parts = _applied_name(reader, node.of) if node.of is not None else None
    if parts is None or len(node.by) != 1 or node.by[0][1] != 1:
        return None
    nodes = items_of(parts[1])
    if len(nodes) < 2 or nodes.count(node.by[0][0]) != 1:
        return None
    call, groups = _call(reader, parts[0], nodes)
    places = groups[nodes.index(node.by[0][0])]
    return scalar(call.fdiff(places[0])) if len(places) == 1 else _listed([call.fdiff(k) for k in places])


def _applied_name(reader: Reader, node: Node) -> tuple[str, tree.Group] | None:
    if not isinstance(node, tree.Product) or len(node.factors) != 2 or not isinstance(node.factors[1], tree.Group):
        return None
    parts = reader.parts(node.factors[0])
    plain = parts is not None and not parts.subscripts and not parts.primes and parts.power is None
    if parts is None or not plain or parts.name not in reader.scope.functionals:
        return None
    return parts.name, node.factors[1]


def _head(node: Node) -> Node:
    return node.factors[0] if isinstance(node, tree.Product) and isinstance(node.factors[-1], tree.Group) else node


def _call(reader: Reader, name: str, nodes: tuple[Node, ...]) -> tuple[UnknownFunction, list[list[int]]]:
    """f with all entries, and at which numbers (from 1) those of each argument stand."""
    entries: list[sympy.Expr] = []
    groups = []
    for node in nodes:
        value = reader.value(node)
        if value.rank > 1:
            raise MeaningError(f"{name} of {value.kind}")
        if value.axes and not reader.scope.fit(value.axes[0].extent, sympy.Integer(LENGTH)):
            raise MeaningError(f"{name} of a vector of another length")
        own = [value.at((sympy.Integer(k),)) for k in range(LENGTH)] if value.axes else [value.body]
        groups.append(list(range(len(entries) + 1, len(entries) + len(own) + 1)))
        entries += own
    found: UnknownFunction = unknown(name)(*entries)
    return found, groups


def _listed(entries: list[sympy.Expr]) -> Array:
    index = sums.new_index("k", sympy.Integer(len(entries)))
    return Array((index,), sums.listed(entries, index))
