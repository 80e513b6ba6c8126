"""Formulas that assert nothing: ranges of indices, questions, encodings, what is assumed of means."""

from __future__ import annotations

from symdl.verification.meaning.expectation import COVARIANCES, RANDOM, VARIANCES
from symdl.verification.meaning.functions import library_name
from symdl.verification.meaning.interpret import Interpreter
from symdl.verification.meaning.letters import letters_in
from symdl.verification.meaning.names import Parts, function_letter
from symdl.verification.meaning.naming import head, names_in
from symdl.verification.meaning.notations import of_one_slope
from symdl.verification.meaning.stated import EQUALITIES
from symdl.verification.meaning.usage import cells_of, range_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: What is told of a mean or a variance of which nothing was said.
ASSUMED = "what is assumed of a distribution"
#: Relations that bound an index.
_BOUNDS = frozenset({"<", "≤", ">", "≥"})
#: Words between what is to be least and what has to hold.
PROBLEM = frozenset({"subject to", "such that", "s.t.", "s.t", "st"})
_LEAST = frozenset({"argmin", "argmax"})
#: Words before brackets that are known everywhere.
_MOMENTS = frozenset({*VARIANCES, *COVARIANCES, "Pr", "KL", "tr", "det", "rank", "diag", "vec"})


def without_list_before(sides: list[Node], relations: tuple[str, ...]) -> list[Node]:
    """1 ≤ i ≤ n of "l_i, 1 ≤ i ≤ n", where a list was read; 𝐰*, b* = argmin … names two things at once."""
    first = sides[0]
    if not isinstance(first, tree.List) or set(first.separators) != {","} or not relations:
        return sides
    if relations[0] in _BOUNDS or (relations[0] == "=" and _is_range(first.items[-1], sides)):
        return [first.items[-1], *sides[1:]]
    if relations == ("=",) and isinstance(sides[1], tree.Big) and sides[1].op in _LEAST:
        return [tree.Group(first), *sides[1:]]
    return sides


def without_dots_between(sides: list[Node], relations: tuple[str, ...]) -> tuple[list[Node], tuple[str, ...]]:
    """a = b of a = … = b: dots for sides that are left out."""
    inner = range(1, len(sides) - 1)
    out = {k for k in inner if isinstance(sides[k], tree.Dots) and relations[k - 1] == relations[k] == "="}
    if not out:
        return sides, relations
    kept = [side for k, side in enumerate(sides) if k not in out]
    return kept, tuple(r for k, r in enumerate(relations) if k not in out)


def _is_range(letter: Node, sides: list[Node]) -> bool:
    return range_of(tree.Chain((letter, *sides[1:]), ("=",))) is not None


def claims_nothing(reader: Interpreter, sides: list[Node], relations: tuple[str, ...]) -> str:
    """What a formula says instead, in words; empty where it may claim something."""
    chain = tree.Chain(tuple(sides), relations)
    if any(isinstance(n, tree.Text) and n.text.strip().lower() in PROBLEM for side in sides for n in walk(side)):
        return "a problem to be solved"
    words = [side for side in sides[1:] if isinstance(side, tree.Text)]
    if words and set(relations) <= EQUALITIES:
        return "a question" if words[0].text == "?" else "what words stand for"
    if _has_dots(sides[0]) and all(map(_has_dots, sides)) and _are_open(reader, cells_of(sides[0])):
        return "what entries are called"
    if relations == ("=",) and _is_at_some_places(reader, *sides):
        return "the values at some places"
    if relations == ("=",) and _is_data(reader, *sides):
        return "what a function of which no more is known gives somewhere"
    if range_of(chain) is not None or _bounds_an_index(reader, chain):
        return "what an index runs over"
    if of_one_slope(chain):
        return "notations of one slope"
    moments = sides[:-1]
    if moments and set(relations) <= EQUALITIES and all(_assumed_moment(reader, m, sides[-1]) for m in moments):
        return ASSUMED
    return ""


def _has_dots(side: Node) -> bool:
    """Whether a vector or matrix is written out with dots in it."""
    inner = (n for n in walk(side) if isinstance(n, tree.Matrix))
    return any(isinstance(cell, tree.Dots) for matrix in inner for row in matrix.rows for cell in row)


def _are_open(reader: Interpreter, cells: tuple[Node, ...]) -> bool:
    """Whether entries are names of which nothing was said."""
    parts = [reader.parts(cell) for cell in cells if not isinstance(cell, tree.Dots)]
    names = [p.name for p in parts if p is not None]
    scope = reader.scope
    known = {n for n, _ in (*scope.formulas, *scope.entries)} | scope.functions.keys()
    return bool(names) and len(names) == len(parts) and known.isdisjoint(names)


def _is_at_some_places(reader: Interpreter, side: Node, value: Node) -> bool:
    """PE(pos, 2i) = …, of a word of which nothing was said: it has these values at even places."""
    if not isinstance(side, tree.Product) or len(side.factors) != 2 or side.ops != ("",):
        return False
    name, group = side.factors
    word = name.name if isinstance(name, tree.Symbol) and name.face != "bb" else ""
    if len(word) < 2 or not isinstance(group, tree.Group) or word in _MOMENTS or library_name(word) is not None:
        return False
    items = group.items
    plain = all(isinstance(item, (tree.Symbol, tree.Product, tree.Sum)) for item in items)
    letters = [names_in(reader, [item]) for item in items]
    new = not reader.known(word) and word not in names_in(reader, [value])
    return plain and new and all(letters) and not all(isinstance(item, tree.Symbol) for item in items)


def _is_data(reader: Interpreter, side: Node, value: Node) -> bool:
    """A list of figures = f(W (0, 0, 0)), of an f and a W of which no formula says anything: numbers of an example."""
    cells = [cell for row in side.rows for cell in row] if isinstance(side, tree.Matrix) else []
    if not cells or any(letters_in(cell) for cell in cells):
        return False
    if not isinstance(value, tree.Product) or value.ops != ("",) or not isinstance(value.factors[1], tree.Group):
        return False
    parts = reader.parts(value.factors[0])
    inner = names_in(reader, [value.factors[1]])
    if parts is None or parts.primes or parts.power is not None or not function_letter(parts.name) or not inner:
        return False
    return not any(reader.known(name) or name in reader.scope.opaque for name in {parts.name, *inner})


def _bounds_an_index(reader: Interpreter, chain: tree.Chain) -> bool:
    """1 ≤ i ≤ n, of an i that subscripts names and has no value."""
    if not set(chain.relations) <= _BOUNDS:
        return False
    parts = [reader.parts(side) for side in chain.sides]
    letters = {p.name for p in parts if p is not None and _is_index(reader, p)}
    others = [side for side, p in zip(chain.sides, parts, strict=True) if p is None or p.name not in letters]
    return bool(letters) and all(names_in(reader, [side]) <= reader.scope.counts for side in others)


def _is_index(reader: Interpreter, parts: Parts) -> bool:
    plain = not parts.subscripts and parts.power is None and not parts.bold
    known = reader.known(parts.name) or parts.name in reader.scope.counts
    return plain and not known and parts.name in reader.usage.subscripting


def _assumed_moment(reader: Interpreter, left: Node, right: Node) -> bool:
    """Var(w) = 2/n of a w of which nothing was said, by names: nothing that stands there follows from anything."""
    within = None if _is_called(reader, left) else moment_of(left)
    found = None if within is None else head(reader, within)
    if found is None or found[1] is not None or any(moment_of(n) is not None for n in walk(right)):
        return False
    name = found[0].name
    known = any(n == name for n, _ in reader.scope.formulas) or any(n == name for n, _ in reader.scope.entries)
    return not known and (bool(names_in(reader, [right])) or name not in RANDOM)


def _is_called(reader: Interpreter, node: Node) -> bool:
    """Whether E(w) is a value of a function E: an error, where no variance stands in the document."""
    brackets = node.factors[-1] if isinstance(node, tree.Product) else None
    return isinstance(brackets, tree.Group) and brackets.open == "(" and not reader.usage.moments


def moment_of(node: Node) -> Node | None:
    """w of Var(w) and E[w], also where something is given, E[w | X], and of Cov(w_i, w_j)."""
    inner = _within_moment(node)
    if not isinstance(inner, tree.List) or set(inner.separators) - {",", "|"}:
        return inner
    bar = inner.separators.find("|")
    items = inner.items if bar < 0 else inner.items[: bar + 1]
    bases = {n.base if isinstance(n, tree.Scripted) else n for n in items}
    return items[0] if len(bases) == 1 and len(items) <= 2 else None


def _within_moment(node: Node) -> Node | None:
    if (
        isinstance(node, tree.Applied)
        and isinstance(node.function, tree.Symbol)
        and node.function.name in VARIANCES | COVARIANCES
    ):
        return node.argument.body if isinstance(node.argument, tree.Group) else node.argument
    if isinstance(node, tree.Big) and node.op == "E" and node.sub is None:
        return node.body.body if isinstance(node.body, tree.Group) else node.body
    if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
        name = node.factors[0]
        return node.factors[1].body if isinstance(name, tree.Symbol) and name.name == "E" else None
    return None
