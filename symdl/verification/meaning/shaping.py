"""Which names have to be vectors and matrices by what formulas do with them, where a text sets none in bold type.

In h_t = tanh(W_x x_t + W_h h_{t−1} + b) nothing says whether h_t is a number. Where the same text writes h_tᵀ,
f_t ⊙ c_{t−1} or softmax(o_t), what stands there is a vector at each t; so is what is added to it, set equal to it or
made of it entry by entry, and a capital in front of it is a matrix. A capital that is transposed is a matrix itself, as
X is that holds an example in each column, and so is W X. What is said of a^l holds for a at every layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symdl.verification.meaning.functions import objective
from symdl.verification.meaning.names import Labels, Parts, function_letter, is_bold, is_transpose, parts_of, text_of
from symdl.verification.meaning.usage import Usage
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: A name with its number of subscripts, or a formula that has no name.
Key = tuple[str, int]

_ENTRYWISE = frozenset({"⊙", "∘"})
_TIMES = frozenset({"", "·", "×", "*"})
_EQUAL = frozenset({"=", "≡", ":=", "≜", "≈"})
#: Names of functions of vectors, and of numbers that become vectors.
_OF_VECTORS, _OF_NUMBERS = frozenset({"softmax"}), frozenset({"log", "ln", "exp", "max", "min", "det", "tr"})
#: Names of functions that make matrices of vectors, and vectors of matrices.
_DIAGONALS = frozenset({"diag", "Diag"})
#: Letters of functions of one number, which go over the entries of a vector.
_FUNCTIONS = frozenset("fgφϕψσρ")


@dataclass
class Shapes:
    """What was found: names that are vectors, those that are at each place that a letter below counts, and matrices."""

    vectors: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    matrices: set[str] = field(default_factory=set)


def shapes_of(formulas: Iterable[Node], usage: Usage) -> Shapes:
    """What the formulas of a document show; of matrices alone where bold type says which names are vectors.

    >>> from symdl.verification.meaning.usage import usage_of
    >>> from symdl.verification.notation import parse
    >>> formulas = [parse(text) for text in ("h_t = \\\\tanh(W_h h_{t-1} + b)", "h_t^T")]
    >>> found = shapes_of(formulas, usage_of(formulas))
    >>> sorted(found.rows), sorted(found.vectors), sorted(found.matrices)
    (['h'], ['b'], ['W_h'])
    """
    formulas = list(formulas)
    reader = _Reader(usage)
    for formula in formulas:
        reader.look_at(formula)
    found = reader.found()
    bold = any(is_bold(n) and n.name.isalpha() for f in formulas for n in walk(f) if isinstance(n, tree.Symbol))
    return Shapes(matrices=found.matrices) if bold else found


@dataclass
class _Reader:
    """Goes through formulas and notes which of their parts have one shape."""

    labels: Labels
    same: dict[Key, Key] = field(default_factory=dict)
    vectors: set[Key] = field(default_factory=set)
    matrices: set[Key] = field(default_factory=set)
    products: list[tuple[Key, Key, Key]] = field(default_factory=list)  # W, x and W x
    made: int = 0

    def look_at(self, formula: Node) -> None:
        """Everything that a formula says of shapes."""
        for node in walk(formula):
            if isinstance(node, tree.Chain):
                sides = [self.shape(side) for side in node.sides]
                for a, b, relation in zip(sides, sides[1:], node.relations, strict=False):
                    if relation in _EQUAL:
                        self._join([a, b])
            elif isinstance(node, (tree.Product, tree.Sum, tree.Applied)):
                self.shape(node)
                if isinstance(node, tree.Product):
                    self._inner(node)
            elif isinstance(node, tree.Scripted) and _is_transposed(node):
                parts = parts_of(node, self.labels)
                if parts is not None:
                    self._mark(parts)

    def found(self) -> Shapes:
        """The names, after what one of them shows of others was followed as far as it goes."""
        self._join_layers()
        while True:
            vectors, matrices = self._roots(self.vectors), self._roots(self.matrices)
            before = len(self.vectors) + len(self.matrices)
            for first, x, result in self.products:
                if self._root(x) in matrices or (self._root(first) in matrices and x[0][:1].isupper()):
                    self.matrices |= {result} if self._root(result) not in matrices else set()
                elif self._root(x) in vectors:
                    self.vectors |= {result} if self._root(result) not in vectors else set()
            if len(self.vectors) + len(self.matrices) == before:
                break
        every = {k for k in {*self.same, *self.vectors, *self.matrices} if k[0][:1].isalpha()}
        tall = {k for k in every if self._root(k) in matrices}
        long = {k for k in every - tall if self._root(k) in vectors}
        long |= {k for k in tall if k[0][:1].islower()}  # b of W X + b
        weights = {w for w, x, _ in self.products if self._root(x) in vectors | matrices}
        capitals = {name for name, rank in tall | weights if rank == 0 and name[:1].isupper()}
        plain = {name for name, rank in long if rank == 0 and name not in capitals}
        return Shapes(plain, {name for name, rank in long - tall if rank == 1}, capitals)

    def _roots(self, keys: Iterable[Key]) -> set[Key]:
        return {self._root(k) for k in keys}

    def _join_layers(self) -> None:
        """a^l, a^{l−1} and a^L are of one kind."""
        layers: dict[Key, list[Key | None]] = {}
        for name, rank in [*self.same, *self.vectors, *self.matrices, *(key for p in self.products for key in p)]:
            base, _, label = name.partition("^")
            if label[:1] == "(" or (label and self.labels.layer(label[:1])):
                layers.setdefault((base, rank), []).append((name, rank))
        for keys in layers.values():
            self._join(keys)

    def shape(self, node: Node) -> Key | None:
        """What has the shape of a formula: the name itself, or what its terms are; None where nothing is known."""
        if isinstance(node, (tree.Group, tree.Noted)):
            return None if isinstance(node.body, (tree.List, tree.Chain)) else self.shape(node.body)
        if isinstance(node, (tree.Symbol, tree.Accented, tree.Scripted)):
            return self._of_name(node)
        if isinstance(node, tree.Sum):
            return self._join([self.shape(term) for _, term in node.terms])
        if isinstance(node, tree.Product):
            return self._of_product(node)
        if isinstance(node, tree.Quotient):
            return self.shape(node.over) if self.shape(node.under) is None else None
        if isinstance(node, tree.Applied):
            return self._of_function(node)
        if isinstance(node, tree.Derivative):
            return self._of_slope(node)
        return self.shape(node.body) if isinstance(node, tree.Big) and node.op == "sum" else None

    def _of_name(self, node: Node) -> Key | None:
        parts = parts_of(node, self.labels)
        if parts is None or parts.primes or parts.transposed or _is_count(parts) or len(parts.subscripts) > 1:
            return None
        if parts.subscripts and isinstance(parts.subscripts[0], tree.Number):
            return None  # x_1 may be an entry of x
        key = parts.name, len(parts.subscripts)
        return self._vector(key) if parts.bold and parts.name[:1].islower() else key

    def _of_product(self, node: tree.Product) -> Key | None:
        parts = list(_factors(node))
        if any(op in _ENTRYWISE for op, _ in parts):
            whole = self._join([self.shape(factor) for _, factor in parts if not isinstance(factor, tree.Number)])
            return self._vector(whole)
        if not {op for op, _ in parts} <= _TIMES:
            return None
        shapes = [self.shape(factor) for _, factor in parts]
        first = parts[0][1]
        if len(parts) == 2 and shapes[1] is not None and self._is_weight(first):
            weight = parts_of(first, self.labels)
            assert weight is not None
            self.made += 1
            result = "", -self.made
            self.products.append(((weight.name, 0), shapes[1], result))
            return result
        plain = [s for s, (_, f) in zip(shapes, parts, strict=True) if not _is_figure(f)]
        return plain[0] if len(plain) == 1 else None

    def _is_weight(self, node: Node) -> bool:
        parts = parts_of(node, self.labels)
        return parts is not None and parts.name[:1].isupper() and not parts.subscripts and parts.power is None

    def _of_function(self, node: tree.Applied) -> Key | None:
        name = node.function.name if isinstance(node.function, tree.Symbol) else ""
        inner = self.shape(node.argument)
        if name in _OF_VECTORS:
            return self._vector(inner)
        if name in _DIAGONALS:
            self._vector(inner if inner is None or inner[0][:1].islower() else None)
            return None
        return None if name in _OF_NUMBERS else inner

    def _of_slope(self, node: tree.Derivative) -> Key | None:
        """∂L/∂x has the shape of x."""
        of = parts_of(node.of, self.labels) if node.of is not None else None
        single = len(node.by) == 1 and node.by[0][1] == 1
        return self.shape(node.by[0][0]) if of is not None and objective(of.name) and single else None

    # ── what has one shape ───────────────────────────────────────────────────────────────────────────────────────────

    def _mark(self, parts: Parts) -> None:
        """What is transposed: h_tᵀ and aᵀ are vectors, Xᵀ is a matrix."""
        if not parts.subscripts:
            key = parts.name, 0
            self.same.setdefault(key, key)
            (self.vectors if parts.name[:1].islower() else self.matrices).add(key)
        elif len(parts.subscripts) == 1 and not isinstance(parts.subscripts[0], tree.Number):
            self.vectors |= {(parts.name, 1)} if parts.name[:1].islower() else set()
            self.same.setdefault((parts.name, 1), (parts.name, 1))

    def _inner(self, node: tree.Product) -> None:
        """x_i of wᵀx_i: what a vector that lies down is multiplied with."""
        for first, second, op in node.neighbours:
            parts = parts_of(first, self.labels) if isinstance(first, tree.Scripted) and op == "" else None
            lying = parts is not None and parts.transposed and parts.name[:1].islower() and len(parts.subscripts) < 2
            key = self._of_name(second) if lying and isinstance(second, (tree.Symbol, tree.Scripted)) else None
            if key is not None and key[0][:1].islower() and not function_letter(key[0]):
                self._vector(key)

    def _vector(self, key: Key | None) -> Key | None:
        if key is not None:
            self.same.setdefault(key, key)
            self.vectors.add(key)
        return key

    def _root(self, key: Key) -> Key:
        while self.same.get(key, key) != key:
            key = self.same[key]
        return key

    def _join(self, keys: list[Key | None]) -> Key | None:
        known = [k for k in keys if k is not None]
        for key in known:
            self.same.setdefault(key, key)
        for a, b in pairwise(known):
            if self._root(a) != self._root(b):
                self.same[self._root(a)] = self._root(b)
        return known[0] if known else None


def _is_transposed(node: tree.Scripted) -> bool:
    sups = node.sup.factors if isinstance(node.sup, tree.Product) else (node.sup,)
    return any(is_transpose(s) for s in sups)


def _is_count(parts: Parts) -> bool:
    return parts.power is not None and not isinstance(parts.power, tree.Number)


def _is_figure(node: Node) -> bool:
    if isinstance(node, tree.Quotient):
        return not any(isinstance(n, (tree.Derivative, tree.Group)) for n in walk(node))
    return isinstance(node, tree.Number)


def _factors(node: tree.Product) -> Iterator[tuple[str, Node]]:
    """Factors with what stands before each; f(x) is one, of the shape of x."""
    ops, k = ("", *node.ops), 0
    while k < len(node.factors):
        factor = node.factors[k]
        after = node.factors[k + 1] if k + 1 < len(node.factors) and node.ops[k] == "" else None
        applied = isinstance(after, tree.Group) and _may_be_function(factor)
        yield ops[k], after if applied and after is not None else factor
        k += 2 if applied else 1


def _may_be_function(node: Node) -> bool:
    """f of f(x), σ of σ(z), g′ of g′(z)."""
    if isinstance(node, tree.Scripted):
        return bool(node.primes)
    return isinstance(node, tree.Symbol) and node.name in _FUNCTIONS


def numbered_biases(formulas: Iterable[Node], usage: Usage) -> set[str]:
    """b of b_1, that is added to X W_1 where W_1 is a matrix of its own: b_1 is a vector of its own then.

    >>> from symdl.verification.meaning.usage import usage_of
    >>> from symdl.verification.notation import parse
    >>> formulas = [parse(text) for text in ("Z_1 = X W_1 + b_1", "W_1^T", "y = x_1 + b_1")]
    >>> numbered_biases(formulas, usage_of(formulas))
    {'b'}
    """
    found = set()
    for node in (n for formula in formulas for n in walk(formula) if isinstance(n, tree.Sum)):
        weights = {n for _, term in node.terms if isinstance(term, tree.Product) for n in map(_number, term.factors)}
        for _, term in node.terms:
            name = _number(term)
            beside = {number for base, number in weights if base[:1].isupper() and usage.labelled(f"{base}_{number}")}
            if name[0][:1].islower() and name[1] in beside:
                found.add(name[0])
    return found


def _number(node: Node) -> tuple[str, str]:
    """W and 1 of W_1."""
    if not isinstance(node, tree.Scripted) or node.sup is not None or not isinstance(node.sub, tree.Number):
        return "", ""
    return text_of(node.base), node.sub.text


def with_numbered(usage: Usage, names: set[str]) -> Usage:
    """How a document uses its names, where a number below some of them is part of the name."""
    families = usage.families
    return replace(usage, families=replace(families, numbered=families.numbered | names))


def with_shapes(usage: Usage, shapes: Shapes) -> Usage:
    """How a document uses its names, with vectors and matrices as they were found."""
    families = usage.families
    rows, columns = families.rows | shapes.rows, families.columns | shapes.rows
    arrays = families.arrays | shapes.vectors | shapes.matrices
    layered = {name: set(ranks) for name, ranks in usage.layered.items()}
    for names, rank in ((shapes.vectors, 1), (shapes.matrices, 2)):
        for name in names:
            if usage.without_layer(name) != name:  # at layers that no formula shows as well
                layered.setdefault(usage.without_layer(name), set()).add(rank)
    families = replace(families, rows=rows, columns=columns, arrays=arrays)
    return replace(usage, families=families, layered=layered)
