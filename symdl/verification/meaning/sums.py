"""Sums, products and extrema with limits, as they stand in documents: with both, with one, or with none."""

from __future__ import annotations

import re

import sympy

from symdl.core.functions import Delta, Masked
from symdl.core.indices import Index, indices_in, value_range
from symdl.core.tensors import Element, Fact, reduction
from symdl.verification.meaning import series
from symdl.verification.meaning.arrays import Array, scalar
from symdl.verification.meaning.cases import condition
from symdl.verification.meaning.errors import MeaningError
from symdl.verification.meaning.guards import joined, ranges
from symdl.verification.meaning.letters import examples_in, letters_in, letters_of
from symdl.verification.meaning.names import INDEX_LETTERS, Parts, letter_of
from symdl.verification.meaning.reader import Reader
from symdl.verification.meaning.scope import element
from symdl.verification.meaning.unknown import UnknownFunction
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: A letter, its index, the number it begins at, and a factor that is 0 for what is left out.
Bound = tuple[str, Index, sympy.Expr, sympy.Expr]

#: How the rest of a sum over quantities is called.
REST = "⋯"

_OPERATIONS = {"sum": "sum", "prod": "prod", "max": "max", "min": "max"}
_NAME = re.compile(r"[A-Za-z]+[0-9]*")


def new_index(letter: str, extent: sympy.Expr) -> Index:
    """An index that prints as its letter."""
    return Index(letter if _NAME.fullmatch(letter) else "i", extent)


def listed(entries: list[sympy.Expr], index: Index) -> sympy.Expr:
    """Entries by their place, as one expression in the index."""
    return sympy.Add(*[Delta(index, sympy.Integer(k)) * entry for k, entry in enumerate(entries)])


def value_of(reader: Reader, node: tree.Big) -> Array:
    """Σ, Π, max or min over indices, of which conditions may leave some out.

    Raises:
        MeaningError: limits that say nothing of the kind, or another operator.
    """
    if series.endless(node):
        return series.value_of(reader, node)
    op = _OPERATIONS.get(node.op)
    if op is None:
        raise MeaningError(f"{node.op} has no value here")
    places, conditions = _parted(reader, node)
    if not conditions and _over_quantities(reader, node, places):
        return _one_of_all(reader, node)
    bound = _bound(reader, node, places)
    if not bound:
        return scalar(sympy.S.Zero if op == "sum" else sympy.S.One)
    with reader.binding({letter: index + first for letter, index, first, _ in bound}):
        kept = sympy.Mul(*[weight for *_, weight in bound], *[_holds(reader, c, node.body) for c in conditions])
        body = reader.value(node.body)
    for letter, index, first, _ in bound:
        if node.op in ("max", "min") and _is_a_number(reader, node, letter) and _counts_in(body.body, index):
            raise MeaningError(f"the {node.op} over every number {letter} is no entry of a list")
        _over_one_set(reader, letter, index)
        body = body.mapped(lambda x, a=letter, p=index + first: _counted_above(reader, x, a, p))  # type: ignore[misc]
    return body.mapped(lambda x: _reduced(node.op, x, [index for _, index, *_ in bound], kept))


def _is_a_number(reader: Reader, node: tree.Big, letter: str) -> bool:
    """Whether max_x, or max over 0 ≤ x ≤ 1, runs over numbers: over nothing that is known to count."""
    plain, usage = letter.rstrip("'"), reader.usage
    if node.sup is not None or plain in usage.subscripting:
        return False
    return plain not in INDEX_LETTERS if isinstance(node.sub, tree.Chain) else plain not in usage.limits


def _counts_in(body: sympy.Expr, index: Index) -> bool:
    """Whether an index stands as a number in a body, and not only as a subscript or in a call of a function."""
    if isinstance(body, (Element, UnknownFunction)):
        return False
    return body == index or any(_counts_in(part, index) for part in body.args if isinstance(part, sympy.Expr))


def _counted_above(reader: Reader, body: sympy.Expr, letter: str, place: sympy.Expr) -> sympy.Expr:
    """Σ_i of x^{(i)} runs over the examples: what i counts above a name is an index of it, as one below is.

    Names with i above are what they were defined as by then: outside of the sum they are of any one example.
    """

    def step(e: Element) -> int | None:
        found = re.fullmatch(rf"\(?{re.escape(letter)}([+-]\d+)?\)?", e.name.partition("^")[2])
        return None if found is None else int(found[1] or 0)

    if all(step(e) is None for e in body.atoms(Element)):
        return body
    body = reader.scope.expanded(body, lambda e, formula: step(e) is not None and not formula.given)
    mapping: dict[sympy.Basic, sympy.Expr] = {}
    for e in body.atoms(Element):
        base, _, above = e.name.partition("^")
        if (k := step(e)) is not None:
            name = f"{base}^(·)" if above.startswith("(") else f"{base}^{letter}"
            mapping[e] = element(name, (place + k, *e.subscripts))
    return body.xreplace(mapping)


def _over_quantities(reader: Reader, node: tree.Big, places: list[Node]) -> bool:
    """Whether Σ_w w² runs over all that are called w, and not over numbers: w stands for itself below it."""
    if node.op != "sum" or node.sup is not None or len(places) != 1 or not isinstance(places[0], tree.Symbol):
        return False
    letter = places[0].name
    if len(letter) != 1 or letter in reader.usage.limits or letter in reader.usage.subscripting:
        return False
    entries = [s for s in walk(node.body) if isinstance(s, tree.Scripted) and s.sub is not None]
    if any(_chooses(reader, letter, n) for n in walk(node.body)):
        return False
    below = {id(n) for s in entries for part in (s.base, s.sub) if part is not None for n in walk(part)}
    return any(isinstance(n, tree.Symbol) and n.name == letter and id(n) not in below for n in walk(node.body))


def _chooses(reader: Reader, letter: str, node: Node) -> bool:
    """Whether P(i) stands somewhere in a product, of a P that is a list: the entry number i."""
    pairs = zip(node.factors, node.factors[1:], strict=False) if isinstance(node, tree.Product) else ()
    for first, second in pairs:
        parts = reader.parts(first)
        if parts is not None and isinstance(second, tree.Group) and letter_of(second.body) == letter:
            return (parts.name, 1) in reader.scope.formulas and parts.name not in reader.scope.functions
    return False


def _one_of_all(reader: Reader, node: tree.Big) -> Array:
    """Σ_w w² as w² and what the other ones add, which does not hang on this one."""
    body = reader.value(node.body)
    if body.axes:
        raise MeaningError(f"a sum of {body.kind} over quantities")
    return scalar(body.body + element(f"{REST}{body.body}"))


def _reduced(op: str, body: sympy.Expr, indices: list[Index], kept: sympy.Expr) -> sympy.Expr:
    """The operator over the entries that a guard keeps."""
    if op == "sum":
        return reduction("sum", kept * body, indices)
    if op == "prod":
        return reduction("prod", body if kept == 1 else 1 + kept * (body - 1), indices)
    sign = -1 if op == "min" else 1
    return sign * reduction("max", Masked(sign * body, kept), indices, "share")


def _holds(reader: Reader, node: Node, body: Node) -> sympy.Expr:
    """A condition as 1 or 0. Where it keeps a place within an axis, the axis is so long."""
    relations = condition(reader, node)
    for place, extent in ranges(relations):
        for inner in (n for n in walk(body) if isinstance(n, tree.Scripted)):
            parts = reader.parts(inner)
            for axis, sub in enumerate(parts.subscripts if parts is not None else ()):
                if parts is not None and not isinstance(sub, tree.Number) and reader.subscript(sub) == place:
                    reader.scope.fit(reader.scope.extent(parts.name, axis, len(parts.subscripts)), extent)
    return joined(relations)


def _over_one_set(reader: Reader, letter: str, index: Index) -> None:
    """Σ_x over all inputs, with no x as a subscript: it runs over the same ones in each formula."""
    scope = reader.scope
    if index.extent in scope.made and scope.root(index.extent) == index.extent:
        scope.fit(index.extent, scope.extent("Σ" + letter.rstrip("'"), 0, 1))


def with_their_scope(reader: Reader, node: tree.Sum) -> tree.Sum:
    """Σ_j a_j + b_j as Σ_j (a_j + b_j): what follows a sum belongs to it where it needs the sum's index.

    A letter that stands free elsewhere in the statement is not the sum's.
    """
    for k, (_, term) in enumerate(node.terms[:-1]):
        big = term.factors[-1] if isinstance(term, tree.Product) else term
        if not (isinstance(big, tree.Big) and big.op in ("sum", "prod") and big.sub is not None):
            continue
        bound = letters_in(big.sub) - set(reader.letters) - set(reader.free)
        terms = [(j, node.terms[j][1]) for j in range(k + 1, len(node.terms))]
        later = [j for j, other in terms if (letters_of(reader, other) | examples_in(other)) & bound]
        if not later:
            continue
        last = later[-1]
        body = tree.Group(tree.Sum((("+", big.body), *node.terms[k + 1 : last + 1])))
        whole: Node = tree.Big(big.op, big.sub, big.sup, body)
        if isinstance(term, tree.Product):
            whole = tree.Product((*term.factors[:-1], whole), term.ops)
        return with_their_scope(reader, tree.Sum((*node.terms[:k], (node.terms[k][0], whole), *node.terms[last + 1 :])))
    return node


def _parted(reader: Reader, node: tree.Big) -> tuple[list[Node], list[Node]]:
    """What stands below an operator: what says which letters are bound, and the conditions beside it."""
    sub = node.sub
    if sub is None or node.sup is not None:
        return ([] if sub is None else [sub]), []
    if isinstance(sub, tree.Product) and all(op == "" for op in sub.ops):
        return list(sub.factors), []
    items = sub.items if isinstance(sub, tree.List) else (sub,)
    conditions = [i for i in items if isinstance(i, tree.Chain) and i.relations != ("∈",)]
    places = [i for i in items if i not in conditions]
    return (places, [*conditions]) if places else _introduced(reader, conditions)


def _introduced(reader: Reader, conditions: list[tree.Chain]) -> tuple[list[Node], list[Node]]:
    """j of j ≠ i, where no letter stands by itself: the first one that is not in use."""
    first = conditions[0]
    if len(first.sides) == 3 and set(first.relations) <= {"≤", "<"}:
        try:
            ends = reader.subscript(first.sides[0]), reader.subscript(first.sides[2])
        except MeaningError:
            ends = None
        if ends is not None and letter_of(first.sides[1]):
            return [first], [*conditions[1:]]
    letters = [s for s in first.sides if letter_of(s)]
    new = [s for s in letters if letter_of(s) not in reader.letters and letter_of(s) not in reader.free]
    return (new or letters)[:1], [*conditions]


def _bound(reader: Reader, node: tree.Big, places: list[Node]) -> list[Bound]:
    """The letters that are bound, each with its index, where it begins, and what counts of it."""
    sub = node.sub
    if sub is None:
        letters = _open_letters(reader, node.body)
        # those that stood in the statement already are not the sum's
        letters = [c for c in letters if c not in reader.free] or letters
        if not letters and not _subscripted(node.body):
            letters = sorted(reader.usage.silent & reader.usage.limits.keys())  # Σ b beside Σ x_i
        if len(letters) != 1:
            raise MeaningError(f"a {node.op} without an index", remedy="write which index it runs over")
        return [_unlimited(reader, letters[0], node.body)]
    if isinstance(sub, tree.Chain) and len(sub.sides) == 2 and sub.relations[0] == "=" and places == [sub]:
        letter, first = _letter(sub.sides[0]), reader.subscript(sub.sides[1])
        if node.sup is None:
            raise MeaningError(f"a {node.op} from {first} without an end")
        return _limited(reader, letter, first, reader.subscript(node.sup))
    if len(places) == 1 and isinstance(places[0], tree.Chain) and len(places[0].sides) == 3 and node.sup is None:
        chain = places[0]
        low, high = reader.subscript(chain.sides[0]), reader.subscript(chain.sides[2])
        first = low + int(chain.relations[0] == "<")
        return _limited(reader, _letter(chain.sides[1]), first, high - int(chain.relations[1] == "<"))
    if node.sup is not None and isinstance(sub, tree.Symbol):
        letter = _letter(sub)
        return _limited(reader, letter, _first(reader, letter, node.body), reader.subscript(node.sup))
    return [bound for place in places for bound in _unlimited_of(reader, place, node.body)]


def _unlimited_of(reader: Reader, place: Node, body: Node) -> list[Bound]:
    """i, or i ∈ S: all that i can be, or those of a set that nobody spelled out."""
    if not isinstance(place, tree.Chain):
        return [_unlimited(reader, _letter(place), body)]
    which = reader.parts(place.sides[1])
    if which is None or which.power is not None:
        raise MeaningError("a sum over a set that has no name", remedy="name it")
    letter, index, first, _ = _unlimited(reader, _letter(place.sides[0]), body)
    weight = member(reader, which, index)
    return [(letter, index, first, weight)]


def member(reader: Reader, which: Parts, index: Index) -> sympy.Expr:
    """1 or 0: whether number `index` is in a set of which nothing but the name is known."""
    name, places = f"∈{which.name}", [reader.subscript(s) for s in which.subscripts]
    reader.scope.fit(index.extent, reader.scope.extent(name, len(places), len(places) + 1))
    return element(name, [*places, index], frozenset({Fact.BINARY}))


def size(reader: Reader, which: Parts) -> sympy.Expr:
    """|S|, of a set of which nothing but the name is known."""
    name, rank = f"∈{which.name}", len(which.subscripts) + 1
    index = new_index("i", reader.scope.extent(name, rank - 1, rank))
    return reduction("sum", member(reader, which, index), [index])


def _letter(node: Node) -> str:
    if letter_of(node):
        return letter_of(node)
    raise MeaningError("the limits of a sum are not understood", remedy="write i, or i = 1 and n above")


def _limited(reader: Reader, letter: str, first: sympy.Expr, last: sympy.Expr) -> list[Bound]:
    extent = sympy.expand(last - first + 1)
    if extent.has(sympy.oo):
        raise MeaningError(f"a sum over {letter} that has no end")
    if extent.is_Integer and extent <= 0:
        return []
    if not extent.atoms(Index):
        return [(letter, new_index(letter, reader.scope.root(extent)), first, sympy.S.One)]
    longest = value_range(extent, indices_in(extent))
    if longest is None or first.atoms(Index):
        raise MeaningError(f"a sum over {letter} whose limits hang on an index")
    index = new_index(letter, longest[1])
    return [(letter, index, first, joined([sympy.LessThan(index + first, last, evaluate=False)]))]


def _unlimited(reader: Reader, letter: str, body: Node) -> Bound:
    """Over all that the index can be: the axis it reads, if its length was stated, the limits that the document gives
    the letter elsewhere, or an axis of any length."""
    stated = _stated_axis(reader, letter, body)
    if stated is not None:
        return letter, new_index(letter, reader.scope.root(stated)), _first(reader, letter, body), sympy.S.One
    limits = reader.usage.limits.get(letter.rstrip("'"))
    if limits is not None and not _reads_a_list(reader, letter, body):
        bound = _limited(reader, letter, reader.subscript(limits[0]), reader.subscript(limits[1]))
        if bound:
            return bound[0]
    extent = reader.scope.new_extent(f"n_{letter}")
    return letter, new_index(letter, extent), _first(reader, letter, body), sympy.S.One


def _stated_axis(reader: Reader, letter: str, body: Node) -> sympy.Expr | None:
    """The length of the axis that a letter subscripts, of a name whose shape was stated: of A_ij after A ∈ ℝ^{n×n}."""
    for node in walk(body):
        parts = reader.parts(node) if isinstance(node, tree.Scripted) else None
        if parts is None or not reader.scope.is_stated(parts.name):
            continue
        for axis, sub in enumerate(parts.subscripts):
            extent = reader.scope.extents.get((parts.name, axis, len(parts.subscripts)))
            if extent is not None and _is(letter, sub):
                return extent
    return None


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


def _subscripted(body: Node) -> bool:
    """Whether anything stands below a name with no number there: then a sum over it may be meant."""
    return any(
        isinstance(n, tree.Scripted) and n.sub is not None and not isinstance(n.sub, tree.Number) for n in walk(body)
    )


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
