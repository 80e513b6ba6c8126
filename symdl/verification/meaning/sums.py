"""Sums, products and extrema with limits, as they stand in documents: with both, with one, or with none."""

from __future__ import annotations

import re

import sympy

from symdl.core.functions import Delta
from symdl.core.indices import Index
from symdl.core.tensors import reduction
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.letters import letters_in, letters_of
from symdl.verification.meaning.names import letter_of
from symdl.verification.meaning.reader import Reader
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

_OPERATIONS = {"sum": "sum", "prod": "prod", "max": "max", "min": "max"}
_NAME = re.compile(r"[A-Za-z]+[0-9]*")


def new_index(letter: str, extent: sympy.Expr) -> Index:
    """An index that prints as its letter."""
    return Index(letter if _NAME.fullmatch(letter) else "i", extent)


def listed(entries: list[sympy.Expr], index: Index) -> sympy.Expr:
    """Entries by their place, as one expression in the index."""
    return sympy.Add(*[Delta(index, sympy.Integer(k)) * entry for k, entry in enumerate(entries)])


def value_of(reader: Reader, node: tree.Big) -> Array:
    """Σ, Π, max or min over indices.

    Raises:
        MeaningError: limits that say nothing of the kind, or another operator.
    """
    op = _OPERATIONS.get(node.op)
    if op is None:
        raise MeaningError(f"{node.op} has no value here")
    bound = _bound(reader, node)
    if not bound:
        return scalar(sympy.S.Zero if op == "sum" else sympy.S.One)
    with reader.binding({letter: index + first for letter, index, first in bound}):
        body = reader.value(node.body)
    for letter, index, _ in bound:
        _over_one_set(reader, letter, index)
    indices = [index for _, index, _ in bound]
    if op in ("sum", "prod"):
        return body.mapped(lambda x: reduction(op, x, indices))
    sign = -1 if node.op == "min" else 1
    return body.mapped(lambda x: sign * reduction("max", sign * x, indices, "share"))


def _over_one_set(reader: Reader, letter: str, index: Index) -> None:
    """Σ_x over all inputs, with no x as a subscript: it runs over the same ones in each formula."""
    scope = reader.scope
    if index.extent in scope.made and scope.root(index.extent) == index.extent:
        scope.fit(index.extent, scope.extent(f"Σ{letter}", 0, 1))


def with_their_scope(reader: Reader, node: tree.Sum) -> tree.Sum:
    """Σ_j a_j + b_j as Σ_j (a_j + b_j): what follows a sum belongs to it where it needs the sum's index.

    A letter that stands free elsewhere in the statement is not the sum's.
    """
    for k, (_, term) in enumerate(node.terms[:-1]):
        big = term.factors[-1] if isinstance(term, tree.Product) else term
        if not (isinstance(big, tree.Big) and big.op in ("sum", "prod") and big.sub is not None):
            continue
        bound = letters_in(big.sub) - set(reader.letters) - set(reader.free)
        later = [j for j in range(k + 1, len(node.terms)) if letters_of(reader, node.terms[j][1]) & bound]
        if not later:
            continue
        last = later[-1]
        body = tree.Group(tree.Sum((("+", big.body), *node.terms[k + 1 : last + 1])))
        whole: Node = tree.Big(big.op, big.sub, big.sup, body)
        if isinstance(term, tree.Product):
            whole = tree.Product((*term.factors[:-1], whole), term.ops)
        return with_their_scope(reader, tree.Sum((*node.terms[:k], (node.terms[k][0], whole), *node.terms[last + 1 :])))
    return node


def _bound(reader: Reader, node: tree.Big) -> list[tuple[str, Index, sympy.Expr]]:
    """The letters that are bound, each with its index and where it begins."""
    sub = node.sub
    if sub is None:
        letters = _open_letters(reader, node.body)
        if len(letters) != 1:
            raise MeaningError(f"a {node.op} without an index", remedy="write which index it runs over")
        return [_unlimited(reader, letters[0], node.body)]
    if isinstance(sub, tree.Chain) and len(sub.sides) == 2 and sub.relations[0] == "=":
        letter, first = _letter(sub.sides[0]), reader.subscript(sub.sides[1])
        if node.sup is None:
            raise MeaningError(f"a {node.op} from {first} without an end")
        return _limited(reader, letter, first, reader.subscript(node.sup))
    if isinstance(sub, tree.Chain) and len(sub.sides) == 3 and set(sub.relations) <= {"≤", "<"} and node.sup is None:
        low, high = reader.subscript(sub.sides[0]), reader.subscript(sub.sides[2])
        first = low + (sub.relations[0] == "<")
        return _limited(reader, _letter(sub.sides[1]), first, high - (sub.relations[1] == "<"))
    if node.sup is not None and isinstance(sub, tree.Symbol):
        letter = _letter(sub)
        return _limited(reader, letter, _first(reader, letter, node.body), reader.subscript(node.sup))
    return [_unlimited(reader, letter, node.body) for letter in _letters(sub)]


def _letters(sub: Node) -> list[str]:
    if isinstance(sub, tree.List):
        return [_letter(item) for item in sub.items]
    if isinstance(sub, tree.Product) and all(op == "" for op in sub.ops):
        return [_letter(f) for f in sub.factors]
    return [_letter(sub)]


def _letter(node: Node) -> str:
    if letter_of(node):
        return letter_of(node)
    raise MeaningError("the limits of a sum are not understood", remedy="write i, or i = 1 and n above")


def _limited(reader: Reader, letter: str, first: sympy.Expr, last: sympy.Expr) -> list[tuple[str, Index, sympy.Expr]]:
    extent = sympy.expand(last - first + 1)
    if extent.atoms(Index) or extent.has(sympy.oo):
        raise MeaningError(f"a sum over {letter} whose limits hang on an index, or have no end")
    if extent.is_Integer and extent <= 0:
        return []
    return [(letter, new_index(letter, reader.scope.root(extent)), first)]


def _unlimited(reader: Reader, letter: str, body: Node) -> tuple[str, Index, sympy.Expr]:
    """Over all that the index can be: the limits that the document gives the letter elsewhere, or the axis it reads."""
    limits = reader.usage.limits.get(letter)
    if limits is not None and not _reads_a_list(reader, letter, body):
        bound = _limited(reader, letter, reader.subscript(limits[0]), reader.subscript(limits[1]))
        if bound:
            return bound[0]
    return letter, new_index(letter, reader.scope.new_extent(f"n_{letter}")), _first(reader, letter, body)


def _reads_a_list(reader: Reader, letter: str, body: Node) -> bool:
    """Whether a letter subscripts a name that is a list of known length."""
    return not reader.usage.lengths.keys().isdisjoint(_read(reader, letter, body))


def _first(reader: Reader, letter: str, body: Node) -> sympy.Integer:
    """Where the names that a letter subscripts begin."""
    names = _read(reader, letter, body)
    return sympy.Integer(reader.scope.base(names[0]) if names else reader.usage.base)


def _read(reader: Reader, letter: str, body: Node) -> list[str]:
    """The names that a letter subscripts, by itself."""
    parts = (reader.parts(n) for n in walk(body) if isinstance(n, tree.Scripted))
    return [p.name for p in parts if p is not None and any(_is(letter, s) for s in p.subscripts)]


def _is(letter: str, node: Node) -> bool:
    return letter_of(node) == letter


def _open_letters(reader: Reader, body: Node) -> list[str]:
    """Letters that subscript something in a body and that nothing binds."""
    found: dict[str, None] = {}
    for node in walk(body):
        parts = reader.parts(node) if isinstance(node, tree.Scripted) else None
        for sub in parts.subscripts if parts is not None else ():
            for inner in walk(sub):
                if isinstance(inner, tree.Symbol) and inner.name not in reader.letters:
                    found[inner.name] = None
    return list(found)
