"""g(u, b) of a g(w, b) = wᵀx + b that is a formula: with other arguments it is another number."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from symdl.core.tensors import Element, refreshed
from symdl.verification.meaning.arrays import Array
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.names import Parts
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import Formula
from symdl.verification.notation import unicode
from symdl.verification.notation.tree import Node


def with_arguments(reader: Reader, parts: Parts, nodes: list[Node]) -> Array | None:
    """A formula that says what it hangs on, with other arguments; None where they are those it was defined with.

    A vector takes the place of a vector, entry by entry, and a number that of a number.

    Raises:
        MeaningError: what is in the brackets can't stand for what stood there.
    """
    formula = reader.scope.formulas.get((parts.name, 0)) or reader.scope.formulas.get((parts.name, 1))
    if formula is None or len(formula.parameters) != len(nodes):
        return None
    whole = formula.value.fresh()
    if formula.places:  # f(x_1, x_2)
        values = [reader.number(node) for node in nodes]
        return None if values == list(formula.places) else _at_places(reader, whole, formula.places, values)
    changed = {p: n for p, n in zip(formula.parameters, nodes, strict=True) if not _is(reader, n, p)}
    if not changed:
        return None
    if len(set(formula.parameters)) != len(nodes):
        raise MeaningError(f"{parts.name} is defined for other arguments")
    body = _opened(reader, whole.body, changed)
    mapping: dict[Element, sympy.Expr] = {}
    for name, node in changed.items():
        mapping |= _entries(reader, name, node, {e for e in body.atoms(Element) if e.name == name})
    return whole.mapped(lambda _: refreshed(body.xreplace(mapping)))


def _at_places(reader: Reader, whole: Array, places: tuple[Element, ...], values: list[sympy.Expr]) -> Array:
    body = _opened(reader, whole.body, {place.name for place in places})
    others = {e for e in body.atoms(Element) - set(places) if any(e.name == place.name for place in places)}
    if others:
        raise MeaningError(f"{', '.join(sorted(map(str, others)))} is no argument of what takes others of that name")
    return whole.mapped(lambda _: refreshed(body.xreplace(dict(zip(places, values, strict=True)))))


def _is(reader: Reader, node: Node, name: str) -> bool:
    """Whether an argument is the very name, and not x of another step or layer."""
    parts = reader.parts(node)
    plain = parts is not None and parts.power is None and not (parts.subscripts or parts.primes or parts.transposed)
    return parts is not None and plain and parts.name == name


def _opened(reader: Reader, body: sympy.Expr, names: Iterable[str]) -> sympy.Expr:
    """The body with everything put in that is made of some names."""
    scope, own = reader.scope, set(names)

    def made_of_them(e: Element, formula: Formula) -> bool:
        through = any(scope.depends(e.name, len(e.subscripts), name) for name in own)
        return e.name not in own and not formula.given and through

    return scope.expanded(body, made_of_them)


def _entries(reader: Reader, name: str, node: Node, entries: set[Element]) -> dict[Element, sympy.Expr]:
    """What stands for each entry of a name where an argument is put in for it."""
    ranks = {len(e.subscripts) for e in entries}
    if not ranks:
        raise MeaningError(f"no formula says how it hangs on {name}", remedy="write its formula first")
    if len(ranks) > 1:
        raise MeaningError(f"{name} stands with and without subscripts in what takes it")
    (rank,) = ranks
    value = reader.value(node) if rank == 0 else reader.spread(node, rank)
    parts = reader.parts(node)
    if value.rank != rank and parts is not None and not parts.subscripts and isinstance(value.body, Element):
        value = reader.as_array(parts, rank)  # nothing is known of it but that it takes the place of a vector
    if value.rank != rank:
        raise MeaningError(f"{unicode(node)} can't take the place of {name}", why=f"it is {value.kind}")
    for axis, index in enumerate(value.axes):
        if not reader.scope.fit(reader.scope.extent(name, axis, rank), index.extent):
            raise MeaningError(f"{unicode(node)} is not as long as {name}")
    base = reader.scope.base(name)
    return {e: value.at(tuple(s - base for s in e.subscripts)) for e in entries}
