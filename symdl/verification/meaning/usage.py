"""How a document uses its names: one pass over all of its formulas before any of them is read for its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from symdl.verification.meaning.ellipsis import without_dots
from symdl.verification.meaning.evidence import (
    earlier_steps,
    listed_letters,
    lying,
    settings,
    stepping_letters,
    strides,
)
from symdl.verification.meaning.expectation import COVARIANCES, VARIANCES
from symdl.verification.meaning.families import Families, families_of
from symdl.verification.meaning.layers import Layers, layers_of
from symdl.verification.meaning.names import INDEX_LETTERS, letter_of, parts_of
from symdl.verification.notation import tree
from symdl.verification.notation.tree import Node, walk

#: Names below which a name says by what they are differentiated.
SLOPED = frozenset("fghFGD∂")


@dataclass
class Usage:
    """What the formulas show of names.

    Args:
        letters: bound by a sum somewhere: a lone letter in a subscript that is one of them is an index.
        limits: of sums, by letter, where the document gives a letter one pair of limits only.
        counts: names that stand as an upper limit: numbers of things.
        ranks: numbers of subscripts that a name is seen with.
        applied, bare: names seen in front of brackets, and by themselves.
        starts: the numbers that sums begin at.
        subscripts: the numbers that stand in subscripts.
        vectors: names such as w_1 that are set to a list of numbers.
        bold: names that stand in bold type somewhere.
        zero: names that are seen with the subscript 0.
        first: where the sums over the entries of a name begin.
        sum_starts: the numbers that sums over a letter begin at.
        together: names that one letter subscripts in some formula, and so on: their entries are counted alike.
        begins: the numbers that letters are said to begin at: n = 0, …, N − 1.
        whole: names that choose an entry, x_{n, c_n}, or are compared with an index: they are whole numbers.
        counted: names whose entries stand as upper limits, as k_1 does.
        sets: names that a sum runs over, i ∈ S.
        lengths: of the lists that names are set to, where they are all equally long.
        spelled: how each name is written, without its subscripts, where it is seen for the first time.
        families: which names are vectors and matrices by how they are written.
        layers: which layers are spoken of.
        layered: numbers of subscripts that a name is seen with at any layer.
        settings: names that are set to more than one number.
        subscripting: letters that stand below some name.
        letters_of: the letters that stand below each name.
        lying: vectors are rows: z W stands somewhere, and W z nowhere.
        doubled: numbers of things that the document differentiates something of the same name as well: L of ∂L/∂w.
        classes: letters that choose one of the places that an index runs over, y of p_y.
        silent: the letters that sums without an index run over, Σ x_i.
        moments: variances stand somewhere, so that E(x) is a mean.
        ranges: what the document says that a letter runs over, i = 1, …, n.
    """

    letters: set[str] = field(default_factory=set)
    limits: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    counts: set[str] = field(default_factory=set)
    ranks: dict[str, set[int]] = field(default_factory=dict)
    applied: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    starts: set[str] = field(default_factory=set)
    subscripts: set[str] = field(default_factory=set)
    vectors: set[str] = field(default_factory=set)
    bold: set[str] = field(default_factory=set)
    begins: dict[str, set[str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    lengths: dict[str, int] = field(default_factory=dict)
    spelled: dict[str, Node] = field(default_factory=dict)
    zero: set[str] = field(default_factory=set)
    first: dict[str, set[str]] = field(default_factory=dict)
    sum_starts: dict[str, set[str]] = field(default_factory=dict)
    together: dict[str, set[str]] = field(default_factory=dict)
    families: Families = field(default_factory=Families)
    layers: Layers = field(default_factory=Layers)
    layered: dict[str, set[int]] = field(default_factory=dict)
    settings: set[str] = field(default_factory=set)
    subscripting: set[str] = field(default_factory=set)
    letters_of: dict[str, set[str]] = field(default_factory=dict)
    lying: bool = False
    silent: set[str] = field(default_factory=set)
    moments: bool = False
    classes: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    ranges: dict[Node, set[tuple[Node, Node]]] = field(default_factory=dict)

    def base_of(self, name: str) -> int:
        """The subscript that the entries of a name begin with: as its sums begin, else 0 where it is seen with that.

        Where they begin at both, it is what the text says of indices: for i = 0, …, n.
        """
        group = self._alike(name)
        starts = {first for n in group for first in self.first.get(n, ())}
        said = {first.text for ends in self.ranges.values() for first, _ in ends if isinstance(first, tree.Number)}
        if starts in ({"0"}, {"1"}):
            return int(*starts)
        if len(starts) > 1 and said == {"0"}:
            return 0
        return 0 if group & self.zero else self.base

    def _alike(self, name: str) -> set[str]:
        """The names whose entries are counted as those of a name are."""
        own = {name}
        if 2 in self.ranks.get(name.lower(), ()) and name.upper() in self.bold:
            own = {name.lower(), name.upper()}  # a_{ij} is an entry of 𝐀
        return {other for n in own for other in self.together.get(n, {n})}

    def mixed(self, name: str) -> bool:
        """Whether sums over the entries of a name begin at 0 and at 1, so that each axis may be counted its own way."""
        return len({first for n in self._alike(name) for first in self.first.get(n, ())}) > 1

    def start_of(self, letter: str, name: str) -> int:
        """The number that a free letter begins at below a name: as its own sums do where the name's do both."""
        own = self.sum_starts.get(letter, set())
        return int(*own) if self.mixed(name) and own in ({"0"}, {"1"}) else self.base_of(name)

    @property
    def base(self) -> int:
        """The subscript that the document counts from: 0 where one stands anywhere, or where all sums begin at it."""
        return 0 if "0" in self.subscripts or self.starts == {"0"} else 1

    # ── what names.Labels asks ───────────────────────────────────────────────────────────────────────────────────────

    def bound(self, letter: str) -> bool:
        return letter in self.letters

    def matrix(self, name: str) -> bool:
        return name in self.bold and name[:1].isupper()

    def has_rank(self, name: str, rank: int) -> bool:
        return rank in self.ranks.get(name, ())

    def labelled(self, name: str, *, bold: bool = False) -> bool:
        base, families = name.rpartition("_")[0], self.families
        lone = bold and base in families.bold_numbered - families.bold_lettered
        return lone or name in self.vectors or base in families.numbered

    def layer(self, letter: str) -> bool:
        return self.layers.counts(letter)

    def last(self, name: str, letter: str) -> bool:
        runs = {each for each, (_, end) in self.limits.items() if letter_of(end) == letter}
        return not runs.isdisjoint(self.letters_of.get(name, ()))

    def squared(self, name: str) -> bool:
        return name in self.families.squares

    def label(self, name: str, letter: str) -> bool:
        return (name, letter) in self.families.labels

    def shaped(self, name: str) -> bool:
        """Whether a name stands for a vector or a matrix by how it is written."""
        known = name in self.families.arrays or name.rpartition("_")[0] in self.families.numbered
        return known or bool(self.ranks_by_layer(name))

    def ranks_by_layer(self, name: str) -> set[int]:
        """The numbers of subscripts that a name has at some layer: where z^l_j stands, z^L is a vector as well."""
        return self.layered.get(self.without_layer(name), set()) if self.without_layer(name) != name else set()

    def examples(self) -> dict[str, set[str]]:
        """The letters that count examples, i of x^{(i)}, with the names that stand with them and without."""
        found: dict[str, set[str]] = {}
        for name in self.spelled:
            base, _, label = name.partition("^(")
            letter = label.removesuffix(")")
            if label and base in self.spelled and letter in INDEX_LETTERS and not self.layer(letter):
                found.setdefault(letter, set()).add(base)
        return found

    def without_layer(self, name: str) -> str:
        """A name without the layer above it: z of z^l-1, W of W^(L), and x^* as it is."""
        base, _, label = name.partition("^")
        return base if label and self.layer(label.strip("([{⟨")[:1]) else name


def usage_of(formulas: Iterable[Node]) -> Usage:
    """One pass over all formulas of a document.

    >>> from symdl.verification.notation import parse
    >>> found = usage_of([parse(chr(92) + "sum_{i=1}^{n} w_i x_i")])
    >>> found.counts, found.ranks, found.base
    ({'n'}, {'w': {1}, 'x': {1}}, 1)
    """
    formulas = list(formulas)
    whole = [list(walk(formula)) for formula in formulas]
    every = [node for some in whole for node in some]
    usage = Usage(families=families_of(every), layers=layers_of(every))
    nodes = [node for some in whole for node in some]
    uneven: set[str] = set()
    for node in nodes:
        if isinstance(node, tree.Scripted):
            usage.letters |= listed_letters(node)
        if isinstance(node, tree.Chain):
            _lists(node, usage)
            _lengths(node, usage, uneven)
    for name in uneven:
        del usage.lengths[name]
    usage.settings = settings(nodes, usage)
    conflicting: set[str] = set()
    for node in nodes:
        if isinstance(node, tree.Big):
            _limits(node, usage, conflicting)
        written = without_dots(node) if isinstance(node, tree.Sum) else None
        for big in walk(written) if written is not None else ():
            if isinstance(big, tree.Big):
                _limits(big, usage, conflicting)
        if isinstance(node, tree.Chain):
            _ranges(node, usage, conflicting)
    for letter in conflicting:
        usage.limits.pop(letter, None)
    stepping = stepping_letters(nodes)  # t of m_t = β m_{t−1} + g_t is an index, though sums run up to it
    usage.counts -= stepping
    usage.letters |= stepping | earlier_steps(nodes, stepping)
    for some in whole:
        _together(some, usage)
    heads: set[int] = set()
    inner: set[int] = set()
    for node in nodes:
        if isinstance(node, tree.Product):
            _applications(node, usage, heads)
        if isinstance(node, (tree.Symbol, tree.Accented, tree.Scripted)):
            _spelled(node, usage)
        if isinstance(node, tree.Scripted):
            inner.add(id(node.base))
            _subscripts(node, usage)
        if isinstance(node, tree.Chain):
            _compared(node, usage)
    inner |= heads | {id(f) for f in formulas}  # "let $g$ be a function" says nothing of how it stands in formulas
    for node in nodes:
        if isinstance(node, (tree.Symbol, tree.Scripted)) and id(node) not in inner:
            parts = parts_of(node, usage)
            if parts is not None:
                usage.bare.add(parts.name)
                usage.bold |= {parts.name} if parts.bold else set()
    sloped = {n.of.name for n in nodes if isinstance(n, tree.Derivative) and isinstance(n.of, tree.Symbol)}
    usage.doubled = usage.counts & sloped
    primed = {
        n.base.name for n in nodes if isinstance(n, tree.Scripted) and n.primes and isinstance(n.base, tree.Symbol)
    }
    usage.moments = "E" not in sloped | primed and any(
        isinstance(n, tree.Symbol) and n.name in VARIANCES | COVARIANCES for n in nodes
    )
    usage.counts -= usage.doubled
    for name, ranks in usage.ranks.items():
        if usage.without_layer(name) != name:
            usage.layered.setdefault(usage.without_layer(name), set()).update(ranks)
    usage.lying = lying(nodes, usage, lambda name: usage.ranks.get(name, set()) | usage.ranks_by_layer(name))
    return usage


def _spelled(node: Node, usage: Usage) -> None:
    parts = parts_of(node, usage)
    if parts is None or parts.transposed or parts.primes or parts.name in usage.spelled:
        return
    if isinstance(node, tree.Scripted) and (parts.subscripts or parts.power is not None):
        sub, sup = None if parts.subscripts else node.sub, None if parts.power is not None else node.sup
        node = node.base if sub is None and sup is None else replace(node, sub=sub, sup=sup)
        plain = parts_of(node, usage)
        if plain is None or plain.name != parts.name:
            return
    usage.spelled[parts.name] = node


def _lists(node: tree.Chain, usage: Usage) -> None:
    """w_1 = (1, 0, 0) makes w_1 a name of its own."""
    for left, right in zip(node.sides, node.sides[1:], strict=False):
        if not (is_list(right) and isinstance(left, tree.Scripted) and isinstance(left.sub, tree.Number)):
            continue
        parts = parts_of(tree.Scripted(left.base, sup=left.sup), usage)
        if parts is not None:
            usage.vectors.add(f"{parts.name}_{left.sub.text}")


def _lengths(node: tree.Chain, usage: Usage, uneven: set[str]) -> None:
    _own_entries(node, usage)
    last = node.sides[-1]
    body = last.body if isinstance(last, tree.Group) else None
    if not isinstance(body, tree.List) or not all(isinstance(i, (tree.Number, tree.Sum)) for i in body.items):
        return
    parts = parts_of(node.sides[0], usage)
    if parts is None or parts.subscripts:
        return
    if usage.lengths.setdefault(parts.name, len(body.items)) != len(body.items):
        uneven.add(parts.name)


def _own_entries(node: tree.Chain, usage: Usage) -> None:
    """𝐰 = (w_1, w_2)ᵀ: where the entries of a name begin."""
    parts, right = parts_of(node.sides[0], usage), node.sides[1] if len(node.sides) > 1 else node.sides[0]
    cells = cells_of(right)
    entry = parts_of(cells[0], usage) if cells else None
    if parts is None or entry is None or entry.name != parts.name or parts.subscripts or len(entry.subscripts) != 1:
        return
    if isinstance(entry.subscripts[0], tree.Number):
        usage.first.setdefault(parts.name, set()).add(entry.subscripts[0].text)


def cells_of(node: Node) -> tuple[Node, ...]:
    """The entries of a vector that is written out, as a list or a column, transposed or not; none of anything else.

    >>> from symdl.verification.notation import parse
    >>> [len(cells_of(parse(text))) for text in ("(a, b)^T", "a + b")]
    [2, 0]
    """
    inner = node.base if isinstance(node, tree.Scripted) and node.sub is None else node
    inner = inner.body if isinstance(inner, tree.Group) else inner
    if isinstance(inner, tree.Matrix):
        return tuple(row[0] for row in inner.rows) if all(len(row) == 1 for row in inner.rows) else ()
    return inner.items if isinstance(inner, tree.List) else ()


def is_list(node: Node) -> bool:
    """Whether a side is a vector or matrix that is written out."""
    inner = node.base if isinstance(node, tree.Scripted) else node
    return isinstance(inner, tree.Matrix) or (isinstance(inner, tree.Group) and isinstance(inner.body, tree.List))


def _limits(node: tree.Big, usage: Usage, conflicting: set[str]) -> None:
    sub = node.sub
    usage.letters |= _letters_below(sub) if sub is not None else _only_letter(node.body)
    usage.silent |= _only_letter(node.body) if sub is None and node.op == "sum" else set()
    if node.sup is not None and node.op != "int":
        _counting(node.sup, usage)
    for inner in walk(sub) if sub is not None else ():
        if isinstance(inner, tree.Chain) and inner.relations == ("∈",):
            which = parts_of(inner.sides[1], usage)
            usage.sets |= {which.name} if which is not None else set()
    if isinstance(sub, tree.Chain) and len(sub.sides) == 2 and sub.relations == ("=",) and node.sup is not None:
        letter = sub.sides[0]
        if isinstance(letter, tree.Symbol):
            both = sub.sides[1], node.sup
            if usage.limits.setdefault(letter.name, both) != both:
                conflicting.add(letter.name)
        if isinstance(sub.sides[1], tree.Number):
            usage.starts.add(sub.sides[1].text)
            usage.sum_starts.setdefault(letter_of(letter), set()).add(sub.sides[1].text)
            for name in _read_by(node.body, letter, usage):
                usage.first.setdefault(name, set()).add(sub.sides[1].text)


def _only_letter(body: Node) -> set[str]:
    """d of Σ e^{x_d}, a sum that says no index: the only letter below a name."""
    below = {n.sub.name for n in walk(body) if isinstance(n, tree.Scripted) and isinstance(n.sub, tree.Symbol)}
    return below if len(below) == 1 and all(len(letter) == 1 and letter.isalpha() for letter in below) else set()


def _counting(sup: Node, usage: Usage) -> None:
    """The names that stand as an upper limit: n, n_in, and the k_1 of k_1 − 1."""
    ahead = [sup]
    while ahead:
        node = ahead.pop()
        parts = parts_of(node, usage) if isinstance(node, (tree.Symbol, tree.Scripted)) else None
        if parts is None or parts.power is not None:
            ahead += tree.children(node)
        elif not parts.subscripts:
            usage.counts |= {parts.name} - usage.letters - {"∞"}
        elif all(isinstance(s, tree.Number) for s in parts.subscripts):
            usage.counted.add(parts.name)


def _letters_below(sub: Node) -> set[str]:
    """The letters that stand below a sum as indices: i and j in i, j ≠ i, and not the n of i < n nor the S of i ∈ S."""
    if isinstance(sub, tree.Chain):
        sides = sub.sides[:1] if set(sub.relations) <= {"=", "∈"} else sub.sides
        found = {letter_of(side).rstrip("'") for side in sides if letter_of(side)}
        groups = [side.body for side in sides if isinstance(side, tree.Group)]
        return {x for x in found if x.islower() or len(sides) == 1} | {x for g in groups for x in _letters_below(g)}
    items = sub.items if isinstance(sub, tree.List) else sub.factors if isinstance(sub, tree.Product) else (sub,)
    if items == (sub,):
        return {letter_of(sub).rstrip("'")} - {""} if len(letter_of(sub).rstrip("'")) == 1 else set()
    return {letter for item in items for letter in _letters_below(item)}


def _ranges(node: tree.Chain, usage: Usage, conflicting: set[str]) -> None:
    """i = 1, …, n, and i, j = 0, …, n − 1, and i = n − 1, …, 1, 0: the limits of letters."""
    ends = range_of(node)
    if ends is None:
        return
    letters = node.sides[0].items if isinstance(node.sides[0], tree.List) else node.sides[:1]
    for letter in letters:
        usage.ranges.setdefault(letter, set()).add(ends)
        if isinstance(letter, tree.Symbol) and usage.limits.setdefault(letter.name, ends) != ends:
            conflicting.add(letter.name)
    named = {letter.name for letter in letters if isinstance(letter, tree.Symbol)}
    usage.letters |= {name for name in named if len(name) == 1}
    usage.counts |= {n.name for n in walk(ends[1]) if isinstance(n, tree.Symbol)} - usage.letters - {"∞"}
    if isinstance(ends[0], tree.Number):
        usage.starts.add(ends[0].text)
        for name in named:
            usage.begins.setdefault(name, set()).add(ends[0].text)


def range_of(node: tree.Chain) -> tuple[Node, Node] | None:
    """The first and the last of i = 1, …, n; None of anything else."""
    if node.relations != ("=",) or not isinstance(node.sides[1], (tree.List, tree.Product)):
        return None
    last = node.sides[1]
    items = last.items if isinstance(last, tree.List) else last.factors  # 1 … N without commas
    dots = [k for k, item in enumerate(items) if isinstance(item, tree.Dots)]
    letters = node.sides[0].items if isinstance(node.sides[0], tree.List) else node.sides[:1]
    if len(dots) != 1 or not all(isinstance(letter, tree.Symbol) for letter in letters):
        return None
    down = (
        dots[0] == 1 and len(items) > 2 and isinstance(items[-1], tree.Number) and not isinstance(items[0], tree.Number)
    )
    if down:
        return items[-1], items[0]
    return (items[0], items[-1]) if 1 <= dots[0] == len(items) - 2 else None


def _compared(node: tree.Chain, usage: Usage) -> None:
    """j ≠ y_i and c_n = k: what is compared with an index is a whole number."""
    if not set(node.relations) <= {"=", "≠"} or len(node.sides) != 2:
        return
    for one, other in (node.sides, node.sides[::-1]):
        parts = parts_of(one, usage) if isinstance(one, tree.Scripted) else None
        letter = letter_of(other).rstrip("'")
        if parts is not None and parts.subscripts and letter in usage.letters:
            usage.whole.add(parts.name)


def _read_by(body: Node, letter: Node, usage: Usage) -> set[str]:
    """The names that a letter subscripts in a body."""
    parts = (parts_of(n, usage) for n in walk(body) if isinstance(n, tree.Scripted))
    return {p.name for p in parts if p is not None and letter in p.subscripts}


def _together(formula: list[Node], usage: Usage) -> None:
    by_letter: dict[str, set[str]] = {}
    for node in formula:
        parts = parts_of(node, usage) if isinstance(node, tree.Scripted) else None
        for sub in parts.subscripts if parts is not None else ():
            if isinstance(sub, tree.Symbol) and parts is not None:
                by_letter.setdefault(sub.name, set()).add(parts.name)
    for names in by_letter.values():
        whole = set().union(*[usage.together.get(n, {n}) for n in names])
        usage.together.update(dict.fromkeys(whole, whole))


def _applications(node: tree.Product, usage: Usage, heads: set[int]) -> None:
    for first, second, op in node.neighbours:
        inner = second.base if isinstance(second, tree.Scripted) else second
        if op == "" and isinstance(inner, tree.Group):
            parts = parts_of(first, usage)
            if parts is not None and not parts.subscripts:
                usage.applied.add(parts.name)
                heads.add(id(first))


def _subscripts(node: tree.Scripted, usage: Usage) -> None:
    parts = parts_of(node, usage)
    if parts is not None and parts.subscripts:
        usage.ranks.setdefault(parts.name, set()).add(len(parts.subscripts))
        below = {letter_of(sub).rstrip("'") for sub in parts.subscripts} - {""}
        usage.subscripting |= below
        usage.letters_of.setdefault(parts.name, set()).update(below)
        for sub in parts.subscripts:
            usage.first.setdefault(parts.name, set()).update(usage.begins.get(letter_of(sub).rstrip("'"), ()))
            inner = parts_of(sub, usage) if isinstance(sub, tree.Scripted) and not letter_of(sub) else None
            slope = parts.name in SLOPED and len(parts.subscripts) == 1  # f_{x_i} is ∂f/∂x_i
            usage.whole |= {inner.name} if inner is not None and not slope else set()
        usage.counted |= {name for sub in parts.subscripts for name in strides(sub, usage, usage.letters)}
        numbers = {s.text for s in parts.subscripts if isinstance(s, tree.Number)}
        usage.subscripts |= numbers
        usage.zero |= {parts.name} if "0" in numbers else set()
